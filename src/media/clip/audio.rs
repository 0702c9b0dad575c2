//! The sound of a clip, taken as it is coded and never coded anew.
//!
//! What is kept is an index of the coded samples, 24 bytes for each fiftieth of a second; their data stay in the file until they
//! are written.

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
use crate::ordinary_file;

/// What a clip has to be heard.
#[derive(Debug)]
pub enum Sound {
    /// Nothing: an animation, numbered pictures, or a film without sound.
    Silent,
    /// Sound that an MP4 can have as it is.
    Track(AudioTrack),
    /// Sound that stays behind; one sentence says why, and what to do.
    LeftOut(String),
}

/// The sound track of a clip.
#[derive(Debug)]
pub struct AudioTrack {
    file: Arc<Source>,
    entry: SoundEntry,
    timescale: u32,
    samples: Vec<SoundSample>,
    stretches: Vec<Stretch>,
    /// The clip's time 0 on the sound's clock, in ticks.
    start: i128,
}

/// The part of a sound that belongs to a part of a clip.
#[derive(Debug)]
pub struct AudioPart {
    file: Arc<Source>,
    pub(crate) entry: SoundEntry,
    /// Ticks a second, at least 1.
    pub(crate) timescale: u32,
    /// Where each sample lies in the file and how many bytes it has.
    places: Vec<(u64, u32)>,
    /// Bytes and ticks of each sample.
    pub(crate) samples: Vec<(u32, u32)>,
    /// What of the samples is heard, from the part's time 0 on.
    pub(crate) edits: Vec<Heard>,
}

/// A stretch of a part: so many ticks of the samples from tick `from` on, or so many ticks of silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) from: Option<u64>,
    pub(crate) ticks: u64,
}

/// Where the data are.
#[derive(Debug)]
struct Source {
    path: PathBuf,
    /// A file of ours, gone when nothing needs it any more.
    _temporary: Option<TempPath>,
}

/// A stretch of the track that is heard, on the clock that picture and sound share: in ticks of the sound.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    begin: i128,
    end: i128,
    /// What is heard first.
    media: i128,
}

impl Sound {
    /// The sound of the clip at `path`, of which [`Clip::open`](super::Clip::open) gives the picture.
    ///
    /// An MP4's or MOV's own track is used where its coding is one that MP4 holds: AAC, MP3, Opus, AC-3, E-AC-3, ALAC and FLAC.
    /// The sound of other containers is put into an MP4 by ffmpeg, where there is one, and coded anew only if an MP4 can't have
    /// it as it is. Nothing that is wrong with the sound is an error: a film is worth having without it.
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
            ClipKind::Foreign(_) | ClipKind::Unknown => {
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
                "The sound of {} is left out because {reason}; {advice}.",
                Name(path)
            )),
        }
    }
}

/// A file that is one, its length and what it is.
fn look(path: &Path) -> Option<(File, u64, ClipKind)> {
    let (mut file, length) = ordinary_file::open(path, u64::MAX).ok()?;
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
                let begin = at + i128::from(edit.pause);
                at = begin + i128::from(edit.end) - i128::from(edit.start);
                Stretch {
                    begin,
                    end: at,
                    media: i128::from(edit.start),
                }
            })
            .collect();
        if stretches.is_empty() {
            stretches.push(Stretch {
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

    /// What the coding is called: "AAC".
    pub fn codec(&self) -> &'static str {
        self.entry.name
    }

    /// A cast of a float stays within what the integer holds.
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    fn ticks(&self, seconds: f64) -> i128 {
        (seconds * f64::from(self.timescale)).round() as i128
    }

    /// The sound from `from` to `to`, in seconds of the clip ([`ClipFrame::time`](super::ClipFrame::time)); to its own end for a
    /// `to` beyond that.
    ///
    /// It begins and ends within a tick of what is asked. Where the sound begins later or pauses, so does the part. A cut begins
    /// at the time of its first frame, which may be later than the time that was asked for.
    pub fn part(&self, from: f64, to: f64) -> AudioPart {
        let begin = self.ticks(from).saturating_add(self.start);
        let end = self.ticks(to).saturating_add(self.start);
        let mut builder = Builder {
            track: self,
            runs: Vec::new(),
            ticks: 0,
            heard: Vec::new(),
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

    /// How long sample `index` lasts: until the next begins, which may be later than it says itself.
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

/// A part in the making.
struct Builder<'a> {
    track: &'a AudioTrack,
    /// Samples taken, as ranges that ascend.
    runs: Vec<std::ops::Range<usize>>,
    /// Ticks of the samples taken.
    ticks: u64,
    heard: Vec<Heard>,
    /// Up to where it is made, on the shared clock.
    at: i128,
}

impl Builder<'_> {
    /// Adds what is heard from `from` to `to` of the shared clock; media times are `shift` more.
    fn add(&mut self, from: i128, to: i128, shift: i128) {
        let track = self.track;
        let count = track.samples.len();
        let (media_from, media_to) = (from + shift, to + shift);
        let first = partition(count, |index| track.end(index) <= media_from);
        let last = partition(count, |index| track.begin(index) < media_to);
        if first >= last {
            return;
        }
        // The samples may begin later than the stretch, and end before it.
        let media_from = media_from.max(track.begin(first));
        let media_to = media_to.min(track.end(last - 1));
        if media_from >= media_to {
            return;
        }
        self.take(first, last);

        let from = media_from - shift;
        if from > self.at {
            self.heard.push(Heard {
                from: None,
                ticks: clamped(from - self.at),
            });
        }
        // Ticks are those up to the end of `last - 1`.
        let behind = clamped(track.end(last - 1) - media_from);
        self.heard.push(Heard {
            from: Some(self.ticks.saturating_sub(behind)),
            ticks: clamped(media_to - media_from),
        });
        self.at = media_to - shift;
    }

    /// Takes the samples from `first` to `last`, and those that lead in to them.
    fn take(&mut self, first: usize, last: usize) {
        let lead = first.saturating_sub(self.track.entry.lead);
        let taken = self.runs.last().map_or(0, |run| run.end);
        let range = match self.runs.last_mut() {
            Some(run) if lead <= taken => {
                run.end = run.end.max(last);
                taken..last
            }
            _ => {
                self.runs.push(lead..last);
                lead..last
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
            edits: self.heard,
        }
    }
}

impl AudioPart {
    /// Whether nothing is heard.
    pub fn is_silent(&self) -> bool {
        self.edits.is_empty()
    }

    /// How long the part runs, its pauses included.
    pub fn seconds(&self) -> f64 {
        let ticks: u64 = self.edits.iter().map(|heard| heard.ticks).sum();
        ticks as f64 / f64::from(self.timescale)
    }

    /// Writes the samples' data one after another into a file that will be `target`.
    pub(crate) fn copy(&self, out: &mut impl Write, target: &Path) -> Result<(), MediaError> {
        let reading = |e| MediaError::reading(&self.file.path, e);
        let (file, _) = ordinary_file::open(&self.file.path, u64::MAX).map_err(reading)?;
        let mut file = BufReader::with_capacity(1 << 16, file);
        let (mut at, mut data) = (0, Vec::new());
        for &(offset, bytes) in &self.places {
            // Keeps what was read ahead where the place is near.
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

/// How many of the first `count` indices are so, of which all that are come first.
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
