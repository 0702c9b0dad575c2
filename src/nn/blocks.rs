//! The building blocks shared by FOMM and TPS, with the keys of the authors' checkpoints; they differ only in the norm.

use candle_core::{Result, Tensor};

use super::arena::{release, replace_with};
use super::batch_norm::BatchNorm;
use super::conv::{Conv2d, ConvConfig};
use super::epilogue::Epilogue;
use super::mix::concat_channels;
use super::norm::InstanceNorm;
use super::resize::avg_pool;
use super::weights::Weights;

/// The norm used in every block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormKind {
    /// Batch norm with running statistics (FOMM).
    Batch,
    /// Instance norm with weights (TPS).
    Instance,
}

/// A size-preserving convolution with an odd kernel, norm, ReLU (`SameBlock2d`); keys `conv` and `norm`.
#[derive(Clone, Debug)]
pub struct SameBlock {
    conv: Conv2d,
    /// `None` if it is folded into the convolution.
    norm: Option<InstanceNorm>,
}

impl SameBlock {
    /// Reads a block with a square `kernel`.
    ///
    /// # Errors
    /// If a tensor is missing or of another shape.
    pub fn load(
        inputs: usize,
        outputs: usize,
        kernel: usize,
        kind: NormKind,
        weights: Weights,
    ) -> Result<Self> {
        Self::load_with(inputs, outputs, kernel, same_size(kernel), kind, weights)
    }

    fn load_with(
        inputs: usize,
        outputs: usize,
        kernel: usize,
        config: ConvConfig,
        kind: NormKind,
        weights: Weights,
    ) -> Result<Self> {
        let (conv, norm) = (weights.pp("conv"), weights.pp("norm"));
        Ok(match kind {
            NormKind::Batch => Self {
                conv: Conv2d::load_folded(inputs, outputs, kernel, config, true, conv, norm)?,
                norm: None,
            },
            NormKind::Instance => Self {
                conv: Conv2d::load(inputs, outputs, kernel, config, true, conv)?,
                norm: Some(InstanceNorm::load(outputs, norm)?),
            },
        })
    }

    /// `[N, inputs, H, W]` to `[N, outputs, H, W]`.
    ///
    /// # Errors
    /// If the channels differ.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.conv.forward_then(x, &self.epilogue())
    }

    fn epilogue(&self) -> Epilogue<'_> {
        Epilogue {
            norm: self.norm.as_ref(),
            relu: true,
            ..Epilogue::default()
        }
    }
}

/// A 3x3 [`SameBlock`], then 2x2 average pooling (`DownBlock2d`).
#[derive(Clone, Debug)]
pub struct DownBlock(SameBlock);

impl DownBlock {
    /// # Errors
    /// As [`SameBlock::load`].
    pub fn load(inputs: usize, outputs: usize, kind: NormKind, weights: Weights) -> Result<Self> {
        SameBlock::load(inputs, outputs, 3, kind, weights).map(Self)
    }

    /// `[N, inputs, H, W]` to `[N, outputs, H / 2, W / 2]`.
    ///
    /// # Errors
    /// If the channels differ.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut h = self.0.forward(x)?;
        replace_with(&mut h, avg_pool)?;
        Ok(h)
    }
}

/// Nearest-neighbour upsampling to twice the size, then a 3x3 [`SameBlock`] (`UpBlock2d`).
#[derive(Clone, Debug)]
pub struct UpBlock(SameBlock);

impl UpBlock {
    /// # Errors
    /// As [`SameBlock::load`].
    pub fn load(inputs: usize, outputs: usize, kind: NormKind, weights: Weights) -> Result<Self> {
        let config = same_size(3).upsampled();
        SameBlock::load_with(inputs, outputs, 3, config, kind, weights).map(Self)
    }

    /// `[N, inputs, H, W]` to `[N, outputs, 2 H, 2 W]`.
    ///
    /// # Errors
    /// If the channels differ.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.0.forward(x)
    }
}

/// Norm, ReLU and 3x3 convolution, twice, and the input added (`ResBlock2d`); keys `norm1`, `conv1`, `norm2`, `conv2`.
#[derive(Clone, Debug)]
pub struct ResBlock {
    before: FirstNorm,
    first: Conv2d,
    /// `None` if it is folded into `first`.
    between: Option<InstanceNorm>,
    second: Conv2d,
}

#[derive(Clone, Debug)]
enum FirstNorm {
    Batch(BatchNorm),
    Instance(InstanceNorm),
}

impl ResBlock {
    /// # Errors
    /// If a tensor is missing or of another shape.
    pub fn load(channels: usize, kind: NormKind, weights: Weights) -> Result<Self> {
        let config = same_size(3);
        let (norm1, conv1, norm2) = (
            weights.pp("norm1"),
            weights.pp("conv1"),
            weights.pp("norm2"),
        );
        let (before, first, between) = match kind {
            NormKind::Batch => (
                FirstNorm::Batch(BatchNorm::load(channels, norm1)?),
                Conv2d::load_folded(channels, channels, 3, config, true, conv1, norm2)?,
                None,
            ),
            NormKind::Instance => (
                FirstNorm::Instance(InstanceNorm::load(channels, norm1)?),
                Conv2d::load(channels, channels, 3, config, true, conv1)?,
                Some(InstanceNorm::load(channels, norm2)?),
            ),
        };
        Ok(Self {
            before,
            first,
            between,
            second: Conv2d::load(channels, channels, 3, config, true, weights.pp("conv2"))?,
        })
    }

    /// `[N, C, H, W]` to the same shape.
    ///
    /// # Errors
    /// If the channels differ.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut h = match &self.before {
            FirstNorm::Batch(norm) => norm.forward(x, true)?,
            FirstNorm::Instance(norm) => norm.forward(x, true)?,
        };
        let middle = Epilogue {
            norm: self.between.as_ref(),
            relu: true,
            ..Epilogue::default()
        };
        let end = Epilogue {
            residual: Some(x),
            ..Epilogue::default()
        };
        replace_with(&mut h, |h| self.first.forward_then(h, &middle))?;
        replace_with(&mut h, |h| self.second.forward_then(h, &end))?;
        Ok(h)
    }
}

/// The sizes of an [`Hourglass`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourglassConfig {
    /// Half of the channels after the first block; each block doubles them.
    pub block_expansion: usize,
    /// The upper bound of the channels.
    pub max_features: usize,
    /// The number of halvings, and of doublings.
    pub num_blocks: usize,
}

/// Downsamples a picture repeatedly, then upsamples it, concatenating the features of the same size from the way down
/// (`Hourglass`); keys `encoder.down_blocks.N` and `decoder.up_blocks.N`.
#[derive(Clone, Debug)]
pub struct Hourglass {
    down: Vec<DownBlock>,
    up: Vec<UpBlock>,
    outputs: Vec<usize>,
}

impl Hourglass {
    /// # Errors
    /// If a tensor is missing or of another shape.
    pub fn load(
        config: &HourglassConfig,
        inputs: usize,
        kind: NormKind,
        weights: Weights,
    ) -> Result<Self> {
        let n = config.num_blocks;
        let channels = |level: usize| {
            let doubled = 1usize.checked_shl(level as u32).unwrap_or(usize::MAX);
            config
                .max_features
                .min(config.block_expansion.saturating_mul(doubled))
        };
        // The channels concatenated with the upsampled picture at each level.
        let skip = |level: usize| if level == 0 { inputs } else { channels(level) };
        let down = (0..n)
            .map(|i| {
                let weights = weights.pp("encoder.down_blocks").pp(i);
                DownBlock::load(skip(i), channels(i + 1), kind, weights)
            })
            .collect::<Result<_>>()?;
        let up = (0..n)
            .map(|i| {
                let level = n - 1 - i;
                let twice = if i == 0 { 1 } else { 2 };
                let weights = weights.pp("decoder.up_blocks").pp(i);
                UpBlock::load(twice * channels(level + 1), channels(level), kind, weights)
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            down,
            up,
            outputs: (0..n)
                .rev()
                .map(|level| channels(level) + skip(level))
                .collect(),
        })
    }

    /// The channels of each output of [`Hourglass::forward_all`].
    pub fn outputs(&self) -> &[usize] {
        &self.outputs
    }

    /// `[N, inputs, H, W]` to `[N, block_expansion + inputs, H, W]`; H and W are multiples of `2^num_blocks`.
    ///
    /// # Errors
    /// If the shape doesn't fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let last = self.walk(x, false)?.pop();
        Ok(last.unwrap_or_else(|| x.clone()))
    }

    /// Returns the output of every up block, smallest first; the last is that of [`Hourglass::forward`].
    ///
    /// # Errors
    /// If the shape doesn't fit.
    pub fn forward_all(&self, x: &Tensor) -> Result<Vec<Tensor>> {
        self.walk(x, true)
    }

    /// Returns the outputs of the up blocks: all of them, or only the last.
    fn walk(&self, x: &Tensor, all: bool) -> Result<Vec<Tensor>> {
        let mut skips: Vec<Tensor> = Vec::with_capacity(self.down.len());
        for block in &self.down {
            let h = block.forward(skips.last().unwrap_or(x))?;
            skips.push(h);
        }
        let mut outputs: Vec<Tensor> = skips.pop().into_iter().collect();
        for (i, block) in self.up.iter().enumerate() {
            let mut h = block.forward(outputs.last().unwrap_or(x))?;
            let skip = skips.pop();
            replace_with(&mut h, |h| concat_channels(h, skip.as_ref().unwrap_or(x)))?;
            outputs.push(h);
            skip.into_iter().for_each(release);
            // The deepest features are not an output.
            if i == 0 || !all {
                release(outputs.remove(0));
            }
        }
        Ok(outputs)
    }
}

/// Stride 1 and the padding that preserves the size.
fn same_size(kernel: usize) -> ConvConfig {
    ConvConfig::new(1, kernel / 2)
}
