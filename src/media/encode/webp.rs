//! Animated WebP: written to the file frame by frame, lossy with alpha or lossless.
//!
//! libwebp codes the pictures, since no Rust encoder supports lossy WebP, which for portraits takes a tenth of the
//! bytes. The container is assembled here, so that memory doesn't grow with a clip's length.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::media::atomic_file::AtomicFile;
use crate::media::encode::changes::{ChangedRegion, FrameDiff};
use crate::media::encode::gif::LoopCount;
use crate::media::encode::rate::{ANIMATION_MAX_FPS, check_fps, ticks};
use crate::media::encode::sink::{FrameSink, check_size};
use crate::media::encode::webp_chunks::{HEAD, Head, MAX_FILE_BYTES, chunk, frame};
use crate::media::error::MediaError;
use crate::media::image::Picture;
use crate::media::provenance::Provenance;

/// The maximum number of pixels along a side.
const MAX_SIDE: u32 = 16_383;

/// Settings of an animated WebP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WebpSettings {
    /// Frames a second, `MIN_FPS..=ANIMATION_MAX_FPS`. A WebP stores durations in milliseconds, and the whole clip is
    /// accurate to one.
    pub fps: f64,
    /// How many times it plays.
    pub loops: LoopCount,
    /// 0 (small) to 99 (almost the same as the source); 100 and above are lossless. Alpha is always lossless.
    pub quality: u8,
}

impl WebpSettings {
    /// The default quality.
    pub const QUALITY: u8 = 80;
}

impl Default for WebpSettings {
    fn default() -> Self {
        Self {
            fps: 25.0,
            loops: LoopCount::Forever,
            quality: Self::QUALITY,
        }
    }
}

/// Writes an animated WebP: of each frame only the rectangle that changed. A clip of one frame becomes a still WebP.
pub struct WebpSink {
    path: PathBuf,
    size: (u32, u32),
    settings: WebpSettings,
    changes: FrameDiff,
    note: Option<Provenance>,
    /// The first frame, held back until there is a second.
    first: Option<(ChangedRegion, Vec<u8>)>,
    frames: u64,
    bytes: u64,
    has_alpha: bool,
    file: AtomicFile,
}

impl WebpSink {
    /// Creates an animated WebP of `width` x `height` pixels (1 to 16,383 each) at `path`.
    ///
    /// # Errors
    ///
    /// [`MediaError::ClipSize`] and [`MediaError::FrameRate`] for settings it can't have; write errors.
    pub fn new(
        path: &Path,
        width: u32,
        height: u32,
        settings: WebpSettings,
    ) -> Result<Self, MediaError> {
        check_fps(path, settings.fps, ANIMATION_MAX_FPS)?;
        check_sides(path, (width, height))?;
        Ok(Self {
            path: path.to_owned(),
            size: (width, height),
            settings,
            // Frames begin at even coordinates.
            changes: FrameDiff::new(2),
            note: None,
            first: None,
            frames: 0,
            bytes: 0,
            has_alpha: false,
            file: AtomicFile::create(path)?,
        })
    }

    /// Adds a provenance note.
    pub fn set_note(&mut self, note: Provenance) {
        self.note = Some(note);
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), MediaError> {
        self.bytes += bytes.len() as u64;
        if self.bytes > MAX_FILE_BYTES {
            return Err(MediaError::encoding(
                &self.path,
                "a WebP holds up to 4 GB and this needs more",
            ));
        }
        self.file
            .write_all(bytes)
            .map_err(|e| MediaError::writing(&self.path, e))
    }

    fn head(&self) -> Vec<u8> {
        Head {
            size: self.size,
            has_alpha: self.has_alpha,
            has_note: self.note.is_some(),
            plays: match self.settings.loops {
                LoopCount::Forever => 0,
                LoopCount::Times(times) => times.max(1),
            },
            bytes: self.bytes,
        }
        .write()
    }

    /// Writes frame `index`, given as a still WebP.
    fn write_frame(
        &mut self,
        index: u64,
        piece: &ChangedRegion,
        webp: &[u8],
    ) -> Result<(), MediaError> {
        let duration = ticks(self.settings.fps, 1000, index);
        self.write(&frame(piece, webp, duration))
    }
}

impl FrameSink for WebpSink {
    fn push(&mut self, frame: &Picture) -> Result<(), MediaError> {
        check_size(&self.path, frame, self.size)?;
        let piece = self.changes.push(frame);
        self.has_alpha |= !piece.is_opaque();
        let webp = encode(&self.path, &piece.rgba, piece.size(), self.settings.quality)?;

        if self.frames == 0 {
            self.first = Some((piece, webp));
        } else {
            if let Some((piece, webp)) = self.first.take() {
                // The header is written again at the end, when all its values are known.
                self.write(&self.head())?;
                self.write_frame(0, &piece, &webp)?;
            }
            self.write_frame(self.frames, &piece, &webp)?;
        }
        self.frames += 1;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), MediaError> {
        if self.frames == 0 {
            return Err(MediaError::NoFrames { path: self.path });
        }
        if let Some((_, webp)) = self.first.take() {
            let webp = with_note(&self.path, webp, self.note.as_ref())?;
            self.write(&webp)?;
            return self.file.commit();
        }
        if let Some(note) = &self.note {
            let chunk = chunk(b"XMP ", &[note.packet().as_bytes()]);
            self.write(&chunk)?;
        }
        let head = self.head();
        debug_assert_eq!(head.len(), HEAD);
        self.file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.write_all(&head))
            .map_err(|e| MediaError::writing(&self.path, e))?;
        self.file.commit()
    }
}

/// Rejects sizes that a WebP can't have.
pub(crate) fn check_sides(path: &Path, (width, height): (u32, u32)) -> Result<(), MediaError> {
    let is_side = |side: u32| (1..=MAX_SIDE).contains(&side);
    if is_side(width) && is_side(height) {
        return Ok(());
    }
    Err(MediaError::ClipSize {
        path: path.to_owned(),
        width,
        height,
        limit: "a WebP can have from 1 to 16383 pixels per side",
        advice: "choose a smaller size or PNG",
    })
}

/// The file with the note added, if there is one.
pub(crate) fn with_note(
    path: &Path,
    webp: Vec<u8>,
    note: Option<&Provenance>,
) -> Result<Vec<u8>, MediaError> {
    match note {
        Some(note) => note.put(&webp).map_err(|e| MediaError::encoding(path, e)),
        None => Ok(webp),
    }
}

/// Encodes a still WebP from `[height, width, 4]`; a quality of 100 or more is lossless.
pub(crate) fn encode(
    path: &Path,
    rgba: &[u8],
    (width, height): (u32, u32),
    quality: u8,
) -> Result<Vec<u8>, MediaError> {
    let mut config = webp::WebPConfig::new()
        .map_err(|()| MediaError::encoding(path, "the WebP encoder has a different version"))?;
    config.quality = f32::from(quality.min(100));
    config.thread_level = 1;
    if quality >= 100 {
        config.lossless = 1;
        // Keeps the colours of transparent pixels; in lossless mode quality is the effort.
        config.exact = 1;
        config.quality = 75.0;
    }
    webp::Encoder::from_rgba(rgba, width, height)
        .encode_advanced(&config)
        .map(|coded| coded.to_vec())
        .map_err(|e| MediaError::encoding(path, format!("{e:?}")))
}
