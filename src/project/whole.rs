//! Files of ours that are whole or as they were before: written under a hidden name, synced, then renamed.
//!
//! A process that is killed leaves its hidden file. The next one that writes the same file takes it away; a lock on the
//! hidden file tells what is left over from what another process is still writing.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::media::atomic_file as beside;
use crate::media::atomic_file::PREFIX;
use crate::media::error::MediaError;

/// Writes a file: `write` gives its content. Whatever stood under the name before still does until all of the new
/// content is on the disk.
///
/// # Errors
/// [`MediaError`], such as a folder that isn't there, a full disk, or what `write` says.
pub(crate) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), MediaError> {
    let fail = |e: io::Error| MediaError::writing(path, e);
    let target = beside::target(path)?;
    let folder = beside::folder(&target);
    let prefix = prefix(&target);
    clear(folder, &prefix);

    let hidden = hidden(folder, &prefix).map_err(fail)?;
    if let Ok(existing) = fs::metadata(&target) {
        // Where the system refuses, the ordinary mode is good enough.
        let _ = hidden.as_file().set_permissions(existing.permissions());
    }
    let mut writer = BufWriter::with_capacity(1 << 16, hidden);
    write(&mut writer).map_err(fail)?;
    let hidden = writer.into_inner().map_err(|e| fail(e.into_error()))?;
    hidden.as_file().sync_all().map_err(fail)?;
    hidden.persist(&target).map_err(|e| fail(e.error))?;
    sync_folder(folder);
    Ok(())
}

/// What the hidden names for this file begin with: the file's own, so that nobody takes away another's.
fn prefix(target: &Path) -> String {
    let name = target.file_name().unwrap_or_default();
    format!("{PREFIX}{:08x}-", crc32fast::hash(name.as_encoded_bytes()))
}

/// A new hidden file, locked for as long as it is open.
fn hidden(folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(".part");
    beside::ordinary_mode(&mut builder);
    let mut file = builder.tempfile_in(folder)?;
    // Somebody who clears up may have taken it away between its making and its lock.
    for _ in 0..8 {
        let is_taken = matches!(file.as_file().try_lock(), Err(TryLockError::WouldBlock));
        if !is_taken && file.path().exists() {
            break;
        }
        file = builder.tempfile_in(folder)?;
    }
    Ok(file)
}

/// Takes away what a killed process has left. What can't be taken away stays: it only takes room.
fn clear(folder: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !(name.starts_with(prefix) && name.ends_with(".part")) {
            continue;
        }
        let path = entry.path();
        if File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Makes the new name itself survive a loss of power, where the system can.
fn sync_folder(folder: &Path) {
    if cfg!(unix)
        && let Ok(folder) = File::open(folder)
    {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_left_over_goes_and_what_is_being_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mien");
        let prefix = prefix(&path);
        let left = folder.path().join(format!("{prefix}dead.part"));
        fs::write(&left, "half").unwrap();
        let other = folder.path().join(".mien-00000000-other.part");
        fs::write(&other, "another file's").unwrap();
        let busy = hidden(folder.path(), &prefix).unwrap();
        write_whole(&path, |to| to.write_all(b"whole")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert!(!left.exists());
        assert!(other.exists() && busy.path().exists());
        drop(busy);
        assert_eq!(names(folder.path()).len(), 2);
    }

    #[test]
    fn a_failure_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mien");
        fs::write(&path, "old").unwrap();
        let error = write_whole(&path, |to| {
            to.write_all(b"ne")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(matches!(error, Err(MediaError::DiskFull { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a.mien"]);
    }
}
