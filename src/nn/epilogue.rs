//! What follows a convolution, in one pass per channel: bias, instance norm, ReLU, residual, PReLU.

use candle_core::{Result, Tensor};

use super::cuda;
use super::host;
use super::isa::{Isa, multiversion};
use super::norm::{self, InstanceNorm};
use super::slopes::{PRelu, prelu_in_place};

/// `y = slopes(relu(norm(x + bias)) + residual)`, each part optional.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'a> {
    /// The norm over each channel of each picture.
    pub norm: Option<&'a InstanceNorm>,
    /// Whether ReLU is applied.
    pub relu: bool,
    /// Added after norm and ReLU; of the result's shape.
    pub residual: Option<&'a Tensor>,
    /// PReLU, applied last.
    pub slopes: Option<&'a PRelu>,
}

impl<'a> Epilogue<'a> {
    /// Norm and ReLU.
    pub fn norm_relu(norm: &'a InstanceNorm) -> Self {
        Self {
            norm: Some(norm),
            relu: true,
            ..Self::default()
        }
    }

    /// The end of a residual block: norm, then add the block's input.
    pub fn norm_add(norm: &'a InstanceNorm, residual: &'a Tensor) -> Self {
        Self {
            norm: Some(norm),
            residual: Some(residual),
            ..Self::default()
        }
    }

    /// PReLU alone.
    pub fn prelu(slopes: &'a PRelu) -> Self {
        Self {
            slopes: Some(slopes),
            ..Self::default()
        }
    }

    /// Returns the lower bound of the result if the epilogue is only a bias and a ReLU, or less: 0 with ReLU, else
    /// negative infinity.
    pub(super) fn floor(&self) -> Option<f32> {
        let alone = self.norm.is_none() && self.residual.is_none() && self.slopes.is_none();
        alone.then_some(if self.relu { 0.0 } else { f32::NEG_INFINITY })
    }

    /// Applies it in place on the CPU; `shape` is pictures, channels, values per plane.
    pub(super) fn apply(
        &self,
        y: &mut [f32],
        bias: Option<&[f32]>,
        (pictures, channels, plane): (usize, usize, usize),
    ) -> Result<()> {
        if let Some(norm) = self.norm
            && norm.channels() != channels
        {
            candle_core::bail!(
                "instance norm of {} channels can't take {channels}",
                norm.channels()
            );
        }
        let slopes = self.slopes.map(PRelu::values);
        if slopes.is_some_and(|slopes| slopes.len() != channels) {
            candle_core::bail!("there is not one slope for each of {channels} channels");
        }
        let plain = self.norm.is_none() && !self.relu && self.residual.is_none();
        if plain && bias.is_none() && slopes.is_none() {
            return Ok(());
        }
        let isa = Isa::best();
        let run = |y: &mut [f32], residual: Option<&[f32]>| {
            let work = y.len() * 4;
            let planes: Vec<_> = y.chunks_exact_mut(plane).enumerate().collect();
            host::run_tasks(planes, work, |(index, y)| {
                let channel = index % channels;
                let residual = residual.map(|r| &r[index * plane..][..plane]);
                let bias = bias.map_or(0.0, |b| b[channel]);
                if let (true, Some(slopes)) = (plain, slopes) {
                    return prelu_in_place(isa, y, bias, slopes[channel], None);
                }
                // The norm cancels the bias: `(x + b) - mean(x + b) = x - mean(x)`.
                let (scale, shift) = match self.norm {
                    Some(norm) => norm.scale_shift(isa, channel, y),
                    None => (1.0, bias),
                };
                scale_shift_relu(isa, y, scale, shift, self.relu, residual);
                if let Some(slopes) = slopes {
                    prelu_in_place(isa, y, 0.0, slopes[channel], None);
                }
            });
        };
        match self.residual {
            None => run(y, None),
            Some(residual) => {
                if residual.elem_count() != pictures * channels * plane
                    || !host::is_cpu_f32(residual)
                {
                    candle_core::bail!("the residual's shape {:?} differs", residual.dims());
                }
                host::with_values(residual, |r| {
                    run(y, Some(r));
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    /// Applies it on other devices, to the result of a convolution whose `bias`, `[1, C, 1, 1]`, is still to be added.
    pub(super) fn apply_on_device(&self, y: Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        if cuda::takes(&[&y])
            && self
                .residual
                .is_none_or(|residual| cuda::takes(&[residual]))
        {
            return cuda::epilogue(self, &y, bias);
        }
        match bias {
            Some(bias) => self.compose(y.broadcast_add(bias)?),
            None => self.compose(y),
        }
    }

    /// The epilogue from candle's operations, on any device.
    fn compose(&self, mut y: Tensor) -> Result<Tensor> {
        if let Some(norm) = self.norm {
            y = norm::compose(norm, &y)?;
        }
        if self.relu {
            y = y.relu()?;
        }
        if let Some(residual) = self.residual {
            y = (y + residual)?;
        }
        match self.slopes {
            Some(slopes) => slopes.compose(&y),
            None => Ok(y),
        }
    }
}

multiversion! {
    /// `relu(y * scale + shift) + residual` in place.
    pub(super) fn scale_shift_relu(y: &mut [f32], scale: f32, shift: f32, relu: bool, residual: Option<&[f32]>) {
        let floor = if relu { 0.0 } else { f32::NEG_INFINITY };
        match residual {
            Some(residual) => {
                for (y, r) in y.iter_mut().zip(residual) {
                    *y = norm::clamp_below(*y * scale + shift, floor) + r;
                }
            }
            None => {
                for y in y.iter_mut() {
                    *y = norm::clamp_below(*y * scale + shift, floor);
                }
            }
        }
    }
}
