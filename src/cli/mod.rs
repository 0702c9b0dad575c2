//! The command line: the studio, or the same engine without a window.

mod bar;
mod compare;
mod edit;
mod export;
mod face;
mod frames;
mod place;
mod sample;
mod transfer;
mod weights;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app;
use crate::error::EngineError;
use crate::media::encode::LoopCount;

/// A desktop studio for artists who edit the expression in a portrait.
///
/// Without a command the studio opens, with a portrait if one is given.
#[derive(Debug, Parser)]
#[command(name = "mien", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// What to open in the studio: a portrait (PNG, JPEG, WebP, TIFF, BMP or GIF), a project (.mien) or a clip
    portrait: Option<PathBuf>,

    /// A GANimation weight file (safetensors) to use in place of the one that comes with Mien
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Edits a portrait's expression and writes a picture, an animation or a video
    Edit(Box<edit::Arguments>),
    /// Finds the faces of a portrait and says what they show: boxes, head pose, Action Units
    Face(face::Arguments),
    /// Gives a portrait the movement of a clip, and writes a video, an animation or a sequence of pictures
    Transfer(Box<transfer::Arguments>),
    /// Shows what each method makes of a motion side by side, and measures it
    Compare(Box<compare::Arguments>),
    /// Writes the panes of a project, or a part of their frames, without a window
    Export(Box<export::Arguments>),
    /// Makes up a moving face, from codes for who is seen and how it moves
    Sample(sample::Arguments),
    /// Lists, checks and imports weights
    Weights(weights::Arguments),
}

/// Runs the program: exit code 0 when all went well, 1 with one sentence on standard error when not, 2 for a command
/// line that can't be understood.
pub fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("MIEN_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error")),
        )
        .with_writer(std::io::stderr)
        .init();

    let arguments = Arguments::parse();
    let result = match arguments.command {
        Some(Command::Edit(arguments)) => edit::run(*arguments),
        Some(Command::Face(arguments)) => face::run(&arguments),
        Some(Command::Transfer(arguments)) => transfer::run(&arguments),
        Some(Command::Compare(arguments)) => compare::run(*arguments),
        Some(Command::Export(arguments)) => export::run(&arguments),
        Some(Command::Sample(arguments)) => sample::run(&arguments),
        Some(Command::Weights(arguments)) => weights::run(&arguments),
        None => app::launch::run(arguments.portrait, arguments.weights)
            .map_err(|error| EngineError::Refused(error.to_string())),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mien: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The number that an option's text gives.
///
/// # Errors
/// [`EngineError::Refused`] for anything else than a number of the range.
fn number(option: &str, text: &str, min: f64, max: f64) -> Result<f64, EngineError> {
    text.trim()
        .parse()
        .ok()
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| {
            EngineError::Refused(format!(
                "{option} {text} is out of range; give a number from {min} to {max}."
            ))
        })
}

/// The quality that an option asks for, from 1 to 100.
///
/// # Errors
/// [`EngineError::Refused`] for anything else.
fn quality(option: Option<&String>) -> Result<Option<u8>, EngineError> {
    let read = |text: &String| {
        let number = text.trim().parse::<u8>().ok();
        number
            .filter(|quality| (1..=100).contains(quality))
            .ok_or_else(|| {
                EngineError::Refused(format!(
                    "--quality {text} is out of range; give a whole number from 1 to 100."
                ))
            })
    };
    option.map(read).transpose()
}

/// How often an animation plays; 0 is for ever.
fn loop_count(times: u16) -> LoopCount {
    match times {
        0 => LoopCount::Forever,
        times => LoopCount::Times(times),
    }
}

/// Prints a text. A reader that has gone, such as `head`, has read what it wanted.
///
/// # Errors
/// [`EngineError::Refused`] when standard output can't be written to.
fn print(text: &str) -> Result<(), EngineError> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(EngineError::Refused(
            format!("standard output can't be written to ({error}); see where it goes."),
        )),
        _ => Ok(()),
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
