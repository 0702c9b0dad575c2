//! Why a model file can't be used, one sentence per error.

use std::path::PathBuf;

use thiserror::Error;

use crate::text;

#[derive(Debug, Error)]
pub enum WeightsError {
    #[error("there is no weight file {}; check the path, or leave it out to use the weights that come with Mien.", text::path(.0))]
    Missing(PathBuf),
    #[error(
        "{} cannot be read ({source}); check that you may read it.",
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
        "{} does not say how it is to be used: {reason}; use a file that was exported for Mien.",
        text::path(path)
    )]
    Metadata { path: PathBuf, reason: String },
    #[error(
        "{} holds a network of the kind {found:?}, and this needs one of the kind {wanted:?}; choose another file.",
        text::path(path)
    )]
    WrongArchitecture {
        path: PathBuf,
        found: String,
        wanted: &'static str,
    },
    #[error(
        "{} does not fit its own description: {reason}; use a file that was exported for Mien.",
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
        "{} asks for {name:?} to be run when it is opened, and weights need nothing run, so it was not read further; get it again from those who published it.",
        text::path(path)
    )]
    RunsCode { path: PathBuf, name: String },
    #[error(
        "{} claims more than any checkpoint holds ({reason}), so it was not read further; get it again from those who published it.",
        text::path(path)
    )]
    Excessive { path: PathBuf, reason: String },
    #[error(
        "{} holds what Mien does not read ({reason}); save the network's state_dict with torch.save and import that.",
        text::path(path)
    )]
    Unsupported { path: PathBuf, reason: String },
    #[error(
        "{} holds no weights; choose the file that holds the network itself.",
        text::path(path)
    )]
    NoTensors { path: PathBuf },
    #[error("{} is there already; choose another name, or have it replaced.", text::path(.0))]
    Exists(PathBuf),
    #[error("{} was not written, because {reason}; {advice}.", text::path(path))]
    NotWritten {
        path: PathBuf,
        reason: String,
        advice: &'static str,
    },
}
