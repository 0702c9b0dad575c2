//! Sequences, and the state of files after writing fails.

use std::fs;
use std::path::Path;

use super::moving_frames;
use crate::common::media::provenance::read as read_provenance;
use crate::common::media::{gradient, names, picture};
use mien::media::encode::{
    FrameSink, GifSettings, GifSink, Mp4Settings, Mp4Sink, PngSequence, frame_path, save_png,
    save_png_with,
};
use mien::media::error::MediaError;
use mien::media::image::open;
use mien::media::provenance::{Provenance, SourceType};

#[test]
fn an_image_sequence_is_numbered_from_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shot.png");
    let frames = moving_frames(3, 32, 16);
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
fn a_failed_image_sequence_keeps_the_existing_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = Box::new(PngSequence::new(&folder.path().join("shot.png")).unwrap());
    moving_frames(3, 32, 16)
        .iter()
        .for_each(|frame| sink.push(frame).unwrap());
    fs::write(folder.path().join("shot_0001.png"), "older").unwrap();
    // A folder blocks the third frame.
    fs::create_dir(folder.path().join("shot_0003.png")).unwrap();

    assert!(matches!(sink.finish(), Err(MediaError::IsFolder { .. })));
    assert_eq!(names(folder.path()), ["shot_0001.png", "shot_0003.png"]);
    assert_eq!(
        fs::read(folder.path().join("shot_0001.png")).unwrap(),
        b"older"
    );
}

/// A sink of each kind; the path's extension doesn't matter.
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
fn a_dropped_sink_leaves_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.gif");
    fs::write(&path, "older").unwrap();
    for kind in 0..3 {
        let mut sink = sinks(&path).swap_remove(kind).unwrap();
        moving_frames(20, 32, 16)
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
fn frames_that_a_format_cannot_hold_are_refused_at_once() {
    let path = Path::new("never written");
    let limit = |result: Result<(), MediaError>| result.unwrap_err().to_string();
    assert_eq!(
        limit(GifSink::new(path, 70_000, 10, GifSettings::default()).map(drop)),
        "never written would be 70000 x 10 pixels, but a GIF can have from 1 to 65535 pixels per side; choose a smaller size or numbered PNGs."
    );
    assert_eq!(
        limit(Mp4Sink::new(path, 4096, 4096, Mp4Settings::default()).map(drop)),
        "never written would be 4096 x 4096 pixels, but an MP4 can have up to 3840 x 2160 or 2160 x 3840; choose a smaller size, a GIF or numbered PNGs."
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
        "never written can't have 60 frames per second; choose a rate from 0.01 to 50."
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
fn unwritable_folders_are_refused_by_name() {
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
    // Root can write everywhere.
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
fn replacing_a_symbolic_link_replaces_its_target() {
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

/// A provenance note can be written to and read from every kind of file, and changes no pixel.
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
