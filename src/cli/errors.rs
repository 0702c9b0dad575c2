//! Errors for the command line: what is wrong, and the option or command that helps.

use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};

use super::values::{ValueError, frame_range};
use crate::document::{CropError, FileFormatError, PresetError, SampleError};
use crate::error::{
    ClipError, CompareError, EngineError, ImportError, MethodError, OutputError, SystemError,
};
use crate::media::error::MediaError;
use crate::methods::registry::BUILT_IN;
use crate::project::file::error::ProjectError;
use crate::text;
use crate::weights::WeightsError;

/// Why a command failed. Each text is one sentence.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    #[error("{}", with_options(.0))]
    Engine(EngineError),
    #[error("{}", error.sentence(option, value))]
    Value {
        option: &'static str,
        value: String,
        error: ValueError,
    },
    #[error(
        "--face {wanted} doesn't exist: {} found in {name}; \"mien face\" lists them.",
        faces(*found)
    )]
    NoSuchFace {
        wanted: usize,
        found: usize,
        name: String,
    },
    #[error("--region needs a face, and none was found in {name}; leave it out.")]
    RegionWithoutFace { name: String },
    #[error("--expression-by-rig needs a face, and none was found in {name}; leave it out.")]
    RigWithoutFace { name: String },
    #[error(
        "--expression-by-rig is for methods that transfer a clip's own motion; use it with --method fomm or tps."
    )]
    RigUnderExpressions,
    #[error(
        "--frames {part} is a range of an unknown number of frames; write {part}/48 if there are 48."
    )]
    PartOfUnknown { part: String },
    #[error(
        "--frames {count} can't set the number of frames, since the clip does; write 1-{count} for the first {count}."
    )]
    CountOfClip { count: usize },
    #[error(
        "--pane {pane} doesn't exist; {} has {panes} panes, numbered from 1.",
        text::path(project)
    )]
    NoSuchPane {
        pane: usize,
        project: PathBuf,
        panes: usize,
    },
    #[error(
        "Two of --output, --metrics and --plot name the same file; choose a different one for each."
    )]
    SameFile,
    #[error(
        "{} exists and isn't a sample's codes, which would replace it; choose another name.",
        text::path(.0)
    )]
    NoCodes(PathBuf),
    #[error("--clip reads only one clip; leave out the others.")]
    SeveralClips,
    #[error("{} is a clip; add --clip to read its face frame by frame.", text::path(.0))]
    IsClip(PathBuf),
    #[error(
        "Ranges of a random sample don't fit together; use --seed without --hold, or --content and --motion."
    )]
    PartOfFreshSample,
    #[error("--hold and --{part} both set the {part}; leave one out.")]
    HeldTwice { part: &'static str },
    #[error("{count} panes are too many to show side by side; use at most {most}.")]
    TooManyPanes { count: usize, most: usize },
    #[error("{variable} can't be {value:?}; {advice}.")]
    Environment {
        variable: &'static str,
        value: String,
        advice: &'static str,
    },
    #[error("{method} has no {view} view; leave it out of --panes, or choose another --method.")]
    NoView { method: String, view: String },
    #[error("Standard output can't be written to ({0}); check where it is redirected.")]
    Print(#[source] std::io::Error),
}

fn faces(count: usize) -> String {
    match count {
        1 => "1 face was".to_owned(),
        count => format!("{count} faces were"),
    }
}

/// The message for an option's value that was refused by [`super::values`]; `None` for other errors.
pub(super) fn of_value(error: &clap::Error) -> Option<String> {
    let refused = std::error::Error::source(error)?.downcast_ref::<ValueError>()?;
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    // Strips the value's name, as in "--scale <S>".
    let option = context(ContextKind::InvalidArg).split(' ').next()?;
    Some(refused.sentence(option, context(ContextKind::InvalidValue)))
}

fn with_options(error: &EngineError) -> String {
    match error {
        EngineError::Shared(error) => with_options(error),
        EngineError::FrameRange(error) => frame_range(error),
        EngineError::Clip(ClipError::NoReferenceFrame { .. }) => {
            with_hint(error, " with --reference")
        }
        EngineError::Method(MethodError::NoMode { mode, .. }) => {
            let mut methods = BUILT_IN.iter();
            match methods.find(|info| info.modes.contains(mode)) {
                Some(info) => format!(
                    "The mode {} belongs to {}; use --method {}, or --mode relative.",
                    mode.key(),
                    info.title,
                    info.id
                ),
                None => error.to_string(),
            }
        }
        EngineError::Method(MethodError::KeepsHead { method }) => format!(
            "{method} can't move the head or the eyes; leave out --yaw, --pitch, --roll, --gaze, --place and --size."
        ),
        EngineError::Method(MethodError::NoNetwork { .. }) => with_hint(error, " with --mode"),
        EngineError::Method(MethodError::UnknownWeights { .. }) => {
            with_hint(error, "; \"mien weights list\" shows them")
        }
        EngineError::Compare(CompareError::UnknownReference { .. }) => format!("--against {error}"),
        EngineError::Output(OutputError::LabelFont) => with_hint(error, " with --no-labels"),
        EngineError::Import(ImportError::UnknownSystem(_)) => {
            with_hint(error, "; \"mien weights check\" shows what is in it")
        }
        EngineError::System(SystemError::NoDisplay | SystemError::NoWindow(_)) => {
            with_hint(error, ", or use \"mien edit\"")
        }
        error => error.to_string(),
    }
}

/// Inserts a hint before a sentence's full stop.
pub(super) fn with_hint(sentence: &impl ToString, hint: &str) -> String {
    let sentence = sentence.to_string();
    format!("{}{hint}.", sentence.trim_end_matches('.'))
}

macro_rules! engine_errors {
    ($($error:ty),*) => {
        $(impl From<$error> for CliError {
            fn from(error: $error) -> Self {
                Self::Engine(error.into())
            }
        })*
    };
}

engine_errors!(
    EngineError,
    MediaError,
    CropError,
    PresetError,
    SampleError,
    ProjectError,
    WeightsError,
    SystemError,
    CompareError,
    FileFormatError
);
