//! Continues a displacement harmonically beyond where it is known, so that it fades evenly to where nothing moves.

use std::ops::Range;

use super::image::{Image, Sample};
use super::scene::{Deformed, Scene};
use crate::math::catmull_rom;

/// Of a block of pixels: the mean displacement (x, y), the fraction that is core, and padding, as four values are faster
/// than three.
pub(super) type BlockMeans = [f32; 4];

/// How far around the head pixels move, in centimetres: with an expression, and when the head turns.
pub(super) const REACH: f32 = 5.0;
pub(super) const REACH_MOVED: f32 = 13.0;
/// Nothing moves beyond this fraction of the reach.
const FIXED_BEYOND: f32 = 0.92;
/// Unless the head turns, nothing moves this far below the chin, in centimetres: collars stay.
const FIXED_BELOW_CHIN: f32 = 3.2;
/// The source's edges don't move where they are farther from the head than this, in centimetres.
const FIXED_AT_EDGE: f32 = 1.5;
/// The landmark at the chin's lowest point.
pub(super) const CHIN: usize = 152;

/// The displacement around and inside the head, on a grid of cells of `cell` pixels a side: the core's in its cells, zero
/// far away, and the solution of Laplace's equation between.
pub(super) fn continuation(
    scene: &Scene,
    deformed: &Deformed,
    cells: &Image<BlockMeans>,
    cell: usize,
) -> Image<[f32; 2]> {
    let projection = &scene.fit.projection;
    let (pixels_per_cm, down, moved) = (
        projection.pixels_per_cm,
        projection.down,
        deformed.placement.is_moved,
    );
    let (width, height) = (cells.width, cells.height);
    let is_known = |[_, _, core, _]: BlockMeans| core > 0.6;
    if !cells.pixels.iter().any(|cell| is_known(*cell)) {
        return Image::filled(width, height, [0.0; 2]);
    }
    let unknown = cells.map(|cell| if is_known(cell) { 0.0 } else { 1.0 });
    let distance = unknown.distance_to_outside();
    let max_distance = if moved { REACH_MOVED } else { REACH } * FIXED_BEYOND;
    let chin = deformed.points[scene.model.landmarks[CHIN]];
    let fixed = Image::from_fn(width, height, |x, y| {
        let away = distance.at(x, y) * cell as f32 / pixels_per_cm;
        let middle = [x, y].map(|at| (at as f32 + 0.5) * cell as f32);
        let below_chin = (middle[0] - chin[0]) * down[0] + (middle[1] - chin[1]) * down[1];
        let at_edge = x == 0 || y == 0 || x + 1 == width || y + 1 == height;
        let is_fixed = away == 0.0
            || away > max_distance
            || !moved && below_chin > FIXED_BELOW_CHIN * pixels_per_cm
            || at_edge && away > FIXED_AT_EDGE;
        if is_fixed { 1.0 } else { 0.0 }
    });
    let values = cells.map(|cell| {
        let [dx, dy, core, _] = cell;
        if is_known(cell) {
            [dx / core, dy / core]
        } else {
            [0.0; 2]
        }
    });
    harmonic(&values, &fixed).blurred(1.0)
}

/// Sweeps at each level of the grid, and the relaxation factor. The coarser level leaves errors of only a few cells.
const SWEEPS: usize = 12;
const RELAXATION: f32 = 1.5;

/// Solves Laplace's equation for the cells that aren't fixed: from coarse grids to fine ones, with sweeps of successive
/// over-relaxation on each.
fn harmonic(values: &Image<[f32; 2]>, fixed: &Image<f32>) -> Image<[f32; 2]> {
    let (width, height) = (values.width, values.height);
    let mut solved = values.clone();
    let fixed_count: f32 = fixed.pixels.iter().sum();
    if fixed_count == 0.0 || fixed_count as usize == fixed.pixels.len() {
        return solved;
    }
    let start = if width.min(height) > 2 {
        let premultiplied = Image::from_fn(width, height, |x, y| {
            <[f32; 2]>::default().plus(values.at(x, y), fixed.at(x, y))
        });
        let (sums, shares) = (premultiplied.halved(), fixed.halved());
        // A coarse cell is fixed if half of it is; if that leaves none, if any of it is.
        let least = if shares.pixels.iter().any(|share| *share >= 0.5) {
            0.5
        } else {
            1e-6
        };
        let coarse_fixed = shares.map(|share| if share >= least { 1.0 } else { 0.0 });
        let means = Image::from_fn(sums.width, sums.height, |x, y| {
            let share = shares.at(x, y);
            sums.at(x, y)
                .map(|v| if share >= least { v / share } else { 0.0 })
        });
        harmonic(&means, &coarse_fixed).stretched(width, height)
    } else {
        let sum = (values.pixels.iter().zip(&fixed.pixels))
            .fold([0.0; 2], |sum, (value, fixed)| sum.plus(*value, *fixed));
        Image::filled(width, height, sum.map(|v| v / fixed_count))
    };
    for ((to, from), fixed) in solved
        .pixels
        .iter_mut()
        .zip(&start.pixels)
        .zip(&fixed.pixels)
    {
        if *fixed == 0.0 {
            *to = *from;
        }
    }
    for _ in 0..SWEEPS {
        sweep(&mut solved, fixed);
    }
    solved
}

/// Over-relaxes each cell that isn't fixed; the grid's edge mirrors.
fn sweep(values: &mut Image<[f32; 2]>, fixed: &Image<f32>) {
    let (width, height) = (values.width, values.height);
    for y in 0..height {
        let (above, here, below) = (
            y.saturating_sub(1) * width,
            y * width,
            (y + 1).min(height - 1) * width,
        );
        for x in 0..width {
            if fixed.pixels[here + x] != 0.0 {
                continue;
            }
            let around = [
                here + x.saturating_sub(1),
                here + (x + 1).min(width - 1),
                above + x,
                below + x,
            ];
            let sum = around
                .into_iter()
                .fold([0.0; 2], |sum, i| sum.plus(values.pixels[i], 1.0));
            let value = &mut values.pixels[here + x];
            *value = value.plus(sum, 0.25 * RELAXATION).plus(*value, -RELAXATION);
        }
    }
}

/// A grid of cells upsampled to pixels with Catmull-Rom, row by row.
pub(super) struct Upsampler<'a, T> {
    cells: &'a Image<T>,
    cell: usize,
    /// For each pixel of a cell the weights of four cells, and the offset of the first of them before the pixel's cell.
    phases: Vec<(usize, [f32; 4])>,
}

impl<'a, T: Sample + PartialEq> Upsampler<'a, T> {
    pub fn new(cells: &'a Image<T>, cell: usize) -> Self {
        let phases = (0..cell)
            .map(|pixel| {
                let at = (pixel as f32 + 0.5) / cell as f32 - 0.5;
                let before = if at < 0.0 { 2 } else { 1 };
                (before, catmull_rom(at - at.floor()))
            })
            .collect();
        Self {
            cells,
            cell,
            phases,
        }
    }

    /// Interpolates along columns for a row of pixels. The line is padded by two cells on either side, so that four
    /// always exist.
    #[inline(always)]
    pub fn line(&self, y: usize, line: &mut Vec<T>) {
        let (width, height) = (self.cells.width, self.cells.height as isize);
        let (before, weights) = &self.phases[y % self.cell];
        line.clear();
        line.resize(width + 4, T::default());
        for (i, weight) in weights.iter().enumerate() {
            let row = ((y / self.cell + i) as isize - *before as isize).clamp(0, height - 1);
            for (to, from) in line[2..].iter_mut().zip(self.cells.row(row as usize)) {
                *to = to.plus(*from, *weight);
            }
        }
        let (left, right) = (line[2], line[width + 1]);
        line[..2].fill(left);
        line[width + 2..].fill(right);
    }

    /// Interpolates the pixels of a row from `first` on; `line` is the result of [`Upsampler::line`].
    #[inline(always)]
    pub fn upsample(&self, line: &[T], first: usize, pixels: &mut [T]) {
        let (mut cell, mut phase) = (first / self.cell, first % self.cell);
        for pixel in pixels {
            let (before, weights) = &self.phases[phase];
            let cells = &line[cell + 2 - before..][..4];
            let mut sum = T::default();
            for (cell, weight) in cells.iter().zip(weights) {
                sum = sum.plus(*cell, *weight);
            }
            *pixel = sum;
            phase += 1;
            if phase == self.cell {
                (cell, phase) = (cell + 1, 0);
            }
        }
    }

    /// The range of pixels in a row of `width` that may be nonzero.
    pub fn filled(&self, line: &[T], width: usize) -> Range<usize> {
        let is_filled = |value: &T| *value != T::default();
        let ends = line
            .iter()
            .position(is_filled)
            .zip(line.iter().rposition(is_filled));
        // A cell affects pixels two cells away, and the line starts two cells before the first.
        ends.map_or(0..0, |(first, last)| {
            let (start, end) = (first.saturating_sub(4) * self.cell, (last + 1) * self.cell);
            start.min(width)..end.min(width)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_continuation_is_harmonic(bits in prop::collection::vec(0u8..12, 34 * 27), slope in [-1f32..1.0, -1f32..1.0]) {
            let fixed = Image::from_fn(34, 27, |x, y| f32::from(bits[y * 34 + x] == 0 || x == 0 || y == 0 || x == 33 || y == 26));
            let plane = Image::from_fn(34, 27, |x, y| [slope[0] * x as f32 + slope[1] * y as f32, 1.0]);
            let given = Image::from_fn(34, 27, |x, y| if fixed.at(x, y) == 1.0 { plane.at(x, y) } else { [77.0; 2] });
            let solved = harmonic(&given, &fixed);
            for (solved, plane) in solved.pixels.iter().zip(&plane.pixels) {
                prop_assert!((solved[0] - plane[0]).abs() < 0.1, "{solved:?} {plane:?}");
                prop_assert!((solved[1] - 1.0).abs() < 1e-3);
            }
        }
    }

    #[test]
    fn the_continuation_converges_far_from_fixed_pixels() {
        // A disc of ones in a large square of zeros: the solution falls with the logarithm of the distance.
        let away = |x: usize, y: usize| (x as f32 - 100.0).hypot(y as f32 - 100.0);
        let fixed = Image::from_fn(201, 201, |x, y| {
            f32::from(away(x, y) <= 20.0 || away(x, y) >= 90.0)
        });
        let values = Image::from_fn(201, 201, |x, y| [f32::from(away(x, y) <= 20.0), 0.0]);
        let solved = harmonic(&values, &fixed);
        for (x, y) in [(130, 100), (100, 150), (60, 60), (171, 100)] {
            let wanted = (90.0 / away(x, y)).ln() / (90.0f32 / 20.0).ln();
            assert!(
                (solved.at(x, y)[0] - wanted).abs() < 0.03,
                "{x} {y}: {} {wanted}",
                solved.at(x, y)[0]
            );
        }
    }
}
