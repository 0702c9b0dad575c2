//! Errors in a checkpoint, before the file's path is attached.

use std::path::Path;

use crate::weights::WeightsError;

/// Maximum characters of a name from the file in an error.
const MAX_NAME_CHARACTERS: usize = 60;

/// An error in a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Another kind of file: which, and advice.
    NotCheckpoint(&'static str, &'static str),
    /// Truncated, or invalid bytes.
    Damaged(String),
    /// Loading it would run this callable.
    Runs(String),
    /// Beyond a limit.
    Excessive(String),
    /// Something that torch can write and Mien doesn't read.
    Unsupported(String),
    /// There are no tensors in it.
    Empty,
}

impl Fault {
    pub(super) fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged(reason.into())
    }

    pub(super) fn excessive(reason: impl Into<String>) -> Self {
        Self::Excessive(reason.into())
    }

    pub(super) fn unsupported(reason: impl Into<String>) -> Self {
        Self::Unsupported(reason.into())
    }

    /// Attaches the path.
    pub(super) fn at(self, path: &Path) -> WeightsError {
        let path = path.to_owned();
        match self {
            Self::NotCheckpoint(what, advice) => WeightsError::NotCheckpoint { path, what, advice },
            Self::Damaged(reason) => WeightsError::Damaged { path, reason },
            Self::Runs(name) => WeightsError::RunsCode { path, name },
            Self::Excessive(reason) => WeightsError::Excessive { path, reason },
            Self::Unsupported(reason) => WeightsError::Unsupported { path, reason },
            Self::Empty => WeightsError::NoTensors { path },
        }
    }
}

/// Sanitises a name from the file for an error: short, printable ASCII, no escape sequences.
pub(in crate::weights) fn sanitised(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() { c } else { '?' };
    let mut text: String = name.chars().take(MAX_NAME_CHARACTERS).map(plain).collect();
    if name.chars().nth(MAX_NAME_CHARACTERS).is_some() {
        text.push_str("...");
    }
    text
}
