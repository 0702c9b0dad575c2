//! Animated GIF, composited as in browsers.

use std::fs::File;
use std::io::{BufReader, Seek};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, DisposalMethod, MemoryLimit};

use crate::media::clip::frames::{
    ClipFrame, ClipInfo, Frames, Opened, animation_delay, damaged, damaged_frame,
};
use crate::media::error::MediaError;
use crate::media::image::MAX_PIXELS;
use crate::media::image::Picture;
use crate::media::image::open::check_size;

type Reader = Decoder<BufReader<File>>;

/// Opens a GIF of at least two frames.
pub(super) fn open(path: &Path, mut file: File) -> Result<Opened, MediaError> {
    let reading = |e| MediaError::reading(path, e);
    let again = file.try_clone().map_err(reading)?;
    file.rewind().map_err(reading)?;
    let count = count(again);

    // The clones of a file share one position.
    file.rewind().map_err(reading)?;
    let decoder = decoder(file, false).map_err(|error| match error {
        DecodingError::Io(e) => reading(e),
        DecodingError::UnexpectedEof => damaged(path, "its last part is missing"),
        error => damaged(path, &error.to_string()),
    })?;
    let size = (u32::from(decoder.width()), u32::from(decoder.height()));
    check_size(path, size.0, size.1)?;

    let info = match count {
        Ok((0, _)) => {
            return Err(MediaError::NoFramesIn {
                path: path.to_owned(),
            });
        }
        Ok((1, _)) => {
            return Err(MediaError::StillPicture {
                path: path.to_owned(),
            });
        }
        Ok((frames, seconds)) => ClipInfo::counted(size, frames, seconds),
        // Damaged somewhere: the frames before that are still usable.
        Err((frames, seconds)) => ClipInfo {
            frames: None,
            seconds: None,
            ..ClipInfo::counted(size, frames, seconds)
        },
    };
    let canvas = Canvas {
        width: size.0 as usize,
        pixels: vec![0; size.0 as usize * size.1 as usize * 4],
        undo: Undo::Nothing,
    };
    Ok((
        info,
        Box::new(Animation {
            path: path.to_owned(),
            decoder,
            canvas,
            size,
            given: 0,
            time: 0.0,
        }),
    ))
}

fn decoder(file: File, is_skipping: bool) -> Result<Reader, DecodingError> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    options.skip_frame_decoding(is_skipping);
    options.set_memory_limit(
        NonZeroU64::new(MAX_PIXELS * 4).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes),
    );
    options.read_info(BufReader::new(file))
}

/// Counts the frames and their duration without decoding them; the error is the count up to a damage.
fn count(file: File) -> Result<(usize, f64), (usize, f64)> {
    let (mut frames, mut seconds) = (0, 0.0);
    let Ok(mut decoder) = decoder(file, true) else {
        return Err((frames, seconds));
    };
    loop {
        match decoder.next_frame_info() {
            Ok(Some(frame)) => {
                frames += 1;
                seconds += animation_delay(f64::from(frame.delay) / 100.0);
            }
            Ok(None) => return Ok((frames, seconds)),
            Err(_) => return Err((frames, seconds)),
        }
    }
}

/// The frames of a GIF.
struct Animation {
    path: PathBuf,
    decoder: Reader,
    canvas: Canvas,
    size: (u32, u32),
    given: usize,
    /// The next frame's time in seconds.
    time: f64,
}

impl Animation {
    /// Draws the next frame and returns its time.
    fn draw(&mut self) -> Option<Result<f64, MediaError>> {
        let frame = match self.decoder.read_next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => return None,
            Err(DecodingError::UnexpectedEof) => {
                let reason = "the rest is missing";
                return Some(Err(damaged_frame(&self.path, self.given, reason)));
            }
            Err(e) => return Some(Err(damaged_frame(&self.path, self.given, &e.to_string()))),
        };
        self.canvas.draw(frame);
        let time = self.time;
        self.time += animation_delay(f64::from(frame.delay) / 100.0);
        self.given += 1;
        Some(Ok(time))
    }
}

impl Frames for Animation {
    fn next(&mut self) -> Option<Result<ClipFrame, MediaError>> {
        let time = match self.draw()? {
            Ok(time) => time,
            Err(error) => return Some(Err(error)),
        };
        let pixels = self.canvas.pixels.clone();
        Some(
            Picture::new(self.size.0, self.size.1, pixels)
                .map(|picture| ClipFrame { picture, time }),
        )
    }

    fn skip(&mut self, frames: usize) -> Result<(), MediaError> {
        for _ in 0..frames {
            if self.draw().transpose()?.is_none() {
                break;
            }
        }
        Ok(())
    }
}

/// The composited picture. It starts transparent, as in browsers, whatever the file's background colour.
struct Canvas {
    width: usize,
    /// `[height, width, 4]`
    pixels: Vec<u8>,
    undo: Undo,
}

/// How the last patch is disposed of before the next is drawn.
enum Undo {
    Nothing,
    /// Cleared: left, top, width, height.
    Clear([usize; 4]),
    /// Restored to the previous pixels.
    Restore(Vec<u8>),
}

impl Canvas {
    fn draw(&mut self, frame: &gif::Frame) {
        match std::mem::replace(&mut self.undo, Undo::Nothing) {
            Undo::Nothing => {}
            Undo::Clear([left, top, width, height]) => {
                for row in top..top + height {
                    self.row(row, left, width).fill(0);
                }
            }
            Undo::Restore(pixels) => self.pixels = pixels,
        }

        // Patches may extend beyond the canvas.
        let height = self.pixels.len() / 4 / self.width;
        let left = usize::from(frame.left).min(self.width);
        let top = usize::from(frame.top).min(height);
        let columns = usize::from(frame.width).min(self.width - left);
        let rows = usize::from(frame.height).min(height - top);
        self.undo = match frame.dispose {
            DisposalMethod::Background => Undo::Clear([left, top, columns, rows]),
            DisposalMethod::Previous => Undo::Restore(self.pixels.clone()),
            _ => Undo::Nothing,
        };

        let lines = frame
            .buffer
            .chunks_exact((usize::from(frame.width) * 4).max(1));
        for (row, line) in lines.take(rows).enumerate() {
            let pixels = self.row(top + row, left, columns).chunks_exact_mut(4);
            for (pixel, drawn) in pixels.zip(line.chunks_exact(4)) {
                if drawn[3] != 0 {
                    pixel.copy_from_slice(drawn);
                }
            }
        }
    }

    fn row(&mut self, row: usize, left: usize, columns: usize) -> &mut [u8] {
        let start = (row * self.width + left) * 4;
        &mut self.pixels[start..start + columns * 4]
    }
}
