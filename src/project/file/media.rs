//! The media of a project: which there are, and what became of each when the project was opened.

use std::path::PathBuf;

use thiserror::Error;

use crate::document::{MediaSource, MotionId, MotionKind, Project};
use crate::text;

/// What became of a medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaState {
    /// It is here, with the content that it had, as far as that is known.
    Found(PathBuf),
    /// It comes with the program.
    Bundled(String),
    /// It isn't in any of the folders that were searched; [`Opened::relocate`](super::Opened::relocate) helps.
    Moved {
        stored: PathBuf,
        looked_in: Vec<PathBuf>,
    },
    /// It is where it was, but its content is not that of when the project was saved. It can be used.
    Changed { path: PathBuf },
    /// It was embedded in the project and is unpacked here.
    Embedded(PathBuf),
}

impl MediaState {
    /// Whether there is something to open.
    pub fn is_there(&self) -> bool {
        !matches!(self, MediaState::Moved { .. })
    }
}

/// What somebody should know of a medium that is used all the same, or can't be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MediaRemark {
    #[error("{name} has changed since the project was saved; it is used as it is now.")]
    Changed { name: String },
    #[error(
        "{name} is no longer where it was; {} is used, which has its content.",
        text::path(path)
    )]
    Elsewhere { name: String, path: PathBuf },
    #[error(
        "{name} isn't where it was, nor near the project; put it back, or open the project in the window and point to it."
    )]
    Missing { name: String },
}

/// Whose a medium is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaOf {
    Portrait,
    /// A reference clip.
    Motion(MotionId),
}

impl MediaOf {
    /// Every medium of a project with where it comes from: the portrait first, then the clips in their order.
    pub fn all(project: &Project) -> Vec<(MediaOf, MediaSource)> {
        let portrait = (
            MediaOf::Portrait,
            project.document().portrait.source.clone(),
        );
        let clips = project
            .motions()
            .iter()
            .filter_map(|motion| match &motion.kind {
                MotionKind::Clip(clip) => Some((MediaOf::Motion(motion.id), clip.source.clone())),
                _ => None,
            });
        std::iter::once(portrait).chain(clips).collect()
    }

    /// Gives the medium another place; one that the project doesn't have changes nothing.
    pub fn set(self, project: &mut Project, source: MediaSource) {
        match self {
            MediaOf::Portrait => project.change(|document| document.portrait.source = source),
            MediaOf::Motion(id) => project.change_motion(id, |kind| {
                if let MotionKind::Clip(clip) = kind {
                    clip.source = source;
                }
            }),
        }
    }
}
