//! Layers that upsample the picture by 2, as products of polynomials.
//!
//! An even result depends on its own sample and the one before, an odd one on its own and the one after. So each of the
//! four phases of the result is the full convolution of the picture with its own 2x2 kernel, and four adjacent samples
//! contribute to five results of each phase. Blocks of 4x4 samples don't overlap, and one spectrum per block serves all
//! phases, where filtering would need spectra of 5x5 samples, one for each phase. Instead the patches of 10x10 results
//! overlap, by one result on every side; they are summed in the picture.

use super::super::simd::{LANES, Simd};
use super::grid::{Grid, Lanes, TilePosition};
use super::points::Points5;
use super::spectrum::{Products, load_spectra, store_spectra};
use super::tile_rows::Channel;

/// Samples along each side of a block.
const BLOCK: usize = 4;
/// Results along each side of a block, without those in its neighbours.
const SIDE: usize = 2 * BLOCK;
/// Including those in its neighbours.
const PATCH: usize = SIDE + 2;

/// Computes the spectra of eight blocks of one channel.
#[inline(always)]
pub(super) fn spectrum<S: Simd>(
    s: S,
    grid: &Grid,
    x: &[f32],
    channel: usize,
    lanes: &Lanes,
    to: &mut [f32],
    stride: usize,
) {
    let d = read(s, grid, x, channel, lanes);
    let zero = s.splat(0.0);
    let mut rows = [[zero; BLOCK]; 5];
    for x in 0..BLOCK {
        let column = Points5::evaluate::<S>([d[0][x], d[1][x], d[2][x], d[3][x]]);
        for y in 0..5 {
            rows[y][x] = column[y];
        }
    }
    let mut points = [[zero; 5]; 5];
    for y in 0..5 {
        points[y] = Points5::evaluate::<S>(rows[y]);
    }
    store_spectra::<S, 5>(points, to, stride);
}

/// Reads the samples `[y][x]` of eight blocks.
#[inline(always)]
fn read<S: Simd>(
    s: S,
    grid: &Grid,
    x: &[f32],
    channel: usize,
    lanes: &Lanes,
) -> [[S::V; BLOCK]; BLOCK] {
    let mut d = [[s.splat(0.0); BLOCK]; BLOCK];
    let width = grid.width;
    match lanes {
        Lanes::Row(place)
            if (place.column + LANES) * BLOCK <= width
                && (place.row + 1) * BLOCK <= grid.height =>
        {
            let plane = grid.plane(x, place.picture, channel);
            for (y, d) in d.iter_mut().enumerate() {
                *d = s
                    .deinterleave(&plane[(place.row * BLOCK + y) * width + place.column * BLOCK..]);
            }
        }
        Lanes::Any(places) if width.is_multiple_of(BLOCK) && grid.height.is_multiple_of(BLOCK) => {
            let mut from = [&x[..0]; LANES];
            for (from, place) in from.iter_mut().zip(places.iter()) {
                // Out-of-range lanes load garbage and are masked out.
                let place = place.unwrap_or(TilePosition::FIRST);
                let plane = grid.plane(x, place.picture, channel);
                let corner = place.row * BLOCK * width + place.column * BLOCK;
                *from = &plane[corner..][..(BLOCK - 1) * width + BLOCK];
            }
            for (y, d) in d.iter_mut().enumerate() {
                // SAFETY: each slice ends four values after the start of its fourth row, and `y` is at most 3.
                *d = unsafe { s.deinterleave_of(from, y * width) };
            }
        }
        _ => {
            let mut samples = [[0f32; BLOCK * LANES]; BLOCK];
            for lane in 0..LANES {
                let Some(place) = lanes.place(lane) else {
                    break;
                };
                let plane = grid.plane(x, place.picture, channel);
                let (top, left) = (place.row * BLOCK, place.column * BLOCK);
                let many = BLOCK.min(width - left);
                for (y, samples) in samples.iter_mut().take(grid.height - top).enumerate() {
                    let row = &plane[(top + y) * width + left..][..many];
                    samples[lane * BLOCK..][..many].copy_from_slice(row);
                }
            }
            for (d, samples) in d.iter_mut().zip(&samples) {
                *d = s.deinterleave(samples);
            }
        }
    }
    d
}

/// Sums one channel of some tile rows into its planes and edges. `finish` is the bias and the lower bound of the
/// results; rows at an edge are not complete yet and are clamped in [`super::tile_rows::TileRowGroups::join`].
#[inline(always)]
pub(super) fn back<S: Simd>(
    s: S,
    grid: &Grid,
    lanes: &[Lanes],
    products: Products,
    (bias, floor): (f32, f32),
    channel: &mut Channel,
) {
    for plane in &mut channel.planes {
        plane.fill(bias);
    }
    channel.edges.above.fill(0.0);
    channel.edges.below.fill(0.0);
    sum(s, grid, lanes, products, channel);
    if floor > f32::NEG_INFINITY {
        let (first, last) = (channel.edges.above.len(), channel.edges.below.len());
        for plane in &mut channel.planes {
            let end = plane.len() - last;
            clamp_below(s, &mut plane[first..end], floor);
        }
    }
}

/// Clamps from below; NaN is preserved.
#[inline(always)]
fn clamp_below<S: Simd>(s: S, values: &mut [f32], floor: f32) {
    let mut eights = values.chunks_exact_mut(LANES);
    for eight in &mut eights {
        S::store(S::max(s.splat(floor), s.load(eight)), eight);
    }
    for value in eights.into_remainder() {
        *value = if floor > *value { floor } else { *value };
    }
}

#[inline(always)]
fn sum<S: Simd>(s: S, grid: &Grid, lanes: &[Lanes], products: Products, channel: &mut Channel) {
    let zero = s.splat(0.0);
    // For each row, what the last of eight blocks adds to the first of the next eight.
    let mut carry = [zero; PATCH];
    // What the first block adds to the one before it, and the rows of all eight blocks in order.
    let mut before = [0f32; PATCH];
    let mut patches = [[0f32; SIDE * LANES]; PATCH];
    for (i, lanes) in lanes.iter().enumerate() {
        let mut places = [None; LANES];
        // All bits set in the lanes of blocks that have a block to their left.
        let mut joined = [0f32; LANES];
        for (l, (place, joined)) in places.iter_mut().zip(&mut joined).enumerate() {
            *place = lanes.place(l);
            if place.is_some_and(|place| place.column > 0) {
                *joined = f32::from_bits(u32::MAX);
            }
        }
        let joined = s.load(&joined);
        let values = products.of(i);
        for y in 0..2 {
            let mut phases = [[[zero; 5]; 5]; 2];
            for (x, phase) in phases.iter_mut().enumerate() {
                let values = &values[(2 * y + x) * products.width..];
                *phase = interpolated::<S>(load_spectra::<S, 5>(s, values, products.stride));
            }
            for (k, (even, odd)) in phases[0].iter().zip(&phases[1]).enumerate() {
                // Rows are numbered from the one above the block.
                let row = 2 * k + 1 - y;
                let mut line = [
                    even[0], odd[1], even[1], odd[2], even[2], odd[3], even[3], odd[4],
                ];
                // The last even result of a block is added to the first of the next; its first odd one to the last of
                // the previous block.
                let to_right = S::and(S::shift_up(even[4], carry[row]), joined);
                carry[row] = even[4];
                line[0] = S::add(line[0], to_right);
                let to_left = S::and(odd[0], joined);
                line[SIDE - 1] = S::add(line[SIDE - 1], S::shift_down(to_left));
                before[row] = S::first(to_left);
                let rows = S::transpose(line);
                for (row, to) in rows.iter().zip(patches[row].chunks_exact_mut(SIDE)) {
                    S::store(*row, to);
                }
            }
        }
        for (lane, place) in places.iter().enumerate() {
            let Some(place) = place else { break };
            let left = place.column * SIDE;
            for (i, patches) in patches.iter().enumerate() {
                let y = (place.row * SIDE + i) as isize - 1;
                let Some(row) = channel.row(grid.out_width, place.picture, y) else {
                    continue;
                };
                if lane == 0 && left > 0 {
                    row[left - 1] += before[i];
                }
                let patch = &patches[lane * SIDE..][..SIDE];
                let row = &mut row[left..];
                if row.len() >= SIDE {
                    S::store(S::add(s.load(row), s.load(patch)), row);
                } else {
                    for (to, value) in row.iter_mut().zip(patch) {
                        *to += value;
                    }
                }
            }
        }
    }
}

/// Interpolates the patches of one phase.
#[inline(always)]
fn interpolated<S: Simd>(m: [[S::V; 5]; 5]) -> [[S::V; 5]; 5] {
    let mut rows = m;
    for x in 0..5 {
        let column = Points5::interpolate::<S>([m[0][x], m[1][x], m[2][x], m[3][x], m[4][x]]);
        for y in 0..5 {
            rows[y][x] = column[y];
        }
    }
    for row in &mut rows {
        *row = Points5::interpolate::<S>(*row);
    }
    rows
}
