//! Messages between the window and the render worker.

use std::sync::Arc;

use crate::face::view::View;
use crate::media::image::Picture;
use crate::methods::subject::Subject;
use crate::render::composition::Composition;

/// What the window wants to display.
#[derive(Debug, Clone)]
pub struct Request {
    /// The portrait and its face.
    pub subject: Subject,
    /// The part of the portrait that every pane shows.
    pub view: View,
    /// What every pane shows at every step.
    pub composition: Arc<Composition>,
    /// The step of the timeline.
    pub step: u32,
    /// Two panes, one over the other, if they are compared.
    pub wipe: Option<Wipe>,
    /// Whether the source is shown in place of every result.
    pub source: bool,
    /// Whether the timeline is playing: frames are then skipped rather than delayed.
    pub playing: bool,
}

/// A wipe between two panes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wipe {
    /// The index of the pane in which it is shown.
    pub pane: usize,
    /// The index of the pane on the left of the line; `None` for the portrait.
    pub under: Option<usize>,
    /// The position of the line, in 0..=1 of the pane's width.
    pub place: f32,
}

impl Request {
    /// Returns whether both give the same pictures.
    pub fn same(&self, other: &Request) -> bool {
        self.subject.key() == other.subject.key()
            && self.view == other.view
            && self.step == other.step
            && self.wipe == other.wipe
            && self.source == other.source
            && self.playing == other.playing
            && (Arc::ptr_eq(&self.composition, &other.composition)
                || self.composition.same(&other.composition))
    }

    /// Returns whether both have the same portrait and crop; the artist may have moved landmarks.
    pub fn same_pixels(&self, other: &Request) -> bool {
        self.subject
            .face_key()
            .same_pixels(&other.subject.face_key())
    }
}

/// A pane's picture.
#[derive(Debug, Clone)]
pub struct RenderedPane {
    /// Its index among the panes.
    pub index: usize,
    /// The picture, of the view's size, or an error message.
    pub picture: Result<Arc<Picture>, String>,
    /// Milliseconds per frame: compositing, plus the network when it last ran.
    pub millis: Option<f32>,
    /// Milliseconds of the network for this picture; `None` when it didn't have to run.
    pub network_millis: Option<f32>,
    /// How much of the crop is edited, in 0..=1, for methods that know.
    pub mean_edit: Option<f32>,
    /// How well the drawn folds match the portrait's own skin, in 0..=1, for methods that draw folds.
    pub measured_folds: Option<f32>,
    /// Whether the full picture is still to come.
    pub is_draft: bool,
}

/// Results for a request: some of its panes.
#[derive(Debug)]
pub struct Outcome {
    /// The number returned by [`Worker::send`](super::worker::Worker::send).
    pub serial: u64,
    /// What was requested.
    pub request: Request,
    /// The panes rendered so far.
    pub panes: Vec<RenderedPane>,
    /// Whether every pane has been rendered.
    pub complete: bool,
    /// For each step of the timeline, whether all its pictures are cached; `None` when that wasn't counted.
    pub rendered: Option<Vec<bool>>,
}
