//! What can be wrong with the weights that a network is made of.

use candle_core::Error;

/// What an error of candle's loader says, where it is about a tensor.
pub(super) enum Fault {
    /// There is no tensor of this full key.
    Missing(String),
    /// The tensor has another shape than the configuration asks for.
    Shape {
        name: String,
        expected: Vec<usize>,
        found: Vec<usize>,
    },
    Other(Error),
}

impl Fault {
    pub fn of(error: Error) -> Self {
        match error {
            Error::WithBacktrace { inner, .. } => Self::of(*inner),
            Error::WithPath { inner, .. } => Self::of(*inner),
            Error::CannotFindTensor { path } => Self::Missing(path),
            Error::UnexpectedShape { msg, expected, got } => Self::Shape {
                name: msg
                    .strip_prefix("shape mismatch for ")
                    .unwrap_or(&msg)
                    .to_owned(),
                expected: expected.into_dims(),
                found: got.into_dims(),
            },
            other => Self::Other(other),
        }
    }
}
