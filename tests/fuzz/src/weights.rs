//! The part of Mien's `weights` that reads bytes: the same files as in `src/weights`.
#![allow(dead_code, unused_imports)]

use std::path::Path;

#[path = "../../../src/weights/checkpoint/mod.rs"]
pub mod checkpoint;
#[path = "../../../src/weights/error.rs"]
mod error;
#[path = "../../../src/weights/metadata.rs"]
mod metadata;

/// As in Mien.
const MAX_BYTES: u64 = 4 << 30;

pub use error::WeightsError;
pub use metadata::Metadata;

/// [`Metadata::of`], which is private to Mien.
///
/// # Errors
/// As there.
pub fn metadata(path: &Path, bytes: &[u8]) -> Result<Metadata, WeightsError> {
    Metadata::of(path, bytes)
}
