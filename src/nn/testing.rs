//! Seeded tensors for tests, and a comparison whose tolerance grows with the values.

use candle_core::{DType, Device, Shape, Tensor};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Normally distributed values, the same in every run.
pub fn randn(seed: u64, deviation: f32, shape: impl Into<Shape>) -> Tensor {
    let shape = shape.into();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // In (0, 1], so that the logarithm is finite.
    let mut uniform = || (f64::from(rng.next_u32()) + 1.0) / 4_294_967_296.0;
    let values: Vec<f32> = (0..shape.elem_count())
        .map(|_| {
            let radius = (-2.0 * uniform().ln()).sqrt();
            deviation * (radius * (std::f64::consts::TAU * uniform()).cos()) as f32
        })
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// Asserts that each value is within `tolerance * (size + |value|)`, where `size` is the root mean square of all
/// values, at least 1: rounding errors grow with the terms of a sum, not with the sum.
pub fn assert_close(found: &Tensor, expected: &Tensor, tolerance: f64, what: &str) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let values = |x: &Tensor| -> Vec<f64> {
        let x = x.to_dtype(DType::F64).unwrap();
        x.flatten_all().unwrap().to_vec1().unwrap()
    };
    let (found, expected) = (values(found), values(expected));
    let bounds = bounds(&expected, tolerance);
    for (i, ((f, e), bound)) in found.iter().zip(&expected).zip(bounds).enumerate() {
        assert!((f - e).abs() <= bound, "{what} at {i}: {f}, not {e}");
    }
}

/// The tolerances of [`assert_close`], one per value.
pub fn bounds(expected: &[f64], tolerance: f64) -> impl Iterator<Item = f64> {
    let mean = expected.iter().map(|e| e * e).sum::<f64>() / expected.len().max(1) as f64;
    let size = mean.sqrt().max(1.0);
    expected.iter().map(move |e| tolerance * (size + e.abs()))
}
