//! JPEG: XMP is an APP1 segment with its own identifier (XMP part 3), at most one segment long.

use std::io::{Cursor, Read, Seek};

use crate::media::provenance::error::ProvenanceError;
use crate::media::provenance::source::{BoundedReader, slice};

const KIND: &str = "JPEG";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// The part of a longer packet that didn't fit into the first segment; meaningless without it.
const MORE_XMP: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const EXIF: &[u8] = b"Exif\0";

const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const SCAN: u8 = 0xda;
const END: u8 = 0xd9;

struct Segment {
    marker: u8,
    data: u64,
    end: u64,
}

fn segment<R: Read + Seek>(
    source: &mut BoundedReader<R>,
    at: u64,
) -> Result<Segment, ProvenanceError> {
    let [0xff] = source.array(at)? else {
        return Err(source.damaged("bytes between its segments"));
    };
    let mut at = at + 1;
    // Any number of FF may precede a marker.
    let marker = loop {
        let [byte] = source.array(at)?;
        at += 1;
        if byte != 0xff {
            break byte;
        }
    };
    match marker {
        0x00 => return Err(source.damaged("pixels before their header")),
        0x01 | 0xd0..=0xd9 => {
            return Ok(Segment {
                marker,
                data: at,
                end: at,
            });
        }
        _ => {}
    }
    let length = u16::from_be_bytes(source.array(at)?);
    if length < 2 {
        return Err(source.damaged("a segment of impossible length"));
    }
    Ok(Segment {
        marker,
        data: at + 2,
        end: source.end(at, length.into())?,
    })
}

/// The file with `packet` after its JFIF and Exif segments, without other XMP.
pub(super) fn put(bytes: &[u8], packet: &str) -> Result<Vec<u8>, ProvenanceError> {
    let mut xmp = Some(xmp_segment(packet)?);
    let mut source = BoundedReader::new(Cursor::new(bytes), KIND)?;
    let mut out = Vec::with_capacity(bytes.len() + packet.len() + 64);
    out.extend_from_slice(slice(bytes, 0, 2));

    let mut at = 2;
    loop {
        let next = segment(&mut source, at)?;
        if next.marker == END {
            return Err(source.damaged("it has no pixels"));
        }
        let mut is = |prefix| {
            Ok::<_, ProvenanceError>(
                next.marker == APP1 && source.begins(next.data, next.end, prefix)?,
            )
        };
        if is(XMP)? || is(MORE_XMP)? {
            at = next.end;
            continue;
        }
        // Camera software expects these two first.
        let stays_ahead = next.marker == APP0 || is(EXIF)?;
        if !stays_ahead && let Some(xmp) = xmp.take() {
            out.extend_from_slice(&xmp);
        }
        if next.marker == SCAN {
            out.extend_from_slice(slice(bytes, at, source.length()));
            return Ok(out);
        }
        out.extend_from_slice(slice(bytes, at, next.end));
        at = next.end;
    }
}

fn xmp_segment(packet: &str) -> Result<Vec<u8>, ProvenanceError> {
    let length = u16::try_from(2 + XMP.len() + packet.len())
        .map_err(|_| ProvenanceError::TooLong { kind: KIND })?;
    Ok([
        [0xff, APP1].as_slice(),
        &length.to_be_bytes(),
        XMP,
        packet.as_bytes(),
    ]
    .concat())
}
