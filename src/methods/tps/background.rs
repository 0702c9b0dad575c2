//! The background's motion (Sec. 3.3; `BGMotionPredictor` of the authors' code).

use candle_core::{Result as Candle, Tensor};

use super::config::{COLOURS, Config};
use super::resnet::ResNet18;
use crate::methods::error::Error;
use crate::nn::Weights;
use crate::progress::Stop;

/// Predicts an affine map from the driving picture's background to the source's.
#[derive(Clone, Debug)]
pub(super) struct Background {
    encoder: ResNet18,
}

impl Background {
    pub fn load(config: &Config, weights: Weights) -> Candle<Self> {
        let sizes = (2 * COLOURS, 6);
        Ok(Self {
            encoder: ResNet18::load(sizes, config.resnet_width, &weights.pp("bg_encoder"))?,
        })
    }

    /// The map between two pictures `[1, 3, H, W]`, as a 3x3 matrix, row-major.
    pub fn forward(
        &self,
        source: &Tensor,
        driving: &Tensor,
        stop: Stop,
    ) -> Result<[f32; 9], Error> {
        let both = Tensor::cat(&[source, driving], 1)?;
        let mut matrix = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        for (to, from) in matrix.iter_mut().zip(self.encoder.forward(&both, stop)?) {
            *to = from;
        }
        Ok(matrix)
    }
}

/// Maps each pixel by `matrix`, `[height, width, 2]`; `coordinates` are the pixels' coordinates in that order.
pub(super) fn grid(matrix: &[f32; 9], coordinates: &[f32], to: &mut [f32]) {
    let (rows, _) = matrix.as_chunks::<3>();
    let pixels = coordinates.as_chunks::<2>().0.iter();
    for (to, &[x, y]) in to.as_chunks_mut::<2>().0.iter_mut().zip(pixels) {
        let along = |row: &[f32; 3]| row[0] * x + row[1] * y + row[2];
        *to = [0, 1].map(|axis| along(&rows[axis]) / along(&rows[2]));
    }
}
