//! Means weighted by a softmax (soft argmax): how score maps become coordinates.

use candle_core::{Result, Tensor};
use candle_nn::ops::softmax_last_dim;

use super::arena::Scratch;
use super::cuda;
use super::host;
use super::isa::{Isa, multiversion};
use super::mix::{exp_sum, maximum};

/// Multiplies each of K score maps by `sharpness`, applies a softmax over its P positions, and returns the weighted mean of each
/// of M value maps: `scores` `[K, P]` and `values` `[K or 1, M, P]` (1 is shared by all) to `[K, M]`, for each of `values`.
///
/// # Errors
/// If the sizes differ.
pub fn soft_means(scores: &Tensor, sharpness: f32, values: &[&Tensor]) -> Result<Vec<Tensor>> {
    let (k, places) = scores.dims2()?;
    let mut sizes = Vec::with_capacity(values.len());
    for values in values {
        let (of, m, p) = values.dims3()?;
        if p != places || (of != k && of != 1) {
            candle_core::bail!("{:?} say nothing about {:?}", scores.dims(), values.dims());
        }
        sizes.push((of, m));
    }
    if cuda::takes(&[scores]) && cuda::takes(values) {
        let mean = |values: &&Tensor| cuda::soft_means(scores, sharpness, values);
        return values.iter().map(mean).collect();
    }
    if !host::is_cpu_f32(scores) || !values.iter().all(|values| host::is_cpu_f32(values)) {
        let shares = softmax_last_dim(&(scores * f64::from(sharpness))?.contiguous()?)?;
        let shares = shares.reshape((k, 1, places))?;
        let mean = |values: &&Tensor| {
            let shape = (k, values.dim(1)?, places);
            let values = values.broadcast_as(shape)?.transpose(1, 2)?.contiguous()?;
            shares.matmul(&values)?.squeeze(1)
        };
        return values.iter().map(mean).collect();
    }
    let isa = Isa::best();
    let mut means: Vec<Vec<f32>> = sizes.iter().map(|(_, m)| vec![0.0; k * m]).collect();
    host::with_values(scores, |scores| {
        let mut shares = Scratch::new(places);
        for (row, scores) in scores.chunks_exact(places.max(1)).enumerate() {
            let most = maximum(isa, scores);
            let sum = exp_sum(isa, scores, most, sharpness, &mut shares);
            for ((values, (of, m)), means) in values.iter().zip(&sizes).zip(&mut means) {
                host::with_values(values, |values| {
                    let first = if *of == 1 { 0 } else { row * m };
                    for (i, mean) in means[row * m..][..*m].iter_mut().enumerate() {
                        let values = &values[(first + i) * places..][..places];
                        *mean = product(isa, &shares, values) / sum;
                    }
                    Ok(())
                })?;
            }
        }
        Ok(())
    })?;
    let tensors = means.into_iter().zip(sizes);
    tensors
        .map(|(means, (_, m))| Tensor::from_vec(means, (k, m), scores.device()))
        .collect()
}

/// Independent partial sums.
const SUMS: usize = 32;

multiversion! {
    /// The sum of `a * b`.
    fn product(a: &[f32], b: &[f32]) -> f32 {
        let mut sums = [0f32; SUMS];
        let (a_parts, a_rest) = a.as_chunks::<SUMS>();
        let (b_parts, b_rest) = b.as_chunks::<SUMS>();
        for (a, b) in a_parts.iter().zip(b_parts) {
            for k in 0..SUMS {
                sums[k] += a[k] * b[k];
            }
        }
        let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
        sums.iter().sum::<f32>() + rest
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};
    use proptest::prelude::*;

    use super::*;
    use crate::nn::testing::{assert_close, randn};

    proptest! {
        #[test]
        fn soft_means_agree_with_their_definition(
            k in 1usize..5, m in 1usize..4, places in 1usize..200, shared: bool, sharpness in 0.1f32..20.0, seed in 0usize..1000,
        ) {
            let numbers = |n: usize, seed: usize| -> Vec<f32> {
                (0..n).map(|i| ((i + seed) * 7919 % 1009) as f32 / 504.5 - 1.0).collect()
            };
            let of = if shared { 1 } else { k };
            let (scores, values) = (numbers(k * places, seed), numbers(of * m * places, seed + 17));
            let tensor = |values: &[f32], shape: &[usize]| Tensor::from_slice(values, shape, &Device::Cpu).unwrap();
            let found = soft_means(
                &tensor(&scores, &[k, places]), sharpness, &[&tensor(&values, &[of, m, places])],
            ).unwrap();
            let found: Vec<Vec<f32>> = found[0].to_vec2().unwrap();
            for (row, scores) in scores.chunks(places).enumerate() {
                let raised: Vec<f64> = scores.iter().map(|s| (f64::from(s * sharpness)).exp()).collect();
                let sum: f64 = raised.iter().sum();
                for (i, mean_found) in found[row].iter().enumerate() {
                    let first = ((if shared { 0 } else { row }) * m + i) * places;
                    let terms = raised.iter().zip(&values[first..first + places]);
                    let mean = terms.map(|(r, v)| r * f64::from(*v)).sum::<f64>() / sum;
                    prop_assert!((f64::from(*mean_found) - mean).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    fn soft_means_agree_with_candle_operations() {
        let (scores, shared, own) = (
            randn(1, 1.0, (3, 50)),
            randn(2, 1.0, (1, 2, 50)),
            randn(3, 1.0, (3, 4, 50)),
        );
        let ours = soft_means(&scores, 7.0, &[&shared, &own]).unwrap();
        // Our kernels only take f32.
        let wide = |x: &Tensor| x.to_dtype(DType::F64).unwrap();
        let theirs = soft_means(&wide(&scores), 7.0, &[&wide(&shared), &wide(&own)]).unwrap();
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_close(ours, theirs, 1e-5, "soft means");
        }
    }
}
