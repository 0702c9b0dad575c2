//! What drives a method.

use std::sync::Arc;

use crate::document::{ActionUnit, Channel, Pose};
use crate::error::EngineError;
use crate::face::TurnedSquare;
use crate::media::image::Picture;
use crate::methods::subject::SubjectKey;
use crate::progress::Stop;
use crate::weights::CropRule;

/// A motion at one time, as an expression and as a driving picture: a method needs one or the other. The implementation
/// derives whichever the motion doesn't have.
pub trait Drive {
    /// Whether nothing drives the portrait: there is no motion, or it isn't read yet.
    fn is_rest(&self) -> bool;

    /// The expression, with strength already applied.
    fn expression(&self) -> Pose;

    /// The factor on the movement of key points: 0 none, 1 unchanged, above 1 exaggerated.
    fn gain(&self) -> f32;

    /// Cache key of [`Drive::picture`].
    fn key(&self, moment: DrivePicture, relative: bool) -> DriveKey;

    /// The driving picture, and the square of it that the method sees.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] once `stop` returns true; the errors of reading or rendering the picture.
    fn picture(
        &mut self,
        moment: DrivePicture,
        viewpoint: &Viewpoint,
        stop: Stop,
    ) -> Result<(Arc<Picture>, TurnedSquare), EngineError>;
}

/// Which picture of a motion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DrivePicture {
    /// The frame at the current step.
    Now,
    /// The reference frame: the one assumed to have the portrait's expression and pose.
    Reference,
}

/// How a method crops driving pictures.
#[derive(Debug, Clone, Copy)]
pub struct Viewpoint<'a> {
    /// Where the face must be in the square that the method sees.
    pub rule: &'a CropRule,
    /// The square of the portrait that the method sees.
    pub place: TurnedSquare,
    /// Side of the network's input in pixels.
    pub size: usize,
    /// Whether motion is measured relative to the reference frame.
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
    /// The portrait itself.
    Rest,
    /// The portrait rendered with an expression.
    Drawn(PoseKey, SubjectKey),
    /// A frame of a clip.
    Clip(ClipFrameKey),
}

/// Cache key of a clip's frame as a driving picture, together with the reference frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClipFrameKey {
    /// For the frame and the reference frame: a hash of the pixels, and the head's movement if the square follows it.
    pub frames: [(u64, Option<[u64; 6]>); 2],
    /// Width and height of the clip, and the scale of its cached frames.
    pub size: (u32, u32),
    /// The factor by which cached frames are smaller.
    pub scale: u64,
    /// The square set by the artist, and the face that the square is derived from otherwise.
    pub square: Option<[u32; 4]>,
    /// The square of the detected face, if no square is set.
    pub face: Option<[u32; 5]>,
    /// The bits of [`Follow::strength`](crate::document::Follow::strength).
    pub strength: u32,
    /// Whether the head's position and roll are locked.
    pub lock_place: bool,
    /// Whether the head's size is locked.
    pub lock_scale: bool,
}
