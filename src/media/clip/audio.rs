//! The sound of a clip, copied as coded and never re-encoded.
//!
//! Only an index of the coded samples is in memory, 24 bytes for each fiftieth of a second; their data stays in the
//! file until it is written.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempPath;

use crate::media::clip::ffmpeg_sound;
use crate::media::clip::kind::{ClipKind, HEAD_BYTES, clip_kind};
use crate::media::clip::mp4;
use crate::media::clip::mp4::samples::Sample as SoundSample;
use crate::media::clip::mp4::sound::{NoSound, SoundTrack};
use crate::media::clip::mp4::sound_entry::SoundEntry;
use crate::media::error::MediaError;
use crate::media::name::Name;
use crate::regular_file;

/// The sound of a clip.
#[derive(Debug)]
pub enum Sound {
    /// No sound: an animation, numbered pictures, or a video without an audio track.
    Silent,
    /// Sound that can be copied into an MP4.
    Track(AudioTrack),
    /// Sound that can't be copied, with a sentence that says why and what to do.
    LeftOut(String),
}

/// The sound track of a clip.
#[derive(Debug)]
pub struct AudioTrack {
    file: Arc<Source>,
    entry: SoundEntry,
    timescale: u32,
    samples: Vec<SoundSample>,
    stretches: Vec<TimelineSegment>,
    /// The clip's time 0 on the presentation timeline, in ticks.
    start: i128,
}

/// The sound of a part of a clip.
#[derive(Debug)]
pub struct AudioPart {
    file: Arc<Source>,
    pub(crate) entry: SoundEntry,
    /// Ticks a second, at least 1.
    pub(crate) timescale: u32,
    /// Offset in the file and length in bytes of each sample.
    places: Vec<(u64, u32)>,
    /// Length in bytes and duration in ticks of each sample.
    pub(crate) samples: Vec<(u32, u32)>,
    /// The edit list: which of the samples are heard, from the part's time 0.
    pub(crate) edits: Vec<EditEntry>,
}

/// An entry of the edit list: `ticks` ticks of the samples from tick `from`, or of silence if that is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EditEntry {
    pub(crate) from: Option<u64>,
    pub(crate) ticks: u64,
}

/// The file with the samples' data.
#[derive(Debug)]
struct Source {
    path: PathBuf,
    /// The temporary file, if it is one; deleted when it is no longer needed.
    _temporary: Option<TempPath>,
}

/// A segment of the presentation timeline, which video and sound share, in ticks of the sound.
#[derive(Clone, Copy, Debug)]
struct TimelineSegment {
    begin: i128,
    end: i128,
    /// Media time of its start.
    media: i128,
}

impl Sound {
    /// The sound of the clip at `path`, whose pictures [`Clip::open`](super::Clip::open) reads.
    ///
    /// The track of an MP4 or MOV is used if MP4 supports its codec: AAC, MP3, Opus, AC-3, E-AC-3, ALAC or FLAC.
    /// ffmpeg, if installed, remuxes the sound of other containers into an MP4, and re-encodes it only if MP4 doesn't
    /// support the codec. Problems with the sound aren't errors, because the video is useful without it.
    pub fn of(path: &Path) -> Self {
        let Some((mut file, length, kind)) = look(path) else {
            return Self::Silent;
        };
        let source = |temporary, path: &Path| {
            Arc::new(Source {
                path: path.to_owned(),
                _temporary: temporary,
            })
        };
        let found = match kind {
            ClipKind::Mp4 => mp4::sound(&mut file, length)
                .map(|track| AudioTrack::new(source(None, path), track)),
            ClipKind::NeedsFfmpeg(_) | ClipKind::Unknown => {
                ffmpeg_sound::extract(path).map(|(temporary, track)| {
                    let path = temporary.to_path_buf();
                    AudioTrack::new(source(Some(temporary), &path), track)
                })
            }
            _ => Err(NoSound::Silent),
        };
        match found {
            Ok(track) => Self::Track(track),
            Err(NoSound::Silent) => Self::Silent,
            Err(NoSound::LeftOut(reason, advice)) => Self::LeftOut(format!(
                "The sound of {} was left out because {reason}; {advice}.",
                Name(path)
            )),
        }
    }
}

/// Opens a regular file; returns it with its length and type.
fn look(path: &Path) -> Option<(File, u64, ClipKind)> {
    let (mut file, length) = regular_file::open(path, u64::MAX).ok()?;
    let mut head = Vec::new();
    (&mut file).take(HEAD_BYTES).read_to_end(&mut head).ok()?;
    Some((file, length, clip_kind(&head)))
}

impl AudioTrack {
    fn new(file: Arc<Source>, track: SoundTrack) -> Self {
        let mut at = 0i128;
        let mut stretches: Vec<_> = track
            .edits
            .iter()
            .map(|edit| {
                let begin = at + i128::from(edit.empty_before);
                at = begin + i128::from(edit.end) - i128::from(edit.start);
                TimelineSegment {
                    begin,
                    end: at,
                    media: i128::from(edit.start),
                }
            })
            .collect();
        if stretches.is_empty() {
            stretches.push(TimelineSegment {
                begin: 0,
                end: i128::from(i64::MAX),
                media: 0,
            });
        }
        let mut all = Self {
            file,
            entry: track.entry,
            timescale: track.timescale,
            samples: track.samples,
            stretches,
            start: 0,
        };
        all.start = all.ticks(track.start);
        all
    }

    /// The codec's name, such as "AAC".
    pub fn codec(&self) -> &'static str {
        self.entry.name
    }

    /// A cast from float saturates.
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    fn ticks(&self, seconds: f64) -> i128 {
        (seconds * f64::from(self.timescale)).round() as i128
    }

    /// The sound from `from` to `to`, in seconds of the clip ([`ClipFrame::time`](super::ClipFrame::time)), or to its
    /// end if that is earlier.
    ///
    /// The part is accurate to a tick. Where the sound starts late or pauses, so does the part. For a trimmed clip pass
    /// the time of its first frame, which may be later than the requested one.
    pub fn part(&self, from: f64, to: f64) -> AudioPart {
        let begin = self.ticks(from).saturating_add(self.start);
        let end = self.ticks(to).saturating_add(self.start);
        let mut builder = Builder {
            track: self,
            runs: Vec::new(),
            ticks: 0,
            edits: Vec::new(),
            at: begin,
        };
        for stretch in &self.stretches {
            let (from, to) = (stretch.begin.max(begin), stretch.end.min(end));
            if from < to {
                builder.add(from, to, stretch.media - stretch.begin);
            }
        }
        builder.part()
    }

    /// The duration of sample `index`: until the next one begins, which may be later than its stored duration.
    fn duration(&self, index: usize) -> u32 {
        let sample = &self.samples[index];
        let next = self.samples.get(index + 1);
        next.and_then(|next| u32::try_from(next.pts - sample.pts).ok())
            .unwrap_or(sample.ticks)
    }

    fn begin(&self, index: usize) -> i128 {
        i128::from(self.samples[index].pts)
    }

    fn end(&self, index: usize) -> i128 {
        self.begin(index) + i128::from(self.duration(index))
    }
}

/// Builds a part.
struct Builder<'a> {
    track: &'a AudioTrack,
    /// The samples taken, as ascending ranges.
    runs: Vec<std::ops::Range<usize>>,
    /// The duration of the samples taken, in ticks.
    ticks: u64,
    edits: Vec<EditEntry>,
    /// The end of what was added, on the presentation timeline.
    at: i128,
}

impl Builder<'_> {
    /// Adds the sound from `from` to `to` on the presentation timeline; media times are `shift` higher.
    fn add(&mut self, from: i128, to: i128, shift: i128) {
        let track = self.track;
        let count = track.samples.len();
        let (media_from, media_to) = (from + shift, to + shift);
        let first = partition(count, |index| track.end(index) <= media_from);
        let last = partition(count, |index| track.begin(index) < media_to);
        if first >= last {
            return;
        }
        // The samples may begin after the segment's start, and end before its end.
        let media_from = media_from.max(track.begin(first));
        let media_to = media_to.min(track.end(last - 1));
        if media_from >= media_to {
            return;
        }
        self.take(first, last);

        let from = media_from - shift;
        if from > self.at {
            self.edits.push(EditEntry {
                from: None,
                ticks: clamped(from - self.at),
            });
        }
        // `ticks` counts to the end of `last - 1`.
        let behind = clamped(track.end(last - 1) - media_from);
        self.edits.push(EditEntry {
            from: Some(self.ticks.saturating_sub(behind)),
            ticks: clamped(media_to - media_from),
        });
        self.at = media_to - shift;
    }

    /// Takes the samples from `first` to `last`, and the preroll that the decoder needs before them.
    fn take(&mut self, first: usize, last: usize) {
        let start = first.saturating_sub(self.track.entry.preroll);
        let taken = self.runs.last().map_or(0, |run| run.end);
        let range = match self.runs.last_mut() {
            Some(run) if start <= taken => {
                run.end = run.end.max(last);
                taken..last
            }
            _ => {
                self.runs.push(start..last);
                start..last
            }
        };
        let ticks = range.map(|index| u64::from(self.track.duration(index)));
        self.ticks += ticks.sum::<u64>();
    }

    fn part(self) -> AudioPart {
        let track = self.track;
        let indices = || self.runs.iter().cloned().flatten();
        let place = |index: usize| (track.samples[index].offset, track.samples[index].bytes);
        AudioPart {
            file: Arc::clone(&track.file),
            entry: track.entry.clone(),
            timescale: track.timescale,
            places: indices().map(place).collect(),
            samples: indices()
                .map(|index| (track.samples[index].bytes, track.duration(index)))
                .collect(),
            edits: self.edits,
        }
    }
}

impl AudioPart {
    /// Whether the part has no sound.
    pub fn is_silent(&self) -> bool {
        self.edits.is_empty()
    }

    /// The part's duration in seconds, including pauses.
    pub fn seconds(&self) -> f64 {
        let ticks: u64 = self.edits.iter().map(|edit| edit.ticks).sum();
        ticks as f64 / f64::from(self.timescale)
    }

    /// Writes the samples' data to `out` without gaps; `target` is used in errors.
    pub(crate) fn copy(&self, out: &mut impl Write, target: &Path) -> Result<(), MediaError> {
        let reading = |e| MediaError::reading(&self.file.path, e);
        let (file, _) = regular_file::open(&self.file.path, u64::MAX).map_err(reading)?;
        let mut file = BufReader::with_capacity(1 << 16, file);
        let (mut at, mut data) = (0, Vec::new());
        for &(offset, bytes) in &self.places {
            // A relative seek keeps the read buffer if the position is near.
            file.seek_relative(offset.wrapping_sub(at) as i64)
                .map_err(reading)?;
            data.resize(bytes as usize, 0);
            file.read_exact(&mut data).map_err(reading)?;
            out.write_all(&data)
                .map_err(|e| MediaError::writing(target, e))?;
            at = offset + u64::from(bytes);
        }
        Ok(())
    }
}

fn clamped(ticks: i128) -> u64 {
    u64::try_from(ticks.max(0)).unwrap_or(u64::MAX)
}

/// Like [`slice::partition_point`], for the indices below `count`.
fn partition(count: usize, is_so: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_so(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
