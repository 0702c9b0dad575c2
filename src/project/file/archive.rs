//! The project file: a ZIP archive of `project.json` and the embedded media.
//!
//! No size in an archive is trusted: its index and its JSON are read up to a limit, media up to the length stored in
//! the project.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use zip::read::{ArchiveOffset, Config};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::error::EngineError;
use crate::media::error::MediaError;
use crate::project::file::container::{Container, ContentReader};
use crate::project::file::error::{ArchiveFault, ProjectError};
use crate::project::file::index::Content;

/// The entry with the project itself.
pub(crate) const PROJECT_JSON: &str = "project.json";

/// The folder of embedded media.
pub(crate) const MEDIA: &str = "media/";

/// Magic number of an archive that has an entry.
pub(crate) const MAGIC: [u8; 4] = *b"PK\x03\x04";

/// The largest `project.json` that is read or written, in bytes.
pub(crate) const MAX_JSON: u64 = 256 << 20;

/// The maximum number of bytes read to find and parse the index: a few hundred thousand entries.
const MAX_INDEX: u64 = 16 << 20;

/// A project file that is being read.
pub(crate) struct Archive {
    path: PathBuf,
    zip: ZipArchive<BufReader<Metered>>,
}

impl Archive {
    /// Opens the archive and reads its index.
    ///
    /// # Errors
    /// [`ProjectError::Archive`] for a damaged or malicious archive, [`ProjectError::NoProjectJson`] for one of another program.
    pub fn open(path: &Path, file: File) -> Result<Self, EngineError> {
        let left = Rc::new(Cell::new(MAX_INDEX));
        let reader = BufReader::new(Metered {
            file,
            left: Rc::clone(&left),
        });
        let config = Config {
            archive_offset: ArchiveOffset::Known(0),
        };
        let zip = ZipArchive::with_config(config, reader)
            .map_err(|error| refused(path, error, ArchiveFault::Index))?;
        left.set(u64::MAX);
        let fault = |fault| ProjectError::Archive {
            path: path.to_owned(),
            fault,
        };
        if zip.has_duplicate_names() {
            return Err(fault(ArchiveFault::Duplicate).into());
        }
        for name in zip.file_names_raw() {
            if !stays_inside(name) {
                let name = String::from_utf8_lossy(name).escape_debug().to_string();
                return Err(fault(ArchiveFault::Outside(name)).into());
            }
        }
        if zip.index_for_name(PROJECT_JSON).is_none() {
            let path = path.to_owned();
            return Err(ProjectError::NoProjectJson { path }.into());
        }
        Ok(Self {
            path: path.to_owned(),
            zip,
        })
    }

    fn entry(&mut self, name: &str) -> Result<Option<impl Read>, EngineError> {
        let damaged = || ArchiveFault::Entry(name.to_owned());
        let packed = ProjectError::Archive {
            path: self.path.clone(),
            fault: ArchiveFault::Packed(name.to_owned()),
        };
        match self.zip.by_name(name) {
            Ok(entry)
                if !matches!(
                    entry.compression(),
                    CompressionMethod::Stored | CompressionMethod::Deflated
                ) =>
            {
                Err(packed.into())
            }
            Ok(entry) => Ok(Some(entry)),
            Err(ZipError::FileNotFound) => Ok(None),
            Err(
                ZipError::UnsupportedArchive(_)
                | ZipError::CompressionMethodNotSupported(_)
                | ZipError::InvalidPassword,
            ) => Err(packed.into()),
            Err(error) => Err(refused(&self.path, error, damaged())),
        }
    }
}

impl Container for Archive {
    fn json(&mut self) -> Result<Box<dyn Read + '_>, EngineError> {
        let path = self.path.clone();
        match self.entry(PROJECT_JSON)? {
            Some(entry) => Ok(Box::new(Limited {
                inner: entry,
                left: MAX_JSON,
            })),
            None => Err(ProjectError::NoProjectJson { path }.into()),
        }
    }

    fn medium(
        &mut self,
        key: &str,
        _: &Content,
        take: ContentReader<'_>,
    ) -> Result<bool, EngineError> {
        match self.entry(key)? {
            Some(mut entry) => take(&mut entry).map(|()| true),
            None => Ok(false),
        }
    }
}

/// Maps a ZIP error to an I/O error if the system reported one, or else to a fault of the archive.
fn refused(path: &Path, error: ZipError, fault: ArchiveFault) -> EngineError {
    let path = path.to_owned();
    match error {
        ZipError::Io(error) if error.raw_os_error().is_some() => {
            MediaError::reading(&path, error).into()
        }
        _ => ProjectError::Archive { path, fault }.into(),
    }
}

/// Whether an entry's name can't lead outside the folder it is unpacked into.
fn stays_inside(name: &[u8]) -> bool {
    let is_drive = name.get(1) == Some(&b':');
    let has_odd = name.iter().any(|byte| matches!(byte, b'\\' | 0));
    let mut parts = name.split(|byte| *byte == b'/');
    !is_drive && !has_odd && !name.starts_with(b"/") && parts.all(|part| part != b"..")
}

/// A file that fails after reading a limited number of bytes.
struct Metered {
    file: File,
    left: Rc<Cell<u64>>,
}

impl Read for Metered {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(to)?;
        let left = self.left.get().checked_sub(count as u64);
        self.left.set(left.ok_or(io::ErrorKind::InvalidData)?);
        Ok(count)
    }
}

impl Seek for Metered {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// A reader that fails with [`io::ErrorKind::FileTooLarge`] beyond a limit.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(to)?;
        let left = self.left.checked_sub(count as u64);
        self.left = left.ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_names_that_lead_outside_the_archive_are_detected() {
        for name in ["project.json", "media/", "media/a b.mp4", "media/a..b", "é"] {
            assert!(stays_inside(name.as_bytes()), "{name}");
        }
        for name in [
            "../a",
            "media/../../a",
            "/etc/a",
            "C:/a",
            "media\\..\\a",
            "a\0",
            "..",
        ] {
            assert!(!stays_inside(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn an_entry_beyond_the_size_limit_is_refused_not_truncated() {
        let mut limited = Limited {
            inner: io::repeat(b' '),
            left: 1000,
        };
        let error = io::copy(&mut limited, &mut io::sink()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
