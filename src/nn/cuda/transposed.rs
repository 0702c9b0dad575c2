//! Transposed convolution by 4x4 that doubles the picture, as a plain convolution: candle's own on a card takes every
//! product one thread a result, while cuDNN's plain ones are fast.

use candle_core::{Result, Tensor};

use super::maps::interleaved;
use super::takes;
use crate::nn::conv::ConvConfig;
use crate::nn::host;
use crate::nn::precision::Kernel;

/// A 4x4 kernel with a stride of 2 that leaves out one row and column at each side, as a 3x3 one over the small picture
/// with four results for each of its own, one for each place that a sample becomes.
///
/// A result's two coordinates each see two samples: an even one its own sample and the one before, an odd one its own and
/// the one after. Five of nine products are with zeros, which is little compared with what is gained.
#[derive(Clone, Debug)]
pub(in crate::nn) struct TransposedConv {
    /// `[4 outputs, inputs, 3, 3]`
    kernel: Kernel,
}

/// Of a result at an even and at an odd place: the sample before, its own and the one after, each with its tap if seen.
const TAPS: [[Option<usize>; 3]; 2] = [[Some(3), Some(1), None], [None, Some(2), Some(0)]];

impl TransposedConv {
    /// From a transposed `weight` `[inputs, outputs, 4, 4]`; none for any other kernel or way to move over the picture.
    ///
    /// # Errors
    /// If `weight` hasn't four dimensions, or the device's.
    pub fn of(weight: &Tensor, config: ConvConfig) -> Result<Option<Self>> {
        let (inputs, outputs, kh, kw) = weight.dims4()?;
        if (kh, kw) != (4, 4) || (config.stride, config.padding) != (2, 1) {
            return Ok(None);
        }
        let values = host::to_values(weight)?;
        let mut plain = Vec::with_capacity(outputs * 4 * inputs * 9);
        for output in 0..outputs {
            for phase in 0..4 {
                for input in 0..inputs {
                    let kernel = &values[(input * outputs + output) * 16..][..16];
                    for row in TAPS[phase / 2] {
                        plain.extend(TAPS[phase % 2].map(|column| match (row, column) {
                            (Some(row), Some(column)) => kernel[4 * row + column],
                            _ => 0.0,
                        }));
                    }
                }
            }
        }
        let plain = Tensor::from_vec(plain, (4 * outputs, inputs, 3, 3), weight.device())?;
        let kernel = Kernel::new(&plain, ConvConfig::new(1, 1))?;
        Ok(Some(Self { kernel }))
    }

    /// `[N, inputs, H, W]` to `[N, outputs, 2 H, 2 W]`.
    ///
    /// # Errors
    /// If the channels differ.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = self.kernel.forward(x, 1, 1)?;
        if takes(&[&y]) {
            return interleaved(&y);
        }
        let (n, planes, height, width) = y.dims4()?;
        y.reshape((n * planes / 4, 2, 2, height, width))?
            .permute((0, 3, 1, 4, 2))?
            .reshape((n, planes / 4, 2 * height, 2 * width))
    }
}
