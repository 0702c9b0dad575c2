//! The container of WebP: chunks, including those of animations (RFC 9649, 2.7).

use crate::media::encode::changes::ChangedRegion;

/// Bytes before the first frame: the RIFF header, the `VP8X` chunk and the `ANIM` chunk.
pub(crate) const HEAD: usize = 12 + 8 + 10 + 8 + 6;

/// The maximum file size that the container can store, minus a reserve for the last chunk.
pub(crate) const MAX_FILE_BYTES: u64 = u32::MAX as u64 - (1 << 20);

/// Bits of the extended header.
const ANIMATED: u8 = 0x02;
const HAS_XMP: u8 = 0x04;
const HAS_ALPHA: u8 = 0x10;

/// Flag of a frame that replaces the old pixels instead of being blended over them.
const REPLACES: u8 = 0x02;

/// The values in the header of an animation.
pub(crate) struct Head {
    pub(crate) size: (u32, u32),
    pub(crate) has_alpha: bool,
    pub(crate) has_note: bool,
    /// How many times it plays; 0 is forever.
    pub(crate) plays: u16,
    /// Size of the whole file, including [`HEAD`].
    pub(crate) bytes: u64,
}

impl Head {
    /// The first [`HEAD`] bytes of the file.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut flags = ANIMATED;
        if self.has_alpha {
            flags |= HAS_ALPHA;
        }
        if self.has_note {
            flags |= HAS_XMP;
        }
        let (width, height) = self.size;
        let length = u32::try_from(self.bytes.saturating_sub(8)).unwrap_or(u32::MAX);
        let mut head = [b"RIFF", &length.to_le_bytes()[..], b"WEBP"].concat();
        let extended = [
            &[flags, 0, 0, 0][..],
            &u24_le(width - 1),
            &u24_le(height - 1),
        ];
        head.extend(chunk(b"VP8X", &extended));
        let background = [0; 4];
        head.extend(chunk(b"ANIM", &[&background, &self.plays.to_le_bytes()]));
        head
    }
}

/// A chunk, padded to an even length.
pub(crate) fn chunk(name: &[u8; 4], data: &[&[u8]]) -> Vec<u8> {
    let length: usize = data.iter().map(|part| part.len()).sum();
    let mut chunk = Vec::with_capacity(length + 9);
    chunk.extend_from_slice(name);
    // A coded picture of 16383 pixels along a side is far shorter than the maximum of 4 GB.
    chunk.extend_from_slice(&(length as u32).to_le_bytes());
    data.iter().for_each(|part| chunk.extend_from_slice(part));
    if length % 2 == 1 {
        chunk.push(0);
    }
    chunk
}

/// A frame's chunk. `webp` is the piece as a still WebP, and `duration` is in milliseconds.
pub(crate) fn frame(piece: &ChangedRegion, webp: &[u8], duration: u32) -> Vec<u8> {
    let (width, height) = piece.size();
    let (left, top) = (piece.rect.left as u32, piece.rect.top as u32);
    chunk(
        b"ANMF",
        &[
            &u24_le(left / 2),
            &u24_le(top / 2),
            &u24_le(width - 1),
            &u24_le(height - 1),
            &u24_le(duration),
            &[REPLACES],
            &picture_chunks(webp),
        ],
    )
}

/// The chunks of a still WebP that store its picture: alpha and colours, or both in one.
fn picture_chunks(webp: &[u8]) -> Vec<u8> {
    let mut found = Vec::with_capacity(webp.len());
    let mut rest = webp.get(12..).unwrap_or_default();
    while let Some(([name @ .., a, b, c, d], body)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        let Some((data, behind)) = body.split_at_checked(length) else {
            break;
        };
        if matches!(name, b"ALPH" | b"VP8 " | b"VP8L") {
            found.extend(chunk(name, &[data]));
        }
        rest = behind.get(length % 2..).unwrap_or_default();
    }
    found
}

/// The low 24 bits, little-endian.
fn u24_le(value: u32) -> [u8; 3] {
    let [a, b, c, _] = value.to_le_bytes();
    [a, b, c]
}
