//! A GANimation generator with its weights and its order of Action Units.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};

use crate::document::{ActionUnit, AuVector};
use crate::error::{EngineError, MethodError};
use crate::face::Edit;
use crate::methods::device::{device, device_name, precision};
use crate::methods::ganimation::config::Config;
use crate::methods::ganimation::generator::{self, Generator};
use crate::nn::Weights;
use crate::progress::Stop;
use crate::weights::find::open_weights;
use crate::weights::{Bundled, CropRule, ModelFile, WeightsError};

/// A generator with the metadata of its file.
pub struct Model {
    name: String,
    generator: Generator,
    device: Device,
    /// The Action Unit of each network input.
    order: Vec<ActionUnit>,
    size: usize,
    crop: CropRule,
}

/// The part that depends on the portrait alone.
pub(crate) struct Prepared {
    network: generator::Prepared,
    input: Vec<f32>,
}

impl Model {
    /// The weights that come with the program.
    ///
    /// # Errors
    /// [`EngineError::Weights`] only if the program was built with a damaged file.
    pub fn bundled() -> Result<Self, EngineError> {
        Self::open(None)
    }

    /// Opens the weights at a path or of an installed name; with `None`, the bundled ones.
    ///
    /// # Errors
    /// [`EngineError`] if `weights` is neither a file nor a name; [`EngineError::Weights`] if the file is missing,
    /// damaged, of another architecture, or inconsistent with its metadata.
    pub fn open(weights: Option<&Path>) -> Result<Self, EngineError> {
        let device = device().clone();
        let (path, file) = open_weights(Bundled::Ganimation, weights, &device)?;
        Self::from_file(path, file, device)
    }

    fn from_file(path: PathBuf, file: ModelFile, device: Device) -> Result<Self, EngineError> {
        let crop = file.crop_rule(&path)?;
        // The network's errors are sentences; here they become part of one.
        let mismatch = |reason: String| WeightsError::Mismatch {
            path: path.clone(),
            reason: reason.trim_end_matches('.').to_owned(),
        };
        let config = Config::from_json(&file.metadata.config.to_string())
            .map_err(|error| mismatch(error.to_string()))?;
        let order = au_order(&file.metadata.au_order, config.c_dim).map_err(mismatch)?;
        let tensors = Weights::from_tensors(file.tensors, &device, precision());
        let generator =
            Generator::new(&config, tensors).map_err(|error| mismatch(error.to_string()))?;
        Ok(Self {
            name: file.name,
            size: config.image_size,
            generator,
            device,
            order,
            crop,
        })
    }

    /// The file's name without its extension.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The device that the network runs on, for the status line.
    pub fn device_name(&self) -> String {
        device_name(&self.device)
    }

    /// Side of the network's input in pixels.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Where the face must be in the square that the network sees.
    pub fn crop(&self) -> &CropRule {
        &self.crop
    }

    /// Computes everything that depends on the picture alone; `input` is `[3, size, size]` in [-1, 1].
    pub(crate) fn prepare(&self, input: Vec<f32>) -> Result<Prepared, EngineError> {
        let shape = (1, 3, self.size, self.size);
        let tensor = Tensor::from_slice(&input, shape, &self.device)?;
        let network = self.generator.prepare(&tensor)?;
        Ok(Prepared { network, input })
    }

    /// The edit for one expression, with its colours matched to the portrait's. `stop` is polled between layers.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] once `stop` returns true; [`EngineError`] if the output isn't finite.
    pub(crate) fn edit(
        &self,
        prepared: &Prepared,
        target: &AuVector,
        stop: Stop,
    ) -> Result<Edit, EngineError> {
        let aus: Vec<f32> = self.order.iter().map(|unit| target.get(*unit)).collect();
        let output = self.generator.frame(&prepared.network, &aus, stop)?;
        let values = |tensor: &Tensor| -> Result<Vec<f32>, EngineError> {
            let values: Vec<f32> = tensor.flatten_all()?.to_vec1()?;
            // Finite weights may still overflow.
            if values.iter().all(|value| value.is_finite()) {
                Ok(values)
            } else {
                Err(MethodError::NotFinite.into())
            }
        };
        let mut edit = Edit {
            size: self.size,
            input: prepared.input.clone(),
            color: values(&output.color)?,
            attention: values(&output.attention)?,
        };
        edit.match_colour();
        Ok(edit)
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("name", &self.name).finish()
    }
}

fn au_order(codes: &[u8], inputs: usize) -> Result<Vec<ActionUnit>, String> {
    if codes.len() != inputs {
        return Err(format!(
            "it lists {} Action Units for a network that takes {inputs}",
            codes.len()
        ));
    }
    if let Some(at) = (1..codes.len()).find(|at| codes[..*at].contains(&codes[*at])) {
        return Err(format!("it lists AU{} twice", codes[at]));
    }
    codes
        .iter()
        .map(|code| {
            ActionUnit::from_code(*code)
                .ok_or_else(|| format!("it lists AU{code}, which Mien doesn't know"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_action_units_must_be_known_and_complete() {
        assert_eq!(au_order(&[12, 1], 2).unwrap()[0].code(), 12);
        assert!(au_order(&[12, 1], 3).unwrap_err().contains("lists 2"));
        assert!(au_order(&[3], 1).unwrap_err().contains("AU3"));
        assert!(
            au_order(&[12, 1, 12], 3)
                .unwrap_err()
                .contains("AU12 twice")
        );
    }
}
