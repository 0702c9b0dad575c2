//! Resampling of a small square's planes at the pixels of a picture.

/// Filter taps: for every pixel of a line, the samples that contribute to it, with their weights.
pub(super) struct Taps {
    /// The first pixel of the line inside the square.
    pub start: usize,
    /// For each pixel from `start` on, the first sample.
    first: Vec<usize>,
    /// `width` weights per pixel; they sum to 1.
    weights: Vec<f32>,
    width: usize,
}

/// Number of taps of a square that isn't downsampled.
const ENLARGED: usize = 5;

impl Taps {
    /// Computes taps for the pixels whose centre is in `origin..origin + side` of a line of `length` pixels, for
    /// `size` samples stretched over that span. The filter is Catmull-Rom, widened when downsampling to avoid
    /// aliasing.
    pub fn new(origin: f64, side: f64, length: usize, size: usize) -> Self {
        let centre_in = |edge: f64| (edge - 0.5).ceil().clamp(0.0, length as f64) as usize;
        let (start, end) = (centre_in(origin), centre_in(origin + side));
        let scale = size as f64 / side;
        let widening = scale.max(1.0);
        let radius = 2.0 * widening;
        let width = (2.0 * radius).ceil() as usize + 1;

        let mut first = Vec::with_capacity(end.saturating_sub(start));
        let mut weights = Vec::with_capacity(first.capacity() * width);
        for pixel in start..end {
            let centre = (pixel as f64 + 0.5 - origin) * scale - 0.5;
            let from = (centre - radius).ceil() as i64;
            // Samples beyond the edge are clamped to it.
            let low = from.clamp(0, size.saturating_sub(width) as i64);
            let at = weights.len();
            weights.resize(at + width, 0.0f32);
            let mut sum = 0.0;
            for sample in from..=(centre + radius).floor() as i64 {
                let weight = catmull_rom((sample as f64 - centre) / widening) as f32;
                let clamped = sample.clamp(0, size as i64 - 1) - low;
                if let Some(slot) =
                    weights.get_mut(at + clamped.clamp(0, width as i64 - 1) as usize)
                {
                    *slot += weight;
                    sum += weight;
                }
            }
            for weight in &mut weights[at..] {
                *weight /= sum;
            }
            first.push(low as usize);
        }
        Self {
            start,
            first,
            weights,
            width,
        }
    }

    /// Returns the number of pixels inside the square.
    pub fn len(&self) -> usize {
        self.first.len()
    }

    /// Returns the samples and weights of pixel `start + i`; samples past the end have weight 0 and are omitted.
    pub fn at(&self, i: usize, size: usize) -> impl Iterator<Item = (usize, f32)> {
        let first = self.first[i];
        let count = self.width.min(size - first);
        self.weights[i * self.width..][..count]
            .iter()
            .enumerate()
            .map(move |(k, weight)| (first + k, *weight))
    }

    /// Resamples one line of `size` samples into `out`, of length [`Taps::len`].
    pub fn stretch(&self, line: &[f32], out: &mut [f32]) {
        // A constant number of taps: the loop is unrolled.
        if self.width == ENLARGED && line.len() >= ENLARGED {
            let weights = self.weights.as_chunks::<ENLARGED>().0;
            for ((out, first), weights) in out.iter_mut().zip(&self.first).zip(weights) {
                let samples = line[*first..][..ENLARGED].iter();
                *out = samples.zip(weights).map(|(sample, w)| sample * w).sum();
            }
            return;
        }
        for (i, out) in out.iter_mut().enumerate() {
            *out = self
                .at(i, line.len())
                .map(|(sample, weight)| line[sample] * weight)
                .sum();
        }
    }
}

fn catmull_rom(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        1.0 + x * x * (1.5 * x - 2.5)
    } else if x < 2.0 {
        2.0 + x * (-4.0 + x * (2.5 - 0.5 * x))
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn resampling_keeps_constants_and_linear_ramps(
            origin in -40f64..40.0, side in 4f64..200.0, length in 1usize..150, size in 4usize..64,
        ) {
            let taps = Taps::new(origin, side, length, size);
            let mut out = vec![0.0; taps.len()];
            taps.stretch(&vec![0.7; size], &mut out);
            prop_assert!(out.iter().all(|v| (v - 0.7).abs() < 1e-4));

            let ramp: Vec<f32> = (0..size).map(|i| i as f32).collect();
            taps.stretch(&ramp, &mut out);
            let scale = size as f64 / side;
            let border = 2.0 * scale.max(1.0) + 1.0;
            for (i, value) in out.iter().enumerate() {
                let centre = ((taps.start + i) as f64 + 0.5 - origin) * scale - 0.5;
                if centre > border && centre < size as f64 - 1.0 - border {
                    prop_assert!((f64::from(*value) - centre).abs() < 0.15, "{value} {centre}");
                }
            }
        }

        #[test]
        fn the_taps_cover_exactly_the_pixels_under_the_square(origin in -20f64..90.0, side in 1f64..80.0, length in 1usize..100) {
            let taps = Taps::new(origin, side, length, 16);
            for pixel in 0..length {
                let centre = pixel as f64 + 0.5;
                let under = centre >= origin && centre < origin + side;
                let reached = (taps.start..taps.start + taps.len()).contains(&pixel);
                prop_assert_eq!(under, reached, "{}", pixel);
            }
        }
    }
}
