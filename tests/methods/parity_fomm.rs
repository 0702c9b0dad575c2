//! FOMM agrees with the authors' implementation for the same weights.
//!
//! `MIEN_PARITY_DIR` (a folder with `fomm.safetensors`) and `MIEN_PARITY_SEED` select another file, made with another seed.

use std::collections::HashMap;

use crate::common::parity::{apart, expected, seed};
use crate::common::procedural::{adjusted_weights, image};
use candle_core::{Device, Tensor};
use mien::methods::fomm::{Config, Fomm, Frame, KeyPoints, relative};

const PLACES: f32 = 2e-4;
const PICTURES: f32 = 1e-3;

fn model(align_corners: bool) -> Fomm {
    let weights = adjusted_weights("", seed(), |name, values| {
        if name == "kp_detector.jacobian.bias" {
            // The identity; a trained detector's Jacobians are close to it.
            for matrix in values.chunks_exact_mut(4) {
                matrix[0] += 1.0;
                matrix[3] += 1.0;
            }
        }
    });
    let config = Config {
        align_corners,
        ..Config::default()
    };
    Fomm::new(&config, weights).unwrap()
}

fn picture(name: &str) -> Tensor {
    let shape = [1, 3, 256, 256];
    Tensor::from_vec(image(name, &shape, seed()), &shape, &Device::Cpu).unwrap()
}

fn assert_near(name: &str, found: &[f32], expected: &Tensor, tolerance: f32) {
    let expected = expected.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let most = apart(found, &expected);
    println!("{name}: {most:e}");
    assert!(most <= tolerance, "{name} differs by {most}");
}

fn assert_tensor(name: &str, found: &Tensor, expected: &HashMap<String, Tensor>, tolerance: f32) {
    assert_eq!(found.dims(), expected[name].dims(), "{name}");
    let found = found.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_near(name, &found, &expected[name], tolerance);
}

fn assert_key_points(name: &str, found: &KeyPoints, expected: &HashMap<String, Tensor>) {
    for (part, found) in [
        ("value", found.points.as_flattened()),
        ("jacobian", found.jacobians.as_flattened()),
    ] {
        let name = format!("kp.{name}.{part}");
        assert_near(&name, found, &expected[&name], PLACES);
    }
}

fn agrees(era: &str, align_corners: bool) {
    let expected = expected("fomm.safetensors");
    let model = model(align_corners);
    let never_stop = || false;
    let prepared = model.prepare(&picture("source")).unwrap();
    let source = prepared.key_points();
    let initial = model.detect(&picture("driving.0"), &never_stop).unwrap();
    let driving = model.detect(&picture("driving.1"), &never_stop).unwrap();
    let moved = relative(source, &driving, &initial, true).unwrap();
    for (name, found) in [
        ("source", source),
        ("driving0", &initial),
        ("driving1", &driving),
        ("relative", &moved),
    ] {
        assert_key_points(name, found, &expected);
    }

    let frame: Frame = model.frame(&prepared, &driving, &never_stop).unwrap();
    assert_eq!(frame.key_points, driving);
    let deformed = prepared.deformed(&frame).unwrap();
    let occlusion = frame.occlusion.as_ref().unwrap();
    for (name, found, tolerance) in [
        ("mask", &frame.masks, PLACES),
        ("deformation", &frame.flow, PLACES),
        ("occlusion_map", occlusion, PLACES),
        ("deformed", &deformed, PICTURES),
        ("prediction", &frame.prediction, PICTURES),
    ] {
        let name = format!("{era}.absolute.{name}");
        assert_tensor(&name, found, &expected, tolerance);
    }
    let frame = model.frame(&prepared, &moved, &never_stop).unwrap();
    let name = format!("{era}.relative.prediction");
    assert_tensor(&name, &frame.prediction, &expected, PICTURES);
}

#[test]
fn fomm_agrees_with_the_published_model_with_align_corners() {
    agrees("align_corners", true);
}

#[test]
fn fomm_agrees_with_the_published_model_without_align_corners() {
    agrees("no_align", false);
}
