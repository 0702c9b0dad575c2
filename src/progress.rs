//! Progress and cancellation of long jobs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Cancels a job; clones cancel the same job.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Requests cancellation. Can't be taken back.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether cancellation was requested.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Polled between the steps of a computation, from any thread: whether its result is no longer needed.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// Counts the steps done, and of how many; clones count the same job.
#[derive(Debug, Clone)]
pub struct Progress {
    done: Arc<AtomicUsize>,
    total: Arc<AtomicUsize>,
    started: Instant,
    /// Cancels the work.
    pub cancel: CancelToken,
}

impl Progress {
    /// No step done out of `total`.
    pub fn new(total: usize) -> Self {
        Self {
            done: Arc::default(),
            total: Arc::new(AtomicUsize::new(total)),
            started: Instant::now(),
            cancel: CancelToken::default(),
        }
    }

    /// Sets the number of steps, where it is known only after the job has begun; 0 if it can't be known.
    pub fn set_total(&self, total: usize) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// Adds steps that weren't known before.
    pub fn add_total(&self, steps: usize) {
        self.total.fetch_add(steps, Ordering::Relaxed);
    }

    /// Counts one more step as done.
    pub fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of steps done.
    pub fn done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }

    /// The number of steps; 0 if it isn't known.
    pub fn total(&self) -> usize {
        self.total.load(Ordering::Relaxed)
    }

    /// The fraction that is done, in 0..=1.
    pub fn fraction(&self) -> f32 {
        (self.done() as f32 / self.total().max(1) as f32).min(1.0)
    }

    /// The time left, extrapolated from the steps so far; `None` before the first step and while the total isn't known.
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
    fn the_time_estimate_follows_the_completed_steps() {
        let second = Duration::from_secs(1);
        assert_eq!(remaining(0, 10, second), None);
        assert_eq!(remaining(2, 10, second), Some(4 * second));
        assert_eq!(remaining(10, 10, second), Some(Duration::ZERO));
    }

    #[test]
    fn clones_share_their_steps_and_cancellation() {
        let progress = Progress::new(4);
        let seen = progress.clone();
        progress.step();
        seen.cancel.cancel();
        assert_eq!(seen.fraction(), 0.25);
        assert!(progress.cancel.is_cancelled());
    }
}
