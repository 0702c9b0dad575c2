//! How spectra and their products lie in memory.

use super::super::simd::{LANES, Simd};

/// Where the products of one output lie.
#[derive(Clone, Copy)]
pub(super) struct Products<'a> {
    /// From the first phase of the first block of tiles on; other phases follow at every `width` values.
    pub values: &'a [f32],
    /// Tiles in a block.
    pub width: usize,
    /// Values from one frequency to the next.
    pub stride: usize,
    /// Values from one block to the next.
    pub block: usize,
}

impl<'a> Products<'a> {
    /// Those of the eight tiles `i`, from the first frequency on.
    #[inline(always)]
    pub fn of(&self, i: usize) -> &'a [f32] {
        let eights = self.width / LANES;
        &self.values[i / eights * self.block + i % eights * LANES..]
    }
}

/// Writes the spectra of eight tiles, frequencies `stride` values from one another.
#[inline(always)]
pub(super) fn put<S: Simd, const N: usize>(d: [[S::V; N]; N], to: &mut [f32], stride: usize) {
    assert!(to.len() >= (N * N - 1) * stride + LANES);
    for (i, row) in d.iter().enumerate() {
        for (j, v) in row.iter().enumerate() {
            // SAFETY: `(i * N + j) * stride + LANES` is at most what was asserted.
            unsafe { S::store_at(*v, to, (i * N + j) * stride) };
        }
    }
}

/// Reads the spectra of eight tiles, frequencies `stride` values from one another.
#[inline(always)]
pub(super) fn take<S: Simd, const N: usize>(
    s: S,
    products: &[f32],
    stride: usize,
) -> [[S::V; N]; N] {
    assert!(products.len() >= (N * N - 1) * stride + LANES);
    let mut m = [[s.splat(0.0); N]; N];
    for (i, row) in m.iter_mut().enumerate() {
        for (j, v) in row.iter_mut().enumerate() {
            // SAFETY: `(i * N + j) * stride + LANES` is at most what was asserted.
            *v = unsafe { s.load_at(products, (i * N + j) * stride) };
        }
    }
    m
}
