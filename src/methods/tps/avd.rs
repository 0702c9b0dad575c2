//! Animation via disentanglement (Sec. 3.5 and the appendix; `AVDNetwork` of the authors' code).

use candle_core::{Result as Candle, Tensor};
use candle_nn::{Linear, Module};

use super::config::{AvdConfig, Config, POINTS};
use super::key_points::KeyPoints;
use crate::methods::error::Error;
use crate::nn::Weights;

/// Epsilon of the batch norms: PyTorch's default.
const EPS: f64 = 1e-5;
/// Hidden widths of an encoder; the decoder's are the reverse.
const WIDTHS: [usize; 3] = [256, 512, 1024];

/// Combines the shape of one face with the pose of another.
#[derive(Clone, Debug)]
pub(super) struct Avd {
    shape: Chain,
    pose: Chain,
    decoder: Chain,
}

/// Four linear layers with a ReLU between each pair.
#[derive(Clone, Debug)]
struct Chain(Vec<Linear>);

impl Chain {
    fn load(widths: [usize; 5], weights: Weights) -> Candle<Self> {
        let last = widths.len() - 2;
        let layers = widths.windows(2).enumerate().map(|(i, pair)| {
            // Every layer but the last is followed by a norm and a ReLU.
            let linear = weights.pp(3 * i).linear(pair[0], pair[1])?;
            if i == last {
                return Ok(linear);
            }
            fold(&linear, pair[1], weights.pp(3 * i + 1))
        });
        Ok(Self(layers.collect::<Candle<_>>()?))
    }

    fn forward(&self, x: &Tensor) -> Candle<Tensor> {
        let mut h = x.clone();
        for (i, layer) in self.0.iter().enumerate() {
            if i > 0 {
                h = h.relu()?;
            }
            h = layer.forward(&h)?;
        }
        Ok(h)
    }
}

/// A linear layer with the following batch norm folded in.
fn fold(linear: &Linear, outputs: usize, norm: Weights) -> Candle<Linear> {
    let get = |name: &str| norm.get(outputs, name);
    let scale = get("weight")?.div(&(get("running_var")? + EPS)?.sqrt()?)?;
    let mut shift = get("running_mean")?.neg()?;
    if let Some(bias) = linear.bias() {
        shift = (shift + bias)?;
    }
    let bias = ((shift * &scale)? + get("bias")?)?;
    let weight = linear.weight().broadcast_mul(&scale.unsqueeze(1)?)?;
    Ok(Linear::new(weight, Some(bias)))
}

impl Avd {
    pub fn load(config: &Config, avd: &AvdConfig, weights: Weights) -> Candle<Self> {
        let ends = 2 * POINTS * config.num_tps;
        let [a, b, c] = WIDTHS;
        let encoder = |code: usize, key: &str| Chain::load([ends, a, b, c, code], weights.pp(key));
        let code = avd.id_bottle_size + avd.pose_bottle_size;
        Ok(Self {
            shape: encoder(avd.id_bottle_size, "id_encoder")?,
            pose: encoder(avd.pose_bottle_size, "pose_encoder")?,
            decoder: Chain::load([code, c, b, a, ends], weights.pp("decoder"))?,
        })
    }

    /// Key points with `source`'s shape and `driving`'s pose.
    pub fn forward(&self, source: &KeyPoints, driving: &KeyPoints) -> Result<KeyPoints, Error> {
        let device = self.shape.0[0].weight().device();
        let row = |k: &KeyPoints| Tensor::from_slice(k.flat(), (1, k.flat().len()), device);
        let pose = self.pose.forward(&row(driving)?)?;
        let shape = self.shape.forward(&row(source)?)?;
        let both = Tensor::cat(&[pose, shape], 1)?;
        let values = self.decoder.forward(&both)?.flatten_all()?.to_vec1()?;
        Ok(KeyPoints::from_flat(&values))
    }
}
