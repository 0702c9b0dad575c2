//! The outputs of the authors' networks, and their difference from ours.

use std::collections::HashMap;
use std::path::PathBuf;

use candle_core::{Device, Tensor};

/// The seed of the outputs: `MIEN_PARITY_SEED`, or else 1.
pub fn seed() -> u64 {
    std::env::var("MIEN_PARITY_SEED").map_or(1, |s| s.parse().expect("MIEN_PARITY_SEED: a number"))
}

/// The outputs in a file of the folder `MIEN_PARITY_DIR`, or else of the repository.
pub fn expected(file: &str) -> HashMap<String, Tensor> {
    let folder = std::env::var_os("MIEN_PARITY_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/parity"),
        PathBuf::from,
    );
    let file = folder.join(file);
    candle_core::safetensors::load(&file, &Device::Cpu)
        .unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// The largest absolute difference; infinite if there is a NaN.
pub fn difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    apart(&values(a), &values(b))
}

/// [`difference`] of slices.
pub fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let pairs = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    pairs.fold(0.0, |most, d| {
        if d.is_nan() {
            f32::INFINITY
        } else {
            d.max(most)
        }
    })
}
