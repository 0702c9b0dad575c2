//! Clips, read frame by frame: the films, animations and numbered pictures whose faces drive an edit.
//!
//! [`Clip::open`] looks at the content, never at the name's ending:
//!
//! - MP4 and MOV with H.264, plain or fragmented, by a demuxer of our own and OpenH264 ([`mp4`], [`h264`]);
//! - GIF ([`gif`]), animated PNG and WebP ([`animated`]);
//! - a folder of pictures, or a pattern such as `frames/%04d.png` ([`numbered`]);
//! - everything else by the system's ffmpeg, where there is one ([`ffmpeg`]).
//!
//! [`Clip::trim`] leaves a part of a clip ([`cut`]), and [`Sound::of`] has what is heard of it ([`audio`]).
//!
//! Whatever the length of a clip, only a few of its frames are in memory at a time.

mod animated;
mod audio;
mod chunks;
mod cut;
mod ffmpeg;
mod ffmpeg_sound;
mod gif;
mod h264;
mod kind;
mod mp4;
mod numbered;

use std::fs::{self, File};
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use image::ImageFormat;

use crate::media::error::MediaError;
use crate::media::error::one_line;
use crate::media::image::open::check_size;
use crate::media::image::{Picture, sniff};
use cut::Cut;
use kind::ClipKind;

pub use audio::{AudioPart, AudioTrack, Sound};
pub use cut::CutError;
pub use numbered::NUMBERED_FPS;

/// What is read of a file to tell what it is.
const HEAD_BYTES: u64 = 1 << 16;

/// Seconds that a frame of an animation lasts when the file asks for no more than [`HASTE`]: what browsers make of it.
const HASTY_FRAME: f64 = 0.1;
const HASTE: f64 = 0.0101;

/// What is known of a clip before its frames are decoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipInfo {
    /// Pixels across, as shown: after cropping and turning.
    pub width: u32,
    /// Pixels down, as shown.
    pub height: u32,
    /// Frames a second; the mean where frames last differently. Above 0.
    pub fps: f64,
    /// How many frames; `None` where only decoding tells.
    pub frames: Option<usize>,
    /// How long the clip runs; `None` where only decoding tells.
    pub seconds: Option<f64>,
}

impl ClipInfo {
    /// The information of `frames` frames that run `seconds` together.
    fn counted(size: (u32, u32), frames: usize, seconds: f64) -> Self {
        let is_sound = seconds.is_finite() && seconds > 0.0 && frames > 0;
        Self {
            width: size.0,
            height: size.1,
            fps: if is_sound {
                frames as f64 / seconds
            } else {
                NUMBERED_FPS
            },
            frames: Some(frames),
            seconds: Some(seconds),
        }
    }
}

/// A frame and when it is shown.
#[derive(Clone, Debug)]
pub struct ClipFrame {
    /// The whole frame, upright, in sRGB, of the size that [`ClipInfo`] says.
    pub picture: Picture,
    /// Seconds from the first frame of the whole clip, which has 0; never less than the frame before.
    pub time: f64,
}

/// Where the frames come from, in the order in which they are shown.
trait Frames: Send {
    /// The next frame. Isn't asked again after an error or the end.
    fn next(&mut self) -> Option<Result<ClipFrame, MediaError>>;

    /// Passes over frames; fewer if the clip ends.
    fn skip(&mut self, frames: usize) -> Result<(), MediaError> {
        for _ in 0..frames {
            match self.next() {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => break,
            }
        }
        Ok(())
    }

    /// How many frames of the whole clip begin before `time`, in seconds, where that is known without decoding them.
    fn place(&self, _time: f64) -> Option<usize> {
        None
    }
}

/// What each kind of clip gives when it is opened.
type Opened = (ClipInfo, Box<dyn Frames>);

/// A clip that is being read: an iterator over its frames as they are shown.
///
/// Frames are decoded when asked for. Where one is damaged, the frames before it come first, then one error that says its number,
/// then nothing more.
pub struct Clip {
    path: PathBuf,
    info: ClipInfo,
    frames: Box<dyn Frames>,
    /// Frames given or passed over, from the whole clip's first on.
    given: usize,
    has_ended: bool,
    cut: Cut,
}

impl Clip {
    /// Opens the clip at `path`: a file, a folder of numbered pictures, or a pattern of their names such as `frames/%04d.png`.
    ///
    /// Video is turned upright as its track says, its edit list is followed, and its first frame has time 0. Pixels that
    /// aren't square are left as they are stored. Colours are converted by the file's own matrix and range; a file that tells
    /// none is taken for BT.709 from 720 lines on and for BT.601 below, both in limited range. Frames of animations are whole
    /// pictures, each with the time that the file gives it. Numbered pictures run at [`NUMBERED_FPS`].
    ///
    /// # Errors
    ///
    /// A [`MediaError`] that says what the file is instead of a clip, what is wrong with it, or which program would open it. A
    /// picture, or a clip of a single frame, is refused too. Sizes over [`MAX_PIXELS`](crate::media::image::MAX_PIXELS) or
    /// [`MAX_SIDE`](crate::media::image::MAX_SIDE) are told by the header, before anything is decoded.
    pub fn open(path: &Path) -> Result<Self, MediaError> {
        // No input is known to make these readers panic; should one be found, the artist loses that clip and not the session.
        let (info, frames) = catch_unwind(AssertUnwindSafe(|| open(path)))
            .unwrap_or_else(|_| Err(damaged(path, "its data make no sense")))?;
        Ok(Self {
            path: path.to_owned(),
            info,
            frames,
            given: 0,
            has_ended: false,
            cut: Cut::default(),
        })
    }

    /// What is known of the clip without decoding it.
    pub fn info(&self) -> &ClipInfo {
        &self.info
    }

    /// Passes over the frames before `frame`, counted from 0 for the first that [`Clip::trim`] leaves, without making pictures of them where the format allows.
    ///
    /// A frame that was given already doesn't come again: open the clip anew to go back.
    ///
    /// # Errors
    ///
    /// The error of a damaged frame on the way; the clip has then ended.
    pub fn skip_to(&mut self, frame: usize) -> Result<(), MediaError> {
        self.pass(self.cut.first.saturating_add(frame))
    }

    /// Passes over the frames before `frame` of the whole clip.
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
        damaged_frame(&self.path, self.given, "its data make no sense")
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

    /// [`Clip::skip_to`] for the adaptors of iterators: `clip.skip(100).take(50)` makes 50 pictures, not 150.
    fn nth(&mut self, frames: usize) -> Option<Self::Item> {
        if let Err(error) = self.pass(self.given.saturating_add(frames)) {
            return Some(Err(error));
        }
        self.next()
    }
}

impl std::iter::FusedIterator for Clip {}

fn open(path: &Path) -> Result<Opened, MediaError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(_) if numbered::is_pattern(path) => return numbered::open_pattern(path),
        Err(e) => return Err(MediaError::reading(path, e)),
    };
    if metadata.is_dir() {
        return numbered::open_folder(path);
    }
    if !metadata.is_file() {
        return Err(MediaError::NotAFile {
            path: path.to_owned(),
        });
    }

    let mut head = Vec::new();
    let mut file = File::open(path).map_err(|e| MediaError::reading(path, e))?;
    (&mut file)
        .take(HEAD_BYTES)
        .read_to_end(&mut head)
        .map_err(|e| MediaError::reading(path, e))?;

    let path_owned = || path.to_owned();
    match kind::clip_kind(&head) {
        ClipKind::Nothing => Err(MediaError::Empty { path: path_owned() }),
        ClipKind::Mp4 => mp4::open(path, file, metadata.len()),
        ClipKind::Gif => {
            if let Some((width, height)) = sniff::claimed_size(ImageFormat::Gif, &head) {
                check_size(path, width, height)?;
            }
            gif::open(path, file)
        }
        ClipKind::Png => animated::open_png(path, file),
        ClipKind::WebP => animated::open_webp(path, file),
        ClipKind::Still => Err(MediaError::StillPicture { path: path_owned() }),
        ClipKind::Foreign(codec) => ffmpeg::open(path, &codec),
        ClipKind::Other { kind, advice } => Err(MediaError::OtherThanClip {
            path: path_owned(),
            kind,
            advice,
        }),
        ClipKind::Unknown => ffmpeg::open_unknown(path),
    }
}

/// Seconds that a frame lasts for which an animation asks `seconds`.
fn animation_delay(seconds: f64) -> f64 {
    if seconds < HASTE {
        HASTY_FRAME
    } else {
        seconds
    }
}

/// The four letters of a codec, as people write them.
fn kind_name(kind: [u8; 4]) -> String {
    let letters = kind.map(|byte| match byte {
        b' '..=b'~' => byte as char,
        _ => '?',
    });
    String::from_iter(letters).trim().to_owned()
}

fn damaged(path: &Path, reason: &str) -> MediaError {
    MediaError::Damaged {
        path: path.to_owned(),
        reason: one_line(reason),
    }
}

/// The error for frame `index`, counted from 0.
fn damaged_frame(path: &Path, index: usize, reason: &str) -> MediaError {
    MediaError::DamagedFrame {
        path: path.to_owned(),
        frame: index + 1,
        reason: one_line(reason),
    }
}
