//! Mien's `weights` as far as it reads bytes: the very files of `src/weights`.
#![allow(dead_code)]

use std::path::Path;

#[path = "../../../src/weights/checkpoint/mod.rs"]
pub mod checkpoint;
#[path = "../../../src/weights/error.rs"]
mod error;
#[path = "../../../src/weights/metadata.rs"]
mod metadata;

pub use error::WeightsError;
pub use metadata::Metadata;

/// [`Metadata::of`], which Mien keeps to itself.
///
/// # Errors
/// As there.
pub fn metadata(path: &Path, bytes: &[u8]) -> Result<Metadata, WeightsError> {
    Metadata::of(path, bytes)
}
