//! The state of a measurement.

use crate::jobs::measure::Measured;
use crate::progress::Progress;

use super::numbers::Numbers;

/// What has been measured, and what is being measured.
#[derive(Debug, Default)]
pub struct Measuring {
    pub numbers: Option<Numbers>,
    pub running: Option<Progress>,
    /// What is said of it while it runs.
    pub words: Option<String>,
    /// The pane that the others are measured against; without, what drives them.
    pub against: Option<usize>,
}

impl Measuring {
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }
}

#[derive(Debug, Clone)]
pub enum Watch {
    /// It is looked at again.
    Looked,
    Ended(Vec<String>, Result<Vec<Measured>, Option<String>>),
}
