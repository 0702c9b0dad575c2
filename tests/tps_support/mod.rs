//! A model of procedural weights, and what is asked of it.

#![allow(dead_code)] // each test uses a part

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};
use mien::methods::tps::{AvdConfig, Config, DenseMotionConfig, KeyPoints, Tps};

use crate::common::procedural::{image, param};

pub type Shapes = BTreeMap<String, Vec<usize>>;

/// Procedural weights, with a record of what was asked for.
struct Recorder {
    seed: u64,
    asked: Arc<Mutex<Shapes>>,
}

impl SimpleBackend for Recorder {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _: Init,
        _: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let dims = shape.dims().to_vec();
        let values = param(name, &dims, self.seed);
        self.asked.lock().unwrap().insert(name.to_owned(), dims);
        Tensor::from_vec(values, shape, device)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> candle_core::Result<Tensor> {
        candle_core::bail!("{name}: its shape is not known")
    }

    fn contains_tensor(&self, _: &str) -> bool {
        true
    }
}

/// A model of procedural weights, and the shapes of a checkpoint of it.
pub fn model(config: &Config, seed: u64) -> (Tps, Shapes) {
    let asked = Arc::new(Mutex::new(Shapes::new()));
    let backend = Recorder {
        seed,
        asked: asked.clone(),
    };
    let vb = VarBuilder::from_backend(Box::new(backend), DType::F32, Device::Cpu);
    let tps = Tps::new(config, vb).unwrap();
    let shapes = asked.lock().unwrap().clone();
    (tps, shapes)
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

pub fn difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let a = a.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let b = b.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    a.iter().zip(&b).fold(0.0, |most, (a, b)| {
        let d = (a - b).abs();
        if d.is_nan() {
            f32::INFINITY
        } else {
            d.max(most)
        }
    })
}

pub fn go() -> bool {
    false
}
