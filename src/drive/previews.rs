//! Small clips of many samples, for the grid in which the artist chooses one.

use fast_image_resize::FilterType;

use crate::document::Sample;
use crate::error::{EngineError, InternalError};
use crate::media::image::Picture;
use crate::media::image::resample::resampled;
use crate::methods::mocogan::sampler::Sampler;
use crate::progress::Stop;

/// A preview to be generated: every frame of a sample, with a side in pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviewSpec {
    /// The codes.
    pub sample: Sample,
    /// Side of the frames in pixels.
    pub side: u32,
}

/// Generates previews in order; `each` receives the index in the list and the frames. Consecutive samples with the same
/// content and category share the network's prepared state. `stop` is polled every few frames, between layers.
///
/// # Errors
/// [`EngineError::Sample`] when a sample doesn't match the network's sizes, [`EngineError::Cancelled`] once `stop`
/// returns true, [`EngineError::Network`]. Previews passed to `each` before are complete.
pub fn generate_previews(
    sampler: &Sampler,
    takes: &[PreviewSpec],
    stop: Stop,
    mut each: impl FnMut(usize, Vec<Picture>),
) -> Result<(), EngineError> {
    let sizes = sampler.sizes();
    let mut prepared = None;
    for (i, PreviewSpec { sample, side }) in takes.iter().enumerate() {
        sample.check(&sizes)?;
        let shared = (&sample.content, sample.category);
        let start = match prepared.take() {
            Some((of, start)) if of == shared => start,
            _ => sampler.prepare(sample)?,
        };
        let frames = sampler.pictures(&start, sample, stop)?;
        prepared = Some((shared, start));
        let frames = frames
            .into_iter()
            .map(|frame| enlarged(frame, *side))
            .collect::<Result<_, _>>()?;
        each(i, frames);
    }
    Ok(())
}

/// Resizes a square frame; the software renderer doesn't enlarge smoothly.
fn enlarged(frame: Picture, side: u32) -> Result<Picture, EngineError> {
    if frame.width() == side {
        return Ok(frame);
    }
    let whole = (
        0.0,
        0.0,
        f64::from(frame.width()),
        f64::from(frame.height()),
    );
    resampled(&frame, whole, (side, side), FilterType::CatmullRom)
        .ok_or(InternalError::EmptyFrame.into())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;
    use crate::document::SampleSizes;

    fn sample(seed: u64, frames: usize) -> Sample {
        Sample::draw(seed, &SampleSizes::default(), frames, None).unwrap()
    }

    fn take(sample: Sample, side: u32) -> PreviewSpec {
        PreviewSpec { sample, side }
    }

    #[test]
    fn previews_rendered_in_a_batch_equal_previews_rendered_alone() {
        let sampler = Sampler::open(None).unwrap();
        let one = sample(1, 3);
        let wanted = [
            take(one.clone(), 64),
            take(one.resample_motion(2), 64),
            take(one.resample_content(3), 64),
        ];
        let mut all = Vec::new();
        generate_previews(&sampler, &wanted, &|| false, |i, frames| {
            assert_eq!(i, all.len());
            all.push(frames);
        })
        .unwrap();
        assert_eq!(all.len(), 3);
        for (i, together) in all.iter().enumerate() {
            generate_previews(&sampler, &wanted[i..=i], &|| false, |_, alone| {
                assert_eq!(&alone, together);
            })
            .unwrap();
        }
        assert!(all.iter().all(|frames| frames.len() == 3));
        assert_ne!(all[0], all[1]);
        assert_ne!(all[0], all[2]);
    }

    #[test]
    fn a_preview_has_the_requested_size() {
        let sampler = Sampler::open(None).unwrap();
        let wanted = [take(sample(1, 1), 100)];
        generate_previews(&sampler, &wanted, &|| false, |_, frames| {
            assert_eq!(frames[0].size(), (100, 100));
        })
        .unwrap();
    }

    #[test]
    fn cancelling_stops_between_frames_and_finished_previews_are_complete() {
        let sampler = Sampler::open(None).unwrap();
        let wanted = [take(sample(1, 4), 64), take(sample(2, 400), 64)];
        let (given, asked) = (AtomicUsize::new(0), AtomicUsize::new(0));
        // Well inside the second, whose four hundred frames would poll hundreds of times.
        let stop = || {
            let counted = usize::from(given.load(Relaxed) == 1);
            asked.fetch_add(counted, Relaxed) + counted > 20
        };
        let ended = generate_previews(&sampler, &wanted, &stop, |i, frames| {
            assert_eq!((i, frames.len()), (0, 4));
            given.fetch_add(1, Relaxed);
        });
        assert!(ended.unwrap_err().is_cancelled());
        assert_eq!(given.load(Relaxed), 1);
        let asked = asked.load(Relaxed);
        assert!(asked < 40, "{asked}");
    }

    #[test]
    fn a_sample_of_another_model_is_refused() {
        let sampler = Sampler::open(None).unwrap();
        let mut other = sample(1, 2);
        other.content.pop();
        let ended = generate_previews(&sampler, &[take(other, 64)], &|| false, |_, _| {});
        assert!(matches!(ended, Err(EngineError::Sample(_))));
    }
}
