//! Writes frames to a file of any format. The file is written completely or not at all.

use std::path::PathBuf;

use crate::document::{FileFormat, MediaSource, Project};
use crate::error::EngineError;
use crate::jobs::frame_range::FrameRange;
use crate::media::atomic_file::AtomicFile;
use crate::media::clip;
use crate::media::encode::{
    ANIMATION_MAX_FPS, ApngSettings, ApngSink, FrameSink, GIF_MAX_FPS, GifSettings, GifSink,
    JPEG_QUALITY, LoopCount, MAX_FPS, MIN_FPS, Mp4Settings, Mp4Sink, PngSequence, WebpSettings,
    WebpSink, existing_frames, frame_path, save_jpeg_with, save_png_with, save_webp_with,
};
use crate::media::image::Picture;
use crate::media::image::resample::resized as scaled_to;
use crate::media::inputs::Inputs;
use crate::media::provenance::{Provenance, SourceType};
use crate::methods::Method;
use crate::project::file::MediaOwner;

/// A file (or sequence) to write.
#[derive(Debug, Clone)]
pub struct Output {
    /// The kind of file.
    pub format: FileFormat,
    /// From 1 (small) to 100 (best; lossless for WebP) for MP4, WebP and JPEG; `None` is the format's default.
    pub quality: Option<u8>,
    /// How many times an animation (GIF, PNG, WebP) plays.
    pub loops: LoopCount,
    /// The size of the output relative to the frames, in 0.01..=1.
    pub scale: f64,
    /// The frames of the job to write; `None` writes all. Files of a sequence are numbered as in the whole.
    pub part: Option<FrameRange>,
    /// Whether the file says what made or edited it.
    pub marked: bool,
    /// The file to write; for a sequence the name before the numbers.
    pub path: PathBuf,
    /// Input files that must not be overwritten; a job adds the media it knows.
    pub inputs: Inputs,
}

/// The name of a method that draws a part of a file, and whether it is a trained network that paints: for [`Provenance::of_edit`].
pub(super) fn painter(method: &dyn Method) -> (String, bool) {
    let is_generative = method.info().is_generative;
    (method.weights().to_owned(), is_generative)
}

/// The sound of a part of a clip.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound {
    /// The file that holds the sound.
    pub clip: PathBuf,
    /// Time of the first frame, in seconds of the clip.
    pub from: f64,
    /// End of the part, in seconds of the clip; `None` is the clip's end.
    pub to: Option<f64>,
}

impl Output {
    /// The provenance note for one model's output, if the file is marked.
    pub(crate) fn note(&self, model: &str, source: SourceType) -> Option<Provenance> {
        let note = || Provenance::new(vec![model.to_owned()], source);
        self.marked.then(note)
    }

    /// The files written by a job of `total` frames.
    pub fn files(&self, total: usize) -> Vec<PathBuf> {
        if self.format != FileFormat::PngSequence {
            return vec![self.path.clone()];
        }
        let part = self.part.and_then(|part| part.within(total).ok());
        part.unwrap_or(0..total)
            .map(|frame| frame_path(&self.path, frame, total))
            .collect()
    }

    /// The frame rate for writing a clip of `fps`, clamped to what the format supports.
    pub fn rate(&self, fps: f64) -> f64 {
        fps.clamp(MIN_FPS, max_fps(self.format))
    }
}

/// Adds a project's media to these files.
pub(crate) fn with_media(inputs: &Inputs, project: &Project) -> Inputs {
    let mut inputs = inputs.clone();
    for (of, source) in MediaOwner::all(project) {
        match (of, &source) {
            (MediaOwner::Portrait, MediaSource::File(path)) => inputs.add(path),
            (MediaOwner::Motion(_), MediaSource::File(path)) => inputs.add_clip(path),
            (_, MediaSource::Bundled(_)) => {}
        }
    }
    inputs
}

/// The highest frame rate of a format.
pub fn max_fps(format: FileFormat) -> f64 {
    match format {
        FileFormat::Gif => GIF_MAX_FPS,
        FileFormat::Apng | FileFormat::Webp => ANIMATION_MAX_FPS,
        _ => MAX_FPS,
    }
}

/// The quality of a format, from 1 to 100, when none is chosen.
pub fn default_quality(format: FileFormat) -> u8 {
    match format {
        FileFormat::Jpeg => JPEG_QUALITY,
        FileFormat::Webp | FileFormat::WebpPicture => WebpSettings::QUALITY,
        _ => Mp4Settings::default().quality,
    }
}

/// Scales a size; each side is at least 1.
pub(crate) fn scaled((width, height): (u32, u32), scale: f64) -> (u32, u32) {
    if scale == 1.0 {
        return (width, height);
    }
    let scaled = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
    (scaled(width), scaled(height))
}

/// A file being written.
pub(crate) struct Writer {
    path: PathBuf,
    size: (u32, u32),
    quality: Option<u8>,
    sink: Sink,
    note: Option<Provenance>,
}

enum Sink {
    /// A single picture, and whether it is written.
    Picture(FileFormat, bool),
    Mp4(Box<Mp4Sink>),
    Sequence(Box<PngSequence>),
    Other(Box<dyn FrameSink>),
}

impl Writer {
    /// Checks the output before long work begins: the folder must be writable, and no input may be overwritten.
    ///
    /// # Errors
    /// [`EngineError::Media`] when the output can't be written.
    pub fn probe(output: &Output) -> Result<(), EngineError> {
        if output.format == FileFormat::PngSequence {
            for frame in existing_frames(&output.path) {
                output.inputs.check(&frame)?;
            }
        } else {
            output.inputs.check(&output.path)?;
        }
        drop(AtomicFile::create(&output.path)?);
        Ok(())
    }

    /// Starts the file. Frames have the size `frame`, and `note` is their provenance. The final name isn't used yet.
    ///
    /// # Errors
    /// [`EngineError::Media`] when the file can't be written.
    pub fn new(
        output: &Output,
        frame: (u32, u32),
        fps: f64,
        note: Option<Provenance>,
    ) -> Result<Self, EngineError> {
        let path = output.path.clone();
        let (width, height) = scaled(frame, output.scale);
        let sink = match output.format {
            FileFormat::Png | FileFormat::Jpeg | FileFormat::WebpPicture => {
                Sink::Picture(output.format, false)
            }
            FileFormat::PngSequence => {
                let mut sink = PngSequence::new(&path)?;
                note.iter().cloned().for_each(|note| sink.set_note(note));
                Sink::Sequence(Box::new(sink))
            }
            FileFormat::Gif => {
                let settings = GifSettings {
                    fps,
                    loops: output.loops,
                    ..GifSettings::default()
                };
                let mut sink = GifSink::new(&path, width, height, settings)?;
                note.iter().try_for_each(|note| sink.set_note(note))?;
                Sink::Other(Box::new(sink))
            }
            FileFormat::Apng => {
                let loops = output.loops;
                let mut sink = ApngSink::new(&path, width, height, ApngSettings { fps, loops })?;
                note.iter().cloned().for_each(|note| sink.set_note(note));
                Sink::Other(Box::new(sink))
            }
            FileFormat::Webp => {
                let settings = WebpSettings {
                    fps,
                    loops: output.loops,
                    quality: output.quality.unwrap_or(WebpSettings::QUALITY),
                };
                let mut sink = WebpSink::new(&path, width, height, settings)?;
                note.iter().cloned().for_each(|note| sink.set_note(note));
                Sink::Other(Box::new(sink))
            }
            FileFormat::Mp4 => {
                let usual = Mp4Settings::default();
                let settings = Mp4Settings {
                    fps,
                    quality: output.quality.unwrap_or(usual.quality),
                    ..usual
                };
                let mut sink = Mp4Sink::new(&path, width, height, settings)?;
                note.iter().cloned().for_each(|note| sink.set_note(note));
                Sink::Mp4(Box::new(sink))
            }
        };
        Ok(Self {
            path,
            size: (width, height),
            quality: output.quality,
            sink,
            note,
        })
    }

    /// Declares the frames to be a part of a job of `total`, starting at its frame `first` (from 0), so that files of a
    /// sequence are numbered as in the whole.
    pub fn set_numbers(&mut self, first: usize, total: usize) {
        if let Sink::Sequence(sink) = &mut self.sink {
            sink.set_numbers(first, total);
        }
    }

    /// Adds a clip's sound, if the format has any; call it before the first frame. If the sound must be left out, returns a
    /// remark for the artist, because a video is still useful without sound.
    pub fn set_sound(&mut self, sound: Option<Sound>) -> Option<String> {
        let (Sink::Mp4(sink), Some(sound)) = (&mut self.sink, sound) else {
            return None;
        };
        match clip::Sound::of(&sound.clip) {
            clip::Sound::Silent => None,
            clip::Sound::LeftOut(reason) => Some(reason),
            clip::Sound::Track(track) => {
                let part = track.part(sound.from, sound.to.unwrap_or(f64::INFINITY));
                sink.set_sound(part).err().map(|error| error.to_string())
            }
        }
    }

    /// Adds a frame, resampled if its size differs from the output's.
    ///
    /// # Errors
    /// [`EngineError::Media`] when the file can't be written.
    pub fn push(&mut self, frame: &Picture) -> Result<(), EngineError> {
        let resized;
        let frame = if frame.size() == self.size {
            // Written as it is, so that an unedited picture keeps its exact bytes.
            frame
        } else {
            resized = scaled_to(frame.clone(), self.size)?;
            &resized
        };
        match &mut self.sink {
            Sink::Picture(_, true) => {}
            Sink::Picture(format, written) => {
                let (path, note) = (&self.path, self.note.as_ref());
                match format {
                    FileFormat::Jpeg => {
                        save_jpeg_with(path, frame, self.quality.unwrap_or(JPEG_QUALITY), note)?;
                    }
                    FileFormat::WebpPicture => {
                        let quality = self.quality.unwrap_or(WebpSettings::QUALITY);
                        save_webp_with(path, frame, quality, note)?;
                    }
                    _ => save_png_with(path, frame, note)?,
                }
                *written = true;
            }
            Sink::Mp4(sink) => sink.push(frame)?,
            Sink::Sequence(sink) => sink.push(frame)?,
            Sink::Other(sink) => sink.push(frame)?,
        }
        Ok(())
    }

    /// Completes the file and gives it its final name.
    ///
    /// # Errors
    /// [`EngineError::Media`] when the file can't be written.
    pub fn finish(self) -> Result<(), EngineError> {
        match self.sink {
            Sink::Picture(..) => {}
            Sink::Mp4(sink) => sink.finish()?,
            Sink::Sequence(sink) => sink.finish()?,
            Sink::Other(sink) => sink.finish()?,
        }
        Ok(())
    }
}
