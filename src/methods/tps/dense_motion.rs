//! The dense motion network (Sec. 3.3; `DenseMotionNetwork` of the authors' code).

use candle_core::{Device, Result as Candle, Tensor};

use super::background;
use super::config::{COLOURS, Config, LEVELS, POINTS};
use super::key_points::KeyPoints;
use super::thin_plate::{self, ThinPlate};
use crate::methods::error::{Error, Network, check};
use crate::methods::motion::{add_heatmaps, coordinate_grid};
use crate::nn::blocks::{Hourglass, HourglassConfig, NormKind, UpBlock};
use crate::nn::{
    Border, Conv2d, ConvConfig, SplineMotions, Weights, alloc, concat_channels, grid_sample,
    has_kernels, heat_maps, mixed_motion, release, replace_with, sigmoid, spline_motions,
};
use crate::progress::Stop;

/// A 7x7 kernel that preserves the size.
const SAME_7: ConvConfig = ConvConfig::new(1, 3);

/// Predicts the contribution of each spline and the occlusion of the source.
#[derive(Clone, Debug)]
pub(super) struct DenseMotion {
    num_tps: usize,
    variance: f32,
    hourglass: Hourglass,
    /// The mask heads on the hourglass's inner outputs, the smallest first.
    inner: Vec<Conv2d>,
    /// The contribution maps and the mask at the hourglass's full size, maps first, as one convolution, since they have
    /// the same input.
    maps: Conv2d,
    /// The up blocks after the hourglass, each with its mask head.
    up: Vec<(UpBlock, Conv2d)>,
}

/// The motion of the source, before anything is painted; `h` and `w` are the hourglass's sides.
#[derive(Clone, Debug)]
pub struct Motion {
    /// The source position of each pixel of the frame (Eq. 6), `[1, h, w, 2]`, `(x, y)`.
    pub flow: Tensor,
    /// The contributions of the background and each spline, `[1, 1 + splines, h, w]`; they sum to 1.
    pub contributions: Tensor,
    /// How visible the source is, `[1, 1, ., .]`, from an eighth of the picture's sides to full size.
    pub occlusion: Vec<Tensor>,
}

impl DenseMotion {
    pub fn load(config: &Config, weights: Weights) -> Candle<Self> {
        let motion = &config.dense_motion;
        let parts = config.num_tps + 1;
        let inputs = COLOURS * parts + config.num_tps * POINTS + 1;
        let sizes = HourglassConfig {
            block_expansion: motion.block_expansion,
            max_features: motion.max_features,
            num_blocks: motion.num_blocks,
        };
        let hourglass =
            Hourglass::load(&sizes, inputs, NormKind::Instance, weights.pp("hourglass"))?;

        let outputs = hourglass.outputs();
        let features = motion.block_expansion + inputs;
        let inner_levels = LEVELS - motion.halvings - 1;
        let mask = |i: usize, channels: usize| {
            Conv2d::load(channels, 1, 7, SAME_7, true, weights.pp("occlusion").pp(i))
        };
        let inner = outputs[outputs.len() - 1 - inner_levels..outputs.len() - 1].iter();
        let inner = inner.enumerate().map(|(i, &channels)| mask(i, channels));
        let up = (0..motion.halvings).map(|i| {
            let (from, to) = (features >> i, features >> (i + 1));
            let block = UpBlock::load(from, to, NormKind::Instance, weights.pp("up").pp(i))?;
            Ok((block, mask(inner_levels + 1 + i, to)?))
        });
        Ok(Self {
            num_tps: config.num_tps,
            variance: config.kp_variance,
            inner: inner.collect::<Candle<_>>()?,
            maps: concat_heads(
                features,
                (parts, weights.pp("maps")),
                (1, weights.pp("occlusion").pp(inner_levels)),
            )?,
            up: up.collect::<Candle<_>>()?,
            hourglass,
        })
    }

    /// The motion of the source `small` `[1, 3, h, w]` between both pictures' key points. `background` is the
    /// background's motion; `None` keeps it static.
    pub fn forward(
        &self,
        small: &Tensor,
        source: &KeyPoints,
        driving: &KeyPoints,
        background: Option<&[f32; 9]>,
        stop: Stop,
    ) -> Result<Motion, Error> {
        check(stop)?;
        let (_, _, height, width) = small.dims4()?;
        let size = (height, width);
        let grids = self.grids(source, driving, background, size, small.device())?;
        let x = self.inputs(small, source, driving, &grids)?;

        check(stop)?;
        let mut outputs = self.hourglass.forward_all(&x)?;
        release(x);
        let last = outputs
            .pop()
            .ok_or_else(|| Error::Config(Network::Motion, "the hourglass has no blocks".into()))?;

        let mut occlusion = Vec::with_capacity(LEVELS);
        for (conv, x) in self
            .inner
            .iter()
            .zip(&outputs[outputs.len() - self.inner.len()..])
        {
            check(stop)?;
            occlusion.push(occlusion_mask(conv, x)?);
        }
        outputs.into_iter().for_each(release);
        check(stop)?;
        let both = self.maps.forward(&last)?;
        let (contributions, flow) = mixed_motion(&both, &grids)?;
        occlusion.push(sigmoid(&both.narrow(1, self.num_tps + 1, 1)?)?);
        release(both);
        release(grids);

        let mut h = last;
        for (block, conv) in &self.up {
            check(stop)?;
            replace_with(&mut h, |h| block.forward(h))?;
            occlusion.push(occlusion_mask(conv, &h)?);
        }
        release(h);

        Ok(Motion {
            flow,
            contributions,
            occlusion,
        })
    }

    /// The map of the background and of each spline at each pixel, `[1 + splines, height, width, 2]`.
    fn grids(
        &self,
        source: &KeyPoints,
        driving: &KeyPoints,
        background: Option<&[f32; 9]>,
        (height, width): (usize, usize),
        device: &Device,
    ) -> Result<Tensor, Error> {
        let splines: Vec<ThinPlate> = driving
            .splines()
            .zip(source.splines())
            .map(|(from, to)| ThinPlate::new(from, to))
            .collect::<Result<_, _>>()?;
        if has_kernels(device) {
            let matrix = background.unwrap_or(&IDENTITY).map(f64::from);
            let mut motions = SplineMotions::new(matrix, POINTS);
            for spline in &splines {
                let (controls, weights) = spline.numbers();
                motions.push(controls, weights)?;
            }
            return Ok(spline_motions(&motions, (height, width), device)?);
        }
        let coordinates = coordinate_grid(height, width);
        let mut grids = alloc((1 + splines.len()) * coordinates.len());
        let (of_background, of_splines) = grids.split_at_mut(coordinates.len());
        match background {
            Some(matrix) => background::grid(matrix, &coordinates, of_background),
            None => of_background.copy_from_slice(&coordinates),
        }
        thin_plate::grids(&splines, (height, width), of_splines);
        let shape = (splines.len() + 1, height, width, 2);
        Ok(Tensor::from_vec(grids, shape, device)?)
    }

    /// The difference of the heatmaps, with zeros for the background, `[1, 1 + points, height, width]`.
    fn difference(
        &self,
        source: &KeyPoints,
        driving: &KeyPoints,
        (height, width): (usize, usize),
        device: &Device,
    ) -> Candle<Tensor> {
        let shape = (1, driving.points.len() + 1, height, width);
        if has_kernels(device) {
            let (now, before) = (&driving.points, &source.points);
            return heat_maps(now, before, (height, width), self.variance, device)?.reshape(shape);
        }
        let mut maps = alloc((driving.points.len() + 1) * height * width);
        maps.fill(0.0);
        let of_points = &mut maps[height * width..];
        for (key_points, factor) in [(driving, 1.0), (source, -1.0)] {
            let shape = (self.variance, factor);
            add_heatmaps(&key_points.points, (height, width), shape, of_points);
        }
        Tensor::from_vec(maps, shape, device)
    }

    /// The difference of the heatmaps, then the source warped by each motion.
    fn inputs(
        &self,
        small: &Tensor,
        source: &KeyPoints,
        driving: &KeyPoints,
        grids: &Tensor,
    ) -> Candle<Tensor> {
        let (_, _, height, width) = small.dims4()?;
        let maps = self.difference(source, driving, (height, width), small.device())?;
        let parts = self.num_tps + 1;
        let moved = grid_sample(small, grids, Border::Zeros, true)?;
        let moved = moved.reshape((1, parts * COLOURS, height, width))?;
        let input = concat_channels(&maps, &moved)?;
        release(maps);
        release(moved);
        Ok(input)
    }
}

/// A static background.
const IDENTITY: [f32; 9] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];

/// The mask of a convolution over features.
fn occlusion_mask(conv: &Conv2d, features: &Tensor) -> Candle<Tensor> {
    let mut mask = conv.forward(features)?;
    replace_with(&mut mask, sigmoid)?;
    Ok(mask)
}

/// Two 7x7 convolutions with the same input as one.
fn concat_heads(
    inputs: usize,
    (first, first_weights): (usize, Weights),
    (second, second_weights): (usize, Weights),
) -> Candle<Conv2d> {
    let get = |outputs: usize, weights: &Weights| {
        let weight = weights.get((outputs, inputs, 7, 7), "weight")?;
        Candle::Ok((weight, weights.get(outputs, "bias")?))
    };
    let (a, b) = (get(first, &first_weights)?, get(second, &second_weights)?);
    let weight = Tensor::cat(&[a.0, b.0], 0)?;
    let bias = Tensor::cat(&[a.1, b.1], 0)?;
    Conv2d::new(&weight, Some(&bias), SAME_7, first_weights.precision())
}
