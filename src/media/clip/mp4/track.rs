//! The video track in the index of an MP4 or MOV: its codec, rotation and edit list.

use std::path::Path;

use image::metadata::Orientation;

use crate::media::clip::frames::damaged;
use crate::media::clip::mp4::boxes::{Boxes, Fields, Kind, child, descend};
use crate::media::colour::rgb::Colour;
use crate::media::error::MediaError;

/// Size of a visual sample entry before its boxes.
const ENTRY_BYTES: usize = 78;

/// A video track.
pub(super) struct Track<'a> {
    pub(super) id: u32,
    /// Ticks a second, at least 1.
    pub(super) timescale: u32,
    /// The transform that makes its frames upright.
    pub(super) orientation: Orientation,
    pub(super) codec: Codec<'a>,
    /// The edit list, in presentation order; empty if the track is presented unchanged.
    pub(super) edits: Vec<Edit>,
    /// The sample table.
    pub(super) table: &'a [u8],
    is_enabled: bool,
}

/// A track's codec.
#[derive(Clone, Copy)]
pub(super) enum Codec<'a> {
    H264 {
        /// The body of `avcC`: the parameter sets.
        configuration: &'a [u8],
        /// Matrix and range of the `colr` box.
        colour: Colour,
    },
    Encrypted,
    Other(Kind),
}

/// An entry of the edit list: a segment of the track that is presented.
#[derive(Clone, Copy)]
pub(crate) struct Edit {
    /// Ticks before it in which the track presents nothing.
    pub(crate) empty_before: i64,
    /// In ticks of the track.
    pub(crate) start: i64,
    /// In ticks of the track, exclusive.
    pub(crate) end: i64,
    /// Tolerance of the end in ticks: durations are rounded to the movie's coarser timescale.
    pub(crate) end_tolerance: i64,
}

/// The video track in `moov`. H.264 is preferred, then enabled tracks.
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
    first_video(moov).ok_or_else(|| damaged(path, "the index of its video is invalid"))
}

/// Like [`video_track`], as an option.
pub(super) fn first_video(moov: &[u8]) -> Option<Track<'_>> {
    let movie_timescale = movie_timescale(moov);
    traks(moov, b"vide")
        .filter_map(|trak| parse(trak, movie_timescale))
        // `min_by_key` returns the first of equal elements.
        .min_by_key(|track| {
            let is_ours = matches!(track.codec, Codec::H264 { .. });
            (!is_ours, !track.is_enabled)
        })
}

/// The tracks with a handler: `vide` or `soun`.
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

/// The movie's timescale in ticks a second, at least 1.
pub(super) fn movie_timescale(moov: &[u8]) -> u32 {
    child(moov, b"mvhd").and_then(timescale).unwrap_or(1).max(1)
}

/// A track's id, and whether it is enabled.
pub(super) fn header(trak: &[u8]) -> Option<(u32, bool)> {
    let mut fields = Fields(child(trak, b"tkhd")?);
    head(&mut fields)
}

/// Parses [`header`] up to the fields that only video uses.
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
        orientation: orientation(matrix[0], matrix[1], matrix[3], matrix[4]),
        codec: codec(child(table, b"stsd")?)?,
        edits: descend(trak, &[b"edts", b"elst"])
            .map(|list| edits(list, movie_timescale, timescale))
            .unwrap_or_default(),
        table,
        is_enabled,
    })
}

/// The timescale in `mvhd` or `mdhd`.
pub(super) fn timescale(header: &[u8]) -> Option<u32> {
    let mut fields = Fields(header);
    let (version, _) = fields.version()?;
    fields.bytes(if version == 1 { 16 } else { 8 })?;
    fields.u32()
}

/// The rotation or flip of a matrix `x' = a x + c y`, `y' = b x + d y`, ignoring scale; other matrices count as none.
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

/// The codec of the first sample entry. Clips with several entries only change parameter sets, which H.264 frames
/// contain too.
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

/// Parses MP4's `nclx` or QuickTime's `nclc`, which has no range.
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

/// The edit list in the track's ticks; an empty edit becomes the pause before the next one.
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

    let (mut edits, mut empty_before) = (Vec::new(), 0i64);
    let end_tolerance = i64::from(timescale.div_ceil(movie_timescale));
    // Reads as many entries as there are bytes, whatever the stored count.
    while let Some((duration, start)) = entry() {
        let ticks = u128::from(duration) * u128::from(timescale) / u128::from(movie_timescale);
        let ticks = i64::try_from(ticks).unwrap_or(i64::MAX);
        if start < 0 {
            empty_before = empty_before.saturating_add(ticks);
            continue;
        }
        let end = match ticks {
            // A fragmented file is written before its duration is known.
            0 => i64::MAX,
            ticks => start.saturating_add(ticks),
        };
        edits.push(Edit {
            empty_before: std::mem::take(&mut empty_before),
            start,
            end,
            end_tolerance,
        });
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn track_matrices_become_orientations() {
        let one = 1 << 16;
        assert_eq!(orientation(one, 0, 0, one), Orientation::NoTransforms);
        assert_eq!(orientation(0, one, -one, 0), Orientation::Rotate90);
        assert_eq!(orientation(0, -2 * one, one, 0), Orientation::Rotate270);
        assert_eq!(orientation(one, one, -one, one), Orientation::NoTransforms);
    }

    #[test]
    fn edits_are_converted_to_ticks_of_the_track() {
        let list = [
            [0, 0, 0, 0, 0, 0, 0, 3].as_slice(),
            // Half a second of nothing, a second from tick 1024, then the rest.
            &[0, 0, 1, 0xf4, 0xff, 0xff, 0xff, 0xff, 0, 1, 0, 0],
            &[0, 0, 3, 0xe8, 0, 0, 4, 0, 0, 1, 0, 0],
            &[0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0],
        ]
        .concat();
        let found: Vec<_> = edits(&list, 1000, 12_800)
            .iter()
            .map(|edit| (edit.empty_before, edit.start, edit.end, edit.end_tolerance))
            .collect();
        let expected = [(6400, 1024, 1024 + 12_800, 13), (0, 65_536, i64::MAX, 13)];
        assert_eq!(found, expected);
    }
}
