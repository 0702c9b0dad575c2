//! Clips come back frame by frame as they are shown, and everything else is met with one clear sentence.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::media::{gradient, picture};
use mien::media::clip::{Clip, ClipFrame};
use mien::media::encode::{
    FrameSink, GifSettings, GifSink, Mp4Settings, Mp4Sink, PngSequence, save_png,
};
use mien::media::error::MediaError;
use proptest::prelude::*;
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/clips")
        .join(name)
}

fn open(name: &str) -> Clip {
    Clip::open(&fixture(name)).unwrap_or_else(|e| panic!("{e}"))
}

fn frames(clip: Clip) -> Vec<ClipFrame> {
    clip.map(|frame| frame.unwrap_or_else(|e| panic!("{e}")))
        .collect()
}

/// The frames that come before the first error, and what that says.
fn read(path: &Path) -> (usize, Option<MediaError>) {
    let clip = match Clip::open(path) {
        Ok(clip) => clip,
        Err(error) => return (0, Some(error)),
    };
    let info = *clip.info();
    let (mut count, mut last, mut found) = (0, 0.0, None);
    for frame in clip {
        // The error, if there is one, comes last.
        assert!(found.is_none());
        match frame {
            Ok(frame) => {
                assert_eq!(frame.picture.size(), (info.width, info.height));
                assert!(frame.time >= last && frame.time.is_finite());
                (count, last) = (count + 1, frame.time);
            }
            Err(error) => found = Some(error),
        }
    }
    (count, found)
}

fn write(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    // The name says nothing: kinds are told by content.
    let path = folder.path().join("clip.dat");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn sentence(bytes: &[u8]) -> String {
    let (_folder, path) = write(bytes);
    read(&path).1.unwrap().to_string()
}

fn assert_one_sentence(error: &MediaError) {
    let text = error.to_string();
    assert!(
        text.starts_with("clip.dat ") && text.ends_with('.') && !text.contains('\n'),
        "{text}"
    );
}

fn pixel(frame: &ClipFrame, x: u32, y: u32) -> [u8; 4] {
    let at = ((y * frame.picture.width() + x) * 4) as usize;
    frame.picture.rgba()[at..at + 4].try_into().unwrap()
}

fn assert_near(found: [u8; 4], expected: [u8; 3], within: u8) {
    assert!(
        (0..3).all(|c| found[c].abs_diff(expected[c]) <= within),
        "{found:?} isn't near {expected:?}"
    );
}

fn assert_times(frames: &[ClipFrame], expected: impl IntoIterator<Item = f64>) {
    let times: Vec<_> = frames.iter().map(|frame| frame.time).collect();
    let expected: Vec<_> = expected.into_iter().collect();
    assert_eq!(times.len(), expected.len());
    let is_near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-6;
    assert!(times.iter().zip(&expected).all(is_near), "{times:?}");
}

/// The grey of a luma in limited range.
fn grey(luma: usize) -> [u8; 3] {
    [((luma as f64 - 16.0) * 255.0 / 219.0)
        .clamp(0.0, 255.0)
        .round() as u8; 3]
}

/// Whether this is frame `number` of the films that `make.sh` describes.
fn assert_frame(frame: &ClipFrame, number: usize) {
    let (width, height) = frame.picture.size();
    assert_near(pixel(frame, 4, height / 2), grey(40 + 15 * number), 3);
    assert_near(
        pixel(frame, width - 4, height / 2),
        grey(220 - 10 * number),
        3,
    );
}

/// A gradient with a bar that is somewhere else in every frame.
fn moving(number: usize) -> mien::media::image::Picture {
    picture(64, 48, |x, y| {
        if (x as usize / 4) == number {
            [230, 200, 40]
        } else {
            gradient(x, y)
        }
    })
}

fn fill(mut sink: Box<dyn FrameSink>, count: usize) {
    (0..count).for_each(|number| sink.push(&moving(number)).unwrap());
    sink.finish().unwrap();
}

fn mp4(path: &Path, fps: f64, count: usize) {
    let settings = Mp4Settings {
        fps,
        quality: 95,
        ..Mp4Settings::default()
    };
    fill(
        Box::new(Mp4Sink::new(path, 64, 48, settings).unwrap()),
        count,
    );
}

fn gif(path: &Path, fps: f64, count: usize) {
    let settings = GifSettings {
        fps,
        ..GifSettings::default()
    };
    fill(
        Box::new(GifSink::new(path, 64, 48, settings).unwrap()),
        count,
    );
}

/// Mean difference of two pictures' levels.
fn difference(a: &mien::media::image::Picture, b: &mien::media::image::Picture) -> f64 {
    let sum: u64 = a
        .rgba()
        .iter()
        .zip(b.rgba())
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / a.rgba().len() as f64
}

#[test]
fn a_clip_can_go_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Clip>();
}

#[test]
fn our_own_mp4_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.mp4");
    for fps in [25.0, 24000.0 / 1001.0] {
        mp4(&path, fps, 12);
        let clip = Clip::open(&path).unwrap();
        let info = *clip.info();
        assert_eq!((info.width, info.height, info.frames), (64, 48, Some(12)));
        assert!((info.fps - fps).abs() < 1e-6, "{info:?}");
        assert!((info.seconds.unwrap() - 12.0 / fps).abs() < 1e-6);

        let frames = frames(clip);
        assert_times(&frames, (0..12).map(|n| n as f64 / fps));
        for (number, frame) in frames.iter().enumerate() {
            let error = difference(&frame.picture, &moving(number));
            assert!(error < 3.0, "frame {number}: {error}");
            assert!(!frame.picture.has_alpha());
        }
        assert_near(pixel(&frames[3], 50, 40), gradient(50, 40), 4);
    }
}

#[test]
fn our_own_gif_comes_back_with_its_times() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.gif");
    gif(&path, 24.0, 12);
    let clip = Clip::open(&path).unwrap();
    let info = *clip.info();
    assert_eq!((info.width, info.height, info.frames), (64, 48, Some(12)));
    assert!((info.seconds.unwrap() - 0.5).abs() < 1e-9, "{info:?}");
    assert!((info.fps - 24.0).abs() < 1e-9);

    let frames = frames(clip);
    // 1/100 s: 4, 4, 5, 4, ...
    assert_times(
        &frames,
        (0..12).map(|n| (f64::from(n) * 100.0 / 24.0).round() / 100.0),
    );
    for (number, frame) in frames.iter().enumerate() {
        let error = difference(&frame.picture, &moving(number));
        assert!(error < 4.0, "frame {number}: {error}");
    }
}

#[test]
fn frames_come_in_the_order_of_showing() {
    for name in [
        "bframes.mp4",
        "quicktime.mov",
        "fragmented.mp4",
        "fragmented_old.mp4",
        "main.mp4",
        "crop.mp4",
        "keys.mp4",
    ] {
        let clip = open(name);
        let info = *clip.info();
        assert_eq!(info.frames, Some(12), "{name}");
        assert!((info.fps - 10.0).abs() < 1e-6, "{name}: {info:?}");
        let frames = frames(clip);
        assert_times(&frames, (0..12).map(|n| f64::from(n) / 10.0));
        for (number, frame) in frames.iter().enumerate() {
            assert_frame(frame, number);
        }
    }
}

#[test]
fn sizes_that_are_no_multiple_of_a_block_are_cropped() {
    let clip = open("crop.mp4");
    assert_eq!((clip.info().width, clip.info().height), (70, 54));
    assert_eq!(frames(clip)[0].picture.size(), (70, 54));
}

#[test]
fn a_turned_track_is_upright() {
    let clip = open("rotated.mp4");
    assert_eq!((clip.info().width, clip.info().height), (48, 64));
    for (number, frame) in frames(clip).iter().enumerate() {
        // Clockwise: what was left is on top.
        assert_near(pixel(frame, 24, 4), grey(40 + 15 * number), 3);
        assert_near(pixel(frame, 24, 60), grey(220 - 10 * number), 3);
    }
}

#[test]
fn an_edit_list_hides_what_comes_before() {
    let clip = open("edited.mp4");
    assert_eq!(clip.info().frames, Some(7));
    let frames = frames(clip);
    assert_times(&frames, (0..7).map(|n| f64::from(n) / 10.0));
    for (number, frame) in frames.iter().enumerate() {
        assert_frame(frame, number + 5);
    }
}

#[test]
fn frames_that_last_differently_keep_their_times() {
    let clip = open("variable.mp4");
    let info = *clip.info();
    let frames = frames(clip);
    let expected = [0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27];
    assert_times(&frames, expected.map(|n| f64::from(n) / 10.0));
    assert!((info.fps - 12.0 / info.seconds.unwrap()).abs() < 1e-9);
}

#[test]
fn colours_follow_the_streams_matrix_and_range() {
    for name in ["bt601.mp4", "bt709_full.mp4"] {
        for frame in frames(open(name)) {
            assert_near(pixel(&frame, 8, 24), [200, 60, 40], 4);
            assert_near(pixel(&frame, 56, 24), [40, 60, 200], 4);
        }
    }
}

#[test]
fn frames_can_be_passed_over() {
    for name in ["keys.mp4", "bframes.mp4", "moving.png", "moving.webp"] {
        let all = frames(open(name));
        for start in 0..all.len() {
            let mut clip = open(name);
            clip.skip_to(start).unwrap();
            assert_eq!(
                clip.next().unwrap().unwrap().picture,
                all[start].picture,
                "{name}: {start}"
            );
            // Back isn't possible, and being there already is nothing to do.
            clip.skip_to(start).unwrap();
            let rest = frames(clip);
            assert_eq!(rest.len(), all.len() - start - 1, "{name}: {start}");
            assert!(
                rest.iter()
                    .zip(&all[start + 1..])
                    .all(|(a, b)| a.picture == b.picture && a.time == b.time)
            );
        }
        let trimmed: Vec<_> = open(name).skip(2).step_by(2).take(2).collect();
        assert_eq!(trimmed[1].as_ref().unwrap().picture, all[4].picture);
        let mut clip = open(name);
        clip.skip_to(1000).unwrap();
        assert!(clip.next().is_none() && clip.next().is_none());
    }
}

#[test]
fn every_frame_is_found_by_its_number() {
    for name in [
        "variable.mp4",
        "edited.mp4",
        "late.mp4",
        "cut_sound.mp4",
        "with_aac.mp4",
        "fragmented.mp4",
        "fragmented_old.mp4",
        "quicktime.mov",
        "crop.mp4",
        "main.mp4",
    ] {
        let all = frames(open(name));
        for first in 0..all.len() {
            for second in first + 1..all.len() {
                let mut clip = open(name);
                for number in [first, second] {
                    clip.skip_to(number).unwrap();
                    let frame = clip.next().unwrap().unwrap();
                    assert_eq!(frame.time, all[number].time, "{name}: {number}");
                    assert_eq!(frame.picture, all[number].picture, "{name}: {number}");
                }
            }
        }
    }
}

/// A clip of every kind; the folder holds some of them.
fn all_kinds(folder: &Path) -> Vec<PathBuf> {
    let pictures = folder.join("pictures");
    fs::create_dir(&pictures).unwrap();
    for number in 0..8 {
        save_png(&pictures.join(format!("{number}.png")), &moving(number)).unwrap();
    }
    let own = folder.join("own.gif");
    gif(&own, 24.0, 12);
    let mut kinds: Vec<_> = [
        "bframes.mp4",
        "keys.mp4",
        "variable.mp4",
        "edited.mp4",
        "late.mp4",
    ]
    .map(fixture)
    .to_vec();
    kinds.extend([own, pictures, fixture("moving.png"), fixture("moving.webp")]);
    kinds
}

#[test]
fn a_trimmed_clip_has_the_frames_that_begin_in_the_cut() {
    let folder = tempfile::tempdir().unwrap();
    for path in all_kinds(folder.path()) {
        let all = frames(Clip::open(&path).unwrap());
        let end = all.last().unwrap().time;
        let cuts = [
            (None, None),
            (Some(0.0), Some(end)),
            (Some(end / 3.0), None),
            (None, Some(end / 2.0)),
            (Some(end * 0.26), Some(end * 0.71)),
            (Some(all[3].time), Some(all[5].time)),
            // As a person writes them: off by less than a frame lasts.
            (Some(all[3].time + 4e-7), Some(all[5].time - 4e-7)),
            (Some(end), Some(1e9)),
            (Some(-1.0), Some(f64::INFINITY)),
        ];
        for (from, to) in cuts {
            let is_in = |frame: &&ClipFrame| {
                frame.time > from.unwrap_or(0.0) - 1e-6
                    && to.is_none_or(|to| frame.time < to - 1e-6)
            };
            let expected: Vec<_> = all.iter().filter(is_in).collect();
            let clip = Clip::open(&path).unwrap().trim(from, to).unwrap();
            let info = *clip.info();
            let found = frames(clip);
            let what = format!("{} {from:?} {to:?}", path.display());
            assert!(
                info.frames.is_none_or(|frames| frames == expected.len()),
                "{what}: {info:?}"
            );
            let is_same =
                |(a, b): (&ClipFrame, &&ClipFrame)| a.time == b.time && a.picture == b.picture;
            assert!(
                found.len() == expected.len() && found.iter().zip(&expected).all(is_same),
                "{what}: {} of {}",
                found.len(),
                expected.len()
            );

            // Numbers are those of the part.
            for number in 0..expected.len() {
                let mut clip = Clip::open(&path).unwrap().trim(from, to).unwrap();
                clip.skip_to(number).unwrap();
                assert_eq!(clip.next().unwrap().unwrap().time, expected[number].time);
                assert_eq!(
                    clip.count(),
                    expected.len() - number - 1,
                    "{what}: {number}"
                );
            }
            let mut clip = Clip::open(&path).unwrap().trim(from, to).unwrap();
            clip.skip_to(1000).unwrap();
            assert!(clip.next().is_none());
        }
    }
}

#[test]
fn cuts_that_leave_nothing_are_told() {
    let sentence = |path: &Path, from, to| {
        let clip = Clip::open(path).unwrap().trim(from, to);
        clip.err().unwrap().to_string()
    };
    let folder = tempfile::tempdir().unwrap();
    for path in all_kinds(folder.path()) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        for (from, to) in [
            (2.0, 1.0),
            (1.0, 1.0),
            (f64::NAN, 1.0),
            (0.0, f64::NAN),
            (-2.0, -1.0),
        ] {
            assert_eq!(
                sentence(&path, Some(from), Some(to)),
                format!(
                    "{name} can't be cut from {from} s to {to} s; let the cut end after it begins."
                )
            );
        }
        for to in [None, Some(200.0)] {
            let text = sentence(&path, Some(100.0), to);
            let start = format!("{name} has no frame from 100 s on, as it runs for ");
            assert!(
                text.starts_with(&start) && text.ends_with(" s; let the cut begin earlier."),
                "{text}"
            );
        }
        assert_eq!(
            sentence(&path, Some(0.001), Some(0.002)),
            format!(
                "{name} has no frame that begins from 0.001 s to 0.002 s; let the cut be longer."
            )
        );
    }
}

/// A GIF of 4 x 1 pixels whose palette is red, green, blue and, transparent where asked for, white.
fn small_gif(patches: &[(u16, &[u8], gif::DisposalMethod, u16)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let palette = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];
    let mut encoder = gif::Encoder::new(&mut bytes, 4, 1, &palette).unwrap();
    for &(left, pixels, dispose, delay) in patches {
        let frame = gif::Frame {
            left,
            width: pixels.len() as u16,
            height: 1,
            buffer: pixels.into(),
            transparent: Some(3),
            dispose,
            delay,
            ..gif::Frame::default()
        };
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    bytes
}

#[test]
fn patches_of_a_gif_are_drawn_over_one_another() {
    use gif::DisposalMethod::{Any, Background, Keep, Previous};
    let bytes = small_gif(&[
        (0, &[0, 0, 3, 0], Keep, 10),
        (1, &[1, 3], Background, 0),
        (3, &[2], Previous, 1),
        (0, &[3, 3, 2, 3], Any, 2),
        (2, &[3, 1], Keep, 65_535),
    ]);
    let (_folder, path) = write(&bytes);
    let clip = Clip::open(&path).unwrap();
    let info = *clip.info();
    let frames = frames(clip);
    let shown: Vec<String> = frames
        .iter()
        .map(|frame| {
            (0..4)
                .map(|x| match pixel(frame, x, 0) {
                    [255, 0, 0, 255] => 'r',
                    [0, 255, 0, 255] => 'g',
                    [0, 0, 255, 255] => 'b',
                    [0, 0, 0, 0] => '.',
                    other => panic!("{other:?}"),
                })
                .collect()
        })
        .collect();
    assert_eq!(shown, ["rr.r", "rg.r", "r..b", "r.br", "r.bg"]);
    // Hasty frames last a tenth of a second, as in browsers.
    assert_times(&frames, [0.0, 0.1, 0.2, 0.3, 0.32]);
    assert!((info.seconds.unwrap() - 655.67).abs() < 1e-6);
}

#[test]
fn animated_png_and_webp_come_whole() {
    for name in ["moving.png", "moving.webp"] {
        let clip = open(name);
        let info = *clip.info();
        assert_eq!(
            (info.width, info.height, info.frames),
            (40, 30, Some(6)),
            "{name}"
        );
        assert!((info.fps - 5.0).abs() < 1e-9);
        let frames = frames(clip);
        assert_times(&frames, (0..6).map(|n| f64::from(n) / 5.0));
        for (number, frame) in frames.iter().enumerate() {
            let number = number as u32;
            assert_near(
                pixel(frame, 4 * number + 4, 2 * number + 4),
                [224, 160, 32],
                1,
            );
            assert_near(pixel(frame, 38, 2), [32, 64, 96], 1);
            assert_near(pixel(frame, 1, 28), [32, 64, 96], 1);
        }
    }
}

#[test]
fn a_dropped_animation_ends_its_thread() {
    for _ in 0..200 {
        let mut clip = open("moving.webp");
        clip.next();
    }
}

#[test]
fn a_folder_is_a_clip_in_natural_order() {
    let folder = tempfile::tempdir().unwrap();
    for number in [1, 2, 9, 10, 11] {
        save_png(
            &folder.path().join(format!("f{number}.png")),
            &moving(number),
        )
        .unwrap();
    }
    fs::write(folder.path().join("notes.txt"), "no picture").unwrap();
    fs::write(folder.path().join(".f3.png"), "a hidden copy").unwrap();

    let clip = Clip::open(folder.path()).unwrap();
    let info = *clip.info();
    assert_eq!((info.width, info.height, info.frames), (64, 48, Some(5)));
    assert_eq!((info.fps, info.seconds), (25.0, Some(0.2)));
    let frames = frames(clip);
    assert_times(&frames, (0..5).map(|n| f64::from(n) / 25.0));
    for (frame, number) in frames.iter().zip([1, 2, 9, 10, 11]) {
        assert_eq!(frame.picture, moving(number));
    }
}

#[test]
fn a_pattern_is_a_clip() {
    let folder = tempfile::tempdir().unwrap();
    fill(
        Box::new(PngSequence::new(&folder.path().join("shot.png")).unwrap()),
        3,
    );
    save_png(&folder.path().join("other_0001.png"), &moving(9)).unwrap();

    for pattern in ["shot_%04d.png", "shot_%d.png", "shot_%02d.png"] {
        let mut clip = Clip::open(&folder.path().join(pattern)).unwrap();
        assert_eq!(clip.info().frames, Some(3));
        clip.skip_to(2).unwrap();
        assert_eq!(clip.next().unwrap().unwrap().picture, moving(2));
    }
    let error = Clip::open(&folder.path().join("shot_%05d.png"))
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        "shot_%05d.png matches no file in its folder; check the name around the number and how many digits it has."
    );
}

#[test]
fn folders_that_are_no_clip_are_told_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("takes");
    fs::create_dir(&path).unwrap();
    let error = || Clip::open(&path).err().unwrap().to_string();
    assert_eq!(
        error(),
        "takes is a folder without pictures; choose one with numbered PNG, JPEG, WebP, TIFF, BMP or GIF files."
    );

    save_png(&path.join("1.png"), &moving(1)).unwrap();
    assert_eq!(
        error(),
        "1.png is a picture rather than a clip, so nothing in it moves; open it as a portrait instead."
    );

    save_png(&path.join("2.png"), &moving(2)).unwrap();
    save_png(&path.join("10.png"), &picture(8, 6, gradient)).unwrap();
    assert_eq!(
        error(),
        "10.png is 8 x 6 pixels, but the pictures before it are 64 x 48; bring all pictures of the clip to one size."
    );

    fs::write(path.join("3.png"), "Dear diary").unwrap();
    assert!(error().starts_with("3.png is not a picture"), "{}", error());
}

#[test]
fn a_damaged_picture_in_a_folder_ends_the_clip() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..4 {
        save_png(
            &folder.path().join(format!("{number}.png")),
            &moving(number),
        )
        .unwrap();
    }
    let path = folder.path().join("2.png");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let (count, error) = read(folder.path());
    assert_eq!(count, 2);
    assert!(
        error
            .unwrap()
            .to_string()
            .starts_with("2.png is damaged or cut short (")
    );
}

#[test]
fn what_is_no_clip_is_called_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let png = folder.path().join("still.png");
    save_png(&png, &moving(0)).unwrap();
    let still = "clip.dat is a picture rather than a clip, so nothing in it moves; open it as a portrait instead.";
    assert_eq!(sentence(&fs::read(&png).unwrap()), still);
    assert_eq!(
        sentence(&small_gif(&[(0, &[0; 4], gif::DisposalMethod::Any, 5)])),
        still
    );
    assert_eq!(sentence(&fs::read(fixture("../cmyk.jpg")).unwrap()), still);
    assert_eq!(
        sentence(&fs::read(fixture("../turned.webp")).unwrap()),
        still
    );
    assert_eq!(
        sentence(&fs::read(fixture("../turned.tif")).unwrap()),
        still
    );

    let instead = "open an MP4, MOV, GIF, animated PNG or WebP, or a folder of numbered pictures.";
    for (bytes, expected) in [
        (
            b"".as_slice(),
            "empty (0 bytes); copy it again from where it came.".to_owned(),
        ),
        (
            b"Dear diary, today I went to the fair and saw",
            format!("not a clip that Mien can read; {instead}"),
        ),
        (
            b"%PDF-1.7",
            format!("a PDF document, not a clip; {instead}"),
        ),
        (
            b"\0\0\0\x18ftypheic\0\0\0\0",
            format!("a HEIC photo, not a clip; {instead}"),
        ),
        (
            b"ID3\x03\0\0\0\0\0\0",
            format!("a sound recording, not a clip; {instead}"),
        ),
        (
            b"<!DOCTYPE html><html>",
            "a web page, not a clip; download the clip itself rather than the page that shows it."
                .to_owned(),
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
            "a Git LFS pointer, not a clip; fetch the clip itself with \"git lfs pull\"."
                .to_owned(),
        ),
    ] {
        assert_eq!(sentence(bytes), format!("clip.dat is {expected}"));
    }
    assert_eq!(
        Clip::open(&folder.path().join("gone.mp4"))
            .err()
            .unwrap()
            .to_string(),
        "gone.mp4 isn't there; check its name and folder."
    );
}

#[test]
fn films_without_a_film_are_told_why() {
    for (name, expected) in [
        (
            "sound.m4a",
            "sound.m4a has only sound, so there is no face to follow in it; open a clip with video.",
        ),
        (
            "encrypted.mp4",
            "encrypted.mp4 is encrypted against copying, so Mien can't read it; open a clip that isn't.",
        ),
        (
            "one.mp4",
            "one.mp4 has a single frame, so nothing in it moves; open a longer clip.",
        ),
    ] {
        assert_eq!(
            Clip::open(&fixture(name)).err().unwrap().to_string(),
            expected
        );
    }
}

#[test]
fn a_film_without_its_index_or_frames_is_called_cut_short() {
    let index = "clip.dat is damaged or cut short (it has no index, as when a recording or copy was broken off); copy it again from where it came.";
    let bytes = fs::read(fixture("bframes.mp4")).unwrap();
    assert_eq!(sentence(&bytes[..600]), index);
    assert_eq!(
        sentence(&bytes[..bytes.len() - 9]),
        "clip.dat is damaged or cut short (its index runs on beyond its end); copy it again from where it came."
    );

    // Ours has the index in front.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.mp4");
    mp4(&path, 25.0, 12);
    let bytes = fs::read(&path).unwrap();
    let text = sentence(&bytes[..bytes.len() - 1]);
    assert_eq!(
        text,
        "clip.dat is damaged or cut short (of its 12 frames only 11 are there); copy it again from where it came."
    );
}

#[test]
fn wherever_a_film_is_cut_there_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.mp4");
    mp4(&own, 25.0, 3);
    let path = folder.path().join("clip.dat");
    for film in [
        own,
        fixture("bframes.mp4"),
        fixture("fragmented.mp4"),
        fixture("quicktime.mov"),
    ] {
        let bytes = fs::read(&film).unwrap();
        // Shorter beginnings may be anything.
        for end in 8..bytes.len() {
            fs::write(&path, &bytes[..end]).unwrap();
            match read(&path) {
                (count, Some(error)) => {
                    assert_eq!(count, 0, "{}: {end}", film.display());
                    assert_one_sentence(&error);
                }
                // What is cut off between fragments is a shorter film.
                (count, None) => assert!(
                    count > 0 && film.ends_with("fragmented.mp4"),
                    "{}: {end}",
                    film.display()
                ),
            }
        }
    }
}

#[test]
fn wherever_an_animation_is_cut_its_frames_come_and_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.dat");
    let gif = small_gif(&[(0, [0, 1, 2, 0].as_slice(), gif::DisposalMethod::Keep, 5); 4]);
    let png = fs::read(fixture("moving.png")).unwrap();
    let webp = fs::read(fixture("moving.webp")).unwrap();
    for (bytes, whole) in [(gif, 4), (png, 6), (webp, 6)] {
        let mut most = 0;
        for end in 8..bytes.len() {
            fs::write(&path, &bytes[..end]).unwrap();
            let (count, error) = read(&path);
            if let Some(error) = &error {
                assert_one_sentence(error);
            }
            // All frames may be there where only the end mark is missing.
            assert!(error.is_some() || count == whole, "{end}: {count} frames");
            most = most.max(count);
        }
        assert!(most >= whole - 1);
    }
}

#[test]
fn a_damaged_frame_ends_the_clip_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.mp4");
    mp4(&own, 25.0, 12);
    let mut bytes = fs::read(&own).unwrap();
    // A frame without B-frames is at its place; its first unit claims to be longer than the frame.
    let frame = crate::common::media::read_mp4(&own).frames.len() / 2;
    let offset = sample_offset(&bytes, frame);
    bytes[offset] = 0x7f;
    let (_folder, path) = write(&bytes);
    let (count, error) = read(&path);
    assert_eq!(count, frame);
    assert_eq!(
        error.unwrap().to_string(),
        "clip.dat is damaged from frame 7 on (its parts don't fit in it); use the frames before it or copy the clip again from where it came."
    );
}

/// Where sample `index` of our own MP4 begins.
fn sample_offset(bytes: &[u8], index: usize) -> usize {
    use shiguredo_mp4::demux::{Input, Mp4FileDemuxer};
    let mut demuxer = Mp4FileDemuxer::new();
    demuxer.handle_input(Input {
        position: 0,
        data: bytes,
    });
    for _ in 0..index {
        demuxer.next_sample().unwrap();
    }
    demuxer.next_sample().unwrap().unwrap().data_offset as usize
}

#[test]
fn sizes_that_lie_are_refused_and_cost_nothing() {
    let bytes = fs::read(fixture("bframes.mp4")).unwrap();
    let place = |kind: &[u8]| bytes.windows(4).position(|w| w == kind).unwrap() + 4;
    let with = |at: usize, value: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[at..at + value.len()].copy_from_slice(value);
        bytes
    };
    // Four thousand million frames, alike or not; a frame of 4 GB; places beyond the file; a clock that stands.
    for (at, value) in [
        (place(b"stsz") + 8, [0xff; 4]),
        (place(b"stsz") + 4, [0, 0, 0, 1]),
        (place(b"stsz") + 12, [0xff; 4]),
        (place(b"stco") + 8, [0xff; 4]),
        (place(b"mdhd") + 12, [0; 4]),
        (place(b"stsd") - 8, [0xff; 4]),
        (place(b"avcC") + 6, [0xff; 4]),
    ] {
        let (_folder, path) = write(&with(at, &value));
        let (count, error) = read(&path);
        assert_eq!(count, 0, "at {at}");
        assert_one_sentence(&error.unwrap());
    }
    // Both at once: any number of frames of a byte each.
    let mut liar = with(place(b"stsz") + 4, &[0, 0, 0, 1]);
    liar[place(b"stsz") + 8..][..4].fill(0xff);
    assert!(sentence(&liar).contains("(the index of its video makes no sense)"));
}

#[test]
fn pictures_out_of_bounds_are_refused_by_the_header() {
    assert!(sentence(b"GIF89a\xff\xff\xff\xff\0\0\0;").contains("65535 x 65535 pixels"));
    let mut png = fs::read(fixture("moving.png")).unwrap();
    png[16..20].copy_from_slice(&100_000u32.to_be_bytes());
    assert!(sentence(&png).contains("100000 x 30 pixels"));
    let mut webp = fs::read(fixture("moving.webp")).unwrap();
    webp[24..30].fill(0xff);
    assert!(sentence(&webp).contains("16777216 x 16777216 pixels"));
}

/// The films that only ffmpeg opens, and what they are called where there is none.
const FOREIGN: [(&str, &str); 4] = [
    ("hevc.mp4", "HEVC (H.265) video (hev1)"),
    ("vp9.webm", "VP9 video in WebM"),
    ("interlaced.mp4", "interlaced H.264 video"),
    ("high10.mp4", "H.264 video in 10 bits"),
];

#[test]
fn other_codecs_open_where_there_is_ffmpeg() {
    let has = |program: &str| {
        std::process::Command::new(program)
            .arg("-version")
            .output()
            .is_ok()
    };
    if !has("ffmpeg") || !has("ffprobe") {
        eprintln!("There is no ffmpeg here: what it opens isn't tested.");
        return;
    }
    for (name, _) in FOREIGN {
        let mut clip = open(name);
        let height = if name == "interlaced.mp4" { 64 } else { 48 };
        assert_eq!(
            (clip.info().width, clip.info().height),
            (64, height),
            "{name}"
        );
        assert!((clip.info().fps - 10.0).abs() < 1e-6);
        assert_eq!(clip.info().frames, None);
        // Dropped with frames to come, the program goes too.
        assert_frame(&clip.next().unwrap().unwrap(), 0);
        drop(clip);

        let frames = frames(open(name));
        assert_times(&frames, (0..4).map(|n| f64::from(n) / 10.0));
        for (number, frame) in frames.iter().enumerate() {
            assert_frame(frame, number);
        }
    }

    let mut bytes = fs::read(fixture("vp9.webm")).unwrap();
    bytes.truncate(430);
    assert!(
        sentence(&bytes)
            .starts_with("clip.dat is VP9 video in WebM, which ffmpeg couldn't decode (")
    );
}

#[test]
fn other_codecs_are_named_where_there_is_no_ffmpeg() {
    // The same test in a process of its own, which finds no program at all.
    if std::env::var_os("MIEN_TEST_NO_PROGRAMS").is_none() {
        let name = "other_codecs_are_named_where_there_is_no_ffmpeg";
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env("MIEN_TEST_NO_PROGRAMS", "1")
            .env("PATH", "")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    for (name, codec) in FOREIGN {
        assert_eq!(
            Clip::open(&fixture(name)).err().unwrap().to_string(),
            format!(
                "{name} is {codec}, which Mien opens with the help of ffmpeg, and that isn't installed here; \
                 install ffmpeg or save the clip anew as an MP4 with H.264."
            )
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_clips_never_panic(
        which in 0usize..7,
        cut in 0.0f64..1.0,
        damage in prop::collection::vec((0.0f64..1.0, any::<u8>()), 0..12),
    ) {
        let names = ["bframes.mp4", "fragmented.mp4", "crop.mp4", "quicktime.mov", "moving.png", "moving.webp", "moving.gif"];
        let mut bytes = match names[which] {
            "moving.gif" => small_gif(&[(1, [0, 1, 2].as_slice(), gif::DisposalMethod::Previous, 5); 5]),
            name => fs::read(fixture(name)).unwrap(),
        };
        if cut > 0.7 {
            bytes.truncate((bytes.len() as f64 * cut) as usize);
        }
        // What a file is stays clear, so that no other program is asked about it.
        let length = (bytes.len() - 12) as f64;
        for (place, value) in damage {
            bytes[12 + (place * length) as usize] = value;
        }
        let (_folder, path) = write(&bytes);
        if let (_, Some(error)) = read(&path) {
            assert_one_sentence(&error);
        }
    }
}
