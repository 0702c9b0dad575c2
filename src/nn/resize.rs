//! Resizing: bilinear, average pooling, and anti-aliased downsampling.

use std::borrow::Cow;

use candle_core::{Result, Tensor};

use super::arena::{self, Scratch};
use super::cuda;
use super::host;

/// Bilinear resize, `[N, C, H, W]` to `[N, C, height, width]`, as PyTorch's `interpolate`: with `align_corners` the
/// centres of the corner samples coincide, else the edges do. Not anti-aliased.
///
/// # Errors
/// If either size is zero or `x` hasn't four dimensions.
pub fn resize_bilinear(
    x: &Tensor,
    (height, width): (usize, usize),
    align_corners: bool,
) -> Result<Tensor> {
    let (n, channels, from_h, from_w) = x.dims4()?;
    if height * width * from_h * from_w == 0 {
        candle_core::bail!("can't resize {:?} to {width}x{height}", x.dims());
    }
    if (height, width) == (from_h, from_w) {
        return Ok(x.clone());
    }
    if cuda::takes(&[x])
        && let Some(resized) = cuda::resized(x, (height, width), align_corners, false)?
    {
        return Ok(resized);
    }
    if !host::is_cpu_f32(x) {
        return x
            .contiguous()?
            .upsample_bilinear2d(height, width, align_corners);
    }
    let rows = places(from_h, height, align_corners);
    let columns = places(from_w, width, align_corners);
    planes(x, (height, width), |x, out| {
        for (out, &(top, bottom, down)) in out.chunks_exact_mut(width).zip(&rows) {
            let (top, bottom) = (
                &x[top * from_w..][..from_w],
                &x[bottom * from_w..][..from_w],
            );
            for (out, &(left, right, along)) in out.iter_mut().zip(&columns) {
                let above = top[left] + (top[right] - top[left]) * along;
                let below = bottom[left] + (bottom[right] - bottom[left]) * along;
                *out = above + (below - above) * down;
            }
        }
    })
    .and_then(|out| Tensor::from_vec(out, (n, channels, height, width), x.device()))
}

/// [`resize_bilinear`] of a flow, `[N, H, W, 2]` to `[N, height, width, 2]`. Borrowed if it already has that size.
///
/// # Errors
/// If either size is zero or the last dimension isn't 2.
pub fn resize_flow(
    flow: &Tensor,
    (height, width): (usize, usize),
    align_corners: bool,
) -> Result<Cow<'_, Tensor>> {
    let (n, from_h, from_w, two) = flow.dims4()?;
    if two != 2 || height * width * from_h * from_w == 0 {
        candle_core::bail!("can't resize {:?} to {width}x{height}", flow.dims());
    }
    if (height, width) == (from_h, from_w) {
        return Ok(Cow::Borrowed(flow));
    }
    if cuda::takes(&[flow])
        && let Some(resized) = cuda::resized(flow, (height, width), align_corners, true)?
    {
        return Ok(Cow::Owned(resized));
    }
    if !host::is_cpu_f32(flow) {
        let planes = flow.permute((0, 3, 1, 2))?.contiguous()?;
        let planes = resize_bilinear(&planes, (height, width), align_corners)?;
        return planes.permute((0, 2, 3, 1))?.contiguous().map(Cow::Owned);
    }
    let rows = places(from_h, height, align_corners);
    let columns = places(from_w, width, align_corners);
    let mut out = arena::alloc(n * height * width * 2);
    host::with_values(flow, |flow| {
        let tasks: Vec<_> = out.chunks_exact_mut(2 * width).enumerate().collect();
        host::run_tasks(tasks, 4 * n * height * width, |(i, out)| {
            let (top, bottom, down) = rows[i % height];
            let line = |row: usize| &flow[2 * (i / height * from_h + row) * from_w..][..2 * from_w];
            let (top, bottom) = (line(top), line(bottom));
            for (out, &(left, right, along)) in out.as_chunks_mut::<2>().0.iter_mut().zip(&columns)
            {
                for (axis, out) in out.iter_mut().enumerate() {
                    let (left, right) = (2 * left + axis, 2 * right + axis);
                    let above = top[left] + (top[right] - top[left]) * along;
                    let below = bottom[left] + (bottom[right] - bottom[left]) * along;
                    *out = above + (below - above) * down;
                }
            }
        });
        Ok(())
    })?;
    Tensor::from_vec(out, (n, height, width, 2), flow.device()).map(Cow::Owned)
}

/// For each of `to` samples along an axis of `from`: the two samples to interpolate, and the weight of the second.
fn places(from: usize, to: usize, align_corners: bool) -> Vec<(usize, usize, f32)> {
    let last = from - 1;
    (0..to)
        .map(|i| {
            let at = if !align_corners {
                (((i as f64 + 0.5) * from as f64 / to as f64) - 0.5).max(0.0)
            } else if to > 1 {
                i as f64 * last as f64 / (to - 1) as f64
            } else {
                0.0
            };
            let low = (at as usize).min(last);
            (low, (low + 1).min(last), (at - low as f64) as f32)
        })
        .collect()
}

/// Average pooling 2x2, `[N, C, H, W]` to `[N, C, H / 2, W / 2]`; an odd last row or column is dropped.
///
/// # Errors
/// If `x` hasn't four dimensions.
pub fn avg_pool(x: &Tensor) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    if cuda::takes(&[x])
        && let Some(halved) = cuda::pool_halved(x, false)?
    {
        return Ok(halved);
    }
    if !host::is_cpu_f32(x) {
        return x.avg_pool2d(2);
    }
    let size = (height / 2, width / 2);
    planes(x, size, |x, out| {
        let rows = x.chunks_exact((2 * width).max(1));
        for (rows, out) in rows.zip(out.chunks_exact_mut(size.1.max(1))) {
            let (a, b) = rows.split_at(width);
            let pairs = a.chunks_exact(2).zip(b.chunks_exact(2));
            for (out, (a, b)) in out.iter_mut().zip(pairs) {
                *out = (a[0] + a[1] + (b[0] + b[1])) * 0.25;
            }
        }
    })
    .and_then(|out| Tensor::from_vec(out, (n, channels, size.0, size.1), x.device()))
}

/// Computes each plane of the result from the same plane of `x`, in parallel.
pub(super) fn planes(
    x: &Tensor,
    (height, width): (usize, usize),
    make: impl Fn(&[f32], &mut [f32]) + Sync + Send,
) -> Result<Vec<f32>> {
    let (n, channels, from_h, from_w) = x.dims4()?;
    let mut out = arena::alloc(n * channels * height * width);
    let (from, to) = (from_h * from_w, height * width);
    if from * to > 0 {
        host::with_values(x, |x| {
            let tasks: Vec<_> = x.chunks_exact(from).zip(out.chunks_exact_mut(to)).collect();
            let work = 2 * tasks.len() * from.max(to);
            host::run_tasks(tasks, work, |(x, out)| make(x, out));
            Ok(())
        })?;
    }
    Ok(out)
}

/// Downsampling by an integer factor with anti-aliasing (`AntiAliasInterpolation2d` of FOMM and TPS): a Gaussian of
/// sigma `(factor - 1) / 2` over `2 round(4 sigma) + 1` samples with zeros outside, then every `factor`-th sample.
#[derive(Clone, Debug)]
pub struct AntiAlias {
    factor: usize,
    /// One axis of the Gaussian, which sums to 1.
    taps: Vec<f32>,
}

impl AntiAlias {
    /// For a scale of `1 / factor`; a factor of 1 leaves the picture unchanged.
    pub fn new(factor: usize) -> Self {
        let factor = factor.max(1);
        let sigma = (factor as f64 - 1.0) / 2.0;
        let half = (sigma * 4.0).round_ties_even() as i64;
        let weight = |i: i64| match factor {
            1 => 1.0,
            _ => (-((i * i) as f64) / (2.0 * sigma * sigma)).exp(),
        };
        let sum: f64 = (-half..=half).map(weight).sum();
        Self {
            factor,
            taps: (-half..=half).map(|i| (weight(i) / sum) as f32).collect(),
        }
    }

    /// `[N, C, H, W]` to `[N, C, H / factor, W / factor]`.
    ///
    /// # Errors
    /// If `x` hasn't four dimensions.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (n, channels, height, width) = x.dims4()?;
        if self.factor == 1 {
            return Ok(x.clone());
        }
        let size = (height / self.factor, width / self.factor);
        if cuda::takes(&[x]) && size.0 * size.1 > 0 {
            return cuda::anti_aliased(x, &self.taps, self.factor);
        }
        if !host::is_cpu_f32(x) {
            return self.compose(x, size);
        }
        planes(x, size, |x, out| {
            // Horizontally first, for every row; then vertically, only for the output rows.
            let mut narrow = Scratch::new(height * size.1);
            for (row, narrow) in x.chunks_exact(width).zip(narrow.chunks_exact_mut(size.1)) {
                for (i, to) in narrow.iter_mut().enumerate() {
                    let (from, taps) = self.window(i, width);
                    *to = taps.iter().zip(&row[from..]).map(|(t, v)| t * v).sum();
                }
            }
            for (i, out) in out.chunks_exact_mut(size.1).enumerate() {
                let (from, taps) = self.window(i, height);
                out.fill(0.0);
                for (tap, row) in taps
                    .iter()
                    .zip(narrow[from * size.1..].chunks_exact(size.1))
                {
                    for (out, v) in out.iter_mut().zip(row) {
                        *out += tap * v;
                    }
                }
            }
        })
        .and_then(|out| Tensor::from_vec(out, (n, channels, size.0, size.1), x.device()))
    }

    /// The first sample under the Gaussian of output `i`, and the taps inside the picture.
    fn window(&self, i: usize, size: usize) -> (usize, &[f32]) {
        let half = self.taps.len() / 2;
        let centre = i * self.factor;
        let cut = half.saturating_sub(centre);
        let from = centre + cut - half;
        let end = self.taps.len().min(size + half - centre);
        (from, &self.taps[cut..end])
    }

    fn compose(&self, x: &Tensor, (out_h, out_w): (usize, usize)) -> Result<Tensor> {
        let (n, channels, height, width) = x.dims4()?;
        let k = self.taps.len();
        let taps = Tensor::from_slice(&self.taps, (k, 1), x.device())?;
        let kernel = taps.matmul(&taps.t()?.contiguous()?)?;
        let kernel = kernel.reshape((1, 1, k, k))?.to_dtype(x.dtype())?;
        let flat = x.contiguous()?.reshape((n * channels, 1, height, width))?;
        flat.conv2d(&kernel, k / 2, self.factor, 1, 1)?
            .narrow(2, 0, out_h)?
            .narrow(3, 0, out_w)?
            .contiguous()?
            .reshape((n, channels, out_h, out_w))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::{assert_close, randn};

    #[test]
    fn the_anti_aliasing_kernel_agrees_with_candle_operations() {
        let x = randn(1, 1.0, (2, 3, 13, 22));
        for factor in [2, 3, 4] {
            let shrink = AntiAlias::new(factor);
            let ours = shrink.forward(&x).unwrap();
            let size = (13 / factor, 22 / factor);
            let theirs = shrink.compose(&x, size).unwrap();
            assert_close(&ours, &theirs, 1e-5, &format!("{factor}"));
        }
    }

    #[test]
    fn resizing_a_flow_equals_resizing_its_channels() {
        let flow = randn(1, 1.0, (2, 5, 7, 2));
        let planes = flow.permute((0, 3, 1, 2)).unwrap();
        for (size, align) in [((9, 12), true), ((3, 4), false), ((1, 1), true)] {
            let expected = resize_bilinear(&planes, size, align).unwrap();
            let expected = expected.permute((0, 2, 3, 1)).unwrap();
            let found = resize_flow(&flow, size, align).unwrap();
            assert_close(&found, &expected, 1e-6, &format!("{size:?} {align}"));
        }
        assert!(resize_flow(&planes, (4, 4), true).is_err());
        assert!(matches!(
            resize_flow(&flow, (5, 7), true),
            Ok(Cow::Borrowed(_))
        ));
    }
}
