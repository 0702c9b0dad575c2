//! Sampled motions: MoCoGAN with its weights, and its samples as pictures.

use std::ops::Range;
use std::path::Path;

use candle_core::Tensor;

use crate::document::{Sample, SampleSizes};
use crate::error::{EngineError, MethodError};
use crate::media::image::Picture;
use crate::methods::device::{device, precision};
use crate::methods::error::Error;
use crate::methods::mocogan::config::Config;
use crate::methods::mocogan::generator::{MoCoGan, Prepared};
use crate::nn::Weights;
use crate::progress::Stop;
use crate::weights::find::open_weights;
use crate::weights::{Bundled, WeightsError};

/// A network that generates clips from noise.
pub struct Sampler {
    name: String,
    network: MoCoGan,
}

impl Sampler {
    /// Opens the weights at a path or of an installed name; with `None`, those that come with the program.
    ///
    /// # Errors
    /// [`EngineError::Method`] if `weights` is neither a file nor a name, [`EngineError::Weights`] if the file is
    /// missing, damaged, of another architecture, or inconsistent with its metadata.
    pub fn open(weights: Option<&Path>) -> Result<Self, EngineError> {
        let (path, file) = open_weights(Bundled::Mocogan, weights, device())?;
        let mismatch = |error: Error| WeightsError::Mismatch {
            path: path.clone(),
            reason: error.to_string().trim_end_matches('.').to_owned(),
        };
        let config = Config::from_json(&file.metadata.config.to_string()).map_err(mismatch)?;
        if config.channels != 3 {
            let reason = format!("its frames have {} channels, not 3", config.channels);
            return Err(WeightsError::Mismatch { path, reason }.into());
        }
        let tensors = Weights::from_tensors(file.tensors, device(), precision());
        Ok(Self {
            network: MoCoGan::new(&config, tensors).map_err(mismatch)?,
            name: file.name,
        })
    }

    /// The file's name without its extension.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The lengths of a sample's codes.
    pub fn sizes(&self) -> SampleSizes {
        let config = self.network.config();
        SampleSizes {
            content: config.content,
            categories: config.category,
            motion: config.motion,
        }
    }

    /// Computes what all samples with one content and category share.
    pub(crate) fn prepare(&self, sample: &Sample) -> Result<Prepared, EngineError> {
        let category = sample.category_code();
        Ok(self.network.prepare(&sample.content, &category)?)
    }

    /// All frames of a sample whose content and category are prepared.
    pub(crate) fn pictures(
        &self,
        prepared: &Prepared,
        sample: &Sample,
        stop: Stop,
    ) -> Result<Vec<Picture>, EngineError> {
        let network = &self.network;
        let codes = network.motion(&sample.h0, &sample.epsilon)?;
        let frames = network.frames(prepared, &codes, stop)?;
        (0..codes.len())
            .map(|i| picture(&frames.narrow(0, i, 1).map_err(Error::from)?))
            .collect()
    }

    /// Passes the frames `wanted` of a sample to `each`, in order.
    pub(crate) fn frames(
        &self,
        sample: &Sample,
        wanted: Range<usize>,
        stop: &(dyn Fn() -> bool + Sync),
        mut each: impl FnMut(Picture) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        sample.check(&self.sizes())?;
        let network = &self.network;
        let codes = network.motion(&sample.h0, &sample.epsilon)?;
        let prepared = network.prepare(&sample.content, &sample.category_code())?;
        for code in codes.iter().take(wanted.end).skip(wanted.start) {
            let frame = network.frame(&prepared, code, stop)?;
            each(picture(&frame)?)?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Sampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sampler").field("name", &self.name).finish()
    }
}

/// Converts `[1, 3, side, side]` in [-1, 1] to a picture.
fn picture(frame: &Tensor) -> Result<Picture, EngineError> {
    let (_, _, height, width) = frame.dims4()?;
    let values: Vec<f32> = frame.flatten_all().and_then(|flat| flat.to_vec1())?;
    if !values.iter().all(|value| value.is_finite()) {
        return Err(MethodError::NotFinite.into());
    }
    let area = height * width;
    let mut rgba = Vec::with_capacity(4 * area);
    for i in 0..area {
        let channel = |c: usize| (values[c * area + i] * 127.5 + 127.5).round() as u8;
        rgba.extend([channel(0), channel(1), channel(2), 255]);
    }
    Ok(Picture::new(width as u32, height as u32, rgba)?)
}
