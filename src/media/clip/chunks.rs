//! Counts the frames of an animated PNG or WebP and their duration from its chunks, without decoding.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use crate::media::clip::frames::animation_delay;

/// The information in a file's chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Count {
    /// `(width, height)` in pixels.
    pub(super) size: (u32, u32),
    pub(super) is_animated: bool,
    pub(super) frames: usize,
    pub(super) seconds: f64,
    /// Whether the file is complete, with as many frames as its header states.
    pub(super) is_whole: bool,
}

/// Bytes read of a chunk's data; enough for a PNG's whole frame control.
const BODY: usize = 26;

/// A chunk's name and the start of its data, padded with zeros.
struct Chunk {
    kind: [u8; 4],
    body: [u8; BODY],
}

impl Chunk {
    /// Reads a chunk and seeks to the next; `None` at the end of the file.
    fn read(source: &mut BufReader<File>, is_png: bool) -> Option<Self> {
        let (mut a, mut b) = ([0; 4], [0; 4]);
        source.read_exact(&mut a).ok()?;
        source.read_exact(&mut b).ok()?;
        let (kind, length) = if is_png {
            (b, u32::from_be_bytes(a))
        } else {
            (a, u32::from_le_bytes(b))
        };
        let has = (length as usize).min(BODY);
        let mut body = [0; BODY];
        source.read_exact(&mut body[..has]).ok()?;
        // PNG chunks are followed by a checksum, WebP chunks are padded to an even length.
        let after = if is_png { 4 } else { i64::from(length % 2) };
        let rest = i64::from(length) - has as i64 + after;
        source.seek_relative(rest).ok()?;
        Some(Self { kind, body })
    }

    fn bytes<const N: usize>(&self, at: usize) -> [u8; N] {
        std::array::from_fn(|index| self.body[at + index])
    }
}

/// Counts the frames of a PNG, from the start of the file; `None` if it has no header.
pub(super) fn count_png(source: &mut BufReader<File>) -> Option<Count> {
    source.seek(SeekFrom::Start(8)).ok()?;
    let header = Chunk::read(source, true).filter(|chunk| &chunk.kind == b"IHDR")?;
    let mut count = Count {
        size: (
            u32::from_be_bytes(header.bytes(0)),
            u32::from_be_bytes(header.bytes(4)),
        ),
        ..Count::default()
    };
    let mut claimed = 0;
    while let Some(chunk) = Chunk::read(source, true) {
        match &chunk.kind {
            b"acTL" => {
                count.is_animated = true;
                claimed = u32::from_be_bytes(chunk.bytes(0)) as usize;
            }
            b"fcTL" => {
                let half = |at| f64::from(u16::from_be_bytes(chunk.bytes(at)));
                let parts = if half(22) > 0.0 { half(22) } else { 100.0 };
                count.frames += 1;
                count.seconds += animation_delay(half(20) / parts);
            }
            // `acTL` must precede the first `IDAT`.
            b"IDAT" if !count.is_animated => break,
            b"IEND" => {
                count.is_whole = count.frames == claimed;
                break;
            }
            _ => {}
        }
    }
    Some(count)
}

/// Counts the frames of a WebP, from the start of the file; `None` if it has no header.
pub(super) fn count_webp(source: &mut BufReader<File>) -> Option<Count> {
    let mut head = [0; 12];
    source.rewind().ok()?;
    source.read_exact(&mut head).ok()?;
    let end = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]])) + 8;

    let header = Chunk::read(source, false)?;
    let side = |at| {
        let [low, middle, high] = header.bytes(at);
        u32::from_le_bytes([low, middle, high, 0]) + 1
    };
    let mut count = Count {
        // Files with another first chunk are stills.
        is_animated: &header.kind == b"VP8X" && header.body[0] & 2 != 0,
        size: (side(4), side(7)),
        ..Count::default()
    };
    while count.is_animated
        && let Some(chunk) = Chunk::read(source, false)
    {
        if &chunk.kind == b"ANMF" {
            let [low, middle, high] = chunk.bytes(12);
            let milliseconds = u32::from_le_bytes([low, middle, high, 0]);
            count.frames += 1;
            count.seconds += animation_delay(f64::from(milliseconds) / 1000.0);
        }
    }
    count.is_whole = source.seek(SeekFrom::End(0)).ok()? >= end;
    Some(count)
}
