//! Errors of adding a provenance note, each as one sentence.

#![allow(missing_docs, reason = "each message names its fields")]

use std::io;

/// Why a provenance note could not be added to a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProvenanceError {
    /// Not one of the supported containers.
    #[error(
        "Only a PNG, JPEG, WebP, GIF or MP4 can be marked as edited; export as one of these, or without the mark."
    )]
    UnknownKind,

    /// A file that doesn't match its signature.
    #[error("The {kind} is damaged or cut short ({reason}); export it again.")]
    Damaged {
        kind: &'static str,
        reason: &'static str,
    },

    /// A note that is too long for the container.
    #[error(
        "The mark that it was edited is too long for a {kind}; export with fewer models, or without the mark."
    )]
    TooLong { kind: &'static str },

    /// A fragmented MP4, whose last box must stay at the end.
    #[error("A fragmented MP4 can't be marked as edited; save it as an ordinary MP4 first.")]
    Fragmented,

    /// The file could not be read or written.
    #[error(
        "The mark that it was edited could not be written ({0}); check the disk or network drive that the file is on."
    )]
    Io(#[from] io::Error),
}
