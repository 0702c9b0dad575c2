//! A job split among several machines: its parts together equal the whole, byte for byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;

use crate::common::media::names;
use crate::common::media::provenance::read as read_provenance;
use crate::support::{failure, mien, portrait, resource, succeed};
use mien::media::clip::Clip;

/// The one-sentence error of a failed command.
fn sentence(output: &Output) -> String {
    let words = failure(output, 1);
    assert_eq!(words.lines().count(), 1, "{words}");
    words
}

/// Every file of a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |name: String| {
        let bytes = fs::read(folder.join(&name)).unwrap();
        (name, bytes)
    };
    names(folder).into_iter().map(read).collect()
}

/// Runs a job at once and in parts, each into its own folder, and compares. `arguments` lack `--frames`, which is
/// `whole` for the whole job (or absent) and then each of `parts`.
fn compare(arguments: &[&str], whole: &[&str], parts: &[&str], frames: usize) {
    let folder = tempfile::tempdir().unwrap();
    let (at_once, shared) = (folder.path().join("whole"), folder.path().join("shared"));
    fs::create_dir(&at_once).unwrap();
    fs::create_dir(&shared).unwrap();
    succeed(&mien(
        folder.path(),
        &[arguments, whole, &["-q", "-o", "whole/f.png"]].concat(),
    ));
    for (index, part) in parts.iter().enumerate() {
        let more = ["--frames", part, "-q", "-o", "shared/f.png"];
        succeed(&mien(folder.path(), &[arguments, &more].concat()));
        let pictures = names(&shared)
            .into_iter()
            .filter(|name| name.ends_with(".png"));
        let is_done = index + 1 == parts.len();
        assert_eq!(pictures.count() == frames, is_done, "after {part}");
    }
    let (at_once, shared) = (files(&at_once), files(&shared));
    let pictures = |files: &BTreeMap<String, Vec<u8>>| {
        let names = files.keys().filter(|name| name.ends_with(".png")).cloned();
        names.collect::<Vec<_>>()
    };
    let expected: Vec<_> = (1..=frames).map(|i| format!("f_{i:04}.png")).collect();
    assert_eq!(pictures(&at_once), expected);
    assert_eq!(pictures(&shared), expected);
    for (name, bytes) in &at_once {
        assert!(shared[name] == *bytes, "{name} differs");
    }
    for (name, bytes) in &shared {
        if name.ends_with(".png") {
            assert!(read_provenance(bytes).is_some(), "{name} has no note");
        }
    }
}

#[test]
fn an_edit_exported_in_parts_equals_the_whole() {
    let portrait = resource("resources/samples/astronaut.png");
    // The motion begins and ends at the portrait's expression; such a frame alone would need no provenance note.
    let arguments = [
        "edit",
        &portrait,
        "--preset",
        "happy",
        "--scale",
        "0.5",
        "--pingpong",
    ];
    compare(
        &arguments,
        &["--frames", "4"],
        &["1-1/4", "5-6/4", "2-4/4"],
        6,
    );
}

#[test]
fn a_sample_exported_in_parts_equals_the_whole() {
    let arguments = ["sample", "--seed", "5", "--size", "64"];
    compare(&arguments, &["--frames", "7"], &["1-3/7", "4-7/7"], 7);
    // Without a length, the published network's default.
    compare(&arguments, &[], &["10-16", "1-9"], 16);

    let folder = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str]| sentence(&mien(folder.path(), arguments));
    let drawn = refused(&["sample", "--frames", "1-4", "-o", "f.png"]);
    assert!(drawn.contains("--seed"), "{drawn}");
    let beyond = refused(&["sample", "--seed", "5", "--frames", "9-17", "-o", "f.png"]);
    assert!(beyond.contains("which is number 16"), "{beyond}");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_transfer_exported_in_parts_equals_the_whole() {
    let portrait = portrait();
    // Smoothing, neutral frame and reference depend on the whole clip, whichever frames are written.
    for method in ["ganimation", "fomm"] {
        let arguments = [
            "transfer",
            &portrait,
            "--sample-clip",
            "--to",
            "0.2",
            "--scale",
            "0.25",
            "--method",
            method,
        ];
        let folder = tempfile::tempdir().unwrap();
        let all = ["-q", "-o", "all.apng"];
        succeed(&mien(folder.path(), &[&arguments[..], &all].concat()));
        let frames = Clip::open(&folder.path().join("all.apng")).unwrap().count();
        assert!(frames > 3, "{frames}");

        let last = format!("3-{frames}");
        compare(&arguments, &[], &["1-2", &last], frames);

        // A part of an animation is a shorter animation.
        let part = [
            "--frames",
            "2-4",
            "-q",
            "-o",
            "part.webp",
            "--quality",
            "50",
        ];
        succeed(&mien(folder.path(), &[&arguments[..], &part].concat()));
        let part = Clip::open(&folder.path().join("part.webp")).unwrap();
        assert_eq!(part.filter(Result::is_ok).count(), 3);

        let refused = |part: &str| {
            let more = ["--frames", part, "-o", "x.png"];
            sentence(&mien(folder.path(), &[&arguments[..], &more].concat()))
        };
        let beyond = refused(&format!("2-{}", frames + 1));
        assert!(
            beyond.contains(&format!("which is number {frames}")),
            "{beyond}"
        );
        assert!(refused("5").contains("write 1-5"));
        assert_eq!(names(folder.path()), ["all.apng", "part.webp"]);
    }
}
