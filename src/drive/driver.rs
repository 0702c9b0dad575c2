//! A motion bound to a portrait, and its sample at one time.

use std::sync::Arc;

use crate::document::{Document, Pose};
use crate::drive::clip_driver::ClipDriver;
use crate::methods::MethodInfo;
use crate::methods::drive::{ClipFrameKey, DrivePicture, PoseKey};
use crate::methods::subject::Subject;

/// The sample of a motion at one time.
#[derive(Debug, Clone)]
pub enum DriveSample {
    /// The motion is missing, or not analysed yet.
    Nothing,
    /// An expression, with strength already applied.
    Pose(Pose),
    /// A step of a clip or a sampled motion.
    Step(Arc<ClipDriver>, u32),
}

/// Cache key of a [`DriveSample`], for those of its properties that a method uses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SampleKey {
    /// Of [`DriveSample::Nothing`].
    Nothing,
    /// Of an expression.
    Pose(PoseKey),
    /// Of a clip's frame.
    Step(ClipFrameKey),
}

impl DriveSample {
    /// Returns the sample's expression.
    pub fn pose(&self, subject: &Subject) -> Pose {
        match self {
            DriveSample::Nothing => subject.expression.into(),
            DriveSample::Pose(pose) => *pose,
            DriveSample::Step(clip, step) => clip.pose(*step as usize),
        }
    }

    /// Returns the cache key for a method driven by expressions, whatever the expression was read from. Properties that the
    /// method doesn't draw are left out.
    pub fn expression_key(&self, subject: &Subject, method: &MethodInfo) -> SampleKey {
        SampleKey::Pose(PoseKey::from(&method.supported_pose(self.pose(subject))))
    }

    /// Returns the cache key for a method driven by pictures; `drawing` is the method that renders pictures of expressions.
    pub fn picture_key(&self, relative: bool, drawing: &MethodInfo) -> SampleKey {
        match self {
            DriveSample::Nothing => SampleKey::Nothing,
            DriveSample::Pose(pose) => {
                SampleKey::Pose(PoseKey::from(&drawing.supported_pose(*pose)))
            }
            DriveSample::Step(clip, step) => {
                SampleKey::Step(clip.key(DrivePicture::Now, *step as usize, relative))
            }
        }
    }
}

/// A motion, ready to drive.
#[derive(Debug, Clone)]
pub enum Driver {
    /// The motion is missing, or not analysed yet.
    Nothing,
    /// An expression track, with its document.
    Track(Arc<Document>),
    /// A clip or a sampled motion.
    Clip(Arc<ClipDriver>),
}

impl Driver {
    /// Frames per second.
    pub fn fps(&self) -> f64 {
        match self {
            Driver::Nothing => 24.0,
            Driver::Track(document) => document.track.fps(),
            Driver::Clip(clip) => clip.fps(),
        }
    }

    /// Returns the number of frames in one pass, at least one.
    pub fn frames(&self) -> u32 {
        match self {
            Driver::Nothing => 1,
            Driver::Track(document) => document.track.frames(),
            Driver::Clip(clip) => steps(clip),
        }
    }

    /// Returns whether it moves at all.
    pub fn moves(&self) -> bool {
        match self {
            Driver::Nothing => false,
            Driver::Track(document) => document.track.moves(),
            Driver::Clip(_) => true,
        }
    }

    /// Returns whether it is fully analysed: a clip or a sampled motion may still be in progress.
    pub fn is_complete(&self) -> bool {
        match self {
            Driver::Nothing | Driver::Track(_) => true,
            Driver::Clip(clip) => clip.analysis.is_complete(),
        }
    }

    /// Returns the sample at a step.
    pub fn at(&self, step: u32) -> DriveSample {
        match self {
            Driver::Nothing => DriveSample::Nothing,
            Driver::Track(document) => DriveSample::Pose(document.target(step)),
            Driver::Clip(clip) => DriveSample::Step(Arc::clone(clip), step.min(steps(clip) - 1)),
        }
    }

    /// Returns the sample at `seconds` after the start, according to the motion's playback mode.
    pub fn playing_at(&self, seconds: f64) -> DriveSample {
        let step = match self {
            Driver::Nothing => 0,
            Driver::Track(document) => document.track.playing_at(seconds).0,
            Driver::Clip(clip) => clip.playing_at(seconds).0,
        };
        self.at(step)
    }

    /// Returns the frames of one pass in playback order.
    pub fn order(&self) -> Vec<u32> {
        match self {
            Driver::Nothing => vec![0],
            Driver::Track(document) => document.track.order(),
            Driver::Clip(clip) => clip.order(),
        }
    }

    /// Returns the same motion at another frame rate; its duration stays the same.
    pub fn at_rate(&self, fps: f64) -> Driver {
        if fps == self.fps() {
            return self.clone();
        }
        match self {
            Driver::Nothing => Driver::Nothing,
            Driver::Track(document) => {
                let mut document = (**document).clone();
                document.track.set_fps(fps);
                Driver::Track(Arc::new(document))
            }
            Driver::Clip(clip) => Driver::Clip(Arc::new((**clip).clone().at_rate(fps))),
        }
    }

    /// Returns whether both give the same sample at every step.
    pub fn same(&self, other: &Driver) -> bool {
        match (self, other) {
            (Driver::Nothing, Driver::Nothing) => true,
            (Driver::Track(a), Driver::Track(b)) => Arc::ptr_eq(a, b) || a == b,
            (Driver::Clip(a), Driver::Clip(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// Returns the number of steps of a clip, at least one.
fn steps(clip: &ClipDriver) -> u32 {
    u32::try_from(clip.frames()).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{ActionUnit, Channel, Sides};
    use crate::methods::{ganimation, rig};

    #[test]
    fn the_cache_key_ignores_channels_that_the_method_does_not_render() {
        let straight = DriveSample::Pose(Pose::NEUTRAL);
        let (rig, network) = (&rig::method::INFO, &ganimation::session::INFO);
        for channel in Channel::HEAD_AND_EYES {
            let turned = Pose::NEUTRAL.with(Sides::Both, channel, 1.0);
            assert_ne!(PoseKey::from(&turned), PoseKey::from(&Pose::NEUTRAL));
            let turned = DriveSample::Pose(turned);
            let key = |sample: &DriveSample, method| sample.picture_key(true, method);
            assert_ne!(key(&turned, rig), key(&straight, rig));
            assert_eq!(key(&turned, network), key(&straight, network));
        }
        let blink = |value| {
            let pose = Pose::NEUTRAL.with(Sides::Left, ActionUnit::ALL[16], value);
            DriveSample::Pose(pose)
        };
        for (beyond, end) in [(1.3, 1.0), (-0.4, 0.0)] {
            let key = |value, method| blink(value).picture_key(true, method);
            assert_ne!(key(beyond, rig), key(end, rig));
            assert_eq!(key(beyond, network), key(end, network));
        }
    }
}
