//! Malicious archives are rejected with one sentence, using little memory and time.

use std::fs;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use mien::project::file::Embed;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::support::{
    archive, entries, everything, json, names, open, put_json, save, sentence, text,
};

/// Returns the error of opening these bytes.
fn refusal(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.mien");
    fs::write(&path, bytes).unwrap();
    let words = sentence(open(&path).unwrap_err());
    assert_eq!(names(folder.path()), ["odd.mien"], "nothing is unpacked");
    assert!(words.contains("odd.mien"), "{words}");
    words
}

/// Replaces a name in all headers by one of the same length.
fn renamed(archive: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = archive.to_vec();
    let mut replaced = 0;
    for at in 0..bytes.len() - from.len() {
        if &bytes[at..at + from.len()] == from.as_bytes() {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
            replaced += 1;
        }
    }
    assert_eq!(replaced, 2);
    bytes
}

/// A project without media.
fn good() -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    save(&everything(folder.path()), &path, Embed::Unchanged);
    text(&path)
}

/// A project with embedded media, in a folder of its own.
fn with_media() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    save(&everything(folder.path()), &path, Embed::All);
    (folder, path)
}

#[test]
fn an_entry_name_outside_the_archive_is_refused() {
    let good = good();
    let plain = archive([
        ("project.json", good.as_bytes()),
        ("aa/bb/evil.png", b"evil"),
    ]);
    for name in [
        "../../evil.png",
        "aa/../evil.png",
        "/a/bb/evil.png",
        "aa\\bb\\evil.png",
        "C:/bb/evil.png",
    ] {
        let words = refusal(&renamed(&plain, "aa/bb/evil.png", name));
        assert!(words.contains("points outside"), "{name}: {words}");
    }
}

#[test]
fn two_entries_of_the_same_name_are_refused() {
    let good = good();
    let other = good.replace("\"side\": 200.7", "\"side\": 100.0");
    let two = archive([
        ("project.json", good.as_bytes()),
        ("project.jsom", other.as_bytes()),
    ]);
    let words = refusal(&renamed(&two, "project.jsom", "project.json"));
    assert!(words.contains("the same name"), "{words}");
}

#[test]
fn an_archive_of_another_program_is_refused() {
    for other in [
        archive([("mimetype", &b"image/openraster"[..])]),
        archive([("sub/project.json", good().as_bytes())]),
    ] {
        let words = refusal(&other);
        assert!(
            words.contains("ZIP archive, but not a Mien project"),
            "{words}"
        );
    }
}

#[test]
fn a_file_that_only_begins_like_an_archive_is_refused() {
    let words = refusal(b"PK\x03\x04 and nothing else");
    assert!(words.contains("list of contents"), "{words}");
    let mut long = vec![b'P'; 40 << 20];
    long[..4].copy_from_slice(b"PK\x03\x04");
    let words = refusal(&long);
    assert!(words.contains("list of contents"), "{words}");
}

/// The offset of the index of an archive with one entry.
fn index(archive: &[u8]) -> usize {
    archive
        .windows(4)
        .rposition(|bytes| bytes == b"PK\x01\x02")
        .unwrap()
}

#[test]
fn encrypted_entries_and_other_compression_methods_are_refused() {
    let plain = archive([("project.json", good().as_bytes())]);
    let index = index(&plain);
    for (at, value) in [(8, 1), (10, 12), (10, 99), (10, 14)] {
        // In the index, and in the entry's header.
        let mut bytes = plain.clone();
        bytes[index + at] = value;
        bytes[at - 2] = value;
        let words = refusal(&bytes);
        assert!(
            words.contains("compressed in a way"),
            "{at} {value}: {words}"
        );
    }
}

#[test]
fn a_central_directory_that_claims_gigabytes_is_refused() {
    let plain = archive([("project.json", good().as_bytes())]);
    let (index, end) = (index(&plain), plain.len() - 22);
    let with = |at: usize, claim: &[u8]| {
        let mut bytes = plain.clone();
        bytes[at..][..claim.len()].copy_from_slice(claim);
        bytes
    };
    let gigabytes = 0x7fff_fff0_u32.to_le_bytes();
    let words = refusal(&with(index + 42, &gigabytes));
    assert!(words.contains("doesn't match its list"), "{words}");
    // The number of entries, and the offset of the index.
    for (at, claim) in [
        (8, &gigabytes[..2]),
        (10, &gigabytes[..2]),
        (16, &gigabytes),
    ] {
        let words = refusal(&with(end + at, claim));
        assert!(words.contains("list of contents"), "{words}");
    }
    // The sizes of the entry and of the index aren't used.
    for (at, claim) in [
        (index + 20, &gigabytes[..]),
        (index + 24, &gigabytes),
        (end + 12, &gigabytes[..2]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mien");
        fs::write(&path, with(at, claim)).unwrap();
        assert_eq!(open(&path).unwrap().missing().len(), 3);
    }
}

#[test]
fn a_central_directory_without_an_end_is_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.start_file("project.json", options).unwrap();
    zip.write_all(good().as_bytes()).unwrap();
    let long = "x".repeat(60_000);
    for i in 0..300 {
        zip.start_file(format!("{i}{long}"), options).unwrap();
    }
    let words = refusal(&zip.finish().unwrap().into_inner());
    assert!(words.contains("list of contents"), "{words}");
}

/// Compresses a beginning followed by many zeros.
fn bomb(name: &str, begin: &[u8], bytes: u64, zip: &mut ZipWriter<Cursor<Vec<u8>>>) {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    zip.start_file(name, options).unwrap();
    zip.write_all(begin).unwrap();
    io::copy(&mut io::repeat(b' ').take(bytes), zip).unwrap();
}

#[test]
fn a_zip_bomb_in_place_of_the_project_is_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    bomb("project.json", good().as_bytes(), 300 << 20, &mut zip);
    let bytes = zip.finish().unwrap().into_inner();
    assert!(bytes.len() < 2 << 20, "{}", bytes.len());
    let words = refusal(&bytes);
    assert!(words.contains("larger than Mien opens"), "{words}");
}

/// Asserts that no part of a medium is in the folder of unpacked media.
fn assert_not_unpacked(folder: &Path, medium: &str) {
    let unpacked = folder.join("unpacked");
    if unpacked.exists() {
        for digest in names(&unpacked) {
            assert_ne!(names(&unpacked.join(digest)), [medium]);
        }
    }
}

#[test]
fn a_zip_bomb_in_place_of_a_medium_is_refused() {
    let (folder, path) = with_media();
    let json = text(&path);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries(&path) {
        let bytes = if name == "media/ada.png" { 50 << 20 } else { 0 };
        let content = if name == "project.json" {
            json.as_bytes()
        } else {
            &content
        };
        bomb(&name, content, bytes, &mut zip);
    }
    fs::write(&path, zip.finish().unwrap().into_inner()).unwrap();
    let words = sentence(open(&path).unwrap_err());
    assert!(
        words.contains("the content of \"media/ada.png\" doesn't match its digest"),
        "{words}"
    );
    assert_not_unpacked(folder.path(), "ada.png");
}

#[test]
fn a_table_that_claims_gigabytes_is_refused() {
    let (folder, path) = with_media();
    let mut value = json(&path);
    value["media"]["media/ada.png"]["bytes"] = 1_000_000_000u64.into();
    put_json(&path, &value.to_string());
    let words = sentence(open(&path).unwrap_err());
    assert!(words.contains("doesn't match its digest"), "{words}");
    assert_not_unpacked(folder.path(), "ada.png");
    value["media"]["media/ada.png"]["bytes"] = u64::MAX.into();
    put_json(&path, &value.to_string());
    let words = sentence(open(&path).unwrap_err());
    assert!(words.contains("more than any project"), "{words}");
}

#[test]
fn a_medium_missing_from_the_archive_or_different_is_refused() {
    let (folder, path) = with_media();
    let whole = entries(&path);
    let kept = |name: &str| name != "media/ada.png";
    let without = whole.iter().filter(|(name, _)| kept(name));
    let without = without.map(|(name, content)| (&name[..], &content[..]));
    fs::write(&path, archive(without)).unwrap();
    let words = sentence(open(&path).unwrap_err());
    assert!(
        words.contains("the content of \"media/ada.png\", which it contains, can't be read"),
        "{words}"
    );
    let other = whole.iter().map(|(name, content)| {
        let content = if kept(name) {
            &content[..]
        } else {
            b"a portraiT"
        };
        (&name[..], content)
    });
    fs::write(&path, archive(other)).unwrap();
    let words = sentence(open(&path).unwrap_err());
    assert!(words.contains("doesn't match its digest"), "{words}");
    assert_not_unpacked(folder.path(), "ada.png");
}

#[test]
fn deeply_nested_json_does_not_overflow_the_stack() {
    let deep = format!(
        "{{\"format\": \"mien-project\", \"x\": {}",
        "[".repeat(1 << 20)
    );
    refusal(deep.as_bytes());
    refusal(&archive([("project.json", deep.as_bytes())]));
}
