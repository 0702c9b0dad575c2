//! Output files never overwrite their inputs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use mien::document::{ClipMotion, MediaSource, MotionKind, Project};
use mien::face::portrait::Portrait;
use mien::methods::ganimation::model::Model;
use mien::project::file::{Embed, MediaIndex, ProjectFile};

use crate::support::{clip, failure, mien, portrait, resource, succeed};

/// Every file in a folder and its subfolders, with its content.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            let content = fs::read(&path).unwrap();
            files.insert(path.to_str().unwrap().to_owned(), content);
        }
    }
    files
}

#[test]
fn no_input_is_replaced_under_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let at = |name: &str| folder.join(name);
    fs::copy(portrait(), at("p.png")).unwrap();
    fs::copy(portrait(), at("neutral.png")).unwrap();
    fs::copy(portrait(), at("s_0002.png")).unwrap();
    fs::copy(resource("resources/clips/sample.mp4"), at("c.mp4")).unwrap();
    fs::copy(resource("weights/ganimation-128.safetensors"), at("w.gif")).unwrap();
    let frames = clip(folder, &["neutral", "smile"]);
    for (number, name) in ["0000.jpg", "0001.jpg"].into_iter().enumerate() {
        let to = at("clip").join(format!("f_{:04}.png", number + 1));
        fs::rename(Path::new(&frames).join(name), to).unwrap();
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("p.png", at("link.png")).unwrap();
        fs::hard_link(at("p.png"), at("hard.png")).unwrap();
    }
    let before = files(folder);

    let edit = ["edit", "p.png", "--au", "12=1"];
    let cases: &[(&[&str], &[&str])] = &[
        (&edit, &["-o", "p.png"]),
        (&edit, &["-o", "./clip/../p.png"]),
        #[cfg(unix)]
        (&edit, &["-o", "link.png"]),
        #[cfg(unix)]
        (&edit, &["-o", "hard.png"]),
        (&edit, &["--neutral", "neutral.png", "-o", "neutral.png"]),
        (&edit, &["--weights", "w.gif", "-o", "w.gif"]),
        (
            &["edit", "s_0002.png", "--au", "12=1", "--frames", "3"],
            &["-o", "s.png"],
        ),
        (
            &["transfer", "p.png", "c.mp4", "--frames", "1-2"],
            &["-o", "c.mp4"],
        ),
        (
            &["transfer", "p.png", "clip", "--frames", "1-2"],
            &["-o", "clip/f.png"],
        ),
        (
            &["transfer", "p.png", "clip/f_%04d.png"],
            &["-o", "clip/f.png"],
        ),
        (
            &["compare", "p.png", "--preset", "happy", "--frames", "2"],
            &["--methods", "rig", "--metrics", "p.png", "-o", "cmp.png"],
        ),
        (
            &["compare", "p.png", "--preset", "happy", "--frames", "2"],
            &["--methods", "rig", "--plot", "p.png", "-o", "cmp.png"],
        ),
        (
            &["compare", "p.png", "c.mp4", "--methods", "rig"],
            &["-o", "c.mp4"],
        ),
    ];
    for (command, output) in cases {
        let words = [*command, *output].concat();
        let message = failure(&mien(folder, &words), 1);
        assert!(
            message.contains("is one of the files that the result is made from"),
            "{words:?}: {message}"
        );
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    assert!(files(folder) == before, "a file has changed");
}

#[test]
fn a_project_and_its_media_are_not_replaced_by_its_export() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::copy(portrait(), folder.join("p.png")).unwrap();
    fs::copy(resource("resources/clips/sample.mp4"), folder.join("c.mp4")).unwrap();
    let rule = Model::bundled().unwrap();
    let portrait = Portrait::open(&folder.join("p.png"), rule.crop()).unwrap();
    let mut project = Project::new(portrait.document(0));
    let clip = ClipMotion::new(MediaSource::File(folder.join("c.mp4")));
    project.add("Clip", MotionKind::Clip(clip));
    let index = MediaIndex::default();
    for name in ["a.mien", "x_0001.png"] {
        ProjectFile::save(&project, &folder.join(name), Embed::Nothing, &index).unwrap();
    }
    let before = files(folder);
    for (project, output) in [
        ("a.mien", "c.mp4"),
        // The project itself, under a name that an output could have.
        ("x_0001.png", "x.png"),
    ] {
        let message = failure(&mien(folder, &["export", project, "-o", output]), 1);
        assert!(
            message.contains("that the result is made from"),
            "{message}"
        );
    }
    assert!(files(folder) == before);
}

#[test]
fn saved_codes_replace_only_code_files() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let at = |name: &str| folder.join(name);
    let sample = ["sample", "--frames", "2", "--size", "16", "-q"];
    let run = |more: &[&str]| mien(folder, &[&sample, more].concat());

    fs::write(at("notes.json"), r#"{"mine": 1}"#).unwrap();
    for output in ["notes.gif", "notes.json"] {
        let message = failure(&run(&["--seed", "1", "-o", output]), 1);
        assert!(message.contains("isn't a sample's codes"), "{message}");
    }
    assert_eq!(
        fs::read_to_string(at("notes.json")).unwrap(),
        r#"{"mine": 1}"#
    );
    assert!(!at("notes.gif").exists());

    succeed(&run(&["--seed", "1", "-o", "a.json"]));
    let first = fs::read(at("a.json")).unwrap();
    // Another sample replaces it, unless it is made from that one.
    let message = failure(
        &run(&["--seed", "2", "--motion", "a.json", "-o", "a.gif"]),
        1,
    );
    assert!(
        message.contains("that the result is made from"),
        "{message}"
    );
    assert_eq!(fs::read(at("a.json")).unwrap(), first);
    // Writing the same codes again loses nothing.
    succeed(&run(&[
        "--content",
        "a.json",
        "--motion",
        "a.json",
        "-o",
        "a.gif",
    ]));
    assert_eq!(fs::read(at("a.json")).unwrap(), first);
    succeed(&run(&["--seed", "2", "-o", "a.json"]));
    assert_ne!(fs::read(at("a.json")).unwrap(), first);
}
