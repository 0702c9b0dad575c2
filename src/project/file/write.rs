//! Saving: the readable part, then the media that the project holds.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::document::{MediaSource, Project};
use crate::error::EngineError;
use crate::media::atomic_file::AtomicFile;
use crate::project::file::digest;
use crate::project::file::digest::Content;
use crate::project::file::error::ProjectError;
use crate::project::file::pretty::pretty;
use crate::project::file::stored::{Stored, StoredMedium};
use crate::project::file::{Embed, Saved, held, paths};

pub(crate) fn save(
    project: &Project,
    path: &Path,
    embed: Embed,
    unpacked: Option<&Path>,
) -> Result<Saved, EngineError> {
    let whole = paths::absolute(path);
    let mut media = Media {
        // A copy for this machine alone says where things are, whatever becomes of it.
        folder: whole.parent().filter(|_| embed != Embed::Nothing),
        path,
        embed,
        unpacked,
        table: BTreeMap::new(),
        held: BTreeMap::new(),
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
        held,
        mut saved,
        ..
    } = media;
    stored.media = table;
    let bytes = held.values().map(|(_, content)| content.bytes).sum();
    if bytes > held::MOST {
        let path = path.to_owned();
        return Err(ProjectError::TooMuchToHold { path, bytes }.into());
    }

    let text = text(&stored, path)?;
    let mut counted = 0;
    AtomicFile::write(path, |to| {
        let mut to = Counted {
            to,
            bytes: &mut counted,
        };
        match text.strip_suffix("\n}\n") {
            Some(open) if !held.is_empty() => {
                to.write_all(open.as_bytes())?;
                held::write(&held, &mut to)?;
                to.write_all(b"\n}\n")
            }
            _ => to.write_all(text.as_bytes()),
        }
    })?;
    saved.bytes = counted;
    saved.embedded = held.len();
    Ok(saved)
}

/// The readable part, read again to be sure of it.
fn text(stored: &Stored, path: &Path) -> Result<String, ProjectError> {
    let unreadable = |reason: String| ProjectError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let json = serde_json::to_string(stored).map_err(|e| unreadable(e.to_string()))?;
    let text = pretty(&json);
    serde_json::from_str::<Stored>(&text)
        .map_err(|e| unreadable(e.to_string()))?
        .project(path)
        .map_err(|e| unreadable(e.to_string()))?;
    Ok(text)
}

/// What is gathered of the media.
struct Media<'a> {
    /// Where paths begin; nothing where they are to be whole.
    folder: Option<&'a Path>,
    path: &'a Path,
    embed: Embed,
    unpacked: Option<&'a Path>,
    table: BTreeMap<String, StoredMedium>,
    /// By digest.
    held: BTreeMap<String, (PathBuf, Content)>,
    saved: Saved,
}

impl Media<'_> {
    /// Puts a file on the table; returns the key that stands for it.
    fn put(&mut self, file: &Path) -> Result<String, ProjectError> {
        let file = paths::absolute(file);
        let was_held = self
            .unpacked
            .is_some_and(|folder| file.starts_with(paths::absolute(folder)));
        let here = digest::of_file(&file);
        if here.is_none() && !paths::is_there(&file) {
            if was_held && self.embed != Embed::Nothing {
                return Err(ProjectError::HeldIsGone {
                    path: self.path.to_owned(),
                    medium: file,
                });
            }
            self.saved.missing.push(file.clone());
        }
        let hold = match self.embed {
            Embed::Nothing => false,
            Embed::Kept => was_held,
            Embed::All => true,
        };
        if hold {
            match &here {
                Some(content) => return Ok(self.hold(file, content.clone())),
                None => self.saved.not_embedded.push(file.clone()),
            }
        }

        let near = self
            .folder
            .and_then(|folder| paths::relative(folder, &file));
        let is_below = self.folder.is_some_and(|folder| file.starts_with(folder));
        let content = here.or_else(|| digest::remembered(&file));
        let entry = StoredMedium {
            sha256: content.as_ref().map(|content| content.sha256.clone()),
            bytes: content.map(|content| content.bytes),
            absolute: (near.is_some() && !is_below && file.to_str().is_some())
                .then(|| file.clone()),
            raw: paths::raw(&file).map(|bytes| BASE64_STANDARD.encode(bytes)),
            embedded: false,
        };
        let key = near.unwrap_or_else(|| file.to_string_lossy().into_owned());
        self.table.insert(key.clone(), entry);
        Ok(key)
    }

    fn hold(&mut self, file: PathBuf, content: Content) -> String {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let key = format!("embedded/{}/{name}", content.sha256);
        let entry = StoredMedium {
            sha256: Some(content.sha256.clone()),
            bytes: Some(content.bytes),
            embedded: true,
            ..StoredMedium::default()
        };
        self.table.insert(key.clone(), entry);
        self.held.insert(content.sha256.clone(), (file, content));
        key
    }
}

struct Counted<'a> {
    to: &'a mut dyn Write,
    bytes: &'a mut u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        *self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
