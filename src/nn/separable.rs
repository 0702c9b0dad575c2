//! Depthwise 3x3 then pointwise convolution, in one pass over the picture (Howard et al. 2017, "MobileNets", Sec. 3.1).
//!
//! A band of rows is filtered channel by channel into a buffer that stays in the cache, from which the 1x1 convolution
//! reads it: the intermediate result is never written to memory.

use candle_core::{Result, Tensor};

use super::arena::{self, Scratch};
use super::direct::{self, Band, Packed};
use super::host;
use super::isa::{Isa, multiversion};
use super::micro::{MAX_OVERREAD, Shape, TILE, Taps};
use super::slopes::{PRelu, prelu_in_place};
use super::weights::Weights;

/// The most values of a band's filtered rows: half of a small L2 cache.
const BAND_VALUES: usize = 24 * 1024;

/// A depthwise 3x3 convolution, a pointwise one, a residual and a PReLU.
///
/// The picture is padded as with TensorFlow's `SAME`: the output has `ceil(size / stride)` samples a side, and if the
/// number of zeros is odd, the extra one comes last. For inference: no gradients.
#[derive(Clone, Debug)]
pub struct Separable {
    channels: usize,
    outputs: usize,
    stride: usize,
    filters: Vec<[f32; 9]>,
    filter_bias: Vec<f32>,
    pointwise: Packed,
    bias: Vec<f32>,
    slopes: PRelu,
    /// The weights as candle's operations need them, for devices other than the CPU.
    tensors: Tensors,
}

#[derive(Clone, Debug)]
struct Tensors {
    filters: Tensor,
    filter_bias: Tensor,
    pointwise: Tensor,
    bias: Tensor,
}

impl Separable {
    /// Reads `weight` `[channels, 1, 3, 3]` and `bias` from `depthwise`, `weight` `[outputs, channels, 1, 1]` and `bias`
    /// from `pointwise`.
    ///
    /// # Errors
    /// If a tensor is missing or of another shape, the stride is neither 1 nor 2, or there isn't one slope per output.
    pub fn load(
        (channels, outputs): (usize, usize),
        stride: usize,
        depthwise: Weights,
        pointwise: Weights,
        slopes: PRelu,
    ) -> Result<Self> {
        Self::new(
            &depthwise.get((channels, 1, 3, 3), "weight")?,
            &depthwise.get(channels, "bias")?,
            &pointwise.get((outputs, channels, 1, 1), "weight")?,
            &pointwise.get(outputs, "bias")?,
            stride,
            slopes,
        )
    }

    /// From filters `[C, 1, 3, 3]` with their bias `[C]`, and a pointwise kernel `[O, C, 1, 1]` with its bias `[O]`.
    ///
    /// # Errors
    /// As [`Separable::load`].
    pub fn new(
        filters: &Tensor,
        filter_bias: &Tensor,
        pointwise: &Tensor,
        bias: &Tensor,
        stride: usize,
        slopes: PRelu,
    ) -> Result<Self> {
        let isa = Isa::best();
        Self::with_isa(
            (filters, filter_bias),
            (pointwise, bias),
            stride,
            slopes,
            isa,
        )
    }

    /// As [`Separable::new`], with kernels for the instruction set `isa`: for tests and benchmarks.
    pub fn with_isa(
        (filters, filter_bias): (&Tensor, &Tensor),
        (pointwise, bias): (&Tensor, &Tensor),
        stride: usize,
        slopes: PRelu,
        isa: Isa,
    ) -> Result<Self> {
        let (outputs, channels, ..) = pointwise.dims4()?;
        let fits = filters.dims() == [channels, 1, 3, 3]
            && filter_bias.dims() == [channels]
            && pointwise.dims() == [outputs, channels, 1, 1]
            && bias.dims() == [outputs]
            && slopes.values().len() == outputs;
        if !fits || !(1..=2).contains(&stride) || channels * outputs == 0 {
            candle_core::bail!(
                "a separable convolution can't be made of {:?} and {:?} with a stride of {stride}",
                filters.dims(),
                pointwise.dims()
            );
        }
        let values = host::to_values(filters)?;
        let weights = host::to_values(pointwise)?;
        let shape = Shape::for_channels(isa, outputs);
        let column = |t: &Tensor, n: usize| t.reshape((1, n, 1, 1));
        Ok(Self {
            channels,
            outputs,
            stride,
            filters: values.as_chunks().0.to_vec(),
            filter_bias: host::to_values(filter_bias)?,
            pointwise: Packed::new(shape, outputs, channels, |output, input| {
                weights[output * channels + input]
            }),
            bias: host::to_values(bias)?,
            slopes,
            tensors: Tensors {
                filters: filters.clone(),
                filter_bias: column(filter_bias, channels)?,
                pointwise: pointwise.clone(),
                bias: column(bias, outputs)?,
            },
        })
    }

    /// `[N, C, H, W]` to `[N, O, ceil(H / stride), ceil(W / stride)]`. The residual `[N, R, ...]`, `R <= O`, is added
    /// to the first `R` channels before the PReLU.
    ///
    /// # Errors
    /// If the channels or the residual's shape differ.
    pub fn forward(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor> {
        let (n, channels, height, width) = x.dims4()?;
        let (out_h, out_w) = (height.div_ceil(self.stride), width.div_ceil(self.stride));
        let (rn, kept, rh, rw) = residual.dims4()?;
        if channels != self.channels
            || height * width == 0
            || (rn, rh, rw) != (n, out_h, out_w)
            || kept > self.outputs
        {
            candle_core::bail!(
                "a separable convolution of {} to {} channels can't take {:?} with {:?} added",
                self.channels,
                self.outputs,
                x.dims(),
                residual.dims()
            );
        }
        if !host::is_cpu_f32(x) || !host::is_cpu_f32(residual) {
            return self.compose(x, residual);
        }
        let plane = out_h * out_w;
        let mut out = arena::alloc(n * self.outputs * plane);
        host::with_values(x, |x| {
            host::with_values(residual, |residual| {
                let pictures = x
                    .chunks_exact(channels * height * width)
                    .zip(residual.chunks_exact(kept * plane))
                    .zip(out.chunks_exact_mut(self.outputs * plane));
                for ((x, residual), out) in pictures {
                    self.run(x, (height, width), residual, out, (out_h, out_w));
                }
                Ok(())
            })
        })?;
        Tensor::from_vec(out, (n, self.outputs, out_h, out_w), x.device())
    }

    fn run(
        &self,
        x: &[f32],
        size: (usize, usize),
        residual: &[f32],
        out: &mut [f32],
        (out_h, out_w): (usize, usize),
    ) {
        let threads = rayon::current_num_threads();
        let rows = (BAND_VALUES / (self.channels * out_w))
            .min(out_h.div_ceil(2 * threads))
            .clamp(1, out_h);
        let plane = out_h * out_w;
        let work = plane * self.channels * (self.outputs + 9);
        let bands = direct::bands(out, plane, out_w, self.outputs, rows);
        host::run_tasks(bands, work, |mut band| {
            let count = band.rows[0].len();
            let mut filtered = Scratch::new(self.channels * count + MAX_OVERREAD);
            self.filter(x, size, (band.first, out_w), count, &mut filtered);
            self.pointwise(&filtered, count, &mut band);
            let start = band.first * out_w;
            for (channel, row) in band.rows.iter_mut().enumerate() {
                let residual = residual
                    .get(channel * plane + start..)
                    .filter(|_| channel * plane < residual.len());
                let slope = self.slopes.values()[channel];
                prelu_in_place(
                    self.pointwise.shape.isa(),
                    row,
                    self.bias[channel],
                    slope,
                    residual,
                );
            }
        });
    }

    /// The depthwise part: `count` values of every channel, from row `first` on.
    fn filter(
        &self,
        x: &[f32],
        (height, width): (usize, usize),
        (first, out_w): (usize, usize),
        count: usize,
        filtered: &mut [f32],
    ) {
        let isa = self.pointwise.shape.isa();
        let s = self.stride;
        let before = |size: usize| ((size.div_ceil(s) - 1) * s + 3).saturating_sub(size) / 2;
        let (top, left) = (before(height), before(width));
        // Each input row once, with its padding; for a stride of 2 the even samples come first, then the odd ones.
        let pitch = out_w + 2;
        let taken = (count / out_w - 1) * s + 3;
        let mut padded = Scratch::new(taken * s * pitch);
        padded.fill(0.0);
        for (channel, filter) in self.filters.iter().enumerate() {
            let picture = &x[channel * height * width..][..height * width];
            for (i, line) in padded.chunks_exact_mut(s * pitch).enumerate() {
                let y = (first * s + i).wrapping_sub(top);
                if y >= height {
                    line.fill(0.0);
                    continue;
                }
                let row = &picture[y * width..][..width];
                if s == 1 {
                    line[left..left + width].copy_from_slice(row);
                } else {
                    for (x, value) in row.iter().enumerate() {
                        line[(x + left) % 2 * pitch + (x + left) / 2] = *value;
                    }
                }
            }
            let out = &mut filtered[channel * count..][..count];
            let bias = self.filter_bias[channel];
            for (y, out) in out.chunks_exact_mut(out_w).enumerate() {
                let line = |k: usize| &padded[(y * s + k) * s * pitch..][..s * pitch];
                let (a, b, c) = (line(0), line(1), line(2));
                if s == 1 {
                    filter_row(isa, out, a, b, c, filter, bias);
                } else {
                    filter_row_by_two(isa, out, a, b, c, filter, bias);
                }
            }
        }
    }

    /// The pointwise part, without its bias.
    fn pointwise(&self, filtered: &[f32], count: usize, band: &mut Band) {
        let shape = self.pointwise.shape;
        let taps = Taps::new((0..self.channels).map(|c| c * count));
        let mut tile = [0f32; TILE];
        for at in (0..count).step_by(shape.width) {
            let n = shape.width.min(count - at);
            for (group, rows) in band.rows.chunks_mut(shape.rows).enumerate() {
                shape.run(filtered, at, &taps, self.pointwise.group(group), &mut tile);
                for (tile, row) in tile.chunks_exact(shape.width).zip(rows) {
                    row[at..at + n].copy_from_slice(&tile[..n]);
                }
            }
        }
    }

    /// The layer from candle's operations, on any device.
    fn compose(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor> {
        let (.., height, width) = x.dims4()?;
        let padding = |size: usize| {
            let s = self.stride;
            let total = ((size.div_ceil(s) - 1) * s + 3).saturating_sub(size);
            (total / 2, total - total / 2)
        };
        let ((top, bottom), (left, right)) = (padding(height), padding(width));
        let tensors = &self.tensors;
        let y = x
            .pad_with_zeros(2, top, bottom)?
            .pad_with_zeros(3, left, right)?
            .contiguous()?
            .conv2d(&tensors.filters, 0, self.stride, 1, self.channels)?
            .broadcast_add(&tensors.filter_bias)?
            .contiguous()?
            .conv2d(&tensors.pointwise, 0, 1, 1, 1)?
            .broadcast_add(&tensors.bias)?;
        let missing = self.outputs - residual.dim(1)?;
        let residual = residual.pad_with_zeros(1, 0, missing)?;
        self.slopes.compose(&(y + residual)?)
    }
}

multiversion! {
    fn filter_row(out: &mut [f32], a: &[f32], b: &[f32], c: &[f32], k: &[f32; 9], bias: f32) {
        let n = out.len();
        let (a0, a1, a2) = (&a[..n], &a[1..n + 1], &a[2..n + 2]);
        let (b0, b1, b2) = (&b[..n], &b[1..n + 1], &b[2..n + 2]);
        let (c0, c1, c2) = (&c[..n], &c[1..n + 1], &c[2..n + 2]);
        for x in 0..n {
            let above = a0[x] * k[0] + a1[x] * k[1] + a2[x] * k[2];
            let level = b0[x] * k[3] + b1[x] * k[4] + b2[x] * k[5];
            let below = c0[x] * k[6] + c1[x] * k[7] + c2[x] * k[8];
            out[x] = bias + above + (level + below);
        }
    }
}

multiversion! {
    /// For rows that hold the even samples first, then the odd ones.
    fn filter_row_by_two(out: &mut [f32], a: &[f32], b: &[f32], c: &[f32], k: &[f32; 9], bias: f32) {
        let n = out.len();
        let odd = a.len() / 2;
        let (a0, a1, a2) = (&a[..n], &a[odd..odd + n], &a[1..n + 1]);
        let (b0, b1, b2) = (&b[..n], &b[odd..odd + n], &b[1..n + 1]);
        let (c0, c1, c2) = (&c[..n], &c[odd..odd + n], &c[1..n + 1]);
        for x in 0..n {
            let above = a0[x] * k[0] + a1[x] * k[1] + a2[x] * k[2];
            let level = b0[x] * k[3] + b1[x] * k[4] + b2[x] * k[5];
            let below = c0[x] * k[6] + c1[x] * k[7] + c2[x] * k[8];
            out[x] = bias + above + (level + below);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn separable_kernels_agree_with_candle_operations() {
        let make = |shape: &[usize], seed: usize| {
            let count: usize = shape.iter().product();
            let value = |i: usize| ((i * 7919 + seed * 31) % 97) as f32 / 48.0 - 1.0;
            Tensor::from_vec((0..count).map(value).collect(), shape, &Device::Cpu).unwrap()
        };
        for (stride, size) in [(1, (7, 9)), (2, (8, 10)), (2, (9, 7))] {
            let layer = Separable::new(
                &make(&[5, 1, 3, 3], 1),
                &make(&[5], 2),
                &make(&[8, 5, 1, 1], 3),
                &make(&[8], 4),
                stride,
                PRelu::new(&make(&[8], 5)).unwrap(),
            )
            .unwrap();
            let x = make(&[2, 5, size.0, size.1], 6);
            let out = (size.0.div_ceil(stride), size.1.div_ceil(stride));
            let residual = make(&[2, 3, out.0, out.1], 7);
            let ours = layer.forward(&x, &residual).unwrap();
            let theirs = layer.compose(&x, &residual).unwrap();
            let apart = (ours - theirs).unwrap().abs().unwrap().max_all().unwrap();
            assert!(apart.to_scalar::<f32>().unwrap() < 1e-5, "{apart}");
        }
    }

    #[test]
    fn shapes_that_dont_fit_are_errors() {
        let zeros =
            |shape: &[usize]| Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu).unwrap();
        let make = |stride| {
            let relu = PRelu::relu(4, &zeros(&[1])).unwrap();
            let (filters, pointwise) = (zeros(&[3, 1, 3, 3]), zeros(&[4, 3, 1, 1]));
            Separable::new(
                &filters,
                &zeros(&[3]),
                &pointwise,
                &zeros(&[4]),
                stride,
                relu,
            )
        };
        assert!(make(3).is_err());
        let layer = make(1).unwrap();
        let x = zeros(&[1, 3, 4, 4]);
        assert!(layer.forward(&x, &x).is_ok());
        assert!(layer.forward(&zeros(&[1, 2, 4, 4]), &x).is_err());
        assert!(layer.forward(&x, &zeros(&[1, 5, 4, 4])).is_err());
        assert!(layer.forward(&x, &zeros(&[1, 3, 4, 5])).is_err());
    }
}
