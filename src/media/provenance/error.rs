//! Why a note could not be put into a file, each as one sentence.

use std::io;

/// Why a note about a file's making could not be put into it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProvenanceError {
    /// None of the containers known here.
    #[error(
        "a note about its making fits only into a PNG, JPEG, WebP, GIF or MP4; export as one of these, or without the note."
    )]
    UnknownKind,

    /// A file that isn't what its first bytes promise.
    #[error("the {kind} is damaged or cut short ({reason}); export it again.")]
    Damaged {
        kind: &'static str,
        reason: &'static str,
    },

    /// More text than the container has room for.
    #[error(
        "the note about its making is longer than a {kind} has room for; export with fewer models, or without the note."
    )]
    TooLong { kind: &'static str },

    /// A film in fragments, whose end must stay where it is.
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
