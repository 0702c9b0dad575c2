//! What a method asks of whatever drives it.

use std::sync::Arc;

use crate::document::{ActionUnit, Channel, Pose};
use crate::error::EngineError;
use crate::face::TurnedSquare;
use crate::media::image::Picture;
use crate::methods::subject::SubjectKey;
use crate::progress::Stop;
use crate::weights::CropRule;

/// A motion at one time. It answers both questions that a method can have: which expression, and which driving picture. What a
/// motion lacks, the implementation derives.
pub trait Drive {
    /// Whether nothing drives: the motion isn't there, or isn't read yet.
    fn is_rest(&self) -> bool;

    /// The expression asked for, strength already applied.
    fn expression(&self) -> Pose;

    /// How much of the movement between key points is carried out: 0 none, 1 as it is, more exaggerates it.
    fn gain(&self) -> f32;

    /// Cache key of [`Drive::picture`].
    fn key(&self, moment: Moment, relative: bool) -> DriveKey;

    /// The driving picture, and the square of it that the method sees.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] when `stop` said so, and what reading or drawing the picture says.
    fn picture(
        &mut self,
        moment: Moment,
        viewpoint: &Viewpoint,
        stop: Stop,
    ) -> Result<(Arc<Picture>, TurnedSquare), EngineError>;
}

/// Which of a motion's pictures is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    Now,
    /// The reference frame: the one that counts as looking like the portrait.
    Reference,
}

/// How a method looks at pictures.
#[derive(Debug, Clone, Copy)]
pub struct Viewpoint<'a> {
    /// Where a face must lie in the square that the method sees.
    pub rule: &'a CropRule,
    /// The square of the portrait that it sees.
    pub place: TurnedSquare,
    /// Pixels a side of what it sees.
    pub size: usize,
    /// Whether motion is counted from the reference frame.
    pub relative: bool,
}

/// Cache key of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PoseKey {
    halves: [[u32; ActionUnit::COUNT]; 2],
    head_and_eyes: [u32; Channel::HEAD_AND_EYES.len()],
}

impl From<&Pose> for PoseKey {
    fn from(pose: &Pose) -> Self {
        Self {
            halves: [&pose.left, &pose.right].map(|half| half.values().map(f32::to_bits)),
            head_and_eyes: Channel::HEAD_AND_EYES.map(|channel| pose.get(channel).to_bits()),
        }
    }
}

/// Cache key of a driving picture and the square in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DriveKey {
    Rest,
    /// The portrait drawn with an expression.
    Drawn(PoseKey, SubjectKey),
    Clip(ClipFrameKey),
}

/// Cache key of a clip's frame as it drives: what is seen of it and of the reference frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClipFrameKey {
    /// For the frame and the reference frame: a digest of the pixels, and how the head has moved where the square follows it.
    pub frames: [(u64, Option<[u64; 6]>); 2],
    /// Width and height of the clip, and of the frames that are kept of it to one of its pixels.
    pub size: (u32, u32),
    pub scale: u64,
    /// The square set by the artist, and the face by which it is found otherwise.
    pub square: Option<[u32; 4]>,
    pub face: Option<[u32; 5]>,
    pub strength: u32,
    pub lock_place: bool,
    pub lock_scale: bool,
}
