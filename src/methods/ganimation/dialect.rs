//! The tensor names of three code bases for the same network, and where their networks differ.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::config::Config;
use crate::methods::error::{Error, Network};

/// The code base that the weights come from.
///
/// All three take pictures in `[-1, 1]` and Action Units divided by 5, and all three blend as [`result`](super::result)
/// does: an attention of 1 keeps the source. They differ in the tensors' names, and in the norms as described for
/// [`Dialect::Donydchen`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// [albertpumarola/GANimation](https://github.com/albertpumarola/GANimation), the paper's
    /// own code: `main`, `img_reg.0`, `attetion_reg.0` (spelt so).
    #[default]
    Authors,
    /// [donydchen/ganimation_replicate](https://github.com/donydchen/ganimation_replicate):
    /// `model`, `color_top.0`, `au_top.0` (the attention).
    ///
    /// Its norms have neither weight nor bias, and every convolution before a norm has a bias. These biases are never
    /// read: the norm subtracts each plane's mean, which cancels them. Networks trained with its `--use_dropout` or with
    /// another `--norm` than `instance` are not supported.
    Donydchen,
    /// [vipermu/ganimation](https://github.com/vipermu/ganimation): `main`, `im_reg.0`,
    /// `im_att.0` (which its generator returns first). The layers are repeated under `debug1` to `debug4`, which share
    /// the tensors of `main` and are never read. Its test script divides the Action Units by 3 to exaggerate; its
    /// training divided by 5.
    Vipermu,
}

impl Dialect {
    /// All dialects.
    pub const ALL: [Dialect; 3] = [Dialect::Authors, Dialect::Donydchen, Dialect::Vipermu];

    /// The key of the layers before the heads.
    pub(super) fn trunk(self) -> &'static str {
        match self {
            Dialect::Authors | Dialect::Vipermu => "main",
            Dialect::Donydchen => "model",
        }
    }

    /// The key of the layers in a residual block.
    pub(super) fn block(self) -> &'static str {
        match self {
            Dialect::Authors | Dialect::Vipermu => "main",
            Dialect::Donydchen => "conv_block",
        }
    }

    /// The keys of the heads: colour, attention.
    pub(super) fn heads(self) -> [&'static str; 2] {
        match self {
            Dialect::Authors => ["img_reg.0", "attetion_reg.0"],
            Dialect::Donydchen => ["color_top.0", "au_top.0"],
            Dialect::Vipermu => ["im_reg.0", "im_att.0"],
        }
    }

    /// Whether the norms have weight and bias.
    pub(super) fn affine(self) -> bool {
        self != Dialect::Donydchen
    }
}

/// The index of the first residual block in the trunk.
pub(super) const FIRST_BLOCK: usize = 9;

impl Config {
    /// Infers a generator's dialect and configuration from the tensors' names and shapes. `image_size` can't be inferred:
    /// it is 128, at which all three code bases trained.
    ///
    /// # Errors
    /// [`Error::Unknown`] if the heads of no dialect exist, [`Error::MissingTensor`] if the first layer doesn't,
    /// [`Error::Config`] if its shape isn't that of such a generator.
    pub fn infer(shapes: &BTreeMap<String, Vec<usize>>) -> Result<Self, Error> {
        let has_heads = |dialect: &Dialect| {
            let mut heads = dialect.heads().into_iter();
            heads.all(|head| shapes.contains_key(&format!("{head}.weight")))
        };
        let dialect = Dialect::ALL
            .into_iter()
            .find(has_heads)
            .ok_or(Error::Unknown)?;

        let name = format!("{}.0.weight", dialect.trunk());
        let Some(first) = shapes.get(&name) else {
            return Err(Error::MissingTensor {
                network: Network::GANimation,
                name,
            });
        };
        let (conv_dim, c_dim) = match *first.as_slice() {
            [conv_dim, inputs, 7, 7] if inputs > 3 => (conv_dim, inputs - 3),
            ref other => {
                return Err(Error::Config(
                    Network::GANimation,
                    format!(
                        "the tensor “{name}” of shape {other:?} is not a generator's first layer"
                    ),
                ));
            }
        };
        let is_block = |place: usize| {
            let name = format!("{}.{place}.{}.0.weight", dialect.trunk(), dialect.block());
            shapes.contains_key(&name)
        };
        let config = Self {
            conv_dim,
            repeat_num: (FIRST_BLOCK..).take_while(|&place| is_block(place)).count(),
            c_dim,
            dialect,
            ..Self::default()
        };
        config.validate()?;
        Ok(config)
    }
}
