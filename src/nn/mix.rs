//! Maps laid beside one another, faded and squashed: what stands between a network's convolutions.

use candle_core::{Result, Tensor};
use candle_nn::ops;
use rayon::prelude::*;

use super::arena;
use super::host;
use super::isa::{Isa, multiversion};

/// Values that one task takes.
const PART: usize = 16 * 1024;

/// `[N, A, H, W]` and `[N, B, H, W]` as `[N, A + B, H, W]`.
///
/// # Errors
/// If the other sizes differ.
pub fn beside(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let ((n, first, height, width), (other, second, ..)) = (a.dims4()?, b.dims4()?);
    if !host::is_ours(a) || !host::is_ours(b) {
        return Tensor::cat(&[a, b], 1);
    }
    if b.dims() != [n, second, height, width] {
        candle_core::bail!("{:?} can't lie beside {:?}", a.dims(), b.dims());
    }
    let plane = height * width;
    let mut out = arena::values((first + second) * other * plane);
    host::with_values(a, |a| {
        host::with_values(b, |b| {
            for (i, to) in out
                .chunks_exact_mut(((first + second) * plane).max(1))
                .enumerate()
            {
                let (to_a, to_b) = to.split_at_mut(first * plane);
                copy(to_a, &a[i * first * plane..][..first * plane]);
                copy(to_b, &b[i * second * plane..][..second * plane]);
            }
            Ok(())
        })
    })?;
    Tensor::from_vec(out, (n, first + second, height, width), a.device())
}

fn copy(to: &mut [f32], from: &[f32]) {
    to.par_chunks_mut(PART)
        .zip(from.par_chunks(PART))
        .for_each(|(to, from)| to.copy_from_slice(from));
}

/// Every channel of `x` `[1, C, H, W]` times `mask` `[1, 1, H, W]`.
///
/// # Errors
/// If the sizes differ.
pub fn masked(x: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    if n != 1 || !host::is_ours(x) || !host::is_ours(mask) {
        return x.broadcast_mul(mask);
    }
    if mask.dims() != [1, 1, height, width] {
        candle_core::bail!("{:?} can't be faded by {:?}", x.dims(), mask.dims());
    }
    let isa = Isa::best();
    let plane = height * width;
    let mut out = arena::values(channels * plane);
    host::with_values(x, |x| {
        host::with_values(mask, |mask| {
            let tasks: Vec<_> = out
                .chunks_exact_mut(plane.max(1))
                .zip(x.chunks_exact(plane.max(1)))
                .collect();
            let work = channels * plane;
            host::each(tasks, work, |(out, x)| multiply(isa, x, mask, out));
            Ok(())
        })
    })?;
    Tensor::from_vec(out, x.shape(), x.device())
}

/// `1 / (1 + exp(-x))` of every value.
///
/// # Errors
/// The device's, when it has no memory.
pub fn sigmoid(x: &Tensor) -> Result<Tensor> {
    if !host::is_ours(x) {
        return ops::sigmoid(x);
    }
    each_value(x, squash)
}

/// The hyperbolic tangent of every value.
///
/// # Errors
/// The device's, when it has no memory.
pub fn tanh(x: &Tensor) -> Result<Tensor> {
    if !host::is_ours(x) {
        return x.tanh();
    }
    each_value(x, bend)
}

fn each_value(x: &Tensor, run: impl Fn(Isa, &[f32], &mut [f32]) + Sync + Send) -> Result<Tensor> {
    let isa = Isa::best();
    let mut out = arena::values(x.elem_count());
    host::with_values(x, |x| {
        let tasks: Vec<_> = out.chunks_mut(PART).zip(x.chunks(PART)).collect();
        host::each(tasks, 8 * x.len(), |(out, x)| run(isa, x, out));
        Ok(())
    })?;
    Tensor::from_vec(out, x.shape(), x.device())
}

multiversion! {
    fn multiply(x: &[f32], y: &[f32], out: &mut [f32]) {
        for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
            *out = x * y;
        }
    }
}

multiversion! {
    /// The sigmoid of each value.
    pub(super) fn squash(x: &[f32], out: &mut [f32]) {
        for (out, &x) in out.iter_mut().zip(x) {
            *out = 1.0 / (1.0 + exponential(-x));
        }
    }
}

multiversion! {
    /// The hyperbolic tangent of each value.
    pub(super) fn bend(x: &[f32], out: &mut [f32]) {
        for (out, &x) in out.iter_mut().zip(x) {
            // Near zero the quotient would cancel.
            let large = 1.0 - 2.0 / (1.0 + exponential(2.0 * x));
            let square = x * x;
            let small = x * (1.0 + square * (-1.0 / 3.0 + square * (2.0 / 15.0 - square * (17.0 / 315.0))));
            *out = if square < 0.04 { small } else { large };
        }
    }
}

/// `exp(x)` to some 2 units of the last place, in steps that a compiler can do for many values at once: a power of two
/// and the rest, at most half of `ln 2`, by its series. `x` counts as no further from 0 than 87; a NaN stays one.
#[inline(always)]
fn exponential(x: f32) -> f32 {
    const HIGH: f32 = 0.693_359_4;
    const LOW: f32 = -2.121_944_4e-4;
    // Adding and taking away 1.5 * 2^23 leaves the nearest whole number.
    const ROUND: f32 = 12_582_912.0;
    let clear = x.clamp(-87.0, 87.0);
    let turns = (clear * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let rest = (clear - turns * HIGH) - turns * LOW;
    let series = 1.0
        + rest
            * (1.0
                + rest
                    * (0.5
                        + rest
                            * (1.0 / 6.0
                                + rest * (1.0 / 24.0 + rest * (1.0 / 120.0 + rest / 720.0)))));
    let power = f32::from_bits(((turns as i32 + 127) << 23) as u32);
    series * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squashing_and_bending_agree_with_the_library() {
        let x: Vec<f32> = (-200_000..=200_000).map(|i| i as f32 / 2000.0).collect();
        for isa in Isa::available() {
            let (mut squashed, mut bent) = (vec![0f32; x.len()], vec![0f32; x.len()]);
            squash(isa, &x, &mut squashed);
            bend(isa, &x, &mut bent);
            for ((x, squashed), bent) in x.iter().zip(squashed).zip(bent) {
                let exact = f64::from(*x);
                let sigmoid = 1.0 / (1.0 + (-exact).exp());
                assert!((f64::from(squashed) - sigmoid).abs() < 3e-7, "{isa:?} {x}");
                assert!((f64::from(bent) - exact.tanh()).abs() < 5e-7, "{isa:?} {x}");
            }
        }
    }

    #[test]
    fn what_is_no_number_stays_none() {
        for isa in Isa::available() {
            let mut out = [0f32; 3];
            squash(isa, &[f32::NAN, f32::INFINITY, f32::NEG_INFINITY], &mut out);
            assert!(out[0].is_nan());
            assert!(out[1] == 1.0 && out[2] < 1e-37, "{out:?}");
            bend(isa, &[f32::NAN, f32::INFINITY, f32::NEG_INFINITY], &mut out);
            assert!(out[0].is_nan());
            assert!(out[1] == 1.0 && out[2] == -1.0, "{out:?}");
        }
    }
}
