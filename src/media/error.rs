//! Errors of media files, each as one sentence: which file, what is wrong, what to do.

#![allow(missing_docs, reason = "each message names its fields")]

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::media::clip::CutError;
use crate::media::image::{MAX_PIXELS, MAX_SIDE};
use crate::media::name::Name;
use crate::media::time::NotATime;
use crate::text;

/// Why a file could not be opened or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// There is nothing at that path.
    #[error("{} doesn't exist; check its name and folder.", Name(path))]
    NotFound { path: PathBuf },

    /// This user lacks the permission to read the file.
    #[error(
        "You don't have permission to read {}; change its permissions or copy it to a folder of your own.",
        Name(path)
    )]
    NotReadable { path: PathBuf },

    /// A folder where a file was expected.
    #[error("{} is a folder, not a file; choose a file in it.", Name(path))]
    IsFolder { path: PathBuf },

    /// A device, pipe or socket.
    #[error(
        "{} is a device or pipe, not a regular file; choose a regular file.",
        Name(path)
    )]
    NotAFile { path: PathBuf },

    /// A file of 0 bytes.
    #[error("{} is empty (0 bytes); copy it again from its source.", Name(path))]
    Empty { path: PathBuf },

    /// A web page under a picture's name.
    #[error(
        "{} is a web page, not a picture; download the picture itself instead of the page that shows it.",
        Name(path)
    )]
    WebPage { path: PathBuf },

    /// The pointer that Git LFS leaves in place of a large file.
    #[error(
        "{} is a Git LFS pointer, not the picture itself; fetch the picture with \"git lfs pull\".",
        Name(path)
    )]
    LfsPointer { path: PathBuf },

    /// A known kind of file that Mien doesn't read.
    #[error(
        "{} is {kind}, which Mien doesn't open as a picture; {advice}.",
        Name(path)
    )]
    OtherKind {
        path: PathBuf,
        kind: &'static str,
        advice: &'static str,
    },

    /// Not a known format.
    #[error(
        "{} is not a picture that Mien can read; open a PNG, JPEG, WebP, TIFF, BMP or GIF.",
        Name(path)
    )]
    NotAPicture { path: PathBuf },

    /// A picture with wrong or missing data.
    #[error(
        "{} is damaged or cut short ({reason}); copy it again from its source.",
        Name(path)
    )]
    Damaged { path: PathBuf, reason: String },

    /// A picture that uses a rare feature of its format.
    #[error(
        "{} uses a variant of its format that Mien can't read ({reason}); save it again as an ordinary PNG.",
        Name(path)
    )]
    Unsupported { path: PathBuf, reason: String },

    /// More pixels than Mien handles.
    #[error(
        "{} is {width} x {height} pixels; Mien opens pictures up to {} megapixels and {MAX_SIDE} pixels per side, so scale it down first.",
        Name(path), MAX_PIXELS / 1_000_000
    )]
    TooLarge {
        path: PathBuf,
        width: u32,
        height: u32,
    },

    /// A file larger than the largest picture could be.
    #[error("{} is {} MB, larger than any picture that Mien opens; save it again as PNG or scale it down first.", Name(path), bytes / 1_000_000)]
    TooManyBytes { path: PathBuf, bytes: u64 },

    /// A picture with a side of zero.
    #[error(
        "{} is {width} x {height} pixels, so it is empty; open another picture.",
        Name(path)
    )]
    NoPixels {
        path: PathBuf,
        width: u32,
        height: u32,
    },

    /// Any other failure while reading.
    #[error(
        "{} could not be read ({source}); check the disk or network drive that it is on.",
        Name(path)
    )]
    Read { path: PathBuf, source: io::Error },

    /// The folder to write to doesn't exist.
    #[error(
        "{} can't be saved because the folder {} doesn't exist; make it or choose another.",
        Name(path),
        Folder(path)
    )]
    NoFolder { path: PathBuf },

    /// The folder to write to, or the file to replace, is write-protected.
    #[error(
        "{} can't be saved because it or the folder {} is write-protected; save it elsewhere.",
        Name(path),
        Folder(path)
    )]
    NotWritable { path: PathBuf },

    /// The output file is also an input.
    #[error(
        "{} is one of the files that the result is made from ({}); choose another name for the result.",
        Name(path),
        text::path(input)
    )]
    IsInput { path: PathBuf, input: PathBuf },

    /// The disk is full.
    #[error(
        "{} can't be saved because the disk is full; make room or save it elsewhere.",
        Name(path)
    )]
    DiskFull { path: PathBuf },

    /// Any other failure while writing.
    #[error(
        "{} could not be saved ({source}); try again or save it elsewhere.",
        Name(path)
    )]
    Write { path: PathBuf, source: io::Error },

    /// A path without a file name.
    #[error(
        "\"{}\" has no file name; add one, like portrait.png.",
        text::path(path)
    )]
    NoName { path: PathBuf },

    /// A frame whose size differs from the clip's.
    #[error(
        "{} is {} x {} pixels, but a frame of {} x {} was given for it; render all frames at one size.",
        Name(path), expected.0, expected.1, found.0, found.1
    )]
    FrameSize {
        path: PathBuf,
        expected: (u32, u32),
        found: (u32, u32),
    },

    /// A clip size that its format doesn't allow.
    #[error(
        "{} would be {width} x {height} pixels, but {limit}; {advice}.",
        Name(path)
    )]
    ClipSize {
        path: PathBuf,
        width: u32,
        height: u32,
        limit: &'static str,
        advice: &'static str,
    },

    /// A frame rate that isn't valid, or not for this format.
    #[error(
        "{} can't have {fps} frames per second; choose a rate from 0.01 to {max}.",
        Name(path)
    )]
    FrameRate { path: PathBuf, fps: f64, max: f64 },

    /// A clip that was finished without frames.
    #[error(
        "{} has no frames to save; choose a range of at least one frame.",
        Name(path)
    )]
    NoFrames { path: PathBuf },

    /// The encoder failed.
    #[error(
        "{} could not be encoded ({reason}); choose another size, quality or format.",
        Name(path)
    )]
    Encode { path: PathBuf, reason: String },

    /// A picture where a clip was expected.
    #[error(
        "{} is a still picture, not a clip; open it as a portrait instead.",
        Name(path)
    )]
    StillPicture { path: PathBuf },

    /// A video of a single frame.
    #[error(
        "{} has only one frame, so nothing moves in it; open a longer clip.",
        Name(path)
    )]
    OneFrame { path: PathBuf },

    /// A clip without frames.
    #[error("{} has no frames; open another clip.", Name(path))]
    NoFramesIn { path: PathBuf },

    /// A known kind of file that isn't a clip.
    #[error("{} is {kind}, not a clip; {advice}.", Name(path))]
    OtherThanClip {
        path: PathBuf,
        kind: &'static str,
        advice: &'static str,
    },

    /// Not a known clip format.
    #[error(
        "{} is not a clip that Mien can read; open an MP4, MOV, GIF, animated PNG or WebP, or a folder of numbered pictures.",
        Name(path)
    )]
    NotAClip { path: PathBuf },

    /// A video file without a video track.
    #[error(
        "{} has {instead}, so there is no face to follow in it; open a clip with video.",
        Name(path)
    )]
    NoVideo {
        path: PathBuf,
        instead: &'static str,
    },

    /// A video with copy protection.
    #[error(
        "{} is copy-protected, so Mien can't read it; open a clip that isn't.",
        Name(path)
    )]
    Encrypted { path: PathBuf },

    /// A clip that needs ffmpeg, which isn't installed.
    #[error(
        "{} is {codec}, which Mien needs ffmpeg to open, and ffmpeg isn't installed; install it or save the clip again as an MP4 with H.264.",
        Name(path)
    )]
    NeedsFfmpeg { path: PathBuf, codec: String },

    /// A clip that ffmpeg couldn't open or decode to its end.
    #[error(
        "{} is {codec}, which ffmpeg couldn't decode ({reason}); save the clip again as an MP4 with H.264.",
        Name(path)
    )]
    Ffmpeg {
        path: PathBuf,
        codec: String,
        reason: String,
    },

    /// A folder without pictures.
    #[error(
        "{} is a folder without pictures; choose one with numbered PNG, JPEG, WebP, TIFF, BMP or GIF files.",
        Name(path)
    )]
    NoPictures { path: PathBuf },

    /// A pattern that no file name matches.
    #[error(
        "{} matches no file in its folder; check the name around the number and how many digits it has.",
        Name(path)
    )]
    NoMatch { path: PathBuf },

    /// A numbered picture whose size differs from the first one's.
    #[error(
        "{} is {} x {} pixels, but the pictures before it are {} x {}; scale all pictures of the clip to one size.",
        Name(path), found.0, found.1, expected.0, expected.1
    )]
    MixedSizes {
        path: PathBuf,
        expected: (u32, u32),
        found: (u32, u32),
    },

    /// A clip that can be read up to a frame; `frame` counts from 1.
    #[error(
        "{} is damaged from frame {frame} on ({reason}); use the frames before it or copy the clip again from its source.",
        Name(path)
    )]
    DamagedFrame {
        path: PathBuf,
        frame: usize,
        reason: String,
    },

    /// A cut that contains no frame.
    #[error(transparent)]
    Cut(#[from] CutError),

    /// A time that can't be parsed.
    #[error(transparent)]
    NotATime(#[from] NotATime),

    /// A buffer that doesn't fit the picture's size; an error of the caller, not of a file.
    #[error(
        "A picture of {width} x {height} pixels can't be made from {bytes} bytes; pass width x height x 4 bytes."
    )]
    BadBuffer {
        width: u32,
        height: u32,
        bytes: usize,
    },
}

impl MediaError {
    /// Maps an I/O error while reading `path`.
    pub(crate) fn reading(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NotFound { path },
            io::ErrorKind::PermissionDenied => Self::NotReadable { path },
            io::ErrorKind::IsADirectory => Self::IsFolder { path },
            // `regular_file` reports a special file with this kind; reading has no other reason for it.
            io::ErrorKind::Unsupported => Self::NotAFile { path },
            _ => Self::Read { path, source },
        }
    }

    /// Maps an I/O error while writing `path`.
    pub(crate) fn writing(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NoFolder { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::NotWritable { path }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::IsADirectory => Self::IsFolder { path },
            _ => Self::Write { path, source },
        }
    }

    pub(super) fn encoding(path: &Path, reason: impl fmt::Display) -> Self {
        Self::Encode {
            path: path.to_owned(),
            reason: text::fault(&reason),
        }
    }
}

/// Displays the folder of a path.
struct Folder<'a>(&'a Path);

impl fmt::Display for Folder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.parent() {
            Some(folder) if folder != Path::new("") => f.write_str(&text::path(folder)),
            _ => f.write_str("here"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_of_a_full_disk_names_the_cause() {
        let path = Path::new("out/smile.png");
        let error = MediaError::writing(path, io::ErrorKind::StorageFull.into());
        assert_eq!(
            error.to_string(),
            "smile.png can't be saved because the disk is full; make room or save it elsewhere."
        );
    }

    #[test]
    fn the_size_limit_is_in_the_sentence() {
        let error = MediaError::TooLarge {
            path: "huge.png".into(),
            width: 100_000,
            height: 40,
        };
        assert_eq!(
            error.to_string(),
            "huge.png is 100000 x 40 pixels; Mien opens pictures up to 64 megapixels and 32768 pixels per side, so scale it down first."
        );
    }
}
