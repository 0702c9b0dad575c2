//! The generator, under the keys of a [`Dialect`](super::Dialect).

use candle_core::{DType, Device, Result as Candle, Tensor};

use super::config::Config;
use super::dialect::Dialect;
use super::dialect::FIRST_BLOCK;
use crate::methods::error::{Error, Network, check};
use crate::nn::{
    self, ConstantConv, Conv2d, ConvConfig, ConvTranspose2d, Epilogue, InstanceNorm, Weights,
};
use crate::progress::Stop;

/// The output of the generator for a picture.
#[derive(Clone, Debug)]
pub struct Output {
    /// The colour regression `C`, `[N, 3, H, W]` in `[-1, 1]`.
    pub color: Tensor,
    /// The attention mask `A`, `[N, 1, H, W]` in `[0, 1]`; 1 keeps the source.
    pub attention: Tensor,
}

/// The part of a frame that depends on the picture alone; made by [`Generator::prepare`].
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The picture's contribution to the first convolution, `[1, conv_dim, H, W]`.
    features: Tensor,
}

/// `A * x + (1 - A) * C` (Eq. 1), `[N, 3, H, W]` in `[-1, 1]`.
///
/// # Errors
/// [`Error::Tensor`] if the shapes differ.
pub fn result(x: &Tensor, output: &Output) -> Result<Tensor, Error> {
    let difference = (x - &output.color)?;
    Ok((&output.color + difference.broadcast_mul(&output.attention)?)?)
}

/// The GANimation generator.
#[derive(Clone, Debug)]
pub struct Generator {
    config: Config,
    device: Device,
    /// The whole first convolution.
    first: Conv2d,
    /// The part of it that reads the picture: the first three input channels.
    picture: Conv2d,
    /// The part of it that reads the Action Units, each a constant plane: the other input channels.
    action_units: ConstantConv,
    first_norm: InstanceNorm,
    down: [(Conv2d, InstanceNorm); 2],
    blocks: Vec<Residual>,
    up: [(ConvTranspose2d, InstanceNorm); 2],
    /// Both heads, colour first, as one convolution, since they have the same input.
    heads: Conv2d,
}

#[derive(Clone, Debug)]
struct Residual {
    convs: [Conv2d; 2],
    norms: [InstanceNorm; 2],
}

pub(super) const PICTURE: usize = 3;
const SAME_7: ConvConfig = ConvConfig::new(1, 3);
pub(super) const SAME_3: ConvConfig = ConvConfig::new(1, 1);
pub(super) const HALF_4: ConvConfig = ConvConfig::new(2, 1);

/// Loads a norm; if the dialect's norms have no weight and bias, they are ones and zeros.
fn load_norm(dialect: Dialect, dim: usize, weights: Weights) -> Candle<InstanceNorm> {
    if dialect.affine() {
        return InstanceNorm::load(dim, weights);
    }
    let ones = Tensor::ones(dim, DType::F32, weights.device())?;
    InstanceNorm::new(&ones, &ones.zeros_like()?, InstanceNorm::EPS)
}

impl Residual {
    fn load(dialect: Dialect, dim: usize, weights: Weights) -> Candle<Self> {
        let conv = |i: usize| Conv2d::load(dim, dim, 3, SAME_3, false, weights.pp(i));
        let norm = |i: usize| load_norm(dialect, dim, weights.pp(i));
        Ok(Self {
            convs: [conv(0)?, conv(3)?],
            norms: [norm(1)?, norm(4)?],
        })
    }

    fn forward(&self, x: &Tensor, stop: Stop) -> Result<Tensor, Error> {
        let mut h = self.convs[0].forward_then(x, &Epilogue::norm_relu(&self.norms[0]))?;
        check(stop)?;
        nn::replace_with(&mut h, |h| {
            self.convs[1].forward_then(h, &Epilogue::norm_add(&self.norms[1], x))
        })?;
        Ok(h)
    }
}

impl Generator {
    /// Loads the weights under the keys of the configuration's dialect; the authors': `main.N.…`, `img_reg.0`,
    /// `attetion_reg.0`.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::MissingTensor`] or [`Error::TensorShape`].
    pub fn new(config: &Config, weights: Weights) -> Result<Self, Error> {
        config.validate()?;
        Self::load(config, weights).map_err(|error| Error::loading(Network::GANimation, error))
    }

    fn load(config: &Config, weights: Weights) -> Candle<Self> {
        let (d, blocks) = (config.conv_dim, config.repeat_num);
        let inputs = PICTURE + config.c_dim;
        let dialect = config.dialect;
        let main = weights.pp(dialect.trunk());
        let norm = |i: usize, dim: usize| load_norm(dialect, dim, main.pp(i));
        // No convolution's bias is read: those that have one precede a norm, which cancels it.

        let first = main.pp(0).get((d, inputs, 7, 7), "weight")?;
        let down = |i: usize, dim: usize| {
            let conv = Conv2d::load(dim, 2 * dim, 4, HALF_4, false, main.pp(i))?;
            Candle::Ok((conv, norm(i + 1, 2 * dim)?))
        };
        let up = |i: usize, dim: usize| {
            let conv = ConvTranspose2d::load(dim, dim / 2, 4, HALF_4, false, main.pp(i))?;
            Candle::Ok((conv, norm(i + 1, dim / 2)?))
        };
        let conv_7 = |kernel: &Tensor| Conv2d::new(kernel, None, SAME_7, weights.precision());
        let [color, attention] = dialect.heads();
        let color = weights.pp(color).get((PICTURE, d, 7, 7), "weight")?;
        let attention = weights.pp(attention).get((1, d, 7, 7), "weight")?;
        let heads = Tensor::cat(&[color, attention], 0)?;

        Ok(Self {
            config: *config,
            device: weights.device().clone(),
            picture: conv_7(&first.narrow(1, 0, PICTURE)?)?,
            action_units: ConstantConv::new(
                &first.narrow(1, PICTURE, config.c_dim)?,
                SAME_7.padding,
            )?,
            first: conv_7(&first)?,
            first_norm: norm(1, d)?,
            down: [down(3, d)?, down(6, 2 * d)?],
            blocks: (0..blocks)
                .map(|i| {
                    let block = main.pp(FIRST_BLOCK + i).pp(dialect.block());
                    Residual::load(dialect, 4 * d, block)
                })
                .collect::<Candle<_>>()?,
            up: [
                up(FIRST_BLOCK + blocks, 4 * d)?,
                up(FIRST_BLOCK + 3 + blocks, 2 * d)?,
            ],
            heads: conv_7(&heads)?,
        })
    }

    /// The configuration that the generator was built with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The device of the weights; pictures must be on it too.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Runs the whole network: `x` `[N, 3, H, W]` in `[-1, 1]`, `aus` `[N, c_dim]`.
    ///
    /// # Errors
    /// [`Error::Picture`] or [`Error::ActionUnits`] if a shape differs; [`Error::Tensor`].
    pub fn forward(&self, x: &Tensor, aus: &Tensor) -> Result<Output, Error> {
        let (n, height, width) = picture_size(x)?;
        if aus.dims() != [n, self.config.c_dim] {
            return Err(Error::ActionUnits {
                expected: n * self.config.c_dim,
                found: aus.elem_count(),
            });
        }
        let planes = aus.reshape((n, self.config.c_dim, 1, 1))?.broadcast_as((
            n,
            self.config.c_dim,
            height,
            width,
        ))?;
        let x = Tensor::cat(&[x, &planes], 1)?;
        nn::on_rayon_pool(&self.device, || {
            let h = self
                .first
                .forward_then(&x, &Epilogue::norm_relu(&self.first_norm))?;
            self.after_first(h, &|| false)
        })
    }

    /// Computes, once, everything that depends on the picture `x`, `[1, 3, H, W]` in `[-1, 1]`, alone. H and W are
    /// multiples of 4; the network was trained at `image_size`.
    ///
    /// # Errors
    /// [`Error::Picture`] if the shape differs; [`Error::Tensor`].
    pub fn prepare(&self, x: &Tensor) -> Result<Prepared, Error> {
        let (n, ..) = picture_size(x)?;
        if n != 1 {
            return Err(not_a_picture(x));
        }
        Ok(Prepared {
            features: nn::on_rayon_pool(&self.device, || self.picture.forward(x))?,
        })
    }

    /// The output for Action Units `aus` (`c_dim` of them, 0 to 1), `N = 1`: equal to [`Generator::forward`] up to
    /// rounding. `stop` is polled between layers.
    ///
    /// # Errors
    /// [`Error::ActionUnits`] or [`Error::ActionUnitNotFinite`] if the vector is unusable,
    /// [`Error::Cancelled`] once `stop` returns true, [`Error::Tensor`].
    pub fn frame(&self, prepared: &Prepared, aus: &[f32], stop: Stop) -> Result<Output, Error> {
        if aus.len() != self.config.c_dim {
            return Err(Error::ActionUnits {
                expected: self.config.c_dim,
                found: aus.len(),
            });
        }
        if let Some(index) = aus.iter().position(|v| !v.is_finite()) {
            return Err(Error::ActionUnitNotFinite { index });
        }
        nn::on_rayon_pool(&self.device, || {
            check(stop)?;
            let (_, _, height, width) = prepared.features.dims4()?;
            let map = self.action_units.at(aus, height, width)?;
            let h = map.add_norm_relu(&prepared.features, &self.first_norm)?;
            self.after_first(h, stop)
        })
    }

    fn after_first(&self, mut h: Tensor, stop: Stop) -> Result<Output, Error> {
        for (conv, norm) in &self.down {
            check(stop)?;
            nn::replace_with(&mut h, |h| conv.forward_then(h, &Epilogue::norm_relu(norm)))?;
        }
        for block in &self.blocks {
            check(stop)?;
            let next = block.forward(&h, stop)?;
            nn::release(std::mem::replace(&mut h, next));
        }
        for (conv, norm) in &self.up {
            check(stop)?;
            nn::replace_with(&mut h, |h| conv.forward_then(h, &Epilogue::norm_relu(norm)))?;
        }
        check(stop)?;
        nn::replace_with(&mut h, |h| self.heads.forward(h))?;
        let (color, attention) = nn::tanh_and_sigmoid(&h)?;
        nn::release(h);
        Ok(Output { color, attention })
    }
}

fn picture_size(x: &Tensor) -> Result<(usize, usize, usize), Error> {
    match *x.dims() {
        [n, PICTURE, height, width]
            if n > 0
                && height.min(width) > 0
                && height.is_multiple_of(4)
                && width.is_multiple_of(4) =>
        {
            Ok((n, height, width))
        }
        _ => Err(not_a_picture(x)),
    }
}

fn not_a_picture(x: &Tensor) -> Error {
    Error::Picture {
        expected: "[1, 3, H, W] with H and W multiples of 4".to_owned(),
        found: x.dims().to_vec(),
    }
}
