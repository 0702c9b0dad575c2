//! Vectors of eight f32 with one interface for every instruction set; the transforms of [`super::winograd`] are written in it.
//!
//! A body generic over [`Simd`] is marked `#[inline(always)]` and called through [`dispatch`], which compiles it once
//! for each instruction set.

/// Values per vector.
pub(super) const LANES: usize = 8;

/// The vector operations of one instruction set.
///
/// A value of the type proves that the processor has the instruction set. Vectors and masks are only made with one, so
/// they prove it too.
pub(super) trait Simd: Copy {
    /// A vector of eight values.
    type V: Copy;
    /// A mask of eight lanes.
    type Mask: Copy;

    /// Loads the first eight values of `from`.
    fn load(self, from: &[f32]) -> Self::V;
    /// Stores into the first eight values of `to`.
    fn store(v: Self::V, to: &mut [f32]);
    /// [`Simd::load`] from index `at`, unchecked.
    ///
    /// # Safety
    /// `at + LANES <= from.len()`.
    unsafe fn load_at(self, from: &[f32], at: usize) -> Self::V;
    /// [`Simd::store`] from index `at`, unchecked.
    ///
    /// # Safety
    /// `at + LANES <= to.len()`.
    unsafe fn store_at(v: Self::V, to: &mut [f32], at: usize);
    fn splat(self, value: f32) -> Self::V;
    fn add(a: Self::V, b: Self::V) -> Self::V;
    fn sub(a: Self::V, b: Self::V) -> Self::V;
    /// Lane-wise maximum; NaN where `b` is NaN.
    fn max(a: Self::V, b: Self::V) -> Self::V;
    /// `a + b * factor`.
    fn add_scaled(a: Self::V, b: Self::V, factor: f32) -> Self::V;
    /// Deinterleaves 32 values: `v[j][l]` is `from[4 l + j]`.
    fn deinterleave(self, from: &[f32]) -> [Self::V; 4];
    /// Deinterleaves four values of each slice: `v[j][l]` is `from[l][at + j]`.
    ///
    /// # Safety
    /// `at + 4` is at most the length of each slice.
    unsafe fn deinterleave_of(self, from: [&[f32]; LANES], at: usize) -> [Self::V; 4];
    /// Interleaves 32 values: `v[j][l]` becomes `to[4 l + j]`.
    fn interleave(v: [Self::V; 4], to: &mut [f32]);
    /// Bitwise and.
    fn and(a: Self::V, b: Self::V) -> Self::V;
    /// Shifts the lanes up by one; lane 0 becomes the last lane of `carried`.
    fn shift_up(v: Self::V, carried: Self::V) -> Self::V;
    /// Shifts the lanes down by one; the last lane becomes 0.
    fn shift_down(v: Self::V) -> Self::V;
    /// Lane 0.
    fn first(v: Self::V) -> f32;
    /// Which of the eight indices from `left` on are inside a row of `len` values; `left` may be negative or past the end.
    fn inside_mask(self, len: usize, left: isize) -> Self::Mask;
    /// Loads the row's values at those indices, and zero in the lanes outside.
    ///
    /// # Safety
    /// `mask` is [`Simd::inside_mask`] of this `left` and of a length that is at most the row's.
    unsafe fn load_within(self, row: &[f32], left: isize, mask: Self::Mask) -> Self::V;
    /// Transposes an 8x8 matrix.
    fn transpose(v: [Self::V; LANES]) -> [Self::V; LANES];
}

/// Plain loops, for any target.
#[derive(Clone, Copy)]
pub(super) struct Portable;

impl Simd for Portable {
    type V = [f32; LANES];
    type Mask = [bool; LANES];

    #[inline(always)]
    fn load(self, from: &[f32]) -> Self::V {
        let from = &from[..LANES];
        std::array::from_fn(|l| from[l])
    }

    #[inline(always)]
    fn store(v: Self::V, to: &mut [f32]) {
        to[..LANES].copy_from_slice(&v);
    }

    #[inline(always)]
    unsafe fn load_at(self, from: &[f32], at: usize) -> Self::V {
        self.load(&from[at..])
    }

    #[inline(always)]
    unsafe fn store_at(v: Self::V, to: &mut [f32], at: usize) {
        Self::store(v, &mut to[at..]);
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Self::V {
        [value; LANES]
    }

    #[inline(always)]
    fn add(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|l| a[l] + b[l])
    }

    #[inline(always)]
    fn sub(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|l| a[l] - b[l])
    }

    #[inline(always)]
    fn max(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|l| if a[l] > b[l] { a[l] } else { b[l] })
    }

    #[inline(always)]
    fn add_scaled(a: Self::V, b: Self::V, factor: f32) -> Self::V {
        std::array::from_fn(|l| a[l] + b[l] * factor)
    }

    #[inline(always)]
    fn deinterleave(self, from: &[f32]) -> [Self::V; 4] {
        std::array::from_fn(|j| std::array::from_fn(|l| from[4 * l + j]))
    }

    #[inline(always)]
    unsafe fn deinterleave_of(self, from: [&[f32]; LANES], at: usize) -> [Self::V; 4] {
        std::array::from_fn(|j| from.map(|from| from[at + j]))
    }

    #[inline(always)]
    fn interleave(v: [Self::V; 4], to: &mut [f32]) {
        for (i, to) in to[..4 * LANES].iter_mut().enumerate() {
            *to = v[i % 4][i / 4];
        }
    }

    #[inline(always)]
    fn and(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|l| f32::from_bits(a[l].to_bits() & b[l].to_bits()))
    }

    #[inline(always)]
    fn shift_up(v: Self::V, carried: Self::V) -> Self::V {
        std::array::from_fn(|l| if l == 0 { carried[LANES - 1] } else { v[l - 1] })
    }

    #[inline(always)]
    fn shift_down(v: Self::V) -> Self::V {
        std::array::from_fn(|l| if l + 1 < LANES { v[l + 1] } else { 0.0 })
    }

    #[inline(always)]
    fn first(v: Self::V) -> f32 {
        v[0]
    }

    #[inline(always)]
    fn inside_mask(self, len: usize, left: isize) -> Self::Mask {
        std::array::from_fn(|l| (0..len as isize).contains(&(left + l as isize)))
    }

    #[inline(always)]
    unsafe fn load_within(self, row: &[f32], left: isize, mask: Self::Mask) -> Self::V {
        std::array::from_fn(|l| {
            if mask[l] {
                row[(left + l as isize) as usize]
            } else {
                0.0
            }
        })
    }

    #[inline(always)]
    fn transpose(v: [Self::V; LANES]) -> [Self::V; LANES] {
        std::array::from_fn(|i| std::array::from_fn(|j| v[j][i]))
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::Avx2;

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{LANES, Simd};
    use crate::nn::Isa;

    /// AVX2 with FMA; a value proves that the processor has both.
    #[derive(Clone, Copy)]
    pub struct Avx2(());

    impl Avx2 {
        /// Returns the proof if the instruction set, which was detected on this machine, includes them.
        #[inline(always)]
        pub fn of(isa: Isa) -> Option<Self> {
            isa.has_avx2().then_some(Self(()))
        }
    }

    /// Eight values; only made from an [`Avx2`].
    #[derive(Clone, Copy)]
    pub struct Vector(__m256);

    /// A mask of eight lanes; only made from an [`Avx2`].
    #[derive(Clone, Copy)]
    pub struct LaneMask(__m256i);

    impl Simd for Avx2 {
        type V = Vector;
        type Mask = LaneMask;

        #[inline(always)]
        fn load(self, from: &[f32]) -> Vector {
            let from = &from[..LANES];
            // SAFETY: `self` proves AVX; the slice has eight values.
            Vector(unsafe { _mm256_loadu_ps(from.as_ptr()) })
        }

        #[inline(always)]
        fn store(v: Vector, to: &mut [f32]) {
            let to = &mut to[..LANES];
            // SAFETY: a vector proves AVX; the slice has eight values.
            unsafe { _mm256_storeu_ps(to.as_mut_ptr(), v.0) }
        }

        #[inline(always)]
        unsafe fn load_at(self, from: &[f32], at: usize) -> Vector {
            debug_assert!(at + LANES <= from.len());
            // SAFETY: `self` proves AVX; the slice has eight values from `at` on, by the contract.
            Vector(unsafe { _mm256_loadu_ps(from.as_ptr().add(at)) })
        }

        #[inline(always)]
        unsafe fn store_at(v: Vector, to: &mut [f32], at: usize) {
            debug_assert!(at + LANES <= to.len());
            // SAFETY: a vector proves AVX; the slice has eight values from `at` on, by the contract.
            unsafe { _mm256_storeu_ps(to.as_mut_ptr().add(at), v.0) }
        }

        #[inline(always)]
        fn splat(self, value: f32) -> Vector {
            // SAFETY: `self` proves AVX.
            Vector(unsafe { _mm256_set1_ps(value) })
        }

        #[inline(always)]
        fn add(a: Vector, b: Vector) -> Vector {
            // SAFETY: a vector proves AVX.
            Vector(unsafe { _mm256_add_ps(a.0, b.0) })
        }

        #[inline(always)]
        fn sub(a: Vector, b: Vector) -> Vector {
            // SAFETY: a vector proves AVX.
            Vector(unsafe { _mm256_sub_ps(a.0, b.0) })
        }

        #[inline(always)]
        fn max(a: Vector, b: Vector) -> Vector {
            // SAFETY: a vector proves AVX.
            Vector(unsafe { _mm256_max_ps(a.0, b.0) })
        }

        #[inline(always)]
        fn add_scaled(a: Vector, b: Vector, factor: f32) -> Vector {
            // SAFETY: a vector proves AVX and FMA.
            Vector(unsafe { _mm256_fmadd_ps(b.0, _mm256_set1_ps(factor), a.0) })
        }

        #[inline(always)]
        fn deinterleave(self, from: &[f32]) -> [Vector; 4] {
            let from = from[..4 * LANES].as_ptr();
            // Pairs quads 0 and 4, 1 and 5, and so on in one vector each; then each half is a 4x4 transpose.
            // SAFETY: `self` proves AVX; the eight loads of four cover exactly the 32 values.
            unsafe {
                let mut v = [_mm256_setzero_ps(); 4];
                for (i, v) in v.iter_mut().enumerate() {
                    let low = _mm256_castps128_ps256(_mm_loadu_ps(from.add(4 * i)));
                    let high = _mm_loadu_ps(from.add(16 + 4 * i));
                    *v = _mm256_insertf128_ps::<1>(low, high);
                }
                transpose(v).map(Vector)
            }
        }

        #[inline(always)]
        unsafe fn deinterleave_of(self, from: [&[f32]; LANES], at: usize) -> [Vector; 4] {
            // As in `split`.
            // SAFETY: `self` proves AVX; each load of four ends within its slice, by the contract.
            unsafe {
                let mut v = [_mm256_setzero_ps(); 4];
                for (i, v) in v.iter_mut().enumerate() {
                    let low = _mm256_castps128_ps256(_mm_loadu_ps(from[i].as_ptr().add(at)));
                    let high = _mm_loadu_ps(from[i + 4].as_ptr().add(at));
                    *v = _mm256_insertf128_ps::<1>(low, high);
                }
                transpose(v).map(Vector)
            }
        }

        #[inline(always)]
        fn interleave(v: [Vector; 4], to: &mut [f32]) {
            let to = &mut to[..4 * LANES];
            // SAFETY: a vector proves AVX; the eight stores of four cover exactly the 32 values.
            unsafe {
                let v = transpose(v.map(|v| v.0));
                for (i, v) in v.iter().enumerate() {
                    let v = *v;
                    _mm_storeu_ps(to.as_mut_ptr().add(4 * i), _mm256_castps256_ps128(v));
                    _mm_storeu_ps(
                        to.as_mut_ptr().add(16 + 4 * i),
                        _mm256_extractf128_ps::<1>(v),
                    );
                }
            }
        }

        #[inline(always)]
        fn and(a: Vector, b: Vector) -> Vector {
            // SAFETY: a vector proves AVX.
            Vector(unsafe { _mm256_and_ps(a.0, b.0) })
        }

        #[inline(always)]
        fn shift_up(v: Vector, carried: Vector) -> Vector {
            // SAFETY: a vector proves AVX2.
            Vector(unsafe {
                let places = _mm256_setr_epi32(7, 0, 1, 2, 3, 4, 5, 6);
                // The permutation moves the last lane first, so the carried value is blended in there.
                let v = _mm256_blend_ps::<0x80>(v.0, carried.0);
                _mm256_permutevar8x32_ps(v, places)
            })
        }

        #[inline(always)]
        fn shift_down(v: Vector) -> Vector {
            // SAFETY: a vector proves AVX2.
            Vector(unsafe {
                let places = _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 0);
                let v = _mm256_blend_ps::<0x01>(v.0, _mm256_setzero_ps());
                _mm256_permutevar8x32_ps(v, places)
            })
        }

        #[inline(always)]
        fn first(v: Vector) -> f32 {
            // SAFETY: a vector proves AVX.
            unsafe { _mm256_cvtss_f32(v.0) }
        }

        #[inline(always)]
        fn inside_mask(self, len: usize, left: isize) -> LaneMask {
            let len = len.min(i32::MAX as usize) as i32;
            // Beyond these bounds no lane is inside the row either.
            let left = left.clamp(-(LANES as isize), len as isize) as i32;
            // SAFETY: `self` proves AVX2.
            LaneMask(unsafe {
                let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
                let at = _mm256_add_epi32(lanes, _mm256_set1_epi32(left));
                let begun = _mm256_cmpgt_epi32(at, _mm256_set1_epi32(-1));
                let goes_on = _mm256_cmpgt_epi32(_mm256_set1_epi32(len), at);
                _mm256_and_si256(begun, goes_on)
            })
        }

        #[inline(always)]
        unsafe fn load_within(self, row: &[f32], left: isize, mask: LaneMask) -> Vector {
            // SAFETY: `self` proves AVX; only lanes inside the row are read, by the contract of the mask.
            Vector(unsafe { _mm256_maskload_ps(row.as_ptr().wrapping_offset(left), mask.0) })
        }

        #[inline(always)]
        fn transpose(v: [Vector; LANES]) -> [Vector; LANES] {
            let v = v.map(|v| v.0);
            // SAFETY: a vector proves AVX.
            unsafe {
                let upper = transpose([v[0], v[1], v[2], v[3]]);
                let lower = transpose([v[4], v[5], v[6], v[7]]);
                let mut columns = [_mm256_setzero_ps(); LANES];
                for i in 0..4 {
                    columns[i] = _mm256_permute2f128_ps::<0x20>(upper[i], lower[i]);
                    columns[i + 4] = _mm256_permute2f128_ps::<0x31>(upper[i], lower[i]);
                }
                columns.map(Vector)
            }
        }
    }

    /// Transposes the 4x4 matrix in each 128-bit half.
    ///
    /// # Safety
    /// The processor has AVX.
    #[inline(always)]
    unsafe fn transpose(v: [__m256; 4]) -> [__m256; 4] {
        // SAFETY: works on registers only, with AVX by the contract.
        unsafe {
            let (a, b) = (
                _mm256_unpacklo_ps(v[0], v[1]),
                _mm256_unpackhi_ps(v[0], v[1]),
            );
            let (c, d) = (
                _mm256_unpacklo_ps(v[2], v[3]),
                _mm256_unpackhi_ps(v[2], v[3]),
            );
            [
                _mm256_shuffle_ps::<0b01_00_01_00>(a, c),
                _mm256_shuffle_ps::<0b11_10_11_10>(a, c),
                _mm256_shuffle_ps::<0b01_00_01_00>(b, d),
                _mm256_shuffle_ps::<0b11_10_11_10>(b, d),
            ]
        }
    }
}

/// Calls `body(token, args)` with the [`Simd`] type of an `Isa`, compiled for its instruction set.
macro_rules! dispatch {
    ($(#[$doc:meta])* $vis:vis fn $name:ident => $body:ident ($($arg:ident: $ty:ty),* $(,)?)) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name(isa: $crate::nn::Isa, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2(token: $crate::nn::simd::Avx2, $($arg: $ty),*) { $body(token, $($arg),*) }

            #[cfg(target_arch = "x86_64")]
            if let Some(token) = $crate::nn::simd::Avx2::of(isa) {
                // SAFETY: the token proves AVX2 and FMA.
                return unsafe { avx2(token, $($arg),*) };
            }
            // Other targets have only the portable version.
            let _ = isa;
            $body($crate::nn::simd::Portable, $($arg),*)
        }
    };
}

pub(super) use dispatch;
