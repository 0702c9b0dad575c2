//! Scores 52 facial blendshapes from 146 of a face's landmarks: an MLP-Mixer (Tolstikhin et al. 2021; Grishchenko et al.
//! 2022, "Blendshapes GHUM: Real-time Monocular Facial Blendshape Prediction"), with the weights of MediaPipe's Face
//! Landmarker v2.

use candle_core::{D, Device, Result, Tensor};
use candle_nn::ops;

use super::mesh::Mesh;
use crate::nn::{Conv2d, ConvConfig, Epilogue, Weights};

/// The number of blendshape scores.
pub const COUNT: usize = 52;

/// The blendshapes' names, in the order of the scores.
pub const NAMES: [&str; COUNT] = [
    "_neutral",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeLookDownLeft",
    "eyeLookDownRight",
    "eyeLookInLeft",
    "eyeLookInRight",
    "eyeLookOutLeft",
    "eyeLookOutRight",
    "eyeLookUpLeft",
    "eyeLookUpRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "eyeWideLeft",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "noseSneerLeft",
    "noseSneerRight",
];

/// Three blendshapes that are reliable on nearly every face, each in 0..=1; smile and blink are the mean of both sides.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct KeyScores {
    pub smile: f32,
    pub jaw: f32,
    pub blink: f32,
}

impl KeyScores {
    /// Picks the three from all scores, in the order of [`NAMES`].
    pub fn of(scores: &[f32; COUNT]) -> Self {
        const BLINK: [usize; 2] = [9, 10];
        const JAW: usize = 25;
        const SMILE: [usize; 2] = [44, 45];
        let mean = |[left, right]: [usize; 2]| 0.5 * (scores[left] + scores[right]);
        Self {
            smile: mean(SMILE),
            jaw: scores[JAW],
            blink: mean(BLINK),
        }
    }
}

/// The landmarks that the network takes as input.
const POINTS: [u16; 146] = [
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65,
    66, 67, 70, 78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136,
    144, 145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172,
    173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283,
    284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321, 323, 324,
    332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385,
    386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472,
    473, 474, 475, 476, 477,
];

const TOKENS: usize = 97;
const CHANNELS: usize = 64;
const BLOCKS: usize = 4;

/// A mixer layer: a layer norm without bias, two linear layers with a ReLU between them, and a residual connection. The
/// linear layers are 1x1 convolutions, over tokens or over channels.
#[derive(Debug)]
struct Mixer {
    norm: Tensor,
    first: Conv2d,
    second: Conv2d,
}

impl Mixer {
    fn load(size: usize, hidden: usize, weights: Weights) -> Result<Self> {
        Ok(Self {
            norm: weights.get(CHANNELS, "norm")?,
            first: matrix(size, hidden, weights.pp("0"))?,
            second: matrix(hidden, size, weights.pp("1"))?,
        })
    }

    /// Runs the layer on `normed`, `[1, size, 1, width]`, and adds `x`, of the same shape.
    fn mix(&self, normed: &Tensor, x: &Tensor) -> Result<Tensor> {
        let relu = Epilogue {
            relu: true,
            ..Epilogue::default()
        };
        let add = Epilogue {
            residual: Some(x),
            ..Epilogue::default()
        };
        let hidden = self.first.forward_then(normed, &relu)?;
        self.second.forward_then(&hidden, &add)
    }
}

fn matrix(inputs: usize, outputs: usize, weights: Weights) -> Result<Conv2d> {
    let weight = weights.get((outputs, inputs), "weight")?;
    let bias = weights.get(outputs, "bias")?;
    let weight = weight.reshape((outputs, inputs, 1, 1))?;
    let config = ConvConfig::default();
    Conv2d::new(&weight, Some(&bias), config, weights.precision())
}

/// The blendshape network.
#[derive(Debug)]
pub struct Blendshapes {
    points: Conv2d,
    embedding: Conv2d,
    token: Tensor,
    blocks: Vec<(Mixer, Mixer)>,
    head: Conv2d,
    scale: f64,
    epsilon: f64,
    device: Device,
}

impl Blendshapes {
    /// Loads `points`, `embedding`, `token`, `blocks.{0..4}.token` and `.channel`, `head`, `scale` and `epsilon`.
    ///
    /// # Errors
    /// If a tensor is missing or of another shape.
    pub fn new(weights: Weights) -> Result<Self> {
        let number = |name: &str| -> Result<f64> {
            let values: Vec<f32> = weights.get(1, name)?.to_vec1()?;
            Ok(f64::from(values[0]))
        };
        let blocks = (0..BLOCKS)
            .map(|i| {
                let weights = weights.pp("blocks").pp(i);
                Ok((
                    Mixer::load(TOKENS, 384, weights.pp("token"))?,
                    Mixer::load(CHANNELS, 256, weights.pp("channel"))?,
                ))
            })
            .collect::<Result<_>>()?;
        let token = weights
            .get(CHANNELS, "token")?
            .reshape((1, 1, 1, CHANNELS))?;
        Ok(Self {
            points: matrix(POINTS.len(), TOKENS - 1, weights.pp("points"))?,
            embedding: matrix(2, CHANNELS, weights.pp("embedding"))?,
            device: token.device().clone(),
            token,
            blocks,
            head: matrix(CHANNELS, COUNT, weights.pp("head"))?,
            scale: number("scale")?,
            epsilon: number("epsilon")?,
        })
    }

    /// Returns the scores of a face, each in 0..=1, in the order of [`NAMES`].
    ///
    /// # Errors
    /// If the device runs out of memory.
    pub fn scores(&self, mesh: &Mesh) -> Result<[f32; COUNT]> {
        let all = mesh.points();
        let points: Vec<[f64; 2]> = POINTS
            .iter()
            .map(|i| all[usize::from(*i)])
            .map(|[x, y, _]| [f64::from(x), f64::from(y)])
            .collect();
        // The axis to mix (points, coordinates, tokens or channels) is always dimension 1.
        let turned = |x: &Tensor| x.transpose(1, 3)?.contiguous();
        let x = Tensor::from_vec(
            normalised(&points, self.scale),
            (1, POINTS.len(), 1, 2),
            &self.device,
        )?;
        let x = self
            .embedding
            .forward(&turned(&self.points.forward(&x)?)?)?;
        let mut x = Tensor::cat(&[&self.token, &turned(&x)?], 1)?;
        for (token, channel) in &self.blocks {
            x = token.mix(&self.norm(&x, &token.norm)?, &x)?;
            let normed = turned(&self.norm(&x, &channel.norm)?)?;
            x = turned(&channel.mix(&normed, &turned(&x)?)?)?;
        }
        let scores = ops::sigmoid(&self.head.forward(&turned(&x.narrow(1, 0, 1)?)?)?)?;
        let scores: Vec<f32> = scores.flatten_all()?.to_vec1()?;
        Ok(std::array::from_fn(|i| scores[i]))
    }

    fn norm(&self, x: &Tensor, gamma: &Tensor) -> Result<Tensor> {
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        let deviation = (variance + self.epsilon)?.sqrt()?;
        centred.broadcast_div(&deviation)?.broadcast_mul(gamma)
    }
}

/// Centres the points and scales them so that their mean distance from the centre is `scale`.
fn normalised(points: &[[f64; 2]], scale: f64) -> Vec<f32> {
    let count = points.len() as f64;
    let middle = |axis: usize| points.iter().map(|p| p[axis]).sum::<f64>() / count;
    let (x, y) = (middle(0), middle(1));
    let distance = points.iter().map(|p| (p[0] - x).hypot(p[1] - y));
    let unit = scale / (distance.sum::<f64>() / count).max(f64::MIN_POSITIVE);
    points
        .iter()
        .flat_map(|p| [((p[0] - x) * unit) as f32, ((p[1] - y) * unit) as f32])
        .collect()
}
