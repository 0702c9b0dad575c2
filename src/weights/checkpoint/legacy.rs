//! The format of torch up to 1.5: a magic number, the protocol, information about the writer's machine, the object and
//! the storages' keys, each a pickle, then each storage's element count (int64) and its raw bytes.

use std::collections::HashMap;

use super::fault::Fault;
use super::opcodes::Cursor;
use super::tensor::Storage;
use super::value::{Heap, Id, Node};
use super::{Storages, pickle};

/// 0x1950a86a20f9469cfc6c, little endian.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const PROTOCOL: i64 = 1001;

/// The raw bytes of each storage by its key.
pub(super) struct Raw<'a>(HashMap<&'a str, &'a [u8]>);

/// Reads the stream, with storages as slices of it.
///
/// # Errors
/// [`Fault::NotCheckpoint`] for a pickle that isn't a checkpoint, and those of [`pickle::load`].
pub(super) fn open(bytes: &[u8]) -> Result<(Raw<'_>, Heap<'_>, Id), Fault> {
    let mut cursor = Cursor::new(bytes);
    let (heap, magic) = pickle::load(&mut cursor)?;
    if *heap.get(magic) != Node::Wide(&MAGIC) {
        return Err(Fault::NotCheckpoint(
            "another program's pickle",
            "choose a file that torch.save wrote",
        ));
    }
    let (heap, protocol) = pickle::load(&mut cursor)?;
    if *heap.get(protocol) != Node::Int(PROTOCOL) {
        return Err(Fault::unsupported("a format that torch used only briefly"));
    }
    let (heap, system) = pickle::load(&mut cursor)?;
    let little = heap.entry(system, "little_endian");
    if little.is_some_and(|little| *heap.get(little) == Node::Bool(false)) {
        return Err(Fault::unsupported("numbers in big-endian order"));
    }

    let (heap, root) = pickle::load(&mut cursor)?;
    let (list, keys) = pickle::load(&mut cursor)?;
    let raw = storages(&heap, &list, keys, &mut cursor)?;
    Ok((raw, heap, root))
}

fn storages<'a>(
    heap: &Heap<'a>,
    list: &Heap<'a>,
    keys: Id,
    cursor: &mut Cursor<'a>,
) -> Result<Raw<'a>, Fault> {
    let mut sizes: HashMap<&str, usize> = HashMap::new();
    for node in heap.iter() {
        let Node::Storage(storage) = node else {
            continue;
        };
        let size = storage.element.size();
        if *sizes.entry(storage.key).or_insert(size) != size {
            return Err(Fault::damaged("a storage has two types"));
        }
    }
    let mut raw = HashMap::new();
    for &key in list.items(keys).unwrap_or_default() {
        let known = list.str(key).and_then(|key| sizes.get_key_value(key));
        let (key, &size) =
            known.ok_or_else(|| Fault::damaged("it lists numbers that belong to no tensor"))?;
        let bytes = cursor.u64()?.checked_mul(size as u64);
        let bytes = bytes.ok_or_else(|| Fault::damaged("a storage of 2^60 numbers or more"))?;
        raw.insert(*key, cursor.take(bytes)?);
    }
    Ok(Raw(raw))
}

impl<'a> Storages<'a> for Raw<'a> {
    fn bytes(&mut self, storage: &Storage<'a>) -> Result<&'a [u8], Fault> {
        let bytes = self.0.get(storage.key).copied();
        bytes.ok_or_else(|| Fault::damaged("a tensor's numbers are missing"))
    }
}
