//! The project file: a ZIP archive of `project.json` and the media that the project holds.
//!
//! `project.json` is the portrait, its motions, panes and export settings, indented for people: `unzip -p smile.mien
//! project.json` prints it, and any ZIP program changes it. Media stay where they are, found by their path from the project
//! and by their content's digest; or they are embedded in the archive, under `media/`. An opened project says of each
//! whether it was found, and keeps what it knows of the missing ones.
//!
//! Files of version 1, which are JSON alone, open as before.

#![warn(clippy::cast_possible_truncation)]

mod archive;
mod container;
mod embedded;
pub mod error;
mod index;
mod json;
mod legacy;
mod media;
pub mod open;
mod paths;
mod seek;
mod stored;
mod write;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::document::{MediaSource, Project};
use crate::error::EngineError;
use crate::folders::data_folder;

pub use error::ProjectError;
pub use index::MediaIndex;
pub use media::{MediaOf, MediaRemark, MediaState};
pub use open::Opened;
pub use write::{Embed, Saved};

/// Opens and saves projects.
#[derive(Debug)]
pub struct ProjectFile;

impl ProjectFile {
    /// What the names of project files end in.
    pub const EXTENSION: &'static str = "mien";

    /// Saves a project. What had the name before stays until the new file is whole. `index` is that of the opened project,
    /// or a new one; media are read once to know their content, so the first saving of long clips takes a moment.
    ///
    /// # Errors
    /// [`EngineError::Media`] when the file can't be written, [`EngineError::Project`] when media that it is to hold are
    /// too large or gone.
    pub fn save(
        project: &Project,
        path: &Path,
        embed: Embed,
        index: &MediaIndex,
    ) -> Result<Saved, EngineError> {
        Self::save_with(project, path, embed, index, unpacked().as_deref())
    }

    /// The same for media that were unpacked into another folder than the data folder's.
    ///
    /// # Errors
    /// As [`ProjectFile::save`].
    pub fn save_with(
        project: &Project,
        path: &Path,
        embed: Embed,
        index: &MediaIndex,
        unpacked: Option<&Path>,
    ) -> Result<Saved, EngineError> {
        write::save(project, path, embed, index, unpacked)
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
        about.filter(|m| m.is_file()).map(|m| m.len()).sum()
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

/// The folder where embedded media are unpacked.
fn unpacked() -> Option<PathBuf> {
    data_folder().map(|folder| folder.join("media"))
}
