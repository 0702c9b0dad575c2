//! Where the artist's own presets and weights lie.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use crate::text;

/// A file's name without its folders, as a person reads it.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || text::path(path),
        |name| text::name(&name.to_string_lossy()),
    )
}

/// The folder of the artist's own presets; `None` on a system without a home folder.
pub fn presets_folder() -> Option<PathBuf> {
    data_folder().map(|folder| folder.join("presets"))
}

/// The folder of imported weights; `None` on a system without a home folder.
pub fn weights_folder() -> Option<PathBuf> {
    data_folder().map(|folder| folder.join("weights"))
}

/// The folder of everything that Mien keeps; `None` on a system without a home folder.
pub(crate) fn data_folder() -> Option<PathBuf> {
    match std::env::var_os("MIEN_DATA_DIR") {
        Some(folder) if !folder.is_empty() => Some(PathBuf::from(folder)),
        _ => ProjectDirs::from("", "", "mien").map(|folders| folders.data_dir().to_owned()),
    }
}
