//! Transposed convolution, as `stride * stride` small convolutions over the input picture.
//!
//! Outputs whose uncropped coordinates agree modulo the stride use the same taps, so no inserted zero is ever
//! multiplied: a 4x4 kernel with stride 2 is four 2x2 kernels.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::arena::{self, Scratch};
use super::conv::ConvConfig;
use super::cuda::{self, TransposedConv};
use super::direct::{Layout, Packed};
use super::epilogue::Epilogue;
use super::host;
use super::isa::{Isa, multiversion};
use super::micro::{Shape, Taps};
use super::weights::{Precision, Weights};
use super::winograd::{BiasAndFloor, ConvForm, Winograd};

/// A 2-D transposed convolution without output padding. For inference: no gradients.
///
/// On the CPU it owns packed weights and runs our kernels; elsewhere it runs cuDNN's or candle's operation.
#[derive(Clone, Debug)]
pub struct ConvTranspose2d {
    inputs: usize,
    outputs: usize,
    kernel: (usize, usize),
    config: ConvConfig,
    bias: Option<Vec<f32>>,
    kind: Backend,
}

#[derive(Clone, Debug)]
enum Backend {
    /// One kernel per phase, row-major, and minimal filtering where that may be faster.
    Ours {
        phases: Vec<Packed>,
        winograd: Option<Winograd>,
    },
    Candle {
        weight: Tensor,
        bias: Option<Tensor>,
        /// On GPUs and in half precision, for kernels that support it.
        transposed: Option<TransposedConv>,
    },
}

impl ConvTranspose2d {
    /// From `weight` `[inputs, outputs, kh, kw]` and `bias` `[outputs]`.
    ///
    /// # Errors
    /// If the shapes disagree, the stride is zero, the kernel is empty, or `config` is upsampled.
    pub fn new(
        weight: &Tensor,
        bias: Option<&Tensor>,
        config: ConvConfig,
        precision: Precision,
    ) -> Result<Self> {
        let ours = cuda::runs_cpu_kernels(weight.device());
        let transposed = if ours && precision == Precision::Single {
            None
        } else {
            TransposedConv::of(weight, config, precision)?
        };
        let packed = ours && transposed.is_none();
        let mut this = Self::unpacked(weight, bias, config, transposed)?;
        if packed {
            this.pack(&host::to_values(weight)?, Isa::best());
        }
        Ok(this)
    }

    /// As [`ConvTranspose2d::new`] on the CPU in single precision, with kernels for `isa`: for tests and benchmarks.
    pub fn with_isa(
        weight: &Tensor,
        bias: Option<&Tensor>,
        config: ConvConfig,
        isa: Isa,
    ) -> Result<Self> {
        let mut this = Self::unpacked(weight, bias, config, None)?;
        this.pack(&host::to_values(weight)?, isa);
        Ok(this)
    }

    /// Reads `weight`, with a square `kernel`, and if `bias` is true also `bias`, from `weights`, in their precision.
    ///
    /// # Errors
    /// If a tensor is missing or of another shape.
    pub fn load(
        inputs: usize,
        outputs: usize,
        kernel: usize,
        config: ConvConfig,
        bias: bool,
        weights: Weights,
    ) -> Result<Self> {
        let weight = weights.get((inputs, outputs, kernel, kernel), "weight")?;
        let bias = bias.then(|| weights.get(outputs, "bias")).transpose()?;
        Self::new(&weight, bias.as_ref(), config, weights.precision())
    }

    fn unpacked(
        weight: &Tensor,
        bias: Option<&Tensor>,
        config: ConvConfig,
        transposed: Option<TransposedConv>,
    ) -> Result<Self> {
        let (inputs, outputs, kh, kw) = weight.dims4()?;
        if weight.elem_count() == 0 || config.stride == 0 {
            candle_core::bail!("a convolution needs a kernel and a stride of at least 1");
        }
        if config.upsampled {
            candle_core::bail!(
                "a transposed convolution takes the picture as it is, not upsampled"
            );
        }
        if let Some(bias) = bias
            && bias.dims() != [outputs]
        {
            candle_core::bail!("bias: expected [{outputs}], found {:?}", bias.dims());
        }
        Ok(Self {
            inputs,
            outputs,
            kernel: (kh, kw),
            config,
            bias: bias.map(host::to_values).transpose()?,
            kind: Backend::Candle {
                weight: weight.clone(),
                bias: bias.map(|b| b.reshape((1, outputs, 1, 1))).transpose()?,
                transposed,
            },
        })
    }

    fn pack(&mut self, weight: &[f32], isa: Isa) {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let (kh, kw) = self.kernel;
        let s = self.config.stride;
        let by_two = self.kernel == (4, 4) && (s, self.config.padding) == (2, 1);
        let winograd = by_two
            .then(|| Winograd::new(ConvForm::Transposed, inputs, outputs, isa))
            .flatten();
        let shape = Shape::for_channels(isa, outputs);
        let phases = (0..s * s)
            .map(|phase| {
                let (ry, rx) = (phase / s, phase % s);
                let (ny, nx) = (taps(kh, s, ry), taps(kw, s, rx));
                Packed::new(shape, outputs, inputs * ny * nx, |output, tap| {
                    let input = tap / (ny * nx);
                    let (ky, kx) = (ry + tap / nx % ny * s, rx + tap % nx * s);
                    weight[((input * outputs + output) * kh + ky) * kw + kx]
                })
            })
            .collect();
        self.kind = Backend::Ours { phases, winograd };
    }

    /// `[N, inputs, H, W]` to `[N, outputs, H', W']`, `H' = (H - 1) stride + kh - 2 padding`.
    ///
    /// # Errors
    /// If the channels differ or the padding crops everything.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.forward_then(x, &Epilogue::default())
    }

    /// [`ConvTranspose2d::forward`], then `epilogue`.
    ///
    /// # Errors
    /// As [`ConvTranspose2d::forward`], or if the epilogue's shapes don't fit the result.
    pub fn forward_then(&self, x: &Tensor, epilogue: &Epilogue) -> Result<Tensor> {
        let (n, channels, height, width) = x.dims4()?;
        let (kh, kw) = self.kernel;
        let ConvConfig {
            stride, padding, ..
        } = self.config;
        let whole = |size: usize, k: usize| (size.max(1) - 1) * stride + k;
        let (whole_h, whole_w) = (whole(height, kh), whole(width, kw));
        if channels != self.inputs || height * width == 0 || whole_h.min(whole_w) <= 2 * padding {
            candle_core::bail!(
                "transposed convolution {kh}x{kw} of {} channels can't take {:?}",
                self.inputs,
                x.dims()
            );
        }

        let (phases, winograd) = match &self.kind {
            Backend::Ours { phases, winograd } => (phases, winograd),
            Backend::Candle {
                weight,
                bias,
                transposed,
            } => {
                let y = match transposed {
                    Some(transposed) => transposed.forward(x)?,
                    None => x
                        .contiguous()?
                        .conv_transpose2d(weight, padding, 0, stride, 1)?,
                };
                return epilogue.apply_on_device(y, bias.as_ref());
            }
        };
        let (out_h, out_w) = (whole_h - 2 * padding, whole_w - 2 * padding);
        let plane = out_h * out_w;
        let mut out = arena::alloc(n * self.outputs * plane);
        let floor = epilogue.floor();
        let finished = host::with_values(x, |x| {
            let size = (height, width);
            let products = n * channels * height * width * self.outputs * kh * kw;
            if let Some(winograd) = winograd.as_ref().filter(|w| w.is_faster(n, size, products)) {
                let bias = self.bias.as_deref();
                let fused = floor.map(|floor| BiasAndFloor { bias, floor });
                // The taps of a phase are every second one of the kernel's.
                let tap = |output: usize, input: usize, y: usize, x: usize| {
                    phases[y % 2 * 2 + x % 2].weight(output, (input * 2 + y / 2) * 2 + x / 2)
                };
                winograd.run(x, size, &mut out, fused.unwrap_or_default(), &tap);
                return Ok(fused.is_some());
            }
            x.par_chunks_exact(channels * height * width)
                .zip(out.par_chunks_exact_mut(self.outputs * plane))
                .for_each(|(x, out)| self.run(phases, x, size, out, (out_h, out_w)));
            Ok(false)
        })?;
        if !finished {
            let shape = (n, self.outputs, plane);
            epilogue.apply(&mut out, self.bias.as_deref(), shape)?;
        }
        Tensor::from_vec(out, (n, self.outputs, out_h, out_w), x.device())
    }

    fn run(
        &self,
        phases: &[Packed],
        x: &[f32],
        (height, width): (usize, usize),
        out: &mut [f32],
        (out_h, out_w): (usize, usize),
    ) {
        let (kh, kw) = self.kernel;
        let ConvConfig {
            stride: s, padding, ..
        } = self.config;
        // Output `o` of phase `r = (o + padding) % s` is computed from the inputs `q - j`, `q = (o + padding) / s`.
        let most = |k: usize| k.div_ceil(s) - 1;
        let before = most(kh).max(most(kw));
        let layout = Layout {
            channels: self.inputs,
            height,
            width,
            upsampled: false,
            padding: before,
            stride: 1,
            rows: (out_h - 1 + padding) / s + before + 1,
            pitch: (out_w - 1 + padding) / s + before + 1,
        };
        let input = layout.copy(x);
        let passes: Vec<Vec<Taps>> = phases
            .iter()
            .enumerate()
            .map(|(phase, packed)| {
                let (ny, nx) = (taps(kh, s, phase / s), taps(kw, s, phase % s));
                packed.passes((0..self.inputs * ny * nx).map(|tap| {
                    let (jy, jx) = (tap / nx % ny, tap % nx);
                    layout.offset(tap / (ny * nx), before - jy, before - jx)
                }))
            })
            .collect();

        let shape = phases[0].shape;
        let isa = shape.isa();
        let plane = out_h * out_w;
        out.par_chunks_mut(plane * shape.rows)
            .enumerate()
            .for_each(|(group, out)| {
                let channels = out.len() / plane;
                // One output row of each column phase, for each channel.
                let columns = out_w.div_ceil(s) + 1;
                let mut line = Scratch::new(s * channels * columns);
                for y in 0..out_h {
                    let (ry, qy) = ((y + padding) % s, (y + padding) / s);
                    for x0 in 0..s.min(out_w) {
                        let (rx, qx) = ((x0 + padding) % s, (x0 + padding) / s);
                        let count = (out_w - x0).div_ceil(s);
                        let phase = ry * s + rx;
                        let line = &mut line[x0 * channels * columns..][..channels * columns];
                        let mut rows: Vec<&mut [f32]> = line
                            .chunks_mut(columns)
                            .map(|row| &mut row[..count])
                            .collect();
                        phases[phase].row(
                            group,
                            &passes[phase],
                            (&input, qy * layout.pitch + qx),
                            &mut rows,
                        );
                    }
                    for (c, plane) in out.chunks_mut(plane).enumerate() {
                        let to = &mut plane[y * out_w..][..out_w];
                        if s == 2 && out_w > 1 {
                            let even = &line[c * columns..][..columns];
                            let odd = &line[(channels + c) * columns..][..columns];
                            interleave(isa, even, odd, to);
                        } else {
                            for (x, to) in to.iter_mut().enumerate() {
                                *to = line[(x % s * channels + c) * columns + x / s];
                            }
                        }
                    }
                }
            });
    }
}

/// The number of taps of a kernel of size `k` that outputs of phase `r` use.
fn taps(k: usize, stride: usize, r: usize) -> usize {
    k.saturating_sub(r).div_ceil(stride)
}

multiversion! {
    fn interleave(even: &[f32], odd: &[f32], to: &mut [f32]) {
        let mut pairs = to.chunks_exact_mut(2);
        let n = pairs.len();
        for ((pair, even), odd) in (&mut pairs).zip(&even[..n]).zip(&odd[..n]) {
            pair[0] = *even;
            pair[1] = *odd;
        }
        if let [last] = pairs.into_remainder() {
            *last = even[n];
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;

    #[test]
    fn unsupported_configs_are_errors_at_construction() {
        let weight = Tensor::zeros((2, 3, 4, 4), DType::F32, &Device::Cpu).unwrap();
        let made = |config| ConvTranspose2d::new(&weight, None, config, Precision::Single);
        assert!(made(ConvConfig::new(2, 1)).is_ok());
        assert!(made(ConvConfig::new(0, 1)).is_err());
        let upsampled = made(ConvConfig::new(1, 1).upsampled());
        assert!(upsampled.unwrap_err().to_string().contains("upsampled"));
    }
}
