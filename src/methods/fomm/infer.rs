//! Infers a model's configuration from the shapes of a checkpoint without metadata.

use std::collections::BTreeMap;

use super::super::motion::Shapes;
use super::config::{Config, DenseMotionConfig, DetectorConfig, GeneratorConfig, Jacobians};
use crate::methods::error::{Error, Network};

/// Channels of a picture.
const PICTURE: usize = 3;

impl Config {
    /// Infers the configuration from the shapes of a checkpoint (keys `generator.…` and `kp_detector.…`, as published).
    /// What the shapes don't determine is as in `vox-256`: the size of the pictures, the temperature, the variance,
    /// `align_corners`, and `max_features` where no layer reaches it.
    ///
    /// # Errors
    /// [`Error::MissingTensor`] if these aren't the shapes of a FOMM model; [`Error::Config`] if they are inconsistent or
    /// out of range.
    pub fn infer(shapes: &BTreeMap<String, Vec<usize>>) -> Result<Self, Error> {
        let shapes = Shapes(shapes);
        let vox = Self::default();
        let [num_kp, ..] = shapes.get::<4>("kp_detector.kp.weight")?;

        let detector = hourglass(shapes, "kp_detector.predictor", vox.detector.max_features)?;
        let jacobians = if shapes.has("kp_detector.jacobian.weight") {
            jacobians(shapes, num_kp)?
        } else {
            Jacobians::None
        };

        let [masks, ..] = shapes.get::<4>("generator.dense_motion_network.mask.weight")?;
        if masks != num_kp + 1 {
            return Err(Error::Config(
                Network::Motion,
                format!(
                    "the detector finds {num_kp} key points, but the dense motion network has {masks} masks instead of {}",
                    num_kp + 1
                ),
            ));
        }
        let dense = hourglass(
            shapes,
            "generator.dense_motion_network.hourglass",
            vox.dense_motion.max_features,
        )?;

        let config = Self {
            num_kp,
            detector: DetectorConfig {
                block_expansion: detector.block_expansion,
                max_features: detector.max_features,
                num_blocks: detector.num_blocks,
                downscale: downscale(shapes, "kp_detector.down.weight", vox.detector.downscale)?,
                jacobians,
                ..vox.detector
            },
            dense_motion: DenseMotionConfig {
                block_expansion: dense.block_expansion,
                max_features: dense.max_features,
                num_blocks: dense.num_blocks,
                downscale: downscale(
                    shapes,
                    "generator.dense_motion_network.down.weight",
                    vox.dense_motion.downscale,
                )?,
                occlusion: shapes.has("generator.dense_motion_network.occlusion.weight"),
                ..vox.dense_motion
            },
            generator: generator(shapes, vox.generator.max_features)?,
            ..vox
        };
        config.validate()?;
        Ok(config)
    }
}

/// What the shapes of an hourglass determine.
struct Hourglass {
    block_expansion: usize,
    max_features: usize,
    num_blocks: usize,
}

fn hourglass(shapes: Shapes, prefix: &str, default: usize) -> Result<Hourglass, Error> {
    let down = |i: usize| format!("{prefix}.encoder.down_blocks.{i}.conv.weight");
    let num_blocks = shapes.count(down);
    // The last up block outputs `block_expansion` channels.
    let last = num_blocks.saturating_sub(1);
    let [block_expansion, ..] =
        shapes.get::<4>(&format!("{prefix}.decoder.up_blocks.{last}.conv.weight"))?;
    let widths = (0..num_blocks)
        .map(|i| shapes.get::<4>(&down(i)).map(|[width, ..]| width))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Hourglass {
        block_expansion,
        max_features: max_features(block_expansion, &widths, default),
        num_blocks,
    })
}

fn generator(shapes: Shapes, default: usize) -> Result<GeneratorConfig, Error> {
    let [block_expansion, ..] = shapes.get::<4>("generator.first.conv.weight")?;
    let down = |i: usize| format!("generator.down_blocks.{i}.conv.weight");
    let num_down_blocks = shapes.count(down);
    let widths = (0..num_down_blocks)
        .map(|i| shapes.get::<4>(&down(i)).map(|[width, ..]| width))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(GeneratorConfig {
        block_expansion,
        max_features: max_features(block_expansion, &widths, default),
        num_down_blocks,
        num_bottleneck_blocks: shapes.count(|i| format!("generator.bottleneck.r{i}.conv1.weight")),
    })
}

/// The bound on the channels of down blocks with `widths` channels each: the first width below the doubled one, else at
/// least `default`.
fn max_features(block_expansion: usize, widths: &[usize], default: usize) -> usize {
    let mut doubled = block_expansion;
    for &width in widths {
        doubled = doubled.saturating_mul(2);
        if width < doubled {
            return width;
        }
    }
    doubled.max(default)
}

fn jacobians(shapes: Shapes, num_kp: usize) -> Result<Jacobians, Error> {
    let [numbers, ..] = shapes.get::<4>("kp_detector.jacobian.weight")?;
    // With a single key point both mean the same.
    if numbers == 4 * num_kp {
        Ok(Jacobians::Each)
    } else if numbers == 4 {
        Ok(Jacobians::Shared)
    } else {
        Err(Error::Config(
            Network::Motion,
            format!(
                "{num_kp} key points have {numbers} numbers of Jacobians instead of 4 or {}",
                4 * num_kp
            ),
        ))
    }
}

/// The downscaling before a network, from the size of its anti-aliasing kernel: for the factor `f` its standard deviation
/// is `(f - 1) / 2`, and it extends four deviations to each side. The kernel's values are never read, so a converted file
/// may lack it; then the factor is `default`.
fn downscale(shapes: Shapes, key: &str, default: usize) -> Result<usize, Error> {
    if !shapes.has(key) {
        return Ok(default);
    }
    match shapes.get::<4>(key)? {
        [PICTURE, 1, height, width] if height == width && height % 4 == 1 => Ok(height / 4 + 1),
        shape => Err(Error::Config(
            Network::Motion,
            format!("the tensor “{key}” of shape {shape:?} is not a blur before a whole step"),
        )),
    }
}
