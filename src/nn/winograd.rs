//! Convolution by minimal filtering: 3x3 kernels with F(4x4, 3x3), 36 products instead of 144; 7x7 kernels as four of
//! 4x4 with F(4x4, 4x4), 196 products instead of 784; and strided, transposed and upsampled convolutions as 2x2 kernels
//! on the phases with F(4x4, 2x2) or its transpose, 25 products instead of 64 (Lavin & Gray, "Fast Algorithms for
//! Convolutional Neural Networks", CVPR 2016,
//! [arXiv 1509.09308](https://arxiv.org/abs/1509.09308)).
//!
//! The picture is processed in groups of tile rows that stay in the cache. For each group the spectrum is computed, in the
//! layout that the matrix products read; then one matrix product per frequency; then the results are transformed back.

mod back;
mod form;
mod grid;
mod points;
mod spectrum;
#[cfg(test)]
mod tests;
mod tile_rows;
mod tiles;
mod upsampled;

use std::sync::OnceLock;

use rayon::prelude::*;

use super::arena::Scratch;
use super::gemm::GemmKernel;
use super::host;
use super::isa::{Isa, multiversion};
use super::simd::LANES;
pub(super) use form::ConvForm;
use grid::{Grid, Lanes};
use points::{KERNEL_LANES, Points, Points5, Points6, Points7, Taps};
use spectrum::Products;
use tile_rows::{TileRowGroups, TileRows};

/// The most values of spectrum and products per group of tile rows: they should fit in a core's own cache.
const TILE_ROWS_VALUES: usize = 1 << 17;
/// The same for layers with many kernels, which every group would load again: as many values as the kernels have, at
/// most what fits in the last-level cache.
const LARGE_TILE_ROWS: usize = 1 << 21;
/// Kernels of at most this many values may be loaded by several threads separately.
const SMALL_KERNELS: usize = 1 << 18;
/// Pairs of channels from which on a layer is assumed to process small pictures.
const MAX_CHANNEL_PAIRS: usize = 1 << 19;
/// Products that could be computed in the time it takes to load one kernel value from memory.
const FETCH: usize = 8;
/// Padding between the matrices of successive frequencies, so that the same elements of them don't share a cache set.
const MATRIX_PADDING: usize = 16;

multiversion! {
    /// The spectra of kernels, given by the taps that apply to one phase.
    fn spectra(form: ConvForm, taps: &Taps, to: &mut [[f32; KERNEL_LANES]]) {
        match form {
            ConvForm::Same { .. } => Points6::kernels(taps, to),
            ConvForm::Wide { .. } => Points7::kernels(taps, to),
            ConvForm::Strided | ConvForm::Transposed | ConvForm::Upsampled => Points5::kernels(taps, to),
        }
    }
}

/// A layer whose kernels are transformed when they are first used: some layers never process a picture that this suits.
#[derive(Clone, Debug)]
pub(super) struct Winograd {
    form: ConvForm,
    inputs: usize,
    outputs: usize,
    kernel: GemmKernel,
    /// Per frequency, per group of outputs and phases: `[input][row]`, as [`GemmKernel::tile`] reads it.
    weights: OnceLock<Vec<f32>>,
}

/// `tap(output, input, y, x)` of a layer's original kernels.
pub(super) type Tap<'a> = dyn Fn(usize, usize, usize, usize) -> f32 + Sync + 'a;

/// Applied to the results before they are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct BiasAndFloor<'a> {
    /// Added to the results, one per output.
    pub bias: Option<&'a [f32]>,
    /// The lower bound of the results.
    pub floor: f32,
}

impl Default for BiasAndFloor<'_> {
    fn default() -> Self {
        Self {
            bias: None,
            floor: f32::NEG_INFINITY,
        }
    }
}

impl Winograd {
    /// Returns the layer if its transforms cost less than the products they save. Layers with very many channels usually
    /// process pictures of a few samples, which don't fill a tile, and their kernels would take four times the memory.
    pub fn new(form: ConvForm, inputs: usize, outputs: usize, isa: Isa) -> Option<Self> {
        // The larger the saving per kernel, the fewer outputs are enough; outputs with four phases count four times.
        let least = match form {
            ConvForm::Same { .. } | ConvForm::Strided => 16,
            ConvForm::Wide { .. } => 8,
            ConvForm::Transposed | ConvForm::Upsampled => 3,
        };
        let pays = inputs >= 16 && outputs >= least && inputs * outputs < MAX_CHANNEL_PAIRS;
        pays.then(|| Self::of(form, inputs, outputs, isa))
    }

    fn of(form: ConvForm, inputs: usize, outputs: usize, isa: Isa) -> Self {
        Self {
            form,
            inputs,
            outputs,
            kernel: GemmKernel::of(isa),
            weights: OnceLock::new(),
        }
    }

    /// Returns the transformed kernels.
    fn weights(&self, tap: &Tap) -> &[f32] {
        if let Some(weights) = self.weights.get() {
            return weights;
        }
        // Computed outside of the lock: a rayon thread that waits may start another frame that needs the same kernels.
        let weights = self.transformed(tap);
        self.weights.get_or_init(|| weights)
    }

    fn transformed(&self, tap: &Tap) -> Vec<f32> {
        let panel = self.depth() * self.kernel.rows;
        let mut weights = vec![0f32; self.weight_count()];
        // For each group its panels, one per frequency.
        let mut groups: Vec<Vec<&mut [f32]>> = Vec::new();
        groups.resize_with(self.groups(), || Vec::with_capacity(self.form.points()));
        for matrix in weights.chunks_exact_mut(panel * self.groups()) {
            for (group, panel) in groups.iter_mut().zip(matrix.chunks_exact_mut(panel)) {
                group.push(panel);
            }
        }
        let groups = groups.par_iter_mut().enumerate();
        groups.for_each(|(group, panels)| self.transform(group, panels, tap));
        weights
    }

    /// Writes the spectra of a group's kernels to its panels.
    fn transform(&self, group: usize, panels: &mut [&mut [f32]], tap: &Tap) {
        let (inputs, rows) = (self.inputs, self.kernel.rows);
        let phases_out = self.form.phases_out();
        let mut found = [[0f32; KERNEL_LANES]; Points7::COUNT];
        let found = &mut found[..self.form.points()];
        for k in 0..self.depth() {
            for first in (0..rows).step_by(KERNEL_LANES) {
                let some = KERNEL_LANES.min(rows - first);
                let mut taps: Taps = [[[0.0; KERNEL_LANES]; 4]; 4];
                for lane in 0..some {
                    let row = group * rows + first + lane;
                    // Only one of the picture and the result has several phases.
                    let (output, input, phase) = match phases_out {
                        1 => (row, k % inputs, k / inputs),
                        _ => (row / phases_out, k, row % phases_out),
                    };
                    if output >= self.outputs {
                        break;
                    }
                    let phase_taps = self.form.phase_taps(phase, |y, x| tap(output, input, y, x));
                    for (taps, phase_taps) in taps
                        .as_flattened_mut()
                        .iter_mut()
                        .zip(phase_taps.as_flattened())
                    {
                        taps[lane] = f64::from(*phase_taps);
                    }
                }
                spectra(self.kernel.isa(), self.form, &taps, found);
                for (panel, values) in panels.iter_mut().zip(found.iter()) {
                    let to = &mut panel[k * rows + first..];
                    // Lanes beyond `some` are overwritten with the next `k`, or don't fit.
                    match to.first_chunk_mut::<KERNEL_LANES>() {
                        Some(to) => *to = *values,
                        None => to.copy_from_slice(&values[..to.len()]),
                    }
                }
            }
        }
    }

    /// Groups of rows of the matrix products.
    fn groups(&self) -> usize {
        (self.form.phases_out() * self.outputs).div_ceil(self.kernel.rows)
    }

    /// Channels of the spectrum.
    fn depth(&self) -> usize {
        self.form.phases_in() * self.inputs
    }

    fn weight_count(&self) -> usize {
        self.form.points() * self.groups() * self.depth() * self.kernel.rows
    }

    /// Whether minimal filtering is faster for these pictures than the `products` of direct convolution. Unused tiles of a
    /// block are multiplied too, and the transformed kernels must be loaded from memory; both matter for small pictures.
    pub fn is_faster(&self, pictures: usize, size: (usize, usize), products: usize) -> bool {
        let grid = Grid::new(self.form, pictures, self.inputs, size, self.form.size(size));
        let tiles = pictures * grid.rows * grid.columns;
        let tiles = tiles.next_multiple_of(self.kernel.width);
        // In units of products: the cost of loading the kernels, and a factor of 10 / 7 because tiles are used better
        // here. Direct transposed convolution works row by row, and takes about twice as long per product.
        let plain = match self.form {
            ConvForm::Transposed => products * 3,
            _ => products * 10 / 7,
        };
        (tiles + FETCH) * self.weight_count() < plain
    }

    /// `[n, inputs, h, w]` to `[n, outputs, h', w']` with the kernels `tap`, then bias and lower bound.
    pub fn run(
        &self,
        x: &[f32],
        size: (usize, usize),
        out: &mut [f32],
        BiasAndFloor { bias, floor }: BiasAndFloor,
        tap: &Tap,
    ) {
        let weights = self.weights(tap);
        let out_size = self.form.size(size);
        let pictures = x.len() / (self.inputs * size.0 * size.1);
        let grid = Grid::new(self.form, pictures, self.inputs, size, out_size);

        let cut = self.tile_row_groups(&grid, weights.len());
        let mut edges = Scratch::new(if self.form.upsamples() {
            cut.edges(&grid, self.outputs)
        } else {
            0
        });
        let mut all_rows = cut.tile_rows(&grid, self.outputs, out, &mut edges);
        let work = |tile_rows: &mut TileRows, parallel: bool| {
            let finish = |output: usize| (bias.map_or(0.0, |bias| bias[output]), floor);
            self.run_tile_rows(&grid, x, weights, tile_rows, parallel, &finish);
        };
        // With enough groups each thread processes whole groups, which stay in its cache; else all threads share each group.
        let threads = rayon::current_num_threads();
        let light = weights.len() <= SMALL_KERNELS;
        if all_rows.len() >= 3 * threads || light && all_rows.len() == threads {
            all_rows
                .par_iter_mut()
                .for_each(|tile_rows| work(tile_rows, false));
        } else {
            all_rows
                .iter_mut()
                .for_each(|tile_rows| work(tile_rows, threads > 1));
        }
        drop(all_rows);
        cut.add_edges(&grid, out, &edges, floor);
    }

    /// Chooses groups of tile rows whose spectra and products fit in the cache next to this many kernel values.
    fn tile_row_groups(&self, grid: &Grid, kernels: usize) -> TileRowGroups {
        let GemmKernel { rows, width, .. } = self.kernel;
        let each = self.form.points() * (self.depth() + self.groups() * rows);
        let values = TILE_ROWS_VALUES.max(kernels.min(LARGE_TILE_ROWS));
        TileRowGroups::new(grid, (values / each / width * width).max(width))
    }

    fn run_tile_rows(
        &self,
        grid: &Grid,
        x: &[f32],
        weights: &[f32],
        tile_rows: &mut TileRows,
        parallel: bool,
        finish: &(dyn Fn(usize) -> (f32, f32) + Sync),
    ) {
        let GemmKernel { rows, width, .. } = self.kernel;
        let (depth, points) = (self.depth(), self.form.points());
        let groups = self.groups();
        let isa = self.kernel.isa();
        let blocks = tile_rows.tiles.div_ceil(width);
        let lanes: Vec<Lanes> = (0..blocks * width / LANES)
            .map(|i| tile_rows.lanes(grid, i * LANES))
            .collect();
        // Parallel whatever the amount of work, or not at all.
        let work = if parallel { usize::MAX } else { 0 };

        let stride = depth * width + MATRIX_PADDING;
        let block = points * stride;
        let mut spectrum = Scratch::new(blocks * block);
        let tasks = spectrum
            .chunks_exact_mut(block)
            .zip(lanes.chunks(width / LANES));
        host::run_tasks(tasks.collect(), work, |(to, lanes)| {
            tiles::forward(isa, grid, x, lanes, stride, to);
        });

        let products_stride = blocks * groups * rows * width + MATRIX_PADDING;
        let mut products = Scratch::new(points * products_stride);
        let tasks = products
            .chunks_exact_mut(products_stride)
            .zip(weights.chunks_exact(groups * depth * rows))
            .enumerate();
        host::run_tasks(tasks.collect(), work, |(f, (to, weights))| {
            // The kernels stream from memory, each value once; the spectrum stays in the cache.
            for (group, panel) in weights.chunks_exact(depth * rows).enumerate() {
                for i in 0..blocks {
                    let from = &spectrum[i * block + f * stride..][..depth * width];
                    let to = &mut to[(i * groups + group) * rows * width..][..rows * width];
                    self.kernel.tile(panel, from, to, width);
                }
            }
        });

        let tasks = tile_rows.channels.iter_mut().enumerate();
        host::run_tasks(tasks.collect(), work, |(output, channel)| {
            let products = Products {
                values: &products[output * self.form.phases_out() * width..],
                width,
                stride: products_stride,
                block: groups * rows * width,
            };
            back::back(isa, grid, &lanes, products, finish(output), channel);
        });
    }
}
