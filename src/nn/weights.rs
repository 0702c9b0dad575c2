//! What layers are built from: named tensors, and the precision of convolutions.

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Linear, VarBuilder};

/// The precision that a convolution computes in. It is given where the convolution is constructed; a network's
/// convolutions get it from the [`Weights`] that they are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// f32.
    Single,
    /// Weights, inputs and outputs f16, sums f32.
    Half,
}

/// Named tensors, f32, and the precision that the convolutions built from them compute in.
///
/// The precision is chosen once for a network, but only its convolutions, at the ends of many constructors, need it.
/// All of these constructors take the network's tensors, so the precision is carried with them: no constructor between
/// has to pass it on, and none can lose it. The type of candle's `VarBuilder` couldn't say it, because in
/// [half precision](Precision::Half) norms and matrices still read f32.
#[derive(Clone)]
pub struct Weights<'a> {
    tensors: VarBuilder<'a>,
    precision: Precision,
}

impl<'a> Weights<'a> {
    /// From tensors on `device`, by their full names; they are read as f32.
    pub fn from_tensors(
        tensors: HashMap<String, Tensor>,
        device: &Device,
        precision: Precision,
    ) -> Self {
        Self {
            tensors: VarBuilder::from_tensors(tensors, DType::F32, device),
            precision,
        }
    }

    /// From a source that finds or makes each tensor when it is read, as f32 on `device`.
    pub fn from_backend(
        backend: Box<dyn SimpleBackend + 'a>,
        device: &Device,
        precision: Precision,
    ) -> Self {
        Self {
            tensors: VarBuilder::from_backend(backend, DType::F32, device.clone()),
            precision,
        }
    }

    /// Those whose names begin with `prefix` and a dot, by the rest of their names.
    pub fn pp(&self, prefix: impl ToString) -> Self {
        Self {
            tensors: self.tensors.pp(prefix),
            precision: self.precision,
        }
    }

    /// One tensor, f32.
    ///
    /// # Errors
    /// If it is missing or of another shape.
    pub fn get(&self, shape: impl Into<Shape>, name: &str) -> Result<Tensor> {
        self.tensors.get(shape, name)
    }

    /// candle's linear layer, of `weight` `[outputs, inputs]` and `bias` `[outputs]`; f32 in either precision.
    ///
    /// # Errors
    /// If a tensor is missing or of another shape.
    pub fn linear(&self, inputs: usize, outputs: usize) -> Result<Linear> {
        candle_nn::linear(inputs, outputs, self.tensors.clone())
    }

    /// The device that tensors are read to.
    pub fn device(&self) -> &Device {
        self.tensors.device()
    }

    /// The precision of convolutions built from these weights.
    pub fn precision(&self) -> Precision {
        self.precision
    }
}
