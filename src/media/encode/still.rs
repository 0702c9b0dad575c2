//! Still pictures for the web: JPEG and WebP.

use std::io::Write;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::media::atomic_file::AtomicFile;
use crate::media::encode::mp4::Mp4Settings;
use crate::media::encode::png;
use crate::media::encode::webp::{check_sides, encode, with_note};
use crate::media::error::MediaError;
use crate::media::image::Picture;
use crate::media::provenance::Provenance;

/// The default quality of a JPEG.
pub const JPEG_QUALITY: u8 = 92;

/// The maximum number of pixels along a side of a JPEG.
const JPEG_SIDE: u32 = u16::MAX as u32;

/// Saves `picture` as JPEG without chroma subsampling. `quality` is clamped to 1..=100; transparent pixels get the same
/// background as in an MP4.
///
/// # Errors
///
/// [`MediaError::ClipSize`] for more than 65,535 pixels along a side; write errors. An existing file is then unchanged.
pub fn save_jpeg_with(
    path: &Path,
    picture: &Picture,
    quality: u8,
    note: Option<&Provenance>,
) -> Result<(), MediaError> {
    let (width, height) = picture.size();
    if width > JPEG_SIDE || height > JPEG_SIDE {
        return Err(MediaError::ClipSize {
            path: path.to_owned(),
            width,
            height,
            limit: "a JPEG can have up to 65535 pixels per side",
            advice: "choose a smaller size or PNG",
        });
    }
    let rgb = if picture.has_alpha() {
        over(picture, Mp4Settings::default().background)
    } else {
        png::rgb(picture)
    };
    // Encoded in memory, so that write errors aren't hidden by the encoder.
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality.clamp(1, 100))
        .write_image(&rgb, width, height, ExtendedColorType::Rgb8)
        .map_err(|e| MediaError::encoding(path, e))?;
    save(path, bytes, note)
}

/// Saves `picture` as WebP with its alpha; `quality` is as in [`crate::media::encode::webp::WebpSettings`], where 100
/// is lossless.
///
/// # Errors
///
/// [`MediaError::ClipSize`] for more than 16,383 pixels along a side; write errors. An existing file is then unchanged.
pub fn save_webp_with(
    path: &Path,
    picture: &Picture,
    quality: u8,
    note: Option<&Provenance>,
) -> Result<(), MediaError> {
    check_sides(path, picture.size())?;
    let opaque;
    let rgba = if picture.has_alpha() {
        picture.rgba()
    } else {
        opaque = png::rgb(picture)
            .chunks_exact(3)
            .flat_map(|p| [p[0], p[1], p[2], 255])
            .collect::<Vec<u8>>();
        &opaque
    };
    save(path, encode(path, rgba, picture.size(), quality)?, note)
}

fn save(path: &Path, bytes: Vec<u8>, note: Option<&Provenance>) -> Result<(), MediaError> {
    let bytes = with_note(path, bytes, note)?;
    let mut file = AtomicFile::create(path)?;
    file.write_all(&bytes)
        .map_err(|e| MediaError::writing(path, e))?;
    file.commit()
}

/// Composites a picture over a colour, `[height, width, 3]`.
fn over(picture: &Picture, colour: [u8; 3]) -> Vec<u8> {
    let blend = |above: u8, below: u8, alpha: u8| {
        let (above, below, alpha) = (u32::from(above), u32::from(below), u32::from(alpha));
        ((above * alpha + below * (255 - alpha) + 127) / 255) as u8
    };
    picture
        .rgba()
        .chunks_exact(4)
        .flat_map(|p| [0, 1, 2].map(|c| blend(p[c], colour[c], p[3])))
        .collect()
}
