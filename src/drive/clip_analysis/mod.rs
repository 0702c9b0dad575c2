//! A clip or a sampled motion, read once and kept in memory: small copies of its frames and what the face does in each,
//! so that it can be scrubbed at random.

mod proxies;
mod sampled;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::document::{ActionUnit, Crop, MediaSource};
use crate::drive::au_track::{AuTrack, steps, track_rate};
use crate::drive::face_tracking::{Followed, follow};
use crate::drive::sample_clip::SampleClip;
use crate::error::{ClipError, EngineError};
use crate::face::found::canonical;
use crate::face::{Mesh, Shape};
use crate::folders::file_name;
use crate::media::clip::Clip;
use crate::media::image::Picture;
use crate::progress::Progress;
use crate::weights::CropRule;
use proxies::{BUDGET, Proxies};

/// Frames to scrub, whatever they came from.
#[derive(Debug)]
pub struct Reel {
    /// The file's name, or what a sample is called.
    pub name: String,
    /// Frames a second, in [`crate::document::track::Track::FPS`]; the mean where frames last differently.
    pub fps: f64,
    /// Seconds from the start of every frame, rising; at least one.
    pub times: Vec<f64>,
    /// Pixels across and down of the original frames, in which squares and landmarks are told.
    pub size: (u32, u32),
    /// What the face does; nothing where no frame shows one.
    pub track: Option<AuTrack>,
    /// Why the clip could not be read to its end.
    pub broken: Option<String>,
    meshes: Vec<Option<Mesh>>,
    proxies: Proxies,
    /// The frame that was asked for last: several panes want the same.
    last: Mutex<Option<(usize, Arc<Picture>)>>,
}

impl Reel {
    /// Reads a clip: one pass, at about the speed of finding faces. Of a clip that is damaged on the way the part before
    /// it is given.
    ///
    /// # Errors
    /// [`EngineError::Media`] when the file is no clip that Mien reads, [`ClipError`] for a clip that doesn't
    /// come with the program, [`EngineError::Cancelled`] when `progress` was asked to stop.
    pub fn read(source: &MediaSource, progress: &Progress) -> Result<Reel, EngineError> {
        match source {
            MediaSource::File(path) => Self::read_file(path, BUDGET, progress),
            MediaSource::Bundled(name) => {
                let sample = SampleClip::write()?;
                if file_name(sample.path()) != *name {
                    return Err(ClipError::UnknownSampleClip { name: name.clone() }.into());
                }
                Self::read_file(sample.path(), BUDGET, progress)
            }
        }
    }

    fn read_file(path: &Path, budget: usize, progress: &Progress) -> Result<Reel, EngineError> {
        let clip = Clip::open(path)?;
        let info = *clip.info();
        progress.set_total(steps(&info).unwrap_or(0));
        let name = file_name(path);
        let size = (info.width, info.height);
        let mut proxies = Proxies::new(name.clone(), size, budget);
        let stop = || progress.cancel.is_cancelled();
        let seen = follow(clip, progress, |picture, face| {
            proxies.push(&picture, face.map(|face| &face.mesh), &stop)
        })?;
        if seen.faces.is_empty() {
            return Err(ClipError::NoFrames { name }.into());
        }
        Ok(Self::of((name, info.fps, size), seen, proxies))
    }

    fn of((name, fps, size): (String, f64, (u32, u32)), seen: Followed, proxies: Proxies) -> Self {
        let track = AuTrack::of(name.clone(), fps, &seen.faces, None);
        let (times, faces): (Vec<_>, Vec<_>) = seen.faces.into_iter().unzip();
        Self {
            name,
            fps: track_rate(fps),
            times,
            size,
            track: track.map(|track| AuTrack {
                broken: seen.broken.clone(),
                ..track
            }),
            broken: seen.broken,
            meshes: faces.into_iter().map(|face| Some(face?.mesh)).collect(),
            proxies,
            last: Mutex::default(),
        }
    }

    /// How many frames there are, at least 1.
    pub fn frames(&self) -> usize {
        self.proxies.len()
    }

    /// A frame's small copy, [`Reel::proxy_scale`] times the original's size; opaque.
    ///
    /// # Errors
    /// [`ClipError`] where there is no such frame.
    pub fn picture(&self, frame: usize) -> Result<Arc<Picture>, EngineError> {
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((kept, picture)) = &*last()
            && *kept == frame
        {
            return Ok(Arc::clone(picture));
        }
        let picture = Arc::new(self.proxies.picture(frame)?);
        *last() = Some((frame, Arc::clone(&picture)));
        Ok(picture)
    }

    /// Pixels of a small copy to a pixel of the original, in 0..=1.
    pub fn proxy_scale(&self) -> f64 {
        self.proxies.scale()
    }

    /// A frame so many pixels high; `None` where there is no such frame.
    pub fn thumbnail(&self, frame: usize, height: u32) -> Option<Picture> {
        self.proxies.thumbnail(frame, height)
    }

    /// The landmarks of a frame's face, in pixels of the original; `None` where it shows none.
    pub fn mesh(&self, frame: usize) -> Option<&Mesh> {
        self.meshes.get(frame)?.as_ref()
    }

    /// The square that a rule asks for of a frame's face, in pixels of the original; `None` where it shows none.
    pub fn square(&self, rule: &CropRule, frame: usize) -> Option<Crop> {
        Some(canonical(self.mesh(frame)?, rule, self.size))
    }

    /// How unlike the portrait's face that of each frame is in shape and pose, 0 for the same; as many as there are
    /// frames.
    pub fn unlike(&self, portrait: &Shape) -> Vec<Option<f32>> {
        match &self.track {
            Some(track) => track.unlike(portrait),
            None => vec![None; self.frames()],
        }
    }

    /// What a frame's pixels are known by: the same for the same pixels.
    pub(crate) fn content(&self, frame: usize) -> u64 {
        self.proxies.content(frame)
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        let faces = self.meshes.iter().flatten().count();
        let units = 2 * ActionUnit::COUNT * size_of::<f32>() + size_of::<Shape>();
        self.proxies.bytes() + faces * Mesh::POINTS * size_of::<[f32; 3]>() + self.frames() * units
    }
}
