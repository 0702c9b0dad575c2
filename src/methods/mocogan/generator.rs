//! The image generator, under the authors' keys.

use candle_core::{Device, Result as Candle, Tensor};

use super::config::Config;
use super::motion::Gru;
use crate::methods::error::{Error, Network, check};
use crate::nn::{
    ConvConfig, ConvTranspose2d, Epilogue, Weights, affine_relu, on_rayon_pool, replace_with, tanh,
};
use crate::progress::Stop;

/// The part of a clip that depends on content and category alone; made by [`MoCoGan::prepare`].
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Their contribution to the first layer, with its batch norm, `[1, 8 ngf * 4 * 4]`.
    start: Tensor,
}

/// The MoCoGAN generator: motion codes from noise, frames from codes.
#[derive(Clone, Debug)]
pub struct MoCoGan {
    config: Config,
    device: Device,
    gru: Gru,
    /// The first layer upsamples one point to 4x4 pixels, so it is a matrix `[latent, 8 ngf * 4 * 4]`: `content_weight`
    /// has the rows of content and category, `motion_weight` those of the motion, and `bias` is `[1, 8 ngf * 4 * 4]`.
    content_weight: Tensor,
    motion_weight: Tensor,
    bias: Tensor,
    /// The other layers, each doubling the sides.
    up: [ConvTranspose2d; 4],
}

/// Side after the first layer in pixels, and its kernel size.
const FIRST: usize = 4;
const DOUBLE: ConvConfig = ConvConfig::new(2, 1);
const NORM_EPS: f64 = 1e-5;

/// Batch size: large enough for an efficient matrix product, small enough to cancel promptly.
const BATCH: usize = 16;

/// A layer's kernel and bias with the following batch norm folded in: at inference it is a scale and a shift for each
/// channel.
fn folded(inputs: usize, outputs: usize, conv: Weights, norm: Weights) -> Candle<[Tensor; 2]> {
    let weight = conv.get((inputs, outputs, 4, 4), "weight")?;
    let value = |name: &str| norm.get(outputs, name);
    let deviation = (value("running_var")? + NORM_EPS)?.sqrt()?;
    let scale = (value("weight")? / deviation)?;
    let shift = (value("bias")? - (value("running_mean")? * &scale)?)?;
    Ok([
        weight.broadcast_mul(&scale.reshape((1, outputs, 1, 1))?)?,
        shift,
    ])
}

impl MoCoGan {
    /// Loads the weights under the authors' keys: `recurrent.weight_ih` and so on, `main.N.…`.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::MissingTensor`] or [`Error::TensorShape`].
    pub fn new(config: &Config, weights: Weights) -> Result<Self, Error> {
        config.validate()?;
        Self::load(config, weights).map_err(|error| Error::loading(Network::MoCoGan, error))
    }

    fn load(config: &Config, weights: Weights) -> Candle<Self> {
        let ngf = config.ngf;
        let main = weights.pp("main");
        let layer = |i: usize, inputs: usize, outputs: usize| {
            folded(inputs, outputs, main.pp(i), main.pp(i + 1))
        };
        let up = |i: usize, times: usize| {
            let [weight, shift] = layer(i, 2 * times * ngf, times * ngf)?;
            ConvTranspose2d::new(&weight, Some(&shift), DOUBLE, weights.precision())
        };

        let wide = 8 * ngf * FIRST * FIRST;
        let [weight, shift] = layer(0, config.latent(), 8 * ngf)?;
        let weight = weight.reshape((config.latent(), wide))?;
        let fixed = config.content + config.category;
        let bias = shift
            .reshape((1, 8 * ngf, 1))?
            .broadcast_as((1, 8 * ngf, FIRST * FIRST))?;
        Ok(Self {
            config: *config,
            device: weights.device().clone(),
            gru: Gru::load(config.motion, weights.pp("recurrent"))?,
            content_weight: weight.narrow(0, 0, fixed)?,
            motion_weight: weight.narrow(0, fixed, config.motion)?,
            bias: bias.reshape((1, wide))?,
            up: [
                up(3, 4)?,
                up(6, 2)?,
                up(9, 1)?,
                ConvTranspose2d::load(ngf, config.channels, 4, DOUBLE, false, main.pp(12))?,
            ],
        })
    }

    /// The configuration that the generator was built with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The device of the weights and the frames.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The motion codes of a clip, one for each noise in `epsilon`; the initial state `h0` isn't a frame's code. Any
    /// number of frames; a call that starts from the last code continues the clip bit for bit.
    ///
    /// # Errors
    /// [`Error::Code`] or [`Error::CodeNotFinite`] if `h0` or a noise isn't `motion` finite numbers.
    pub fn motion(&self, h0: &[f32], epsilon: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, Error> {
        let n = self.config.motion;
        check_code("motion's start", h0, n)?;
        let mut codes: Vec<Vec<f32>> = Vec::with_capacity(epsilon.len());
        for noise in epsilon {
            check_code("motion's noise", noise, n)?;
            let code = self.gru.step(noise, codes.last().map_or(h0, Vec::as_slice));
            codes.push(code);
        }
        Ok(codes)
    }

    /// Computes what the frames of a clip share. `category` is one-hot, as in training; it is empty for weights without
    /// categories.
    ///
    /// # Errors
    /// [`Error::Code`] or [`Error::CodeNotFinite`] if a code is unusable, [`Error::Tensor`].
    pub fn prepare(&self, content: &[f32], category: &[f32]) -> Result<Prepared, Error> {
        check_code("content code", content, self.config.content)?;
        check_code("category code", category, self.config.category)?;
        let code = [content, category].concat();
        // Not every device supports a matrix product with an empty dimension.
        if code.is_empty() {
            return Ok(Prepared {
                start: self.bias.clone(),
            });
        }
        let code = Tensor::from_vec(code, (1, self.content_weight.dim(0)?), &self.device)?;
        Ok(Prepared {
            start: (code.matmul(&self.content_weight)? + &self.bias)?,
        })
    }

    /// The frame of one motion code, `[1, channels, 64, 64]` in `[-1, 1]`. `stop` is polled between layers.
    ///
    /// # Errors
    /// [`Error::Code`] or [`Error::CodeNotFinite`] if the code is unusable, [`Error::Cancelled`] once `stop` returns
    /// true, [`Error::Tensor`].
    pub fn frame(&self, prepared: &Prepared, motion: &[f32], stop: Stop) -> Result<Tensor, Error> {
        check_code("motion code", motion, self.config.motion)?;
        on_rayon_pool(&self.device, || self.draw(prepared, motion.to_vec(), stop))
    }

    /// The frames of motion codes, `[codes, channels, 64, 64]` in `[-1, 1]`: equal to [`MoCoGan::frame`] for each, up to
    /// rounding. `stop` is polled between layers, every few frames.
    ///
    /// # Errors
    /// As [`MoCoGan::frame`], or [`Error::NoFrames`] if there is no code.
    pub fn frames(
        &self,
        prepared: &Prepared,
        motion: &[Vec<f32>],
        stop: Stop,
    ) -> Result<Tensor, Error> {
        for code in motion {
            check_code("motion code", code, self.config.motion)?;
        }
        if motion.is_empty() {
            return Err(Error::NoFrames);
        }
        let parts = motion
            .chunks(BATCH)
            .map(|codes| on_rayon_pool(&self.device, || self.draw(prepared, codes.concat(), stop)))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Tensor::cat(&parts, 0)?)
    }

    fn draw(&self, prepared: &Prepared, codes: Vec<f32>, stop: Stop) -> Result<Tensor, Error> {
        check(stop)?;
        let n = codes.len() / self.config.motion;
        let codes = Tensor::from_vec(codes, (n, self.config.motion), &self.device)?;
        let first = affine_relu(&codes, &self.motion_weight, &prepared.start)?;
        let mut h = first.reshape((n, 8 * self.config.ngf, FIRST, FIRST))?;
        drop(first);
        let [rectified @ .., last] = &self.up;
        for layer in rectified {
            check(stop)?;
            let relu = Epilogue {
                relu: true,
                ..Epilogue::default()
            };
            replace_with(&mut h, |h| layer.forward_then(h, &relu))?;
        }
        check(stop)?;
        replace_with(&mut h, |h| last.forward(h))?;
        replace_with(&mut h, tanh)?;
        Ok(h)
    }
}

/// Checks the length and values of a caller's code.
fn check_code(code: &'static str, values: &[f32], expected: usize) -> Result<(), Error> {
    if values.len() != expected {
        return Err(Error::Code {
            code,
            expected,
            found: values.len(),
        });
    }
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(Error::CodeNotFinite { code, index }),
        None => Ok(()),
    }
}
