//! Sources of a driver's pictures: the original frames of a clip or a sampled motion, or proxies for scrubbing.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::drive::sample_clip::SampleClip;
use crate::error::{ClipError, EngineError};
use crate::media::clip::Clip;
use crate::media::image::Picture;

/// The pictures of a motion, by index from 0.
pub trait FrameSource: Send + Sync + fmt::Debug {
    /// # Errors
    /// [`EngineError::Media`] where it can't be read; [`EngineError`] where there is no such frame.
    fn picture(&self, frame: usize) -> Result<Arc<Picture>, EngineError>;

    /// Returns the size of a picture relative to the original, in 0..=1.
    fn scale(&self) -> f64;

    /// Returns a cache key of a frame's pixels: equal keys mean equal pixels.
    fn digest(&self, frame: usize) -> u64;

    /// Returns whether these are the original frames.
    fn is_original(&self) -> bool;
}

/// Maximum size of the cached frames in bytes, so that a few steps back are free.
const CACHE_BYTES: usize = 192 << 20;

/// The frames of a file, decoded in order, with only a few in memory. Going back decodes the clip again up to that frame and
/// caches the frames before it, so that playing backwards decodes it once for each stretch that fits into memory.
pub struct OriginalFrames {
    path: PathBuf,
    cut: (Option<f64>, Option<f64>),
    /// Keeps the bundled clip on the disk.
    _sample: Option<SampleClip>,
    reader: Mutex<Reader>,
}

#[derive(Default)]
struct Reader {
    clip: Option<Clip>,
    /// The index of the next frame.
    next: usize,
    /// The frames decoded last, with their indices.
    cached: VecDeque<(usize, Arc<Picture>)>,
    bytes: usize,
}

impl OriginalFrames {
    /// Creates the source for the frames between two times, in seconds of the whole clip.
    pub fn new(path: PathBuf, cut: (Option<f64>, Option<f64>), sample: Option<SampleClip>) -> Self {
        Self {
            path,
            cut,
            _sample: sample,
            reader: Mutex::default(),
        }
    }

    /// Opens the part of the clip again.
    ///
    /// # Errors
    /// If the clip can't be opened.
    pub fn open(&self) -> Result<Clip, EngineError> {
        let (from, to) = self.cut;
        Ok(Clip::open(&self.path)?.trim(from, to)?)
    }
}

impl Reader {
    fn cache(&mut self, frame: usize, picture: &Arc<Picture>) {
        self.bytes += picture.rgba().len();
        self.cached.push_back((frame, Arc::clone(picture)));
        while self.bytes > CACHE_BYTES && self.cached.len() > 2 {
            if let Some((_, oldest)) = self.cached.pop_front() {
                self.bytes -= oldest.rgba().len();
            }
        }
    }
}

impl FrameSource for OriginalFrames {
    fn picture(&self, frame: usize) -> Result<Arc<Picture>, EngineError> {
        // After a panic the clip still returns frames, or an error.
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, picture)) = reader.cached.iter().find(|(index, _)| *index == frame) {
            return Ok(Arc::clone(picture));
        }
        if reader.clip.is_none() || frame < reader.next {
            *reader = Reader {
                clip: Some(self.open()?),
                ..Reader::default()
            };
        }
        loop {
            let Some(clip) = &mut reader.clip else {
                return Err(missing(frame));
            };
            let next = clip.next().ok_or_else(|| missing(frame))?;
            let picture = Arc::new(next?.picture);
            let number = reader.next;
            reader.next += 1;
            reader.cache(number, &picture);
            if number == frame {
                return Ok(picture);
            }
        }
    }

    fn scale(&self) -> f64 {
        1.0
    }

    fn digest(&self, frame: usize) -> u64 {
        let (from, to) = self.cut;
        let mut hasher = DefaultHasher::new();
        (&self.path, from.map(f64::to_bits), to.map(f64::to_bits)).hash(&mut hasher);
        frame.hash(&mut hasher);
        hasher.finish()
    }

    fn is_original(&self) -> bool {
        true
    }
}

impl fmt::Debug for OriginalFrames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OriginalFrames")
            .field("path", &self.path)
            .field("cut", &self.cut)
            .finish_non_exhaustive()
    }
}

pub(crate) fn missing(frame: usize) -> EngineError {
    ClipError::Missing { frame: frame + 1 }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn original_frames_can_be_read_in_any_order() {
        let sample = SampleClip::write().unwrap();
        let path = sample.path().to_owned();
        let frames = OriginalFrames::new(path, (None, None), Some(sample));
        let all: Vec<_> = frames.open().unwrap().map(|f| f.unwrap().picture).collect();
        for frame in [5, 6, 2, 9, 0, 8] {
            assert!(*frames.picture(frame).unwrap() == all[frame], "{frame}");
        }
        let beyond = frames.picture(all.len()).unwrap_err().to_string();
        assert!(beyond.contains("no frame"), "{beyond}");
        assert_ne!(frames.digest(1), frames.digest(2));
    }
}
