//! What processes leave that are killed while they write: hidden files and folders, found by whoever writes there next.
//!
//! A lock tells what is left over from what another process is still writing.

use std::fs::{self, DirEntry, File};
use std::path::Path;

use crate::media::journal::Journal;

/// What the hidden names of unfinished files begin and end with.
pub(super) const PREFIX: &str = ".mien-";
pub(super) const SUFFIX: &str = ".part";
/// What those of folders with several unfinished files end in.
pub(super) const FOLDER_SUFFIX: &str = ".parts";

/// The file in a hidden folder that its process holds a lock on.
pub(super) const LOCK: &str = "lock";

/// Removes what killed processes have left in a folder, and undoes what they had half done. What can't be removed stays: it only
/// takes room.
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
    // The lock is held until the name is gone: whoever has just made the file then sees that it is taken.
    if let Ok(file) = File::open(&path)
        && file.try_lock().is_ok()
    {
        let _ = fs::remove_file(&path);
    }
}

fn sweep_folder(hidden: &Path, folder: &Path) {
    let Ok(lock) = File::open(hidden.join(LOCK)) else {
        // Its process was killed before it had a lock, or is about to make one, and then makes another folder.
        let _ = fs::remove_dir(hidden);
        return;
    };
    if lock.try_lock().is_err() {
        return;
    }
    if let Some(journal) = Journal::read(hidden)
        && journal.undo(hidden, folder).is_err()
    {
        // It holds the only copies of what was replaced.
        return;
    }
    sync_folder(folder);
    let _ = Journal::remove(hidden);
    let _ = fs::remove_dir_all(hidden);
}

/// Makes new names in a folder survive a loss of power, where the system can.
pub(super) fn sync_folder(folder: &Path) {
    if cfg!(unix)
        && let Ok(folder) = File::open(folder)
    {
        let _ = folder.sync_all();
    }
}
