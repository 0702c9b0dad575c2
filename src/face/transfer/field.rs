//! What happens to every place of the crop and around it, on a grid of about twice the network's own size.

use rayon::prelude::*;

use super::drift::{Drift, trust};
use super::paint::Paint;
use super::plane::{Plane, split_small};
use super::ring::Ring;
use super::sample::SOME;
use super::shape::Sound;
use crate::face::{Mask, TurnedSquare};
use crate::math::smoothstep;

/// Displacements below the first of these many pixels of the portrait are none, above the second they are whole.
const STILL: (f32, f32) = (0.15, 0.6);

/// The same in pixels of the network's picture: in a large portrait the network's own unrest is more than a pixel.
const STILL_AT_NETWORK: (f32, f32) = (0.04, 0.15);

/// The share of the crop's side over which even the smallest displacement fades at the edge, and what each share of
/// displacement adds to it. At 2 the fade of an even displacement stretches the picture fourfold at most, and never folds it.
const EDGE: f32 = 0.03;
const EDGE_BY_DRIFT: f32 = 2.0;

/// How much of the fade lies in the crop, in shares of its side. What is left of a wider one lies around the crop, so that
/// a face that moves far moves whole; over the second of these shares of width all of it goes there.
const EDGE_INSIDE: f32 = 0.08;
const EDGE_GOES_OUT: f32 = 0.3;

/// How far around the crop the portrait moves at most, in shares of its side.
pub(super) const REACH: f32 = 0.75;

/// A displacement that points out of the portrait is left as it is up to the first of these shares of the way to the
/// portrait's edge, and never exceeds the second: nothing is read from beyond the edge, and nothing folds.
const TO_PORTRAIT_EDGE: (f32, f32) = (0.6, 0.8);

/// The share over which what is painted fades.
const EDGE_OF_PAINT: f32 = 0.07;

/// At the very edge nothing happens over this many cells, so that nothing is left between the last cell and the edge.
const RIM: f32 = 1.5;

/// The grid: displacement in the portrait's pixels, across and down; what the moved portrait loses, in 0..=1; and
/// what is added to it, in 0..=255.
pub(super) struct Field {
    /// Cells a side of the crop.
    size: usize,
    /// Cells around the crop, on each side of it.
    margin: usize,
    /// `(size + 2 * margin)` squared.
    cells: Vec<[f32; CELL]>,
    /// How many pixels of the portrait go by for one of the result's, across and down; 0 where nothing happens between
    /// the cell and the next ones.
    shrink: Vec<[f32; 2]>,
}

/// Two of displacement, one of loss, three of colour; two more make it a whole number of CPU registers.
pub(super) const CELL: usize = 8;

impl Field {
    /// The field that carries the motion over. `bounds` are the portrait's left, top, right and bottom edges, in the pixels
    /// of `place`.
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
        let still = (
            STILL.0.max(STILL_AT_NETWORK.0 * at_network),
            STILL.1.max(STILL_AT_NETWORK.1 * at_network),
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
                    let far = (dx * dx + dy * dy).sqrt();
                    let width = fade(far / side);
                    let outside = outside(width);
                    let gain = open
                        * smoothstep((far - still.0) / (still.1 - still.0))
                        * smoothstep((u + outside) / width)
                        * smoothstep((v + outside) / width);
                    let (dx, dy) = (dx * gain, dy * gain);
                    let at = [x, y].map(|at| (at as f64 + 0.5) / size as f64);
                    let at = place.to_picture((at[0], at[1]));
                    cell[0] = within(dx * cos - dy * sin, at.0 as f32, bounds[0], bounds[2]);
                    cell[1] = within(dx * sin + dy * cos, at.1 as f32, bounds[1], bounds[3]);
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
        let shrink = shrink(&cells, total, side / size as f32, (sin, cos));
        Self {
            size,
            margin,
            cells,
            shrink,
        }
    }

    /// The field that puts the generator's picture in the crop's place.
    pub fn plain(motion: &Sound, side: f64, mask: Option<&Mask>) -> Self {
        let size = cells_for(motion.size, side);
        let color = [0, 1, 2].map(|c| motion.picture[c].stretched(size));
        let (trust, mask) = (trust(&motion.doubts, size), stretched(mask, size));
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
            shrink: Vec::new(),
        }
    }

    /// How far around the crop the field goes, in shares of the crop's side.
    pub fn reach(&self) -> f64 {
        self.margin as f64 / self.size as f64
    }

    /// The field at a place, both coordinates in 0..1 in the crop; bilinear.
    #[inline(always)]
    pub fn at(&self, (u, v): (f32, f32)) -> [f32; CELL] {
        self.mixed(self.before(u), self.before(v))
    }

    /// Cells a side.
    #[inline(always)]
    fn total(&self) -> usize {
        self.size + 2 * self.margin
    }

    /// The cell at or before a place, and how far the place lies towards the next.
    #[inline(always)]
    fn before(&self, place: f32) -> (i32, f32) {
        let at = place * self.size as f32 - 0.5 + self.margin as f32;
        split_small(at.clamp(0.0, (self.total() - 1) as f32))
    }

    /// Between the cells at and after the place of each axis.
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

    /// Of some places the cells that they lie between.
    #[inline(always)]
    pub fn near(&self, u: &[f32; SOME], v: &[f32; SOME]) -> Near {
        let mut near = Near {
            left: [0; SOME],
            upper: [0; SOME],
            shares: [[0.0; SOME]; 2],
        };
        for i in 0..SOME {
            (near.left[i], near.shares[0][i]) = self.before(u[i]);
            (near.upper[i], near.shares[1][i]) = self.before(v[i]);
        }
        near
    }

    /// How many pixels of the portrait go by near one of these places for one of the result's, across and down; 0 where
    /// nothing happens.
    #[inline(always)]
    pub fn shrink(&self, near: &Near, i: usize) -> [f32; 2] {
        self.shrink[near.upper[i] as usize * self.total() + near.left[i] as usize]
    }

    /// [`Field::at`] one of these places.
    #[inline(always)]
    pub fn between(&self, near: &Near, i: usize) -> [f32; CELL] {
        let [across, down] = &near.shares;
        self.mixed((near.left[i], across[i]), (near.upper[i], down[i]))
    }
}

/// Where some places lie between the cells.
pub(super) struct Near {
    left: [i32; SOME],
    upper: [i32; SOME],
    /// How far towards the next cell, across and down.
    shares: [[f32; SOME]; 2],
}

/// Cells a side: twice the network's own pixels, or as many as the crop has if they are fewer.
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

/// How far a cell lies in the crop from the nearer edge, in shares of the side, counted from where anything may happen;
/// negative around the crop.
fn from_edge(i: isize, size: usize) -> f32 {
    let at = i as f32 + 0.5;
    (at.min(size as f32 - at) - RIM) / size as f32
}

/// The width over which a displacement fades at the crop's edge, both in shares of the crop's side.
fn fade(far: f32) -> f32 {
    EDGE + EDGE_BY_DRIFT * far
}

/// How much of a fade of this width lies around the crop.
fn outside(width: f32) -> f32 {
    let inside = EDGE_INSIDE * (1.0 - smoothstep((width - EDGE_INSIDE) / EDGE_GOES_OUT));
    (width - inside).clamp(0.0, REACH)
}

/// A displacement along an axis, held back where it points out of the portrait from a place near its edge.
fn within(away: f32, at: f32, low: f32, high: f32) -> f32 {
    let room = if away < 0.0 { at - low } else { high - at }.max(0.0);
    let (free, most) = (TO_PORTRAIT_EDGE.0 * room, TO_PORTRAIT_EDGE.1 * room);
    let over = away.abs() - free;
    if over <= 0.0 {
        return away;
    }
    let spare = most - free;
    if spare == 0.0 {
        return 0.0;
    }
    away.signum() * (free + spare * (1.0 - (-over / spare).exp()))
}

/// How many pixels of the portrait go by for one of the result's, from each cell's neighbours; `pixels` a cell.
fn shrink(cells: &[[f32; CELL]], size: usize, pixels: f32, angle: (f32, f32)) -> Vec<[f32; 2]> {
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
            // Along the crop's own axes, and from there along the portrait's.
            let along = slope(y * size + left, y * size + right, right - left);
            let across = slope(upper * size + x, lower * size + x, lower - upper);
            let step = |a: f32, b: f32, own: [f32; 2]| {
                let [x, y] = [0, 1].map(|axis| own[axis] + a * along[axis] + b * across[axis]);
                // Never 0, which says that nothing happens.
                (x * x + y * y).sqrt().max(f32::MIN_POSITIVE)
            };
            [step(cos, -sin, [1.0, 0.0]), step(sin, cos, [0.0, 1.0])]
        })
        .collect()
}
