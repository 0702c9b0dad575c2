//! Untrusted input: pipes and devices under ordinary names, odd names, damaged weights, and a standard error that can't
//! be written to.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use mien::document::{MediaSource, Project};
use mien::face::portrait::Portrait;
use mien::methods::ganimation::model::Model;
use mien::project::file::{Embed, MediaIndex, ProjectFile};

use crate::support::{command, failure, mien, portrait, resource, succeed};

/// The output of a command that must end in time.
fn in_time(mut command: Command) -> Output {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("{command:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

/// A project file whose portrait is stored as another path.
fn project(folder: &Path, portrait: &Path, stored: &Path) {
    let rule = Model::bundled().unwrap();
    let portrait = Portrait::open(portrait, rule.crop()).unwrap();
    let mut document = portrait.document(0);
    document.portrait.source = MediaSource::File(stored.to_owned());
    let (path, index) = (folder.join("a.mien"), MediaIndex::default());
    ProjectFile::save(&Project::new(document), &path, Embed::Nothing, &index).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_or_closed_standard_error_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let portrait = portrait();
    fs::create_dir_all(folder.join("data/weights")).unwrap();
    fs::write(folder.join("data/weights/odd.safetensors"), "odd").unwrap();
    let cases: [(&[&str], i32, &[&str]); 5] = [
        (&["edit", "nope.png", "--au", "12=1", "-o", "x.png"], 1, &[]),
        // A remark before the work: the picture has no face.
        (
            &["edit", "grey.png", "--au", "12=0", "-o", "o.png"],
            0,
            &["o.png"],
        ),
        (
            &["transfer", &portrait, "--sample-clip", "--scale", "0.1"],
            0,
            &["t_0001.png", "t_0002.png"],
        ),
        (
            &["sample", "--seed", "1", "--frames", "2", "-o", "s.gif"],
            0,
            &["s.gif", "s.json"],
        ),
        (&["weights", "list"], 0, &[]),
    ];
    let grey = mien::media::image::Picture::new(64, 64, vec![90; 64 * 64 * 4]).unwrap();
    mien::media::encode::save_png(&folder.join("grey.png"), &grey).unwrap();
    for (words, code, files) in cases {
        let mut words = words.to_vec();
        if words[0] == "transfer" {
            words.extend(["--frames", "1-2", "-o", "t.png"]);
        }
        for closed in [false, true] {
            for file in files {
                let _ = fs::remove_file(folder.join(file));
            }
            let mut command = command(folder, &words);
            let full = File::options().write(true).open("/dev/full").unwrap();
            command.stderr(if closed { Stdio::piped() } else { full.into() });
            let mut child = command.stdout(Stdio::null()).spawn().unwrap();
            drop(child.stderr.take());
            let status = child.wait().unwrap();
            assert_eq!(status.code(), Some(code), "{words:?}");
            for file in files {
                assert!(folder.join(file).is_file(), "{file}");
            }
        }
    }
}

#[test]
#[cfg(unix)]
fn pipes_and_devices_are_refused_without_blocking() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for data_folder in ["data/weights", "data/presets"] {
        fs::create_dir_all(folder.join(data_folder)).unwrap();
    }
    let pipe = |name: &str| {
        let made = Command::new("mkfifo").arg(folder.join(name)).status();
        assert!(made.unwrap().success());
    };
    let endless = |name: &str| std::os::unix::fs::symlink("/dev/zero", folder.join(name)).unwrap();
    pipe("pipe.mien");
    endless("zero.mien");
    pipe("data/weights/pipe.safetensors");
    endless("data/weights/zero.safetensors");
    pipe("data/presets/pipe.json");
    endless("data/presets/zero.json");

    let portrait = portrait();
    let edit = ["edit", &portrait, "-o", "x.png"];
    let cases: [(Vec<&str>, i32); 10] = [
        (vec!["export", "pipe.mien", "-o", "x.gif"], 1),
        (vec!["export", "zero.mien", "-o", "x.gif"], 1),
        ([&edit[..], &["--weights", "pipe.mien"]].concat(), 1),
        ([&edit[..], &["--weights", "/dev/zero"]].concat(), 1),
        (vec!["weights", "check", "pipe.mien"], 1),
        (vec!["weights", "import", "zero.mien"], 1),
        (vec!["sample", "--content", "pipe.mien", "-o", "x.gif"], 1),
        (vec!["sample", "--motion", "/dev/zero", "-o", "x.gif"], 1),
        (vec!["weights", "list"], 0),
        (
            [&edit[..], &["--preset", "happy", "--scale", "0.1"]].concat(),
            0,
        ),
    ];
    for (words, code) in cases {
        let output = in_time(command(folder, &words));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {stderr}");
        if code == 1 {
            assert!(stderr.contains("device or pipe"), "{words:?}: {stderr}");
        }
    }
}

#[test]
#[cfg(unix)]
fn names_from_files_are_escaped_and_shortened_in_messages() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let odd = "\u{1b}]0;PWNED\u{7}\u{1b}[2J\nmien: all went well\u{202e}.png";
    project(folder, Path::new(&portrait()), &folder.join(odd));
    fs::copy(portrait(), folder.join("b\u{1b}[2J\n.png")).unwrap();
    fs::create_dir_all(folder.join("data/presets")).unwrap();
    let long = "z".repeat(100_000);
    let preset = serde_json::json!({"name": long, "aus": {}});
    fs::write(folder.join("data/presets/z.json"), preset.to_string()).unwrap();
    let portrait = portrait();
    for words in [
        &["export", "a.mien", "-o", "x.png"][..],
        &["edit", "b\u{1b}[2J\n.png", "--face", "7", "-o", "x.png"],
        &["edit", "gone\u{1b}[2J\n.png", "-o", "x.png"],
        &["edit", &portrait, "--preset", "q\u{1b}[2J\n", "-o", "x.png"],
        &["edit", &portrait, "-o", "x\u{1b}[2J\n"],
        &[
            "edit",
            &portrait,
            "--weights",
            "w\u{1b}[2J\n.x",
            "-o",
            "x.png",
        ],
        &["weights", "check", "w\u{1b}[2J\n.x"],
    ] {
        let stderr = String::from_utf8(mien(folder, words).stderr).unwrap();
        let line = stderr.strip_suffix('\n').unwrap();
        let is_plain = |c: char| !c.is_control() && c != '\u{202e}';
        let last = line.lines().last().unwrap();
        assert!(last.chars().all(is_plain), "{stderr:?}");
        let is_ours = |line: &str| !line.starts_with("mien: all went well");
        assert!(stderr.lines().all(is_ours), "{stderr}");
        assert!(stderr.len() < 5000, "{} bytes", stderr.len());
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}

#[test]
fn weights_with_nan_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let portrait = portrait();
    for (file, options) in [
        (
            "ganimation-128",
            &["edit", &portrait, "--au", "12=0", "-o", "o.png"][..],
        ),
        (
            "fomm-128",
            &[
                "transfer",
                &portrait,
                "--sample-clip",
                "--method",
                "fomm",
                "-o",
                "o.gif",
            ],
        ),
        (
            "tps-128",
            &[
                "transfer",
                &portrait,
                "--sample-clip",
                "--method",
                "tps",
                "-o",
                "o.gif",
            ],
        ),
        ("mocogan-64", &["sample", "--seed", "1", "-o", "o.gif"]),
    ] {
        let mut bytes = fs::read(resource(&format!("weights/{file}.safetensors"))).unwrap();
        // For any type, all bits set in the last number make a NaN.
        let last = bytes.len() - 8;
        bytes[last..].fill(0xff);
        fs::write(folder.join("nan.safetensors"), bytes).unwrap();
        let weights = ["--weights", "nan.safetensors"];
        let stderr = failure(&mien(folder, &[options, &weights].concat()), 1);
        assert!(stderr.contains("NaN or infinite"), "{file}: {stderr}");
        let check = succeed(&mien(folder, &["weights", "check", weights[1]]));
        assert!(check.contains("damaged"), "{check}");
        if file == "ganimation-128" {
            let stderr = failure(&mien(folder, &["weights", "import", weights[1]]), 1);
            assert!(stderr.contains("NaN or infinite"), "{stderr}");
            assert!(!folder.join("data/weights/nan.safetensors").exists());
        }
        assert!(!folder.join("o.png").exists() && !folder.join("o.gif").exists());
    }
}

#[test]
fn an_export_reports_media_that_changed_or_moved() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = folder.join("p.png");
    fs::copy(portrait(), &path).unwrap();
    project(folder, &path, &path);
    let export = ["export", "a.mien", "--scale", "0.1", "-o", "o.gif"];
    let stderr = |output: Output| {
        succeed(&output);
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(stderr(mien(folder, &export)), "");

    fs::create_dir(folder.join("sub")).unwrap();
    fs::rename(&path, folder.join("sub/p.png")).unwrap();
    let moved = stderr(mien(folder, &export));
    assert!(moved.contains("p.png has moved"), "{moved}");

    fs::copy(resource("resources/samples/astronaut.png"), &path).unwrap();
    let changed = stderr(mien(folder, &export));
    assert!(changed.contains("p.png has changed since"), "{changed}");
    let quiet = [&export[..], &["--quiet"]].concat();
    assert_eq!(stderr(mien(folder, &quiet)), "");
}

#[test]
fn invalid_environment_variables_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, value, is_refused) in [
        ("MIEN_DEVICE", "zzz", true),
        ("MIEN_DEVICE", "cpu", false),
        ("MIEN_DEVICE", "", false),
        ("RAYON_NUM_THREADS", "100000", true),
        ("RAYON_NUM_THREADS", "2", false),
    ] {
        let mut command = command(folder.path(), &["weights", "list"]);
        let output = in_time({
            command.env(name, value);
            command
        });
        assert_eq!(output.status.success(), !is_refused, "{name}={value}");
        if is_refused {
            assert!(failure(&output, 1).contains(name));
        }
    }
}
