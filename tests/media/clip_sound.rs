//! The sound of a clip is copied to an MP4 without re-encoding, in sync with the picture, and never breaks the picture.

use std::fs;
use std::path::Path;

use crate::common::alone_without_programs;
use crate::common::clips::fixture;
use crate::common::sound::{FPS, finish, read_mp4_audio, sink, track, write};
use mien::media::clip::{Clip, Sound};
use proptest::prelude::*;
use shiguredo_mp4::boxes::{Mp4aBox, SampleEntry};

/// Seconds of an AAC sample in the fixtures.
const SAMPLE: f64 = 1024.0 / 48_000.0;

fn left_out(path: &Path) -> String {
    match Sound::of(path) {
        Sound::LeftOut(remark) => remark,
        other => panic!("{}: {other:?}", path.display()),
    }
}

#[test]
fn audio_is_copied_unchanged_and_in_sync() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.mp4");
    let source = read_mp4_audio(&fixture("with_aac.mp4"));
    // All have the same sound; `earlier` is how much earlier it is heard in the clip than in the first.
    for (name, earlier) in [
        ("with_aac.mp4", 0.0),
        ("with_aac.mov", 0.0),
        ("fragmented_sound.mp4", 0.0),
        ("late.mp4", 0.3),
        ("cut_sound.mp4", 0.75),
    ] {
        let track = track(&fixture(name));
        assert_eq!(track.codec(), "AAC");
        // Its first sample, which is pre-roll, begins with the movie and lasts until the sound does.
        let pause = if name == "fragmented_sound.mp4" {
            0.2
        } else {
            0.0
        };
        for (from, to) in [(0.0, f64::INFINITY), (0.4, 1.1), (0.01, 0.5), (0.9, 1.2)] {
            let end = f64::min(to, 2.0 - earlier);
            let frames = ((end - from) * FPS).round() as usize;
            write(&path, track.part(from, to), frames);

            let result = read_mp4_audio(&path);
            let length = f64::min(end - from, frames as f64 / FPS);
            let near = |a: f64, b: f64| (a - b).abs() < 0.001;
            assert!(
                result.from == 0.0 && near(result.to, length),
                "{name}: {}",
                result.to
            );
            assert!(near(result.lengths[1], frames as f64 / FPS));
            assert!(near(result.lengths[2], length));
            assert!(near(result.lengths[0], frames as f64 / FPS));
            let (first, last) = (result.samples[0].0, result.samples.last().unwrap().0);
            // There may be pre-roll before, and the whole picture has sound.
            assert!(
                first < 0.001 && first > -3.1 * SAMPLE - pause,
                "{name} from {from}: {first}"
            );
            assert!(last + SAMPLE > length - 0.001 && last < length);
            for (begin, data) in &result.samples {
                if *begin < -3.1 * SAMPLE {
                    continue;
                }
                let wanted = begin + from + earlier;
                let (_, expected) = source
                    .samples
                    .iter()
                    .find(|(time, _)| near(*time, wanted))
                    .unwrap_or_else(|| panic!("{name}: nothing at {wanted}"));
                assert_eq!(data, expected, "{name}: {begin}");
            }
            match (&result.entry, &source.entry) {
                (SampleEntry::Mp4a(a), SampleEntry::Mp4a(b)) => {
                    let decoder = |entry: &Mp4aBox| {
                        let config = entry.esds_box.es.dec_config_descr.clone();
                        (
                            config.object_type_indication,
                            config.dec_specific_info.unwrap().payload,
                        )
                    };
                    assert_eq!((&a.audio, decoder(a)), (&b.audio, decoder(b)), "{name}");
                }
                other => panic!("{other:?}"),
            }

            // Our own reader agrees.
            let again = self::track(&path).part(0.0, f64::INFINITY).seconds();
            assert!(near(again, length), "{name}: {again}");
            assert_eq!(Clip::open(&path).unwrap().count(), frames);
        }
    }
}

#[test]
fn video_and_audio_samples_are_interleaved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.mp4");
    let track = track(&fixture("with_aac.mp4"));
    write(&path, track.part(0.0, 2.0), 20);
    // Half a second of each, alternately: four chunks of both.
    assert_eq!(read_mp4_audio(&path).turns, 7);
}

#[test]
fn audio_ends_with_the_video_and_may_begin_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.mp4");
    let track = track(&fixture("with_aac.mp4"));
    write(&path, track.part(0.0, 2.0), 7);
    let result = read_mp4_audio(&path);
    assert!((result.to - 0.7).abs() < 0.001);
    assert!(result.samples.last().unwrap().0 < 0.7);

    // A result can be a source too: here the sound of a clip whose first half second is silent.
    write(&path, track.part(-0.5, 1.0), 15);
    let result = read_mp4_audio(&path);
    assert!((result.from - 0.5).abs() < 0.001 && (result.to - 1.5).abs() < 0.001);
    let again = self::track(&path);
    assert!((again.part(0.0, 2.0).seconds() - 1.5).abs() < 0.001);
    assert!((again.part(0.3, 0.7).seconds() - 0.4).abs() < 0.001);
    assert!(again.part(0.1, 0.4).is_silent());

    // If nothing is heard, there is only the video track.
    write(&path, track.part(5.0, 6.0), 5);
    assert_eq!(crate::common::media::read_mp4(&path).frames.len(), 5);
    assert!(matches!(Sound::of(&path), Sound::Silent));
}

#[test]
fn clips_without_audio_give_files_without_audio() {
    for name in ["variable.mp4", "moving.png", "moving.webp", "gone.mp4", "."] {
        assert!(matches!(Sound::of(&fixture(name)), Sound::Silent), "{name}");
    }
}

#[test]
fn the_reason_for_omitted_audio_is_reported() {
    assert_eq!(
        left_out(&fixture("with_pcm.mov")),
        "The sound of with_pcm.mov was left out because it is uncompressed (sowt), which an MP4 can't contain; \
         save the clip as an MP4 with AAC sound to keep it."
    );
    let bytes = fs::read(fixture("with_aac.mp4")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    // The second of each belongs to the audio track.
    let last = |kind: &[u8]| bytes.windows(4).rposition(|w| w == kind).unwrap() + 4;
    for (at, value, reason) in [
        (last(b"stsz") + 8, [0xff; 4], "its index is invalid"),
        (last(b"stco") + 8, [0x7f; 4], "only 94 of its 95 parts are"),
        (last(b"stts") + 8, [0; 4], ""),
        (last(b"mdhd") + 12, [0; 4], "its index is invalid"),
        (last(b"esds") + 4, [0; 4], "its description is invalid"),
        (
            last(b"mp4a") - 4,
            *b"samr",
            "an MP4 can't contain its codec (samr)",
        ),
        (last(b"mp4a") - 4, *b"enca", "it is copy-protected"),
    ] {
        let mut bytes = bytes.clone();
        bytes[at..at + 4].copy_from_slice(&value);
        fs::write(&path, &bytes).unwrap();
        match Sound::of(&path) {
            Sound::LeftOut(remark) => assert!(
                remark.starts_with(&format!(
                    "The sound of clip.mp4 was left out because {reason}"
                )),
                "{remark}"
            ),
            other => assert!(reason.is_empty(), "{other:?}"),
        }
        // The picture is still intact.
        assert_eq!(Clip::open(&path).unwrap().flatten().count(), 20);
    }
}

#[test]
fn a_source_may_be_deleted_after_its_audio_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let (source, path) = (folder.path().join("a.mp4"), folder.path().join("b.mp4"));
    fs::copy(fixture("with_aac.mp4"), &source).unwrap();
    let part = track(&source).part(0.0, 2.0);
    let mut first = sink(&path);
    first.set_sound(part).unwrap();
    let part = track(&source).part(0.0, 2.0);
    fs::remove_file(&source).unwrap();
    finish(first, 20);
    assert_eq!(
        read_mp4_audio(&path).samples.len(),
        read_mp4_audio(&fixture("with_aac.mp4")).samples.len()
    );

    // Too late: a movie without sound, and an error.
    let mut second = sink(&path);
    assert_eq!(
        second.set_sound(part).unwrap_err().to_string(),
        "a.mp4 doesn't exist; check its name and folder."
    );
    finish(second, 20);
    assert_eq!(crate::common::media::read_mp4(&path).frames.len(), 20);
}

#[test]
fn without_ffmpeg_audio_that_needs_it_is_omitted() {
    if !alone_without_programs(
        module_path!(),
        "without_ffmpeg_audio_that_needs_it_is_omitted",
    ) {
        return;
    }
    assert_eq!(
        left_out(&fixture("with_opus.mkv")),
        "The sound of with_opus.mkv was left out because only ffmpeg reads it; install ffmpeg to keep it."
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn trimmed_audio_has_the_requested_duration(from in -0.5f64..2.2, length in 0.0f64..2.5, frames in 1usize..25) {
        let track = track(&fixture("with_aac.mp4"));
        let to = from + length;
        let part = track.part(from, to);
        let expected = if to.min(2.0) > from.max(0.0) { to.min(2.0) - from } else { 0.0 };
        prop_assert!((part.seconds() - expected).abs() < 0.0001, "{} for {expected}", part.seconds());

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.mp4");
        write(&path, part, frames);
        let shown = frames as f64 / FPS;
        if expected > 0.001 && shown > -from + 0.001 {
            let result = read_mp4_audio(&path);
            prop_assert!((result.to - expected.min(shown)).abs() < 0.0002);
            let last = result.samples.last().unwrap().0 + SAMPLE;
            prop_assert!(last > result.to - 0.0002 && last < result.to + SAMPLE + 0.0002);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_audio_never_panics(
        which in 0usize..4,
        cut in 0.0f64..1.0,
        damage in prop::collection::vec((0.0f64..1.0, any::<u8>()), 0..12),
        from in -1.0f64..3.0,
    ) {
        let names = ["with_aac.mp4", "with_aac.mov", "fragmented_sound.mp4", "cut_sound.mp4"];
        let mut bytes = fs::read(fixture(names[which])).unwrap();
        if cut > 0.7 {
            bytes.truncate((bytes.len() as f64 * cut) as usize);
        }
        let length = (bytes.len() - 12) as f64;
        for (place, value) in damage {
            bytes[12 + (place * length) as usize] = value;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mp4");
        fs::write(&path, &bytes).unwrap();
        match Sound::of(&path) {
            Sound::Track(track) => {
                let part = track.part(from, from + 1.0);
                let mut sink = sink(&folder.path().join("result.mp4"));
                sink.set_sound(part).unwrap();
                finish(sink, 3);
            }
            Sound::LeftOut(remark) => prop_assert!(
                remark.starts_with("The sound of clip.mp4 was left out because ")
                    && remark.ends_with('.')
                    && !remark.contains('\n')
            ),
            Sound::Silent => {}
        }
    }
}
