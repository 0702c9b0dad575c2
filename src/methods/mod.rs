//! The published systems: each a network with its configuration and its procedure, behind one trait.
//!
//! A [`Method`] is prepared once for a [`Subject`] and then asked for a frame at every moment of a motion
//! ([`drive::Drive`]). Adding one is a folder here and a line in [`registry::BUILT_IN`]: menus, `mien compare`, caches and
//! exports follow from its [`MethodInfo`].

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
use diagnostics::Diagnostics;
use drive::Drive;
use subject::Subject;

/// The most pixels a side that a network sees. Published ones have 512 at most; memory and time grow with the square.
pub(crate) const MAX_IMAGE_SIZE: usize = 512;

/// Opens a method with the weights of a file or of this name, or those that come with the program.
pub type Open = fn(Option<&Path>) -> Result<Arc<dyn Method>, EngineError>;

/// What is known of a method before its weights are opened.
#[derive(Debug)]
pub struct MethodInfo {
    pub id: MethodId,
    /// What a person calls it.
    pub title: &'static str,
    pub driven_by: DrivenBy,
    /// Whether a method that is driven by expressions turns the head and moves the eyes as they ask.
    pub draws_head: bool,
    /// Whether it draws Action Units beyond relaxed and full, from -0.5 to 1.5. Another draws them from 0 to 1.
    pub overshoots: bool,
    /// Whether it draws folds, as strongly as [`Subject::folds`] says.
    pub draws_folds: bool,
    /// Whether it prepares by the face's landmarks, and not by the pixels in its square alone.
    pub fits_landmarks: bool,
    /// The modes of a method that is driven by pictures, the usual one first; empty where there is only one way.
    pub modes: &'static [Mode],
    /// What there is to see of it, the result first.
    pub views: &'static [PaneView],
    /// Whether a draft takes a fraction of the time of the full picture.
    pub has_draft: bool,
    /// The weights that come with the program.
    pub bundled: Option<Bundled>,
    pub open: Open,
}

impl MethodInfo {
    /// Refuses a mode that the method doesn't have.
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

    /// What it draws of an expression, of which some methods leave something out.
    pub fn drawn(&self, pose: Pose) -> Pose {
        let pose = if self.draws_head {
            pose
        } else {
            pose.facing_as_portrait()
        };
        if self.overshoots { pose } else { pose.usual() }
    }

    /// Refuses an expression that turns the head or moves the eyes where the method can't draw it.
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

/// Which of a motion's two answers a method works from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrivenBy {
    Expression,
    Picture,
}

/// A published system or our own, ready for portraits.
pub trait Method: Send + Sync {
    fn info(&self) -> &'static MethodInfo;

    /// The weights' name, as the status line shows it.
    fn weights(&self) -> &str;

    /// Where it runs, as the status line shows it.
    fn device(&self) -> String;

    /// Where the face must lie in the square that the method sees.
    fn crop(&self) -> &CropRule;

    /// Refuses a mode that these weights can't do.
    ///
    /// # Errors
    /// [`EngineError`].
    fn check_mode(&self, mode: Option<Mode>) -> Result<(), EngineError> {
        self.info().check_mode(mode)
    }

    /// Does all that depends on the portrait alone, once.
    ///
    /// # Errors
    /// [`EngineError::Crop`] where the subject's square doesn't lie within the portrait; [`EngineError::Cancelled`] when
    /// `stop` said so; what the network says.
    fn prepare(&self, subject: &Subject, stop: Stop) -> Result<Box<dyn Session>, EngineError>;
}

/// A method with a portrait before it.
pub trait Session: Send {
    /// What the method says at one moment. It is kept within bounds, so that asking again costs next to nothing.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] when `stop` said so; what the network and the motion say.
    fn frame(
        &mut self,
        subject: &Subject,
        drive: &mut dyn Drive,
        mode: Option<Mode>,
        quality: Quality,
        stop: Stop,
    ) -> Result<MethodFrame, EngineError>;

    /// Lays a frame's result over `base`, which is as `view` shows it.
    ///
    /// # Errors
    /// What is wrong with the frame's own numbers.
    fn composite(
        &mut self,
        subject: &Subject,
        frame: &MethodFrame,
        view: &View,
        base: Base<'_>,
    ) -> Result<Picture, EngineError>;
}

/// What a method's result is laid over.
#[derive(Debug, Clone, Copy)]
pub struct Base<'a> {
    /// The portrait.
    pub portrait: &'a Picture,
    /// The portrait with another expression, for a method that moves it to move in its place.
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
    /// What is seen where the method changes nothing.
    pub fn picture(&self) -> &'a Picture {
        self.expressed.unwrap_or(self.portrait)
    }
}

/// How much of a frame is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quality {
    /// What says how the portrait moves, without what takes long to paint.
    Diagnostics,
    /// A result, without what takes long to paint where it isn't there already.
    Draft,
    /// The result whole.
    Full,
}

/// What a method says at one moment.
#[derive(Debug, Clone)]
pub struct MethodFrame {
    pub diagnostics: Diagnostics,
    /// Whether something is still to be painted.
    pub is_draft: bool,
    /// Milliseconds of the network; `None` where it didn't have to run.
    pub millis: Option<f32>,
    /// Of these, those of a draft made before.
    pub draft_millis: f32,
    /// How much of the crop a method edits that knows it, in 0..=1.
    pub mean_edit: Option<f32>,
}

/// Milliseconds since a moment.
pub(crate) fn millis_since(started: Instant) -> f32 {
    started.elapsed().as_secs_f32() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One number of a small file's header must not cost minutes and gigabytes.
    #[test]
    fn no_network_sees_more_pixels_than_published_ones() {
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
