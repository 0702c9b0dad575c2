//! The dense motion network (Sec. 3.2, `DenseMotionNetwork`): combines the motions around the key points into one flow
//! for the whole picture.

use candle_core::{Device, Result as Candle, Tensor};

use super::config::{Config, HEAD_KERNEL};
use super::detector::load_heads;
use super::key_points::KeyPoints;
use crate::methods::error::{Error, check};
use crate::methods::motion::{add_heatmaps, coordinate_grid};
use crate::nn::blocks::{Hourglass, NormKind};
use crate::nn::{
    AntiAlias, Border, Conv2d, Weights, affine_motions, alloc, concat_channels, grid_sample,
    has_kernels, heat_maps, mixed_motion, release, replace_with, sigmoid,
};
use crate::progress::Stop;

/// Blends the key points' motions.
#[derive(Clone, Debug)]
pub(super) struct DenseMotion {
    parts: usize,
    size: usize,
    kp_variance: f32,
    align_corners: bool,
    occlusion: bool,
    /// The coordinates of each pixel, `[size, size, 2]`.
    grid: Vec<f32>,
    shrink: AntiAlias,
    hourglass: Hourglass,
    /// Both heads, masks first, as one convolution, since they have the same input.
    heads: Conv2d,
}

/// The part of the dense motion that depends on the source alone.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The downscaled picture, `[1, 3, h, w]`.
    picture: Tensor,
    /// Its key points' Gaussians, `[K, h, w]`.
    heatmaps: Vec<f32>,
}

/// The motion of the source, before anything is painted; `h` and `w` are [`Config::motion_size`].
#[derive(Clone, Debug)]
pub struct Motion {
    /// The source position of each pixel, `[1, h, w, 2]`: `(x, y)`, from -1 to 1 inside.
    pub flow: Tensor,
    /// How visible the source is at each pixel, `[1, 1, h, w]` in `[0, 1]`.
    pub occlusion: Option<Tensor>,
    /// The contribution of each motion to the flow, the background's first: `[1, K + 1, h, w]` in `[0, 1]`.
    pub masks: Tensor,
}

impl DenseMotion {
    pub fn load(config: &Config, channels: usize, weights: Weights) -> Candle<Self> {
        let sizes = &config.dense_motion;
        let parts = config.num_kp + 1;
        let size = config.motion_size();
        let inputs = parts * (channels + 1);
        let hourglass = Hourglass::load(
            &sizes.hourglass(),
            inputs,
            NormKind::Batch,
            weights.pp("hourglass"),
        )?;
        let mut heads = vec![("mask", parts)];
        if sizes.occlusion {
            heads.push(("occlusion", 1));
        }
        let features = sizes.block_expansion + inputs;
        Ok(Self {
            parts,
            size,
            kp_variance: sizes.kp_variance,
            align_corners: config.align_corners,
            occlusion: sizes.occlusion,
            grid: coordinate_grid(size, size),
            shrink: AntiAlias::new(sizes.downscale),
            hourglass,
            heads: load_heads(&heads, features, HEAD_KERNEL / 2, &weights)?,
        })
    }

    /// Prepares `picture` `[1, 3, H, W]` with its key points.
    pub fn prepare(&self, picture: &Tensor, key_points: &KeyPoints) -> Candle<Source> {
        let mut heatmaps = vec![0.0; key_points.points.len() * self.size * self.size];
        self.add_heatmaps(key_points, 1.0, &mut heatmaps);
        Ok(Source {
            picture: self.shrink.forward(picture)?,
            heatmaps,
        })
    }

    /// The motion that moves the source's key points `from` to `to`.
    pub fn forward(
        &self,
        source: &Source,
        from: &KeyPoints,
        to: &KeyPoints,
        stop: Stop,
    ) -> Result<Motion, Error> {
        let device = source.picture.device();
        let motions = self.sparse_motions(from, to, device)?;
        let input = self.input(source, from, to, &motions)?;
        check(stop)?;
        let mut h = self.hourglass.forward(&input)?;
        release(input);
        check(stop)?;
        replace_with(&mut h, |h| self.heads.forward(h))?;
        let motion = self.mix(&motions, &h)?;
        release(motions);
        release(h);
        Ok(motion)
    }

    /// Adds `factor` times the key points' Gaussians to `maps`, `[K, h, w]`.
    fn add_heatmaps(&self, key_points: &KeyPoints, factor: f32, maps: &mut [f32]) {
        let (size, shape) = ((self.size, self.size), (self.kp_variance, factor));
        add_heatmaps(&key_points.points, size, shape, maps);
    }

    /// Eq. 4 for every motion, `[K + 1, h, w, 2]`; the background's is the identity.
    fn sparse_motions(
        &self,
        from: &KeyPoints,
        to: &KeyPoints,
        device: &Device,
    ) -> Result<Tensor, Error> {
        let motions = KeyPoints::motions(from, to)?;
        if has_kernels(device) {
            let numbers: Vec<_> = motions.iter().map(|motion| motion.numbers()).collect();
            return Ok(affine_motions(&numbers, (self.size, self.size), device)?);
        }
        let mut places = alloc(self.parts * self.grid.len());
        let (identity, moved) = places.split_at_mut(self.grid.len());
        identity.copy_from_slice(&self.grid);
        let parts = moved.chunks_exact_mut(self.grid.len());
        for (motion, part) in motions.iter().zip(parts) {
            let (pixels, _) = self.grid.as_chunks();
            for (to, &pixel) in part.as_chunks_mut().0.iter_mut().zip(pixels) {
                *to = motion.at(pixel);
            }
        }
        let shape = (self.parts, self.size, self.size, 2);
        Ok(Tensor::from_vec(places, shape, device)?)
    }

    /// The hourglass's input, `[1, 4 (K + 1), h, w]`: for each motion the difference of its Gaussians (Eq. 6), then the
    /// source warped by it (Eq. 7).
    fn input(
        &self,
        source: &Source,
        from: &KeyPoints,
        to: &KeyPoints,
        motions: &Tensor,
    ) -> Candle<Tensor> {
        let size = self.size;
        let difference = self.difference(source, from, to, motions.device())?;
        let moved = grid_sample(&source.picture, motions, Border::Zeros, self.align_corners)?;
        let input = concat_channels(&difference, &moved)?.reshape((1, (), size, size))?;
        release(difference);
        release(moved);
        Ok(input)
    }

    /// The key points' Gaussians minus those of the source, `[K + 1, 1, h, w]`.
    fn difference(
        &self,
        source: &Source,
        from: &KeyPoints,
        to: &KeyPoints,
        device: &Device,
    ) -> Candle<Tensor> {
        let size = self.size;
        let shape = (self.parts, 1, size, size);
        if has_kernels(device) {
            let (now, before) = (&to.points, &from.points);
            return heat_maps(now, before, (size, size), self.kp_variance, device)?.reshape(shape);
        }
        let mut difference = alloc(self.parts * size * size);
        // The background has no key point.
        let (background, parts) = difference.split_at_mut(size * size);
        background.fill(0.0);
        for (to, of_source) in parts.iter_mut().zip(&source.heatmaps) {
            *to = -of_source;
        }
        self.add_heatmaps(to, 1.0, parts);
        Tensor::from_vec(difference, shape, device)
    }

    fn mix(&self, motions: &Tensor, maps: &Tensor) -> Candle<Motion> {
        let (masks, flow) = mixed_motion(maps, motions)?;
        let occlusion = if self.occlusion {
            Some(sigmoid(&maps.narrow(1, self.parts, 1)?)?)
        } else {
            None
        };
        Ok(Motion {
            flow,
            occlusion,
            masks,
        })
    }
}
