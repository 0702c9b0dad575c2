//! What all commands that write a file share: output options, progress and messages.

use std::fmt::Display;
use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::bar;
use super::errors::{CliError, with_hint};
use super::values::ValueError;
use crate::document::FileFormat;
use crate::jobs::output::max_fps;
use crate::jobs::remark::Remark;
use crate::media::encode::LoopCount;
use crate::progress::Progress;
use crate::text;

/// A command may word the help of these in its own way, by `mut_arg`.
#[derive(Debug, Args)]
pub(super) struct OutputArgs {
    /// Don't mark the file as edited with Mien, and with AI where a model painted a part of it
    #[arg(long)]
    pub unmarked: bool,

    /// How often a GIF, APNG or WebP repeats; 0 loops forever
    #[arg(long = "loop", default_value_t = 0, value_name = "TIMES")]
    loops: u16,

    /// Print no progress bar and no remarks
    #[arg(short, long)]
    pub quiet: bool,

    /// The file to write
    #[arg(id = "output", short = 'o', long = "output", value_name = "FILE")]
    pub path: PathBuf,
}

impl OutputArgs {
    pub fn loops(&self) -> LoopCount {
        match self.loops {
            0 => LoopCount::Forever,
            times => LoopCount::Times(times),
        }
    }
}

/// Checks a frame rate against the maximum of the format and `most`.
///
/// # Errors
/// [`CliError::Value`] if it is higher.
pub(super) fn fps_of(format: FileFormat, fps: f64, most: f64) -> Result<f64, CliError> {
    let max = max_fps(format).min(most);
    if fps <= max {
        return Ok(fps);
    }
    Err(CliError::Value {
        option: "--fps",
        value: fps.to_string(),
        error: ValueError::OutOfRange { min: 1.0, max },
    })
}

/// Runs a job, with a progress bar unless `quiet`. Ctrl+C cancels it, as do SIGHUP (the terminal was closed) and SIGTERM (a
/// render farm's time limit); a second signal exits at once.
pub(super) fn with_progress<T>(
    progress: &Progress,
    quiet: bool,
    job: impl FnOnce(&Progress) -> T,
) -> T {
    let cancel = progress.cancel.clone();
    // If the handler can't be set, Ctrl+C exits at once; even then no file is half-written.
    drop(ctrlc::set_handler(move || {
        if cancel.is_cancelled() {
            std::process::exit(1);
        }
        cancel.cancel();
    }));
    let bar = bar::show(progress, quiet);
    let done = job(progress);
    bar.finish(progress);
    done
}

/// Maximum number of characters of a sentence that are printed. Only names from untrusted files are longer.
const LONGEST: usize = 2000;

/// Prints a sentence to standard error. Ignores errors, so that the work continues.
pub(super) fn say(sentence: impl Display) {
    let line = format!(
        "mien: {}\n",
        text::shortened(&sentence.to_string(), LONGEST)
    );
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

/// Prints a text. A closed pipe, such as that of `head`, is not an error.
///
/// # Errors
/// [`CliError::Print`] when standard output can't be written to.
pub(super) fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(CliError::Print(error)),
        _ => Ok(()),
    }
}

/// Prints remarks about the motion, and the reference frame (from 0) with the dissimilarity of its face to the portrait's.
pub(super) fn print_remarks(remarks: &[Remark], reference: Option<(usize, Option<f32>)>) {
    for remark in remarks {
        match remark {
            Remark::NoFaceInPortrait { .. } | Remark::NoFaceInClip { .. } | Remark::NoReference => {
                say(with_hint(remark, "; choose another with --reference"));
            }
            remark => say(remark),
        }
    }
    if let Some((frame, difference)) = reference {
        let score = difference.map_or_else(String::new, |difference| {
            format!(", the closest to the portrait (difference {difference:.3})")
        });
        say(format_args!(
            "Motion is relative to frame {} of the clip{score}.",
            frame + 1
        ));
    }
}
