//! Settings and recent files written to the disk on a thread of their own: the disk may be slow or far away.

use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use crate::project::settings::{Recent, Settings};

/// Writes what it is given, in that order; of several that wait only the last.
#[derive(Debug, Default)]
pub struct Keeper {
    running: Option<(Sender<Kept>, JoinHandle<()>)>,
}

type Kept = (Settings, Recent);

impl Keeper {
    /// Hands over what is to be written.
    pub fn keep(&mut self, settings: &Settings, recent: &Recent) {
        let kept = (settings.clone(), recent.clone());
        if self.running.is_none() {
            self.running = begin();
        }
        match &self.running {
            // Its thread ends only when this sender is gone.
            Some((sender, _)) => drop(sender.send(kept)),
            None => write(&kept),
        }
    }

    /// Waits until all is written.
    pub fn end(&mut self) {
        if let Some((sender, thread)) = self.running.take() {
            drop(sender);
            if thread.join().is_err() {
                tracing::warn!("the settings' thread panicked");
            }
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.end();
    }
}

/// Nothing where the system gives no thread.
fn begin() -> Option<(Sender<Kept>, JoinHandle<()>)> {
    let (sender, receiver) = channel::<Kept>();
    let work = move || {
        while let Ok(first) = receiver.recv() {
            let last = receiver.try_iter().last();
            write(&last.unwrap_or(first));
        }
    };
    let thread = std::thread::Builder::new().name("mien-settings".to_owned());
    Some((sender, thread.spawn(work).ok()?))
}

fn write((settings, recent): &Kept) {
    let written = settings.save();
    let written = written.and_then(|()| recent.save());
    if let Err(error) = written {
        tracing::warn!("{error}");
    }
}
