//! Checkpoints built byte by byte, both valid and malicious.
use std::path::{Path, PathBuf};

use mien::weights::checkpoint::{Checkpoint, read_bytes};

/// The file name that error messages must contain.
pub const NAME: &str = "vox-cpk.pth.tar";

/// torch's magic number, protocol 1001 and a little-endian machine, each a pickle.
const HEAD: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}(U\x0dlittle_endian\x88u.";

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/parity/containers")
        .join(name)
}

/// A legacy stream of this object (opcodes between PROTO and STOP) and float storages.
pub fn legacy(object: &[u8], storages: &[(&str, &[f32])]) -> Vec<u8> {
    let mut bytes = [HEAD, b"\x80\x02", object, b".\x80\x02](".as_slice()].concat();
    for (key, _) in storages {
        bytes.extend(str(key));
    }
    bytes.extend(b"e.");
    for (_, values) in storages {
        bytes.extend((values.len() as u64).to_le_bytes());
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
    bytes
}

/// Opcodes that push a string.
pub fn str(text: &str) -> Vec<u8> {
    [
        b"X",
        &(text.len() as u32).to_le_bytes()[..],
        text.as_bytes(),
    ]
    .concat()
}

/// Opcodes that push an integer.
pub fn int(number: i64) -> Vec<u8> {
    [b"\x8a\x08", &number.to_le_bytes()[..]].concat()
}

fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [b"(", &items.concat()[..], b"t"].concat()
}

fn ints(numbers: &[i64]) -> Vec<u8> {
    tuple(&numbers.iter().map(|&n| int(n)).collect::<Vec<_>>())
}

/// Opcodes that push a storage of this class; `view` is how torch 0.3 wrote a slice of one.
pub fn storage(class: &str, key: &str, count: i64, view: Option<(i64, i64)>) -> Vec<u8> {
    let view = view.map_or(b"N".to_vec(), |(from, count)| {
        tuple(&[str("a view"), int(from), int(count)])
    });
    let class = format!("ctorch\n{class}\n").into_bytes();
    let id = [
        str("storage"),
        class,
        str(key),
        str("cuda:0"),
        int(count),
        view,
    ];
    [tuple(&id), b"Q".to_vec()].concat()
}

/// Opcodes that push a tensor over a storage.
pub fn tensor(storage: &[u8], offset: i64, shape: &[i64], stride: &[i64]) -> Vec<u8> {
    let args = [storage.to_vec(), int(offset), ints(shape), ints(stride)];
    [b"ctorch._utils\n_rebuild_tensor\n", &tuple(&args)[..], b"R"].concat()
}

/// Opcodes that push a dictionary.
pub fn dict(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<u8> = entries
        .iter()
        .flat_map(|(key, value)| [str(key), value.clone()].concat())
        .collect();
    [b"}(", &entries[..], b"u"].concat()
}

/// One entry of a zip file: its name, its bytes, and the values in its headers.
pub struct Stored<'a> {
    pub name: &'a str,
    pub bytes: &'a [u8],
    pub method: u16,
    /// The unpacked size in the headers.
    pub claimed: u32,
    /// Whether it overlaps the entry before it.
    pub over: bool,
}

impl<'a> Stored<'a> {
    pub fn new(name: &'a str, bytes: &'a [u8]) -> Self {
        Self {
            name,
            bytes,
            method: 0,
            claimed: bytes.len() as u32,
            over: false,
        }
    }
}

/// A zip file of these entries.
pub fn zip(entries: &[Stored<'_>]) -> Vec<u8> {
    let (mut file, mut list) = (Vec::new(), Vec::new());
    let mut at = 0;
    for entry in entries {
        if !entry.over {
            at = file.len() as u32;
        }
        let common = [
            &[20, 0, 0, 0][..],
            &entry.method.to_le_bytes(),
            &[0; 4],
            &crc32(entry.bytes).to_le_bytes(),
            &(entry.bytes.len() as u32).to_le_bytes(),
            &entry.claimed.to_le_bytes(),
            &(entry.name.len() as u16).to_le_bytes(),
            &[0; 2],
        ]
        .concat();
        if !entry.over {
            file.extend(
                [
                    b"PK\x03\x04",
                    &common[..],
                    entry.name.as_bytes(),
                    entry.bytes,
                ]
                .concat(),
            );
        }
        list.extend(
            [
                b"PK\x01\x02\x14\x00",
                &common[..],
                &[0; 10],
                &at.to_le_bytes(),
            ]
            .concat(),
        );
        list.extend(entry.name.as_bytes());
    }
    let at = (file.len() as u32).to_le_bytes();
    let count = (entries.len() as u16).to_le_bytes();
    let size = (list.len() as u32).to_le_bytes();
    file.extend(list);
    file.extend(
        [
            b"PK\x05\x06\0\0\0\0",
            &count[..],
            &count,
            &size,
            &at,
            &[0; 2],
        ]
        .concat(),
    );
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// Reads it, and checks that an error is one sentence that names the file.
pub fn opened(bytes: &[u8]) -> Result<Checkpoint, String> {
    let path = Path::new("some/where").join(NAME);
    read_bytes(&path, bytes).map_err(|error| {
        let text = error.to_string();
        assert!(text.contains(NAME) && text.ends_with('.'), "{text}");
        assert!(
            !text.contains(". ") && !text.contains(char::is_control),
            "{text}"
        );
        assert!(text.contains("; ") && text.len() < 400, "{text}");
        assert!(
            !text.contains("unpack") && !text.contains("extract"),
            "{text}"
        );
        text
    })
}
