//! Convolution with weights packed at construction.

use candle_core::{Result, Tensor};

use super::arena::{self, Scratch};
use super::batch_norm::BatchNorm;
use super::cuda;
use super::direct::{self, Layout, Packed};
use super::epilogue::Epilogue;
use super::host;
use super::isa::Isa;
use super::micro::Shape;
use super::precision::ConvWeight;
use super::weights::{Precision, Weights};
use super::winograd::{BiasAndFloor, ConvForm, Winograd};

/// The most input values that a task of a 1x1 convolution reads at a time: half of a small L2 cache.
const POINTWISE_VALUES: usize = 24 * 1024;

/// How a kernel moves over the picture. Both axes are alike; zeros outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvConfig {
    /// Samples between adjacent outputs (between adjacent inputs if transposed); at least 1.
    pub stride: usize,
    /// Zeros on each side; for a transposed convolution, rows and columns cropped from each side.
    pub padding: usize,
    /// Whether the picture is doubled first (nearest neighbour), without writing the doubled picture; only with a
    /// stride of 1, not transposed.
    pub upsampled: bool,
}

impl ConvConfig {
    /// From the stride and the padding.
    pub const fn new(stride: usize, padding: usize) -> Self {
        Self {
            stride,
            padding,
            upsampled: false,
        }
    }

    /// The same over the picture upsampled to twice its size (nearest neighbour).
    pub const fn upsampled(self) -> Self {
        Self {
            upsampled: true,
            ..self
        }
    }
}

impl Default for ConvConfig {
    fn default() -> Self {
        Self::new(1, 0)
    }
}

/// A 2-D convolution (cross-correlation, as in PyTorch). For inference: no gradients.
///
/// Loaded on the CPU it owns packed weights and runs our kernels; loaded on another device it runs cuDNN's or candle's
/// operations there. Both agree up to rounding.
#[derive(Clone, Debug)]
pub struct Conv2d {
    inputs: usize,
    outputs: usize,
    kernel: (usize, usize),
    config: ConvConfig,
    bias: Option<Vec<f32>>,
    kind: Backend,
}

#[derive(Clone, Debug)]
enum Backend {
    /// Direct convolution, and minimal filtering where that may be faster.
    Ours {
        direct: Packed,
        winograd: Option<Winograd>,
    },
    Candle {
        kernel: ConvWeight,
        bias: Option<Tensor>,
    },
}

impl Conv2d {
    /// From `weight` `[outputs, inputs, kh, kw]` and `bias` `[outputs]`.
    ///
    /// # Errors
    /// If the shapes disagree, the stride is zero, the kernel is empty, or the picture is upsampled with a stride other than 1.
    pub fn new(
        weight: &Tensor,
        bias: Option<&Tensor>,
        config: ConvConfig,
        precision: Precision,
    ) -> Result<Self> {
        let ours = cuda::runs_cpu_kernels(weight.device());
        if ours && precision == Precision::Single {
            return Self::with_isa(weight, bias, config, Isa::best());
        }
        let kernel = ConvWeight::new(weight, config, precision)?;
        Self::unpacked(weight, bias, config, kernel)
    }

    /// As [`Conv2d::new`] on the CPU in single precision, with kernels for the instruction set `isa`: for tests and benchmarks.
    pub fn with_isa(
        weight: &Tensor,
        bias: Option<&Tensor>,
        config: ConvConfig,
        isa: Isa,
    ) -> Result<Self> {
        let kernel = ConvWeight::Given(weight.clone());
        let mut this = Self::unpacked(weight, bias, config, kernel)?;
        this.kind = this.pack(&host::to_values(weight)?, isa);
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
        let weight = weights.get((outputs, inputs, kernel, kernel), "weight")?;
        let bias = bias.then(|| weights.get(outputs, "bias")).transpose()?;
        Self::new(&weight, bias.as_ref(), config, weights.precision())
    }

    /// Reads a convolution from `conv` and the batch norm after it from `norm`, folded into one layer, in the
    /// precision of `conv`.
    ///
    /// # Errors
    /// If a tensor is missing or of another shape.
    pub fn load_folded(
        inputs: usize,
        outputs: usize,
        kernel: usize,
        config: ConvConfig,
        bias: bool,
        conv: Weights,
        norm: Weights,
    ) -> Result<Self> {
        let weight = conv.get((outputs, inputs, kernel, kernel), "weight")?;
        let bias = bias.then(|| conv.get(outputs, "bias")).transpose()?;
        let (weight, bias) = BatchNorm::load(outputs, norm)?.fold(&weight, bias.as_ref())?;
        Self::new(&weight, Some(&bias), config, conv.precision())
    }

    fn unpacked(
        weight: &Tensor,
        bias: Option<&Tensor>,
        config: ConvConfig,
        kernel: ConvWeight,
    ) -> Result<Self> {
        let (outputs, inputs, kh, kw) = weight.dims4()?;
        if weight.elem_count() == 0 || config.stride == 0 {
            candle_core::bail!("a convolution needs a kernel and a stride of at least 1");
        }
        if config.upsampled && config.stride != 1 {
            candle_core::bail!("an upsampled picture is taken with a stride of 1 alone");
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
                kernel,
                bias: bias.map(|b| b.reshape((1, outputs, 1, 1))).transpose()?,
            },
        })
    }

    fn pack(&self, weight: &[f32], isa: Isa) -> Backend {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let (kh, kw) = self.kernel;
        let ConvConfig {
            stride,
            padding,
            upsampled,
        } = self.config;
        let form = match (self.kernel, stride, padding, upsampled) {
            ((7, 7), 1, padding, false) => Some(ConvForm::Wide { padding }),
            ((3, 3), 1, padding, false) => Some(ConvForm::Same { padding }),
            ((3, 3), 1, 1, true) => Some(ConvForm::Upsampled),
            ((4, 4), 2, 1, false) => Some(ConvForm::Strided),
            _ => None,
        };
        let winograd = form.and_then(|form| Winograd::new(form, inputs, outputs, isa));
        let shape = Shape::for_channels(isa, outputs);
        let taps = inputs * kh * kw;
        let direct = Packed::new(shape, outputs, taps, |output, tap| {
            weight[output * taps + tap]
        });
        Backend::Ours { direct, winograd }
    }

    /// Convolves `[N, inputs, H, W]` to `[N, outputs, H', W']`, `H' = (H + 2 padding - kh) / stride + 1`, or with `2 H`
    /// if upsampled; the same for `W'`.
    ///
    /// # Errors
    /// If the channels differ or the kernel is larger than the padded picture.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.forward_then(x, &Epilogue::default())
    }

    /// [`Conv2d::forward`], then `epilogue` while the result is still in the cache.
    ///
    /// # Errors
    /// As [`Conv2d::forward`], or if the epilogue's shapes don't fit the result.
    pub fn forward_then(&self, x: &Tensor, epilogue: &Epilogue) -> Result<Tensor> {
        let (n, channels, own_height, own_width) = x.dims4()?;
        let (kh, kw) = self.kernel;
        let ConvConfig {
            stride,
            padding,
            upsampled,
        } = self.config;
        let times = if upsampled { 2 } else { 1 };
        let (height, width) = (times * own_height, times * own_width);
        let (padded_h, padded_w) = (height + 2 * padding, width + 2 * padding);
        if channels != self.inputs || padded_h < kh || padded_w < kw || height * width == 0 {
            candle_core::bail!(
                "convolution {kh}x{kw} of {} channels can't take {:?}",
                self.inputs,
                x.dims()
            );
        }

        let (direct, winograd) = match &self.kind {
            Backend::Ours { direct, winograd } => (direct, winograd),
            Backend::Candle { kernel, bias } => {
                let y = if !upsampled {
                    kernel.forward(x, padding, stride)?
                } else if cuda::takes(&[x]) {
                    kernel.forward(&cuda::upsampled(x)?, padding, stride)?
                } else {
                    let x = x.upsample_nearest2d(height, width)?;
                    kernel.forward(&x, padding, stride)?
                };
                return epilogue.apply_on_device(y, bias.as_ref());
            }
        };

        let (out_h, out_w) = ((padded_h - kh) / stride + 1, (padded_w - kw) / stride + 1);
        let plane = out_h * out_w;
        let mut out = arena::alloc(n * self.outputs * plane);
        let floor = epilogue.floor();
        let finished = host::with_values(x, |x| {
            let products = n * self.outputs * plane * self.inputs * kh * kw;
            let size = (own_height, own_width);
            if let Some(winograd) = winograd.as_ref().filter(|w| w.is_faster(n, size, products)) {
                let bias = self.bias.as_deref();
                let fused = floor.map(|floor| BiasAndFloor { bias, floor });
                let tap = |output, input, y, x| direct.weight(output, (input * kh + y) * kw + x);
                winograd.run(x, size, &mut out, fused.unwrap_or_default(), &tap);
                return Ok(fused.is_some());
            }
            for (x, out) in x
                .chunks_exact(channels * own_height * own_width)
                .zip(out.chunks_exact_mut(self.outputs * plane))
            {
                // A 1x1 kernel can read each plane as one long row: nothing to pad or copy.
                if self.kernel == (1, 1)
                    && !upsampled
                    && (stride, padding) == (1, 0)
                    && plane.is_multiple_of(direct.shape.width)
                {
                    self.pointwise(direct, x, out);
                    continue;
                }
                let layout = Layout {
                    channels,
                    height: own_height,
                    width: own_width,
                    upsampled,
                    padding,
                    stride,
                    rows: out_h + (kh - 1) / stride,
                    pitch: out_w + (kw - 1) / stride,
                };
                self.direct(direct, &layout, &layout.copy(x), out, out_w);
            }
            Ok(false)
        })?;
        if !finished {
            let shape = (n, self.outputs, plane);
            epilogue.apply(&mut out, self.bias.as_deref(), shape)?;
        }
        Tensor::from_vec(out, (n, self.outputs, out_h, out_w), x.device())
    }

    fn direct(
        &self,
        packed: &Packed,
        layout: &Layout,
        input: &Scratch,
        out: &mut [f32],
        out_w: usize,
    ) {
        let (kh, kw) = self.kernel;
        let passes = packed.passes(
            (0..self.inputs * kh * kw)
                .map(|tap| layout.offset(tap / (kh * kw), tap / kw % kh, tap % kw)),
        );
        let plane = out.len() / self.outputs;
        let work = out.len() * self.inputs * kh * kw;
        let tile = packed.shape.width;
        let long = layout.pitch * (plane / out_w - 1) + out_w;
        if out_w < 2 * tile && long.div_ceil(tile) < plane / out_w * out_w.div_ceil(tile) {
            return host::run_tasks(
                out.chunks_mut(plane * packed.shape.rows)
                    .enumerate()
                    .collect(),
                work,
                |(group, out)| packed.planes(group, &passes, input, (layout.pitch, out_w), out),
            );
        }
        // Enough tasks for every thread, each of enough rows to reuse the packed weights.
        let out_h = plane / out_w;
        let wanted = (4 * rayon::current_num_threads()).div_ceil(packed.groups());
        let band = out_h.div_ceil(wanted).max(4);
        let tasks = direct::bands(out, plane, out_w, packed.shape.rows, band);
        host::run_tasks(tasks, work, |mut task| {
            packed.rows(&mut task, &passes, input, (layout.pitch, out_w));
        });
    }

    /// A 1x1 convolution on planes whose length is a multiple of the tile's width.
    fn pointwise(&self, packed: &Packed, x: &[f32], out: &mut [f32]) {
        let plane = out.len() / self.outputs;
        let passes = packed.passes((0..self.inputs).map(|channel| channel * plane));
        // All groups of output channels read a part of the picture while it is cached.
        let tile = packed.shape.width;
        let tiles = plane / tile;
        let part = tiles
            .div_ceil(2 * rayon::current_num_threads())
            .min(POINTWISE_VALUES / (self.inputs * tile))
            .max(1)
            * tile;
        let work = out.len() * self.inputs;
        let tasks = direct::bands(out, plane, part, self.outputs, 1);
        host::run_tasks(tasks, work, |mut task| {
            let base = task.first * part;
            let groups = task.rows.chunks_mut(packed.shape.rows);
            for (group, rows) in groups.enumerate() {
                packed.row(group, &passes, (x, base), rows);
            }
        });
    }
}
