//! One clear sentence for every error.

use std::path::Path;
use std::process::Command;

use super::{edit, failure, mien, sample, succeed};
use crate::common::media::names;
use mien::media;
use mien::media::image::Picture;

#[test]
fn wrong_arguments_give_a_one_sentence_error() {
    let folder = tempfile::tempdir().unwrap();
    let portrait = sample("astronaut.png");
    let cases: [(&[&str], &str); 45] = [
        (
            &["--yaw", "21", "-o", "x.png"],
            "--yaw 21 is out of range; use a number from -20 to 20",
        ),
        (
            &["--pitch", "-20.5", "-o", "x.png"],
            "--pitch -20.5 is out of range",
        ),
        (
            &["--roll", "NaN", "-o", "x.png"],
            "--roll NaN is out of range",
        ),
        (
            &["--gaze", "5", "-o", "x.png"],
            "--gaze 5 is not a direction",
        ),
        (
            &["--gaze", "-26,0", "-o", "x.png"],
            "each from -25 to 25, such as 10,-5",
        ),
        (
            &["--yaw", "-12", "--method", "ganimation", "-o", "x.png"],
            "GANimation can't move the head or the eyes; leave out --yaw",
        ),
        (
            &["--gaze", "-5,2.5", "--panes", "attention", "-o", "x.png"],
            "GANimation can't move the head",
        ),
        (
            &["--place", "51,0", "-o", "x.png"],
            "--place 51,0 is not a place; write percents of the face's width",
        ),
        (&["--place", "5", "-o", "x.png"], "each from -50 to 50"),
        (
            &["--size", "1.2", "-o", "x.png"],
            "--size 1.2 is out of range; use a number from 70 to 140",
        ),
        (
            &["--size", "120", "--method", "ganimation", "-o", "x.png"],
            "GANimation can't move the head or the eyes; leave out --yaw",
        ),
        (
            &["--folds", "1.2", "-o", "x.png"],
            "--folds 1.2 is out of range; use a number from 0 to 1, or auto.",
        ),
        (
            &["--folds", "none", "-o", "x.png"],
            "--folds none is out of range",
        ),
        (&["--au", "3=0.5", "-o", "x.png"], "not an Action Unit"),
        (&["--au", "12=1.6", "-o", "x.png"], "from -0.5 to 1.5"),
        (&["--au", "12=-1", "-o", "x.png"], "out of range"),
        (&["--au", "12=NaN", "-o", "x.png"], "out of range"),
        (&["--au", "12", "-o", "x.png"], "write the code"),
        (&["--face", "2", "-o", "x.png"], "1 face was found"),
        (&["--face", "0", "-o", "x.png"], "--face 0"),
        (&["--region", "ear", "-o", "x.png"], "brows, eyes, nose"),
        (&["--preset", "grumpy", "-o", "x.png"], "not a preset"),
        (
            &["--strength", "2", "-o", "x.png"],
            "--strength 2 is out of range",
        ),
        (&["--strength", "NaN", "-o", "x.png"], "out of range"),
        (&["--crop", "400,10,200", "-o", "x.png"], "reaches beyond"),
        (&["--crop", "-5,10,200", "-o", "x.png"], "reaches beyond"),
        (&["--crop", "1,1,2", "-o", "x.png"], "too small"),
        (&["--crop", "face", "-o", "x.png"], "not a crop"),
        (&["--panes", "occlusion", "-o", "x.png"], "not a pane"),
        (
            &["--panes", "flow", "--method", "ganimation", "-o", "x.png"],
            "GANimation has no flow view",
        ),
        (
            &["--frames", "0", "-o", "x.gif"],
            "--frames 0 is out of range",
        ),
        (
            &["--frames", "5-3/8", "-o", "x.png"],
            "--frames 5-3 runs backwards",
        ),
        (&["--frames", "0-3/8", "-o", "x.png"], "numbered from 1"),
        (
            &["--frames", "3-9/8", "-o", "x.png"],
            "goes past the last frame, which is number 8",
        ),
        (&["--frames", "3-25", "-o", "x.gif"], "which is number 24"),
        (
            &["--frames", "3-5", "-o", "x.png"],
            "write 3-5/48 if there are 48",
        ),
        (&["--frames", "few", "-o", "x.png"], "neither a number"),
        (&["--frames", "3", "-o", "x.jpg"], "a single picture"),
        (&["--quality", "0", "-o", "x.webp"], "from 1 to 100"),
        (&["--fps", "91", "-o", "x.apng"], "from 1 to 90"),
        (&["--fps", "0", "-o", "x.gif"], "--fps 0 is out of range"),
        (&["--fps", "99", "-o", "x.gif"], "from 1 to 50"),
        (
            &["--scale", "7", "-o", "x.png"],
            "--scale 7 is out of range",
        ),
        (
            &["-o", "x.mov"],
            "end the name in .png, .jpg, .gif, .apng, .webp or .mp4",
        ),
        (&["-o", "nowhere/x.png"], "nowhere"),
    ];
    for (arguments, part) in cases {
        let words = failure(&edit(folder.path(), &portrait, arguments), 1);
        assert!(words.contains(part), "{arguments:?}: {words}");
        assert_eq!(words.lines().count(), 1, "{words}");
    }
    assert!(
        names(folder.path()).is_empty(),
        "{:?}",
        names(folder.path())
    );
    // A command line without a target is rejected by clap.
    failure(&edit(folder.path(), &portrait, &[]), 2);
}

#[test]
#[cfg(target_os = "linux")]
fn the_window_without_a_display_gives_a_one_sentence_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_mien"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .output()
        .unwrap();
    let words = failure(&output, 1);
    assert!(words.contains("no display"), "{words}");
}

#[test]
fn files_that_are_no_portrait_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(sample("astronaut.png")).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("notes.txt", b"dear diary, today I smiled");
    write("cut.png", &whole[..whole.len() / 3]);
    write("empty.jpg", b"");
    write("page.jpg", b"<!DOCTYPE html><html></html>");
    let tiny = Picture::new(1, 1, vec![9; 4]).unwrap();
    media::encode::save_png(&folder.path().join("one.png"), &tiny).unwrap();
    for (name, part) in [
        ("notes.txt", "not a picture"),
        ("cut.png", "damaged or cut short"),
        ("empty.jpg", "empty"),
        ("page.jpg", "web page"),
        ("one.png", "too small"),
        ("gone.png", "doesn't exist"),
    ] {
        let words = failure(&edit(folder.path(), Path::new(name), &["-o", "x.png"]), 1);
        assert!(words.contains(part), "{name}: {words}");
        assert!(name == "one.png" || words.contains(name), "{words}");
        assert!(!folder.path().join("x.png").exists());
    }
}

#[test]
fn weights_that_do_not_fit_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/ganimation-128.safetensors");
    let whole = std::fs::read(bundled).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("cut.safetensors", &whole[..whole.len() - 1000]);
    write("page.safetensors", b"<html>not found</html>");
    // The same bytes with metadata of a wider network, and of another system.
    let described = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = whole
            .windows(from.len())
            .position(|window| window == from.as_bytes())
            .unwrap();
        let mut bytes = whole.clone();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    write(
        "wide.safetensors",
        &described(r#"conv_dim\": 32"#, r#"conv_dim\": 64"#),
    );
    write(
        "other.safetensors",
        &described("\"ganimation\"", "\"animatoin!\""),
    );
    for (name, part) in [
        ("gone.safetensors", "no weight file"),
        ("cut.safetensors", "damaged or cut short"),
        ("page.safetensors", "web page"),
        ("wide.safetensors", "doesn't match its own description"),
        ("other.safetensors", "animatoin!"),
    ] {
        let output = edit(
            folder.path(),
            &sample("astronaut.png"),
            &["--au", "12=1", "--weights", name, "-o", "x.png"],
        );
        let words = failure(&output, 1);
        assert!(!words.contains(".;"), "{words}");
        assert!(
            words.contains(part) && words.contains(name),
            "{name}: {words}"
        );
        assert!(!folder.path().join("x.png").exists());
    }
}

#[test]
fn a_failed_export_keeps_the_existing_files() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("x.mp4");
    std::fs::write(&target, b"precious").unwrap();
    let output = edit(
        folder.path(),
        &sample("astronaut.png"),
        &[
            "--frames",
            "3",
            "--weights",
            "gone.safetensors",
            "-o",
            "x.mp4",
        ],
    );
    failure(&output, 1);
    assert_eq!(std::fs::read(&target).unwrap(), b"precious");
    assert_eq!(names(folder.path()), ["x.mp4"]);
}

#[test]
fn weights_check_describes_a_published_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let containers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/containers");
    let check = |name: &str, verbose: bool| {
        let path = containers.join(name);
        let mut arguments = vec!["weights", "check", path.to_str().unwrap()];
        arguments.extend(verbose.then_some("--verbose"));
        let output = mien(folder.path(), &arguments);
        succeed(&output);
        String::from_utf8(output.stdout).unwrap()
    };
    let text = check("nested_legacy.pth.tar", true);
    assert!(text.contains("torch up to 1.5"), "{text}");
    assert!(text.contains("f32"), "{text}");
    let text = check("module_zip.pytorch", false);
    assert!(text.contains("a whole PyTorch module"), "{text}");
    let text = check("expected.safetensors", false);
    assert!(text.contains("a safetensors file"), "{text}");

    let page = folder.path().join("vox.pth.tar");
    std::fs::write(&page, "<!DOCTYPE html><html><body>Sign in</body></html>").unwrap();
    let output = mien(folder.path(), &["weights", "check", "vox.pth.tar"]);
    let words = failure(&output, 1);
    assert!(words.contains("vox.pth.tar is a web page"), "{words}");
}
