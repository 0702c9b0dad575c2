//! 3x3 convolutions with stride 1 by Winograd's minimal filtering, F(4x4, 3x3): 36 products
//! where the plain way takes 144 (Lavin & Gray, "Fast Algorithms for Convolutional Neural
//! Networks", CVPR 2016, [arXiv 1509.09308](https://arxiv.org/abs/1509.09308)).

use rayon::prelude::*;

use super::direct::{self, Layout, Packed};
use super::host::Scratch;
use super::isa::{Isa, multiversion};
use super::micro::{SLACK, Shape, TILE, Taps};

/// Outputs along one side of a tile.
const OUT: usize = 4;
/// Inputs along one side of a tile.
const IN: usize = 6;
/// Frequencies: products for each tile and pair of channels.
const FREQUENCIES: usize = IN * IN;
/// Tiles that the transforms take at once.
const LANES: usize = 8;
/// Values of transformed input that one band of tiles may fill: they should stay in the cache.
const BAND_VALUES: usize = 1 << 20;
/// Pairs of channels from which on a layer counts as one of small pictures.
const MANY: usize = 1 << 19;
/// Groups of output channels that share one pass over the transformed input.
const GROUPS: usize = 4;

#[derive(Clone, Debug)]
pub(super) struct Winograd {
    inputs: usize,
    outputs: usize,
    isa: Isa,
    /// The kernels of each frequency.
    kernels: Vec<Packed>,
}

impl Winograd {
    /// Whether the transforms cost less than the products that they save. Layers of very many channels stand
    /// where pictures are of a few samples, which fill no tile, and their kernels would take four times the memory.
    pub fn pays(inputs: usize, outputs: usize) -> bool {
        inputs >= 16 && outputs >= 16 && inputs * outputs < MANY
    }

    /// From `[outputs, inputs, 3, 3]`.
    pub fn new(weight: &[f32], inputs: usize, outputs: usize, isa: Isa) -> Self {
        let transformed: Vec<[f32; FREQUENCIES]> =
            weight.chunks_exact(9).map(transform_kernel).collect();
        let shape = Shape::wide(isa);
        let kernels = (0..FREQUENCIES)
            .map(|f| {
                Packed::new(shape, outputs, inputs, |output, input| {
                    transformed[output * inputs + input][f]
                })
            })
            .collect();
        Self {
            inputs,
            outputs,
            isa,
            kernels,
        }
    }

    /// `[inputs, h, w]` to `[outputs, out_h, out_w]`; `doubled` as [`Layout`] has it.
    pub fn run(
        &self,
        x: &[f32],
        (height, width, doubled): (usize, usize, bool),
        padding: usize,
        out: &mut [f32],
        (out_h, out_w): (usize, usize),
    ) {
        let (tiles_y, tiles_x) = (out_h.div_ceil(OUT), out_w.div_ceil(OUT));
        let layout = Layout {
            channels: self.inputs,
            height,
            width,
            doubled,
            before: padding,
            stride: 1,
            rows: tiles_y * OUT + IN - OUT,
            pitch: tiles_x * OUT + IN - OUT,
        };
        let padded = layout.copy(x);
        let shape = self.kernels[0].shape;
        let groups = self.kernels[0].groups();
        let share = groups
            .div_ceil(3 * rayon::current_num_threads())
            .clamp(1, GROUPS);

        let tiles_a_band = BAND_VALUES / (FREQUENCIES * self.inputs);
        let rows = (tiles_a_band / tiles_x).clamp(1, tiles_y);
        let mut tasks = direct::bands(out, out_h * out_w, out_w, shape.rows * share, rows * OUT);
        tasks.sort_by_key(|task| task.first);

        let capacity = (rows * tiles_x).next_multiple_of(shape.width);
        // An odd number of cache lines from channel to channel, so that they share no set.
        let pitch = FREQUENCIES * capacity + 16;
        let mut spectrum = Scratch::new(self.inputs * pitch + SLACK);
        let plane = layout.rows * layout.pitch;
        for tasks in tasks.chunk_by_mut(|a, b| a.first == b.first) {
            let first = tasks[0].first / OUT;
            let tiles = rows.min(tiles_y - first) * tiles_x;
            spectrum
                .par_chunks_exact_mut(pitch)
                .zip(padded.par_chunks_exact(plane))
                .for_each(|(to, plane)| {
                    let plane = &plane[first * OUT * layout.pitch..];
                    transform_input(self.isa, plane, layout.pitch, tiles_x, tiles, capacity, to);
                });
            tasks.par_iter_mut().for_each(|task| {
                let channels = task.rows.len();
                let mut products = Scratch::new(channels * FREQUENCIES * capacity);
                let group = task.group * share;
                let size = (tiles, capacity, pitch);
                self.multiply(group, channels, &spectrum, size, &mut products);
                for (out, products) in task
                    .rows
                    .iter_mut()
                    .zip(products.chunks_exact(FREQUENCIES * capacity))
                {
                    transform_output(self.isa, products, capacity, tiles_x, tiles, out_w, out);
                }
            });
        }
    }

    /// For `channels` outputs from group `first` on: `products[channel][frequency][tile]`.
    fn multiply(
        &self,
        first: usize,
        channels: usize,
        spectrum: &[f32],
        (tiles, capacity, pitch): (usize, usize, usize),
        products: &mut [f32],
    ) {
        let shape = self.kernels[0].shape;
        let taps = Taps::new((0..self.inputs).map(|c| c * pitch));
        let mut tile = [0f32; TILE];
        debug_assert!(first * shape.rows + channels <= self.outputs);
        for (f, kernels) in self.kernels.iter().enumerate() {
            for x in (0..tiles).step_by(shape.width) {
                for (group, c) in (0..channels).step_by(shape.rows).enumerate() {
                    let weights = kernels.group(first + group);
                    shape.run(spectrum, f * capacity + x, &taps, weights, &mut tile);
                    for (row, values) in (c..channels).zip(tile.chunks_exact(shape.width)) {
                        let at = (row * FREQUENCIES + f) * capacity + x;
                        products[at..at + shape.width].copy_from_slice(&values[..shape.width]);
                    }
                }
            }
        }
    }
}

/// `G g G^T` of one 3x3 kernel, in f64.
fn transform_kernel(g: &[f32]) -> [f32; FREQUENCIES] {
    const G: [[f64; 3]; IN] = [
        [1.0 / 4.0, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        [0.0, 0.0, 1.0],
    ];
    std::array::from_fn(|f| {
        let (u, v) = (G[f / IN], G[f % IN]);
        let mut sum = 0.0;
        for (y, u) in u.iter().enumerate() {
            for (x, v) in v.iter().enumerate() {
                sum += u * f64::from(g[y * 3 + x]) * v;
            }
        }
        sum as f32
    })
}

type Lane = [f32; LANES];

#[inline(always)]
fn lanes(f: impl Fn(usize) -> f32) -> Lane {
    std::array::from_fn(f)
}

/// `B^T d` of six values, for each lane.
#[inline(always)]
fn forward(d: [Lane; IN]) -> [Lane; IN] {
    [
        lanes(|l| 4.0 * d[0][l] - 5.0 * d[2][l] + d[4][l]),
        lanes(|l| (d[4][l] - 4.0 * d[2][l]) + (d[3][l] - 4.0 * d[1][l])),
        lanes(|l| (d[4][l] - 4.0 * d[2][l]) - (d[3][l] - 4.0 * d[1][l])),
        lanes(|l| (d[4][l] - d[2][l]) + 2.0 * (d[3][l] - d[1][l])),
        lanes(|l| (d[4][l] - d[2][l]) - 2.0 * (d[3][l] - d[1][l])),
        lanes(|l| 4.0 * d[1][l] - 5.0 * d[3][l] + d[5][l]),
    ]
}

/// `A^T m` of six values, for each lane.
#[inline(always)]
fn inverse(m: [Lane; IN]) -> [Lane; OUT] {
    [
        lanes(|l| m[0][l] + (m[1][l] + m[2][l]) + (m[3][l] + m[4][l])),
        lanes(|l| (m[1][l] - m[2][l]) + 2.0 * (m[3][l] - m[4][l])),
        lanes(|l| (m[1][l] + m[2][l]) + 4.0 * (m[3][l] + m[4][l])),
        lanes(|l| (m[1][l] - m[2][l]) + 8.0 * (m[3][l] - m[4][l]) + m[5][l]),
    ]
}

multiversion! {
    /// `B^T d B` of each tile of a padded plane, to `to[frequency][tile]`.
    fn transform_input(
        plane: &[f32],
        pitch: usize,
        tiles_x: usize,
        tiles: usize,
        capacity: usize,
        to: &mut [f32],
    ) {
        for first in (0..tiles).step_by(LANES) {
            let count = LANES.min(tiles - first);
            let mut d = [[[0f32; LANES]; IN]; IN];
            for lane in 0..count {
                let (ty, tx) = ((first + lane) / tiles_x, (first + lane) % tiles_x);
                for (i, d) in d.iter_mut().enumerate() {
                    let row = &plane[(ty * OUT + i) * pitch + tx * OUT..][..IN];
                    for (d, &v) in d.iter_mut().zip(row) {
                        d[lane] = v;
                    }
                }
            }
            let rows: [[Lane; IN]; IN] = {
                let columns: [[Lane; IN]; IN] =
                    std::array::from_fn(|j| forward(std::array::from_fn(|i| d[i][j])));
                std::array::from_fn(|i| forward(std::array::from_fn(|j| columns[j][i])))
            };
            // The capacity is a multiple of the lanes, so a last short step may write them all.
            for (f, values) in rows.as_flattened().iter().enumerate() {
                to[f * capacity + first..][..LANES].copy_from_slice(values);
            }
        }
    }
}

multiversion! {
    /// `A^T m A` of each tile, to whole rows of `width` values.
    fn transform_output(
        products: &[f32],
        capacity: usize,
        tiles_x: usize,
        tiles: usize,
        width: usize,
        out: &mut [f32],
    ) {
        let height = out.len() / width;
        for first in (0..tiles).step_by(LANES) {
            let count = LANES.min(tiles - first);
            let m: [[Lane; IN]; IN] = std::array::from_fn(|i| std::array::from_fn(|j| {
                let from = &products[(i * IN + j) * capacity + first..][..LANES];
                lanes(|l| from[l])
            }));
            let rows: [[Lane; OUT]; OUT] = {
                let columns: [[Lane; OUT]; IN] =
                    std::array::from_fn(|j| inverse(std::array::from_fn(|i| m[i][j])));
                std::array::from_fn(|i| inverse(std::array::from_fn(|j| columns[j][i])))
            };
            for lane in 0..count {
                let (ty, tx) = ((first + lane) / tiles_x, (first + lane) % tiles_x);
                let n = OUT.min(width - tx * OUT);
                for (i, row) in rows.iter().enumerate().take(height - ty * OUT) {
                    let to = &mut out[(ty * OUT + i) * width + tx * OUT..][..n];
                    for (to, values) in to.iter_mut().zip(row) {
                        *to = values[lane];
                    }
                }
            }
        }
    }
}
