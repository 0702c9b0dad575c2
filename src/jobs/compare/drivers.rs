//! The motion of a comparison, bound to the portrait in relative and in standard mode.

use std::sync::Arc;

use super::spec::MethodSpec;
use super::{Compared, Comparison};
use crate::document::{Mode, MotionKind};
use crate::drive::clip_analysis::{ClipAnalysis, Reading};
use crate::drive::driver::Driver;
use crate::error::{EngineError, FaceError};
use crate::face::found::FoundFace;
use crate::jobs::export::check_reference;
use crate::jobs::remark::Remark;
use crate::methods::models::Models;
use crate::progress::Progress;

/// The motion, bound to the portrait.
pub(super) struct Drivers {
    /// The label of the driving pane.
    pub name: String,
    /// Movement relative to the reference frame, and absolute.
    pub relative: Driver,
    pub standard: Driver,
}

impl Drivers {
    pub fn read(
        comparison: &Comparison,
        models: &Models,
        progress: &Progress,
        outcome: &mut Compared,
    ) -> Result<Self, EngineError> {
        let kind = comparison.once();
        let Some(analysis) = ClipAnalysis::for_job(&kind, Reading::Faces, models, progress)? else {
            let track = Driver::Track(Arc::new(comparison.document.clone()));
            return Ok(Self {
                name: models.ganimation().name().to_owned(),
                relative: track.clone(),
                standard: track,
            });
        };
        let is_sample = matches!(kind, MotionKind::Sample(_));
        let name = if is_sample {
            models.sampler()?.name().to_owned()
        } else {
            analysis.name.clone()
        };
        outcome
            .remarks
            .extend(analysis.read_error.clone().map(Remark::Media));
        let methods = &comparison.methods;
        let needs_a_face = methods.iter().any(MethodSpec::needs_a_face);
        match &analysis.track {
            None if needs_a_face && is_sample => {
                return Err(FaceError::NoneInDrawn { name }.into());
            }
            None if needs_a_face => {
                let frames = analysis.frames();
                return Err(FaceError::NoneInClip { name, frames }.into());
            }
            // Methods driven by pictures can move other things too.
            None if is_sample => {
                let name = name.clone();
                outcome.remarks.push(Remark::NoFaceInDrawn { name });
            }
            None => {
                let (name, frames) = (name.clone(), analysis.frames());
                let error = FaceError::NoneInClip { name, frames };
                outcome.remarks.push(Remark::Face(error));
            }
            Some(track) if track.faceless() > 0 => outcome.remarks.push(Remark::Faceless {
                faceless: track.faceless(),
                frames: analysis.frames(),
                name: name.clone(),
            }),
            Some(_) => {}
        }
        let analysis = Arc::new(analysis);
        let subject = &comparison.subject;
        let shape = subject.face.as_deref().map(FoundFace::shape);
        let bound = |relative: bool| {
            let mut kind = kind.clone();
            match &mut kind {
                MotionKind::Track(_) => {}
                MotionKind::Clip(clip) => clip.follow.relative = relative,
                MotionKind::Sample(sampled) => sampled.follow.relative = relative,
            }
            Driver::bound(&kind, &analysis, shape.as_ref(), &subject.expression)
        };
        let relative = bound(true)?;
        if let Driver::Clip(clip) = &relative {
            check_reference(clip)?;
        }
        Ok(Self {
            name,
            relative,
            standard: bound(false)?,
        })
    }

    pub fn fps(&self) -> f64 {
        self.relative.fps()
    }

    pub fn of(&self, spec: &MethodSpec) -> &Driver {
        match spec.mode {
            Mode::Relative => &self.relative,
            Mode::Standard | Mode::Avd => &self.standard,
        }
    }
}
