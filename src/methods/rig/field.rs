//! The displacement of the portrait's pixels: that of the deformed head, continued smoothly around it.
//!
//! Each pixel of the head's surface maps to the pixel of the portrait where that point was before. Beyond the head the
//! displacement solves Laplace's equation on a coarse grid and fades to zero, so that hair and collar follow.

use std::ops::Range;
use std::sync::OnceLock;

use rayon::prelude::*;

use super::continuation::{BlockMeans, Upsampler, continuation};
use super::image::{Image, Sample, coverage, lerp};
use super::model::Model;
use super::openings::Openings;
use super::raster::{BAND, Bins, Canvas, Hit};
use super::scene::{Deformed, Scene};
use super::window::{Window, block_size};
use crate::math::smoothstep_between;
use crate::nn::isa::{Isa, multiversion};

/// The displacement of a frame and the surface attributes that shading needs, at the source's pixels. It is reused from
/// frame to frame.
#[derive(Debug)]
pub(super) struct Field {
    /// The offset from each pixel to the source position of its colour.
    pub shift: Image<[f32; 2]>,
    /// 1 where the front of the face is visible, else 0.
    pub core: Image<f32>,
    /// Blend weight of the surface: 1 well inside the core, 0 at its edge and beyond.
    pub weight: Image<f32>,
    /// The surface in the core: x and y on the neutral head in centimetres, z of its normal in the portrait, and the
    /// light.
    pub surface: Image<[f32; 4]>,
    /// Core, weight and surface are 0 outside of it.
    window: Option<Window>,
}

/// Pixels with smaller shifts are copied unchanged.
pub(super) const MIN_SHIFT: f32 = 0.004;

/// Side of a cell of the coarse grid, in centimetres.
const CELL: f32 = 15.0 / 96.0;

/// Thresholds of the core: parts of the face that face the viewer, in the portrait and now.
const MIN_FACE_MASK: f32 = 0.5;
const MIN_FACING_BEFORE: f32 = 0.12;
/// With a turned head, parts that the portrait shows at a steep angle would be stretched.
const MIN_FACING_BEFORE_MOVED: f32 = 0.3;
const MIN_FACING_NOW: f32 = 0.08;

/// Standard deviation of the blur of the core's displacement, in centimetres: discontinuities at occlusions, such as
/// nostrils, would be visible as lines.
const BLUR: f32 = 0.12;
const BLUR_MOVED: f32 = 0.22;

/// Distances from the core's edge over which the continuation blends into the surface, in centimetres.
const BLEND: Range<f32> = 0.1..1.1;

impl Field {
    /// A field without displacement and without a core, for a source of a size.
    pub fn empty(width: usize, height: usize) -> Self {
        Self {
            shift: Image::filled(width, height, [0.0; 2]),
            core: Image::filled(width, height, 0.0),
            weight: Image::filled(width, height, 0.0),
            surface: Image::filled(width, height, [0.0; 4]),
            window: None,
        }
    }

    /// Computes the field of a deformed head. `light` has a value for each vertex of the skin, which is interpolated into
    /// [`Field::surface`].
    pub fn update(
        &mut self,
        scene: &Scene,
        deformed: &Deformed,
        light: &[f32],
        openings: &Openings,
    ) {
        let (width, height) = (self.core.width, self.core.height);
        let pixels_per_cm = scene.fit.projection.pixels_per_cm;
        let vertices = vertices(scene, deformed, light);
        let size = block_size(pixels_per_cm);
        let is_core = |vertex: usize| vertices[vertex][FRONT] > 0.0;
        let around = Window::around(scene.model, is_core, deformed, size, width, height);
        self.clear_outside(around);
        let Some(window) = around else {
            self.shift.pixels.fill([0.0; 2]);
            return;
        };
        let means = self.draw_surface(scene.model, deformed, &vertices, window);
        let cell = ((pixels_per_cm * CELL).round() as usize).max(1);
        let continued = || {
            let cells = window.cells(&means, cell, width.div_ceil(cell), height.div_ceil(cell));
            continuation(scene, deformed, &cells, cell)
        };
        let inner = || inner(&means, deformed, openings, window, pixels_per_cm);
        let (continued, inner) = rayon::join(continued, inner);
        let parts = BlendInputs {
            around: Upsampler::new(&continued, cell),
            inside: Upsampler::new(&inner, size),
            window,
            blend: BLEND.start * pixels_per_cm..BLEND.end * pixels_per_cm,
        };
        self.combine(&parts);
    }

    #[cfg(test)]
    pub fn new(scene: &Scene, deformed: &Deformed, light: &[f32], openings: &Openings) -> Self {
        let mut field = Self::empty(scene.source.width, scene.source.height);
        field.update(scene, deformed, light, openings);
        field
    }

    /// The field of a surface that doesn't move.
    #[cfg(test)]
    pub fn identity(core: Image<f32>, surface: Image<[f32; 4]>) -> Self {
        let (width, height) = (core.width, core.height);
        Self {
            weight: core.clone(),
            core,
            surface,
            window: Some(Window::whole(width, height)),
            ..Self::empty(width, height)
        }
    }

    /// The columns and rows outside of which core, weight and surface are 0; `None` without a core.
    pub fn extent(&self) -> Option<(Range<usize>, Range<usize>)> {
        self.window.map(|window| (window.columns(), window.rows()))
    }

    /// Clears the previous frame's values outside of the new window.
    fn clear_outside(&mut self, window: Option<Window>) {
        let Some(old) = std::mem::replace(&mut self.window, window) else {
            return;
        };
        self.rows_mut(old).for_each(|(y, row)| {
            let still_inside = match window {
                Some(new) if new.rows().contains(&y) => new.columns(),
                _ => old.left..old.left,
            };
            let Range { start, end } = old.columns();
            let (left, right) = (
                still_inside.start.clamp(start, end),
                still_inside.end.clamp(start, end),
            );
            for columns in [start..left, right..end] {
                row.core[columns.clone()].fill(0.0);
                row.weight[columns.clone()].fill(0.0);
                row.surface[columns].fill([0.0; 4]);
            }
        });
    }

    /// Draws the head's displacement and surface into the window, and sharpness into the weight. Returns means over the
    /// window's blocks.
    fn draw_surface(
        &mut self,
        model: &Model,
        deformed: &Deformed,
        vertices: &[Vertex],
        window: Window,
    ) -> Image<BlockMeans> {
        let (isa, triangles) = (Isa::best(), &model.skin_triangles);
        let away = [window.left as f32, window.top as f32];
        let skin = &deformed.points[..vertices.len()];
        let points: Vec<_> = skin
            .iter()
            .map(|[x, y, z]| [x - away[0], y - away[1], *z])
            .collect();
        let bins = Bins::new(&points, triangles, window.width, window.height);
        let (across, down) = window.blocks();
        let mut means = Image::filled(across, down, BlockMeans::default());
        let bands = self.rows_mut(window).chunks(BAND);
        bands
            .zip(means.pixels.par_chunks_mut(across * BAND / window.size))
            .enumerate()
            .for_each_init(Canvas::default, |canvas, (band, (rows, means))| {
                let hits = bins.draw(band, canvas);
                for (i, (_, row)) in rows.into_iter().enumerate() {
                    let mut row = row.part(window.columns());
                    let hits = &hits[i * window.width..][..window.width];
                    draw_row(isa, hits, triangles, vertices, &mut row);
                    let means = &mut means[i / window.size * across..][..across];
                    add_blocks(isa, row.shift, row.core, window.size, means);
                }
            });
        means
    }

    /// The rows of a window, with a row of each image.
    fn rows_mut(
        &mut self,
        window: Window,
    ) -> impl IndexedParallelIterator<Item = (usize, Row<'_>)> {
        let width = self.core.width.max(1);
        let lines = (self.shift.pixels.par_chunks_mut(width))
            .zip(self.core.pixels.par_chunks_mut(width))
            .zip(self.weight.pixels.par_chunks_mut(width))
            .zip(self.surface.pixels.par_chunks_mut(width));
        let rows = lines.map(|(((shift, core), weight), surface)| Row {
            shift,
            core,
            weight,
            surface,
        });
        rows.enumerate().skip(window.top).take(window.height)
    }

    /// Blends the surface's displacement with the continuation, and replaces sharpness in the weight by the blend weight.
    fn combine(&mut self, parts: &BlendInputs<'_>) {
        let isa = Isa::best();
        let whole = Window::whole(self.core.width, self.core.height);
        let rows = self.rows_mut(whole).with_min_len(4);
        rows.for_each_init(RowBuffers::default, |lines, (y, row)| {
            combine_row(isa, parts, y, row, lines);
        });
    }
}

/// A row of each of the field's images, or a part of it.
struct Row<'a> {
    shift: &'a mut [[f32; 2]],
    core: &'a mut [f32],
    weight: &'a mut [f32],
    surface: &'a mut [[f32; 4]],
}

impl Row<'_> {
    fn part(self, columns: Range<usize>) -> Self {
        Self {
            shift: &mut self.shift[columns.clone()],
            core: &mut self.core[columns.clone()],
            weight: &mut self.weight[columns.clone()],
            surface: &mut self.surface[columns],
        }
    }
}

multiversion! {
    /// Writes the visible surface into a row.
    fn draw_row(hits: &[Hit], triangles: &[[u32; 3]], vertices: &[Vertex], row: &mut Row<'_>) {
        let to = row.shift.iter_mut().zip(&mut *row.core);
        let to = to.zip(&mut *row.weight).zip(&mut *row.surface);
        for (hit, (((shift, core), weight), surface)) in hits.iter().zip(to) {
            let values = hit.interpolated(triangles, vertices).unwrap_or_default();
            let [dx, dy, x, y, facing, light, front, sharp] = values;
            if front > 0.0 {
                (*shift, *core, *weight) = ([dx, dy], 1.0, sharp);
                *surface = [x, y, facing, light];
            } else {
                (*shift, *core, *weight) = ([0.0; 2], 0.0, 0.0);
                *surface = [0.0; 4];
            }
        }
    }
}

multiversion! {
    /// Adds a row of pixels to the means of their blocks.
    fn add_blocks(shift: &[[f32; 2]], core: &[f32], size: usize, means: &mut [BlockMeans]) {
        let share = 1.0 / (size * size) as f32;
        let blocks = shift.chunks(size).zip(core.chunks(size));
        for (mean, (shift, core)) in means.iter_mut().zip(blocks) {
            let mut sum = BlockMeans::default();
            for ([dx, dy], core) in shift.iter().zip(core) {
                sum = [sum[0] + dx, sum[1] + dy, sum[2] + core, 0.0];
            }
            *mean = mean.plus(sum, share);
        }
    }
}

/// The inputs of the blend.
struct BlendInputs<'a> {
    /// The continued displacement around the core and in it.
    around: Upsampler<'a, [f32; 2]>,
    /// Values inside the window; see [`CoreBlock`].
    inside: Upsampler<'a, CoreBlock>,
    window: Window,
    /// Distances from the core's edge over which the continuation blends into the surface, in pixels.
    blend: Range<f32>,
}

/// Scratch rows of [`BlendInputs`]: interpolated along columns, and at the pixels.
#[derive(Default)]
struct RowBuffers {
    around: Vec<[f32; 2]>,
    inside: Vec<CoreBlock>,
    around_pixels: Vec<[f32; 2]>,
    inside_pixels: Vec<CoreBlock>,
}

multiversion! {
    fn combine_row(parts: &BlendInputs<'_>, y: usize, row: Row<'_>, lines: &mut RowBuffers) {
        let (window, width) = (parts.window, row.shift.len());
        parts.around.line(y, &mut lines.around);
        let moving = parts.around.filled(&lines.around, width);
        let around = &mut lines.around_pixels;
        around.clear();
        around.resize(width, [0.0; 2]);
        parts.around.upsample(&lines.around, moving.start, &mut around[moving]);
        if !window.rows().contains(&y) {
            row.shift.copy_from_slice(around);
            return;
        }
        let Range { start, end } = window.columns();
        row.shift[..start].copy_from_slice(&around[..start]);
        row.shift[end..].copy_from_slice(&around[end..]);
        parts.inside.line(y - window.top, &mut lines.inside);
        let inside = &mut lines.inside_pixels;
        inside.resize(window.width, CoreBlock::default());
        parts.inside.upsample(&lines.inside, 0, inside);
        let row = row.part(start..end);
        let pixels = row.shift.iter_mut().zip(row.core).zip(row.weight);
        let parts_of_pixels = around[start..end].iter().zip(inside);
        for (((shift, core), weight), (around, inside)) in pixels.zip(parts_of_pixels) {
            if *core == 0.0 {
                *shift = *around;
                continue;
            }
            let [dx, dy, _, distance] = *inside;
            let moved_by_core = lerp([dx, dy], *shift, weight.min(1.0));
            *weight = smoothstep_between(parts.blend.start, parts.blend.end, distance);
            *shift = if *weight < 1.0 { lerp(*around, moved_by_core, *weight) } else { moved_by_core };
        }
    }
}

/// Attributes that are interpolated over the skin: the displacement (x, y), the position on the neutral head (x, y), z of
/// the normal in the portrait, the light, how far the point is within the core's thresholds (above 0), and its sharpness.
type Vertex = [f32; 8];

/// Index of the core's threshold value in a [`Vertex`].
const FRONT: usize = 6;

fn vertices(scene: &Scene, deformed: &Deformed, light: &[f32]) -> Vec<Vertex> {
    let Scene { model, fit, .. } = scene;
    let least_before = if deformed.placement.is_moved {
        MIN_FACING_BEFORE_MOVED
    } else {
        MIN_FACING_BEFORE
    };
    // Larger than any picture, and never NaN.
    let bounded = |v: f32| {
        if v.is_finite() {
            v.clamp(-1e5, 1e5)
        } else {
            0.0
        }
    };
    let sharp = sharpness(model);
    let vertex = |i: usize| {
        let (before, now) = (fit.portrait_points[i], deformed.points[i]);
        let (facing_before, facing_now) = (fit.normals[i][2], deformed.normals[i][2]);
        let front = (model.face_mask[i] - MIN_FACE_MASK)
            .min(facing_before - least_before)
            .min(facing_now - MIN_FACING_NOW);
        let [x, y, _] = model.neutral[i];
        [
            bounded(before[0] - now[0]),
            bounded(before[1] - now[1]),
            x,
            y,
            facing_before,
            light.get(i).copied().unwrap_or(1.0),
            front,
            sharp[i],
        ]
    };
    let all = (0..model.skin).into_par_iter();
    all.with_min_len(1024).map(vertex).collect()
}

/// Sharpness of each vertex of the skin: 1 and more at lips and eyelids, where the displacement mustn't be blurred,
/// falling to 0 around them.
fn sharpness(model: &'static Model) -> &'static [f32] {
    static SHARPNESS: OnceLock<Vec<f32>> = OnceLock::new();
    let of = |vertex: usize| {
        let [x, y, _] = model.neutral[vertex];
        let lips = (x / 3.0).powi(2) + ((y + 3.4) / 1.5).powi(2);
        let lids = model
            .eyes
            .iter()
            .flat_map(|ring| [ring.to_upper[vertex].0, ring.to_lower[vertex].0]);
        let lids = lids.fold(f32::INFINITY, f32::min) / 0.5;
        1.5 * (-(lids * lids).min(lips * lips)).exp()
    };
    SHARPNESS.get_or_init(|| (0..model.skin).map(of).collect())
}

/// Attributes of a block inside the core: the blurred displacement (x, y), an unused value, and the distance from the
/// core's edge in pixels.
type CoreBlock = [f32; 4];

fn inner(
    means: &Image<BlockMeans>,
    deformed: &Deformed,
    openings: &Openings,
    window: Window,
    pixels_per_cm: f32,
) -> Image<CoreBlock> {
    let size = window.size as f32;
    let sigma = if deformed.placement.is_moved {
        BLUR_MOVED
    } else {
        BLUR
    };
    let distance = distance_inside(means, openings, window);
    let mut values = means.blurred(sigma * pixels_per_cm / size);
    values.for_rows(|y, row| {
        for (value, distance) in row.iter_mut().zip(distance.row(y)) {
            let [dx, dy, core, _] = *value;
            let scale = 1.0 / (core + 1e-4);
            *value = [dx * scale, dy * scale, 0.0, distance * size];
        }
    });
    values
}

/// The distance of blocks inside the core from its edge, in blocks, with eyes and mouth filled in.
fn distance_inside(means: &Image<BlockMeans>, openings: &Openings, window: Window) -> Image<f32> {
    let mut solid = means.map(|[_, _, core, _]| if core >= 0.5 { 1.0 } else { 0.0 });
    for opening in openings.all() {
        let scale = 1.0 / window.size as f32;
        let away = [window.left as f32, window.top as f32];
        let polygon: Vec<[f32; 2]> = opening
            .polygon()
            .into_iter()
            .map(|point| [0, 1].map(|k| (point[k] - away[k]) * scale))
            .collect();
        fill(&mut solid, &polygon);
    }
    // Only blocks of one pixel can show cracks.
    let solid = if window.size == 1 {
        closed(&solid)
    } else {
        solid
    };
    solid.distance_to_outside()
}

/// Sets the pixels of which a polygon covers more than a tenth.
fn fill(image: &mut Image<f32>, polygon: &[[f32; 2]]) {
    let range = |k: usize, size: usize| {
        let low = polygon.iter().map(|p| p[k]).fold(f32::INFINITY, f32::min);
        let high = polygon
            .iter()
            .map(|p| p[k])
            .fold(f32::NEG_INFINITY, f32::max);
        let (first, end) = (low.floor().max(0.0), high.ceil().min(size as f32));
        (first < end).then_some((first as usize, end as usize))
    };
    let Some(((left, right), (top, bottom))) = range(0, image.width).zip(range(1, image.height))
    else {
        return;
    };
    let moved: Vec<[f32; 2]> = polygon
        .iter()
        .map(|[x, y]| [x - left as f32, y - top as f32])
        .collect();
    let covered = coverage(&moved, right - left, bottom - top);
    for y in top..bottom {
        let row = &mut image.pixels[y * image.width + left..y * image.width + right];
        for (to, covered) in row.iter_mut().zip(covered.row(y - top)) {
            if *covered > 0.1 {
                *to = 1.0;
            }
        }
    }
}

/// Closes gaps of one or two pixels (morphological closing by a square of three).
fn closed(image: &Image<f32>) -> Image<f32> {
    let extreme = |image: &Image<f32>, pick: fn(f32, f32) -> f32| {
        let across = Image::from_fn(image.width, image.height, |x, y| {
            let x = x as isize;
            let at = |x| image.clamped(x, y as isize);
            pick(pick(at(x - 1), at(x)), at(x + 1))
        });
        Image::from_fn(image.width, image.height, |x, y| {
            let y = y as isize;
            let at = |y| across.clamped(x as isize, y);
            pick(pick(at(y - 1), at(y)), at(y + 1))
        })
    };
    extreme(&extreme(image, f32::max), f32::min)
}

#[cfg(test)]
mod tests {
    use super::super::continuation::CHIN;
    use super::super::fit::Fit;
    use super::super::model::Point;
    use super::super::resample::resample;
    use super::super::scene::Placement;
    use super::super::tone::Tone;
    use super::*;
    use proptest::prelude::*;

    /// A frontal face with `pixels_per_cm` pixels per centimetre, with its nose at a point of a striped picture.
    fn scene(pixels_per_cm: f32, nose: [f32; 2], width: usize, height: usize) -> Scene {
        let model = Model::bundled().unwrap();
        let landmark = |v: &usize| {
            [
                nose[0] + pixels_per_cm * model.neutral[*v][0],
                nose[1] - pixels_per_cm * model.neutral[*v][1],
            ]
        };
        let mut landmarks: Vec<[f32; 2]> = model.landmarks.iter().map(landmark).collect();
        landmarks.resize(478, nose);
        let source = Image::from_fn(width, height, |x, y| {
            let alpha = if x < 5 { 0.5 } else { 1.0 };
            [
                (x * 37 % 256) as f32,
                (y * 11 % 256) as f32,
                ((x + y) * 5 % 256) as f32,
                1.0,
            ]
            .map(|v| v * alpha)
        });
        Scene {
            model,
            source,
            fit: Fit::new(model, &landmarks, 0.0).unwrap(),
            tone: Tone {
                harmonics: [0.0; 9],
                skin: [128.0; 3],
                darkest: 0.0,
                brightest: 255.0,
                coloured: 1.0,
            },
        }
    }

    /// The head as in the portrait, with its vertices moved.
    fn deformed(
        scene: &Scene,
        turned: [f32; 3],
        moved: impl Fn(usize, Point) -> Point,
    ) -> Deformed {
        let placement = Placement::new(turned, [0.0, 0.0, 0.0], [0.0; 2]);
        let points = scene.fit.portrait_points.iter().enumerate();
        Deformed {
            expression: scene.fit.expression.clone(),
            points: points.map(|(i, point)| moved(i, *point)).collect(),
            normals: scene.fit.normals.clone(),
            openness: [1.0; 2],
            lips_before: Vec::new(),
            lips_after: Vec::new(),
            placement,
        }
    }

    fn field(scene: &Scene, deformed: &Deformed) -> Field {
        let openings = Openings::new(scene.model, &deformed.points, scene.fit.projection.down);
        Field::new(scene, deformed, &vec![1.0; scene.model.skin], &openings)
    }

    /// A bump of the skin's displacement around a point of the neutral head, in centimetres.
    fn bump(scene: &Scene, vertex: usize, [x, y]: [f32; 2], height: f32) -> f32 {
        let [vx, vy, _] = scene.model.neutral[vertex];
        height
            * scene.fit.projection.pixels_per_cm
            * (-((vx - x).powi(2) + (vy - y).powi(2)) / 4.0).exp()
    }

    #[test]
    fn without_an_edit_the_field_is_the_identity() {
        for pixels_per_cm in [3.0, 12.0, 33.0] {
            let size = (40.0 * pixels_per_cm) as usize;
            let scene = scene(
                pixels_per_cm,
                [18.0 * pixels_per_cm, 20.0 * pixels_per_cm],
                size,
                size,
            );
            let still = deformed(&scene, [0.0; 3], |_, point| point);
            let field = field(&scene, &still);
            assert!(field.shift.pixels.iter().all(|shift| *shift == [0.0; 2]));
            assert!(
                field
                    .core
                    .pixels
                    .iter()
                    .filter(|core| **core == 1.0)
                    .count() as f32
                    > 80.0 * pixels_per_cm * pixels_per_cm
            );
            for draft in [false, true] {
                assert_eq!(resample(&scene, &field, draft).pixels, scene.source.pixels);
            }
        }
    }

    #[test]
    fn the_field_moves_the_head_continuously_and_keeps_distant_pixels() {
        let pixels_per_cm = 10.0;
        let scene = scene(pixels_per_cm, [200.0, 220.0], 400, 460);
        let shifted = deformed(&scene, [0.0; 3], |_, [x, y, z]| [x + 6.0, y - 4.0, z]);
        let field = field(&scene, &shifted);
        let mut surface = 0;
        for y in 1..460 {
            for x in 1..400 {
                let [dx, dy] = field.shift.at(x, y);
                if field.weight.at(x, y) == 1.0 {
                    assert!(
                        (dx + 6.0).abs() < 0.05 && (dy - 4.0).abs() < 0.05,
                        "{x} {y}: {dx} {dy}"
                    );
                    surface += 1;
                }
                for [ox, oy] in [field.shift.at(x - 1, y), field.shift.at(x, y - 1)] {
                    assert!((dx - ox).abs() < 0.6 && (dy - oy).abs() < 0.6, "{x} {y}");
                }
            }
        }
        assert!(surface > 5000, "{surface}");
        for (x, y) in [
            (0, 0),
            (399, 0),
            (0, 459),
            (399, 459),
            (200, 459),
            (0, 220),
            (399, 220),
        ] {
            assert_eq!(field.shift.at(x, y), [0.0; 2], "{x} {y}");
        }
        // Below the chin even near the head.
        let chin = shifted.points[scene.model.landmarks[CHIN]];
        assert_eq!(
            field
                .shift
                .at(chin[0] as usize, (chin[1] + 4.5 * pixels_per_cm) as usize),
            [0.0; 2]
        );
    }

    #[test]
    fn an_updated_field_equals_a_new_one() {
        let scene = scene(9.0, [150.0, 160.0], 330, 350);
        let moved =
            |by: [f32; 2]| deformed(&scene, [0.0; 3], |_, [x, y, z]| [x + by[0], y + by[1], z]);
        let mut updated = Field::empty(330, 350);
        for by in [
            [-70.0, 30.0],
            [60.0, -50.0],
            [0.0, 0.0],
            [9000.0, 0.0],
            [5.0, 5.0],
        ] {
            let head = moved(by);
            let openings = Openings::new(scene.model, &head.points, scene.fit.projection.down);
            updated.update(&scene, &head, &vec![1.0; scene.model.skin], &openings);
            let new = field(&scene, &head);
            assert!(updated.shift.pixels == new.shift.pixels, "{by:?}");
            assert!(updated.core.pixels == new.core.pixels, "{by:?}");
            assert!(updated.weight.pixels == new.weight.pixels, "{by:?}");
            assert!(updated.surface.pixels == new.surface.pixels, "{by:?}");
        }
    }

    #[test]
    fn a_rotated_head_keeps_only_surface_that_the_portrait_shows_well() {
        let scene = scene(8.0, [200.0, 200.0], 400, 400);
        let still = deformed(&scene, [0.0; 3], |_, point| point);
        let turned = deformed(&scene, [5.0, 0.0, 0.0], |_, point| point);
        let count = |field: &Field| field.core.pixels.iter().sum::<f32>();
        let (still, turned) = (field(&scene, &still), field(&scene, &turned));
        assert!(count(&turned) < count(&still));
        let facing = turned
            .surface
            .pixels
            .iter()
            .zip(&turned.core.pixels)
            .filter(|(_, core)| **core == 1.0);
        assert!(facing.map(|(surface, _)| surface[2]).fold(1.0, f32::min) > 0.29);
        assert!(
            turned
                .surface
                .pixels
                .iter()
                .zip(&turned.core.pixels)
                .all(|(s, core)| *core == 1.0 || *s == [0.0; 4])
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_face_of_any_size_and_position_gives_a_finite_field(
            pixels_per_cm in 0.3f32..9.0, nose in [-90f32..150.0, -90f32..150.0], size in [1usize..80, 1usize..80],
            height in -4f32..4.0, yaw in prop::sample::select(vec![0.0f32, 7.0]),
        ) {
            let scene = scene(pixels_per_cm, nose, size[0], size[1]);
            let bumped = deformed(&scene, [yaw, 0.0, 0.0], |i, [x, y, z]| {
                [x, y + bump(&scene, i, [2.0, -3.0], height), z]
            });
            let field = field(&scene, &bumped);
            prop_assert!(field.shift.pixels.iter().flatten().all(|v| v.is_finite() && v.abs() <= 4.5 * pixels_per_cm + 1.0));
            prop_assert!(field.weight.pixels.iter().all(|w| (0.0..=1.0).contains(w)));
            prop_assert!(field.weight.pixels.iter().zip(&field.core.pixels).all(|(w, core)| *core == 1.0 || *w == 0.0));
            for draft in [false, true] {
                let image = resample(&scene, &field, draft);
                for [r, g, b, a] in image.pixels {
                    prop_assert!((0.0..=1.0).contains(&a));
                    prop_assert!([r, g, b].iter().all(|v| (0.0..=255.0 * a + 1e-3).contains(v)));
                }
            }
        }
    }
}
