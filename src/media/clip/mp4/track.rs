//! The index of an MP4 or MOV: which of its tracks is the film, how that is coded, turned and edited.

use std::path::Path;

use image::metadata::Orientation;

use crate::media::clip::frames::damaged;
use crate::media::clip::mp4::boxes::{Boxes, Fields, Kind, child, descend};
use crate::media::colour::rgb::Colour;
use crate::media::error::MediaError;

/// Bytes of a visual sample entry before the boxes in it.
const ENTRY_BYTES: usize = 78;

/// A video track.
pub(super) struct Track<'a> {
    pub(super) id: u32,
    /// Ticks a second, at least 1.
    pub(super) timescale: u32,
    /// What makes its frames upright.
    pub(super) turn: Orientation,
    pub(super) codec: Codec<'a>,
    /// In the order of the film; empty for a track that is shown as it is.
    pub(super) edits: Vec<Edit>,
    /// The sample table.
    pub(super) table: &'a [u8],
    is_enabled: bool,
}

/// How the frames are coded.
#[derive(Clone, Copy)]
pub(super) enum Codec<'a> {
    H264 {
        /// The body of `avcC`: the parameter sets.
        configuration: &'a [u8],
        /// What the `colr` box says.
        colour: Colour,
    },
    Encrypted,
    Other(Kind),
}

/// A stretch of the track that is shown.
#[derive(Clone, Copy)]
pub(crate) struct Edit {
    /// Ticks before it in which the track shows nothing.
    pub(crate) pause: i64,
    /// In ticks of the track.
    pub(crate) start: i64,
    /// In ticks of the track, exclusive.
    pub(crate) end: i64,
    /// By how many ticks the end may be off: lengths are rounded to the whole film's coarser clock.
    pub(crate) slack: i64,
}

/// The film among the tracks in `moov`: one in H.264 rather than another, one that is switched on rather than not.
pub(super) fn video_track<'a>(path: &Path, moov: &'a [u8]) -> Result<Track<'a>, MediaError> {
    if traks(moov, b"vide").next().is_none() {
        return Err(MediaError::NoVideo {
            path: path.to_owned(),
            instead: if traks(moov, b"soun").next().is_some() {
                "only sound"
            } else {
                "no video track"
            },
        });
    }
    first_video(moov).ok_or_else(|| damaged(path, "the index of its video makes no sense"))
}

/// [`video_track`], or nothing.
pub(super) fn first_video(moov: &[u8]) -> Option<Track<'_>> {
    let movie_timescale = movie_timescale(moov);
    traks(moov, b"vide")
        .filter_map(|trak| parse(trak, movie_timescale))
        // The first of the best: `min_by_key` keeps the first of equals.
        .min_by_key(|track| {
            let is_ours = matches!(track.codec, Codec::H264 { .. });
            (!is_ours, !track.is_enabled)
        })
}

/// The tracks of a kind, by what handles them: `vide` or `soun`.
pub(super) fn traks<'a>(moov: &'a [u8], handler: &'a Kind) -> impl Iterator<Item = &'a [u8]> {
    let of = |trak| {
        let mut fields = Fields(descend(trak, &[b"mdia", b"hdlr"])?);
        fields.bytes(8)?;
        fields.kind()
    };
    Boxes(moov)
        .filter(|(kind, _)| kind == b"trak")
        .map(|(_, body)| body)
        .filter(move |trak| of(trak) == Some(*handler))
}

/// Ticks a second of the whole film, at least 1.
pub(super) fn movie_timescale(moov: &[u8]) -> u32 {
    child(moov, b"mvhd").and_then(timescale).unwrap_or(1).max(1)
}

/// The number of a track, and whether it is switched on.
pub(super) fn header(trak: &[u8]) -> Option<(u32, bool)> {
    let mut fields = Fields(child(trak, b"tkhd")?);
    head(&mut fields)
}

/// [`header`], up to the fields that only video has.
fn head(fields: &mut Fields<'_>) -> Option<(u32, bool)> {
    let (version, flags) = fields.version()?;
    let is_wide = version == 1;
    fields.wide(is_wide)?;
    fields.wide(is_wide)?;
    let id = fields.u32()?;
    fields.u32()?;
    fields.wide(is_wide)?;
    fields.bytes(16)?;
    Some((id, flags & 1 != 0))
}

fn parse(trak: &[u8], movie_timescale: u32) -> Option<Track<'_>> {
    let mut fields = Fields(child(trak, b"tkhd")?);
    let (id, is_enabled) = head(&mut fields)?;
    let matrix = [
        fields.i32()?,
        fields.i32()?,
        fields.i32()?,
        fields.i32()?,
        fields.i32()?,
    ];

    let media = child(trak, b"mdia")?;
    let timescale = timescale(child(media, b"mdhd")?).filter(|&ticks| ticks > 0)?;
    let table = descend(media, &[b"minf", b"stbl"])?;
    Some(Track {
        id,
        timescale,
        turn: orientation(matrix[0], matrix[1], matrix[3], matrix[4]),
        codec: codec(child(table, b"stsd")?)?,
        edits: descend(trak, &[b"edts", b"elst"])
            .map(|list| edits(list, movie_timescale, timescale))
            .unwrap_or_default(),
        table,
        is_enabled,
    })
}

/// Ticks a second as `mvhd` and `mdhd` say.
pub(super) fn timescale(header: &[u8]) -> Option<u32> {
    let mut fields = Fields(header);
    let (version, _) = fields.version()?;
    fields.bytes(if version == 1 { 16 } else { 8 })?;
    fields.u32()
}

/// The turn that a matrix of `x' = a x + c y`, `y' = b x + d y` means; scales don't count, and what is no turn is none.
fn orientation(a: i32, b: i32, c: i32, d: i32) -> Orientation {
    match (a.signum(), b.signum(), c.signum(), d.signum()) {
        (-1, 0, 0, 1) => Orientation::FlipHorizontal,
        (-1, 0, 0, -1) => Orientation::Rotate180,
        (1, 0, 0, -1) => Orientation::FlipVertical,
        (0, 1, 1, 0) => Orientation::Rotate90FlipH,
        (0, 1, -1, 0) => Orientation::Rotate90,
        (0, -1, -1, 0) => Orientation::Rotate270FlipH,
        (0, -1, 1, 0) => Orientation::Rotate270,
        _ => Orientation::NoTransforms,
    }
}

/// The codec of the first sample entry; clips with several change their parameter sets only, which H.264 also has in the frames.
fn codec(stsd: &[u8]) -> Option<Codec<'_>> {
    let (kind, entry) = Boxes(stsd.get(8..)?).next()?;
    match &kind {
        b"avc1" | b"avc3" => {
            let boxes = entry.get(ENTRY_BYTES..)?;
            Some(Codec::H264 {
                configuration: child(boxes, b"avcC")?,
                colour: child(boxes, b"colr").and_then(colour).unwrap_or_default(),
            })
        }
        b"encv" | b"drmi" => Some(Codec::Encrypted),
        _ => Some(Codec::Other(kind)),
    }
}

/// MP4's `nclx` and QuickTime's `nclc`, which knows no range.
fn colour(colr: &[u8]) -> Option<Colour> {
    let mut fields = Fields(colr);
    let kind = fields.kind()?;
    if &kind != b"nclx" && &kind != b"nclc" {
        return None;
    }
    fields.u32()?;
    // 2 means "unspecified".
    let matrix = u8::try_from(fields.u16()?).ok().filter(|&code| code != 2);
    let is_full = fields.u8().map(|byte| byte & 0x80 != 0);
    Some(Colour {
        matrix,
        is_full: is_full.filter(|_| &kind == b"nclx"),
    })
}

/// The edit list in the track's ticks; an empty stretch becomes the pause before what follows it.
pub(super) fn edits(list: &[u8], movie_timescale: u32, timescale: u32) -> Vec<Edit> {
    let mut fields = Fields(list);
    let Some((version, _)) = fields.version() else {
        return Vec::new();
    };
    fields.u32();
    let mut entry = || {
        let is_wide = version == 1;
        let duration = fields.wide(is_wide)?;
        let start = if is_wide {
            fields.u64()? as i64
        } else {
            i64::from(fields.i32()?)
        };
        fields.u32()?;
        Some((duration, start))
    };

    let (mut edits, mut pause) = (Vec::new(), 0i64);
    let slack = i64::from(timescale.div_ceil(movie_timescale));
    // As many as there are bytes for, whatever the count claims.
    while let Some((duration, start)) = entry() {
        let ticks = u128::from(duration) * u128::from(timescale) / u128::from(movie_timescale);
        let ticks = i64::try_from(ticks).unwrap_or(i64::MAX);
        if start < 0 {
            pause = pause.saturating_add(ticks);
            continue;
        }
        let end = match ticks {
            // A fragmented film is written before its length is known.
            0 => i64::MAX,
            ticks => start.saturating_add(ticks),
        };
        edits.push(Edit {
            pause: std::mem::take(&mut pause),
            start,
            end,
            slack,
        });
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_are_turns() {
        let one = 1 << 16;
        assert_eq!(orientation(one, 0, 0, one), Orientation::NoTransforms);
        assert_eq!(orientation(0, one, -one, 0), Orientation::Rotate90);
        assert_eq!(orientation(0, -2 * one, one, 0), Orientation::Rotate270);
        assert_eq!(orientation(one, one, -one, one), Orientation::NoTransforms);
    }

    #[test]
    fn edits_are_in_ticks_of_the_track() {
        let list = [
            [0, 0, 0, 0, 0, 0, 0, 3].as_slice(),
            // Half a second of nothing, a second from tick 1024 on, the rest.
            &[0, 0, 1, 0xf4, 0xff, 0xff, 0xff, 0xff, 0, 1, 0, 0],
            &[0, 0, 3, 0xe8, 0, 0, 4, 0, 0, 1, 0, 0],
            &[0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0],
        ]
        .concat();
        let found: Vec<_> = edits(&list, 1000, 12_800)
            .iter()
            .map(|edit| (edit.pause, edit.start, edit.end, edit.slack))
            .collect();
        let expected = [(6400, 1024, 1024 + 12_800, 13), (0, 65_536, i64::MAX, 13)];
        assert_eq!(found, expected);
    }
}
