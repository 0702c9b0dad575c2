//! Writes several files atomically: after a crash either all of them have their names or none.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::media::atomic_file;
use crate::media::error::MediaError;
use crate::media::journal::{Journal, new_file, old_file};
use crate::media::leftovers::{FOLDER_SUFFIX, LOCK, PREFIX, sweep, sync_folder};

/// Files in a hidden folder that are renamed together.
///
/// Dropped before [`FileSet::commit`], they are deleted. A process that is killed while renaming leaves a journal; the
/// next one that writes into the folder restores what was replaced.
#[derive(Debug)]
pub(crate) struct FileSet {
    folder: PathBuf,
    /// Held open for its lock; closed before the folder is removed.
    _lock: File,
    hidden: TempDir,
}

impl FileSet {
    /// Begins a set of files in a folder. Rolls back and removes what killed processes left there.
    ///
    /// # Errors
    /// I/O errors.
    pub fn new(folder: &Path) -> io::Result<Self> {
        sweep(folder);
        let mut last = io::Error::from(io::ErrorKind::ResourceBusy);
        // Another process may remove the folder before it is locked.
        for _ in 0..8 {
            let mut builder = tempfile::Builder::new();
            builder.prefix(PREFIX).suffix(FOLDER_SUFFIX);
            let hidden = builder.tempdir_in(folder)?;
            match lock(hidden.path()) {
                Ok(lock) => {
                    return Ok(Self {
                        folder: folder.to_owned(),
                        _lock: lock,
                        hidden,
                    });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Creates file `index`, replacing an earlier one with that index.
    ///
    /// # Errors
    /// I/O errors.
    pub fn create(&self, index: usize) -> io::Result<File> {
        File::create(new_file(self.hidden.path(), index))
    }

    /// Renames the files, in the order of their indices, to these names, and returns when that is on disk. All names
    /// must be in the folder of the set.
    ///
    /// # Errors
    /// Write errors; existing files are then unchanged.
    pub fn commit(self, names: &[PathBuf]) -> Result<(), MediaError> {
        let hidden = self.hidden.path();
        let mut journal = Journal::default();
        let mut targets = Vec::with_capacity(names.len());
        for (index, path) in names.iter().enumerate() {
            let fail = |e| MediaError::writing(path, e);
            let target = atomic_file::target(path)?;
            File::open(new_file(hidden, index))
                .and_then(|file| file.sync_all())
                .map_err(fail)?;
            let replaces = target.exists();
            if replaces {
                back_up(&target, &old_file(hidden, index)).map_err(fail)?;
            }
            // A link to another folder is followed, but its file is not in the journal: a journal from an untrusted
            // source could name any path.
            if let Some(name) = target.file_name().and_then(|name| name.to_str())
                && atomic_file::folder(&target) == self.folder
            {
                journal.add(hidden, index, name, replaces).map_err(fail)?;
            }
            targets.push(target);
        }
        let fail = |e| MediaError::writing(&self.folder, e);
        journal.write(hidden).map_err(fail)?;
        sync_folder(hidden);
        sync_folder(&self.folder);

        for (index, (path, target)) in names.iter().zip(&targets).enumerate() {
            if let Err(error) = fs::rename(new_file(hidden, index), target) {
                // The first error is the one to report.
                let _ = journal.undo(hidden, &self.folder);
                let _ = Journal::remove(hidden);
                return Err(MediaError::writing(path, error));
            }
        }
        sync_folder(&self.folder);
        Journal::remove(hidden).map_err(fail)
    }
}

fn lock(hidden: &Path) -> io::Result<File> {
    let path = hidden.join(LOCK);
    let lock = File::create(&path)?;
    let is_taken = matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
    if is_taken || !path.exists() {
        return Err(io::ErrorKind::ResourceBusy.into());
    }
    Ok(lock)
}

/// Keeps the old file under a second name: a hard link, or a copy on file systems without links.
fn back_up(target: &Path, old: &Path) -> io::Result<()> {
    fs::hard_link(target, old).or_else(|_| {
        fs::copy(target, old)?;
        File::open(old)?.sync_all()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn names(folder: &Path, count: usize) -> Vec<PathBuf> {
        (0..count)
            .map(|i| folder.join(format!("f_{i}.png")))
            .collect()
    }

    fn set(folder: &Path, count: usize) -> FileSet {
        let set = FileSet::new(folder).unwrap();
        for index in 0..count {
            write!(set.create(index).unwrap(), "new {index}").unwrap();
        }
        set
    }

    fn read(folder: &Path) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                (name, fs::read_to_string(path).unwrap_or_default())
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn a_file_set_is_committed_entirely_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let names = names(folder, 3);
        fs::write(&names[1], "old 1").unwrap();
        set(folder, 3).commit(&names).unwrap();
        let new = read(folder);
        assert_eq!(new[1], ("f_1.png".to_owned(), "new 1".to_owned()));
        assert_eq!(new.len(), 3);

        // The last name can't be taken.
        fs::remove_file(&names[2]).unwrap();
        fs::create_dir_all(names[2].join("full")).unwrap();
        fs::write(&names[0], "old 0").unwrap();
        fs::remove_file(&names[1]).unwrap();
        let before = read(folder);
        assert!(set(folder, 3).commit(&names).is_err());
        assert_eq!(read(folder), before);
    }

    /// At whatever point a process is killed, the next one finds all the old files or all the new ones.
    #[test]
    fn a_commit_interrupted_by_a_kill_is_rolled_back_or_completed() {
        for killed_after in 0..=4 {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path();
            let names = names(folder, 4);
            fs::write(&names[0], "old 0").unwrap();
            fs::write(&names[2], "old 2").unwrap();
            fs::write(folder.join("other.png"), "other").unwrap();
            let before = read(folder);

            // As in `commit`, up to that point.
            let set = set(folder, 4);
            let hidden = set.hidden.path();
            let mut journal = Journal::default();
            for (index, path) in names.iter().enumerate() {
                let replaces = path.exists();
                if replaces {
                    back_up(path, &old_file(hidden, index)).unwrap();
                }
                let name = path.file_name().unwrap().to_str().unwrap();
                journal.add(hidden, index, name, replaces).unwrap();
            }
            journal.write(hidden).unwrap();
            for (index, path) in names.iter().enumerate().take(killed_after) {
                fs::rename(new_file(hidden, index), path).unwrap();
            }
            // The lock is released with the process; the folder stays.
            let hidden = set.hidden.keep();
            drop(set._lock);
            assert!(hidden.exists());

            sweep(folder);
            assert_eq!(read(folder), before, "{killed_after}");
        }
    }

    #[test]
    fn the_sweep_spares_running_processes_and_files_written_since_a_crash() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let names = names(folder, 2);
        let busy = set(folder, 2);
        sweep(folder);
        busy.commit(&names).unwrap();

        let dead = set(folder, 1);
        let hidden = dead.hidden.keep();
        let mut journal = Journal::default();
        back_up(&names[0], &old_file(&hidden, 0)).unwrap();
        journal.add(&hidden, 0, "f_0.png", true).unwrap();
        journal.write(&hidden).unwrap();
        fs::rename(new_file(&hidden, 0), &names[0]).unwrap();
        drop(dead._lock);
        // Another program has written it since.
        fs::write(folder.join("x"), "theirs").unwrap();
        fs::rename(folder.join("x"), &names[0]).unwrap();
        sweep(folder);
        assert_eq!(read(folder)[0].1, "theirs");
        assert_eq!(read(folder).len(), 2);
    }

    #[test]
    fn a_forged_journal_changes_no_file_outside_its_folder() {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("project");
        let hidden = folder.join(".mien-x.parts");
        fs::create_dir_all(&hidden).unwrap();
        fs::write(outside.path().join("mine.txt"), "mine").unwrap();
        for name in ["lock", "new0", "old0"] {
            fs::write(hidden.join(name), "evil").unwrap();
        }
        let mut journal = Journal::default();
        journal.add(&hidden, 0, "../mine.txt", true).unwrap();
        journal.add(&hidden, 0, "../new.txt", true).unwrap();
        journal.write(&hidden).unwrap();
        sweep(&folder);
        assert_eq!(read(&folder), []);
        assert_eq!(read(outside.path())[0].1, "mine");
        assert!(!outside.path().join("new.txt").exists());
    }
}
