//! A clip or a sampled motion, analysed once: frame times, the face in each frame, and the frames themselves.
//!
//! For scrubbing, small copies of all frames are kept in memory (`proxies`). Jobs decode the original frames again when they
//! render, so that only a few are in memory at a time.
//!
//! While a clip is being analysed for scrubbing, snapshots give access to the part analysed so far.

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
use crate::drive::face_tracking::{TrackedFaces, follow, times};
use crate::drive::frames::{FrameSource, OriginalFrames};
use crate::drive::sample_clip::SampleClip;
use crate::error::{ClipError, EngineError};
use crate::face::found::crop_by_rule;
use crate::face::{Face, Mesh, Shape};
use crate::folders::file_name;
use crate::media::clip::ClipInfo;
use crate::media::image::Picture;
use crate::progress::Progress;
use crate::weights::CropRule;
use memo::Memo;
use proxies::{BUDGET, Proxies};
pub use snapshots::OnSnapshot;
use snapshots::{AnalysisBuilder, Pace};

/// The analysed frames of a motion, from a clip or a sampler.
#[derive(Debug)]
pub struct ClipAnalysis {
    /// The file's name, or the name of a sample.
    pub name: String,
    /// Frames per second, in [`crate::document::Track::FPS`]; the mean if the frame durations vary.
    pub fps: f64,
    /// The frame rate in the file, not clamped.
    pub file_fps: f64,
    /// The index in the whole clip of the first analysed frame.
    pub offset: usize,
    /// The start time of every frame in seconds of the whole clip, ascending; at least one.
    pub times: Vec<f64>,
    /// Width and height of the original frames, the coordinate system of squares and landmarks.
    pub size: (u32, u32),
    /// The face's track; `None` where no frame shows a face, or faces weren't looked for.
    pub track: Option<AuTrack>,
    /// The error that ended the reading early, if any.
    pub read_error: Option<String>,
    /// Whether the analysis is finished.
    complete: bool,
    meshes: Vec<Option<Mesh>>,
    frames: Arc<dyn FrameSource>,
    proxies: Option<Arc<Proxies>>,
    /// Caches of the last results derived from the track.
    dissimilarity: Memo<Shape, Vec<Option<f32>>>,
    smoothed: Memo<au_track::Reading, Vec<Option<AuVector>>>,
}

/// What to analyse in the frames of a part of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The frame times only.
    Times,
    /// Also the face's Action Units and shape.
    Faces,
    /// Also the face's landmarks, which a square that follows the head needs.
    Landmarks,
}

impl ClipAnalysis {
    /// Analyses a clip for scrubbing in one pass, at about the speed of face tracking. A damaged clip is read up to the damage.
    ///
    /// # Errors
    /// [`EngineError::Media`] when Mien can't read the file as a clip, [`EngineError`] for a bundled clip that doesn't exist,
    /// [`EngineError::Cancelled`] when `progress` was cancelled.
    pub fn read(source: &MediaSource, progress: &Progress) -> Result<Self, EngineError> {
        let (path, _sample) = file_of(source)?;
        Self::read_file(&path, BUDGET, progress, Pace::default(), None)
    }

    /// [`ClipAnalysis::read`] with snapshots: the first after a few frames, then at growing intervals of at least half a second.
    /// A snapshot holds the frames so far, isn't complete, and shares the proxies.
    ///
    /// # Errors
    /// As [`ClipAnalysis::read`].
    pub fn read_showing(
        source: &MediaSource,
        progress: &Progress,
        show: OnSnapshot<'_>,
    ) -> Result<Self, EngineError> {
        let (path, _sample) = file_of(source)?;
        Self::read_file(&path, BUDGET, progress, Pace::default(), Some(show))
    }

    fn read_file(
        path: &Path,
        budget: usize,
        progress: &Progress,
        pace: Pace,
        show: Option<OnSnapshot<'_>>,
    ) -> Result<Self, EngineError> {
        let originals = OriginalFrames::new(path.to_owned(), (None, None), None);
        let clip = originals.open()?;
        let info = *clip.info();
        progress.set_total(steps(&info).unwrap_or(0));
        let mut builder = AnalysisBuilder::new(file_name(path), info, budget, pace, show);
        let stop = || progress.cancel.is_cancelled();
        let tracked = follow(clip, progress, |picture, tracked| {
            builder.push(picture, tracked, &stop)
        })?;
        builder.finish(&tracked)
    }

    /// Analyses a part of a clip, between two times in seconds, for a job; its source gives the original frames.
    ///
    /// # Errors
    /// As [`ClipAnalysis::read`]; [`EngineError::Media`] where the part contains no frame.
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
        let mut tracked = match reading {
            Reading::Times => times(clip, progress)?,
            _ => follow(clip, progress, |_, _| Ok(()))?,
        };
        let track = AuTrack::of(name.clone(), info.fps, &tracked.faces, None);
        if reading == Reading::Faces {
            // The meshes are no longer needed: six kilobytes per frame.
            tracked.faces.iter_mut().for_each(|(_, face)| *face = None);
        }
        Ok(Self {
            offset,
            ..Self::of(name, &info, &tracked, track, Arc::new(frames), None)?
        })
    }

    /// Creates an analysis whose source is the proxies.
    fn scrubbed(
        name: String,
        info: &ClipInfo,
        tracked: &TrackedFaces,
        proxies: Arc<Proxies>,
    ) -> Result<Self, EngineError> {
        let track = AuTrack::of(name.clone(), info.fps, &tracked.faces, None);
        let frames: Arc<dyn FrameSource> = proxies.clone();
        Self::of(name, info, tracked, track, frames, Some(proxies))
    }

    fn of(
        name: String,
        info: &ClipInfo,
        tracked: &TrackedFaces,
        track: Option<AuTrack>,
        frames: Arc<dyn FrameSource>,
        proxies: Option<Arc<Proxies>>,
    ) -> Result<Self, EngineError> {
        if tracked.faces.is_empty() {
            return Err(ClipError::NoFrames { name }.into());
        }
        let mesh = |(_, face): &(f64, Option<Face>)| Some(face.as_ref()?.mesh.clone());
        Ok(Self {
            name,
            fps: track_rate(info.fps),
            file_fps: info.fps,
            offset: 0,
            times: tracked.faces.iter().map(|(time, _)| *time).collect(),
            size: (info.width, info.height),
            track: track.map(|track| AuTrack {
                read_error: tracked.read_error.clone(),
                ..track
            }),
            read_error: tracked.read_error.clone(),
            complete: true,
            meshes: tracked.faces.iter().map(mesh).collect(),
            frames,
            proxies,
            dissimilarity: Memo::default(),
            smoothed: Memo::default(),
        })
    }

    /// Returns the number of frames, at least 1.
    pub fn frames(&self) -> usize {
        self.times.len()
    }

    /// Returns whether this is everything that could be read of the clip, and not a snapshot.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Returns the source of the frames' pictures.
    pub fn source(&self) -> &Arc<dyn FrameSource> {
        &self.frames
    }

    /// Returns a frame scaled to `height` pixels; `None` where there is no such frame, or there are no proxies.
    pub fn thumbnail(&self, frame: usize, height: u32) -> Option<Picture> {
        self.proxies.as_ref()?.thumbnail(frame, height)
    }

    /// Returns the landmarks of a frame's face, in pixels of the original; `None` where there is no face.
    pub fn mesh(&self, frame: usize) -> Option<&Mesh> {
        self.meshes.get(frame)?.as_ref()
    }

    /// Returns a crop rule's square for a frame's face, in pixels of the original; `None` where there is no face.
    pub fn square(&self, rule: &CropRule, frame: usize) -> Option<Crop> {
        Some(crop_by_rule(self.mesh(frame)?, rule, self.size))
    }

    /// Returns the dissimilarity in shape and pose between the portrait's face and each frame's, 0 for the same; one entry per
    /// frame.
    pub fn dissimilarity(&self, portrait: &Shape) -> Arc<Vec<Option<f32>>> {
        self.dissimilarity.get(*portrait, || match &self.track {
            Some(track) => track.dissimilarity(portrait),
            None => vec![None; self.frames()],
        })
    }

    /// Returns the smoothed Action Units of the face, one entry per frame.
    pub(crate) fn smoothed(&self, reading: au_track::Reading) -> Arc<Vec<Option<AuVector>>> {
        self.smoothed.get(reading, || match &self.track {
            Some(track) => track.smoothed(reading),
            None => vec![None; self.frames()],
        })
    }

    /// Returns the approximate memory use.
    pub fn bytes(&self) -> usize {
        let faces = self.meshes.iter().flatten().count();
        let units = size_of::<AuFrame>() + size_of::<Shape>();
        let proxies = self.proxies.as_ref().map_or(0, |proxies| proxies.bytes());
        proxies + faces * Mesh::POINTS * size_of::<[f32; 3]>() + self.frames() * units
    }
}

/// Returns the path of a source, and a guard that keeps the bundled clip on the disk.
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
