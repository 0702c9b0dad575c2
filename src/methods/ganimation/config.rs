//! The configuration of a GANimation generator, as stored in its weights file.

use serde::{Deserialize, Serialize};

use super::dialect::Dialect;
use crate::methods::MAX_IMAGE_SIZE;
use crate::methods::error::{Error, Network};
use crate::text;

/// The configuration of a generator; the defaults are the paper's.
///
/// Read from JSON such as `{"image_size": 128, "conv_dim": 32, "repeat_num": 6, "c_dim": 17}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Side of the training pictures in pixels; a multiple of 4.
    pub image_size: usize,
    /// Channels after the first convolution; four times as many in the bottleneck.
    pub conv_dim: usize,
    /// Residual blocks in the bottleneck.
    pub repeat_num: usize,
    /// Number of Action Units.
    pub c_dim: usize,
    /// The code base that the weights come from; the authors' by default.
    #[serde(default)]
    pub dialect: Dialect,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            image_size: 128,
            conv_dim: 64,
            repeat_num: 6,
            c_dim: 17,
            dialect: Dialect::Authors,
        }
    }
}

impl Config {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// [`Error::Config`] if it isn't JSON with the four numbers or a value is out of range.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let config: Self = serde_json::from_str(json)
            .map_err(|e| Error::Config(Network::GANimation, text::fault(&e)))?;
        config.validate()?;
        Ok(config)
    }

    /// Checks that a network with this configuration can be built.
    ///
    /// # Errors
    /// [`Error::Config`] naming the first value that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        // The upper bounds only stop a damaged file from exhausting memory.
        let ranges = [
            ("image_size", self.image_size, 8, MAX_IMAGE_SIZE),
            ("conv_dim", self.conv_dim, 1, 1024),
            ("repeat_num", self.repeat_num, 0, 64),
            ("c_dim", self.c_dim, 1, 1024),
        ];
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(Error::Config(
                    Network::GANimation,
                    format!("{name} is {value}, but must be from {least} to {most}"),
                ));
            }
        }
        if !self.image_size.is_multiple_of(4) {
            return Err(Error::Config(
                Network::GANimation,
                format!(
                    "image_size is {}, but must be a multiple of 4",
                    self.image_size
                ),
            ));
        }
        Ok(())
    }
}
