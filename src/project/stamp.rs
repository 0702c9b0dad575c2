//! Whether a file is still as it was.

use std::path::Path;
use std::time::SystemTime;

/// Length and time of an ordinary file: as long as both stay, its content is taken to be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    pub bytes: u64,
    pub modified: SystemTime,
}

impl FileStamp {
    /// `None` for what isn't there, can't be read, or is no ordinary file.
    pub fn of(path: &Path) -> Option<Self> {
        let about = std::fs::metadata(path).ok().filter(|m| m.is_file())?;
        Some(Self {
            bytes: about.len(),
            modified: about.modified().unwrap_or(SystemTime::UNIX_EPOCH),
        })
    }
}
