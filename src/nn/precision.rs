//! Convolutions in half precision, for GPUs: half the memory traffic, and products on tensor cores.
//!
//! Weights, inputs and outputs of a convolution are f16, its sums f32 (cuDNN's "pseudo half"). Norms, warps, keypoints
//! and everything else between convolutions stay f32. The CPU gains nothing from it; there it is emulated with rounded
//! values, so that its error can be measured on any machine.

use candle_core::{DType, Result, Tensor};

use super::conv::{Conv2d, ConvConfig};
use super::cuda;
use super::isa::Isa;
use super::weights::Precision;

/// The kernel of a convolution that doesn't run on our packed CPU kernels.
#[derive(Clone, Debug)]
pub(super) enum ConvWeight {
    /// `[outputs, inputs, kh, kw]`, in the convolution's precision.
    Given(Tensor),
    /// Half precision emulated on the CPU: our own kernels, with weights, inputs and outputs rounded.
    Rounded(Box<Conv2d>),
}

impl ConvWeight {
    /// From `weight` `[outputs, inputs, kh, kw]`, f32.
    ///
    /// # Errors
    /// The device's, or [`Conv2d::with_isa`]'s.
    pub fn new(weight: &Tensor, config: ConvConfig, precision: Precision) -> Result<Self> {
        if precision == Precision::Single {
            return Ok(Self::Given(weight.contiguous()?));
        }
        if weight.device().is_cpu() {
            let plain = ConvConfig {
                upsampled: false,
                ..config
            };
            let rounded = Conv2d::with_isa(&rounded(weight)?, None, plain, Isa::best())?;
            return Ok(Self::Rounded(Box::new(rounded)));
        }
        Ok(Self::Given(weight.to_dtype(DType::F16)?.contiguous()?))
    }

    /// Convolves `x` `[N, inputs, H, W]`, f32, with this padding and stride; the result is f32.
    ///
    /// # Errors
    /// If the channels differ or the kernel is larger than the padded picture.
    pub fn forward(&self, x: &Tensor, padding: usize, stride: usize) -> Result<Tensor> {
        match self {
            Self::Given(weight) => {
                let (own, kind) = (weight.dtype(), x.dtype());
                let x = x.to_dtype(own)?.contiguous()?;
                let y = match cuda::convolved(&x, weight, padding, stride)? {
                    Some(y) => y,
                    None => x.conv2d(weight, padding, stride, 1, 1)?,
                };
                y.to_dtype(kind)
            }
            Self::Rounded(conv) => rounded(&conv.forward(&rounded(x)?)?),
        }
    }
}

/// Rounds values to half precision, as f32; magnitudes beyond 65504 become infinite.
fn rounded(x: &Tensor) -> Result<Tensor> {
    x.to_dtype(DType::F16)?.to_dtype(DType::F32)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use candle_core::Device;

    use super::*;
    use crate::nn::{ConvTranspose2d, Weights};

    fn values(shape: &[usize], scale: f64) -> Tensor {
        let count = shape.iter().product::<usize>() as u32;
        let sines = (0..count).map(|i| ((f64::from(i) * 1.7).sin() * scale) as f32);
        Tensor::from_iter(sines, &Device::Cpu)
            .unwrap()
            .reshape(shape)
            .unwrap()
    }

    fn furthest(a: &Tensor, b: &Tensor) -> f32 {
        let off = (a - b).unwrap().abs().unwrap().max_all().unwrap();
        off.to_scalar().unwrap()
    }

    #[test]
    fn a_half_precision_convolution_rounds_its_inputs_and_sums_in_single_precision() {
        let (x, weight) = (values(&[1, 32, 9, 7], 3.0), values(&[5, 32, 3, 3], 0.4));
        let bias = values(&[5], 1.0);
        for config in [
            ConvConfig::new(1, 1),
            ConvConfig::new(2, 1),
            ConvConfig::new(1, 1).upsampled(),
        ] {
            let make = |precision| Conv2d::new(&weight, Some(&bias), config, precision).unwrap();
            let (half, single) = (make(Precision::Half), make(Precision::Single));
            let found = half.forward(&x).unwrap();
            // Rounding to eleven bits, and that of the sums, for 288 products of at most 1.2.
            let off = furthest(&found, &single.forward(&x).unwrap());
            assert!((1e-5..2e-2).contains(&off), "{config:?}: {off}");

            let rounded_weight = rounded(&weight).unwrap();
            let exact = Conv2d::new(&rounded_weight, None, config, Precision::Single).unwrap();
            let exact = exact.forward(&rounded(&x).unwrap()).unwrap();
            let bias = bias.reshape((1, 5, 1, 1)).unwrap();
            let expected = rounded(&exact).unwrap().broadcast_add(&bias).unwrap();
            // Values halfway between two may be rounded either way.
            let off = furthest(&found, &expected);
            assert!(off < 2e-2, "{config:?}: {off}");
        }
    }

    #[test]
    fn unsupported_kernels_are_errors_in_either_precision() {
        let flat = values(&[3], 1.0);
        for precision in [Precision::Single, Precision::Half] {
            assert!(Conv2d::new(&flat, None, ConvConfig::default(), precision).is_err());
        }
    }

    #[test]
    fn convolutions_have_the_precision_of_the_weights_they_are_read_from() {
        let picture = values(&[1, 4, 6, 6], 1.0);
        let tensors = HashMap::from([
            ("a.b.weight".to_owned(), values(&[4, 4, 4, 4], 0.4)),
            ("a.b.bias".to_owned(), values(&[4], 0.3)),
        ]);
        let config = ConvConfig::new(2, 1);
        for precision in [Precision::Single, Precision::Half] {
            let weights = Weights::from_tensors(tensors.clone(), &Device::Cpu, precision);
            let layer = weights.pp("a").pp("b");
            let weight = layer.get((4, 4, 4, 4), "weight").unwrap();
            assert_eq!(weight.dtype(), DType::F32);
            let bias = layer.get(4, "bias").unwrap();

            let read = Conv2d::load(4, 4, 4, config, true, layer.clone()).unwrap();
            let made = Conv2d::new(&weight, Some(&bias), config, precision).unwrap();
            let outputs = [read, made].map(|conv| conv.forward(&picture).unwrap());
            assert!(furthest(&outputs[0], &outputs[1]) == 0.0, "{precision:?}");

            let read = ConvTranspose2d::load(4, 4, 4, config, true, layer).unwrap();
            let made = ConvTranspose2d::new(&weight, Some(&bias), config, precision).unwrap();
            let outputs = [read, made].map(|conv| conv.forward(&picture).unwrap());
            assert!(furthest(&outputs[0], &outputs[1]) == 0.0, "{precision:?}");
        }
    }
}
