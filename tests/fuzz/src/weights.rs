//! Mien's `weights` as far as it reads bytes: the very files of `src/weights`.
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

/// [`Metadata::of`], which Mien keeps to itself.
///
/// # Errors
/// As there.
pub fn metadata(path: &Path, bytes: &[u8]) -> Result<Metadata, WeightsError> {
    Metadata::of(path, bytes)
}
