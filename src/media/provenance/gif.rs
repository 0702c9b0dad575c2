//! GIF: a comment before the first frame (GIF89a, 24). XMP of other programs is read but not written: it stands in an
//! application extension that breaks the format's own blocks.

use std::io::{Cursor, Read, Seek};

use crate::media::provenance::error::ProvenanceError;
use crate::media::provenance::note::{Found, Provenance};
use crate::media::provenance::packet_reader;
use crate::media::provenance::source::{Source, slice};

const KIND: &str = "GIF";

const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2c;
const TRAILER: u8 = 0x3b;
const COMMENT: u8 = 0xfe;
const APPLICATION: u8 = 0xff;

/// What stands between the sentence and the source type.
const JOINT: &str = "; digital source type: ";

/// An extension, and whether frames or the end come next instead.
enum Block {
    Extension { label: u8, data: u64, end: u64 },
    Other,
}

fn block<R: Read + Seek>(source: &mut Source<R>, at: u64) -> Result<Block, ProvenanceError> {
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

/// Where the first block is, behind the header and the global colours.
fn first<R: Read + Seek>(source: &mut Source<R>) -> Result<u64, ProvenanceError> {
    let [flags] = source.array(10)?;
    let colours = if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    };
    source.end(13, colours)
}

/// The bytes of an extension without the lengths between them.
fn joined<R: Read + Seek>(
    source: &mut Source<R>,
    data: u64,
    end: u64,
) -> Result<Vec<u8>, ProvenanceError> {
    let raw = source.text(data, end)?;
    let mut rest = raw.as_slice();
    let mut text = Vec::with_capacity(raw.len());
    while let [length, after @ ..] = rest {
        let (part, after) = after.split_at(after.len().min((*length).into()));
        text.extend_from_slice(part);
        rest = after;
    }
    Ok(text)
}

/// The text of the comment: one sentence in ASCII, which is all that a GIF's comment may have.
pub(super) fn comment(note: &Provenance) -> String {
    format!("{}{JOINT}{}", note.sentence(), note.source_type.uri())
        .chars()
        .map(|character| match character {
            ' '..='~' => character,
            _ => '?',
        })
        .collect()
}

/// The note in a comment of ours.
fn parsed(comment: &[u8]) -> Option<Found> {
    let comment = std::str::from_utf8(comment).ok()?;
    let (sentence, source) = comment.split_once(JOINT)?;
    let (_, rest) = sentence.split_once(" with ")?;
    let (software, models) = match rest.split_once(" (") {
        Some((software, models)) => (software, models.strip_suffix(')')?),
        None => (rest, ""),
    };
    Some(Found {
        source: source.trim().to_owned(),
        models: models
            .split(", ")
            .filter(|model| !model.is_empty())
            .map(str::to_owned)
            .collect(),
        software: Some(software.to_owned()),
        sentence: Some(sentence.to_owned()),
    })
}

/// The file with `comment` behind its loop count, and no earlier note of ours.
pub(super) fn put(bytes: &[u8], comment: &str) -> Result<Vec<u8>, ProvenanceError> {
    let mut source = Source::new(Cursor::new(bytes), KIND)?;
    let mut at = first(&mut source)?;
    let mut comment = Some(extension(comment));
    let mut out = Vec::with_capacity(bytes.len() + 512);
    // The first edition of the format has no comments.
    out.extend_from_slice(b"GIF89a");
    out.extend_from_slice(slice(bytes, 6, at));

    while let Block::Extension { label, data, end } = block(&mut source, at)? {
        let is_old = label == COMMENT && parsed(&joined(&mut source, data, end)?).is_some();
        if !is_old {
            // Some players know the loop count only where it comes first.
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
        bytes.push(part.len() as u8);
        bytes.extend_from_slice(part);
    }
    bytes.push(0);
    bytes
}

/// What the comments and XMP before the first frame say.
pub(super) fn read<R: Read + Seek>(
    source: &mut Source<R>,
) -> Result<Option<Found>, ProvenanceError> {
    let mut at = first(source)?;
    while let Block::Extension { label, data, end } = block(source, at)? {
        let found = match label {
            COMMENT => parsed(&joined(source, data, end)?),
            // The packet isn't cut into blocks: what look like their lengths are letters of it.
            APPLICATION if source.begins(data, end, b"\x0bXMP DataXMP")? => {
                packet_reader::read(&source.text(data + 12, end)?)
            }
            _ => None,
        };
        if found.is_some() {
            return Ok(found);
        }
        at = end;
    }
    Ok(None)
}
