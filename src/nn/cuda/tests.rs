//! The kernels against the layers' other implementations: run as C on this machine, and, where asked, on a card.
//!
//! With a card: `NVIDIA_TF32_OVERRIDE=0 cargo test --release --features cudnn --lib on_a_card -- --include-ignored
//! --nocapture`.

use std::cell::Cell;

use candle_core::{Device, Result, Tensor};
use candle_nn::VarBuilder;

use super::as_on_a_card;
use super::emulated;
use super::launch::Launch;
use super::{Doubling, SplineMotions, affine_motions, heat_maps, spline_motions};
use crate::nn::{
    AntiAlias, BatchNorm, Border, ConstantConv, ConvConfig, ConvTranspose2d, Epilogue,
    InstanceNorm, Slopes, avg_pool, beside, blended, grid_sample, masked, max_pool, max_pool_3,
    mixed_motion, resize_bilinear, resize_flow, sigmoid, soft_means, spread, tanh,
    tanh_and_sigmoid,
};

thread_local! {
    /// Whether this thread's layers shall do without kernels of our own.
    pub(super) static PLAIN: Cell<bool> = const { Cell::new(false) };
}

/// What a layer gives for some tensors.
type Layer = Box<dyn Fn(&[Tensor]) -> Result<Vec<Tensor>>>;

/// A layer, what it gets, and how far results may lie apart.
struct Case {
    name: String,
    inputs: Vec<Tensor>,
    layer: Layer,
    within: f32,
}

/// Values about 0 as far as `spread`, the same at every run.
fn values(shape: &[usize], spread: f32, seed: usize) -> Tensor {
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

/// `epilogue` of `x` and a convolution's `bias`: the processor's own way where that is what runs.
fn finish(epilogue: &Epilogue, x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    if x.device().is_cpu() && !emulated::wanted() {
        let mut y: Vec<f32> = x.flatten_all()?.to_vec1()?;
        let bias: Vec<f32> = bias.to_vec1()?;
        epilogue.apply(&mut y, Some(&bias), (n, channels, height * width))?;
        return Tensor::from_vec(y, x.dims(), x.device());
    }
    let bias = bias.reshape((1, channels, 1, 1))?;
    epilogue.elsewhere(x.clone(), Some(&bias))
}

fn norms() -> Vec<Case> {
    let mut cases = Vec::new();
    for (seed, shape) in SHAPES.iter().enumerate() {
        let channels = shape[1];
        // Far from zero, as sums behind a convolution may lie.
        let x = (values(shape, 3.0, seed) + 20.0).unwrap();
        let column = |seed| (values(&[channels], 1.0, seed) + 0.3).unwrap();
        let inputs = vec![x, column(1), column(2), values(shape, 2.0, 3), column(4)];
        for parts in 0..16 {
            // Everything at once, and the norm alone, at every shape; the rest at some.
            if seed % 3 != 1 && parts != 1 && parts != 15 {
                continue;
            }
            let [normed, relu, added, sloped] = [1, 2, 4, 8].map(|bit| parts & bit != 0);
            let layer = move |t: &[Tensor]| {
                let norm = InstanceNorm::new(&t[1], &t[2], InstanceNorm::EPS)?;
                let slopes = Slopes::new(&t[4])?;
                let epilogue = Epilogue {
                    norm: normed.then_some(&norm),
                    relu,
                    residual: added.then_some(&t[3]),
                    slopes: sloped.then_some(&slopes),
                };
                Ok(vec![finish(&epilogue, &t[0], &t[2])?])
            };
            // Of a lone value only rounding is left once its mean is gone.
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
            let (dtype, device) = (t[0].dtype(), t[0].device());
            let vb = VarBuilder::from_tensors(tensors.into(), dtype, device);
            let norm = BatchNorm::load(t[1].elem_count(), vb)?;
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
        let layer = |t: &[Tensor]| Ok(vec![spread(&t[0], &t[1], &t[2])?]);
        cases.push(case(format!("spread {n} {k} {m}"), inputs, 1e-5, layer));
    }
    cases
}

fn maps() -> Vec<Case> {
    let mut cases = Vec::new();
    for (seed, shape) in SHAPES.iter().enumerate() {
        let [n, channels, height, width] = *shape;
        let x = values(shape, 1.0, seed);
        for (from, grid_shape) in [(n, [n, 6, 5, 2]), (1, [4, 3, 7, 2])] {
            for border in [Border::Zeros, Border::Reflection] {
                for align in [false, true] {
                    let x = values(&[from, channels, height, width], 1.0, seed);
                    // Inside, on edges, far outside, and no number.
                    let grid = values(&grid_shape, 2.5, seed + 5);
                    let mut places: Vec<f32> = grid.flatten_all().unwrap().to_vec1().unwrap();
                    // Mirrored from afar a place is all rounding, which a card does otherwise.
                    let far = if border == Border::Zeros { 9e9 } else { 5.3 };
                    let (nan, infinite) = (f32::NAN, f32::INFINITY);
                    let odd = [-1.0, 1.0, 1.0, -1.0, 0.0, nan, infinite, 0.3, far, -far];
                    places[..odd.len()].copy_from_slice(&odd);
                    let grid = Tensor::from_vec(places, &grid_shape, &Device::Cpu).unwrap();
                    let layer =
                        move |t: &[Tensor]| Ok(vec![grid_sample(&t[0], &t[1], border, align)?]);
                    let name = format!("warp {border:?} {align} {from} {shape:?}");
                    // A place's own rounding grows with the picture.
                    cases.push(case(name, vec![x, grid], 5e-5, layer));
                }
            }
        }
        for size in [(1, 1), (3, 4), (2 * height, 3 * width), (height, width + 1)] {
            for align in [false, true] {
                let layer = move |t: &[Tensor]| {
                    Ok(vec![
                        resize_bilinear(&t[0], size, align)?,
                        resize_flow(&t[1], size, align)?,
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
        let layer = |t: &[Tensor]| Ok(vec![beside(&t[0], &t[1])?, beside(&t[1], &t[0])?]);
        cases.push(case(
            format!("beside {shape:?}"),
            vec![x, other],
            0.0,
            layer,
        ));
        let one = |channels, seed| values(&[1, channels, height, width], 1.0, seed);
        let inputs = vec![one(channels, 1), one(channels, 2), one(1, 3)];
        let layer = |t: &[Tensor]| {
            let mixed = blended(&t[0], &t[1], &t[2])?;
            Ok(vec![masked(&t[0], &t[2])?, mixed])
        };
        cases.push(case(format!("masks {shape:?}"), inputs, 1e-6, layer));
    }
    cases
}

fn motions() -> Vec<Case> {
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
    // A view that neither begins its memory nor is dense.
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

/// How far two tensors of one shape lie apart; what is no number must be none in both.
fn apart(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let pairs = values(a).into_iter().zip(values(b));
    let apart = pairs.map(|(a, b)| match (a - b).abs() {
        _ if a.is_nan() && b.is_nan() => 0.0,
        off if off.is_nan() => f32::INFINITY,
        off => off,
    });
    apart.fold(0.0, f32::max)
}

fn agree(name: &str, found: &[Tensor], expected: &[Tensor], within: f32) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (found, expected) in found.iter().zip(expected) {
        let off = apart(found, expected);
        assert!(off <= within, "{name}: {off}");
    }
}

/// Runs `run` with the kernels of `device`; not where there is neither a card nor a compiler.
fn with_kernels<T>(device: &Device, run: impl FnOnce() -> T) -> Option<T> {
    if device.is_cpu() {
        as_on_a_card(run)
    } else {
        Some(run())
    }
}

fn hold(cases: Vec<Case>) {
    for case in cases {
        let Some(found) = as_on_a_card(|| (case.layer)(&case.inputs)) else {
            return;
        };
        let expected = (case.layer)(&case.inputs).unwrap();
        agree(&case.name, &found.unwrap(), &expected, case.within);
    }
}

#[test]
fn norms_as_c_agree() {
    hold(norms());
}

#[test]
fn maps_as_c_agree() {
    hold(maps());
}

#[test]
fn motions_as_c_agree() {
    hold(motions());
}

/// A doubling against the transposed convolution that it stands for, on `device`.
fn hold_doubling(device: &Device, within: f32) {
    let (x, weight) = (values(&[2, 5, 4, 7], 1.0, 1), values(&[5, 3, 4, 4], 1.0, 2));
    let config = ConvConfig::new(2, 1);
    let expected = ConvTranspose2d::new(&weight, None, config).unwrap();
    let expected = expected.forward(&x).unwrap();
    let [x, weight] = [x, weight].map(|t| t.to_device(device).unwrap());
    let doubling = Doubling::new(&weight).unwrap();
    if let Some(found) = with_kernels(device, || doubling.forward(&x)) {
        let found = found.unwrap().to_device(&Device::Cpu).unwrap();
        agree("doubling", &[found], &[expected], within);
    }
}

#[test]
fn a_doubling_is_the_transposed_convolution() {
    hold_doubling(&Device::Cpu, 2e-5);
}

#[test]
fn a_picture_is_doubled() {
    let x = values(&[2, 3, 5, 4], 1.0, 1);
    let expected = x.upsample_nearest2d(10, 8).unwrap();
    if let Some(found) = as_on_a_card(|| super::doubled(&x)) {
        agree("doubled", &[found.unwrap()], &[expected], 0.0);
    }
}

/// Each of the three motions of key points, and the same by its definition.
fn point_motions(device: &Device) -> Option<Vec<(Tensor, Vec<f32>)>> {
    let (height, width) = (5, 7);
    let points = [[0.1f32, -0.4, 0.3, 0.2], [-0.9, 0.8, 1.2, 0.0]];
    let maps = [[0.1f32, -0.4, 0.3, 0.2, 1.1, -0.2, 0.3, 0.9]];
    let controls = [[0.1f64, 0.2], [-0.5, 0.4]];
    let weights = [
        [0.3f64, -0.2],
        [0.1, 0.6],
        [1.1, 0.1],
        [-0.1, 0.9],
        [0.05, -0.02],
    ];
    let matrix = [1.0, 0.1, -0.2, 0.0, 0.9, 0.3, 0.05, 0.02, 1.0f64];
    let mut splines = SplineMotions::new(matrix, 2);
    splines.push(&controls, &weights).unwrap();
    splines
        .push(&controls.map(|[x, y]| [y, x]), &weights)
        .unwrap();
    assert!(splines.push(&controls[..1], &weights).is_err());
    let found = with_kernels(device, || {
        [
            heat_maps(&points, (height, width), 0.01, device).unwrap(),
            affine_motions(&maps, (height, width), device).unwrap(),
            spline_motions(&splines, (height, width), device).unwrap(),
        ]
    })?;

    let at = |i: usize, size: usize| 2.0 * i as f64 / (size - 1) as f64 - 1.0;
    let places: Vec<[f64; 2]> = (0..height * width)
        .map(|i| [at(i % width, width), at(i / width, height)])
        .collect();
    let bell = |[x, y]: [f64; 2], px: f32, py: f32| {
        let (x, y) = (x - f64::from(px), y - f64::from(py));
        (-0.5 * (x * x + y * y) / f64::from(0.01f32)).exp()
    };
    let mut bells = vec![0.0; places.len()];
    for [x, y, old_x, old_y] in points {
        bells.extend(
            places
                .iter()
                .map(|p| bell(*p, x, y) - bell(*p, old_x, old_y)),
        );
    }
    let mut affine = places.as_flattened().to_vec();
    let [from_x, from_y, to_x, to_y, a, b, c, d] = maps[0].map(f64::from);
    affine.extend(places.iter().flat_map(|[x, y]| {
        let (x, y) = (x - from_x, y - from_y);
        [a * x + b * y + to_x, c * x + d * y + to_y]
    }));
    let mut thin: Vec<f64> = places
        .iter()
        .flat_map(|[x, y]| {
            let row = |r: usize| matrix[3 * r] * x + matrix[3 * r + 1] * y + matrix[3 * r + 2];
            [row(0) / row(2), row(1) / row(2)]
        })
        .collect();
    for controls in [controls, controls.map(|[x, y]| [y, x])] {
        thin.extend(places.iter().flat_map(|[x, y]| {
            [0, 1].map(|axis| {
                let affine = weights[2][axis] * x + weights[3][axis] * y + weights[4][axis];
                let bends = controls.iter().zip(&weights).map(|([cx, cy], weight)| {
                    let squared = (x - cx).powi(2) + (y - cy).powi(2);
                    squared * (squared + 1e-9).ln() * weight[axis]
                });
                affine + bends.sum::<f64>()
            })
        }));
    }
    let single = |values: Vec<f64>| values.into_iter().map(|v| v as f32).collect();
    let expected = [bells, affine, thin].map(single);
    Some(found.into_iter().zip(expected).collect())
}

fn hold_point_motions(device: &Device) {
    let motions = point_motions(device).unwrap_or_default();
    for (i, (found, expected)) in motions.into_iter().enumerate() {
        let expected = Tensor::from_vec(expected, found.dims(), &Device::Cpu).unwrap();
        let found = found.to_device(&Device::Cpu).unwrap();
        agree(&format!("motion {i}"), &[found], &[expected], 2e-6);
    }
}

#[test]
fn motions_of_key_points_are_those_of_their_definitions() {
    hold_point_motions(&Device::Cpu);
}

#[test]
fn what_a_kernel_cannot_count_is_an_error() {
    let launch = || Launch::each("squashed", 1, &Device::Cpu);
    assert!(launch().ints([i32::MAX as usize]).is_err());
    assert!(launch().write(&[1 << 16, 1 << 15]).is_err());
    assert!(launch().ints([usize::MAX]).is_err());
    assert!(
        launch()
            .read(&Tensor::zeros(3, candle_core::DType::U32, &Device::Cpu).unwrap())
            .is_err()
    );
}

#[test]
fn shapes_that_do_not_fit_are_errors_before_a_launch() {
    let x = values(&[1, 3, 4, 4], 1.0, 1);
    let other = values(&[1, 3, 4, 5], 1.0, 1);
    let row = values(&[2], 1.0, 1);
    as_on_a_card(|| {
        let norm = InstanceNorm::new(&row, &row, 1e-5).unwrap();
        assert!(norm.forward(&x, true).is_err());
        let slopes = Slopes::new(&row).unwrap();
        assert!(
            Epilogue::rectified(&slopes)
                .elsewhere(x.clone(), None)
                .is_err()
        );
        assert!(
            Epilogue::default()
                .elsewhere(x.clone(), Some(&row))
                .is_err()
        );
        let end = Epilogue {
            residual: Some(&other),
            ..Epilogue::default()
        };
        assert!(end.elsewhere(x.clone(), None).is_err());
        assert!(beside(&x, &other).is_err() && masked(&x, &other).is_err());
        assert!(blended(&x, &other, &x).is_err() && mixed_motion(&x, &x).is_err());
        assert!(
            tanh_and_sigmoid(&x).is_err()
                && spread(&row.unsqueeze(0)?, &row.unsqueeze(0)?, &row.unsqueeze(0)?).is_err()
        );
        assert!(super::class_map(&x, &[0.0; 11], (1, 1)).is_ok());
        assert!(super::class_map(&x, &[1.0; 11], (1, 1)).is_err());
        assert!(super::class_map(&x, &[0.0; 12], (1, 1)).is_err());
        Result::Ok(())
    })
    .map(Result::unwrap);
}

/// Kernels, compositions and the processor's layers agree on a card, and leave it in order for one another.
#[cfg(feature = "cuda")]
#[test]
#[ignore = "needs a card"]
fn layers_agree_on_a_card() {
    let device = Device::new_cuda(0).expect("a card");
    let to = |tensors: &[Tensor], device: &Device| -> Vec<Tensor> {
        let moved = tensors.iter().map(|t| t.to_device(device).unwrap());
        moved.collect()
    };
    let mut worst = (0.0, String::new());
    for case in norms().into_iter().chain(maps()).chain(motions()) {
        let expected = (case.layer)(&case.inputs).unwrap();
        let inputs = to(&case.inputs, &device);
        let fused = to(&(case.layer)(&inputs).unwrap(), &Device::Cpu);
        for (fused, expected) in fused.iter().zip(&expected) {
            let off = apart(fused, expected);
            if off > worst.0 {
                worst = (off, case.name.clone());
            }
        }
        agree(&case.name, &fused, &expected, 2.0 * case.within);
        PLAIN.set(true);
        let plain = (case.layer)(&inputs);
        PLAIN.set(false);
        let plain = to(&plain.unwrap(), &Device::Cpu);
        let within = match case.name.split(' ').next() {
            // candle's operations make zeros of what is no number, which no frame holds.
            Some("warp") => continue,
            // A convolution, which cuDNN may round.
            Some("shrink") => 2e-2,
            _ => 1e-4,
        };
        agree(&format!("plain {}", case.name), &plain, &fused, within);
    }
    println!("The furthest apart: {} of {}", worst.0, worst.1);
    hold_point_motions(&device);
    // cuDNN may round to TensorFloat-32.
    hold_doubling(&device, 2e-2);
}
