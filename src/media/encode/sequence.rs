//! Numbered PNGs, written atomically as a set.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::media::atomic_file;
use crate::media::encode::png;
use crate::media::encode::sink::{FrameSink, check_size};
use crate::media::error::MediaError;
use crate::media::file_set::FileSet;
use crate::media::image::Picture;
use crate::media::provenance::Provenance;

/// Writes each frame as a separate PNG: `shot.png` gives `shot_0001.png`, `shot_0002.png`...
///
/// The frames are in a hidden folder until [`FrameSink::finish`] renames all of them or none (see `file_set`). Surplus
/// files of an earlier, longer sequence stay.
pub struct PngSequence {
    path: PathBuf,
    size: Option<(u32, u32)>,
    frames: usize,
    /// If this is a part of a longer sequence, the index of the first frame and the number of frames there.
    numbers: Option<(usize, usize)>,
    waiting: FileSet,
    note: Option<Provenance>,
}

impl PngSequence {
    /// Creates a sequence named after `path`, whose extension becomes `.png`.
    ///
    /// # Errors
    ///
    /// Fails if the folder can't be written to.
    pub fn new(path: &Path) -> Result<Self, MediaError> {
        if path.file_stem().is_none() {
            return Err(MediaError::NoName {
                path: path.to_owned(),
            });
        }
        let waiting = FileSet::new(atomic_file::folder(path));
        let waiting = waiting.map_err(|e| MediaError::writing(path, e))?;

        Ok(Self {
            path: path.to_owned(),
            size: None,
            frames: 0,
            numbers: None,
            waiting,
            note: None,
        })
    }

    /// Adds a provenance note to each following picture.
    pub fn set_note(&mut self, note: Provenance) {
        self.note = Some(note);
    }

    /// Sets that the frames are a part of a sequence of `count`, starting at its frame `first` (from 0), and are
    /// numbered as in the whole sequence.
    pub fn set_numbers(&mut self, first: usize, count: usize) {
        self.numbers = Some((first, count));
    }

    /// The path of the pushed frame `index`.
    fn name(&self, index: usize) -> PathBuf {
        let (first, count) = self.numbers.unwrap_or((0, self.frames));
        frame_path(&self.path, first + index, count)
    }
}

impl FrameSink for PngSequence {
    fn push(&mut self, frame: &Picture) -> Result<(), MediaError> {
        check_size(&self.path, frame, *self.size.get_or_insert(frame.size()))?;

        let fail = |e: io::Error| MediaError::writing(&self.path, e);
        let mut file = self.waiting.create(self.frames).map_err(fail)?;
        png::write(&mut file, &self.path, frame, self.note.as_ref())?;

        self.frames += 1;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), MediaError> {
        if self.frames == 0 {
            return Err(MediaError::NoFrames {
                path: self.path.clone(),
            });
        }
        let names: Vec<PathBuf> = (0..self.frames).map(|index| self.name(index)).collect();
        self.waiting.commit(&names)
    }
}

/// The existing files with names of frames of a sequence, of any length.
pub fn existing_frames(path: &Path) -> Vec<PathBuf> {
    let mut stem = path.file_stem().unwrap_or_default().to_os_string();
    stem.push("_");
    let is_frame = |file: &Path| {
        let is_png = file.extension().is_some_and(|ending| ending == "png");
        let name = file.file_stem().unwrap_or_default().as_encoded_bytes();
        let number = name.strip_prefix(stem.as_encoded_bytes());
        is_png && number.is_some_and(|n| n.len() >= 4 && n.iter().all(u8::is_ascii_digit))
    };
    let entries = fs::read_dir(atomic_file::folder(path))
        .into_iter()
        .flatten();
    let mut frames: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    frames.retain(|file| is_frame(file));
    frames.sort();
    frames
}

/// The path of frame `index` (from 0) of a sequence of `count`: `shot_0001.png` for index 0 of `shot.png`.
///
/// Numbers have four digits, or as many as the last one needs, so that names sort in frame order.
pub fn frame_path(path: &Path, index: usize, count: usize) -> PathBuf {
    let digits = count.to_string().len().max(4);
    let mut name = path.file_stem().unwrap_or_default().to_os_string();
    name.push(format!("_{:0digits$}.png", index + 1));
    path.with_file_name(name)
}
