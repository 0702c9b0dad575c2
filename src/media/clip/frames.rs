//! Common to all kinds of clips: information, frames and errors.

use std::path::Path;

use crate::media::error::MediaError;
use crate::media::image::Picture;
use crate::text;

/// Frames a second of numbered pictures, which have no stored rate.
pub const NUMBERED_FPS: f64 = 25.0;

/// Duration in seconds of an animation's frame whose stored duration is below [`MIN_DELAY`], as in browsers.
const SHORT_DELAY_REPLACEMENT: f64 = 0.1;
const MIN_DELAY: f64 = 0.0101;

/// Information on a clip that is known before decoding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipInfo {
    /// Display width in pixels, after cropping and rotation.
    pub width: u32,
    /// Display height in pixels.
    pub height: u32,
    /// Frames a second, above 0; the mean if durations differ.
    pub fps: f64,
    /// The number of frames; `None` if only decoding determines it.
    pub frames: Option<usize>,
    /// The duration; `None` if only decoding determines it.
    pub seconds: Option<f64>,
}

impl ClipInfo {
    /// The information on `frames` frames with a total duration of `seconds`.
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

/// A frame and its presentation time.
#[derive(Clone, Debug)]
pub struct ClipFrame {
    /// The whole frame, upright, in sRGB, of the size in [`ClipInfo`].
    pub picture: Picture,
    /// Seconds from the first frame of the whole clip, which has 0; never decreases.
    pub time: f64,
}

/// A source of frames, in presentation order.
pub(super) trait Frames: Send {
    /// The next frame. Not called again after an error or the end.
    fn next(&mut self) -> Option<Result<ClipFrame, MediaError>>;

    /// Skips frames; fewer if the clip ends.
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

    /// How many frames of the whole clip begin before `time`, in seconds, if that is known without decoding.
    fn index_at(&self, _time: f64) -> Option<usize> {
        None
    }
}

/// The result of opening a clip of any kind.
pub(super) type Opened = (ClipInfo, Box<dyn Frames>);

/// The duration in seconds of an animation's frame, given its stored duration.
pub(super) fn animation_delay(seconds: f64) -> f64 {
    if seconds < MIN_DELAY {
        SHORT_DELAY_REPLACEMENT
    } else {
        seconds
    }
}

/// A four-character code as text.
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
        reason: text::fault(&reason),
    }
}

/// The error for frame `index`, counted from 0.
pub(super) fn damaged_frame(path: &Path, index: usize, reason: &str) -> MediaError {
    MediaError::DamagedFrame {
        path: path.to_owned(),
        frame: index + 1,
        reason: text::fault(&reason),
    }
}
