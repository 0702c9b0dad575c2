//! The generator agrees with the authors' implementation for the same weights.
//!
//! `MIEN_PARITY_DIR` (a folder with `ganimation.safetensors`) and `MIEN_PARITY_SEED` select another file, made with
//! another seed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::common::parity::{difference, expected, seed};
use crate::common::procedural::{fnv1a64, ganimation_keys, image, param, u};
use candle_core::{Device, Tensor};
use mien::methods::error::Error;
use mien::methods::ganimation::{Config, Generator, Prepared, result};
use mien::nn::{Conv2d, ConvConfig, Epilogue, PRelu, Precision, Weights};

const PICTURES: usize = 2;

fn weights(config: &Config, seed: u64) -> HashMap<String, Tensor> {
    ganimation_keys(config.conv_dim, config.repeat_num, config.c_dim)
        .into_iter()
        .map(|(key, shape)| {
            let values = param(&key, &shape, seed);
            let tensor = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
            (key, tensor)
        })
        .collect()
}

fn generator(config: &Config, weights: HashMap<String, Tensor>) -> Result<Generator, Error> {
    let weights = Weights::from_tensors(weights, &Device::Cpu, Precision::Single);
    Generator::new(config, weights)
}

fn inputs(seed: u64) -> (Tensor, Tensor) {
    let shape = [PICTURES, 3, 128, 128];
    let x: Vec<f32> = image("portrait", &shape, seed)
        .into_iter()
        .map(|v| v * 2.0 - 1.0)
        .collect();
    let aus: Vec<f32> = u("aus", PICTURES * 17, seed)
        .into_iter()
        .map(|v| (v + 1.0) / 2.0)
        .collect();
    (
        Tensor::from_vec(x, &shape, &Device::Cpu).unwrap(),
        Tensor::from_vec(aus, (PICTURES, 17), &Device::Cpu).unwrap(),
    )
}

#[test]
fn procedural_weights_and_inputs_have_known_values() {
    assert_eq!(fnv1a64("source"), 0x76db_dc22_8f78_2db8);
    let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-7);
    assert!(close(
        &u("source", 4, 1),
        &[-0.618_547_9, 0.188_912_75, 0.332_225_68, 0.056_794_17]
    ));
    assert!(close(
        &image("source", &[1, 3, 256, 256], 1),
        &[0.190_726_04, 0.201_808_84, 0.212_891_62]
    ));
    assert!(close(
        &param("first.conv.weight", &[64, 3, 7, 7], 1),
        &[-0.003_938_18, -0.091_155, 0.023_307_1]
    ));
}

#[test]
fn ganimation_agrees_with_the_published_generator() {
    let config = Config::default();
    let generator = generator(&config, weights(&config, seed())).unwrap();
    let (x, aus) = inputs(seed());
    let output = generator.forward(&x, &aus).unwrap();
    let blended = result(&x, &output).unwrap();

    let expected = expected("ganimation.safetensors");
    for (name, found) in [
        ("color", &output.color),
        ("attention", &output.attention),
        ("result", &blended),
    ] {
        let d = difference(found, &expected[name]);
        println!("{name}: {d:e}");
        assert!(d <= 1e-3, "{name} differs by {d}");
    }
}

/// The critic, `D` of the paper's Sec. 4, which only training needs: its realism score and its Action Units.
fn critic(x: &Tensor, weights: Weights) -> candle_core::Result<[Tensor; 2]> {
    const LAYERS: usize = 6;
    let trunk = weights.pp("main");
    let (mut h, mut channels) = (x.clone(), 3);
    for i in 0..LAYERS {
        let (outputs, halving) = (64 << i, ConvConfig::new(2, 1));
        let conv = Conv2d::load(channels, outputs, 4, halving, true, trunk.pp(2 * i))?;
        let slopes = PRelu::new(&Tensor::full(0.01f32, outputs, x.device())?)?;
        h = conv.forward_then(&h, &Epilogue::prelu(&slopes))?;
        channels = outputs;
    }
    let left = 128 >> LAYERS;
    let (same, whole) = (ConvConfig::new(1, 1), ConvConfig::default());
    let realism = Conv2d::load(channels, 1, 3, same, false, weights.pp("conv1"))?;
    let aus = Conv2d::load(channels, 17, left, whole, false, weights.pp("conv2"))?;
    Ok([realism.forward(&h)?, aus.forward(&h)?])
}

#[test]
fn ganimation_agrees_with_the_published_critic() {
    let weights = crate::common::procedural::weights("critic.", seed());
    let expected = expected("ganimation.safetensors");
    // The critic's input was the generator's result, not the portrait.
    let [realism, aus] = critic(&expected["result"], weights).unwrap();
    assert_eq!(realism.dims(), [PICTURES, 1, 2, 2]);
    assert_eq!(aus.dims(), [PICTURES, 17, 1, 1]);
    for (name, found) in [("critic.real", realism), ("critic.aus", aus)] {
        // The authors squeeze dimensions of size 1.
        let wanted = &expected[name];
        let d = difference(&found.reshape(wanted.dims()).unwrap(), wanted);
        println!("{name}: {d:e}");
        assert!(d <= 1e-3, "{name} differs by {d}");
    }
}

#[test]
fn preparing_and_rendering_separately_equals_one_forward_pass() {
    let config = Config::default();
    let generator = generator(&config, weights(&config, seed())).unwrap();
    let (x, aus) = inputs(seed());
    let whole = generator.forward(&x, &aus).unwrap();
    for i in 0..PICTURES {
        let prepared: Prepared = generator.prepare(&x.narrow(0, i, 1).unwrap()).unwrap();
        let au = aus.get(i).unwrap().to_vec1::<f32>().unwrap();
        let output = generator.frame(&prepared, &au, &|| false).unwrap();
        let color = difference(&output.color, &whole.color.narrow(0, i, 1).unwrap());
        let attention = difference(&output.attention, &whole.attention.narrow(0, i, 1).unwrap());
        println!("picture {i}: color {color:e}, attention {attention:e}");
        // The parts of the first layer agree to 1e-5 (`nn_layers`); six blocks of normalisation amplify this rounding,
        // as they do in the 3e-5 of difference from PyTorch.
        assert!(color <= 1e-4 && attention <= 1e-4, "{color} {attention}");
    }
}

fn small() -> Config {
    Config {
        image_size: 32,
        conv_dim: 4,
        repeat_num: 2,
        c_dim: 5,
        ..Config::default()
    }
}

#[test]
fn a_cancelled_frame_stops_between_layers() {
    let generator = generator(&small(), weights(&small(), 1)).unwrap();
    let x = Tensor::zeros((1, 3, 32, 32), candle_core::DType::F32, &Device::Cpu).unwrap();
    let prepared = generator.prepare(&x).unwrap();
    let checks = AtomicUsize::new(0);
    let stop = || checks.fetch_add(1, Relaxed) + 1 == 4;
    let stopped = generator.frame(&prepared, &[0.5; 5], &stop);
    assert!(matches!(stopped, Err(Error::Cancelled)));
    assert_eq!(checks.load(Relaxed), 4);
}

#[test]
fn inputs_of_a_wrong_shape_are_refused_by_name() {
    let generator = generator(&small(), weights(&small(), 1)).unwrap();
    let zeros =
        |shape: [usize; 4]| Tensor::zeros(&shape, candle_core::DType::F32, &Device::Cpu).unwrap();
    for shape in [
        [1, 4, 32, 32],
        [2, 3, 32, 32],
        [1, 3, 30, 32],
        [1, 3, 0, 32],
    ] {
        let error = generator.prepare(&zeros(shape)).unwrap_err();
        assert!(matches!(error, Error::Picture { .. }), "{error}");
    }
    let prepared = generator.prepare(&zeros([1, 3, 32, 32])).unwrap();
    let never_stop = || false;
    assert!(matches!(
        generator.frame(&prepared, &[0.0; 4], &never_stop),
        Err(Error::ActionUnits {
            expected: 5,
            found: 4
        })
    ));
    assert!(matches!(
        generator.frame(&prepared, &[0.0, 0.0, f32::NAN, 0.0, 0.0], &never_stop),
        Err(Error::ActionUnitNotFinite { index: 2 })
    ));
}

#[test]
fn missing_or_misshapen_weights_are_refused_by_name() {
    let mut incomplete = weights(&small(), 1);
    incomplete.remove("main.10.main.3.weight");
    let error = generator(&small(), incomplete).unwrap_err();
    assert!(
        matches!(&error, Error::MissingTensor { name, .. } if name == "main.10.main.3.weight"),
        "{error:?}"
    );

    let wider = Config {
        conv_dim: 8,
        ..small()
    };
    let error = generator(&wider, weights(&small(), 1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the tensor “main.0.weight” should have the shape [8, 8, 7, 7], but the weights have [4, 8, 7, 7]"
    );
}

#[test]
fn invalid_configurations_are_refused() {
    let json = r#"{"image_size": 128, "conv_dim": 32, "repeat_num": 6, "c_dim": 17}"#;
    let config = Config::from_json(json).unwrap();
    assert_eq!(
        config,
        Config {
            conv_dim: 32,
            ..Config::default()
        }
    );
    for bad in [
        "",
        "{}",
        &json.replace("128", "130"),
        &json.replace("32", "0"),
    ] {
        assert!(
            matches!(Config::from_json(bad), Err(Error::Config(..))),
            "{bad}"
        );
    }
}
