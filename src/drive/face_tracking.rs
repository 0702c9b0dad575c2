//! One pass over a clip that tracks a face from frame to frame: the first stage of every analysis.

use crate::error::EngineError;
use crate::face::found::finder;
use crate::face::{Face, Mesh, Tracker};
use crate::media::clip::Clip;
use crate::media::image::Picture;
use crate::progress::Progress;

/// The result of a pass.
#[derive(Default)]
pub(crate) struct TrackedFaces {
    /// Every frame's time, in seconds of the whole clip, and the face in it.
    pub faces: Vec<(f64, Option<Face>)>,
    /// The error that ended the reading early, if any.
    pub read_error: Option<String>,
}

impl TrackedFaces {
    /// Returns the landmarks of the last frame's face.
    pub fn last_mesh(&self) -> Option<&Mesh> {
        let (_, face) = self.faces.last()?;
        face.as_ref().map(|face| &face.mesh)
    }
}

/// Tracks one face through a clip, at first the largest; if it leaves and comes back, it is found again. `each` receives
/// every frame with the results up to and including it. A damaged clip is read up to the damage.
///
/// # Errors
/// [`EngineError::Cancelled`] when `progress` was cancelled, [`EngineError::Media`] when not even the first frame can be
/// read, and those of `each`.
pub(crate) fn follow(
    clip: Clip,
    progress: &Progress,
    each: impl FnMut(&Picture, &TrackedFaces) -> Result<(), EngineError>,
) -> Result<TrackedFaces, EngineError> {
    let mut tracker = Tracker::default();
    pass(clip, progress, |picture| next(&mut tracker, picture), each)
}

/// Reads only the times of a clip's frames.
///
/// # Errors
/// As [`follow`].
pub(crate) fn times(clip: Clip, progress: &Progress) -> Result<TrackedFaces, EngineError> {
    pass(clip, progress, |_| Ok(None), |_, _| Ok(()))
}

fn pass(
    clip: Clip,
    progress: &Progress,
    mut look: impl FnMut(&Picture) -> Result<Option<Face>, EngineError>,
    mut each: impl FnMut(&Picture, &TrackedFaces) -> Result<(), EngineError>,
) -> Result<TrackedFaces, EngineError> {
    let mut tracked = TrackedFaces::default();
    for frame in clip {
        if progress.cancel.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) if tracked.faces.is_empty() => return Err(error.into()),
            Err(error) => {
                tracked.read_error = Some(error.to_string());
                break;
            }
        };
        let face = look(&frame.picture)?;
        tracked.faces.push((frame.time, face));
        each(&frame.picture, &tracked)?;
        progress.step();
    }
    Ok(tracked)
}

/// Returns the tracker's face in the next frame.
pub(crate) fn next(tracker: &mut Tracker, picture: &Picture) -> Result<Option<Face>, EngineError> {
    Ok(tracker.next(finder()?, picture)?)
}
