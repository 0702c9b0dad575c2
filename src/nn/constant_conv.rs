//! Convolution of inputs that are constant over the picture, with zero padding.
//!
//! The contribution of such an input to an output depends only on which taps are outside the picture, hence on the
//! position's class: for a 7x7 kernel there are 7 classes of rows and 7 of columns.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::arena;
use super::cuda;
use super::host;
use super::isa::{Isa, multiversion};
use super::norm::InstanceNorm;

/// The part of a stride-1 convolution over constant input planes.
#[derive(Clone, Debug)]
pub struct ConstantConv {
    outputs: usize,
    inputs: usize,
    kernel: usize,
    padding: usize,
    /// `[outputs, inputs, kernel, kernel]`
    weight: Vec<f32>,
}

/// The result of [`ConstantConv::at`]: one value for each output channel and class.
#[derive(Clone, Debug)]
pub struct ConstantMap {
    /// `[outputs, row classes, column classes]`
    values: Vec<f32>,
    outputs: usize,
    /// The class of each row and column.
    rows: Vec<u32>,
    columns: Vec<u32>,
    classes: (usize, usize),
}

impl ConstantConv {
    /// From `weight` `[outputs, inputs, k, k]`.
    ///
    /// # Errors
    /// If the kernel isn't square.
    pub fn new(weight: &Tensor, padding: usize) -> Result<Self> {
        let (outputs, inputs, kernel, other) = weight.dims4()?;
        if kernel != other {
            candle_core::bail!("expected a square kernel, found {kernel}x{other}");
        }
        Ok(Self {
            outputs,
            inputs,
            kernel,
            padding,
            weight: host::to_values(weight)?,
        })
    }

    /// Computes the map over a `height` by `width` picture for these constants, one per input plane.
    ///
    /// # Errors
    /// If there isn't one constant per input, or the output would be empty.
    pub fn at(&self, constants: &[f32], height: usize, width: usize) -> Result<ConstantMap> {
        let k = self.kernel;
        let margin = 2 * self.padding;
        if constants.len() != self.inputs || (height + margin).min(width + margin) < k {
            candle_core::bail!(
                "expected {} constants and a picture of at least {k}, found {} and {width}x{height}",
                self.inputs,
                constants.len()
            );
        }
        let (rows, row_ranges) = self.classes(height);
        let (columns, column_ranges) = self.classes(width);
        let mut values = Vec::with_capacity(self.outputs * row_ranges.len() * column_ranges.len());
        for weight in self.weight.chunks_exact(self.inputs * k * k) {
            let mut taps = vec![0f64; k * k];
            for (plane, &constant) in weight.chunks_exact(k * k).zip(constants) {
                for (tap, &w) in taps.iter_mut().zip(plane) {
                    *tap += f64::from(w) * f64::from(constant);
                }
            }
            for &(top, bottom) in &row_ranges {
                for &(left, right) in &column_ranges {
                    let sum: f64 = (top..bottom)
                        .flat_map(|y| &taps[y * k + left..y * k + right])
                        .sum();
                    values.push(sum as f32);
                }
            }
        }
        Ok(ConstantMap {
            values,
            outputs: self.outputs,
            rows,
            columns,
            classes: (row_ranges.len(), column_ranges.len()),
        })
    }

    /// Returns the class of each output position along an axis, and the range of taps inside the picture for each class.
    fn classes(&self, size: usize) -> (Vec<u32>, Vec<(usize, usize)>) {
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        let outputs = size + 2 * self.padding - self.kernel + 1;
        let classes = (0..outputs)
            .map(|o| {
                let from = self.padding.saturating_sub(o).min(self.kernel);
                let to = (size + self.padding - o.min(size + self.padding)).min(self.kernel);
                let range = (from, to.max(from));
                let class = ranges.iter().position(|&r| r == range);
                class.unwrap_or_else(|| {
                    ranges.push(range);
                    ranges.len() - 1
                }) as u32
            })
            .collect();
        (classes, ranges)
    }
}

impl ConstantMap {
    /// The map as `[1, outputs, H, W]` on the device of `like`.
    ///
    /// # Errors
    /// If the device fails.
    pub fn to_tensor(&self, like: &Tensor) -> Result<Tensor> {
        let device = like.device();
        let (rows, columns) = self.classes;
        let values = Tensor::from_slice(&self.values, (1, self.outputs, rows, columns), device)?;
        let row = Tensor::from_slice(&self.rows, self.rows.len(), device)?;
        let column = Tensor::from_slice(&self.columns, self.columns.len(), device)?;
        values
            .index_select(&row, 2)?
            .index_select(&column, 3)?
            .to_dtype(like.dtype())
    }

    /// `relu(norm(x + map))` for `x` `[1, outputs, H, W]`.
    ///
    /// # Errors
    /// If the shape of `x` differs.
    pub fn add_norm_relu(&self, x: &Tensor, norm: &InstanceNorm) -> Result<Tensor> {
        let expected = [1, self.outputs, self.rows.len(), self.columns.len()];
        if x.dims() != expected || norm.channels() != self.outputs {
            candle_core::bail!("expected {expected:?}, found {:?}", x.dims());
        }
        if cuda::takes(&[x]) {
            // There are few classes, so f32 represents them exactly.
            let classes = self.rows.iter().chain(&self.columns).map(|&c| c as f32);
            let table: Vec<f32> = self.values.iter().copied().chain(classes).collect();
            return norm.forward(&cuda::class_map(x, &table, self.classes)?, true);
        }
        if !host::is_cpu_f32(x) {
            return norm.forward(&(x + self.to_tensor(x)?)?, true);
        }
        let isa = Isa::best();
        let (width, plane) = (self.columns.len(), self.rows.len() * self.columns.len());
        let mut out = arena::alloc(x.elem_count());
        host::with_values(x, |x| {
            out.par_chunks_exact_mut(plane)
                .zip(x.par_chunks_exact(plane))
                .zip(
                    self.values
                        .par_chunks_exact(self.classes.0 * self.classes.1),
                )
                .enumerate()
                .for_each(|(channel, ((out, x), values))| {
                    let mut line = vec![0f32; width];
                    let mut class = u32::MAX;
                    let lines = out.chunks_exact_mut(width).zip(x.chunks_exact(width));
                    for ((out, x), &row) in lines.zip(&self.rows) {
                        if row != class {
                            class = row;
                            let values = &values[row as usize * self.classes.1..];
                            for (line, &column) in line.iter_mut().zip(&self.columns) {
                                *line = values[column as usize];
                            }
                        }
                        add(isa, x, &line, out);
                    }
                    norm.apply_plane(isa, channel, out, true);
                });
            Ok(())
        })?;
        Tensor::from_vec(out, x.shape(), x.device())
    }
}

multiversion! {
    fn add(x: &[f32], y: &[f32], out: &mut [f32]) {
        for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
            *out = x + y;
        }
    }
}
