//! The face mesh network: 478 landmarks of a face, including irises, and the probability that there is a face
//! (Kartynnik et al. 2019, "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs"; Grishchenko et al.
//! 2020, "Attention Mesh"), with the weights of MediaPipe's Face Landmarker v2.

use candle_core::{Device, Result, Tensor};

use super::mesh::Mesh;
use super::sampling::BorderMode;
use super::square::TurnedSquare;
use crate::media::image::{ImagePyramid, Picture};
use crate::nn::{Conv2d, ConvConfig, Epilogue, PRelu, Separable, Weights, max_pool, on_rayon_pool};

/// Side of the network's input in pixels.
pub const SIZE: usize = 256;

/// Number of blocks in each stage and their output channels; every stage after the first downsamples by 2.
const STAGES: [(usize, usize); 7] = [
    (4, 16),
    (5, 32),
    (5, 64),
    (5, 128),
    (5, 128),
    (5, 128),
    (5, 128),
];

/// A bottleneck block: reduce channels, depthwise convolution, expand, and a residual connection.
#[derive(Debug)]
struct Block {
    reduce: Conv2d,
    reduce_slopes: PRelu,
    expand: Separable,
    halves: bool,
}

/// The landmark network.
#[derive(Debug)]
pub struct Landmarks {
    stem: Conv2d,
    stem_slopes: PRelu,
    blocks: Vec<Block>,
    points: Conv2d,
    presence: Conv2d,
    device: Device,
}

impl Landmarks {
    /// Loads `stem`, `blocks.{0..}`, `points` and `presence`.
    ///
    /// # Errors
    /// If a tensor is missing or of another shape.
    pub fn new(weights: Weights) -> Result<Self> {
        let by_two = ConvConfig::new(2, 0);
        let stem = Conv2d::load(3, 16, 3, by_two, true, weights.pp("stem"))?;
        let mut channels = 16;
        let mut blocks = Vec::new();
        for (stage, (count, outputs)) in STAGES.into_iter().enumerate() {
            for i in 0..count {
                let halves = stage > 0 && i == 0;
                let weights = weights.pp("blocks").pp(blocks.len());
                let inner = outputs / 2;
                let (kernel, config) = if halves {
                    (2, by_two)
                } else {
                    (1, ConvConfig::default())
                };
                blocks.push(Block {
                    reduce: Conv2d::load(
                        channels,
                        inner,
                        kernel,
                        config,
                        true,
                        weights.pp("reduce"),
                    )?,
                    reduce_slopes: PRelu::load(inner, weights.pp("reduce"))?,
                    expand: Separable::load(
                        (inner, outputs),
                        1,
                        weights.pp("depthwise"),
                        weights.pp("expand"),
                        PRelu::load(outputs, weights.clone())?,
                    )?,
                    halves,
                });
                channels = outputs;
            }
        }
        let head = |outputs, name| {
            Conv2d::load(
                channels,
                outputs,
                2,
                ConvConfig::default(),
                true,
                weights.pp(name),
            )
        };
        Ok(Self {
            stem,
            stem_slopes: PRelu::load(16, weights.pp("stem"))?,
            blocks,
            points: head(3 * Mesh::POINTS, "points")?,
            presence: head(1, "presence")?,
            device: weights.get(16, "stem.bias")?.device().clone(),
        })
    }

    /// Returns the raw network output: `x, y, z` of each point in pixels of the 256, and the logit of a face being
    /// present. The input is `[1, 3, 257, 257]` in [0, 1] whose last row and column are zeros.
    ///
    /// # Errors
    /// If the input has another shape.
    pub fn forward(&self, x: &Tensor) -> Result<(Vec<f32>, f32)> {
        let mut x = self
            .stem
            .forward_then(x, &Epilogue::prelu(&self.stem_slopes))?;
        for block in &self.blocks {
            let reduced = block
                .reduce
                .forward_then(&x, &Epilogue::prelu(&block.reduce_slopes))?;
            x = if block.halves {
                block.expand.forward(&reduced, &max_pool(&x)?)?
            } else {
                block.expand.forward(&reduced, &x)?
            };
        }
        let points = self.points.forward(&x)?.flatten_all()?.to_vec1()?;
        let presence = self.presence.forward(&x)?.flatten_all()?.to_vec1::<f32>()?;
        Ok((points, presence.first().copied().unwrap_or(f32::MIN)))
    }

    /// Returns the landmarks of the face in a turned square of the picture, and the probability that there is one, in
    /// 0..=1. `None` when the network gives non-finite points.
    ///
    /// # Errors
    /// If the network fails.
    pub fn find(
        &self,
        pyramid: &ImagePyramid<&Picture>,
        region: &TurnedSquare,
    ) -> Result<Option<(Mesh, f32)>> {
        let values = pyramid.read(region, SIZE, (0.0, 1.0), BorderMode::Edge, (0, 1));
        let x = Tensor::from_vec(values, (1, 3, SIZE + 1, SIZE + 1), &self.device)?;
        let (points, logit) = on_rayon_pool(&self.device, || self.forward(&x))?;
        let scale = 1.0 / SIZE as f64;
        let points = points
            .as_chunks()
            .0
            .iter()
            .map(|[x, y, z]| {
                let place = (f64::from(*x) * scale, f64::from(*y) * scale);
                let (x, y) = region.to_picture(place);
                [
                    x as f32,
                    y as f32,
                    (f64::from(*z) * scale * region.side) as f32,
                ]
            })
            .collect();
        let presence = 1.0 / (1.0 + (-logit).exp());
        Ok(Mesh::new(points).map(|mesh| (mesh, presence)))
    }
}
