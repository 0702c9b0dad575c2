//! What every pane shows at each step of a timeline.

use std::path::PathBuf;
use std::sync::Arc;

use crate::document::{
    MethodChoice, Mode, MotionId, MotionKind, PaneSpec, PaneView, Pose, Project,
};
use crate::drive::clip_analysis::{ClipAnalysis, Reading};
use crate::drive::driver::{DriveSample, Driver, SampleKey};
use crate::error::EngineError;
use crate::face::found::FoundFace;
use crate::face::view::View;
use crate::methods::DrivenBy;
use crate::methods::drive::PoseKey;
use crate::methods::models::{MethodKey, Models};
use crate::methods::registry::{Registry, default_expression_method};
use crate::methods::subject::{Subject, SubjectKey};
use crate::progress::Progress;

/// One pane at one step.
#[derive(Debug, Clone)]
pub struct FrameRequest {
    /// What draws the pane.
    pub method: MethodChoice,
    /// Weights to use instead of those chosen for the method.
    pub weights: Option<PathBuf>,
    /// What the pane shows of it.
    pub view: PaneView,
    /// The motion at this step.
    pub sample: DriveSample,
    /// Whether the rig draws the expression first, for a method driven by pictures.
    pub expression_by_rig: bool,
}

/// Cache key of a rendered frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FrameKey {
    method: MethodChoice,
    weights: Option<PathBuf>,
    view: PaneView,
    sample: SampleKey,
    /// The expression that the rig draws first.
    expression: Option<PoseKey>,
    subject: SubjectKey,
    /// Left, top and zoom, and the size in pixels, of the visible part of the portrait.
    place: [u64; 3],
    size: (u32, u32),
}

impl FrameRequest {
    /// Returns the method with its weights; `None` for a pane without one.
    pub fn method_key(&self) -> Option<MethodKey> {
        MethodKey::of(self.method, self.weights.as_deref())
    }

    /// Returns a key that is equal for requests with the same picture.
    pub fn key(&self, registry: &Registry, subject: &Subject, view: &View) -> FrameKey {
        let drawing = default_expression_method(subject.face.is_some());
        let by_picture = |relative| self.sample.picture_key(relative, drawing);
        let sample = match self.method {
            MethodChoice::Source => SampleKey::Nothing,
            MethodChoice::Motion => by_picture(true),
            MethodChoice::Method(id, mode) => match registry.get(id) {
                Some(info) if info.driven_by == DrivenBy::Expression => {
                    self.sample.expression_key(subject, info)
                }
                _ => by_picture(mode.unwrap_or_default() == Mode::Relative),
            },
        };
        FrameKey {
            method: self.method,
            weights: self.weights.clone(),
            view: self.view,
            sample,
            expression: (self.expression_under(registry, subject).as_ref()).map(PoseKey::from),
            subject: subject.key(),
            place: [view.x, view.y, view.zoom].map(f64::to_bits),
            size: (view.width, view.height),
        }
    }

    /// Returns the expression that the rig draws before the method moves it. `None` if that isn't requested, for a method
    /// that draws expressions itself, without a face, and for views other than a result.
    pub fn expression_under(&self, registry: &Registry, subject: &Subject) -> Option<Pose> {
        let shows_result = matches!(self.view, PaneView::Result | PaneView::Difference);
        let drawn = self.expression_by_rig
            && shows_result
            && subject.face.is_some()
            && !subject.plain
            && registry.follows_pictures(self.method);
        drawn.then(|| self.sample.pose(subject).with_head_still())
    }

    /// Returns the same request with another view.
    pub fn showing(&self, view: PaneView) -> Self {
        Self {
            view,
            ..self.clone()
        }
    }
}

/// One pane over the whole timeline.
#[derive(Debug, Clone)]
pub struct PaneSource {
    /// What draws the pane.
    pub method: MethodChoice,
    /// Weights to use instead of those chosen for the method.
    pub weights: Option<PathBuf>,
    /// What the pane shows of it.
    pub view: PaneView,
    /// Whether the rig draws the expression first, for a method driven by pictures.
    pub expression_by_rig: bool,
    /// The motion that drives it.
    pub driver: Driver,
    /// Whether its motion is the timeline's.
    pub on_timeline: bool,
}

impl PaneSource {
    /// Returns whether both show the same at every step.
    pub fn same(&self, other: &PaneSource) -> bool {
        self.view == other.view && self.on_timeline == other.on_timeline && self.same_result(other)
    }

    /// Returns whether both have the same result at every step, in whatever view.
    pub fn same_result(&self, other: &PaneSource) -> bool {
        self.method == other.method
            && self.weights == other.weights
            && self.expression_by_rig == other.expression_by_rig
            && self.driver.same(&other.driver)
    }
}

/// All panes over the whole timeline.
#[derive(Debug, Clone)]
pub struct Composition {
    /// The timeline's motion.
    pub driver: Driver,
    /// The panes, in the order of the window.
    pub panes: Vec<PaneSource>,
}

impl Composition {
    /// Creates the composition of some of a project's panes, with existing drivers.
    pub fn of(
        project: &Project,
        panes: &[PaneSpec],
        driver: impl Fn(MotionId) -> Driver,
    ) -> Composition {
        let chosen = project.chosen();
        let panes = panes.iter().map(|pane| {
            let motion = project.driving(pane);
            PaneSource {
                method: pane.method,
                weights: None,
                view: pane.view,
                expression_by_rig: pane.expression_by_rig,
                driver: driver(motion),
                on_timeline: motion == chosen,
            }
        });
        Composition {
            panes: panes.collect(),
            driver: driver(chosen),
        }
    }

    /// The same for a job: analyses the motions that the panes need, with original frames as drivers.
    ///
    /// # Errors
    /// As [`ClipAnalysis::for_job`] and [`Driver::of`].
    pub fn read(
        project: &Project,
        panes: &[PaneSpec],
        face: Option<&FoundFace>,
        models: &Models,
        progress: &Progress,
    ) -> Result<Composition, EngineError> {
        let mut drivers: Vec<(MotionId, Driver)> = Vec::new();
        let needed = panes.iter().map(|pane| project.driving(pane));
        for id in needed.chain([project.chosen()]) {
            let known = drivers.iter().any(|(other, _)| *other == id);
            let Some(motion) = project.motion(id).filter(|_| !known) else {
                continue;
            };
            let driven = panes.iter().filter(|pane| project.driving(pane) == id);
            let reading = reading_for(driven, &motion.kind, models.registry());
            let analysis = ClipAnalysis::for_job(&motion.kind, reading, models, progress)?;
            let driver = Driver::of(project, motion, analysis.map(Arc::new).as_ref(), face)?;
            drivers.push((id, driver));
        }
        Ok(Composition::of(project, panes, |id| {
            let known = drivers.iter().find(|(other, _)| *other == id);
            known.map_or(Driver::Nothing, |(_, driver)| driver.clone())
        }))
    }

    /// Returns the requests of all panes at a step of the timeline.
    pub fn requests(&self, step: u32) -> Vec<FrameRequest> {
        let seconds = f64::from(step) / self.driver.fps();
        let request = |pane: &PaneSource| FrameRequest {
            method: pane.method,
            weights: pane.weights.clone(),
            view: pane.view,
            expression_by_rig: pane.expression_by_rig,
            sample: if pane.on_timeline {
                pane.driver.at(step)
            } else {
                // Inside the frame that begins then, despite rounding in the division.
                pane.driver.playing_at(seconds + 1e-6)
            },
        };
        self.panes.iter().map(request).collect()
    }

    /// Returns the composition at another frame rate, and its steps in playback order. The duration stays the same: a
    /// track is sampled at other times, and frames of a clip are repeated or skipped.
    pub fn at_rate(&self, fps: f64) -> (Composition, Vec<u32>) {
        let mut composition = self.clone();
        composition.driver = self.driver.at_rate(fps);
        for pane in &mut composition.panes {
            if pane.on_timeline {
                pane.driver = if pane.driver.same(&self.driver) {
                    composition.driver.clone()
                } else {
                    pane.driver.at_rate(fps)
                };
            }
        }
        let order = composition.driver.order();
        (composition, order)
    }

    /// Returns whether both show the same.
    pub fn same(&self, other: &Composition) -> bool {
        let panes = self.panes.iter().zip(&other.panes);
        self.panes.len() == other.panes.len()
            && self.driver.same(&other.driver)
            && panes.into_iter().all(|(a, b)| a.same(b))
    }
}

/// Returns what to analyse in a motion's frames for the panes that it drives: faces are tracked only where they are
/// needed.
fn reading_for<'a>(
    mut panes: impl Iterator<Item = &'a PaneSpec>,
    kind: &MotionKind,
    registry: &Registry,
) -> Reading {
    let has_reference = match kind {
        MotionKind::Clip(clip) => clip.follow.reference.is_some(),
        _ => false,
    };
    let needs_faces = panes.any(|pane| match pane.method {
        MethodChoice::Source | MethodChoice::Motion => false,
        MethodChoice::Method(id, mode) => {
            let by_picture = registry
                .get(id)
                .is_some_and(|info| info.driven_by == DrivenBy::Picture);
            // The frame most similar to the portrait is found by its face.
            !by_picture
                || pane.expression_by_rig
                || (mode.unwrap_or_default() == Mode::Relative && !has_reference)
        }
    });
    if needs_faces {
        Reading::Faces
    } else {
        Reading::Times
    }
}
