//! The generator agrees with the authors' implementation for the same weights.
//!
//! `MIEN_PARITY_DIR` (a folder with `mocogan.safetensors`) and `MIEN_PARITY_SEED` select another file, made with another seed.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::common::parity::{apart, expected, seed};
use crate::common::procedural::{param, u, weights};
use candle_core::{Device, Tensor};
use mien::document::{Category, Sample, SampleSizes as Sizes};
use mien::methods::error::Error;
use mien::methods::mocogan::{Config, MoCoGan};
use mien::nn::{Precision, Weights};

fn small() -> Config {
    Config {
        content: 3,
        category: 2,
        motion: 4,
        ngf: 2,
        ..Config::default()
    }
}

fn network(config: &Config, seed: u64) -> MoCoGan {
    MoCoGan::new(config, weights("", seed)).unwrap()
}

fn scaled(name: &str, n: usize, seed: u64) -> Vec<f32> {
    let values = u(name, n, seed).into_iter();
    values.map(|v| (f64::from(v) * 1.7) as f32).collect()
}

fn noises(n: usize, motion: usize, seed: u64) -> Vec<Vec<f32>> {
    let values = scaled("epsilon", n * motion, seed);
    values.chunks(motion).map(<[f32]>::to_vec).collect()
}

fn values(x: &Tensor) -> Vec<f32> {
    x.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn mocogan_agrees_with_the_published_generator() {
    let network = network(&Config::default(), seed());
    let h0 = scaled("h0", 10, seed());
    let content = scaled("z_content", 50, seed());
    let category = Category { index: 2, of: 6 }.one_hot();
    let motion = network.motion(&h0, &noises(16, 10, seed())).unwrap();
    let prepared = network.prepare(&content, &category).unwrap();
    let frames = network.frames(&prepared, &motion, &|| false).unwrap();
    assert_eq!(frames.dims(), [16, 3, 64, 64]);

    let expected = expected("mocogan.safetensors");
    for (name, found, bound) in [
        ("z_motion", motion.concat(), 2e-4),
        ("frames", values(&frames), 1e-3),
    ] {
        let d = apart(&found, &values(&expected[name]));
        println!("{name}: {d:e}");
        assert!(d <= bound, "{name} differs by {d}");
    }
}

#[test]
fn a_frame_generated_alone_equals_that_frame_of_the_clip() {
    let network = network(&small(), 1);
    let motion = network
        .motion(&scaled("h0", 4, 1), &noises(19, 4, 1))
        .unwrap();
    let prepared = network.prepare(&[0.3, -1.0, 0.5], &[0.0, 1.0]).unwrap();
    let clip = network.frames(&prepared, &motion, &|| false).unwrap();
    assert_eq!(clip.dims(), [19, 3, 64, 64]);
    for (i, code) in motion.iter().enumerate() {
        let frame = network.frame(&prepared, code, &|| false).unwrap();
        assert_eq!(frame.dims(), [1, 3, 64, 64]);
        let d = apart(&values(&frame), &values(&clip.get(i).unwrap()));
        assert!(d <= 1e-6, "frame {i} differs by {d}");
    }
}

/// The whole network from candle's operations: one concatenated code, batch norms not folded.
#[test]
fn mocogan_agrees_with_its_definition_in_candle_operations() {
    let config = small();
    let weights = weights("", 5);
    let network = MoCoGan::new(&config, weights.clone()).unwrap();
    let motion = network
        .motion(&scaled("h0", 4, 1), &noises(3, 4, 1))
        .unwrap();
    let (content, category) = ([0.7, -0.2, 1.5], [1.0, 0.0]);
    let prepared = network.prepare(&content, &category).unwrap();
    let found = network.frames(&prepared, &motion, &|| false).unwrap();

    let channels = [9, 16, 8, 4, 2, 3];
    for (i, code) in motion.iter().enumerate() {
        let z = [&content[..], &category, code].concat();
        let mut h = Tensor::from_vec(z, (1, 9, 1, 1), &Device::Cpu).unwrap();
        for layer in 0..5 {
            let (inputs, outputs) = (channels[layer], channels[layer + 1]);
            let kernel = weights
                .get(
                    (inputs, outputs, 4, 4),
                    &format!("main.{}.weight", 3 * layer),
                )
                .unwrap();
            let (padding, stride) = if layer == 0 { (0, 1) } else { (1, 2) };
            h = h.conv_transpose2d(&kernel, padding, 0, stride, 1).unwrap();
            if layer < 4 {
                let of = |name: &str| {
                    let name = format!("main.{}.{name}", 3 * layer + 1);
                    let tensor = weights.get(outputs, &name).unwrap();
                    tensor.reshape((1, outputs, 1, 1)).unwrap()
                };
                let spread = (of("running_var") + 1e-5).unwrap().sqrt().unwrap();
                h = h.broadcast_sub(&of("running_mean")).unwrap();
                h = h.broadcast_div(&spread).unwrap();
                h = h.broadcast_mul(&of("weight")).unwrap();
                h = h.broadcast_add(&of("bias")).unwrap();
                h = h.relu().unwrap();
            }
        }
        let wanted = values(&h.tanh().unwrap());
        let d = apart(&values(&found.get(i).unwrap()), &wanted);
        assert!(d <= 1e-6, "frame {i} differs by {d}");
        assert!(wanted.iter().any(|v| v.abs() > 1e-2));
    }
}

/// The equations of the cell, gate by gate: r and z from both inputs, the state's part of the new gate multiplied by r.
#[test]
fn motion_codes_agree_with_the_equations_of_a_gru() {
    let network = network(&small(), 3);
    let n = 4;
    let weight_ih = param("recurrent.weight_ih", &[3 * n, n], 3);
    let weight_hh = param("recurrent.weight_hh", &[3 * n, n], 3);
    let bias_ih = param("recurrent.bias_ih", &[3 * n], 3);
    let bias_hh = param("recurrent.bias_hh", &[3 * n], 3);
    let gate = |weight: &[f32], bias: &[f32], x: &[f32], row: usize| {
        let mut sum = bias[row];
        for i in 0..n {
            sum += weight[row * n + i] * x[i];
        }
        sum
    };
    let mut h = scaled("h0", n, 3);
    let epsilon = noises(40, n, 3);
    let found = network.motion(&h, &epsilon).unwrap();
    for (e, found) in epsilon.iter().zip(&found) {
        let both = |row: usize| {
            let sum = gate(&weight_ih, &bias_ih, e, row) + gate(&weight_hh, &bias_hh, &h, row);
            1.0 / (1.0 + (-sum).exp())
        };
        let mut next = vec![0.0; n];
        for i in 0..n {
            let (r, z) = (both(i), both(n + i));
            let x = gate(&weight_ih, &bias_ih, e, 2 * n + i);
            let new = (x + r * gate(&weight_hh, &bias_hh, &h, 2 * n + i)).tanh();
            next[i] = (1.0 - z) * new + z * h[i];
        }
        h = next;
        assert!(apart(&h, found) <= 1e-5);
    }
}

#[test]
fn a_motion_continued_from_its_last_state_equals_the_whole() {
    let network = network(&small(), 1);
    let (h0, epsilon) = (scaled("h0", 4, 1), noises(30, 4, 1));
    let whole = network.motion(&h0, &epsilon).unwrap();
    for cut in [1, 7, 29] {
        let first = network.motion(&h0, &epsilon[..cut]).unwrap();
        let rest = network.motion(&first[cut - 1], &epsilon[cut..]).unwrap();
        assert_eq!([first, rest].concat(), whole);
    }
    assert!(network.motion(&h0, &[]).unwrap().is_empty());
}

#[test]
fn a_sample_is_generated_frame_by_frame() {
    let config = small();
    let network = network(&config, 1);
    let sizes = Sizes {
        content: config.content,
        categories: config.category,
        motion: config.motion,
    };
    let sample = Sample::draw(9, &sizes, 5, None).unwrap();
    let draw = |sample: &Sample| {
        let motion = network.motion(&sample.h0, &sample.epsilon).unwrap();
        let prepared = network
            .prepare(&sample.content, &sample.category_code())
            .unwrap();
        values(&network.frames(&prepared, &motion, &|| false).unwrap())
    };
    let five = draw(&sample);
    let eight = draw(&sample.with_frames(8).unwrap());
    assert!(apart(&five, &eight[..five.len()]) <= 1e-6);
    let replayed = Sample::from_json(&sample.to_json().unwrap()).unwrap();
    assert_eq!(draw(&replayed), five);
    assert!(apart(&draw(&sample.resample_content(3)), &five) > 1e-3);
    assert!(apart(&draw(&sample.resample_motion(3)), &five) > 1e-3);
}

#[test]
fn cancelled_frames_stop_between_layers() {
    let network = network(&small(), 1);
    let prepared = network.prepare(&[0.0; 3], &[1.0, 0.0]).unwrap();
    let codes = vec![vec![0.1; 4]; 30];
    for limit in [1, 4, 9] {
        let checks = AtomicUsize::new(0);
        let stop = || checks.fetch_add(1, Relaxed) + 1 == limit;
        let stopped = network.frames(&prepared, &codes, &stop);
        assert!(matches!(stopped, Err(Error::Cancelled)));
        assert_eq!(checks.load(Relaxed), limit);
    }
}

#[test]
fn codes_of_a_wrong_size_are_refused_by_name() {
    let network = network(&small(), 1);
    let never_stop = || false;
    let prepared = network.prepare(&[0.0; 3], &[0.0, 1.0]).unwrap();
    let nan = [0.0, f32::NAN, 0.0, 0.0];
    for (error, text) in [
        (
            network.prepare(&[0.0; 4], &[0.0, 1.0]).unwrap_err(),
            "expected 3 numbers in the content code, found 4",
        ),
        (
            network.prepare(&[0.0; 3], &[]).unwrap_err(),
            "expected 2 numbers in the category code, found 0",
        ),
        (
            network.frame(&prepared, &nan, &never_stop).unwrap_err(),
            "number 1 of the motion code is not a finite number",
        ),
        (
            network
                .frames(&prepared, &[vec![0.0; 4], vec![]], &never_stop)
                .unwrap_err(),
            "expected 4 numbers in the motion code, found 0",
        ),
        (
            network.frames(&prepared, &[], &never_stop).unwrap_err(),
            "there is no motion code to draw a frame from",
        ),
        (
            network.motion(&[0.0; 3], &[]).unwrap_err(),
            "expected 4 numbers in the motion's start, found 3",
        ),
        (
            network.motion(&[0.0; 4], &[nan.to_vec()]).unwrap_err(),
            "number 1 of the motion's noise is not a finite number",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

/// The authors' keys, with their shapes.
fn shapes(config: &Config) -> BTreeMap<String, Vec<usize>> {
    let (ngf, n) = (config.ngf, config.motion);
    let mut shapes = BTreeMap::new();
    let mut add = |name: String, shape: &[usize]| shapes.insert(name, shape.to_vec());
    for name in ["ih", "hh"] {
        add(format!("recurrent.weight_{name}"), &[3 * n, n]);
        add(format!("recurrent.bias_{name}"), &[3 * n]);
    }
    let mut inputs = config.latent();
    for (layer, outputs) in [8 * ngf, 4 * ngf, 2 * ngf, ngf, config.channels]
        .into_iter()
        .enumerate()
    {
        add(
            format!("main.{}.weight", 3 * layer),
            &[inputs, outputs, 4, 4],
        );
        inputs = outputs;
        if layer < 4 {
            for name in ["weight", "bias", "running_mean", "running_var"] {
                add(format!("main.{}.{name}", 3 * layer + 1), &[outputs]);
            }
        }
    }
    shapes
}

#[test]
fn missing_or_misshapen_weights_are_refused_by_name() {
    let config = small();
    let tensors: HashMap<String, Tensor> = shapes(&config)
        .into_iter()
        .map(|(name, shape)| {
            let values = param(&name, &shape, 1);
            let tensor = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
            (name, tensor)
        })
        .collect();
    let load = |config: &Config, tensors: HashMap<String, Tensor>| {
        MoCoGan::new(
            config,
            Weights::from_tensors(tensors, &Device::Cpu, Precision::Single),
        )
    };
    load(&config, tensors.clone()).unwrap();
    for name in tensors.keys() {
        let mut incomplete = tensors.clone();
        incomplete.remove(name);
        let error = load(&config, incomplete).unwrap_err();
        assert!(
            matches!(&error, Error::MissingTensor { name: found, .. } if found == name),
            "{error:?}"
        );
    }
    let wider = Config {
        motion: 5,
        ..config
    };
    let error = load(&wider, tensors).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the tensor “main.0.weight” should have the shape [10, 16, 4, 4], but the weights have [9, 16, 4, 4]"
    );
}

#[test]
fn configurations_are_inferred_and_invalid_ones_refused() {
    let published = Config::default();
    assert_eq!(Config::infer(&shapes(&published)).unwrap(), published);
    // The border between content and category can't be inferred from the shapes.
    let found = Config::infer(&shapes(&small())).unwrap();
    let merged = Config {
        content: 5,
        category: 0,
        ..small()
    };
    assert_eq!(found, merged);
    let drawn = |config: &Config, content: &[f32], category: &[f32]| {
        let network = network(config, 1);
        let prepared = network.prepare(content, category).unwrap();
        values(&network.frame(&prepared, &[0.4; 4], &|| false).unwrap())
    };
    assert_eq!(
        drawn(&merged, &[1.0, 2.0, 3.0, 0.0, 1.0], &[]),
        drawn(&small(), &[1.0, 2.0, 3.0], &[0.0, 1.0])
    );

    let mut incomplete = shapes(&published);
    incomplete.remove("main.12.weight");
    assert!(matches!(
        Config::infer(&incomplete),
        Err(Error::MissingTensor { name, .. }) if name == "main.12.weight"
    ));
    for (name, shape) in [
        ("recurrent.weight_ih", vec![30, 11]),
        ("main.0.weight", vec![9, 512, 4, 4]),
        ("main.0.weight", vec![66, 512, 3, 3]),
        ("main.12.weight", vec![32, 3, 4, 4]),
        ("main.12.weight", vec![64, 3]),
    ] {
        let mut bad = shapes(&published);
        bad.insert(name.to_owned(), shape);
        assert!(
            matches!(Config::infer(&bad), Err(Error::Config(..))),
            "{name}"
        );
    }

    let json = serde_json::to_string(&published).unwrap();
    assert_eq!(Config::from_json(&json).unwrap(), published);
    for bad in [
        "",
        "{}",
        &json.replace("64", "96"),
        &json.replace("\"motion\":10", "\"motion\":0"),
    ] {
        assert!(
            matches!(Config::from_json(bad), Err(Error::Config(..))),
            "{bad}"
        );
    }
}

#[test]
fn weights_without_content_and_categories_generate_frames() {
    let config = Config {
        content: 0,
        category: 0,
        ..small()
    };
    let network = network(&config, 1);
    let prepared = network.prepare(&[], &[]).unwrap();
    let frame = network.frame(&prepared, &[0.5; 4], &|| false).unwrap();
    assert!(values(&frame).iter().all(|v| v.abs() <= 1.0));
}
