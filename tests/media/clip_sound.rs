//! The sound of a clip goes into an MP4 as it was coded, in step with the picture, and never costs the picture.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::media::{gradient, picture};
use mien::media::clip::{AudioPart, AudioTrack, Clip, Sound};
use mien::media::encode::{FrameSink, Mp4Settings, Mp4Sink};
use proptest::prelude::*;
use shiguredo_mp4::boxes::{MoovBox, Mp4aBox, SampleEntry};
use shiguredo_mp4::demux::{Input, Mp4FileDemuxer};
use shiguredo_mp4::{Decode, TrackKind};

const FPS: f64 = 10.0;

/// Seconds of an AAC sample in the fixtures.
const SAMPLE: f64 = 1024.0 / 48_000.0;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/clips")
        .join(name)
}

fn track(path: &Path) -> AudioTrack {
    match Sound::of(path) {
        Sound::Track(track) => track,
        other => panic!("{}: {other:?}", path.display()),
    }
}

fn left_out(path: &Path) -> String {
    match Sound::of(path) {
        Sound::LeftOut(remark) => remark,
        other => panic!("{}: {other:?}", path.display()),
    }
}

fn sink(path: &Path) -> Box<Mp4Sink> {
    let settings = Mp4Settings {
        fps: FPS,
        ..Mp4Settings::default()
    };
    Box::new(Mp4Sink::new(path, 32, 32, settings).unwrap())
}

fn finish(mut sink: Box<Mp4Sink>, frames: usize) {
    let frame = picture(32, 32, gradient);
    (0..frames).for_each(|_| sink.push(&frame).unwrap());
    sink.finish().unwrap();
}

fn write(path: &Path, part: AudioPart, frames: usize) {
    let mut sink = sink(path);
    sink.set_sound(part).unwrap();
    finish(sink, frames);
}

/// What an MP4 has to be heard, read by another reader than ours.
struct Heard {
    /// When each sample begins on the film's clock, and its data.
    samples: Vec<(f64, Vec<u8>)>,
    /// From when to when the edit list lets it be heard.
    from: f64,
    to: f64,
    entry: SampleEntry,
    /// How often the data go from picture to sound or back.
    turns: usize,
    /// Seconds of the film, of its picture's track and of its sound's.
    lengths: [f64; 3],
}

fn heard(path: &Path) -> Heard {
    let bytes = fs::read(path).unwrap();
    let mut demuxer = Mp4FileDemuxer::new();
    demuxer.handle_input(Input {
        position: 0,
        data: &bytes,
    });
    demuxer.tracks().unwrap();

    let at = bytes.windows(4).position(|w| w == b"moov").unwrap() - 4;
    let (moov, _) = MoovBox::decode(&bytes[at..]).unwrap();
    let movie = f64::from(moov.mvhd_box.timescale.get());
    let [picture, sound] = moov.trak_boxes.as_slice() else {
        panic!("two tracks");
    };
    assert_eq!((picture.tkhd_box.track_id, sound.tkhd_box.track_id), (1, 2));
    let timescale = f64::from(sound.mdia_box.mdhd_box.timescale.get());
    let edits = &sound
        .edts_box
        .as_ref()
        .unwrap()
        .elst_box
        .as_ref()
        .unwrap()
        .entries;
    let from: f64 = edits
        .iter()
        .take_while(|edit| edit.media_time < 0)
        .map(|edit| edit.edit_duration as f64 / movie)
        .sum();
    let edit = edits.iter().find(|edit| edit.media_time >= 0).unwrap();
    let shift = from - edit.media_time as f64 / timescale;

    let (mut samples, mut entry, mut kinds) = (Vec::new(), None, Vec::new());
    while let Some(sample) = demuxer.next_sample().unwrap() {
        kinds.push((sample.data_offset, sample.track.kind));
        if sample.track.kind == TrackKind::Audio {
            entry = entry.or(sample.sample_entry.cloned());
            let begin = sample.timestamp as f64 / timescale + shift;
            let data = &bytes[sample.data_offset as usize..][..sample.data_size];
            samples.push((begin, data.to_vec()));
        }
    }
    kinds.sort_by_key(|(offset, _)| *offset);
    Heard {
        samples,
        from,
        to: from + edit.edit_duration as f64 / movie,
        entry: entry.unwrap(),
        turns: kinds
            .windows(2)
            .filter(|pair| pair[0].1 != pair[1].1)
            .count(),
        lengths: [
            moov.mvhd_box.duration as f64 / movie,
            picture.tkhd_box.duration as f64 / movie,
            sound.tkhd_box.duration as f64 / movie,
        ],
    }
}

#[test]
fn sound_stays_as_it_is_and_in_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.mp4");
    let source = heard(&fixture("with_aac.mp4"));
    // All have the same sound; how much earlier it is heard in the clip than in the first.
    for (name, earlier) in [
        ("with_aac.mp4", 0.0),
        ("with_aac.mov", 0.0),
        ("fragmented_sound.mp4", 0.0),
        ("late.mp4", 0.3),
        ("cut_sound.mp4", 0.75),
    ] {
        let track = track(&fixture(name));
        assert_eq!(track.codec(), "AAC");
        // Its first sample, which only leads in, begins with the film and lasts until the sound does.
        let pause = if name == "fragmented_sound.mp4" {
            0.2
        } else {
            0.0
        };
        for (from, to) in [(0.0, f64::INFINITY), (0.4, 1.1), (0.01, 0.5), (0.9, 1.2)] {
            let end = f64::min(to, 2.0 - earlier);
            let frames = ((end - from) * FPS).round() as usize;
            write(&path, track.part(from, to), frames);

            let result = heard(&path);
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
            // A sample before leads in, where there is one, and all of the picture has sound.
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
fn picture_and_sound_alternate() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.mp4");
    let track = track(&fixture("with_aac.mp4"));
    write(&path, track.part(0.0, 2.0), 20);
    // Half a second of each: four turns of both.
    assert_eq!(heard(&path).turns, 7);
}

#[test]
fn sound_ends_with_the_picture_and_may_begin_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.mp4");
    let track = track(&fixture("with_aac.mp4"));
    write(&path, track.part(0.0, 2.0), 7);
    let result = heard(&path);
    assert!((result.to - 0.7).abs() < 0.001);
    assert!(result.samples.last().unwrap().0 < 0.7);

    // A result is a source too: here the sound of a clip whose first half second has none.
    write(&path, track.part(-0.5, 1.0), 15);
    let result = heard(&path);
    assert!((result.from - 0.5).abs() < 0.001 && (result.to - 1.5).abs() < 0.001);
    let again = self::track(&path);
    assert!((again.part(0.0, 2.0).seconds() - 1.5).abs() < 0.001);
    assert!((again.part(0.3, 0.7).seconds() - 0.4).abs() < 0.001);
    assert!(again.part(0.1, 0.4).is_silent());

    // Where nothing is heard, there is one track as ever.
    write(&path, track.part(5.0, 6.0), 5);
    assert_eq!(crate::common::media::read_mp4(&path).frames.len(), 5);
    assert!(matches!(Sound::of(&path), Sound::Silent));
}

#[test]
fn clips_without_sound_are_silent() {
    for name in ["variable.mp4", "moving.png", "moving.webp", "gone.mp4", "."] {
        assert!(matches!(Sound::of(&fixture(name)), Sound::Silent), "{name}");
    }
}

#[test]
fn sound_that_stays_behind_is_told_why() {
    assert_eq!(
        left_out(&fixture("with_pcm.mov")),
        "The sound of with_pcm.mov is left out because it is uncompressed (sowt), which an MP4 doesn't hold; \
         save the clip as an MP4 with AAC sound to keep it."
    );
    let bytes = fs::read(fixture("with_aac.mp4")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    // The second of each is the sound's.
    let last = |kind: &[u8]| bytes.windows(4).rposition(|w| w == kind).unwrap() + 4;
    for (at, value, reason) in [
        (last(b"stsz") + 8, [0xff; 4], "its index makes no sense"),
        (last(b"stco") + 8, [0x7f; 4], "of its 95 parts only"),
        (last(b"stts") + 8, [0; 4], ""),
        (last(b"mdhd") + 12, [0; 4], "its index makes no sense"),
        (last(b"esds") + 4, [0; 4], "its description makes no sense"),
        (
            last(b"mp4a") - 4,
            *b"samr",
            "its coding (samr) isn't one that an MP4 holds",
        ),
        (
            last(b"mp4a") - 4,
            *b"enca",
            "it is encrypted against copying",
        ),
    ] {
        let mut bytes = bytes.clone();
        bytes[at..at + 4].copy_from_slice(&value);
        fs::write(&path, &bytes).unwrap();
        match Sound::of(&path) {
            Sound::LeftOut(remark) => assert!(
                remark.starts_with(&format!(
                    "The sound of clip.mp4 is left out because {reason}"
                )),
                "{remark}"
            ),
            other => assert!(reason.is_empty(), "{other:?}"),
        }
        // The picture isn't harmed by any of it.
        assert_eq!(Clip::open(&path).unwrap().flatten().count(), 20);
    }
}

#[test]
fn a_source_may_go_once_its_sound_was_taken() {
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
        heard(&path).samples.len(),
        heard(&fixture("with_aac.mp4")).samples.len()
    );

    // Too late: a film without sound, and a sentence.
    let mut second = sink(&path);
    assert_eq!(
        second.set_sound(part).unwrap_err().to_string(),
        "a.mp4 isn't there; check its name and folder."
    );
    finish(second, 20);
    assert_eq!(crate::common::media::read_mp4(&path).frames.len(), 20);
}

#[test]
fn ffmpeg_takes_the_sound_out_of_other_containers() {
    let has = |program: &str| {
        let mut command = std::process::Command::new(program);
        command.arg("-version").output().is_ok()
    };
    let path = fixture("with_opus.mkv");
    if !has("ffmpeg") || !has("ffprobe") {
        assert_eq!(
            left_out(&path),
            "The sound of with_opus.mkv is left out because only ffmpeg reads it; install ffmpeg to keep it."
        );
        return;
    }
    let track = track(&path);
    assert_eq!(track.codec(), "Opus");
    let folder = tempfile::tempdir().unwrap();
    let result = folder.path().join("result.mp4");
    write(&result, track.part(0.3, 1.3), 10);
    let result = heard(&result);
    assert!((result.to - 1.0).abs() < 0.001 && result.from == 0.0);
    // Opus wants 80 ms to settle.
    assert!(
        (-0.1..=-0.08).contains(&result.samples[0].0),
        "{}",
        result.samples[0].0
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cuts_run_as_long_as_asked(from in -0.5f64..2.2, length in 0.0f64..2.5, frames in 1usize..25) {
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
            let result = heard(&path);
            prop_assert!((result.to - expected.min(shown)).abs() < 0.0002);
            let last = result.samples.last().unwrap().0 + SAMPLE;
            prop_assert!(last > result.to - 0.0002 && last < result.to + SAMPLE + 0.0002);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_sound_never_panics(
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
                remark.starts_with("The sound of clip.mp4 is left out because ")
                    && remark.ends_with('.')
                    && !remark.contains('\n')
            ),
            Sound::Silent => {}
        }
    }
}
