//! A scalar plane sampled on a small grid over the crop, with its filters.

use rayon::prelude::*;

use crate::face::resample::Taps;
use crate::math::catmull_rom;

/// `[height, width]`; sample `i` of `n` is at the share `(i + 0.5) / n` of the crop.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plane {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

impl Plane {
    /// Creates a square plane; `values` holds `size * size` samples.
    pub fn square(size: usize, values: Vec<f32>) -> Self {
        Self {
            width: size,
            height: size,
            values,
        }
    }

    /// Resamples with a Catmull-Rom filter, widened when downsampling, which preserves sharpness.
    pub fn stretched(&self, size: usize) -> Self {
        if (self.width, self.height) == (size, size) {
            return self.clone();
        }
        if self.values.iter().all(|value| *value == 0.0) {
            return Self::square(size, vec![0.0; size * size]);
        }
        let weights = |from: usize| -> Weights {
            let taps = Taps::new(0.0, size as f64, size, from);
            (0..taps.len())
                .map(|i| taps.at(i, from).collect())
                .collect()
        };
        self.weighted(&weights(self.width), &weights(self.height))
    }

    /// Resamples as a uniform cubic B-spline with the samples as control points. The result is twice continuously
    /// differentiable, so the grid doesn't show, and stays within the samples' range. Constants and linear ramps are
    /// preserved.
    pub fn spline(&self, size: usize) -> Self {
        self.weighted(
            &spline_weights(self.width, size),
            &spline_weights(self.height, size),
        )
    }

    /// Returns the Catmull-Rom value at a position, clamped to the edge.
    #[inline]
    pub fn cubic(&self, place: &Cubic) -> f32 {
        let mut sum = 0.0;
        for (row, weight) in place.rows.iter().zip(place.down) {
            let line = &self.values[row * self.width..][..self.width];
            let taps = place.columns.iter().zip(place.across);
            let along: f32 = taps.map(|(i, w)| line[*i] * w).sum();
            sum += weight * along;
        }
        sum
    }

    /// Box mean over the samples within `radius` along both axes, as far as they are in the plane.
    pub fn box_blur(&self, radius: usize) -> Self {
        self.along_both(|line, out| {
            let mut sum: f32 = line.iter().take(radius).sum();
            for (i, out) in out.iter_mut().enumerate() {
                sum += line.get(i + radius).copied().unwrap_or(0.0);
                if i > radius {
                    sum -= line[i - radius - 1];
                }
                let count = (i + radius + 1).min(line.len()) - i.saturating_sub(radius);
                *out = sum / count as f32;
            }
        })
    }

    /// A smoother blur: two box means of half the radius each.
    pub fn double_box_blur(&self, radius: usize) -> Self {
        let half = radius.div_ceil(2);
        self.box_blur(half).box_blur(half)
    }

    /// The maximum of the samples within `radius` along both axes.
    pub fn max_filter(&self, radius: usize) -> Self {
        self.along_both(|line, out| {
            for (i, out) in out.iter_mut().enumerate() {
                let near = i.saturating_sub(radius)..(i + radius + 1).min(line.len());
                *out = line[near].iter().copied().fold(f32::NEG_INFINITY, f32::max);
            }
        })
    }

    /// Applies `change` to each value.
    pub fn map(mut self, change: impl Fn(f32) -> f32) -> Self {
        for value in &mut self.values {
            *value = change(*value);
        }
        self
    }

    /// Applies `filter` along rows and then along columns.
    fn along_both(&self, filter: impl Fn(&[f32], &mut [f32])) -> Self {
        let along_rows = |plane: &Plane| {
            let mut turned = vec![0.0; plane.values.len()];
            let mut line = vec![0.0; plane.width];
            for (y, row) in plane.values.chunks_exact(plane.width).enumerate() {
                filter(row, &mut line);
                for (x, value) in line.iter().enumerate() {
                    turned[x * plane.height + y] = *value;
                }
            }
            Plane {
                width: plane.height,
                height: plane.width,
                values: turned,
            }
        };
        along_rows(&along_rows(self))
    }

    fn weighted(&self, across: &Weights, down: &Weights) -> Self {
        let (width, height) = (across.len(), down.len());
        let mut wide = vec![0.0f32; self.height * width];
        wide.par_chunks_mut(width.max(1))
            .zip(self.values.par_chunks(self.width))
            .with_min_len(8)
            .for_each(|(out, line)| {
                for (out, taps) in out.iter_mut().zip(across) {
                    *out = taps.iter().map(|(i, weight)| line[*i] * weight).sum();
                }
            });
        let mut values = vec![0.0f32; height * width];
        values
            .par_chunks_mut(width.max(1))
            .zip(down)
            .with_min_len(8)
            .for_each(|(out, taps)| {
                for (i, weight) in taps {
                    for (out, value) in out.iter_mut().zip(&wide[i * width..]) {
                        *out += value * weight;
                    }
                }
            });
        Self {
            width,
            height,
            values,
        }
    }
}

/// For each new sample, the old samples with their weights.
type Weights = Vec<Vec<(usize, f32)>>;

fn spline_weights(from: usize, size: usize) -> Weights {
    (0..size)
        .map(|i| {
            let at = (i as f64 + 0.5) * from as f64 / size as f64 - 0.5;
            let first = at.floor();
            let t = (at - first) as f32;
            let s = 1.0 - t;
            let weights = [
                s * s * s / 6.0,
                (4.0 + t * t * (3.0 * t - 6.0)) / 6.0,
                (4.0 + s * s * (3.0 * s - 6.0)) / 6.0,
                t * t * t / 6.0,
            ];
            let near = (-1..=2).map(|k| (first as i64 + k).clamp(0, from as i64 - 1) as usize);
            near.zip(weights).collect()
        })
        .collect()
}

/// The filter taps of a position in planes of one size.
pub(super) struct Cubic {
    columns: [usize; 4],
    across: [f32; 4],
    rows: [usize; 4],
    down: [f32; 4],
}

impl Cubic {
    /// Computes the taps at a position, where the centre of sample `i` is `i`, of a plane of `size` samples per side.
    #[inline]
    pub fn new((x, y): (f32, f32), size: usize) -> Self {
        let (columns, across) = cubic_taps(x, size);
        let (rows, down) = cubic_taps(y, size);
        Self {
            columns,
            across,
            rows,
            down,
        }
    }
}

#[inline]
fn cubic_taps(at: f32, size: usize) -> ([usize; 4], [f32; 4]) {
    let (first, t) = split(at);
    let last = size as i64 - 1;
    let near = |k: i64| first.saturating_add(k).clamp(0, last) as usize;
    ([near(-1), near(0), near(1), near(2)], catmull_rom(t))
}

/// Returns the floor of `value` and the fraction.
#[inline(always)]
fn split(value: f32) -> (i64, f32) {
    // Not `floor`, which is a function call on baseline x86-64.
    let toward_zero = value as i64;
    let whole = toward_zero.saturating_sub(i64::from(value < toward_zero as f32));
    (whole, value - whole as f32)
}

/// 1.5 * 2^23: added to a value of magnitude below 4 million, it rounds to an integer that can be read from the sum's
/// bits. Unlike a saturating conversion, this vectorises.
pub(super) const ROUND_MAGIC: f32 = 12_582_912.0;

/// [`split`] for magnitudes below 2 million, vectorisable. For an integer the fraction may be 1, with the integer
/// before.
#[inline(always)]
pub(super) fn split_small(value: f32) -> (i32, f32) {
    let near = (value - 0.5) + ROUND_MAGIC;
    let whole = near.to_bits() as i32 - ROUND_MAGIC.to_bits() as i32;
    (whole, value - (near - ROUND_MAGIC))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plane(width: usize, height: usize, value: impl Fn(usize, usize) -> f32) -> Plane {
        let values = (0..width * height).map(|i| value(i % width, i / width));
        Plane {
            width,
            height,
            values: values.collect(),
        }
    }

    fn noise(width: usize, height: usize, seed: usize) -> Plane {
        plane(width, height, |x, y| {
            let hash = (x * 7919 + y * 104_729 + seed).wrapping_mul(2_654_435_761);
            (hash >> 11 & 1023) as f32 / 1023.0
        })
    }

    proptest! {
        #[test]
        fn box_blur_and_max_filter_agree_with_their_definitions(
            width in 1usize..14, height in 1usize..14, radius in 0usize..6, seed in 0usize..1000,
        ) {
            let plane = noise(width, height, seed);
            let (mean, most) = (plane.box_blur(radius), plane.max_filter(radius));
            for y in 0..height {
                for x in 0..width {
                    let mut near = Vec::new();
                    for j in y.saturating_sub(radius)..=(y + radius).min(height - 1) {
                        for i in x.saturating_sub(radius)..=(x + radius).min(width - 1) {
                            near.push(plane.values[j * width + i]);
                        }
                    }
                    let wanted = near.iter().sum::<f32>() / near.len() as f32;
                    prop_assert!((mean.values[y * width + x] - wanted).abs() < 1e-5);
                    let wanted = near.into_iter().fold(0.0, f32::max);
                    prop_assert_eq!(most.values[y * width + x], wanted);
                }
            }
        }

        #[test]
        fn spline_upsampling_never_overshoots(width in 1usize..9, height in 1usize..9, size in 1usize..60, seed in 0usize..99) {
            let plane = noise(width, height, seed);
            let low = plane.values.iter().copied().fold(1.0, f32::min) - 1e-6;
            let high = plane.values.iter().copied().fold(0.0, f32::max) + 1e-6;
            prop_assert!(plane.spline(size).values.iter().all(|v| (low..=high).contains(v)));
        }
    }

    proptest! {
        #[test]
        fn the_fast_split_into_floor_and_fraction_agrees_with_the_general_one(value in -2e6f32..2e6) {
            let (whole, rest) = split_small(value);
            prop_assert!((0.0..=1.0).contains(&rest));
            prop_assert_eq!(whole as f32 + rest, value);
            let (own, own_rest) = split(value);
            prop_assert!(i64::from(whole) == own || (i64::from(whole) + 1, 1.0, 0.0) == (own, rest, own_rest));
        }
    }

    #[test]
    fn upsampling_keeps_linear_ramps() {
        let ramp = plane(16, 12, |x, y| x as f32 - 2.0 * y as f32);
        for (size, plane) in [(50, ramp.spline(50)), (64, ramp.stretched(64))] {
            let place = |i: usize, n: f32| (i as f32 + 0.5) * n / size as f32 - 0.5;
            for (x, y) in [(size / 2, size / 2), (size / 3, size / 4)] {
                let wanted = place(x, 16.0) - 2.0 * place(y, 12.0);
                assert!((plane.values[y * size + x] - wanted).abs() < 0.02);
            }
        }
        assert!((ramp.cubic(&Cubic::new((4.25, 5.5), 12)) - (4.25 - 11.0)).abs() < 1e-4);
        assert_eq!(ramp.cubic(&Cubic::new((-9.0, 40.0), 12)), -22.0);
    }

    #[test]
    fn spline_upsampling_has_a_continuous_second_difference() {
        let bump = plane(16, 16, |x, y| {
            let (x, y) = (x as f32 - 7.5, y as f32 - 7.5);
            (-(x * x + y * y) / 8.0).exp()
        });
        // Where facets meet, the second difference would jump by its full magnitude.
        let fine = bump.spline(512);
        let line = &fine.values[256 * 512..][..512];
        let second: Vec<f32> = line.windows(3).map(|w| w[0] - 2.0 * w[1] + w[2]).collect();
        let most = second.iter().copied().fold(0.0, |a: f32, b| a.max(b.abs()));
        let jump = second
            .windows(2)
            .map(|w| (w[1] - w[0]).abs())
            .fold(0.0, f32::max);
        assert!(jump < 0.1 * most, "{jump} {most}");
    }
}
