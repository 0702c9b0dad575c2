//! The colours of a region and where they are: clusters of colours and positions.

/// A colour in CIE Lab (lightness 0..=100) and its position in centimetres.
pub(super) type Feature = [f32; 5];

/// Converts red, green and blue (sRGB, 0..=255) to CIE Lab under D65.
pub(super) fn lab(rgb: [f32; 3]) -> [f32; 3] {
    let linear = |v: f32| {
        let v = (v / 255.0).clamp(0.0, 1.0);
        if v <= 0.04045 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        }
    };
    let [r, g, b] = rgb.map(linear);
    let root = |v: f32| {
        if v > 0.008_856 {
            v.cbrt()
        } else {
            7.787 * v + 16.0 / 116.0
        }
    };
    let x = root((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
    let y = root(0.2126 * r + 0.7152 * g + 0.0722 * b);
    let z = root((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// Largest number of clusters, and the samples that each needs.
const CLUSTERS: usize = 24;
const SAMPLES_EACH: usize = 20;
/// Samples beyond this number are thinned out.
const MOST_SAMPLES: usize = 2500;
const ROUNDS: usize = 5;

/// Squared weight of the axes when samples are assigned to clusters: a centimetre counts as two units of Lab.
const WEIGHTS: Feature = [1.0, 1.0, 1.0, 4.0, 4.0];

/// Smallest variances of a cluster.
const MIN_VARIANCE: Feature = [25.0, 9.0, 9.0, 2.25, 2.25];

/// Squared distances beyond this, in standard deviations, add nothing to the likelihood.
const FAR: f32 = 60.0;

/// Clusters of colours and positions.
#[derive(Debug)]
pub(super) struct ColourModel(Vec<Cluster>);

#[derive(Debug)]
struct Cluster {
    mean: Feature,
    inverse_variance: Feature,
    /// Likelihood at the mean.
    peak: f32,
}

impl ColourModel {
    /// Clusters samples by k-means. `spread` scales the clusters' variance of position: with a larger one a colour is
    /// expected farther from where it was sampled.
    pub fn new(samples: &[Feature], spread: f32) -> Self {
        let step = samples.len().div_ceil(MOST_SAMPLES).max(1);
        let samples: Vec<Feature> = samples.iter().copied().step_by(step).collect();
        let count = (samples.len() / SAMPLES_EACH).clamp(1, CLUSTERS);
        let mut means: Vec<Feature> = (0..count)
            .filter_map(|i| {
                samples
                    .get((2 * i + 1) * samples.len() / (2 * count))
                    .copied()
            })
            .collect();
        let mut sums = Vec::new();
        for _ in 0..ROUNDS {
            sums = vec![Sum::default(); means.len()];
            for sample in &samples {
                sums[nearest(&means, sample)].add(sample);
            }
            for (mean, sum) in means.iter_mut().zip(&sums) {
                if sum.count > 0.0 {
                    *mean = sum.first.map(|v| v / sum.count);
                }
            }
        }
        let clusters = sums.iter().filter(|sum| sum.count >= 3.0).map(|sum| {
            let mean = sum.first.map(|v| v / sum.count);
            let variance: Feature = std::array::from_fn(|k| {
                let variance = sum.second[k] / sum.count - mean[k] * mean[k];
                variance.max(MIN_VARIANCE[k]) * if k < 3 { 1.0 } else { spread }
            });
            let volume = (variance[0] * variance[1] * variance[2]).sqrt();
            Cluster {
                mean,
                inverse_variance: variance.map(|v| 1.0 / v),
                peak: sum.count / samples.len() as f32 / volume,
            }
        });
        Self(clusters.collect())
    }

    /// How likely a colour is at a position; a relative number of at least 0.
    pub fn likelihood(&self, at: &Feature) -> f32 {
        let clusters = self.0.iter().map(|cluster| {
            let axes = at.iter().zip(&cluster.mean).zip(&cluster.inverse_variance);
            let distance: f32 = axes
                .map(|((at, mean), inverse)| (at - mean) * (at - mean) * inverse)
                .sum();
            if distance < FAR {
                cluster.peak * (-0.5 * distance).exp()
            } else {
                0.0
            }
        });
        clusters.sum()
    }
}

/// Sums of a cluster's samples and of their squares.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    count: f32,
    first: Feature,
    second: Feature,
}

impl Sum {
    fn add(&mut self, sample: &Feature) {
        self.count += 1.0;
        for (k, v) in sample.iter().enumerate() {
            self.first[k] += v;
            self.second[k] += v * v;
        }
    }
}

fn nearest(means: &[Feature], sample: &Feature) -> usize {
    let distance = |mean: &Feature| -> f32 {
        (0..5)
            .map(|k| WEIGHTS[k] * (mean[k] - sample[k]).powi(2))
            .sum()
    };
    let mut best = (f32::INFINITY, 0);
    for (i, mean) in means.iter().enumerate() {
        let away = distance(mean);
        if away < best.0 {
            best = (away, i);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lab_has_its_known_values() {
        for (rgb, wanted) in [
            ([255.0; 3], [100.0, 0.0, 0.0]),
            ([0.0; 3], [0.0; 3]),
            ([255.0, 0.0, 0.0], [53.2, 80.1, 67.2]),
            ([0.0, 0.0, 255.0], [32.3, 79.2, -107.9]),
        ] {
            let got = lab(rgb);
            for k in 0..3 {
                assert!((got[k] - wanted[k]).abs() < 0.6, "{rgb:?}: {got:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn colours_of_a_region_are_likelier_there_than_others(
            base in prop::array::uniform5(-20f32..20.0), n in 40usize..400,
        ) {
            let samples: Vec<Feature> = (0..n)
                .map(|i| std::array::from_fn(|k| base[k] + ((i * (k + 3) * 7919) % 13) as f32 * 0.1))
                .collect();
            let model = ColourModel::new(&samples, 4.0);
            let mut other = samples[0];
            other[0] += 60.0;
            prop_assert!(model.likelihood(&samples[0]) > 100.0 * model.likelihood(&other));
        }
    }

    #[test]
    fn a_model_of_nothing_finds_nothing_likely() {
        assert_eq!(ColourModel::new(&[], 1.0).likelihood(&[0.0; 5]), 0.0);
    }
}
