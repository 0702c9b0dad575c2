//! Compares the kernels with the layers' other implementations: run as C on this machine, and optionally on a GPU.
//!
//! With a GPU: `NVIDIA_TF32_OVERRIDE=0 cargo test --release --features cudnn --lib on_a_card -- --include-ignored --nocapture`.

mod cases;

use std::cell::Cell;

use candle_core::{Device, Result, Tensor};

use super::launch::Launch;
use super::{
    SplineMotions, TransposedConv, affine_motions, emulated, heat_maps, spline_motions,
    with_emulated_gpu,
};
use crate::nn::{
    ConvConfig, ConvTranspose2d, Epilogue, InstanceNorm, PRelu, Precision, affine_relu,
    concat_channels, lerp, masked, mixed_motion, tanh_and_sigmoid,
};
use cases::{Case, maps, motions, norms, values};

thread_local! {
    /// Whether this thread's layers don't use our own kernels.
    pub(super) static PLAIN: Cell<bool> = const { Cell::new(false) };
}

/// The largest difference between two tensors of one shape; NaN must be NaN in both.
fn difference(a: &Tensor, b: &Tensor) -> f32 {
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
        let off = difference(found, expected);
        assert!(off <= within, "{name}: {off}");
    }
}

/// Runs `run` with the kernels of `device`; `None` if there is neither a GPU nor a compiler.
fn with_kernels<T>(device: &Device, run: impl FnOnce() -> T) -> Option<T> {
    if device.is_cpu() {
        with_emulated_gpu(run)
    } else {
        Some(run())
    }
}

fn hold(cases: Vec<Case>) {
    for case in cases {
        let Some(found) = with_emulated_gpu(|| (case.layer)(&case.inputs)) else {
            return;
        };
        let expected = (case.layer)(&case.inputs).unwrap();
        agree(&case.name, &found.unwrap(), &expected, case.within);
    }
}

#[test]
fn norm_kernels_compiled_as_c_agree_with_the_cpu() {
    hold(norms());
}

#[test]
fn sampling_and_resizing_kernels_compiled_as_c_agree_with_the_cpu() {
    hold(maps());
}

#[test]
fn motion_kernels_compiled_as_c_agree_with_the_cpu() {
    hold(motions());
}

/// Compares upsampling as a direct convolution with the transposed convolution, on `device`.
fn hold_doubling(device: &Device, within: f32) {
    let (x, weight) = (values(&[2, 5, 4, 7], 1.0, 1), values(&[5, 3, 4, 4], 1.0, 2));
    let config = ConvConfig::new(2, 1);
    let expected = ConvTranspose2d::new(&weight, None, config, Precision::Single).unwrap();
    let expected = expected.forward(&x).unwrap();
    let [x, weight] = [x, weight].map(|t| t.to_device(device).unwrap());
    let transposed = TransposedConv::of(&weight, config, Precision::Single)
        .unwrap()
        .unwrap();
    if let Some(found) = with_kernels(device, || transposed.forward(&x)) {
        let found = found.unwrap().to_device(&Device::Cpu).unwrap();
        agree("doubling", &[found], &[expected], within);
    }
}

#[test]
fn the_doubling_kernel_agrees_with_the_transposed_convolution() {
    hold_doubling(&Device::Cpu, 2e-5);
}

#[test]
fn nearest_upsampling_agrees_with_candle() {
    let x = values(&[2, 3, 5, 4], 1.0, 1);
    let expected = x.upsample_nearest2d(10, 8).unwrap();
    if let Some(found) = with_emulated_gpu(|| super::upsampled(&x)) {
        agree("doubled", &[found.unwrap()], &[expected], 0.0);
    }
}

/// The three motions of keypoints, each with the same computed from its definition.
fn point_motions(device: &Device) -> Option<Vec<(Tensor, Vec<f32>)>> {
    let (height, width) = (5, 7);
    let (now, before) = ([[0.1f32, -0.4], [-0.9, 0.8]], [[0.3, 0.2], [1.2, 0.0]]);
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
            heat_maps(&now, &before, (height, width), 0.01, device).unwrap(),
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
    assert!(heat_maps(&now, &before[..1], (height, width), 0.01, device).is_err());
    for ([x, y], [old_x, old_y]) in now.into_iter().zip(before) {
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
fn key_point_motion_kernels_agree_with_their_definitions() {
    hold_point_motions(&Device::Cpu);
}

#[test]
fn sizes_beyond_32_bits_are_errors() {
    let launch = || Launch::per_result("sigmoid_values", 1, &Device::Cpu);
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
    with_emulated_gpu(|| {
        let norm = InstanceNorm::new(&row, &row, 1e-5).unwrap();
        assert!(norm.forward(&x, true).is_err());
        let slopes = PRelu::new(&row).unwrap();
        assert!(
            Epilogue::prelu(&slopes)
                .apply_on_device(x.clone(), None)
                .is_err()
        );
        assert!(
            Epilogue::default()
                .apply_on_device(x.clone(), Some(&row))
                .is_err()
        );
        let end = Epilogue {
            residual: Some(&other),
            ..Epilogue::default()
        };
        assert!(end.apply_on_device(x.clone(), None).is_err());
        assert!(concat_channels(&x, &other).is_err() && masked(&x, &other).is_err());
        assert!(lerp(&x, &other, &x).is_err() && mixed_motion(&x, &x).is_err());
        assert!(
            tanh_and_sigmoid(&x).is_err()
                && affine_relu(&row.unsqueeze(0)?, &row.unsqueeze(0)?, &row.unsqueeze(0)?).is_err()
        );
        assert!(super::class_map(&x, &[0.0; 11], (1, 1)).is_ok());
        assert!(super::class_map(&x, &[1.0; 11], (1, 1)).is_err());
        assert!(super::class_map(&x, &[0.0; 12], (1, 1)).is_err());
        Result::Ok(())
    })
    .map(Result::unwrap);
}

/// Kernels, compositions and the CPU's layers agree on a GPU, and leave it in a usable state for each other.
#[cfg(feature = "cuda")]
#[test]
#[ignore = "needs a card"]
fn layers_agree_on_a_card() {
    let device = Device::new_cuda(0).expect("a card");
    assert!(super::has_kernels(&device), "the kernels aren't used there");
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
            let off = difference(fused, expected);
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
            // candle's operations turn NaN into zeros, which no frame contains.
            Some("warp") => continue,
            // A convolution, which cuDNN may round to TensorFloat-32.
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
