//! Write beside, then rename: the way that every file of ours comes to be.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::media::error::MediaError;

/// What the hidden names of unfinished files begin with.
pub(crate) const PREFIX: &str = ".mien-";

/// A file that is written under a hidden name in the target's own folder and takes the target's name in [`Beside::commit`].
///
/// Dropped before that, it removes itself.
pub struct Beside {
    path: PathBuf,
    target: PathBuf,
    writer: BufWriter<NamedTempFile>,
}

impl Beside {
    /// Begins the file; nothing stands under its name yet.
    ///
    /// # Errors
    /// The errors of writing to its folder, or over what has the name.
    pub fn create(path: &Path) -> Result<Self, MediaError> {
        let target = target(path)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(".part");
        ordinary_mode(&mut builder);

        let file = builder
            .tempfile_in(folder(&target))
            .map_err(|e| MediaError::writing(path, e))?;
        if let Ok(existing) = fs::metadata(&target) {
            // Like a program that overwrites in place. Where the system refuses, the ordinary mode is good enough.
            let _ = file.as_file().set_permissions(existing.permissions());
        }

        Ok(Self {
            path: path.to_owned(),
            target,
            writer: BufWriter::with_capacity(1 << 16, file),
        })
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
        let fail = |e: io::Error| MediaError::writing(&self.path, e);

        let file = self.writer.into_inner().map_err(|e| fail(e.into_error()))?;
        file.as_file().sync_all().map_err(fail)?;
        file.persist(&self.target).map_err(|e| fail(e.error))?;
        Ok(())
    }
}

impl Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Seek for Beside {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.writer.seek(to)
    }
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
        return Ok(path.to_owned());
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

/// The folder of a path, `.` for a bare name.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// tempfile makes files that only their owner can read; an exported picture is like any other file (the umask still applies).
#[cfg(unix)]
pub(crate) fn ordinary_mode(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
pub(crate) fn ordinary_mode(_: &mut tempfile::Builder<'_, '_>) {}
