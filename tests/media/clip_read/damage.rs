//! Files that are no clips, or damaged, give one clear sentence.

use std::fs;

use super::{moving, mp4, small_gif};
use crate::common::clips::{fixture, read, sentence, write};
use mien::media::clip::Clip;
use mien::media::encode::save_png;
use mien::media::error::MediaError;
use proptest::prelude::*;

fn assert_one_sentence(error: &MediaError) {
    let text = error.to_string();
    assert!(
        text.starts_with("clip.dat ") && text.ends_with('.') && !text.contains('\n'),
        "{text}"
    );
}

#[test]
fn files_that_are_no_clip_are_refused_by_kind() {
    let folder = tempfile::tempdir().unwrap();
    let png = folder.path().join("still.png");
    save_png(&png, &moving(0)).unwrap();
    let still = "clip.dat is a still picture, not a clip; open it as a portrait instead.";
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
            "empty (0 bytes); copy it again from its source.".to_owned(),
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
            "a web page, not a clip; download the clip itself instead of the page that shows it."
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
        "gone.mp4 doesn't exist; check its name and folder."
    );
}

#[test]
fn containers_without_a_video_track_are_refused_with_the_reason() {
    for (name, expected) in [
        (
            "sound.m4a",
            "sound.m4a has only sound, so there is no face to follow in it; open a clip with video.",
        ),
        (
            "encrypted.mp4",
            "encrypted.mp4 is copy-protected, so Mien can't read it; open a clip that isn't.",
        ),
        (
            "one.mp4",
            "one.mp4 has only one frame, so nothing moves in it; open a longer clip.",
        ),
    ] {
        assert_eq!(
            Clip::open(&fixture(name)).err().unwrap().to_string(),
            expected
        );
    }
}

#[test]
fn a_video_without_its_index_or_frames_is_reported_as_truncated() {
    let index = "clip.dat is damaged or cut short (it has no index, as when a recording or copy was interrupted); copy it again from its source.";
    let bytes = fs::read(fixture("bframes.mp4")).unwrap();
    assert_eq!(sentence(&bytes[..600]), index);
    assert_eq!(
        sentence(&bytes[..bytes.len() - 9]),
        "clip.dat is damaged or cut short (its index extends past its end); copy it again from its source."
    );

    // Our files have the index first.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.mp4");
    mp4(&path, 25.0, 12);
    let bytes = fs::read(&path).unwrap();
    let text = sentence(&bytes[..bytes.len() - 1]);
    assert_eq!(
        text,
        "clip.dat is damaged or cut short (only 11 of its 12 frames are there); copy it again from its source."
    );
}

#[test]
fn a_video_truncated_anywhere_gives_a_one_sentence_error() {
    let folder = tempfile::tempdir().unwrap();
    let written = folder.path().join("own.mp4");
    mp4(&written, 25.0, 3);
    let path = folder.path().join("clip.dat");
    for film in [
        written,
        fixture("bframes.mp4"),
        fixture("fragmented.mp4"),
        fixture("quicktime.mov"),
    ] {
        let bytes = fs::read(&film).unwrap();
        // Shorter prefixes may be of any format.
        for end in 8..bytes.len() {
            fs::write(&path, &bytes[..end]).unwrap();
            match read(&path) {
                (count, Some(error)) => {
                    assert_eq!(count, 0, "{}: {end}", film.display());
                    assert_one_sentence(&error);
                }
                // A file cut between fragments is a shorter movie.
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
fn an_animation_truncated_anywhere_yields_its_frames_and_a_one_sentence_error() {
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
            // All frames may be present if only the end marker is missing.
            assert!(error.is_some() || count == whole, "{end}: {count} frames");
            most = most.max(count);
        }
        assert!(most >= whole - 1);
    }
}

#[test]
fn the_error_of_a_damaged_frame_names_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let written = folder.path().join("own.mp4");
    mp4(&written, 25.0, 12);
    let mut bytes = fs::read(&written).unwrap();
    // Without B-frames the frame is at its sample's position; its first NAL unit claims to be longer than the frame.
    let frame = crate::common::media::read_mp4(&written).frames.len() / 2;
    let offset = sample_offset(&bytes, frame);
    bytes[offset] = 0x7f;
    let (_folder, path) = write(&bytes);
    let (count, error) = read(&path);
    assert_eq!(count, frame);
    assert_eq!(
        error.unwrap().to_string(),
        "clip.dat is damaged from frame 7 on (its slices don't fit in it); use the frames before it or copy the clip again from its source."
    );
}

/// The offset of sample `index` of our MP4.
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
fn false_sizes_are_refused_without_allocating() {
    let bytes = fs::read(fixture("bframes.mp4")).unwrap();
    let place = |kind: &[u8]| bytes.windows(4).position(|w| w == kind).unwrap() + 4;
    let with = |at: usize, value: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[at..at + value.len()].copy_from_slice(value);
        bytes
    };
    // 2^32 - 1 frames, equal or not; a frame of 4 GB; offsets beyond the file; a clock of rate 0.
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
    // Both at once: 2^32 - 1 frames of a byte each.
    let mut false_count = with(place(b"stsz") + 4, &[0, 0, 0, 1]);
    false_count[place(b"stsz") + 8..][..4].fill(0xff);
    assert!(sentence(&false_count).contains("(the index of its video is invalid)"));
}

#[test]
fn frames_beyond_the_size_limit_are_refused_by_their_header() {
    assert!(sentence(b"GIF89a\xff\xff\xff\xff\0\0\0;").contains("65535 x 65535 pixels"));
    let mut png = fs::read(fixture("moving.png")).unwrap();
    png[16..20].copy_from_slice(&100_000u32.to_be_bytes());
    assert!(sentence(&png).contains("100000 x 30 pixels"));
    let mut webp = fs::read(fixture("moving.webp")).unwrap();
    webp[24..30].fill(0xff);
    assert!(sentence(&webp).contains("16777216 x 16777216 pixels"));
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
        // The signature stays intact, so that no other program is started for it.
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
