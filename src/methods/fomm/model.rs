//! The three networks together, under the authors' keys.

use candle_core::{Device, Tensor};

use super::config::Config;
use super::dense_motion::{self, DenseMotion, Motion};
use super::detector::Detector;
use super::generator::{Generator, warp};
use super::key_points::KeyPoints;
use crate::methods::error::{Error, Network, check};
use crate::nn::{Weights, on_rayon_pool};
use crate::progress::Stop;

/// Channels of a picture.
const PICTURE: usize = 3;

/// A FOMM model.
#[derive(Clone, Debug)]
pub struct Fomm {
    config: Config,
    device: Device,
    detector: Detector,
    dense_motion: DenseMotion,
    generator: Generator,
}

/// The part of a frame that depends on the source alone; made by [`Fomm::prepare`].
#[derive(Clone, Debug)]
pub struct Prepared {
    picture: Tensor,
    key_points: KeyPoints,
    /// The generator's features after its down blocks.
    features: Tensor,
    small: dense_motion::Source,
    align_corners: bool,
}

/// A driven frame with its intermediate results; `h` and `w` are [`Config::motion_size`].
#[derive(Clone, Debug)]
pub struct Frame {
    /// The frame, `[1, 3, H, W]` in `[0, 1]`.
    pub prediction: Tensor,
    /// The source position of each pixel, `[1, h, w, 2]`: `(x, y)`, from -1 to 1 inside.
    pub flow: Tensor,
    /// How visible the source is at each pixel, `[1, 1, h, w]` in `[0, 1]`: 0 is painted. `None` if the model has no
    /// occlusion map.
    pub occlusion: Option<Tensor>,
    /// The contribution of each motion to the flow, `[1, K + 1, h, w]` in `[0, 1]`: the static background, then the key
    /// points.
    pub masks: Tensor,
    /// The key points that drove it.
    pub key_points: KeyPoints,
}

impl Prepared {
    /// The source's key points.
    pub fn key_points(&self) -> &KeyPoints {
        &self.key_points
    }

    /// The source warped by the frame's flow, `[1, 3, H, W]` in `[0, 1]`, black where the flow leads outside: what the
    /// generator had to work with.
    ///
    /// # Errors
    /// [`Error::Tensor`].
    pub fn deformed(&self, frame: &Frame) -> Result<Tensor, Error> {
        Ok(warp(&self.picture, &frame.flow, self.align_corners)?)
    }
}

impl Fomm {
    /// Loads the weights under the authors' keys: `kp_detector.…` and `generator.…`, with the dense motion network under
    /// `generator.dense_motion_network.…`.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::MissingTensor`] or [`Error::TensorShape`].
    pub fn new(config: &Config, weights: Weights) -> Result<Self, Error> {
        config.validate()?;
        let load = || {
            let generator = weights.pp("generator");
            candle_core::Result::Ok(Self {
                config: *config,
                device: weights.device().clone(),
                detector: Detector::load(config, PICTURE, weights.pp("kp_detector"))?,
                dense_motion: DenseMotion::load(
                    config,
                    PICTURE,
                    generator.pp("dense_motion_network"),
                )?,
                generator: Generator::load(config, PICTURE, generator)?,
            })
        };
        load().map_err(|error| Error::loading(Network::Motion, error))
    }

    /// The configuration that the model was built with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The device of the weights; pictures must be on it too.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The key points of `picture`, `[1, 3, image_size, image_size]` in `[0, 1]`. `stop` is polled between layers.
    ///
    /// # Errors
    /// [`Error::Picture`] if the shape differs, [`Error::KeyPointNotFinite`] if a detected key point isn't finite,
    /// [`Error::Cancelled`] once `stop` returns true, [`Error::Tensor`].
    pub fn detect(&self, picture: &Tensor, stop: Stop) -> Result<KeyPoints, Error> {
        self.check_picture(picture)?;
        let key_points = on_rayon_pool(&self.device, || self.detector.forward(picture, stop))?;
        self.check_key_points(&key_points)?;
        Ok(key_points)
    }

    /// Computes, once, everything that depends on the source `picture`, `[1, 3, image_size, image_size]` in `[0, 1]`,
    /// alone.
    ///
    /// # Errors
    /// As [`Fomm::detect`], except that it is never cancelled.
    pub fn prepare(&self, picture: &Tensor) -> Result<Prepared, Error> {
        let key_points = self.detect(picture, &|| false)?;
        on_rayon_pool(&self.device, || self.prepare_with(picture, key_points))
    }

    fn prepare_with(&self, picture: &Tensor, key_points: KeyPoints) -> Result<Prepared, Error> {
        Ok(Prepared {
            picture: picture.clone(),
            features: self.generator.encode(picture)?,
            small: self.dense_motion.prepare(picture, &key_points)?,
            key_points,
            align_corners: self.config.align_corners,
        })
    }

    /// The source with its key points moved to `driving`. `stop` is polled between layers.
    ///
    /// # Errors
    /// [`Error::KeyPoints`] or [`Error::KeyPointNotFinite`] if the key points are unusable,
    /// [`Error::Degenerate`] if a Jacobian isn't invertible, [`Error::Cancelled`] once `stop` returns true,
    /// [`Error::Tensor`].
    pub fn frame(
        &self,
        prepared: &Prepared,
        driving: &KeyPoints,
        stop: Stop,
    ) -> Result<Frame, Error> {
        let motion = self.motion(prepared, driving, stop)?;
        let prediction = self.paint(prepared, &motion, stop)?;
        Ok(Frame {
            prediction,
            flow: motion.flow,
            occlusion: motion.occlusion,
            masks: motion.masks,
            key_points: driving.clone(),
        })
    }

    /// The motion of the source as its key points move to `driving`: a frame without its painting, which takes most of
    /// the time.
    ///
    /// # Errors
    /// As [`Fomm::frame`].
    pub fn motion(
        &self,
        prepared: &Prepared,
        driving: &KeyPoints,
        stop: Stop,
    ) -> Result<Motion, Error> {
        self.check_key_points(driving)?;
        check(stop)?;
        let source = &prepared.key_points;
        let network = &self.dense_motion;
        on_rayon_pool(&self.device, || {
            network.forward(&prepared.small, source, driving, stop)
        })
    }

    /// Paints the frame of a motion from [`Fomm::motion`], `[1, 3, H, W]` in `[0, 1]`.
    ///
    /// # Errors
    /// [`Error::Cancelled`] once `stop` returns true, [`Error::Tensor`].
    pub fn paint(&self, prepared: &Prepared, motion: &Motion, stop: Stop) -> Result<Tensor, Error> {
        check(stop)?;
        on_rayon_pool(&self.device, || {
            self.generator.draw(&prepared.features, motion, stop)
        })
    }

    fn check_key_points(&self, key_points: &KeyPoints) -> Result<(), Error> {
        let jacobians = self.config.detector.jacobians.maps(1) > 0;
        key_points.check(self.config.num_kp, jacobians)
    }

    fn check_picture(&self, x: &Tensor) -> Result<(), Error> {
        let expected = [1, PICTURE, self.config.image_size, self.config.image_size];
        if x.dims() == expected {
            return Ok(());
        }
        Err(Error::Picture {
            expected: format!("{expected:?}"),
            found: x.dims().to_vec(),
        })
    }
}
