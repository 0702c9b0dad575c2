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
        "No face was found in {name}, so the clip's first frame is used as the reference frame."
    )]
    NoFaceInPortrait { name: String },
    /// The reference frame can't be matched to the clip.
    #[error("No face was found in {name}, so its first frame is used as the reference frame.")]
    NoFaceInClip { name: String },
    /// Neither can be matched.
    #[error(
        "Without a face, no frame can be matched to the portrait, so the clip's first is used as the reference frame."
    )]
    NoReference,
    /// The clip's square can't be placed on a face.
    #[error(
        "No face was found in the reference frame of {name}, so the middle of the picture is used; crop the clip to its face if the result looks wrong."
    )]
    NoFaceInReference { name: String },
    /// The frames of the driving method show no face.
    #[error("No face was found in the frames that {name} generated; the results may look wrong.")]
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
        "{faceless} of the {frames} frames of {name} show no face; they keep the expression of the frame before."
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
