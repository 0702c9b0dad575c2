//! A reel as it drives one portrait, with everything settled that its motion leaves open.

mod place;
#[cfg(test)]
mod tests;
mod units;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::document::{AuVector, ClipMotion, Clock, Crop, Follow, Playback, Pose, SampledMotion};
use crate::drive::au_track::{AuTrack, spread, track_rate};
use crate::drive::clip_analysis::Reel;
use crate::error::{ClipError, EngineError};
use crate::face::found::middle;
use crate::face::{Shape, TurnedSquare};
use crate::media::image::Picture;
use crate::methods::ganimation::session::square as turned;
use crate::weights::CropRule;
use place::Similarity;
pub use units::smoothing;

/// Seconds by which a frame may miss the time at which a part begins or ends.
const NEAR: f64 = 1e-6;

/// A motion, step by step: so many steps a second, each of them a frame of the reel.
#[derive(Debug, Clone)]
pub struct Lead {
    pub reel: Arc<Reel>,
    /// The first and the last frame of the reel that are used.
    pub first: usize,
    pub last: usize,
    pub follow: Follow,
    /// The square that FOMM and TPS see in the reference frame, in pixels of the original; found by the face where it
    /// isn't said.
    pub square: Option<Crop>,
    /// The frame of the reel that counts as looking like the portrait; it may lie outside the part that is used.
    pub reference: usize,
    /// How unlike the portrait's face its face is, 0 for the same; `None` where one of the two has no face.
    pub unlike: Option<f32>,
    clock: Clock,
    /// The frame of every step.
    steps: Vec<usize>,
    /// For every step; `None` where there is no face.
    poses: Vec<Option<Pose>>,
    /// The same with gaps filled.
    held: Vec<Pose>,
    /// The frame by whose face squares are measured: the reference, or the nearest to it that has one.
    anchor: Option<usize>,
}

impl Lead {
    /// A clip as it drives a portrait with a face of this shape and this expression.
    ///
    /// A reference frame that the reel doesn't have is found anew: among the frames of the part, the one most like the
    /// portrait's face, or the first where either has no face.
    ///
    /// # Errors
    /// [`ClipError`] where the part that is used has no frame.
    pub fn clip(
        reel: Arc<Reel>,
        motion: &ClipMotion,
        portrait: Option<&Shape>,
        source: &AuVector,
    ) -> Result<Lead, EngineError> {
        let from = motion.from.unwrap_or(0.0) - NEAR;
        let to = motion.to.unwrap_or(f64::INFINITY) - NEAR;
        let is_used = |time: &f64| *time >= from && *time < to;
        let bounds = (
            reel.times.iter().position(is_used),
            reel.times.iter().rposition(is_used),
        );
        let (Some(first), Some(last)) = bounds else {
            return Err(ClipError::NothingUsed {
                name: reel.name.clone(),
            }
            .into());
        };
        let steps = spread(&reel.times[first..=last], reel.fps);
        let lead = Lead {
            clock: clock(reel.fps, steps.len(), motion.playback),
            square: motion
                .square
                .map(|square| square.fitted(reel.size.0, reel.size.1)),
            steps: steps.into_iter().map(|frame| first + frame).collect(),
            ..Self::whole(reel, &motion.follow, (first, last))
        };
        Ok(lead.settled(portrait, source, None))
    }

    /// A sampled motion as it drives a portrait, at the motion's own frame rate, whatever that of the reel.
    ///
    /// # Errors
    /// None at present; as [`Lead::clip`].
    pub fn sample(
        reel: Arc<Reel>,
        motion: &SampledMotion,
        portrait: Option<&Shape>,
        source: &AuVector,
    ) -> Result<Lead, EngineError> {
        let fps = track_rate(motion.fps);
        let frames = reel.frames();
        let lead = Lead {
            clock: clock(fps, frames, motion.playback),
            steps: (0..frames).collect(),
            ..Self::whole(reel, &motion.follow, (0, frames.saturating_sub(1)))
        };
        let track = lead.reel.track.clone().map(|mut track| {
            for (i, frame) in track.frames.iter_mut().enumerate() {
                frame.time = i as f64 / fps;
            }
            track
        });
        Ok(lead.settled(portrait, source, track.as_ref()))
    }

    fn whole(reel: Arc<Reel>, follow: &Follow, (first, last): (usize, usize)) -> Lead {
        Lead {
            clock: clock(reel.fps, 0, Playback::Once),
            reel,
            first,
            last,
            follow: follow.clone(),
            square: None,
            reference: first,
            unlike: None,
            steps: Vec::new(),
            poses: Vec::new(),
            held: Vec::new(),
            anchor: None,
        }
    }

    /// Finds what is left open. The Action Units are those of `track`, or of the reel.
    fn settled(
        mut self,
        portrait: Option<&Shape>,
        source: &AuVector,
        track: Option<&AuTrack>,
    ) -> Lead {
        let reel = Arc::clone(&self.reel);
        let curve = portrait.map_or_else(Vec::new, |portrait| reel.unlike(portrait));
        let score = |frame: usize| curve.get(frame).copied().flatten();
        let said = self.follow.reference.map(|frame| frame as usize);
        let likest = (self.first..=self.last)
            .filter_map(|frame| Some((frame, score(frame)?)))
            .min_by(|(_, a), (_, b)| a.total_cmp(b));
        self.reference = said
            .filter(|frame| *frame < reel.frames())
            .or(likest.map(|(frame, _)| frame))
            .unwrap_or(self.first);
        self.unlike = score(self.reference);
        self.anchor = (0..reel.frames())
            .filter(|frame| reel.mesh(*frame).is_some())
            .min_by_key(|frame| frame.abs_diff(self.reference));

        let of_frames = match track.or(reel.track.as_ref()) {
            Some(track) => units::poses(track, &self.follow, self.reference, source),
            None => vec![None; reel.frames()],
        };
        let of_step = |frame: &usize| of_frames.get(*frame).copied().flatten();
        self.poses = self.steps.iter().map(of_step).collect();
        let mut last = Pose::from(*source);
        let held = self.poses.iter().map(|pose| {
            last = pose.unwrap_or(last);
            last
        });
        self.held = held.collect();
        self
    }

    /// Frames a second.
    pub fn fps(&self) -> f64 {
        self.clock.fps
    }

    /// How many steps one pass has: the frames of the part, evenly spread where they last differently.
    pub fn frames(&self) -> usize {
        self.steps.len()
    }

    /// What comes after the last step.
    pub fn playback(&self) -> Playback {
        self.clock.playback
    }

    /// The steps in the order in which they are shown once through.
    pub fn order(&self) -> Vec<u32> {
        self.clock.order()
    }

    /// The step shown after `elapsed` seconds of playing from the start, and whether the playing is over.
    pub fn playing_at(&self, elapsed: f64) -> (u32, bool) {
        self.clock.playing_at(elapsed)
    }

    /// The reel's frame of a step; after the last step the last.
    pub fn frame_at(&self, step: usize) -> usize {
        let step = self.steps.get(step).or(self.steps.last());
        step.copied().unwrap_or(self.first)
    }

    /// The expression asked for at a step, strength and gains counted in. Where there is no face, it is that of the step
    /// before; at the start, the portrait's own.
    pub fn pose(&self, step: usize) -> Pose {
        let pose = self.held.get(step).or(self.held.last());
        pose.copied().unwrap_or_default()
    }

    /// The same for every step, with nothing where there is no face.
    pub fn poses(&self) -> &[Option<Pose>] {
        &self.poses
    }

    /// What drives FOMM and TPS at a step: the reel's small copy, and the square of it, in its pixels, that the network
    /// sees. The square stays where the reference frame's face is, so that the head's movement stays a movement, unless a
    /// lock lets it follow the head.
    ///
    /// # Errors
    /// [`EngineError::Media`] only for memory that was damaged.
    pub fn driving(
        &self,
        step: usize,
        rule: &CropRule,
    ) -> Result<(Arc<Picture>, TurnedSquare), EngineError> {
        let frame = self.frame_at(step);
        self.seen(frame, self.moved(frame), rule)
    }

    /// The same of the reference frame, from which relative movement counts.
    ///
    /// # Errors
    /// As [`Lead::driving`].
    pub fn initial(&self, rule: &CropRule) -> Result<(Arc<Picture>, TurnedSquare), EngineError> {
        self.seen(self.reference, self.moved(self.reference), rule)
    }

    /// The square in which a network sees the reference frame, in pixels of the original.
    pub fn base(&self, rule: &CropRule) -> Crop {
        let found = || self.reel.square(rule, self.anchor?);
        let square = self.square.or_else(found);
        square.unwrap_or_else(|| middle(self.reel.size))
    }

    fn is_locked(&self) -> bool {
        self.follow.lock_place || self.follow.lock_scale
    }

    /// How the head has moved since the reference frame, where that matters: in the frame itself, or the last one before
    /// it with a face.
    fn moved(&self, frame: usize) -> Option<Similarity> {
        if !self.is_locked() {
            return None;
        }
        let from = self.reel.mesh(self.anchor?)?;
        let to = (0..=frame).rev().find_map(|frame| self.reel.mesh(frame))?;
        Similarity::between(from, to)
    }

    fn seen(
        &self,
        frame: usize,
        moved: Option<Similarity>,
        rule: &CropRule,
    ) -> Result<(Arc<Picture>, TurnedSquare), EngineError> {
        let picture = self.reel.picture(frame)?;
        let mut square = turned(self.base(rule));
        if let Some(moved) = moved {
            square = moved.follow(square, &self.follow);
        }
        let scale = self.reel.proxy_scale();
        square = TurnedSquare {
            x: scale * square.x,
            y: scale * square.y,
            side: scale * square.side,
            angle: square.angle,
        };
        if square.angle == 0.0 {
            if self.is_locked() {
                // A square that goes with the head may leave the picture, which only one that is turned is read beyond;
                // and every frame should be read by the same filter.
                square.angle = f64::MIN_POSITIVE;
            } else {
                // Rounding may have brought the small copy's edge in.
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

    /// What a step's driving frame is known by, for whatever is kept of it: equal for equal frames, squares, locks,
    /// reference and strength. The network and the portrait are the caller's to add.
    pub fn key(&self, step: usize) -> u64 {
        let mut hasher = DefaultHasher::new();
        let frame = self.frame_at(step);
        for frame in [frame, self.reference] {
            self.reel.content(frame).hash(&mut hasher);
            self.moved(frame)
                .map(|moved| moved.bits())
                .hash(&mut hasher);
        }
        self.reel.size.hash(&mut hasher);
        self.reel.proxy_scale().to_bits().hash(&mut hasher);
        let square = self
            .square
            .map(|Crop { x, y, side, angle }| [x, y, side, angle].map(f32::to_bits));
        square.hash(&mut hasher);
        let anchor = self.anchor.and_then(|anchor| self.reel.mesh(anchor));
        let face = anchor.map(|mesh| {
            let (left, top, right, bottom) = mesh.bounds();
            [left, top, right, bottom, mesh.lean()].map(f32::to_bits)
        });
        face.hash(&mut hasher);
        let Follow {
            strength,
            lock_place,
            lock_scale,
            ..
        } = self.follow;
        (strength.to_bits(), lock_place, lock_scale).hash(&mut hasher);
        hasher.finish()
    }
}

fn clock(fps: f64, frames: usize, playback: Playback) -> Clock {
    Clock {
        fps,
        frames: u32::try_from(frames).unwrap_or(u32::MAX),
        playback,
    }
}
