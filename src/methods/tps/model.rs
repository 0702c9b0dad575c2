//! The whole model, under the authors' keys.

use candle_core::{Device, Result as Candle, Tensor};

use super::avd::Avd;
use super::background::Background;
use super::config::{COLOURS, Config};
use super::dense_motion::{DenseMotion, Motion};
use super::detector::Detector;
use super::inpainting::Inpainting;
use super::key_points::{KeyPoints, relative};
use crate::document::Mode;
use crate::methods::error::{Error, Network, check};
use crate::nn::{AntiAlias, Weights, on_rayon_pool};
use crate::progress::Stop;

/// The Thin-Plate-Spline Motion Model.
#[derive(Clone, Debug)]
pub struct Tps {
    config: Config,
    device: Device,
    detector: Detector,
    shrink: AntiAlias,
    dense_motion: DenseMotion,
    inpainting: Inpainting,
    avd: Option<Avd>,
    background: Option<Background>,
}

/// The part of a frame that depends on the source alone; made by [`Tps::prepare`].
#[derive(Clone, Debug)]
pub struct Prepared {
    key_points: KeyPoints,
    picture: Tensor,
    /// The picture downscaled for the dense motion network.
    small: Tensor,
    /// The encoder's feature maps, the largest first.
    maps: Vec<Tensor>,
}

impl Prepared {
    /// The source's key points.
    pub fn key_points(&self) -> &KeyPoints {
        &self.key_points
    }

    /// The unchanged source, `[1, 3, image_size, image_size]` in `[0, 1]`.
    pub fn picture(&self) -> &Tensor {
        &self.picture
    }
}

/// The output of [`Tps::frame`]. With `vox-256`, `S` is 256 and `s` 64.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The frame, `[1, 3, S, S]` in `[0, 1]`.
    pub prediction: Tensor,
    /// The source warped by the flow, without painting, `[1, 3, S, S]`.
    pub deformed: Tensor,
    /// The source position of each pixel of the frame (Eq. 6), `[1, s, s, 2]`, `(x, y)`.
    pub flow: Tensor,
    /// How visible the source is; 0 is painted: four masks `[1, 1, ., .]`, with sides from `S / 8` to `S`.
    pub occlusion: Vec<Tensor>,
    /// The contribution of each motion, `[1, 1 + num_tps, s, s]`; the first is the background's. They sum to 1 at every
    /// pixel.
    pub contributions: Tensor,
    /// The key points that drove it.
    pub key_points: KeyPoints,
}

impl Tps {
    /// Loads the weights under the authors' keys: `kp_detector.…`, `dense_motion_network.…`, `inpainting_network.…`, and
    /// if `config` has them `avd_network.…` and `bg_predictor.…`.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::MissingTensor`] or [`Error::TensorShape`].
    pub fn new(config: &Config, weights: Weights) -> Result<Self, Error> {
        config.validate()?;
        Self::load(config, &weights).map_err(|error| Error::loading(Network::Motion, error))
    }

    fn load(config: &Config, weights: &Weights) -> Candle<Self> {
        let avd = config.avd.as_ref();
        let background = config.background.then(|| weights.pp("bg_predictor"));
        Ok(Self {
            config: *config,
            device: weights.device().clone(),
            detector: Detector::load(config, weights.pp("kp_detector"))?,
            shrink: AntiAlias::new(1 << config.dense_motion.halvings),
            dense_motion: DenseMotion::load(config, weights.pp("dense_motion_network"))?,
            inpainting: Inpainting::load(config, weights.pp("inpainting_network"))?,
            avd: avd
                .map(|avd| Avd::load(config, avd, weights.pp("avd_network")))
                .transpose()?,
            background: background
                .map(|weights| Background::load(config, weights))
                .transpose()?,
        })
    }

    /// The configuration that the model was built with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The device of the weights; pictures must be on it too.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The key points of a picture `[1, 3, image_size, image_size]` in `[0, 1]`. `stop` is polled between layers.
    ///
    /// # Errors
    /// [`Error::Picture`] if the shape differs, [`Error::Cancelled`] once `stop` returns true, [`Error::Tensor`].
    pub fn detect(&self, picture: &Tensor, stop: Stop) -> Result<KeyPoints, Error> {
        self.expect_picture(picture)?;
        on_rayon_pool(&self.device, || self.detector.forward(picture, stop))
    }

    /// The key points of a frame in `mode` (`demo.py`, `--mode`), from those of the source, the driving frame and the
    /// driving clip's first frame, which only [`Mode::Relative`] uses.
    ///
    /// # Errors
    /// [`Error::KeyPoints`] or [`Error::KeyPointNotFinite`] if they don't fit this model, [`Error::Degenerate`] as
    /// [`relative`], [`Error::Absent`] as [`Tps::avd`].
    pub fn drive(
        &self,
        mode: Mode,
        source: &KeyPoints,
        driving: &KeyPoints,
        initial: &KeyPoints,
    ) -> Result<KeyPoints, Error> {
        match mode {
            Mode::Standard => {
                self.expect_key_points(driving)?;
                Ok(driving.clone())
            }
            Mode::Relative => {
                self.expect_key_points(source)?;
                relative(source, driving, initial)
            }
            Mode::Avd => self.avd(source, driving),
        }
    }

    /// Key points with `source`'s shape and `driving`'s pose (animation via disentanglement).
    ///
    /// # Errors
    /// [`Error::Absent`] if the weights don't include an AVD network, [`Error::KeyPoints`] or
    /// [`Error::KeyPointNotFinite`] if the key points don't fit this model, [`Error::Tensor`].
    pub fn avd(&self, source: &KeyPoints, driving: &KeyPoints) -> Result<KeyPoints, Error> {
        let avd = self.avd.as_ref().ok_or(Error::Absent("AVD network"))?;
        self.expect_key_points(source)?;
        self.expect_key_points(driving)?;
        avd.forward(source, driving)
    }

    /// The background's motion from the driving picture to the source, both as in [`Tps::detect`]: an affine map as a 3x3
    /// matrix, row-major. For reconstruction; the authors keep the background static in animation.
    ///
    /// # Errors
    /// [`Error::Absent`] if the weights don't include a background predictor, [`Error::Picture`], [`Error::Cancelled`],
    /// [`Error::Tensor`].
    pub fn background(
        &self,
        source: &Tensor,
        driving: &Tensor,
        stop: Stop,
    ) -> Result<[f32; 9], Error> {
        let network = self.background.as_ref();
        let network = network.ok_or(Error::Absent("background predictor"))?;
        self.expect_picture(source)?;
        self.expect_picture(driving)?;
        network.forward(source, driving, stop)
    }

    /// Computes, once, everything that depends on the source `[1, 3, image_size, image_size]` in `[0, 1]` alone.
    ///
    /// # Errors
    /// [`Error::Picture`] if the shape differs; [`Error::Tensor`].
    pub fn prepare(&self, picture: &Tensor) -> Result<Prepared, Error> {
        Ok(Prepared {
            key_points: self.detect(picture, &|| false)?,
            small: self.shrink.forward(picture)?,
            maps: on_rayon_pool(&self.device, || self.inpainting.encode(picture))?,
            picture: picture.clone(),
        })
    }

    /// The source with its key points moved to `driving`. `background` is the background's motion ([`Tps::background`]);
    /// `None` keeps it static. `stop` is polled between layers.
    ///
    /// # Errors
    /// [`Error::KeyPoints`] or [`Error::KeyPointNotFinite`] if `driving` doesn't fit this model, [`Error::Degenerate`] if
    /// a spline's system is singular or the background's matrix isn't finite, [`Error::Cancelled`] once `stop` returns
    /// true, [`Error::Tensor`].
    pub fn frame(
        &self,
        prepared: &Prepared,
        driving: &KeyPoints,
        background: Option<[f32; 9]>,
        stop: Stop,
    ) -> Result<Frame, Error> {
        let motion = self.motion(prepared, driving, background, stop)?;
        let (prediction, deformed) = self.paint(prepared, &motion, stop)?;
        Ok(Frame {
            prediction,
            deformed,
            flow: motion.flow,
            occlusion: motion.occlusion,
            contributions: motion.contributions,
            key_points: driving.clone(),
        })
    }

    /// The motion of the source as its key points move to `driving`: a frame without its painting, which takes most of
    /// the time. `background` as in [`Tps::frame`].
    ///
    /// # Errors
    /// As [`Tps::frame`].
    pub fn motion(
        &self,
        prepared: &Prepared,
        driving: &KeyPoints,
        background: Option<[f32; 9]>,
        stop: Stop,
    ) -> Result<Motion, Error> {
        self.expect_key_points(driving)?;
        if background.is_some_and(|matrix| !matrix.iter().all(|v| v.is_finite())) {
            return Err(Error::Degenerate("the background's motion is not finite"));
        }
        on_rayon_pool(&self.device, || {
            self.dense_motion.forward(
                &prepared.small,
                &prepared.key_points,
                driving,
                background.as_ref(),
                stop,
            )
        })
    }

    /// Paints the frame of a motion from [`Tps::motion`]. Returns the frame and the source warped without painting, `[1,
    /// 3, S, S]` in `[0, 1]` each.
    ///
    /// # Errors
    /// [`Error::Cancelled`] once `stop` returns true, [`Error::Tensor`].
    pub fn paint(
        &self,
        prepared: &Prepared,
        motion: &Motion,
        stop: Stop,
    ) -> Result<(Tensor, Tensor), Error> {
        check(stop)?;
        let (source, maps) = (&prepared.picture, &prepared.maps);
        on_rayon_pool(&self.device, || {
            self.inpainting.forward(source, maps, motion, stop)
        })
    }

    fn expect_picture(&self, picture: &Tensor) -> Result<(), Error> {
        let size = self.config.image_size;
        let expected = [1, COLOURS, size, size];
        if picture.dims() == expected {
            return Ok(());
        }
        Err(Error::Picture {
            expected: format!("{expected:?}"),
            found: picture.dims().to_vec(),
        })
    }

    fn expect_key_points(&self, key_points: &KeyPoints) -> Result<(), Error> {
        key_points.expect(super::config::POINTS * self.config.num_tps)
    }
}
