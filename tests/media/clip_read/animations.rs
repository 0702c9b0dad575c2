//! GIF, APNG and animated WebP.

use super::{difference, gif, moving, small_gif};
use crate::common::clips::{assert_near, assert_times, frames, open, pixel, write};
use mien::media::clip::Clip;

#[test]
fn a_written_gif_is_read_back_with_its_times() {
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
fn patches_of_a_gif_are_composited_in_order() {
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
    // Very short delays become a tenth of a second, as in browsers.
    assert_times(&frames, [0.0, 0.1, 0.2, 0.3, 0.32]);
    assert!((info.seconds.unwrap() - 655.67).abs() < 1e-6);
}

#[test]
fn animated_png_and_webp_frames_are_read_in_full() {
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
