//! GIF: written to the file frame by frame, with memory for a few frames only.

use std::io;
use std::path::{Path, PathBuf};

use gif::{Encoder, EncodingError, Repeat};
use rayon::prelude::*;

use crate::media::atomic_file::AtomicFile;
use crate::media::encode::gif_frame::{Canvas, Patch};
use crate::media::encode::gif_palette::quantise;
use crate::media::encode::rate::{GIF_MAX_FPS, check_fps};
use crate::media::encode::sink::{FrameSink, check_size};
use crate::media::error::MediaError;
use crate::media::image::Picture;
use crate::media::provenance::Provenance;

/// Pixels less opaque than this become transparent, all others opaque: a GIF has no partial transparency.
const OPAQUE_FROM: u8 = 128;

/// The maximum number of frames that wait for their palettes.
const MAX_WAITING: usize = 8;

/// How many times an animation plays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoopCount {
    /// Endlessly.
    #[default]
    Forever,
    /// This many times in all; 0 counts as 1.
    Times(u16),
}

/// Settings of a GIF.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GifSettings {
    /// Frames a second, `MIN_FPS..=GIF_MAX_FPS`. A GIF stores durations in 1/100 s: frames of 24 fps take 4 and
    /// sometimes 5 of them, and the whole clip is accurate to 1/100 s.
    pub fps: f64,
    /// How many times it plays.
    pub loops: LoopCount,
    /// Pixels whose channels differ from those on screen by at most this, in levels of 255, aren't redrawn. This avoids
    /// flicker in static areas of a network's output; 0 redraws every change.
    pub tolerance: u8,
}

impl Default for GifSettings {
    fn default() -> Self {
        Self {
            fps: 25.0,
            loops: LoopCount::Forever,
            tolerance: 1,
        }
    }
}

/// Writes a GIF: each frame with its own palette and dithering, only the changed part of each.
///
/// Frames are queued in small batches to compute their palettes on all cores.
pub struct GifSink {
    path: PathBuf,
    size: (u32, u32),
    settings: GifSettings,
    frames: u64,
    canvas: Canvas,
    waiting: Vec<Patch>,
    batch: usize,
    encoder: Encoder<AtomicFile>,
}

impl GifSink {
    /// Creates a GIF of `width` x `height` pixels (1 to 65,535 each) at `path`.
    ///
    /// # Errors
    ///
    /// [`MediaError::ClipSize`] and [`MediaError::FrameRate`] for settings a GIF can't have; write errors.
    pub fn new(
        path: &Path,
        width: u32,
        height: u32,
        settings: GifSettings,
    ) -> Result<Self, MediaError> {
        check_fps(path, settings.fps, GIF_MAX_FPS)?;
        let (Ok(columns @ 1..), Ok(rows @ 1..)) = (u16::try_from(width), u16::try_from(height))
        else {
            return Err(MediaError::ClipSize {
                path: path.to_owned(),
                width,
                height,
                limit: "a GIF can have from 1 to 65535 pixels per side",
                advice: "choose a smaller size or numbered PNGs",
            });
        };

        let mut encoder = Encoder::new(AtomicFile::create(path)?, columns, rows, &[])
            .map_err(|e| failed(path, e))?;
        let repeat = match settings.loops {
            LoopCount::Forever => Repeat::Infinite,
            // The file stores the number of repetitions after the first time.
            LoopCount::Times(times) => Repeat::Finite(times.saturating_sub(1)),
        };
        encoder.set_repeat(repeat).map_err(|e| failed(path, e))?;

        Ok(Self {
            path: path.to_owned(),
            size: (width, height),
            settings,
            frames: 0,
            canvas: Canvas::new(width as usize, height as usize, settings.tolerance),
            waiting: Vec::new(),
            batch: rayon::current_num_threads().clamp(1, MAX_WAITING),
            encoder,
        })
    }

    /// Adds a provenance note as a comment; call it before the first frame.
    ///
    /// # Errors
    ///
    /// Write errors.
    pub fn set_note(&mut self, note: &Provenance) -> Result<(), MediaError> {
        let comment = note.gif_comment();
        self.encoder
            .write_raw_extension(gif::Extension::Comment.into(), &[comment.as_bytes()])
            .map_err(|e| failed(&self.path, e))
    }

    /// The duration of frame `index` in 1/100 s: from its own rounded start to that of the next.
    fn delay(&self, index: u64) -> u16 {
        let start = |index: u64| (index as f64 * 100.0 / self.settings.fps).round();
        (start(index + 1) - start(index)).clamp(2.0, f64::from(u16::MAX)) as u16
    }

    fn queue(&mut self, patch: Option<Patch>) -> Result<(), MediaError> {
        self.waiting.extend(patch);
        if self.waiting.len() >= self.batch {
            self.write_waiting()
        } else {
            Ok(())
        }
    }

    fn write_waiting(&mut self) -> Result<(), MediaError> {
        let frames: Vec<_> = self.waiting.par_iter().map(quantise).collect();
        self.waiting.clear();
        for frame in frames {
            let frame = frame.map_err(|reason| MediaError::encoding(&self.path, reason))?;
            self.encoder
                .write_lzw_pre_encoded_frame(&frame)
                .map_err(|e| failed(&self.path, e))?;
        }
        Ok(())
    }
}

impl FrameSink for GifSink {
    fn push(&mut self, frame: &Picture) -> Result<(), MediaError> {
        check_size(&self.path, frame, self.size)?;

        let mut rgba = frame.rgba().to_vec();
        for pixel in rgba.chunks_exact_mut(4) {
            if !frame.has_alpha() || pixel[3] >= OPAQUE_FROM {
                pixel[3] = 255;
            } else {
                pixel.fill(0);
            }
        }
        let before = self.canvas.push(&rgba, self.delay(self.frames));
        self.frames += 1;
        self.queue(before)
    }

    fn finish(mut self: Box<Self>) -> Result<(), MediaError> {
        if self.frames == 0 {
            return Err(MediaError::NoFrames { path: self.path });
        }
        let last = self.canvas.finish();
        self.queue(last)?;
        self.write_waiting()?;

        let Self { path, encoder, .. } = *self;
        encoder.into_inner().map_err(|e| failed(&path, e))?.commit()
    }
}

fn failed(path: &Path, error: EncodingError) -> MediaError {
    match error {
        EncodingError::Io(e) => MediaError::writing(path, e),
        EncodingError::OutOfMemory => MediaError::writing(path, io::ErrorKind::OutOfMemory.into()),
        e => MediaError::encoding(path, e),
    }
}
