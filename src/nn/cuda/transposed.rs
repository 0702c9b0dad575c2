//! Transposed 4x4 convolution with stride 2, as a direct convolution: candle's transposed convolution on a GPU computes
//! each result in one thread, while cuDNN's direct ones are fast.

use candle_core::{Result, Tensor};

use super::maps::interleaved;
use super::takes;
use crate::nn::conv::ConvConfig;
use crate::nn::host;
use crate::nn::precision::ConvWeight;
use crate::nn::weights::Precision;

/// A transposed 4x4 kernel with stride 2 and padding 1, as a 3x3 one over the input picture with four outputs per
/// output channel, one for each phase.
///
/// An even result uses its own sample and the one before along each axis, an odd one its own and the one after. Five of
/// nine products are with zeros, which costs little compared with the gain.
#[derive(Clone, Debug)]
pub(in crate::nn) struct TransposedConv {
    /// `[4 outputs, inputs, 3, 3]`
    kernel: ConvWeight,
}

/// For even and odd results: the taps for the sample before, its own sample and the one after, if used.
const TAPS: [[Option<usize>; 3]; 2] = [[Some(3), Some(1), None], [None, Some(2), Some(0)]];

impl TransposedConv {
    /// From a transposed `weight` `[inputs, outputs, 4, 4]`; `None` for any other kernel, stride or padding.
    ///
    /// # Errors
    /// If `weight` hasn't four dimensions, or the device fails.
    pub fn of(weight: &Tensor, config: ConvConfig, precision: Precision) -> Result<Option<Self>> {
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
        let kernel = ConvWeight::new(&plain, ConvConfig::new(1, 1), precision)?;
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
