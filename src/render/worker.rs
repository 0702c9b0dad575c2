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

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::{EngineError, InternalError};
use crate::methods::models::Models;
use crate::render::request::{Outcome, Request};
use crate::render::scheduler::Scheduler;

#[derive(Default)]
struct Inbox {
    serial: u64,
    request: Option<(u64, Request)>,
    /// Other networks, for what is asked from now on.
    models: Option<Arc<Models>>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    inbox: Mutex<Inbox>,
    changed: Condvar,
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
        let mut inbox = lock(&self.shared.inbox);
        inbox.serial += 1;
        let serial = inbox.serial;
        inbox.request = Some((serial, request));
        self.shared.changed.notify_one();
        serial
    }

    /// Draws what is asked from now on by other networks. What was drawn by the ones before is forgotten.
    pub fn use_models(&self, models: Arc<Models>) {
        lock(&self.shared.inbox).models = Some(models);
    }

    /// The request that waits to be drawn.
    pub fn pending(&self) -> Option<Request> {
        lock(&self.shared.inbox)
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
        lock(&self.shared.inbox).closed = true;
        self.shared.changed.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whatever a panic left behind is replaced whole by the next request or outcome.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Puts an outcome where the window finds it. What a newer one makes useless goes: a window that doesn't look for a
    /// while finds the newest, and not a heap.
    fn send(&self, outcome: Result<Outcome, EngineError>) {
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
    let mut scheduler = Scheduler::new(Arc::clone(&models));
    // The request that has been drawn, for whose other moments there may be time.
    let mut idle: Option<(u64, Request)> = None;
    loop {
        let (serial, request) = {
            let mut inbox = lock(&shared.inbox);
            loop {
                if inbox.closed {
                    return;
                }
                if let Some(next) = inbox.request.take() {
                    if let Some(other) = inbox.models.take() {
                        models = other;
                        scheduler = Scheduler::new(Arc::clone(&models));
                    }
                    break next;
                }
                if let Some((serial, request)) = idle.take() {
                    drop(inbox);
                    let ahead =
                        catch_unwind(AssertUnwindSafe(|| scheduler.ahead(serial, &request)));
                    match ahead {
                        Ok(Some(outcome)) => {
                            shared.send(Ok(outcome));
                            wake();
                            idle = Some((serial, request));
                        }
                        Ok(None) => {}
                        Err(_) => scheduler = Scheduler::new(Arc::clone(&models)),
                    }
                    inbox = lock(&shared.inbox);
                    continue;
                }
                inbox = shared
                    .changed
                    .wait(inbox)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        };
        let stale = || {
            let inbox = lock(&shared.inbox);
            let unwanted = |(_, newer): &(u64, Request)| !newer.same_pixels(&request);
            inbox.closed || inbox.request.as_ref().is_some_and(unwanted)
        };
        let newer = || {
            let inbox = lock(&shared.inbox);
            inbox.closed || (inbox.request.is_some() && !request.playing)
        };
        let drawn = catch_unwind(AssertUnwindSafe(|| {
            let mut send = |outcome| {
                shared.send(Ok(outcome));
                wake();
            };
            scheduler.draw(serial, &request, &stale, &newer, &mut send)
        }));
        let drawn = drawn.unwrap_or_else(|_| {
            scheduler = Scheduler::new(Arc::clone(&models));
            Err(InternalError::Panicked.into())
        });
        match drawn {
            Ok(()) => idle = request.playing.then_some((serial, request)),
            Err(error) if error.is_cancelled() => {}
            Err(error) => {
                shared.send(Err(error));
                wake();
            }
        }
    }
}

#[cfg(test)]
mod tests;
