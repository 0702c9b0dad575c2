//! The one renderer: takes a portrait, its drive and a method, and returns a frame.
//!
//! It is used by the window's panes, every export, `mien compare` and the metrics, which differ in their requests and in what
//! they do with the frames. A frame is drawn onto a view of the portrait, from a pane's few pixels to the whole portrait.
//! Network outputs are cached, so panning, playback and switching between methods don't run them again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use crate::document::{MethodChoice, PaneView, Pose};
use crate::drive::derive::Driving;
use crate::drive::driver::DriveSample;
use crate::error::{EngineError, InternalError};
use crate::face::view::View;
use crate::media::image::{ImagePyramid, Picture};
use crate::methods::drive::DrivePicture;
use crate::methods::models::{MethodKey, Models};
use crate::methods::registry::default_expression_method;
use crate::methods::subject::{FaceKey, Subject, square};
use crate::methods::{Base, MethodFrame, Quality, Session, millis_since};
use crate::progress::Stop;
use crate::render::align::aligned;
use crate::render::composition::FrameRequest;
use crate::render::diagnostics;

/// The result of a request.
#[derive(Debug, Clone)]
pub struct RenderedFrame {
    /// The pane's pixels.
    pub picture: Picture,
    /// Milliseconds of the network and of compositing its result into the portrait.
    pub millis: f32,
    /// Milliseconds of the network; `None` where it didn't have to run.
    pub network_millis: Option<f32>,
    /// The part of these spent on an earlier draft.
    pub draft_millis: f32,
    /// How much of the crop is edited, in 0..=1, for methods that know.
    pub mean_edit: Option<f32>,
    /// How well the drawn folds match the portrait's own skin, in 0..=1, for methods that draw folds.
    pub measured_folds: Option<f32>,
    /// Whether the full picture is still to be rendered.
    pub is_draft: bool,
}

impl RenderedFrame {
    /// Creates a frame from a picture that needed no network.
    fn of(picture: Picture) -> Self {
        Self {
            picture,
            millis: 0.0,
            network_millis: None,
            draft_millis: 0.0,
            mean_edit: None,
            measured_folds: None,
            is_draft: false,
        }
    }
}

/// Methods prepared for a portrait, with the caches between frames.
pub struct Renderer {
    models: Arc<Models>,
    /// The face that the sessions belong to.
    face: Option<FaceKey>,
    sessions: HashMap<MethodKey, Box<dyn Session>>,
    pyramid: Option<(u64, ImagePyramid<Arc<Picture>>)>,
    /// The portrait at the resolution of driving pictures: a view for each session driven by rendered pictures.
    small: Vec<(View, Picture)>,
}

impl Renderer {
    /// A renderer with empty caches.
    pub fn new(models: Arc<Models>) -> Self {
        Self {
            models,
            face: None,
            sessions: HashMap::new(),
            pyramid: None,
            small: Vec::new(),
        }
    }

    /// Returns the models.
    pub fn models(&self) -> &Arc<Models> {
        &self.models
    }

    /// Returns the portrait in a view, unedited.
    ///
    /// # Errors
    /// [`EngineError::Internal`] for a view without pixels.
    pub fn base(&mut self, subject: &Subject, view: &View) -> Result<Picture, EngineError> {
        if *view == View::whole(subject.picture.size()) {
            return Ok(Picture::clone(&subject.picture));
        }
        let cached = self.pyramid.take().filter(|(of, _)| *of == subject.id);
        let pyramid = cached.unwrap_or_else(|| {
            let pyramid = ImagePyramid::for_display(Arc::clone(&subject.picture));
            (subject.id, pyramid)
        });
        let (_, pyramid) = self.pyramid.insert(pyramid);
        pyramid
            .view(view)
            .ok_or_else(|| InternalError::EmptyFrame.into())
    }

    /// Renders a request over `base`, which is the portrait in `view`. `stop` is polled between layers.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] when `stop` returns true; [`EngineError`] where the motion can't drive the method;
    /// [`EngineError::Crop`] when the crop isn't inside the portrait; and errors of the networks and their files.
    pub fn render(
        &mut self,
        subject: &Subject,
        view: &View,
        base: &Picture,
        request: &FrameRequest,
        quality: Quality,
        stop: Stop,
    ) -> Result<RenderedFrame, EngineError> {
        self.follow(subject.face_key());
        match (request.method, &request.sample) {
            (MethodChoice::Source, _) | (_, DriveSample::Nothing) => {
                Ok(RenderedFrame::of(base.clone()))
            }
            (MethodChoice::Motion, DriveSample::Step(clip, step)) => {
                let rule = self.models.crop_rule();
                let (picture, from) =
                    clip.picture(DrivePicture::Now, *step as usize, rule, true)?;
                let to = view.square(square(subject.crop));
                let picture = aligned(&picture, from, (view.width, view.height), to)?;
                Ok(RenderedFrame::of(picture))
            }
            (MethodChoice::Motion, DriveSample::Pose(pose)) => {
                let (picture, frame) = self.expression(subject, pose, view, base, stop)?;
                Ok(rendered(picture, &frame, 0.0))
            }
            (MethodChoice::Method(..), _) => {
                self.by_method(subject, view, base, request, quality, stop)
            }
        }
    }

    /// Drops sessions prepared for another face, or for other landmark positions.
    fn follow(&mut self, face: FaceKey) {
        if self.face.as_ref() == Some(&face) {
            return;
        }
        let before = self.face.replace(face.clone());
        if before.is_some_and(|before| before.same_pixels(&face)) {
            let registry = self.models.registry();
            let fits =
                |key: &MethodKey| registry.get(key.id).is_none_or(|info| info.fits_landmarks);
            self.sessions.retain(|key, _| !fits(key));
        } else {
            self.sessions.clear();
            self.small.clear();
        }
    }

    fn by_method(
        &mut self,
        subject: &Subject,
        view: &View,
        base: &Picture,
        request: &FrameRequest,
        quality: Quality,
        stop: Stop,
    ) -> Result<RenderedFrame, EngineError> {
        let (MethodChoice::Method(_, mode), Some(key)) = (request.method, request.method_key())
        else {
            return Ok(RenderedFrame::of(base.clone()));
        };
        self.models.method(&key)?.check_mode(mode)?;
        let quality = match request.view {
            PaneView::Result | PaneView::Difference => quality,
            // The weights are those of the full result.
            PaneView::Layers => Quality::Full,
            _ => Quality::Diagnostics,
        };
        let started = Instant::now();
        let pose = request.expression_under(self.models.registry(), subject);
        let expressed = pose
            .map(|pose| self.expression(subject, &pose, view, base, stop))
            .transpose()?;
        let laid_over = Base {
            portrait: base,
            expressed: expressed.as_ref().map(|(picture, _)| picture),
        };
        let drawing = millis_since(started);
        let mut session = self.take_session(&key, subject, stop)?;
        let mut draw = |pose: &Pose, view: &View, stop: Stop| {
            let base = self.small(subject, view)?;
            Ok(self.expression(subject, pose, view, &base, stop)?.0)
        };
        let mut drive = Driving {
            sample: &request.sample,
            subject,
            draw: &mut draw,
        };
        let frame = session.frame(subject, &mut drive, mode, quality, stop);
        let drawn = frame.and_then(|frame| {
            let started = Instant::now();
            let picture = match request.view {
                PaneView::Result => session.composite(subject, &frame, view, laid_over)?,
                PaneView::Difference => {
                    let result = session.composite(subject, &frame, view, laid_over)?;
                    let mut picture = base.clone();
                    diagnostics::difference(&mut picture, &result);
                    picture
                }
                PaneView::Layers => {
                    let mut picture = base.clone();
                    let weights = session.layer_weights(subject, &frame, view)?;
                    if let Some(weights) = weights {
                        diagnostics::layers(&mut picture, view, &weights);
                    }
                    picture
                }
                shown => {
                    let mut picture = base.clone();
                    diagnostics::draw(&mut picture, view, shown, &frame.diagnostics);
                    picture
                }
            };
            Ok(rendered(picture, &frame, drawing + millis_since(started)))
        });
        self.sessions.insert(key, session);
        drawn
    }

    /// Renders the portrait with an expression, by the method that does so for all others: the rig, or GANimation where no
    /// face was found.
    fn expression(
        &mut self,
        subject: &Subject,
        pose: &Pose,
        view: &View,
        base: &Picture,
        stop: Stop,
    ) -> Result<(Picture, MethodFrame), EngineError> {
        let info = default_expression_method(subject.face.is_some());
        let key = MethodKey::chosen(info.id);
        let mut session = self.take_session(&key, subject, stop)?;
        let mut drive = Driving {
            sample: &DriveSample::Pose(*pose),
            subject,
            // A method that draws expressions requests no driving picture.
            draw: &mut |_, _, _| Ok(base.clone()),
        };
        let frame = session.frame(subject, &mut drive, None, Quality::Full, stop);
        let drawn = frame.and_then(|frame| {
            let picture = session.composite(subject, &frame, view, base.into())?;
            Ok((picture, frame))
        });
        self.sessions.insert(key, session);
        drawn
    }

    /// Takes a method's session, preparing it if necessary; the caller puts it back.
    fn take_session(
        &mut self,
        key: &MethodKey,
        subject: &Subject,
        stop: Stop,
    ) -> Result<Box<dyn Session>, EngineError> {
        match self.sessions.remove(key) {
            Some(session) => Ok(session),
            None => self.models.method(key)?.prepare(subject, stop),
        }
    }

    /// Returns the portrait in a small view, cached for the next driving picture until the portrait or its square changes.
    fn small(&mut self, subject: &Subject, view: &View) -> Result<Picture, EngineError> {
        if let Some((_, picture)) = self.small.iter().find(|(of, _)| of == view) {
            return Ok(picture.clone());
        }
        let picture = self.base(subject, view)?;
        self.small.push((*view, picture.clone()));
        Ok(picture)
    }
}

fn rendered(picture: Picture, frame: &MethodFrame, composited: f32) -> RenderedFrame {
    RenderedFrame {
        picture,
        millis: frame.millis.unwrap_or(0.0) + composited,
        network_millis: frame.millis,
        draft_millis: frame.draft_millis,
        mean_edit: frame.mean_edit,
        measured_folds: frame.diagnostics.measured_folds(),
        is_draft: frame.is_draft,
    }
}

impl std::fmt::Debug for Renderer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Renderer").finish_non_exhaustive()
    }
}
