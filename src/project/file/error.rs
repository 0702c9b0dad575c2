//! Errors of project files.

#![allow(missing_docs, reason = "each message names its fields")]

use std::path::PathBuf;

use thiserror::Error;

use crate::folders::file_name;
use crate::text;

/// Why a project can't be opened or saved.
#[derive(Debug, Error)]
pub enum ProjectError {
    /// Neither an archive nor JSON.
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

    /// A format version above the known ones.
    #[error(
        "{} was saved by a newer Mien (as version {version}, and this one knows versions up to {known}); open it with that one.",
        file_name(path)
    )]
    Newer {
        path: PathBuf,
        version: u64,
        known: u64,
    },

    /// JSON that can't be parsed.
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

    /// Valid JSON with invalid values.
    #[error("{} is damaged ({what}); open an older copy of it.", file_name(path))]
    Inconsistent { path: PathBuf, what: Inconsistency },

    /// A ZIP archive of another program.
    #[error(
        "{} is a ZIP archive, but not a project of Mien; choose a file that Mien has saved, such as smile.mien.",
        file_name(path)
    )]
    NoProjectJson { path: PathBuf },

    /// A truncated, altered or malicious archive.
    #[error("{} is damaged ({fault}); open an older copy of it.", file_name(path))]
    Archive { path: PathBuf, fault: ArchiveFault },

    /// Found while reading, because the size stored in an archive isn't trusted.
    #[error("the project in {} has more than {} MB without its pictures and clips, more than Mien opens; choose another.", file_name(path), limit / 1_000_000)]
    JsonTooLarge { path: PathBuf, limit: u64 },

    /// A file above the size limit.
    #[error("{} is a file of {} MB, more than any project that Mien opens; choose another.", file_name(path), bytes / 1_000_000)]
    TooLarge { path: PathBuf, bytes: u64 },

    /// Media above the limit, while saving.
    #[error("{} would hold {} MB of pictures and clips, more than fits into a project; save it without holding them.", file_name(path), bytes / 1_000_000)]
    TooMuchToEmbed { path: PathBuf, bytes: u64 },

    /// Media above the limit, while opening.
    #[error("{} holds {} MB of pictures and clips, more than any project that Mien opens; choose another.", file_name(path), bytes / 1_000_000)]
    TooMuchEmbedded { path: PathBuf, bytes: u64 },

    /// A medium that is embedded in the project and was unpacked only in the data folder.
    #[error(
        "{} was not saved, because {} that it holds is gone from Mien's data folder ({}); open the project again, then save it.",
        file_name(path),
        file_name(medium),
        text::path(medium)
    )]
    EmbeddedIsGone { path: PathBuf, medium: PathBuf },

    /// Its content no longer has the digest taken before.
    #[error(
        "{} was not saved, because {} changed meanwhile; save it again.",
        file_name(path),
        text::path(medium)
    )]
    ChangedWhileSaving { path: PathBuf, medium: PathBuf },

    /// The medium to locate isn't missing.
    #[error("nothing is missing there; choose a portrait or a clip that has moved.")]
    NothingMissing,

    /// No data folder for autosaved copies.
    #[error("there is no folder for copies against a crash; name one in MIEN_DATA_DIR.")]
    NowhereToAutosave,

    /// No data folder for embedded media.
    #[error(
        "{} holds pictures or clips, but there is no folder to unpack them in; name one in MIEN_DATA_DIR.",
        file_name(path)
    )]
    NowhereToUnpack { path: PathBuf },

    /// Should never happen; it prevents writing a file that can't be read back.
    #[error(
        "{} was not saved, because it could not be read again ({reason}); this is a fault of Mien, please report it.",
        file_name(path)
    )]
    Unreadable { path: PathBuf, reason: String },
}

/// An invalid value in a project.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Inconsistency {
    /// No version number.
    #[error("it has no version")]
    NoVersion,
    /// A version that is no number of a format.
    #[error("its version is {0}, which none is")]
    OddVersion(String),
    /// A crop with a NaN or an infinity.
    #[error("the face's square is nowhere")]
    CropNowhere,
    /// Two motions with the same id.
    #[error("two motions have the number {0}")]
    SameMotion(u32),
    /// A motion number above the limit.
    #[error("it counts motions up to {0}")]
    MotionNumber(u32),
    /// An embedded medium without a digest.
    #[error("there is no digest of {0:?}, which it holds")]
    NoDigest(String),
    /// An embedded medium that can't be decoded.
    #[error("there is no readable content of {0:?}, which it holds")]
    NoContent(String),
    /// An embedded medium whose digest differs.
    #[error("the digest is not that of the content of {0:?}, which it holds")]
    WrongDigest(String),
}

/// A fault of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArchiveFault {
    /// No valid central directory.
    #[error("its list of contents, which ends the file, is missing or wrong")]
    Index,
    /// Two entries with one name.
    #[error("two of its entries have the same name")]
    Duplicate,
    /// An entry with a path out of the archive.
    #[error("its entry \"{0}\" leads outside of it")]
    Outside(String),
    /// An encrypted entry, or one with another compression.
    #[error("its entry {0:?} is encrypted, or packed in a way that Mien doesn't read")]
    Packed(String),
    /// An entry whose size or checksum differs from the directory's.
    #[error("its entry {0:?} is not what its list of contents says")]
    Entry(String),
}
