//! How values are interpolated from one key to the next.

use serde::{Deserialize, Serialize};

/// The interpolation from a key to the next one of the same channel.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Easing {
    /// Constant speed.
    Linear,
    /// Slow at the start.
    EaseIn,
    /// Slow at the end.
    EaseOut,
    /// Slow at both ends.
    #[default]
    EaseInOut,
    /// Keeps the value until the next key.
    Hold,
    /// Two control points `[x1, y1, x2, y2]`, as in a CSS `cubic-bezier`: x is the fraction of the time, in 0..=1 so
    /// that time never runs backwards; y is the fraction of the change and may overshoot.
    Bezier([f32; 4]),
}

impl Easing {
    /// All easings, in menu order.
    pub const ALL: [Easing; 6] = [
        Easing::Linear,
        Easing::EaseIn,
        Easing::EaseOut,
        Easing::EaseInOut,
        Easing::Hold,
        Easing::BEZIER,
    ];

    /// The initial control points of a curve, close to [`Easing::EaseInOut`].
    pub const BEZIER: Easing = Easing::Bezier([0.4, 0.0, 0.6, 1.0]);

    /// The range of a control point's y, as a fraction of the change.
    pub const OVERSHOOT: std::ops::RangeInclusive<f32> = -1.0..=2.0;

    /// A curve from its control points, each clamped to its range.
    pub fn bezier([x1, y1, x2, y2]: [f32; 4]) -> Self {
        let within = |value: f32, low: f32, high: f32, else_: f32| {
            if value.is_nan() {
                else_
            } else {
                value.clamp(low, high)
            }
        };
        let (low, high) = (*Self::OVERSHOOT.start(), *Self::OVERSHOOT.end());
        Easing::Bezier([
            within(x1, 0.0, 1.0, 0.0),
            within(y1, low, high, 0.0),
            within(x2, 0.0, 1.0, 1.0),
            within(y2, low, high, 1.0),
        ])
    }

    /// The same easing, with the control points of a curve clamped to their ranges.
    pub(super) fn clamped_handles(self) -> Self {
        match self {
            Easing::Bezier(handles) => Self::bezier(handles),
            other => other,
        }
    }

    /// Its index in [`Easing::ALL`].
    pub fn index(self) -> usize {
        match self {
            Easing::Linear => 0,
            Easing::EaseIn => 1,
            Easing::EaseOut => 2,
            Easing::EaseInOut => 3,
            Easing::Hold => 4,
            Easing::Bezier(_) => 5,
        }
    }

    /// The control points `[x1, y1, x2, y2]` of a curve.
    pub fn handles(self) -> Option<[f32; 4]> {
        match self {
            Easing::Bezier(handles) => Some(handles),
            _ => None,
        }
    }

    /// The fraction of the change at `t` in 0..=1: 0 at 0 and 1 at 1, and in between in 0..=1 unless it is a curve that
    /// overshoots.
    pub fn at(self, t: f32) -> f32 {
        let t = t.clamp(0.0, 1.0);
        match self {
            Easing::Linear => t,
            Easing::EaseIn => t * t * t,
            Easing::EaseOut => 1.0 - (1.0 - t).powi(3),
            Easing::EaseInOut => t * t * (3.0 - 2.0 * t),
            Easing::Hold => {
                if t < 1.0 {
                    0.0
                } else {
                    1.0
                }
            }
            Easing::Bezier(_) if t <= 0.0 => 0.0,
            Easing::Bezier(_) if t >= 1.0 => 1.0,
            Easing::Bezier([x1, y1, x2, y2]) => {
                let s = solve(f64::from(x1), f64::from(x2), f64::from(t));
                cubic(f64::from(y1), f64::from(y2), s) as f32
            }
        }
    }
}

/// A cubic Bézier from 0 to 1 with inner control values `a` and `b`, at `s` in 0..=1.
fn cubic(a: f64, b: f64, s: f64) -> f64 {
    let r = 1.0 - s;
    3.0 * r * r * s * a + 3.0 * r * s * s * b + s * s * s
}

/// The parameter at which a cubic with inner values in 0..=1, which is monotonic, reaches `x`.
fn solve(a: f64, b: f64, x: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    // Bisection converges even where the slope vanishes; 40 steps exceed f32 precision.
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if cubic(a, b, middle) < x {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

impl std::fmt::Display for Easing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Easing::Linear => "Linear",
            Easing::EaseIn => "Ease in",
            Easing::EaseOut => "Ease out",
            Easing::EaseInOut => "Ease in and out",
            Easing::Hold => "Hold",
            Easing::Bezier(_) => "Bezier",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_easing_starts_at_0_ends_at_1_and_never_falls(a in 0f32..=1.0, b in 0f32..=1.0) {
            for easing in Easing::ALL {
                prop_assert_eq!(easing.at(0.0), 0.0);
                prop_assert_eq!(easing.at(1.0), 1.0);
                prop_assert!(easing.at(a.min(b)) <= easing.at(a.max(b)) + 1e-6);
            }
        }

        #[test]
        fn a_bezier_easing_is_exact_at_its_ends_and_continuous(handles in [-3f32..4.0, -3f32..4.0, -3f32..4.0, -3f32..4.0], t in 0f32..0.999) {
            let easing = Easing::bezier(handles);
            prop_assert_eq!((easing.at(0.0), easing.at(1.0)), (0.0, 1.0));
            prop_assert!(easing.at(1e-7).abs() < 0.05, "{}", easing.at(1e-7));
            prop_assert!((easing.at(t) - easing.at(t + 1e-6)).abs() < 0.1);
        }
    }

    #[test]
    fn a_bezier_easing_agrees_with_css_cubic_bezier() {
        // Values of `cubic-bezier(0.25, 0.1, 0.25, 1)`, computed from the polynomials.
        let ease = Easing::Bezier([0.25, 0.1, 0.25, 1.0]);
        for (t, expected) in [(0.1, 0.0948), (0.5, 0.8024), (0.9, 0.9944)] {
            assert!(
                (ease.at(t) - expected).abs() < 1e-3,
                "{t}: {} {expected}",
                ease.at(t)
            );
        }
        let straight = Easing::Bezier([0.3, 0.3, 0.7, 0.7]);
        assert!((straight.at(0.37) - 0.37).abs() < 1e-6);
    }
}
