//! What can be wrong with a project file, in one sentence each.

use std::path::PathBuf;

use thiserror::Error;

use crate::folders::file_name;

#[derive(Debug, Error)]
pub enum ProjectError {
    /// Something else altogether.
    #[error(
        "{} is not a project of Mien, nor any JSON; choose a file that Mien has saved, such as smile.mien.",
        file_name(path)
    )]
    NotJson { path: PathBuf },

    /// JSON of another program.
    #[error(
        "{} is JSON, but not a project of Mien; choose a file that Mien has saved, such as smile.mien.",
        file_name(path)
    )]
    NotAProject { path: PathBuf },

    #[error(
        "{} was saved by a newer Mien (as version {version}, and this one knows versions up to {known}); open it with that one.",
        file_name(path)
    )]
    Newer {
        path: PathBuf,
        version: u64,
        known: u64,
    },

    #[error(
        "{} is damaged at line {line} ({reason}); open an older copy of it.",
        file_name(path)
    )]
    Damaged {
        path: PathBuf,
        /// From 1.
        line: usize,
        reason: String,
    },

    /// Whole as JSON, but what it says can't be.
    #[error("{} is damaged ({reason}); open an older copy of it.", file_name(path))]
    Impossible { path: PathBuf, reason: String },

    #[error("{} is a file of {} MB, more than any project that Mien opens; choose another.", file_name(path), bytes / 1_000_000)]
    TooLarge { path: PathBuf, bytes: u64 },

    #[error("{} would hold {} MB of pictures and clips, more than fits into a project; save it without holding them.", file_name(path), bytes / 1_000_000)]
    TooMuchToHold { path: PathBuf, bytes: u64 },

    /// A medium whose only place beside the data folder is the project itself.
    #[error("{} was not saved, because {} that it holds is gone from Mien's data folder ({}); open the project again, then save it.", file_name(path), file_name(medium), medium.display())]
    HeldIsGone { path: PathBuf, medium: PathBuf },

    #[error(
        "{} holds pictures or clips, but there is no folder to unpack them in; name one in MIEN_DATA_DIR.",
        file_name(path)
    )]
    NowhereToUnpack { path: PathBuf },

    /// Never seen; rather told than a file written that can't be read.
    #[error(
        "{} was not saved, because it could not be read again ({reason}); this is a fault of Mien, please report it.",
        file_name(path)
    )]
    Unreadable { path: PathBuf, reason: String },
}
