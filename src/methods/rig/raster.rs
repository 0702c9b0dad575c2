//! A z-buffer: the visible triangle of a mesh at each pixel, and the position on it.

use std::ops::Range;

use rayon::prelude::*;

use super::model::Point;

/// What is visible at the centre of a pixel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    /// The triangle's index, or [`Hit::NOTHING`].
    triangle: u32,
    /// The barycentric weights of its first two vertices.
    weights: [f32; 2],
}

impl Hit {
    const NO_TRIANGLE: u32 = u32::MAX;
    const MISS: Self = Self {
        triangle: Self::NO_TRIANGLE,
        weights: [0.0; 2],
    };

    /// The index of the triangle, if any.
    #[inline(always)]
    pub fn triangle(self) -> Option<usize> {
        (self.triangle != Self::NO_TRIANGLE).then_some(self.triangle as usize)
    }

    /// Interpolates the vertices' values; `triangles` must be those that were rasterised, `values` holds one for each
    /// vertex.
    #[inline(always)]
    pub fn interpolated<const N: usize>(
        self,
        triangles: &[[u32; 3]],
        values: &[[f32; N]],
    ) -> Option<[f32; N]> {
        let [a, b, c] = triangles[self.triangle()?].map(|corner| &values[corner as usize]);
        let [u, v] = self.weights;
        let w = 1.0 - u - v;
        let mut mixed = [0.0; N];
        for (i, mixed) in mixed.iter_mut().enumerate() {
            *mixed = u * a[i] + v * b[i] + w * c[i];
        }
        Some(mixed)
    }
}

/// The visible triangles of an image.
#[derive(Debug)]
pub(super) struct Raster {
    pub width: usize,
    /// Bands of [`BAND`] rows.
    bands: Vec<Vec<Hit>>,
}

impl Raster {
    #[inline]
    pub fn row(&self, y: usize) -> &[Hit] {
        &self.bands[y / BAND][y % BAND * self.width..][..self.width]
    }
}

/// Rows that are drawn together.
pub(super) const BAND: usize = 32;

/// Smallest doubled area of a triangle that is drawn. Back faces aren't drawn.
const MIN_AREA: f32 = 1e-6;

/// How far beyond its edges a triangle is drawn, as a barycentric weight, so that there are no cracks between triangles.
const EDGE_TOLERANCE: f32 = 1e-5;

/// Draws the triangles of a mesh in pixels: x to the right, y down, z to the viewer, orthographic, back faces culled.
pub(super) fn rasterize(
    points: &[Point],
    triangles: &[[u32; 3]],
    width: usize,
    height: usize,
) -> Raster {
    let bins = Bins::new(points, triangles, width, height);
    let bands = (0..bins.bands.len()).into_par_iter().map(|band| {
        let mut canvas = Canvas::default();
        bins.draw(band, &mut canvas);
        canvas.hits
    });
    Raster {
        width,
        bands: bands.collect(),
    }
}

/// The triangles of a mesh sorted into bands of rows, to be drawn one band at a time.
pub(super) struct Bins {
    width: usize,
    height: usize,
    triangles: Vec<Triangle>,
    /// For each band the indices in `triangles` of those that overlap it.
    bands: Vec<Vec<u32>>,
}

/// Buffers for drawing a band, reusable for the next one.
#[derive(Default)]
pub(super) struct Canvas {
    hits: Vec<Hit>,
    depths: Vec<f32>,
}

impl Bins {
    /// Takes the arguments of [`rasterize`].
    pub fn new(points: &[Point], triangles: &[[u32; 3]], width: usize, height: usize) -> Self {
        if width == 0 || height == 0 {
            return Self {
                width,
                height,
                triangles: Vec::new(),
                bands: Vec::new(),
            };
        }
        let drawn: Vec<Triangle> = triangles
            .par_iter()
            .with_min_len(2048)
            .enumerate()
            .filter_map(|(number, corners)| {
                Triangle::new(number as u32, *corners, points, width, height)
            })
            .collect();
        let mut bands = vec![Vec::new(); height.div_ceil(BAND)];
        for (place, triangle) in drawn.iter().enumerate() {
            for band in &mut bands[triangle.rows.0 / BAND..=triangle.rows.1 / BAND] {
                band.push(place as u32);
            }
        }
        Self {
            width,
            height,
            triangles: drawn,
            bands,
        }
    }

    /// The hits of a band's pixels, row-major.
    pub fn draw<'a>(&self, band: usize, canvas: &'a mut Canvas) -> &'a [Hit] {
        let first = band * BAND;
        let rows = BAND.min(self.height - first);
        canvas.hits.clear();
        canvas.hits.resize(rows * self.width, Hit::MISS);
        canvas.depths.clear();
        canvas.depths.resize(rows * self.width, f32::NEG_INFINITY);
        for place in &self.bands[band] {
            self.triangles[*place as usize].draw(first..first + rows, self.width, canvas);
        }
        &canvas.hits
    }
}

/// A triangle that faces the viewer and overlaps the image. The barycentric weights `u` of its first and `v` of its
/// second vertex are linear; they are 0 at the third.
struct Triangle {
    number: u32,
    /// The first and the last pixel that it may cover.
    columns: (usize, usize),
    rows: (usize, usize),
    third: Point,
    /// Gradients of `u`, `v` and depth along x and y.
    u: [f32; 2],
    v: [f32; 2],
    depth: [f32; 2],
}

impl Triangle {
    fn new(
        number: u32,
        corners: [u32; 3],
        points: &[Point],
        width: usize,
        height: usize,
    ) -> Option<Self> {
        let [a, b, c] = [0, 1, 2].map(|k| points.get(corners[k] as usize).copied());
        let (a, b, c) = (a?, b?, c?);
        let minus = |p: Point, q: Point| [p[0] - q[0], p[1] - q[1], p[2] - q[2]];
        let (to_a, to_b) = (minus(a, c), minus(b, c));
        let area = to_a[0] * to_b[1] - to_a[1] * to_b[0];
        // This comparison is false for NaN.
        if !(area < -MIN_AREA && area.is_finite()) {
            return None;
        }
        let covered = |axis: usize, size: usize| {
            let values = [a[axis], b[axis], c[axis]];
            let low = values.into_iter().fold(f32::INFINITY, f32::min);
            let high = values.into_iter().fold(f32::NEG_INFINITY, f32::max);
            let (first, last) = (
                (low - 0.5).ceil().max(0.0),
                (high - 0.5).floor().min(size as f32 - 1.0),
            );
            (first <= last).then_some((first as usize, last as usize))
        };
        let (u, v) = (
            [to_b[1] / area, -to_b[0] / area],
            [-to_a[1] / area, to_a[0] / area],
        );
        Some(Self {
            number,
            columns: covered(0, width)?,
            rows: covered(1, height)?,
            third: c,
            u,
            v,
            depth: [0, 1].map(|k| u[k] * to_a[2] + v[k] * to_b[2]),
        })
    }

    /// Draws its rows that are within `rows`, the canvas' rows.
    #[inline]
    fn draw(&self, rows: Range<usize>, width: usize, canvas: &mut Canvas) {
        let dx = self.columns.0 as f32 + 0.5 - self.third[0];
        let length = (self.columns.1 - self.columns.0) as f32;
        for y in self.rows.0.max(rows.start)..=self.rows.1.min(rows.end - 1) {
            let dy = y as f32 + 0.5 - self.third[1];
            let at = |[along_x, along_y]: [f32; 2]| along_x * dx + along_y * dy;
            let (u, v, depth) = (at(self.u), at(self.v), at(self.depth) + self.third[2]);
            // The range where no weight is negative.
            let mut span = (0.0, length);
            narrow(&mut span, u, self.u[0]);
            narrow(&mut span, v, self.v[0]);
            narrow(&mut span, 1.0 - u - v, -self.u[0] - self.v[0]);
            let (first, last) = (span.0.ceil(), span.1.floor());
            if first > last || first.is_nan() || last.is_nan() {
                continue;
            }
            let (first, last) = (first as usize, last as usize);
            let start = (y - rows.start) * width + self.columns.0;
            let pixels = start + first..=start + last;
            let row = canvas.hits[pixels.clone()]
                .iter_mut()
                .zip(&mut canvas.depths[pixels]);
            for (i, (hit, nearest)) in row.enumerate() {
                let x = (first + i) as f32;
                let depth = depth + self.depth[0] * x;
                if depth > *nearest {
                    *nearest = depth;
                    *hit = Hit {
                        triangle: self.number,
                        weights: [u + self.u[0] * x, v + self.v[0] * x],
                    };
                }
            }
        }
    }
}

/// Narrows a range to where `value + slope * x` isn't negative.
#[inline(always)]
fn narrow(span: &mut (f32, f32), value: f32, slope: f32) {
    let value = value + EDGE_TOLERANCE;
    if slope > 0.0 {
        span.0 = span.0.max(-value / slope);
    } else if slope < 0.0 {
        span.1 = span.1.min(-value / slope);
    } else if value < 0.0 {
        span.1 = -1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A square of two triangles that faces the viewer.
    fn square(low: f32, high: f32, depth: f32) -> (Vec<Point>, Vec<[u32; 3]>) {
        let points = [[low, low], [high, low], [high, high], [low, high]];
        let points = points.map(|[x, y]| [x, y, depth]).to_vec();
        (points, vec![[0, 2, 1], [0, 3, 2]])
    }

    proptest! {
        #[test]
        fn interpolated_positions_are_the_pixel_centres(
            corners in prop::collection::vec([-20f32..80.0, -20f32..90.0, -9f32..9.0], 3..30),
        ) {
            let triangles: Vec<[u32; 3]> = (0..corners.len() as u32 - 2).map(|i| [i, i + 1, i + 2]).collect();
            let raster = rasterize(&corners, &triangles, 60, 70);
            for y in 0..70 {
                for (x, hit) in raster.row(y).iter().enumerate() {
                    let Some([px, py, depth]) = hit.interpolated(&triangles, &corners) else { continue };
                    // Slivers can't be interpolated more accurately.
                    prop_assert!((px - x as f32 - 0.5).abs() < 0.05 && (py - y as f32 - 0.5).abs() < 0.05);
                    prop_assert!((-9.1..9.1).contains(&depth));
                }
            }
        }

        #[test]
        fn the_visible_triangle_agrees_with_a_search(
            corners in prop::collection::vec([-5f32..30.0, -5f32..45.0, -9f32..9.0], 9),
        ) {
            let triangles = [[0, 1, 2], [3, 4, 5], [6, 7, 8]];
            let raster = rasterize(&corners, &triangles, 24, 40);
            for y in 0..40 {
                for (x, hit) in raster.row(y).iter().enumerate() {
                    let (px, py) = (f64::from(x as u32) + 0.5, f64::from(y as u32) + 0.5);
                    let mut best = (f64::NEG_INFINITY, None, f64::INFINITY);
                    for (number, triangle) in triangles.iter().enumerate() {
                        let [a, b, c] = triangle.map(|corner: u32| corners[corner as usize].map(f64::from));
                        let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
                        if area >= -1e-6 { continue }
                        let u = ((b[0] - px) * (c[1] - py) - (b[1] - py) * (c[0] - px)) / area;
                        let v = ((c[0] - px) * (a[1] - py) - (c[1] - py) * (a[0] - px)) / area;
                        let w = 1.0 - u - v;
                        let inside = u.min(v).min(w);
                        // Too close to an edge to tell.
                        best.2 = f64::min(best.2, inside.abs());
                        let depth = u * a[2] + v * b[2] + w * c[2];
                        if inside > 0.0 && depth > best.0 { best = (depth, Some(number), best.2) }
                    }
                    let seen = hit.interpolated(&triangles, &corners);
                    if best.2 > 1e-3 {
                        prop_assert_eq!(seen.is_some(), best.1.is_some());
                        if let Some([_, _, depth]) = seen {
                            prop_assert!((f64::from(depth) - best.0).abs() < 0.01);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn nearer_triangles_win_and_adjacent_ones_leave_no_gap() {
        let (mut points, mut triangles) = square(1.25, 59.75, 0.0);
        let (near, of_near) = square(20.0, 40.0, 5.0);
        triangles.extend(of_near.iter().map(|t| t.map(|corner| corner + 4)));
        points.extend(near);
        for order in [[0, 1, 2, 3], [3, 2, 1, 0]] {
            let triangles: Vec<_> = order.iter().map(|i| triangles[*i]).collect();
            let raster = rasterize(&points, &triangles, 61, 61);
            for y in 0..61 {
                for x in 0..61 {
                    let depth = raster.row(y)[x]
                        .interpolated(&triangles, &points)
                        .map(|p| p[2].round());
                    let middle = (20..40).contains(&x) && (20..40).contains(&y);
                    let inside = (1..60).contains(&x) && (1..60).contains(&y);
                    assert_eq!(
                        depth,
                        if middle {
                            Some(5.0)
                        } else {
                            inside.then_some(0.0)
                        },
                        "{x} {y}"
                    );
                }
            }
        }
    }

    #[test]
    fn back_faces_and_invalid_triangles_are_not_drawn() {
        let (points, triangles) = square(2.0, 8.0, 0.0);
        let backs: Vec<[u32; 3]> = triangles.iter().map(|[a, b, c]| [*a, *c, *b]).collect();
        let empty = |points: &[Point], triangles: &[[u32; 3]]| {
            let raster = rasterize(points, triangles, 10, 10);
            (0..10).all(|y| raster.row(y).iter().all(|hit| hit.triangle().is_none()))
        };
        assert!(!empty(&points, &triangles));
        assert!(empty(&points, &backs));
        assert!(empty(&points, &[[0, 2, 99]]));
        assert!(empty(&[[f32::NAN; 3]; 4], &triangles));
        assert!(empty(
            &points
                .iter()
                .map(|p| p.map(|v| v * 1e30))
                .collect::<Vec<_>>(),
            &triangles
        ));
        assert!(empty(&[], &[]));
        rasterize(&points, &triangles, 0, 0);
    }
}
