//! Cleans up after processes that were killed while writing: their hidden files and folders are removed by the next one.
//!
//! A lock distinguishes leftovers from files that another process is still writing.

use std::fs::{self, DirEntry, File};
use std::path::Path;

use crate::media::journal::Journal;

/// Start and end of the hidden names of unfinished files.
pub(super) const PREFIX: &str = ".mien-";
pub(super) const SUFFIX: &str = ".part";
/// End of the names of folders with several unfinished files.
pub(super) const FOLDER_SUFFIX: &str = ".parts";

/// The file in a hidden folder on which its process holds a lock.
pub(super) const LOCK: &str = "lock";

/// Removes what killed processes left in a folder, and rolls back unfinished renames. What can't be removed stays and
/// only takes space.
pub(crate) fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) {
            continue;
        }
        let is =
            |wanted: fn(&fs::FileType) -> bool| entry.file_type().is_ok_and(|kind| wanted(&kind));
        if name.ends_with(SUFFIX) && is(fs::FileType::is_file) {
            sweep_file(&entry);
        } else if name.ends_with(FOLDER_SUFFIX) && is(fs::FileType::is_dir) {
            sweep_folder(&entry.path(), folder);
        }
    }
}

fn sweep_file(entry: &DirEntry) {
    let path = entry.path();
    // The lock is held until the file is deleted, so that a process that has just created it sees the conflict.
    if let Ok(file) = File::open(&path)
        && file.try_lock().is_ok()
    {
        let _ = fs::remove_file(&path);
    }
}

fn sweep_folder(hidden: &Path, folder: &Path) {
    let Ok(lock) = File::open(hidden.join(LOCK)) else {
        // Its process was killed before locking, or is about to lock: it then fails and makes another folder.
        let _ = fs::remove_dir(hidden);
        return;
    };
    if lock.try_lock().is_err() {
        return;
    }
    if let Some(journal) = Journal::read(hidden)
        && journal.undo(hidden, folder).is_err()
    {
        // The folder has the only copies of what was replaced.
        return;
    }
    sync_folder(folder);
    let _ = Journal::remove(hidden);
    let _ = fs::remove_dir_all(hidden);
}

/// Syncs a folder, so that new names in it survive a power loss, on systems that support it.
pub(super) fn sync_folder(folder: &Path) {
    if cfg!(unix)
        && let Ok(folder) = File::open(folder)
    {
        let _ = folder.sync_all();
    }
}
