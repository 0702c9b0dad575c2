//! A progress bar that is updated by a background thread.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::progress::Progress;

pub(super) struct Bar {
    bar: ProgressBar,
    follower: Option<std::thread::JoinHandle<()>>,
}

/// Shows the progress of a job, unless `quiet` or there is only one step. The total may become known or change while it
/// runs.
pub(super) fn show(progress: &Progress, quiet: bool) -> Bar {
    let bar = ProgressBar::new(progress.total() as u64);
    if quiet || progress.total() == 1 {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = "{bar:32} {pos}/{len} frames, {eta} left";
    bar.set_style(
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let follower = {
        let (bar, progress) = (bar.clone(), progress.clone());
        std::thread::spawn(move || {
            while !bar.is_finished() {
                bar.set_length(progress.total() as u64);
                bar.set_position(progress.done() as u64);
                std::thread::sleep(Duration::from_millis(50));
            }
        })
    };
    Bar {
        bar,
        follower: Some(follower),
    }
}

impl Bar {
    pub fn finish(mut self, progress: &Progress) {
        self.bar.set_position(progress.done() as u64);
        self.bar.finish_and_clear();
        if let Some(follower) = self.follower.take() {
            drop(follower.join());
        }
    }
}
