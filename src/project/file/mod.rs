//! The project file: a portrait, its motions and panes as JSON that a person can read, with what it takes to find the
//! media again.
//!
//! Media stay where they are, told by their path from the project on and by their content's digest; or the project holds
//! them itself. An opened project tells of each whether it was found, and keeps what it knows of those that weren't.

mod digest;
pub mod error;
mod held;
pub mod open;
mod paths;
mod pretty;
mod seek;
mod stored;
mod write;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::document::{MediaSource, MotionId, MotionKind, Project};
use crate::error::EngineError;
use crate::folders::data_folder;

pub use error::ProjectError;
pub use open::Opened;

/// Opens and saves projects.
#[derive(Debug)]
pub struct ProjectFile;

/// Which media a project is to hold itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Embed {
    /// None: for a copy that is only read on this machine.
    Nothing,
    /// Those that it held when it was opened.
    #[default]
    Kept,
    /// All that are ordinary files; folders and patterns of numbered pictures stay where they are.
    All,
}

impl Embed {
    /// What a project asks for.
    pub fn of(project: &Project) -> Self {
        if project.holds_media() {
            Embed::All
        } else {
            Embed::Kept
        }
    }
}

/// What came of saving.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Saved {
    /// How large the file is.
    pub bytes: u64,
    /// How many media it holds.
    pub embedded: usize,
    /// Media that were asked to be held but are no ordinary files.
    pub not_embedded: Vec<PathBuf>,
    /// Media that weren't there; their paths, and what is known of their content, are kept.
    pub missing: Vec<PathBuf>,
}

/// What became of a medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaState {
    /// It is here, with the content that it had, as far as that is known.
    Found(PathBuf),
    /// It comes with the program.
    Bundled(String),
    /// It isn't in any of the folders that were searched; [`Opened::relocate`] helps.
    Moved {
        stored: PathBuf,
        looked_in: Vec<PathBuf>,
    },
    /// It is where it was, but its content is another than when the project was saved. It can be used.
    Changed { path: PathBuf },
    /// The project held it; it was unpacked here.
    Embedded(PathBuf),
}

impl MediaState {
    /// Whether there is something to open.
    pub fn is_there(&self) -> bool {
        !matches!(self, MediaState::Moved { .. })
    }
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

impl ProjectFile {
    /// What the names of project files end in.
    pub const EXTENSION: &'static str = "mien";

    /// Saves a project. Whatever stood under the name before still does until the new file is whole. Media are read
    /// once to know their content, so the first saving of long clips takes a moment.
    ///
    /// # Errors
    /// [`EngineError::Media`] when the file can't be written, [`EngineError::Project`] when media that it is to hold are
    /// too large or gone.
    pub fn save(project: &Project, path: &Path, embed: Embed) -> Result<Saved, EngineError> {
        Self::save_with(project, path, embed, unpacked().as_deref())
    }

    /// The same for media that were unpacked into another folder than the data folder's.
    ///
    /// # Errors
    /// As [`ProjectFile::save`].
    pub fn save_with(
        project: &Project,
        path: &Path,
        embed: Embed,
        unpacked: Option<&Path>,
    ) -> Result<Saved, EngineError> {
        write::save(project, path, embed, unpacked)
    }

    /// How many bytes a project's file would grow by if it held all its media, roughly: none of them is read. Folders and
    /// patterns of numbered pictures can't be held and don't count.
    pub fn weight(project: &Project) -> u64 {
        let media = MediaOf::all(project).into_iter();
        let files: BTreeSet<PathBuf> = media
            .filter_map(|(_, source)| match source {
                MediaSource::File(path) => Some(paths::absolute(&path)),
                MediaSource::Bundled(_) => None,
            })
            .collect();
        let about = files.iter().filter_map(|path| path.metadata().ok());
        let bytes: u64 = about.filter(|m| m.is_file()).map(|m| m.len()).sum();
        // Base64 makes four letters of three bytes.
        bytes.div_ceil(3).saturating_mul(4)
    }

    /// Opens a project and looks for its media. The document is as it was saved, under the portrait's number 0; the
    /// caller opens the pixels. Media are read to compare their content, so this belongs on a thread of its own.
    ///
    /// # Errors
    /// [`EngineError::Media`] when the file can't be read, [`EngineError::Project`] when it is no project, damaged, or
    /// of a newer version. Media that aren't there are no error: see [`MediaState`].
    pub fn open(path: &Path) -> Result<Opened, EngineError> {
        Self::open_with(path, unpacked().as_deref())
    }

    /// The same with another folder to unpack media into.
    ///
    /// # Errors
    /// As [`ProjectFile::open`].
    pub fn open_with(path: &Path, unpacked: Option<&Path>) -> Result<Opened, EngineError> {
        let whole = paths::absolute(path);
        let folder = whole.parent().unwrap_or(Path::new("")).to_owned();
        open::open(path, &folder, unpacked)
    }

    /// Opens a copy that stands elsewhere than the project itself: an autosave.
    pub(crate) fn open_copy(path: &Path, project: Option<&Path>) -> Result<Opened, EngineError> {
        let whole = paths::absolute(project.unwrap_or(path));
        let folder = whole.parent().unwrap_or(Path::new("")).to_owned();
        open::open(path, &folder, unpacked().as_deref())
    }
}

/// The folder of media that projects held.
fn unpacked() -> Option<PathBuf> {
    data_folder().map(|folder| folder.join("media"))
}
