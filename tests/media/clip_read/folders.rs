//! Numbered pictures in a folder or by a pattern.

use std::fs;

use super::{fill, moving};
use crate::common::clips::{assert_times, frames, read};
use crate::common::media::{gradient, picture};
use mien::media::clip::Clip;
use mien::media::encode::{PngSequence, save_png};

#[test]
fn a_folder_is_read_as_a_clip_in_natural_order() {
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
fn a_file_name_pattern_is_read_as_a_clip() {
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
fn folders_that_are_no_clip_are_refused_with_the_reason() {
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
        "1.png is a still picture, not a clip; open it as a portrait instead."
    );

    save_png(&path.join("2.png"), &moving(2)).unwrap();
    save_png(&path.join("10.png"), &picture(8, 6, gradient)).unwrap();
    assert_eq!(
        error(),
        "10.png is 8 x 6 pixels, but the pictures before it are 64 x 48; scale all pictures of the clip to one size."
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
