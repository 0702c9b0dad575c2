//! What takes the frames of a clip, whichever the format.

use std::path::Path;

use crate::media::error::MediaError;
use crate::media::image::Picture;

/// A clip being written, frame after frame.
///
/// Nothing appears under the final name before [`FrameSink::finish`]; dropping a sink removes all that it wrote.
pub trait FrameSink: Send {
    /// Adds the next frame.
    ///
    /// # Errors
    ///
    /// [`MediaError::FrameSize`] when the frame isn't of the clip's size; the errors of writing.
    fn push(&mut self, frame: &Picture) -> Result<(), MediaError>;

    /// Writes what is pending and gives the file its name.
    ///
    /// # Errors
    ///
    /// [`MediaError::NoFrames`] when nothing was pushed; the errors of writing. Whatever had the name before is then still there.
    fn finish(self: Box<Self>) -> Result<(), MediaError>;
}

/// Refuses a frame that hasn't the size `expected`.
pub(crate) fn check_size(
    path: &Path,
    frame: &Picture,
    expected: (u32, u32),
) -> Result<(), MediaError> {
    if frame.size() == expected {
        return Ok(());
    }
    Err(MediaError::FrameSize {
        path: path.to_owned(),
        expected,
        found: frame.size(),
    })
}
