//! The published methods: each a network with its configuration and its procedure, behind one trait.
//!
//! A [`Method`] is prepared once for a [`Subject`] and then renders a frame for each time of a motion ([`drive::Drive`]).
//! To add one, write a folder here and a line in [`registry::BUILT_IN`]: menus, `mien compare`, caches and exports are
//! derived from its [`MethodInfo`].

pub mod device;
pub mod diagnostics;
pub mod drive;
pub mod error;
pub mod fomm;
pub mod ganimation;
pub mod mocogan;
pub mod models;
pub mod motion;
pub mod motion_transfer;
#[cfg(test)]
mod on_a_card;
pub mod registry;
pub mod rig;
pub mod subject;
pub mod tps;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::document::{MethodId, Mode, PaneView, Pose};
use crate::error::{EngineError, MethodError};
use crate::face::view::View;
use crate::media::image::Picture;
use crate::progress::Stop;
use crate::weights::{Bundled, CropRule};
use diagnostics::{Diagnostics, LayerWeights};
use drive::Drive;
use subject::Subject;

/// The largest side of a network's input, in pixels. Published networks have at most 512; memory and time grow with the
/// square.
pub(crate) const MAX_IMAGE_SIZE: usize = 512;

/// Opens a method with the weights at a path or of a name; with `None`, those that come with the program.
pub type Open = fn(Option<&Path>) -> Result<Arc<dyn Method>, EngineError>;

/// What is known about a method before its weights are opened.
#[derive(Debug)]
pub struct MethodInfo {
    /// The name in files and on the command line.
    pub id: MethodId,
    /// The name in menus and labels.
    pub title: &'static str,
    /// What drives it.
    pub driven_by: DrivenBy,
    /// Whether an expression-driven method turns the head and moves the eyes.
    pub draws_head: bool,
    /// Whether it renders Action Units from -0.5 to 1.5. Other methods clamp them to 0..=1.
    pub overshoots: bool,
    /// Whether it draws skin folds, as strongly as [`Subject::folds`] sets.
    pub draws_folds: bool,
    /// Whether a trained network paints the result. The rig moves the portrait's own pixels, and draws the rest by rules.
    pub is_generative: bool,
    /// Whether [`Method::prepare`] uses the face's landmarks as well as the pixels of the crop.
    pub fits_landmarks: bool,
    /// The modes of a picture-driven method, the default first; empty if it has only one way of driving.
    pub modes: &'static [Mode],
    /// The views that a pane can show, the result first.
    pub views: &'static [PaneView],
    /// Whether a draft takes a fraction of the time of the full result.
    pub has_draft: bool,
    /// The weights that come with the program.
    pub bundled: Option<Bundled>,
    /// Opens the method with weights.
    pub open: Open,
}

impl MethodInfo {
    /// Rejects a mode that the method doesn't have.
    ///
    /// # Errors
    /// [`EngineError::Method`].
    pub fn check_mode(&self, mode: Option<Mode>) -> Result<(), EngineError> {
        match mode {
            Some(mode) if !self.modes.contains(&mode) => {
                let method = self.title;
                Err(MethodError::NoMode { method, mode }.into())
            }
            _ => Ok(()),
        }
    }

    /// The part of an expression that the method can render.
    pub fn supported_pose(&self, pose: Pose) -> Pose {
        let pose = if self.draws_head {
            pose
        } else {
            pose.facing_as_portrait()
        };
        if self.overshoots {
            pose
        } else {
            pose.clamped_to_usual()
        }
    }

    /// Rejects an expression that turns, moves or scales the head or moves the eyes if the method can't draw it.
    ///
    /// # Errors
    /// [`EngineError::Method`].
    pub fn check_head(&self, pose: &Pose) -> Result<(), EngineError> {
        if self.draws_head || *pose == pose.facing_as_portrait() {
            return Ok(());
        }
        let method = self.title;
        Err(MethodError::KeepsHead { method }.into())
    }
}

/// What drives a method: an expression or a driving picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrivenBy {
    /// Action Units, head turn and gaze.
    Expression,
    /// A picture of a face.
    Picture,
}

/// A published method or our own, with its weights loaded.
pub trait Method: Send + Sync {
    /// The method's entry in the registry.
    fn info(&self) -> &'static MethodInfo;

    /// The name of the weights, for the status line.
    fn weights(&self) -> &str;

    /// The device it runs on, for the status line.
    fn device(&self) -> String;

    /// Where the face must be in the square that the method sees.
    fn crop(&self) -> &CropRule;

    /// Rejects a mode that these weights don't support.
    ///
    /// # Errors
    /// [`EngineError`].
    fn check_mode(&self, mode: Option<Mode>) -> Result<(), EngineError> {
        self.info().check_mode(mode)
    }

    /// Computes, once, everything that depends on the portrait alone.
    ///
    /// # Errors
    /// [`EngineError::Crop`] if the subject's square isn't within the portrait; [`EngineError::Cancelled`] once `stop`
    /// returns true; the network's errors.
    fn prepare(&self, subject: &Subject, stop: Stop) -> Result<Box<dyn Session>, EngineError>;
}

/// A method bound to one portrait.
pub trait Session: Send {
    /// The frame at one time. Frames are cached within a memory bound, so a repeated call costs next to nothing.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] once `stop` returns true; the errors of the network and the motion.
    fn frame(
        &mut self,
        subject: &Subject,
        drive: &mut dyn Drive,
        mode: Option<Mode>,
        quality: Quality,
        stop: Stop,
    ) -> Result<MethodFrame, EngineError>;

    /// Composites a frame's result over `base`, at the scale and section of `view`.
    ///
    /// # Errors
    /// Those of applying the frame's flow or edit to the portrait.
    fn composite(
        &mut self,
        subject: &Subject,
        frame: &MethodFrame,
        view: &View,
        base: Base<'_>,
    ) -> Result<Picture, EngineError>;

    /// How much of a frame's result each layer draws, at the scale and section of `view`; `None` for a method that doesn't
    /// draw layers over the portrait. Only called for [`PaneView::Layers`].
    ///
    /// # Errors
    /// Those of [`Session::composite`].
    fn layer_weights(
        &mut self,
        _: &Subject,
        _: &MethodFrame,
        _: &View,
    ) -> Result<Option<LayerWeights>, EngineError> {
        Ok(None)
    }
}

/// What a method's result is composited over.
#[derive(Debug, Clone, Copy)]
pub struct Base<'a> {
    /// The portrait.
    pub portrait: &'a Picture,
    /// The portrait with another expression. A method that moves the portrait moves this instead.
    pub expressed: Option<&'a Picture>,
}

impl<'a> From<&'a Picture> for Base<'a> {
    fn from(portrait: &'a Picture) -> Self {
        Self {
            portrait,
            expressed: None,
        }
    }
}

impl<'a> Base<'a> {
    /// What is visible where the method changes nothing.
    pub fn picture(&self) -> &'a Picture {
        self.expressed.unwrap_or(self.portrait)
    }
}

/// How much of a frame to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quality {
    /// Only the flow, masks and key points, without the slow painting of the result.
    Diagnostics,
    /// A result, without the slow painting unless it is cached.
    Draft,
    /// The full result.
    Full,
}

/// What a method returns for one time.
#[derive(Debug, Clone)]
pub struct MethodFrame {
    /// What the method returns besides the result.
    pub diagnostics: Diagnostics,
    /// Whether the slow painting is missing.
    pub is_draft: bool,
    /// Milliseconds that the network took; `None` if it didn't have to run.
    pub millis: Option<f32>,
    /// The part of `millis` that was spent earlier, on the draft.
    pub draft_millis: f32,
    /// The mean of the edit's mask over the crop, in 0..=1, for methods that have one.
    pub mean_edit: Option<f32>,
}

/// Milliseconds since a moment.
pub(crate) fn millis_since(started: Instant) -> f32 {
    started.elapsed().as_secs_f32() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A single number in a small file's header must not cost minutes and gigabytes.
    #[test]
    fn configurations_larger_than_the_published_networks_are_refused() {
        let check = |image_size| {
            let ganimation = ganimation::Config {
                image_size,
                ..Default::default()
            };
            let fomm = fomm::Config {
                image_size,
                ..Default::default()
            };
            let tps = tps::Config {
                image_size,
                ..Default::default()
            };
            [ganimation.validate(), fomm.validate(), tps.validate()]
        };
        assert!(check(MAX_IMAGE_SIZE).iter().all(Result::is_ok));
        for refused in check(2 * MAX_IMAGE_SIZE) {
            let told = refused.unwrap_err().to_string();
            assert!(told.contains("image_size is 1024, but must be"), "{told}");
        }
    }
}
