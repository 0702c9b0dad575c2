//! The inner loop of direct convolution: a small GEMM over gathered input.
//!
//! `tile[m][i] = sum over t of weights[t][m] * input[base + offsets[t] + i]`. For a convolution with a larger kernel the
//! offsets are its taps in a padded picture (no im2col matrix is ever written); for a 1x1 kernel they are its channels.

use super::isa::{Isa, IsaLevel};

/// Output channels (`rows`) by adjacent values (`width`) that one call computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub rows: usize,
    pub width: usize,
    isa: Isa,
}

/// Values in the largest tile of any instruction set.
pub(super) const TILE: usize = 12 * 32;

/// The most values that a tile may read past a row's end.
pub(super) const MAX_OVERREAD: usize = 96;

/// Offsets of the taps, and the largest of them, which bounds the reads.
#[derive(Clone, Debug)]
pub(super) struct Taps {
    offsets: Vec<u32>,
    max_offset: usize,
}

impl Taps {
    pub fn new(offsets: impl IntoIterator<Item = usize>) -> Self {
        // A picture of more than 4 G values would not fit in memory.
        let offsets: Vec<u32> = offsets.into_iter().map(|o| o as u32).collect();
        let max_offset = offsets.iter().max().copied().unwrap_or(0) as usize;
        Self {
            offsets,
            max_offset,
        }
    }

    pub fn len(&self) -> usize {
        self.offsets.len()
    }
}

impl Shape {
    /// The tile that keeps all registers of `isa` busy for many output channels.
    pub fn wide(isa: Isa) -> Self {
        let (rows, width) = match isa.0 {
            IsaLevel::Portable => (4, 8),
            #[cfg(target_arch = "x86_64")]
            IsaLevel::Avx2 => (6, 16),
            #[cfg(target_arch = "x86_64")]
            IsaLevel::Avx512 => (12, 32),
        };
        Self { rows, width, isa }
    }

    /// The tile for at most four output channels, which would leave a wide one half empty: fewer rows, more columns.
    fn narrow(isa: Isa, channels: usize) -> Self {
        let (rows, width) = match (isa.0, channels) {
            (IsaLevel::Portable, _) => (4, 8),
            #[cfg(target_arch = "x86_64")]
            (IsaLevel::Avx2, 1) => (1, 64),
            #[cfg(target_arch = "x86_64")]
            (IsaLevel::Avx2, 2) => (2, 48),
            #[cfg(target_arch = "x86_64")]
            (IsaLevel::Avx2, 3) => (3, 32),
            #[cfg(target_arch = "x86_64")]
            (IsaLevel::Avx2, _) => (4, 16),
            #[cfg(target_arch = "x86_64")]
            (IsaLevel::Avx512, 1) => (1, 96),
            #[cfg(target_arch = "x86_64")]
            (IsaLevel::Avx512, 2) => (2, 96),
            #[cfg(target_arch = "x86_64")]
            (IsaLevel::Avx512, 3) => (3, 96),
            #[cfg(target_arch = "x86_64")]
            (IsaLevel::Avx512, _) => (4, 96),
        };
        Self { rows, width, isa }
    }

    /// The best tile for this number of output channels.
    pub fn for_channels(isa: Isa, channels: usize) -> Self {
        if channels <= 4 {
            Self::narrow(isa, channels)
        } else {
            Self::wide(isa)
        }
    }

    pub fn isa(self) -> Isa {
        self.isa
    }

    /// Computes one tile, row by row of `width` values, into the front of `tile`.
    ///
    /// # Panics
    /// If `input` ends before `base + largest offset + width`, or `weights` isn't
    /// `taps.len() * rows` long.
    #[inline]
    pub fn run(
        self,
        input: &[f32],
        base: usize,
        taps: &Taps,
        weights: &[f32],
        tile: &mut [f32; TILE],
    ) {
        assert!(base + taps.max_offset + self.width <= input.len());
        assert_eq!(weights.len(), taps.len() * self.rows);
        let input = &input[base..];
        let offsets = &taps.offsets[..];

        match (self.isa.0, self.rows) {
            (IsaLevel::Portable, _) => portable(input, offsets, weights, tile),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the CPU has the features, since `isa` says so. Each load of
            // the kernel lies in `input[offset..offset + width]` with `offset <= reach`, which the
            // first assertion bounds; weights are read below `taps * rows`, the second;
            // and `rows * width <= TILE` for every shape that the constructors make.
            (IsaLevel::Avx2, rows) => unsafe {
                match rows {
                    1 => avx2::<1, 8>(input, offsets, weights, tile),
                    2 => avx2::<2, 6>(input, offsets, weights, tile),
                    3 => avx2::<3, 4>(input, offsets, weights, tile),
                    4 => avx2::<4, 2>(input, offsets, weights, tile),
                    _ => avx2::<6, 2>(input, offsets, weights, tile),
                }
            },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            (IsaLevel::Avx512, rows) => unsafe {
                match rows {
                    1 => avx512::<1, 6>(input, offsets, weights, tile),
                    2 => avx512::<2, 6>(input, offsets, weights, tile),
                    3 => avx512::<3, 6>(input, offsets, weights, tile),
                    4 => avx512::<4, 6>(input, offsets, weights, tile),
                    _ => avx512::<12, 2>(input, offsets, weights, tile),
                }
            },
        }
    }
}

fn portable(input: &[f32], offsets: &[u32], weights: &[f32], tile: &mut [f32; TILE]) {
    let mut acc = [[0f32; 8]; 4];
    for (&offset, w) in offsets.iter().zip(weights.chunks_exact(4)) {
        let x = &input[offset as usize..][..8];
        for (row, &w) in acc.iter_mut().zip(w) {
            for (a, &x) in row.iter_mut().zip(x) {
                *a += w * x;
            }
        }
    }
    tile[..32].copy_from_slice(acc.as_flattened());
}

/// # Safety
/// The CPU has AVX2 and FMA; `input` has at least `8 * NV` values from every offset on; `weights` holds `MR` values per
/// offset; `MR * NV * 8 <= TILE`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<const MR: usize, const NV: usize>(
    input: &[f32],
    offsets: &[u32],
    weights: &[f32],
    tile: &mut [f32; TILE],
) {
    use std::arch::x86_64::{
        _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps,
    };

    const LANES: usize = 8;
    let mut acc = [[_mm256_setzero_ps(); NV]; MR];
    let mut w = weights.as_ptr();
    for &offset in offsets {
        // SAFETY: in bounds by this function's contract.
        unsafe {
            let x = input.as_ptr().add(offset as usize);
            // The smaller set of operands stays in registers together with the sums: a sum spilled to memory would
            // delay its next addition.
            if MR < NV {
                let mut factors = [_mm256_setzero_ps(); MR];
                for (m, factor) in factors.iter_mut().enumerate() {
                    *factor = _mm256_set1_ps(*w.add(m));
                }
                for v in 0..NV {
                    let x = _mm256_loadu_ps(x.add(v * LANES));
                    for (row, factor) in acc.iter_mut().zip(factors) {
                        row[v] = _mm256_fmadd_ps(factor, x, row[v]);
                    }
                }
            } else {
                let mut values = [_mm256_setzero_ps(); NV];
                for (v, value) in values.iter_mut().enumerate() {
                    *value = _mm256_loadu_ps(x.add(v * LANES));
                }
                for (m, row) in acc.iter_mut().enumerate() {
                    let w = _mm256_set1_ps(*w.add(m));
                    for (sum, x) in row.iter_mut().zip(values) {
                        *sum = _mm256_fmadd_ps(w, x, *sum);
                    }
                }
            }
            w = w.add(MR);
        }
    }
    for (m, row) in acc.iter().enumerate() {
        for (v, value) in row.iter().enumerate() {
            // SAFETY: `MR * NV * 8 <= TILE`.
            unsafe {
                _mm256_storeu_ps(tile.as_mut_ptr().add((m * NV + v) * LANES), *value);
            }
        }
    }
}

/// # Safety
/// The CPU has AVX-512F; `input` has at least `16 * NV` values from every offset on; `weights` holds `MR` values per
/// offset; `MR * NV * 16 <= TILE`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512<const MR: usize, const NV: usize>(
    input: &[f32],
    offsets: &[u32],
    weights: &[f32],
    tile: &mut [f32; TILE],
) {
    use std::arch::x86_64::{
        _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    };

    const LANES: usize = 16;
    let mut acc = [[_mm512_setzero_ps(); NV]; MR];
    let mut w = weights.as_ptr();
    for &offset in offsets {
        // SAFETY: in bounds by this function's contract.
        unsafe {
            let x = input.as_ptr().add(offset as usize);
            // The smaller set of operands stays in registers together with the sums: a sum spilled to memory would
            // delay its next addition.
            if MR < NV {
                let mut factors = [_mm512_setzero_ps(); MR];
                for (m, factor) in factors.iter_mut().enumerate() {
                    *factor = _mm512_set1_ps(*w.add(m));
                }
                for v in 0..NV {
                    let x = _mm512_loadu_ps(x.add(v * LANES));
                    for (row, factor) in acc.iter_mut().zip(factors) {
                        row[v] = _mm512_fmadd_ps(factor, x, row[v]);
                    }
                }
            } else {
                let mut values = [_mm512_setzero_ps(); NV];
                for (v, value) in values.iter_mut().enumerate() {
                    *value = _mm512_loadu_ps(x.add(v * LANES));
                }
                for (m, row) in acc.iter_mut().enumerate() {
                    let w = _mm512_set1_ps(*w.add(m));
                    for (sum, x) in row.iter_mut().zip(values) {
                        *sum = _mm512_fmadd_ps(w, x, *sum);
                    }
                }
            }
            w = w.add(MR);
        }
    }
    for (m, row) in acc.iter().enumerate() {
        for (v, value) in row.iter().enumerate() {
            // SAFETY: `MR * NV * 16 <= TILE`.
            unsafe {
                _mm512_storeu_ps(tile.as_mut_ptr().add((m * NV + v) * LANES), *value);
            }
        }
    }
}
