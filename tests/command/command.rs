//! The `mien` command end to end: real files in, real files out, and one clear sentence for everything that is wrong.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::media::{names, read_gif, read_mp4};
use mien::media;
use mien::media::image::Picture;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("resources/samples")
        .join(name)
}

fn mien(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mien"))
        .args(arguments)
        .current_dir(folder)
        .env("MIEN_DATA_DIR", folder.join("data"))
        .output()
        .unwrap()
}

fn edit(folder: &Path, portrait: &Path, arguments: &[&str]) -> Output {
    let mut all = vec!["edit", portrait.to_str().unwrap()];
    all.extend(arguments);
    mien(folder, &all)
}

fn succeed(output: &Output) {
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
}

/// The one sentence of a failure.
fn sentence(output: &Output, code: i32) -> String {
    let words = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{words}");
    assert!(!words.contains("panicked"), "{words}");
    words.trim().to_owned()
}

#[test]
fn a_smile_is_written_and_only_the_face_changes() {
    let folder = tempfile::tempdir().unwrap();
    let portrait = sample("grace_hopper.jpg");
    succeed(&edit(
        folder.path(),
        &portrait,
        &["--au", "12=0.8", "--au", "6=0.5", "-o", "smile.png"],
    ));
    let before = media::image::open(&portrait).unwrap();
    let after = media::image::open(&folder.path().join("smile.png")).unwrap();
    assert_eq!(before.size(), after.size());
    let face = &faces_of(&portrait)["faces"][0];
    let crop = |i: usize| face["crop"][i].as_f64().unwrap();
    // The printed crop is rounded to a tenth of a pixel.
    let (left, top, side) = (crop(0) - 0.1, crop(1) - 0.1, crop(2) + 0.2);
    let mut changed = 0;
    let pixels = before.rgba().chunks(4).zip(after.rgba().chunks(4));
    for (i, (a, b)) in pixels.enumerate() {
        let (x, y) = ((i % 512) as f64 + 0.5, (i / 512) as f64 + 0.5);
        let inside = x >= left && x < left + side && y >= top && y < top + side;
        if !inside {
            assert_eq!(a, b, "outside the crop at {x}, {y}");
        } else if a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > 8) {
            changed += 1;
        }
    }
    assert!(changed > 500, "only {changed} pixels of the face changed");
}

/// What `mien face --json` says of a portrait.
fn faces_of(portrait: &Path) -> serde_json::Value {
    let output = mien(
        Path::new("."),
        &["face", "--json", portrait.to_str().unwrap()],
    );
    succeed(&output);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn faces_are_listed_as_a_table_and_as_json() {
    let portrait = sample("grace_hopper.jpg");
    let listed = faces_of(&portrait);
    assert_eq!(listed["width"], 512);
    let face = &listed["faces"][0];
    assert_eq!(listed["faces"].as_array().unwrap().len(), 1);
    assert_eq!(face["units"].as_object().unwrap().len(), 17);
    assert!(face["presence"].as_f64().unwrap() > 0.9);
    assert!(face["roll"].as_f64().unwrap().abs() < 15.0);
    assert!(face["landmarks"].is_null());
    // The box lies within the crop, in its middle.
    let number = |list: &str, i: usize| face[list][i].as_f64().unwrap();
    let middle = number("box", 0) + 0.5 * number("box", 2);
    assert!((middle - number("crop", 0) - 0.5 * number("crop", 2)).abs() < 0.2);

    let path = portrait.to_str().unwrap();
    let output = mien(Path::new("."), &["face", path]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.starts_with("grace_hopper.jpg, 512 x 600: 1 face"),
        "{table}"
    );
    assert!(table.contains("AU12 Lip corner puller"), "{table}");
    assert!(table.contains("yaw, degrees"), "{table}");

    // Against another face the reading is another, against itself it is nothing.
    let output = mien(Path::new("."), &["face", "--json", "--neutral", path, path]);
    let own: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let units = own["faces"][0]["units"].as_object().unwrap();
    assert!(units.values().all(|value| *value == 0.0), "{units:?}");

    let output = mien(Path::new("."), &["face", "--json", "--landmarks", path]);
    let full: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let face = &full["faces"][0];
    assert_eq!(face["landmarks"].as_array().unwrap().len(), 478);
    assert_eq!(face["blendshapes"].as_object().unwrap().len(), 52);

    // Of several pictures each is as it is alone.
    let other = sample("astronaut.png");
    let both = [path, other.to_str().unwrap()];
    let output = mien(Path::new("."), &[&["face", "--json"][..], &both].concat());
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(list, serde_json::json!([listed, faces_of(&other)]));
    let output = mien(Path::new("."), &[&["face", "--clip"][..], &both].concat());
    assert!(sentence(&output, 1).contains("one clip"));
}

#[test]
fn a_clips_face_is_read_frame_by_frame_and_its_absence_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.gif");
    let portrait = media::image::open(&sample("astronaut.png")).unwrap();
    let (width, height) = portrait.size();
    let grey = Picture::new(width, height, vec![128; (width * height * 4) as usize]).unwrap();
    let settings = media::encode::GifSettings {
        fps: 10.0,
        ..media::encode::GifSettings::default()
    };
    let mut sink = media::encode::GifSink::new(&path, width, height, settings).unwrap();
    for frame in [&portrait, &grey, &portrait] {
        media::encode::FrameSink::push(&mut sink, frame).unwrap();
    }
    media::encode::FrameSink::finish(Box::new(sink)).unwrap();

    let path = path.to_str().unwrap();
    let output = mien(folder.path(), &["face", path, "--clip", "--json"]);
    succeed(&output);
    let clip: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let frames = clip["frames"].as_array().unwrap();
    assert_eq!(frames.len(), 3);
    assert!(frames[1]["units"].is_null());
    for i in [0, 2] {
        assert!(frames[i]["units"]["AU12"].as_f64().unwrap() > 0.4, "{i}");
        assert_eq!(frames[i]["time"], i as f64 / 10.0);
    }
    let output = mien(folder.path(), &["face", path, "--clip"]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("1 without a face") && table.contains("no face"),
        "{table}"
    );

    let video = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/clips/main.mp4");
    let video = video.to_str().unwrap();
    let words = sentence(&mien(folder.path(), &["face", video]), 1);
    assert!(words.contains("add --clip"), "{words}");

    // A clip without any face, and a portrait that is no clip.
    let empty = folder.path().join("empty.gif");
    let mut sink = media::encode::GifSink::new(&empty, width, height, settings).unwrap();
    for _ in 0..2 {
        media::encode::FrameSink::push(&mut sink, &grey).unwrap();
    }
    media::encode::FrameSink::finish(Box::new(sink)).unwrap();
    let output = mien(folder.path(), &["face", "empty.gif", "--clip"]);
    let words = sentence(&output, 1);
    assert!(words.contains("no face was found in any of"), "{words}");
    let still = sample("grace_hopper.jpg");
    let output = mien(folder.path(), &["face", still.to_str().unwrap(), "--clip"]);
    let words = sentence(&output, 1);
    assert!(words.contains("grace_hopper.jpg"), "{words}");
}

#[test]
fn one_half_and_one_part_change_alone() {
    let folder = tempfile::tempdir().unwrap();
    let portrait = sample("grace_hopper.jpg");
    let before = media::image::open(&portrait).unwrap();
    let face = &faces_of(&portrait)["faces"][0];
    let number = |i: usize| face["box"][i].as_f64().unwrap();
    let (left, top, width, height) = (number(0), number(1), number(2), number(3));
    let changed = |arguments: &[&str], name: &str| -> Vec<(f64, f64)> {
        succeed(&edit(
            folder.path(),
            &portrait,
            &[arguments, &["-o", name]].concat(),
        ));
        let after = media::image::open(&folder.path().join(name)).unwrap();
        let pixels = before.rgba().chunks(4).zip(after.rgba().chunks(4));
        pixels
            .enumerate()
            .filter(|(_, (a, b))| a != b)
            .map(|(i, _)| ((i % 512) as f64 + 0.5, (i / 512) as f64 + 0.5))
            .collect()
    };
    let part = changed(&["--preset", "surprised", "--region", "mouth"], "mouth.png");
    assert!(part.len() > 500);
    // Above the middle of the face nothing has moved: not one byte.
    assert!(part.iter().all(|(_, y)| *y > top + 0.35 * height));

    let half = changed(&["--au", "12L=1", "--au", "6L=1"], "half.png");
    assert!(half.len() > 500);
    assert!(half.iter().all(|(x, _)| *x < left + 0.7 * width));
    let both = changed(&["--au", "12=1", "--au", "6=1"], "both.png");
    assert!(both.len() > half.len() * 3 / 2);
}

#[test]
fn no_edit_gives_back_the_very_bytes() {
    let folder = tempfile::tempdir().unwrap();
    // Sliders at the source's own values; a full edit at strength zero; a portrait with alpha.
    let own = sample("astronaut.png");
    succeed(&edit(folder.path(), &own, &["-o", "own.png"]));
    succeed(&edit(
        folder.path(),
        &own,
        &["--preset", "angry", "--strength", "0", "-o", "zero.png"],
    ));
    let before = media::image::open(&own).unwrap();
    for name in ["own.png", "zero.png"] {
        let after = media::image::open(&folder.path().join(name)).unwrap();
        assert_eq!(before.rgba(), after.rgba(), "{name}");
    }

    let rgba: Vec<u8> = (0..90 * 70 * 4u32)
        .map(|i| ((i * 7919) >> 4) as u8)
        .collect();
    let clear = Picture::new(90, 70, rgba).unwrap().with_alpha(true);
    let path = folder.path().join("clear.png");
    media::encode::save_png(&path, &clear).unwrap();
    succeed(&edit(
        folder.path(),
        &path,
        &[
            "--crop",
            "10,5,60",
            "--au",
            "12=1",
            "--strength",
            "0",
            "-o",
            "still.png",
        ],
    ));
    succeed(&edit(
        folder.path(),
        &path,
        &["--crop", "10,5,60", "--au", "12=1", "-o", "edited.png"],
    ));
    let still = media::image::open(&folder.path().join("still.png")).unwrap();
    assert_eq!(clear.rgba(), still.rgba());
    assert!(still.has_alpha());
    let edited = media::image::open(&folder.path().join("edited.png")).unwrap();
    let alphas = |picture: &Picture| -> Vec<u8> {
        picture.rgba().iter().skip(3).step_by(4).copied().collect()
    };
    assert_eq!(alphas(&clear), alphas(&edited));
}

#[test]
fn a_movement_begins_at_a_preset_and_goes_evenly() {
    let folder = tempfile::tempdir().unwrap();
    let portrait = sample("astronaut.png");
    let relaxed = ["--preset", "neutral"];
    let way = ["--begin", "neutral", "--pace", "even", "--frames", "3"];
    let end = ["--au", "12=1", "-o", "way.png"];
    succeed(&edit(
        folder.path(),
        &portrait,
        &[&relaxed[..], &way, &end].concat(),
    ));
    for (frame, smile) in [("way_0001.png", "12=0"), ("way_0002.png", "12=0.5")] {
        let still = ["--au", smile, "-o", "still.png"];
        succeed(&edit(
            folder.path(),
            &portrait,
            &[&relaxed[..], &still].concat(),
        ));
        let pixels = |name: &str| media::image::open(&folder.path().join(name)).unwrap();
        assert_eq!(
            pixels(frame).rgba(),
            pixels("still.png").rgba(),
            "{frame}: {smile}"
        );
    }
}

#[test]
fn a_gif_moves_there_and_back() {
    let folder = tempfile::tempdir().unwrap();
    succeed(&edit(
        folder.path(),
        &sample("astronaut.png"),
        &[
            "--preset",
            "surprise",
            "--frames",
            "6",
            "--fps",
            "12",
            "--pingpong",
            "--scale",
            "0.25",
            "-o",
            "s.gif",
        ],
    ));
    let gif = read_gif(&folder.path().join("s.gif"));
    assert_eq!(gif.size, (128, 128));
    assert_eq!(gif.delays.len(), 10, "6 frames there and 4 back");
    let total: u32 = gif.delays.iter().map(|delay| u32::from(*delay)).sum();
    assert!(
        (i64::from(total) - 83).abs() <= 1,
        "{total} hundredths of a second"
    );
    assert_eq!(gif.repeat, gif::Repeat::Infinite);
    let difference = |a: &[u8], b: &[u8]| -> u64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum()
    };
    let far = difference(&gif.shown[0], &gif.shown[5]);
    let near = difference(&gif.shown[1], &gif.shown[9]);
    // The palettes' dither differs from frame to frame, whatever moves.
    assert!(
        far > 2 * near,
        "the end is {far} from the start, the way back {near} from the way there"
    );
}

#[test]
fn a_video_has_its_frames_size_and_rate_even_when_odd() {
    let folder = tempfile::tempdir().unwrap();
    succeed(&edit(
        folder.path(),
        &sample("grace_hopper.jpg"),
        &[
            "--au",
            "12=1",
            "--frames",
            "5",
            "--fps",
            "23.976",
            "--scale",
            "0.21",
            "--panes",
            "source,result",
            "-o",
            "v.mp4",
        ],
    ));
    let video = read_mp4(&folder.path().join("v.mp4"));
    // 512 x 600 at 0.21 is 108 x 126; two panes stand side by side.
    assert_eq!((video.size, video.frames.len()), ((216, 126), 5));
    for ticks in video.durations {
        let fps = f64::from(video.timescale) / f64::from(ticks);
        assert!((fps - 24000.0 / 1001.0).abs() < 1e-6, "{fps}");
    }
}

#[test]
fn a_sequence_is_numbered_and_its_last_frame_is_the_still() {
    let folder = tempfile::tempdir().unwrap();
    let portrait = sample("astronaut.png");
    let asked = [
        "--preset",
        "happy",
        "--panes",
        "result,attention,colour,source",
        "--scale",
        "0.25",
    ];
    let with = |more: &[&'static str]| [&asked, more].concat();
    succeed(&edit(
        folder.path(),
        &portrait,
        &with(&["--frames", "3", "-o", "walk.png"]),
    ));
    succeed(&edit(folder.path(), &portrait, &with(&["-o", "still.png"])));
    assert_eq!(
        names(folder.path()),
        [
            "still.png",
            "walk_0001.png",
            "walk_0002.png",
            "walk_0003.png"
        ]
    );
    let last = media::image::open(&folder.path().join("walk_0003.png")).unwrap();
    let still = media::image::open(&folder.path().join("still.png")).unwrap();
    assert_eq!(last.size(), (4 * 128, 128));
    assert_eq!(last.rgba(), still.rgba());
}

#[test]
fn the_webs_formats_are_written_and_say_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let portrait = sample("astronaut.png");
    let asked = ["--preset", "happy", "--scale", "0.25"];
    let with = |more: &[&'static str]| [&asked, more].concat();
    for (more, frames) in [
        (&["-o", "a.apng", "--loop", "2"][..], Some(24)),
        (&["--frames", "3", "-o", "b.webp"], Some(3)),
        (&["-o", "c.webp", "--quality", "60"], None),
        (&["-o", "d.jpg", "--quality", "60"], None),
    ] {
        succeed(&edit(folder.path(), &portrait, &with(more)));
        let name = more.iter().find(|name| name.contains('.')).unwrap();
        let path = folder.path().join(name);
        let bytes = std::fs::read(&path).unwrap();
        let note = media::provenance::read(&bytes).unwrap();
        assert_eq!(note.models, ["ganimation-128"], "{name}");
        match frames {
            Some(frames) => {
                let clip = media::clip::Clip::open(&path).unwrap();
                assert_eq!(clip.filter(Result::is_ok).count(), frames, "{name}");
            }
            None => assert_eq!(
                media::image::open(&path).unwrap().size(),
                (128, 128),
                "{name}"
            ),
        }
    }
    assert_eq!(
        names(folder.path()),
        ["a.apng", "b.webp", "c.webp", "d.jpg"]
    );
}

#[test]
fn weights_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let listed = mien(folder.path(), &["weights", "list", "-v"]);
    succeed(&listed);
    let text = String::from_utf8(listed.stdout).unwrap();
    for part in [
        "ganimation-128",
        "AU45",
        "comes with Mien",
        "MIT OR Apache-2.0",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn what_is_asked_wrongly_is_answered_with_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let portrait = sample("astronaut.png");
    let cases: [(&[&str], &str); 31] = [
        (&["--au", "3=0.5", "-o", "x.png"], "not an Action Unit"),
        (&["--au", "12=1.5", "-o", "x.png"], "out of range"),
        (&["--au", "12=-1", "-o", "x.png"], "out of range"),
        (&["--au", "12=NaN", "-o", "x.png"], "out of range"),
        (&["--au", "12", "-o", "x.png"], "write the code"),
        (&["--face", "2", "-o", "x.png"], "1 faces were found"),
        (&["--face", "0", "-o", "x.png"], "--face 0"),
        (&["--region", "ear", "-o", "x.png"], "brows, eyes, nose"),
        (&["--preset", "grumpy", "-o", "x.png"], "not a preset"),
        (
            &["--strength", "2", "-o", "x.png"],
            "--strength 2 is out of range",
        ),
        (&["--strength", "NaN", "-o", "x.png"], "out of range"),
        (
            &["--crop", "400,10,200", "-o", "x.png"],
            "does not lie within",
        ),
        (
            &["--crop", "-5,10,200", "-o", "x.png"],
            "does not lie within",
        ),
        (&["--crop", "1,1,2", "-o", "x.png"], "too small"),
        (&["--crop", "face", "-o", "x.png"], "not a crop"),
        (&["--panes", "flow", "-o", "x.png"], "not a pane"),
        (
            &["--frames", "0", "-o", "x.gif"],
            "--frames 0 is out of range",
        ),
        (
            &["--frames", "5-3/8", "-o", "x.png"],
            "--frames 5-3 runs backwards",
        ),
        (&["--frames", "0-3/8", "-o", "x.png"], "counted from 1"),
        (
            &["--frames", "3-9/8", "-o", "x.png"],
            "goes beyond the last frame, which is number 8",
        ),
        (&["--frames", "3-25", "-o", "x.gif"], "which is number 24"),
        (
            &["--frames", "3-5", "-o", "x.png"],
            "write 3-5/48 if they are 48",
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
        let words = sentence(&edit(folder.path(), &portrait, arguments), 1);
        assert!(words.contains(part), "{arguments:?}: {words}");
        assert_eq!(words.lines().count(), 1, "{words}");
    }
    assert!(
        names(folder.path()).is_empty(),
        "{:?}",
        names(folder.path())
    );
    // A command line without a target is clap's to explain.
    sentence(&edit(folder.path(), &portrait, &[]), 2);
}

#[test]
#[cfg(target_os = "linux")]
fn a_studio_without_a_display_is_refused_with_one_sentence() {
    let output = Command::new(env!("CARGO_BIN_EXE_mien"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .output()
        .unwrap();
    let words = sentence(&output, 1);
    assert!(words.contains("no display"), "{words}");
}

#[test]
fn portraits_that_are_none_are_told_by_name() {
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
        ("gone.png", "isn't there"),
    ] {
        let words = sentence(&edit(folder.path(), Path::new(name), &["-o", "x.png"]), 1);
        assert!(words.contains(part), "{name}: {words}");
        assert!(name == "one.png" || words.contains(name), "{words}");
        assert!(!folder.path().join("x.png").exists());
    }
}

#[test]
fn weights_that_do_not_fit_are_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/ganimation-128.safetensors");
    let whole = std::fs::read(bundled).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("cut.safetensors", &whole[..whole.len() - 1000]);
    write("page.safetensors", b"<html>not found</html>");
    // The same bytes under a description that promises a wider network, and one that takes another system.
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
        ("wide.safetensors", "does not fit its own description"),
        ("other.safetensors", "animatoin!"),
    ] {
        let output = edit(
            folder.path(),
            &sample("astronaut.png"),
            &["--au", "12=1", "--weights", name, "-o", "x.png"],
        );
        let words = sentence(&output, 1);
        assert!(!words.contains(".;"), "{words}");
        assert!(
            words.contains(part) && words.contains(name),
            "{name}: {words}"
        );
        assert!(!folder.path().join("x.png").exists());
    }
}

#[test]
fn an_export_that_fails_leaves_what_was_there() {
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
    sentence(&output, 1);
    assert_eq!(std::fs::read(&target).unwrap(), b"precious");
    assert_eq!(names(folder.path()), ["x.mp4"]);
}

#[test]
fn a_published_checkpoint_is_told_what_it_is() {
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
    let words = sentence(&output, 1);
    assert!(words.contains("vox.pth.tar is a web page"), "{words}");
}
