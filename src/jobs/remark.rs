//! Remarks about a file that was written successfully.

use thiserror::Error;

use crate::error::FaceError;

/// Each text is one sentence, as the window shows it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum Remark {
    /// The clip can't be read to its end, or its sound was left out: the sentence of the reader or writer.
    #[error("{0}")]
    Media(String),
    /// No face to drive by; methods driven by pictures still work.
    #[error(transparent)]
    Face(FaceError),
    /// The reference frame can't be matched to the portrait.
    #[error(
        "no face was found in {name}, so the clip's first frame is taken as the one that looks like it."
    )]
    NoFaceInPortrait { name: String },
    /// The reference frame can't be matched to the clip.
    #[error(
        "no face was found in {name}, so its first frame is taken as the one that looks like the portrait."
    )]
    NoFaceInClip { name: String },
    /// Neither can be matched.
    #[error("no face tells which frame is most like the portrait, so the clip's first is taken.")]
    NoReference,
    /// The clip's square can't be placed on a face.
    #[error(
        "no face was found in the reference frame of {name}, so the middle of the picture is used; cut the clip to its face if the result looks wrong."
    )]
    NoFaceInReference { name: String },
    /// The frames of the driving method show no face.
    #[error("no face was found in the frames that {name} drew; the results may look wrong.")]
    NoFaceInDrawn { name: String },
    /// Some frames can't be measured.
    #[error("{faceless} of the {frames} frames of {name} show no face.")]
    Faceless {
        faceless: usize,
        frames: usize,
        name: String,
    },
    /// Some frames repeat the expression of an earlier one.
    #[error(
        "{faceless} of the {frames} frames of {name} show no face; they keep the expression before them."
    )]
    RepeatsExpression {
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
