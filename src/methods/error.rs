//! What can go wrong between a weights file and a frame.

use std::fmt;

use candle_core::Error as Candle;

use crate::progress::Stop;

/// Each text is one sentence for a person; the caller adds the file's name.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration that travels with the weights, or that their shapes tell, is unusable.
    #[error("The {configuration} can't be used: {1}.", configuration = .0.configuration())]
    Config(Network, String),
    /// The tensors' names belong to no generator of GANimation.
    #[error(
        "The weights are no GANimation generator that Mien knows: they have none of the three pairs of heads (“img_reg” and “attetion_reg”, “color_top” and “au_top”, “im_reg” and “im_att”)."
    )]
    Unknown,
    /// The weights lack a tensor.
    #[error("The weights lack the tensor “{name}”, which {network} needs.")]
    MissingTensor {
        /// What the weights are for.
        network: Network,
        /// Its full key.
        name: String,
    },
    /// A tensor doesn't fit the configuration.
    #[error(
        "The tensor “{name}” should have the shape {expected:?}, but the weights have {found:?}."
    )]
    TensorShape {
        /// Its full key.
        name: String,
        /// The shape that the configuration asks for.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A picture that the network can't take.
    #[error("Expected a picture of shape {expected}, found {found:?}.")]
    Picture {
        /// The shape in words, such as `[1, 3, H, W] with H and W multiples of 4`.
        expected: String,
        /// The picture's shape.
        found: Vec<usize>,
    },
    /// The wrong number of Action Units.
    #[error("Expected {expected} Action Units, found {found}.")]
    ActionUnits {
        /// As many as the weights know.
        expected: usize,
        /// As many as were given.
        found: usize,
    },
    /// An Action Unit that is NaN or infinite.
    #[error("Action Unit number {index} of the vector is not a finite number.")]
    ActionUnitNotFinite {
        /// Its place in the vector, from 0.
        index: usize,
    },
    /// A code of the wrong length.
    #[error("Expected {expected} numbers in the {code}, found {found}.")]
    Code {
        /// Which code, such as `content code`.
        code: &'static str,
        /// As many as the weights take.
        expected: usize,
        /// As many as were given.
        found: usize,
    },
    /// A number of a code that is NaN or infinite.
    #[error("Number {index} of the {code} is not a finite number.")]
    CodeNotFinite {
        /// Which code, such as `content code`.
        code: &'static str,
        /// Its place, from 0.
        index: usize,
    },
    /// No motion code was given.
    #[error("There is no motion code to draw a frame from.")]
    NoFrames,
    /// Key points of another model.
    #[error("Expected {expected}, found {found}; detect the key points with this model.")]
    KeyPoints {
        /// What the model works with, such as `10 key points with Jacobians`.
        expected: String,
        /// What was given.
        found: String,
    },
    /// A key point that is NaN or infinite.
    #[error("Key point number {index} is not a finite number.")]
    KeyPointNotFinite {
        /// Its place among the key points, from 0.
        index: usize,
    },
    /// Key points that motion can't be measured by.
    #[error("The motion can't be measured, because {0}; choose another picture or frame.")]
    Degenerate(&'static str),
    /// A network that these weights came without.
    #[error("These weights have no {0}; choose another way of driving.")]
    Absent(&'static str),
    /// The caller no longer wants the frame.
    #[error("The frame was cancelled.")]
    Cancelled,
    /// Everything else: out of memory, a device that failed.
    #[error("The network could not run: {0}")]
    Tensor(Candle),
}

/// What weights are for, as the messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    GANimation,
    MoCoGan,
    /// One that moves a picture by key points: FOMM or TPS.
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
    /// Finds in an error of candle's loader what a person needs: which tensor, which shapes.
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

/// # Errors
/// [`Error::Cancelled`] once `stop` says so.
pub(super) fn check(stop: Stop) -> Result<(), Error> {
    if stop() {
        Err(Error::Cancelled)
    } else {
        Ok(())
    }
}
