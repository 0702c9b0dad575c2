//! Max pooling.

use candle_core::{Result, Tensor};

use super::cuda;
use super::host;
use super::resize::planes;

/// Max pooling 2x2, `[N, C, H, W]` to `[N, C, H / 2, W / 2]`; an odd last row or column is dropped.
///
/// # Errors
/// If `x` hasn't four dimensions.
pub fn max_pool(x: &Tensor) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    if cuda::takes(&[x])
        && let Some(halved) = cuda::pool_halved(x, true)?
    {
        return Ok(halved);
    }
    if !host::is_cpu_f32(x) {
        return x.max_pool2d(2);
    }
    let (out_h, out_w) = (height / 2, width / 2);
    let mut out = Vec::with_capacity(n * channels * out_h * out_w);
    host::with_values(x, |x| {
        for plane in x.chunks_exact((height * width).max(1)) {
            for y in 0..out_h {
                let rows = &plane[2 * y * width..][..2 * width];
                let (a, b) = rows.split_at(width);
                let pairs = a.chunks_exact(2).zip(b.chunks_exact(2));
                out.extend(pairs.map(|(a, b)| a[0].max(a[1]).max(b[0].max(b[1]))));
            }
        }
        Ok(())
    })?;
    Tensor::from_vec(out, (n, channels, out_h, out_w), x.device())
}

/// Max pooling with kernel 3, stride 2, padding 1: `[N, C, H, W]` to `[N, C, (H + 1) / 2, (W + 1) / 2]`.
///
/// # Errors
/// If `x` hasn't four dimensions.
pub fn max_pool_3(x: &Tensor) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    let size = (height.div_ceil(2), width.div_ceil(2));
    if cuda::takes(&[x]) {
        return cuda::max_pool_3(x);
    }
    if !host::is_cpu_f32(x) {
        // Replicating the edge changes no maximum.
        let padded = x.pad_with_same(2, 1, 1)?.pad_with_same(3, 1, 1)?;
        return padded.max_pool2d_with_stride(3, 2);
    }
    planes(x, size, |x, out| {
        for (i, out) in out.chunks_exact_mut(size.1.max(1)).enumerate() {
            let rows = (2 * i).saturating_sub(1)..(2 * i + 2).min(height);
            out.fill(f32::NEG_INFINITY);
            for row in x[rows.start * width..rows.end * width].chunks_exact(width) {
                for (j, out) in out.iter_mut().enumerate() {
                    let columns = (2 * j).saturating_sub(1)..(2 * j + 2).min(width);
                    *out = row[columns].iter().fold(*out, |most, &v| most.max(v));
                }
            }
        }
    })
    .and_then(|out| Tensor::from_vec(out, (n, channels, size.0, size.1), x.device()))
}
