//! How closely one curve over time follows another, and how smoothly points move.

/// A curve whose standard deviation is below this, in units of 0..=1, counts as constant: its changes are noise.
pub const MIN_DEVIATION: f64 = 0.02;

/// Running statistics of two curves: the one that should follow, and the one that is followed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CurveCorrelation {
    count: f64,
    means: [f64; 2],
    /// Sums of the squared deviations of each, and of the products of deviations.
    squares: [f64; 2],
    product: f64,
}

impl CurveCorrelation {
    /// Adds the next pair of values; ignores pairs that aren't finite.
    pub fn push(&mut self, follows: f64, followed: f64) {
        if !follows.is_finite() || !followed.is_finite() {
            return;
        }
        // Welford's algorithm, which is numerically stable.
        self.count += 1.0;
        let before = [follows - self.means[0], followed - self.means[1]];
        for (mean, apart) in self.means.iter_mut().zip(before) {
            *mean += apart / self.count;
        }
        let after = [follows - self.means[0], followed - self.means[1]];
        for i in 0..2 {
            self.squares[i] += before[i] * after[i];
        }
        self.product += before[0] * after[1];
    }

    /// Pearson's correlation, in -1..=1; 0 if the following curve is constant. `None` for fewer than three pairs, or if
    /// the followed curve is constant ([`MIN_DEVIATION`]).
    pub fn correlation(&self) -> Option<f64> {
        let [follows, _] = self.deviations()?;
        if follows == 0.0 {
            return Some(0.0);
        }
        let scale = (self.squares[0] * self.squares[1]).sqrt();
        Some((self.product / scale).clamp(-1.0, 1.0))
    }

    /// The ratio of the standard deviations, following over followed: 1 if both move equally far. `None` as for
    /// [`CurveCorrelation::correlation`].
    pub fn amplitude(&self) -> Option<f64> {
        let [follows, followed] = self.deviations()?;
        Some(follows / followed)
    }

    fn deviations(&self) -> Option<[f64; 2]> {
        let deviations = self.squares.map(|sum| (sum.max(0.0) / self.count).sqrt());
        (self.count >= 3.0 && deviations[1] >= MIN_DEVIATION).then_some(deviations)
    }
}

/// The acceleration of landmarks over three successive frames, given as [`super::features`]: the root mean square of
/// their second differences, in the features' unit. 0 for points that are still or move uniformly. `None` for features
/// of different lengths.
pub fn acceleration(frames: [&[f32]; 3]) -> Option<f64> {
    let [first, second, third] = frames;
    if first.is_empty() || first.len() != second.len() || first.len() != third.len() {
        return None;
    }
    let square = |i: usize| {
        let [a, b, c] = [first[i], second[i], third[i]].map(f64::from);
        (c - 2.0 * b + a).powi(2)
    };
    Some((0..first.len()).map(square).sum::<f64>().sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn following(pairs: impl IntoIterator<Item = (f64, f64)>) -> CurveCorrelation {
        let mut following = CurveCorrelation::default();
        for (a, b) in pairs {
            following.push(a, b);
        }
        following
    }

    #[test]
    fn correlation_and_amplitude_agree_with_known_values() {
        let curve = [0.1, 0.4, 0.2, 0.9, 0.6];
        let half = following(curve.map(|v| (0.3 + 0.5 * v, v)));
        assert!((half.correlation().unwrap() - 1.0).abs() < 1e-12);
        assert!((half.amplitude().unwrap() - 0.5).abs() < 1e-12);
        let against = following(curve.map(|v| (1.0 - v, v)));
        assert!((against.correlation().unwrap() + 1.0).abs() < 1e-12);
        // 1 2 3 and 1 3 2: the textbook example with 0.5.
        let mixed = following([(1.0, 1.0), (2.0, 3.0), (3.0, 2.0)]);
        assert!((mixed.correlation().unwrap() - 0.5).abs() < 1e-12);
        let dead = following(curve.map(|v| (0.7, v)));
        assert_eq!(
            (dead.correlation(), dead.amplitude()),
            (Some(0.0), Some(0.0))
        );
    }

    #[test]
    fn undefined_correlations_are_none() {
        let still = following([(0.1, 0.5), (0.9, 0.51), (0.4, 0.5)]);
        assert_eq!((still.correlation(), still.amplitude()), (None, None));
        assert_eq!(following([(0.1, 0.1), (0.9, 0.9)]).correlation(), None);
        let odd = following([
            (f64::NAN, 0.0),
            (0.0, 0.0),
            (0.5, 0.5),
            (1.0, f64::INFINITY),
        ]);
        assert_eq!(odd.correlation(), None, "only two are left");
    }

    #[test]
    fn uniform_motion_has_no_acceleration() {
        let at = |t: f32| [3.0 * t, 1.0 - t];
        assert_eq!(acceleration([&at(0.0), &at(1.0), &at(2.0)]), Some(0.0));
        assert_eq!(
            acceleration([&[0.0, 0.0], &[0.0, 0.0], &[3.0, 4.0]]),
            Some(5.0)
        );
        assert_eq!(acceleration([&[0.0], &[0.0, 0.0], &[3.0, 4.0]]), None);
        assert_eq!(acceleration([&[], &[], &[]]), None);
    }

    proptest! {
        #[test]
        fn the_correlation_agrees_with_its_definition(
            pairs in prop::collection::vec((0f64..1.0, 0f64..1.0), 3..40),
        ) {
            let n = pairs.len() as f64;
            let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / n;
            let (x, y) = (mean(|p| p.0), mean(|p| p.1));
            let sum = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>();
            let [xx, yy] = [sum(&|p| (p.0 - x).powi(2)), sum(&|p| (p.1 - y).powi(2))];
            let xy = sum(&|p| (p.0 - x) * (p.1 - y));
            let found = following(pairs.clone());
            match found.correlation() {
                Some(r) => {
                    prop_assert!((r - xy / (xx * yy).sqrt()).abs() < 1e-9);
                    prop_assert!((found.amplitude().unwrap() - (xx / yy).sqrt()).abs() < 1e-9);
                }
                None => prop_assert!((yy / n).sqrt() < MIN_DEVIATION + 1e-12),
            }
        }
    }
}
