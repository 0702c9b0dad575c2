//! Warps pictures by the displacement of each pixel.

use std::f32::consts::PI;
use std::sync::OnceLock;

use super::field::{Field, MIN_SHIFT};
use super::image::{Image, Rgba, Sample, floor};
use crate::math::catmull_rom;
use crate::nn::isa::{Isa, multiversion};

/// Warps the source by the offset of each pixel; a draft is slightly softer. All images have the same size.
pub(super) fn resample_into(
    image: &mut Image<Rgba>,
    source: &Image<Rgba>,
    shift: &Image<[f32; 2]>,
    draft: bool,
) {
    let isa = Isa::best();
    if draft {
        let kernel = soft();
        image.for_rows(|y, row| soft_row(isa, kernel, source, y, shift.row(y), row));
    } else {
        let kernel = sharp();
        image.for_rows(|y, row| sharp_row(isa, kernel, source, y, shift.row(y), row));
    }
}

/// Adds a background where the image doesn't cover it, warped by the field as far as `stillness` (0..=1) is below 1.
pub(super) fn resample_behind(
    image: &mut Image<Rgba>,
    background: &Image<Rgba>,
    field: &Field,
    stillness: &Image<f32>,
    draft: bool,
) {
    image.for_rows(|y, row| {
        let pixels = row.iter_mut().zip(background.row(y));
        let shifts = field.shift.row(y).iter().zip(stillness.row(y));
        for (x, ((pixel, own), (shift, still))) in pixels.zip(shifts).enumerate() {
            let uncovered = 1.0 - pixel[3];
            if uncovered <= 0.0 {
                continue;
            }
            let [dx, dy] = shift.map(|v| v * (1.0 - still));
            let behind = if dx.abs() < MIN_SHIFT && dy.abs() < MIN_SHIFT {
                *own
            } else {
                let (x, y) = (x as f32 + 0.5 + dx, y as f32 + 0.5 + dy);
                within_range(if draft {
                    soft().sample(background, x, y)
                } else {
                    sharp().sample(background, x, y)
                })
            };
            *pixel = pixel.plus(behind, uncovered);
        }
    });
}

fn sharp() -> &'static Kernel<6> {
    static SHARP: OnceLock<Kernel<6>> = OnceLock::new();
    SHARP.get_or_init(|| Kernel::new(lanczos))
}

fn soft() -> &'static Kernel<4> {
    static SOFT: OnceLock<Kernel<4>> = OnceLock::new();
    SOFT.get_or_init(|| Kernel::new(catmull_rom))
}

/// Allocates the image.
#[cfg(test)]
pub(super) fn resample(
    scene: &super::scene::Scene,
    field: &super::field::Field,
    draft: bool,
) -> Image<Rgba> {
    let mut image = scene.source.clone();
    resample_into(&mut image, &scene.source, &field.shift, draft);
    image
}

multiversion! {
    fn soft_row(
        kernel: &Kernel<4>,
        source: &Image<Rgba>,
        y: usize,
        shift: &[[f32; 2]],
        row: &mut [Rgba],
    ) {
        kernel.row(source, y, shift, row);
    }
}

multiversion! {
    fn sharp_row(
        kernel: &Kernel<6>,
        source: &Image<Rgba>,
        y: usize,
        shift: &[[f32; 2]],
        row: &mut [Rgba],
    ) {
        kernel.row(source, y, shift, row);
    }
}

/// Weights of `N` (even) samples along an axis, tabulated by the position between the two middle ones.
struct Kernel<const N: usize>(Vec<[f32; N]>);

impl<const N: usize> Kernel<N> {
    /// Table entries per pixel: the error is far below one level of 255.
    const STEPS: usize = 512;

    fn new(weights: impl Fn(f32) -> [f32; N]) -> Self {
        Self(
            (0..=Self::STEPS)
                .map(|step| weights(step as f32 / Self::STEPS as f32))
                .collect(),
        )
    }

    /// Resamples a row of pixels from their displaced positions.
    #[inline(always)]
    fn row(&self, source: &Image<Rgba>, y: usize, shift: &[[f32; 2]], row: &mut [Rgba]) {
        let pixels = row.iter_mut().zip(source.row(y)).zip(shift);
        for (x, ((pixel, own), [dx, dy])) in pixels.enumerate() {
            *pixel = if dx.abs() >= MIN_SHIFT || dy.abs() >= MIN_SHIFT {
                within_range(self.sample(source, x as f32 + 0.5 + dx, y as f32 + 0.5 + dy))
            } else {
                *own
            };
        }
    }

    /// The filtered value at a point.
    #[inline(always)]
    fn sample(&self, image: &Image<Rgba>, x: f32, y: f32) -> Rgba {
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (floor(x), floor(y));
        let weights =
            |t: f32| &self.0[((t * Self::STEPS as f32 + 0.5) as i32 as usize).min(Self::STEPS)];
        let (across, down) = (weights(x - left), weights(y - top));
        let before = N as f32 / 2.0 - 1.0;
        let (left, top) = (left - before, top - before);
        let taps = N as f32;
        let is_inside = left >= 0.0
            && top >= 0.0
            && left + taps <= image.width as f32
            && top + taps <= image.height as f32;
        // Columns first, all of them and their channels in parallel.
        let mut columns = [[0.0; 4]; N];
        if is_inside {
            let first = top as i32 as usize * image.width + left as i32 as usize;
            for (j, weight) in down.iter().enumerate() {
                let row = &image.pixels[first + j * image.width..][..N];
                let row = row.as_flattened().iter();
                for (sum, value) in columns.as_flattened_mut().iter_mut().zip(row) {
                    *sum += value * weight;
                }
            }
        } else {
            let (left, top) = (left as isize, top as isize);
            for (j, weight) in (0..).zip(down) {
                for (i, sum) in (0..).zip(&mut columns) {
                    *sum = sum.plus(image.clamped(left + i, top + j), *weight);
                }
            }
        }
        let mut sum = [0.0; 4];
        for (column, weight) in columns.iter().zip(across) {
            for k in 0..4 {
                sum[k] += column[k] * weight;
            }
        }
        sum
    }
}

/// Lanczos kernel with three lobes, normalised to a sum of 1.
fn lanczos(t: f32) -> [f32; 6] {
    let sinc = |x: f32| (PI * x).sin() / (PI * x);
    let raw: [f32; 6] = std::array::from_fn(|i| {
        let away = t + 2.0 - i as f32;
        if away.fract() == 0.0 {
            // Exactly at the sample.
            f32::from(away == 0.0)
        } else {
            sinc(away) * sinc(away / 3.0)
        }
    });
    let sum: f32 = raw.iter().sum();
    raw.map(|weight| weight / sum)
}

/// Clamps the overshoot of kernels with negative lobes. All channels are treated alike, so that they share a SIMD
/// register.
#[inline(always)]
fn within_range(sample: Rgba) -> Rgba {
    let alpha = sample[3].clamp(0.0, 1.0);
    let most = [255.0 * alpha, 255.0 * alpha, 255.0 * alpha, 1.0];
    std::array::from_fn(|k| sample[k].max(0.0).min(most[k]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_tabulated_kernel_agrees_with_the_exact_one(x in 4f32..16.0, y in 4f32..16.0) {
            let image = Image::from_fn(20, 20, |x, y| [(x * x) as f32, (x * y % 7) as f32 * 30.0, 9.0, 1.0]);
            let got = Kernel::new(lanczos).sample(&image, x, y);
            let (left, top) = ((x - 0.5).floor(), (y - 0.5).floor());
            let (across, down) = (lanczos(x - 0.5 - left), lanczos(y - 0.5 - top));
            let mut exact = Rgba::default();
            for (j, below) in down.iter().enumerate() {
                for (i, beside) in across.iter().enumerate() {
                    let pixel = image.at(left as usize + i - 2, top as usize + j - 2);
                    exact = exact.plus(pixel, beside * below);
                }
            }
            for k in 0..4 {
                prop_assert!((exact[k] - got[k]).abs() < 0.5, "{exact:?} {got:?}");
            }
        }
    }
}
