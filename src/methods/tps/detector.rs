//! The key point detector (Sec. 3.2; `KPDetector` of the authors' code).

use candle_core::{Result as Candle, Tensor};

use super::config::{COLOURS, Config, POINTS};
use super::key_points::KeyPoints;
use super::resnet::ResNet18;
use crate::methods::error::Error;
use crate::nn::Weights;
use crate::progress::Stop;

/// Detects five key points for each spline.
#[derive(Clone, Debug)]
pub(super) struct Detector {
    encoder: ResNet18,
}

impl Detector {
    pub fn load(config: &Config, weights: Weights) -> Candle<Self> {
        let sizes = (COLOURS, 2 * POINTS * config.num_tps);
        Ok(Self {
            encoder: ResNet18::load(sizes, config.resnet_width, &weights.pp("fg_encoder"))?,
        })
    }

    /// The key points of a picture `[1, 3, H, W]`.
    pub fn forward(&self, picture: &Tensor, stop: Stop) -> Result<KeyPoints, Error> {
        let mut values = self.encoder.forward(picture, stop)?;
        for value in &mut values {
            // `2 sigmoid(v) - 1`, without cancellation.
            *value = (0.5 * f64::from(*value)).tanh() as f32;
        }
        Ok(KeyPoints::from_flat(&values))
    }
}
