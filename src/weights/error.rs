//! Why a model file can't be used, one sentence per error.

#![allow(missing_docs, reason = "each message names its fields")]

use std::path::PathBuf;

use thiserror::Error;

use crate::text;

/// Why a weight file or a checkpoint can't be used.
#[derive(Debug, Error)]
pub enum WeightsError {
    /// No file at the path.
    #[error("There is no weight file {}; check the path, or leave it out to use the weights that come with Mien.", text::path(.0))]
    Missing(PathBuf),
    /// The file can't be read.
    #[error(
        "{} can't be read ({source}); check its permissions.",
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
        "{} doesn't describe its network: {reason}; use a file that was exported for Mien.",
        text::path(path)
    )]
    Metadata { path: PathBuf, reason: String },
    /// Weights of another network.
    #[error(
        "{} contains a network of type {found:?}, but {wanted:?} is needed; choose another file.",
        text::path(path)
    )]
    WrongArchitecture {
        path: PathBuf,
        found: String,
        wanted: &'static str,
    },
    /// Tensors that don't match the configuration.
    #[error(
        "{} doesn't match its own description: {reason}; use a file that was exported for Mien.",
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
        "{} would run {name:?} when opened, which weights never need, so reading stopped there; get it again from its publisher.",
        text::path(path)
    )]
    RunsCode { path: PathBuf, name: String },
    /// Sizes above the limits.
    #[error(
        "{} claims more than any checkpoint contains ({reason}), so reading stopped there; get it again from its publisher.",
        text::path(path)
    )]
    Excessive { path: PathBuf, reason: String },
    /// A form of checkpoint that isn't supported.
    #[error(
        "{} contains something that Mien can't read ({reason}); save the network's state_dict with torch.save and import that.",
        text::path(path)
    )]
    Unsupported { path: PathBuf, reason: String },
    /// A checkpoint without tensors.
    #[error(
        "{} contains no weights; choose the file that contains the network itself.",
        text::path(path)
    )]
    NoTensors { path: PathBuf },
    /// A file that would be replaced.
    #[error("{} already exists; choose another name, or replace it.", text::path(.0))]
    Exists(PathBuf),
    /// The file can't be written.
    #[error("{} was not written because {reason}; {advice}.", text::path(path))]
    NotWritten {
        path: PathBuf,
        reason: String,
        advice: &'static str,
    },
}
