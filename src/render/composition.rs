//! What every pane shows at each step of a timeline.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::document::{MotionId, MotionKind, PaneSpec, Project, Show, Way};
use crate::drive::clip_analysis::Reel;
use crate::drive::driver::{Cue, Driver};
use crate::error::EngineError;
use crate::face::found::FoundFace;
use crate::methods::models::Models;
use crate::progress::Progress;

/// One pane at one moment.
#[derive(Debug, Clone)]
pub struct Shot {
    pub way: Way,
    pub show: Show,
    pub cue: Cue,
}

impl Shot {
    /// A number for all that its picture depends on beside the portrait and the view.
    pub(crate) fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.way, self.show).hash(&mut hasher);
        if self.way != Way::Source {
            self.cue.key(self.way).hash(&mut hasher);
        }
        hasher.finish()
    }
}

/// One pane through all time.
#[derive(Debug, Clone)]
pub struct Voice {
    pub way: Way,
    pub show: Show,
    pub drive: Driver,
    /// Whether the timeline is this motion's own.
    pub leads: bool,
}

impl Voice {
    /// Whether both are driven by the same.
    pub(crate) fn same_drive(&self, other: &Voice) -> bool {
        self.drive.same(&other.drive)
    }
}

/// Every pane through all time: what is to be seen at each step of the timeline.
#[derive(Debug, Clone)]
pub struct Score {
    /// The timeline's own motion.
    pub drive: Driver,
    pub voices: Vec<Voice>,
}

impl Score {
    /// All panes at a step of the timeline.
    pub fn shots(&self, step: u32) -> Vec<Shot> {
        let seconds = f64::from(step) / self.drive.fps();
        let shot = |part: &Voice| Shot {
            way: part.way,
            show: part.show,
            cue: if part.leads {
                part.drive.at(step)
            } else {
                // Within the frame that begins then, whatever is lost in the division.
                part.drive.playing_at(seconds + 1e-6)
            },
        };
        self.voices.iter().map(shot).collect()
    }

    /// Whether the same is to be seen.
    pub(crate) fn same(&self, other: &Score) -> bool {
        let voices = self.voices.iter().zip(&other.voices);
        self.voices.len() == other.voices.len()
            && self.drive.same(&other.drive)
            && voices.into_iter().all(|(a, b)| {
                (a.way, a.show, a.leads) == (b.way, b.show, b.leads) && a.drive.same(&b.drive)
            })
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
