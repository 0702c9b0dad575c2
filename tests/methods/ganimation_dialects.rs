//! The three dialects of GANimation's weights compared with their authors' layers, written with candle's operations.

use std::collections::BTreeMap;

use crate::common::procedural::{image, u, weights};
use candle_core::{D, Device, Tensor};
use mien::methods::error::Error;
use mien::methods::ganimation::{Config, Dialect, Generator};
use mien::nn::{Precision, Weights};

fn small(dialect: Dialect) -> Config {
    Config {
        image_size: 32,
        conv_dim: 4,
        repeat_num: 2,
        c_dim: 5,
        dialect,
    }
}

/// The names of the layers in each code base.
struct Names {
    trunk: &'static str,
    block: &'static str,
    color: &'static str,
    attention: &'static str,
    /// Whether convolutions before a norm have a bias and norms have none.
    biases: bool,
}

fn names(dialect: Dialect) -> Names {
    match dialect {
        Dialect::Authors => Names {
            trunk: "main",
            block: "main",
            color: "img_reg",
            attention: "attetion_reg",
            biases: false,
        },
        Dialect::Donydchen => Names {
            trunk: "model",
            block: "conv_block",
            color: "color_top",
            attention: "au_top",
            biases: true,
        },
        Dialect::Vipermu => Names {
            trunk: "main",
            block: "main",
            color: "im_reg",
            attention: "im_att",
            biases: false,
        },
    }
}

/// The generator as in its code base, layer by layer.
struct Plain {
    weights: Weights<'static>,
    names: Names,
}

impl Plain {
    fn bias(&self, h: Tensor, key: &str, channels: usize) -> Tensor {
        let bias = self.weights.get(channels, &format!("{key}.bias")).unwrap();
        h.broadcast_add(&bias.reshape((1, channels, 1, 1)).unwrap())
            .unwrap()
    }

    fn conv(
        &self,
        h: &Tensor,
        key: &str,
        (outputs, kernel, stride): (usize, usize, usize),
    ) -> Tensor {
        let inputs = h.dim(1).unwrap();
        let padding = if kernel == 7 { 3 } else { 1 };
        let weight = self
            .weights
            .get((outputs, inputs, kernel, kernel), &format!("{key}.weight"))
            .unwrap();
        let h = h.conv2d(&weight, padding, stride, 1, 1).unwrap();
        // Neither head has a bias.
        if self.names.biases && (kernel != 7 || key == "model.0") {
            return self.bias(h, key, outputs);
        }
        h
    }

    fn transposed(&self, h: &Tensor, key: &str) -> Tensor {
        let inputs = h.dim(1).unwrap();
        let weight = self
            .weights
            .get((inputs, inputs / 2, 4, 4), &format!("{key}.weight"))
            .unwrap();
        let h = h.conv_transpose2d(&weight, 1, 0, 2, 1).unwrap();
        if self.names.biases {
            return self.bias(h, key, inputs / 2);
        }
        h
    }

    fn norm(&self, h: &Tensor, key: &str) -> Tensor {
        let (n, channels, height, width) = h.dims4().unwrap();
        let flat = h.reshape((n, channels, height * width)).unwrap();
        let centred = flat
            .broadcast_sub(&flat.mean_keepdim(D::Minus1).unwrap())
            .unwrap();
        let variance = centred.sqr().unwrap().mean_keepdim(D::Minus1).unwrap();
        let spread = (variance + 1e-5).unwrap().sqrt().unwrap();
        let h = centred.broadcast_div(&spread).unwrap();
        let h = h.reshape((n, channels, height, width)).unwrap();
        if self.names.biases {
            return h;
        }
        let of = |name: &str| {
            let tensor = self
                .weights
                .get(channels, &format!("{key}.{name}"))
                .unwrap();
            tensor.reshape((1, channels, 1, 1)).unwrap()
        };
        h.broadcast_mul(&of("weight"))
            .unwrap()
            .broadcast_add(&of("bias"))
            .unwrap()
    }

    fn forward(&self, x: &Tensor, aus: &Tensor) -> (Tensor, Tensor) {
        let config = small(Dialect::Authors);
        let (d, blocks) = (config.conv_dim, config.repeat_num);
        let (n, _, height, width) = x.dims4().unwrap();
        let planes = aus.reshape((n, config.c_dim, 1, 1)).unwrap();
        let planes = planes
            .broadcast_as((n, config.c_dim, height, width))
            .unwrap();
        let key = |i: usize| format!("{}.{i}", self.names.trunk);

        let mut h = Tensor::cat(&[x, &planes], 1).unwrap();
        for (i, layer) in [(0, (d, 7, 1)), (3, (2 * d, 4, 2)), (6, (4 * d, 4, 2))] {
            h = self.conv(&h, &key(i), layer);
            h = self.norm(&h, &key(i + 1)).relu().unwrap();
        }
        for block in 9..9 + blocks {
            let key = |i: usize| format!("{}.{}.{i}", key(block), self.names.block);
            let inner = self.conv(&h, &key(0), (4 * d, 3, 1));
            let inner = self.norm(&inner, &key(1)).relu().unwrap();
            let inner = self.conv(&inner, &key(3), (4 * d, 3, 1));
            h = (h + self.norm(&inner, &key(4))).unwrap();
        }
        for i in [9 + blocks, 12 + blocks] {
            h = self.transposed(&h, &key(i));
            h = self.norm(&h, &key(i + 1)).relu().unwrap();
        }
        let color = self.conv(&h, &format!("{}.0", self.names.color), (3, 7, 1));
        let attention = self.conv(&h, &format!("{}.0", self.names.attention), (1, 7, 1));
        (
            color.tanh().unwrap(),
            candle_nn::ops::sigmoid(&attention).unwrap(),
        )
    }
}

fn difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let most = (a - b).unwrap().abs().unwrap().max_all().unwrap();
    most.to_scalar::<f32>().unwrap()
}

fn inputs(pictures: usize) -> (Tensor, Tensor) {
    let shape = [pictures, 3, 32, 32];
    let x = Tensor::from_vec(image("portrait", &shape, 1), &shape, &Device::Cpu).unwrap();
    let aus = Tensor::from_vec(u("aus", pictures * 5, 1), (pictures, 5), &Device::Cpu).unwrap();
    (x.affine(2.0, -1.0).unwrap(), aus.affine(0.5, 0.5).unwrap())
}

#[test]
fn each_dialect_agrees_with_the_layers_of_its_authors() {
    let (x, aus) = inputs(2);
    let mut colors: Vec<Tensor> = Vec::new();
    for dialect in Dialect::ALL {
        let plain = Plain {
            weights: weights("", 1),
            names: names(dialect),
        };
        let (color, attention) = plain.forward(&x, &aus);
        let generator = Generator::new(&small(dialect), weights("", 1)).unwrap();
        let output = generator.forward(&x, &aus).unwrap();
        let (c, a) = (
            difference(&output.color, &color),
            difference(&output.attention, &attention),
        );
        println!("{dialect:?}: color {c:e}, attention {a:e}");
        assert!(c <= 1e-4 && a <= 1e-4, "{dialect:?}: {c} {a}");

        let prepared = generator.prepare(&x.narrow(0, 1, 1).unwrap()).unwrap();
        let au = aus.get(1).unwrap().to_vec1::<f32>().unwrap();
        let frame = generator.frame(&prepared, &au, &|| false).unwrap();
        let d = difference(&frame.color, &output.color.narrow(0, 1, 1).unwrap());
        assert!(d <= 1e-4, "{dialect:?} in two steps: {d}");

        // The weights' names differ, so the results must too.
        for other in &colors {
            assert!(difference(other, &color) > 1e-2);
        }
        colors.push(color);
    }
}

/// Every tensor in a code base's `state_dict()`, with the running statistics of old checkpoints.
fn shapes(config: &Config) -> BTreeMap<String, Vec<usize>> {
    let Names {
        trunk,
        block,
        color,
        attention,
        biases,
    } = names(config.dialect);
    let (d, blocks) = (config.conv_dim, config.repeat_num);
    let mut shapes = BTreeMap::new();
    let mut layer = |key: String, place: usize, shape: [usize; 4], channels: usize| {
        shapes.insert(format!("{key}.{place}.weight"), shape.to_vec());
        if biases {
            shapes.insert(format!("{key}.{place}.bias"), vec![channels]);
        } else {
            for name in ["weight", "bias", "running_mean", "running_var"] {
                shapes.insert(format!("{key}.{}.{name}", place + 1), vec![channels]);
            }
        }
    };
    let first = [d, 3 + config.c_dim, 7, 7];
    layer(trunk.into(), 0, first, d);
    layer(trunk.into(), 3, [2 * d, d, 4, 4], 2 * d);
    layer(trunk.into(), 6, [4 * d, 2 * d, 4, 4], 4 * d);
    for i in 9..9 + blocks {
        for place in [0, 3] {
            let key = format!("{trunk}.{i}.{block}");
            layer(key, place, [4 * d, 4 * d, 3, 3], 4 * d);
        }
    }
    layer(trunk.into(), 9 + blocks, [4 * d, 2 * d, 4, 4], 2 * d);
    layer(trunk.into(), 12 + blocks, [2 * d, d, 4, 4], d);
    shapes.insert(format!("{color}.0.weight"), vec![3, d, 7, 7]);
    shapes.insert(format!("{attention}.0.weight"), vec![1, d, 7, 7]);
    if config.dialect == Dialect::Vipermu {
        for (key, shape) in shapes.clone() {
            if let Some(rest) = key.strip_prefix("main.") {
                shapes.insert(format!("debug4.{rest}"), shape);
            }
        }
        shapes.insert("debug1.0.weight".into(), first.to_vec());
    }
    shapes
}

#[test]
fn a_dialect_is_inferred_and_loads_from_its_tensors() {
    for dialect in Dialect::ALL {
        for repeat_num in [0, 2, 6] {
            let config = Config {
                image_size: 128,
                repeat_num,
                ..small(dialect)
            };
            let shapes = shapes(&config);
            assert_eq!(Config::infer(&shapes).unwrap(), config);

            // As in a file: only its own tensors, without the duplicates.
            let tensors = shapes
                .into_iter()
                .filter(|(key, _)| !key.starts_with("debug"))
                .map(|(key, shape)| {
                    let zeros = Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu);
                    (key, zeros.unwrap())
                })
                .collect();
            let weights = Weights::from_tensors(tensors, &Device::Cpu, Precision::Single);
            Generator::new(&config, weights).unwrap();
        }
    }
}

#[test]
fn shapes_that_are_no_generator_are_refused() {
    let good = shapes(&small(Dialect::Donydchen));
    let without = |name: &str| {
        let mut shapes = good.clone();
        shapes.remove(name);
        Config::infer(&shapes).unwrap_err()
    };
    assert!(matches!(
        Config::infer(&BTreeMap::new()),
        Err(Error::Unknown)
    ));
    assert!(matches!(without("au_top.0.weight"), Error::Unknown));
    assert!(
        matches!(without("model.0.weight"), Error::MissingTensor { name, .. } if name == "model.0.weight")
    );
    for shape in [vec![4, 3, 7, 7], vec![4, 8, 3, 3], vec![4]] {
        let mut bad = good.clone();
        bad.insert("model.0.weight".into(), shape);
        assert!(matches!(Config::infer(&bad), Err(Error::Config(..))));
    }
}

#[test]
fn the_dialect_is_an_optional_field_of_the_configuration() {
    let old = r#"{"image_size": 128, "conv_dim": 64, "repeat_num": 6, "c_dim": 17}"#;
    assert_eq!(Config::from_json(old).unwrap(), Config::default());
    for dialect in Dialect::ALL {
        let config = small(dialect);
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(Config::from_json(&json).unwrap(), config);
    }
    let named = old.replace('}', r#", "dialect": "donydchen"}"#);
    assert_eq!(
        Config::from_json(&named).unwrap().dialect,
        Dialect::Donydchen
    );
    let unknown = old.replace('}', r#", "dialect": "klingon"}"#);
    assert!(matches!(
        Config::from_json(&unknown),
        Err(Error::Config(..))
    ));
}
