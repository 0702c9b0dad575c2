//! The critic: how real a picture looks, and which Action Units it shows.

use candle_core::{Result as Candle, Tensor};
use candle_nn::VarBuilder;

use super::config::Config;
use super::generator::{HALF_4, PICTURE, SAME_3};
use crate::methods::error::{Error, Network};
use crate::nn::{Conv2d, ConvConfig, Epilogue, Slopes};

/// What the critic finds in `N` pictures.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// How real each patch looks (a Wasserstein score: more is more real, of no fixed range),
    /// `[N, 1, h, w]` with `h` and `w` the picture's halved `repeat_num` times.
    pub realism: Tensor,
    /// The Action Units that the picture shows, `[N, c_dim]`, about 0 to 1 but not held to it.
    pub aus: Tensor,
}

/// The critic, `D` of the paper's Sec. 4: a PatchGAN with a second head that regresses Action Units.
///
/// Its [`Config`] is its own, not the generator's: `conv_dim` channels behind the first of
/// `repeat_num` convolutions (64 and 6 in all published code), each of which halves the picture
/// and doubles the channels.
#[derive(Clone, Debug)]
pub struct Critic {
    config: Config,
    layers: Vec<(Conv2d, Slopes)>,
    realism: Conv2d,
    aus: Conv2d,
}

/// The slope of the leaky ReLU.
const SLOPE: f32 = 0.01;
/// More would only come from a damaged file.
const MOST_CHANNELS: usize = 1 << 16;

impl Critic {
    /// Reads the weights under the dialect's keys; the authors': `main.N`, `conv1`, `conv2`.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::MissingTensor`] or [`Error::TensorShape`].
    pub fn new(config: &Config, vb: VarBuilder) -> Result<Self, Error> {
        config.validate()?;
        let Config {
            image_size,
            conv_dim,
            repeat_num,
            ..
        } = *config;
        // `validate` has bounded both, so a critic that ends with a pixel ends with so few layers.
        if repeat_num == 0 || image_size.ilog2() < repeat_num as u32 {
            return Err(Error::Config(
                Network::GANimation,
                format!(
                    "a critic of {image_size} pixels can't halve them repeat_num = {repeat_num} times"
                ),
            ));
        }
        if conv_dim << (repeat_num - 1) > MOST_CHANNELS {
            return Err(Error::Config(
                Network::GANimation,
                format!(
                    "a critic can't double conv_dim = {conv_dim} channels repeat_num = {repeat_num} times"
                ),
            ));
        }
        Self::load(config, vb).map_err(|error| Error::loading(Network::GANimation, error))
    }

    fn load(config: &Config, vb: VarBuilder) -> Candle<Self> {
        let trunk = vb.pp(config.dialect.trunk());
        let mut channels = PICTURE;
        let mut layers = Vec::with_capacity(config.repeat_num);
        for i in 0..config.repeat_num {
            let outputs = config.conv_dim << i;
            // A leaky ReLU stands between any two of the convolutions.
            let conv = Conv2d::load(channels, outputs, 4, HALF_4, true, trunk.pp(2 * i))?;
            let slopes = Slopes::new(&Tensor::full(SLOPE, outputs, vb.device())?)?;
            layers.push((conv, slopes));
            channels = outputs;
        }
        let [realism, aus] = config.dialect.critic_heads();
        let left = config.image_size >> config.repeat_num;
        let whole = ConvConfig::default();
        Ok(Self {
            config: *config,
            layers,
            realism: Conv2d::load(channels, 1, 3, SAME_3, false, vb.pp(realism))?,
            aus: Conv2d::load(channels, config.c_dim, left, whole, false, vb.pp(aus))?,
        })
    }

    /// The sizes that it was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What it finds in pictures `[N, 3, S, S]` in `[-1, 1]`, `S` its `image_size`.
    ///
    /// # Errors
    /// [`Error::Picture`] if the shape differs; [`Error::Tensor`].
    pub fn forward(&self, x: &Tensor) -> Result<Verdict, Error> {
        let size = self.config.image_size;
        let n = match *x.dims() {
            [n, PICTURE, height, width] if n > 0 && (height, width) == (size, size) => n,
            _ => {
                return Err(Error::Picture {
                    expected: "[N, 3, S, S] with S the critic's image_size".to_owned(),
                    found: x.dims().to_vec(),
                });
            }
        };
        let mut h = x.clone();
        for (conv, slopes) in &self.layers {
            h = conv.forward_then(&h, &Epilogue::rectified(slopes))?;
        }
        Ok(Verdict {
            realism: self.realism.forward(&h)?,
            aus: self.aus.forward(&h)?.reshape((n, self.config.c_dim))?,
        })
    }
}
