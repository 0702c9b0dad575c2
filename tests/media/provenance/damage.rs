//! Truncated, modified or made-up files: an error or a file, never a crash, and the input unchanged.

use std::io::Cursor;

use proptest::prelude::*;

use super::{all, note};
use crate::common::media::provenance::read;

fn position(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}

/// Reads and marks the bytes: accepted files are marked, rejected ones are unchanged.
fn assert_no_panic(bytes: &[u8]) {
    let _ = read(bytes);
    match note().put(bytes) {
        Ok(marked) => {
            let found = read(&marked).expect("marked, but not found");
            assert!(!found.source.is_empty());
        }
        Err(error) => {
            let mut in_place = Cursor::new(bytes.to_vec());
            if note().put_mp4(&mut in_place).is_err() {
                assert_eq!(in_place.get_ref(), bytes);
            }
            let sentence = error.to_string();
            assert!(
                sentence.ends_with('.') && sentence.contains(';'),
                "{sentence}"
            );
        }
    }
}

#[test]
fn a_file_truncated_anywhere_never_panics() {
    for (_, file) in all() {
        let marked = note().put(&file).unwrap();
        for length in 0..marked.len() {
            assert_no_panic(&marked[..length]);
        }
    }
}

#[test]
fn a_file_with_any_byte_at_an_extreme_never_panics() {
    for (_, file) in all() {
        let marked = note().put(&file).unwrap();
        // The packet is long and tested with its own reader: only a few of its bytes are changed, but all of the container's.
        let packet = note().packet().len();
        let start = position(&marked, b"<?xpacket").unwrap_or(marked.len());
        for at in 0..marked.len() {
            if (start..start + packet).contains(&at) && at % 97 != 0 {
                continue;
            }
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = marked.clone();
                changed[at] = value;
                assert_no_panic(&changed);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn changed_removed_and_inserted_bytes_never_panic(
        which in 0usize..12,
        is_marked in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..12),
    ) {
        let (_, mut file) = all().swap_remove(which);
        if is_marked {
            file = note().put(&file).unwrap();
        }
        for (at, value, how) in changes {
            if file.is_empty() {
                break;
            }
            let at = at.index(file.len());
            match how {
                0 => { file.remove(at); }
                1 => file.insert(at, value),
                2 => file.truncate(at.max(20)),
                _ => file[at] = value,
            }
        }
        assert_no_panic(&file);
    }

    #[test]
    fn noise_after_a_signature_never_panics(kind in 0usize..12, noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let (_, mut file) = all().swap_remove(kind);
        file.truncate(16);
        file.extend(noise);
        assert_no_panic(&file);
    }
}
