//! What a clip's face asks of the portrait's Action Units.

use crate::document::{ActionUnit, AuVector, Follow, HeadTurn, Pose};
use crate::drive::au_track::{AuTrack, Reading, begin_at};

use crate::face::{HeadPose, OneEuro, smooth};

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

/// How a track is read.
pub(crate) fn reading(track: &AuTrack, follow: &Follow) -> Reading {
    Reading {
        smoothing: smoothing(follow.still, follow.quick),
        own: follow.own.unwrap_or_else(|| track.rests()),
    }
}

/// The expressions asked for by Action Units as they were read, as many; `None` where there is no face.
pub(crate) fn poses(
    mut read: Vec<Option<AuVector>>,
    follow: &Follow,
    reference: usize,
    source: &AuVector,
) -> Vec<Option<Pose>> {
    if follow.relative {
        begin_at(&mut read, source, reference);
    }
    let strength = held(follow.strength);
    let gains: [f32; ActionUnit::COUNT] =
        ActionUnit::ALL.map(|unit| strength * held(follow.gain(unit.group())));
    read.into_iter()
        .map(|aus| Some(Pose::from(lerp(source, &aus?, &gains))))
        .collect()
}

/// Turns the heads of expressions as those of the frames are turned against the reference frame's, smoothed and as strongly as
/// the settings say. `heads` are as many as `poses`, their `times` in seconds.
pub(crate) fn turn_heads(
    poses: &mut [Option<Pose>],
    heads: &[Option<HeadPose>],
    times: &[f64],
    reference: usize,
    follow: &Follow,
) {
    /// Degrees that count like the whole of a unit's range to the filter.
    const RANGE: f32 = 20.0;
    let Some(Some(rest)) = heads.get(reference) else {
        return;
    };
    let angles = |head: &HeadPose| {
        let turned = [
            head.yaw - rest.yaw,
            head.pitch - rest.pitch,
            head.roll - rest.roll,
        ];
        turned.map(|angle| angle / RANGE)
    };
    let read: Vec<Option<[f32; 3]>> = heads.iter().map(|head| head.as_ref().map(angles)).collect();
    let smoothing = smoothing(follow.still, follow.quick);
    let strength = held(follow.strength);
    for (pose, angles) in poses.iter_mut().zip(smooth(times, &read, smoothing)) {
        if let (Some(pose), Some(angles)) = (pose, angles) {
            let [yaw, pitch, roll] = angles.map(|angle| angle * RANGE * strength);
            // A head that nods looks down.
            pose.head = HeadTurn::new(yaw, -pitch, roll);
        }
    }
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
