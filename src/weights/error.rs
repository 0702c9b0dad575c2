//! Why a model file can't be used, one sentence per error.

#![allow(missing_docs, reason = "each message names its fields")]

use std::path::PathBuf;

use thiserror::Error;

use crate::text;

/// Why a weight file or a checkpoint can't be used.
#[derive(Debug, Error)]
pub enum WeightsError {
    /// No file at the path.
    #[error("there is no weight file {}; check the path, or leave it out to use the weights that come with Mien.", text::path(.0))]
    Missing(PathBuf),
    /// The file can't be read.
    #[error(
        "{} cannot be read ({source}); check that you may read it.",
        text::path(path)
    )]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    /// Another kind of file.
    #[error("{} is {what}, not a safetensors file; {advice}.", text::path(path))]
    NotSafetensors {
        path: PathBuf,
        what: &'static str,
        advice: &'static str,
    },
    /// A file that can't be parsed.
    #[error(
        "{} is damaged or cut short ({reason}); copy or download it again.",
        text::path(path)
    )]
    Damaged { path: PathBuf, reason: String },
    /// A header without Mien's metadata, or with invalid metadata.
    #[error(
        "{} does not say how it is to be used: {reason}; use a file that was exported for Mien.",
        text::path(path)
    )]
    Metadata { path: PathBuf, reason: String },
    /// Weights of another network.
    #[error(
        "{} holds a network of the kind {found:?}, and this needs one of the kind {wanted:?}; choose another file.",
        text::path(path)
    )]
    WrongArchitecture {
        path: PathBuf,
        found: String,
        wanted: &'static str,
    },
    /// Tensors that don't match the configuration.
    #[error(
        "{} does not fit its own description: {reason}; use a file that was exported for Mien.",
        text::path(path)
    )]
    Mismatch { path: PathBuf, reason: String },
    /// Neither a checkpoint nor safetensors.
    #[error(
        "{} is {what}, not a PyTorch checkpoint or a safetensors file; {advice}.",
        text::path(path)
    )]
    NotCheckpoint {
        path: PathBuf,
        what: &'static str,
        advice: &'static str,
    },
    /// A pickle that refers to a callable that isn't on the list of known ones.
    #[error(
        "{} asks for {name:?} to be run when it is opened, and weights need nothing run, so it was not read further; get it again from those who published it.",
        text::path(path)
    )]
    RunsCode { path: PathBuf, name: String },
    /// Sizes above the limits.
    #[error(
        "{} claims more than any checkpoint holds ({reason}), so it was not read further; get it again from those who published it.",
        text::path(path)
    )]
    Excessive { path: PathBuf, reason: String },
    /// A form of checkpoint that isn't supported.
    #[error(
        "{} holds what Mien does not read ({reason}); save the network's state_dict with torch.save and import that.",
        text::path(path)
    )]
    Unsupported { path: PathBuf, reason: String },
    /// A checkpoint without tensors.
    #[error(
        "{} holds no weights; choose the file that holds the network itself.",
        text::path(path)
    )]
    NoTensors { path: PathBuf },
    /// A file that would be replaced.
    #[error("{} is there already; choose another name, or have it replaced.", text::path(.0))]
    Exists(PathBuf),
    /// The file can't be written.
    #[error("{} was not written, because {reason}; {advice}.", text::path(path))]
    NotWritten {
        path: PathBuf,
        reason: String,
        advice: &'static str,
    },
}
