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
        "{} is not a Mien project; choose a file that Mien saved, such as smile.mien.",
        file_name(path)
    )]
    NotJson { path: PathBuf },

    /// JSON of another program.
    #[error(
        "{} is JSON, but not a Mien project; choose a file that Mien saved, such as smile.mien.",
        file_name(path)
    )]
    NotAProject { path: PathBuf },

    /// A format version above the known ones.
    #[error(
        "{} was saved by a newer version of Mien (its format is version {version}, and this Mien reads up to {known}); update Mien to open it.",
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
        "{} is a ZIP archive, but not a Mien project; choose a file that Mien saved, such as smile.mien.",
        file_name(path)
    )]
    NoProjectJson { path: PathBuf },

    /// A truncated, altered or malicious archive.
    #[error("{} is damaged ({fault}); open an older copy of it.", file_name(path))]
    Archive { path: PathBuf, fault: ArchiveFault },

    /// Found while reading, because the size stored in an archive isn't trusted.
    #[error("The project in {} is over {} MB without its pictures and clips, larger than Mien opens; choose another.", file_name(path), limit / 1_000_000)]
    JsonTooLarge { path: PathBuf, limit: u64 },

    /// A file above the size limit.
    #[error("{} is {} MB, larger than any project that Mien opens; choose another.", file_name(path), bytes / 1_000_000)]
    TooLarge { path: PathBuf, bytes: u64 },

    /// Media above the limit, while saving.
    #[error("{} would contain {} MB of pictures and clips, more than fits in a project; save it without them.", file_name(path), bytes / 1_000_000)]
    TooMuchToEmbed { path: PathBuf, bytes: u64 },

    /// Media above the limit, while opening.
    #[error("{} contains {} MB of pictures and clips, more than any project that Mien opens; choose another.", file_name(path), bytes / 1_000_000)]
    TooMuchEmbedded { path: PathBuf, bytes: u64 },

    /// A medium that is embedded in the project and was unpacked only in the data folder.
    #[error(
        "{} was not saved because {}, which it contains, is missing from Mien's data folder ({}); open the project again, then save it.",
        file_name(path),
        file_name(medium),
        text::path(medium)
    )]
    EmbeddedIsGone { path: PathBuf, medium: PathBuf },

    /// Its content no longer has the digest taken before.
    #[error(
        "{} was not saved because {} changed meanwhile; save it again.",
        file_name(path),
        text::path(medium)
    )]
    ChangedWhileSaving { path: PathBuf, medium: PathBuf },

    /// The medium to locate isn't missing.
    #[error("No file is missing there; choose a portrait or a clip that has moved.")]
    NothingMissing,

    /// No data folder for autosaved copies.
    #[error("There is no folder for autosaved copies; set MIEN_DATA_DIR to one.")]
    NowhereToAutosave,

    /// No data folder for embedded media.
    #[error(
        "{} contains pictures or clips, but there is no folder to unpack them in; set MIEN_DATA_DIR to one.",
        file_name(path)
    )]
    NowhereToUnpack { path: PathBuf },

    /// Should never happen; it prevents writing a file that can't be read back.
    #[error(
        "{} was not saved because it could not be read back ({reason}); this is a bug in Mien, please report it.",
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
    /// A version that isn't a format version.
    #[error("its version is {0}, which doesn't exist")]
    OddVersion(String),
    /// A crop with a NaN or an infinity.
    #[error("the face's square isn't finite")]
    CropNowhere,
    /// Two motions with the same id.
    #[error("two motions have the number {0}")]
    SameMotion(u32),
    /// A motion number above the limit.
    #[error("its highest motion number is {0}, which is out of range")]
    MotionNumber(u32),
    /// An embedded medium without a digest.
    #[error("the digest of {0:?}, which it contains, is missing")]
    NoDigest(String),
    /// An embedded medium that can't be decoded.
    #[error("the content of {0:?}, which it contains, can't be read")]
    NoContent(String),
    /// An embedded medium whose digest differs.
    #[error("the content of {0:?} doesn't match its digest")]
    WrongDigest(String),
}

/// A fault of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArchiveFault {
    /// No valid central directory.
    #[error("the list of contents at its end is missing or wrong")]
    Index,
    /// Two entries with one name.
    #[error("two of its entries have the same name")]
    Duplicate,
    /// An entry with a path out of the archive.
    #[error("its entry \"{0}\" points outside the archive")]
    Outside(String),
    /// An encrypted entry, or one with another compression.
    #[error("its entry {0:?} is encrypted, or compressed in a way that Mien can't read")]
    Packed(String),
    /// An entry whose size or checksum differs from the directory's.
    #[error("its entry {0:?} doesn't match its list of contents")]
    Entry(String),
}
