//! The trimmed range of a clip.

use crate::media::clip::frames::ClipFrame;

/// Tolerance of a frame's time in seconds: less than any frame's duration, more than rounding errors.
pub(super) const TIME_TOLERANCE: f64 = 1e-6;

/// The range that a clip is trimmed to.
#[derive(Default)]
pub(super) struct Cut {
    /// The first frame in the range.
    pub(super) first: usize,
    /// The first frame after the range, if known.
    pub(super) end: Option<usize>,
    /// End of the range, in seconds.
    pub(super) to: Option<f64>,
    /// The first frame in the range, if it was decoded to find it.
    pub(super) found: Option<ClipFrame>,
}

impl Cut {
    pub(super) fn is_past(&self, frame: usize) -> bool {
        self.end.is_some_and(|end| frame >= end)
    }

    /// Whether a frame that begins at `time` is after the range.
    pub(super) fn ends(&self, time: f64) -> bool {
        self.to.is_some_and(|to| time >= to - TIME_TOLERANCE)
    }
}
