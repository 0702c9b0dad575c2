//! What a clip's face asks of the portrait's Action Units.

use crate::document::{ActionUnit, AuVector, Follow, Pose};
use crate::drive::au_track::{AuTrack, Reading};
use crate::face::OneEuro;

/// The filter that the two settings of [`Follow`] stand for, both in 0..=1: how still a curve is held (0 doesn't smooth at
/// all), and how quickly it follows a fast movement. In their middle it is the filter's default.
pub fn smoothing(still: f32, quick: f32) -> OneEuro {
    if still <= 0.0 {
        return OneEuro::OFF;
    }
    let usual = OneEuro::default();
    // Each end is eight times as much, or as little, as the middle.
    let factor = |value: f32| 64f32.powf(value - 0.5);
    OneEuro {
        min_cutoff_hz: usual.min_cutoff_hz / factor(still),
        beta: usual.beta * factor(quick),
        ..usual
    }
}

/// The expressions asked for, as many as the track has frames; `None` where there is no face.
pub(crate) fn poses(
    track: &AuTrack,
    follow: &Follow,
    reference: usize,
    source: &AuVector,
) -> Vec<Option<Pose>> {
    let reading = Reading {
        smoothing: smoothing(follow.still, follow.quick),
        own: follow.own.unwrap_or_else(|| track.rests()),
    };
    let start = follow.relative.then_some((source, reference));
    let strength = held(follow.strength);
    let gains: [f32; ActionUnit::COUNT] =
        ActionUnit::ALL.map(|unit| strength * held(follow.gain(unit.group())));
    let moved = track.moved(reading, start).into_iter();
    moved
        .map(|aus| Some(Pose::from(lerp(source, &aus?, &gains))))
        .collect()
}

/// A strength within what is accepted; what is no number leaves the movement as it is.
fn held(strength: f32) -> f32 {
    if strength.is_nan() {
        return 1.0;
    }
    strength.clamp(*Follow::STRENGTH.start(), *Follow::STRENGTH.end())
}

/// From one expression towards another, as far as the gain of each unit says: 0 not at all, 1 there, more beyond.
pub fn lerp(source: &AuVector, target: &AuVector, gains: &[f32; ActionUnit::COUNT]) -> AuVector {
    AuVector::from(std::array::from_fn(|i| {
        let (from, to) = (source.values()[i], target.values()[i]);
        from + gains[i] * (to - from)
    }))
}
