//! The kinds of file that an export can write.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::text;

/// A kind of file that an export can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// A still PNG.
    Png,
    /// A still JPEG.
    Jpeg,
    /// A still WebP.
    WebpPicture,
    /// An animated GIF.
    Gif,
    /// Animated PNG.
    Apng,
    /// Animated WebP.
    Webp,
    /// H.264 video in an MP4.
    #[default]
    Mp4,
    /// Numbered PNG files.
    PngSequence,
}

/// Why a file's name doesn't determine the format.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileFormatError {
    /// Several frames for a format that holds one.
    #[error(
        "{} can hold a single picture; end the name in .png for a numbered sequence, or in .gif, .apng, .webp or .mp4.",
        text::path(.0)
    )]
    Still(PathBuf),
    /// A name without a known ending.
    #[error(
        "{} doesn't say which kind of file to write; end the name in .png, .jpg, .gif, .apng, .webp or .mp4.",
        text::path(.0)
    )]
    Unknown(PathBuf),
}

impl FileFormat {
    /// All formats, in menu order.
    pub const ALL: [FileFormat; 8] = [
        FileFormat::Png,
        FileFormat::Jpeg,
        FileFormat::WebpPicture,
        FileFormat::Gif,
        FileFormat::Apng,
        FileFormat::Webp,
        FileFormat::Mp4,
        FileFormat::PngSequence,
    ];

    /// The file name's extension.
    pub fn extension(self) -> &'static str {
        match self {
            FileFormat::Png | FileFormat::PngSequence => "png",
            FileFormat::Jpeg => "jpg",
            FileFormat::Gif => "gif",
            FileFormat::Apng => "apng",
            FileFormat::WebpPicture | FileFormat::Webp => "webp",
            FileFormat::Mp4 => "mp4",
        }
    }

    /// Chooses the format by a file name's extension. `frames` decides between a PNG and a sequence, and between a
    /// still and an animated WebP.
    ///
    /// # Errors
    /// [`FileFormatError`] for an unknown extension, and for a still format with several frames.
    pub fn of(path: &Path, frames: usize) -> Result<Self, FileFormatError> {
        let extension = path
            .extension()
            .map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("png") if frames > 1 => Ok(FileFormat::PngSequence),
            Some("png") => Ok(FileFormat::Png),
            Some("jpg" | "jpeg") if frames > 1 => Err(FileFormatError::Still(path.to_owned())),
            Some("jpg" | "jpeg") => Ok(FileFormat::Jpeg),
            Some("gif") => Ok(FileFormat::Gif),
            Some("apng") => Ok(FileFormat::Apng),
            Some("webp") if frames > 1 => Ok(FileFormat::Webp),
            Some("webp") => Ok(FileFormat::WebpPicture),
            Some("mp4") => Ok(FileFormat::Mp4),
            _ => Err(FileFormatError::Unknown(path.to_owned())),
        }
    }

    /// Whether it holds an animation rather than a single picture.
    pub fn moves(self) -> bool {
        !matches!(
            self,
            FileFormat::Png | FileFormat::Jpeg | FileFormat::WebpPicture
        )
    }

    /// Whether its files store a loop count.
    pub fn loops(self) -> bool {
        matches!(self, FileFormat::Gif | FileFormat::Apng | FileFormat::Webp)
    }
}

impl std::fmt::Display for FileFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            FileFormat::Png => "PNG picture",
            FileFormat::Jpeg => "JPEG picture",
            FileFormat::WebpPicture => "WebP picture",
            FileFormat::Gif => "Animated GIF",
            FileFormat::Apng => "Animated PNG",
            FileFormat::Webp => "Animated WebP",
            FileFormat::Mp4 => "MP4 video",
            FileFormat::PngSequence => "PNG sequence",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_extension_determines_the_format() {
        let of = |name: &str, frames| FileFormat::of(Path::new(name), frames);
        assert_eq!(of("a.PNG", 1).unwrap(), FileFormat::Png);
        assert_eq!(of("a.png", 2).unwrap(), FileFormat::PngSequence);
        assert_eq!(of("b.gif", 1).unwrap(), FileFormat::Gif);
        assert_eq!(of("b.mp4", 9).unwrap(), FileFormat::Mp4);
        assert_eq!(of("b.apng", 1).unwrap(), FileFormat::Apng);
        assert_eq!(of("b.webp", 1).unwrap(), FileFormat::WebpPicture);
        assert_eq!(of("b.webp", 2).unwrap(), FileFormat::Webp);
        assert_eq!(of("b.JPEG", 1).unwrap(), FileFormat::Jpeg);
        let error = of("b.jpg", 2).unwrap_err().to_string();
        assert!(error.contains("single picture"), "{error}");
        for format in FileFormat::ALL {
            let name = format!("b.{}", format.extension());
            let frames = if format.moves() { 2 } else { 1 };
            assert_eq!(of(&name, frames).unwrap(), format);
        }
        for name in ["b", "b.mov", ".png"] {
            let error = of(name, 1).unwrap_err().to_string();
            assert!(error.contains(".webp or .mp4"), "{error}");
        }
    }
}
