//! Writes model files from a checkpoint's tensors: renamed, with a header that describes them, so that opening the file
//! never needs a flag.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::{Metadata as Header, TensorInfo};

use super::checkpoint::{DType, RawTensor, sanitised};
use super::{Metadata, WeightsError};
use crate::media::atomic_file::AtomicFile;

/// The longest header that safetensors readers accept.
const HEADER: usize = 100_000_000;

/// What to do if the file exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Fail, and write nothing.
    Refuse,
    /// Replace it once the new file is complete.
    Replace,
}

/// Writes a model file and returns its size in bytes.
///
/// F16 is kept; every other float type becomes F32, rounded to nearest; integers and booleans (such as
/// `num_batches_tracked`) are omitted, since no network reads them. The file is renamed into place when it is complete,
/// so an error leaves no partial file. Besides the tensors themselves it needs twice the memory of the largest one to
/// be converted. The output is deterministic.
///
/// # Errors
/// [`WeightsError::Exists`] if the file exists and `existing` is [`Existing::Refuse`], and [`WeightsError::NotWritten`]
/// for a folder that doesn't exist or can't be written to, a full disk, no tensors, duplicate names, and metadata that
/// could not be read back.
pub fn write_model<'a>(
    path: &Path,
    tensors: impl IntoIterator<Item = (impl Into<String>, &'a RawTensor)>,
    metadata: &Metadata,
    existing: Existing,
) -> Result<u64, WeightsError> {
    let refused = |reason: String, advice| WeightsError::NotWritten {
        path: path.to_owned(),
        reason,
        advice,
    };
    let mut stored = BTreeMap::new();
    for (name, tensor) in tensors {
        let Some(dtype) = stored_as(tensor.dtype) else {
            continue;
        };
        match stored.entry(name.into()) {
            Entry::Vacant(free) => free.insert((tensor, dtype)),
            Entry::Occupied(taken) => {
                let reason = format!(
                    "two of its tensors would be called {}",
                    sanitised(taken.key())
                );
                return Err(refused(reason, "give each its own name"));
            }
        };
    }
    if stored.is_empty() {
        let advice = "choose a checkpoint that contains the network itself";
        return Err(refused("there are no weights to write".into(), advice));
    }
    let header = header(&stored, metadata)
        .map_err(|reason| refused(reason, "import the checkpoint as it was published"))?;
    let size = header.len() as u64
        + stored
            .values()
            .map(|(tensor, _)| bytes_of(tensor))
            .sum::<u64>();

    let written = |error: io::Error| not_written(path, &error, size);
    let target = target(path, existing)?;
    let mut file = AtomicFile::at(&target).map_err(written)?;
    write_all(&mut file, &header, &stored).map_err(written)?;
    match existing {
        Existing::Replace => file.replace(),
        Existing::Refuse => file.persist_new(),
    }
    .map_err(written)?;
    Ok(size)
}

/// Every tensor by its name, with its stored type.
type Stored<'a> = BTreeMap<String, (&'a RawTensor, Dtype)>;

/// Returns the type in which a tensor is stored; `None` if it is omitted.
fn stored_as(dtype: DType) -> Option<Dtype> {
    match dtype {
        DType::F16 => Some(Dtype::F16),
        DType::BF16 | DType::F32 | DType::F64 => Some(Dtype::F32),
        DType::I64 | DType::I32 | DType::U8 | DType::Bool => None,
    }
}

/// Returns the size of a tensor in the file in bytes.
fn bytes_of(tensor: &RawTensor) -> u64 {
    let elements = (tensor.data.len() / tensor.dtype.size()) as u64;
    elements * if tensor.dtype == DType::F16 { 2 } else { 4 }
}

/// Returns the header's length (8 bytes, little endian) and the header, padded so that the data begins at a multiple of
/// 8.
fn header(stored: &Stored<'_>, metadata: &Metadata) -> Result<Vec<u8>, String> {
    let fields = metadata.to_fields()?;
    let mut at = 0;
    let mut infos = Vec::with_capacity(stored.len());
    for (name, &(tensor, dtype)) in stored {
        if name == "__metadata__" {
            return Err("one of its tensors has a name that safetensors reserves".to_owned());
        }
        let size = usize::try_from(bytes_of(tensor)).map_err(|error| error.to_string())?;
        let end = at + size;
        let info = TensorInfo {
            dtype,
            shape: tensor.shape.clone(),
            data_offsets: (at, end),
        };
        infos.push((name.clone(), info));
        at = end;
    }
    // Checks that every shape matches its size in bytes.
    Header::new(None, infos.clone())
        .map_err(|_| "the size of one of its tensors doesn't match its shape".to_owned())?;

    let json = |error: serde_json::Error| error.to_string();
    let mut table = serde_json::Map::new();
    let fields = serde_json::to_value(fields).map_err(json)?;
    table.insert("__metadata__".to_owned(), fields);
    for (name, info) in infos {
        table.insert(name, serde_json::to_value(info).map_err(json)?);
    }
    let mut text = serde_json::to_vec(&table).map_err(json)?;
    text.resize(text.len().next_multiple_of(8), b' ');
    if text.len() > HEADER {
        return Err("the names of its tensors are too long".to_owned());
    }
    Ok([&(text.len() as u64).to_le_bytes()[..], &text].concat())
}

fn write_all(file: &mut impl Write, header: &[u8], stored: &Stored<'_>) -> io::Result<()> {
    file.write_all(header)?;
    for (tensor, _) in stored.values() {
        file.write_all(&numbers(tensor))?;
    }
    file.flush()
}

/// Returns a tensor's elements as they are stored.
fn numbers(tensor: &RawTensor) -> Cow<'_, [u8]> {
    match tensor.dtype {
        DType::F16 | DType::F32 => Cow::Borrowed(&tensor.data),
        _ => {
            let numbers = tensor.to_f32();
            Cow::Owned(numbers.into_iter().flat_map(f32::to_le_bytes).collect())
        }
    }
}

/// Resolves the file to write, through symbolic links; fails if it can't become a regular file.
fn target(path: &Path, existing: Existing) -> Result<PathBuf, WeightsError> {
    let refused = |reason: &str, advice| WeightsError::NotWritten {
        path: path.to_owned(),
        reason: reason.to_owned(),
        advice,
    };
    if path.file_name().is_none() {
        return Err(refused("it has no file name", "add one"));
    }
    let Ok(there) = fs::symlink_metadata(path) else {
        return Ok(path.to_owned());
    };
    if existing == Existing::Refuse {
        return Err(WeightsError::Exists(path.to_owned()));
    }
    let target = fs::metadata(path);
    if !target.as_ref().is_ok_and(fs::Metadata::is_file) {
        let reason = "something other than a regular file has that name";
        return Err(refused(reason, "choose another name"));
    }
    // A rename would replace even a read-only file.
    if target.is_ok_and(|file| file.permissions().readonly()) {
        let reason = "the file of that name is write-protected";
        return Err(refused(reason, "choose another name"));
    }
    if there.file_type().is_symlink() {
        fs::canonicalize(path).map_err(|error| not_written(path, &error, 0))
    } else {
        Ok(path.to_owned())
    }
}

/// Converts an error in writing a file of `size` bytes.
fn not_written(path: &Path, error: &io::Error, size: u64) -> WeightsError {
    use io::ErrorKind as Kind;
    let path = path.to_owned();
    let (reason, advice) = match error.kind() {
        Kind::AlreadyExists => return WeightsError::Exists(path),
        Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => (
            format!("the disk has no room for its {:.1} MB", size as f64 / 1e6),
            "make room, or choose a folder on another disk",
        ),
        Kind::NotFound | Kind::NotADirectory => (
            "its folder doesn't exist".to_owned(),
            "make the folder, or choose another",
        ),
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => (
            "its folder is write-protected".to_owned(),
            "choose a folder of your own",
        ),
        // The text of such an error has the temporary name, which would be mistaken for the file's.
        _ => (
            format!("of a system error ({})", error.kind()),
            "choose another folder",
        ),
    };
    WeightsError::NotWritten {
        path,
        reason,
        advice,
    }
}

#[cfg(test)]
mod tests;
