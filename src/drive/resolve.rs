//! From the project's motions to what drives.

use std::sync::Arc;

use crate::document::{Motion, MotionKind, Project};
use crate::drive::clip_analysis::Reel;
use crate::drive::clip_driver::Lead;
use crate::drive::driver::Driver;
use crate::error::EngineError;
use crate::face::found::FoundFace;
use crate::methods::models::Models;
use crate::progress::Progress;

impl Reel {
    /// Reads a clip or draws a sample; an expression track has nothing to read.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] when `progress` was asked to stop, and for a track; what the clip's reader and the network
    /// say.
    pub fn of_motion(
        kind: &MotionKind,
        models: &Models,
        progress: &Progress,
    ) -> Result<Reel, EngineError> {
        match kind {
            MotionKind::Clip(clip) => Reel::read(&clip.source, progress),
            MotionKind::Sample(sampled) => {
                let shown = sampled.shown()?;
                Reel::of_sample(models.sampler()?, &shown, sampled.fps, progress)
            }
            MotionKind::Track(_) => Err(EngineError::Cancelled),
        }
    }
}

impl Driver {
    /// A motion of the project, ready to drive its portrait's face; [`Driver::Nothing`] for a clip or a sample without its
    /// reel.
    ///
    /// # Errors
    /// Those of [`Lead::clip`] and [`Lead::sample`].
    pub fn of(
        project: &Project,
        motion: &Motion,
        reel: Option<&Arc<Reel>>,
        face: Option<&FoundFace>,
    ) -> Result<Driver, EngineError> {
        let shape = face.map(FoundFace::shape);
        let source = &project.document().source;
        let lead = match (&motion.kind, reel) {
            (MotionKind::Track(_), _) => {
                let document = project.document_for(motion.id);
                return Ok(Driver::Track(Arc::new(document)));
            }
            (_, None) => return Ok(Driver::Nothing),
            (MotionKind::Clip(clip), Some(reel)) => {
                Lead::clip(Arc::clone(reel), clip, shape.as_ref(), source)
            }
            (MotionKind::Sample(sampled), Some(reel)) => {
                Lead::sample(Arc::clone(reel), sampled, shape.as_ref(), source)
            }
        };
        Ok(Driver::Lead(Arc::new(lead?)))
    }
}
