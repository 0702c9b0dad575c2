//! Settings and recent files, written on a background thread: the disk may be slow or remote.

use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use crate::project::settings::{Recent, Settings};

/// Writes settings and recent files in the order given; of several that are waiting, only the last.
#[derive(Debug, Default)]
pub struct SettingsWriter {
    running: Option<(Sender<WriteRequest>, JoinHandle<()>)>,
}

type WriteRequest = (Settings, Recent);

impl SettingsWriter {
    /// Queues settings and recent files for writing.
    pub fn queue(&mut self, settings: &Settings, recent: &Recent) {
        let kept = (settings.clone(), recent.clone());
        if self.running.is_none() {
            self.running = begin();
        }
        match &self.running {
            // The thread ends only once this sender is dropped.
            Some((sender, _)) => drop(sender.send(kept)),
            None => write(&kept),
        }
    }

    /// Waits until everything is written.
    pub fn end(&mut self) {
        if let Some((sender, thread)) = self.running.take() {
            drop(sender);
            if thread.join().is_err() {
                tracing::warn!("The thread that saves settings panicked");
            }
        }
    }
}

impl Drop for SettingsWriter {
    fn drop(&mut self) {
        self.end();
    }
}

/// Starts the writing thread; `None` if the system refuses one.
fn begin() -> Option<(Sender<WriteRequest>, JoinHandle<()>)> {
    let (sender, receiver) = channel::<WriteRequest>();
    let work = move || {
        while let Ok(first) = receiver.recv() {
            let last = receiver.try_iter().last();
            write(&last.unwrap_or(first));
        }
    };
    let thread = std::thread::Builder::new().name("mien-settings".to_owned());
    Some((sender, thread.spawn(work).ok()?))
}

fn write((settings, recent): &WriteRequest) {
    let written = settings.save();
    let written = written.and_then(|()| recent.save());
    if let Err(error) = written {
        tracing::warn!("{error}");
    }
}
