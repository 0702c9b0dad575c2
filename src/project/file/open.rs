//! Opening a project: reading and checking it, and finding the media.

use std::fs;
use std::io::{ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

use crate::document::{MediaSource, MotionId, Project};
use crate::error::EngineError;
use crate::folders::file_name;
use crate::media::error::MediaError;
use crate::project::FileStamp;
use crate::project::file::archive::{self, Archive};
use crate::project::file::container::Container;
use crate::project::file::embedded::{self, EmbeddedMedia};
use crate::project::file::error::ProjectError;
use crate::project::file::index::MediaIndex;
use crate::project::file::legacy::JsonFile;
use crate::project::file::media::{MediaOwner, MediaRemark, MediaState};
use crate::project::file::seek::MediaSearch;
use crate::project::file::{json, paths};
use crate::regular_file;

/// The largest file that is read, in bytes: version 1 stored media as base64, which adds a third.
const MAX_BYTES: u64 = 2 << 30;

/// An opened project.
#[derive(Debug, Clone)]
pub struct Opened {
    /// With its media's paths set to where they were found; missing ones keep their stored paths.
    pub project: Project,
    /// The state of the portrait's file.
    pub portrait: MediaState,
    /// The state of each reference clip.
    pub media: Vec<(MotionId, MediaState)>,
    /// The cached digests of its files, needed to save the project.
    pub index: MediaIndex,
    /// The project file's stamp when it was read.
    pub stamp: Option<FileStamp>,
    wanted: Vec<(MediaOwner, MediaSearch)>,
}

impl Opened {
    /// The state of a medium; `None` for a motion without one.
    pub fn state(&self, of: MediaOwner) -> Option<&MediaState> {
        match of {
            MediaOwner::Portrait => Some(&self.portrait),
            MediaOwner::Motion(id) => {
                let found = self.media.iter().find(|(motion, _)| *motion == id);
                found.map(|(_, state)| state)
            }
        }
    }

    /// The media that weren't found.
    pub fn missing(&self) -> Vec<MediaOwner> {
        let all = self.wanted.iter().map(|(of, _)| *of);
        all.filter(|of| self.state(*of).is_some_and(|state| !state.is_there()))
            .collect()
    }

    /// Remarks on the media for the artist to read before using them.
    pub fn remarks(&self) -> Vec<MediaRemark> {
        let remark = |(of, wanted): &(MediaOwner, MediaSearch)| {
            let name = || file_name(wanted.stored());
            match self.state(*of)? {
                MediaState::Changed { path } => Some(MediaRemark::Changed {
                    name: file_name(path),
                }),
                MediaState::Found(path) if !wanted.was_at(path) => Some(MediaRemark::Elsewhere {
                    name: name(),
                    path: path.clone(),
                }),
                MediaState::Moved { .. } => Some(MediaRemark::Missing { name: name() }),
                _ => None,
            }
        };
        let mut remarks: Vec<MediaRemark> = Vec::new();
        for remark in self.wanted.iter().filter_map(remark) {
            if !remarks.contains(&remark) {
                remarks.push(remark);
            }
        }
        remarks
    }

    /// Sets the path of a medium that the artist points to, then looks for the other missing ones near it. Returns all
    /// media that have a new path, this one first; [`MediaOwner::set`] applies them to a project that was edited
    /// meanwhile. A file with other content than stored is accepted as [`MediaState::Changed`].
    ///
    /// # Errors
    /// [`EngineError::Media`] if there is no file at that path, [`ProjectError::NothingMissing`] for a medium without a file.
    pub fn relocate(
        &mut self,
        of: MediaOwner,
        path: &Path,
    ) -> Result<Vec<(MediaOwner, PathBuf)>, EngineError> {
        let path = paths::absolute(path);
        if !paths::is_there(&path) {
            return Err(MediaError::NotFound { path }.into());
        }
        let wanted = self.wanted.iter().find(|(other, _)| *other == of);
        let Some((_, wanted)) = wanted.cloned() else {
            return Err(ProjectError::NothingMissing.into());
        };
        self.place(of, wanted.at(&path));
        let mut placed = vec![(of, path.clone())];
        for other in self.missing() {
            let near = self
                .wanted
                .iter()
                .find(|(which, _)| *which == other)
                .and_then(|(_, other)| other.moved_like(wanted.stored(), &path));
            if let Some(near) = near {
                self.place(other, MediaState::Found(near.clone()));
                placed.push((other, near));
            }
        }
        Ok(placed)
    }

    fn place(&mut self, of: MediaOwner, state: MediaState) {
        let source = match &state {
            MediaState::Bundled(name) => MediaSource::Bundled(name.clone()),
            MediaState::Found(path)
            | MediaState::Embedded(path)
            | MediaState::Changed { path }
            | MediaState::Moved { stored: path, .. } => MediaSource::File(path.clone()),
        };
        of.set(&mut self.project, source);
        match of {
            MediaOwner::Portrait => self.portrait = state,
            MediaOwner::Motion(id) => match self.media.iter_mut().find(|(motion, _)| *motion == id)
            {
                Some((_, old)) => *old = state,
                None => self.media.push((id, state)),
            },
        }
    }

    /// Looks for missing media where others have been moved to.
    fn find_moved_like(&mut self) {
        let mut moved = Vec::new();
        for (of, wanted) in &self.wanted {
            if let Some(MediaState::Found(path)) = self.state(*of)
                && path != wanted.stored()
            {
                moved.push((wanted.stored().to_owned(), path.clone()));
            }
        }
        for of in self.missing() {
            let wanted = self.wanted.iter().find(|(other, _)| *other == of);
            let near = wanted.and_then(|(_, wanted)| {
                moved
                    .iter()
                    .find_map(|(old, new)| wanted.moved_like(old, new))
            });
            if let Some(path) = near {
                self.place(of, MediaState::Found(path));
            }
        }
    }
}

/// Opens a project whose media paths are relative to `folder`.
pub(crate) fn open(
    path: &Path,
    folder: &Path,
    unpacked: Option<&Path>,
) -> Result<Opened, EngineError> {
    let stamp = FileStamp::of(path);
    let mut container = container(path)?;
    let mut stored = json::read(container.as_mut(), path)?;
    let table = std::mem::take(&mut stored.media);
    let project = stored.project(path)?;
    let bytes = table.values().filter(|entry| entry.embedded);
    let bytes = bytes.fold(0u64, |sum, entry| {
        sum.saturating_add(entry.bytes.unwrap_or_default())
    });
    if bytes > embedded::MAX_UNPACKED {
        let path = path.to_owned();
        return Err(ProjectError::TooMuchEmbedded { path, bytes }.into());
    }

    let all = MediaOwner::all(&project);
    let mut opened = Opened {
        project,
        portrait: MediaState::Bundled(String::new()),
        media: Vec::new(),
        index: MediaIndex::default(),
        stamp,
        wanted: Vec::new(),
    };
    for (of, source) in all {
        let key = match source {
            MediaSource::Bundled(name) => {
                opened.place(of, MediaState::Bundled(name));
                continue;
            }
            MediaSource::File(key) => key.to_string_lossy().into_owned(),
        };
        let entry = table.get(&key).cloned().unwrap_or_default();
        let state = if entry.embedded {
            let folder = unpacked.ok_or_else(|| ProjectError::NowhereToUnpack {
                path: path.to_owned(),
            })?;
            let medium = EmbeddedMedia::new(path, &key, &entry)?;
            MediaState::Embedded(medium.unpack(container.as_mut(), folder, &opened.index)?)
        } else {
            let wanted = MediaSearch::new(&key, &entry, folder, &opened.index);
            let state = wanted.find(folder);
            opened.wanted.push((of, wanted));
            state
        };
        opened.place(of, state);
    }
    opened.find_moved_like();
    Ok(opened)
}

/// Opens an archive or a file of version 1, by its magic number.
fn container(path: &Path) -> Result<Box<dyn Container>, EngineError> {
    let fail = |e| MediaError::reading(path, e);
    let opened = regular_file::open(path, MAX_BYTES);
    let (mut file, length) = opened.map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => ProjectError::TooLarge {
            path: path.to_owned(),
            bytes: fs::metadata(path).map_or(MAX_BYTES, |metadata| metadata.len()),
        }
        .into(),
        _ => EngineError::from(fail(error)),
    })?;
    if length == 0 {
        let path = path.to_owned();
        return Err(MediaError::Empty { path }.into());
    }
    let mut start = Vec::new();
    let mut head = (&mut file).take(archive::MAGIC.len() as u64);
    head.read_to_end(&mut start).map_err(fail)?;
    file.rewind().map_err(fail)?;
    if start == archive::MAGIC {
        Ok(Box::new(Archive::open(path, file)?))
    } else {
        Ok(Box::new(JsonFile::new(path, file)))
    }
}
