//! The command line: starts the window, or runs the engine without one.

mod bar;
mod compare;
mod edit;
mod errors;
mod export;
mod face;
mod frames;
mod head;
#[cfg(test)]
mod manual;
mod output;
mod place;
#[cfg(test)]
mod same_bytes;
mod sample;
#[cfg(test)]
mod shell_blocks;
mod transfer;
mod values;
mod weights;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::app;
use crate::cli::errors::CliError;
use crate::cli::output::say;
use crate::document::MethodId;
use crate::error::{EngineError, MethodError};
use crate::media::inputs::Inputs;
use crate::methods::ganimation::model::Model;
use crate::methods::models::Models;
use crate::methods::registry::Registry;
use crate::text;
use crate::weights::Bundled;

/// A desktop studio for editing the expression in a portrait.
///
/// Without a command, opens the studio.
#[derive(Debug, Parser)]
#[command(name = "mien", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// The file to open in the studio: a portrait (PNG, JPEG, WebP, TIFF, BMP or GIF), a project (.mien) or a clip
    portrait: Option<PathBuf>,

    /// A GANimation weight file (safetensors) to use instead of the built-in one
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Edit the expression in a portrait and write a picture, an animation or a video
    Edit(Box<edit::Arguments>),
    /// Find the faces in a portrait and print their boxes, head poses and Action Units
    Face(face::Arguments),
    /// Transfer the movement of a clip to a portrait and write a video, an animation or a sequence of pictures
    Transfer(Box<transfer::Arguments>),
    /// Show the results of several methods side by side, and measure them
    Compare(Box<compare::Arguments>),
    /// Export the panes of a project, or a range of their frames, without a window
    Export(Box<export::Arguments>),
    /// Generate a moving face from latent codes for its identity and its motion
    Sample(sample::Arguments),
    /// List, check and import weights
    Weights(weights::Arguments),
}

/// Runs the program. The exit code is 0 on success, 1 after an error, which is one sentence on standard error, and 2 for
/// an invalid command line.
pub fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("MIEN_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error")),
        )
        .with_writer(std::io::stderr)
        // tracing would report such errors with eprintln!, which panics if standard error can't be written to.
        .log_internal_errors(false)
        .init();

    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let Some(sentence) = errors::of_value(&error) else {
                error.exit();
            };
            say(sentence);
            return ExitCode::FAILURE;
        }
    };
    let result = check_environment().and_then(|()| run(arguments));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(error);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), CliError> {
    match arguments.command {
        Some(Command::Edit(arguments)) => edit::run(*arguments),
        Some(Command::Face(arguments)) => face::run(&arguments),
        Some(Command::Transfer(arguments)) => transfer::run(&arguments),
        Some(Command::Compare(arguments)) => compare::run(*arguments),
        Some(Command::Export(arguments)) => export::run(&arguments),
        Some(Command::Sample(arguments)) => sample::run(&arguments),
        Some(Command::Weights(arguments)) => weights::run(&arguments),
        None => app::launch::run(arguments.portrait, arguments.weights).map_err(CliError::from),
    }
}

/// The maximum number of worker threads.
const MAX_THREADS: usize = 1024;

/// Refuses environment variables that would be ignored, or would make the program hang.
fn check_environment() -> Result<(), CliError> {
    let check = |variable, advice, is_fit: fn(&str) -> bool| {
        let value = std::env::var(variable).unwrap_or_default();
        if value.is_empty() || is_fit(&value) {
            return Ok(());
        }
        Err(CliError::Environment {
            variable,
            value: text::name(&value),
            advice,
        })
    };
    check("MIEN_DEVICE", "unset it, or set it to cpu", |value| {
        value == "cpu"
    })?;
    check(
        "RAYON_NUM_THREADS",
        "unset it, or set it to a number of threads",
        |value| {
            value
                .parse()
                .is_ok_and(|threads: usize| threads <= MAX_THREADS)
        },
    )
}

/// The files a command reads, none of which it may overwrite; anything that isn't a file, such as the name of installed
/// weights, is ignored.
fn inputs<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> Inputs {
    let mut inputs = Inputs::default();
    for file in files {
        inputs.add(file);
    }
    inputs
}

/// Opens the networks, with other weights for one method if given.
fn models(id: MethodId, weights: Option<&Path>) -> Result<Models, EngineError> {
    let registry = Registry::default();
    let info = registry.get(id);
    match (info.and_then(|info| info.bundled), weights) {
        (Some(Bundled::Ganimation), weights) => Ok(Models::new(Arc::new(Model::open(weights)?))),
        (Some(which), Some(weights)) => {
            Models::new(Arc::new(Model::bundled()?)).with(which, weights)
        }
        (None, Some(_)) => {
            let method = info.map_or("This method", |info| info.title);
            Err(MethodError::NoWeights { method }.into())
        }
        _ => Ok(Models::new(Arc::new(Model::bundled()?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_portrait_opens_the_studio_and_a_command_does_not() {
        let studio = Arguments::try_parse_from(["mien", "me.png"]).unwrap();
        assert!(studio.command.is_none() && studio.portrait.is_some());
        let command = Arguments::try_parse_from(["mien", "weights", "list"]).unwrap();
        assert!(matches!(command.command, Some(Command::Weights(_))));
    }
}
