//! The larger of neighbouring samples.

use candle_core::{Result, Tensor};

use super::host;

/// `[N, C, H, W]` to `[N, C, H / 2, W / 2]`: the largest of every 2x2 samples; an odd row or column at the end is left out.
///
/// # Errors
/// If `x` hasn't four dimensions.
pub fn max_pool(x: &Tensor) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    if !host::is_ours(x) {
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
