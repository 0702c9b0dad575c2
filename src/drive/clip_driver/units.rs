//! What a clip's face asks of the portrait's Action Units.

use crate::document::{ActionUnit, AuVector, Follow, Gaze, Group, HeadTurn, Pose};
use crate::drive::au_track::{AuTrack, Reading, begin_at};
use crate::face::{HeadPose, OneEuro, smooth_in_range};

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

/// How heads and eyes turn against those of the reference frame, smoothed and as strongly as the settings say.
pub(crate) struct Turning<'a> {
    /// Seconds of the frames, as many as there are.
    pub times: &'a [f64],
    pub reference: usize,
    pub follow: &'a Follow,
}

impl Turning<'_> {
    /// Turns the heads of expressions as those of the frames are turned, as many.
    pub fn heads(&self, poses: &mut [Option<Pose>], heads: &[Option<HeadPose>]) {
        let angles = heads.iter().map(|head| {
            let HeadPose { yaw, pitch, roll } = (*head)?;
            // A head that nods looks down.
            Some([yaw, -pitch, roll])
        });
        let angles: Vec<_> = angles.collect();
        let turned = self.turned(&angles, *HeadTurn::RANGE.end(), held(self.follow.strength));
        for (pose, turned) in poses.iter_mut().zip(turned) {
            if let (Some(pose), Some([yaw, pitch, roll])) = (pose, turned) {
                pose.head = HeadTurn::new(yaw, pitch, roll);
            }
        }
    }

    /// Turns the eyes of expressions as the clip's look, in degrees to the right and up of the head, as many. They go as far as
    /// the gain of the eyes says.
    pub fn eyes(&self, poses: &mut [Option<Pose>], gazes: &[Option<[f32; 2]>]) {
        let strength = held(self.follow.strength) * held(self.follow.gain(Group::Eyes));
        let turned = self.turned(gazes, *Gaze::RANGE.end(), strength);
        for (pose, turned) in poses.iter_mut().zip(turned) {
            if let (Some(pose), Some([x, y])) = (pose, turned) {
                pose.gaze = Gaze::new(x, y);
            }
        }
    }

    /// Angles against those of the reference frame or, where that has none, of the next that has. `range` in degrees counts like
    /// the whole of a unit's range to the filter.
    fn turned<const N: usize>(
        &self,
        angles: &[Option<[f32; N]>],
        range: f32,
        strength: f32,
    ) -> Vec<Option<[f32; N]>> {
        let (before, after) = angles.split_at(self.reference.min(angles.len()));
        let Some(rest) = after.iter().chain(before).flatten().next() else {
            return vec![None; angles.len()];
        };
        let against = |angles: &[f32; N]| std::array::from_fn(|i| angles[i] - rest[i]);
        let read: Vec<_> = angles
            .iter()
            .map(|angles| angles.as_ref().map(against))
            .collect();
        let smoothing = smoothing(self.follow.still, self.follow.quick);
        smooth_in_range(self.times, &read, range, smoothing)
            .into_iter()
            .map(|angles| angles.map(|angles| angles.map(|angle| angle * strength)))
            .collect()
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
