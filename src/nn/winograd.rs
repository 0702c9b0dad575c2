//! Convolutions by minimal filtering: 3x3 kernels with F(4x4, 3x3), 36 products where the plain way takes 144; 7x7 kernels
//! as four of 4x4 with F(4x4, 4x4), 196 products where there were 784; and kernels that halve or double the picture as 2x2 kernels of its phases with F(4x4, 2x2), 25 where there were 64, or,
//! where there are very many of them for a few tiles, with F(2x2, 2x2), 9 where there were 16
//! (Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016,
//! [arXiv 1509.09308](https://arxiv.org/abs/1509.09308)).
//!
//! The picture is taken in bands of tiles that stay in the cache. Of each band the spectrum is made, laid out just as
//! the products read it; then for every frequency one product of matrices; then the results are transformed back.

mod back;
mod points;
mod tiles;

use rayon::prelude::*;

use super::arena::Scratch;
use super::gemm::Kernel;
use super::host;
use super::isa::Isa;
use super::simd::LANES;
use points::{Five, Points, Seven, Six, Three};
use tiles::{Grid, Lanes};

/// Values of spectrum and products that one band may fill: they should stay in a core's share of the last cache.
const BAND_VALUES: usize = 1 << 19;
/// The same where the kernels are many, and every band would fetch them all again: as many as the kernels, at most
/// what the last cache holds.
const LARGE_BAND: usize = 1 << 21;
/// Values of kernels that two threads may well fetch each for itself.
const LIGHT: usize = 1 << 18;
/// Pairs of channels from which on a layer counts as one of small pictures.
const MANY: usize = 1 << 19;
/// The same for a layer that doubles the picture, whose tiles are then of two results.
const SEVERAL: usize = 1 << 16;
/// Products that could be done in the time in which one value of a kernel comes from memory.
const FETCH: usize = 24;
/// Values between the matrices of neighbouring frequencies, so that equal places of them share no set of the cache.
const APART: usize = 16;

/// What a layer does to the picture's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A 3x3 kernel with stride 1 and this many zeros around.
    Same { padding: usize },
    /// A 7x7 kernel with stride 1 and this many zeros around, as four of 4x4, whose last row and column are zeros.
    Wide { padding: usize },
    /// A 4x4 kernel with stride 2 and one zero around.
    Halved,
    /// Twice the size: each phase of the result by a 2x2 kernel of its own, in tiles of so many results.
    Doubled(Size),
}

/// Results along one side of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Two,
    Four,
}

impl Form {
    /// Values of the spectrum for each tile and channel of the picture.
    fn points(self) -> usize {
        match self {
            Self::Same { .. } => Six::COUNT,
            Self::Wide { .. } => Seven::COUNT,
            Self::Halved | Self::Doubled(Size::Four) => Five::COUNT,
            Self::Doubled(Size::Two) => Three::COUNT,
        }
    }

    /// Phases of the picture, or parts of the kernel: each counts as channels of its own.
    fn phases_in(self) -> usize {
        match self {
            Self::Wide { .. } | Self::Halved => 4,
            Self::Same { .. } | Self::Doubled(_) => 1,
        }
    }

    /// Phases of the result, each with a spectrum of its own.
    fn phases_out(self) -> usize {
        if matches!(self, Self::Doubled(_)) {
            4
        } else {
            1
        }
    }

    /// Results along one side of a tile, of all phases.
    fn side(self) -> usize {
        match self {
            Self::Doubled(Size::Four) => 8,
            _ => 4,
        }
    }

    /// The result's size.
    fn size(self, (height, width): (usize, usize)) -> (usize, usize) {
        let along = |n: usize| match self {
            Self::Same { padding } => n + 2 * padding - 2,
            Self::Wide { padding } => n + 2 * padding - 6,
            Self::Halved => n / 2,
            Self::Doubled(_) => 2 * n,
        };
        (along(height), along(width))
    }
}

impl Size {
    /// The better one for so many pairs of channels.
    fn of_kernels(pairs: usize) -> Self {
        if pairs < SEVERAL {
            Self::Four
        } else {
            Self::Two
        }
    }
}

/// A layer whose kernels were transformed when it was made.
#[derive(Clone, Debug)]
pub(super) struct Winograd {
    form: Form,
    inputs: usize,
    outputs: usize,
    kernel: Kernel,
    /// Per phase of the result and frequency, per group of outputs: `[input][row]`, as [`Kernel::tile`] reads it.
    weights: Vec<f32>,
}

/// What is done to the results before they are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finish<'a> {
    /// Added to each output's.
    pub bias: Option<&'a [f32]>,
    /// The least that is left.
    pub floor: f32,
}

impl Default for Finish<'_> {
    fn default() -> Self {
        Self {
            bias: None,
            floor: f32::NEG_INFINITY,
        }
    }
}

/// Some rows of tiles of one picture, or some pictures.
struct Band<'a> {
    /// The first picture and the first row of tiles.
    picture: usize,
    row: usize,
    tiles: usize,
    /// What is to be written of each output, of every picture.
    planes: Vec<Vec<&'a mut [f32]>>,
}

impl Winograd {
    /// Whether the transforms cost less than the products that they save. Layers of very many channels stand
    /// where pictures are of a few samples, which fill no tile, and their kernels would take four times the memory.
    pub fn pays(inputs: usize, outputs: usize) -> bool {
        inputs >= 16 && outputs >= 16 && inputs * outputs < MANY
    }

    /// The same for a 7x7 kernel.
    pub fn wide_pays(inputs: usize, outputs: usize) -> bool {
        inputs >= 16 && outputs >= 8 && inputs * outputs < MANY
    }

    /// A 3x3 kernel `[outputs, inputs, 3, 3]` with stride 1.
    pub fn same(weight: &[f32], inputs: usize, outputs: usize, padding: usize, isa: Isa) -> Self {
        Self::new(Form::Same { padding }, inputs, outputs, isa, |o, i, _| {
            Six::kernel(|y, x| weight[((o * inputs + i) * 3 + y) * 3 + x])
        })
    }

    /// A 7x7 kernel `[outputs, inputs, 7, 7]` with stride 1.
    pub fn wide(weight: &[f32], inputs: usize, outputs: usize, padding: usize, isa: Isa) -> Self {
        Self::new(
            Form::Wide { padding },
            inputs,
            outputs,
            isa,
            |o, i, part| {
                let kernel = &weight[(o * inputs + i) * 49..][..49];
                Seven::kernel(|y, x| {
                    let (y, x) = (part / 2 * 4 + y, part % 2 * 4 + x);
                    if y.max(x) < 7 { kernel[y * 7 + x] } else { 0.0 }
                })
            },
        )
    }

    /// A 4x4 kernel `[outputs, inputs, 4, 4]` with stride 2 and a padding of 1.
    pub fn halved(weight: &[f32], inputs: usize, outputs: usize, isa: Isa) -> Self {
        // The picture's even samples are seen by the second and the last tap, the odd ones by the others.
        let tap = |phase: usize, k: usize| 1 - phase + 2 * k;
        Self::new(Form::Halved, inputs, outputs, isa, |o, i, phase| {
            Five::kernel(|y, x| {
                let (y, x) = (tap(phase / 2, y), tap(phase % 2, x));
                weight[((o * inputs + i) * 4 + y) * 4 + x]
            })
        })
    }

    /// A transposed 4x4 kernel `[inputs, outputs, 4, 4]` with stride 2 and a padding of 1.
    pub fn doubled(weight: &[f32], inputs: usize, outputs: usize, isa: Isa) -> Self {
        let size = Size::of_kernels(inputs * outputs);
        Self::transposed(size, weight, inputs, outputs, isa)
    }

    fn transposed(size: Size, weight: &[f32], inputs: usize, outputs: usize, isa: Isa) -> Self {
        // An even result sees the sample before by the last tap and its own by the second.
        let tap = |phase: usize, k: usize| 3 - phase - 2 * k;
        Self::new_doubled(size, inputs, outputs, isa, |o, i, phase, y, x| {
            let (y, x) = (tap(phase / 2, y), tap(phase % 2, x));
            weight[((i * outputs + o) * 4 + y) * 4 + x]
        })
    }

    /// A 3x3 kernel `[outputs, inputs, 3, 3]` with a padding of 1, of the picture with each sample twice along each axis.
    pub fn of_doubled(weight: &[f32], inputs: usize, outputs: usize, isa: Isa) -> Self {
        // Two of the three taps meet the same sample: the later two at even places, the earlier two at odd ones.
        let taps = |phase: usize, k: usize| match (phase, k) {
            (0, 0) => 0..1,
            (0, _) => 1..3,
            (_, 0) => 0..2,
            _ => 2..3,
        };
        let size = Size::of_kernels(inputs * outputs);
        Self::new_doubled(size, inputs, outputs, isa, |o, i, phase, y, x| {
            let kernel = &weight[(o * inputs + i) * 9..][..9];
            let columns = taps(phase % 2, x);
            taps(phase / 2, y)
                .flat_map(|y| &kernel[y * 3..][columns.clone()])
                .sum()
        })
    }

    /// `tap(output, input, phase, y, x)` gives the values of each phase's 2x2 kernel.
    fn new_doubled(
        size: Size,
        inputs: usize,
        outputs: usize,
        isa: Isa,
        tap: impl Fn(usize, usize, usize, usize, usize) -> f32 + Sync,
    ) -> Self {
        let form = Form::Doubled(size);
        match size {
            Size::Two => Self::new(form, inputs, outputs, isa, |o, i, phase| {
                Three::kernel(|y, x| tap(o, i, phase, y, x))
            }),
            Size::Four => Self::new(form, inputs, outputs, isa, |o, i, phase| {
                Five::kernel(|y, x| tap(o, i, phase, y, x))
            }),
        }
    }

    /// `kernel(output, input, phase)` gives the transformed kernel of a phase, of the picture or of the result.
    fn new<const N: usize>(
        form: Form,
        inputs: usize,
        outputs: usize,
        isa: Isa,
        kernel: impl Fn(usize, usize, usize) -> [[f32; N]; N] + Sync,
    ) -> Self {
        let tile = Kernel::of(isa);
        let (points, phases_in, phases_out) = (form.points(), form.phases_in(), form.phases_out());
        let depth = phases_in * inputs;
        let groups = outputs.div_ceil(tile.rows);
        // Every kernel once, a row of outputs after another; then each frequency's matrix picks its values.
        let phases = phases_in * phases_out;
        let kernels: Vec<[[f32; N]; N]> = (0..outputs * inputs * phases)
            .into_par_iter()
            .with_min_len(256)
            .map(|i| kernel(i / phases / inputs, i / phases % inputs, i % phases))
            .collect();
        let mut weights = vec![0f32; phases_out * points * groups * depth * tile.rows];
        weights
            .par_chunks_exact_mut(depth * tile.rows)
            .enumerate()
            .for_each(|(i, matrix)| {
                let (after, f, group) = (i / groups / points, i / groups % points, i % groups);
                for (k, rows) in matrix.chunks_exact_mut(tile.rows).enumerate() {
                    let (phase, input) = (after.max(k / inputs), k % inputs);
                    for (row, value) in rows.iter_mut().enumerate() {
                        let output = group * tile.rows + row;
                        if output < outputs {
                            let kernel = &kernels[(output * inputs + input) * phases + phase];
                            *value = kernel[f / N][f % N];
                        }
                    }
                }
            });
        Self {
            form,
            inputs,
            outputs,
            kernel: tile,
            weights,
        }
    }

    /// Whether so many pictures of this size take less time this way than the plain one's `products`. Tiles that a block
    /// lacks are multiplied all the same, and the transformed kernels must come from memory, both of which tells where
    /// pictures are small.
    pub fn suits(&self, pictures: usize, size: (usize, usize), products: usize) -> bool {
        let grid = Grid::new(self.form, pictures, self.inputs, size, self.form.size(size));
        let tiles = pictures * grid.rows * grid.columns;
        let tiles = tiles.next_multiple_of(self.kernel.width);
        // In products: what a value of the kernels costs to fetch, and how much better a tile is used here.
        (tiles + FETCH) * self.weights.len() < products * 8 / 5
    }

    /// `[n, inputs, h, w]` to `[n, outputs, h', w']`, finished as is said.
    pub fn run(
        &self,
        x: &[f32],
        size: (usize, usize),
        out: &mut [f32],
        Finish { bias, floor }: Finish,
    ) {
        let Kernel { rows, width, .. } = self.kernel;
        let out_size = self.form.size(size);
        let pictures = x.len() / (self.inputs * size.0 * size.1);
        let grid = Grid::new(self.form, pictures, self.inputs, size, out_size);

        let each = self.frequencies() * (self.depth() + self.outputs.next_multiple_of(rows));
        let values = BAND_VALUES.max(self.weights.len().min(LARGE_BAND));
        let mut bands = self.bands(&grid, (values / each / width * width).max(width), out);
        let finish = |output: usize| (bias.map_or(0.0, |bias| bias[output]), floor);
        // Enough for every thread to take whole bands, which then never leave its cache; else all work on one.
        let threads = rayon::current_num_threads();
        let light = self.weights.len() <= LIGHT;
        if bands.len() >= 3 * threads || light && bands.len() == threads {
            bands
                .par_iter_mut()
                .for_each(|band| self.band(&grid, x, band, false, &finish));
        } else {
            bands
                .iter_mut()
                .for_each(|band| self.band(&grid, x, band, threads > 1, &finish));
        }
    }

    /// Values of the spectrum for each tile and channel, of all phases of the result.
    fn frequencies(&self) -> usize {
        self.form.phases_out() * self.form.points()
    }

    /// Channels of the spectrum.
    fn depth(&self) -> usize {
        self.form.phases_in() * self.inputs
    }

    /// Cuts the result into bands of about `room` tiles: whole rows of tiles of one picture, or whole pictures.
    fn bands<'a>(&self, grid: &Grid, room: usize, out: &'a mut [f32]) -> Vec<Band<'a>> {
        let tile_rows = grid.rows * grid.pictures;
        let most = (room / grid.columns).clamp(1, tile_rows);
        // Bands of one length.
        let even = |all: usize| all.div_ceil(all.div_ceil(most.min(all)));
        let (pictures, rows) = if most >= grid.rows {
            let most = most / grid.rows;
            let bands = grid.pictures.div_ceil(most.min(grid.pictures));
            (grid.pictures.div_ceil(bands), grid.rows)
        } else {
            (1, even(grid.rows))
        };
        let plane = grid.out_height * grid.out_width;
        let slab = rows * grid.form.side() * grid.out_width;
        let mut bands: Vec<Band<'a>> = Vec::new();
        for (i, planes) in out.chunks_mut(pictures * self.outputs * plane).enumerate() {
            let start = bands.len();
            for (j, plane) in planes.chunks_mut(plane).enumerate() {
                for (k, slab) in plane.chunks_mut(slab).enumerate() {
                    if start + k == bands.len() {
                        bands.push(Band {
                            picture: i * pictures,
                            row: k * rows,
                            tiles: 0,
                            planes: (0..self.outputs)
                                .map(|_| Vec::with_capacity(pictures))
                                .collect(),
                        });
                    }
                    let band = &mut bands[start + k];
                    if j % self.outputs == 0 {
                        band.tiles += rows.min(grid.rows - band.row) * grid.columns;
                    }
                    band.planes[j % self.outputs].push(slab);
                }
            }
        }
        bands
    }

    fn band(
        &self,
        grid: &Grid,
        x: &[f32],
        band: &mut Band,
        parallel: bool,
        finish: &(dyn Fn(usize) -> (f32, f32) + Sync),
    ) {
        let Kernel { rows, width, .. } = self.kernel;
        let (depth, frequencies) = (self.depth(), self.frequencies());
        let groups = self.outputs.div_ceil(rows);
        let isa = self.kernel.isa();
        let blocks = band.tiles.div_ceil(width);
        let lanes: Vec<Lanes> = (0..blocks * width / LANES)
            .map(|i| grid.lanes(band, i * LANES))
            .collect();
        let groups_a_block = width / LANES;
        // Shared out whatever it comes to, or not at all.
        let work = if parallel { usize::MAX } else { 0 };

        let apart = depth * width + APART;
        let block = frequencies * apart;
        let mut spectrum = Scratch::new(blocks * block);
        let tasks = spectrum
            .chunks_exact_mut(block)
            .zip(lanes.chunks(groups_a_block));
        host::each(tasks.collect(), work, |(to, lanes)| {
            tiles::forward(isa, grid, x, lanes, apart, to);
        });

        let products_apart = blocks * groups * rows * width + APART;
        let mut products = Scratch::new(frequencies * products_apart);
        let tasks = products
            .chunks_exact_mut(products_apart)
            .zip(self.weights.chunks_exact(groups * depth * rows))
            .enumerate();
        host::each(tasks.collect(), work, |(f, (to, weights))| {
            // The kernels come from memory, each value once and one panel while another is used; the spectrum stays near.
            for (group, panel) in weights.chunks_exact(depth * rows).enumerate() {
                for i in 0..blocks {
                    let from = &spectrum[i * block + f * apart..][..depth * width];
                    let to = &mut to[(i * groups + group) * rows * width..][..rows * width];
                    self.kernel.tile(panel, from, to, width);
                }
            }
        });

        let top = band.row * grid.form.side();
        let picture = band.picture;
        let tasks = band.planes.iter_mut().enumerate();
        host::each(tasks.collect(), work, |(output, planes)| {
            for (block, lanes) in lanes.chunks(groups_a_block).enumerate() {
                let from = &products[(block * groups * rows + output) * width..];
                back::back(
                    isa,
                    grid,
                    lanes,
                    from,
                    products_apart,
                    finish(output),
                    (picture, top),
                    planes,
                );
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        let at = |i: usize| ((i + seed) * 7919 % 1009) as f32 / 504.5 - 1.0;
        (0..n).map(at).collect()
    }

    proptest! {
        #[test]
        fn both_sizes_of_tiles_double_alike(
            pictures in 1usize..5, inputs in 1usize..9, outputs in 1usize..20, h in 1usize..12, w in 1usize..40,
        ) {
            let x = numbers(pictures * inputs * h * w, 3);
            let weight = numbers(inputs * outputs * 16, 5);
            let mut expected = vec![0f64; pictures * outputs * 4 * h * w];
            for (n, i, y, k) in (0..pictures * inputs * h * w).map(|at| {
                (at / (inputs * h * w), at / (h * w) % inputs, at / w % h, at % w)
            }) {
                let value = f64::from(x[((n * inputs + i) * h + y) * w + k]);
                for (o, ky, kx) in (0..outputs * 16).map(|at| (at / 16, at / 4 % 4, at % 4)) {
                    let (to_y, to_x) = (2 * y + ky, 2 * k + kx);
                    if (1..=2 * h).contains(&to_y) && (1..=2 * w).contains(&to_x) {
                        let at = ((n * outputs + o) * 2 * h + to_y - 1) * 2 * w + to_x - 1;
                        expected[at] += value * f64::from(weight[((i * outputs + o) * 4 + ky) * 4 + kx]);
                    }
                }
            }
            for isa in Isa::available() {
                for size in [Size::Two, Size::Four] {
                    let layer = Winograd::transposed(size, &weight, inputs, outputs, isa);
                    let mut out = vec![0.0; expected.len()];
                    layer.run(&x, (h, w), &mut out, Finish::default());
                    for (found, wanted) in out.iter().zip(&expected) {
                        prop_assert!((f64::from(*found) - wanted).abs() < 2e-4, "{size:?} {isa:?}");
                    }
                }
            }
        }
    }
}
