//! How far a long work has come, and how to stop it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Asks a work to stop; clones ask the same work.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Asked between the steps of a computation, from any thread: whether its result is no longer wanted.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// How many steps of how many are done; clones show the same work.
#[derive(Debug, Clone)]
pub struct Progress {
    done: Arc<AtomicUsize>,
    total: Arc<AtomicUsize>,
    started: Instant,
    pub cancel: CancelToken,
}

impl Progress {
    pub fn new(total: usize) -> Self {
        Self {
            done: Arc::default(),
            total: Arc::new(AtomicUsize::new(total)),
            started: Instant::now(),
            cancel: CancelToken::default(),
        }
    }

    /// Says how many steps there are, where that is known only after the work has begun; 0 when it can't be known.
    pub fn set_total(&self, total: usize) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// Adds steps that weren't known before.
    pub fn add_total(&self, steps: usize) {
        self.total.fetch_add(steps, Ordering::Relaxed);
    }

    /// One more step is done.
    pub fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    pub fn done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }

    /// 0 where it isn't known.
    pub fn total(&self) -> usize {
        self.total.load(Ordering::Relaxed)
    }

    /// The share that is done, in 0..=1.
    pub fn fraction(&self) -> f32 {
        (self.done() as f32 / self.total().max(1) as f32).min(1.0)
    }

    /// The time left, judged by the steps so far; nothing before the first, or while nobody knows how many there are.
    pub fn remaining(&self) -> Option<Duration> {
        let total = Some(self.total()).filter(|total| *total > 0)?;
        remaining(self.done(), total, self.started.elapsed())
    }
}

fn remaining(done: usize, total: usize, elapsed: Duration) -> Option<Duration> {
    (done > 0).then(|| elapsed.mul_f64(total.saturating_sub(done) as f64 / done as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_follows_the_steps() {
        let second = Duration::from_secs(1);
        assert_eq!(remaining(0, 10, second), None);
        assert_eq!(remaining(2, 10, second), Some(4 * second));
        assert_eq!(remaining(10, 10, second), Some(Duration::ZERO));
    }

    #[test]
    fn clones_share_steps_and_the_stop() {
        let progress = Progress::new(4);
        let seen = progress.clone();
        progress.step();
        seen.cancel.cancel();
        assert_eq!(seen.fraction(), 0.25);
        assert!(progress.cancel.is_cancelled());
    }
}
