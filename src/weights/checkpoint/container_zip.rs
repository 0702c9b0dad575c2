//! The format of torch 1.6 and later: a zip file with uncompressed entries, `…/data.pkl` next to `…/data/KEY`.

use std::collections::HashMap;
use std::io::{self, Cursor as Seek};

use zip::{CompressionMethod, ZipArchive, result::ZipError};

use super::fault::Fault;
use super::opcodes::Cursor;
use super::tensor::Storage;
use super::value::{Heap, Id};
use super::{Storages, pickle};

const PICKLE: &str = "data.pkl";

/// The storages of a zip file, each checked against its checksum on first access.
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    zip: ZipArchive<Seek<&'a [u8]>>,
    /// The prefix of all entries' names, such as "archive/".
    prefix: String,
    checked: HashMap<String, &'a [u8]>,
    /// Remaining bytes that entries may have: in total no more than the file, since entries don't overlap.
    left: usize,
}

/// Opens the file and reads its pickle.
///
/// [`Fault::NotCheckpoint`] for another kind of zip file, [`Fault::Damaged`] for a truncated or altered one, and those of
/// [`pickle::load`].
/// [`pickle::load`].
pub(super) fn open(bytes: &[u8]) -> Result<(Archive<'_>, Heap<'_>, Id), Fault> {
    let zip = ZipArchive::new(Seek::new(bytes))
        .map_err(|_| Fault::damaged("the list of contents at its end is missing or wrong"))?;
    let mut names = zip.file_names().filter_map(Result::ok);
    let prefix = names.find_map(|name| {
        let prefix = name.strip_suffix(PICKLE)?;
        (prefix.is_empty() || prefix.ends_with('/')).then(|| prefix.to_owned())
    });
    drop(names);
    let Some(prefix) = prefix else {
        return Err(Fault::NotCheckpoint(
            "a ZIP archive of something else",
            "choose the checkpoint that its authors published",
        ));
    };
    let mut archive = Archive {
        bytes,
        zip,
        prefix,
        checked: HashMap::new(),
        left: bytes.len(),
    };
    if archive.entry("constants.pkl")?.is_some() {
        return Err(Fault::unsupported("a TorchScript program"));
    }
    if archive.entry("byteorder")? == Some(b"big") {
        return Err(Fault::unsupported("numbers in big-endian order"));
    }
    let pickle = archive.entry(PICKLE)?.unwrap_or_default();
    let (heap, root) = pickle::load(&mut Cursor::new(pickle))?;
    Ok((archive, heap, root))
}

impl<'a> Archive<'a> {
    /// Returns the bytes of an entry as a slice of the file; `None` where there is no such entry.
    fn entry(&mut self, name: &str) -> Result<Option<&'a [u8]>, Fault> {
        let name = format!("{}{name}", self.prefix);
        let wrong = || Fault::damaged("an entry doesn't match the list of contents");
        let mut file = match self.zip.by_name(&name) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(ZipError::UnsupportedArchive(_)) => return Err(packed()),
            Err(_) => return Err(wrong()),
        };
        if file.compression() != CompressionMethod::Stored || file.encrypted() {
            return Err(packed());
        }
        let start = file.data_start().and_then(|at| usize::try_from(at).ok());
        let size = usize::try_from(file.size()).ok();
        let range = start.zip(size).and_then(|(start, size)| {
            let end = start.checked_add(size)?;
            self.bytes.get(start..end)
        });
        let bytes = range.ok_or_else(wrong)?;
        let left = self.left.checked_sub(bytes.len());
        self.left = left.ok_or_else(|| Fault::excessive("overlapping entries"))?;
        // Reading to the end verifies the checksum.
        let read = io::copy(&mut file, &mut io::sink()).map_err(|_| wrong())?;
        if read != bytes.len() as u64 {
            return Err(wrong());
        }
        Ok(Some(bytes))
    }
}

impl<'a> Storages<'a> for Archive<'a> {
    fn bytes(&mut self, storage: &Storage<'a>) -> Result<&'a [u8], Fault> {
        if let Some(bytes) = self.checked.get(storage.key) {
            return Ok(bytes);
        }
        let bytes = self.entry(&format!("data/{}", storage.key))?;
        let bytes = bytes.ok_or_else(|| Fault::damaged("a tensor's numbers are missing"))?;
        self.checked.insert(storage.key.to_owned(), bytes);
        Ok(bytes)
    }
}

/// torch doesn't compress entries, so a compressed one was written by another program.
fn packed() -> Fault {
    Fault::NotCheckpoint(
        "a ZIP archive that was compressed again",
        "use the original file from torch.save",
    )
}
