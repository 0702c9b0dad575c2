//! A note of files that are about to take their names together, so that whoever comes after a crash can undo it.
//!
//! It lies in a hidden folder with the new files (`new0`, `new1`...) and what had their names before (`old0`...), and is removed
//! once every file has its name.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::ordinary_file;

const NAME: &str = "journal";

/// The most that is read of one, in bytes: a hundred thousand frames take some ten million.
const MAX_BYTES: u64 = 64 << 20;

/// What is to be undone, in order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Journal {
    files: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    index: usize,
    /// The name that it takes in the hidden folder's own folder.
    name: String,
    /// Whether something had the name before.
    replaces: bool,
    /// By which the new file is known under its name.
    new: Stamp,
}

/// What a file keeps when it is renamed, and doesn't share with another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    bytes: u64,
    /// Nanoseconds since 1970.
    modified: u64,
    /// 0 where the system doesn't number its files.
    inode: u64,
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(path)?;
        let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
        Ok(Self {
            bytes: metadata.len(),
            modified: nanoseconds(modified),
            inode: inode(&metadata),
        })
    }
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(unix)]
fn inode(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> u64 {
    0
}

pub(super) fn new_file(hidden: &Path, index: usize) -> PathBuf {
    hidden.join(format!("new{index}"))
}

pub(super) fn old_file(hidden: &Path, index: usize) -> PathBuf {
    hidden.join(format!("old{index}"))
}

impl Journal {
    /// Notes that the new file `index` takes the name `name`, and whether that replaces something.
    ///
    /// # Errors
    /// That of the system, where the new file can't be looked at.
    pub fn add(
        &mut self,
        hidden: &Path,
        index: usize,
        name: &str,
        replaces: bool,
    ) -> io::Result<()> {
        self.files.push(Entry {
            index,
            name: name.to_owned(),
            replaces,
            new: Stamp::of(&new_file(hidden, index))?,
        });
        Ok(())
    }

    /// Keeps the note, whole or not at all.
    ///
    /// # Errors
    /// That of the system.
    pub fn write(&self, hidden: &Path) -> io::Result<()> {
        let unfinished = hidden.join("journal.part");
        let mut file = File::create(&unfinished)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        fs::rename(unfinished, hidden.join(NAME))
    }

    /// The note in a hidden folder; `None` where there is none, or nothing that can be one.
    pub fn read(hidden: &Path) -> Option<Self> {
        let bytes = ordinary_file::read(&hidden.join(NAME), MAX_BYTES).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// # Errors
    /// That of the system.
    pub fn remove(hidden: &Path) -> io::Result<()> {
        fs::remove_file(hidden.join(NAME))
    }

    /// Takes the new files away again and brings back what had their names. A name that something else has by now is left
    /// alone.
    ///
    /// # Errors
    /// The first that the system gave; all that can be undone is.
    pub fn undo(&self, hidden: &Path, folder: &Path) -> io::Result<()> {
        let mut result = Ok(());
        for entry in self.files.iter().rev() {
            let name = Path::new(&entry.name);
            // The folder may have come from a stranger: nothing outside of it is touched.
            if name.file_name() != Some(name.as_os_str()) {
                continue;
            }
            let (target, old) = (folder.join(name), old_file(hidden, entry.index));
            let has_old = entry.replaces && old.is_file();
            let undone = match Stamp::of(&target) {
                Ok(stamp) if stamp != entry.new => Ok(()),
                Ok(_) if has_old => fs::rename(old, target),
                Ok(_) if entry.replaces => Ok(()),
                Ok(_) => fs::remove_file(target),
                Err(_) if has_old => fs::rename(old, target),
                Err(_) => Ok(()),
            };
            result = result.and(undone);
        }
        result
    }
}
