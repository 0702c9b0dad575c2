//! Numbered PNGs: all of them or none.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::media::atomic_file::{self, PREFIX};
use crate::media::encode::png;
use crate::media::encode::sink::{FrameSink, check_size};
use crate::media::error::MediaError;
use crate::media::image::Picture;
use crate::media::provenance::Provenance;

/// Writes each frame as a PNG of its own: `shot.png` gives `shot_0001.png`, `shot_0002.png`...
///
/// The frames wait in a hidden folder beside until [`FrameSink::finish`] renames them. Should a rename fail, those before it
/// are undone, and the files that they replaced are back. Files of an earlier, longer sequence stay.
pub struct PngSequence {
    path: PathBuf,
    size: Option<(u32, u32)>,
    frames: usize,
    /// What the first frame is of how many, where these are a part of a longer sequence.
    numbers: Option<(usize, usize)>,
    waiting: TempDir,
    note: Option<Provenance>,
}

impl PngSequence {
    /// A sequence named after `path`, whose extension becomes `.png`.
    ///
    /// # Errors
    ///
    /// The errors of writing to its folder.
    pub fn new(path: &Path) -> Result<Self, MediaError> {
        if path.file_stem().is_none() {
            return Err(MediaError::NoName {
                path: path.to_owned(),
            });
        }
        let waiting = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(atomic_file::folder(path))
            .map_err(|e| MediaError::writing(path, e))?;

        Ok(Self {
            path: path.to_owned(),
            size: None,
            frames: 0,
            numbers: None,
            waiting,
            note: None,
        })
    }

    /// Gives each picture from now on a note of how it came to be.
    pub fn set_note(&mut self, note: Provenance) {
        self.note = Some(note);
    }

    /// Says that the frames are a part of a sequence of `count`, beginning with its frame `first` (from 0): their names are
    /// those that they have in the whole.
    pub fn set_numbers(&mut self, first: usize, count: usize) {
        self.numbers = Some((first, count));
    }

    /// Where frame `index` of those that were pushed goes.
    fn name(&self, index: usize) -> PathBuf {
        let (first, count) = self.numbers.unwrap_or((0, self.frames));
        frame_path(&self.path, first + index, count)
    }

    fn new_file(&self, index: usize) -> PathBuf {
        self.waiting.path().join(format!("new{index}"))
    }

    fn old_file(&self, index: usize) -> PathBuf {
        self.waiting.path().join(format!("old{index}"))
    }

    /// Puts frame `index` in place and what was there aside.
    fn place(&self, index: usize) -> Result<(), MediaError> {
        let path = self.name(index);
        let target = atomic_file::target(&path)?;
        let fail = |e| MediaError::writing(&path, e);

        if target.exists() {
            fs::rename(&target, self.old_file(index)).map_err(fail)?;
        }
        fs::rename(self.new_file(index), &target).map_err(|e| {
            let _ = fs::rename(self.old_file(index), &target);
            fail(e)
        })
    }

    /// Takes frame `index` away again. Nothing can be done about a failure here; the first one is what gets reported.
    fn displace(&self, index: usize) {
        let path = self.name(index);
        let Ok(target) = atomic_file::target(&path) else {
            return;
        };
        if self.old_file(index).exists() {
            let _ = fs::rename(self.old_file(index), target);
        } else {
            let _ = fs::remove_file(target);
        }
    }
}

impl FrameSink for PngSequence {
    fn push(&mut self, frame: &Picture) -> Result<(), MediaError> {
        check_size(&self.path, frame, *self.size.get_or_insert(frame.size()))?;

        let fail = |e: io::Error| MediaError::writing(&self.path, e);
        let mut file = File::create(self.new_file(self.frames)).map_err(fail)?;
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
        for index in 0..self.frames {
            if let Err(error) = self.place(index) {
                (0..index).rev().for_each(|placed| self.displace(placed));
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Where frame `index` (from 0) of a sequence of `count` goes: `shot_0001.png` for index 0 of `shot.png`.
///
/// Numbers have four digits, or as many as the last one needs, so that names sort as the frames run.
pub fn frame_path(path: &Path, index: usize, count: usize) -> PathBuf {
    let digits = count.to_string().len().max(4);
    let mut name = path.file_stem().unwrap_or_default().to_os_string();
    name.push(format!("_{:0digits$}.png", index + 1));
    path.with_file_name(name)
}
