//! The state of a measurement.

use crate::jobs::measure::Measured;
use crate::progress::Progress;

use super::numbers::Numbers;

/// The finished measurements, and the running one.
#[derive(Debug, Default)]
pub struct Measuring {
    pub numbers: Option<Numbers>,
    pub running: Option<Progress>,
    /// The progress of the running measurement, in words.
    pub words: Option<String>,
    /// The pane the others are measured against; `None` measures against the motion that drives them.
    pub against: Option<usize>,
}

impl Measuring {
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }
}

#[derive(Debug, Clone)]
pub enum Watch {
    /// Time to update the progress.
    Looked,
    Ended(Vec<String>, Result<Vec<Measured>, Option<String>>),
}
