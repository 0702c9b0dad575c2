//! TPS agrees with the authors' implementation for the same weights.
//!
//! `MIEN_PARITY_DIR` (a folder with `tps.safetensors`) and `MIEN_PARITY_SEED` select another file, made with another seed.

use std::sync::LazyLock;

use crate::common::parity::{difference, expected, seed};
use crate::common::tps::{Shapes, model, never_stop, picture, points};
use candle_core::{Device, Tensor};
use mien::document::Mode;
use mien::methods::tps::{Config, KeyPoints, Tps};

/// The published sizes.
static FULL: LazyLock<(Tps, Shapes)> = LazyLock::new(|| model(&Config::default(), seed()));

#[test]
fn tps_agrees_with_the_published_model() {
    const NUMBERS: f32 = 2e-4;
    const PICTURES: f32 = 1e-3;

    let tps = &FULL.0;
    let expected = expected("tps.safetensors");
    let mut worst = Vec::new();
    let mut compare = |name: &str, found: &Tensor, tolerance: f32| {
        let d = difference(found, &expected[name]);
        println!("{name}: {d:e}");
        if d > tolerance {
            worst.push(format!("{name} differs by {d}"));
        }
    };

    let [source, first, second] =
        ["source", "driving.0", "driving.1"].map(|name| picture(name, 256, seed()));
    let prepared = tps.prepare(&source).unwrap();
    let source_points = prepared.key_points();
    let initial = tps.detect(&first, &never_stop).unwrap();
    let driving = tps.detect(&second, &never_stop).unwrap();
    let drive = |mode| tps.drive(mode, source_points, &driving, &initial).unwrap();
    let [standard, relative, avd] = [Mode::Standard, Mode::Relative, Mode::Avd].map(drive);
    for (name, found) in [
        ("kp.source", source_points),
        ("kp.driving0", &initial),
        ("kp.driving1", &standard),
        ("kp.relative", &relative),
        ("kp.avd", &avd),
    ] {
        compare(name, &points(found), NUMBERS);
    }
    let background = tps.background(&source, &second, &never_stop).unwrap();
    let matrix = Tensor::from_slice(&background, (1, 3, 3), &Device::Cpu).unwrap();
    compare("bg_param", &matrix, NUMBERS);

    let frame = |driving: &KeyPoints, background| {
        tps.frame(&prepared, driving, background, &never_stop)
            .unwrap()
    };
    let found = frame(&standard, None);
    compare("standard.prediction", &found.prediction, PICTURES);
    compare("standard.deformed", &found.deformed, PICTURES);
    compare("standard.deformation", &found.flow, NUMBERS);
    compare("standard.contribution_maps", &found.contributions, NUMBERS);
    assert_eq!(found.occlusion.len(), 4);
    for (i, mask) in found.occlusion.iter().enumerate() {
        compare(&format!("standard.occlusion_map.{i}"), mask, NUMBERS);
    }
    compare(
        "relative.prediction",
        &frame(&relative, None).prediction,
        PICTURES,
    );
    // Stage by stage here: the last bit of these keypoints changes the picture by 5e-4, since their splines nearly
    // fold, so a frame can't agree better than the rounding of the points allows.
    let theirs = KeyPoints {
        points: expected["kp.avd"]
            .squeeze(0)
            .unwrap()
            .to_vec2::<f32>()
            .unwrap()
            .iter()
            .map(|p| [p[0], p[1]])
            .collect(),
    };
    compare("avd.prediction", &frame(&theirs, None).prediction, PICTURES);
    let full_difference = difference(&frame(&avd, None).prediction, &expected["avd.prediction"]);
    println!("avd.prediction from our own key points: {full_difference:e}");
    let reconstruction = frame(&standard, Some(background));
    compare(
        "reconstruction.prediction",
        &reconstruction.prediction,
        PICTURES,
    );
    assert!(worst.is_empty(), "{worst:?}");
}

#[test]
fn the_configuration_is_inferred_from_the_published_shapes() {
    let mut shapes = FULL.1.clone();
    // Other tensors in a checkpoint.
    for (key, shape) in [
        ("dense_motion_network.down.weight", vec![3, 1, 13, 13]),
        ("kp_detector.fg_encoder.bn1.num_batches_tracked", vec![]),
    ] {
        shapes.insert(key.into(), shape);
    }
    assert_eq!(Config::infer(&shapes).unwrap(), Config::default());

    shapes.retain(|key, _| !key.starts_with("avd_network."));
    let without_avd = Config {
        avd: None,
        ..Config::default()
    };
    assert_eq!(Config::infer(&shapes).unwrap(), without_avd);

    shapes.retain(|key, _| !key.starts_with("bg_predictor."));
    let without_both = Config {
        background: false,
        ..without_avd
    };
    assert_eq!(Config::infer(&shapes).unwrap(), without_both);
}
