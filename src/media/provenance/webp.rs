//! WebP: XMP is a chunk that requires the extended format (RFC 9649, 2.7).

use std::io::{Cursor, Read, Seek};

use crate::media::provenance::error::ProvenanceError;
use crate::media::provenance::source::{BoundedReader, slice};

const KIND: &str = "WebP";
const FIRST: u64 = 12;

/// Bits of the extended header.
const HAS_XMP: u8 = 0x04;
const HAS_ALPHA: u8 = 0x10;

struct Chunk {
    name: [u8; 4],
    data: u64,
    data_end: u64,
    end: u64,
}

/// The chunk at `at` of a container that ends at `limit`.
fn chunk<R: Read + Seek>(
    source: &mut BoundedReader<R>,
    at: u64,
    limit: u64,
) -> Result<Chunk, ProvenanceError> {
    let [name @ .., a, b, c, d] = source.array::<8>(at)?;
    let length = u32::from_le_bytes([a, b, c, d]).into();
    let data = at + 8;
    let data_end = source.end(data, length)?;
    if data_end > limit {
        return Err(source.damaged("a chunk that is longer than the file"));
    }
    Ok(Chunk {
        name,
        data,
        data_end,
        // Some writers omit the padding of the last chunk.
        end: (data_end + length % 2).min(limit),
    })
}

/// The end of the container; bytes may follow it.
fn limit<R: Read + Seek>(source: &mut BoundedReader<R>) -> Result<u64, ProvenanceError> {
    let length = u32::from_le_bytes(source.array(4)?);
    source.end(8, length.into())
}

/// The file with `packet` as its last chunk, without other XMP.
pub(super) fn put(bytes: &[u8], packet: &str) -> Result<Vec<u8>, ProvenanceError> {
    let mut source = BoundedReader::new(Cursor::new(bytes), KIND)?;
    let limit = limit(&mut source)?;
    let first = chunk(&mut source, FIRST, limit)?;
    let header = header(&mut source, &first)?;

    let mut out = Vec::with_capacity(bytes.len() + packet.len() + 64);
    out.extend_from_slice(slice(bytes, 0, FIRST));
    push(&mut out, b"VP8X", &header)?;
    let mut at = FIRST;
    while at < limit {
        let next = chunk(&mut source, at, limit)?;
        if &next.name != b"VP8X" && &next.name != b"XMP " {
            push(&mut out, &next.name, slice(bytes, next.data, next.data_end))?;
        }
        at = next.end;
    }
    push(&mut out, b"XMP ", packet.as_bytes())?;

    let length =
        u32::try_from(out.len() - 8).map_err(|_| ProvenanceError::TooLong { kind: KIND })?;
    out[4..8].copy_from_slice(&length.to_le_bytes());
    out.extend_from_slice(slice(bytes, limit, source.length()));
    Ok(out)
}

fn push(out: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) -> Result<(), ProvenanceError> {
    let length = u32::try_from(data.len()).map_err(|_| ProvenanceError::TooLong { kind: KIND })?;
    out.extend_from_slice(name);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(data);
    if length % 2 == 1 {
        out.push(0);
    }
    Ok(())
}

/// The extended header: the file's own with the XMP bit set, or a new one for its only picture.
fn header<R: Read + Seek>(
    source: &mut BoundedReader<R>,
    first: &Chunk,
) -> Result<Vec<u8>, ProvenanceError> {
    let bare = |width: u32, height: u32, alpha: bool| {
        let flags = if alpha { HAS_XMP | HAS_ALPHA } else { HAS_XMP };
        let (width, height) = ((width - 1).to_le_bytes(), (height - 1).to_le_bytes());
        [[flags, 0, 0, 0].as_slice(), &width[..3], &height[..3]].concat()
    };
    let length = first.data_end - first.data;
    match &first.name {
        b"VP8X" if length >= 10 => {
            let mut header = source.read_range(first.data, first.data_end)?;
            header[0] |= HAS_XMP;
            Ok(header)
        }
        // RFC 6386, 9.1: a tag of 3 bytes, a start code, then per side 14 bits and 2 for scaling.
        b"VP8 " if length >= 10 => {
            let [tag, _, _, code @ .., a, b, c, d] = source.array::<10>(first.data)?;
            let width = u32::from(u16::from_le_bytes([a, b]) & 0x3fff);
            let height = u32::from(u16::from_le_bytes([c, d]) & 0x3fff);
            let is_sound = tag & 1 == 0 && code == [0x9d, 0x01, 0x2a];
            if !is_sound || width == 0 || height == 0 {
                return Err(source.damaged("a picture without a size"));
            }
            Ok(bare(width, height, false))
        }
        // RFC 9649, 3.4: a signature byte, per side 14 bits of its length minus 1, a bit for alpha, 3 for the version.
        b"VP8L" if length >= 5 => {
            let [signature, bits @ ..] = source.array::<5>(first.data)?;
            if signature != 0x2f {
                return Err(source.damaged("a picture without a size"));
            }
            let bits = u32::from_le_bytes(bits);
            Ok(bare(
                (bits & 0x3fff) + 1,
                (bits >> 14 & 0x3fff) + 1,
                bits >> 28 & 1 == 1,
            ))
        }
        _ => Err(source.damaged("it doesn't begin with a picture")),
    }
}
