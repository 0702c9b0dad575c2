//! Where pictures and clips come from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where a portrait or a clip comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaSource {
    /// Bundled with the program, by its file's name.
    Bundled(String),
    /// A file, a folder or a pattern of numbered pictures.
    File(PathBuf),
}
