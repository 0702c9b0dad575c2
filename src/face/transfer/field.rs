//! The displacement and paint fields over the crop and around it, on a grid of about twice the network's resolution.

use rayon::prelude::*;

use super::drift::{Drift, trust};
use super::paint::Paint;
use super::plane::{Plane, split_small};
use super::ring::Ring;
use super::sample::BATCH;
use super::shape::ValidMotion;
use crate::face::{Mask, TurnedSquare};
use crate::math::smoothstep;

/// Displacements below the first value are zero, above the second they are applied in full; in pixels of the portrait.
const DEAD_ZONE: (f32, f32) = (0.15, 0.6);

/// The same in pixels of the network's picture: in a large portrait the network's jitter exceeds a pixel.
const DEAD_ZONE_AT_NETWORK: (f32, f32) = (0.04, 0.15);

/// The width of the fade at the crop's edge for the smallest displacement, as a share of the crop's side, and the width added
/// per unit of displacement. At 2 the fade of a uniform displacement stretches the picture fourfold at most, and never folds
/// it.
const EDGE: f32 = 0.03;
const EDGE_BY_DRIFT: f32 = 2.0;

/// How much of the fade is inside the crop, as a share of its side. The rest of a wider fade is outside, so that a face that
/// moves far moves as a whole; when the width exceeds the first by the second share, all of the fade is outside.
const EDGE_INSIDE: f32 = 0.08;
const EDGE_GOES_OUT: f32 = 0.3;

/// The maximum distance from the crop at which the portrait moves, as a share of the crop's side.
pub(super) const MAX_DISTANCE: f32 = 0.75;

/// A displacement that points out of the portrait is unchanged up to the first share of the distance to the portrait's edge,
/// and never exceeds the second: nothing is read from beyond the edge, and nothing folds.
const TO_PORTRAIT_EDGE: (f32, f32) = (0.6, 0.8);

/// The width of the paint's fade, as a share of the crop's side.
const EDGE_OF_PAINT: f32 = 0.07;

/// Width in cells along the crop's edge where the field is zero, so that interpolation ends at zero.
const RIM: f32 = 1.5;

/// The grid: displacement in the portrait's pixels, across and down; how much of the warped portrait is removed, in 0..=1;
/// and the colour added, in 0..=255.
pub(super) struct Field {
    /// Cells per side of the crop.
    size: usize,
    /// Cells around the crop, on each side of it.
    margin: usize,
    /// Row-major, `size + 2 * margin` per side.
    cells: Vec<[f32; CELL]>,
    /// Minification across and down: pixels of the portrait per pixel of the result. 0 where the field is zero from the cell
    /// to its neighbours.
    minification: Vec<[f32; 2]>,
}

/// Two of displacement, one of loss and three of colour, padded to a SIMD vector.
pub(super) const CELL: usize = 8;

impl Field {
    /// Creates the field for a motion. `bounds` are the portrait's left, top, right and bottom edges, in the pixels of
    /// `place`.
    pub fn moved(
        drift: &Drift,
        paint: &Paint,
        place: &TurnedSquare,
        bounds: [f32; 4],
        mask: Option<&Mask>,
    ) -> Self {
        let size = cells_for(drift.size, place.side);
        let [across, down] = drift.spline(size);
        let loss = paint.loss.stretched(size);
        let color = [0, 1, 2].map(|c| paint.color[c].stretched(size));
        let (trust, mask) = (drift.trust(size), stretched(mask, size));
        let side = place.side as f32;
        let at_network = side / drift.size as f32;
        let dead_zone = (
            DEAD_ZONE.0.max(DEAD_ZONE_AT_NETWORK.0 * at_network),
            DEAD_ZONE.1.max(DEAD_ZONE_AT_NETWORK.1 * at_network),
        );
        let (sin, cos) = (place.angle.sin() as f32, place.angle.cos() as f32);
        let ring = Ring::new([&across, &down]);
        let margin = (outside(fade(ring.most())) * size as f32).ceil() as usize;

        let total = size + 2 * margin;
        let mut cells = vec![[0.0f32; CELL]; total * total];
        cells
            .par_chunks_mut(total)
            .with_min_len(8)
            .enumerate()
            .for_each(|(row, cells)| {
                let y = row as isize - margin as isize;
                let v = from_edge(y, size);
                for (column, cell) in cells.iter_mut().enumerate() {
                    let x = column as isize - margin as isize;
                    let u = from_edge(x, size);
                    let nearest = |at: isize| at.clamp(0, size as isize - 1) as usize;
                    let i = nearest(y) * size + nearest(x);
                    let open = [&trust, &mask]
                        .into_iter()
                        .flatten()
                        .map(|plane| plane.values[i])
                        .product::<f32>();
                    let is_in_crop = (nearest(x) as isize, nearest(y) as isize) == (x, y);
                    let [dx, dy] = if is_in_crop {
                        [across.values[i], down.values[i]]
                    } else {
                        ring.at(x, y)
                    };
                    let (dx, dy) = (dx * side, dy * side);
                    let distance = (dx * dx + dy * dy).sqrt();
                    let width = fade(distance / side);
                    let outside = outside(width);
                    let gain = open
                        * smoothstep((distance - dead_zone.0) / (dead_zone.1 - dead_zone.0))
                        * smoothstep((u + outside) / width)
                        * smoothstep((v + outside) / width);
                    let (dx, dy) = (dx * gain, dy * gain);
                    let at = [x, y].map(|at| (at as f64 + 0.5) / size as f64);
                    let at = place.to_picture((at[0], at[1]));
                    cell[0] = limited_displacement(
                        dx * cos - dy * sin,
                        at.0 as f32,
                        bounds[0],
                        bounds[2],
                    );
                    cell[1] = limited_displacement(
                        dx * sin + dy * cos,
                        at.1 as f32,
                        bounds[1],
                        bounds[3],
                    );
                    if !is_in_crop {
                        continue;
                    }

                    let gain = open * smoothstep(u / EDGE_OF_PAINT) * smoothstep(v / EDGE_OF_PAINT);
                    cell[2] = gain * loss.values[i];
                    for c in 0..3 {
                        cell[3 + c] = gain * color[c].values[i];
                    }
                }
            });
        let minification = minification(&cells, total, side / size as f32, (sin, cos));
        Self {
            size,
            margin,
            cells,
            minification,
        }
    }

    /// Creates the field that pastes the generator's picture into the crop.
    pub fn plain(motion: &ValidMotion, side: f64, mask: Option<&Mask>) -> Self {
        let size = cells_for(motion.size, side);
        let color = [0, 1, 2].map(|c| motion.picture[c].stretched(size));
        let (trust, mask) = (trust(&motion.trust_masks, size), stretched(mask, size));
        let cell = |i: usize| {
            let mut open = 1.0;
            for plane in [&trust, &mask].into_iter().flatten() {
                open *= plane.values[i];
            }
            let color = |c: usize| open * color[c].values[i].clamp(0.0, 255.0);
            [0.0, 0.0, open, color(0), color(1), color(2), 0.0, 0.0]
        };
        Self {
            size,
            margin: 0,
            cells: (0..size * size).map(cell).collect(),
            minification: Vec::new(),
        }
    }

    /// Returns how far the field extends around the crop, as a share of the crop's side.
    pub fn margin_share(&self) -> f64 {
        self.margin as f64 / self.size as f64
    }

    /// Returns the field at a position, both coordinates in 0..1 inside the crop; bilinear.
    #[inline(always)]
    pub fn at(&self, (u, v): (f32, f32)) -> [f32; CELL] {
        self.mixed(self.before(u), self.before(v))
    }

    /// Cells per side, including the margins.
    #[inline(always)]
    fn total(&self) -> usize {
        self.size + 2 * self.margin
    }

    /// Returns the cell at or before a position, and the fraction towards the next.
    #[inline(always)]
    fn before(&self, place: f32) -> (i32, f32) {
        let at = place * self.size as f32 - 0.5 + self.margin as f32;
        split_small(at.clamp(0.0, (self.total() - 1) as f32))
    }

    /// Interpolates between the cells at and after the position on each axis.
    #[inline(always)]
    fn mixed(&self, (left, s): (i32, f32), (upper, t): (i32, f32)) -> [f32; CELL] {
        let (left, upper) = (left as usize, upper as usize);
        let total = self.total();
        let next = |i: usize| (i + 1).min(total - 1);
        let row = |y: usize| &self.cells[y * total..][..total];
        let (above, below) = (row(upper), row(next(upper)));
        let (a, b) = (&above[left], &above[next(left)]);
        let (c, d) = (&below[left], &below[next(left)]);
        let mut mixed = [0.0; CELL];
        for i in 0..CELL {
            let above = a[i] + (b[i] - a[i]) * s;
            let below = c[i] + (d[i] - c[i]) * s;
            mixed[i] = above + (below - above) * t;
        }
        mixed
    }

    /// Returns the cells and fractions of a batch of positions.
    #[inline(always)]
    pub fn near(&self, u: &[f32; BATCH], v: &[f32; BATCH]) -> CellBatch {
        let mut near = CellBatch {
            left: [0; BATCH],
            upper: [0; BATCH],
            shares: [[0.0; BATCH]; 2],
        };
        for i in 0..BATCH {
            (near.left[i], near.shares[0][i]) = self.before(u[i]);
            (near.upper[i], near.shares[1][i]) = self.before(v[i]);
        }
        near
    }

    /// Returns the minification near a position of the batch, across and down; 0 where the field is zero.
    #[inline(always)]
    pub fn minification(&self, near: &CellBatch, i: usize) -> [f32; 2] {
        self.minification[near.upper[i] as usize * self.total() + near.left[i] as usize]
    }

    /// [`Field::at`] for a position of the batch.
    #[inline(always)]
    pub fn between(&self, near: &CellBatch, i: usize) -> [f32; CELL] {
        let [across, down] = &near.shares;
        self.mixed((near.left[i], across[i]), (near.upper[i], down[i]))
    }
}

/// A batch of positions between cells.
pub(super) struct CellBatch {
    left: [i32; BATCH],
    upper: [i32; BATCH],
    /// The fraction towards the next cell, across and down.
    shares: [[f32; BATCH]; 2],
}

/// Returns the cells per side: twice the network's resolution, or the crop's size in pixels if that is less.
fn cells_for(network: usize, side: f64) -> usize {
    (side.ceil() as usize).clamp(1, 2 * network)
}

fn stretched(mask: Option<&Mask>, size: usize) -> Option<Plane> {
    let mask = mask.filter(|mask| mask.size > 0 && mask.values.len() == mask.size * mask.size)?;
    let finite = mask
        .values
        .iter()
        .map(|v| if v.is_finite() { *v } else { 0.0 });
    let plane = Plane::square(mask.size, finite.collect()).stretched(size);
    Some(plane.map(|value| value.clamp(0.0, 1.0)))
}

/// Returns the distance of a cell from the nearer edge of the crop, minus the rim, as a share of the side; negative around
/// the crop.
fn from_edge(i: isize, size: usize) -> f32 {
    let at = i as f32 + 0.5;
    (at.min(size as f32 - at) - RIM) / size as f32
}

/// Returns the width over which a displacement fades at the crop's edge, both as shares of the crop's side.
fn fade(distance: f32) -> f32 {
    EDGE + EDGE_BY_DRIFT * distance
}

/// Returns how much of a fade of this width is outside the crop.
fn outside(width: f32) -> f32 {
    let inside = EDGE_INSIDE * (1.0 - smoothstep((width - EDGE_INSIDE) / EDGE_GOES_OUT));
    (width - inside).clamp(0.0, MAX_DISTANCE)
}

/// Limits a displacement along an axis where it points out of the portrait near its edge.
fn limited_displacement(away: f32, at: f32, low: f32, high: f32) -> f32 {
    let distance = if away < 0.0 { at - low } else { high - at }.max(0.0);
    let (free, most) = (TO_PORTRAIT_EDGE.0 * distance, TO_PORTRAIT_EDGE.1 * distance);
    let over = away.abs() - free;
    if over <= 0.0 {
        return away;
    }
    let compressible = most - free;
    if compressible == 0.0 {
        return 0.0;
    }
    away.signum() * (free + compressible * (1.0 - (-over / compressible).exp()))
}

/// Returns each cell's minification from the gradient at its neighbours; `pixels` is the cell's size.
fn minification(
    cells: &[[f32; CELL]],
    size: usize,
    pixels: f32,
    angle: (f32, f32),
) -> Vec<[f32; 2]> {
    let (sin, cos) = angle;
    (0..size * size)
        .into_par_iter()
        .with_min_len(4096)
        .map(|i| {
            let (x, y) = (i % size, i / size);
            let (left, right) = (x.saturating_sub(1), (x + 1).min(size - 1));
            let (upper, lower) = (y.saturating_sub(1), (y + 1).min(size - 1));
            let about = [i, y * size + right, lower * size + x, lower * size + right];
            if about.iter().all(|i| cells[*i] == [0.0; CELL]) {
                return [0.0; 2];
            }
            let slope = |a: usize, b: usize, apart: usize| {
                let scale = 1.0 / (apart.max(1) as f32 * pixels);
                [0, 1].map(|axis| (cells[b][axis] - cells[a][axis]) * scale)
            };
            // First along the crop's axes, then along the portrait's.
            let along = slope(y * size + left, y * size + right, right - left);
            let across = slope(upper * size + x, lower * size + x, lower - upper);
            let step = |a: f32, b: f32, own: [f32; 2]| {
                let [x, y] = [0, 1].map(|axis| own[axis] + a * along[axis] + b * across[axis]);
                // Never 0, which means that the field is zero.
                (x * x + y * y).sqrt().max(f32::MIN_POSITIVE)
            };
            [step(cos, -sin, [1.0, 0.0]), step(sin, cos, [0.0, 1.0])]
        })
        .collect()
}
