//! Whatever can go wrong between the document and its pictures, in one sentence each.

use thiserror::Error;

use crate::document::{CropError, PresetError};
use crate::media::error::MediaError;
use crate::project::file::error::ProjectError;
use crate::weights::WeightsError;

#[derive(Debug, Error)]
pub enum EngineError {
    #[error(transparent)]
    Media(#[from] MediaError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error(transparent)]
    Crop(#[from] CropError),
    #[error(transparent)]
    Preset(#[from] PresetError),
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error("the network stopped with an error ({0}); this is a fault of Mien, please report it.")]
    Network(String),
    #[error("{0}")]
    Refused(String),
    #[error("cancelled; nothing was written.")]
    Cancelled,
}

impl EngineError {
    /// Whether somebody asked for the stop.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, EngineError::Cancelled)
    }
}
