//! Every layer compared with a plain implementation of its definition.

#![allow(clippy::needless_range_loop)] // the definitions read as in the papers

use candle_core::{Device, Tensor};
use mien::nn::{
    ConstantConv, Conv2d, ConvConfig, ConvTranspose2d, Epilogue, InstanceNorm, Isa, PRelu,
    Precision, Separable, max_pool,
};
use proptest::prop_assume;
use proptest::test_runner::TestCaseResult;

use super::procedural::u;

/// The sizes of a convolution.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub pictures: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub kernel: (usize, usize),
    pub stride: usize,
    pub padding: usize,
    pub size: (usize, usize),
}

pub fn tensor(name: &str, shape: &[usize]) -> (Tensor, Vec<f32>) {
    let values = u(name, shape.iter().product(), 1);
    let tensor = Tensor::from_vec(values.clone(), shape, &Device::Cpu).unwrap();
    (tensor, values)
}

pub fn values(x: &Tensor) -> Vec<f32> {
    x.flatten_all().unwrap().to_vec1().unwrap()
}

pub fn assert_close(found: &[f32], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    // Rounding errors grow with the terms of a sum, not with the sum.
    let mean = expected.iter().map(|e| e * e).sum::<f64>() / expected.len().max(1) as f64;
    let size = mean.sqrt().max(1.0);
    for (i, (&f, &e)) in found.iter().zip(expected).enumerate() {
        let bound = tolerance * (size + e.abs());
        assert!(
            (f64::from(f) - e).abs() <= bound,
            "{what} at {i}: {f}, not {e}"
        );
    }
}

/// The tolerance of a convolution, relative to the size of its values: see [`assert_close`].
const TOLERANCE: f64 = 3e-5;

impl Case {
    /// Height and width of a convolution's output; `None` if the kernel doesn't fit.
    fn output(&self) -> Option<(usize, usize)> {
        let (kh, kw) = self.kernel;
        let (h, w) = (
            self.size.0 + 2 * self.padding,
            self.size.1 + 2 * self.padding,
        );
        (h >= kh && w >= kw).then(|| ((h - kh) / self.stride + 1, (w - kw) / self.stride + 1))
    }
}

/// The convolution by its definition, in f64.
fn definition(case: Case, xs: &[f32], ws: &[f32], bs: &[f32]) -> Vec<f64> {
    let Case {
        pictures,
        inputs,
        outputs,
        kernel: (kh, kw),
        stride,
        padding,
        size: (h, w),
    } = case;
    let (out_h, out_w) = case.output().unwrap();
    let mut expected = Vec::new();
    for n in 0..pictures {
        for o in 0..outputs {
            for y in 0..out_h {
                for x in 0..out_w {
                    let mut sum = f64::from(bs[o]);
                    for i in 0..inputs {
                        for ky in 0..kh {
                            for kx in 0..kw {
                                let (sy, sx) = (y * stride + ky, x * stride + kx);
                                if sy < padding
                                    || sx < padding
                                    || sy - padding >= h
                                    || sx - padding >= w
                                {
                                    continue;
                                }
                                let at = ((n * inputs + i) * h + sy - padding) * w + sx - padding;
                                let k = ((o * inputs + i) * kh + ky) * kw + kx;
                                sum += f64::from(xs[at]) * f64::from(ws[k]);
                            }
                        }
                    }
                    expected.push(sum);
                }
            }
        }
    }
    expected
}

/// The direct convolution.
pub fn convolution(case: Case) -> TestCaseResult {
    convolution_within(case, TOLERANCE)
}

/// The direct convolution, with this tolerance.
pub fn convolution_within(case: Case, tolerance: f64) -> TestCaseResult {
    let output = case.output();
    prop_assume!(output.is_some(), "the kernel doesn't fit");
    let (out_h, out_w) = output.unwrap();
    let Case {
        pictures,
        inputs,
        outputs,
        kernel: (kh, kw),
        stride,
        padding,
        size: (h, w),
    } = case;
    let (x, xs) = tensor("x", &[pictures, inputs, h, w]);
    let (weight, ws) = tensor("weight", &[outputs, inputs, kh, kw]);
    let (bias, bs) = tensor("bias", &[outputs]);
    let expected = definition(case, &xs, &ws, &bs);
    for isa in Isa::available() {
        let config = ConvConfig::new(stride, padding);
        let conv = Conv2d::with_isa(&weight, Some(&bias), config, isa).unwrap();
        let found = conv.forward(&x).unwrap();
        assert_eq!(found.dims(), [pictures, outputs, out_h, out_w]);
        assert_close(
            &values(&found),
            &expected,
            tolerance,
            &format!("{case:?} {isa:?}"),
        );
    }
    Ok(())
}

/// A convolution of an upsampled picture, compared with the definition on the upsampled picture.
pub fn upsampled(
    inputs: usize,
    outputs: usize,
    kernel: usize,
    padding: usize,
    (h, w): (usize, usize),
) -> TestCaseResult {
    let case = Case {
        pictures: 2,
        inputs,
        outputs,
        kernel: (kernel, kernel),
        stride: 1,
        padding,
        size: (2 * h, 2 * w),
    };
    let output = case.output();
    prop_assume!(output.is_some(), "the kernel doesn't fit");
    let (out_h, out_w) = output.unwrap();
    let (x, xs) = tensor("x", &[2, inputs, h, w]);
    let (weight, ws) = tensor("weight", &[outputs, inputs, kernel, kernel]);
    let mut large = Vec::new();
    for plane in xs.chunks(h * w) {
        for y in 0..2 * h {
            for x in 0..2 * w {
                large.push(plane[y / 2 * w + x / 2]);
            }
        }
    }
    let expected = definition(case, &large, &ws, &vec![0.0; outputs]);
    let config = ConvConfig::new(1, padding).upsampled();
    for isa in Isa::available() {
        let conv = Conv2d::with_isa(&weight, None, config, isa).unwrap();
        let found = conv.forward(&x).unwrap();
        assert_eq!(found.dims(), [2, outputs, out_h, out_w]);
        let what = format!("{case:?} {isa:?}");
        assert_close(&values(&found), &expected, 2.0 * TOLERANCE, &what);
    }
    let config = ConvConfig::new(2, padding).upsampled();
    assert!(Conv2d::new(&weight, None, config, Precision::Single).is_err());
    Ok(())
}

/// The transposed convolution.
pub fn transposed(case: Case) -> TestCaseResult {
    let Case {
        pictures,
        inputs,
        outputs,
        kernel: (kh, kw),
        stride,
        padding,
        size: (h, w),
    } = case;
    let (whole_h, whole_w) = ((h - 1) * stride + kh, (w - 1) * stride + kw);
    prop_assume!(whole_h.min(whole_w) > 2 * padding, "no output is left");
    let (out_h, out_w) = (whole_h - 2 * padding, whole_w - 2 * padding);
    let (x, xs) = tensor("x", &[pictures, inputs, h, w]);
    let (weight, ws) = tensor("weight", &[inputs, outputs, kh, kw]);
    let (bias, bs) = tensor("bias", &[outputs]);
    let mut expected = vec![0f64; pictures * outputs * out_h * out_w];
    for n in 0..pictures {
        for o in 0..outputs {
            let plane = &mut expected[(n * outputs + o) * out_h * out_w..][..out_h * out_w];
            plane.fill(f64::from(bs[o]));
            for i in 0..inputs {
                for y in 0..h {
                    for x in 0..w {
                        for ky in 0..kh {
                            for kx in 0..kw {
                                let (ty, tx) = (y * stride + ky, x * stride + kx);
                                if ty < padding
                                    || tx < padding
                                    || ty - padding >= out_h
                                    || tx - padding >= out_w
                                {
                                    continue;
                                }
                                let k = ((i * outputs + o) * kh + ky) * kw + kx;
                                plane[(ty - padding) * out_w + tx - padding] +=
                                    f64::from(xs[((n * inputs + i) * h + y) * w + x])
                                        * f64::from(ws[k]);
                            }
                        }
                    }
                }
            }
        }
    }
    for isa in Isa::available() {
        let config = ConvConfig::new(stride, padding);
        let conv = ConvTranspose2d::with_isa(&weight, Some(&bias), config, isa).unwrap();
        let found = conv.forward(&x).unwrap();
        assert_eq!(found.dims(), [pictures, outputs, out_h, out_w]);
        assert_close(
            &values(&found),
            &expected,
            TOLERANCE,
            &format!("{case:?} {isa:?}"),
        );
    }
    Ok(())
}

/// Norm, ReLU and residual after a 1x1 identity convolution.
pub fn normalised(
    pictures: usize,
    channels: usize,
    (h, w): (usize, usize),
    offset: f32,
    relu: bool,
) {
    let (x, _) = tensor("x", &[pictures, channels, h, w]);
    let x = (x + f64::from(offset)).unwrap();
    let (residual, rs) = tensor("residual", &[pictures, channels, h, w]);
    let (weight, ws) = tensor("weight", &[channels]);
    let (bias, bs) = tensor("bias", &[channels]);
    let norm = InstanceNorm::new(&weight, &bias, InstanceNorm::EPS).unwrap();
    let (mut plain, mut added) = (Vec::new(), Vec::new());
    for (p, plane) in values(&x).chunks(h * w).enumerate() {
        let n = plane.len() as f64;
        let mean = plane.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = plane
            .iter()
            .map(|&v| (f64::from(v) - mean).powi(2))
            .sum::<f64>()
            / n;
        for (i, &v) in plane.iter().enumerate() {
            let scaled =
                (f64::from(v) - mean) / (variance + 1e-5).sqrt() * f64::from(ws[p % channels]);
            let y = scaled + f64::from(bs[p % channels]);
            let y = if relu { y.max(0.0) } else { y };
            plain.push(y);
            added.push(y + f64::from(rs[p * h * w + i]));
        }
    }
    // The precision of f32 far from zero bounds the precision after the mean is subtracted.
    let tolerance = 2e-5 * (1.0 + f64::from(offset.abs()));
    assert_close(
        &values(&norm.forward(&x, relu).unwrap()),
        &plain,
        tolerance,
        "norm",
    );

    let eye = Tensor::eye(channels, candle_core::DType::F32, &Device::Cpu).unwrap();
    let eye = eye.reshape((channels, channels, 1, 1)).unwrap();
    let conv = Conv2d::new(&eye, None, ConvConfig::default(), Precision::Single).unwrap();
    let epilogue = Epilogue {
        norm: Some(&norm),
        relu,
        residual: Some(&residual),
        slopes: None,
    };
    let found = conv.forward_then(&x, &epilogue).unwrap();
    assert_close(&values(&found), &added, tolerance, "norm and residual");
}

/// A separable convolution with a residual of fewer channels and slopes, padded as TensorFlow does.
pub fn separable(
    pictures: usize,
    (channels, outputs, kept): (usize, usize, usize),
    stride: usize,
    (h, w): (usize, usize),
) {
    let (x, xs) = tensor("x", &[pictures, channels, h, w]);
    let (filters, fs) = tensor("filters", &[channels, 1, 3, 3]);
    let (filter_bias, fb) = tensor("filter bias", &[channels]);
    let (pointwise, ps) = tensor("pointwise", &[outputs, channels, 1, 1]);
    let (bias, bs) = tensor("bias", &[outputs]);
    let (slopes, ss) = tensor("slopes", &[outputs]);
    let (out_h, out_w) = (h.div_ceil(stride), w.div_ceil(stride));
    let (residual, rs) = tensor("residual", &[pictures, kept, out_h, out_w]);

    let before = |size: usize| ((size.div_ceil(stride) - 1) * stride + 3).saturating_sub(size) / 2;
    let (top, left) = (before(h) as isize, before(w) as isize);
    let mut expected = Vec::new();
    for n in 0..pictures {
        for o in 0..outputs {
            for y in 0..out_h {
                for x in 0..out_w {
                    let mut sum = f64::from(bs[o]);
                    for c in 0..channels {
                        let mut filtered = f64::from(fb[c]);
                        for k in 0..9 {
                            let iy = (y * stride + k / 3) as isize - top;
                            let ix = (x * stride + k % 3) as isize - left;
                            if (0..h as isize).contains(&iy) && (0..w as isize).contains(&ix) {
                                let at = ((n * channels + c) * h + iy as usize) * w + ix as usize;
                                filtered += f64::from(xs[at]) * f64::from(fs[c * 9 + k]);
                            }
                        }
                        sum += filtered * f64::from(ps[o * channels + c]);
                    }
                    if o < kept {
                        sum += f64::from(rs[((n * kept + o) * out_h + y) * out_w + x]);
                    }
                    expected.push(if sum > 0.0 {
                        sum
                    } else {
                        sum * f64::from(ss[o])
                    });
                }
            }
        }
    }
    for isa in Isa::available() {
        let slopes = PRelu::new(&slopes).unwrap();
        let layer = Separable::with_isa(
            (&filters, &filter_bias),
            (&pointwise, &bias),
            stride,
            slopes,
            isa,
        )
        .unwrap();
        let found = layer.forward(&x, &residual).unwrap();
        assert_eq!(found.dims(), [pictures, outputs, out_h, out_w]);
        assert_close(
            &values(&found),
            &expected,
            3e-5,
            &format!("separable {isa:?}"),
        );
    }
}

/// A convolution followed by PReLU, and 2x2 max pooling.
pub fn rectified(channels: usize, (h, w): (usize, usize)) {
    let (x, xs) = tensor("x", &[1, channels, h, w]);
    let (slopes, ss) = tensor("slopes", &[channels]);
    let slopes = PRelu::new(&slopes).unwrap();
    let eye = Tensor::eye(channels, candle_core::DType::F32, &Device::Cpu).unwrap();
    let eye = eye.reshape((channels, channels, 1, 1)).unwrap();
    let conv = Conv2d::new(&eye, None, ConvConfig::default(), Precision::Single).unwrap();
    let found = conv.forward_then(&x, &Epilogue::prelu(&slopes)).unwrap();
    let wanted: Vec<f64> = xs
        .iter()
        .enumerate()
        .map(|(i, v)| f64::from(if *v > 0.0 { *v } else { v * ss[i / (h * w)] }))
        .collect();
    assert_close(&values(&found), &wanted, 1e-6, "slopes");

    let pooled = max_pool(&x).unwrap();
    assert_eq!(pooled.dims(), [1, channels, h / 2, w / 2]);
    let at = |c: usize, y: usize, x: usize| xs[(c * h + y) * w + x];
    let mut wanted = Vec::new();
    for c in 0..channels {
        for y in 0..h / 2 {
            for x in 0..w / 2 {
                let (y, x) = (2 * y, 2 * x);
                let upper = at(c, y, x).max(at(c, y, x + 1));
                let lower = at(c, y + 1, x).max(at(c, y + 1, x + 1));
                wanted.push(f64::from(upper.max(lower)));
            }
        }
    }
    assert_close(&values(&pooled), &wanted, 1e-9, "pool");
}

/// Constant inputs with padding, compared with a convolution of constant planes.
pub fn constant(
    inputs: usize,
    outputs: usize,
    kernel: usize,
    padding: usize,
    (h, w): (usize, usize),
) -> TestCaseResult {
    prop_assume!(
        (h + 2 * padding).min(w + 2 * padding) >= kernel,
        "the kernel doesn't fit"
    );
    let (weight, _) = tensor("weight", &[outputs, inputs, kernel, kernel]);
    let (constants, cs) = tensor("constants", &[1, inputs, 1, 1]);
    let planes = constants.broadcast_as((1, inputs, h, w)).unwrap();
    let config = ConvConfig::new(1, padding);
    let expected = Conv2d::new(&weight, None, config, Precision::Single)
        .unwrap()
        .forward(&planes)
        .unwrap();
    let map = ConstantConv::new(&weight, padding)
        .unwrap()
        .at(&cs, h, w)
        .unwrap();
    let found = map.to_tensor(&expected).unwrap();
    let wanted: Vec<f64> = values(&expected).iter().map(|&v| f64::from(v)).collect();
    assert_close(&values(&found), &wanted, 1e-5, "constant");

    let (x, _) = tensor("x", expected.dims());
    let ones = Tensor::ones(outputs, candle_core::DType::F32, &Device::Cpu).unwrap();
    let norm = InstanceNorm::new(&ones, &ones, InstanceNorm::EPS).unwrap();
    let fused = map.add_norm_relu(&x, &norm).unwrap();
    let composed = norm.forward(&(x + found).unwrap(), true).unwrap();
    let wanted: Vec<f64> = values(&composed).iter().map(|&v| f64::from(v)).collect();
    assert_close(&values(&fused), &wanted, 1e-5, "constant, normalised");
    Ok(())
}
