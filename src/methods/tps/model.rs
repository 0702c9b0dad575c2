//! The whole model, with the authors' own keys.

use candle_core::{Device, Result as Candle, Tensor};
use candle_nn::VarBuilder;

use super::avd::Avd;
use super::background::Background;
use super::config::{COLOURS, Config};
use super::dense_motion::{DenseMotion, Motion};
use super::detector::Detector;
use super::inpainting::Inpainting;
use super::key_points::{KeyPoints, relative};
use crate::document::Mode;
use crate::methods::error::{Error, Network, check};
use crate::nn::{AntiAlias, pooled};
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

/// What of a frame depends on the source alone; made by [`Tps::prepare`].
#[derive(Clone, Debug)]
pub struct Prepared {
    key_points: KeyPoints,
    picture: Tensor,
    /// The picture as the dense motion network sees it.
    small: Tensor,
    /// The largest first.
    maps: Vec<Tensor>,
}

impl Prepared {
    /// The source's own key points.
    pub fn key_points(&self) -> &KeyPoints {
        &self.key_points
    }

    /// The source as it came, `[1, 3, image_size, image_size]` in `[0, 1]`.
    pub fn picture(&self) -> &Tensor {
        &self.picture
    }
}

/// What [`Tps::frame`] gives. With `vox-256`, `S` is 256 and `s` 64.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The frame, `[1, 3, S, S]` in `[0, 1]`.
    pub prediction: Tensor,
    /// The source moved by the flow and not painted, `[1, 3, S, S]`.
    pub deformed: Tensor,
    /// Where each place of the frame comes from in the source (Eq. 6), `[1, s, s, 2]`, `(x, y)`.
    pub flow: Tensor,
    /// How much of the source is seen, 0 where it is painted: four masks `[1, 1, ., .]`, with
    /// sides from `S / 8` to `S`.
    pub occlusion: Vec<Tensor>,
    /// How much each spline counts, `[1, 1 + num_tps, s, s]`; the first is the background's.
    /// They sum to 1.
    pub contributions: Tensor,
    /// The key points that drove it.
    pub key_points: KeyPoints,
}

impl Tps {
    /// Reads the weights under the authors' keys: `kp_detector.…`, `dense_motion_network.…`,
    /// `inpainting_network.…`, and if `config` has them `avd_network.…` and `bg_predictor.…`.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::MissingTensor`] or [`Error::TensorShape`].
    pub fn new(config: &Config, vb: VarBuilder) -> Result<Self, Error> {
        config.validate()?;
        Self::load(config, &vb).map_err(|error| Error::loading(Network::Motion, error))
    }

    fn load(config: &Config, vb: &VarBuilder) -> Candle<Self> {
        let avd = config.avd.as_ref();
        let background = config.background.then(|| vb.pp("bg_predictor"));
        Ok(Self {
            config: *config,
            device: vb.device().clone(),
            detector: Detector::load(config, vb.pp("kp_detector"))?,
            shrink: AntiAlias::new(1 << config.dense_motion.halvings),
            dense_motion: DenseMotion::load(config, vb.pp("dense_motion_network"))?,
            inpainting: Inpainting::load(config, vb.pp("inpainting_network"))?,
            avd: avd
                .map(|avd| Avd::load(config, avd, vb.pp("avd_network")))
                .transpose()?,
            background: background
                .map(|vb| Background::load(config, vb))
                .transpose()?,
        })
    }

    /// The sizes that it was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where its weights are; pictures must be there too.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The key points of a picture `[1, 3, image_size, image_size]` in `[0, 1]`. `stop` is
    /// asked between layers.
    ///
    /// # Errors
    /// [`Error::Picture`] if the shape differs, [`Error::Cancelled`] once `stop` says so,
    /// [`Error::Tensor`].
    pub fn detect(&self, picture: &Tensor, stop: Stop) -> Result<KeyPoints, Error> {
        self.expect_picture(picture)?;
        pooled(&self.device, || self.detector.forward(picture, stop))
    }

    /// The key points of a frame in `mode` (`demo.py`, `--mode`), from those of the source, of the driving frame and
    /// of the driving clip's first frame, which only [`Mode::Relative`] looks at.
    ///
    /// # Errors
    /// [`Error::KeyPoints`] or [`Error::KeyPointNotFinite`] if they aren't of this model,
    /// [`Error::Degenerate`] as [`relative`], [`Error::Absent`] as [`Tps::avd`].
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

    /// The key points of `source`'s shape in `driving`'s pose (animation via disentanglement).
    ///
    /// # Errors
    /// [`Error::Absent`] if the weights came without an AVD network, [`Error::KeyPoints`] or
    /// [`Error::KeyPointNotFinite`] if they aren't of this model, [`Error::Tensor`].
    pub fn avd(&self, source: &KeyPoints, driving: &KeyPoints) -> Result<KeyPoints, Error> {
        let avd = self.avd.as_ref().ok_or(Error::Absent("AVD network"))?;
        self.expect_key_points(source)?;
        self.expect_key_points(driving)?;
        avd.forward(source, driving)
    }

    /// How the background moves from the driving picture to the source, both as in
    /// [`Tps::detect`]: an affine map as a 3x3 matrix, rows first. For reconstruction; the
    /// authors leave the background alone in animation.
    ///
    /// # Errors
    /// [`Error::Absent`] if the weights came without a background predictor,
    /// [`Error::Picture`], [`Error::Cancelled`], [`Error::Tensor`].
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

    /// All that frames need of the source `[1, 3, image_size, image_size]` in `[0, 1]`, once.
    ///
    /// # Errors
    /// [`Error::Picture`] if the shape differs; [`Error::Tensor`].
    pub fn prepare(&self, picture: &Tensor) -> Result<Prepared, Error> {
        Ok(Prepared {
            key_points: self.detect(picture, &|| false)?,
            small: self.shrink.forward(picture)?,
            maps: pooled(&self.device, || self.inpainting.encode(picture))?,
            picture: picture.clone(),
        })
    }

    /// The source with its face where `driving` has it. `background` is where the background
    /// moves ([`Tps::background`]); without it, it stays. `stop` is asked between layers.
    ///
    /// # Errors
    /// [`Error::KeyPoints`] or [`Error::KeyPointNotFinite`] if `driving` isn't of this model,
    /// [`Error::Degenerate`] if no spline goes through it or the background's matrix isn't
    /// made of numbers, [`Error::Cancelled`] once `stop` says so, [`Error::Tensor`].
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

    /// How the source moves with its face where `driving` has it: all of a frame but its painting,
    /// which takes most of the time. `background` as in [`Tps::frame`].
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
        pooled(&self.device, || {
            self.dense_motion.forward(
                &prepared.small,
                &prepared.key_points,
                driving,
                background.as_ref(),
                stop,
            )
        })
    }

    /// The frame of a motion of [`Tps::motion`], and the source moved by it and not painted,
    /// `[1, 3, S, S]` in `[0, 1]` each.
    ///
    /// # Errors
    /// [`Error::Cancelled`] once `stop` says so, [`Error::Tensor`].
    pub fn paint(
        &self,
        prepared: &Prepared,
        motion: &Motion,
        stop: Stop,
    ) -> Result<(Tensor, Tensor), Error> {
        check(stop)?;
        let (source, maps) = (&prepared.picture, &prepared.maps);
        pooled(&self.device, || {
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
