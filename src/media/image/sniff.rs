//! Detects a file's type by its first bytes, never by its name.

#![warn(clippy::cast_possible_truncation)]

use std::path::Path;

use image::ImageFormat;

use crate::media::error::MediaError;

/// The name that [`other_kind`] gives to videos of any container.
pub(crate) const VIDEO: &str = "a video";

/// The format of a picture file, or an error that names what the file is instead.
pub(crate) fn format(path: &Path, bytes: &[u8]) -> Result<ImageFormat, MediaError> {
    let path = || path.to_owned();
    if bytes.is_empty() {
        return Err(MediaError::Empty { path: path() });
    }
    if let Some(format) = picture_format(bytes) {
        return Ok(format);
    }
    if bytes.starts_with(b"version https://git-lfs.github.com/") {
        return Err(MediaError::LfsPointer { path: path() });
    }
    if let Some((kind, advice)) = other_kind(bytes) {
        return Err(MediaError::OtherKind {
            path: path(),
            kind,
            advice,
        });
    }
    if is_web_page(bytes) {
        return Err(MediaError::WebPage { path: path() });
    }
    Err(MediaError::NotAPicture { path: path() })
}

/// The format of a picture file, by its first bytes.
pub(crate) fn picture_format(bytes: &[u8]) -> Option<ImageFormat> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(ImageFormat::Png),
        [0xff, 0xd8, 0xff, ..] => Some(ImageFormat::Jpeg),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(ImageFormat::Gif),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some(ImageFormat::WebP),
        [b'I', b'I', 42, 0, ..]
        | [b'M', b'M', 0, 42, ..]
        | [b'I', b'I', 43, 0, ..]
        | [b'M', b'M', 0, 43, ..] => Some(ImageFormat::Tiff),
        // Text may start with "BM" too, but the header size that follows has one of a few values.
        [b'B', b'M', rest @ ..]
            if matches!(
                le_u32(rest, 12),
                Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124)
            ) =>
        {
            Some(ImageFormat::Bmp)
        }
        _ => None,
    }
}

/// Other files that users try to open, with advice for each.
pub(crate) fn other_kind(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    if bytes.get(4..8) == Some(b"ftyp".as_slice()) {
        return Some(match bytes.get(8..12).unwrap_or_default() {
            b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1" => {
                ("a HEIC photo", "export it as JPEG or PNG first")
            }
            b"avif" | b"avis" => ("an AVIF picture", "export it as PNG first"),
            b"crx " => ("a camera's raw file", "develop it to TIFF or JPEG first"),
            _ => (VIDEO, "save one of its frames as PNG first"),
        });
    }
    match bytes {
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some((VIDEO, "save one of its frames as PNG first")),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'A',
            b'V',
            b'I',
            b' ',
            ..,
        ] => Some((VIDEO, "save one of its frames as PNG first")),
        [b'8', b'B', b'P', b'S', ..] => Some(("a Photoshop document", "export it as PNG first")),
        [b'g', b'i', b'm', b'p', b' ', b'x', b'c', b'f', ..] => {
            Some(("a GIMP document", "export it as PNG first"))
        }
        [b'%', b'P', b'D', b'F', ..] => Some(("a PDF document", "export its page as PNG first")),
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => {
            Some(("a JPEG XL picture", "export it as PNG first"))
        }
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] => {
            Some(("a JPEG 2000 picture", "export it as PNG first"))
        }
        [0x76, 0x2f, 0x31, 0x01, ..] => {
            Some(("an OpenEXR picture", "export it as a 16-bit PNG first"))
        }
        [b'P', b'K', 3, 4, ..] => Some(("a ZIP archive", "unpack it and open a picture in it")),
        _ if text_start(bytes, 1024).contains("<svg") => {
            Some(("an SVG drawing", "export it as PNG first"))
        }
        _ => None,
    }
}

pub(crate) fn is_web_page(bytes: &[u8]) -> bool {
    let start = text_start(bytes, 1024);
    start.starts_with("<!doctype html")
        || start.starts_with("<html")
        || start.contains("<html")
        || start.contains("<head>")
}

fn text_start(bytes: &[u8], most: usize) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    String::from_utf8_lossy(&bytes[..bytes.len().min(most)])
        .trim_start()
        .to_ascii_lowercase()
}

/// Width and height as stored in the header of a PNG, GIF or BMP, to reject a size before decoding.
pub(crate) fn claimed_size(format: ImageFormat, bytes: &[u8]) -> Option<(u32, u32)> {
    match format {
        ImageFormat::Png if bytes.get(12..16) == Some(b"IHDR".as_slice()) => {
            Some((be_u32(bytes, 16)?, be_u32(bytes, 20)?))
        }
        ImageFormat::Gif => Some((le_u16(bytes, 6)?, le_u16(bytes, 8)?)),
        ImageFormat::Bmp if le_u32(bytes, 14)? == 12 => {
            Some((le_u16(bytes, 18)?, le_u16(bytes, 20)?))
        }
        // A negative height means that rows are stored from the top.
        ImageFormat::Bmp => Some((
            le_u32(bytes, 18)? & 0x7fff_ffff,
            (le_u32(bytes, 22)? as i32).unsigned_abs(),
        )),
        _ => None,
    }
}

/// Whether a JPEG has its end marker; decoders silently fill missing data with grey.
pub(crate) fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let mut at = 2;
    loop {
        // In coded data FF is followed by 00 or a restart marker; anything else is the next segment.
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(0xff), Some(0xd9)) => return true,
            (Some(0xff), Some(0x00 | 0x01 | 0xd0..=0xd8)) => at += 2,
            (Some(0xff), Some(0xff)) => at += 1,
            (Some(0xff), Some(_)) => {
                let Some(length) = be_u16(bytes, at + 2) else {
                    return false;
                };
                at += 2 + length.max(2);
            }
            (Some(_), Some(_)) => at += 1,
            _ => return false,
        }
    }
}

fn be_u16(bytes: &[u8], at: usize) -> Option<usize> {
    let b = bytes.get(at..at + 2)?;
    Some(usize::from(u16::from_be_bytes([b[0], b[1]])))
}

fn be_u32(bytes: &[u8], at: usize) -> Option<u32> {
    let b = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
}

fn le_u16(bytes: &[u8], at: usize) -> Option<u32> {
    let b = bytes.get(at..at + 2)?;
    Some(u32::from(u16::from_le_bytes([b[0], b[1]])))
}

fn le_u32(bytes: &[u8], at: usize) -> Option<u32> {
    let b = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}
