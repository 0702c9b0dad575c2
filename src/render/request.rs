//! What the window asks of the worker, and what it gets.

use std::sync::Arc;

use crate::face::view::View;
use crate::media::image::Picture;
use crate::methods::subject::Subject;
use crate::render::composition::Composition;

/// What the window wants to see.
#[derive(Debug, Clone)]
pub struct Request {
    pub subject: Subject,
    pub view: View,
    /// What every pane shows at every step.
    pub composition: Arc<Composition>,
    /// The step of the timeline.
    pub step: u32,
    pub wipe: Option<Wipe>,
    /// Whether the source is held up in place of every result.
    pub source: bool,
    /// Whether the timeline runs: moments are left out then, never waited for.
    pub playing: bool,
}

/// One pane wiped over another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wipe {
    /// The pane that it is seen in, by its place.
    pub pane: usize,
    /// The pane that is seen on the left of the line; `None` for the portrait.
    pub under: Option<usize>,
    /// Where the line is, in 0..=1 of the pane's width.
    pub place: f32,
}

impl Request {
    /// Whether the same pictures come of both.
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

    /// Whether every method sees the same portrait in the same square, wherever the artist has moved landmarks.
    pub fn same_pixels(&self, other: &Request) -> bool {
        self.subject
            .face_key()
            .same_pixels(&other.subject.face_key())
    }
}

/// A pane's picture.
#[derive(Debug, Clone)]
pub struct RenderedPane {
    /// Its place among the panes.
    pub index: usize,
    /// Of the view's size; or why there is none, in a sentence.
    pub picture: Result<Arc<Picture>, String>,
    /// Milliseconds that such a frame takes: its drawing, and its network when it last ran.
    pub millis: Option<f32>,
    /// Milliseconds of the network for this very picture; `None` when it didn't have to run.
    pub network_millis: Option<f32>,
    /// How much of the crop a method edits that knows it, in 0..=1.
    pub mean_edit: Option<f32>,
    /// How strongly folds suit the portrait by its own skin, in 0..=1, of a method that draws them.
    pub own_folds: Option<f32>,
    /// Whether the full picture is still to come.
    pub is_draft: bool,
}

/// What came of a request: some of its panes, or the last of them.
#[derive(Debug)]
pub struct Outcome {
    /// The number that [`Worker::send`](super::worker::Worker::send) gave.
    pub serial: u64,
    pub request: Request,
    pub panes: Vec<RenderedPane>,
    /// Whether every pane has been drawn now.
    pub complete: bool,
    /// For each step of the timeline whether all its pictures are cached; `None` when that wasn't counted.
    pub rendered: Option<Vec<bool>>,
}
