//! Errors from opening weights to rendering a frame.

use std::fmt;

use candle_core::Error as Candle;

use crate::progress::Stop;

/// Each message is a part of a sentence: the caller adds the file's name, or what failed, and the full stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration, stored with the weights or inferred from their shapes, is unusable.
    #[error("the {configuration} can't be used: {1}", configuration = .0.configuration())]
    Config(Network, String),
    /// The tensors' names belong to no known GANimation generator.
    #[error(
        "the weights are not a GANimation generator that Mien knows: they have none of the three pairs of heads (“img_reg” and “attetion_reg”, “color_top” and “au_top”, “im_reg” and “im_att”)"
    )]
    Unknown,
    /// The weights lack a tensor.
    #[error("the weights lack the tensor “{name}”, which {network} needs")]
    MissingTensor {
        /// The network that needs it.
        network: Network,
        /// Its full key.
        name: String,
    },
    /// A tensor doesn't fit the configuration.
    #[error(
        "the tensor “{name}” should have the shape {expected:?}, but the weights have {found:?}"
    )]
    TensorShape {
        /// Its full key.
        name: String,
        /// The shape that the configuration implies.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A picture that the network doesn't accept.
    #[error("expected a picture of shape {expected}, found {found:?}")]
    Picture {
        /// The shape in words, such as `[1, 3, H, W] with H and W multiples of 4`.
        expected: String,
        /// The picture's shape.
        found: Vec<usize>,
    },
    /// The wrong number of Action Units.
    #[error("expected {expected} Action Units, found {found}")]
    ActionUnits {
        /// The number that the weights take.
        expected: usize,
        /// The number that was passed.
        found: usize,
    },
    /// An Action Unit that is NaN or infinite.
    #[error("Action Unit number {index} of the vector is not a finite number")]
    ActionUnitNotFinite {
        /// Its index in the vector, from 0.
        index: usize,
    },
    /// A code of the wrong length.
    #[error("expected {expected} numbers in the {code}, found {found}")]
    Code {
        /// Which code, such as `content code`.
        code: &'static str,
        /// The length that the weights take.
        expected: usize,
        /// The length that was passed.
        found: usize,
    },
    /// A number of a code that is NaN or infinite.
    #[error("number {index} of the {code} is not a finite number")]
    CodeNotFinite {
        /// Which code, such as `content code`.
        code: &'static str,
        /// Its index, from 0.
        index: usize,
    },
    /// No motion code was given.
    #[error("there is no motion code to draw a frame from")]
    NoFrames,
    /// Key points that don't fit this model.
    #[error("expected {expected}, found {found}; detect the key points with this model")]
    KeyPoints {
        /// What the model takes, such as `10 key points with Jacobians`.
        expected: String,
        /// What was passed.
        found: String,
    },
    /// A key point that is NaN or infinite.
    #[error("key point number {index} is not a finite number")]
    KeyPointNotFinite {
        /// Its index, from 0.
        index: usize,
    },
    /// Key points from which no motion can be computed.
    #[error("the motion can't be measured because {0}")]
    Degenerate(&'static str),
    /// A network that these weights don't include.
    #[error("these weights have no {0}")]
    Absent(&'static str),
    /// The caller cancelled the frame.
    #[error("the frame was cancelled")]
    Cancelled,
    /// Any other failure: out of memory, a failed device.
    #[error("the network could not run: {0}")]
    Tensor(Candle),
}

/// A network, as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// GANimation's generator.
    GANimation,
    /// MoCoGAN's generator.
    MoCoGan,
    /// A network that moves a picture by key points: FOMM or TPS.
    Motion,
}

impl Network {
    fn configuration(self) -> &'static str {
        match self {
            Self::GANimation => "GANimation configuration",
            Self::MoCoGan => "MoCoGAN configuration",
            Self::Motion => "model's configuration",
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GANimation => "a GANimation network",
            Self::MoCoGan => "a MoCoGAN generator",
            Self::Motion => "the model",
        })
    }
}

impl From<Candle> for Error {
    fn from(error: Candle) -> Self {
        Self::Tensor(error)
    }
}

impl Error {
    /// Converts an error of candle's loader, extracting the tensor's name and shapes.
    pub(super) fn loading(network: Network, error: Candle) -> Self {
        match error {
            Candle::WithBacktrace { inner, .. } => Self::loading(network, *inner),
            Candle::WithPath { inner, .. } => Self::loading(network, *inner),
            Candle::CannotFindTensor { path } => Self::MissingTensor {
                network,
                name: path,
            },
            Candle::UnexpectedShape { msg, expected, got } => Self::TensorShape {
                name: msg
                    .strip_prefix("shape mismatch for ")
                    .unwrap_or(&msg)
                    .to_owned(),
                expected: expected.into_dims(),
                found: got.into_dims(),
            },
            other => Self::Tensor(other),
        }
    }
}

/// Returns an error once `stop` returns true.
///
/// # Errors
/// [`Error::Cancelled`].
pub(super) fn check(stop: Stop) -> Result<(), Error> {
    if stop() {
        Err(Error::Cancelled)
    } else {
        Ok(())
    }
}
