//! Cached digests of a project's media files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::project::FileStamp;
use crate::weights::digest;

/// Digest and length of a file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    /// Lower-case hexadecimal.
    pub sha256: String,
    pub bytes: u64,
}

#[derive(Debug)]
struct IndexEntry {
    content: Content,
    /// The file's stamp when it had this content; `None` if the content is known only from the project.
    stamp: Option<FileStamp>,
}

/// Digests of a project's media, by path. Belongs to one opened project; clones share the cache.
///
/// A file is hashed again only if its length or modification time changes. The digest that a project has stored for a
/// missing file is kept, so that saving the project writes it again.
#[derive(Debug, Clone, Default)]
pub struct MediaIndex(Arc<Mutex<BTreeMap<PathBuf, IndexEntry>>>);

impl MediaIndex {
    fn known(&self) -> MutexGuard<'_, BTreeMap<PathBuf, IndexEntry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The content of a regular file; `None` for anything else, and for a file that can't be read. Reads the file
    /// unless its content is cached.
    pub(crate) fn content(&self, path: &Path) -> Option<Content> {
        let stamp = FileStamp::of(path)?;
        if let Some(known) = self.known().get(path)
            && known.stamp == Some(stamp)
        {
            return Some(known.content.clone());
        }
        let sha256 = digest(path).ok()?;
        let bytes = stamp.bytes;
        let content = Content { sha256, bytes };
        // A file that changed while it was read isn't cached.
        if FileStamp::of(path)? == stamp {
            let known = IndexEntry {
                content: content.clone(),
                stamp: Some(stamp),
            };
            self.known().insert(path.to_owned(), known);
        }
        Some(content)
    }

    /// Whether a file has this content. A file of another length isn't read.
    pub(crate) fn has(&self, path: &Path, content: &Content) -> bool {
        FileStamp::of(path).is_some_and(|stamp| stamp.bytes == content.bytes)
            && self.content(path).is_some_and(|found| found == *content)
    }

    /// The content known of a missing file.
    pub(crate) fn of_missing(&self, path: &Path) -> Option<Content> {
        self.known().get(path).map(|known| known.content.clone())
    }

    /// Records the content that a project has stored for a missing file.
    pub(crate) fn add_missing(&self, path: &Path, content: &Content) {
        let known = IndexEntry {
            content: content.clone(),
            stamp: None,
        };
        self.known().insert(path.to_owned(), known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_hashed_again_and_a_missing_one_keeps_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mp4");
        let index = MediaIndex::default();
        std::fs::write(&path, "abc").unwrap();
        let first = index.content(&path).unwrap();
        assert_eq!(first.bytes, 3);
        assert!(first.sha256.starts_with("ba7816bf"));
        std::fs::write(&path, "abcd").unwrap();
        let second = index.content(&path).unwrap();
        assert_ne!(first, second);
        assert!(index.has(&path, &second) && !index.has(&path, &first));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(index.content(&path), None);
        assert_eq!(index.of_missing(&path), Some(second));
        assert_eq!(index.content(folder.path()), None);
        // Another project's index doesn't share it.
        assert_eq!(MediaIndex::default().of_missing(&path), None);
    }
}
