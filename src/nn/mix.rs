//! Concatenation, masks, mixing and activations: the operations between a network's convolutions.

use candle_core::{Result, Tensor};
use candle_nn::ops;
use rayon::prelude::*;

use super::arena;
use super::cuda;
use super::epilogue::scale_shift_relu;
use super::host;
use super::isa::{Isa, multiversion};

/// Values per task.
const VALUES_PER_TASK: usize = 16 * 1024;

/// Concatenates `[N, A, H, W]` and `[N, B, H, W]` to `[N, A + B, H, W]`.
///
/// # Errors
/// If the other sizes differ.
pub fn concat_channels(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let ((n, first, height, width), (other, second, ..)) = (a.dims4()?, b.dims4()?);
    if cuda::takes(&[a, b]) {
        return cuda::concat_channels(a, b);
    }
    if !host::is_cpu_f32(a) || !host::is_cpu_f32(b) {
        return Tensor::cat(&[a, b], 1);
    }
    if b.dims() != [n, second, height, width] {
        candle_core::bail!("{:?} can't be concatenated with {:?}", a.dims(), b.dims());
    }
    let plane = height * width;
    let mut out = arena::alloc((first + second) * other * plane);
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
    to.par_chunks_mut(VALUES_PER_TASK)
        .zip(from.par_chunks(VALUES_PER_TASK))
        .for_each(|(to, from)| to.copy_from_slice(from));
}

/// Multiplies every channel of `x` `[1, C, H, W]` by `mask` `[1, 1, H, W]`.
///
/// # Errors
/// If the sizes differ.
pub fn masked(x: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    if n == 1 && cuda::takes(&[x, mask]) {
        return cuda::masked(x, mask);
    }
    if n != 1 || !host::is_cpu_f32(x) || !host::is_cpu_f32(mask) {
        return x.broadcast_mul(mask);
    }
    if mask.dims() != [1, 1, height, width] {
        candle_core::bail!("{:?} can't be faded by {:?}", x.dims(), mask.dims());
    }
    let isa = Isa::best();
    let plane = height * width;
    let mut out = arena::alloc(channels * plane);
    host::with_values(x, |x| {
        host::with_values(mask, |mask| {
            let tasks: Vec<_> = out
                .chunks_exact_mut(plane.max(1))
                .zip(x.chunks_exact(plane.max(1)))
                .collect();
            let work = channels * plane;
            host::run_tasks(tasks, work, |(out, x)| multiply(isa, x, mask, out));
            Ok(())
        })
    })?;
    Tensor::from_vec(out, x.shape(), x.device())
}

/// `a + (b - a) mask`, `a` and `b` `[1, C, H, W]`, `mask` `[1, 1, H, W]`.
///
/// # Errors
/// If the sizes differ.
pub fn lerp(a: &Tensor, b: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let (n, channels, height, width) = a.dims4()?;
    if n == 1 && cuda::takes(&[a, b, mask]) {
        return cuda::lerp(a, b, mask);
    }
    if n != 1 || ![a, b, mask].into_iter().all(host::is_cpu_f32) {
        return a + (b - a)?.broadcast_mul(mask)?;
    }
    if b.dims() != a.dims() || mask.dims() != [1, 1, height, width] {
        let shapes = (a.dims(), b.dims(), mask.dims());
        candle_core::bail!("{shapes:?} can't be blended");
    }
    let isa = Isa::best();
    let plane = (height * width).max(1);
    let mut out = arena::alloc(channels * height * width);
    host::with_values(a, |a| {
        host::with_values(b, |b| {
            host::with_values(mask, |mask| {
                let tasks: Vec<_> = out
                    .chunks_exact_mut(plane)
                    .zip(a.chunks_exact(plane).zip(b.chunks_exact(plane)))
                    .collect();
                let work = channels * plane;
                host::run_tasks(tasks, work, |(out, (a, b))| {
                    lerp_values(isa, a, b, mask, out)
                });
                Ok(())
            })
        })
    })?;
    Tensor::from_vec(out, a.shape(), a.device())
}

/// The dense motion of FOMM and TPS: the softmax of the first P channels of `maps` `[1, C, H, W]`, `[1, P, H, W]`, and
/// the mean of `motions` `[P, H, W, 2]` with these weights, `[1, H, W, 2]`.
///
/// # Errors
/// If the sizes differ.
pub fn mixed_motion(maps: &Tensor, motions: &Tensor) -> Result<(Tensor, Tensor)> {
    let (n, channels, height, width) = maps.dims4()?;
    let parts = motions.dim(0)?;
    if n != 1 || parts > channels || motions.dims() != [parts, height, width, 2] {
        candle_core::bail!("{:?} can't mix {:?}", maps.dims(), motions.dims());
    }
    if cuda::takes(&[maps, motions]) {
        return cuda::mixed_motion(maps, motions);
    }
    if !host::is_cpu_f32(maps) || !host::is_cpu_f32(motions) {
        let shares = ops::softmax(&maps.narrow(1, 0, parts)?, 1)?;
        let column = shares.reshape((parts, height, width, 1))?;
        return Ok((shares, motions.broadcast_mul(&column)?.sum_keepdim(0)?));
    }
    let isa = Isa::best();
    let plane = height * width;
    let mut shares = arena::alloc(parts * plane);
    let mut flow = arena::alloc(2 * plane);
    host::with_values(maps, |maps| {
        host::with_values(motions, |motions| {
            // The rows of each motion's weight, with those of the flow.
            let mut rows: Vec<(Vec<&mut [f32]>, &mut [f32])> = flow
                .chunks_exact_mut((2 * width).max(1))
                .map(|flow| (Vec::with_capacity(parts), flow))
                .collect();
            for plane in shares.chunks_exact_mut(plane.max(1)) {
                for ((row, _), share) in rows.iter_mut().zip(plane.chunks_exact_mut(width)) {
                    row.push(share);
                }
            }
            let tasks: Vec<_> = rows.into_iter().enumerate().collect();
            host::run_tasks(tasks, 16 * parts * plane, |(y, (mut shares, flow))| {
                let mut sum = vec![0f32; width];
                let mut most = vec![f32::NEG_INFINITY; width];
                let map = |part: usize| &maps[part * plane + y * width..][..width];
                for part in 0..parts {
                    max_into(isa, map(part), &mut most);
                }
                for (part, share) in shares.iter_mut().enumerate() {
                    exp_into(isa, map(part), &most, share, &mut sum);
                }
                flow.fill(0.0);
                for (part, share) in shares.iter_mut().enumerate() {
                    let motion = &motions[2 * (part * plane + y * width)..][..2 * width];
                    divide(isa, &sum, share);
                    let pairs = flow.chunks_exact_mut(2).zip(motion.chunks_exact(2));
                    for ((flow, motion), share) in pairs.zip(share.iter()) {
                        flow[0] += motion[0] * share;
                        flow[1] += motion[1] * share;
                    }
                }
            });
            Ok(())
        })
    })?;
    Ok((
        Tensor::from_vec(shares, (1, parts, height, width), maps.device())?,
        Tensor::from_vec(flow, (1, height, width, 2), maps.device())?,
    ))
}

/// `1 / (1 + exp(-x))` of each value.
///
/// # Errors
/// If the device runs out of memory.
pub fn sigmoid(x: &Tensor) -> Result<Tensor> {
    if cuda::takes(&[x]) {
        return cuda::sigmoid(x);
    }
    if !host::is_cpu_f32(x) {
        return ops::sigmoid(x);
    }
    each_value(x, sigmoid_values)
}

/// The hyperbolic tangent of each value.
///
/// # Errors
/// If the device runs out of memory.
pub fn tanh(x: &Tensor) -> Result<Tensor> {
    if cuda::takes(&[x]) {
        return cuda::tanh(x);
    }
    if !host::is_cpu_f32(x) {
        return x.tanh();
    }
    each_value(x, tanh_values)
}

fn each_value(x: &Tensor, run: impl Fn(Isa, &[f32], &mut [f32]) + Sync + Send) -> Result<Tensor> {
    let isa = Isa::best();
    let mut out = arena::alloc(x.elem_count());
    host::with_values(x, |x| {
        let tasks: Vec<_> = out
            .chunks_mut(VALUES_PER_TASK)
            .zip(x.chunks(VALUES_PER_TASK))
            .collect();
        host::run_tasks(tasks, 8 * x.len(), |(out, x)| run(isa, x, out));
        Ok(())
    })?;
    Tensor::from_vec(out, x.shape(), x.device())
}

/// `relu(start + codes rows)`: `codes` `[N, K]`, `rows` `[K, M]` and `start` `[1, M]` to `[N, M]`, for small K.
///
/// # Errors
/// If the sizes differ.
pub fn affine_relu(codes: &Tensor, rows: &Tensor, start: &Tensor) -> Result<Tensor> {
    let ((n, k), (depth, m)) = (codes.dims2()?, rows.dims2()?);
    if cuda::takes(&[codes, rows, start]) {
        return cuda::affine_relu(codes, rows, start);
    }
    if ![codes, rows, start].into_iter().all(host::is_cpu_f32) {
        return codes.matmul(rows)?.broadcast_add(start)?.relu();
    }
    if depth != k || start.dims() != [1, m] {
        candle_core::bail!(
            "{:?}, {:?} and {:?} don't fit together",
            codes.dims(),
            rows.dims(),
            start.dims()
        );
    }
    let isa = Isa::best();
    let mut out = arena::alloc(n * m);
    host::with_values(codes, |codes| {
        host::with_values(rows, |rows| {
            host::with_values(start, |start| {
                let lines = out
                    .chunks_exact_mut(m.max(1))
                    .zip(codes.chunks_exact(k.max(1)));
                host::run_tasks(lines.collect(), n * k * m, |(out, code)| {
                    out.copy_from_slice(start);
                    for (share, row) in code.iter().zip(rows.chunks_exact(m.max(1))) {
                        add_scaled(isa, row, *share, out);
                    }
                    scale_shift_relu(isa, out, 1.0, 0.0, true, None);
                });
                Ok(())
            })
        })
    })?;
    Tensor::from_vec(out, (n, m), codes.device())
}

multiversion! {
    fn add_scaled(x: &[f32], factor: f32, out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out += x * factor;
        }
    }
}

multiversion! {
    fn lerp_values(a: &[f32], b: &[f32], mask: &[f32], out: &mut [f32]) {
        for ((out, mask), (a, b)) in out.iter_mut().zip(mask).zip(a.iter().zip(b)) {
            *out = a + (b - a) * mask;
        }
    }
}

multiversion! {
    fn max_into(x: &[f32], most: &mut [f32]) {
        for (most, x) in most.iter_mut().zip(x) {
            *most = if *x > *most { *x } else { *most };
        }
    }
}

multiversion! {
    /// `exp(x - most)`, which is also added to `sum`.
    fn exp_into(x: &[f32], most: &[f32], out: &mut [f32], sum: &mut [f32]) {
        for ((out, sum), (x, most)) in out.iter_mut().zip(sum).zip(x.iter().zip(most)) {
            *out = exponential(x - most);
            *sum += *out;
        }
    }
}

multiversion! {
    /// The largest value.
    pub(super) fn maximum(x: &[f32]) -> f32 {
        let mut most = [f32::NEG_INFINITY; 32];
        let (parts, rest) = x.as_chunks::<32>();
        for part in parts {
            for (most, x) in most.iter_mut().zip(part) {
                *most = if *x > *most { *x } else { *most };
            }
        }
        most.iter().chain(rest).fold(f32::NEG_INFINITY, |a, b| a.max(*b))
    }
}

multiversion! {
    /// `exp((x - most) factor)`, and their sum.
    pub(super) fn exp_sum(x: &[f32], most: f32, factor: f32, out: &mut [f32]) -> f32 {
        for (out, x) in out.iter_mut().zip(x) {
            *out = exponential((x - most) * factor);
        }
        let mut sums = [0f32; 32];
        let (parts, rest) = out.as_chunks::<32>();
        for part in parts {
            for (sum, x) in sums.iter_mut().zip(part) {
                *sum += x;
            }
        }
        sums.iter().chain(rest).sum()
    }
}

multiversion! {
    fn divide(by: &[f32], x: &mut [f32]) {
        for (x, by) in x.iter_mut().zip(by) {
            *x /= by;
        }
    }
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
    pub(super) fn sigmoid_values(x: &[f32], out: &mut [f32]) {
        for (out, &x) in out.iter_mut().zip(x) {
            *out = 1.0 / (1.0 + exponential(-x));
        }
    }
}

multiversion! {
    /// The hyperbolic tangent of each value.
    pub(super) fn tanh_values(x: &[f32], out: &mut [f32]) {
        for (out, &x) in out.iter_mut().zip(x) {
            // Near zero the quotient would suffer from cancellation.
            let large = 1.0 - 2.0 / (1.0 + exponential(2.0 * x));
            let square = x * x;
            let small = x * (1.0 + square * (-1.0 / 3.0 + square * (2.0 / 15.0 - square * (17.0 / 315.0))));
            *out = if square < 0.04 { small } else { large };
        }
    }
}

/// `exp(x)` within about 2 ulp, in steps that the compiler can vectorise: a power of two times the series of the
/// remainder, which is at most half of `ln 2`. `x` is clamped to -87..=87; NaN is preserved.
#[inline(always)]
fn exponential(x: f32) -> f32 {
    const HIGH: f32 = 0.693_359_4;
    const LOW: f32 = -2.121_944_4e-4;
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer.
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
    use crate::nn::testing::{assert_close, randn};

    #[test]
    fn sigmoid_and_tanh_agree_with_the_standard_library() {
        let x: Vec<f32> = (-200_000..=200_000).map(|i| i as f32 / 2000.0).collect();
        for isa in Isa::available() {
            let (mut found_sigmoid, mut found_tanh) = (vec![0f32; x.len()], vec![0f32; x.len()]);
            sigmoid_values(isa, &x, &mut found_sigmoid);
            tanh_values(isa, &x, &mut found_tanh);
            for ((x, found_sigmoid), found_tanh) in x.iter().zip(found_sigmoid).zip(found_tanh) {
                let exact = f64::from(*x);
                let sigmoid = 1.0 / (1.0 + (-exact).exp());
                assert!(
                    (f64::from(found_sigmoid) - sigmoid).abs() < 3e-7,
                    "{isa:?} {x}"
                );
                assert!(
                    (f64::from(found_tanh) - exact.tanh()).abs() < 5e-7,
                    "{isa:?} {x}"
                );
            }
        }
    }

    #[test]
    fn affine_relu_agrees_with_a_matrix_product() {
        let (codes, rows) = (randn(1, 1.0, (3, 5)), randn(2, 1.0, (5, 77)));
        let start = randn(3, 1.0, (1, 77));
        let expected = codes.matmul(&rows).unwrap().broadcast_add(&start).unwrap();
        let found = affine_relu(&codes, &rows, &start).unwrap();
        assert_close(&found, &expected.relu().unwrap(), 1e-5, "affine_relu");
        assert!(affine_relu(&codes, &rows, &codes).is_err());
    }

    #[test]
    fn concatenation_and_masking_agree_with_candle() {
        let (a, b) = (randn(1, 1.0, (2, 3, 4, 5)), randn(2, 1.0, (2, 1, 4, 5)));
        let expected = Tensor::cat(&[&a, &b], 1).unwrap().to_vec1_flat();
        assert_eq!(concat_channels(&a, &b).unwrap().to_vec1_flat(), expected);
        let (x, mask) = (randn(3, 1.0, (1, 3, 4, 5)), randn(4, 1.0, (1, 1, 4, 5)));
        let expected = x.broadcast_mul(&mask).unwrap().to_vec1_flat();
        assert_eq!(masked(&x, &mask).unwrap().to_vec1_flat(), expected);
        assert!(concat_channels(&a, &x).is_err() && masked(&x, &a).is_err());
        let y = randn(5, 1.0, (1, 3, 4, 5));
        let change = (&y - &x).unwrap().broadcast_mul(&mask).unwrap();
        let expected = (&x + change).unwrap().to_vec1_flat();
        assert_eq!(lerp(&x, &y, &mask).unwrap().to_vec1_flat(), expected);
        assert!(lerp(&x, &a, &mask).is_err());
    }

    #[test]
    fn motions_are_weighted_by_the_softmax_of_their_maps() {
        let (maps, motions) = (randn(1, 3.0, (1, 4, 6, 21)), randn(2, 3.0, (3, 6, 21, 2)));
        let shares = ops::softmax(&maps.narrow(1, 0, 3).unwrap(), 1).unwrap();
        let column = shares.reshape((3, 6, 21, 1)).unwrap();
        let flow = motions
            .broadcast_mul(&column)
            .unwrap()
            .sum_keepdim(0)
            .unwrap();
        let (found, mixed) = mixed_motion(&maps, &motions).unwrap();
        for (found, expected) in [(found, shares), (mixed, flow)] {
            assert_close(&found, &expected, 3e-6, "mixed motion");
        }
        assert!(mixed_motion(&maps, &randn(3, 3.0, (5, 6, 21, 2))).is_err());
    }

    trait Flat {
        fn to_vec1_flat(&self) -> Vec<f32>;
    }

    impl Flat for Tensor {
        fn to_vec1_flat(&self) -> Vec<f32> {
            self.flatten_all().unwrap().to_vec1().unwrap()
        }
    }

    #[test]
    fn nan_is_preserved_by_elementwise_operations() {
        for isa in Isa::available() {
            let mut out = [0f32; 3];
            sigmoid_values(isa, &[f32::NAN, f32::INFINITY, f32::NEG_INFINITY], &mut out);
            assert!(out[0].is_nan());
            assert!(out[1] == 1.0 && out[2] < 1e-37, "{out:?}");
            tanh_values(isa, &[f32::NAN, f32::INFINITY, f32::NEG_INFINITY], &mut out);
            assert!(out[0].is_nan());
            assert!(out[1] == 1.0 && out[2] == -1.0, "{out:?}");
        }
    }
}
