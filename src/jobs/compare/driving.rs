//! What drives a comparison, whatever it began as: a clip whose frames, times and faces are known.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use crate::document::Mode;
use crate::document::{Document, Sample};
use crate::drive::au_track::AuTrack;
use crate::error::{ClipError, EngineError, FaceError};
use crate::face::portrait::Portrait;
use crate::face::{OneEuro, shape68};
use crate::folders::file_name;
use crate::jobs::compare::Comparison;
use crate::jobs::export::export;
use crate::jobs::export::{ExportJob, Format};
use crate::jobs::output::Output;
use crate::jobs::remark::Remark;
use crate::jobs::sample::{SampleJob, sample};
use crate::jobs::transfer::{Drive, Reference, Transferred};
use crate::media::clip::{Clip, NUMBERED_FPS};
use crate::media::encode::LoopCount;
use crate::methods::ganimation::model::Model;
use crate::methods::ganimation::session::{Pane, Scene};
use crate::methods::mocogan::sampler::Sampler;
use crate::progress::Progress;

/// A motion that every method can be driven by.
#[derive(Debug)]
pub enum Motion {
    /// A clip, from one time to another in seconds, shown at so many frames a second where it isn't to be its own rate.
    Clip {
        path: PathBuf,
        cut: (Option<f64>, Option<f64>),
        fps: Option<f64>,
    },
    /// An expression track: GANimation follows it directly, the others the clip that GANimation makes of it.
    Track(Box<Tracked>),
    /// A clip that MoCoGAN makes up, at so many frames a second.
    Sample {
        sampler: Box<Sampler>,
        codes: Sample,
        fps: f64,
    },
}

/// An expression track with the network that draws it.
#[derive(Debug)]
pub struct Tracked {
    pub model: Arc<Model>,
    /// The portrait's document for this network, with the track.
    pub document: Document,
}

/// Pixels a side of the face's square in a clip that is made for driving alone: no network sees more.
const ENOUGH: f64 = 512.0;

/// Pixels a side of a sampled clip's frames, so that faces are found in them.
const SAMPLE_SIDE: u32 = 256;

impl Motion {
    /// Frames a second of what is shown.
    ///
    /// # Errors
    /// [`EngineError::Media`] when the clip can't be read.
    pub(crate) fn fps(&self) -> Result<f64, EngineError> {
        match self {
            Motion::Clip { fps: Some(fps), .. } | Motion::Sample { fps, .. } => Ok(*fps),
            Motion::Clip { path, .. } => Ok(Clip::open(path)?.info().fps),
            Motion::Track(tracked) => Ok(tracked.document.track.fps()),
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Motion::Clip { .. } => "Driving clip",
            Motion::Track(_) => "Driving track",
            Motion::Sample { .. } => "Driving sample",
        }
    }
}

/// The driving clip, read once.
pub(crate) struct Driving {
    /// The clip, and how it drives but for the mode.
    pub drive: Drive,
    /// Seconds of every frame that can be read, at least one.
    pub times: Vec<f64>,
    /// What its face shows; nothing where there is none.
    pub track: Option<AuTrack>,
    /// Frames a second of the clip's own time at which it is shown.
    pub rate: f64,
    /// The clip's frame that is shown in each frame of the sheet; never backwards.
    pub schedule: Vec<usize>,
    pub title: &'static str,
    pub name: String,
    /// Seconds of the shown time that one of the clip's own lasts.
    pace: f64,
    /// Frames that were made for this comparison alone.
    _folder: Option<TempDir>,
}

impl Driving {
    /// Makes a clip of the motion where it isn't one, and reads it. `shown` is the rate of the sheet.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`], and those of reading clips and of making them.
    pub fn of(
        comparison: &Comparison,
        shown: f64,
        progress: &Progress,
        told: &mut Transferred,
    ) -> Result<Self, EngineError> {
        let contenders = comparison.standings.len();
        let (clip, cut, name, folder) = match &comparison.motion {
            Motion::Clip { path, cut, .. } => (path.clone(), *cut, file_name(path), None),
            Motion::Track(tracked) => {
                let name = tracked.model.name().to_owned();
                let (folder, frames) = temporary(&name)?;
                let count = tracked.document.track.order().len();
                progress.set_total(count * (contenders + 2));
                render(tracked, &comparison.portrait, &frames, progress)?;
                (frames, (None, None), name, Some(folder))
            }
            Motion::Sample { sampler, codes, .. } => {
                let name = sampler.name().to_owned();
                let (folder, frames) = temporary(&name)?;
                draw(sampler, codes, &frames, progress)?;
                (frames, (None, None), name, Some(folder))
            }
        };
        let drive = Drive {
            clip,
            cut,
            mode: Mode::Relative,
            reference: comparison.reference,
            gain: comparison.gain,
            smoothing: OneEuro::default(),
            plain: comparison.plain,
            sound: false,
        };
        let passes = contenders + 1 + usize::from(folder.is_some());
        let read = AuTrack::read_part(&drive.clip, drive.cut, None, progress, passes);
        let (track, times) = match read {
            Ok(track) => {
                let times: Vec<f64> = track.frames.iter().map(|frame| frame.time).collect();
                told.remarks.extend(track.broken.clone().map(Remark::from));
                if track.faceless() > 0 {
                    told.remarks.push(Remark::Faceless {
                        faceless: track.faceless(),
                        frames: times.len(),
                        name: name.clone(),
                    });
                }
                (Some(track), times)
            }
            Err(EngineError::Face(error)) => {
                let moves = comparison.only_moves();
                let remark = match folder {
                    Some(_) if moves => Remark::NoFaceInDrawn { name: name.clone() },
                    Some(_) => return Err(FaceError::NoneInDrawn { name }.into()),
                    None if moves => Remark::Face(error),
                    None => return Err(error.into()),
                };
                // The motion methods move other things too.
                told.remarks.push(remark);
                (None, times(&drive, progress)?)
            }
            Err(error) => return Err(error),
        };
        // Frames that were made for this are shown one by one, however fast.
        let rate = if folder.is_some() {
            NUMBERED_FPS
        } else {
            shown
        };
        Ok(Self {
            schedule: schedule(&times, rate),
            pace: rate / shown,
            title: comparison.motion.title(),
            drive,
            times,
            track,
            rate,
            name,
            _folder: folder,
        })
    }

    /// The number of the reference frame for a mode, from 0.
    ///
    /// # Errors
    /// [`EngineError::Clip`] for a number beyond the clip's.
    pub fn reference(
        &self,
        mode: Mode,
        portrait: &Portrait,
        document: &Document,
        told: &mut Transferred,
    ) -> Result<usize, EngineError> {
        match self.drive.reference {
            Reference::Frame(frame) if frame < self.times.len() => return Ok(frame),
            Reference::Frame(frame) => return Err(self.drive.no_frame(frame)),
            Reference::Auto if mode != Mode::Relative => return Ok(0),
            Reference::Auto => {}
        }
        let face = document.face.and_then(|face| portrait.faces.get(face));
        let best = face
            .zip(self.track.as_ref())
            .and_then(|(face, track)| track.most_like(&shape68(&face.mesh)));
        match best {
            Some((frame, unlike)) => {
                told.reference = Some((frame, Some(unlike)));
                Ok(frame)
            }
            None => {
                told.remarks.push(Remark::NoReference);
                Ok(0)
            }
        }
    }

    /// Seconds of the clip at which one of its frames is shown; of a motion that was made for this, of the sheet.
    pub fn time(&self, frame: usize) -> f64 {
        self.times[frame] * self.pace
    }
}

/// Which of the frames that begin at these times is shown in each frame at a rate: the nearest. They are as many as
/// [`AuTrack::poses_at`] gives poses, and of the same frames.
fn schedule(times: &[f64], rate: f64) -> Vec<usize> {
    let (Some(&start), Some(&end)) = (times.first(), times.last()) else {
        return Vec::new();
    };
    let count = ((end - start) * rate).round().max(0.0) as usize + 1;
    let nearest = |time: f64| {
        let after = times.partition_point(|t| *t < time);
        let gap = |i: usize| times.get(i).map_or(f64::MAX, |t| (t - time).abs());
        match after.checked_sub(1) {
            Some(before) if gap(before) <= gap(after) => before,
            _ => after.min(times.len() - 1),
        }
    };
    (0..count)
        .map(|i| nearest(start + i as f64 / rate))
        .collect()
}

/// The times of a clip's frames, by reading it.
fn times(drive: &Drive, progress: &Progress) -> Result<Vec<f64>, EngineError> {
    let mut times = Vec::new();
    for frame in drive.open()? {
        if progress.cancel.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        match frame {
            Ok(frame) => times.push(frame.time),
            Err(error) if times.is_empty() => return Err(error.into()),
            Err(_) => break,
        }
    }
    Ok(times)
}

/// The scenes of a track, in the order in which they are shown once.
pub(crate) fn scenes(tracked: &Tracked, document: &Document) -> Vec<Scene> {
    let order = tracked.document.track.order().into_iter();
    order
        .map(|frame| Scene {
            target: tracked.document.target(frame),
            ..Scene::of(document, 0)
        })
        .collect()
}

/// The clip of a track, drawn by GANimation.
fn render(
    tracked: &Tracked,
    portrait: &Portrait,
    folder: &Path,
    progress: &Progress,
) -> Result<(), EngineError> {
    let document = &tracked.document;
    let job = ExportJob {
        portrait: Arc::clone(&portrait.picture),
        face: document
            .face
            .and_then(|face| portrait.faces.get(face).cloned()),
        scenes: scenes(tracked, document),
        panes: vec![Pane::Result],
        format: Format::PngSequence,
        fps: document.track.fps(),
        loops: LoopCount::Forever,
        scale: (ENOUGH / f64::from(document.crop.side)).clamp(0.01, 1.0),
        sound: None,
        marked: false,
        quality: None,
        part: None,
        path: folder.join("frame.png"),
    };
    export(&tracked.model, &job, progress).map(drop)
}

/// The clip of a sample, drawn by MoCoGAN.
fn draw(
    sampler: &Sampler,
    codes: &Sample,
    folder: &Path,
    progress: &Progress,
) -> Result<(), EngineError> {
    let job = SampleJob {
        sample: codes.clone(),
        fps: NUMBERED_FPS,
        side: SAMPLE_SIDE,
        output: Output {
            format: Format::PngSequence,
            loops: LoopCount::Forever,
            scale: 1.0,
            marked: false,
            quality: None,
            part: None,
            path: folder.join("frame.png"),
        },
    };
    sample(sampler, &job, progress)
}

/// A folder of a name, within one that is there as long as the first is kept.
fn temporary(name: &str) -> Result<(TempDir, PathBuf), EngineError> {
    let refused = ClipError::DrivingFramesNotWritten;
    let folder = tempfile::Builder::new()
        .prefix("mien-")
        .tempdir()
        .map_err(refused)?;
    let frames = folder.path().join(name);
    std::fs::create_dir(&frames).map_err(refused)?;
    Ok((folder, frames))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_is_shown_at_its_own_rate_and_the_nearest_at_another() {
        let times: Vec<f64> = (0..50).map(|i| 2.0 + f64::from(i) / 25.0).collect();
        assert_eq!(schedule(&times, 25.0), (0..50).collect::<Vec<_>>());
        assert_eq!(schedule(&times[..5], 12.5), [0, 2, 4]);
        assert_eq!(schedule(&times[..2], 75.0), [0, 0, 1, 1]);
        assert_eq!(schedule(&[0.0, 0.1, 0.4], 10.0), [0, 1, 1, 2, 2]);
        assert_eq!(schedule(&times[..1], 25.0), [0]);
        assert!(schedule(&[], 25.0).is_empty());
    }
}
