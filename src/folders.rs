//! The folders of the artist's presets and weights, and file names.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use crate::text;

/// Returns a path's file name, escaped for display.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || text::path(path),
        |name| text::name(&name.to_string_lossy()),
    )
}

/// Returns a free name in the same folder: `smile.png` gives `smile-2.png`, or the next free number.
pub(crate) fn free_name(path: &Path, is_taken: impl Fn(&Path) -> bool) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy());
    let ending = extension.map_or_else(String::new, |extension| format!(".{extension}"));
    let mut number = 2u64;
    loop {
        let free = path.with_file_name(format!("{stem}-{number}{ending}"));
        if !is_taken(&free) {
            return free;
        }
        number += 1;
    }
}

/// The folder of the artist's presets; `None` on a system without a home folder.
pub fn presets_folder() -> Option<PathBuf> {
    data_folder().map(|folder| folder.join("presets"))
}

/// The folder of imported weights; `None` on a system without a home folder.
pub fn weights_folder() -> Option<PathBuf> {
    data_folder().map(|folder| folder.join("weights"))
}

/// The folder of all of Mien's data; `None` on a system without a home folder.
pub(crate) fn data_folder() -> Option<PathBuf> {
    match std::env::var_os("MIEN_DATA_DIR") {
        Some(folder) if !folder.is_empty() => Some(PathBuf::from(folder)),
        _ => ProjectDirs::from("", "", "mien").map(|folders| folders.data_dir().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unused_name_keeps_the_folder_and_the_extension() {
        let taken = |path: &Path| path.ends_with("a/smile-2.png");
        let free = |name: &str| free_name(Path::new(name), taken);
        assert_eq!(free("a/smile.png"), Path::new("a/smile-3.png"));
        assert_eq!(free("b/smile.png"), Path::new("b/smile-2.png"));
        assert_eq!(free("b/smile"), Path::new("b/smile-2"));
    }
}
