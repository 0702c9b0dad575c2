//! A progress bar that follows the work from a thread of its own.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::progress::Progress;

pub(super) struct Bar {
    bar: ProgressBar,
    follower: Option<std::thread::JoinHandle<()>>,
}

/// Shows how far a work has come, unless it is to be quiet or there is next to nothing to do. How much there is may
/// become known, or turn out otherwise, on the way.
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
