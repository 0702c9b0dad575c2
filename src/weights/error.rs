//! Why a model file can't be used, one sentence per error.

use std::path::PathBuf;

use thiserror::Error;

use crate::text;

#[derive(Debug, Error)]
pub enum WeightsError {
    #[error("There is no weight file {}; check the path, or leave it out to use the weights that come with Mien.", text::path(.0))]
    Missing(PathBuf),
    #[error(
        "{} can't be read ({source}); check its permissions.",
        text::path(path)
    )]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} is {what}, not a safetensors file; {advice}.", text::path(path))]
    NotSafetensors {
        path: PathBuf,
        what: &'static str,
        advice: &'static str,
    },
    #[error(
        "{} is damaged or cut short ({reason}); copy or download it again.",
        text::path(path)
    )]
    Damaged { path: PathBuf, reason: String },
    #[error(
        "{} doesn't describe its network: {reason}; use a file that was exported for Mien.",
        text::path(path)
    )]
    Metadata { path: PathBuf, reason: String },
    #[error(
        "{} contains a network of type {found:?}, but {wanted:?} is needed; choose another file.",
        text::path(path)
    )]
    WrongArchitecture {
        path: PathBuf,
        found: String,
        wanted: &'static str,
    },
    #[error(
        "{} doesn't match its own description: {reason}; use a file that was exported for Mien.",
        text::path(path)
    )]
    Mismatch { path: PathBuf, reason: String },
    #[error(
        "{} is {what}, not a PyTorch checkpoint or a safetensors file; {advice}.",
        text::path(path)
    )]
    NotCheckpoint {
        path: PathBuf,
        what: &'static str,
        advice: &'static str,
    },
    #[error(
        "{} would run {name:?} when opened, which weights never need, so reading stopped there; get it again from its publisher.",
        text::path(path)
    )]
    RunsCode { path: PathBuf, name: String },
    #[error(
        "{} claims more than any checkpoint contains ({reason}), so reading stopped there; get it again from its publisher.",
        text::path(path)
    )]
    Excessive { path: PathBuf, reason: String },
    #[error(
        "{} contains something that Mien can't read ({reason}); save the network's state_dict with torch.save and import that.",
        text::path(path)
    )]
    Unsupported { path: PathBuf, reason: String },
    #[error(
        "{} contains no weights; choose the file that contains the network itself.",
        text::path(path)
    )]
    NoTensors { path: PathBuf },
    #[error("{} already exists; choose another name, or replace it.", text::path(.0))]
    Exists(PathBuf),
    #[error("{} was not written because {reason}; {advice}.", text::path(path))]
    NotWritten {
        path: PathBuf,
        reason: String,
        advice: &'static str,
    },
}
