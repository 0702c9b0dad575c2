//! Sampling a picture along a field of places (`grid_sample` of PyTorch), bilinearly.

use candle_core::{DType, Result, Tensor};

use super::arena;
use super::cuda;
use super::direct::bands;
use super::host;
use super::isa::{Isa, multiversion};
use super::outside::Border;

/// `x` `[N, C, H, W]` seen through `grid` `[N, H', W', 2]`: `[N, C, H', W']`. One picture, `[1, C, H, W]`, is seen through
/// any number of grids.
///
/// The grid holds (x, y) for each place of the result. With `align_corners`, -1 and 1 are the
/// centres of the outermost samples (what torch below 1.3 did), else the picture's edges.
/// A place that is no number gives 0.
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
    if !host::is_ours(x) || !host::is_ours(grid) {
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
            // Some places of one picture a task, for all channels.
            let tasks = bands(&mut out, places, 1, channels, TOGETHER);
            host::each(tasks, WORK * n * channels * places, |mut band| {
                let picture = if pictures == 1 { 0 } else { band.group };
                let x = &x[picture * channels * plane..][..channels * plane];
                let first = 2 * (band.group * places + band.first);
                let count = band.rows.first().map_or(0, |row| row.len());
                let mut taps = [Tap::default(); TOGETHER];
                let taps = &mut taps[..count];
                find(isa, &grid[first..first + 2 * count], &axes, taps);
                read(isa, x, plane, taps, &mut band.rows);
            });
            Ok(())
        })
    })?;
    Tensor::from_vec(out, (n, channels, out_h, out_w), x.device())
}

/// Places that are found at once, for all channels: they stay in the first-level cache.
const TOGETHER: usize = 256;

/// What one result costs, in multiplications.
const WORK: usize = 8;

multiversion! {
    /// The samples about each place of a piece of a grid.
    fn find(grid: &[f32], axes: &[Axis; 2], taps: &mut [Tap]) {
        for (tap, at) in taps.iter_mut().zip(grid.chunks_exact(2)) {
            *tap = Tap::new(axes[0].place(at[0]), axes[1].place(at[1]), axes[0].size);
        }
    }
}

multiversion! {
    /// The places' values in each plane of `x`, a row for each.
    fn read(x: &[f32], plane: usize, taps: &[Tap], rows: &mut [&mut [f32]]) {
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

/// A place along an axis between two samples: the lower one, and the weights of both. A sample outside has no weight.
#[derive(Clone, Copy)]
struct Place {
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
    fn place(self, at: f32) -> Place {
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
        // NaN too.
        if !(at > -1.0 && at < size) {
            return Place {
                low: 0,
                high: 0,
                weights: [0.0; 2],
            };
        }
        let cut = at as i32 as f32;
        let low = if cut > at { cut - 1.0 } else { cut };
        let share = at - low;
        Place {
            low: low.max(0.0) as u32,
            high: (low + 1.0).min(last) as u32,
            weights: [
                if low < 0.0 { 0.0 } else { 1.0 - share },
                if low + 1.0 > last { 0.0 } else { share },
            ],
        }
    }

    /// Mirrors a place back into the picture: about the outermost samples, or about the edges and then onto the samples.
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

/// Where a result comes from: four samples with their weights.
#[derive(Clone, Copy, Default)]
struct Tap {
    at: [u32; 4],
    weights: [f32; 4],
}

impl Tap {
    #[inline(always)]
    fn new(x: Place, y: Place, width: usize) -> Self {
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

/// The same of candle's operations, on any device.
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

/// The two samples about each place with their weights, as f32.
type Side = (Tensor, Tensor);

fn sides(at: &Tensor, size: usize, border: Border, align_corners: bool) -> Result<(Side, Side)> {
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
            // `rest` on the way out, `span - rest` on the way back.
            let back = (&rest + (&odd * (rest.affine(-2.0, span)?))?)?;
            (back + from)?.clamp(0.0, last)?
        };
    }
    let inside = (at.gt(-1.0)? * at.lt(size as f64)?)?.to_dtype(DType::F32)?;
    // Far outside the index must still be one; the weight is none there.
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
    fn the_composition_agrees() {
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
    fn one_picture_is_composed_for_every_grid() {
        let x = randn(1, 1.0, (1, 3, 5, 7));
        let grid = randn(2, 1.0, (4, 6, 4, 2));
        let ours = grid_sample(&x, &grid, Border::Zeros, true).unwrap();
        // Our kernels take f32 alone.
        let wide = x.to_dtype(DType::F64).unwrap();
        let theirs = grid_sample(&wide, &grid, Border::Zeros, true).unwrap();
        assert_close(&ours, &theirs, 1e-5, "many grids");
    }
}
