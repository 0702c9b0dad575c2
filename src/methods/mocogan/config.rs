//! The configuration of a MoCoGAN generator, as stored in its weights file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::methods::error::{Error, Network};
use crate::text;

/// The configuration of a generator; the defaults are the authors' for faces (MUG).
///
/// Read from JSON such as `{"content": 50, "category": 6, "motion": 10, "ngf": 64, "image_size": 64, "channels": 3}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Length of the content code (`dim_z_content`).
    pub content: usize,
    /// Number of categories (`dim_z_category`); 0 for weights without categories.
    pub category: usize,
    /// Length of a motion code (`dim_z_motion`), and of its noise.
    pub motion: usize,
    /// Channels before the last layer; eight times as many after the first.
    pub ngf: usize,
    /// Side of a frame in pixels: always 64, which five layers upsample from a single point.
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
    /// The published network's frame side in pixels.
    pub const IMAGE_SIZE: usize = 64;

    /// Length of the vector that a frame is generated from.
    pub fn latent(&self) -> usize {
        self.content + self.category + self.motion
    }

    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// [`Error::Config`] if it isn't JSON with these six fields or a value is out of range.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let config: Self = serde_json::from_str(json)
            .map_err(|e| Error::Config(Network::MoCoGan, text::fault(&e)))?;
        config.validate()?;
        Ok(config)
    }

    /// Checks that a network with this configuration can be built.
    ///
    /// # Errors
    /// [`Error::Config`] naming the first value that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        // The upper bounds only stop a damaged file from exhausting memory.
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

    /// Infers the configuration from the tensors' shapes, by the authors' keys.
    ///
    /// Content and category are consecutive inputs of the weights, so the shapes don't show where one ends. A total of 56
    /// is taken as the released 50 + 6; any other as content alone, which gives the same frames: the last values of such
    /// a content code are the category.
    ///
    /// # Errors
    /// [`Error::MissingTensor`] for one of the three tensors that it reads, [`Error::Config`] if their shapes aren't
    /// those of such a generator.
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
                format!(
                    "the tensor “{name}” of shape {shape:?} doesn't belong to a MoCoGAN generator"
                ),
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
