//! Any damage to a project file gives a one-sentence error.

use std::fs;

use mien::project::file::Embed;
use serde_json::Value;

use crate::support::{archive, everything, json, open, put_json, save, save_again, sentence, text};

#[test]
fn each_kind_of_invalid_project_file_has_its_own_message() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.mien");
    save(&everything(folder.path()), &path, Embed::Unchanged);
    let good = text(&path);
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1).into_bytes()
    };
    let line = 1 + good
        .lines()
        .position(|line| line.contains("\"crop\""))
        .unwrap();
    let damaged = format!("damaged at line {line} ");
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"\x89PNG\r\n\x1a\n".to_vec(), "is not a Mien project"),
        (b"{\"a\": 1".to_vec(), "is not a Mien project"),
        (b"[1, 2]".to_vec(), "is JSON, but not a Mien project"),
        (
            b"{\"format\": \"mien-sample\", \"version\": 1}".to_vec(),
            "is JSON, but not a Mien project",
        ),
        (
            with("\"version\": 2", "\"version\": 3"),
            "newer version of Mien",
        ),
        (with("\"version\": 2", "\"version\": 0"), "its version is 0"),
        (
            with("\"version\": 2", "\"version\": {}"),
            "its version is {}",
        ),
        (with("\"version\": 2,", ""), "it has no version"),
        (with("\"crop\": {", "\"crop\": {,"), &damaged),
        (with("\"side\": 200.7", "\"side\": 1e40"), "out of range"),
        (with("\"side\": 200.7", "\"side\": 1e999"), "out of range"),
        (
            with("\"id\": 2", "\"id\": 1"),
            "two motions have the number 1",
        ),
        (
            with("\"id\": 2", "\"id\": 4294967295"),
            "highest motion number",
        ),
    ];
    for (bytes, part) in cases {
        // In an archive, and as plain JSON.
        for file in [archive([("project.json", &bytes[..])]), bytes] {
            fs::write(&path, file).unwrap();
            let words = sentence(open(&path).unwrap_err());
            assert!(words.contains("odd.mien"), "{words}");
            assert!(words.contains(part), "{part}: {words}");
        }
    }
    fs::write(&path, "").unwrap();
    let words = sentence(open(&path).unwrap_err());
    assert!(words.contains("odd.mien is empty (0 bytes)"), "{words}");
    let words = sentence(open(&folder.path().join("none.mien")).unwrap_err());
    assert!(words.contains("none.mien doesn't exist"), "{words}");
    let words = sentence(open(folder.path()).unwrap_err());
    assert!(words.contains("is a folder"), "{words}");
    // Some Windows editors begin a file with a byte order mark.
    fs::write(&path, format!("\u{feff}{good}")).unwrap();
    open(&path).unwrap();
}

#[test]
fn a_truncated_project_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    save(&everything(folder.path()), &path, Embed::All);
    let whole = fs::read(&path).unwrap();
    for end in (0..whole.len())
        .step_by(7)
        .chain(whole.len() - 40..whole.len())
    {
        fs::write(&path, &whole[..end]).unwrap();
        sentence(open(&path).unwrap_err());
    }
}

#[test]
fn a_changed_byte_is_reported_or_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    save(&everything(folder.path()), &path, Embed::All);
    let whole = fs::read(&path).unwrap();
    let want = open(&path).unwrap().project;
    let mut refused = 0;
    for at in (0..whole.len())
        .step_by(3)
        .chain(whole.len() - 400..whole.len())
    {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x41;
        fs::write(&path, &bytes).unwrap();
        // Media that are already unpacked would not be read again.
        fs::remove_dir_all(folder.path().join("unpacked")).unwrap();
        fs::create_dir(folder.path().join("unpacked")).unwrap();
        match open(&path) {
            Ok(opened) => assert_eq!(opened.project, want, "byte {at}"),
            Err(error) => {
                sentence(error);
                refused += 1;
            }
        }
    }
    assert!(refused > 200, "{refused}");
}

/// All paths in a JSON value, as JSON pointers.
fn places(value: &Value, at: String, all: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let name = name.replace('~', "~0").replace('/', "~1");
                places(value, format!("{at}/{name}"), all);
            }
        }
        Value::Array(list) => {
            for (i, value) in list.iter().enumerate().take(2) {
                places(value, format!("{at}/{i}"), all);
            }
        }
        _ => {}
    }
    all.push(at);
}

#[test]
fn replacing_any_json_value_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    let again = folder.path().join("again.mien");
    save(&everything(folder.path()), &path, Embed::All);
    let good = json(&path);
    let mut all = Vec::new();
    places(&good, String::new(), &mut all);
    assert!(all.len() > 100, "{}", all.len());
    let odd = [
        "null",
        "-1",
        "1e300",
        "18446744073709551615",
        "\"../x\"",
        "[]",
        "{}",
        "[[0]]",
    ];
    let (mut refused, mut taken) = (0, 0);
    for place in &all {
        for odd in odd {
            let mut value = good.clone();
            *value.pointer_mut(place).unwrap() = serde_json::from_str(odd).unwrap();
            put_json(&path, &value.to_string());
            match open(&path) {
                Err(error) => {
                    sentence(error);
                    refused += 1;
                }
                Ok(opened) => {
                    // A project that opens can be saved and opened again.
                    save_again(&opened, &again, Embed::Nothing);
                    assert_eq!(
                        open(&again).unwrap().project,
                        opened.project,
                        "{place} {odd}"
                    );
                    taken += 1;
                }
            }
        }
    }
    assert!(
        refused > taken && taken > 0,
        "{refused} refused, {taken} taken"
    );
}
