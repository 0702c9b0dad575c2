//! Batch normalisation at inference: a scale and a shift for each channel.

use candle_core::{Result, Tensor};

use super::arena;
use super::cuda;
use super::epilogue;
use super::host;
use super::isa::Isa;
use super::weights::Weights;

/// PyTorch's `BatchNorm2d` in eval mode, `(x - running_mean) / sqrt(running_var + eps) * weight + bias`. After a
/// convolution it is folded into the convolution's weights ([`BatchNorm::fold`]) and costs nothing.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    scale: Vec<f32>,
    shift: Vec<f32>,
    /// Both as `[1, C, 1, 1]`, on the device they were loaded on.
    tensors: (Tensor, Tensor),
}

impl BatchNorm {
    /// PyTorch's default.
    pub const EPS: f64 = 1e-5;

    /// Reads `weight`, `bias`, `running_mean` and `running_var`, `[channels]` each, with [`BatchNorm::EPS`].
    ///
    /// # Errors
    /// If a tensor is missing or of another shape.
    pub fn load(channels: usize, weights: Weights) -> Result<Self> {
        let read = |name: &str| host::to_values(&weights.get(channels, name)?);
        let (weight, bias) = (read("weight")?, read("bias")?);
        let (mean, variance) = (read("running_mean")?, read("running_var")?);
        let scale: Vec<f64> = weight
            .iter()
            .zip(&variance)
            .map(|(&w, &v)| f64::from(w) / (f64::from(v) + Self::EPS).sqrt())
            .collect();
        let shift: Vec<f32> = scale
            .iter()
            .zip(bias.iter().zip(&mean))
            .map(|(scale, (&b, &m))| (f64::from(b) - f64::from(m) * scale) as f32)
            .collect();
        let scale: Vec<f32> = scale.into_iter().map(|s| s as f32).collect();
        let column =
            |values: &[f32]| Tensor::from_slice(values, (1, channels, 1, 1), weights.device());
        Ok(Self {
            tensors: (column(&scale)?, column(&shift)?),
            scale,
            shift,
        })
    }

    /// The number of channels.
    pub fn channels(&self) -> usize {
        self.scale.len()
    }

    /// `[N, C, H, W]` to the same shape, followed by ReLU if `relu`: for a norm before its convolution.
    ///
    /// # Errors
    /// If the channels differ.
    pub fn forward(&self, x: &Tensor, relu: bool) -> Result<Tensor> {
        let (_, channels, ..) = x.dims4()?;
        if channels != self.channels() {
            candle_core::bail!(
                "batch norm of {} channels can't take {channels}",
                self.channels()
            );
        }
        let (scale, shift) = &self.tensors;
        if cuda::takes(&[x]) {
            return cuda::scaled(x, (scale, shift), relu);
        }
        if !host::is_cpu_f32(x) {
            let y = x.broadcast_mul(scale)?.broadcast_add(shift)?;
            return if relu { y.relu() } else { Ok(y) };
        }
        let (n, _, height, width) = x.dims4()?;
        let isa = Isa::best();
        let mut y = arena::copy_to_buffer(x)?;
        let planes: Vec<_> = y
            .chunks_exact_mut((height * width).max(1))
            .enumerate()
            .collect();
        host::run_tasks(planes, n * channels * height * width * 4, |(i, plane)| {
            let channel = i % channels;
            let (scale, shift) = (self.scale[channel], self.shift[channel]);
            epilogue::scale_shift_relu(isa, plane, scale, shift, relu, None);
        });
        Tensor::from_vec(y, x.shape(), x.device())
    }

    /// Folds this norm into the layer before it: returns the new `weight` `[outputs, ...]` and `bias` `[outputs]`.
    ///
    /// # Errors
    /// If the number of outputs isn't the number of this norm's channels.
    pub fn fold(&self, weight: &Tensor, bias: Option<&Tensor>) -> Result<(Tensor, Tensor)> {
        let device = weight.device();
        let channels = self.channels();
        if weight.dims().first() != Some(&channels) {
            candle_core::bail!(
                "batch norm of {channels} channels can't join weights of {:?}",
                weight.dims()
            );
        }
        let scale = Tensor::from_slice(&self.scale, channels, device)?;
        let shift = Tensor::from_slice(&self.shift, channels, device)?;
        let mut column = vec![1; weight.rank()];
        column[0] = channels;
        let weight = weight.broadcast_mul(&scale.reshape(column)?)?;
        let bias = match bias {
            Some(bias) => (bias.mul(&scale)? + shift)?,
            None => shift,
        };
        Ok((weight, bias))
    }
}
