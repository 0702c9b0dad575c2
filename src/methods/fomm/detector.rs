//! The key point detector (Sec. 3.1, `KPDetector`).

use std::sync::OnceLock;

use candle_core::{Device, Result as Candle, Tensor};

use super::config::{Config, HEAD_KERNEL};
use super::key_points::KeyPoints;
use crate::methods::error::{Error, check};
use crate::methods::motion::coordinate_grid;
use crate::nn::blocks::{Hourglass, NormKind};
use crate::nn::{AntiAlias, Conv2d, ConvConfig, Weights, release, replace_with, soft_means};
use crate::progress::Stop;

/// Finds the key points of a picture, each with its Jacobian.
#[derive(Clone, Debug)]
pub(super) struct Detector {
    num_kp: usize,
    jacobian_maps: usize,
    temperature: f32,
    shrink: AntiAlias,
    hourglass: Hourglass,
    /// Both heads, heatmaps first, as one convolution, since they have the same input.
    heads: Conv2d,
    /// Pixel coordinates, `[1, 2, pixels]`, created on first use: all pictures have the same size.
    grid: OnceLock<Tensor>,
}

impl Detector {
    pub fn load(config: &Config, channels: usize, weights: Weights) -> Candle<Self> {
        let sizes = &config.detector;
        let jacobian_maps = sizes.jacobians.maps(config.num_kp);
        let inputs = sizes.block_expansion + channels;
        let hourglass = Hourglass::load(
            &sizes.hourglass(),
            channels,
            NormKind::Batch,
            weights.pp("predictor"),
        )?;
        let mut heads = vec![("kp", config.num_kp)];
        if jacobian_maps > 0 {
            heads.push(("jacobian", 4 * jacobian_maps));
        }
        Ok(Self {
            num_kp: config.num_kp,
            jacobian_maps,
            temperature: sizes.temperature,
            shrink: AntiAlias::new(sizes.downscale),
            hourglass,
            heads: load_heads(&heads, inputs, 0, &weights)?,
            grid: OnceLock::new(),
        })
    }

    /// The key points of `picture`, `[1, 3, H, W]` in `[0, 1]`.
    pub fn forward(&self, picture: &Tensor, stop: Stop) -> Result<KeyPoints, Error> {
        check(stop)?;
        let small = self.shrink.forward(picture)?;
        let mut h = self.hourglass.forward(&small)?;
        check(stop)?;
        replace_with(&mut h, |h| self.heads.forward(h))?;
        let key_points = self.read(&h)?;
        release(h);
        Ok(key_points)
    }

    /// The expected position and Jacobian under each heatmap (`gaussian2kp`).
    fn read(&self, maps: &Tensor) -> Candle<KeyPoints> {
        let (_, _, height, width) = maps.dims4()?;
        let places = height * width;
        let scores = maps.narrow(1, 0, self.num_kp)?;
        let scores = scores.reshape((self.num_kp, places))?;
        let sharpness = 1.0 / self.temperature;

        let grid = self.grid(height, width, maps.device())?;
        if self.jacobian_maps == 0 {
            let points = soft_means(&scores, sharpness, &[&grid])?.remove(0);
            let values: Vec<f32> = points.flatten_all()?.to_vec1()?;
            return Ok(KeyPoints {
                points: values.as_chunks().0.to_vec(),
                jacobians: Vec::new(),
            });
        }
        // One map shared by all heatmaps, or one for each.
        let jacobians = maps.narrow(1, self.num_kp, 4 * self.jacobian_maps)?;
        let jacobians = jacobians.reshape((self.jacobian_maps, 4, places))?;
        let means = soft_means(&scores, sharpness, &[&grid, &jacobians])?;
        // Read back together, since each read waits for the card.
        let values: Vec<f32> = Tensor::cat(&means, 1)?.flatten_all()?.to_vec1()?;
        let (points, jacobians) = values
            .as_chunks()
            .0
            .iter()
            .map(|&[x, y, a, b, c, d]| ([x, y], [a, b, c, d]))
            .unzip();
        Ok(KeyPoints { points, jacobians })
    }

    fn grid(&self, height: usize, width: usize, device: &Device) -> Candle<Tensor> {
        let shape = [1, 2, height * width];
        if let Some(grid) = self.grid.get().filter(|grid| grid.dims() == shape) {
            return Ok(grid.clone());
        }
        let (columns, lines): (Vec<f32>, Vec<f32>) = coordinate_grid(height, width)
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[x, y]| (*x, *y))
            .unzip();
        let grid = Tensor::from_vec([columns, lines].concat(), &shape, device)?;
        // Complete before other threads use it.
        device.synchronize()?;
        // A grid of another size than the cached one isn't cached.
        let _ = self.grid.set(grid.clone());
        Ok(grid)
    }
}

/// Loads convolutions with the same input as one: the name under `weights` and the output channels of each.
pub(super) fn load_heads(
    heads: &[(&str, usize)],
    inputs: usize,
    padding: usize,
    weights: &Weights,
) -> Candle<Conv2d> {
    let (mut kernels, mut biases) = (Vec::new(), Vec::new());
    for &(name, outputs) in heads {
        let weights = weights.pp(name);
        kernels.push(weights.get((outputs, inputs, HEAD_KERNEL, HEAD_KERNEL), "weight")?);
        biases.push(weights.get(outputs, "bias")?);
    }
    let config = ConvConfig::new(1, padding);
    let bias = Tensor::cat(&biases, 0)?;
    let kernel = Tensor::cat(&kernels, 0)?;
    Conv2d::new(&kernel, Some(&bias), config, weights.precision())
}
