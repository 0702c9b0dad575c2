//! The stage: a portrait, and every method ready to be driven by every motion.
//!
//! One drawing serves the window's panes and the export: onto a view of the portrait, be it a pane's few pixels or the
//! portrait whole. What the networks have said is kept, so that looking around, playing back and changing to another method
//! and back cost nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use crate::document::{Pose, Project, Show, Way};
use crate::error::{EngineError, InternalError};
use crate::face::found::FoundFace;
use crate::face::portrait::Portrait;
use crate::face::{Edit, Mask};
use crate::media::image::{ImagePyramid, Picture};
use crate::methods::ganimation::edits::Edits;
use crate::methods::ganimation::session::{Pane, Renderer, Scene};
use crate::methods::ganimation::session::{draw, square};
use crate::methods::mover::MotionMethod;
use crate::render::cache::Shelf;
use crate::render::diagnostics;
use crate::render::view::View;

use crate::drive::driver::{self, Cue};
use crate::methods::models::Models;
use crate::render::composition::Shot;
use crate::render::moving::{self, Moving};

/// Who sits for the picture: a portrait, its face, and how it stands.
#[derive(Debug, Clone)]
pub struct Sitter {
    /// The same number always means the same pixels.
    pub id: u64,
    pub picture: Arc<Picture>,
    /// The face of `scene.face`.
    pub face: Option<Arc<FoundFace>>,
    /// All but its target is of this.
    pub scene: Scene,
}

impl Sitter {
    /// Whether the networks see the same.
    fn same_face(&self, other: &Sitter) -> bool {
        self.id == other.id
            && self.scene.crop == other.scene.crop
            && self.scene.face == other.scene.face
    }

    /// A number for all that a picture of it depends on.
    pub(crate) fn key(&self) -> u64 {
        let scene = &self.scene;
        let crop = [
            scene.crop.x,
            scene.crop.y,
            scene.crop.side,
            scene.crop.angle,
        ];
        let mut hasher = DefaultHasher::new();
        (self.id, scene.face, scene.detail).hash(&mut hasher);
        crop.map(f32::to_bits).hash(&mut hasher);
        scene.source.values().map(f32::to_bits).hash(&mut hasher);
        scene.limit.hash(&mut hasher);
        hasher.finish()
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

/// What came of a shot.
#[derive(Debug, Clone)]
pub struct Drawn {
    pub picture: Picture,
    /// Milliseconds of the network; nothing when it wasn't asked.
    pub network_millis: Option<f32>,
    /// Of them those of a draft before, whose word was used again.
    pub draft_millis: f32,
    /// Of GANimation's pictures, the mean of 1 - A over the crop, in 0..=1.
    pub mean_edit: Option<f32>,
    /// Whether something is still to be painted.
    pub draft: bool,
}

/// How much of a shot is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    /// What moves, without what FOMM and TPS would paint anew where they must be asked for it: a fraction of the time.
    Draft,
    Whole,
}

/// What GANimation says, where that counts, and whether the network ran for it.
pub(crate) type Spoken = (Arc<Edit>, Option<Arc<Mask>>, bool);

/// Bytes of what the motion networks have said that are kept.
const SEEN_ROOM: usize = 256 << 20;

/// Everything that is kept from one shot to the next.
pub struct Stage {
    pub(crate) models: Arc<Models>,
    sitter: Option<Sitter>,
    pyramid: Option<(u64, ImagePyramid<Arc<Picture>>)>,
    renderer: Option<Renderer>,
    edits: Edits,
    pub(crate) fomm: Option<Moving>,
    pub(crate) tps: Option<Moving>,
    pub(crate) seen: Shelf<moving::Said>,
}

impl Stage {
    pub fn new(models: Arc<Models>) -> Self {
        Self {
            models,
            sitter: None,
            pyramid: None,
            renderer: None,
            edits: Edits::default(),
            fomm: None,
            tps: None,
            seen: Shelf::new(SEEN_ROOM),
        }
    }

    /// The networks behind it.
    pub fn models(&self) -> &Arc<Models> {
        &self.models
    }

    /// Lets another portrait, or the same in another crop, sit.
    fn seat(&mut self, sitter: &Sitter) {
        let same = |before: &Sitter| before.same_face(sitter);
        if !self.sitter.as_ref().is_some_and(same) {
            self.renderer = None;
            self.edits = Edits::default();
            self.fomm = None;
            self.tps = None;
            self.seen.clear();
        }
        self.sitter = Some(sitter.clone());
    }

    /// The portrait as a view shows it, untouched.
    ///
    /// # Errors
    /// [`EngineError::Internal`] for a view without pixels.
    pub fn base(&mut self, sitter: &Sitter, view: &View) -> Result<Picture, EngineError> {
        if *view == View::whole(sitter.picture.size()) {
            return Ok(Picture::clone(&sitter.picture));
        }
        self.pyramid(sitter)
            .view(view)
            .ok_or(InternalError::EmptyFrame.into())
    }

    pub(crate) fn pyramid(&mut self, sitter: &Sitter) -> &ImagePyramid<Arc<Picture>> {
        let kept = self.pyramid.take().filter(|(of, _)| *of == sitter.id);
        let made = kept.unwrap_or_else(|| {
            (
                sitter.id,
                ImagePyramid::for_display(Arc::clone(&sitter.picture)),
            )
        });
        &self.pyramid.insert(made).1
    }

    /// Draws a shot over `base`, which is the portrait as `view` shows it. `stop` is asked between the layers.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] when `stop` said so; [`EngineError::Method`] where the motion can't drive the method,
    /// [`EngineError::Crop`] when the crop does not lie within the portrait, and what the networks and their files say.
    pub fn shoot(
        &mut self,
        sitter: &Sitter,
        view: &View,
        base: &Picture,
        shot: &Shot,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Drawn, EngineError> {
        self.shoot_with(Care::Whole, sitter, view, base, shot, stop)
    }

    /// As [`Stage::shoot`], but what FOMM and TPS would paint anew is left out where they haven't said it already:
    /// [`Drawn::draft`] tells.
    ///
    /// # Errors
    /// Those of [`Stage::shoot`].
    pub fn draft(
        &mut self,
        sitter: &Sitter,
        view: &View,
        base: &Picture,
        shot: &Shot,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Drawn, EngineError> {
        self.shoot_with(Care::Draft, sitter, view, base, shot, stop)
    }

    fn shoot_with(
        &mut self,
        care: Care,
        sitter: &Sitter,
        view: &View,
        base: &Picture,
        shot: &Shot,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Drawn, EngineError> {
        self.seat(sitter);
        let still = |picture: Picture| Drawn {
            picture,
            network_millis: None,
            draft_millis: 0.0,
            mean_edit: None,
            draft: false,
        };
        match (shot.way, &shot.cue) {
            (Way::Source, _) | (_, Cue::Nothing) => Ok(still(base.clone())),
            (Way::Motion, Cue::Step(lead, step)) => {
                let rule = self.models.ganimation().crop().clone();
                let (picture, from) = lead.driving(*step as usize, &rule)?;
                let to = view.square(square(sitter.scene.crop));
                let size = (view.width, view.height);
                Ok(still(driver::aligned(&picture, from, size, to)?))
            }
            (Way::Motion | Way::Ganimation, _) => {
                let target = shot.cue.pose(&sitter.scene);
                let show = match shot.way {
                    Way::Motion => Show::Result,
                    _ => shot.show,
                };
                self.units(sitter, view, base, target, show, stop)
            }
            (Way::Fomm(mode), cue) => self.moved(
                sitter,
                view,
                base,
                (MotionMethod::Fomm, mode),
                (shot.show, care),
                cue,
                stop,
            ),
            (Way::Tps(mode), cue) => self.moved(
                sitter,
                view,
                base,
                (MotionMethod::Tps, mode),
                (shot.show, care),
                cue,
                stop,
            ),
        }
    }

    /// By GANimation.
    fn units(
        &mut self,
        sitter: &Sitter,
        view: &View,
        base: &Picture,
        target: Pose,
        show: Show,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Drawn, EngineError> {
        let scene = Scene {
            target,
            ..sitter.scene
        };
        let pane = match show {
            Show::Attention => Pane::Attention,
            Show::Colour => Pane::Color,
            _ => Pane::Result,
        };
        let mut picture = base.clone();
        let (mut network_millis, mut mean_edit) = (None, Some(0.0));
        if pane.needs_network(&scene) {
            let started = Instant::now();
            let (edit, mask, ran) = self.edit(sitter, &scene, stop)?;
            network_millis = ran.then(|| millis_since(started));
            mean_edit = Some(edit.mean_edit(mask.as_deref()) * scene.onset());
            let place = view.square(square(scene.crop));
            draw(
                &mut picture,
                place,
                &scene,
                Some(&edit),
                mask.as_deref(),
                pane,
            );
        }
        if show == Show::Difference {
            let result = std::mem::replace(&mut picture, base.clone());
            diagnostics::difference(&mut picture, &result);
        }
        Ok(Drawn {
            picture,
            network_millis,
            draft_millis: 0.0,
            mean_edit,
            draft: false,
        })
    }

    /// What GANimation says to a scene, where it counts, and whether the network ran.
    pub(crate) fn edit(
        &mut self,
        sitter: &Sitter,
        scene: &Scene,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Spoken, EngineError> {
        let renderer = match &mut self.renderer {
            Some(renderer) => renderer,
            none => none.insert(Renderer::new(
                Arc::clone(self.models.ganimation()),
                &sitter.picture,
                scene.crop,
                sitter.face.clone(),
            )?),
        };
        let (edit, ran) = self.edits.of(renderer, scene, stop)?;
        Ok((edit, renderer.mask(scene.limit), ran))
    }
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").finish_non_exhaustive()
    }
}

pub(crate) fn millis_since(started: Instant) -> f32 {
    started.elapsed().as_secs_f32() * 1000.0
}
