//! One pass over a clip with its face followed from frame to frame: what every reading of a clip begins with.

use crate::error::EngineError;
use crate::face::found::finder;
use crate::face::{Face, Mesh, Tracker};
use crate::media::clip::Clip;
use crate::media::image::Picture;
use crate::progress::Progress;

/// What was seen on the way.
#[derive(Default)]
pub(crate) struct Followed {
    /// Every frame's time, in seconds of the whole clip, and the face in it.
    pub faces: Vec<(f64, Option<Face>)>,
    /// Why the clip could not be read to its end.
    pub broken: Option<String>,
}

impl Followed {
    /// The landmarks of the last frame's face.
    pub fn last_mesh(&self) -> Option<&Mesh> {
        let (_, face) = self.faces.last()?;
        face.as_ref().map(|face| &face.mesh)
    }
}

/// Goes through a clip: one face, at first the largest; one that leaves and comes back is found again. `each` is given
/// every frame with what was seen up to and with it. Of a clip that is damaged on the way the part before it is given.
///
/// # Errors
/// [`EngineError::Cancelled`] when `progress` was asked to stop, [`EngineError::Media`] when not even the first frame can
/// be read, and those of `each`.
pub(crate) fn follow(
    clip: Clip,
    progress: &Progress,
    each: impl FnMut(&Picture, &Followed) -> Result<(), EngineError>,
) -> Result<Followed, EngineError> {
    let mut tracker = Tracker::default();
    pass(clip, progress, |picture| next(&mut tracker, picture), each)
}

/// Goes through a clip for the times of its frames alone.
///
/// # Errors
/// Those of [`follow`].
pub(crate) fn times(clip: Clip, progress: &Progress) -> Result<Followed, EngineError> {
    pass(clip, progress, |_| Ok(None), |_, _| Ok(()))
}

fn pass(
    clip: Clip,
    progress: &Progress,
    mut look: impl FnMut(&Picture) -> Result<Option<Face>, EngineError>,
    mut each: impl FnMut(&Picture, &Followed) -> Result<(), EngineError>,
) -> Result<Followed, EngineError> {
    let mut seen = Followed::default();
    for frame in clip {
        if progress.cancel.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) if seen.faces.is_empty() => return Err(error.into()),
            Err(error) => {
                seen.broken = Some(error.to_string());
                break;
            }
        };
        let face = look(&frame.picture)?;
        seen.faces.push((frame.time, face));
        each(&frame.picture, &seen)?;
        progress.step();
    }
    Ok(seen)
}

/// The face that a tracker sees in the next frame.
pub(crate) fn next(tracker: &mut Tracker, picture: &Picture) -> Result<Option<Face>, EngineError> {
    Ok(tracker.next(finder()?, picture)?)
}
