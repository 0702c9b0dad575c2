//! Pictures and clips that `mien edit` writes, and `mien weights`.

use super::{edit, faces_of, mien, sample, succeed};
use crate::common::media::{names, provenance, read_gif, read_mp4};
use mien::media;
use mien::media::image::Picture;

#[test]
fn a_smile_is_written_and_only_the_face_changes() {
    let folder = tempfile::tempdir().unwrap();
    let portrait = sample("grace_hopper.jpg");
    succeed(&edit(
        folder.path(),
        &portrait,
        &[
            "--method",
            "ganimation",
            "--au",
            "12=0.8",
            "--au",
            "6=0.5",
            "-o",
            "smile.png",
        ],
    ));
    let before = media::image::open(&portrait).unwrap();
    let after = media::image::open(&folder.path().join("smile.png")).unwrap();
    assert_eq!(before.size(), after.size());
    let face = &faces_of(&portrait)["faces"][0];
    let crop = |i: usize| face["crop"][i].as_f64().unwrap();
    // The printed crop is rounded to 0.1 pixels.
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

#[test]
fn an_edit_limited_to_a_half_or_part_changes_nothing_else() {
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
            &[arguments, &["--method", "ganimation", "-o", name]].concat(),
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
    // Above the middle of the face no byte has changed.
    assert!(part.iter().all(|(_, y)| *y > top + 0.35 * height));

    let half = changed(&["--au", "12L=1", "--au", "6L=1"], "half.png");
    assert!(half.len() > 500);
    assert!(half.iter().all(|(x, _)| *x < left + 0.7 * width));
    let both = changed(&["--au", "12=1", "--au", "6=1"], "both.png");
    assert!(both.len() > half.len() * 3 / 2);
}

#[test]
fn without_an_edit_the_pixels_are_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    // Sliders at the source's values; a full edit at strength zero; a portrait with alpha.
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
fn a_movement_begins_at_a_preset_and_progresses_evenly() {
    let folder = tempfile::tempdir().unwrap();
    let portrait = sample("astronaut.png");
    let relaxed = ["--preset", "neutral"];
    let movement = ["--begin", "neutral", "--pace", "even", "--frames", "3"];
    let end = ["--au", "12=1", "-o", "way.png"];
    succeed(&edit(
        folder.path(),
        &portrait,
        &[&relaxed[..], &movement, &end].concat(),
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
fn a_gif_plays_ping_pong() {
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
    assert_eq!(gif.delays.len(), 10, "6 frames forwards and 4 back");
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
    // The dither of the palettes differs from frame to frame, even without motion.
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
    // 512 x 600 at 0.21 is 108 x 126; two panes are next to each other.
    assert_eq!((video.size, video.frames.len()), ((216, 126), 5));
    for ticks in video.durations {
        let fps = f64::from(video.timescale) / f64::from(ticks);
        assert!((fps - 24000.0 / 1001.0).abs() < 1e-6, "{fps}");
    }
}

#[test]
fn an_image_sequence_is_numbered_and_ends_with_the_still_image() {
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
fn apng_webp_and_jpeg_are_written_with_their_provenance() {
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
        let note = provenance::read(&bytes).unwrap();
        assert_eq!(note.models, ["rig"], "{name}");
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
fn the_weights_command_lists_all_weights() {
    let folder = tempfile::tempdir().unwrap();
    let listed = mien(folder.path(), &["weights", "list", "-v"]);
    succeed(&listed);
    let text = String::from_utf8(listed.stdout).unwrap();
    for part in ["ganimation-128", "AU45", "built in", "MIT OR Apache-2.0"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn values_beyond_the_usual_range_change_the_rig_and_warn_for_the_network() {
    let folder = tempfile::tempdir().unwrap();
    let portrait = sample("grace_hopper.jpg");
    let written = |method: &str, value: &str| {
        let name = format!("{method}-{value}.png");
        let unit = format!("12={value}");
        let output = edit(
            folder.path(),
            &portrait,
            &["--method", method, "--au", &unit, "-o", &name],
        );
        succeed(&output);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let picture = media::image::open(&folder.path().join(name)).unwrap();
        (
            picture,
            stderr.contains("GANimation draws Action Units from 0 to 1"),
        )
    };
    let (full, _) = written("rig", "1");
    let (more, warns) = written("rig", "1.4");
    assert!(full != more && !warns);
    let (relaxed, _) = written("rig", "0");
    let (opposite, _) = written("rig", "-0.4");
    assert!(relaxed != opposite);
    let (full, warns) = written("ganimation", "1");
    assert!(!warns);
    let (more, warns) = written("ganimation", "1.4");
    assert!(full == more && warns);
}
