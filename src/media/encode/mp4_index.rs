//! The index of an MP4, in front of its data, and the interleaving of video and audio.

use std::num::NonZeroU32;

use shiguredo_mp4::boxes::{
    Brand, Co64Box, EdtsBox, ElstBox, ElstEntry, FtypBox, MoovBox, SampleEntry, StcoBox, TrakBox,
    UnknownBox,
};
use shiguredo_mp4::mux::{Mp4FileMuxer, MuxError, Sample};
use shiguredo_mp4::{BoxSize, BoxType, Either, Encode, FixedPointNumber, TrackKind};

use crate::media::clip::AudioPart;

/// How often a second video and audio alternate.
const INTERLEAVES_PER_SECOND: u64 = 2;

/// Size of the `mdat` header, with a 64-bit size.
const DATA_HEAD: u64 = 16;

/// A coded frame in the index.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) bytes: usize,
    pub(crate) is_key: bool,
}

/// What the index is built from.
pub(crate) struct MovieHeader<'a> {
    pub(crate) entry: &'a SampleEntry,
    pub(crate) frames: &'a [Entry],
    /// Ticks a second of the video.
    pub(crate) timescale: NonZeroU32,
    /// The duration of a frame in ticks.
    pub(crate) ticks: u32,
    /// The sound; its data follow for all samples of the part.
    pub(crate) sound: Option<&'a AudioPart>,
}

/// The result of [`index`].
pub(crate) struct Index {
    /// Everything before the data.
    pub(crate) head: Vec<u8>,
    /// The runs of data that follow: whether of the sound, and how many bytes.
    pub(crate) stretches: Vec<(bool, u64)>,
}

/// Builds the index of a movie of at least one frame.
pub(crate) fn index(movie: &MovieHeader<'_>) -> Result<Index, MuxError> {
    let mut plan = SampleLayout::new()?;
    let mut sound = movie.sound.map(|part| SoundTrack::new(movie, part));

    let (mut video_ticks, mut turn) = (0u64, 0u64);
    for (number, frame) in movie.frames.iter().enumerate() {
        // The sound of each half second follows its video.
        let now = video_ticks * INTERLEAVES_PER_SECOND / u64::from(movie.timescale.get());
        if now > turn {
            turn = now;
            if let Some(sound) = &mut sound {
                sound.add(&mut plan, Some(turn))?;
            }
        }
        plan.add(Sample {
            track_kind: TrackKind::Video,
            sample_entry: (number == 0).then(|| movie.entry.clone()),
            keyframe: frame.is_key,
            timescale: movie.timescale,
            duration: movie.ticks,
            composition_time_offset: None,
            data_offset: plan.offset,
            data_size: frame.bytes,
        })?;
        video_ticks += u64::from(movie.ticks);
    }
    if let Some(sound) = &mut sound {
        sound.add(&mut plan, None)?;
    }

    let mut moov = plan.muxer.finalize()?.moov_box().clone();
    if let Some(sound) = &sound
        && sound.next > 0
    {
        sound.finish(&mut moov, video_ticks, movie.timescale)?;
    }
    let head = head(&mut moov, plan.start, plan.offset)?;
    Ok(Index {
        head,
        stretches: plan.stretches,
    })
}

/// The samples in file order.
struct SampleLayout {
    muxer: Mp4FileMuxer,
    /// Where the muxer assumes that the data begin, and where the next sample does.
    start: u64,
    offset: u64,
    stretches: Vec<(bool, u64)>,
}

impl SampleLayout {
    fn new() -> Result<Self, MuxError> {
        let muxer = Mp4FileMuxer::new()?;
        let start = muxer.initial_boxes_bytes().len() as u64;
        Ok(Self {
            muxer,
            start,
            offset: start,
            stretches: Vec::new(),
        })
    }

    fn add(&mut self, sample: Sample) -> Result<(), MuxError> {
        self.muxer.append_sample(&sample)?;
        let is_sound = sample.track_kind == TrackKind::Audio;
        let bytes = sample.data_size as u64;
        self.offset += bytes;
        match self.stretches.last_mut() {
            Some((last, sum)) if *last == is_sound => *sum += bytes,
            _ => self.stretches.push((is_sound, bytes)),
        }
        Ok(())
    }
}

/// State of adding the sound to the index.
struct SoundTrack<'a> {
    part: &'a AudioPart,
    timescale: NonZeroU32,
    /// Edit list, cut at the end of the video.
    edits: Vec<ElstEntry>,
    /// Number of samples that are heard, or that the decoder needs before those.
    count: usize,
    /// The next sample, and its start in ticks of the samples.
    next: usize,
    ticks: u64,
}

impl<'a> SoundTrack<'a> {
    fn new(movie: &MovieHeader<'_>, part: &'a AudioPart) -> Self {
        let timescale = NonZeroU32::new(part.timescale).unwrap_or(NonZeroU32::MIN);
        let video_ticks = u128::from(movie.ticks) * movie.frames.len() as u128;
        let mut left = rescaled(video_ticks, movie.timescale, timescale);
        let (mut edits, mut end) = (Vec::new(), 0);
        for audio_edit in &part.edits {
            let ticks = audio_edit.ticks.min(left);
            if ticks == 0 {
                break;
            }
            left -= ticks;
            end = audio_edit.from.map_or(end, |from| from + ticks);
            edits.push(ElstEntry {
                edit_duration: ticks,
                // Always fits: no file has that many ticks.
                media_time: audio_edit.from.map_or(-1, |from| from as i64),
                media_rate: FixedPointNumber::new(1, 0),
            });
        }
        let mut begin = 0u64;
        let is_heard = |&&(_, ticks): &&(u32, u32)| {
            begin += u64::from(ticks);
            begin - u64::from(ticks) < end
        };
        let count = part.samples.iter().take_while(is_heard).count();
        Self {
            part,
            timescale,
            edits,
            count,
            next: 0,
            ticks: 0,
        }
    }

    /// Adds the samples that begin before `turn` / [`INTERLEAVES_PER_SECOND`] seconds, or all that are left.
    fn add(&mut self, plan: &mut SampleLayout, turn: Option<u64>) -> Result<(), MuxError> {
        let timescale = u64::from(self.timescale.get());
        while self.next < self.count
            && turn.is_none_or(|turn| self.ticks * INTERLEAVES_PER_SECOND < turn * timescale)
        {
            let (bytes, ticks) = self.part.samples[self.next];
            let entry = &self.part.entry;
            plan.add(Sample {
                track_kind: TrackKind::Audio,
                sample_entry: (self.next == 0).then(|| {
                    SampleEntry::Unknown(UnknownBox {
                        box_type: BoxType::Normal(entry.kind),
                        box_size: BoxSize::U32(entry.body.len() as u32 + 8),
                        payload: entry.body.clone(),
                    })
                }),
                keyframe: true,
                timescale: self.timescale,
                duration: ticks,
                composition_time_offset: None,
                data_offset: plan.offset,
                data_size: bytes as usize,
            })?;
            self.next += 1;
            self.ticks += u64::from(ticks);
        }
        Ok(())
    }

    /// Puts the video track first, sets all durations on the sound's clock, and adds the sound's edit list.
    fn finish(
        &self,
        moov: &mut MoovBox,
        video_ticks: u64,
        timescale: NonZeroU32,
    ) -> Result<(), MuxError> {
        moov.trak_boxes.reverse();
        let [picture, sound] = moov.trak_boxes.as_mut_slice() else {
            return Err(MuxError::EmptyTracks);
        };
        let audio_ticks = self.edits.iter().map(|edit| edit.edit_duration).sum();
        let length = |track: &mut TrakBox, id, duration| {
            track.tkhd_box.track_id = id;
            track.tkhd_box.duration = duration;
        };
        let video_ticks = rescaled(u128::from(video_ticks), timescale, self.timescale);
        length(picture, 1, video_ticks);
        length(sound, 2, audio_ticks);
        sound.edts_box = Some(EdtsBox {
            elst_box: Some(ElstBox {
                entries: self.edits.clone(),
            }),
            unknown_boxes: Vec::new(),
        });
        moov.mvhd_box.timescale = self.timescale;
        moov.mvhd_box.duration = video_ticks.max(audio_ticks);
        Ok(())
    }
}

/// Converts ticks to another clock, rounded.
fn rescaled(ticks: u128, from: NonZeroU32, to: NonZeroU32) -> u64 {
    let (from, to) = (u128::from(from.get()), u128::from(to.get()));
    u64::try_from((ticks * to + from / 2) / from).unwrap_or(u64::MAX)
}

/// The file up to the data, for an index that assumed them to be from `start` to `end`.
fn head(moov: &mut MoovBox, start: u64, end: u64) -> Result<Vec<u8>, MuxError> {
    let mut head = FtypBox {
        major_brand: Brand::ISOM,
        minor_version: 0,
        compatible_brands: vec![Brand::ISOM, Brand::ISO2, Brand::MP41, Brand::AVC1],
    }
    .encode_to_vec()?;

    // 64-bit offsets take 4 bytes more per chunk, so whether they are needed is decided before the offsets are shifted.
    let chunks = |moov: &MoovBox| {
        moov.trak_boxes
            .iter()
            .map(|track| match offsets(track) {
                Either::A(stco) => stco.chunk_offsets.len() as u64,
                Either::B(co64) => co64.chunk_offsets.len() as u64,
            })
            .sum::<u64>()
    };
    let before = |moov: &MoovBox| -> Result<u64, MuxError> {
        Ok((head.len() + moov.encode_to_vec()?.len()) as u64 + DATA_HEAD)
    };
    let is_wide = end - start + before(moov)? + 4 * chunks(moov) > u64::from(u32::MAX);
    for track in &mut moov.trak_boxes {
        widen(track, is_wide);
    }
    let shift = before(moov)? as i64 - start as i64;
    for track in &mut moov.trak_boxes {
        moved(track, shift);
    }

    head.extend(moov.encode_to_vec()?);
    // A size of 1 means that the 64-bit size follows the name.
    head.extend(1u32.to_be_bytes());
    head.extend(b"mdat");
    head.extend((end - start + DATA_HEAD).to_be_bytes());
    Ok(head)
}

type Offsets = Either<StcoBox, Co64Box>;

fn offsets(track: &TrakBox) -> &Offsets {
    &track.mdia_box.minf_box.stbl_box.stco_or_co64_box
}

/// Stores the offsets in 64 or 32 bits.
fn widen(track: &mut TrakBox, is_wide: bool) {
    let places = match offsets(track) {
        Either::A(stco) => stco.chunk_offsets.iter().copied().map(u64::from).collect(),
        Either::B(co64) => co64.chunk_offsets.clone(),
    };
    track.mdia_box.minf_box.stbl_box.stco_or_co64_box = if is_wide {
        Either::B(Co64Box {
            chunk_offsets: places,
        })
    } else {
        Either::A(StcoBox {
            chunk_offsets: places.iter().map(|&place| place as u32).collect(),
        })
    };
}

fn moved(track: &mut TrakBox, shift: i64) {
    match &mut track.mdia_box.minf_box.stbl_box.stco_or_co64_box {
        Either::A(stco) => stco
            .chunk_offsets
            .iter_mut()
            .for_each(|place| *place = place.wrapping_add_signed(shift as i32)),
        Either::B(co64) => co64
            .chunk_offsets
            .iter_mut()
            .for_each(|place| *place = place.wrapping_add_signed(shift)),
    }
}

#[cfg(test)]
mod tests {
    use shiguredo_mp4::Decode;

    use super::*;
    use crate::media::encode::mp4_boxes::sample_entry;

    #[test]
    fn chunk_offsets_are_positions_in_the_file_at_any_size() {
        let entry = sample_entry(64, 48, &[7, 66, 0, 30, 1], &[8, 1]).unwrap();
        for bytes in [100, 3_000_000_000] {
            let movie = MovieHeader {
                entry: &entry,
                frames: &[Entry {
                    bytes,
                    is_key: true,
                }; 2],
                timescale: NonZeroU32::new(600).unwrap(),
                ticks: 24,
                sound: None,
            };
            let index = index(&movie).unwrap();
            assert_eq!(index.stretches, [(false, 2 * bytes as u64)]);

            let size = index.head[..4].try_into().unwrap();
            let ftyp = u32::from_be_bytes(size) as usize;
            let (moov, length) = MoovBox::decode(&index.head[ftyp..]).unwrap();
            assert_eq!(ftyp + length + DATA_HEAD as usize, index.head.len());
            let first = match offsets(&moov.trak_boxes[0]) {
                Either::A(stco) => u64::from(stco.chunk_offsets[0]),
                Either::B(co64) => co64.chunk_offsets[0],
            };
            assert_eq!(first, index.head.len() as u64);
            let is_wide = matches!(offsets(&moov.trak_boxes[0]), Either::B(_));
            assert_eq!(is_wide, bytes > 100);
            let data = index.head[index.head.len() - 8..].try_into().unwrap();
            assert_eq!(u64::from_be_bytes(data), 2 * bytes as u64 + DATA_HEAD);
        }
    }
}
