//! Layers with their inputs: shapes that are tiny, odd, narrower than a block and larger than one.

use candle_core::{Device, Result, Tensor};

use super::emulated;
use crate::nn::{
    AntiAlias, BatchNorm, Border, ConstantConv, Epilogue, InstanceNorm, PRelu, Precision, Weights,
    affine_relu, avg_pool, concat_channels, grid_sample, lerp, masked, max_pool, max_pool_3,
    mixed_motion, resize_bilinear, resize_flow, sigmoid, soft_means, tanh, tanh_and_sigmoid,
};

/// Computes a layer's outputs from some tensors.
pub(super) type Layer = Box<dyn Fn(&[Tensor]) -> Result<Vec<Tensor>>>;

/// A layer, its inputs, and the tolerance of its results.
pub(super) struct Case {
    pub name: String,
    pub inputs: Vec<Tensor>,
    pub layer: Layer,
    pub within: f32,
}

/// Values in `-spread..=spread`, the same in every run.
pub(super) fn values(shape: &[usize], spread: f32, seed: usize) -> Tensor {
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|i| {
            let mixed = (i + 1).wrapping_mul(0x9E37_79B9).wrapping_add(seed * 7919) as u32;
            let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x85EB_CA6B);
            ((mixed >> 8) as f32 / (1 << 23) as f32 - 1.0) * spread
        })
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn case(
    name: impl Into<String>,
    inputs: Vec<Tensor>,
    within: f32,
    layer: impl Fn(&[Tensor]) -> Result<Vec<Tensor>> + 'static,
) -> Case {
    Case {
        name: name.into(),
        inputs,
        layer: Box::new(layer),
        within,
    }
}

/// Pictures, channels, height, width: tiny, odd, narrower than a block, and larger than one.
const SHAPES: [[usize; 4]; 7] = [
    [1, 1, 1, 1],
    [2, 3, 5, 7],
    [1, 4, 2, 33],
    [3, 2, 16, 8],
    [1, 5, 31, 1],
    [1, 2, 37, 41],
    [1, 1, 67, 65],
];

/// Applies `epilogue` after a convolution's `bias`, with the CPU's own implementation unless the GPU is emulated.
fn finish(epilogue: &Epilogue, x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    if x.device().is_cpu() && !emulated::is_emulated() {
        let mut y: Vec<f32> = x.flatten_all()?.to_vec1()?;
        let bias: Vec<f32> = bias.to_vec1()?;
        epilogue.apply(&mut y, Some(&bias), (n, channels, height * width))?;
        return Tensor::from_vec(y, x.dims(), x.device());
    }
    let bias = bias.reshape((1, channels, 1, 1))?;
    epilogue.apply_on_device(x.clone(), Some(&bias))
}

pub(super) fn norms() -> Vec<Case> {
    let mut cases = Vec::new();
    for (seed, shape) in SHAPES.iter().enumerate() {
        let channels = shape[1];
        // Far from zero, as the sums of a convolution can be.
        let x = (values(shape, 3.0, seed) + 20.0).unwrap();
        let column = |seed| (values(&[channels], 1.0, seed) + 0.3).unwrap();
        let inputs = vec![x, column(1), column(2), values(shape, 2.0, 3), column(4)];
        for parts in 0..16 {
            // All parts together, and the norm alone, for every shape; the other combinations for some.
            if seed % 3 != 1 && parts != 1 && parts != 15 {
                continue;
            }
            let [normed, relu, added, sloped] = [1, 2, 4, 8].map(|bit| parts & bit != 0);
            let layer = move |t: &[Tensor]| {
                let norm = InstanceNorm::new(&t[1], &t[2], InstanceNorm::EPS)?;
                let slopes = PRelu::new(&t[4])?;
                let epilogue = Epilogue {
                    norm: normed.then_some(&norm),
                    relu,
                    residual: added.then_some(&t[3]),
                    slopes: sloped.then_some(&slopes),
                };
                Ok(vec![finish(&epilogue, &t[0], &t[2])?])
            };
            // For a single value only rounding errors are left after its mean is subtracted.
            let within = match shape[2] * shape[3] {
                1 if normed => 1e-3,
                _ if normed => 3e-5,
                _ => 1e-6,
            };
            let name = format!("epilogue {normed} {relu} {added} {sloped} {shape:?}");
            cases.push(case(name, inputs.clone(), within, layer));
        }
        let layer = move |t: &[Tensor]| {
            let tensors = [
                ("weight".to_owned(), t[1].clone()),
                ("bias".to_owned(), t[2].clone()),
                ("running_mean".to_owned(), t[4].clone()),
                ("running_var".to_owned(), t[1].abs()?),
            ];
            let weights = Weights::from_tensors(tensors.into(), t[0].device(), Precision::Single);
            let norm = BatchNorm::load(t[1].elem_count(), weights)?;
            Ok(vec![
                norm.forward(&t[0], true)?,
                norm.forward(&t[0], false)?,
            ])
        };
        cases.push(case(format!("batch norm {shape:?}"), inputs, 3e-5, layer));

        let layer = |t: &[Tensor]| Ok(vec![sigmoid(&t[0])?, tanh(&t[0])?]);
        let x = values(shape, 9.0, seed);
        cases.push(case(format!("curves {shape:?}"), vec![x], 2e-6, layer));
        let [n, _, height, width] = *shape;
        let x = values(&[n, 4, height, width], 5.0, seed);
        let layer = |t: &[Tensor]| tanh_and_sigmoid(&t[0]).map(|(a, b)| vec![a, b]);
        cases.push(case(format!("heads {shape:?}"), vec![x], 2e-6, layer));
        if height.min(width) > 2 {
            let inputs = vec![
                values(&[1, 3, height, width], 1.0, 1),
                values(&[3, 2, 7, 7], 0.5, 2),
                values(&[3], 1.0, 3),
                values(&[3], 1.0, 4),
            ];
            let layer = move |t: &[Tensor]| {
                let norm = InstanceNorm::new(&t[2], &t[3], InstanceNorm::EPS)?;
                let map = ConstantConv::new(&t[1], 3)?.at(&[0.7, -0.4], height, width)?;
                Ok(vec![map.add_norm_relu(&t[0], &norm)?])
            };
            cases.push(case(format!("class map {shape:?}"), inputs, 1e-5, layer));
        }
    }
    for (n, k, m) in [(1, 1, 1), (3, 10, 77), (16, 10, 512)] {
        let inputs = vec![
            values(&[n, k], 1.0, 1),
            values(&[k, m], 1.0, 2),
            values(&[1, m], 1.0, 3),
        ];
        let layer = |t: &[Tensor]| Ok(vec![affine_relu(&t[0], &t[1], &t[2])?]);
        cases.push(case(
            format!("affine_relu {n} {k} {m}"),
            inputs,
            1e-5,
            layer,
        ));
    }
    cases
}

pub(super) fn maps() -> Vec<Case> {
    let mut cases = Vec::new();
    for (seed, shape) in SHAPES.iter().enumerate() {
        let [n, channels, height, width] = *shape;
        let x = values(shape, 1.0, seed);
        for (from, grid_shape) in [(n, [n, 6, 5, 2]), (1, [4, 3, 7, 2])] {
            for border in [Border::Zeros, Border::Reflection] {
                for align in [false, true] {
                    let x = values(&[from, channels, height, width], 1.0, seed);
                    // Inside, on edges, far outside, and NaN.
                    let grid = values(&grid_shape, 2.5, seed + 5);
                    let mut places: Vec<f32> = grid.flatten_all().unwrap().to_vec1().unwrap();
                    // A position mirrored from far away is dominated by rounding, which differs on a GPU.
                    let far = if border == Border::Zeros { 9e9 } else { 5.3 };
                    let (nan, infinite) = (f32::NAN, f32::INFINITY);
                    let odd = [-1.0, 1.0, 1.0, -1.0, 0.0, nan, infinite, 0.3, far, -far];
                    places[..odd.len()].copy_from_slice(&odd);
                    let grid = Tensor::from_vec(places, &grid_shape, &Device::Cpu).unwrap();
                    let layer =
                        move |t: &[Tensor]| Ok(vec![grid_sample(&t[0], &t[1], border, align)?]);
                    let name = format!("warp {border:?} {align} {from} {shape:?}");
                    // The rounding of a position grows with the picture.
                    cases.push(case(name, vec![x, grid], 5e-5, layer));
                }
            }
        }
        for size in [(1, 1), (3, 4), (2 * height, 3 * width), (height, width + 1)] {
            for align in [false, true] {
                let layer = move |t: &[Tensor]| {
                    Ok(vec![
                        resize_bilinear(&t[0], size, align)?,
                        resize_flow(&t[1], size, align)?.into_owned(),
                    ])
                };
                let flow = values(&[n, height, width, 2], 1.0, seed);
                let name = format!("resize {size:?} {align} {shape:?}");
                cases.push(case(name, vec![x.clone(), flow], 2e-6, layer));
            }
        }
        for factor in [2, 3, 4] {
            if height.min(width) < factor {
                continue;
            }
            let layer = move |t: &[Tensor]| Ok(vec![AntiAlias::new(factor).forward(&t[0])?]);
            let name = format!("shrink {factor} {shape:?}");
            cases.push(case(name, vec![x.clone()], 2e-6, layer));
        }
        let layer = |t: &[Tensor]| Ok(vec![avg_pool(&t[0])?, max_pool(&t[0])?]);
        if height.min(width) > 1 {
            cases.push(case(
                format!("pools {shape:?}"),
                vec![x.clone()],
                1e-6,
                layer,
            ));
        }
        let layer = |t: &[Tensor]| Ok(vec![max_pool_3(&t[0])?]);
        cases.push(case(format!("pool {shape:?}"), vec![x.clone()], 0.0, layer));

        let other = values(&[n, 3, height, width], 1.0, 2);
        let layer = |t: &[Tensor]| {
            Ok(vec![
                concat_channels(&t[0], &t[1])?,
                concat_channels(&t[1], &t[0])?,
            ])
        };
        cases.push(case(
            format!("beside {shape:?}"),
            vec![x, other],
            0.0,
            layer,
        ));
        let one = |channels, seed| values(&[1, channels, height, width], 1.0, seed);
        let inputs = vec![one(channels, 1), one(channels, 2), one(1, 3)];
        let layer = |t: &[Tensor]| {
            let mixed = lerp(&t[0], &t[1], &t[2])?;
            Ok(vec![masked(&t[0], &t[2])?, mixed])
        };
        cases.push(case(format!("masks {shape:?}"), inputs, 1e-6, layer));
    }
    cases
}

pub(super) fn motions() -> Vec<Case> {
    let mut cases = Vec::new();
    for (parts, spare, (height, width)) in [(1, 0, (1, 1)), (3, 1, (6, 21)), (11, 2, (32, 30))] {
        let inputs = vec![
            values(&[1, parts + spare, height, width], 6.0, 1),
            values(&[parts, height, width, 2], 1.0, 2),
        ];
        let layer = |t: &[Tensor]| mixed_motion(&t[0], &t[1]).map(|(a, b)| vec![a, b]);
        cases.push(case(format!("mixed motion {parts}"), inputs, 3e-6, layer));
    }
    for (k, places) in [(1, 1), (3, 50), (1, 58 * 58)] {
        let inputs = vec![
            values(&[k, places], 2.0, 1),
            values(&[1, 2, places], 1.0, 2),
            values(&[k, 4, places], 1.0, 3),
        ];
        let layer = |t: &[Tensor]| soft_means(&t[0], 10.0, &[&t[1], &t[2]]);
        cases.push(case(
            format!("soft means {k} {places}"),
            inputs,
            1e-5,
            layer,
        ));
    }
    // A view with an offset that is not contiguous.
    let layer = |t: &[Tensor]| {
        let scores = t[0].narrow(1, 2, 3)?.reshape((3, 20))?;
        let turned = t[0].narrow(1, 1, 2)?.transpose(2, 3)?;
        let means = soft_means(&scores, 3.0, &[&t[1]])?.remove(0);
        Ok(vec![means, sigmoid(&turned)?.contiguous()?])
    };
    let inputs = vec![values(&[1, 6, 4, 5], 1.0, 1), values(&[1, 2, 20], 1.0, 2)];
    cases.push(case("views", inputs, 1e-5, layer));
    cases
}
