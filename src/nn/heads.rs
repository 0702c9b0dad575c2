//! The last step of a network that outputs a colour and a mask, in parallel.

use candle_core::{Result, Tensor};
use candle_nn::ops;
use rayon::prelude::*;

use super::arena;
use super::cuda;
use super::host;
use super::isa::Isa;
use super::mix;

/// `[N, 4, H, W]` to `tanh` of the first three channels and `sigmoid` of the last.
///
/// # Errors
/// If there aren't four channels.
pub fn tanh_and_sigmoid(x: &Tensor) -> Result<(Tensor, Tensor)> {
    let (n, channels, height, width) = x.dims4()?;
    if channels != 4 {
        candle_core::bail!("expected 4 channels, found {channels}");
    }
    if cuda::takes(&[x]) {
        return cuda::tanh_and_sigmoid(x);
    }
    if !host::is_cpu_f32(x) {
        return Ok((
            x.narrow(1, 0, 3)?.tanh()?,
            ops::sigmoid(&x.narrow(1, 3, 1)?)?,
        ));
    }
    let isa = Isa::best();
    let plane = height * width;
    let mut color = arena::alloc(n * 3 * plane);
    let mut attention = arena::alloc(n * plane);
    host::with_values(x, |x| {
        for (i, x) in x.chunks_exact(4 * plane).enumerate() {
            let (first, last) = x.split_at(3 * plane);
            let to = &mut color[i * 3 * plane..][..3 * plane];
            map(to, first, |from, to| mix::tanh_values(isa, from, to));
            let to = &mut attention[i * plane..][..plane];
            map(to, last, |from, to| mix::sigmoid_values(isa, from, to));
        }
        Ok(())
    })?;
    Ok((
        Tensor::from_vec(color, (n, 3, height, width), x.device())?,
        Tensor::from_vec(attention, (n, 1, height, width), x.device())?,
    ))
}

fn map(to: &mut [f32], from: &[f32], f: impl Fn(&[f32], &mut [f32]) + Sync) {
    const VALUES_PER_TASK: usize = 4096;
    to.par_chunks_mut(VALUES_PER_TASK)
        .zip(from.par_chunks(VALUES_PER_TASK))
        .for_each(|(to, from)| f(from, to));
}
