//! The audio track of an MP4 or MOV: positions and times of its samples.

use std::fs::File;

use crate::media::clip::frames::kind_name;
use crate::media::clip::mp4::boxes::{Layout, child, descend};
use crate::media::clip::mp4::listing::{self, Fault};
use crate::media::clip::mp4::order::Order;
use crate::media::clip::mp4::samples::Sample;
use crate::media::clip::mp4::sound_entry::{Refused, SoundEntry, sound_entry};
use crate::media::clip::mp4::track;
use crate::media::clip::mp4::track::{Edit, traks};

/// The maximum number of edits; videos have one or two.
const MAX_EDITS: usize = 1 << 12;

/// An audio track that can be copied as coded.
pub(crate) struct SoundTrack {
    pub(crate) entry: SoundEntry,
    /// Ticks a second, at least 1.
    pub(crate) timescale: u32,
    /// At least one, in presentation order.
    pub(crate) samples: Vec<Sample>,
    /// The edit list, in presentation order; empty if the track is presented unchanged.
    pub(crate) edits: Vec<Edit>,
    /// The time of the first video frame, in seconds on the movie timeline, which both tracks share.
    pub(crate) start: f64,
}

/// Why a video has no audio track that can be copied.
pub(crate) enum NoSound {
    /// There is no audio track.
    Silent,
    /// A reason that follows "because", and advice that follows a semicolon.
    LeftOut(String, &'static str),
}

const SAVE_WITH_AAC: &str = "save the clip as an MP4 with AAC sound to keep it";
const AGAIN: &str = "copy the clip again from its source to keep it";
const NOTHING: &str = "add it to the result with another program";

/// The audio track of a file of `length` bytes. Tracks that can be copied are preferred, then enabled ones.
pub(crate) fn sound(file: &mut File, length: u64) -> Result<SoundTrack, NoSound> {
    let left_out = |reason: &str, advice| Err(NoSound::LeftOut(reason.to_owned(), advice));
    let unreadable = |e: std::io::Error| NoSound::LeftOut(format!("it can't be read ({e})"), AGAIN);
    let senseless = || NoSound::LeftOut("its index is invalid".to_owned(), AGAIN);

    let layout = Layout::read(file, length).map_err(unreadable)?;
    let Some(moov) = layout.moov.as_deref() else {
        return left_out("the clip's index is missing", AGAIN);
    };
    let candidate = traks(moov, b"soun").map(parse).min_by_key(|track| {
        let entry = track.as_ref().map(|track| track.entry.is_ok());
        let is_enabled = track.as_ref().map(|track| track.is_enabled);
        (entry != Some(true), is_enabled != Some(true))
    });
    let Some(candidate) = candidate else {
        return Err(NoSound::Silent);
    };
    let track = candidate.ok_or_else(senseless)?;
    let edits = track.edits(track::movie_timescale(moov));
    let entry = track.entry.map_err(refused)?;

    let list = listing::list(file, &layout, moov, track.table, track.id, length);
    let list = list.map_err(|fault| match fault {
        Fault::Read(e) => unreadable(e),
        Fault::Senseless => senseless(),
        Fault::Missing { there, all } => {
            NoSound::LeftOut(format!("only {there} of its {all} parts are there"), AGAIN)
        }
        Fault::Cut => NoSound::LeftOut("its last part is missing".to_owned(), AGAIN),
    })?;
    if list.is_empty() {
        return Err(NoSound::Silent);
    }
    // Each sample begins no earlier than the one before, and by at most the longest possible duration.
    let is_in_order = list
        .windows(2)
        .all(|pair| u32::try_from(pair[1].pts.saturating_sub(pair[0].pts)).is_ok());
    if !is_in_order {
        return Err(senseless());
    }

    let is_forward = edits.windows(2).all(|pair| pair[0].end <= pair[1].start);
    let start = picture_start(file, &layout, moov, length);
    match start {
        Some(start) if is_forward && edits.len() <= MAX_EDITS => Ok(SoundTrack {
            entry,
            timescale: track.timescale,
            samples: list,
            edits,
            start,
        }),
        _ => left_out(
            "the clip is assembled from parts out of order",
            SAVE_WITH_AAC,
        ),
    }
}

fn refused(refused: Refused) -> NoSound {
    let (reason, advice) = match refused {
        Refused::Encrypted => ("it is copy-protected".to_owned(), NOTHING),
        Refused::Uncompressed(kind) => {
            let name = kind_name(kind);
            (
                format!("it is uncompressed ({name}), which an MP4 can't contain"),
                SAVE_WITH_AAC,
            )
        }
        Refused::Other(kind) => {
            let name = kind_name(kind);
            (
                format!("an MP4 can't contain its codec ({name})"),
                SAVE_WITH_AAC,
            )
        }
        Refused::Several => ("its codec changes partway".to_owned(), SAVE_WITH_AAC),
        Refused::Senseless => ("its description is invalid".to_owned(), AGAIN),
    };
    NoSound::LeftOut(reason, advice)
}

struct Candidate<'a> {
    id: u32,
    timescale: u32,
    entry: Result<SoundEntry, Refused>,
    elst: Option<&'a [u8]>,
    table: &'a [u8],
    is_enabled: bool,
}

impl Candidate<'_> {
    fn edits(&self, movie_timescale: u32) -> Vec<Edit> {
        self.elst
            .map(|list| track::edits(list, movie_timescale, self.timescale))
            .unwrap_or_default()
    }
}

fn parse(trak: &[u8]) -> Option<Candidate<'_>> {
    let (id, is_enabled) = track::header(trak)?;
    let media = child(trak, b"mdia")?;
    let table = descend(media, &[b"minf", b"stbl"])?;
    Some(Candidate {
        id,
        timescale: track::timescale(child(media, b"mdhd")?).filter(|&ticks| ticks > 0)?,
        entry: sound_entry(child(table, b"stsd")?),
        elst: descend(trak, &[b"edts", b"elst"]),
        table,
        is_enabled,
    })
}

/// The time of the first video frame, of any codec; 0 for a file without video, and `None` if its edit list was ignored.
fn picture_start(file: &mut File, layout: &Layout, moov: &[u8], length: u64) -> Option<f64> {
    let Some(track) = track::first_video(moov) else {
        return Some(0.0);
    };
    let samples = listing::list(file, layout, moov, track.table, track.id, length).ok()?;
    let order = Order::new(&samples, &track.edits, track.timescale);
    order.edits_applied.then_some(order.start)
}
