//! From the project's motions to what drives.

use std::sync::Arc;

use super::{Driver, Models, Score, Sitter, Voice};
use crate::engine::{EngineError, FoundFace, Lead, Portrait, Progress, Reel, Scene};
use crate::studio::{Motion, MotionId, MotionKind, PaneSpec, Project};

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
                let shown = sampled
                    .shown()
                    .map_err(|error| EngineError::Refused(error.to_string()))?;
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

impl Score {
    /// What some panes of a project show at every step, by drivers that are there already.
    pub fn of(project: &Project, panes: &[PaneSpec], driver: impl Fn(MotionId) -> Driver) -> Score {
        let chosen = project.chosen();
        let voices = panes.iter().map(|pane| {
            let motion = project.driving(pane);
            Voice {
                way: pane.way,
                show: pane.show,
                drive: driver(motion),
                leads: motion == chosen,
            }
        });
        Score {
            voices: voices.collect(),
            drive: driver(chosen),
        }
    }

    /// The same for whoever has no window: what the panes need is read first.
    ///
    /// # Errors
    /// Those of [`Reel::of_motion`] and [`Driver::of`].
    pub fn read(
        project: &Project,
        panes: &[PaneSpec],
        face: Option<&FoundFace>,
        models: &Models,
        progress: &Progress,
    ) -> Result<Score, EngineError> {
        let mut drivers: Vec<(MotionId, Driver)> = Vec::new();
        let needed = panes.iter().map(|pane| project.driving(pane));
        for id in needed.chain([project.chosen()]) {
            let known = drivers.iter().any(|(other, _)| *other == id);
            let Some(motion) = project.motion(id).filter(|_| !known) else {
                continue;
            };
            let reel = match motion.kind {
                MotionKind::Track(_) => None,
                _ => Some(Arc::new(Reel::of_motion(&motion.kind, models, progress)?)),
            };
            let driver = Driver::of(project, motion, reel.as_ref(), face)?;
            drivers.push((id, driver));
        }
        Ok(Score::of(project, panes, |id| {
            let known = drivers.iter().find(|(other, _)| *other == id);
            known.map_or(Driver::Nothing, |(_, driver)| driver.clone())
        }))
    }
}

impl Sitter {
    /// The portrait of a project, as it stands there.
    pub fn of(project: &Project, portrait: &Portrait) -> Sitter {
        let document = project.document();
        Sitter {
            id: document.portrait.id,
            picture: Arc::clone(&portrait.picture),
            face: document
                .face
                .and_then(|face| portrait.faces.get(face).cloned()),
            scene: Scene::of(document, 0),
        }
    }
}
