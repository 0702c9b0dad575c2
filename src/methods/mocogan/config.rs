//! The sizes of a MoCoGAN generator, as its weights file carries them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::methods::error::{Error, Network};

/// The sizes of a generator; the defaults are the authors' own for faces (MUG).
///
/// Read from JSON such as `{"content": 50, "category": 6, "motion": 10, "ngf": 64, "image_size": 64, "channels": 3}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Numbers of the content code (`dim_z_content`).
    pub content: usize,
    /// Categories (`dim_z_category`); 0 for weights that know none.
    pub category: usize,
    /// Numbers of a motion code (`dim_z_motion`), and of the noise behind it.
    pub motion: usize,
    /// Channels before the last layer; eight times as many behind the first.
    pub ngf: usize,
    /// Pixels along each side of a frame: always 64, which the five layers make of a single point.
    pub image_size: usize,
    /// Channels of a frame: 3 for colour.
    pub channels: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            content: 50,
            category: 6,
            motion: 10,
            ngf: 64,
            image_size: Self::IMAGE_SIZE,
            channels: 3,
        }
    }
}

impl Config {
    /// What the published network draws.
    pub const IMAGE_SIZE: usize = 64;

    /// Numbers that a frame is drawn from.
    pub fn latent(&self) -> usize {
        self.content + self.category + self.motion
    }

    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// [`Error::Config`] if it isn't JSON with these six numbers or a number is out of range.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let config: Self = serde_json::from_str(json)
            .map_err(|e| Error::Config(Network::MoCoGan, e.to_string()))?;
        config.validate()?;
        Ok(config)
    }

    /// Checks that a network of these sizes can be made.
    ///
    /// # Errors
    /// [`Error::Config`] naming the first number that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        // The upper bounds only keep a damaged file from asking for more memory than there is.
        let size = Self::IMAGE_SIZE;
        let ranges = [
            ("content", self.content, 0, 4096),
            ("category", self.category, 0, 4096),
            ("motion", self.motion, 1, 4096),
            ("ngf", self.ngf, 1, 512),
            ("image_size", self.image_size, size, size),
            ("channels", self.channels, 1, 16),
        ];
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(Error::Config(
                    Network::MoCoGan,
                    if least == most {
                        format!("{name} is {value}, but must be {least}")
                    } else {
                        format!("{name} is {value}, but must be from {least} to {most}")
                    },
                ));
            }
        }
        Ok(())
    }

    /// Finds the sizes from the tensors' shapes, by the authors' keys.
    ///
    /// The weights hold content and category as one run of inputs, so their border can't be seen. A run of 56 is taken
    /// for the released 50 + 6; any other for content alone, which draws the same frames: the last numbers of such a
    /// content code are the category.
    ///
    /// # Errors
    /// [`Error::MissingTensor`] for one of the three tensors that it looks at, [`Error::Config`] if their shapes are no
    /// such generator's.
    pub fn infer(shapes: &BTreeMap<String, Vec<usize>>) -> Result<Self, Error> {
        let shape = |name: &str| {
            shapes.get(name).ok_or_else(|| Error::MissingTensor {
                network: Network::MoCoGan,
                name: name.to_owned(),
            })
        };
        let bad = |name: &str, shape: &[usize]| {
            Err(Error::Config(
                Network::MoCoGan,
                format!("the tensor “{name}” of shape {shape:?} is no MoCoGAN generator's"),
            ))
        };

        let (gru, first, last) = ("recurrent.weight_ih", "main.0.weight", "main.12.weight");
        let motion = match *shape(gru)?.as_slice() {
            [gates, motion] if gates == 3 * motion => motion,
            ref other => return bad(gru, other),
        };
        let (latent, wide) = match *shape(first)?.as_slice() {
            [latent, wide, 4, 4] if latent >= motion && wide.is_multiple_of(8) => (latent, wide),
            ref other => return bad(first, other),
        };
        let (ngf, channels) = match *shape(last)?.as_slice() {
            [ngf, channels, 4, 4] if 8 * ngf == wide => (ngf, channels),
            ref other => return bad(last, other),
        };
        let (content, category) = match latent - motion {
            56 => (50, 6),
            content => (content, 0),
        };
        let config = Self {
            content,
            category,
            motion,
            ngf,
            image_size: Self::IMAGE_SIZE,
            channels,
        };
        config.validate()?;
        Ok(config)
    }
}
