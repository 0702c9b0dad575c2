//! Bicubic sampling of 8-bit RGBA: the inner loop, a weighted sum of 4x4 pixels.

use super::isa::Isa;

/// Pixels along each side of the sampled area.
pub(crate) const TAPS: usize = 4;

/// The weighted sum of four rows of four pixels, with `pitch` bytes from row to row of `area`. If `CLEAR` (pixels may
/// be transparent), colours are multiplied by their alpha. Alpha is in 0..=255.
///
/// # Panics
/// If `area` ends before the last pixel.
#[inline(always)]
pub(crate) fn weighted_sum<const CLEAR: bool>(
    isa: Isa,
    area: &[u8],
    pitch: usize,
    across: [f32; TAPS],
    down: [f32; TAPS],
) -> [f32; 4] {
    let area = &area[..3 * pitch + 16];
    #[cfg(target_arch = "x86_64")]
    if isa.has_avx2() {
        // SAFETY: an `Isa` is only constructed after these features were detected, and the slice above is as long as required.
        return unsafe { avx2::<CLEAR>(area, pitch, across, down) };
    }
    // Other targets have only the portable version.
    let _ = isa;
    portable::<CLEAR>(area, pitch, across, down)
}

/// Sums columns first: LLVM vectorises sixteen adjacent numbers best. Not inlined: an unused alpha would be optimised
/// away, and three adjacent numbers are slower than four.
#[inline(never)]
fn portable<const CLEAR: bool>(
    area: &[u8],
    pitch: usize,
    across: [f32; TAPS],
    down: [f32; TAPS],
) -> [f32; 4] {
    let mut columns = [0.0f32; 16];
    for (k, weight) in down.iter().enumerate() {
        let mut values = [0.0f32; 16];
        for (value, byte) in values.iter_mut().zip(&area[k * pitch..][..16]) {
            *value = f32::from(*byte);
        }
        if CLEAR {
            for pixel in values.as_chunks_mut::<4>().0 {
                let cover = pixel[3] * (1.0 / 255.0);
                for color in &mut pixel[..3] {
                    *color *= cover;
                }
            }
        }
        for (column, value) in columns.iter_mut().zip(values) {
            *column += value * weight;
        }
    }
    let mut sum = [0.0f32; 4];
    for (pixel, weight) in columns.as_chunks::<4>().0.iter().zip(across) {
        for (sum, value) in sum.iter_mut().zip(pixel) {
            *sum += value * weight;
        }
    }
    sum
}

/// # Safety
/// The CPU has AVX2 and FMA; `area` holds `3 * pitch + 16` bytes.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
#[inline]
unsafe fn avx2<const CLEAR: bool>(
    area: &[u8],
    pitch: usize,
    across: [f32; TAPS],
    down: [f32; TAPS],
) -> [f32; 4] {
    use std::arch::x86_64::*;

    // Pixels 0 and 1, and 2 and 3, of all rows.
    let (mut first, mut second) = (_mm256_setzero_ps(), _mm256_setzero_ps());
    for (k, weight) in down.into_iter().enumerate() {
        // SAFETY: the last row ends where the area does.
        let row = unsafe { _mm_loadu_si128(area.as_ptr().add(k * pitch).cast()) };
        let mut low = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(row));
        let mut high = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128::<8>(row)));
        if CLEAR {
            low = covered(low);
            high = covered(high);
        }
        let weight = _mm256_set1_ps(weight);
        first = _mm256_fmadd_ps(low, weight, first);
        second = _mm256_fmadd_ps(high, weight, second);
    }
    // Each pixel's weight, repeated four times.
    let [a, b, c, d] = across;
    let each = _mm256_blend_ps::<0xF0>(_mm256_set1_ps(a), _mm256_set1_ps(b));
    let others = _mm256_blend_ps::<0xF0>(_mm256_set1_ps(c), _mm256_set1_ps(d));
    let both = _mm256_fmadd_ps(second, others, _mm256_mul_ps(first, each));
    let halves = (
        _mm256_castps256_ps128(both),
        _mm256_extractf128_ps::<1>(both),
    );
    let mut sum = [0.0; 4];
    // SAFETY: `sum` has four values.
    unsafe { _mm_storeu_ps(sum.as_mut_ptr(), _mm_add_ps(halves.0, halves.1)) };
    sum
}

/// Two pixels with their colours multiplied by their alpha.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
#[inline]
fn covered(pixels: std::arch::x86_64::__m256) -> std::arch::x86_64::__m256 {
    use std::arch::x86_64::*;

    let alpha = _mm256_permute_ps::<0xFF>(pixels);
    let cover = _mm256_mul_ps(alpha, _mm256_set1_ps(1.0 / 255.0));
    _mm256_blend_ps::<0x88>(_mm256_mul_ps(pixels, cover), pixels)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_instruction_set_agrees_with_the_reference(
            area in prop::collection::vec(any::<u8>(), 3 * 24 + 16), pitch in 16usize..=24,
            across in prop::array::uniform4(-0.2f32..1.0), down in prop::array::uniform4(-0.2f32..1.0),
        ) {
            let mut expected = [[0f64; 4]; 2];
            for (y, x) in (0..16).map(|i| (i / 4, i % 4)) {
                let pixel = &area[y * pitch + 4 * x..][..4];
                let weight = f64::from(across[x]) * f64::from(down[y]);
                let cover = f64::from(pixel[3]) / 255.0;
                for c in 0..4 {
                    let value = f64::from(pixel[c]) * weight;
                    expected[0][c] += value;
                    expected[1][c] += if c < 3 { value * cover } else { value };
                }
            }
            for isa in Isa::available() {
                let found = [
                    weighted_sum::<false>(isa, &area, pitch, across, down),
                    weighted_sum::<true>(isa, &area, pitch, across, down),
                ];
                for (found, expected) in found.as_flattened().iter().zip(expected.as_flattened()) {
                    prop_assert!((f64::from(*found) - expected).abs() < 2e-3, "{isa:?}: {found} {expected}");
                }
            }
        }
    }
}
