//! Maps a clip's Action Units to the portrait's.

use crate::document::{ActionUnit, AuVector, Follow, Gaze, Group, HeadTurn, Pose};
use crate::drive::au_track::{AuTrack, Reading, begin_at};
use crate::face::{HeadPose, OneEuro, smooth_in_range};

/// Returns the filter for the two smoothing settings of [`Follow`], both in 0..=1: `smoothing_strength` is how strongly a curve is smoothed
/// (0 is off), `responsiveness` is how closely it follows a fast movement. At 0.5 both are the filter's defaults.
pub fn smoothing(smoothing_strength: f32, responsiveness: f32) -> OneEuro {
    if smoothing_strength <= 0.0 {
        return OneEuro::OFF;
    }
    let usual = OneEuro::default();
    // The ends are eight times, or an eighth of, the middle.
    let factor = |value: f32| 64f32.powf(value - 0.5);
    OneEuro {
        min_cutoff_hz: usual.min_cutoff_hz / factor(smoothing_strength),
        beta: usual.beta * factor(responsiveness),
        ..usual
    }
}

/// Returns the settings for reading a track.
pub(crate) fn reading(track: &AuTrack, follow: &Follow) -> Reading {
    Reading {
        smoothing: smoothing(follow.smoothing_strength, follow.responsiveness),
        use_baseline: follow
            .use_baseline
            .unwrap_or_else(|| track.shows_relaxed_face()),
    }
}

/// Returns one pose for each entry of Action Units; `None` where there is no face.
pub(crate) fn poses(
    mut read: Vec<Option<AuVector>>,
    follow: &Follow,
    reference: usize,
    source: &AuVector,
) -> Vec<Option<Pose>> {
    if follow.relative {
        begin_at(&mut read, source, reference);
    }
    let strength = clamped_strength(follow.strength);
    let gains: [f32; ActionUnit::COUNT] =
        ActionUnit::ALL.map(|unit| strength * clamped_strength(follow.gain(unit.group())));
    read.into_iter()
        .map(|aus| Some(Pose::from(lerp(source, &aus?, &gains))))
        .collect()
}

/// The rotation of heads and eyes relative to the reference frame, smoothed, with the strength in the settings.
pub(crate) struct RelativeRotation<'a> {
    /// Start times of the frames in seconds, one each.
    pub times: &'a [f64],
    pub reference: usize,
    pub follow: &'a Follow,
}

impl RelativeRotation<'_> {
    /// Sets the head rotation of each pose from the frame's head pose.
    pub fn heads(&self, poses: &mut [Option<Pose>], heads: &[Option<HeadPose>]) {
        let angles = heads.iter().map(|head| {
            let HeadPose { yaw, pitch, roll } = (*head)?;
            // A nod is positive when the head looks down.
            Some([yaw, -pitch, roll])
        });
        let angles: Vec<_> = angles.collect();
        let turned = self.turned(
            &angles,
            *HeadTurn::RANGE.end(),
            clamped_strength(self.follow.strength),
        );
        for (pose, turned) in poses.iter_mut().zip(turned) {
            if let (Some(pose), Some([yaw, pitch, roll])) = (pose, turned) {
                pose.head = HeadTurn::new(yaw, pitch, roll);
            }
        }
    }

    /// Sets the gaze of each pose from the frame's gaze, in degrees to the right and up relative to the head, scaled by the gain
    /// of the eyes.
    pub fn eyes(&self, poses: &mut [Option<Pose>], gazes: &[Option<[f32; 2]>]) {
        let strength = clamped_strength(self.follow.strength)
            * clamped_strength(self.follow.gain(Group::Eyes));
        let turned = self.turned(gazes, *Gaze::RANGE.end(), strength);
        for (pose, turned) in poses.iter_mut().zip(turned) {
            if let (Some(pose), Some([x, y])) = (pose, turned) {
                pose.gaze = Gaze::new(x, y);
            }
        }
    }

    /// Returns angles relative to those of the reference frame or, where it has none, of the next that has. The filter treats
    /// `range`, in degrees, as the full range of a signal.
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
        let smoothing = smoothing(self.follow.smoothing_strength, self.follow.responsiveness);
        smooth_in_range(self.times, &read, range, smoothing)
            .into_iter()
            .map(|angles| angles.map(|angles| angles.map(|angle| angle * strength)))
            .collect()
    }
}

/// Clamps a strength to its range; NaN becomes 1.
fn clamped_strength(strength: f32) -> f32 {
    if strength.is_nan() {
        return 1.0;
    }
    strength.clamp(*Follow::STRENGTH.start(), *Follow::STRENGTH.end())
}

/// Interpolates from one expression to another with a gain for each unit: 0 is `source`, 1 is `target`, more extrapolates.
pub fn lerp(source: &AuVector, target: &AuVector, gains: &[f32; ActionUnit::COUNT]) -> AuVector {
    AuVector::from(std::array::from_fn(|i| {
        let (from, to) = (source.values()[i], target.values()[i]);
        from + gains[i] * (to - from)
    }))
}
