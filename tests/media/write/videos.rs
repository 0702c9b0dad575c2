//! MP4.

use std::fs;

use super::{mean_error, moving_frames, mp4};
use crate::common::media::{gradient, picture, read_mp4};
use mien::media::encode::Mp4Settings;
use mien::media::image::Picture;

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
            &moving_frames(40, 96, 64),
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
        // The padding has the edge's colour.
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
fn mp4_of_a_detailed_image_is_close_and_its_error_follows_the_quality() {
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
fn mp4_blends_transparent_pixels_over_the_background() {
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
