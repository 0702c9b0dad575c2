//! Published PyTorch checkpoints (and safetensors) as named tensors: zip (torch 1.6 and later), the legacy stream
//! (torch up to 1.5) and whole pickled modules. A pickle is read, never run: see `pickle` and `reduce`; every size is
//! bounded: see `limits`.

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
use crate::ordinary_file;
use fault::Fault;
use sniff::Kind;
use value::{Heap, Id};

pub(super) use fault::shown;
pub(super) use safe::first_not_finite;
pub use system::{Dialect, Method, Part, System, system};
pub use tensor::{DType, RawTensor};

/// What a checkpoint came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// torch 1.6 and later.
    Zip,
    /// torch up to 1.5.
    Legacy,
    /// A whole pickled module, in either of the two.
    Module,
    Safetensors,
}

/// A checkpoint, read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub container: Container,
    /// By dotted name, such as "generator.first.conv.weight" for a dictionary of state_dicts. The states of optimizers
    /// are left out, and so is the "module." that `torch.nn.DataParallel` puts before every name.
    pub tensors: BTreeMap<String, RawTensor>,
}

/// Reads a checkpoint. It takes the file's size in memory, and that of its tensors.
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
    let bytes = ordinary_file::read(path, super::MAX_BYTES).map_err(unreadable)?;
    read_bytes(path, &bytes)
}

/// Reads a checkpoint from `bytes`; `path` is only what errors call it.
///
/// # Errors
/// [`WeightsError::NotCheckpoint`] for any other kind of file, saying which; [`WeightsError::Damaged`] for one cut short
/// or altered; [`WeightsError::RunsCode`] for one that asks for anything to be run; [`WeightsError::Excessive`] beyond
/// all bounds; [`WeightsError::Unsupported`] and [`WeightsError::NoTensors`] for what we have no use for.
pub fn read_bytes(path: &Path, bytes: &[u8]) -> Result<Checkpoint, WeightsError> {
    decode(bytes).map_err(|fault| fault.at(path))
}

fn decode(bytes: &[u8]) -> Result<Checkpoint, Fault> {
    let length = bytes.len() as u64;
    let mut checkpoint = match sniff::kind(bytes)? {
        Kind::Zip => {
            let (storages, heap, root) = container_zip::open(bytes)?;
            assemble(Container::Zip, storages, &heap, root, length)?
        }
        Kind::Pickle => {
            let (storages, heap, root) = legacy::open(bytes)?;
            assemble(Container::Legacy, storages, &heap, root, length)?
        }
        Kind::Safetensors => safe::read(bytes)?,
    };
    if checkpoint.tensors.is_empty() {
        return Err(Fault::Empty);
    }
    unwrap_parallel(&mut checkpoint.tensors);
    Ok(checkpoint)
}

/// `torch.nn.DataParallel` holds the network that it spreads over several cards as its one part, "module": where every
/// name begins so, none needs to.
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

/// Where a container keeps its numbers.
trait Storages<'a> {
    /// All bytes behind the storage's key.
    ///
    /// # Errors
    /// [`Fault::Damaged`] where they are missing or altered.
    fn bytes(&mut self, storage: &tensor::Storage<'a>) -> Result<&'a [u8], Fault>;
}

/// Finds the tensors below `root` and copies each one's numbers together.
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
                let name = shown(taken.key());
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
