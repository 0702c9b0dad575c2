//! Provenance notes: they mark a file as made or edited by a model.
//!
//! Pictures and videos store the note as XMP, whose `Iptc4xmpExt:DigitalSourceType` is what news agencies, stock
//! libraries and search engines look for; a GIF stores it as a comment. [`Provenance::put`] adds the note to a finished
//! file without re-encoding. [`Provenance::gif_comment`], [`Provenance::png_chunk`], [`Provenance::mp4_box`] and
//! [`Provenance::packet`] (WebP) are for files that are still being written. The note has no date, so that the same
//! export gives the same bytes.

#![warn(clippy::cast_possible_truncation)]

mod error;
mod gif;
mod jpeg;
mod mp4;
mod note;
mod packet;
mod png;
mod source;
mod webp;

use std::io::{Cursor, Read, Seek, Write};

pub use error::ProvenanceError;
pub use note::{Provenance, SourceType};

/// The supported containers. TIFF is left out because Mien doesn't write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Png,
    Jpeg,
    WebP,
    Gif,
    Mp4,
}

impl Format {
    /// Detects the container by the first 12 bytes.
    fn of(head: &[u8; 12]) -> Option<Self> {
        match head {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => Some(Self::WebP),
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some(Self::Mp4),
            _ => None,
        }
    }
}

impl Provenance {
    /// Returns the file `bytes` (PNG, APNG, JPEG, WebP, GIF or MP4) with this note in it, replacing an earlier one.
    ///
    /// The rest of the file is unchanged, except that other XMP is removed, because a file can have only one packet.
    ///
    /// # Errors
    ///
    /// [`ProvenanceError::UnknownKind`] for other files, [`ProvenanceError::Damaged`] for broken ones,
    /// [`ProvenanceError::TooLong`] and [`ProvenanceError::Fragmented`] if there is no room for the note.
    pub fn put(&self, bytes: &[u8]) -> Result<Vec<u8>, ProvenanceError> {
        let head = bytes.first_chunk().ok_or(ProvenanceError::UnknownKind)?;
        let kind = Format::of(head).ok_or(ProvenanceError::UnknownKind)?;
        match kind {
            Format::Png => png::put(bytes, &packet::write(self)),
            Format::Jpeg => jpeg::put(bytes, &packet::write(self)),
            Format::WebP => webp::put(bytes, &packet::write(self)),
            Format::Gif => gif::put(bytes, &gif::comment(self)),
            Format::Mp4 => {
                let mut file = Cursor::new(bytes.to_vec());
                self.put_mp4(&mut file)?;
                Ok(file.into_inner())
            }
        }
    }

    /// Adds the note to an MP4 in place, reading only the headers of its top-level boxes.
    ///
    /// The note goes to the end, so that no offset in the index changes; an older one becomes a `free` box.
    ///
    /// # Errors
    ///
    /// Those of [`Provenance::put`], which leave the file unchanged, and [`ProvenanceError::Io`], which may not: call
    /// it before the file has its final name.
    pub fn put_mp4(&self, file: &mut (impl Read + Write + Seek)) -> Result<(), ProvenanceError> {
        mp4::put(file, &packet::write(self))
    }

    /// The note's chunk, to write between the header and the pixels of a PNG or APNG.
    ///
    /// # Errors
    ///
    /// [`ProvenanceError::TooLong`] for a note of 2 GB.
    pub fn png_chunk(&self) -> Result<Vec<u8>, ProvenanceError> {
        png::xmp_chunk(&packet::write(self))
    }

    /// The note's box, to write after the last box of an MP4.
    ///
    /// # Errors
    ///
    /// [`ProvenanceError::TooLong`] for a note of 4 GB.
    pub fn mp4_box(&self) -> Result<Vec<u8>, ProvenanceError> {
        mp4::xmp_box(&packet::write(self))
    }

    /// The text of a GIF's comment, in ASCII: one sentence, with the source type at its end.
    ///
    /// Write it into a comment extension after the loop count and before the first frame.
    pub fn gif_comment(&self) -> String {
        gif::comment(self)
    }

    /// The note as an XMP packet, in UTF-8.
    pub fn packet(&self) -> String {
        packet::write(self)
    }
}
