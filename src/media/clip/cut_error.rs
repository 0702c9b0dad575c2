//! Errors of trimming a clip.

#![allow(missing_docs, reason = "each message names its fields")]

use std::path::PathBuf;

use crate::media::name::Name;

/// Why trimming leaves no frame of a clip.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CutError {
    /// The end doesn't come after the start.
    #[error(
        "{} can't be trimmed to {from} s to {to} s; end the range after it begins.",
        Name(path)
    )]
    Backward { path: PathBuf, from: f64, to: f64 },

    /// The start comes after the last frame.
    #[error("{} has no frame from {from} s on{}; start the range earlier.", Name(path), Runs(*seconds))]
    Beyond {
        path: PathBuf,
        from: f64,
        /// The clip's duration, if known.
        seconds: Option<f64>,
    },

    /// No frame begins between the two.
    #[error(
        "{} has no frame that begins from {from} s to {to} s; choose a longer range.",
        Name(path)
    )]
    Empty { path: PathBuf, from: f64, to: f64 },
}

/// Displays a clip's duration.
struct Runs(Option<f64>);

impl std::fmt::Display for Runs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(seconds) => write!(f, ", as it is {seconds:.2} s long"),
            None => Ok(()),
        }
    }
}
