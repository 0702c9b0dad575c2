//! Clips come out with the frames, times and colours that went in, and no failure costs the artist a file.

use std::fs;
use std::path::Path;

use crate::common::media::{gradient, names, picture, read_gif, read_mp4};
use mien::media::encode::{
    FrameSink, GifSettings, GifSink, LoopCount, Mp4Settings, Mp4Sink, PngSequence, frame_path,
    save_png, save_png_with,
};
use mien::media::error::MediaError;
use mien::media::image::{Picture, open};
use mien::media::provenance::{Provenance, SourceType, read as read_provenance};

fn gif(path: &Path, settings: GifSettings, frames: &[Picture]) {
    let mut sink: Box<dyn FrameSink> =
        Box::new(GifSink::new(path, frames[0].width(), frames[0].height(), settings).unwrap());
    frames.iter().for_each(|frame| sink.push(frame).unwrap());
    sink.finish().unwrap();
}

fn mp4(path: &Path, settings: Mp4Settings, frames: &[Picture]) {
    let mut sink: Box<dyn FrameSink> =
        Box::new(Mp4Sink::new(path, frames[0].width(), frames[0].height(), settings).unwrap());
    frames.iter().for_each(|frame| sink.push(frame).unwrap());
    sink.finish().unwrap();
}

/// A square that walks to the right over a still backdrop.
fn walk(count: u32, width: u32, height: u32) -> Vec<Picture> {
    (0..count)
        .map(|i| {
            picture(width, height, |x, y| {
                let is_square = (i * 2..i * 2 + 8).contains(&x) && (4..12).contains(&y);
                if is_square {
                    [250, 220, 30]
                } else {
                    gradient(x, y)
                }
            })
        })
        .collect()
}

fn mean_error(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| f64::from(a.abs_diff(*b)))
        .sum::<f64>()
        / a.len() as f64
}

#[test]
fn gif_keeps_frames_time_and_loops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("walk.gif");
    for (fps, total) in [
        (24.0, 100),
        (25.0, 96),
        (23.976, 100),
        (12.5, 192),
        (50.0, 48),
        (30.0, 80),
    ] {
        gif(
            &path,
            GifSettings {
                fps,
                ..GifSettings::default()
            },
            &walk(24, 64, 24),
        );
        let found = read_gif(&path);
        assert_eq!(found.size, (64, 24));
        assert_eq!(found.shown.len(), 24);
        assert_eq!(
            found.delays.iter().map(|&d| u32::from(d)).sum::<u32>(),
            total,
            "{fps}"
        );
        assert!(
            found
                .delays
                .iter()
                .all(|&d| (f64::from(d) - 100.0 / fps).abs() < 1.0),
            "{fps}: {:?}",
            found.delays
        );
        assert_eq!(found.repeat, gif::Repeat::Infinite);
    }

    // Three times in all is twice again.
    gif(
        &path,
        GifSettings {
            loops: LoopCount::Times(3),
            ..GifSettings::default()
        },
        &walk(2, 64, 24),
    );
    assert_eq!(read_gif(&path).repeat, gif::Repeat::Finite(2));
    gif(
        &path,
        GifSettings {
            loops: LoopCount::Times(1),
            ..GifSettings::default()
        },
        &walk(2, 64, 24),
    );
    assert_eq!(read_gif(&path).repeat, gif::Repeat::Finite(0));
}

#[test]
fn gif_redraws_only_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("walk.gif");
    let mut frames = walk(5, 96, 64);
    frames.push(frames[4].clone());
    gif(&path, GifSettings::default(), &frames);

    let found = read_gif(&path);
    // The square moves by 2 pixels: 8 + 2 across.
    assert_eq!(
        found.patches,
        [(96, 64), (10, 8), (10, 8), (10, 8), (10, 8), (1, 1)]
    );
    for (index, (shown, frame)) in found.shown.iter().zip(&frames).enumerate() {
        let error = mean_error(shown, frame.rgba());
        assert!(error < 3.0, "frame {index} is off by {error}");
    }
    // Outside the square's path the dither stands still.
    let last_row = 63 * 96 * 4;
    assert!(
        found
            .shown
            .iter()
            .all(|shown| shown[last_row..] == found.shown[0][last_row..])
    );
}

#[test]
fn gif_shows_transparency_as_it_comes_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ghost.gif");
    // A disc that walks over nothing: every frame uncovers pixels that must be transparent again.
    let frames: Vec<Picture> = (0..6i32)
        .map(|i| {
            let rgba = (0..40 * 30i32)
                .flat_map(|p| {
                    let (x, y) = (p % 40 - 10 - i * 3, p / 40 - 15);
                    let alpha = if x * x + y * y < 64 { 200 } else { 90 };
                    [(100 + p % 40) as u8, (50 + p / 40 * 4) as u8, 150, alpha]
                })
                .collect();
            Picture::new(40, 30, rgba).unwrap()
        })
        .collect();
    gif(&path, GifSettings::default(), &frames);

    let found = read_gif(&path);
    assert_eq!(found.shown.len(), 6);
    for (index, (shown, frame)) in found.shown.iter().zip(&frames).enumerate() {
        for (at, (shown, source)) in shown
            .chunks_exact(4)
            .zip(frame.rgba().chunks_exact(4))
            .enumerate()
        {
            assert_eq!(
                shown[3] == 255,
                source[3] >= 128,
                "frame {index}, pixel {at}"
            );
        }
    }
}

#[test]
fn gif_of_few_colours_is_exact() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flat.gif");
    let frame = picture(32, 32, |x, y| [(x * 8) as u8, (y / 8 * 60) as u8, 7]);
    gif(&path, GifSettings::default(), std::slice::from_ref(&frame));
    assert_eq!(read_gif(&path).shown[0], frame.rgba());
}

#[test]
fn gif_of_a_gradient_is_close_and_closer_still_from_afar() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gradient.gif");
    let frame = picture(128, 128, gradient);
    gif(&path, GifSettings::default(), std::slice::from_ref(&frame));
    let shown = read_gif(&path).shown.remove(0);
    let error = mean_error(&shown, frame.rgba());
    assert!(error < 4.0, "{error}");

    // What dithering is for: the mean of an 8 x 8 block is nearly exact.
    let blocks = |rgba: &[u8]| -> Vec<f64> {
        let mut sums = vec![0.0; 16 * 16 * 4];
        for (i, v) in rgba.iter().enumerate() {
            let (x, y, c) = (i / 4 % 128 / 8, i / 4 / 128 / 8, i % 4);
            sums[(y * 16 + x) * 4 + c] += f64::from(*v) / 64.0;
        }
        sums
    };
    let (a, b) = (blocks(&shown), blocks(frame.rgba()));
    let far = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum::<f64>() / a.len() as f64;
    assert!(far < 1.0 && far < error / 2.0, "{far} of {error}");
}

#[test]
fn mp4_keeps_frames_size_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("walk.mp4");
    for (fps, ratio) in [
        (24.0, (24, 1)),
        (25.0, (25, 1)),
        (23.976, (24_000, 1001)),
        (12.5, (25, 2)),
    ] {
        mp4(
            &path,
            Mp4Settings {
                fps,
                ..Mp4Settings::default()
            },
            &walk(40, 96, 64),
        );
        let found = read_mp4(&path);
        assert_eq!(found.size, (96, 64));
        assert_eq!(found.frames.len(), 40);
        assert_eq!(found.durations.len(), 40);
        assert!(
            found
                .durations
                .iter()
                .all(|&d| found.timescale * ratio.1 == d * ratio.0),
            "{fps}"
        );
        assert!(found.is_faststart);
        let keys: Vec<_> = found
            .keys
            .iter()
            .enumerate()
            .filter(|(_, key)| **key)
            .map(|(i, _)| i)
            .collect();
        let period = (fps * 1.5).round() as usize;
        assert_eq!(keys, (0..40).step_by(period).collect::<Vec<_>>(), "{fps}");
    }
}

#[test]
fn mp4_of_odd_and_tiny_sizes_is_padded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.mp4");
    for ((width, height), coded) in [
        ((127, 95), (128, 96)),
        ((1, 1), (16, 16)),
        ((17, 200), (18, 200)),
    ] {
        let frame = picture(width, height, |_, _| [180, 120, 90]);
        mp4(&path, Mp4Settings::default(), &[frame.clone(), frame]);
        let found = read_mp4(&path);
        assert_eq!(found.size, coded);
        assert_eq!(found.frames.len(), 2);
        let (w, h, rgb) = &found.frames[1];
        assert_eq!((*w, *h), (usize::from(coded.0), usize::from(coded.1)));
        // The padding is the edge's colour too.
        assert!(
            rgb.chunks_exact(3)
                .all(|p| mean_error(p, &[180, 120, 90]) <= 3.0),
            "{width} x {height}"
        );
    }
}

#[test]
fn mp4_keeps_colours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("colours.mp4");
    let patches = [
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [255, 255, 255],
        [0, 0, 0],
        [128, 128, 128],
        [224, 172, 140],
        [70, 40, 30],
    ];
    let frame = picture(256, 64, |x, _| patches[x as usize / 32]);
    mp4(
        &path,
        Mp4Settings {
            quality: 95,
            ..Mp4Settings::default()
        },
        &[frame.clone(), frame],
    );

    let (width, _, rgb) = &read_mp4(&path).frames[1];
    for (index, patch) in patches.iter().enumerate() {
        let at = (32 * width + index * 32 + 16) * 3;
        let found = &rgb[at..at + 3];
        assert!(
            found.iter().zip(patch).all(|(a, b)| a.abs_diff(*b) <= 3),
            "{found:?} was {patch:?}"
        );
    }
}

#[test]
fn mp4_of_a_detailed_picture_is_faithful_and_quality_matters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("detail.mp4");
    let frames: Vec<_> = (0..12u32)
        .map(|i| {
            picture(160, 120, |x, y| {
                gradient(x, y).map(|v| v.wrapping_add(((x + i) * 37 % 23 + y * 53 % 19) as u8 / 3))
            })
        })
        .collect();
    let measure = |quality| {
        mp4(
            &path,
            Mp4Settings {
                quality,
                ..Mp4Settings::default()
            },
            &frames,
        );
        let decoded = read_mp4(&path).frames;
        let source: Vec<u8> = frames[11]
            .rgba()
            .chunks_exact(4)
            .flat_map(|p| [p[0], p[1], p[2]])
            .collect();
        (
            mean_error(&decoded[11].2, &source),
            fs::metadata(&path).unwrap().len(),
        )
    };
    let (good, large) = measure(80);
    let (poor, small) = measure(20);
    assert!(good < 3.0 && good < poor, "{good} against {poor}");
    assert!(small < large, "{small} against {large} bytes");
}

#[test]
fn mp4_shows_its_background_through_transparency() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ghost.mp4");
    let frame = Picture::new(32, 32, [255, 0, 0, 0].repeat(32 * 32)).unwrap();
    mp4(
        &path,
        Mp4Settings {
            background: [20, 120, 220],
            ..Mp4Settings::default()
        },
        &[frame],
    );
    let rgb = &read_mp4(&path).frames[0].2;
    assert!(
        mean_error(&rgb[..3], &[20, 120, 220]) <= 3.0,
        "{:?}",
        &rgb[..3]
    );
}

#[test]
fn a_sequence_is_numbered_from_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shot.png");
    let frames = walk(3, 32, 16);
    fs::write(folder.path().join("shot_0002.png"), "older").unwrap();

    let mut sink = Box::new(PngSequence::new(&path).unwrap());
    frames.iter().for_each(|frame| sink.push(frame).unwrap());
    assert_eq!(
        fs::read(folder.path().join("shot_0002.png")).unwrap(),
        b"older"
    );
    sink.finish().unwrap();

    assert_eq!(
        names(folder.path()),
        ["shot_0001.png", "shot_0002.png", "shot_0003.png"]
    );
    for (index, frame) in frames.iter().enumerate() {
        assert_eq!(&open(&frame_path(&path, index, 3)).unwrap(), frame);
    }
    assert_eq!(
        frame_path(Path::new("a.b.png"), 0, 12_345),
        Path::new("a.b_00001.png")
    );
}

#[test]
fn a_sequence_that_fails_leaves_all_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = Box::new(PngSequence::new(&folder.path().join("shot.png")).unwrap());
    walk(3, 32, 16)
        .iter()
        .for_each(|frame| sink.push(frame).unwrap());
    fs::write(folder.path().join("shot_0001.png"), "older").unwrap();
    // A folder in the way of the third frame.
    fs::create_dir(folder.path().join("shot_0003.png")).unwrap();

    assert!(matches!(sink.finish(), Err(MediaError::IsFolder { .. })));
    assert_eq!(names(folder.path()), ["shot_0001.png", "shot_0003.png"]);
    assert_eq!(
        fs::read(folder.path().join("shot_0001.png")).unwrap(),
        b"older"
    );
}

/// A sink of each kind, at a path whose extension doesn't matter.
fn sinks(path: &Path) -> Vec<Result<Box<dyn FrameSink>, MediaError>> {
    vec![
        GifSink::new(path, 32, 16, GifSettings::default())
            .map(|s| Box::new(s) as Box<dyn FrameSink>),
        Mp4Sink::new(path, 32, 16, Mp4Settings::default())
            .map(|s| Box::new(s) as Box<dyn FrameSink>),
        PngSequence::new(path).map(|s| Box::new(s) as Box<dyn FrameSink>),
    ]
}

#[test]
fn a_dropped_sink_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.gif");
    fs::write(&path, "older").unwrap();
    for kind in 0..3 {
        let mut sink = sinks(&path).swap_remove(kind).unwrap();
        walk(20, 32, 16)
            .iter()
            .for_each(|frame| sink.push(frame).unwrap());
        assert!(
            names(folder.path()).len() > 1,
            "it writes in the same folder"
        );
        drop(sink);
        assert_eq!(names(folder.path()), ["mine.gif"]);
        assert_eq!(fs::read(&path).unwrap(), b"older");
    }
}

#[test]
fn no_frames_and_wrong_frames_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.gif");
    for sink in sinks(&path) {
        assert!(matches!(
            sink.unwrap().finish(),
            Err(MediaError::NoFrames { .. })
        ));
    }
    for sink in sinks(&path) {
        let mut sink = sink.unwrap();
        sink.push(&picture(32, 16, gradient)).unwrap();
        assert_eq!(
            sink.push(&picture(16, 32, gradient))
                .unwrap_err()
                .to_string(),
            "mine.gif is 32 x 16 pixels, but a frame of 16 x 32 was given for it; render all frames at one size."
        );
    }
    assert!(names(folder.path()).is_empty());
}

#[test]
fn what_a_format_cannot_hold_is_refused_at_once() {
    let path = Path::new("never written");
    let limit = |result: Result<(), MediaError>| result.unwrap_err().to_string();
    assert_eq!(
        limit(GifSink::new(path, 70_000, 10, GifSettings::default()).map(drop)),
        "never written would be 70000 x 10 pixels, but a GIF has from 1 to 65535 pixels a side; choose a smaller size or numbered PNGs."
    );
    assert_eq!(
        limit(Mp4Sink::new(path, 4096, 4096, Mp4Settings::default()).map(drop)),
        "never written would be 4096 x 4096 pixels, but an MP4 has up to 3840 x 2160 or 2160 x 3840; choose a smaller size, a GIF or numbered PNGs."
    );
    assert_eq!(
        limit(
            GifSink::new(
                path,
                10,
                10,
                GifSettings {
                    fps: 60.0,
                    ..GifSettings::default()
                }
            )
            .map(drop)
        ),
        "never written can't run at 60 frames a second; choose a rate from 0.01 to 50."
    );
    for fps in [0.0, -5.0, f64::NAN, f64::INFINITY, 241.0] {
        assert!(
            Mp4Sink::new(
                path,
                10,
                10,
                Mp4Settings {
                    fps,
                    ..Mp4Settings::default()
                }
            )
            .is_err(),
            "{fps}"
        );
    }
}

#[test]
fn folders_that_cannot_be_written_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("gone/mine.png");
    assert!(matches!(
        save_png(&gone, &picture(2, 2, gradient)),
        Err(MediaError::NoFolder { .. })
    ));
    for sink in sinks(&gone) {
        assert!(matches!(sink, Err(MediaError::NoFolder { .. })));
    }
    assert!(matches!(
        save_png(folder.path(), &picture(2, 2, gradient)),
        Err(MediaError::IsFolder { .. })
    ));
}

#[cfg(unix)]
#[test]
fn write_protection_is_respected() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.png");
    let protect =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();

    fs::write(&path, "older").unwrap();
    protect(&path, 0o444);
    assert!(matches!(
        save_png(&path, &picture(2, 2, gradient)),
        Err(MediaError::NotWritable { .. })
    ));
    assert_eq!(fs::read(&path).unwrap(), b"older");

    protect(&path, 0o640);
    save_png(&path, &picture(2, 2, gradient)).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640,
        "the mode of what it replaced"
    );

    fs::remove_file(&path).unwrap();
    save_png(&path, &picture(2, 2, gradient)).unwrap();
    fs::write(folder.path().join("ordinary"), "").unwrap();
    let mode = |name: &str| {
        fs::metadata(folder.path().join(name))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(mode("mine.png"), mode("ordinary"));

    protect(folder.path(), 0o555);
    // The superuser writes everywhere.
    if fs::write(folder.path().join("probe"), "").is_err() {
        assert!(matches!(
            save_png(&path, &picture(2, 2, gradient)),
            Err(MediaError::NotWritable { .. })
        ));
    }
    protect(folder.path(), 0o755);
    assert!(matches!(
        save_png(Path::new("/dev/full"), &picture(2, 2, gradient)),
        Err(MediaError::NotAFile { .. })
    ));
}

#[cfg(unix)]
#[test]
fn a_link_leads_to_the_file_that_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (
        folder.path().join("real.png"),
        folder.path().join("link.png"),
    );
    fs::write(&real, "older").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    save_png(&link, &picture(2, 2, gradient)).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(open(&real).unwrap().size(), (2, 2));
}

/// A note of how it came to be goes into every kind of file, is found again, and changes nothing that is seen.
#[test]
fn a_note_says_that_a_model_edited_it() {
    let folder = tempfile::tempdir().unwrap();
    let frames = [picture(32, 32, gradient), picture(32, 32, gradient)];
    let models = vec!["ganimation-128".to_owned()];
    let note = Provenance::new(models, SourceType::CompositeWithTrainedAlgorithmicMedia);
    let at = |name: &str| folder.path().join(name);

    save_png(&at("plain.png"), &frames[0]).unwrap();
    save_png_with(&at("a.png"), &frames[0], Some(&note)).unwrap();
    assert_eq!(
        open(&at("a.png")).unwrap().rgba(),
        open(&at("plain.png")).unwrap().rgba()
    );
    let mut gif = GifSink::new(&at("a.gif"), 32, 32, GifSettings::default()).unwrap();
    gif.set_note(&note).unwrap();
    let mut mp4 = Mp4Sink::new(&at("a.mp4"), 32, 32, Mp4Settings::default()).unwrap();
    mp4.set_note(note.clone());
    let mut numbered = PngSequence::new(&at("b.png")).unwrap();
    numbered.set_note(note.clone());
    let sinks: [Box<dyn FrameSink>; 3] = [Box::new(gif), Box::new(mp4), Box::new(numbered)];
    for mut sink in sinks {
        for frame in &frames {
            sink.push(frame).unwrap();
        }
        sink.finish().unwrap();
    }

    for name in ["a.png", "a.gif", "a.mp4", "b_0001.png", "b_0002.png"] {
        let found = read_provenance(&std::fs::read(at(name)).unwrap()).unwrap();
        assert!(found.is_by_a_model(), "{name}");
        assert_eq!(found.models, ["ganimation-128"], "{name}");
    }
    for name in ["a.gif", "a.mp4"] {
        let clip = mien::media::clip::Clip::open(&at(name)).unwrap();
        assert_eq!(clip.filter(Result::is_ok).count(), 2, "{name}");
    }
    assert!(read_provenance(&std::fs::read(at("plain.png")).unwrap()).is_none());
}
