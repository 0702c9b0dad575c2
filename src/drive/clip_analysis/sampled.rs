//! MoCoGAN's sampled frames as a clip.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use fast_image_resize::FilterType;

use crate::document::Sample;
use crate::drive::au_track::{AuTrack, track_rate};
use crate::drive::clip_analysis::ClipAnalysis;
use crate::drive::clip_analysis::proxies::BUDGET;
use crate::drive::clip_analysis::snapshots::{AnalysisBuilder, OnSnapshot, Pace};
use crate::drive::face_tracking::{TrackedFaces, next};
use crate::drive::frames::{FrameSource, missing};
use crate::error::{EngineError, InternalError};
use crate::face::{Face, Tracker};
use crate::media::clip::ClipInfo;
use crate::media::image::Picture;
use crate::media::image::resample::resampled;
use crate::methods::mocogan::sampler::Sampler;
use crate::progress::Progress;

/// Side in pixels to which frames are enlarged: at the network's 64 pixels, a face is too small to be tracked.
const SIDE: u32 = 256;

/// Border in pixels added for face detection: the network's faces fill their frames, and the detector expects some space
/// around a head.
/// something around them.
const AROUND: u32 = 64;

impl ClipAnalysis {
    /// Generates a sample's frames at `fps`, enlarged smoothly, with proxies. They count as the original frames.
    ///
    /// # Errors
    /// [`EngineError`] when the sample doesn't match the network's sizes, [`EngineError::Cancelled`] when `progress` was
    /// cancelled.
    pub fn of_sample(
        sampler: &Sampler,
        sample: &Sample,
        fps: f64,
        progress: &Progress,
    ) -> Result<Self, EngineError> {
        Self::drawn(sampler, sample, fps, progress, None)
    }

    /// [`ClipAnalysis::of_sample`] with snapshots, as for [`ClipAnalysis::read_showing`].
    ///
    /// # Errors
    /// As [`ClipAnalysis::of_sample`].
    pub fn of_sample_showing(
        sampler: &Sampler,
        sample: &Sample,
        fps: f64,
        progress: &Progress,
        show: OnSnapshot<'_>,
    ) -> Result<Self, EngineError> {
        Self::drawn(sampler, sample, fps, progress, Some(show))
    }

    fn drawn(
        sampler: &Sampler,
        sample: &Sample,
        fps: f64,
        progress: &Progress,
        show: Option<OnSnapshot<'_>>,
    ) -> Result<Self, EngineError> {
        progress.set_total(sample.frames());
        let stop = || progress.cancel.is_cancelled();
        let info = info(sample, fps);
        let mut builder =
            AnalysisBuilder::new(NAME.to_owned(), info, BUDGET, Pace::default(), show);
        let tracked = look(sampler, sample, &info, progress, |frame, tracked| {
            builder.push(frame, tracked, &stop)
        })?;
        builder.finish(&tracked)
    }

    /// The same for a job: frames are generated again on access.
    ///
    /// # Errors
    /// As [`ClipAnalysis::of_sample`].
    pub fn of_sample_frames(
        sampler: &Arc<Sampler>,
        sample: &Sample,
        fps: f64,
        progress: &Progress,
    ) -> Result<Self, EngineError> {
        progress.add_total(sample.frames());
        let info = info(sample, fps);
        let tracked = look(sampler, sample, &info, progress, |_, _| Ok(()))?;
        let track = AuTrack::of(NAME.to_owned(), info.fps, &tracked.faces, None);
        let frames = SampleFrames::new(Arc::clone(sampler), sample.clone());
        Self::of(
            NAME.to_owned(),
            &info,
            &tracked,
            track,
            Arc::new(frames),
            None,
        )
    }
}

/// The frames of a sample, generated on access.
#[derive(Debug)]
pub struct SampleFrames {
    sampler: Arc<Sampler>,
    sample: Sample,
    last: Mutex<Option<(usize, Arc<Picture>)>>,
}

impl SampleFrames {
    pub fn new(sampler: Arc<Sampler>, sample: Sample) -> Self {
        Self {
            sampler,
            sample,
            last: Mutex::default(),
        }
    }
}

impl FrameSource for SampleFrames {
    fn picture(&self, frame: usize) -> Result<Arc<Picture>, EngineError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((kept, picture)) = &*last
            && *kept == frame
        {
            return Ok(Arc::clone(picture));
        }
        let mut drawn = None;
        self.sampler
            .frames(&self.sample, frame..frame + 1, &|| false, |picture| {
                drawn = Some(enlarged(&picture)?);
                Ok(())
            })?;
        let picture = Arc::new(drawn.ok_or_else(|| missing(frame))?);
        *last = Some((frame, Arc::clone(&picture)));
        Ok(picture)
    }

    fn scale(&self) -> f64 {
        1.0
    }

    fn digest(&self, frame: usize) -> u64 {
        let mut hasher = DefaultHasher::new();
        let sample = &self.sample;
        for codes in [&sample.content, &sample.h0] {
            codes
                .iter()
                .for_each(|value| value.to_bits().hash(&mut hasher));
        }
        for step in &sample.epsilon {
            step.iter()
                .for_each(|value| value.to_bits().hash(&mut hasher));
        }
        (sample.category, self.sampler.name(), frame).hash(&mut hasher);
        hasher.finish()
    }

    fn is_original(&self) -> bool {
        true
    }
}

/// The name of a sample.
const NAME: &str = "the sampled motion";

fn info(sample: &Sample, fps: f64) -> ClipInfo {
    ClipInfo {
        width: SIDE,
        height: SIDE,
        fps: track_rate(fps),
        frames: Some(sample.frames()),
        seconds: None,
    }
}

/// Generates every frame and tracks the face. `each` receives every frame with the results up to and including it.
fn look(
    sampler: &Sampler,
    sample: &Sample,
    info: &ClipInfo,
    progress: &Progress,
    mut each: impl FnMut(&Picture, &TrackedFaces) -> Result<(), EngineError>,
) -> Result<TrackedFaces, EngineError> {
    let stop = || progress.cancel.is_cancelled();
    let mut tracker = Tracker::default();
    let mut tracked = TrackedFaces::default();
    sampler.frames(sample, 0..sample.frames(), &stop, |frame| {
        if stop() {
            return Err(EngineError::Cancelled);
        }
        let frame = enlarged(&frame)?;
        let face = found(&mut tracker, &frame)?;
        tracked
            .faces
            .push((tracked.faces.len() as f64 / info.fps, face));
        each(&frame, &tracked)?;
        progress.step();
        Ok(())
    })?;
    if stop() {
        return Err(EngineError::Cancelled);
    }
    Ok(tracked)
}

/// Enlarges a generated frame to the size at which its face is tracked.
pub(crate) fn enlarged(frame: &Picture) -> Result<Picture, EngineError> {
    let (width, height) = frame.size();
    let whole = (0.0, 0.0, f64::from(width), f64::from(height));
    resampled(frame, whole, (SIDE, SIDE), FilterType::CatmullRom)
        .ok_or_else(|| InternalError::EmptyFrame.into())
}

/// Tracks the face in an enlarged frame with a border added.
fn found(tracker: &mut Tracker, frame: &Picture) -> Result<Option<Face>, EngineError> {
    let Some(mut face) = next(tracker, &bordered(frame, AROUND)?)? else {
        return Ok(None);
    };
    let back = AROUND as f32;
    let Some(mesh) = face.mesh.map(|[x, y, z]| [x - back, y - back, z]) else {
        return Ok(None);
    };
    face.mesh = mesh;
    // Its coordinates include the border.
    face.detection = None;
    Ok(Some(face))
}

/// Adds a border that repeats the picture's edge.
fn bordered(picture: &Picture, around: u32) -> Result<Picture, EngineError> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let around = around as usize;
    let (across, down) = (width + 2 * around, height + 2 * around);
    let mut rgba = Vec::with_capacity(4 * across * down);
    for y in 0..down {
        let row = y.saturating_sub(around).min(height - 1);
        let row = &picture.rgba()[4 * width * row..][..4 * width];
        for x in 0..across {
            let column = x.saturating_sub(around).min(width - 1);
            rgba.extend_from_slice(&row[4 * column..][..4]);
        }
    }
    Ok(Picture::new(across as u32, down as u32, rgba)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_border_repeats_the_edge_pixels_and_keeps_the_interior() {
        let rgba: Vec<u8> = (0..3 * 2).flat_map(|i| [10 * i as u8, 0, 0, 255]).collect();
        let picture = Picture::new(3, 2, rgba).unwrap();
        let large = bordered(&picture, 2).unwrap();
        assert_eq!(large.size(), (7, 6));
        let red = |x: usize, y: usize| large.rgba()[4 * (7 * y + x)];
        assert_eq!([red(0, 0), red(2, 2), red(4, 3), red(6, 5)], [0, 0, 50, 50]);
        assert_eq!([red(3, 0), red(3, 2), red(0, 3)], [10, 10, 30]);
    }
}
