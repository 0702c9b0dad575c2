//! Opening: reading, telling what is wrong, and finding the media.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;

use crate::document::{MediaSource, MotionId, Project};
use crate::error::EngineError;
use crate::media::error::MediaError;
use crate::project::file::digest::Content;
use crate::project::file::error::ProjectError;
use crate::project::file::seek::Wanted;
use crate::project::file::stored::{FORMAT, Stored, StoredMedium, VERSION};
use crate::project::file::{MediaOf, MediaState, held, paths};

/// The largest file that is read, in bytes: what a project can hold, as base64, and room for the rest.
const MOST: u64 = 2 << 30;

/// A project as it was opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Its media at the places where they were found; those that weren't at the places where they were.
    pub project: Project,
    pub portrait: MediaState,
    /// Of each reference clip.
    pub media: Vec<(MotionId, MediaState)>,
    wanted: Vec<(MediaOf, Wanted)>,
}

impl Opened {
    /// What became of a medium; nothing for a motion without one.
    pub fn state(&self, of: MediaOf) -> Option<&MediaState> {
        match of {
            MediaOf::Portrait => Some(&self.portrait),
            MediaOf::Motion(id) => {
                let found = self.media.iter().find(|(motion, _)| *motion == id);
                found.map(|(_, state)| state)
            }
        }
    }

    /// The media that weren't found.
    pub fn missing(&self) -> Vec<MediaOf> {
        let all = self.wanted.iter().map(|(of, _)| *of);
        all.filter(|of| self.state(*of).is_some_and(|state| !state.is_there()))
            .collect()
    }

    /// Takes up the place of a medium that somebody shows, then looks for the other missing ones near it. Returns all
    /// that now have a place, that one first; [`MediaOf::set`] brings them into a project that was changed meanwhile.
    /// One with another content than it had is taken and told as [`MediaState::Changed`].
    ///
    /// # Errors
    /// [`EngineError::Media`] when there is nothing at that place, [`EngineError::NothingMissing`] for what has no file.
    pub fn relocate(
        &mut self,
        of: MediaOf,
        path: &Path,
    ) -> Result<Vec<(MediaOf, PathBuf)>, EngineError> {
        let path = paths::absolute(path);
        if !paths::is_there(&path) {
            return Err(MediaError::NotFound { path }.into());
        }
        let wanted = self.wanted.iter().find(|(other, _)| *other == of);
        let Some((_, wanted)) = wanted.cloned() else {
            return Err(EngineError::NothingMissing);
        };
        self.place(of, wanted.at(&path));
        let mut placed = vec![(of, path.clone())];
        for other in self.missing() {
            let near = self
                .wanted
                .iter()
                .find(|(which, _)| *which == other)
                .and_then(|(_, other)| other.along(wanted.stored(), &path));
            if let Some(near) = near {
                self.place(other, MediaState::Found(near.clone()));
                placed.push((other, near));
            }
        }
        Ok(placed)
    }

    fn place(&mut self, of: MediaOf, state: MediaState) {
        let source = match &state {
            MediaState::Bundled(name) => MediaSource::Bundled(name.clone()),
            MediaState::Found(path)
            | MediaState::Embedded(path)
            | MediaState::Changed { path }
            | MediaState::Moved { stored: path, .. } => MediaSource::File(path.clone()),
        };
        of.set(&mut self.project, source);
        match of {
            MediaOf::Portrait => self.portrait = state,
            MediaOf::Motion(id) => match self.media.iter_mut().find(|(motion, _)| *motion == id) {
                Some((_, old)) => *old = state,
                None => self.media.push((id, state)),
            },
        }
    }

    /// Those that weren't found may be where others have gone.
    fn follow(&mut self) {
        let mut gone = Vec::new();
        for (of, wanted) in &self.wanted {
            if let Some(MediaState::Found(path)) = self.state(*of)
                && path != wanted.stored()
            {
                gone.push((wanted.stored().to_owned(), path.clone()));
            }
        }
        for of in self.missing() {
            let wanted = self.wanted.iter().find(|(other, _)| *other == of);
            let near = wanted
                .and_then(|(_, wanted)| gone.iter().find_map(|(old, new)| wanted.along(old, new)));
            if let Some(path) = near {
                self.place(of, MediaState::Found(path));
            }
        }
    }
}

/// Opens a project whose media's paths begin at `folder`.
pub(crate) fn open(
    path: &Path,
    folder: &Path,
    unpacked: Option<&Path>,
) -> Result<Opened, EngineError> {
    let mut stored = parse(path, &read(path)?)?;
    let table = std::mem::take(&mut stored.media);
    let embedded = std::mem::take(&mut stored.embedded);
    let project = stored.project(path)?;
    let all = MediaOf::all(&project);
    let mut opened = Opened {
        project,
        portrait: MediaState::Bundled(String::new()),
        media: Vec::new(),
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
            let StoredMedium { sha256, bytes, .. } = entry;
            let content = Content {
                sha256: sha256.unwrap_or_default(),
                bytes: bytes.unwrap_or_default(),
            };
            let base64 = embedded.get(&content.sha256).map(String::as_str);
            MediaState::Embedded(held::unpack(path, folder, &key, &content, base64)?)
        } else {
            let wanted = Wanted::new(&key, &entry, folder);
            let state = wanted.find(folder);
            opened.wanted.push((of, wanted));
            state
        };
        opened.place(of, state);
    }
    opened.follow();
    Ok(opened)
}

fn read(path: &Path) -> Result<Vec<u8>, EngineError> {
    let fail = |e| MediaError::reading(path, e);
    let file = File::open(path).map_err(fail)?;
    let about = file.metadata().map_err(fail)?;
    let path = path.to_owned();
    if about.is_dir() {
        return Err(MediaError::IsFolder { path }.into());
    }
    if !about.is_file() {
        return Err(MediaError::NotAFile { path }.into());
    }
    if about.len() > MOST {
        let bytes = about.len();
        return Err(ProjectError::TooLarge { path, bytes }.into());
    }
    let mut bytes = Vec::new();
    // It may grow while it is read.
    let mut file = file.take(MOST);
    file.read_to_end(&mut bytes)
        .map_err(|e| MediaError::reading(&path, e))?;
    Ok(bytes)
}

/// What is read first, so that another file and a newer version are told from damage.
#[derive(Deserialize)]
struct Header {
    format: Option<Value>,
    version: Option<Value>,
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Stored, ProjectError> {
    let owned = || path.to_owned();
    let head = &bytes[..bytes.len().min(1024)];
    let is_ours = head.windows(FORMAT.len()).any(|w| w == FORMAT.as_bytes());
    let not_json = || ProjectError::NotJson { path: owned() };
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_start_matches('\u{feff}'),
        Err(_) if !is_ours => return Err(not_json()),
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            return Err(ProjectError::Damaged {
                path: owned(),
                line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
                reason: "it isn't text there".to_owned(),
            });
        }
    };
    let damaged = |error: serde_json::Error| ProjectError::Damaged {
        path: owned(),
        line: error.line(),
        reason: reason(&error),
    };
    let header: Header = match serde_json::from_str(text) {
        Ok(header) => header,
        Err(error) if is_ours => return Err(damaged(error)),
        Err(error) if error.classify() == Category::Data => {
            return Err(ProjectError::NotAProject { path: owned() });
        }
        Err(_) => return Err(not_json()),
    };
    if header.format.is_none_or(|format| format != FORMAT) {
        return Err(ProjectError::NotAProject { path: owned() });
    }
    match header.version.as_ref().and_then(Value::as_u64) {
        Some(1..=VERSION) => serde_json::from_str(text).map_err(damaged),
        Some(version) if version > VERSION => Err(ProjectError::Newer {
            path: owned(),
            version,
            known: VERSION,
        }),
        _ => Err(ProjectError::Impossible {
            path: owned(),
            reason: "it has no version".to_owned(),
        }),
    }
}

/// What the reader says, without the place, on one short line.
fn reason(error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let words = error.to_string();
    let words = words.strip_suffix(&place).unwrap_or(&words);
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = line.chars().take(160).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short.trim_end_matches('.').to_owned()
}
