//! The inner loop of matrix products: one tile of the result at a time, from packed operands.
//!
//! `out[m][n] = sum over k of a[k][m] * b[k][n]`, with `m < rows` and `n < width` of the [`GemmKernel`]; both operands are
//! packed in the order they are read.

use super::isa::{Isa, IsaLevel};

/// The tile that keeps the registers of an instruction set busy.
#[derive(Clone, Copy, Debug)]
pub(super) struct GemmKernel {
    isa: Isa,
    /// Rows of a tile: output channels.
    pub rows: usize,
    /// Columns of a tile: positions. A multiple of 8.
    pub width: usize,
}

impl GemmKernel {
    pub fn of(isa: Isa) -> Self {
        let (rows, width) = match isa.0 {
            IsaLevel::Portable if cfg!(target_arch = "aarch64") => (6, 16),
            IsaLevel::Portable => (4, 8),
            #[cfg(target_arch = "x86_64")]
            IsaLevel::Avx2 => (6, 16),
            #[cfg(target_arch = "x86_64")]
            IsaLevel::Avx512 => (12, 32),
        };
        Self { isa, rows, width }
    }

    pub fn isa(self) -> Isa {
        self.isa
    }

    /// Computes one tile; its rows are written to `out` with a stride of `stride` values.
    ///
    /// # Panics
    /// If the operands differ in depth or `out` is too short.
    #[inline]
    pub fn tile(self, a: &[f32], b: &[f32], out: &mut [f32], stride: usize) {
        let depth = b.len() / self.width;
        assert_eq!(a.len(), depth * self.rows);
        assert_eq!(b.len(), depth * self.width);
        assert!(stride >= self.width && out.len() >= (self.rows - 1) * stride + self.width);
        match self.isa.0 {
            IsaLevel::Portable if cfg!(target_arch = "aarch64") => {
                portable::<6, 16>(a, b, out, stride)
            }
            IsaLevel::Portable => portable::<4, 8>(a, b, out, stride),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the CPU has the features, since `isa` says so; the assertions bound what is read of either operand and
            // written of `out`, with the rows and width that `GemmKernel::of` gives.
            IsaLevel::Avx2 => unsafe { avx2(a, b, out, stride) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            IsaLevel::Avx512 => unsafe { avx512(a, b, out, stride) },
        }
    }
}

/// Uses a fused multiply-add where the machine always has one, as 64-bit Arm does.
#[inline(always)]
fn multiply_add(sum: f32, a: f32, b: f32) -> f32 {
    if cfg!(target_arch = "aarch64") {
        a.mul_add(b, sum)
    } else {
        sum + a * b
    }
}

#[inline(always)]
fn portable<const MR: usize, const NR: usize>(
    a: &[f32],
    b: &[f32],
    out: &mut [f32],
    stride: usize,
) {
    let mut acc = [[0f32; NR]; MR];
    for (a, b) in a.chunks_exact(MR).zip(b.chunks_exact(NR)) {
        for (row, &a) in acc.iter_mut().zip(a) {
            for (sum, &b) in row.iter_mut().zip(b) {
                *sum = multiply_add(*sum, a, b);
            }
        }
    }
    for (row, out) in acc.iter().zip(out.chunks_mut(stride)) {
        out[..NR].copy_from_slice(row);
    }
}

/// # Safety
/// The CPU has AVX2 and FMA; `a` holds 6 and `b` 16 values per step; `out` has at least 16 values from `5 * stride` on.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(a: &[f32], b: &[f32], out: &mut [f32], stride: usize) {
    use std::arch::x86_64::{
        _MM_HINT_T0, _mm_prefetch, _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_loadu_ps,
        _mm256_setzero_ps, _mm256_storeu_ps,
    };

    // Prefetches the next panel of `a`, which follows this one in memory.
    let ahead = a.len();
    let mut acc = [[_mm256_setzero_ps(); 2]; 6];
    let (mut a, mut p, end) = (a.as_ptr(), b.as_ptr(), b.as_ptr_range().end);
    while p < end {
        // SAFETY: each iteration reads the next 16 values of `b` and the next 6 of `a`, which has as many groups of 6 as
        // `b` has of 16; the prefetched address is never dereferenced and may be out of bounds.
        unsafe {
            let x = [_mm256_loadu_ps(p), _mm256_loadu_ps(p.add(8))];
            for (m, row) in acc.iter_mut().enumerate() {
                let w = _mm256_broadcast_ss(&*a.add(m));
                row[0] = _mm256_fmadd_ps(w, x[0], row[0]);
                row[1] = _mm256_fmadd_ps(w, x[1], row[1]);
            }
            _mm_prefetch::<_MM_HINT_T0>(a.wrapping_add(ahead).cast());
            a = a.add(6);
            p = p.add(16);
        }
    }
    for (m, row) in acc.iter().enumerate() {
        // SAFETY: `m * stride + 16 <= out.len()` by the contract.
        unsafe {
            let to = out.as_mut_ptr().add(m * stride);
            _mm256_storeu_ps(to, row[0]);
            _mm256_storeu_ps(to.add(8), row[1]);
        }
    }
}

/// # Safety
/// The CPU has AVX-512F; `a` holds 12 and `b` 32 values per step; `out` has at least 32 values from `11 * stride` on.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512(a: &[f32], b: &[f32], out: &mut [f32], stride: usize) {
    use std::arch::x86_64::{
        _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    };

    let mut acc = [[_mm512_setzero_ps(); 2]; 12];
    let (mut a, mut p, end) = (a.as_ptr(), b.as_ptr(), b.as_ptr_range().end);
    while p < end {
        // SAFETY: each iteration reads the next 32 values of `b` and the next 12 of `a`, which has as many groups of 12
        // as `b` has of 32.
        unsafe {
            let x = [_mm512_loadu_ps(p), _mm512_loadu_ps(p.add(16))];
            for (m, row) in acc.iter_mut().enumerate() {
                let w = _mm512_set1_ps(*a.add(m));
                row[0] = _mm512_fmadd_ps(w, x[0], row[0]);
                row[1] = _mm512_fmadd_ps(w, x[1], row[1]);
            }
            a = a.add(12);
            p = p.add(32);
        }
    }
    for (m, row) in acc.iter().enumerate() {
        // SAFETY: `m * stride + 32 <= out.len()` by the contract.
        unsafe {
            let to = out.as_mut_ptr().add(m * stride);
            _mm512_storeu_ps(to, row[0]);
            _mm512_storeu_ps(to.add(16), row[1]);
        }
    }
}
