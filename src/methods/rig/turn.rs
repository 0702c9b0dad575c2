//! How far a head can turn: a portrait in three-quarter view hides a side, and turning the head back would show it.

use crate::math::smoothstep_between;

/// The portrait's yaw in degrees up to which the head turns freely, and from which it turns back by at most
/// [`LEAST`] degrees.
const FREE: f32 = 10.0;
const HIDDEN: f32 = 22.0;
/// Bounds of the turn towards the hidden side, in degrees: larger than any slider's angle, and the smallest.
const MOST: f32 = 60.0;
const LEAST: f32 = 5.0;
/// The fraction of the bound up to which the turn is the wanted one; beyond it approaches the bound.
const EXACT: f32 = 0.5;

/// The yaw to draw, in degrees to the picture's right, for a wanted `yaw` of a head that has a yaw of `own` in the
/// portrait. It is `yaw` unless the turn uncovers a side that the portrait hides; it rises with `yaw`.
pub(super) fn possible_yaw(own: f32, yaw: f32) -> f32 {
    if own * yaw >= 0.0 {
        return yaw;
    }
    let bound = MOST * (LEAST / MOST).powf(smoothstep_between(FREE, HIDDEN, own.abs()));
    let exact = EXACT * bound;
    if yaw.abs() <= exact {
        return yaw;
    }
    let rest = bound - exact;
    yaw.signum() * (exact + rest * ((yaw.abs() - exact) / rest).tanh())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_frontal_head_and_a_turn_away_are_free() {
        for (own, yaw) in [(0.0, 20.0), (9.0, -20.0), (-30.0, -20.0), (40.0, 12.0)] {
            assert_eq!(possible_yaw(own, yaw), yaw);
        }
    }

    #[test]
    fn a_three_quarter_view_turns_back_by_at_most_5_degrees() {
        for (own, yaw) in [(25.0, -20.0), (-40.0, 20.0)] {
            let turned = possible_yaw(own, yaw);
            assert!(
                turned * yaw > 0.0 && (4.0..=5.0).contains(&turned.abs()),
                "{turned}"
            );
        }
    }

    proptest! {
        #[test]
        fn the_drawn_yaw_rises_with_the_wanted_one(own in -60f32..60.0, a in -20f32..20.0, b in -20f32..20.0) {
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(possible_yaw(own, low) <= possible_yaw(own, high) + 1e-4);
            prop_assert!(possible_yaw(own, a).abs() <= a.abs() + 1e-4);
        }
    }
}
