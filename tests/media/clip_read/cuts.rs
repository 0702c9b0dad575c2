//! Skipping frames, seeking by number, and trimming a clip.

use std::fs;
use std::path::{Path, PathBuf};

use super::{gif, moving};
use crate::common::clips::{fixture, frames, open};
use mien::media::clip::{Clip, ClipFrame};
use mien::media::encode::save_png;

#[test]
fn frames_can_be_skipped() {
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
            // Skipping backwards isn't possible, and skipping to the current frame does nothing.
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

/// One clip of every kind; the folder holds some of them.
fn all_kinds(folder: &Path) -> Vec<PathBuf> {
    let pictures = folder.join("pictures");
    fs::create_dir(&pictures).unwrap();
    for number in 0..8 {
        save_png(&pictures.join(format!("{number}.png")), &moving(number)).unwrap();
    }
    let written = folder.join("own.gif");
    gif(&written, 24.0, 12);
    let mut kinds: Vec<_> = [
        "bframes.mp4",
        "keys.mp4",
        "variable.mp4",
        "edited.mp4",
        "late.mp4",
    ]
    .map(fixture)
    .to_vec();
    kinds.extend([
        written,
        pictures,
        fixture("moving.png"),
        fixture("moving.webp"),
    ]);
    kinds
}

#[test]
fn a_trimmed_clip_has_the_frames_that_begin_in_its_range() {
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
            // As a person would type them: off by less than a frame's duration.
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

            // Frame numbers are relative to the trimmed clip.
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
fn trims_that_leave_no_frame_are_errors() {
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
                    "{name} can't be trimmed to {from} s to {to} s; end the range after it begins."
                )
            );
        }
        for to in [None, Some(200.0)] {
            let text = sentence(&path, Some(100.0), to);
            let start = format!("{name} has no frame from 100 s on, as it is ");
            assert!(
                text.starts_with(&start) && text.ends_with(" s long; start the range earlier."),
                "{text}"
            );
        }
        let last = frames(Clip::open(&path).unwrap()).last().unwrap().time;
        for (from, to) in [(0.001, 0.002), (last - 0.002, last - 0.001)] {
            assert_eq!(
                sentence(&path, Some(from), Some(to)),
                format!(
                    "{name} has no frame that begins from {from} s to {to} s; choose a longer range."
                )
            );
        }
    }
}
