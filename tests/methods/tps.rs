//! TPS through its API: sizes, errors, cancelling.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::common::parity::difference;
use crate::common::tps::{SMALL, Shapes, model, never_stop, picture, points, small_config};
use candle_core::{DType, Device, Tensor};
use mien::document::Mode;
use mien::methods::error::Error;
use mien::methods::tps::{AvdConfig, Config, DenseMotionConfig, KeyPoints, Tps, relative};
use mien::nn::{Precision, Weights};

#[test]
fn unusual_configurations_are_inferred_from_their_shapes() {
    for (halvings, num_blocks, max_features, resnet_width) in [
        (0, 4, 23, 1),
        (1, 4, 7, 5),
        (2, 2, 1024, 64),
        (3, 3, 39, 24),
    ] {
        let config = Config {
            num_tps: 3,
            block_expansion: 3,
            resnet_width,
            dense_motion: DenseMotionConfig {
                halvings,
                block_expansion: 5,
                max_features,
                num_blocks,
            },
            avd: Some(AvdConfig {
                id_bottle_size: 3,
                pose_bottle_size: 9,
            }),
            background: halvings == 2,
            ..Config::default()
        };
        let (_, shapes) = model(&config, 1);
        assert_eq!(Config::infer(&shapes).unwrap(), config);
    }
}

#[test]
fn shapes_of_another_model_are_refused() {
    let error = Config::infer(&Shapes::new()).unwrap_err();
    assert!(
        matches!(&error, Error::MissingTensor { name, .. } if name == "kp_detector.fg_encoder.fc.weight"),
        "{error}"
    );
    let shapes = &SMALL.1;
    let mut one_mask = shapes.clone();
    one_mask.retain(|key, _| !key.starts_with("dense_motion_network.occlusion.1."));
    assert!(matches!(Config::infer(&one_mask), Err(Error::Config(..))));
    let mut flat = shapes.clone();
    flat.insert("inpainting_network.first.conv.weight".into(), vec![2]);
    assert!(matches!(Config::infer(&flat), Err(Error::Config(..))));
    let mut odd = shapes.clone();
    odd.insert("kp_detector.fg_encoder.fc.weight".into(), vec![21, 512]);
    assert!(matches!(Config::infer(&odd), Err(Error::Config(..))));
}

#[test]
fn occlusion_masks_have_the_right_sizes_at_every_depth() {
    for halvings in 0..4 {
        let config = Config {
            dense_motion: DenseMotionConfig {
                halvings,
                num_blocks: 4 - halvings,
                ..small_config().dense_motion
            },
            avd: None,
            background: false,
            ..small_config()
        };
        let (tps, _) = model(&config, 1);
        let prepared = tps.prepare(&picture("source", 32, 1)).unwrap();
        let driving = tps
            .detect(&picture("driving.1", 32, 1), &never_stop)
            .unwrap();
        let frame = tps.frame(&prepared, &driving, None, &never_stop).unwrap();
        let sides: Vec<_> = frame.occlusion.iter().map(|m| m.dims().to_vec()).collect();
        assert_eq!(sides, [4, 8, 16, 32].map(|side| vec![1, 1, side, side]));
        let side = 32 >> halvings;
        assert_eq!(frame.flow.dims(), [1, side, side, 2]);
        assert_eq!(frame.contributions.dims(), [1, 3, side, side]);
        assert_eq!(frame.prediction.dims(), [1, 3, 32, 32]);
        assert_eq!(frame.key_points, driving);
    }
}

#[test]
fn the_identity_background_equals_none() {
    let tps = &SMALL.0;
    let prepared = tps.prepare(&picture("source", 32, 1)).unwrap();
    let driving = tps
        .detect(&picture("driving.1", 32, 1), &never_stop)
        .unwrap();
    let still = tps.frame(&prepared, &driving, None, &never_stop).unwrap();
    let same = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let explicit = tps
        .frame(&prepared, &driving, Some(same), &never_stop)
        .unwrap();
    assert_eq!(difference(&still.prediction, &explicit.prediction), 0.0);
    let moved = [1.0, 0.0, 0.2, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let moved = tps
        .frame(&prepared, &driving, Some(moved), &never_stop)
        .unwrap();
    assert!(difference(&still.flow, &moved.flow) > 1e-3);

    let sum = still.contributions.sum_keepdim(1).unwrap();
    assert!(difference(&sum, &sum.ones_like().unwrap()) < 1e-5);
}

#[test]
fn a_cancelled_result_stops_between_layers() {
    let tps = &SMALL.0;
    let source = picture("source", 32, 1);
    let prepared = tps.prepare(&source).unwrap();
    let key_points = prepared.key_points().clone();
    let detect = |stop: &(dyn Fn() -> bool + Sync)| tps.detect(&source, stop).map(drop);
    let background =
        |stop: &(dyn Fn() -> bool + Sync)| tps.background(&source, &source, stop).map(drop);
    let frame =
        |stop: &(dyn Fn() -> bool + Sync)| tps.frame(&prepared, &key_points, None, stop).map(drop);
    type Work<'a> = &'a dyn Fn(&(dyn Fn() -> bool + Sync)) -> Result<(), Error>;
    for (work, least) in [(&detect as Work, 9), (&background, 9), (&frame, 16)] {
        let checks = AtomicUsize::new(0);
        let count = |until: usize| {
            checks.store(0, Relaxed);
            work(&|| checks.fetch_add(1, Relaxed) + 1 == until)
        };
        count(usize::MAX).unwrap();
        let all_checks = checks.load(Relaxed);
        assert!(all_checks >= least, "{all_checks}");
        for until in 1..=all_checks {
            assert!(matches!(count(until), Err(Error::Cancelled)));
            assert_eq!(checks.load(Relaxed), until);
        }
    }
}

#[test]
fn inputs_of_a_wrong_shape_are_refused_by_name() {
    let tps = &SMALL.0;
    let source = picture("source", 32, 1);
    let zeros = |shape: [usize; 4]| Tensor::zeros(&shape, DType::F32, &Device::Cpu).unwrap();
    for shape in [
        [1, 4, 32, 32],
        [2, 3, 32, 32],
        [1, 3, 64, 32],
        [1, 3, 0, 32],
    ] {
        let bad = zeros(shape);
        for error in [
            tps.detect(&bad, &never_stop).unwrap_err(),
            tps.prepare(&bad).map(drop).unwrap_err(),
            tps.background(&source, &bad, &never_stop).unwrap_err(),
            tps.background(&bad, &source, &never_stop).unwrap_err(),
        ] {
            assert!(
                matches!(&error, Error::Picture { found, .. } if *found == shape),
                "{error}"
            );
        }
    }

    let prepared = tps.prepare(&source).unwrap();
    let good = prepared.key_points();
    let mut few = good.clone();
    few.points.pop();
    let mut broken = good.clone();
    broken.points[3][1] = f32::NAN;
    let frame = |key_points: &KeyPoints, background| {
        tps.frame(&prepared, key_points, background, &never_stop)
            .map(drop)
    };
    assert!(matches!(frame(&few, None), Err(Error::KeyPoints { .. })));
    assert!(matches!(
        frame(&broken, None),
        Err(Error::KeyPointNotFinite { index: 3 })
    ));
    assert!(matches!(
        frame(good, Some([f32::INFINITY; 9])),
        Err(Error::Degenerate(_))
    ));
    for mode in [Mode::Standard, Mode::Relative, Mode::Avd] {
        let drive = |driving| tps.drive(mode, good, driving, good);
        assert!(matches!(drive(&few), Err(Error::KeyPoints { .. })));
        assert!(matches!(
            drive(&broken),
            Err(Error::KeyPointNotFinite { index: 3 })
        ));
    }
    let lying = KeyPoints {
        points: (0..10)
            .map(|i| [i as f32 / 10.0, i as f32 / 10.0])
            .collect(),
    };
    assert!(matches!(
        relative(good, good, &lying),
        Err(Error::Degenerate(_))
    ));
    assert!(matches!(
        good.towards(&few, 0.5),
        Err(Error::KeyPoints { .. })
    ));
}

#[test]
fn missing_networks_are_refused_by_name() {
    let config = Config {
        avd: None,
        background: false,
        ..small_config()
    };
    let (tps, _) = model(&config, 1);
    let source = picture("source", 32, 1);
    let key_points = tps.detect(&source, &never_stop).unwrap();
    assert_eq!(
        tps.avd(&key_points, &key_points).unwrap_err().to_string(),
        "these weights have no AVD network"
    );
    assert!(matches!(
        tps.background(&source, &source, &never_stop),
        Err(Error::Absent("background predictor"))
    ));
}

#[test]
fn missing_or_misshapen_weights_are_refused_by_name() {
    let tensors: HashMap<String, Tensor> = SMALL
        .1
        .iter()
        .map(|(key, shape)| {
            let zeros = Tensor::zeros(shape.as_slice(), DType::F32, &Device::Cpu).unwrap();
            (key.clone(), zeros)
        })
        .collect();
    let load = |config: &Config, tensors| {
        Tps::new(
            config,
            Weights::from_tensors(tensors, &Device::Cpu, Precision::Single),
        )
        .map(drop)
    };
    load(&small_config(), tensors.clone()).unwrap();
    for key in [
        "kp_detector.fg_encoder.layer2.0.downsample.1.running_var",
        "dense_motion_network.occlusion.1.bias",
        "dense_motion_network.hourglass.decoder.up_blocks.1.norm.weight",
        "inpainting_network.resblock.5.conv2.weight",
        "avd_network.decoder.7.running_mean",
        "bg_predictor.bg_encoder.fc.bias",
    ] {
        let mut incomplete = tensors.clone();
        incomplete.remove(key).expect("a key of the model");
        let error = load(&small_config(), incomplete).unwrap_err();
        assert!(
            matches!(&error, Error::MissingTensor { name, .. } if name == key),
            "{key}: {error:?}"
        );
    }
    let wider = Config {
        block_expansion: 4,
        ..small_config()
    };
    assert_eq!(
        load(&wider, tensors).unwrap_err().to_string(),
        "the tensor “inpainting_network.first.conv.weight” should have the shape [4, 3, 7, 7], but the weights have [2, 3, 7, 7]"
    );
}

#[test]
fn invalid_configurations_are_refused() {
    let json = serde_json::to_string(&Config::default()).unwrap();
    assert_eq!(Config::from_json(&json).unwrap(), Config::default());
    assert_eq!(Config::from_json("{}").unwrap(), Config::default());
    assert_eq!(
        Config::from_json(r#"{"image_size": 512, "avd": null}"#).unwrap(),
        Config {
            image_size: 512,
            avd: None,
            ..Config::default()
        }
    );
    for bad in [
        "",
        r#"{"image_size": 320}"#,
        r#"{"num_tps": 0}"#,
        r#"{"kp_variance": 0}"#,
        r#"{"block_expansion": 100000}"#,
        r#"{"dense_motion": {"halvings": 4}}"#,
        r#"{"dense_motion": {"num_blocks": 1}}"#,
        r#"{"dense_motion": {"max_features": 32}}"#,
        r#"{"avd": {"id_bottle_size": 0, "pose_bottle_size": 64}}"#,
    ] {
        assert!(
            matches!(Config::from_json(bad), Err(Error::Config(..))),
            "{bad}"
        );
    }
}

#[test]
fn without_motion_or_gain_the_key_points_are_those_of_the_source() {
    let tps = &SMALL.0;
    let detect = |name: &str| tps.detect(&picture(name, 32, 1), &never_stop).unwrap();
    let (source, driving) = (detect("source"), detect("driving.1"));
    assert_eq!(relative(&source, &driving, &driving).unwrap(), source);
    assert_eq!(source.towards(&driving, 0.0).unwrap(), source);
    let there = source.towards(&driving, 1.0).unwrap();
    assert!(difference(&points(&there), &points(&driving)) < 1e-6);

    let json = serde_json::to_string(&source).unwrap();
    assert_eq!(serde_json::from_str::<KeyPoints>(&json).unwrap(), source);
}
