//! A journal of files that are about to be renamed together, by which a later process can roll back after a crash.
//!
//! It is in a hidden folder with the new files (`new0`, `new1`...) and the files they replace (`old0`...), and is
//! deleted once every file has its name.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::regular_file;

const NAME: &str = "journal";

/// The largest journal that is read, in bytes: a hundred thousand frames take about ten million.
const MAX_BYTES: u64 = 64 << 20;

/// The renames to roll back, in order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Journal {
    files: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    index: usize,
    /// The name it takes in the parent of the hidden folder.
    name: String,
    /// Whether a file had the name before.
    replaces: bool,
    /// Identifies the new file under its name.
    new: Stamp,
}

/// Properties that a file keeps when renamed, and that tell it apart from others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    bytes: u64,
    /// Nanoseconds since 1970.
    modified: u64,
    /// 0 on systems without inodes.
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
    /// Records that the new file `index` takes the name `name`, and whether that replaces a file.
    ///
    /// # Errors
    /// I/O errors while reading the new file's metadata.
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

    /// Writes the journal atomically.
    ///
    /// # Errors
    /// I/O errors.
    pub fn write(&self, hidden: &Path) -> io::Result<()> {
        let unfinished = hidden.join("journal.part");
        let mut file = File::create(&unfinished)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        fs::rename(unfinished, hidden.join(NAME))
    }

    /// The journal in a hidden folder; `None` if it is missing or can't be parsed.
    pub fn read(hidden: &Path) -> Option<Self> {
        let bytes = regular_file::read(&hidden.join(NAME), MAX_BYTES).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Deletes the journal.
    ///
    /// # Errors
    /// I/O errors.
    pub fn remove(hidden: &Path) -> io::Result<()> {
        fs::remove_file(hidden.join(NAME))
    }

    /// Rolls back: removes the new files and restores what they replaced. A name that another file has taken meanwhile
    /// is left alone.
    ///
    /// # Errors
    /// The first I/O error; the rest is rolled back anyway.
    pub fn undo(&self, hidden: &Path, folder: &Path) -> io::Result<()> {
        let mut result = Ok(());
        for entry in self.files.iter().rev() {
            let name = Path::new(&entry.name);
            // The folder may come from an untrusted source, so nothing outside of it is touched.
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
