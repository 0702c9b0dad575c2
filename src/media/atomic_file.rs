//! Files that are whole or as they were before: written under a hidden name next to the target, synced, then renamed.
//!
//! A process that is killed leaves its hidden file. The next one that writes into that folder removes it (see `leftovers`).

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::media::error::MediaError;
use crate::media::leftovers::{PREFIX, SUFFIX, sweep, sync_folder};

/// A file that is written under a hidden name in the target's own folder and takes the target's name in
/// [`AtomicFile::commit`].
///
/// Dropped before that, it removes itself.
pub struct AtomicFile {
    path: PathBuf,
    target: PathBuf,
    writer: BufWriter<NamedTempFile>,
}

impl AtomicFile {
    /// Begins the file; nothing stands under its name yet. Removes what killed processes left in its folder.
    ///
    /// # Errors
    /// The errors of writing to its folder, or over what has the name.
    pub fn create(path: &Path) -> Result<Self, MediaError> {
        let file = Self::at(&target(path)?).map_err(|e| MediaError::writing(path, e))?;
        Ok(Self {
            path: path.to_owned(),
            ..file
        })
    }

    /// As [`AtomicFile::create`] for a caller that has made sure of what `target` is: links aren't followed.
    pub(crate) fn at(target: &Path) -> io::Result<Self> {
        let folder = folder(target);
        sweep(folder);

        let file = hidden(folder)?;
        if let Ok(existing) = fs::metadata(target) {
            // Like a program that overwrites in place. Where the system refuses, the ordinary mode is good enough.
            let _ = file.as_file().set_permissions(existing.permissions());
        }
        Ok(Self {
            path: target.to_owned(),
            target: target.to_owned(),
            writer: BufWriter::with_capacity(1 << 16, file),
        })
    }

    /// Writes a whole file, whose content `write` gives.
    ///
    /// # Errors
    /// Those of [`AtomicFile::create`] and [`AtomicFile::commit`], and what `write` says; what had the name before is then
    /// still there.
    pub(crate) fn write(
        path: &Path,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), MediaError> {
        let mut file = Self::create(path)?;
        write(&mut file).map_err(|e| MediaError::writing(path, e))?;
        file.commit()
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// The errors of writing.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), MediaError> {
        self.writer
            .write_all(bytes)
            .map_err(|e| MediaError::writing(&self.path, e))
    }

    /// Flushes, syncs, and gives the file its final name, replacing whatever had it.
    ///
    /// # Errors
    /// The errors of writing; what had the name before is then still there.
    pub fn commit(self) -> Result<(), MediaError> {
        let path = self.path.clone();
        self.replace().map_err(|e| MediaError::writing(&path, e))
    }

    /// [`AtomicFile::commit`] with the system's own error.
    pub(crate) fn replace(self) -> io::Result<()> {
        let (file, target) = self.synced()?;
        file.persist(&target).map_err(|e| e.error)?;
        sync_folder(folder(&target));
        Ok(())
    }

    /// As [`AtomicFile::replace`], but fails with [`io::ErrorKind::AlreadyExists`] when something has the name.
    pub(crate) fn persist_new(self) -> io::Result<()> {
        let (file, target) = self.synced()?;
        file.persist_noclobber(&target).map_err(|e| e.error)?;
        sync_folder(folder(&target));
        Ok(())
    }

    fn synced(self) -> io::Result<(NamedTempFile, PathBuf)> {
        let file = self.writer.into_inner().map_err(|e| e.into_error())?;
        file.as_file().sync_all()?;
        Ok((file, self.target))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.writer.seek(to)
    }
}

/// A new hidden file, locked for as long as it is open.
fn hidden(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    ordinary_mode(&mut builder);
    let mut file = builder.tempfile_in(folder)?;
    // Another process may have swept it away between its making and its lock.
    for _ in 0..8 {
        let is_taken = matches!(file.as_file().try_lock(), Err(TryLockError::WouldBlock));
        if !is_taken && file.path().exists() {
            break;
        }
        file = builder.tempfile_in(folder)?;
    }
    Ok(file)
}

/// A file without a name in the target's folder, for data that are on their way to another place in the file.
pub(crate) fn scratch(path: &Path) -> Result<File, MediaError> {
    tempfile::tempfile_in(folder(&target(path)?)).map_err(|e| MediaError::writing(path, e))
}

/// Where `path` really leads: through links, and refused when it can't become a file.
pub(crate) fn target(path: &Path) -> Result<PathBuf, MediaError> {
    if path.file_name().is_none() {
        return Err(MediaError::NoName {
            path: path.to_owned(),
        });
    }
    let Ok(existing) = fs::metadata(path) else {
        return Ok(without_links(path));
    };
    if existing.is_dir() {
        return Err(MediaError::IsFolder {
            path: path.to_owned(),
        });
    }
    if !existing.is_file() {
        return Err(MediaError::NotAFile {
            path: path.to_owned(),
        });
    }
    // A rename would replace even a file that the artist protected.
    if existing.permissions().readonly() {
        return Err(MediaError::NotWritable {
            path: path.to_owned(),
        });
    }
    let is_link = fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_symlink());
    if is_link {
        fs::canonicalize(path).map_err(|e| MediaError::writing(path, e))
    } else {
        Ok(path.to_owned())
    }
}

/// Links that are followed before they are taken to lead round in a circle, as on Linux.
const MAX_LINKS: usize = 40;

/// Where a name leads under which there is no file: through links whose file isn't there.
pub(crate) fn without_links(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(to) = fs::read_link(&path) else {
            break;
        };
        path = folder(&path).join(to);
    }
    path
}

/// The folder of a path, `.` for a bare name.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// tempfile makes files that only their owner can read; an exported picture is like any other file (the umask still applies).
#[cfg(unix)]
fn ordinary_mode(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn ordinary_mode(_: &mut tempfile::Builder<'_, '_>) {}

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
        let at = |name: &str| folder.path().join(name);
        fs::write(at(".mien-killed.part"), "half").unwrap();
        fs::write(at(".mien-not-ours"), "another program's").unwrap();
        fs::create_dir(at(".mien-folder.part")).unwrap();
        let mut busy = AtomicFile::create(&at("b.png")).unwrap();
        busy.put(b"busy").unwrap();
        assert!(!at(".mien-killed.part").exists());

        AtomicFile::write(&at("a.mien"), |to| to.write_all(b"whole")).unwrap();
        assert_eq!(fs::read(at("a.mien")).unwrap(), b"whole");
        busy.commit().unwrap();
        assert_eq!(fs::read(at("b.png")).unwrap(), b"busy");
        assert_eq!(
            names(folder.path()),
            [".mien-folder.part", ".mien-not-ours", "a.mien", "b.png"]
        );
    }

    #[test]
    fn many_at_once_in_one_folder_all_come_through() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let folder = folder.path();
                scope.spawn(move || {
                    for i in 0..20 {
                        let path = folder.join(format!("{thread}-{i}"));
                        AtomicFile::write(&path, |to| to.write_all(b"whole")).unwrap();
                    }
                });
            }
        });
        assert_eq!(names(folder.path()).len(), 80);
    }

    #[test]
    fn a_failure_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mien");
        fs::write(&path, "old").unwrap();
        let error = AtomicFile::write(&path, |to| {
            to.write_all(b"ne")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(matches!(error, Err(MediaError::DiskFull { .. })));
        assert!(AtomicFile::at(&path).unwrap().persist_new().is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a.mien"]);
    }
}
