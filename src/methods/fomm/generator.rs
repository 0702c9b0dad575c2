//! The generator (Sec. 3.2, `OcclusionAwareGenerator`) without its dense motion network.

use std::borrow::Cow;

use candle_core::{Result as Candle, Tensor};

use super::config::Config;
use super::dense_motion::Motion;
use crate::methods::error::{Error, check};
use crate::nn::blocks::{DownBlock, NormKind, ResBlock, SameBlock, UpBlock};
use crate::nn::{
    Border, Conv2d, ConvConfig, Weights, grid_sample, masked, release, replace_with,
    resize_bilinear, resize_flow, sigmoid,
};
use crate::progress::Stop;

/// Paints a frame from the source's features.
#[derive(Clone, Debug)]
pub(super) struct Generator {
    align_corners: bool,
    first: SameBlock,
    down: Vec<DownBlock>,
    bottleneck: Vec<ResBlock>,
    up: Vec<UpBlock>,
    last: Conv2d,
}

const KERNEL: usize = 7;
const SAME_7: ConvConfig = ConvConfig::new(1, 3);

impl Generator {
    pub fn load(config: &Config, channels: usize, weights: Weights) -> Candle<Self> {
        let sizes = &config.generator;
        let (halvings, kind) = (sizes.num_down_blocks, NormKind::Batch);
        let width = sizes.block_expansion;
        let down = |i: usize| {
            let (inputs, outputs) = (sizes.features(i), sizes.features(i + 1));
            DownBlock::load(inputs, outputs, kind, weights.pp("down_blocks").pp(i))
        };
        let up = |i: usize| {
            let (inputs, outputs) = (
                sizes.features(halvings - i),
                sizes.features(halvings - i - 1),
            );
            UpBlock::load(inputs, outputs, kind, weights.pp("up_blocks").pp(i))
        };
        let block = |i: usize| {
            let weights = weights.pp("bottleneck").pp(format!("r{i}"));
            ResBlock::load(sizes.features(halvings), kind, weights)
        };
        Ok(Self {
            align_corners: config.align_corners,
            first: SameBlock::load(channels, width, KERNEL, kind, weights.pp("first"))?,
            down: (0..halvings).map(down).collect::<Candle<_>>()?,
            bottleneck: (0..sizes.num_bottleneck_blocks)
                .map(block)
                .collect::<Candle<_>>()?,
            up: (0..halvings).map(up).collect::<Candle<_>>()?,
            last: Conv2d::load(width, channels, KERNEL, SAME_7, true, weights.pp("final"))?,
        })
    }

    /// The features of `picture` `[1, 3, H, W]`, downsampled by `2^num_down_blocks`.
    pub fn encode(&self, picture: &Tensor) -> Candle<Tensor> {
        let mut h = self.first.forward(picture)?;
        for block in &self.down {
            replace_with(&mut h, |h| block.forward(h))?;
        }
        Ok(h)
    }

    /// The frame, `[1, 3, H, W]` in `[0, 1]`: warps `features`, masks them by the occlusion (Eq. 8) and decodes them.
    pub fn draw(&self, features: &Tensor, motion: &Motion, stop: Stop) -> Result<Tensor, Error> {
        let mut h = warp(features, &motion.flow, self.align_corners)?;
        if let Some(occlusion) = &motion.occlusion {
            let (_, _, height, width) = h.dims4()?;
            let mask = resized(occlusion, (height, width))?;
            replace_with(&mut h, |h| masked(h, &mask))?;
        }
        for block in &self.bottleneck {
            check(stop)?;
            replace_with(&mut h, |h| block.forward(h))?;
        }
        for block in &self.up {
            check(stop)?;
            replace_with(&mut h, |h| block.forward(h))?;
        }
        check(stop)?;
        replace_with(&mut h, |h| self.last.forward(h))?;
        replace_with(&mut h, sigmoid)?;
        Ok(h)
    }
}

/// Warps `x` `[1, C, H, W]` by `flow` `[1, h, w, 2]`, with zeros where the flow leads outside.
pub(super) fn warp(x: &Tensor, flow: &Tensor, align_corners: bool) -> Candle<Tensor> {
    let (_, _, height, width) = x.dims4()?;
    // The flow is resized without aligned corners too.
    let flow = resize_flow(flow, (height, width), false)?;
    let moved = grid_sample(x, &flow, Border::Zeros, align_corners)?;
    if let Cow::Owned(flow) = flow {
        release(flow);
    }
    Ok(moved)
}

/// Resizes `x` `[1, C, h, w]`. Maps are resized without aligned corners even if the warp uses `align_corners`.
fn resized(x: &Tensor, size: (usize, usize)) -> Candle<Tensor> {
    let (_, _, height, width) = x.dims4()?;
    if (height, width) == size {
        return Ok(x.clone());
    }
    resize_bilinear(x, size, false)
}
