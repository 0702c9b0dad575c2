//! Detects whether a file has changed.

use std::path::Path;
use std::time::SystemTime;

/// Length and modification time of a regular file: while both are unchanged, so is its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    /// The length in bytes.
    pub bytes: u64,
    /// The modification time.
    pub modified: SystemTime,
}

impl FileStamp {
    /// Returns `None` if the file doesn't exist, can't be read or isn't a regular file.
    pub fn of(path: &Path) -> Option<Self> {
        let about = std::fs::metadata(path).ok().filter(|m| m.is_file())?;
        Some(Self {
            bytes: about.len(),
            modified: about.modified().unwrap_or(SystemTime::UNIX_EPOCH),
        })
    }
}
