//! Bilinear sampling of a picture at the positions of a grid (`grid_sample` of PyTorch).

use candle_core::{DType, Result, Tensor};

use super::arena;
use super::border_mode::Border;
use super::cuda;
use super::direct::bands;
use super::host;
use super::isa::{Isa, multiversion};

/// Samples `x` `[N, C, H, W]` at `grid` `[N, H', W', 2]`: `[N, C, H', W']`. A single picture, `[1, C, H, W]`, is used
/// for all grids.
///
/// The grid holds the position (x, y) of each output. With `align_corners`, -1 and 1 are the centres of the outermost
/// samples (the behaviour of torch below 1.3), else the picture's edges. A NaN position gives 0.
///
/// # Errors
/// If the shapes don't fit, or the picture is empty.
pub fn grid_sample(
    x: &Tensor,
    grid: &Tensor,
    border: Border,
    align_corners: bool,
) -> Result<Tensor> {
    let (pictures, channels, height, width) = x.dims4()?;
    let (n, out_h, out_w, two) = grid.dims4()?;
    if (pictures != n && pictures != 1) || two != 2 || height * width == 0 {
        candle_core::bail!(
            "can't sample {:?} along a grid of {:?}",
            x.dims(),
            grid.dims()
        );
    }
    if cuda::takes(&[x, grid]) {
        return cuda::grid_sample(x, grid, border, align_corners);
    }
    if !host::is_cpu_f32(x) || !host::is_cpu_f32(grid) {
        let x = x.broadcast_as((n, channels, height, width))?;
        return compose(&x, grid, border, align_corners);
    }
    let axes = [
        Axis::new(width, border, align_corners),
        Axis::new(height, border, align_corners),
    ];
    let (plane, places) = (height * width, out_h * out_w);
    let mut out = arena::alloc(n * channels * places);
    if out.is_empty() {
        return Tensor::from_vec(out, (n, channels, out_h, out_w), x.device());
    }
    let isa = Isa::best();
    host::with_values(grid, |grid| {
        host::with_values(x, |x| {
            // Each task samples some positions of one picture, in all channels.
            let tasks = bands(&mut out, places, 1, channels, POSITIONS_PER_TASK);
            host::run_tasks(
                tasks,
                COST_PER_OUTPUT * n * channels * places,
                |mut band| {
                    let picture = if pictures == 1 { 0 } else { band.group };
                    let x = &x[picture * channels * plane..][..channels * plane];
                    let first = 2 * (band.group * places + band.first);
                    let count = band.rows.first().map_or(0, |row| row.len());
                    let mut taps = [Tap::default(); POSITIONS_PER_TASK];
                    let taps = &mut taps[..count];
                    compute_taps(isa, &grid[first..first + 2 * count], &axes, taps);
                    gather(isa, x, plane, taps, &mut band.rows);
                },
            );
            Ok(())
        })
    })?;
    Tensor::from_vec(out, (n, channels, out_h, out_w), x.device())
}

/// Positions per task, for all channels: their taps fit in the L1 cache.
const POSITIONS_PER_TASK: usize = 256;

/// The cost of one output, in multiplications.
const COST_PER_OUTPUT: usize = 8;

multiversion! {
    /// Computes the taps of each position of a part of a grid.
    fn compute_taps(grid: &[f32], axes: &[Axis; 2], taps: &mut [Tap]) {
        for (tap, at) in taps.iter_mut().zip(grid.chunks_exact(2)) {
            *tap = Tap::new(axes[0].taps_at(at[0]), axes[1].taps_at(at[1]), axes[0].size);
        }
    }
}

multiversion! {
    /// Samples each plane of `x` at the taps, one row of outputs per plane.
    fn gather(x: &[f32], plane: usize, taps: &[Tap], rows: &mut [&mut [f32]]) {
        for (x, out) in x.chunks_exact(plane).zip(rows.iter_mut()) {
            for (out, tap) in out.iter_mut().zip(taps) {
                *out = tap.read(x);
            }
        }
    }
}

/// One axis of the picture.
#[derive(Clone, Copy)]
struct Axis {
    size: usize,
    border: Border,
    align_corners: bool,
}

/// A position along an axis: the two samples it is between, and their weights. A sample outside the picture has weight 0.
#[derive(Clone, Copy)]
struct AxisTaps {
    low: u32,
    high: u32,
    weights: [f32; 2],
}

impl Axis {
    fn new(size: usize, border: Border, align_corners: bool) -> Self {
        Self {
            size,
            border,
            align_corners,
        }
    }

    #[inline(always)]
    fn taps_at(self, at: f32) -> AxisTaps {
        let size = self.size as f32;
        let mut at = if self.align_corners {
            (at + 1.0) / 2.0 * (size - 1.0)
        } else {
            ((at + 1.0) * size - 1.0) / 2.0
        };
        if self.border == Border::Reflection {
            at = self.reflected(at);
        }
        let last = self.size as f32 - 1.0;
        // Also true for NaN.
        if !(at > -1.0 && at < size) {
            return AxisTaps {
                low: 0,
                high: 0,
                weights: [0.0; 2],
            };
        }
        let cut = at as i32 as f32;
        let low = if cut > at { cut - 1.0 } else { cut };
        let share = at - low;
        AxisTaps {
            low: low.max(0.0) as u32,
            high: (low + 1.0).min(last) as u32,
            weights: [
                if low < 0.0 { 0.0 } else { 1.0 - share },
                if low + 1.0 > last { 0.0 } else { share },
            ],
        }
    }

    /// Mirrors a position into the picture: at the outermost samples, or at the edges, and then clamped to the
    /// outermost samples.
    fn reflected(self, at: f32) -> f32 {
        let last = self.size as f32 - 1.0;
        let (from, span) = if self.align_corners {
            (0.0, last)
        } else {
            (-0.5, self.size as f32)
        };
        if span == 0.0 {
            return if at.is_finite() { 0.0 } else { f32::NAN };
        }
        let away = (at - from).abs();
        let turns = (away / span).floor();
        let rest = away - turns * span;
        let back = if turns % 2.0 == 0.0 {
            rest
        } else {
            span - rest
        };
        (back + from).clamp(0.0, last)
    }
}

/// The source of one output: four samples with their weights.
#[derive(Clone, Copy, Default)]
struct Tap {
    at: [u32; 4],
    weights: [f32; 4],
}

impl Tap {
    #[inline(always)]
    fn new(x: AxisTaps, y: AxisTaps, width: usize) -> Self {
        let (top, bottom) = (y.low * width as u32, y.high * width as u32);
        let [left, right] = x.weights;
        Self {
            at: [top + x.low, top + x.high, bottom + x.low, bottom + x.high],
            weights: [
                y.weights[0] * left,
                y.weights[0] * right,
                y.weights[1] * left,
                y.weights[1] * right,
            ],
        }
    }

    #[inline(always)]
    fn read(&self, plane: &[f32]) -> f32 {
        let at = self.at.map(|at| plane[at as usize]);
        let [a, b, c, d] = self.weights;
        a * at[0] + b * at[1] + (c * at[2] + d * at[3])
    }
}

/// The sampling from candle's operations, on any device.
fn compose(x: &Tensor, grid: &Tensor, border: Border, align_corners: bool) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    let (_, out_h, out_w, _) = grid.dims4()?;
    let places = out_h * out_w;
    let grid = grid.to_dtype(DType::F32)?.reshape((n, places, 2))?;
    let flat = x.contiguous()?.reshape((n, channels, height * width))?;
    let (left, right) = sides(&grid.narrow(2, 0, 1)?, width, border, align_corners)?;
    let (top, bottom) = sides(&grid.narrow(2, 1, 1)?, height, border, align_corners)?;
    let mut sum: Option<Tensor> = None;
    for (row, row_weight) in [&top, &bottom] {
        for (column, column_weight) in [&left, &right] {
            let index = ((row * width as f64)? + column)?.to_dtype(DType::U32)?;
            let index = index
                .reshape((n, 1, places))?
                .broadcast_as((n, channels, places))?
                .contiguous()?;
            let weight = (row_weight * column_weight)?.reshape((n, 1, places))?;
            let part = flat
                .gather(&index, 2)?
                .broadcast_mul(&weight.to_dtype(x.dtype())?)?;
            sum = Some(match sum {
                Some(sum) => (sum + part)?,
                None => part,
            });
        }
    }
    match sum {
        Some(sum) => sum.reshape((n, channels, out_h, out_w)),
        None => Tensor::zeros((n, channels, out_h, out_w), x.dtype(), x.device()),
    }
}

/// One of the two samples next to each position, with its weight, as f32.
type WeightedTap = (Tensor, Tensor);

fn sides(
    at: &Tensor,
    size: usize,
    border: Border,
    align_corners: bool,
) -> Result<(WeightedTap, WeightedTap)> {
    let last = size as f64 - 1.0;
    let mut at = if align_corners {
        at.affine(last / 2.0, last / 2.0)?
    } else {
        at.affine(size as f64 / 2.0, last / 2.0)?
    };
    if border == Border::Reflection {
        let (from, span) = if align_corners {
            (0.0, last)
        } else {
            (-0.5, size as f64)
        };
        at = if span == 0.0 {
            at.zeros_like()?
        } else {
            let away = (at - from)?.abs()?;
            let turns = (&away / span)?.floor()?;
            let odd = (&turns - ((&turns / 2.0)?.floor()? * 2.0)?)?;
            let rest = (away - (turns * span)?)?;
            // `rest` in an even period, `span - rest` in an odd one.
            let back = (&rest + (&odd * (rest.affine(-2.0, span)?))?)?;
            (back + from)?.clamp(0.0, last)?
        };
    }
    let inside = (at.gt(-1.0)? * at.lt(size as f64)?)?.to_dtype(DType::F32)?;
    // Far outside the index must still be valid; its weight is 0.
    let at = inside.gt(0.5)?.where_cond(&at, &at.zeros_like()?)?;
    let low = at.floor()?;
    let share = (&at - &low)?;
    let high = (&low + 1.0)?;
    let low_weight = ((low.ge(0.0)?.to_dtype(DType::F32)? * (1.0 - &share)?)? * &inside)?;
    let high_weight = ((high.le(last)?.to_dtype(DType::F32)? * share)? * &inside)?;
    Ok((
        (low.clamp(0.0, last)?, low_weight),
        (high.clamp(0.0, last)?, high_weight),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::{assert_close, randn};

    #[test]
    fn grid_sampling_agrees_with_candle_operations() {
        let x = randn(1, 1.0, (2, 3, 5, 7));
        let grid = randn(2, 1.5, (2, 6, 4, 2));
        for border in [Border::Zeros, Border::Reflection] {
            for align in [false, true] {
                let ours = grid_sample(&x, &grid, border, align).unwrap();
                let theirs = compose(&x, &grid, border, align).unwrap();
                assert_close(&ours, &theirs, 1e-5, &format!("{border:?} {align}"));
            }
        }
    }

    #[test]
    fn one_image_is_sampled_along_several_grids() {
        let x = randn(1, 1.0, (1, 3, 5, 7));
        let grid = randn(2, 1.0, (4, 6, 4, 2));
        let ours = grid_sample(&x, &grid, Border::Zeros, true).unwrap();
        // Our kernels only take f32.
        let wide = x.to_dtype(DType::F64).unwrap();
        let theirs = grid_sample(&wide, &grid, Border::Zeros, true).unwrap();
        assert_close(&ours, &theirs, 1e-5, "many grids");
    }
}
