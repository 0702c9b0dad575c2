//! A part of a clip, by the times at which it begins and ends.

use crate::media::clip::frames::ClipFrame;

/// Seconds by which a frame may miss the time that a person wrote: less than any frame lasts, more than rounding makes.
pub(super) const NEAR: f64 = 1e-6;

/// What is left of a clip.
#[derive(Default)]
pub(super) struct Cut {
    /// The first frame of the part.
    pub(super) first: usize,
    /// The first frame after it, where that is known.
    pub(super) end: Option<usize>,
    /// Seconds at which it ends.
    pub(super) to: Option<f64>,
    /// Its first frame, if that had to be decoded to be found.
    pub(super) found: Option<ClipFrame>,
}

impl Cut {
    pub(super) fn is_past(&self, frame: usize) -> bool {
        self.end.is_some_and(|end| frame >= end)
    }

    /// Whether a frame that begins at `time` comes after it.
    pub(super) fn ends(&self, time: f64) -> bool {
        self.to.is_some_and(|to| time >= to - NEAR)
    }
}
