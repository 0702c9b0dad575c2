//! A clip bound to a portrait: frames, crop, reference frame and filters resolved.

mod place;
#[cfg(test)]
mod tests;
mod units;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::document::{AuVector, ClipMotion, Clock, Crop, Follow, Playback, Pose, SampledMotion};
use crate::drive::au_track::{AuTrack, track_rate};
use crate::drive::clip_analysis::ClipAnalysis;
use crate::drive::retime::retimed;
use crate::error::{ClipError, EngineError};
use crate::face::found::{crop_by_rule, finder, middle};
use crate::face::{Mesh, Shape, TurnedSquare, best_frame};
use crate::media::image::Picture;
use crate::methods::drive::{ClipFrameKey, DrivePicture};
use crate::methods::subject::square;
use crate::weights::CropRule;
use place::Similarity;
use units::RelativeRotation;
pub use units::{lerp, smoothing};

/// Tolerance in seconds for a frame at the start or end of a part.
const TIME_TOLERANCE: f64 = 1e-6;

/// A clip bound to a portrait. Each step of the timeline shows a frame of the clip.
#[derive(Debug, Clone)]
pub struct ClipDriver {
    /// The clip's frames and what was measured in them.
    pub analysis: Arc<ClipAnalysis>,
    /// The first and the last frame in use.
    pub first: usize,
    /// The last frame in use, inclusive.
    pub last: usize,
    /// How the clip's face drives the portrait.
    pub follow: Follow,
    /// The artist's square in the reference frame, in pixels of the original; without one it follows from the face.
    pub square: Option<Crop>,
    /// The frame that counts as looking like the portrait; it may be outside the part in use.
    pub reference: usize,
    /// The dissimilarity between its face and the portrait's, 0 for the same; `None` where either has no face.
    pub dissimilarity: Option<f32>,
    /// Start time of each used frame in seconds.
    times: Vec<f64>,
    clock: Clock,
    /// The frame of every step.
    steps: Vec<usize>,
    /// The portrait's pose for every frame; `None` where there is no face.
    frame_poses: Vec<Option<Pose>>,
    /// The portrait's own expression, used before the first face.
    source_pose: Pose,
    /// The pose for every step; `None` where there is no face.
    poses: Vec<Option<Pose>>,
    /// The same with gaps filled.
    filled_poses: Vec<Pose>,
    /// The frame whose face squares are measured by: the reference, or the nearest to it that has a face.
    anchor: Option<usize>,
    /// Cache of faces found in original frames, by frame.
    found: Arc<Mutex<HashMap<usize, Option<Mesh>>>>,
}

impl ClipDriver {
    /// Binds a clip to a portrait with a face of this shape and this expression.
    ///
    /// If the clip doesn't have the reference frame, it is chosen again: the frame of the part most similar to the portrait's
    /// face, or the first where either has no face.
    ///
    /// # Errors
    /// [`EngineError`] where the part in use has no frame.
    pub fn clip(
        analysis: Arc<ClipAnalysis>,
        motion: &ClipMotion,
        portrait: Option<&Shape>,
        source: &AuVector,
    ) -> Result<ClipDriver, EngineError> {
        let from = motion.from.unwrap_or(0.0) - TIME_TOLERANCE;
        let to = motion.to.unwrap_or(f64::INFINITY) - TIME_TOLERANCE;
        let is_used = |time: &f64| *time >= from && *time < to;
        let bounds = (
            analysis.times.iter().position(is_used),
            analysis.times.iter().rposition(is_used),
        );
        let (Some(first), Some(last)) = bounds else {
            let name = analysis.name.clone();
            return Err(ClipError::NothingUsed { name }.into());
        };
        let driver = ClipDriver {
            clock: clock(analysis.fps, motion.playback),
            square: motion
                .square
                .map(|square| square.fitted(analysis.size.0, analysis.size.1)),
            times: analysis.times[first..=last].to_vec(),
            ..Self::unresolved(analysis, &motion.follow, (first, last))
        };
        Ok(driver.resolved(portrait, source, None))
    }

    /// Binds a sample to a portrait with a face of this shape and this expression, at the motion's frame rate.
    ///
    /// # Errors
    /// Currently never fails.
    pub fn sample(
        analysis: Arc<ClipAnalysis>,
        motion: &SampledMotion,
        portrait: Option<&Shape>,
        source: &AuVector,
    ) -> Result<ClipDriver, EngineError> {
        let fps = track_rate(motion.fps);
        let frames = analysis.frames();
        let times: Vec<f64> = (0..frames).map(|i| i as f64 / fps).collect();
        let track = analysis.track.clone().map(|mut track| {
            for (frame, time) in track.frames.iter_mut().zip(&times) {
                frame.time = *time;
            }
            track
        });
        let driver = ClipDriver {
            clock: clock(fps, motion.playback),
            times,
            ..Self::unresolved(analysis, &motion.follow, (0, frames.saturating_sub(1)))
        };
        Ok(driver.resolved(portrait, source, track.as_ref()))
    }

    fn unresolved(
        analysis: Arc<ClipAnalysis>,
        follow: &Follow,
        (first, last): (usize, usize),
    ) -> ClipDriver {
        ClipDriver {
            clock: clock(analysis.fps, Playback::Once),
            analysis,
            first,
            last,
            follow: follow.clone(),
            square: None,
            reference: first,
            dissimilarity: None,
            times: Vec::new(),
            steps: Vec::new(),
            frame_poses: Vec::new(),
            source_pose: Pose::default(),
            poses: Vec::new(),
            filled_poses: Vec::new(),
            anchor: None,
            found: Arc::default(),
        }
    }

    /// Resolves the reference frame and the pose of every frame.
    fn resolved(
        mut self,
        portrait: Option<&Shape>,
        source: &AuVector,
        track: Option<&AuTrack>,
    ) -> ClipDriver {
        let analysis = Arc::clone(&self.analysis);
        let curve = portrait.map(|portrait| analysis.dissimilarity(portrait));
        let score = |frame: usize| curve.as_ref()?.get(frame).copied().flatten();
        let chosen = self.chosen_reference();
        let most_similar = || {
            let curve = curve.as_ref()?;
            let part = curve.get(self.first..curve.len().min(self.last + 1))?;
            Some(self.first + best_frame(part)?)
        };
        self.reference = chosen.or_else(most_similar).unwrap_or(self.first);
        self.dissimilarity = score(self.reference);
        self.anchor = (0..analysis.frames())
            .filter(|frame| analysis.mesh(*frame).is_some())
            .min_by_key(|frame| frame.abs_diff(self.reference));
        let read = match (track, &analysis.track) {
            (Some(track), _) => track.smoothed(units::reading(track, &self.follow)),
            (None, Some(track)) => analysis
                .smoothed(units::reading(track, &self.follow))
                .to_vec(),
            (None, None) => vec![None; analysis.frames()],
        };
        self.frame_poses = units::poses(read, &self.follow, self.reference, source);
        if let Some(track) = track.or(analysis.track.as_ref()) {
            let times: Vec<f64> = track.frames.iter().map(|frame| frame.time).collect();
            let rotation = RelativeRotation {
                times: &times,
                reference: self.reference,
                follow: &self.follow,
            };
            rotation.heads(&mut self.frame_poses, &track.heads());
            rotation.eyes(&mut self.frame_poses, &track.gazes());
        }
        self.source_pose = Pose::from(*source);
        let fps = self.clock.fps;
        self.at_rate(fps)
    }

    /// Returns the same motion at another frame rate; its duration stays the same.
    pub fn at_rate(mut self, fps: f64) -> ClipDriver {
        let steps = retimed(&self.times, fps).into_iter();
        self.steps = steps.map(|frame| self.first + frame).collect();
        self.clock.fps = fps;
        self.clock.frames = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        let of_step = |frame: &usize| self.frame_poses.get(*frame).copied().flatten();
        self.poses = self.steps.iter().map(of_step).collect();
        let mut last = self.source_pose;
        let filled_poses = self.poses.iter().map(|pose| {
            last = pose.unwrap_or(last);
            last
        });
        self.filled_poses = filled_poses.collect();
        self
    }

    /// Returns the reference frame set by the artist, if it is among the analysed frames.
    pub fn chosen_reference(&self) -> Option<usize> {
        let chosen = self.follow.reference? as usize;
        let frame = chosen.checked_sub(self.analysis.offset)?;
        (frame < self.analysis.frames()).then_some(frame)
    }

    /// Returns the frame by which a method places its square. Relative movement is measured from the reference. Otherwise any
    /// frame is as good, and the first is where the movement begins.
    fn reference_for(&self, relative: bool) -> usize {
        match self.chosen_reference() {
            Some(frame) => frame,
            None if relative => self.reference,
            None => self.first,
        }
    }

    /// Frames per second.
    pub fn fps(&self) -> f64 {
        self.clock.fps
    }

    /// Returns the number of steps in one pass: the frames of the part, resampled evenly if their durations vary.
    pub fn frames(&self) -> usize {
        self.steps.len()
    }

    /// Returns the playback mode, which decides what follows the last step.
    pub fn playback(&self) -> Playback {
        self.clock.playback
    }

    /// Returns the steps of one pass in playback order.
    pub fn order(&self) -> Vec<u32> {
        self.clock.order()
    }

    /// Returns the step shown `elapsed` seconds after the start of playback, and whether playback is over.
    pub fn playing_at(&self, elapsed: f64) -> (u32, bool) {
        self.clock.playing_at(elapsed)
    }

    /// Returns the frame of a step; past the end, that of the last step.
    pub fn frame_at(&self, step: usize) -> usize {
        let step = self.steps.get(step).or(self.steps.last());
        step.copied().unwrap_or(self.first)
    }

    /// Returns the start time of a step's frame in seconds of the motion.
    pub fn time_at(&self, step: usize) -> f64 {
        let frame = self.frame_at(step) - self.first;
        self.times.get(frame).copied().unwrap_or_default()
    }

    /// Returns the pose at a step, strength and gains applied. Where there is no face, it is that of the step before; at the
    /// start, the portrait's own.
    pub fn pose(&self, step: usize) -> Pose {
        let pose = self.filled_poses.get(step).or(self.filled_poses.last());
        pose.copied().unwrap_or_default()
    }

    /// Returns the pose of every step, `None` where there is no face.
    pub fn poses(&self) -> &[Option<Pose>] {
        &self.poses
    }

    /// Returns the driving picture at a step, or that of the reference frame, and the square of it, in its pixels, for a
    /// method with this crop rule. The square stays where the reference frame's face is, so that the head's movement is
    /// preserved, unless a lock lets it follow the head.
    ///
    /// # Errors
    /// If the clip can't be read.
    pub fn picture(
        &self,
        moment: DrivePicture,
        step: usize,
        rule: &CropRule,
        relative: bool,
    ) -> Result<(Arc<Picture>, TurnedSquare), EngineError> {
        let reference = self.reference_for(relative);
        // Read before the other frame: originals are decoded in order.
        let base = self.base(rule, reference)?;
        let frame = match moment {
            DrivePicture::Now => self.frame_at(step),
            DrivePicture::Reference => reference,
        };
        let frames = self.analysis.source();
        let picture = frames.picture(frame)?;
        let mut square = square(base);
        if let Some(moved) = self.moved(frame) {
            square = moved.follow(square, &self.follow);
        }
        let scale = frames.scale();
        square = TurnedSquare {
            x: scale * square.x,
            y: scale * square.y,
            side: scale * square.side,
            angle: square.angle,
        };
        if square.angle == 0.0 {
            if self.is_locked() {
                // A square that follows the head may leave the picture, and only a turned square can be read beyond its edge.
                // Every frame should also be read with the same filter.
                square.angle = f64::MIN_POSITIVE;
            } else if scale < 1.0 {
                // Rounding may have made the proxy slightly smaller.
                let (width, height) = picture.size();
                let (width, height) = (f64::from(width), f64::from(height));
                square.side = square.side.min(width).min(height);
                let half = 0.5 * square.side;
                square.x = square.x.min(width - half).max(half);
                square.y = square.y.min(height - half).max(half);
            }
        }
        Ok((picture, square))
    }

    /// Returns a method's square in the reference frame, in pixels of the original.
    ///
    /// # Errors
    /// If the clip can't be read.
    pub fn base(&self, rule: &CropRule, reference: usize) -> Result<Crop, EngineError> {
        if let Some(square) = self.square {
            return Ok(square);
        }
        let size = self.analysis.size;
        let crop = if self.analysis.source().is_original() {
            let face = self.face_in(reference)?;
            face.map(|mesh| crop_by_rule(&mesh, rule, size))
        } else {
            // A proxy's landmarks come from the analysis.
            let anchor = match self.analysis.mesh(reference) {
                Some(_) => Some(reference),
                None => self.anchor,
            };
            anchor.and_then(|anchor| self.analysis.square(rule, anchor))
        };
        Ok(crop.unwrap_or_else(|| middle(size)))
    }

    /// Returns the largest face in an original frame.
    fn face_in(&self, frame: usize) -> Result<Option<Mesh>, EngineError> {
        let lock = || self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(face) = lock().get(&frame) {
            return Ok(face.clone());
        }
        let picture = self.analysis.source().picture(frame)?;
        let faces = finder()?.faces(&picture)?;
        let face = faces.into_iter().next().map(|face| face.mesh);
        lock().insert(frame, face.clone());
        Ok(face)
    }

    /// Returns whether a method's square is set by the artist or found from a face, and isn't only the middle of the picture.
    ///
    /// # Errors
    /// If the clip can't be read.
    pub fn has_square(&self, relative: bool) -> Result<bool, EngineError> {
        let reference = self.reference_for(relative);
        Ok(self.square.is_some() || self.face_in(reference)?.is_some())
    }

    fn is_locked(&self) -> bool {
        self.follow.lock_place || self.follow.lock_scale
    }

    /// Returns the head's movement since the reference frame, if a lock needs it: in the frame itself, or the last one before
    /// it with a face.
    fn moved(&self, frame: usize) -> Option<Similarity> {
        if !self.is_locked() {
            return None;
        }
        let from = self.analysis.mesh(self.anchor?)?;
        let to = (0..=frame)
            .rev()
            .find_map(|frame| self.analysis.mesh(frame))?;
        Similarity::between(from, to)
    }

    /// Cache key of [`ClipDriver::picture`].
    pub fn key(&self, moment: DrivePicture, step: usize, relative: bool) -> ClipFrameKey {
        let reference = self.reference_for(relative);
        let frame = match moment {
            DrivePicture::Now => self.frame_at(step),
            DrivePicture::Reference => reference,
        };
        let frames = self.analysis.source();
        let square = self
            .square
            .map(|Crop { x, y, side, angle }| [x, y, side, angle].map(f32::to_bits));
        let face = self
            .analysis
            .mesh(reference)
            .or_else(|| self.analysis.mesh(self.anchor?));
        let face = face.map(|mesh| {
            let (left, top, right, bottom) = mesh.bounds();
            [left, top, right, bottom, mesh.lean()].map(f32::to_bits)
        });
        ClipFrameKey {
            frames: [frame, reference].map(|frame| {
                let moved = self.moved(frame).map(|moved| moved.bits());
                (frames.digest(frame), moved)
            }),
            size: self.analysis.size,
            scale: frames.scale().to_bits(),
            square,
            face,
            strength: self.follow.strength.to_bits(),
            lock_place: self.follow.lock_place,
            lock_scale: self.follow.lock_scale,
        }
    }
}

fn clock(fps: f64, playback: Playback) -> Clock {
    Clock {
        fps,
        frames: 0,
        playback,
    }
}
