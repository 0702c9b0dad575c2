//! The layers that sample and resize, compared with their definitions.

#![allow(clippy::needless_range_loop)] // the definitions read as in the papers

use candle_core::{Device, Tensor};
use mien::nn::{
    AntiAlias, BatchNorm, Border, Conv2d, ConvConfig, Weights, avg_pool, grid_sample, max_pool_3,
    resize_bilinear,
};

use super::layers::{assert_close, tensor, values};

/// A sample of a plane, zero outside.
fn at(plane: &[f32], (h, w): (usize, usize), y: i64, x: i64) -> f64 {
    if (0..h as i64).contains(&y) && (0..w as i64).contains(&x) {
        f64::from(plane[y as usize * w + x as usize])
    } else {
        0.0
    }
}

fn bilinear(plane: &[f32], size: (usize, usize), y: f64, x: f64) -> f64 {
    let (y0, x0) = (y.floor(), x.floor());
    let mut sum = 0.0;
    for (dy, wy) in [(0, 1.0 - (y - y0)), (1, y - y0)] {
        for (dx, wx) in [(0, 1.0 - (x - x0)), (1, x - x0)] {
            sum += wy * wx * at(plane, size, y0 as i64 + dy, x0 as i64 + dx);
        }
    }
    sum
}

/// Mirrors until the position is inside.
fn mirrored(mut v: f64, low: f64, high: f64) -> f64 {
    if high <= low {
        return low;
    }
    while v < low || v > high {
        v = if v < low {
            2.0 * low - v
        } else {
            2.0 * high - v
        };
    }
    v
}

/// One picture sampled at several grids of many positions each.
pub fn many_grids(grids: usize, channels: usize, (h, w): (usize, usize), places: usize) {
    let (x, xs) = tensor("x", &[1, channels, h, w]);
    let (grid, gs) = tensor("grid", &[grids, 1, places, 2]);
    let place = |v: f32, size: usize| (f64::from(v) + 1.0) / 2.0 * (size as f64 - 1.0);
    let mut expected = Vec::new();
    for grid in gs.chunks(2 * places) {
        for plane in xs.chunks(h * w) {
            let positions = grid.chunks(2).map(|at| (place(at[0], w), place(at[1], h)));
            expected.extend(positions.map(|(gx, gy)| bilinear(plane, (h, w), gy, gx)));
        }
    }
    let found = grid_sample(&x, &grid, Border::Zeros, true).unwrap();
    assert_eq!(found.dims(), [grids, channels, 1, places]);
    assert_close(&values(&found), &expected, 2e-5, "one picture, many grids");
}

pub fn grid_sampling(
    (pictures, channels): (usize, usize),
    (h, w): (usize, usize),
    (out_h, out_w): (usize, usize),
    reach: f64,
) {
    let (x, xs) = tensor("x", &[pictures, channels, h, w]);
    let (grid, _) = tensor("grid", &[pictures, out_h, out_w, 2]);
    let grid = (grid * reach).unwrap();
    let gs = values(&grid);
    for border in [Border::Zeros, Border::Reflection] {
        for align_corners in [false, true] {
            let place = |v: f32, size: usize| {
                let (v, size) = (f64::from(v), size as f64);
                let place = if align_corners {
                    (v + 1.0) / 2.0 * (size - 1.0)
                } else {
                    ((v + 1.0) * size - 1.0) / 2.0
                };
                match (border, align_corners) {
                    (Border::Zeros, _) => place,
                    (Border::Reflection, true) => mirrored(place, 0.0, size - 1.0),
                    (Border::Reflection, false) => {
                        mirrored(place, -0.5, size - 0.5).clamp(0.0, size - 1.0)
                    }
                }
            };
            let mut expected = Vec::new();
            for n in 0..pictures {
                for c in 0..channels {
                    let plane = &xs[(n * channels + c) * h * w..][..h * w];
                    for p in 0..out_h * out_w {
                        let at = (n * out_h * out_w + p) * 2;
                        let (gx, gy) = (place(gs[at], w), place(gs[at + 1], h));
                        expected.push(bilinear(plane, (h, w), gy, gx));
                    }
                }
            }
            let found = grid_sample(&x, &grid, border, align_corners).unwrap();
            assert_eq!(found.dims(), [pictures, channels, out_h, out_w]);
            let what = format!("{border:?}, aligned: {align_corners}");
            assert_close(&values(&found), &expected, 2e-5 * (1.0 + reach), &what);
        }
    }
}

pub fn resizing(channels: usize, (h, w): (usize, usize), (out_h, out_w): (usize, usize)) {
    let (x, xs) = tensor("x", &[1, channels, h, w]);
    for align_corners in [false, true] {
        let place = |i: usize, from: usize, to: usize| match (align_corners, to) {
            (false, _) => ((i as f64 + 0.5) * from as f64 / to as f64 - 0.5).max(0.0),
            (true, 1) => 0.0,
            (true, _) => i as f64 * (from - 1) as f64 / (to - 1) as f64,
        };
        let mut expected = Vec::new();
        for c in 0..channels {
            let plane = &xs[c * h * w..][..h * w];
            for y in 0..out_h {
                for x in 0..out_w {
                    let fy = place(y, h, out_h).min((h - 1) as f64);
                    let fx = place(x, w, out_w).min((w - 1) as f64);
                    expected.push(bilinear(plane, (h, w), fy, fx));
                }
            }
        }
        let found = resize_bilinear(&x, (out_h, out_w), align_corners).unwrap();
        assert_eq!(found.dims(), [1, channels, out_h, out_w]);
        let what = format!("resize, aligned: {align_corners}");
        assert_close(&values(&found), &expected, 1e-5, &what);
    }
}

/// The full Gaussian at every sample, then every `factor`-th one.
pub fn anti_aliasing(channels: usize, (h, w): (usize, usize), factor: usize) {
    let (x, xs) = tensor("x", &[1, channels, h, w]);
    let sigma = (factor as f64 - 1.0) / 2.0;
    let side = 2 * (sigma * 4.0).round_ties_even() as i64 + 1;
    let mut kernel = Vec::new();
    for i in 0..side {
        for j in 0..side {
            let middle = (side - 1) as f64 / 2.0;
            let d = (i as f64 - middle).powi(2) + (j as f64 - middle).powi(2);
            kernel.push((-d / (2.0 * sigma * sigma)).exp());
        }
    }
    let total: f64 = kernel.iter().sum();
    let mut expected = Vec::new();
    for c in 0..channels {
        let plane = &xs[c * h * w..][..h * w];
        for y in 0..h / factor {
            for x in 0..w / factor {
                let mut sum = 0.0;
                for i in 0..side {
                    for j in 0..side {
                        let (sy, sx) = (y * factor, x * factor);
                        let (sy, sx) = (sy as i64 + i - side / 2, sx as i64 + j - side / 2);
                        sum += kernel[(i * side + j) as usize] * at(plane, (h, w), sy, sx);
                    }
                }
                expected.push(sum / total);
            }
        }
    }
    let found = AntiAlias::new(factor).forward(&x).unwrap();
    assert_eq!(found.dims(), [1, channels, h / factor, w / factor]);
    assert_close(&values(&found), &expected, 1e-5, "anti-alias");
}

pub fn pooling(channels: usize, (h, w): (usize, usize)) {
    let (x, xs) = tensor("x", &[1, channels, h, w]);
    let (mut means, mut largest) = (Vec::new(), Vec::new());
    for c in 0..channels {
        let plane = &xs[c * h * w..][..h * w];
        for y in 0..h / 2 {
            for x in 0..w / 2 {
                let four = [(0, 0), (0, 1), (1, 0), (1, 1)];
                let sum: f64 = four
                    .iter()
                    .map(|(dy, dx)| f64::from(plane[(2 * y + dy) * w + 2 * x + dx]))
                    .sum();
                means.push(sum / 4.0);
            }
        }
        for y in 0..h.div_ceil(2) as i64 {
            for x in 0..w.div_ceil(2) as i64 {
                let mut most = f64::NEG_INFINITY;
                for sy in 2 * y - 1..=2 * y + 1 {
                    for sx in 2 * x - 1..=2 * x + 1 {
                        if (0..h as i64).contains(&sy) && (0..w as i64).contains(&sx) {
                            most = most.max(at(plane, (h, w), sy, sx));
                        }
                    }
                }
                largest.push(most);
            }
        }
    }
    let found = avg_pool(&x).unwrap();
    assert_eq!(found.dims(), [1, channels, h / 2, w / 2]);
    assert_close(&values(&found), &means, 1e-6, "mean pool");
    let found = max_pool_3(&x).unwrap();
    assert_eq!(found.dims(), [1, channels, h.div_ceil(2), w.div_ceil(2)]);
    assert_close(&values(&found), &largest, 1e-9, "max pool");
}

/// Batch norm alone, and folded into a convolution before it.
pub fn batch_normalised(channels: usize, (h, w): (usize, usize)) {
    let weights = super::procedural::weights("", 3);
    let norm = || weights.pp("norm");
    let read = |name: &str| values(&norm().get(channels, name).unwrap());
    let (weight, bias) = (read("weight"), read("bias"));
    let (mean, variance) = (read("running_mean"), read("running_var"));
    let normed = |v: f64, c: usize| {
        (v - f64::from(mean[c])) / (f64::from(variance[c]) + 1e-5).sqrt() * f64::from(weight[c])
            + f64::from(bias[c])
    };
    let (x, xs) = tensor("x", &[2, channels, h, w]);
    let layer = BatchNorm::load(channels, norm()).unwrap();
    for relu in [false, true] {
        let expected: Vec<f64> = xs
            .iter()
            .enumerate()
            .map(|(i, &v)| normed(f64::from(v), i / (h * w) % channels))
            .map(|v| if relu { v.max(0.0) } else { v })
            .collect();
        let found = layer.forward(&x, relu).unwrap();
        assert_close(&values(&found), &expected, 1e-5, "batch norm");
    }

    let config = ConvConfig::new(1, 1);
    for bias in [false, true] {
        let conv = |weights: Weights| Conv2d::load(channels, channels, 3, config, bias, weights);
        let plain = conv(weights.pp("conv")).unwrap().forward(&x).unwrap();
        let expected: Vec<f64> = values(&plain)
            .iter()
            .enumerate()
            .map(|(i, &v)| normed(f64::from(v), i / (h * w) % channels))
            .collect();
        let (conv, norm) = (weights.pp("conv"), norm());
        let folded = Conv2d::load_folded(channels, channels, 3, config, bias, conv, norm).unwrap();
        let found = folded.forward(&x).unwrap();
        assert_close(&values(&found), &expected, 3e-5, "folded batch norm");
    }
    let wrong = Tensor::zeros(
        (1, channels + 1, h, w),
        candle_core::DType::F32,
        &Device::Cpu,
    );
    assert!(layer.forward(&wrong.unwrap(), false).is_err());
}
