//! PReLU: rectifiers with one slope per channel.

use candle_core::{DType, Result, Tensor};

use super::host;
use super::isa::multiversion;
use super::weights::Weights;

/// PReLU: `x` where positive, `slope * x` where negative; a slope of 0 is ReLU.
#[derive(Clone, Debug)]
pub struct PRelu {
    values: Vec<f32>,
    /// `[1, C, 1, 1]`, for devices other than the CPU.
    tensor: Tensor,
}

impl PRelu {
    /// From slopes `[C]`.
    ///
    /// # Errors
    /// If it isn't one row of values.
    pub fn new(slopes: &Tensor) -> Result<Self> {
        let channels = slopes.dims1()?;
        Ok(Self {
            values: host::to_values(slopes)?,
            tensor: slopes.to_dtype(DType::F32)?.reshape((1, channels, 1, 1))?,
        })
    }

    /// ReLU: `channels` zero slopes, on the device of `like`.
    ///
    /// # Errors
    /// If the device runs out of memory.
    pub fn relu(channels: usize, like: &Tensor) -> Result<Self> {
        Self::new(&Tensor::zeros(channels, DType::F32, like.device())?)
    }

    /// Reads `slope` `[channels]` from `weights`.
    ///
    /// # Errors
    /// If it is missing or of another shape.
    pub fn load(channels: usize, weights: Weights) -> Result<Self> {
        Self::new(&weights.get(channels, "slope")?)
    }

    /// One slope per channel.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The slopes as `[1, C, 1, 1]`, on the device they were created on.
    pub(super) fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    /// PReLU from candle's operations, on any device.
    pub(super) fn compose(&self, y: &Tensor) -> Result<Tensor> {
        let below = y.neg()?.relu()?.broadcast_mul(&self.tensor)?;
        y.relu()? - below
    }
}

multiversion! {
    /// `prelu(y + shift + residual)` in place.
    pub(super) fn prelu_in_place(y: &mut [f32], shift: f32, slope: f32, residual: Option<&[f32]>) {
        let rectified = |v: f32| if v > 0.0 { v } else { v * slope };
        match residual {
            Some(residual) => {
                for (y, r) in y.iter_mut().zip(residual) {
                    *y = rectified(*y + shift + r);
                }
            }
            None => {
                for y in y.iter_mut() {
                    *y = rectified(*y + shift);
                }
            }
        }
    }
}
