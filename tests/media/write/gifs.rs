//! GIF.

use super::{gif, mean_error, moving_frames};
use crate::common::media::{gradient, picture, read_gif};
use mien::media::encode::{GifSettings, LoopCount};
use mien::media::image::Picture;

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
            &moving_frames(24, 64, 24),
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

    // Playing three times is repeating twice.
    gif(
        &path,
        GifSettings {
            loops: LoopCount::Times(3),
            ..GifSettings::default()
        },
        &moving_frames(2, 64, 24),
    );
    assert_eq!(read_gif(&path).repeat, gif::Repeat::Finite(2));
    gif(
        &path,
        GifSettings {
            loops: LoopCount::Times(1),
            ..GifSettings::default()
        },
        &moving_frames(2, 64, 24),
    );
    assert_eq!(read_gif(&path).repeat, gif::Repeat::Finite(0));
}

#[test]
fn gif_frames_contain_only_the_changed_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("walk.gif");
    let mut frames = moving_frames(5, 96, 64);
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
    // Outside the square's path the dither does not change.
    let last_row = 63 * 96 * 4;
    assert!(
        found
            .shown
            .iter()
            .all(|shown| shown[last_row..] == found.shown[0][last_row..])
    );
}

#[test]
fn gif_handles_transparency_that_appears_and_disappears() {
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
fn gif_of_a_gradient_is_close_and_closer_when_averaged() {
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
