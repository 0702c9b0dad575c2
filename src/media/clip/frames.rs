//! What all kinds of clips have in common: what is known of them, their frames, and how their errors are told.

use std::path::Path;

use crate::media::error::{MediaError, one_line};
use crate::media::image::Picture;

/// Frames a second of numbered pictures, which carry no rate themselves.
pub const NUMBERED_FPS: f64 = 25.0;

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
    pub(super) fn counted(size: (u32, u32), frames: usize, seconds: f64) -> Self {
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
pub(super) trait Frames: Send {
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
pub(super) type Opened = (ClipInfo, Box<dyn Frames>);

/// Seconds that a frame lasts for which an animation asks `seconds`.
pub(super) fn animation_delay(seconds: f64) -> f64 {
    if seconds < HASTE {
        HASTY_FRAME
    } else {
        seconds
    }
}

/// The four letters of a codec, as people write them.
pub(super) fn kind_name(kind: [u8; 4]) -> String {
    let letters = kind.map(|byte| match byte {
        b' '..=b'~' => byte as char,
        _ => '?',
    });
    String::from_iter(letters).trim().to_owned()
}

pub(super) fn damaged(path: &Path, reason: &str) -> MediaError {
    MediaError::Damaged {
        path: path.to_owned(),
        reason: one_line(reason),
    }
}

/// The error for frame `index`, counted from 0.
pub(super) fn damaged_frame(path: &Path, index: usize, reason: &str) -> MediaError {
    MediaError::DamagedFrame {
        path: path.to_owned(),
        frame: index + 1,
        reason: one_line(reason),
    }
}
