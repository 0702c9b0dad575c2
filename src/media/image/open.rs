//! Opening a picture: PNG, JPEG, WebP, TIFF, BMP or a GIF's first frame, as upright 8-bit sRGB.

#![warn(clippy::cast_possible_truncation)]

use std::fs;
use std::io::{BufReader, Cursor, ErrorKind, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::error::{ImageError, LimitErrorKind};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use zune_core::bytestream::ZCursor;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::media::colour::profile as colour;
use crate::media::error::MediaError;
use crate::media::image::limits::{MAX_PIXELS, MAX_SIDE};
use crate::media::image::picture::Picture;
use crate::media::image::png_profile;
use crate::media::image::sniff;
use crate::regular_file;
use crate::text;

/// The largest file that is read, in bytes. 64 megapixels of uncompressed 16-bit RGBA are 512 MB.
const MAX_BYTES: u64 = 1 << 30;

/// Bytes read to detect the format.
const HEAD_BYTES: u64 = 4096;

/// Memory limit of decoders: 64 megapixels of 32-bit float RGBA, and as much again for the decoder.
const MAX_DECODER_BYTES: u64 = 2 << 30;

/// Opens the picture at `path`, regardless of its file extension.
///
/// The picture is upright (EXIF orientation applied), in 8 bits (16-bit values rounded) and in sRGB (converted from an
/// embedded ICC profile unless that is sRGB, in which case every byte is unchanged). Alpha is kept. Of a GIF or an
/// animated WebP the first frame is read.
///
/// # Errors
///
/// A [`MediaError`] if the file isn't a picture, is damaged, or has more than [`MAX_PIXELS`] pixels or a side over
/// [`MAX_SIDE`]; sizes are checked in the header, before decoding.
pub fn open(path: &Path) -> Result<Picture, MediaError> {
    read(path, &file(path)?)
}

/// Opens a picture as [`open`] does; also returns whether it is damaged, so that a part of it is a guess of the decoder's.
/// Only JPEGs open in that state; other damaged files are errors.
///
/// # Errors
///
/// Those of [`open`].
pub fn open_telling(path: &Path) -> Result<(Picture, bool), MediaError> {
    let bytes = file(path)?;
    let picture = read(path, &bytes)?;
    let is_jpeg = sniff::format(path, &bytes)? == ImageFormat::Jpeg;
    Ok((picture, is_jpeg && is_damaged_jpeg(&bytes)))
}

/// Whether the coded data of a JPEG can't be decoded wholly. Slips in its headers don't count.
fn is_damaged_jpeg(bytes: &[u8]) -> bool {
    let lenient = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX);
    catch_unwind(AssertUnwindSafe(|| {
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), lenient);
        if decoder.decode_headers().is_err() {
            return true;
        }
        decoder.set_options(lenient.set_strict_mode(true));
        decoder.decode().is_err()
    }))
    .unwrap_or(true)
}

/// Reads a picture from the bytes of a whole file, as [`open`] does; `path` is used in errors.
///
/// # Errors
///
/// Those of [`open`].
pub fn read(path: &Path, bytes: &[u8]) -> Result<Picture, MediaError> {
    let format = sniff::format(path, bytes)?;

    if let Some((width, height)) = sniff::claimed_size(format, bytes) {
        check_size(path, width, height)?;
    }
    if format == ImageFormat::Jpeg && !sniff::jpeg_is_complete(bytes) {
        return Err(damaged(path, "its last part is missing"));
    }

    if format == ImageFormat::Png {
        check_profile(path, &mut Cursor::new(bytes))?;
    }

    // No input is known to make these decoders panic; if one does, the artist loses that picture and not the session.
    catch_unwind(AssertUnwindSafe(|| decode(path, format, bytes)))
        .unwrap_or_else(|_| Err(damaged(path, "its data are invalid")))
}

/// `(width, height)` of the upright picture at `path`, read from its header only.
///
/// # Errors
///
/// Those of [`open`], except those that only decoding finds.
pub(crate) fn claimed_by(path: &Path) -> Result<(u32, u32), MediaError> {
    let fail = |e| MediaError::reading(path, e);
    let mut head = Vec::new();
    let (mut file, _) = regular_file::open(path, u64::MAX).map_err(fail)?;
    (&mut file)
        .take(HEAD_BYTES)
        .read_to_end(&mut head)
        .map_err(fail)?;
    let format = sniff::format(path, &head)?;
    if format == ImageFormat::Png {
        check_profile(path, &mut file)?;
    }
    file.rewind().map_err(fail)?;

    catch_unwind(AssertUnwindSafe(|| {
        let mut reader = ImageReader::with_format(BufReader::new(file), format);
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(MAX_DECODER_BYTES);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(|e| decoder_error(path, e))?;
        let (width, height) = decoder.dimensions();
        check_size(path, width, height)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        Ok(match orientation {
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => (height, width),
            _ => (width, height),
        })
    }))
    .unwrap_or_else(|_| Err(damaged(path, "its data are invalid")))
}

fn file(path: &Path) -> Result<Vec<u8>, MediaError> {
    regular_file::read(path, MAX_BYTES).map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => MediaError::TooManyBytes {
            path: path.to_owned(),
            bytes: fs::metadata(path).map_or(MAX_BYTES, |metadata| metadata.len()),
        },
        _ => MediaError::reading(path, error),
    })
}

fn decode(path: &Path, format: ImageFormat, bytes: &[u8]) -> Result<Picture, MediaError> {
    let fail = |e| decoder_error(path, e);

    // Sides are checked here, so that the error can name them.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODER_BYTES);

    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(fail)?;
    let (width, height) = decoder.dimensions();
    check_size(path, width, height)?;

    // Broken metadata is no reason to reject valid pixels.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten();
    let channels = decoder.color_type();

    let mut image = DynamicImage::from_decoder(decoder).map_err(fail)?;
    image.apply_orientation(orientation);
    let pixels = image.into_rgba8();
    let (width, height) = pixels.dimensions();
    let mut rgba = pixels.into_raw();

    if let Some(profile) = profile {
        colour::to_srgb(&mut rgba, &profile);
    }
    let picture = Picture::new(width, height, rgba)?;

    // The GIF decoder always outputs RGBA, so transparency is determined from the pixels.
    let has_alpha = if format == ImageFormat::Gif {
        picture.has_alpha()
    } else {
        channels.has_alpha()
    };
    Ok(picture.with_alpha(has_alpha))
}

/// Rejects a PNG whose colour profile would inflate to an excessive size.
pub(crate) fn check_profile(path: &Path, file: &mut (impl Read + Seek)) -> Result<(), MediaError> {
    let is_bounded = png_profile::is_bounded(file).map_err(|e| MediaError::reading(path, e))?;
    if is_bounded {
        return Ok(());
    }
    Err(MediaError::Unsupported {
        path: path.to_owned(),
        reason: "its colour profile is too large".to_owned(),
    })
}

/// Rejects sizes outside the limits of [`Picture`].
pub(crate) fn check_size(path: &Path, width: u32, height: u32) -> Result<(), MediaError> {
    let path = || path.to_owned();
    if width == 0 || height == 0 {
        return Err(MediaError::NoPixels {
            path: path(),
            width,
            height,
        });
    }
    if width > MAX_SIDE || height > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(MediaError::TooLarge {
            path: path(),
            width,
            height,
        });
    }
    Ok(())
}

fn decoder_error(path: &Path, error: ImageError) -> MediaError {
    match error {
        ImageError::Unsupported(e) => MediaError::Unsupported {
            path: path.to_owned(),
            reason: text::fault(&e),
        },
        ImageError::Limits(e) if matches!(e.kind(), LimitErrorKind::InsufficientMemory) => {
            MediaError::Unsupported {
                path: path.to_owned(),
                reason: "it needs too much memory to decode".to_owned(),
            }
        }
        e => match e.to_string() {
            // Debug output of a decoder, not meant for users.
            reason if reason.contains('{') => damaged(path, "its data are invalid"),
            reason => damaged(path, &reason),
        },
    }
}

fn damaged(path: &Path, reason: &str) -> MediaError {
    MediaError::Damaged {
        path: path.to_owned(),
        reason: text::fault(&reason),
    }
}
