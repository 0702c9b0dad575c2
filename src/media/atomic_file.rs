//! Atomic file writes: a hidden temporary file next to the target is written, synced, then renamed over it.
//!
//! A process that is killed leaves its temporary file. The next one that writes into that folder removes it (see
//! `leftovers`).

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::media::error::MediaError;
use crate::media::leftovers::{PREFIX, SUFFIX, sweep, sync_folder};

/// A file that is written under a hidden name in the target's folder and takes the target's name in
/// [`AtomicFile::commit`].
///
/// Dropped before that, it deletes its temporary file.
pub struct AtomicFile {
    path: PathBuf,
    target: PathBuf,
    writer: BufWriter<NamedTempFile>,
}

impl AtomicFile {
    /// Creates the temporary file; the target isn't touched yet. Removes temporary files of killed processes from the folder.
    ///
    /// # Errors
    /// Fails if the folder can't be written to, or the target can't be replaced.
    pub fn create(path: &Path) -> Result<Self, MediaError> {
        let file = Self::at(&target(path)?).map_err(|e| MediaError::writing(path, e))?;
        Ok(Self {
            path: path.to_owned(),
            ..file
        })
    }

    /// Like [`AtomicFile::create`], for a caller that has already resolved `target`: symbolic links aren't followed.
    pub(crate) fn at(target: &Path) -> io::Result<Self> {
        let folder = folder(target);
        sweep(folder);

        let file = hidden(folder)?;
        if let Ok(existing) = fs::metadata(target) {
            // Keeps the mode, like a program that overwrites in place. Where that fails, the default mode is good enough.
            let _ = file.as_file().set_permissions(existing.permissions());
        }
        Ok(Self {
            path: target.to_owned(),
            target: target.to_owned(),
            writer: BufWriter::with_capacity(1 << 16, file),
        })
    }

    /// Writes a whole file with the content that `write` produces.
    ///
    /// # Errors
    /// Those of [`AtomicFile::create`], [`AtomicFile::commit`] and `write`; an existing file is then unchanged.
    pub(crate) fn write(
        path: &Path,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), MediaError> {
        let mut file = Self::create(path)?;
        write(&mut file).map_err(|e| MediaError::writing(path, e))?;
        file.commit()
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// Write errors.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), MediaError> {
        self.writer
            .write_all(bytes)
            .map_err(|e| MediaError::writing(&self.path, e))
    }

    /// Flushes, syncs, and renames the file to the target, replacing an existing one.
    ///
    /// # Errors
    /// Write errors; an existing file is then unchanged.
    pub fn commit(self) -> Result<(), MediaError> {
        let path = self.path.clone();
        self.replace().map_err(|e| MediaError::writing(&path, e))
    }

    /// Like [`AtomicFile::commit`], with the I/O error itself.
    pub(crate) fn replace(self) -> io::Result<()> {
        let (file, target) = self.synced()?;
        file.persist(&target).map_err(|e| e.error)?;
        sync_folder(folder(&target));
        Ok(())
    }

    /// Like [`AtomicFile::replace`], but fails with [`io::ErrorKind::AlreadyExists`] if the target exists.
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

/// Creates a hidden file that is locked as long as it is open.
fn hidden(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    ordinary_mode(&mut builder);
    let mut file = builder.tempfile_in(folder)?;
    // Another process may have removed it between its creation and its lock.
    for _ in 0..8 {
        let is_taken = matches!(file.as_file().try_lock(), Err(TryLockError::WouldBlock));
        if !is_taken && file.path().exists() {
            break;
        }
        file = builder.tempfile_in(folder)?;
    }
    Ok(file)
}

/// An unnamed temporary file in the target's folder, for data whose position in the target isn't known yet.
pub(crate) fn scratch(path: &Path) -> Result<File, MediaError> {
    tempfile::tempfile_in(folder(&target(path)?)).map_err(|e| MediaError::writing(path, e))
}

/// Resolves `path` through symbolic links; fails if it can't become a file.
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

/// The maximum number of links followed before assuming a cycle, as on Linux.
const MAX_LINKS: usize = 40;

/// Follows the symbolic links of a path whose file doesn't exist.
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

/// tempfile creates files that only their owner can read; exported files get the default mode (the umask still
/// applies).
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
    fn abandoned_temporary_files_are_removed_and_those_in_use_are_kept() {
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
    fn concurrent_writes_in_one_folder_all_succeed() {
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
    fn a_failed_write_keeps_the_existing_file() {
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
