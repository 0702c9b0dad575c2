//! Draws a deformed mesh over the portrait: its edges, or its depth.

use crate::face::TurnedSquare;
use crate::media::image::Picture;
use crate::methods::diagnostics::DeformedMesh;
use crate::render::diagnostics::colours::{GROUND, luminance};
use crate::render::diagnostics::marks::{Ink, stroke};

/// The depths drawn as black and white, in shares of the crop's side, measured from the middle of the head towards
/// the viewer.
const DEPTHS: (f32, f32) = (-0.1, 0.5);

/// Edges of front-facing triangles.
const EDGE: Ink = Ink {
    colour: [90.0, 235.0, 200.0],
    cover: 0.45,
};

/// A vertex in the picture's pixels, with its depth in shares of the crop's side.
type Vertex = [f64; 3];

/// Returns the front-facing triangles with finite corners.
fn front<'a>(
    mesh: &'a DeformedMesh,
    place: &'a TurnedSquare,
) -> impl Iterator<Item = ([u32; 3], [Vertex; 3])> + 'a {
    mesh.triangles.iter().filter_map(move |triangle| {
        let mut corners = [[0.0; 3]; 3];
        for (corner, vertex) in corners.iter_mut().zip(triangle) {
            let [u, v, depth] = *mesh.vertices.get(*vertex as usize)?;
            let (x, y) = place.to_picture((f64::from(u), f64::from(v)));
            *corner = [x, y, f64::from(depth)];
        }
        let finite = corners.iter().flatten().all(|value| value.is_finite());
        (finite && doubled_area(&corners) < 0.0).then_some((*triangle, corners))
    })
}

/// Returns twice the signed area with y pointing down: negative for corners that appear anticlockwise.
fn doubled_area([a, b, c]: &[Vertex; 3]) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

/// Draws the edges of front-facing triangles.
pub(crate) fn edges(base: &mut Picture, place: &TurnedSquare, mesh: &DeformedMesh) {
    let width = (0.0022 * place.side).clamp(0.6, 1.6);
    for (triangle, corners) in front(mesh, place) {
        for i in 0..3 {
            let j = (i + 1) % 3;
            // The neighbouring triangle has the same edge in the other direction.
            if triangle[i] < triangle[j] {
                let ends = [corners[i], corners[j]].map(|[x, y, _]| (x, y));
                stroke(base, (ends[0], ends[1]), width, EDGE);
            }
        }
    }
}

/// Greys and dims the picture, and draws the surface over it: brighter is nearer.
pub(crate) fn depth(base: &mut Picture, place: &TurnedSquare, mesh: &DeformedMesh) {
    let (width, height) = (base.width() as usize, base.height() as usize);
    let mut nearest = vec![f32::NEG_INFINITY; width * height];
    for (_, corners) in front(mesh, place) {
        fill(&mut nearest, (width, height), &corners);
    }
    let (far, near) = DEPTHS;
    for (pixel, depth) in base.rgba_mut().chunks_exact_mut(4).zip(nearest) {
        let light = if depth == f32::NEG_INFINITY {
            GROUND * luminance(pixel)
        } else {
            255.0 * ((depth - far) / (near - far)).clamp(0.0, 1.0)
        };
        pixel[..3].fill(light.round() as u8);
    }
}

/// Rasterises a triangle into a depth buffer that keeps the nearest depth.
fn fill(nearest: &mut [f32], (width, height): (usize, usize), corners: &[Vertex; 3]) {
    let area = doubled_area(corners);
    let ends = |axis: usize, length: usize| {
        let values = corners.map(|corner| corner[axis]);
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let within = |at: f64| at.clamp(0.0, length as f64) as usize;
        within(low.floor())..within(high.ceil())
    };
    let (columns, rows) = (ends(0, width), ends(1, height));
    for y in rows {
        for x in columns.clone() {
            let middle = [x as f64 + 0.5, y as f64 + 0.5, 0.0];
            let share = |i: usize| {
                let (b, c) = (corners[(i + 1) % 3], corners[(i + 2) % 3]);
                doubled_area(&[middle, b, c]) / area
            };
            let shares = [0, 1, 2].map(share);
            if shares.iter().all(|share| *share >= 0.0) {
                let depth: f64 = shares.iter().zip(corners).map(|(s, c)| s * c[2]).sum();
                let known = &mut nearest[y * width + x];
                *known = known.max(depth as f32);
            }
        }
    }
}
