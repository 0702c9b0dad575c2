//! Creates drivers from a project's motions.

use std::sync::Arc;

use crate::document::{AuVector, Motion, MotionKind, Project};
use crate::drive::clip_analysis::{ClipAnalysis, OnSnapshot, Reading};
use crate::drive::clip_driver::ClipDriver;
use crate::drive::driver::Driver;
use crate::error::EngineError;
use crate::face::Shape;
use crate::face::found::FoundFace;
use crate::methods::models::Models;
use crate::progress::Progress;

impl ClipAnalysis {
    /// Analyses a clip or a sampled motion for scrubbing; `None` for an expression track, which needs no analysis. `show`
    /// receives snapshots on the way.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] when `progress` was cancelled; errors of the clip's reader and the network.
    pub fn of_motion(
        kind: &MotionKind,
        models: &Models,
        progress: &Progress,
        show: OnSnapshot<'_>,
    ) -> Result<Option<ClipAnalysis>, EngineError> {
        match kind {
            MotionKind::Track(_) => Ok(None),
            MotionKind::Clip(clip) => {
                ClipAnalysis::read_showing(&clip.source, progress, show).map(Some)
            }
            MotionKind::Sample(sampled) => {
                let sample = sampled.blended_sample()?;
                let sampler = models.sampler()?;
                let fps = sampled.fps;
                ClipAnalysis::of_sample_showing(&sampler, &sample, fps, progress, show).map(Some)
            }
        }
    }

    /// The same for a job: the part in use, with the original frames.
    ///
    /// # Errors
    /// As [`ClipAnalysis::of_motion`].
    pub fn for_job(
        kind: &MotionKind,
        reading: Reading,
        models: &Models,
        progress: &Progress,
    ) -> Result<Option<ClipAnalysis>, EngineError> {
        match kind {
            MotionKind::Track(_) => Ok(None),
            MotionKind::Clip(clip) => {
                let locked = clip.follow.lock_place || clip.follow.lock_scale;
                let reading = if locked { Reading::Landmarks } else { reading };
                let cut = (clip.from, clip.to);
                let read = |cut| ClipAnalysis::read_part(&clip.source, cut, reading, progress);
                let part = read(cut)?;
                // A reference frame outside the part requires the whole clip.
                let reference = clip.follow.reference.map(|frame| frame as usize);
                let within = part.offset..part.offset + part.frames();
                if cut != (None, None)
                    && reference.is_some_and(|reference| !within.contains(&reference))
                {
                    return read((None, None)).map(Some);
                }
                Ok(Some(part))
            }
            MotionKind::Sample(sampled) => {
                let sample = sampled.blended_sample()?;
                let sampler = models.sampler()?;
                ClipAnalysis::of_sample_frames(&sampler, &sample, sampled.fps, progress).map(Some)
            }
        }
    }
}

impl Driver {
    /// Creates the driver of a project's motion for its portrait's face; [`Driver::Nothing`] for a clip or a sampled
    /// motion that isn't analysed yet.
    ///
    /// # Errors
    /// As [`ClipDriver::clip`] and [`ClipDriver::sample`].
    pub fn of(
        project: &Project,
        motion: &Motion,
        analysis: Option<&Arc<ClipAnalysis>>,
        face: Option<&FoundFace>,
    ) -> Result<Driver, EngineError> {
        if let MotionKind::Track(_) = motion.kind {
            return Ok(Driver::Track(Arc::new(project.document_for(motion.id))));
        }
        let source = &project.document().source;
        let shape = face.map(FoundFace::shape);
        match analysis {
            None => Ok(Driver::Nothing),
            Some(analysis) => Self::bound(&motion.kind, analysis, shape.as_ref(), source),
        }
    }

    /// Binds a clip or a sampled motion to a portrait with a face of this shape and this expression.
    ///
    /// # Errors
    /// As [`ClipDriver::clip`] and [`ClipDriver::sample`].
    pub fn bound(
        kind: &MotionKind,
        analysis: &Arc<ClipAnalysis>,
        shape: Option<&Shape>,
        source: &AuVector,
    ) -> Result<Driver, EngineError> {
        let analysis = Arc::clone(analysis);
        let driver = match kind {
            MotionKind::Track(_) => return Ok(Driver::Nothing),
            MotionKind::Clip(clip) => ClipDriver::clip(analysis, clip, shape, source),
            MotionKind::Sample(sampled) => ClipDriver::sample(analysis, sampled, shape, source),
        };
        Ok(Driver::Clip(Arc::new(driver?)))
    }
}
