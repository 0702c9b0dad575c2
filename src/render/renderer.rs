//! The one renderer: a portrait, what drives it and a method in, a frame out.
//!
//! It serves the window's panes, every export, `mien compare` and the metrics: they differ in the requests they make and in
//! what they do with the frames. A frame is drawn onto a view of the portrait, be it a pane's few pixels or the portrait
//! whole. What the networks said is cached, so that looking around, playing back and changing to another method and back
//! cost nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use crate::document::{MethodChoice, PaneView, Pose};
use crate::drive::derive::Driving;
use crate::drive::driver::DriveSample;
use crate::error::{EngineError, InternalError};
use crate::face::view::View;
use crate::media::image::{ImagePyramid, Picture};
use crate::methods::drive::Moment;
use crate::methods::models::{MethodKey, Models};
use crate::methods::registry::drawing_expressions;
use crate::methods::subject::{FaceKey, Subject, square};
use crate::methods::{Base, MethodFrame, Quality, Session, millis_since};
use crate::progress::Stop;
use crate::render::align::aligned;
use crate::render::composition::FrameRequest;
use crate::render::diagnostics;

/// What came of a request.
#[derive(Debug, Clone)]
pub struct RenderedFrame {
    pub picture: Picture,
    /// Milliseconds of the network, and of laying its result into the portrait.
    pub millis: f32,
    /// Milliseconds of the network; `None` where it didn't have to run.
    pub network_millis: Option<f32>,
    /// Of these, those of a draft made before.
    pub draft_millis: f32,
    /// How much of the crop a method edits that knows it, in 0..=1.
    pub mean_edit: Option<f32>,
    /// How strongly folds suit the portrait by its own skin, in 0..=1, of a method that draws them.
    pub own_folds: Option<f32>,
    /// Whether something is still to be painted.
    pub is_draft: bool,
}

impl RenderedFrame {
    /// A picture that no network had to draw.
    fn of(picture: Picture) -> Self {
        Self {
            picture,
            millis: 0.0,
            network_millis: None,
            draft_millis: 0.0,
            mean_edit: None,
            own_folds: None,
            is_draft: false,
        }
    }
}

/// Methods prepared for a portrait, and what is kept from one frame to the next.
pub struct Renderer {
    models: Arc<Models>,
    /// Whose sessions these are.
    face: Option<FaceKey>,
    sessions: HashMap<MethodKey, Box<dyn Session>>,
    pyramid: Option<(u64, ImagePyramid<Arc<Picture>>)>,
    /// The portrait at the pixels of driving pictures: a view for each session that was driven by drawn ones.
    small: Vec<(View, Picture)>,
}

impl Renderer {
    pub fn new(models: Arc<Models>) -> Self {
        Self {
            models,
            face: None,
            sessions: HashMap::new(),
            pyramid: None,
            small: Vec::new(),
        }
    }

    /// The networks behind it.
    pub fn models(&self) -> &Arc<Models> {
        &self.models
    }

    /// The portrait as a view shows it, untouched.
    ///
    /// # Errors
    /// [`EngineError::Network`] for a view without pixels.
    pub fn base(&mut self, subject: &Subject, view: &View) -> Result<Picture, EngineError> {
        if *view == View::whole(subject.picture.size()) {
            return Ok(Picture::clone(&subject.picture));
        }
        let kept = self.pyramid.take().filter(|(of, _)| *of == subject.id);
        let made = kept.unwrap_or_else(|| {
            let pyramid = ImagePyramid::for_display(Arc::clone(&subject.picture));
            (subject.id, pyramid)
        });
        let (_, pyramid) = self.pyramid.insert(made);
        pyramid
            .view(view)
            .ok_or_else(|| InternalError::EmptyFrame.into())
    }

    /// Renders a request over `base`, which is the portrait as `view` shows it. `stop` is asked between the layers.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] when `stop` said so; [`EngineError`] where the motion can't drive the method,
    /// [`EngineError::Crop`] when the crop doesn't lie within the portrait, and what the networks and their files say.
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
                let (picture, from) = clip.picture(Moment::Now, *step as usize, rule, true)?;
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

    /// Lets go of what was prepared for another face, or for other places of its landmarks.
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

    /// The portrait with an expression, by the method that draws expressions for all others: the rig, and GANimation where no
    /// face was found.
    fn expression(
        &mut self,
        subject: &Subject,
        pose: &Pose,
        view: &View,
        base: &Picture,
        stop: Stop,
    ) -> Result<(Picture, MethodFrame), EngineError> {
        let info = drawing_expressions(subject.face.is_some());
        let key = MethodKey::chosen(info.id);
        let mut session = self.take_session(&key, subject, stop)?;
        let mut drive = Driving {
            sample: &DriveSample::Pose(*pose),
            subject,
            // A method that draws expressions asks for no driving picture.
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

    /// The session of a method, prepared if it isn't yet; whoever takes it puts it back.
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

    /// The portrait as a small view shows it, cached for the next driving picture while the portrait and its square stay.
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
        own_folds: frame.diagnostics.own_folds(),
        is_draft: frame.is_draft,
    }
}

impl std::fmt::Debug for Renderer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Renderer").finish_non_exhaustive()
    }
}
