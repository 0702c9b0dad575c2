//! PNG and APNG: XMP is an `iTXt` chunk with its own keyword (XMP part 3; PNG, 11.3.3.4).

use std::io::{Cursor, Read, Seek};

use crate::media::provenance::error::ProvenanceError;
use crate::media::provenance::source::{BoundedReader, slice};

const KIND: &str = "PNG";
const SIGNATURE: u64 = 8;
const KEYWORD: &[u8] = b"XML:com.adobe.xmp\0";

struct Chunk {
    name: [u8; 4],
    data: u64,
    /// Offset of its checksum.
    data_end: u64,
    end: u64,
}

fn chunk<R: Read + Seek>(source: &mut BoundedReader<R>, at: u64) -> Result<Chunk, ProvenanceError> {
    let [a, b, c, d, name @ ..] = source.array::<8>(at)?;
    let length = u32::from_be_bytes([a, b, c, d]);
    if length > i32::MAX as u32 {
        return Err(source.damaged("a chunk of impossible length"));
    }
    let data = at + 8;
    let data_end = source.end(data, length.into())?;
    Ok(Chunk {
        name,
        data,
        data_end,
        end: source.end(data_end, 4)?,
    })
}

fn is_xmp<R: Read + Seek>(
    source: &mut BoundedReader<R>,
    chunk: &Chunk,
) -> Result<bool, ProvenanceError> {
    Ok(&chunk.name == b"iTXt" && source.begins(chunk.data, chunk.data_end, KEYWORD)?)
}

/// The file with `packet` after its header, without other XMP.
pub(super) fn put(bytes: &[u8], packet: &str) -> Result<Vec<u8>, ProvenanceError> {
    let mut source = BoundedReader::new(Cursor::new(bytes), KIND)?;
    let header = chunk(&mut source, SIGNATURE)?;
    if &header.name != b"IHDR" {
        return Err(source.damaged("it doesn't begin with its header"));
    }

    let mut out = Vec::with_capacity(bytes.len() + packet.len() + 64);
    out.extend_from_slice(slice(bytes, 0, header.end));
    out.extend_from_slice(&xmp_chunk(packet)?);
    let (mut at, mut has_pixels) = (header.end, false);
    loop {
        let next = chunk(&mut source, at)?;
        if !is_xmp(&mut source, &next)? {
            out.extend_from_slice(slice(bytes, at, next.end));
        }
        at = next.end;
        has_pixels |= &next.name == b"IDAT";
        if &next.name == b"IEND" {
            break;
        }
    }
    if !has_pixels {
        return Err(source.damaged("it has no pixels"));
    }
    out.extend_from_slice(slice(bytes, at, source.length()));
    Ok(out)
}

/// The whole chunk, including its checksum.
pub(super) fn xmp_chunk(packet: &str) -> Result<Vec<u8>, ProvenanceError> {
    let mut chunk = Vec::with_capacity(packet.len() + 64);
    chunk.extend_from_slice(&[0; 4]);
    chunk.extend_from_slice(b"iTXt");
    chunk.extend_from_slice(KEYWORD);
    // Compression flag and method, and empty language and translated keyword.
    chunk.extend_from_slice(&[0; 4]);
    chunk.extend_from_slice(packet.as_bytes());

    let length =
        i32::try_from(chunk.len() - 8).map_err(|_| ProvenanceError::TooLong { kind: KIND })?;
    chunk[..4].copy_from_slice(&length.to_be_bytes());
    let checksum = crc32fast::hash(&chunk[4..]);
    chunk.extend_from_slice(&checksum.to_be_bytes());
    Ok(chunk)
}
