//! Parsing the boxes of MP4 and MOV, in memory and in a file.
//!
//! Sizes in a file aren't trusted: they are checked against the available data before allocating.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// A box's type.
pub(super) type Kind = [u8; 4];

/// The largest index that is read into memory; an hour's takes about 2 MB.
const MAX_INDEX: u64 = 64 << 20;

/// The maximum number of boxes read in a file: a day of one-second fragments has half of them.
const MAX_BOXES: usize = 1 << 18;

/// Reads consecutive big-endian fields; `None` once the bytes run out.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn kind(&mut self) -> Option<Kind> {
        self.array()
    }

    /// A field of 32 bits, or of 64 in later versions of a box.
    pub(super) fn wide(&mut self, is_wide: bool) -> Option<u64> {
        if is_wide {
            self.u64()
        } else {
            self.u32().map(u64::from)
        }
    }

    /// Version and flags, the start of a full box.
    pub(super) fn version(&mut self) -> Option<(u8, u32)> {
        let word = self.u32()?;
        Some(((word >> 24) as u8, word & 0x00ff_ffff))
    }
}

/// Iterates over the boxes within a box, each with its body; ends at the first that doesn't fit.
pub(super) struct Boxes<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Boxes<'a> {
    type Item = (Kind, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut fields = Fields(self.0);
        let size = fields.u32()?;
        let kind = fields.kind()?;
        let size = match size {
            0 => self.0.len(),
            1 => usize::try_from(fields.u64()?).ok()?,
            size => size as usize,
        };
        let head = self.0.len() - fields.0.len();
        let body = self.0.get(head..size)?;
        self.0 = &self.0[size..];
        Some((kind, body))
    }
}

/// The body of the first box of a type within a box.
pub(super) fn child<'a>(body: &'a [u8], kind: &Kind) -> Option<&'a [u8]> {
    Boxes(body)
        .find(|(found, _)| found == kind)
        .map(|(_, body)| body)
}

/// [`child`] along a path of types.
pub(super) fn descend<'a>(body: &'a [u8], kinds: &[&Kind]) -> Option<&'a [u8]> {
    kinds.iter().try_fold(body, |body, kind| child(body, kind))
}

/// The index boxes of a file.
#[derive(Default)]
pub(super) struct Layout {
    /// The body of the movie index.
    pub(super) moov: Option<Vec<u8>>,
    /// Start and length of each fragment's index, headers included.
    pub(super) moofs: Vec<(u64, u64)>,
    /// Whether the index extends beyond the file's end, or is larger than [`MAX_INDEX`].
    pub(super) is_index_cut: bool,
    /// Whether a box extends beyond the file's end.
    pub(super) is_cut: bool,
}

impl Layout {
    /// Reads the top-level boxes of a file of `length` bytes.
    pub(super) fn read(file: &mut File, length: u64) -> io::Result<Self> {
        let mut layout = Self::default();
        let mut at = 0u64;
        for _ in 0..MAX_BOXES {
            if at >= length {
                return Ok(layout);
            }
            let mut bytes = [0; 16];
            file.seek(SeekFrom::Start(at))?;
            let has = (length - at).min(16) as usize;
            file.read_exact(&mut bytes[..has])?;

            let mut fields = Fields(&bytes[..has]);
            let (Some(size), Some(kind)) = (fields.u32(), fields.kind()) else {
                layout.is_cut = true;
                return Ok(layout);
            };
            let (head, size) = match size {
                0 => (8, length - at),
                1 => (16, fields.u64().unwrap_or(u64::MAX)),
                size => (8, u64::from(size)),
            };
            if size < head {
                return Ok(layout);
            }
            let fits = size <= length - at;
            layout.is_cut |= !fits;
            match &kind {
                b"moov" if layout.moov.is_none() => {
                    if fits && size <= MAX_INDEX {
                        layout.moov = Some(read_at(file, at + head, size - head)?);
                    } else {
                        layout.is_index_cut = true;
                    }
                }
                b"moof" if fits && size <= MAX_INDEX => layout.moofs.push((at, size)),
                _ => {}
            }
            at = at.saturating_add(size);
        }
        Ok(layout)
    }
}

/// Reads `count` bytes at `at`; the caller has checked that they exist.
pub(super) fn read_at(file: &mut File, at: u64, count: u64) -> io::Result<Vec<u8>> {
    let count = usize::try_from(count).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut bytes = vec![0; count];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iteration_over_boxes_ends_at_one_that_does_not_fit() {
        let bytes = b"\0\0\0\x0afreeab\0\0\0\x01wide\0\0\0\0\0\0\0\x11c\xff\xff\xff\xffmdat";
        let found: Vec<_> = Boxes(bytes).collect();
        assert_eq!(
            found,
            [(*b"free", b"ab".as_slice()), (*b"wide", b"c".as_slice())]
        );
        // Sizes smaller than a header, and 64-bit ones beyond all memory.
        assert_eq!(Boxes(b"\0\0\0\x04free").count(), 0);
        assert_eq!(
            Boxes(b"\0\0\0\x01free\xff\xff\xff\xff\xff\xff\xff\xff").count(),
            0
        );
    }
}
