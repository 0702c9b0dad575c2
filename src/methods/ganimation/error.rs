//! What can go wrong between a weights file and a frame.

use crate::methods::loading::Fault;

/// Each text is one sentence for a person; the caller adds the file's name.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration that travels with the weights is unusable.
    #[error("The GANimation configuration can't be used: {0}.")]
    Config(String),
    /// The tensors' names are no generator's.
    #[error(
        "The weights are no GANimation generator that Mien knows: they have none of the three pairs of heads (“img_reg” and “attetion_reg”, “color_top” and “au_top”, “im_reg” and “im_att”)."
    )]
    Unknown,
    /// The weights lack a tensor.
    #[error("The weights lack the tensor “{name}”, which a GANimation network needs.")]
    MissingTensor {
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
        expected: &'static str,
        /// The picture's shape.
        found: Vec<usize>,
    },
    /// The wrong number of Action Units.
    #[error("Expected {expected} Action Units, found {found}.")]
    ActionUnits {
        /// As many as the weights know.
        expected: usize,
        /// As many as came.
        found: usize,
    },
    /// An Action Unit that is no number.
    #[error("Action Unit number {index} of the vector is not a finite number.")]
    NotFinite {
        /// Its place in the vector, from 0.
        index: usize,
    },
    /// The caller no longer wants the frame.
    #[error("The frame was cancelled.")]
    Cancelled,
    /// Everything else: out of memory, a device that failed.
    #[error("The network could not run: {0}")]
    Tensor(candle_core::Error),
}

impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        Self::Tensor(error)
    }
}

impl Error {
    /// Finds in an error of candle's loader what a person needs: which tensor, which shapes.
    pub(super) fn loading(error: candle_core::Error) -> Self {
        match Fault::of(error) {
            Fault::Missing(name) => Self::MissingTensor { name },
            Fault::Shape {
                name,
                expected,
                found,
            } => Self::TensorShape {
                name,
                expected,
                found,
            },
            Fault::Other(error) => Self::Tensor(error),
        }
    }
}
