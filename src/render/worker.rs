//! The worker thread behind the window: it draws the newest request and nothing older.
//!
//! A request that is waiting when a newer one comes is dropped. Of one that is being drawn, what GANimation does is finished
//! unless another portrait or crop is wanted: while a hand moves a slider, requests come faster than any network, and
//! dropping each for the next would show nothing until the hand rests. What FOMM and TPS move is a draft that is finished
//! likewise; what they paint anew takes longest and waits: it is dropped between layers for whatever is newer, so that a
//! draft is there at once and the full picture when the hand rests. While playing there are no drafts and nothing is
//! dropped on the way: the newest moment is drawn next, and those between are left out.
//!
//! Finished pictures are kept within a bound, by all that they depend on. While a movement plays and nothing new is asked for,
//! the moments that are still missing are drawn ahead.

mod desk;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::{EngineError, InternalError};
use crate::face::found::FoundFace;
use crate::media::image::Picture;
use crate::methods::ganimation::session::Scene;
use crate::methods::models::Models;
use crate::render::composition::Score;
use crate::render::renderer::Sitter;
use crate::render::view::View;
use desk::Desk;

/// What the window wants to see.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which portrait it is; the same number always means the same pixels.
    pub id: u64,
    pub portrait: Arc<Picture>,
    /// The face of `scene.face`.
    pub face: Option<Arc<FoundFace>>,
    /// How the portrait stands, and the expression that the sliders ask for at this step.
    pub scene: Scene,
    pub view: View,
    /// What every pane shows at every step.
    pub score: Arc<Score>,
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
    /// The pane that is seen on the left of the line; the portrait where nothing is said.
    pub under: Option<usize>,
    /// Where the line is, in 0..=1 of the pane's width.
    pub place: f32,
}

impl Request {
    /// Whether the same pictures come of both.
    pub fn same(&self, other: &Request) -> bool {
        self.id == other.id
            && self.stands_as(other)
            && self.view == other.view
            && self.step == other.step
            && self.wipe == other.wipe
            && self.source == other.source
            && self.playing == other.playing
            && (Arc::ptr_eq(&self.score, &other.score) || self.score.same(&other.score))
    }

    /// Whether the portrait stands alike, whatever is asked of it.
    fn stands_as(&self, other: &Request) -> bool {
        let with = |scene: &Scene| Scene {
            target: self.scene.target,
            ..*scene
        };
        self.scene == with(&other.scene)
    }

    fn same_face(&self, other: &Request) -> bool {
        self.id == other.id
            && self.scene.crop == other.scene.crop
            && self.scene.face == other.scene.face
    }

    fn sitter(&self) -> Sitter {
        Sitter {
            id: self.id,
            picture: Arc::clone(&self.portrait),
            face: self.face.clone(),
            scene: self.scene,
        }
    }
}

/// A pane's picture.
#[derive(Debug, Clone)]
pub struct PaneDrawn {
    /// Its place among the panes.
    pub index: usize,
    /// Of the view's size; or why there is none, in a sentence.
    pub picture: Result<Arc<Picture>, String>,
    /// Milliseconds that such a frame takes: its drawing, and its network when it last ran.
    pub millis: Option<f32>,
    /// Milliseconds of the network for this very picture; nothing when its last word was used again.
    pub network_millis: Option<f32>,
    /// Of GANimation's pictures, the mean of 1 - A over the crop, in 0..=1.
    pub mean_edit: Option<f32>,
    /// Whether the full picture is still to come.
    pub draft: bool,
}

/// What came of a request: some of its panes, or the last of them.
#[derive(Debug)]
pub struct Outcome {
    /// The number that [`Worker::send`] gave.
    pub serial: u64,
    pub request: Request,
    pub panes: Vec<PaneDrawn>,
    /// Whether every pane has been drawn now.
    pub complete: bool,
    /// For each step of the timeline whether all its pictures are kept; nothing when that wasn't looked at.
    pub rendered: Option<Vec<bool>>,
}

#[derive(Default)]
struct Mail {
    serial: u64,
    request: Option<(u64, Request)>,
    /// Other networks, for what is asked from now on.
    models: Option<Arc<Models>>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    mail: Mutex<Mail>,
    news: Condvar,
    outcomes: Mutex<VecDeque<Result<Outcome, EngineError>>>,
}

/// The window's end of the worker. Dropping it ends the thread.
pub struct Worker {
    shared: Arc<Shared>,
}

impl Worker {
    /// Starts the thread. `wake` is called from it whenever an outcome can be taken.
    ///
    /// # Errors
    /// The system's, when it gives no thread.
    pub fn spawn(
        models: Arc<Models>,
        wake: impl FnMut() + Send + 'static,
    ) -> Result<Self, std::io::Error> {
        let worker = Self::idle();
        let shared = Arc::clone(&worker.shared);
        std::thread::Builder::new()
            .name("mien-worker".to_owned())
            .spawn(move || work(&shared, &models, wake))?;
        Ok(worker)
    }

    /// A worker without a thread: requests stay where [`Worker::pending`] sees them.
    pub fn idle() -> Self {
        Self {
            shared: Arc::default(),
        }
    }

    /// Asks for a picture in place of whatever was asked before, and returns the request's number.
    pub fn send(&self, request: Request) -> u64 {
        let mut mail = lock(&self.shared.mail);
        mail.serial += 1;
        let serial = mail.serial;
        mail.request = Some((serial, request));
        self.shared.news.notify_one();
        serial
    }

    /// Draws what is asked from now on by other networks. What was drawn by the ones before is forgotten.
    pub fn use_models(&self, models: Arc<Models>) {
        lock(&self.shared.mail).models = Some(models);
    }

    /// The request that waits to be drawn.
    pub fn pending(&self) -> Option<Request> {
        lock(&self.shared.mail)
            .request
            .as_ref()
            .map(|(_, request)| request.clone())
    }

    /// The next outcome, in the order in which they came.
    pub fn take(&self) -> Option<Result<Outcome, EngineError>> {
        lock(&self.shared.outcomes).pop_front()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        lock(&self.shared.mail).closed = true;
        self.shared.news.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whatever a panic left behind is replaced whole by the next request or outcome.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Puts an outcome where the window finds it. What a newer one makes useless goes: a window that doesn't look for a
    /// while finds the newest, and not a heap.
    fn tell(&self, outcome: Result<Outcome, EngineError>) {
        let mut outcomes = lock(&self.outcomes);
        if let Ok(newer) = &outcome
            && newer.complete
        {
            outcomes.retain(|older| match older {
                Ok(older) => older.serial == newer.serial,
                Err(_) => true,
            });
        }
        outcomes.push_back(outcome);
    }
}

fn work(shared: &Shared, models: &Arc<Models>, mut wake: impl FnMut()) {
    let mut models = Arc::clone(models);
    let mut desk = Desk::new(Arc::clone(&models));
    // The request that has been drawn, for whose other moments there may be time.
    let mut idle: Option<(u64, Request)> = None;
    loop {
        let (serial, request) = {
            let mut mail = lock(&shared.mail);
            loop {
                if mail.closed {
                    return;
                }
                if let Some(next) = mail.request.take() {
                    if let Some(other) = mail.models.take() {
                        models = other;
                        desk = Desk::new(Arc::clone(&models));
                    }
                    break next;
                }
                if let Some((serial, request)) = idle.take() {
                    drop(mail);
                    let ahead = catch_unwind(AssertUnwindSafe(|| desk.ahead(serial, &request)));
                    match ahead {
                        Ok(Some(outcome)) => {
                            shared.tell(Ok(outcome));
                            wake();
                            idle = Some((serial, request));
                        }
                        Ok(None) => {}
                        Err(_) => desk = Desk::new(Arc::clone(&models)),
                    }
                    mail = lock(&shared.mail);
                    continue;
                }
                mail = shared
                    .news
                    .wait(mail)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        };
        let stale = || {
            let mail = lock(&shared.mail);
            let unwanted = |(_, newer): &(u64, Request)| !newer.same_face(&request);
            mail.closed || mail.request.as_ref().is_some_and(unwanted)
        };
        let newer = || {
            let mail = lock(&shared.mail);
            mail.closed || (mail.request.is_some() && !request.playing)
        };
        let drawn = catch_unwind(AssertUnwindSafe(|| {
            let mut tell = |outcome| {
                shared.tell(Ok(outcome));
                wake();
            };
            desk.draw(serial, &request, &stale, &newer, &mut tell)
        }));
        let drawn = drawn.unwrap_or_else(|_| {
            desk = Desk::new(Arc::clone(&models));
            Err(InternalError::Panicked.into())
        });
        match drawn {
            Ok(()) => idle = request.playing.then_some((serial, request)),
            Err(error) if error.is_cancelled() => {}
            Err(error) => {
                shared.tell(Err(error));
                wake();
            }
        }
    }
}

#[cfg(test)]
mod tests;
