//! The inpainting network (Sec. 3.4; `InpaintingNetwork` of the authors' code).

use std::borrow::Cow;

use candle_core::{Result as Candle, Tensor};

use super::config::{COLOURS, Config, LEVELS};
use super::dense_motion::Motion;
use crate::methods::error::{Error, Network, check};
use crate::nn::blocks::{DownBlock, NormKind, ResBlock, SameBlock, UpBlock};
use crate::nn::{
    Border, Conv2d, ConvConfig, Weights, concat_channels, grid_sample, lerp, masked, release,
    replace_with, resize_flow, sigmoid,
};
use crate::progress::Stop;

/// Paints a frame from the source's feature maps, warped and masked at every resolution.
#[derive(Clone, Debug)]
pub(super) struct Inpainting {
    first: SameBlock,
    down: Vec<DownBlock>,
    /// The deepest first.
    up: Vec<([ResBlock; 2], UpBlock)>,
    last: Conv2d,
}

impl Inpainting {
    pub fn load(config: &Config, weights: Weights) -> Candle<Self> {
        let kind = NormKind::Instance;
        let width = config.block_expansion;
        let deepest = width << (LEVELS - 1);
        let down = (0..LEVELS - 1).map(|i| {
            let weights = weights.pp("down_blocks").pp(i);
            DownBlock::load(width << i, width << (i + 1), kind, weights)
        });
        let up = (0..LEVELS - 1).map(|i| {
            // After the first level, the encoder's map of that size is concatenated.
            let inputs = deepest >> i.saturating_sub(1);
            let res = |n: usize| ResBlock::load(inputs, kind, weights.pp("resblock").pp(n));
            let blocks = [res(2 * i)?, res(2 * i + 1)?];
            let weights = weights.pp("up_blocks").pp(i);
            Ok((
                blocks,
                UpBlock::load(inputs, deepest >> (i + 1), kind, weights)?,
            ))
        });
        let same = ConvConfig::new(1, 3);
        Ok(Self {
            first: SameBlock::load(COLOURS, width, 7, kind, weights.pp("first"))?,
            down: down.collect::<Candle<_>>()?,
            up: up.collect::<Candle<_>>()?,
            last: Conv2d::load(width, COLOURS, 7, same, true, weights.pp("final"))?,
        })
    }

    /// The feature maps of a picture `[1, 3, H, W]`: `[1, block_expansion * 2^i, H / 2^i, W / 2^i]`.
    pub fn encode(&self, picture: &Tensor) -> Candle<Vec<Tensor>> {
        let mut maps = Vec::with_capacity(LEVELS);
        let mut h = self.first.forward(picture)?;
        for block in &self.down {
            let next = block.forward(&h)?;
            maps.push(std::mem::replace(&mut h, next));
        }
        maps.push(h);
        Ok(maps)
    }

    /// The frame, and the picture warped without painting, `[1, 3, H, W]` each.
    pub fn forward(
        &self,
        picture: &Tensor,
        maps: &[Tensor],
        motion: &Motion,
        stop: Stop,
    ) -> Result<(Tensor, Tensor), Error> {
        // From the deepest map to the first, which has the picture's size.
        let mut levels = maps.iter().rev().zip(&motion.occlusion);
        let mut next = || {
            let (map, mask) = levels.next().ok_or_else(|| {
                Error::Config(Network::Motion, "a feature map or a mask is missing".into())
            })?;
            let (_, _, height, width) = map.dims4()?;
            let flow = resize_flow(&motion.flow, (height, width), true)?;
            let moved = grid_sample(map, &flow, Border::Zeros, true)?;
            Ok::<_, Error>((moved, flow, mask))
        };

        check(stop)?;
        let (moved, mut flow, mut mask) = next()?;
        let mut h = moved;
        replace_with(&mut h, |h| masked(h, mask))?;
        for (i, (blocks, up)) in self.up.iter().enumerate() {
            for block in blocks {
                check(stop)?;
                replace_with(&mut h, |h| block.forward(h))?;
            }
            check(stop)?;
            replace_with(&mut h, |h| up.forward(h))?;
            let mut moved;
            release_owned(flow);
            (moved, flow, mask) = next()?;
            if i + 1 < self.up.len() {
                replace_with(&mut moved, |moved| masked(moved, mask))?;
                replace_with(&mut h, |h| concat_channels(h, &moved))?;
            } else {
                replace_with(&mut h, |h| lerp(h, &moved, mask))?;
            }
            release(moved);
        }

        check(stop)?;
        let moved = grid_sample(picture, &flow, Border::Zeros, true)?;
        release_owned(flow);
        replace_with(&mut h, |h| self.last.forward(h))?;
        replace_with(&mut h, sigmoid)?;
        replace_with(&mut h, |painted| lerp(painted, &moved, mask))?;
        Ok((h, moved))
    }
}

/// Releases a resized flow, but not one borrowed from the motion.
fn release_owned(flow: Cow<'_, Tensor>) {
    if let Cow::Owned(flow) = flow {
        release(flow);
    }
}
