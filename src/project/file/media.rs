//! The media of a project, and their state after opening it.

use std::path::PathBuf;

use thiserror::Error;

use crate::document::{MediaSource, MotionId, MotionKind, Project};
use crate::text;

/// The state of a medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaState {
    /// Found, with its stored content as far as that is known.
    Found(PathBuf),
    /// Bundled with the program.
    Bundled(String),
    /// Not found in any of the folders that were searched; [`Opened::relocate`](super::Opened::relocate) sets a new path.
    Moved {
        /// The path in the project.
        stored: PathBuf,
        /// The folders that were searched.
        looked_in: Vec<PathBuf>,
    },
    /// Found at its path, but the content has changed since the project was saved. It can be used.
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// Embedded in the project and unpacked to this path.
    Embedded(PathBuf),
}

impl MediaState {
    /// Whether there is a file to open.
    pub fn is_there(&self) -> bool {
        !matches!(self, MediaState::Moved { .. })
    }
}

/// A remark on a medium that was moved, changed or is missing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum MediaRemark {
    /// The content differs.
    #[error("{name} has changed since the project was saved; the current version is used.")]
    Changed { name: String },
    /// Found in another folder by its content.
    #[error(
        "{name} has moved; {}, which has the same content, is used.",
        text::path(path)
    )]
    Elsewhere { name: String, path: PathBuf },
    /// Found nowhere.
    #[error(
        "{name} is neither where it was nor near the project; put it back, or open the project in the window and locate it."
    )]
    Missing { name: String },
}

/// The owner of a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaOwner {
    /// The portrait.
    Portrait,
    /// A reference clip.
    Motion(MotionId),
}

impl MediaOwner {
    /// Every medium of a project with its source: the portrait first, then the clips in list order.
    pub fn all(project: &Project) -> Vec<(MediaOwner, MediaSource)> {
        let portrait = (
            MediaOwner::Portrait,
            project.document().portrait.source.clone(),
        );
        let clips = project
            .motions()
            .iter()
            .filter_map(|motion| match &motion.kind {
                MotionKind::Clip(clip) => {
                    Some((MediaOwner::Motion(motion.id), clip.source.clone()))
                }
                _ => None,
            });
        std::iter::once(portrait).chain(clips).collect()
    }

    /// Sets the medium's source; ignored if the project doesn't have the medium.
    pub fn set(self, project: &mut Project, source: MediaSource) {
        match self {
            MediaOwner::Portrait => project.change(|document| document.portrait.source = source),
            MediaOwner::Motion(id) => project.change_motion(id, |kind| {
                if let MotionKind::Clip(clip) = kind {
                    clip.source = source;
                }
            }),
        }
    }
}
