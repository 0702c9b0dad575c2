//! A clip or a sampled motion, read once: its frames' times and what the face does in each, with the frames themselves.
//!
//! For scrubbing, small copies of all frames are kept in memory (`proxies`). Jobs read the originals again when they draw, so
//! that they need memory for a few frames only.
//!
//! While a clip is read for scrubbing, snapshots show what there is of it so far.

mod memo;
mod proxies;
mod sampled;
#[cfg(test)]
mod snapshot_tests;
mod snapshots;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::document::{AuVector, Crop, MediaSource};
use crate::drive::au_track::{self, AuFrame, AuTrack, steps, track_rate};
use crate::drive::face_tracking::{Followed, follow, times};
use crate::drive::frames::{FrameSource, OriginalFrames};
use crate::drive::sample_clip::SampleClip;
use crate::error::{ClipError, EngineError};
use crate::face::found::canonical;
use crate::face::{Face, Mesh, Shape};
use crate::folders::file_name;
use crate::media::clip::ClipInfo;
use crate::media::image::Picture;
use crate::progress::Progress;
use crate::weights::CropRule;
use memo::Memo;
use proxies::{BUDGET, Proxies};
pub use snapshots::Show;
use snapshots::{Building, Pace};

/// What is known of a motion's frames, whatever they came from.
#[derive(Debug)]
pub struct ClipAnalysis {
    /// The file's name, or what a sample is called.
    pub name: String,
    /// Frames a second, in [`crate::document::Track::FPS`]; the mean where frames last differently.
    pub fps: f64,
    /// The same as the file says it.
    pub file_fps: f64,
    /// The number in the whole clip of the first frame that was read.
    pub offset: usize,
    /// Seconds of the whole clip at which every frame begins, rising; at least one.
    pub times: Vec<f64>,
    /// Pixels across and down of the original frames, in which squares and landmarks are given.
    pub size: (u32, u32),
    /// What the face does; `None` where no frame shows one, or none was looked for.
    pub track: Option<AuTrack>,
    /// Why the clip could not be read to its end.
    pub broken: Option<String>,
    /// Whether the reading has come to its end.
    complete: bool,
    meshes: Vec<Option<Mesh>>,
    frames: Arc<dyn FrameSource>,
    proxies: Option<Arc<Proxies>>,
    /// What was asked last of the track.
    unlike: Memo<Shape, Vec<Option<f32>>>,
    smoothed: Memo<au_track::Reading, Vec<Option<AuVector>>>,
}

/// What is looked for in the frames of a part of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// When they are shown.
    Times,
    /// The face's Action Units and shape as well.
    Faces,
    /// Its landmarks as well: what a square that follows the head needs.
    Landmarks,
}

impl ClipAnalysis {
    /// Reads a clip for scrubbing: one pass, at about the speed of finding faces. Of a clip that is damaged on the way the part
    /// before it is given.
    ///
    /// # Errors
    /// [`EngineError::Media`] when the file is no clip that Mien reads, [`EngineError`] for a clip that doesn't
    /// come with the program, [`EngineError::Cancelled`] when `progress` was asked to stop.
    pub fn read(source: &MediaSource, progress: &Progress) -> Result<Self, EngineError> {
        let (path, _sample) = file_of(source)?;
        Self::read_file(&path, BUDGET, progress, Pace::default(), None)
    }

    /// [`ClipAnalysis::read`] that shows what it has so far: first after a few frames, then at growing distances of at least half
    /// a second. A snapshot has the first of the clip's frames and knows that it isn't complete; it shares the small copies.
    ///
    /// # Errors
    /// Those of [`ClipAnalysis::read`].
    pub fn read_showing(
        source: &MediaSource,
        progress: &Progress,
        show: Show<'_>,
    ) -> Result<Self, EngineError> {
        let (path, _sample) = file_of(source)?;
        Self::read_file(&path, BUDGET, progress, Pace::default(), Some(show))
    }

    fn read_file(
        path: &Path,
        budget: usize,
        progress: &Progress,
        pace: Pace,
        show: Option<Show<'_>>,
    ) -> Result<Self, EngineError> {
        let originals = OriginalFrames::new(path.to_owned(), (None, None), None);
        let clip = originals.open()?;
        let info = *clip.info();
        progress.set_total(steps(&info).unwrap_or(0));
        let mut building = Building::new(file_name(path), info, budget, pace, show);
        let stop = || progress.cancel.is_cancelled();
        let seen = follow(clip, progress, |picture, seen| {
            building.push(picture, seen, &stop)
        })?;
        building.finish(&seen)
    }

    /// Reads a part of a clip, from one time to another in seconds, for a job: the frames are the originals.
    ///
    /// # Errors
    /// Those of [`ClipAnalysis::read`]; [`EngineError::Media`] where nothing is left of the clip.
    pub fn read_part(
        source: &MediaSource,
        cut: (Option<f64>, Option<f64>),
        reading: Reading,
        progress: &Progress,
    ) -> Result<Self, EngineError> {
        let (path, sample) = file_of(source)?;
        let name = file_name(&path);
        let frames = OriginalFrames::new(path, cut, sample);
        let clip = frames.open()?;
        let (info, offset) = (*clip.info(), clip.first());
        progress.add_total(steps(&info).unwrap_or(0));
        let mut seen = match reading {
            Reading::Times => times(clip, progress)?,
            _ => follow(clip, progress, |_, _| Ok(()))?,
        };
        let track = AuTrack::of(name.clone(), info.fps, &seen.faces, None);
        if reading == Reading::Faces {
            // The meshes are unused from here on: six kilobytes a frame.
            seen.faces.iter_mut().for_each(|(_, face)| *face = None);
        }
        Ok(Self {
            offset,
            ..Self::of(name, &info, &seen, track, Arc::new(frames), None)?
        })
    }

    /// What was read of a clip, with small copies of its frames.
    fn scrubbed(
        name: String,
        info: &ClipInfo,
        seen: &Followed,
        proxies: Arc<Proxies>,
    ) -> Result<Self, EngineError> {
        let track = AuTrack::of(name.clone(), info.fps, &seen.faces, None);
        let frames: Arc<dyn FrameSource> = proxies.clone();
        Self::of(name, info, seen, track, frames, Some(proxies))
    }

    fn of(
        name: String,
        info: &ClipInfo,
        seen: &Followed,
        track: Option<AuTrack>,
        frames: Arc<dyn FrameSource>,
        proxies: Option<Arc<Proxies>>,
    ) -> Result<Self, EngineError> {
        if seen.faces.is_empty() {
            return Err(ClipError::NoFrames { name }.into());
        }
        let mesh = |(_, face): &(f64, Option<Face>)| Some(face.as_ref()?.mesh.clone());
        Ok(Self {
            name,
            fps: track_rate(info.fps),
            file_fps: info.fps,
            offset: 0,
            times: seen.faces.iter().map(|(time, _)| *time).collect(),
            size: (info.width, info.height),
            track: track.map(|track| AuTrack {
                broken: seen.broken.clone(),
                ..track
            }),
            broken: seen.broken.clone(),
            complete: true,
            meshes: seen.faces.iter().map(mesh).collect(),
            frames,
            proxies,
            unlike: Memo::default(),
            smoothed: Memo::default(),
        })
    }

    /// How many frames there are, at least 1.
    pub fn frames(&self) -> usize {
        self.times.len()
    }

    /// Whether this is all of the clip that could be read, and not a snapshot of a reading that goes on.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The pictures of the frames.
    pub fn source(&self) -> &Arc<dyn FrameSource> {
        &self.frames
    }

    /// A frame `height` pixels high; `None` where there is no such frame, or no small copies are kept.
    pub fn thumbnail(&self, frame: usize, height: u32) -> Option<Picture> {
        self.proxies.as_ref()?.thumbnail(frame, height)
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
    pub fn unlike(&self, portrait: &Shape) -> Arc<Vec<Option<f32>>> {
        self.unlike.get(*portrait, || match &self.track {
            Some(track) => track.unlike(portrait),
            None => vec![None; self.frames()],
        })
    }

    /// The face's Action Units with their tremble taken out, as many as there are frames.
    pub(crate) fn smoothed(&self, reading: au_track::Reading) -> Arc<Vec<Option<AuVector>>> {
        self.smoothed.get(reading, || match &self.track {
            Some(track) => track.smoothed(reading),
            None => vec![None; self.frames()],
        })
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        let faces = self.meshes.iter().flatten().count();
        let units = size_of::<AuFrame>() + size_of::<Shape>();
        let proxies = self.proxies.as_ref().map_or(0, |proxies| proxies.bytes());
        proxies + faces * Mesh::POINTS * size_of::<[f32; 3]>() + self.frames() * units
    }
}

/// The file of a source, and what keeps the clip that comes with the program on the disk.
fn file_of(source: &MediaSource) -> Result<(PathBuf, Option<SampleClip>), EngineError> {
    match source {
        MediaSource::File(path) => Ok((path.clone(), None)),
        MediaSource::Bundled(name) => {
            let sample = SampleClip::write()?;
            if file_name(sample.path()) != *name {
                let name = name.clone();
                return Err(ClipError::UnknownSampleClip { name }.into());
            }
            Ok((sample.path().to_owned(), Some(sample)))
        }
    }
}
