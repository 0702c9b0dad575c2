//! Saving: writes the project's JSON and its embedded media into an archive.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, DateTime};

use crate::document::{MediaSource, Project};
use crate::error::EngineError;
use crate::media::atomic_file::AtomicFile;
use crate::project::file::archive::{MAX_JSON, MEDIA, PROJECT_JSON};
use crate::project::file::embedded::{self, SourceMedia};
use crate::project::file::error::ProjectError;
use crate::project::file::index::{Content, MediaIndex};
use crate::project::file::paths;
use crate::project::file::stored::{Stored, StoredMedium};

/// Which media are embedded in a project's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Embed {
    /// None, for a copy that is read only on this machine.
    Nothing,
    /// Those that were embedded when the project was opened.
    #[default]
    Unchanged,
    /// All regular files; folders and patterns of numbered pictures stay where they are.
    All,
}

impl Embed {
    /// The project's choice.
    pub fn of(project: &Project) -> Self {
        if project.holds_media() {
            Embed::All
        } else {
            Embed::Unchanged
        }
    }
}

/// The result of saving.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Saved {
    /// The file's size.
    pub bytes: u64,
    /// The number of embedded media.
    pub embedded: usize,
    /// Media that should be embedded but aren't regular files.
    pub not_embedded: Vec<PathBuf>,
    /// Media that are missing; their stored paths and digests are kept.
    pub missing: Vec<PathBuf>,
}

pub(crate) fn save(
    project: &Project,
    path: &Path,
    embed: Embed,
    index: &MediaIndex,
    unpacked: Option<&Path>,
) -> Result<Saved, EngineError> {
    let absolute = paths::absolute(path);
    let mut media = Media {
        // A copy for this machine only has absolute paths, so it can be anywhere.
        folder: absolute.parent().filter(|_| embed != Embed::Nothing),
        path,
        embed,
        index,
        unpacked,
        table: BTreeMap::new(),
        embedded: BTreeMap::new(),
        names: BTreeSet::new(),
        saved: Saved::default(),
    };
    let mut stored = Stored::of(project);
    for source in stored.sources() {
        if let MediaSource::File(file) = source {
            *source = MediaSource::File(media.put(file)?.into());
        }
    }
    let Media {
        table,
        embedded,
        mut saved,
        ..
    } = media;
    stored.media = table;
    let bytes = embedded.values().map(|medium| medium.content.bytes).sum();
    if bytes > embedded::MAX_EMBEDDED {
        let path = path.to_owned();
        return Err(ProjectError::TooMuchToEmbed { path, bytes }.into());
    }

    let json = json(&stored, path)?;
    let mut failed = None;
    let written = AtomicFile::write(path, |to| {
        let mut zip = ZipWriter::new_stream(to);
        zip.start_file(PROJECT_JSON, packed_as(CompressionMethod::Deflated))?;
        zip.write_all(json.as_bytes())?;
        for medium in embedded.values() {
            // Pictures and clips are already compressed.
            zip.start_file(&medium.entry, packed_as(CompressionMethod::Stored))?;
            match medium.copy_to(&mut zip, path) {
                Ok(()) => {}
                Err(embedded::CopyError::Write(error)) => return Err(error),
                Err(embedded::CopyError::Medium(error)) => {
                    failed = Some(error);
                    return Err(io::ErrorKind::InvalidData.into());
                }
            }
        }
        zip.finish()?;
        Ok(())
    });
    if let Some(error) = failed {
        return Err(error);
    }
    written?;
    saved.bytes = path.metadata().map_or(0, |about| about.len());
    saved.embedded = embedded.len();
    Ok(saved)
}

/// Options of an entry. The fixed date, the earliest of a ZIP archive, makes saving reproducible.
fn packed_as(method: CompressionMethod) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(method)
        .last_modified_time(DateTime::default())
}

/// Serialises the JSON and parses it again as a check.
fn json(stored: &Stored, path: &Path) -> Result<String, ProjectError> {
    let unreadable = |reason: String| ProjectError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let json = serde_json::to_string_pretty(stored).map_err(|e| unreadable(e.to_string()))?;
    if json.len() as u64 > MAX_JSON {
        return Err(unreadable(format!("it is longer than {MAX_JSON} bytes")));
    }
    serde_json::from_str::<Stored>(&json)
        .map_err(|e| unreadable(e.to_string()))?
        .project(path)
        .map_err(|e| unreadable(e.to_string()))?;
    Ok(json)
}

/// Collects the media of the project being saved.
struct Media<'a> {
    /// Base of relative paths; `None` to write absolute paths only.
    folder: Option<&'a Path>,
    path: &'a Path,
    embed: Embed,
    index: &'a MediaIndex,
    unpacked: Option<&'a Path>,
    table: BTreeMap<String, StoredMedium>,
    /// By digest.
    embedded: BTreeMap<String, SourceMedia>,
    /// Names of the archive's entries, in lower case because some file systems ignore case.
    names: BTreeSet<String>,
    saved: Saved,
}

impl Media<'_> {
    /// Adds a file to the table and returns its key.
    fn put(&mut self, file: &Path) -> Result<String, ProjectError> {
        let file = paths::absolute(file);
        let was_embedded = self
            .unpacked
            .is_some_and(|folder| file.starts_with(paths::absolute(folder)));
        let here = self.index.content(&file);
        if here.is_none() && !paths::is_there(&file) {
            if was_embedded && self.embed != Embed::Nothing {
                return Err(ProjectError::EmbeddedIsGone {
                    path: self.path.to_owned(),
                    medium: file,
                });
            }
            self.saved.missing.push(file.clone());
        }
        let embed = match self.embed {
            Embed::Nothing => false,
            Embed::Unchanged => was_embedded,
            Embed::All => true,
        };
        if embed {
            match &here {
                Some(content) => return Ok(self.embed(file, content.clone())),
                None => self.saved.not_embedded.push(file.clone()),
            }
        }

        let near = self
            .folder
            .and_then(|folder| paths::relative(folder, &file));
        let is_below = self.folder.is_some_and(|folder| file.starts_with(folder));
        let content = here.or_else(|| self.index.of_missing(&file));
        let entry = StoredMedium {
            sha256: content.as_ref().map(|content| content.sha256.clone()),
            bytes: content.map(|content| content.bytes),
            absolute: (near.is_some() && !is_below && file.to_str().is_some())
                .then(|| file.clone()),
            raw: paths::raw(&file).map(|bytes| BASE64_STANDARD.encode(bytes)),
            embedded: false,
        };
        let key = match near {
            // Distinguishes it from the entries of embedded media.
            Some(near) if near.starts_with(MEDIA) => format!("./{near}"),
            Some(near) => near,
            None => file.to_string_lossy().into_owned(),
        };
        self.table.insert(key.clone(), entry);
        Ok(key)
    }

    fn embed(&mut self, file: PathBuf, content: Content) -> String {
        if let Some(medium) = self.embedded.get(&content.sha256) {
            return medium.entry.clone();
        }
        let key = embedded::entry_name(&file, &mut self.names);
        let entry = StoredMedium {
            sha256: Some(content.sha256.clone()),
            bytes: Some(content.bytes),
            embedded: true,
            ..StoredMedium::default()
        };
        self.table.insert(key.clone(), entry);
        let medium = SourceMedia {
            entry: key.clone(),
            content,
            file,
        };
        self.embedded.insert(medium.content.sha256.clone(), medium);
        key
    }
}
