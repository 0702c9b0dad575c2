//! The three networks together, with the authors' own keys.

use candle_core::{Device, Tensor};
use candle_nn::VarBuilder;

use super::config::Config;
use super::dense_motion::{self, DenseMotion, Motion};
use super::detector::Detector;
use super::generator::{Generator, warp};
use super::key_points::KeyPoints;
use crate::methods::error::{Error, Network, check};
use crate::nn::pooled;
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

/// What of a frame depends on the source alone; made by [`Fomm::prepare`].
#[derive(Clone, Debug)]
pub struct Prepared {
    picture: Tensor,
    key_points: KeyPoints,
    /// Of the generator, where its down blocks end.
    features: Tensor,
    small: dense_motion::Source,
    align_corners: bool,
}

/// A driven frame and what it was made by; `h` and `w` are [`Config::motion_size`].
#[derive(Clone, Debug)]
pub struct Frame {
    /// The frame, `[1, 3, H, W]` in `[0, 1]`.
    pub prediction: Tensor,
    /// Where in the source each place comes from, `[1, h, w, 2]`: `(x, y)`, from -1 to 1 inside.
    pub flow: Tensor,
    /// How much of each place the source shows, `[1, 1, h, w]` in `[0, 1]`: 0 is made up. None if
    /// the model doesn't tell.
    pub occlusion: Option<Tensor>,
    /// Each part's share in the flow, `[1, K + 1, h, w]` in `[0, 1]`: the background, which stands
    /// still, then the key points.
    pub masks: Tensor,
    /// The key points that it was driven by.
    pub key_points: KeyPoints,
}

impl Prepared {
    /// The source's key points.
    pub fn key_points(&self) -> &KeyPoints {
        &self.key_points
    }

    /// The source itself moved by the frame's flow, `[1, 3, H, W]` in `[0, 1]`, black where that
    /// leads outside: what the generator had to work with.
    ///
    /// # Errors
    /// [`Error::Tensor`].
    pub fn deformed(&self, frame: &Frame) -> Result<Tensor, Error> {
        Ok(warp(&self.picture, &frame.flow, self.align_corners)?)
    }
}

impl Fomm {
    /// Reads the weights under the authors' keys: `kp_detector.…`, `generator.…`, and of the
    /// latter `generator.dense_motion_network.…`.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::MissingTensor`] or [`Error::TensorShape`].
    pub fn new(config: &Config, vb: VarBuilder) -> Result<Self, Error> {
        config.validate()?;
        let load = || {
            let generator = vb.pp("generator");
            candle_core::Result::Ok(Self {
                config: *config,
                device: vb.device().clone(),
                detector: Detector::load(config, PICTURE, vb.pp("kp_detector"))?,
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

    /// The sizes that it was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where its weights are; pictures must be there too.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The key points of `picture`, `[1, 3, image_size, image_size]` in `[0, 1]`. `stop` is asked
    /// between layers.
    ///
    /// # Errors
    /// [`Error::Picture`] if the shape differs, [`Error::KeyPointNotFinite`] if a key point comes out as
    /// no number, [`Error::Cancelled`] once `stop` says so, [`Error::Tensor`].
    pub fn detect(&self, picture: &Tensor, stop: Stop) -> Result<KeyPoints, Error> {
        self.check_picture(picture)?;
        let key_points = pooled(&self.device, || self.detector.forward(picture, stop))?;
        self.check_key_points(&key_points)?;
        Ok(key_points)
    }

    /// All that a frame needs of the source `picture`, `[1, 3, image_size, image_size]` in
    /// `[0, 1]`, once.
    ///
    /// # Errors
    /// As [`Fomm::detect`], but is never cancelled.
    pub fn prepare(&self, picture: &Tensor) -> Result<Prepared, Error> {
        let key_points = self.detect(picture, &|| false)?;
        pooled(&self.device, || self.prepare_with(picture, key_points))
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

    /// The source with its key points moved to `driving`. `stop` is asked between layers.
    ///
    /// # Errors
    /// [`Error::KeyPoints`] or [`Error::KeyPointNotFinite`] if the key points are unusable,
    /// [`Error::Degenerate`] if one's Jacobian has no inverse, [`Error::Cancelled`] once `stop`
    /// says so, [`Error::Tensor`].
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

    /// How the source moves as its key points move to `driving`: all of a frame but its drawing,
    /// which takes most of the time.
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
        pooled(&self.device, || {
            network.forward(&prepared.small, source, driving, stop)
        })
    }

    /// The frame of a motion of [`Fomm::motion`], `[1, 3, H, W]` in `[0, 1]`.
    ///
    /// # Errors
    /// [`Error::Cancelled`] once `stop` says so, [`Error::Tensor`].
    pub fn paint(&self, prepared: &Prepared, motion: &Motion, stop: Stop) -> Result<Tensor, Error> {
        check(stop)?;
        pooled(&self.device, || {
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
