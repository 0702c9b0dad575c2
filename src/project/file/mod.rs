//! The project file: a ZIP archive of `project.json` and the embedded media.
//!
//! `project.json` is the portrait, its motions, panes and export settings, indented for people: `unzip -p smile.mien
//! project.json` prints it, and any ZIP program changes it. Media stay where they are, found by their path relative to
//! the project and by their content's digest; or they are embedded in the archive, under `media/`. An opened project
//! reports whether each medium was found, and keeps the stored digests of missing ones.
//!
//! Files of version 1, which are plain JSON, can still be opened.

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
pub use media::{MediaOwner, MediaRemark, MediaState};
pub use open::Opened;
pub use write::{Embed, Saved};

/// Opens and saves projects.
#[derive(Debug)]
pub struct ProjectFile;

impl ProjectFile {
    /// The file extension of projects.
    pub const EXTENSION: &'static str = "mien";

    /// Saves a project. An existing file stays until the new one is complete. `index` is that of the opened project, or
    /// a new one. Media are hashed once, so the first save with long clips takes a moment.
    ///
    /// # Errors
    /// [`EngineError::Media`] if the file can't be written, [`EngineError::Project`] if media to embed are too large or missing.
    pub fn save(
        project: &Project,
        path: &Path,
        embed: Embed,
        index: &MediaIndex,
    ) -> Result<Saved, EngineError> {
        Self::save_with(project, path, embed, index, unpacked().as_deref())
    }

    /// Like [`ProjectFile::save`], for media that were unpacked into another folder than the data folder's.
    ///
    /// # Errors
    /// Those of [`ProjectFile::save`].
    pub fn save_with(
        project: &Project,
        path: &Path,
        embed: Embed,
        index: &MediaIndex,
        unpacked: Option<&Path>,
    ) -> Result<Saved, EngineError> {
        write::save(project, path, embed, index, unpacked)
    }

    /// Estimates by how many bytes a project's file would grow with all its media embedded, without reading them.
    /// Folders and patterns of numbered pictures can't be embedded and don't count.
    pub fn weight(project: &Project) -> u64 {
        let media = MediaOwner::all(project).into_iter();
        let files: BTreeSet<PathBuf> = media
            .filter_map(|(_, source)| match source {
                MediaSource::File(path) => Some(paths::absolute(&path)),
                MediaSource::Bundled(_) => None,
            })
            .collect();
        let about = files.iter().filter_map(|path| path.metadata().ok());
        about.filter(|m| m.is_file()).map(|m| m.len()).sum()
    }

    /// Opens a project and looks for its media. The document is as it was saved, with 0 as the portrait's id; the
    /// caller opens the pixels. Media are read to compare their content, so call this on a background thread.
    ///
    /// # Errors
    /// [`EngineError::Media`] if the file can't be read, [`EngineError::Project`] if it isn't a project, is damaged or
    /// of a newer version. Missing media aren't an error: see [`MediaState`].
    pub fn open(path: &Path) -> Result<Opened, EngineError> {
        Self::open_with(path, unpacked().as_deref())
    }

    /// Like [`ProjectFile::open`], with another folder to unpack media into.
    ///
    /// # Errors
    /// Those of [`ProjectFile::open`].
    pub fn open_with(path: &Path, unpacked: Option<&Path>) -> Result<Opened, EngineError> {
        let absolute = paths::absolute(path);
        let folder = absolute.parent().unwrap_or(Path::new("")).to_owned();
        open::open(path, &folder, unpacked)
    }

    /// Opens a copy stored elsewhere than the project itself, such as an autosave; relative paths start at the
    /// project's folder.
    pub(crate) fn open_copy(path: &Path, project: Option<&Path>) -> Result<Opened, EngineError> {
        let absolute = paths::absolute(project.unwrap_or(path));
        let folder = absolute.parent().unwrap_or(Path::new("")).to_owned();
        open::open(path, &folder, unpacked().as_deref())
    }
}

/// The folder into which embedded media are unpacked.
fn unpacked() -> Option<PathBuf> {
    data_folder().map(|folder| folder.join("media"))
}
