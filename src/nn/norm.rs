//! Instance normalisation: each channel of each picture with its own mean and variance.

use candle_core::{D, DType, Device, Result, Tensor};

use super::arena;
use super::cuda;
use super::epilogue::{self, Epilogue};
use super::host;
use super::isa::{Isa, multiversion};
use super::weights::Weights;

/// PyTorch's `InstanceNorm2d(affine=True)` without running statistics:
/// `(x - mean) / sqrt(variance + eps) * weight + bias`, with the biased variance.
#[derive(Clone, Debug)]
pub struct InstanceNorm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    eps: f32,
    /// Both as `[1, C, 1, 1]`, for devices other than the CPU.
    device: Option<(Tensor, Tensor)>,
}

impl InstanceNorm {
    /// PyTorch's default.
    pub const EPS: f32 = 1e-5;

    /// From `weight` and `bias`, `[C]` each.
    ///
    /// # Errors
    /// If their lengths differ.
    pub fn new(weight: &Tensor, bias: &Tensor, eps: f32) -> Result<Self> {
        let channels = weight.dims1()?;
        if bias.dims() != [channels] {
            candle_core::bail!("bias: expected [{channels}], found {:?}", bias.dims());
        }
        let column = |t: &Tensor| t.to_dtype(DType::F32)?.reshape((1, channels, 1, 1));
        let on_cpu = matches!(weight.device(), Device::Cpu);
        Ok(Self {
            weight: host::to_values(weight)?,
            bias: host::to_values(bias)?,
            eps,
            device: (!on_cpu)
                .then(|| Ok::<_, candle_core::Error>((column(weight)?, column(bias)?)))
                .transpose()?,
        })
    }

    /// Reads `weight` and `bias` from `weights`, with [`InstanceNorm::EPS`].
    ///
    /// # Errors
    /// If a tensor is missing or of another shape.
    pub fn load(channels: usize, weights: Weights) -> Result<Self> {
        let weight = weights.get(channels, "weight")?;
        let bias = weights.get(channels, "bias")?;
        Self::new(&weight, &bias, Self::EPS)
    }

    /// The number of channels.
    pub fn channels(&self) -> usize {
        self.weight.len()
    }

    /// `[N, C, H, W]` to the same shape, followed by ReLU if `relu`.
    ///
    /// # Errors
    /// If the channels differ.
    pub fn forward(&self, x: &Tensor, relu: bool) -> Result<Tensor> {
        let (n, channels, height, width) = x.dims4()?;
        let epilogue = Epilogue {
            norm: Some(self),
            relu,
            ..Epilogue::default()
        };
        if !host::is_cpu_f32(x) || cuda::takes(&[x]) {
            return epilogue.apply_on_device(x.clone(), None);
        }
        let mut y = arena::copy_to_buffer(x)?;
        epilogue.apply(&mut y, None, (n, channels, height * width))?;
        Tensor::from_vec(y, x.shape(), x.device())
    }

    /// The value added to the variance.
    pub(super) fn eps(&self) -> f32 {
        self.eps
    }

    /// Weight and bias as `[1, C, 1, 1]` on `device`.
    pub(super) fn tensors(&self, device: &Device) -> Result<(Tensor, Tensor)> {
        if let Some((weight, bias)) = &self.device {
            return Ok((weight.clone(), bias.clone()));
        }
        let shape = (1, self.channels(), 1, 1);
        Ok((
            Tensor::from_slice(&self.weight, shape, device)?,
            Tensor::from_slice(&self.bias, shape, device)?,
        ))
    }

    /// The normalisation of one plane as `x * scale + shift`.
    pub(super) fn scale_shift(&self, isa: Isa, channel: usize, plane: &[f32]) -> (f32, f32) {
        let (mean, variance) = statistics(isa, plane);
        let scale = f64::from(self.weight[channel]) / (variance + f64::from(self.eps)).sqrt();
        let shift = f64::from(self.bias[channel]) - mean * scale;
        (scale as f32, shift as f32)
    }
}

impl InstanceNorm {
    /// Normalises one channel's plane in place, followed by ReLU if `relu`.
    pub(super) fn apply_plane(&self, isa: Isa, channel: usize, plane: &mut [f32], relu: bool) {
        let (scale, shift) = self.scale_shift(isa, channel, plane);
        epilogue::scale_shift_relu(isa, plane, scale, shift, relu, None);
    }
}

/// The number of values summed in f32, in lanes, before they are added to an f64 sum.
const BLOCK: usize = 1024;
const LANES: usize = 32;

multiversion! {
    /// Mean and biased variance, in two passes.
    pub(super) fn statistics(x: &[f32]) -> (f64, f64) {
        let n = x.len().max(1) as f64;
        let mean = sum(x, |v| v) / n;
        let centre = mean as f32;
        // The deviations are from `centre`, nearly the mean; subtracting `off` squared makes the variance exact.
        let off = mean - f64::from(centre);
        let variance = sum(x, |v| (v - centre) * (v - centre)) / n - off * off;
        (mean, variance.max(0.0))
    }
}

#[inline(always)]
fn sum(x: &[f32], f: impl Fn(f32) -> f32) -> f64 {
    let mut total = 0f64;
    for block in x.chunks(BLOCK) {
        let mut lanes = [0f32; LANES];
        let mut chunks = block.chunks_exact(LANES);
        for chunk in &mut chunks {
            for (lane, &v) in lanes.iter_mut().zip(chunk) {
                *lane += f(v);
            }
        }
        let rest: f32 = chunks.remainder().iter().map(|&v| f(v)).sum();
        total += f64::from(lanes.iter().sum::<f32>() + rest);
    }
    total
}

/// Clamps from below; NaN is preserved, so that a broken input doesn't appear as black.
#[inline(always)]
pub(super) fn clamp_below(value: f32, floor: f32) -> f32 {
    if value < floor { floor } else { value }
}

/// The norm from candle's operations.
pub(super) fn compose(norm: &InstanceNorm, x: &Tensor) -> Result<Tensor> {
    let (weight, bias) = norm.tensors(x.device())?;
    let (n, c, h, w) = x.dims4()?;
    let flat = x.reshape((n, c, h * w))?;
    let centred = flat.broadcast_sub(&flat.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    let scale = (variance + f64::from(norm.eps))?.sqrt()?;
    centred
        .broadcast_div(&scale)?
        .reshape((n, c, h, w))?
        .broadcast_mul(&weight)?
        .broadcast_add(&bias)
}
