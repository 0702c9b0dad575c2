//! Opens files whose name comes from outside: regular files only, up to a maximum length.
//!
//! Opening a pipe could block for ever, and reading a device may never end.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Opens a regular file of at most `most` bytes, following links, and returns its length as well.
///
/// # Errors
/// The system's; [`ErrorKind::IsADirectory`] for a folder, [`ErrorKind::Unsupported`] for a device, pipe or socket,
/// [`ErrorKind::FileTooLarge`].
pub(crate) fn open(path: &Path, most: u64) -> io::Result<(File, u64)> {
    // Checked before opening, because opening a pipe blocks.
    check(&fs::metadata(path)?, most)?;
    let file = File::open(path)?;
    // Checked again: the name may now refer to another file.
    let metadata = file.metadata()?;
    check(&metadata, most)?;
    Ok((file, metadata.len()))
}

/// Reads a whole regular file of at most `most` bytes.
///
/// # Errors
/// As [`open`].
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let (file, length) = open(path, most)?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    // The file may grow meanwhile, and some systems report a length of 0 for files that have content.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(too_large(most));
    }
    Ok(bytes)
}

/// Reads a regular file of at most `most` bytes as text.
///
/// # Errors
/// As [`open`]; [`ErrorKind::InvalidData`] if it is not UTF-8.
pub(crate) fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let not_text = |_| io::Error::new(ErrorKind::InvalidData, "it is no text in UTF-8");
    String::from_utf8(read(path, most)?).map_err(not_text)
}

fn check(metadata: &Metadata, most: u64) -> io::Result<()> {
    if metadata.is_dir() {
        Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder"))
    } else if !metadata.is_file() {
        let what = "it is a device or pipe rather than an ordinary file";
        Err(io::Error::new(ErrorKind::Unsupported, what))
    } else if metadata.len() > most {
        Err(too_large(most))
    } else {
        Ok(())
    }
}

fn too_large(most: u64) -> io::Error {
    let what = format!("it has more than {} MB", most.div_ceil(1_000_000));
    io::Error::new(ErrorKind::FileTooLarge, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_files_up_to_the_limit_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        fs::write(&path, "abc").unwrap();
        assert_eq!(read_text(&path, 3).unwrap(), "abc");
        let kind = |path: &Path, most| read(path, most).unwrap_err().kind();
        assert_eq!(kind(&path, 2), ErrorKind::FileTooLarge);
        assert_eq!(kind(folder.path(), 9), ErrorKind::IsADirectory);
        assert_eq!(kind(&folder.path().join("b"), 9), ErrorKind::NotFound);
        fs::write(&path, [0xff, 0xfe]).unwrap();
        let error = read_text(&path, 9).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }

    #[test]
    #[cfg(unix)]
    fn devices_and_pipes_are_refused_without_blocking() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.json");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let link = folder.path().join("link.json");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        for path in [pipe.as_path(), &link, Path::new("/dev/null")] {
            let error = read(path, 1 << 20).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{path:?}");
        }
    }
}
