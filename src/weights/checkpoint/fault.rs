//! What is wrong with a checkpoint, before it is known what the file is called.

use std::path::Path;

use crate::weights::WeightsError;

/// The characters of a name from the file that an error shows.
const SHOWN: usize = 60;

/// What is wrong with a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Another kind of file: what it is, and what to do.
    Other(&'static str, &'static str),
    /// Cut short, or bytes that no writer wrote.
    Damaged(String),
    /// It asks for this callable to be run.
    Runs(String),
    /// Beyond a bound.
    Excessive(String),
    /// Something that torch can write and we don't read.
    Unsupported(String),
    /// Nothing in it is a tensor.
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

    /// The error that a person reads.
    pub(super) fn at(self, path: &Path) -> WeightsError {
        let path = path.to_owned();
        match self {
            Self::Other(what, advice) => WeightsError::NotCheckpoint { path, what, advice },
            Self::Damaged(reason) => WeightsError::Damaged { path, reason },
            Self::Runs(name) => WeightsError::RunsCode { path, name },
            Self::Excessive(reason) => WeightsError::Excessive { path, reason },
            Self::Unsupported(reason) => WeightsError::Unsupported { path, reason },
            Self::Empty => WeightsError::NoTensors { path },
        }
    }
}

/// A name out of the file as an error may show it: short, on one line, nothing that steers a terminal.
pub(in crate::weights) fn shown(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() { c } else { '?' };
    let mut text: String = name.chars().take(SHOWN).map(plain).collect();
    if name.chars().nth(SHOWN).is_some() {
        text.push_str("...");
    }
    text
}
