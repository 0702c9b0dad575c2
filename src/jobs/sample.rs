//! Writes sampled motions as clips.

use fast_image_resize::FilterType;

use crate::document::Sample;
use crate::error::{EngineError, InternalError};
use crate::jobs::output::{Output, Writer};
use crate::media::image::resample::resampled;
use crate::media::provenance::SourceType;
use crate::methods::mocogan::sampler::Sampler;
use crate::progress::Progress;

/// A sample to write as a clip.
#[derive(Debug, Clone)]
pub struct SampleJob {
    /// The codes of the clip.
    pub sample: Sample,
    /// Frames per second; the published network was trained at 8.
    pub fps: f64,
    /// Side of the output in pixels; the network's 64 are upscaled smoothly.
    pub side: u32,
    /// The file to write.
    pub output: Output,
}

/// Generates a sample's frames and writes them.
///
/// # Errors
/// [`EngineError::Sample`] when the sample doesn't have this network's sizes or lacks the part, [`EngineError::Cancelled`]
/// when `progress` was cancelled, [`EngineError::Media`] when the file can't be written. An existing file of that name is
/// then unchanged.
pub fn sample(sampler: &Sampler, job: &SampleJob, progress: &Progress) -> Result<(), EngineError> {
    let stop = || progress.cancel.is_cancelled();
    let total = job.sample.frames();
    let wanted = job
        .output
        .part
        .map_or(Ok(0..total), |part| part.within(total))?;
    progress.set_total(wanted.len());
    let size = (job.side, job.side);
    let note = job
        .output
        .note(sampler.name(), SourceType::TrainedAlgorithmicMedia);
    let mut writer = Writer::new(&job.output, size, job.output.rate(job.fps), note)?;
    if job.output.part.is_some() {
        writer.set_numbers(wanted.start, total);
    }
    sampler.frames(&job.sample, wanted, &stop, |frame| {
        let side = f64::from(frame.width());
        let whole = (0.0, 0.0, side, side);
        let large = resampled(&frame, whole, size, FilterType::CatmullRom)
            .ok_or(InternalError::EmptyFrame)?;
        writer.push(&large)?;
        progress.step();
        Ok(())
    })?;
    if stop() {
        return Err(EngineError::Cancelled);
    }
    writer.finish()
}
