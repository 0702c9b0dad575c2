//! The memory layout of spectra and their products.

use super::super::simd::{LANES, Simd};

/// The products of one output.
#[derive(Clone, Copy)]
pub(super) struct Products<'a> {
    /// Starts at the first phase of the first block of tiles; the phases follow each other with a stride of `width` values.
    pub values: &'a [f32],
    /// Tiles in a block.
    pub width: usize,
    /// The stride from one frequency to the next, in values.
    pub stride: usize,
    /// The stride from one block to the next, in values.
    pub block: usize,
}

impl<'a> Products<'a> {
    /// The products of the `i`-th eight tiles, starting at the first frequency.
    #[inline(always)]
    pub fn of(&self, i: usize) -> &'a [f32] {
        let eights = self.width / LANES;
        &self.values[i / eights * self.block + i % eights * LANES..]
    }
}

/// Writes the spectra of eight tiles, with a stride of `stride` values between frequencies.
#[inline(always)]
pub(super) fn store_spectra<S: Simd, const N: usize>(
    d: [[S::V; N]; N],
    to: &mut [f32],
    stride: usize,
) {
    assert!(to.len() >= (N * N - 1) * stride + LANES);
    for (i, row) in d.iter().enumerate() {
        for (j, v) in row.iter().enumerate() {
            // SAFETY: `(i * N + j) * stride + LANES` is at most the asserted length.
            unsafe { S::store_at(*v, to, (i * N + j) * stride) };
        }
    }
}

/// Reads the spectra of eight tiles, with a stride of `stride` values between frequencies.
#[inline(always)]
pub(super) fn load_spectra<S: Simd, const N: usize>(
    s: S,
    products: &[f32],
    stride: usize,
) -> [[S::V; N]; N] {
    assert!(products.len() >= (N * N - 1) * stride + LANES);
    let mut m = [[s.splat(0.0); N]; N];
    for (i, row) in m.iter_mut().enumerate() {
        for (j, v) in row.iter_mut().enumerate() {
            // SAFETY: `(i * N + j) * stride + LANES` is at most the asserted length.
            *v = unsafe { s.load_at(products, (i * N + j) * stride) };
        }
    }
    m
}
