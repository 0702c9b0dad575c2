//! What is in a medium's file: its digest, computed once for as long as the file stays as it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::weights::digest;

/// A file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    /// Lower-case hexadecimal.
    pub sha256: String,
    pub bytes: u64,
}

struct Known {
    content: Content,
    /// When the file had this content; nothing for one that only a project tells of.
    modified: Option<SystemTime>,
}

static KNOWN: Mutex<BTreeMap<PathBuf, Known>> = Mutex::new(BTreeMap::new());

/// The content of an ordinary file; nothing for all else, and for one that can't be read. Reads the file, unless it did
/// before and the file has the same length and time still.
pub(crate) fn of_file(path: &Path) -> Option<Content> {
    let (bytes, modified) = stamp(path)?;
    {
        let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(path)
            && known.modified == Some(modified)
            && known.content.bytes == bytes
        {
            return Some(known.content.clone());
        }
    }
    let sha256 = digest(path).ok()?;
    let content = Content { sha256, bytes };
    // A file that changed while it was read is read again next time.
    if stamp(path)? == (bytes, modified) {
        let known = Known {
            content: content.clone(),
            modified: Some(modified),
        };
        let mut all = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(path.to_owned(), known);
    }
    Some(content)
}

/// Whether a file has this content. One of another length isn't read.
pub(crate) fn has(path: &Path, content: &Content) -> bool {
    stamp(path).is_some_and(|(bytes, _)| bytes == content.bytes)
        && of_file(path).is_some_and(|found| found == *content)
}

fn stamp(path: &Path) -> Option<(u64, SystemTime)> {
    let about = std::fs::metadata(path).ok().filter(|m| m.is_file())?;
    let modified = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    Some((about.len(), modified))
}

/// What is known of a file that isn't there any more.
pub(crate) fn remembered(path: &Path) -> Option<Content> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.get(path).map(|known| known.content.clone())
}

/// Keeps what a project tells of a file that isn't there, so that the next saving tells it too.
pub(crate) fn remember(path: &Path, content: &Content) {
    let mut all = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = Known {
        content: content.clone(),
        modified: None,
    };
    all.insert(path.to_owned(), known);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changes_is_read_anew_and_one_that_is_gone_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mp4");
        std::fs::write(&path, "abc").unwrap();
        let first = of_file(&path).unwrap();
        assert_eq!(first.bytes, 3);
        assert!(first.sha256.starts_with("ba7816bf"));
        std::fs::write(&path, "abcd").unwrap();
        let second = of_file(&path).unwrap();
        assert_ne!(first, second);
        assert!(has(&path, &second) && !has(&path, &first));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(of_file(&path), None);
        assert_eq!(remembered(&path), Some(second));
        assert_eq!(of_file(folder.path()), None);
    }
}
