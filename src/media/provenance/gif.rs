//! GIF: a comment before the first frame (GIF89a, 24) instead of XMP, whose application extension violates the format's
//! block structure.

use std::io::{Cursor, Read, Seek};

use crate::media::provenance::error::ProvenanceError;
use crate::media::provenance::note::Provenance;
use crate::media::provenance::source::{BoundedReader, slice};

const KIND: &str = "GIF";

const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2c;
const TRAILER: u8 = 0x3b;
const COMMENT: u8 = 0xfe;
const APPLICATION: u8 = 0xff;

/// The text between the sentence and the source type.
const SEPARATOR: &str = "; digital source type: ";

/// An extension, or else a frame or the end of the file.
enum Block {
    Extension { label: u8, data: u64, end: u64 },
    Other,
}

fn block<R: Read + Seek>(source: &mut BoundedReader<R>, at: u64) -> Result<Block, ProvenanceError> {
    match source.array(at)? {
        [EXTENSION] => {}
        [IMAGE | TRAILER] => return Ok(Block::Other),
        [_] => return Err(source.damaged("bytes between its blocks")),
    }
    let [label] = source.array(at + 1)?;
    let data = at + 2;
    let mut end = data;
    loop {
        let [length] = source.array(end)?;
        end = source.end(end, 1 + u64::from(length))?;
        if length == 0 {
            return Ok(Block::Extension { label, data, end });
        }
    }
}

/// The offset of the first block, after the header and the global colour table.
fn first<R: Read + Seek>(source: &mut BoundedReader<R>) -> Result<u64, ProvenanceError> {
    let [flags] = source.array(10)?;
    let colours = if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    };
    source.end(13, colours)
}

/// The bytes of an extension without the lengths of its sub-blocks.
fn joined<R: Read + Seek>(
    source: &mut BoundedReader<R>,
    data: u64,
    end: u64,
) -> Result<Vec<u8>, ProvenanceError> {
    let raw = source.read_range(data, end)?;
    let mut rest = raw.as_slice();
    let mut text = Vec::with_capacity(raw.len());
    while let [length, after @ ..] = rest {
        let (part, after) = after.split_at(after.len().min((*length).into()));
        text.extend_from_slice(part);
        rest = after;
    }
    Ok(text)
}

/// The text of the comment: one sentence in ASCII, the only encoding of GIF comments.
pub(super) fn comment(note: &Provenance) -> String {
    format!("{}{SEPARATOR}{}", note.sentence(), note.source_type.uri())
        .chars()
        .map(|character| match character {
            ' '..='~' => character,
            _ => '?',
        })
        .collect()
}

/// Whether a comment was written by [`comment`].
fn is_ours(comment: &[u8]) -> bool {
    let software = std::str::from_utf8(comment)
        .ok()
        .and_then(|comment| comment.split_once(SEPARATOR))
        .and_then(|(sentence, _)| sentence.split_once(" with "))
        .map(|(_, software)| software);
    software.is_some_and(|software| !software.contains(" (") || software.ends_with(')'))
}

/// The file with `comment` after its loop count, without our earlier notes.
pub(super) fn put(bytes: &[u8], comment: &str) -> Result<Vec<u8>, ProvenanceError> {
    let mut source = BoundedReader::new(Cursor::new(bytes), KIND)?;
    let mut at = first(&mut source)?;
    let mut comment = Some(extension(comment));
    let mut out = Vec::with_capacity(bytes.len() + 512);
    // GIF87a has no comments.
    out.extend_from_slice(b"GIF89a");
    out.extend_from_slice(slice(bytes, 6, at));

    while let Block::Extension { label, data, end } = block(&mut source, at)? {
        let is_old = label == COMMENT && is_ours(&joined(&mut source, data, end)?);
        if !is_old {
            // Some players read the loop count only if it comes first.
            if label != APPLICATION
                && let Some(comment) = comment.take()
            {
                out.extend_from_slice(&comment);
            }
            out.extend_from_slice(slice(bytes, at, end));
        }
        at = end;
    }
    out.extend_from_slice(&comment.unwrap_or_default());
    out.extend_from_slice(slice(bytes, at, source.length()));
    Ok(out)
}

fn extension(comment: &str) -> Vec<u8> {
    let mut bytes = vec![EXTENSION, COMMENT];
    for part in comment.as_bytes().chunks(255) {
        // A chunk has 255 bytes at most.
        bytes.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(part);
    }
    bytes.push(0);
    bytes
}
