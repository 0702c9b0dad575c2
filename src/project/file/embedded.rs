//! Embedded media: entries of the project's archive, unpacked into folders of the data folder named by their digest.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::EngineError;
use crate::media::atomic_file::AtomicFile;
use crate::media::error::MediaError;
use crate::project::file::archive::MEDIA;
use crate::project::file::container::Container;
use crate::project::file::error::{Inconsistency, ProjectError};
use crate::project::file::index::{Content, MediaIndex};
use crate::project::file::stored::StoredMedium;
use crate::regular_file;

/// The maximum size of all media embedded in a project, in bytes.
pub(crate) const MAX_EMBEDDED: u64 = 1 << 30;

/// The maximum size of media unpacked from a project, in bytes; version 1 counted the same content once per name.
pub(crate) const MAX_UNPACKED: u64 = 2 * MAX_EMBEDDED;

/// A file to be embedded.
pub(crate) struct SourceMedia {
    pub entry: String,
    pub content: Content,
    pub file: PathBuf,
}

/// The side of a copy that failed.
pub(crate) enum CopyError {
    Write(io::Error),
    Medium(EngineError),
}

impl SourceMedia {
    /// Copies the file into the project at `project`, if its content hasn't changed.
    pub fn copy_to(&self, to: &mut dyn Write, project: &Path) -> Result<(), CopyError> {
        let unread = |e| CopyError::Medium(MediaError::reading(&self.file, e).into());
        let (mut file, _) = regular_file::open(&self.file, MAX_EMBEDDED).map_err(unread)?;
        let copied = copy(&mut file, to).map_err(|(side, error)| match side {
            Side::From => unread(error),
            Side::To => CopyError::Write(error),
        })?;
        if copied == self.content {
            return Ok(());
        }
        let (path, medium) = (project.to_owned(), self.file.clone());
        Err(CopyError::Medium(
            ProjectError::ChangedWhileSaving { path, medium }.into(),
        ))
    }
}

/// A unique entry name for a file.
pub(crate) fn entry_name(file: &Path, taken: &mut BTreeSet<String>) -> String {
    let name = safe(&file.file_name().unwrap_or_default().to_string_lossy());
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
        _ => (name.as_str(), String::new()),
    };
    let mut entry = format!("{MEDIA}{name}");
    let mut number = 2;
    while !taken.insert(entry.to_lowercase()) {
        entry = format!("{MEDIA}{stem}-{number}{extension}");
        number += 1;
    }
    entry
}

/// A medium embedded in a project.
pub(crate) struct EmbeddedMedia<'a> {
    project: &'a Path,
    key: &'a str,
    content: Content,
}

impl<'a> EmbeddedMedia<'a> {
    /// # Errors
    /// [`ProjectError::Inconsistent`] if the table has no valid digest for it.
    pub fn new(
        project: &'a Path,
        key: &'a str,
        entry: &StoredMedium,
    ) -> Result<Self, ProjectError> {
        let content = Content {
            sha256: entry.sha256.clone().unwrap_or_default(),
            bytes: entry.bytes.unwrap_or_default(),
        };
        let medium = Self {
            project,
            key,
            content,
        };
        let digest = medium.content.sha256.as_bytes();
        if digest.len() != 64 || !digest.iter().all(|byte| is_hexadecimal(*byte)) {
            return Err(medium.fault(Inconsistency::NoDigest));
        }
        Ok(medium)
    }

    fn fault(&self, fault: impl Fn(String) -> Inconsistency) -> ProjectError {
        ProjectError::Inconsistent {
            path: self.project.to_owned(),
            what: fault(self.key.to_owned()),
        }
    }

    /// Unpacks the medium into a folder and returns its path. Skips a file that is already there with this content.
    ///
    /// # Errors
    /// [`ProjectError::Inconsistent`] if the content doesn't match the digest, [`EngineError::Media`] if the file can't
    /// be written.
    pub fn unpack(
        &self,
        container: &mut dyn Container,
        folder: &Path,
        index: &MediaIndex,
    ) -> Result<PathBuf, EngineError> {
        let content_folder = folder.join(&self.content.sha256);
        let path = content_folder.join(safe(self.key));
        if index.has(&path, &self.content) {
            return Ok(path);
        }
        let mut write = |from: &mut dyn Read| self.write(from, &content_folder, &path);
        match container.medium(self.key, &self.content, &mut write) {
            Ok(true) => Ok(path),
            Ok(false) => Err(self.fault(Inconsistency::NoContent).into()),
            Err(error) => {
                // Fails, and leaves the folder, if it isn't empty.
                let _ = std::fs::remove_dir(&content_folder);
                Err(error)
            }
        }
    }

    fn write(&self, from: &mut dyn Read, folder: &Path, path: &Path) -> Result<(), EngineError> {
        std::fs::create_dir_all(folder).map_err(|e| MediaError::writing(folder, e))?;
        let mut failed = None;
        // One byte more than expected is enough to detect a wrong length.
        let mut from = from.take(self.content.bytes.saturating_add(1));
        let written = AtomicFile::write(path, |to| {
            let fault = match copy(&mut from, to) {
                Ok(copied) if copied == self.content => return Ok(()),
                Ok(_) => self.fault(Inconsistency::WrongDigest),
                Err((Side::From, _)) => self.fault(Inconsistency::NoContent),
                Err((Side::To, error)) => return Err(error),
            };
            failed = Some(fault);
            Err(io::ErrorKind::InvalidData.into())
        });
        match failed {
            Some(fault) => Err(fault.into()),
            None => Ok(written?),
        }
    }
}

enum Side {
    From,
    To,
}

/// Copies in chunks until the end; returns the digest and length of what was copied.
fn copy(from: &mut dyn Read, to: &mut dyn Write) -> Result<Content, (Side, io::Error)> {
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    let mut piece = vec![0; 1 << 18];
    loop {
        let count = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err((Side::From, error)),
        };
        hasher.update(&piece[..count]);
        bytes += count as u64;
        to.write_all(&piece[..count])
            .map_err(|error| (Side::To, error))?;
    }
    let sha256 = hexadecimal(&hasher.finalize());
    Ok(Content { sha256, bytes })
}

/// Sanitises a file name so that it can't lead outside its folder.
fn safe(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut sanitised = String::new();
    for c in last
        .chars()
        .filter(|c| !c.is_control() && !"<>:\"|?*".contains(*c))
    {
        if sanitised.len() + c.len_utf8() > 120 {
            break;
        }
        sanitised.push(c);
    }
    match sanitised.trim().trim_matches('.') {
        "" => "medium".to_owned(),
        sanitised => sanitised.to_owned(),
    }
}

fn is_hexadecimal(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacked_file_names_stay_in_their_folder() {
        for (given, kept) in [
            ("clip.mp4", "clip.mp4"),
            ("../../etc/passwd", "passwd"),
            ("..", "medium"),
            ("a\\b\\c.png", "c.png"),
            ("new\nline.png", "newline.png"),
            ("", "medium"),
        ] {
            assert_eq!(safe(given), kept);
        }
        // Long names are truncated, including their extension.
        assert!(safe(&"é".repeat(300)).len() <= 120);
    }

    #[test]
    fn every_embedded_entry_has_a_unique_name() {
        let mut taken = BTreeSet::new();
        let mut name = |path: &str| entry_name(Path::new(path), &mut taken);
        assert_eq!(name("/a/talk.mp4"), "media/talk.mp4");
        assert_eq!(name("/b/Talk.mp4"), "media/Talk-2.mp4");
        assert_eq!(name("/c/talk-2.mp4"), "media/talk-2-2.mp4");
        assert_eq!(name("/a/shots"), "media/shots");
        assert_eq!(name("/b/shots"), "media/shots-2");
    }

    /// A container with one medium.
    struct One(Option<&'static str>);

    impl Container for One {
        fn json(&mut self) -> Result<Box<dyn Read + '_>, EngineError> {
            Ok(Box::new(io::empty()))
        }

        fn medium(
            &mut self,
            _: &str,
            _: &Content,
            take: &mut dyn FnMut(&mut dyn Read) -> Result<(), EngineError>,
        ) -> Result<bool, EngineError> {
            match self.0 {
                Some(text) => take(&mut text.as_bytes()).map(|()| true),
                None => Ok(false),
            }
        }
    }

    #[test]
    fn only_media_that_match_their_digest_are_unpacked() {
        let folder = tempfile::tempdir().unwrap();
        let project = Path::new("a.mien");
        let mut entry = StoredMedium {
            sha256: Some(hexadecimal(&Sha256::digest(b"abc"))),
            bytes: Some(3),
            embedded: true,
            ..StoredMedium::default()
        };
        let index = MediaIndex::default();
        let unpack = |entry: &StoredMedium, text| {
            let medium = EmbeddedMedia::new(project, "media/a.png", entry)?;
            medium.unpack(&mut One(text), folder.path(), &index)
        };
        for text in [None, Some("abd"), Some(""), Some("ab"), Some("abcd")] {
            let error = unpack(&entry, text).unwrap_err().to_string();
            assert!(error.contains("a.mien is damaged"), "{error}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let path = unpack(&entry, Some("abc")).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"abc");
        // It is already unpacked.
        assert_eq!(unpack(&entry, None).unwrap(), path);
        entry.sha256 = Some("../outside".to_owned());
        assert!(unpack(&entry, Some("abc")).is_err());
    }
}
