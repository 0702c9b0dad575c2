//! The key point detector (Sec. 3.1, `KPDetector`).

use candle_core::{Result as Candle, Tensor};
use candle_nn::VarBuilder;
use candle_nn::ops::softmax_last_dim;

use crate::nn::blocks::{Hourglass, NormKind};
use crate::nn::{AntiAlias, Conv2d, ConvConfig, advance};

use super::super::motion::{check, coordinate_grid};
use super::config::HEAD_KERNEL;
use super::{Config, Error, KeyPoints, Stop};

/// Finds the key points of a picture, with the motion's Jacobian at each.
#[derive(Clone, Debug)]
pub(super) struct Detector {
    num_kp: usize,
    jacobian_maps: usize,
    temperature: f64,
    shrink: AntiAlias,
    hourglass: Hourglass,
    /// Both heads see the same features: one convolution, heatmaps first.
    heads: Conv2d,
}

impl Detector {
    pub fn load(config: &Config, channels: usize, vb: VarBuilder) -> Candle<Self> {
        let sizes = &config.detector;
        let jacobian_maps = sizes.jacobians.maps(config.num_kp);
        let inputs = sizes.block_expansion + channels;
        let hourglass = Hourglass::load(
            &sizes.hourglass(),
            channels,
            NormKind::Batch,
            vb.pp("predictor"),
        )?;
        let mut heads = vec![("kp", config.num_kp)];
        if jacobian_maps > 0 {
            heads.push(("jacobian", 4 * jacobian_maps));
        }
        Ok(Self {
            num_kp: config.num_kp,
            jacobian_maps,
            temperature: f64::from(sizes.temperature),
            shrink: AntiAlias::new(sizes.downscale),
            hourglass,
            heads: load_heads(&heads, inputs, 0, &vb)?,
        })
    }

    /// The key points of `picture`, `[1, 3, H, W]` in `[0, 1]`.
    pub fn forward(&self, picture: &Tensor, stop: Stop) -> Result<KeyPoints, Error> {
        check(stop)?;
        let mut h = self.hourglass.forward(&self.shrink.forward(picture)?)?;
        check(stop)?;
        advance(&mut h, |h| self.heads.forward(h))?;
        Ok(self.read(&h)?)
    }

    /// The expectation of the place, and of the Jacobian, under each heatmap (`gaussian2kp`).
    fn read(&self, maps: &Tensor) -> Candle<KeyPoints> {
        let (_, _, height, width) = maps.dims4()?;
        let places = height * width;
        let scores = maps.narrow(1, 0, self.num_kp)?;
        let scores = (scores.reshape((self.num_kp, places))? / self.temperature)?;
        let heatmaps = softmax_last_dim(&scores)?;

        let grid = coordinate_grid(height, width);
        let grid = Tensor::from_vec(grid, (places, 2), maps.device())?;
        let points = rows(&heatmaps.matmul(&grid)?)?;

        let jacobians = if self.jacobian_maps == 0 {
            Vec::new()
        } else {
            // One map under every heatmap, or each under its own.
            let jacobians = maps.narrow(1, self.num_kp, 4 * self.jacobian_maps)?;
            let jacobians = jacobians.reshape((self.jacobian_maps, 4, places))?;
            let heatmaps = match self.jacobian_maps {
                1 => heatmaps.unsqueeze(0)?,
                _ => heatmaps.unsqueeze(1)?,
            };
            let numbers = heatmaps.matmul(&jacobians.transpose(1, 2)?)?;
            rows(&numbers.reshape((self.num_kp, 4))?)?
        };
        Ok(KeyPoints { points, jacobians })
    }
}

/// The rows of `values` `[n, N]`.
fn rows<const N: usize>(values: &Tensor) -> Candle<Vec<[f32; N]>> {
    let values = values.flatten_all()?.to_vec1::<f32>()?;
    Ok(values.as_chunks().0.to_vec())
}

/// Convolutions of the same input as one: of each its name under `vb` and its outputs.
pub(super) fn load_heads(
    heads: &[(&str, usize)],
    inputs: usize,
    padding: usize,
    vb: &VarBuilder,
) -> Candle<Conv2d> {
    let (mut weights, mut biases) = (Vec::new(), Vec::new());
    for &(name, outputs) in heads {
        let vb = vb.pp(name);
        weights.push(vb.get((outputs, inputs, HEAD_KERNEL, HEAD_KERNEL), "weight")?);
        biases.push(vb.get(outputs, "bias")?);
    }
    let config = ConvConfig::new(1, padding);
    let bias = Tensor::cat(&biases, 0)?;
    Conv2d::new(&Tensor::cat(&weights, 0)?, Some(&bias), config)
}
