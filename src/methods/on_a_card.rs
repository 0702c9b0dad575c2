//! Compares whole networks running on the CUDA kernels with the same networks on the CPU.
//!
//! Compiled as C, the kernels run anywhere; `nn::cuda::tests` names the command that runs them on a card.

use candle_core::{DType, Device, Result, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;

use super::{fomm, ganimation, mocogan, tps};
use crate::nn::Precision::{self, Half, Single};
use crate::nn::{Weights, launched, with_emulated_gpu};

/// Weights generated from each tensor's name and shape.
struct NamedWeights;

impl SimpleBackend for NamedWeights {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _: candle_nn::Init,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        let values = values(shape.dims(), name)?;
        // Kernels give sums of the order of 1, norms change little, and no variance is 0.
        let fan: usize = shape.dims().iter().skip(1).product();
        let scaled = match (name.rsplit('.').next(), shape.rank()) {
            (Some("running_var"), _) => (values.abs()? + 0.5)?,
            (Some("weight"), 1) => ((values * 0.3)? + 1.0)?,
            (_, 1) => (values * 0.2)?,
            _ => (values * (1.7 / (fan as f64).sqrt()))?,
        };
        scaled.to_dtype(dtype)?.to_device(device)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
        candle_core::bail!("{name} is of no shape")
    }

    fn contains_tensor(&self, _: &str) -> bool {
        true
    }
}

/// Pseudo-random values from -1 to 1, seeded by the name.
fn values(shape: &[usize], name: &str) -> Result<Tensor> {
    let mut state = name.bytes().fold(0xCBF2_9CE4_8422_2325u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3)
    });
    let values: Vec<f32> = (0..shape.iter().product())
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu)
}

fn weights(device: &Device, precision: Precision) -> Weights<'static> {
    Weights::from_backend(Box::new(NamedWeights), device, precision)
}

/// A picture of pseudo-random values from 0 to 1.
fn picture(size: usize, name: &str, device: &Device) -> Tensor {
    let values = values(&[1, 3, size, size], name).unwrap();
    values.affine(0.5, 0.5).unwrap().to_device(device).unwrap()
}

fn places(points: &[[f32; 2]]) -> Tensor {
    Tensor::from_slice(points.as_flattened(), (points.len(), 2), &Device::Cpu).unwrap()
}

const NEVER_STOP: &(dyn Fn() -> bool + Sync) = &|| false;

/// A network's outputs, on the CPU.
type Shown = Vec<Tensor>;

fn gathered(tensors: Vec<Tensor>) -> Shown {
    let home = |t: Tensor| t.to_device(&Device::Cpu).unwrap();
    tensors.into_iter().map(home).collect()
}

fn draw_fomm(device: &Device, precision: Precision) -> Shown {
    let config = fomm::Config {
        image_size: 64,
        align_corners: false,
        num_kp: 3,
        detector: fomm::DetectorConfig {
            block_expansion: 4,
            max_features: 8,
            num_blocks: 2,
            downscale: 2,
            temperature: 0.1,
            jacobians: fomm::Jacobians::Each,
        },
        dense_motion: fomm::DenseMotionConfig {
            block_expansion: 5,
            max_features: 12,
            num_blocks: 3,
            downscale: 4,
            kp_variance: 0.01,
            occlusion: true,
        },
        generator: fomm::GeneratorConfig {
            block_expansion: 6,
            max_features: 10,
            num_down_blocks: 3,
            num_bottleneck_blocks: 1,
        },
    };
    let model = fomm::Fomm::new(&config, weights(device, precision)).unwrap();
    let prepared = model.prepare(&picture(64, "source", device)).unwrap();
    let driving = model
        .detect(&picture(64, "driving", device), NEVER_STOP)
        .unwrap();
    let mut shown = vec![places(&driving.points)];
    let frame = model.frame(&prepared, &driving, NEVER_STOP).unwrap();
    shown.extend([
        frame.prediction.clone(),
        frame.flow.clone(),
        frame.masks.clone(),
    ]);
    shown.extend(frame.occlusion.clone());
    shown.push(prepared.deformed(&frame).unwrap());
    gathered(shown)
}

fn draw_tps(device: &Device, precision: Precision) -> Shown {
    let config = tps::Config {
        image_size: 32,
        num_tps: 2,
        block_expansion: 2,
        resnet_width: 8,
        dense_motion: tps::DenseMotionConfig {
            halvings: 2,
            block_expansion: 3,
            max_features: 10,
            num_blocks: 2,
        },
        avd: None,
        ..tps::Config::default()
    };
    let model = tps::Tps::new(&config, weights(device, precision)).unwrap();
    let (source, driving) = (
        picture(32, "source", device),
        picture(32, "driving", device),
    );
    let prepared = model.prepare(&source).unwrap();
    let key_points = model.detect(&driving, NEVER_STOP).unwrap();
    let mut shown = vec![places(&key_points.points)];
    let moved = Some([1.0, 0.1, -0.1, 0.05, 0.9, 0.1, 0.02, -0.03, 1.0]);
    for background in [None, moved] {
        let frame = model
            .frame(&prepared, &key_points, background, NEVER_STOP)
            .unwrap();
        shown.extend([
            frame.prediction,
            frame.deformed,
            frame.flow,
            frame.contributions,
        ]);
        shown.extend(frame.occlusion);
    }
    gathered(shown)
}

fn draw_ganimation(device: &Device, precision: Precision) -> Shown {
    let config = ganimation::Config {
        image_size: 32,
        conv_dim: 4,
        repeat_num: 2,
        c_dim: 5,
        ..ganimation::Config::default()
    };
    let model = ganimation::Generator::new(&config, weights(device, precision)).unwrap();
    let prepared = model.prepare(&picture(32, "source", device)).unwrap();
    let output = model
        .frame(&prepared, &[0.1, 0.9, 0.0, 0.4, 0.7], NEVER_STOP)
        .unwrap();
    gathered(vec![output.color, output.attention])
}

fn draw_mocogan(device: &Device, precision: Precision) -> Shown {
    let config = mocogan::Config {
        content: 5,
        category: 2,
        motion: 3,
        ngf: 4,
        ..mocogan::Config::default()
    };
    let model = mocogan::MoCoGan::new(&config, weights(device, precision)).unwrap();
    let prepared = model
        .prepare(&[0.3, -0.2, 1.1, 0.5, -0.9], &[0.0, 1.0])
        .unwrap();
    let codes = [vec![0.2, -0.7, 0.4], vec![0.9, 0.1, -0.3]];
    gathered(vec![model.frames(&prepared, &codes, NEVER_STOP).unwrap()])
}

type Draw = fn(&Device, Precision) -> Shown;

const NETWORKS: [(&str, Draw); 4] = [
    ("FOMM", draw_fomm),
    ("TPS", draw_tps),
    ("GANimation", draw_ganimation),
    ("MoCoGAN", draw_mocogan),
];

/// The largest absolute difference of each pair of outputs.
fn apart(name: &str, found: &[Tensor], expected: &[Tensor]) -> Vec<f32> {
    assert_eq!(found.len(), expected.len(), "{name}");
    let off = |(found, expected): (&Tensor, &Tensor)| {
        assert_eq!(found.dims(), expected.dims(), "{name}");
        let off = (found - expected).unwrap().abs().unwrap();
        off.max_all().unwrap().to_scalar().unwrap()
    };
    found.iter().zip(expected).map(off).collect()
}

fn agree(name: &str, found: &[Tensor], expected: &[Tensor], within: f32) {
    for (i, off) in apart(name, found, expected).into_iter().enumerate() {
        assert!(off <= within, "{name} {i}: {off}");
    }
}

#[test]
fn networks_agree_with_their_gpu_kernels_compiled_as_c() {
    for (name, draw) in NETWORKS {
        let Some(found) = with_emulated_gpu(|| draw(&Device::Cpu, Single)) else {
            return;
        };
        agree(name, &found, &draw(&Device::Cpu, Single), 2e-4);
    }
    // Every kernel was launched.
    let [launched, all] = launched();
    assert_eq!(launched, all);
}

/// The largest error in half precision; networks with generated weights are sensitive to rounding.
const HALF_ERROR: f32 = 5e-2;

#[test]
fn networks_in_half_precision_stay_close_to_single_precision() {
    for (name, draw) in NETWORKS {
        let (single, rounded) = (draw(&Device::Cpu, Single), draw(&Device::Cpu, Half));
        let off = apart(name, &rounded, &single);
        println!("{name}: {off:?}");
        let most = off.iter().copied().fold(0.0, f32::max);
        assert!((1e-5..HALF_ERROR).contains(&most), "{name}: {off:?}");
        // The card's code path, which only sums in another order.
        if let Some(found) = with_emulated_gpu(|| draw(&Device::Cpu, Half)) {
            agree(name, &found, &single, HALF_ERROR);
        }
    }
}

#[cfg(feature = "cuda")]
#[test]
#[ignore = "needs a card"]
fn networks_agree_on_a_card() {
    let device = Device::new_cuda(0).expect("a card");
    assert!(
        crate::nn::has_kernels(&device),
        "the kernels aren't used on the card"
    );
    // If cuDNN rounds to TensorFloat-32, the rounding errors of a network add up.
    let strict = std::env::var("NVIDIA_TF32_OVERRIDE").is_ok_and(|value| value == "0");
    for (name, draw) in NETWORKS {
        let within = if strict { 1e-3 } else { 5e-2 };
        agree(
            name,
            &draw(&device, Single),
            &draw(&Device::Cpu, Single),
            within,
        );
    }
    // Half-precision convolutions accumulate in single precision on the card too.
    for (name, draw) in NETWORKS {
        let found = draw(&device, Half);
        let off = apart(name, &found, &draw(&Device::Cpu, Half));
        println!("half precision, {name}: {off:?}");
        agree(name, &found, &draw(&Device::Cpu, Single), HALF_ERROR);
    }
}
