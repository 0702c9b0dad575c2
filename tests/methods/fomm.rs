//! A small FOMM model with each of its optional parts present or absent.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::common::procedural::{image, param};
use crate::common::recorder::{Shapes, requested_shapes};
use candle_core::{DType, Device, Tensor};
use mien::methods::error::Error;
use mien::methods::fomm::{
    Config, DenseMotionConfig, DetectorConfig, Fomm, GeneratorConfig, Jacobians, KeyPoints,
};
use mien::methods::motion::coordinate_grid;
use mien::nn::{Precision, Weights};

const NEVER_STOP: &(dyn Fn() -> bool + Sync) = &|| false;

/// Sizes different from `vox-256` throughout: other sides for each network, limits reached early.
fn small() -> Config {
    Config {
        image_size: 64,
        align_corners: true,
        num_kp: 3,
        detector: DetectorConfig {
            block_expansion: 4,
            max_features: 8,
            num_blocks: 2,
            downscale: 2,
            temperature: 0.1,
            jacobians: Jacobians::Each,
        },
        dense_motion: DenseMotionConfig {
            block_expansion: 5,
            max_features: 12,
            num_blocks: 3,
            downscale: 4,
            kp_variance: 0.01,
            occlusion: true,
        },
        generator: GeneratorConfig {
            block_expansion: 6,
            max_features: 10,
            num_down_blocks: 3,
            num_bottleneck_blocks: 1,
        },
    }
}

fn without_extras() -> Config {
    let mut config = small();
    config.detector.jacobians = Jacobians::None;
    config.dense_motion.occlusion = false;
    config
}

/// The shapes of a checkpoint as the authors' code would save it.
fn published_shapes(config: &Config) -> Shapes {
    let mut shapes = requested_shapes(1, |weights| drop(Fomm::new(config, weights).unwrap()));
    for (network, downscale) in [
        ("kp_detector", config.detector.downscale),
        (
            "generator.dense_motion_network",
            config.dense_motion.downscale,
        ),
    ] {
        let kernel = 4 * (downscale - 1) + 1;
        shapes.insert(format!("{network}.down.weight"), vec![3, 1, kernel, kernel]);
    }
    shapes
}

fn tensors(config: &Config) -> HashMap<String, Tensor> {
    published_shapes(config)
        .into_iter()
        .map(|(key, shape)| {
            let values = param(&key, &shape, 1);
            let tensor = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
            (key, tensor)
        })
        .collect()
}

fn load(config: &Config, tensors: HashMap<String, Tensor>) -> Result<Fomm, Error> {
    let weights = Weights::from_tensors(tensors, &Device::Cpu, Precision::Single);
    Fomm::new(config, weights)
}

fn model(config: &Config) -> Fomm {
    load(config, tensors(config)).unwrap()
}

fn picture(name: &str) -> Tensor {
    let shape = [1, 3, 64, 64];
    Tensor::from_vec(image(name, &shape, 1), &shape, &Device::Cpu).unwrap()
}

fn values(x: &Tensor) -> Vec<f32> {
    x.flatten_all().unwrap().to_vec1().unwrap()
}

fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance, "at {i}: {f}, not {e}");
    }
}

#[test]
fn at_rest_the_flow_is_the_identity() {
    for config in [small(), without_extras()] {
        let model = model(&config);
        let source = picture("source");
        let prepared = model.prepare(&source).unwrap();
        let frame = model
            .frame(&prepared, prepared.key_points(), NEVER_STOP)
            .unwrap();
        assert_eq!(frame.prediction.dims(), [1, 3, 64, 64]);
        assert_eq!(frame.flow.dims(), [1, 16, 16, 2]);
        assert_eq!(frame.masks.dims(), [1, 4, 16, 16]);
        assert_close(&values(&frame.flow), &coordinate_grid(16, 16), 1e-5);
        let sums = values(&frame.masks.sum(1).unwrap());
        assert_close(&sums, &[1.0; 256], 1e-6);
        match &frame.occlusion {
            Some(occlusion) => assert_eq!(occlusion.dims(), [1, 1, 16, 16]),
            None => assert!(!config.dense_motion.occlusion),
        }
        // The flow is resized by its edges and sampled by its corners: nearly, not exactly, the identity.
        let deformed = prepared.deformed(&frame).unwrap();
        assert_close(&values(&deformed), &values(&source), 0.2);
    }
}

#[test]
fn driven_frames_differ_from_the_source() {
    for config in [small(), without_extras()] {
        let model = model(&config);
        let prepared = model.prepare(&picture("source")).unwrap();
        let driving = model.detect(&picture("driving.1"), NEVER_STOP).unwrap();
        assert_eq!(driving.points.len(), 3);
        let expected = 3 * usize::from(config.detector.jacobians != Jacobians::None);
        assert_eq!(driving.jacobians.len(), expected);
        let frame = model.frame(&prepared, &driving, NEVER_STOP).unwrap();
        let grid = coordinate_grid(16, 16);
        let flow = values(&frame.flow);
        assert!(flow.iter().zip(&grid).any(|(a, b)| (a - b).abs() > 0.01));
        assert!(
            values(&frame.prediction)
                .iter()
                .all(|v| (0.0..=1.0).contains(v))
        );
    }
}

#[test]
fn a_single_jacobian_map_is_shared_by_all_key_points() {
    let mut shared = small();
    shared.detector.jacobians = Jacobians::Shared;
    let lone = tensors(&shared);
    let mut repeated = lone.clone();
    for (key, repeats) in [
        ("kp_detector.jacobian.weight", vec![3, 1, 1, 1]),
        ("kp_detector.jacobian.bias", vec![3]),
    ] {
        let tensor = lone[key].repeat(repeats).unwrap();
        repeated.insert(key.to_owned(), tensor);
    }
    let x = picture("source");
    let found = load(&shared, lone).unwrap().detect(&x, NEVER_STOP).unwrap();
    let expected = load(&small(), repeated)
        .unwrap()
        .detect(&x, NEVER_STOP)
        .unwrap();
    let spread = |i: usize| found.jacobians[0][i] - found.jacobians[1][i];
    assert!((0..4).any(|i| spread(i).abs() > 1e-4), "{found:?}");
    assert_close(
        found.points.as_flattened(),
        expected.points.as_flattened(),
        1e-6,
    );
    assert_close(
        found.jacobians.as_flattened(),
        expected.jacobians.as_flattened(),
        1e-5,
    );
}

#[test]
fn cancelled_work_stops_between_layers() {
    let model = model(&small());
    let x = picture("source");
    let prepared = model.prepare(&x).unwrap();
    let key_points = prepared.key_points();
    let cancelled_after = |run: &dyn Fn(&(dyn Fn() -> bool + Sync)) -> Option<Error>| {
        for limit in 1.. {
            let checks = AtomicUsize::new(0);
            let stop = || checks.fetch_add(1, Relaxed) + 1 == limit;
            match run(&stop) {
                Some(Error::Cancelled) => assert_eq!(checks.load(Relaxed), limit),
                Some(other) => panic!("{other}"),
                None => return limit,
            }
        }
        0
    };
    assert!(cancelled_after(&|stop| model.detect(&x, stop).err()) > 2);
    assert!(cancelled_after(&|stop| model.frame(&prepared, key_points, stop).err()) > 6);
}

#[test]
fn inputs_of_a_wrong_shape_are_refused_by_name() {
    let model = model(&small());
    for shape in [
        [1, 4, 64, 64],
        [2, 3, 64, 64],
        [1, 3, 32, 64],
        [1, 3, 0, 64],
    ] {
        let x = Tensor::zeros(&shape, DType::F32, &Device::Cpu).unwrap();
        for error in [
            model.prepare(&x).unwrap_err(),
            model.detect(&x, NEVER_STOP).unwrap_err(),
        ] {
            assert!(
                matches!(&error, Error::Picture { found, .. } if *found == shape),
                "{error}"
            );
        }
    }

    let prepared = model.prepare(&picture("source")).unwrap();
    let good = prepared.key_points();
    let refused = |change: &dyn Fn(&mut KeyPoints)| {
        let mut bad = good.clone();
        change(&mut bad);
        model.frame(&prepared, &bad, NEVER_STOP).unwrap_err()
    };
    for error in [
        refused(&|k| k.points.truncate(2)),
        refused(&|k| k.jacobians.clear()),
    ] {
        assert!(matches!(error, Error::KeyPoints { .. }), "{error}");
    }
    for error in [
        refused(&|k| k.points[1][0] = f32::NAN),
        refused(&|k| k.jacobians[1][3] = f32::INFINITY),
    ] {
        assert!(
            matches!(error, Error::KeyPointNotFinite { index: 1 }),
            "{error}"
        );
    }
    let error = refused(&|k| k.jacobians[2] = [0.5, 1.0, 1.0, 2.0]);
    assert!(matches!(error, Error::Degenerate(_)), "{error}");
}

#[test]
fn missing_or_misshapen_weights_are_refused_by_name() {
    for key in [
        "kp_detector.jacobian.bias",
        "kp_detector.predictor.decoder.up_blocks.1.norm.running_var",
        "generator.dense_motion_network.hourglass.encoder.down_blocks.2.conv.weight",
        "generator.dense_motion_network.occlusion.weight",
        "generator.bottleneck.r0.norm2.running_mean",
    ] {
        let mut incomplete = tensors(&small());
        incomplete.remove(key).unwrap();
        let error = load(&small(), incomplete).unwrap_err();
        assert!(
            matches!(&error, Error::MissingTensor { name, .. } if name == key),
            "{error:?}"
        );
    }

    let mut wider = small();
    wider.generator.block_expansion = 7;
    let error = load(&wider, tensors(&small())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the tensor “generator.first.conv.weight” should have the shape [7, 3, 7, 7], but the weights have [6, 3, 7, 7]"
    );
}

#[test]
fn the_configuration_is_inferred_from_the_published_shapes() {
    let shapes = published_shapes(&Config::default());
    assert_eq!(Config::infer(&shapes).unwrap(), Config::default());
    // As in the authors' files.
    for (key, shape) in [
        (
            "kp_detector.predictor.encoder.down_blocks.4.conv.weight",
            [1024, 512, 3, 3],
        ),
        ("kp_detector.jacobian.weight", [40, 35, 7, 7]),
        ("kp_detector.down.weight", [3, 1, 13, 13]),
        (
            "generator.dense_motion_network.mask.weight",
            [11, 108, 7, 7],
        ),
        (
            "generator.dense_motion_network.hourglass.decoder.up_blocks.1.conv.weight",
            [512, 2048, 3, 3],
        ),
        ("generator.down_blocks.1.conv.weight", [256, 128, 3, 3]),
        ("generator.bottleneck.r5.conv2.weight", [256, 256, 3, 3]),
        ("generator.up_blocks.0.conv.weight", [128, 256, 3, 3]),
        ("generator.final.weight", [3, 64, 7, 7]),
    ] {
        assert_eq!(shapes[key], shape, "{key}");
    }
    let millions = |network: &str| {
        let learnt = shapes.iter().filter(|(key, _)| {
            key.starts_with(network) && !key.contains("running_") && !key.contains("down.weight")
        });
        learnt
            .map(|(_, s)| s.iter().product::<usize>())
            .sum::<usize>() as f64
            / 1e6
    };
    assert!((millions("generator.") - 45.6).abs() < 0.05);
    assert!((millions("kp_detector.") - 14.2).abs() < 0.05);
}

#[test]
fn unusual_configurations_are_inferred_too() {
    let mut shared = small();
    shared.detector.jacobians = Jacobians::Shared;
    for config in [small(), without_extras(), shared] {
        let found = Config::infer(&published_shapes(&config)).unwrap();
        // The pictures' size can't be inferred from the shapes.
        assert_eq!(
            Config {
                image_size: 64,
                ..found
            },
            config
        );
    }
    // A converted file may lack the fixed blur kernel.
    let mut shapes = published_shapes(&small());
    shapes.retain(|key, _| !key.ends_with("down.weight"));
    assert_eq!(Config::infer(&shapes).unwrap().detector.downscale, 4);
}

#[test]
fn shapes_of_another_model_are_refused() {
    let nothing = Shapes::new();
    let error = Config::infer(&nothing).unwrap_err();
    assert!(matches!(error, Error::MissingTensor { .. }), "{error}");
    for (key, shape) in [
        ("kp_detector.kp.weight", vec![4, 7, 7, 7]),
        ("kp_detector.kp.weight", vec![3]),
        ("kp_detector.jacobian.weight", vec![8, 7, 7, 7]),
        ("kp_detector.down.weight", vec![3, 1, 12, 12]),
        ("generator.first.conv.weight", vec![0, 3, 7, 7]),
    ] {
        let mut shapes = published_shapes(&small());
        shapes.insert(key.to_owned(), shape);
        let error = Config::infer(&shapes).unwrap_err();
        assert!(matches!(error, Error::Config(..)), "{key}: {error}");
    }
}

#[test]
fn invalid_configurations_are_refused() {
    let json = serde_json::to_string(&small()).unwrap();
    assert_eq!(Config::from_json(&json).unwrap(), small());
    let mut bad = vec![String::new(), "{}".to_owned()];
    for (from, to) in [
        ("\"image_size\":64", "\"image_size\":66"),
        ("\"image_size\":64", "\"image_size\":8"),
        ("\"num_kp\":3", "\"num_kp\":0"),
        ("\"max_features\":8", "\"max_features\":3"),
        ("\"temperature\":0.1", "\"temperature\":0.0"),
        ("\"downscale\":2", "\"downscale\":16"),
        ("\"num_down_blocks\":3", "\"num_down_blocks\":7"),
    ] {
        assert!(json.contains(from), "{from} in {json}");
        bad.push(json.replace(from, to));
    }
    for bad in bad {
        assert!(
            matches!(Config::from_json(&bad), Err(Error::Config(..))),
            "{bad}"
        );
    }
}
