//! `mien faces`.

use std::path::Path;

use super::{faces_of, failure, mien, sample, succeed};
use mien::media;
use mien::media::image::Picture;

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
    // The box is in the middle of the crop.
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

    // Relative to another face the values differ, relative to itself they are 0.
    let output = mien(Path::new("."), &["face", "--json", "--neutral", path, path]);
    let own: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let units = own["faces"][0]["units"].as_object().unwrap();
    assert!(units.values().all(|value| *value == 0.0), "{units:?}");

    let output = mien(Path::new("."), &["face", "--json", "--landmarks", path]);
    let full: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let face = &full["faces"][0];
    assert_eq!(face["landmarks"].as_array().unwrap().len(), 478);
    assert_eq!(face["blendshapes"].as_object().unwrap().len(), 52);

    // Several pictures give the same values as each alone.
    let other = sample("astronaut.png");
    let both = [path, other.to_str().unwrap()];
    let output = mien(Path::new("."), &[&["face", "--json"][..], &both].concat());
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(list, serde_json::json!([listed, faces_of(&other)]));
    let output = mien(Path::new("."), &[&["face", "--clip"][..], &both].concat());
    assert!(failure(&output, 1).contains("one clip"));
}

#[test]
fn the_face_of_a_clip_is_read_frame_by_frame_and_missing_faces_reported() {
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
    for field in ["units", "head", "gaze"] {
        assert!(frames[1][field].is_null(), "{field}");
    }
    for i in [0, 2] {
        assert!(frames[i]["units"]["AU12"].as_f64().unwrap() > 0.4, "{i}");
        assert_eq!(frames[i]["time"], i as f64 / 10.0);
        assert!(frames[i]["head"]["yaw"].as_f64().unwrap().abs() < 45.0);
        assert!(frames[i]["gaze"]["y"].as_f64().unwrap().abs() < 25.0);
    }
    let output = mien(folder.path(), &["face", path, "--clip"]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("1 without a face") && table.contains("no face"),
        "{table}"
    );

    let video = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/clips/main.mp4");
    let video = video.to_str().unwrap();
    let words = failure(&mien(folder.path(), &["face", video]), 1);
    assert!(words.contains("add --clip"), "{words}");

    // A clip without any face, and a portrait that is no clip.
    let empty = folder.path().join("empty.gif");
    let mut sink = media::encode::GifSink::new(&empty, width, height, settings).unwrap();
    for _ in 0..2 {
        media::encode::FrameSink::push(&mut sink, &grey).unwrap();
    }
    media::encode::FrameSink::finish(Box::new(sink)).unwrap();
    let output = mien(folder.path(), &["face", "empty.gif", "--clip"]);
    let words = failure(&output, 1);
    assert!(words.contains("No face was found in any of"), "{words}");
    let still = sample("grace_hopper.jpg");
    let output = mien(folder.path(), &["face", still.to_str().unwrap(), "--clip"]);
    let words = failure(&output, 1);
    assert!(words.contains("grace_hopper.jpg"), "{words}");
}

/// The gaze of a picture's face after the portrait's eyes were turned.
fn gaze_after(folder: &Path, turned: (i32, i32)) -> (f64, f64) {
    let portrait = sample("grace_hopper.jpg");
    let (x, y) = turned;
    let gaze = format!("{x},{y}");
    let arguments = [
        "edit",
        portrait.to_str().unwrap(),
        "--gaze",
        &gaze,
        "-o",
        "looking.png",
    ];
    succeed(&mien(folder, &arguments));
    let listed = faces_of(&folder.join("looking.png"));
    let gaze = &listed["faces"][0]["gaze"];
    (gaze["x"].as_f64().unwrap(), gaze["y"].as_f64().unwrap())
}

/// Left, top, width and height of a picture's face after the head was placed.
fn box_after(folder: &Path, portrait: &Path, place: &[&str]) -> [f64; 4] {
    let first = ["edit", portrait.to_str().unwrap(), "-o", "placed.png"];
    succeed(&mien(folder, &[&first, place].concat()));
    let listed = faces_of(&folder.join("placed.png"));
    [0, 1, 2, 3].map(|i| listed["faces"][0]["box"][i].as_f64().unwrap())
}

#[test]
fn where_the_head_is_placed_there_its_face_is_found() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["astronaut.png", "grace_hopper.jpg"] {
        let portrait = sample(name);
        let at = |place: &[&str]| box_after(folder.path(), &portrait, place);
        let middle = |[x, y, w, h]: [f64; 4]| [x + w / 2.0, y + h / 2.0];
        let rest = at(&[]);
        let moved = |place: &[&str]| {
            let (from, to) = (middle(rest), middle(at(place)));
            [0, 1].map(|k| (to[k] - from[k]) / rest[2])
        };
        for (place, wanted) in [
            ("20,0", [0.2, 0.0]),
            ("-20,0", [-0.2, 0.0]),
            ("0,20", [0.0, -0.2]),
            ("10,-15", [0.1, 0.15]),
        ] {
            let moved = moved(&["--place", place]);
            let apart = (moved[0] - wanted[0]).hypot(moved[1] - wanted[1]);
            assert!(apart < 0.06, "{name} {place}: {moved:?}");
        }
        for (size, wanted) in [("80", 0.8), ("120", 1.2)] {
            let grown = at(&["--size", size])[2] / rest[2];
            assert!((grown - wanted).abs() < 0.06, "{name} {size}: {grown}");
        }
    }
}

#[test]
fn a_head_that_is_placed_where_it_is_keeps_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let portrait = sample("astronaut.png");
    let written = |name: &str, more: &[&str]| {
        let first = ["edit", portrait.to_str().unwrap(), "-o", name];
        succeed(&mien(folder.path(), &[&first, more].concat()));
        media::image::open(&folder.path().join(name)).unwrap()
    };
    let same = ["--place", "0,0", "--size", "100"];
    assert_eq!(
        written("same.png", &same),
        media::image::open(&portrait).unwrap()
    );
    let smile = ["--au", "12=0.9", "--yaw", "5"];
    assert_eq!(
        written("smile.png", &smile),
        written("smile-there.png", &[&smile[..], &same].concat())
    );
    assert_ne!(
        written("smile.png", &smile),
        written("moved.png", &[&smile[..], &["--place", "5,0"]].concat())
    );
}

#[test]
fn the_measured_gaze_follows_the_gaze_set_on_the_rig() {
    let folder = tempfile::tempdir().unwrap();
    let at = |x: i32, y: i32| gaze_after(folder.path(), (x, y));
    let rest = at(0, 0);
    let across = [-15, -8, 8, 15].map(|x| (x, at(x, 0).0 - rest.0));
    let up = [-15, -8, 8, 15].map(|y| (y, at(0, y).1 - rest.1));
    // She wears glasses: the skin behind their lenses follows her lids only next to these, which reads as a smaller turn up and down.
    for (name, turned, least) in [("across", across, 0.7), ("up", up, 0.25)] {
        println!("{name}: {turned:?}");
        let product: f64 = turned.iter().map(|(to, read)| f64::from(*to) * read).sum();
        let square: f64 = turned.iter().map(|(to, _)| f64::from(to * to)).sum();
        let slope = product / square;
        assert!(
            (least..1.25).contains(&slope),
            "{name}: {slope} of {turned:?}"
        );
        assert!(
            turned.windows(2).all(|pair| pair[0].1 < pair[1].1),
            "{turned:?}"
        );
    }
}
