//! ResNet-18, with torchvision's keys.
//!
//! Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun, "Deep Residual Learning for Image
//! Recognition", CVPR 2016, [arXiv 1512.03385](https://arxiv.org/abs/1512.03385), Table 1.

use candle_core::{DType, Result as Candle, Tensor};
use candle_nn::{Linear, Module};

use crate::methods::error::{Error, check};
use crate::nn::{Conv2d, ConvConfig, Epilogue, PRelu, Weights, max_pool_3, release, replace_with};
use crate::progress::Stop;

/// Stages of two blocks each; each after the first doubles the channels and halves the sides.
const STAGES: usize = 4;

/// Encodes a picture with any number of channels as a vector.
#[derive(Clone, Debug)]
pub(super) struct ResNet18 {
    first: Conv2d,
    first_relu: PRelu,
    blocks: Vec<Block>,
    last: Linear,
}

#[derive(Clone, Debug)]
struct Block {
    convs: [Conv2d; 2],
    /// The projection shortcut, where the block changes the shape.
    shortcut: Option<Conv2d>,
    relu: PRelu,
}

/// A convolution without bias with the following batch norm folded in; the keys are those of the convolution and the
/// norm.
fn folded(
    (inputs, outputs): (usize, usize),
    kernel: usize,
    stride: usize,
    weights: &Weights,
    (conv, norm): (&str, &str),
) -> Candle<Conv2d> {
    let config = ConvConfig::new(stride, kernel / 2);
    Conv2d::load_folded(
        inputs,
        outputs,
        kernel,
        config,
        false,
        weights.pp(conv),
        weights.pp(norm),
    )
}

/// ReLU, as a leaky ReLU with slopes of 0.
fn relu(channels: usize, weights: &Weights) -> Candle<PRelu> {
    PRelu::new(&Tensor::zeros(channels, DType::F32, weights.device())?)
}

impl Block {
    fn load(inputs: usize, outputs: usize, stride: usize, weights: &Weights) -> Candle<Self> {
        let shortcut = (stride != 1 || inputs != outputs)
            .then(|| {
                let keys = ("downsample.0", "downsample.1");
                folded((inputs, outputs), 1, stride, weights, keys)
            })
            .transpose()?;
        Ok(Self {
            convs: [
                folded((inputs, outputs), 3, stride, weights, ("conv1", "bn1"))?,
                folded((outputs, outputs), 3, 1, weights, ("conv2", "bn2"))?,
            ],
            shortcut,
            relu: relu(outputs, weights)?,
        })
    }

    fn forward(&self, x: &Tensor) -> Candle<Tensor> {
        let mut h = self.convs[0].forward_then(x, &Epilogue::prelu(&self.relu))?;
        let shortcut = self.shortcut.as_ref().map(|conv| conv.forward(x));
        let shortcut = shortcut.transpose()?;
        // The ReLU after the sum.
        let end = Epilogue {
            residual: Some(shortcut.as_ref().unwrap_or(x)),
            slopes: Some(&self.relu),
            ..Epilogue::default()
        };
        replace_with(&mut h, |h| self.convs[1].forward_then(h, &end))?;
        shortcut.into_iter().for_each(release);
        Ok(h)
    }
}

impl ResNet18 {
    /// For pictures of `inputs` channels and vectors of `outputs` values; the first stage has `first` channels, 64 as
    /// published.
    pub fn load(
        (inputs, outputs): (usize, usize),
        first: usize,
        weights: &Weights,
    ) -> Candle<Self> {
        let mut blocks = Vec::new();
        let mut channels = first;
        for stage in 0..STAGES {
            let width = first << stage;
            let weights = weights.pp(format!("layer{}", stage + 1));
            let stride = if stage == 0 { 1 } else { 2 };
            blocks.push(Block::load(channels, width, stride, &weights.pp(0))?);
            blocks.push(Block::load(width, width, 1, &weights.pp(1))?);
            channels = width;
        }
        Ok(Self {
            first: folded((inputs, first), 7, 2, weights, ("conv1", "bn1"))?,
            first_relu: relu(first, weights)?,
            blocks,
            last: weights.pp("fc").linear(channels, outputs)?,
        })
    }

    /// Maps `[1, inputs, H, W]` to its vector.
    pub fn forward(&self, x: &Tensor, stop: Stop) -> Result<Vec<f32>, Error> {
        check(stop)?;
        let rectified = Epilogue::prelu(&self.first_relu);
        let mut h = self.first.forward_then(x, &rectified)?;
        replace_with(&mut h, max_pool_3)?;
        for block in &self.blocks {
            check(stop)?;
            replace_with(&mut h, |h| block.forward(h))?;
        }
        let pooled = h.flatten_from(2)?.mean(2)?;
        Ok(self.last.forward(&pooled)?.flatten_all()?.to_vec1()?)
    }
}
