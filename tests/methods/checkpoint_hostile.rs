//! Files that are malicious, damaged, or of another format: each gives one sentence, and none a panic.

use crate::common::checkpoint::{
    Stored, dict, fixture, int, legacy, opened, storage, str, tensor, zip,
};
use mien::weights::checkpoint::read;
use proptest::prelude::*;

/// The error for these bytes; there must be one.
fn refused(bytes: &[u8]) -> String {
    let text = opened(bytes).unwrap_err();
    println!("{text}");
    text
}

fn float(count: i64) -> Vec<u8> {
    storage("FloatStorage", "0", count, None)
}

#[test]
fn function_calls_in_a_pickle_are_refused_by_name() {
    let cases: [(&[u8], &str); 9] = [
        (b"cos\nsystem\nX\x02\0\0\0ls\x85R", "os.system"),
        (b"cbuiltins\neval\nX\x01\0\0\x001\x85R", "builtins.eval"),
        (b"\x8c\x05posix\x8c\x06system\x93)R", "posix.system"),
        (b"cbuiltins\ngetattr\n)R", "builtins.getattr"),
        (b"(X\x02\0\0\0lsios\nsystem\n", "os.system"),
        (b"(cos\nsystem\nX\x02\0\0\0lso", "os.system"),
        (
            b"ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nN)NtR",
            "os.system",
        ),
        (
            b"ctorch.storage\n_load_from_bytes\nC\0\x85R",
            "_load_from_bytes",
        ),
        (b"\x82\x01", "extension"),
    ];
    for (object, name) in cases {
        for file in [
            legacy(object, &[]),
            [b"\x80\x02", object, b"."].concat(),
            zip(&[Stored::new(
                "a/data.pkl",
                &[b"\x80\x02", object, b"."].concat(),
            )]),
        ] {
            let text = refused(&file);
            assert!(text.contains(name) && text.contains("run"), "{text}");
        }
    }
    // Names that would send control sequences to the terminal, or fill the screen, are escaped and shortened.
    let long = format!("c\x1b[31mx{}\nf\n)R", "y".repeat(400));
    assert!(refused(&legacy(long.as_bytes(), &[])).contains("?[31mxyyy"));
}

#[test]
fn cyclic_and_exponentially_nested_pickles_are_refused() {
    let itself = b"}q\0X\x01\0\0\0ah\0s".to_vec();
    assert!(refused(&legacy(&itself, &[])).contains("itself"));
    let list = b"]q\0h\0a".to_vec();
    assert!(refused(&legacy(&list, &[])).contains("itself"));

    // Each list holds the previous one twice: 2^40 elements in 40 steps.
    let mut doubled = b"]q\0".to_vec();
    for _ in 0..40 {
        doubled.extend(b"0](h\0h\0eq\0");
    }
    assert!(refused(&legacy(&doubled, &[])).contains("repeatedly"));

    // The same with a tensor at the bottom, giving 2^18 long names.
    let bottom = dict(&[(&"n".repeat(900), tensor(&float(1), 0, &[0], &[1]))]);
    let doubled = (0..18).fold([&bottom[..], b"q\0"].concat(), |mut doubled, _| {
        doubled.extend(b"0](h\0h\0eq\0");
        doubled
    });
    assert!(refused(&legacy(&doubled, &[("0", &[0.0])])).contains("times its own size"));

    // Nested dictionaries.
    let deep = (0..100_000).fold(Vec::new(), |mut deep, _| {
        deep.extend(b"}X\x01\0\0\0a");
        deep
    });
    let deep = [deep, b"N".to_vec(), b"s".repeat(100_000)].concat();
    assert!(refused(&legacy(&deep, &[])).contains("nested"));
    let marks = b"(".repeat(1_000_000);
    refused(&legacy(&marks, &[]));
    let many = b"N".repeat(5_000_000);
    assert!(refused(&legacy(&many, &[])).contains("instructions"));
}

#[test]
fn tensor_sizes_beyond_the_stored_bytes_are_refused() {
    let huge = 1_i64 << 60;
    let views: [(Vec<u8>, &str); 8] = [
        (tensor(&float(huge), 0, &[huge], &[1]), "beyond its storage"),
        (tensor(&float(4), huge, &[1], &[1]), "beyond its storage"),
        (tensor(&float(4), 0, &[1 << 40], &[1]), "beyond its storage"),
        (tensor(&float(4), 0, &[2], &[huge]), "beyond its storage"),
        (tensor(&float(4), 0, &[1 << 40], &[0]), "times its own size"),
        (tensor(&float(4), 0, &[huge, huge, 0], &[1, 1, 1]), "2^63"),
        (tensor(&float(4), 0, &[-1], &[1]), "describes"),
        (
            tensor(
                &storage("FloatStorage", "0", 4, Some((huge, huge))),
                0,
                &[1],
                &[1],
            ),
            "beyond its storage",
        ),
    ];
    for (view, part) in views {
        let text = refused(&legacy(&dict(&[("x", view)]), &[("0", &[0.0; 4])]));
        assert!(text.contains(part), "{text}");
    }
    let mut file = legacy(
        &dict(&[("x", tensor(&float(1), 0, &[1], &[1]))]),
        &[("0", &[1.0])],
    );
    let at = file.len() - 12;
    file[at..at + 8].copy_from_slice(&(1_u64 << 60).to_le_bytes());
    refused(&file);
    file[at..at + 8].copy_from_slice(&u64::MAX.to_le_bytes());
    refused(&file);

    // A string, a long number and a frame of 2^60 bytes.
    let eight = (1_u64 << 60).to_le_bytes();
    refused(&legacy(&[b"\x8d", &eight[..]].concat(), &[]));
    refused(&legacy(&[b"\x8e", &eight[..]].concat(), &[]));
    refused(&legacy(&[b"\x95", &eight[..]].concat(), &[]));
    refused(&legacy(b"\x8b\xff\xff\xff\x7f", &[]));
    refused(&legacy(b"r\xff\xff\xff\xff", &[]));
    // Too many dimensions.
    let wide = [1; 1000];
    assert!(refused(&legacy(&tensor(&float(1), 0, &wide, &wide), &[])).contains("dimensions"));
    // One storage used by many tensors.
    let all: Vec<_> = (0..3000)
        .map(|n| (n.to_string(), tensor(&float(1000), 0, &[1000], &[1])))
        .collect();
    let all: Vec<_> = all
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    assert!(refused(&legacy(&dict(&all), &[("0", &[0.0; 1000])])).contains("times its own size"));
    // Long names, nested.
    let name = "n".repeat(2000);
    let named = dict(&[(&name, tensor(&float(1), 0, &[1], &[1]))]);
    assert!(refused(&legacy(&named, &[("0", &[0.0])])).contains("name"));
}

#[test]
fn only_stored_zip_entries_within_their_file_are_read() {
    let pickle = [
        b"\x80\x02",
        &dict(&[("x", tensor(&float(2), 0, &[2], &[1]))])[..],
        b".",
    ]
    .concat();
    let numbers = [1.0_f32.to_le_bytes(), 2.0_f32.to_le_bytes()].concat();
    let sound = [
        Stored::new("a/data.pkl", &pickle),
        Stored::new("a/data/0", &numbers),
    ];
    assert_eq!(
        opened(&zip(&sound)).unwrap().tensors["x"].to_f32(),
        [1.0, 2.0]
    );

    // A bomb: a few compressed bytes that claim 4 GB.
    let bomb = Stored {
        method: 8,
        claimed: u32::MAX,
        ..Stored::new("a/data/0", b"\x03\x00")
    };
    refused(&zip(&[Stored::new("a/data.pkl", &pickle), bomb]));
    let bomb = Stored {
        method: 8,
        claimed: u32::MAX,
        ..Stored::new("a/data.pkl", b"\x03\x00")
    };
    refused(&zip(&[bomb]));
    let false_size = Stored {
        claimed: u32::MAX,
        ..Stored::new("a/data/0", &numbers)
    };
    refused(&zip(&[Stored::new("a/data.pkl", &pickle), false_size]));

    // Many names for the same bytes.
    let zeros = [0; 4000];
    let names: Vec<_> = (0..50).map(|n| format!("a/data/{n}")).collect();
    let values: Vec<_> = (0..50)
        .map(|n: i32| {
            let storage = storage("FloatStorage", &n.to_string(), 1000, None);
            (n.to_string(), tensor(&storage, 0, &[1], &[1]))
        })
        .collect();
    let values: Vec<_> = values
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    let many = [b"\x80\x02", &dict(&values)[..], b"."].concat();
    let mut entries = vec![Stored::new("a/data.pkl", &many)];
    entries.extend(names.iter().enumerate().map(|(n, name)| Stored {
        over: n > 0,
        ..Stored::new(name, &zeros)
    }));
    assert!(refused(&zip(&entries)).contains("overlapping"));

    // One byte of the values changed.
    let mut changed = zip(&sound);
    let at = changed
        .windows(8)
        .position(|window| window == numbers)
        .unwrap();
    changed[at] ^= 1;
    assert!(refused(&changed).contains("damaged"));
    assert!(refused(&zip(&[Stored::new("notes.txt", b"hello")])).contains("something else"));
    assert!(refused(&zip(&sound[..1])).contains("numbers are missing"));
}

#[test]
fn other_kinds_of_files_are_refused_by_name() {
    let mut tar = vec![0; 1536];
    tar[..7].copy_from_slice(b"vox.txt");
    tar[257..262].copy_from_slice(b"ustar");
    let cases: [(&[u8], &str); 10] = [
        (b"", "empty"),
        (b"\n<!DOCTYPE html><html>Quota exceeded", "web page"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "Git LFS",
        ),
        (&tar, "used as it is"),
        (b"{\"error\": \"not found\"}", "JSON"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "compressed"),
        (&[0; 5000], "zeros"),
        (b"PK", "few bytes"),
        (b"\x80\x02}.", "other program"),
        (&legacy(b"}", &[]), "no weights"),
    ];
    for (bytes, part) in cases {
        let text = refused(bytes);
        assert!(text.contains(part), "{text}");
    }
    assert!(
        read(&fixture("gone.pth"))
            .unwrap_err()
            .to_string()
            .contains("gone.pth")
    );
    assert!(
        read(&fixture(""))
            .unwrap_err()
            .to_string()
            .contains("containers")
    );
}

#[test]
fn a_truncated_checkpoint_is_refused() {
    for name in [
        "flat_legacy.pth",
        "flat_legacy_torch03_cuda.pth",
        "nested_legacy.pth.tar",
        "nested_zip.pth.tar",
        "module_zip.pytorch",
    ] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for keep in 0..whole.len() {
            let text = opened(&whole[..keep]).expect_err(name);
            assert!(
                keep < 16 || text.contains("damaged or cut short"),
                "{name}, {keep}: {text}"
            );
        }
    }
}

fn valid() -> Vec<Vec<u8>> {
    let names = [
        "flat_legacy.pth",
        "flat_legacy_torch03_cuda.pth",
        "nested_legacy.pth.tar",
        "nested_zip.pth.tar",
        "module_legacy.pytorch",
        "module_zip.pytorch",
        "expected.safetensors",
    ];
    names
        .map(|name| std::fs::read(fixture(name)).unwrap())
        .to_vec()
}

#[derive(Debug, Clone)]
enum Change {
    Set(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    Remove(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index, prop::sample::Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let opcodes = prop::sample::select(b"\x80().0122NJKMI\x88\x89\x8a\x8bGUXTC\x85\x86\x87t)]}ueashjqrcQRb\x81\x92\x93\x94\x95io\xff\x7f\0".to_vec());
    let byte = prop_oneof![opcodes, any::<u8>()].boxed();
    let place = any::<prop::sample::Index>;
    prop_oneof![
        4 => (place(), byte.clone()).prop_map(|(at, byte)| Change::Set(at, byte)),
        2 => (place(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, 1 << bit)),
        1 => (place(), 1..40_usize).prop_map(|(at, count)| Change::Remove(at, count)),
        2 => (place(), prop::collection::vec(byte, 1..12)).prop_map(|(at, new)| Change::Insert(at, new)),
        1 => (place(), place(), 1..64_usize).prop_map(|(at, from, count)| Change::Repeat(at, from, count)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match change {
            Change::Set(at, byte) => bytes[at.index(length)] = *byte,
            Change::Flip(at, bit) => bytes[at.index(length)] ^= bit,
            Change::Remove(at, count) => {
                let at = at.index(length);
                bytes.drain(at..(at + count).min(length));
            }
            Change::Insert(at, new) => {
                let at = at.index(length);
                bytes.splice(at..at, new.iter().copied());
            }
            Change::Repeat(at, from, count) => {
                let from = from.index(length);
                let piece = bytes[from..(from + count).min(length)].to_vec();
                let at = at.index(length);
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

proptest! {
    #[test]
    fn a_changed_checkpoint_is_read_or_refused_in_one_sentence(
        which in 0..7_usize,
        changes in prop::collection::vec(change(), 1..6),
    ) {
        let bytes = changed(valid().swap_remove(which), &changes);
        if let Ok(checkpoint) = opened(&bytes) {
            let total: usize = checkpoint.tensors.values().map(|tensor| tensor.data.len()).sum();
            prop_assert!(total <= 8 * bytes.len() + (1 << 20));
            for tensor in checkpoint.tensors.values() {
                let count: usize = tensor.shape.iter().product();
                prop_assert_eq!(tensor.data.len(), count * tensor.dtype.size());
                prop_assert_eq!(tensor.to_f32().len(), count);
            }
        }
    }

    #[test]
    fn any_opcodes_are_read_or_refused_in_one_sentence(
        pieces in prop::collection::vec(piece(), 0..60),
    ) {
        let _ = opened(&legacy(&pieces.concat(), &[("0", &[1.0, 2.0, 3.0, 4.0])]));
    }
}

/// Opcodes that are valid together more often than single bytes are.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let fixed: Vec<Vec<u8>> = vec![
        b"}".to_vec(),
        b"]".to_vec(),
        b"(".to_vec(),
        b"u".to_vec(),
        b"e".to_vec(),
        b"t".to_vec(),
        b")".to_vec(),
        b"R".to_vec(),
        b"b".to_vec(),
        b"\x81".to_vec(),
        b"Q".to_vec(),
        b"s".to_vec(),
        b"a".to_vec(),
        b"\x85".to_vec(),
        b"\x86".to_vec(),
        b"0".to_vec(),
        b"1".to_vec(),
        b"2".to_vec(),
        b"q\0".to_vec(),
        b"h\0".to_vec(),
        b"q\x01".to_vec(),
        b"h\x01".to_vec(),
        b"N".to_vec(),
        b"\x94".to_vec(),
        b"\x91".to_vec(),
        b"\x93".to_vec(),
        b"\x92".to_vec(),
        b"ccollections\nOrderedDict\n".to_vec(),
        b"ctorch\nSize\n".to_vec(),
        b"cmodels\nNet\n".to_vec(),
        b"ctorch._utils\n_rebuild_parameter\n".to_vec(),
        b"ctorch._utils\n_rebuild_tensor_v2\n".to_vec(),
        b"ctorch._tensor\n_rebuild_from_type_v2\n".to_vec(),
        str("_modules"),
        str("_buffers"),
        str("a"),
        int(3),
        int(-1),
        int(i64::MAX),
        float(4),
        tensor(&float(4), 0, &[4], &[1]),
    ];
    prop::sample::select(fixed)
}
