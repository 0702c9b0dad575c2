//! Weights and pictures that can be reproduced from their names alone, as `tests/parity/README.md` defines them.

#![allow(dead_code)] // each test uses a part

use candle_core::{DType, Device, Result, Shape, Tensor};
use candle_nn::Init;
use candle_nn::var_builder::SimpleBackend;
use mien::nn::{Precision, Weights};

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// FNV-1a 64 of the UTF-8 name.
pub fn fnv1a64(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// `n` values in [-1, 1).
pub fn u(name: &str, n: usize, seed: u64) -> Vec<f32> {
    let base = fnv1a64(name).wrapping_add(seed.wrapping_mul(GOLDEN));
    (1..=n as u64)
        .map(|i| {
            let mut z = base.wrapping_add(i.wrapping_mul(GOLDEN));
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^= z >> 31;
            ((z >> 40) as f64 / f64::from(1u32 << 23) - 1.0) as f32
        })
        .collect()
}

/// A checkpoint's entry, depending on the last part of its (prefixed) key.
pub fn param(key: &str, shape: &[usize], seed: u64) -> Vec<f32> {
    let values = u(key, shape.iter().product(), seed);
    let (offset, scale) = match key.rsplit('.').next().unwrap_or(key) {
        "running_var" => (1.0, 0.5),
        "running_mean" | "bias" | "bias_ih" | "bias_hh" => (0.0, 0.1),
        _ if shape.len() == 1 => (1.0, 0.1),
        _ => {
            let fan_in: usize = shape[1..].iter().product();
            (0.0, (3.0 / fan_in as f64).sqrt())
        }
    };
    values
        .into_iter()
        .map(|v| (offset + scale * f64::from(v)) as f32)
        .collect()
}

/// A smooth picture in [0, 1]: 8x8 random grids, resized bilinearly with aligned corners.
pub fn image(name: &str, shape: &[usize], seed: u64) -> Vec<f32> {
    const GRID: usize = 8;
    let (lead, size) = shape.split_at(shape.len() - 2);
    let (height, width) = (size[0], size[1]);
    let planes: usize = lead.iter().product();
    let grids = u(name, planes * GRID * GRID, seed);
    let place = |i: usize, size: usize| {
        let at = i as f64 * (GRID - 1) as f64 / (size.max(2) - 1) as f64;
        let low = (at as usize).min(GRID - 2);
        (low, at - low as f64)
    };
    let mut out = Vec::with_capacity(planes * height * width);
    for grid in grids.chunks_exact(GRID * GRID) {
        let at = |y: usize, x: usize| (f64::from(grid[y * GRID + x]) + 1.0) / 2.0;
        for y in 0..height {
            let (gy, fy) = place(y, height);
            for x in 0..width {
                let (gx, fx) = place(x, width);
                let top = at(gy, gx) * (1.0 - fx) + at(gy, gx + 1) * fx;
                let bottom = at(gy + 1, gx) * (1.0 - fx) + at(gy + 1, gx + 1) * fx;
                out.push((top * (1.0 - fy) + bottom * fy) as f32);
            }
        }
    }
    out
}

/// Every key of a GANimation generator, with its shape.
pub fn ganimation_keys(d: usize, blocks: usize, c_dim: usize) -> Vec<(String, Vec<usize>)> {
    let mut keys = Vec::new();
    let mut conv_norm = |conv: String, shape: [usize; 4], norm: String, channels: usize| {
        keys.push((format!("{conv}.weight"), shape.to_vec()));
        keys.push((format!("{norm}.weight"), vec![channels]));
        keys.push((format!("{norm}.bias"), vec![channels]));
    };
    let main = |i: usize| format!("main.{i}");
    conv_norm(main(0), [d, 3 + c_dim, 7, 7], main(1), d);
    conv_norm(main(3), [2 * d, d, 4, 4], main(4), 2 * d);
    conv_norm(main(6), [4 * d, 2 * d, 4, 4], main(7), 4 * d);
    for block in 9..9 + blocks {
        let sub = |i: usize| format!("main.{block}.main.{i}");
        conv_norm(sub(0), [4 * d, 4 * d, 3, 3], sub(1), 4 * d);
        conv_norm(sub(3), [4 * d, 4 * d, 3, 3], sub(4), 4 * d);
    }
    let up = 9 + blocks;
    conv_norm(main(up), [4 * d, 2 * d, 4, 4], main(up + 1), 2 * d);
    conv_norm(main(up + 3), [2 * d, d, 4, 4], main(up + 4), d);
    keys.push(("img_reg.0.weight".into(), vec![3, d, 7, 7]));
    keys.push(("attetion_reg.0.weight".into(), vec![1, d, 7, 7]));
    keys
}

/// Procedural weights for a network: each requested tensor is generated from its name, with `prefix`, and the requested shape.
pub fn weights(prefix: &'static str, seed: u64) -> Weights<'static> {
    adjusted_weights(prefix, seed, |_, _| {})
}

/// [`weights`], each passed through `adjust` together with its full name.
pub fn adjusted_weights(
    prefix: &'static str,
    seed: u64,
    adjust: impl Fn(&str, &mut [f32]) + Send + Sync + 'static,
) -> Weights<'static> {
    let backend = Procedural {
        prefix,
        seed,
        adjust: Box::new(adjust),
    };
    Weights::from_backend(Box::new(backend), &Device::Cpu, Precision::Single)
}

type Adjust = dyn Fn(&str, &mut [f32]) + Send + Sync;

struct Procedural {
    prefix: &'static str,
    seed: u64,
    adjust: Box<Adjust>,
}

impl SimpleBackend for Procedural {
    fn get(&self, shape: Shape, name: &str, _: Init, _: DType, device: &Device) -> Result<Tensor> {
        let name = format!("{}{name}", self.prefix);
        let mut values = param(&name, shape.dims(), self.seed);
        (self.adjust)(&name, &mut values);
        Tensor::from_vec(values, shape, device)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
        candle_core::bail!("{name}: its shape is not known")
    }

    fn contains_tensor(&self, _: &str) -> bool {
        true
    }
}
