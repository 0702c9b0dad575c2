//! APNG: lossless, written to the file frame by frame.
//!
//! The PNG encoder codes the pictures; their chunks are assembled here, because animation encoders need the number of
//! frames in advance, and a clip knows it only at its end. The number is filled in at the end.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use image::ExtendedColorType;

use crate::media::atomic_file::AtomicFile;
use crate::media::encode::changes::{ChangedRegion, FrameDiff};
use crate::media::encode::gif::LoopCount;
use crate::media::encode::png;
use crate::media::encode::rate::{ANIMATION_MAX_FPS, check_fps, fps_to_rational, ticks};
use crate::media::encode::sink::{FrameSink, check_size};
use crate::media::error::MediaError;
use crate::media::image::Picture;
use crate::media::provenance::Provenance;

const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";

/// Offset of the `acTL` chunk: after the signature and the `IHDR` chunk of 13 bytes.
const CONTROL: u64 = 8 + 12 + 13;

/// Settings of an animated PNG.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ApngSettings {
    /// Frames a second, `MIN_FPS..=ANIMATION_MAX_FPS`; stored as an exact fraction ([`fps_to_rational`]).
    pub fps: f64,
    /// How many times it plays.
    pub loops: LoopCount,
}

impl Default for ApngSettings {
    fn default() -> Self {
        Self {
            fps: 25.0,
            loops: LoopCount::Forever,
        }
    }
}

/// Writes an animated PNG, RGBA, 8 bits: of each frame only the rectangle that changed. At most two frames are in memory.
pub struct ApngSink {
    path: PathBuf,
    size: (u32, u32),
    settings: ApngSettings,
    changes: FrameDiff,
    note: Option<Provenance>,
    frames: u32,
    /// The next sequence number of `fcTL` and `fdAT` chunks.
    sequence: u32,
    file: AtomicFile,
}

impl ApngSink {
    /// An animated PNG of `width` x `height` pixels (1 to 2^31 - 1 each) at `path`.
    ///
    /// # Errors
    ///
    /// [`MediaError::ClipSize`] and [`MediaError::FrameRate`] for invalid settings; write errors.
    pub fn new(
        path: &Path,
        width: u32,
        height: u32,
        settings: ApngSettings,
    ) -> Result<Self, MediaError> {
        check_fps(path, settings.fps, ANIMATION_MAX_FPS)?;
        let is_side = |side: u32| (1..=i32::MAX as u32).contains(&side);
        if !is_side(width) || !is_side(height) {
            return Err(MediaError::ClipSize {
                path: path.to_owned(),
                width,
                height,
                limit: "an animated PNG can have from 1 to 2147483647 pixels per side",
                advice: "choose another size",
            });
        }
        Ok(Self {
            path: path.to_owned(),
            size: (width, height),
            settings,
            changes: FrameDiff::new(1),
            note: None,
            frames: 0,
            sequence: 0,
            file: AtomicFile::create(path)?,
        })
    }

    /// Adds a provenance note; call it before the first frame.
    pub fn set_note(&mut self, note: Provenance) {
        self.note = Some(note);
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), MediaError> {
        self.file
            .write_all(bytes)
            .map_err(|e| MediaError::writing(&self.path, e))
    }

    fn write_head(&mut self) -> Result<(), MediaError> {
        let (width, height) = self.size;
        // 8 bits, RGBA, default compression and filtering, not interlaced.
        let header = [
            &width.to_be_bytes()[..],
            &height.to_be_bytes(),
            &[8, 6, 0, 0, 0],
        ];
        self.write(SIGNATURE)?;
        self.write(&chunk(b"IHDR", &header))?;
        self.write(&self.control())?;
        if let Some(note) = &self.note {
            let note = note
                .png_chunk()
                .map_err(|e| MediaError::encoding(&self.path, e))?;
            self.write(&note)?;
        }
        Ok(())
    }

    /// The `acTL` chunk: the number of frames so far, and how many times they play.
    fn control(&self) -> Vec<u8> {
        let plays = match self.settings.loops {
            LoopCount::Forever => 0,
            LoopCount::Times(times) => u32::from(times.max(1)),
        };
        chunk(b"acTL", &[&self.frames.to_be_bytes(), &plays.to_be_bytes()])
    }

    /// The next sequence number.
    fn next(&mut self) -> [u8; 4] {
        let number = self.sequence;
        self.sequence += 1;
        number.to_be_bytes()
    }

    fn frame_control(&mut self, piece: &ChangedRegion) -> Vec<u8> {
        let (width, height) = piece.size();
        let (left, top) = (piece.rect.left as u32, piece.rect.top as u32);
        let (num, den) = delay(self.settings.fps, self.frames.into());
        // No disposal, and source pixels replace the old ones, including transparency.
        let (disposal, blending) = (0, 0);
        chunk(
            b"fcTL",
            &[
                &self.next(),
                &width.to_be_bytes(),
                &height.to_be_bytes(),
                &left.to_be_bytes(),
                &top.to_be_bytes(),
                &num.to_be_bytes(),
                &den.to_be_bytes(),
                &[disposal, blending],
            ],
        )
    }
}

impl FrameSink for ApngSink {
    fn push(&mut self, frame: &Picture) -> Result<(), MediaError> {
        check_size(&self.path, frame, self.size)?;
        let is_first = self.frames == 0;
        if is_first {
            self.write_head()?;
        }
        let piece = self.changes.push(frame);
        let coded = png::encode(
            &self.path,
            &piece.rgba,
            piece.size(),
            ExtendedColorType::Rgba8,
        )?;
        let control = self.frame_control(&piece);
        self.write(&control)?;
        for data in pixel_data(&coded) {
            let chunk = if is_first {
                chunk(b"IDAT", &[data])
            } else {
                chunk(b"fdAT", &[&self.next(), data])
            };
            self.write(&chunk)?;
        }
        self.frames += 1;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), MediaError> {
        if self.frames == 0 {
            return Err(MediaError::NoFrames { path: self.path });
        }
        self.write(&chunk(b"IEND", &[]))?;
        self.file
            .seek(SeekFrom::Start(CONTROL))
            .map_err(|e| MediaError::writing(&self.path, e))?;
        self.write(&self.control())?;
        self.file.commit()
    }
}

/// A chunk: length, name, data, checksum of name and data.
fn chunk(name: &[u8; 4], data: &[&[u8]]) -> Vec<u8> {
    let length: usize = data.iter().map(|part| part.len()).sum();
    let mut chunk = Vec::with_capacity(length + 12);
    // The encoder's chunks are far shorter than the maximum of 2 GB.
    chunk.extend_from_slice(&(length as u32).to_be_bytes());
    chunk.extend_from_slice(name);
    data.iter().for_each(|part| chunk.extend_from_slice(part));
    let checksum = crc32fast::hash(&chunk[4..]);
    chunk.extend_from_slice(&checksum.to_be_bytes());
    chunk
}

/// The data of the `IDAT` chunks of a PNG from our encoder.
fn pixel_data(png: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut rest = png.get(SIGNATURE.len()..).unwrap_or_default();
    while let Some(([a, b, c, d, name @ ..], body)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let Some((data, behind)) = body.split_at_checked(length) else {
            break;
        };
        if name == b"IDAT" {
            found.push(data);
        }
        rest = behind.get(4..).unwrap_or_default();
    }
    found
}

/// The duration of frame `index` as a fraction of a second: numerator and denominator.
fn delay(fps: f64, index: u64) -> (u16, u16) {
    let (frames, seconds) = fps_to_rational(fps);
    if let (Ok(num), Ok(den)) = (u16::try_from(seconds), u16::try_from(frames)) {
        return (num, den);
    }
    // Rates that don't fit, to the finest tick that a frame's duration can be stored in.
    let per_second = if fps < 1.0 { 600 } else { 60_000 };
    let ticks = ticks(fps, per_second.into(), index);
    (u16::try_from(ticks).unwrap_or(u16::MAX), per_second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::encode::rate::MIN_FPS;

    #[test]
    fn frame_delays_are_exact_where_representable_and_never_drift() {
        for (fps, expected) in [
            (24.0, (1, 24)),
            (12.5, (2, 25)),
            (29.97, (1001, 30_000)),
            (59.94, (1001, 60_000)),
            (MIN_FPS, (100, 1)),
        ] {
            assert_eq!(delay(fps, 7), expected, "{fps}");
        }
        for (fps, frames) in [(66.667, 66_667), (0.0101, 1)] {
            let seconds: f64 = (0..frames)
                .map(|i| delay(fps, i))
                .map(|(num, den)| f64::from(num) / f64::from(den))
                .sum();
            assert!((seconds - frames as f64 / fps).abs() < 0.01, "{fps}");
        }
    }
}
