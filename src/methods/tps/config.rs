//! The configuration of a Thin-Plate-Spline Motion Model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::methods::MAX_IMAGE_SIZE;
use crate::methods::error::{Error, Network};
use crate::methods::motion::Shapes;
use crate::text;

/// Key points of one spline.
pub(super) const POINTS: usize = 5;
/// Resolutions that feature maps are warped and masked at.
pub(super) const LEVELS: usize = 4;
/// Colour channels of a picture.
pub(super) const COLOURS: usize = 3;

/// The configuration of a model, under the authors' names; the defaults are those of `vox-256.yaml`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Side of its pictures in pixels.
    pub image_size: usize,
    /// Number of splines, each through five key points.
    pub num_tps: usize,
    /// Variance of a key point's heatmap, in coordinates from -1 to 1.
    pub kp_variance: f32,
    /// Channels of the inpainting network's first and last feature maps; eight times as many at the deepest, which has an
    /// eighth of the sides.
    pub block_expansion: usize,
    /// Channels of the first stage of both ResNet-18, which detect key points and predict the background's motion; each
    /// of the other three stages has twice as many as the one before.
    pub resnet_width: usize,
    /// The network that predicts the contribution of each spline.
    pub dense_motion: DenseMotionConfig,
    /// The network that combines the source's shape with the driving picture's pose, if there is one.
    pub avd: Option<AvdConfig>,
    /// Whether the weights include a network that predicts the background's motion.
    pub background: bool,
}

/// The configuration of a dense motion network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DenseMotionConfig {
    /// How many times the picture's sides are halved before the network; as many up blocks follow it.
    pub halvings: usize,
    /// Channels of the hourglass's last decoder block.
    pub block_expansion: usize,
    /// Upper bound on the channels of the hourglass.
    pub max_features: usize,
    /// Blocks of the hourglass's encoder, each halving the sides.
    pub num_blocks: usize,
}

/// The lengths of an AVD network's two codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvdConfig {
    /// Length of the code of a face's shape.
    pub id_bottle_size: usize,
    /// Length of the code of its pose.
    pub pose_bottle_size: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            image_size: 256,
            num_tps: 10,
            kp_variance: 0.01,
            block_expansion: 64,
            resnet_width: 64,
            dense_motion: DenseMotionConfig::default(),
            avd: Some(AvdConfig {
                id_bottle_size: 128,
                pose_bottle_size: 128,
            }),
            background: true,
        }
    }
}

impl Default for DenseMotionConfig {
    fn default() -> Self {
        Self {
            halvings: 2,
            block_expansion: 64,
            max_features: 1024,
            num_blocks: 5,
        }
    }
}

impl Config {
    /// Reads and checks a configuration; missing fields are as in [`Config::default`].
    ///
    /// # Errors
    /// [`Error::Config`] if it isn't JSON of this form or a value is out of range.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let config: Self = serde_json::from_str(json)
            .map_err(|e| Error::Config(Network::Motion, text::fault(&e)))?;
        config.validate()?;
        Ok(config)
    }

    /// Checks that networks with this configuration can be built.
    ///
    /// # Errors
    /// [`Error::Config`] naming the first value that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        let motion = &self.dense_motion;
        // The upper bounds only stop a damaged file from exhausting memory.
        let mut ranges = vec![
            ("image_size", self.image_size, 16, MAX_IMAGE_SIZE),
            ("num_tps", self.num_tps, 1, 256),
            ("block_expansion", self.block_expansion, 1, 256),
            ("resnet_width", self.resnet_width, 1, 1024),
            ("dense_motion.halvings", motion.halvings, 0, LEVELS - 1),
            (
                "dense_motion.block_expansion",
                motion.block_expansion,
                1,
                motion.max_features.min(1024),
            ),
            ("dense_motion.max_features", motion.max_features, 1, 8192),
            // Each of the smaller masks has its own decoder output as input.
            (
                "dense_motion.num_blocks",
                motion.num_blocks,
                (LEVELS - motion.halvings.min(LEVELS - 1)).max(1),
                10,
            ),
        ];
        if let Some(avd) = &self.avd {
            ranges.push(("avd.id_bottle_size", avd.id_bottle_size, 1, 8192));
            ranges.push(("avd.pose_bottle_size", avd.pose_bottle_size, 1, 8192));
        }
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(Error::Config(
                    Network::Motion,
                    format!("{name} is {value}, but must be from {least} to {most}"),
                ));
            }
        }
        let halved = motion.halvings + motion.num_blocks;
        let step = 1usize << halved.max(LEVELS - 1);
        if !self.image_size.is_multiple_of(step) {
            return Err(Error::Config(
                Network::Motion,
                format!(
                    "image_size is {}, but must be a multiple of {step}",
                    self.image_size
                ),
            ));
        }
        if !(self.kp_variance.is_finite() && self.kp_variance > 0.0) {
            return Err(Error::Config(
                Network::Motion,
                format!(
                    "kp_variance is {}, but must be a number above 0",
                    self.kp_variance
                ),
            ));
        }
        Ok(())
    }

    /// Infers the configuration from a checkpoint's shapes, by key. What the shapes don't determine is as in
    /// [`Config::default`].
    ///
    /// # Errors
    /// [`Error::MissingTensor`] if it isn't such a checkpoint, [`Error::Config`] if it is of a kind that the authors
    /// never published: one mask, or other than three down blocks.
    pub fn infer(shapes: &BTreeMap<String, Vec<usize>>) -> Result<Self, Error> {
        let default = Self::default();
        let shapes = Shapes(shapes);

        let [coordinates, _] = shapes.get("kp_detector.fg_encoder.fc.weight")?;
        if !coordinates.is_multiple_of(2 * POINTS) {
            return Err(Error::Config(
                Network::Motion,
                format!(
                    "{coordinates} coordinates of key points can't be shared among splines of {POINTS} points"
                ),
            ));
        }
        let [resnet_width, ..] = shapes.get::<4>("kp_detector.fg_encoder.conv1.weight")?;
        let [block_expansion, ..] = shapes.get::<4>("inpainting_network.first.conv.weight")?;
        let levels = shapes.count(|i| format!("inpainting_network.down_blocks.{i}.conv.weight"));
        let masks = shapes.count(|i| format!("dense_motion_network.occlusion.{i}.weight"));
        if (levels + 1, masks) != (LEVELS, LEVELS) {
            return Err(Error::Config(
                Network::Motion,
                format!(
                    "it has {} sizes of feature maps and {masks} masks, but both must be {LEVELS}",
                    levels + 1
                ),
            ));
        }

        let avd = shapes
            .has("avd_network.decoder.0.weight")
            .then(|| {
                let [id_bottle_size, _] = shapes.get("avd_network.id_encoder.9.weight")?;
                let [pose_bottle_size, _] = shapes.get("avd_network.pose_encoder.9.weight")?;
                Ok::<_, Error>(AvdConfig {
                    id_bottle_size,
                    pose_bottle_size,
                })
            })
            .transpose()?;

        let config = Self {
            num_tps: coordinates / (2 * POINTS),
            block_expansion,
            resnet_width,
            dense_motion: DenseMotionConfig::infer(shapes)?,
            avd,
            background: shapes.has("bg_predictor.bg_encoder.fc.weight"),
            ..default
        };
        config.validate()?;
        Ok(config)
    }
}

impl DenseMotionConfig {
    fn infer(shapes: Shapes) -> Result<Self, Error> {
        let down = |i: usize| {
            format!("dense_motion_network.hourglass.encoder.down_blocks.{i}.conv.weight")
        };
        let num_blocks = shapes.count(down);
        let last = num_blocks.saturating_sub(1);
        let [deepest, ..] = shapes.get::<4>(&down(last))?;
        let [block_expansion, ..] = shapes.get::<4>(&format!(
            "dense_motion_network.hourglass.decoder.up_blocks.{last}.conv.weight"
        ))?;
        // If no layer reached the bound, any value above the deepest layer fits.
        let unbounded = u32::try_from(num_blocks)
            .ok()
            .and_then(|blocks| 2usize.checked_pow(blocks))
            .and_then(|factor| block_expansion.checked_mul(factor));
        let max_features = if unbounded.is_some_and(|channels| channels <= deepest) {
            deepest.max(Self::default().max_features)
        } else {
            deepest
        };
        Ok(Self {
            halvings: shapes.count(|i| format!("dense_motion_network.up.{i}.conv.weight")),
            block_expansion,
            max_features,
            num_blocks,
        })
    }
}
