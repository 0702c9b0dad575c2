//! Clips, read frame by frame: the videos, animations and numbered pictures whose faces drive an edit.
//!
//! [`Clip::open`] detects the type by content, never by file extension:
//!
//! - MP4 and MOV with H.264, plain or fragmented, by our own demuxer and OpenH264 (`mp4`, `h264`);
//! - GIF (`gif`), animated PNG and WebP (`animated`);
//! - a folder of pictures, or a pattern such as `frames/%04d.png` (`numbered`);
//! - everything else by the system's ffmpeg, if installed (`ffmpeg`).
//!
//! [`Clip::trim`] cuts a clip to a part (`trim`), and [`Sound::of`] reads its sound (`audio`).
//!
//! Only a few frames are in memory at a time, whatever the length of a clip.

#![warn(clippy::cast_possible_truncation)]

mod animated;
mod audio;
mod chunks;
mod cut;
mod cut_error;
mod ffmpeg;
mod ffmpeg_process;
mod ffmpeg_sound;
mod frames;
mod gif;
mod h264;
mod kind;
mod mp4;
mod numbered;
mod trim;

use std::fs;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use image::ImageFormat;

use crate::media::error::MediaError;
use crate::media::image::open::check_size;
use crate::media::image::sniff;
use crate::regular_file;
use cut::Cut;
use frames::{Frames, Opened, damaged, damaged_frame};
use kind::{ClipKind, HEAD_BYTES};

pub use audio::{AudioPart, AudioTrack, Sound};
pub use cut_error::CutError;
pub use frames::{ClipFrame, ClipInfo, NUMBERED_FPS};

/// An open clip: an iterator over its frames in presentation order.
///
/// Frames are decoded on demand. If one is damaged, the frames before it come first, then one error with its number,
/// then nothing more.
pub struct Clip {
    path: PathBuf,
    info: ClipInfo,
    frames: Box<dyn Frames>,
    /// Frames returned or skipped, counted from the whole clip's first.
    given: usize,
    has_ended: bool,
    cut: Cut,
}

impl Clip {
    /// Opens the clip at `path`: a file, a folder of numbered pictures, or a pattern of their names such as `frames/%04d.png`.
    ///
    /// Video is rotated as its track states, its edit list is applied, and its first frame has time 0. Pixels that
    /// aren't square stay as stored. Colours are converted by the file's own matrix and range; without them BT.709 is
    /// assumed from 720 lines and BT.601 below, both in limited range. Frames of animations are whole pictures, each
    /// with its time in the file. Numbered pictures have [`NUMBERED_FPS`].
    ///
    /// # Errors
    ///
    /// A [`MediaError`] that says what the file is instead of a clip, what is wrong with it, or which program would
    /// open it. A picture, or a clip of a single frame, is an error too. Sizes over
    /// [`MAX_PIXELS`](crate::media::image::MAX_PIXELS) or [`MAX_SIDE`](crate::media::image::MAX_SIDE) are detected in
    /// the header, before decoding.
    pub fn open(path: &Path) -> Result<Self, MediaError> {
        // No input is known to make these readers panic; if one does, the artist loses that clip and not the session.
        let (info, frames) = catch_unwind(AssertUnwindSafe(|| open(path)))
            .unwrap_or_else(|_| Err(damaged(path, "its data are invalid")))?;
        Ok(Self {
            path: path.to_owned(),
            info,
            frames,
            given: 0,
            has_ended: false,
            cut: Cut::default(),
        })
    }

    /// Information on the clip that is known without decoding it.
    pub fn info(&self) -> &ClipInfo {
        &self.info
    }

    /// The index in the whole clip, from 0, of the first frame after [`Clip::trim`].
    pub fn first(&self) -> usize {
        self.cut.first
    }

    /// Skips the frames before `frame`, counted from 0 at the first frame after [`Clip::trim`]. Formats that allow it
    /// don't convert them to pictures.
    ///
    /// Can't go back: to read a frame again, reopen the clip.
    ///
    /// # Errors
    ///
    /// The error of a damaged frame on the way, which ends the clip.
    pub fn skip_to(&mut self, frame: usize) -> Result<(), MediaError> {
        self.pass(self.cut.first.saturating_add(frame))
    }

    /// Skips the frames before `frame` of the whole clip.
    fn pass(&mut self, frame: usize) -> Result<(), MediaError> {
        let mut frames = frame.saturating_sub(self.given);
        if self.has_ended || frames == 0 {
            return Ok(());
        }
        if self.cut.found.take().is_some() {
            frames -= 1;
        }
        let skipped = catch_unwind(AssertUnwindSafe(|| self.frames.skip(frames)))
            .unwrap_or_else(|_| Err(self.senseless()));
        self.given = frame;
        self.has_ended |= skipped.is_err();
        skipped
    }

    fn senseless(&self) -> MediaError {
        damaged_frame(&self.path, self.given, "its data are invalid")
    }
}

impl Iterator for Clip {
    type Item = Result<ClipFrame, MediaError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended || self.cut.is_past(self.given) {
            return None;
        }
        let found = self.cut.found.take();
        let next = match found {
            Some(frame) => Some(Ok(frame)),
            None => catch_unwind(AssertUnwindSafe(|| self.frames.next()))
                .unwrap_or_else(|_| Some(Err(self.senseless()))),
        };
        let next =
            next.filter(|frame| !frame.as_ref().is_ok_and(|frame| self.cut.ends(frame.time)));
        self.has_ended = !matches!(next, Some(Ok(_)));
        self.given += 1;
        next
    }

    /// Like [`Clip::skip_to`], for iterator adaptors: `clip.skip(100).take(50)` makes 50 pictures, not 150.
    fn nth(&mut self, frames: usize) -> Option<Self::Item> {
        if let Err(error) = self.pass(self.given.saturating_add(frames)) {
            return Some(Err(error));
        }
        self.next()
    }
}

impl std::iter::FusedIterator for Clip {}

/// The files that the clip at `path` is read from; empty if there is no clip.
pub(crate) fn files(path: &Path) -> Vec<PathBuf> {
    let pictures = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => numbered::in_folder(path),
        Ok(_) => return vec![path.to_owned()],
        Err(_) if numbered::is_pattern(path) => numbered::of_pattern(path),
        Err(_) => return Vec::new(),
    };
    pictures.unwrap_or_default()
}

fn open(path: &Path) -> Result<Opened, MediaError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(_) if numbered::is_pattern(path) => return numbered::open_pattern(path),
        Err(e) => return Err(MediaError::reading(path, e)),
    };
    if metadata.is_dir() {
        return numbered::open_folder(path);
    }

    let mut head = Vec::new();
    let opened = regular_file::open(path, u64::MAX);
    let (mut file, length) = opened.map_err(|e| MediaError::reading(path, e))?;
    (&mut file)
        .take(HEAD_BYTES)
        .read_to_end(&mut head)
        .map_err(|e| MediaError::reading(path, e))?;

    let path_owned = || path.to_owned();
    match kind::clip_kind(&head) {
        ClipKind::Empty => Err(MediaError::Empty { path: path_owned() }),
        ClipKind::Mp4 => mp4::open(path, file, length),
        ClipKind::Gif => {
            if let Some((width, height)) = sniff::claimed_size(ImageFormat::Gif, &head) {
                check_size(path, width, height)?;
            }
            gif::open(path, file)
        }
        ClipKind::Png => animated::open_png(path, file),
        ClipKind::WebP => animated::open_webp(path, file),
        ClipKind::Still => Err(MediaError::StillPicture { path: path_owned() }),
        ClipKind::NeedsFfmpeg(codec) => ffmpeg::open(path, &codec),
        ClipKind::Other { kind, advice } => Err(MediaError::OtherThanClip {
            path: path_owned(),
            kind,
            advice,
        }),
        ClipKind::Unknown => ffmpeg::open_unknown(path),
    }
}
