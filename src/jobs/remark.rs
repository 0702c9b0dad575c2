//! Remarks about a file that was written successfully.

use thiserror::Error;

use crate::error::FaceError;

/// Each text is one sentence, as the window shows it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Remark {
    /// The clip can't be read to its end, or its sound was left out: the sentence of the reader or writer.
    #[error("{0}")]
    Media(String),
    /// No face to drive by; methods driven by pictures still work.
    #[error(transparent)]
    Face(FaceError),
    #[error(
        "no face was found in {name}, so the clip's first frame is taken as the one that looks like it."
    )]
    NoFaceInPortrait { name: String },
    #[error(
        "no face was found in {name}, so its first frame is taken as the one that looks like the portrait."
    )]
    NoFaceInClip { name: String },
    #[error("no face tells which frame is most like the portrait, so the clip's first is taken.")]
    NoReference,
    #[error(
        "no face was found in the reference frame of {name}, so the middle of the picture is used; cut the clip to its face if the result looks wrong."
    )]
    NoFaceInReference { name: String },
    #[error("no face was found in the frames that {name} drew; the results may look wrong.")]
    NoFaceInDrawn { name: String },
    #[error("{faceless} of the {frames} frames of {name} show no face.")]
    Faceless {
        faceless: usize,
        frames: usize,
        name: String,
    },
    #[error(
        "{faceless} of the {frames} frames of {name} show no face; they keep the expression before them."
    )]
    FacelessHeld {
        faceless: usize,
        frames: usize,
        name: String,
    },
}

impl From<String> for Remark {
    fn from(text: String) -> Self {
        Self::Media(text)
    }
}
