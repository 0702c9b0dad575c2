//! The interface of all clip encoders.

use std::path::Path;

use crate::media::error::MediaError;
use crate::media::image::Picture;

/// A clip that is being written, frame by frame.
///
/// The target doesn't appear or change before [`FrameSink::finish`]; dropping a sink deletes what it wrote.
pub trait FrameSink: Send {
    /// Adds the next frame.
    ///
    /// # Errors
    ///
    /// [`MediaError::FrameSize`] if the frame doesn't have the clip's size; write errors.
    fn push(&mut self, frame: &Picture) -> Result<(), MediaError>;

    /// Writes pending data and renames the file to the target.
    ///
    /// # Errors
    ///
    /// [`MediaError::NoFrames`] if no frame was pushed; write errors. An existing file is then unchanged.
    fn finish(self: Box<Self>) -> Result<(), MediaError>;
}

/// Rejects a frame that doesn't have the size `expected`.
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
