//! What can go wrong between a weights file and a frame.

use crate::methods::loading::Fault;

/// Each text is one sentence for a person; the caller adds the file's name.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration that travels with the weights is unusable.
    #[error("The MoCoGAN configuration can't be used: {0}.")]
    Config(String),
    /// The weights lack a tensor.
    #[error("The weights lack the tensor “{name}”, which a MoCoGAN generator needs.")]
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
    /// A code of the wrong length.
    #[error("Expected {expected} numbers in the {code}, found {found}.")]
    Code {
        /// Which code, such as `content code`.
        code: &'static str,
        /// As many as the weights take.
        expected: usize,
        /// As many as came.
        found: usize,
    },
    /// A number that is none.
    #[error("Number {index} of the {code} is not a finite number.")]
    NotFinite {
        /// Which code, such as `content code`.
        code: &'static str,
        /// Its place, from 0.
        index: usize,
    },
    /// No frame was asked for.
    #[error("There is no motion code to draw a frame from.")]
    NoFrames,
    /// The caller no longer wants the frames.
    #[error("The frames were cancelled.")]
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

    /// Checks a code that a caller gives.
    pub(super) fn check(code: &'static str, values: &[f32], expected: usize) -> Result<(), Self> {
        if values.len() != expected {
            return Err(Self::Code {
                code,
                expected,
                found: values.len(),
            });
        }
        match values.iter().position(|v| !v.is_finite()) {
            Some(index) => Err(Self::NotFinite { code, index }),
            None => Ok(()),
        }
    }
}
