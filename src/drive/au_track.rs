//! The Action Units of a clip's face, frame by frame: how a reference clip drives an expression.

use std::path::Path;

use crate::document::{AuVector, Pose, Track};
use crate::drive::face_tracking::follow;
use crate::error::{EngineError, FaceError};
use crate::face::found::units_of;
use crate::face::{
    BLENDSHAPES, Face, GazeReading, HeadPose, KeyScores, Neutral, OneEuro, Shape, differences,
    gazes, shape68, smooth,
};
use crate::folders::file_name;
use crate::media::clip::{Clip, ClipInfo};
use crate::progress::Progress;

/// The measurements of one frame's face.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AuFrame {
    /// Seconds from the clip's start.
    pub time: f64,
    /// `None` where there is no face.
    pub aus: Option<AuVector>,
    /// The same relative to the person's relaxed face (the clip's own unless another is given), which reveals slight movements.
    pub relative_to_rest: Option<AuVector>,
    /// The head pose.
    pub head: Option<HeadPose>,
    /// The gaze, relative to the head.
    pub gaze: Option<GazeReading>,
    /// Smile, open jaw and blink scores, the reference for measuring what the clip drives.
    pub scores: Option<KeyScores>,
}

/// The Action Units of a clip.
#[derive(Debug, Clone, PartialEq)]
pub struct AuTrack {
    /// The clip's file name.
    pub name: String,
    /// Frames per second; the mean if the frame durations vary.
    pub fps: f64,
    /// In order of time; at least one frame, and at least one with a face.
    pub frames: Vec<AuFrame>,
    /// The 68 points of every frame's face, one entry per frame.
    pub shapes: Vec<Option<Shape>>,
    /// The frame with the most relaxed face, which serves as the clip's own resting face.
    pub rest: usize,
    /// The error that ended the reading early, if any.
    pub read_error: Option<String>,
}

/// Upper bound on the sum of a relaxed face's Action Units.
const RELAXED: f32 = 0.4;

/// How a curve is derived from the measurements.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The smoothing filter.
    pub smoothing: OneEuro,
    /// Whether the units are read relative to the clip's own resting face.
    pub use_baseline: bool,
}

impl AuTrack {
    /// Reads a clip, tracking one face from frame to frame, at first the largest; if it leaves and comes back, it is found
    /// again. A clip that is damaged is read up to the damage. `neutral` replaces the clip's own resting face.
    ///
    /// # Errors
    /// [`EngineError::Media`] when Mien can't read the file as a clip, [`EngineError::Face`] when no frame shows a face,
    /// [`EngineError::Cancelled`] when `progress` was cancelled.
    pub fn read(
        path: &Path,
        neutral: Option<&Neutral>,
        progress: &Progress,
    ) -> Result<AuTrack, EngineError> {
        Self::read_part(path, (None, None), neutral, progress, 1)
    }

    /// [`AuTrack::read`] for the part of a clip that begins at the first of two times and ends before the second, in seconds.
    /// `passes` is the total number of passes over the clip, for `progress`.
    pub(crate) fn read_part(
        path: &Path,
        (from, to): (Option<f64>, Option<f64>),
        neutral: Option<&Neutral>,
        progress: &Progress,
        passes: usize,
    ) -> Result<AuTrack, EngineError> {
        let clip = Clip::open(path)?.trim(from, to)?;
        let info = *clip.info();
        progress.set_total(steps(&info).unwrap_or(0) * passes);
        let tracked = follow(clip, progress, |_, _| Ok(()))?;
        let track =
            Self::of(file_name(path), info.fps, &tracked.faces, neutral).ok_or_else(|| {
                EngineError::from(FaceError::NoneInClip {
                    name: file_name(path),
                    frames: tracked.faces.len(),
                })
            })?;
        Ok(AuTrack {
            read_error: tracked.read_error,
            ..track
        })
    }

    /// Reads the units of tracked faces, each with its time; `None` where no frame shows a face.
    pub(crate) fn of(
        name: String,
        fps: f64,
        tracked: &[(f64, Option<Face>)],
        neutral: Option<&Neutral>,
    ) -> Option<AuTrack> {
        let plain: Vec<Option<AuVector>> = tracked
            .iter()
            .map(|(_, face)| face.as_ref().map(|face| units_of(face, None)))
            .collect();
        let activity = |i: &usize| {
            let units = plain[*i].map_or(0.0, |aus| aus.values().iter().sum::<f32>());
            let scores = tracked[*i]
                .1
                .as_ref()
                .map_or(0.0, |face| movement(&face.scores));
            // Relaxed faces all read zero; the scores decide between them.
            units + 0.1 * scores
        };
        let rest = (0..tracked.len())
            .filter(|i| plain[*i].is_some())
            .min_by(|a, b| activity(a).total_cmp(&activity(b)))?;
        let resting = tracked[rest].1.as_ref()?;
        let resting_face = Neutral::of(resting.mesh.points(), &resting.scores);
        let neutral = neutral.unwrap_or(&resting_face);
        let frames = tracked
            .iter()
            .zip(&plain)
            .map(|((time, face), aus)| AuFrame {
                time: *time,
                aus: *aus,
                relative_to_rest: face.as_ref().map(|face| units_of(face, Some(neutral))),
                head: face.as_ref().and_then(|face| HeadPose::of(&face.mesh)),
                gaze: face.as_ref().and_then(|face| GazeReading::of(&face.mesh)),
                scores: face.as_ref().map(|face| KeyScores::of(&face.scores)),
            });
        Some(AuTrack {
            name,
            fps,
            frames: frames.collect(),
            shapes: tracked
                .iter()
                .map(|(_, face)| face.as_ref().map(|face| shape68(&face.mesh)))
                .collect(),
            rest,
            read_error: None,
        })
    }

    /// Returns whether the clip shows a relaxed face, so that reading relative to it is an improvement.
    pub fn shows_relaxed_face(&self) -> bool {
        let resting = self.frames.get(self.rest).and_then(|frame| frame.aus);
        resting.is_some_and(|aus| aus.values().iter().sum::<f32>() <= RELAXED)
    }

    /// Returns the Action Units as measured, one entry per frame.
    pub fn measured(&self, use_baseline: bool) -> Vec<Option<AuVector>> {
        let frames = self.frames.iter();
        frames
            .map(|frame| {
                if use_baseline {
                    frame.relative_to_rest
                } else {
                    frame.aus
                }
            })
            .collect()
    }

    /// Returns the head pose in each frame; `None` where there is no face.
    pub fn heads(&self) -> Vec<Option<HeadPose>> {
        self.frames.iter().map(|frame| frame.head).collect()
    }

    /// Returns the gaze in each frame, as computed by [`gazes`].
    pub fn gazes(&self) -> Vec<Option<[f32; 2]>> {
        let times: Vec<f64> = self.frames.iter().map(|frame| frame.time).collect();
        let readings: Vec<_> = self.frames.iter().map(|frame| frame.gaze).collect();
        gazes(&times, &readings)
    }

    /// Returns the number of frames without a face.
    pub fn faceless(&self) -> usize {
        let without = self.frames.iter().filter(|frame| frame.aus.is_none());
        without.count()
    }

    /// Returns the smoothed Action Units, one entry per frame.
    pub fn smoothed(&self, reading: Reading) -> Vec<Option<AuVector>> {
        let times: Vec<f64> = self.frames.iter().map(|frame| frame.time).collect();
        let values: Vec<_> = self
            .measured(reading.use_baseline)
            .into_iter()
            .map(|aus| aus.map(|aus| *aus.values()))
            .collect();
        smooth(&times, &values, reading.smoothing)
            .into_iter()
            .map(|values| values.map(AuVector::from))
            .collect()
    }

    /// Returns the poses of a track, one for each frame at [`AuTrack::rate`]. With `start`, a portrait's expression, the
    /// movement is relative: the difference from the clip's first face is added to `start`.
    pub fn poses(&self, reading: Reading, start: Option<&AuVector>) -> Vec<Option<Pose>> {
        self.poses_at(self.rate(), reading, start.map(|start| (start, 0)))
    }

    /// [`AuTrack::poses`] at another frame rate, and relative to a given frame instead of the first. If that frame has no face,
    /// the next that has one is used.
    pub(crate) fn poses_at(
        &self,
        rate: f64,
        reading: Reading,
        start: Option<(&AuVector, usize)>,
    ) -> Vec<Option<Pose>> {
        let mut values = self.smoothed(reading);
        if let Some((start, reference)) = start {
            begin_at(&mut values, start, reference);
        }
        let times: Vec<f64> = self.frames.iter().map(|frame| frame.time).collect();
        let frames = resampled(&times, rate).into_iter();
        frames.map(|i| values[i].map(Pose::from)).collect()
    }

    /// Returns the dissimilarity in shape and pose between `source` and the face of each frame, 0 for the same; one entry per
    /// frame.
    pub fn dissimilarity(&self, source: &Shape) -> Vec<Option<f32>> {
        differences(source, self.shapes.iter().copied())
    }

    /// Returns the frame rate of [`AuTrack::poses`]: the clip's own, clamped to a track's range.
    pub fn rate(&self) -> f64 {
        track_rate(self.fps)
    }
}

/// Makes a movement relative: each frame becomes `start` plus its difference from the reference frame. If that frame has no
/// face, the next that has one is used.
pub(crate) fn begin_at(values: &mut [Option<AuVector>], start: &AuVector, reference: usize) {
    let (before, after) = values.split_at(reference.min(values.len()));
    let faces = after.iter().chain(before).flatten();
    let first = faces.copied().next().unwrap_or_default();
    for aus in values.iter_mut().flatten() {
        *aus = AuVector::from(std::array::from_fn(|i| {
            start.values()[i] + (aus.values()[i] - first.values()[i])
        }));
    }
}

/// Resamples frames of varying duration to a constant rate: the nearest frame for each step. `times` are ascending and may be
/// empty.
fn resampled(times: &[f64], rate: f64) -> Vec<usize> {
    let (Some(start), Some(end)) = (times.first(), times.last()) else {
        return Vec::new();
    };
    let count = ((end - start) * rate).round().max(0.0) as usize + 1;
    (0..count)
        .map(|i| nearest(times, start + i as f64 / rate))
        .collect()
}

fn nearest(times: &[f64], time: f64) -> usize {
    let after = times.partition_point(|other| *other < time);
    let gap = |i: usize| times.get(i).map_or(f64::MAX, |other| (other - time).abs());
    match after.checked_sub(1) {
        Some(before) if gap(before) <= gap(after) => before,
        _ => after.min(times.len().saturating_sub(1)),
    }
}

/// Clamps a frame rate to a track's range.
pub(crate) fn track_rate(fps: f64) -> f64 {
    fps.clamp(*Track::FPS.start(), *Track::FPS.end())
}

/// Returns the number of frames in a clip, if it is known or can be estimated before decoding.
pub(crate) fn steps(info: &ClipInfo) -> Option<usize> {
    let estimated = info
        .seconds
        .map(|seconds| (seconds * info.fps).round() as usize);
    info.frames.or(estimated)
}

/// Returns whether [`AuTrack::read`] can read a file.
pub fn is_clip(path: &Path) -> bool {
    Clip::open(path).is_ok()
}

/// Returns the sum of the facial movement scores; eye direction doesn't count.
fn movement(scores: &[f32; 52]) -> f32 {
    BLENDSHAPES
        .iter()
        .zip(scores)
        .filter(|(name, _)| !name.starts_with('_') && !name.starts_with("eyeLook"))
        .map(|(_, score)| score)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::ActionUnit;

    fn smile(value: f32) -> AuVector {
        AuVector::NEUTRAL.with(ActionUnit::from_code(12).unwrap(), value)
    }

    fn track(values: &[(f64, Option<f32>)]) -> AuTrack {
        AuTrack {
            name: "clip".to_owned(),
            fps: 10.0,
            frames: values
                .iter()
                .map(|(time, value)| AuFrame {
                    time: *time,
                    aus: value.map(smile),
                    relative_to_rest: value.map(|value| smile(value / 2.0)),
                    ..AuFrame::default()
                })
                .collect(),
            shapes: vec![None; values.len()],
            rest: 0,
            read_error: None,
        }
    }

    const PLAIN: Reading = Reading {
        smoothing: OneEuro::OFF,
        use_baseline: false,
    };

    #[test]
    fn unevenly_timed_frames_are_resampled_to_a_constant_rate_and_gaps_stay() {
        let track = track(&[(0.0, Some(0.1)), (0.1, None), (0.4, Some(0.5))]);
        let poses = track.poses(PLAIN, None);
        let values: Vec<_> = poses
            .iter()
            .map(|pose| pose.map(|pose| pose.get(ActionUnit::from_code(12).unwrap())))
            .collect();
        assert_eq!(values, [Some(0.1), None, None, Some(0.5), Some(0.5)]);
        assert_eq!(track.faceless(), 1);
        assert!(track.shows_relaxed_face());
        let own = Reading {
            use_baseline: true,
            ..PLAIN
        };
        let unit = ActionUnit::from_code(12).unwrap();
        assert_eq!(track.poses(own, None)[3].unwrap().get(unit), 0.25);
    }

    #[test]
    fn relative_movement_begins_at_the_expression_of_the_portrait() {
        let track = track(&[
            (0.0, None),
            (0.1, Some(0.3)),
            (0.2, Some(0.7)),
            (0.3, Some(0.0)),
        ]);
        let own = smile(0.2);
        let poses = track.poses(PLAIN, Some(&own));
        let unit = ActionUnit::from_code(12).unwrap();
        let value = |i: usize| poses[i].unwrap().get(unit);
        assert_eq!(poses[0], None);
        assert_eq!(value(1), 0.2);
        assert!((value(2) - 0.6).abs() < 1e-6);
        assert_eq!(value(3), 0.0);
    }

    #[test]
    fn relative_movement_starts_at_any_reference_frame_at_any_rate() {
        let track = track(&[
            (0.0, Some(0.1)),
            (0.1, Some(0.4)),
            (0.2, None),
            (0.3, Some(0.6)),
        ]);
        let own = smile(0.2);
        let unit = ActionUnit::from_code(12).unwrap();
        let value = |reference: usize, rate: f64, i: usize| {
            let poses = track.poses_at(rate, PLAIN, Some((&own, reference)));
            poses[i].map(|pose| (pose.get(unit) * 1000.0).round() / 1000.0)
        };
        assert_eq!(value(1, 10.0, 1), Some(0.2));
        assert_eq!(value(1, 10.0, 3), Some(0.4));
        // The third frame has no face, so the fourth's counts.
        assert_eq!(value(2, 10.0, 3), Some(0.2));
        assert_eq!(value(9, 10.0, 0), Some(0.2));
        assert_eq!(track.poses_at(20.0, PLAIN, None).len(), 7);
        assert_eq!(track.poses_at(5.0, PLAIN, None).len(), 3);
    }
}
