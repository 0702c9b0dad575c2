//! The Thin-Plate-Spline Motion Model agrees with the authors' own, weight for weight.
//!
//! `MIEN_PARITY_DIR` (a folder with `tps.safetensors`) and `MIEN_PARITY_SEED` make it read
//! another file, made with another seed.

mod common;

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};
use common::procedural::{image, param};
use mien::methods::tps::{
    AvdConfig, Config, DenseMotionConfig, Error, KeyPoints, Mode, ThinPlate, Tps, relative,
};
use proptest::prelude::*;

fn seed() -> u64 {
    std::env::var("MIEN_PARITY_SEED").map_or(1, |s| s.parse().expect("MIEN_PARITY_SEED: a number"))
}

fn expected() -> HashMap<String, Tensor> {
    let folder = std::env::var_os("MIEN_PARITY_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/parity"),
        PathBuf::from,
    );
    let file = folder.join("tps.safetensors");
    candle_core::safetensors::load(&file, &Device::Cpu)
        .unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

type Shapes = BTreeMap<String, Vec<usize>>;

/// Procedural weights, with a record of what was asked for.
struct Recorder {
    seed: u64,
    asked: Arc<Mutex<Shapes>>,
}

impl SimpleBackend for Recorder {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _: Init,
        _: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let dims = shape.dims().to_vec();
        let values = param(name, &dims, self.seed);
        self.asked.lock().unwrap().insert(name.to_owned(), dims);
        Tensor::from_vec(values, shape, device)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> candle_core::Result<Tensor> {
        candle_core::bail!("{name}: its shape is not known")
    }

    fn contains_tensor(&self, _: &str) -> bool {
        true
    }
}

/// A model of procedural weights, and the shapes of a checkpoint of it.
fn model(config: &Config, seed: u64) -> (Tps, Shapes) {
    let asked = Arc::new(Mutex::new(Shapes::new()));
    let backend = Recorder {
        seed,
        asked: asked.clone(),
    };
    let vb = VarBuilder::from_backend(Box::new(backend), DType::F32, Device::Cpu);
    let tps = Tps::new(config, vb).unwrap();
    let shapes = asked.lock().unwrap().clone();
    (tps, shapes)
}

/// The published sizes.
static FULL: LazyLock<(Tps, Shapes)> = LazyLock::new(|| model(&Config::default(), seed()));

fn small_config() -> Config {
    Config {
        image_size: 32,
        num_tps: 2,
        block_expansion: 2,
        dense_motion: DenseMotionConfig {
            halvings: 2,
            block_expansion: 3,
            max_features: 10,
            num_blocks: 2,
        },
        avd: Some(AvdConfig {
            id_bottle_size: 5,
            pose_bottle_size: 7,
        }),
        ..Config::default()
    }
}

static SMALL: LazyLock<(Tps, Shapes)> = LazyLock::new(|| model(&small_config(), 1));

fn picture(name: &str, size: usize, seed: u64) -> Tensor {
    let shape = [1, 3, size, size];
    Tensor::from_vec(image(name, &shape, seed), &shape, &Device::Cpu).unwrap()
}

fn points(key_points: &KeyPoints) -> Tensor {
    let values = key_points.points.as_flattened();
    Tensor::from_slice(values, (1, values.len() / 2, 2), &Device::Cpu).unwrap()
}

fn difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let a = a.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let b = b.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    a.iter().zip(&b).fold(0.0, |most, (a, b)| {
        let d = (a - b).abs();
        if d.is_nan() {
            f32::INFINITY
        } else {
            d.max(most)
        }
    })
}

fn go() -> bool {
    false
}

#[test]
fn agrees_with_the_published_model() {
    const NUMBERS: f32 = 2e-4;
    const PICTURES: f32 = 1e-3;

    let tps = &FULL.0;
    let expected = expected();
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
    let initial = tps.detect(&first, &go).unwrap();
    let driving = tps.detect(&second, &go).unwrap();
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
    let background = tps.background(&source, &second, &go).unwrap();
    let matrix = Tensor::from_slice(&background, (1, 3, 3), &Device::Cpu).unwrap();
    compare("bg_param", &matrix, NUMBERS);

    let frame =
        |driving: &KeyPoints, background| tps.frame(&prepared, driving, background, &go).unwrap();
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
    // Stage by stage here: the last bit of these key points moves the picture by 5e-4, since
    // their splines nearly fold, so a frame agrees no better than the points' own rounding lets it.
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
    let whole = difference(&frame(&avd, None).prediction, &expected["avd.prediction"]);
    println!("avd.prediction from our own key points: {whole:e}");
    let reconstruction = frame(&standard, Some(background));
    compare(
        "reconstruction.prediction",
        &reconstruction.prediction,
        PICTURES,
    );
    assert!(worst.is_empty(), "{worst:?}");
}

#[test]
fn shapes_tell_the_published_sizes() {
    let mut shapes = FULL.1.clone();
    // What a checkpoint holds besides.
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

#[test]
fn shapes_tell_odd_sizes() {
    for (halvings, num_blocks, max_features) in [(0, 4, 23), (1, 4, 7), (2, 2, 1024), (3, 3, 39)] {
        let config = Config {
            num_tps: 3,
            block_expansion: 3,
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
        matches!(&error, Error::MissingTensor { name } if name == "kp_detector.fg_encoder.fc.weight"),
        "{error}"
    );
    let shapes = &SMALL.1;
    let mut one_mask = shapes.clone();
    one_mask.retain(|key, _| !key.starts_with("dense_motion_network.occlusion.1."));
    assert!(matches!(Config::infer(&one_mask), Err(Error::Config(_))));
    let mut flat = shapes.clone();
    flat.insert("inpainting_network.first.conv.weight".into(), vec![2]);
    assert!(matches!(Config::infer(&flat), Err(Error::Config(_))));
    let mut odd = shapes.clone();
    odd.insert("kp_detector.fg_encoder.fc.weight".into(), vec![21, 512]);
    assert!(matches!(Config::infer(&odd), Err(Error::Config(_))));
}

#[test]
fn masks_have_their_sizes_however_often_the_picture_is_halved() {
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
        let driving = tps.detect(&picture("driving.1", 32, 1), &go).unwrap();
        let frame = tps.frame(&prepared, &driving, None, &go).unwrap();
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
fn a_background_that_stays_is_none() {
    let tps = &SMALL.0;
    let prepared = tps.prepare(&picture("source", 32, 1)).unwrap();
    let driving = tps.detect(&picture("driving.1", 32, 1), &go).unwrap();
    let still = tps.frame(&prepared, &driving, None, &go).unwrap();
    let same = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let told = tps.frame(&prepared, &driving, Some(same), &go).unwrap();
    assert_eq!(difference(&still.prediction, &told.prediction), 0.0);
    let moved = [1.0, 0.0, 0.2, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let moved = tps.frame(&prepared, &driving, Some(moved), &go).unwrap();
    assert!(difference(&still.flow, &moved.flow) > 1e-3);

    let sum = still.contributions.sum_keepdim(1).unwrap();
    assert!(difference(&sum, &sum.ones_like().unwrap()) < 1e-5);
}

#[test]
fn a_stale_result_stops_between_layers() {
    let tps = &SMALL.0;
    let source = picture("source", 32, 1);
    let prepared = tps.prepare(&source).unwrap();
    let key_points = prepared.key_points().clone();
    let detect = |stop: &dyn Fn() -> bool| tps.detect(&source, stop).map(drop);
    let background = |stop: &dyn Fn() -> bool| tps.background(&source, &source, stop).map(drop);
    let frame = |stop: &dyn Fn() -> bool| tps.frame(&prepared, &key_points, None, stop).map(drop);
    type Work<'a> = &'a dyn Fn(&dyn Fn() -> bool) -> Result<(), Error>;
    for (work, least) in [(&detect as Work, 9), (&background, 9), (&frame, 16)] {
        let asked = Cell::new(0);
        let count = |until: usize| {
            asked.set(0);
            work(&|| {
                asked.set(asked.get() + 1);
                asked.get() == until
            })
        };
        count(usize::MAX).unwrap();
        let whole = asked.get();
        assert!(whole >= least, "{whole}");
        for until in 1..=whole {
            assert!(matches!(count(until), Err(Error::Cancelled)));
            assert_eq!(asked.get(), until);
        }
    }
}

#[test]
fn bad_inputs_are_named() {
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
            tps.detect(&bad, &go).unwrap_err(),
            tps.prepare(&bad).map(drop).unwrap_err(),
            tps.background(&source, &bad, &go).unwrap_err(),
            tps.background(&bad, &source, &go).unwrap_err(),
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
        tps.frame(&prepared, key_points, background, &go).map(drop)
    };
    assert!(matches!(frame(&few, None), Err(Error::KeyPoints { .. })));
    assert!(matches!(
        frame(&broken, None),
        Err(Error::NotFinite { index: 3 })
    ));
    assert!(matches!(
        frame(good, Some([f32::INFINITY; 9])),
        Err(Error::Degenerate(_))
    ));
    for mode in [Mode::Standard, Mode::Relative, Mode::Avd] {
        let drive = |driving| tps.drive(mode, good, driving, good);
        assert!(matches!(drive(&few), Err(Error::KeyPoints { .. })));
        assert!(matches!(drive(&broken), Err(Error::NotFinite { index: 3 })));
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
fn networks_that_are_not_there_are_named() {
    let config = Config {
        avd: None,
        background: false,
        ..small_config()
    };
    let (tps, _) = model(&config, 1);
    let source = picture("source", 32, 1);
    let key_points = tps.detect(&source, &go).unwrap();
    assert_eq!(
        tps.avd(&key_points, &key_points).unwrap_err().to_string(),
        "These weights have no AVD network; choose another way of driving."
    );
    assert!(matches!(
        tps.background(&source, &source, &go),
        Err(Error::Absent("background predictor"))
    ));
}

#[test]
fn bad_weights_are_named() {
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
            VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu),
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
        let mut lacking = tensors.clone();
        lacking.remove(key).expect("a key of the model");
        let error = load(&small_config(), lacking).unwrap_err();
        assert!(
            matches!(&error, Error::MissingTensor { name } if name == key),
            "{key}: {error:?}"
        );
    }
    let wider = Config {
        block_expansion: 4,
        ..small_config()
    };
    assert_eq!(
        load(&wider, tensors).unwrap_err().to_string(),
        "The tensor “inpainting_network.first.conv.weight” should have the shape [4, 3, 7, 7], but the weights have [2, 3, 7, 7]."
    );
}

#[test]
fn configurations_are_checked() {
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
            matches!(Config::from_json(bad), Err(Error::Config(_))),
            "{bad}"
        );
    }
}

#[test]
fn motion_that_is_none_or_not_wanted_leaves_the_source() {
    let tps = &SMALL.0;
    let detect = |name: &str| tps.detect(&picture(name, 32, 1), &go).unwrap();
    let (source, driving) = (detect("source"), detect("driving.1"));
    assert_eq!(relative(&source, &driving, &driving).unwrap(), source);
    assert_eq!(source.towards(&driving, 0.0).unwrap(), source);
    let there = source.towards(&driving, 1.0).unwrap();
    assert!(difference(&points(&there), &points(&driving)) < 1e-6);

    let json = serde_json::to_string(&source).unwrap();
    assert_eq!(serde_json::from_str::<KeyPoints>(&json).unwrap(), source);
}

/// `r^2 ln(r^2 + 1e-9)` of the distance `r`.
fn kernel(a: [f64; 2], b: [f64; 2]) -> f64 {
    let r = ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)).sqrt();
    r * r * (r * r + 1e-9).ln()
}

/// The eight weights of each axis, by elimination until only the diagonal is left.
fn spline_weights(controls: &[[f64; 2]; 5], targets: &[[f64; 2]; 5]) -> Vec<[f64; 2]> {
    let mut rows = vec![vec![0.0; 10]; 8];
    for i in 0..5 {
        for j in 0..5 {
            rows[i][j] = kernel(controls[i], controls[j]);
        }
        let affine = [controls[i][0], controls[i][1], 1.0];
        for j in 0..3 {
            rows[i][5 + j] = affine[j];
            rows[5 + j][i] = affine[j];
        }
        rows[i][8] = targets[i][0];
        rows[i][9] = targets[i][1];
    }
    for i in 0..8 {
        rows[i][i] += 0.01;
    }
    for i in 0..8 {
        let largest = (i..8)
            .max_by(|&a, &b| rows[a][i].abs().total_cmp(&rows[b][i].abs()))
            .unwrap();
        rows.swap(i, largest);
        let divisor = rows[i][i];
        for value in &mut rows[i] {
            *value /= divisor;
        }
        let pivot = rows[i].clone();
        for (j, row) in rows.iter_mut().enumerate() {
            let factor = row[i];
            if j != i {
                for k in 0..10 {
                    row[k] -= factor * pivot[k];
                }
            }
        }
    }
    rows.iter().map(|row| [row[8], row[9]]).collect()
}

fn five() -> impl Strategy<Value = [[f32; 2]; 5]> {
    prop::array::uniform5(prop::array::uniform2(-1f32..1.0))
}

proptest! {
    #[test]
    fn a_spline_is_what_the_definition_says(
        controls in five(),
        targets in five(),
        places in prop::collection::vec(prop::array::uniform2(-1.5f64..1.5), 8),
    ) {
        let spline = ThinPlate::new(&controls, &targets).unwrap();
        let controls = controls.map(|p| p.map(f64::from));
        let targets = targets.map(|p| p.map(f64::from));
        let weights = spline_weights(&controls, &targets);
        let size = weights.iter().flatten().fold(1.0, |most: f64, w| most.max(w.abs()));
        for place in places {
            let found = spline.at(place);
            for axis in 0..2 {
                let mut wanted = weights[5][axis] * place[0] + weights[6][axis] * place[1] + weights[7][axis];
                for i in 0..5 {
                    wanted += weights[i][axis] * kernel(place, controls[i]);
                }
                prop_assert!((found[axis] - wanted).abs() < 1e-7 * size, "{found:?} {wanted}");
            }
        }
        // The control points arrive, up to what the regularisation lets go.
        for i in 0..5 {
            let found = spline.at(controls[i]);
            for axis in 0..2 {
                let short = targets[i][axis] - found[axis];
                prop_assert!((short - 0.01 * weights[i][axis]).abs() < 1e-7 * size);
            }
        }
    }
}
