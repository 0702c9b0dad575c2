//! The window's render worker: a thread that renders only the newest request.
//!
//! A waiting request is dropped when a newer one arrives. Of a request in progress, GANimation's part is finished unless the
//! portrait or crop changes: while the artist drags a slider, requests arrive faster than any network runs, and dropping each
//! for the next would show nothing until the drag pauses. FOMM's and TPS' warp is a draft, which is finished too. Their
//! generator takes longest and runs last: it is dropped between layers for any newer request, so that a draft appears at once
//! and the full picture when the drag pauses. During playback there are no drafts and nothing is dropped in progress: the
//! newest frame is rendered next, and those between are skipped.
//!
//! Finished pictures are cached within a memory bound. During playback, when no request is waiting, missing frames are
//! rendered ahead.

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
    /// Models to use from the next request on.
    models: Option<Arc<Models>>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    inbox: Mutex<Inbox>,
    changed: Condvar,
    outcomes: Mutex<VecDeque<Result<Outcome, EngineError>>>,
}

/// The window's handle to the worker. Dropping it ends the thread.
pub struct Worker {
    shared: Arc<Shared>,
}

impl Worker {
    /// Starts the thread, which calls `wake` whenever an outcome can be taken.
    ///
    /// # Errors
    /// If the system can't start a thread.
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

    /// Creates a worker without a thread: requests stay where [`Worker::pending`] finds them.
    pub fn idle() -> Self {
        Self {
            shared: Arc::default(),
        }
    }

    /// Replaces any waiting request, and returns the new request's number.
    pub fn send(&self, request: Request) -> u64 {
        let mut inbox = lock(&self.shared.inbox);
        inbox.serial += 1;
        let serial = inbox.serial;
        inbox.request = Some((serial, request));
        self.shared.changed.notify_one();
        serial
    }

    /// Uses other models from the next request on, and drops all cached pictures.
    pub fn use_models(&self, models: Arc<Models>) {
        lock(&self.shared.inbox).models = Some(models);
    }

    /// Returns the waiting request.
    pub fn pending(&self) -> Option<Request> {
        lock(&self.shared.inbox)
            .request
            .as_ref()
            .map(|(_, request)| request.clone())
    }

    /// Takes the next outcome, in order of arrival.
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
    // Whatever state a panic left is replaced by the next request or outcome.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Queues an outcome for the window. A complete outcome removes those of other requests, so that a window that doesn't
    /// poll for a while finds only the newest.
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
    // The last rendered request, whose other steps may be rendered ahead.
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
