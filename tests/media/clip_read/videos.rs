//! MP4: our own files, and those of other programs.

use super::{difference, moving, mp4};
use crate::common::clips::{assert_frame, assert_near, assert_times, frames, grey, open, pixel};
use crate::common::media::gradient;
use mien::media::clip::Clip;

#[test]
fn a_clip_can_move_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Clip>();
}

#[test]
fn a_written_mp4_is_read_back() {
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
fn frames_come_in_presentation_order() {
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
fn a_rotated_track_is_read_upright() {
    let clip = open("rotated.mp4");
    assert_eq!((clip.info().width, clip.info().height), (48, 64));
    for (number, frame) in frames(clip).iter().enumerate() {
        // Clockwise: the left side is now on top.
        assert_near(pixel(frame, 24, 4), grey(40 + 15 * number), 3);
        assert_near(pixel(frame, 24, 60), grey(220 - 10 * number), 3);
    }
}

#[test]
fn an_edit_list_hides_the_frames_before_its_start() {
    let clip = open("edited.mp4");
    assert_eq!(clip.info().frames, Some(7));
    let frames = frames(clip);
    assert_times(&frames, (0..7).map(|n| f64::from(n) / 10.0));
    for (number, frame) in frames.iter().enumerate() {
        assert_frame(frame, number + 5);
    }
}

#[test]
fn frames_of_varying_duration_keep_their_times() {
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
