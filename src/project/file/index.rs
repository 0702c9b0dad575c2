//! What is known of the content of a project's media files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::project::FileStamp;
use crate::weights::digest;

/// A file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    /// Lower-case hexadecimal.
    pub sha256: String,
    pub bytes: u64,
}

#[derive(Debug)]
struct Known {
    content: Content,
    /// The file when it had this content; `None` for one that only the project knows of.
    stamp: Option<FileStamp>,
}

/// Digests of a project's media, by path. It belongs to one opened project; clones share what they know.
///
/// A file is hashed once for as long as its length and time stay the same. What a project says of a file that is missing is
/// kept here, so that saving the project says it again.
#[derive(Debug, Clone, Default)]
pub struct MediaIndex(Arc<Mutex<BTreeMap<PathBuf, Known>>>);

impl MediaIndex {
    fn known(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The content of an ordinary file; `None` for anything else, and for a file that can't be read. Reads the file unless
    /// its content is known.
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
        // A file that changed while it was read is read again next time.
        if FileStamp::of(path)? == stamp {
            let known = Known {
                content: content.clone(),
                stamp: Some(stamp),
            };
            self.known().insert(path.to_owned(), known);
        }
        Some(content)
    }

    /// Whether a file has this content. One of another length isn't read.
    pub(crate) fn has(&self, path: &Path, content: &Content) -> bool {
        FileStamp::of(path).is_some_and(|stamp| stamp.bytes == content.bytes)
            && self.content(path).is_some_and(|found| found == *content)
    }

    /// What is known of a file that is missing.
    pub(crate) fn of_missing(&self, path: &Path) -> Option<Content> {
        self.known().get(path).map(|known| known.content.clone())
    }

    /// Keeps what a project says of a file that is missing.
    pub(crate) fn add_missing(&self, path: &Path, content: &Content) {
        let known = Known {
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
    fn a_changed_file_is_read_again_and_a_missing_one_is_still_known() {
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
        // Another project knows nothing of it.
        assert_eq!(MediaIndex::default().of_missing(&path), None);
    }
}
