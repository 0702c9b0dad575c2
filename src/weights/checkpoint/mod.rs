//! Reads published PyTorch checkpoints (and safetensors) as named tensors: zip (torch 1.6 and later), the legacy stream
//! (torch up to 1.5) and whole pickled modules. A pickle is parsed, never executed: see `pickle` and `reduce`; every
//! size is bounded: see `limits`.

#![warn(clippy::cast_possible_truncation)]

mod container_zip;
mod fault;
mod legacy;
mod limits;
mod module;
mod opcodes;
mod pickle;
mod reduce;
mod safe;
mod sniff;
pub mod system;
pub mod tensor;
mod value;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::path::Path;

use super::WeightsError;
use crate::regular_file;
use fault::Fault;
use sniff::FileType;
use value::{Heap, Id};

pub(super) use fault::sanitised;
pub(super) use safe::first_not_finite;
pub use system::{Dialect, Method, System, SystemNetwork, system};
pub use tensor::{DType, RawTensor};

/// The container format of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// torch 1.6 and later.
    Zip,
    /// torch up to 1.5.
    Legacy,
    /// A whole pickled module, in either of the two.
    Module,
    /// A safetensors file.
    Safetensors,
}

/// A loaded checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The container format.
    pub container: Container,
    /// By dotted name, such as "generator.first.conv.weight" for a dictionary of state_dicts. Optimizer states are
    /// omitted, and so is the "module." prefix that `torch.nn.DataParallel` adds to every name.
    pub tensors: BTreeMap<String, RawTensor>,
}

/// Reads a checkpoint. Needs memory for the file and for its tensors.
///
/// # Errors
/// [`WeightsError`], one sentence that names the file: missing or unreadable, and those of [`read_bytes`].
pub fn read(path: &Path) -> Result<Checkpoint, WeightsError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => WeightsError::Missing(path.to_owned()),
        _ => WeightsError::Unreadable {
            path: path.to_owned(),
            source,
        },
    };
    let bytes = regular_file::read(path, super::MAX_BYTES).map_err(unreadable)?;
    read_bytes(path, &bytes)
}

/// Reads a checkpoint from `bytes`; `path` only names it in errors.
///
/// # Errors
/// [`WeightsError::NotCheckpoint`] for any other kind of file, saying which; [`WeightsError::Damaged`] for a truncated
/// or altered file; [`WeightsError::RunsCode`] for one that would run code; [`WeightsError::Excessive`] beyond the
/// limits; [`WeightsError::Unsupported`] and [`WeightsError::NoTensors`] for files without usable weights.
pub fn read_bytes(path: &Path, bytes: &[u8]) -> Result<Checkpoint, WeightsError> {
    decode(bytes).map_err(|fault| fault.at(path))
}

fn decode(bytes: &[u8]) -> Result<Checkpoint, Fault> {
    let length = bytes.len() as u64;
    let mut checkpoint = match sniff::kind(bytes)? {
        FileType::Zip => {
            let (storages, heap, root) = container_zip::open(bytes)?;
            assemble(Container::Zip, storages, &heap, root, length)?
        }
        FileType::Pickle => {
            let (storages, heap, root) = legacy::open(bytes)?;
            assemble(Container::Legacy, storages, &heap, root, length)?
        }
        FileType::Safetensors => safe::read(bytes)?,
    };
    if checkpoint.tensors.is_empty() {
        return Err(Fault::Empty);
    }
    unwrap_parallel(&mut checkpoint.tensors);
    Ok(checkpoint)
}

/// Removes the prefix "module." if every name has it: `torch.nn.DataParallel` holds the network that it distributes over
/// several GPUs as its one child, "module".
fn unwrap_parallel(tensors: &mut BTreeMap<String, RawTensor>) {
    let inner = |name: &str| {
        let inner = name.strip_prefix("module.")?;
        (!inner.is_empty()).then(|| inner.to_owned())
    };
    if tensors.keys().all(|name| inner(name).is_some()) {
        let wrapped = std::mem::take(tensors).into_iter();
        tensors.extend(wrapped.filter_map(|(name, tensor)| Some((inner(&name)?, tensor))));
    }
}

/// Access to a container's storages.
trait Storages<'a> {
    /// Returns the whole storage of a key.
    ///
    /// # Errors
    /// [`Fault::Damaged`] where they are missing or altered.
    fn bytes(&mut self, storage: &tensor::Storage<'a>) -> Result<&'a [u8], Fault>;
}

/// Finds the tensors below `root` and makes each one contiguous.
fn assemble<'a>(
    plain: Container,
    mut storages: impl Storages<'a>,
    heap: &Heap<'a>,
    root: Id,
    length: u64,
) -> Result<Checkpoint, Fault> {
    let mut budget = limits::Budget::of(length);
    let mut tensors = BTreeMap::new();
    for (name, view) in module::tensors(heap, root, &mut budget)? {
        let bytes = storages.bytes(&view.storage)?;
        let tensor = view.contiguous(bytes, &mut budget)?;
        match tensors.entry(name) {
            Entry::Vacant(free) => free.insert(tensor),
            Entry::Occupied(taken) => {
                let name = sanitised(taken.key());
                return Err(Fault::damaged(format!("two tensors are called {name}")));
            }
        };
    }
    let container = if module::is_module(heap, root) {
        Container::Module
    } else {
        plain
    };
    Ok(Checkpoint { container, tensors })
}
