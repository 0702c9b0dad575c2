//! Errors of adding a provenance note, each as one sentence.

#![allow(missing_docs, reason = "each message names its fields")]

use std::io;

/// Why a provenance note could not be added to a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProvenanceError {
    /// Not one of the supported containers.
    #[error(
        "a note about its making fits only into a PNG, JPEG, WebP, GIF or MP4; export as one of these, or without the note."
    )]
    UnknownKind,

    /// A file that doesn't match its signature.
    #[error("the {kind} is damaged or cut short ({reason}); export it again.")]
    Damaged {
        kind: &'static str,
        reason: &'static str,
    },

    /// A note that is too long for the container.
    #[error(
        "the note about its making is longer than a {kind} has room for; export with fewer models, or without the note."
    )]
    TooLong { kind: &'static str },

    /// A fragmented MP4, whose last box must stay at the end.
    #[error(
        "the MP4 is in fragments, to which no note about its making can be added; save it as an ordinary MP4 first."
    )]
    Fragmented,

    /// The file could not be read or written.
    #[error(
        "the note about its making could not be written ({0}); check the disk or network drive that the file is on."
    )]
    Io(#[from] io::Error),
}
