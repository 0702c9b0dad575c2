//! PNG, lossless.

use std::io::Write;
use std::path::Path;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use crate::media::atomic_file::AtomicFile;
use crate::media::error::MediaError;
use crate::media::image::Picture;
use crate::media::provenance::Provenance;

/// The number of pixels above which fast compression is used.
const LARGE: u64 = 8_000_000;

/// Saves `picture` as PNG: RGBA if it has an alpha channel, else RGB, 8 bits, without metadata.
///
/// # Errors
///
/// Write errors; an existing file is then unchanged.
pub fn save_png(path: &Path, picture: &Picture) -> Result<(), MediaError> {
    save_png_with(path, picture, None)
}

/// Like [`save_png`], with a provenance note.
///
/// # Errors
///
/// Those of [`save_png`].
pub fn save_png_with(
    path: &Path,
    picture: &Picture,
    note: Option<&Provenance>,
) -> Result<(), MediaError> {
    let mut file = AtomicFile::create(path)?;
    write(&mut file, path, picture, note)?;
    file.commit()
}

/// Writes `picture` as PNG to `out`; `path` is used in errors.
pub(crate) fn write(
    out: &mut impl Write,
    path: &Path,
    picture: &Picture,
    note: Option<&Provenance>,
) -> Result<(), MediaError> {
    let size = picture.size();
    let mut bytes = if picture.has_alpha() {
        encode(path, picture.rgba(), size, ExtendedColorType::Rgba8)?
    } else {
        encode(path, &rgb(picture), size, ExtendedColorType::Rgb8)?
    };
    if let Some(note) = note {
        bytes = note
            .put(&bytes)
            .map_err(|e| MediaError::encoding(path, e))?;
    }
    out.write_all(&bytes)
        .map_err(|e| MediaError::writing(path, e))
}

/// A picture's colours without alpha, `[height, width, 3]`.
pub(crate) fn rgb(picture: &Picture) -> Vec<u8> {
    picture
        .rgba()
        .chunks_exact(4)
        .flat_map(|p| [p[0], p[1], p[2]])
        .collect()
}

/// Encodes a PNG in memory, so that write errors aren't hidden by the encoder.
pub(crate) fn encode(
    path: &Path,
    pixels: &[u8],
    (width, height): (u32, u32),
    colour: ExtendedColorType,
) -> Result<Vec<u8>, MediaError> {
    let mut bytes = Vec::new();
    let compression = if u64::from(width) * u64::from(height) > LARGE {
        CompressionType::Fast
    } else {
        CompressionType::Default
    };
    let encoder = PngEncoder::new_with_quality(&mut bytes, compression, FilterType::Adaptive);
    encoder
        .write_image(pixels, width, height, colour)
        .map_err(|e| MediaError::encoding(path, e))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_to_a_full_disk_is_reported_as_disk_full() {
        // Only Linux has a device that is always full.
        let Ok(mut full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
            return;
        };
        let picture = Picture::new(1, 1, vec![1, 2, 3, 4]).unwrap();

        let error = write(&mut full, Path::new("a.png"), &picture, None).unwrap_err();
        assert!(matches!(error, MediaError::DiskFull { .. }), "{error}");
    }
}
