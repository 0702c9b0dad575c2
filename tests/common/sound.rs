//! Sound written to an MP4, and read back with an independent reader.

use std::fs;
use std::path::Path;

use super::media::{gradient, picture};
use mien::media::clip::{AudioPart, AudioTrack, Sound};
use mien::media::encode::{FrameSink, Mp4Settings, Mp4Sink};
use shiguredo_mp4::boxes::{MoovBox, SampleEntry};
use shiguredo_mp4::demux::{Input, Mp4FileDemuxer};
use shiguredo_mp4::{Decode, TrackKind};

pub const FPS: f64 = 10.0;

pub fn track(path: &Path) -> AudioTrack {
    match Sound::of(path) {
        Sound::Track(track) => track,
        other => panic!("{}: {other:?}", path.display()),
    }
}

pub fn sink(path: &Path) -> Box<Mp4Sink> {
    let settings = Mp4Settings {
        fps: FPS,
        ..Mp4Settings::default()
    };
    Box::new(Mp4Sink::new(path, 32, 32, settings).unwrap())
}

pub fn finish(mut sink: Box<Mp4Sink>, frames: usize) {
    let frame = picture(32, 32, gradient);
    (0..frames).for_each(|_| sink.push(&frame).unwrap());
    sink.finish().unwrap();
}

pub fn write(path: &Path, part: AudioPart, frames: usize) {
    let mut sink = sink(path);
    sink.set_sound(part).unwrap();
    finish(sink, frames);
}

/// The sound of an MP4, read with an independent reader.
pub struct Mp4Audio {
    /// When each sample begins on the movie's timeline, and its data.
    pub samples: Vec<(f64, Vec<u8>)>,
    /// The start and end of the sound according to the edit list.
    pub from: f64,
    pub to: f64,
    pub entry: SampleEntry,
    /// How often the data switch between picture and sound.
    pub turns: usize,
    /// Seconds of the movie, of its video track and of its audio track.
    pub lengths: [f64; 3],
}

pub fn read_mp4_audio(path: &Path) -> Mp4Audio {
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
    Mp4Audio {
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
