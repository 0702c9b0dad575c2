//! The configuration of a FOMM model, as stored in its weights file.

use serde::{Deserialize, Serialize};

use crate::methods::MAX_IMAGE_SIZE;
use crate::methods::error::{Error, Network};
use crate::nn::blocks::HourglassConfig;
use crate::text;

/// The configuration of a model; the defaults are those of the authors' `vox-256`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Side of its pictures in pixels.
    pub image_size: usize,
    /// `align_corners` of the warps: whether -1 and 1 are the centres of the outermost pixels, as in PyTorch before 1.3,
    /// when the published weights were trained, or their outer edges, the default since.
    pub align_corners: bool,
    /// Number of key points.
    pub num_kp: usize,
    /// The key point detector.
    pub detector: DetectorConfig,
    /// The dense motion network.
    pub dense_motion: DenseMotionConfig,
    /// The generator.
    pub generator: GeneratorConfig,
}

/// The configuration of the key point detector.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectorConfig {
    /// Channels of its hourglass at full resolution.
    pub block_expansion: usize,
    /// Upper bound on the channels of its hourglass.
    pub max_features: usize,
    /// Down blocks of its hourglass.
    pub num_blocks: usize,
    /// Factor by which its input is downscaled: the inverse of the authors' `scale_factor`.
    pub downscale: usize,
    /// The divisor of the heatmaps before their softmax.
    pub temperature: f32,
    /// Whether key points have Jacobians.
    pub jacobians: Jacobians,
}

/// Whether, and how, the detector estimates a Jacobian at each key point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Jacobians {
    /// Key points only translate.
    None,
    /// One map, weighted by each key point's heatmap.
    Shared,
    /// A map for each key point.
    Each,
}

/// The configuration of the dense motion network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DenseMotionConfig {
    /// Channels of its hourglass at full resolution.
    pub block_expansion: usize,
    /// Upper bound on the channels of its hourglass.
    pub max_features: usize,
    /// Down blocks of its hourglass.
    pub num_blocks: usize,
    /// Factor by which its input is downscaled: the inverse of the authors' `scale_factor`.
    pub downscale: usize,
    /// The variance of a key point's Gaussian.
    pub kp_variance: f32,
    /// Whether it predicts an occlusion map.
    pub occlusion: bool,
}

/// The configuration of the generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratorConfig {
    /// Channels at full resolution.
    pub block_expansion: usize,
    /// Upper bound on its channels.
    pub max_features: usize,
    /// Down blocks before the warp, and up blocks after it.
    pub num_down_blocks: usize,
    /// Residual blocks after the warp.
    pub num_bottleneck_blocks: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            image_size: 256,
            align_corners: true,
            num_kp: 10,
            detector: DetectorConfig {
                block_expansion: 32,
                max_features: 1024,
                num_blocks: 5,
                downscale: 4,
                temperature: 0.1,
                jacobians: Jacobians::Each,
            },
            dense_motion: DenseMotionConfig {
                block_expansion: 64,
                max_features: 1024,
                num_blocks: 5,
                downscale: 4,
                kp_variance: 0.01,
                occlusion: true,
            },
            generator: GeneratorConfig {
                block_expansion: 64,
                max_features: 512,
                num_down_blocks: 2,
                num_bottleneck_blocks: 6,
            },
        }
    }
}

impl Config {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// [`Error::Config`] if it isn't JSON with all these fields or a value is out of range.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let config: Self = serde_json::from_str(json)
            .map_err(|e| Error::Config(Network::Motion, text::fault(&e)))?;
        config.validate()?;
        Ok(config)
    }

    /// Checks that a model with this configuration can be built.
    ///
    /// # Errors
    /// [`Error::Config`] naming the first value that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        let (detector, dense, generator) = (&self.detector, &self.dense_motion, &self.generator);
        // The upper bounds only stop a damaged file from exhausting memory.
        let widths = |least: usize| (least, 8192);
        let ranges = [
            ("image_size", self.image_size, (16, MAX_IMAGE_SIZE)),
            ("num_kp", self.num_kp, (1, 1024)),
            (
                "detector.block_expansion",
                detector.block_expansion,
                (1, 1024),
            ),
            (
                "detector.max_features",
                detector.max_features,
                widths(detector.block_expansion),
            ),
            ("detector.num_blocks", detector.num_blocks, (1, 10)),
            ("detector.downscale", detector.downscale, (1, 64)),
            (
                "dense_motion.block_expansion",
                dense.block_expansion,
                (1, 1024),
            ),
            (
                "dense_motion.max_features",
                dense.max_features,
                widths(dense.block_expansion),
            ),
            ("dense_motion.num_blocks", dense.num_blocks, (1, 10)),
            ("dense_motion.downscale", dense.downscale, (1, 64)),
            (
                "generator.block_expansion",
                generator.block_expansion,
                (1, 1024),
            ),
            (
                "generator.max_features",
                generator.max_features,
                widths(generator.block_expansion),
            ),
            (
                "generator.num_down_blocks",
                generator.num_down_blocks,
                (0, 10),
            ),
            (
                "generator.num_bottleneck_blocks",
                generator.num_bottleneck_blocks,
                (0, 64),
            ),
        ];
        for (name, value, (least, most)) in ranges {
            if !(least..=most).contains(&value) {
                return Err(Error::Config(
                    Network::Motion,
                    format!("{name} is {value}, but must be from {least} to {most}"),
                ));
            }
        }
        let positive = [
            ("detector.temperature", detector.temperature),
            ("dense_motion.kp_variance", dense.kp_variance),
        ];
        for (name, value) in positive {
            if !(value.is_normal() && value > 0.0) {
                return Err(Error::Config(
                    Network::Motion,
                    format!("{name} is {value}, but must be above 0"),
                ));
            }
        }
        // Sides must be divisible at every level, so that upsampled maps match the skip connections.
        let factors = [
            ("the detector", detector.downscale << detector.num_blocks),
            (
                "the dense motion network",
                dense.downscale << dense.num_blocks,
            ),
            ("the generator", 1 << generator.num_down_blocks),
        ];
        for (who, factor) in factors {
            if !self.image_size.is_multiple_of(factor) {
                return Err(Error::Config(
                    Network::Motion,
                    format!(
                        "image_size is {}, but {who} needs a multiple of {factor}",
                        self.image_size
                    ),
                ));
            }
        }
        if self.image_size / detector.downscale < HEAD_KERNEL + 1 {
            return Err(Error::Config(
                Network::Motion,
                format!(
                    "image_size is {}, but the detector needs at least {}",
                    self.image_size,
                    (HEAD_KERNEL + 1) * detector.downscale
                ),
            ));
        }
        Ok(())
    }

    /// Side of the dense motion network's maps in pixels.
    pub fn motion_size(&self) -> usize {
        self.image_size / self.dense_motion.downscale
    }
}

/// Kernel size of the convolutions after each hourglass; the detector's have no padding.
pub(super) const HEAD_KERNEL: usize = 7;

impl DetectorConfig {
    pub(super) fn hourglass(&self) -> HourglassConfig {
        HourglassConfig {
            block_expansion: self.block_expansion,
            max_features: self.max_features,
            num_blocks: self.num_blocks,
        }
    }
}

impl DenseMotionConfig {
    pub(super) fn hourglass(&self) -> HourglassConfig {
        HourglassConfig {
            block_expansion: self.block_expansion,
            max_features: self.max_features,
            num_blocks: self.num_blocks,
        }
    }
}

impl GeneratorConfig {
    /// Channels after `halvings` down blocks.
    pub(super) fn features(&self, halvings: usize) -> usize {
        self.max_features.min(self.block_expansion << halvings)
    }
}

impl Jacobians {
    /// The number of four-channel maps that the detector predicts for `num_kp` key points.
    pub(super) fn maps(self, num_kp: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Shared => 1,
            Self::Each => num_kp,
        }
    }
}
