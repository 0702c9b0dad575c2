//! A TPS model of procedural weights, and its inputs.

use std::sync::LazyLock;

use candle_core::{Device, Tensor};
use mien::methods::tps::{AvdConfig, Config, DenseMotionConfig, KeyPoints, Tps};

use super::procedural::image;
use super::recorder::recorded;

pub use super::recorder::Shapes;

/// A model of procedural weights, and the shapes of its checkpoint.
pub fn model(config: &Config, seed: u64) -> (Tps, Shapes) {
    recorded(seed, |weights| Tps::new(config, weights).unwrap())
}

pub fn small_config() -> Config {
    Config {
        image_size: 32,
        num_tps: 2,
        block_expansion: 2,
        dense_motion: DenseMotionConfig {
            halvings: 2,
            block_expansion: 3,
            max_features: 10,
            num_blocks: 2,
        },
        avd: Some(AvdConfig {
            id_bottle_size: 5,
            pose_bottle_size: 7,
        }),
        ..Config::default()
    }
}

pub static SMALL: LazyLock<(Tps, Shapes)> = LazyLock::new(|| model(&small_config(), 1));

pub fn picture(name: &str, size: usize, seed: u64) -> Tensor {
    let shape = [1, 3, size, size];
    Tensor::from_vec(image(name, &shape, seed), &shape, &Device::Cpu).unwrap()
}

pub fn points(key_points: &KeyPoints) -> Tensor {
    let values = key_points.points.as_flattened();
    Tensor::from_slice(values, (1, values.len() / 2, 2), &Device::Cpu).unwrap()
}

pub fn never_stop() -> bool {
    false
}
