//! Records the tensors that a network loads, with their shapes: those of a published checkpoint, without a list of its keys.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use candle_core::{DType, Device, Result, Shape, Tensor};
use candle_nn::Init;
use candle_nn::var_builder::SimpleBackend;
use mien::nn::{Precision, Weights};

use super::procedural::param;

/// Shapes by key.
pub type Shapes = BTreeMap<String, Vec<usize>>;

/// Returns the result of `make` with procedural weights, and the shapes that it requested.
pub fn recorded<T>(seed: u64, make: impl FnOnce(Weights) -> T) -> (T, Shapes) {
    let requested = Arc::<Mutex<Shapes>>::default();
    let backend = Recorder {
        seed,
        requested: Arc::clone(&requested),
    };
    let weights = Weights::from_backend(Box::new(backend), &Device::Cpu, Precision::Single);
    let built = make(weights);
    let requested = requested.lock().unwrap();
    (built, requested.clone())
}

/// Only the shapes.
pub fn requested_shapes(seed: u64, make: impl FnOnce(Weights)) -> Shapes {
    recorded(seed, make).1
}

struct Recorder {
    seed: u64,
    requested: Arc<Mutex<Shapes>>,
}

impl SimpleBackend for Recorder {
    fn get(&self, shape: Shape, name: &str, _: Init, _: DType, device: &Device) -> Result<Tensor> {
        let dims = shape.dims().to_vec();
        let values = param(name, &dims, self.seed);
        self.requested.lock().unwrap().insert(name.to_owned(), dims);
        Tensor::from_vec(values, shape, device)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
        candle_core::bail!("{name}: its shape is not known")
    }

    fn contains_tensor(&self, _: &str) -> bool {
        true
    }
}
