//! `mien transfer`: a clip's movement on a portrait.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::errors::CliError;
use super::frames::Frames;
use super::output::{OutputArgs, tell, with_progress};
use super::place::Place;
use super::values::{number, quality, reference, time};
use crate::document::Mode;
use crate::drive::sample_clip::SampleClip;
use crate::face::OneEuro;
use crate::face::portrait::Portrait;
use crate::jobs::export::Format;
use crate::jobs::frame_range::Part;
use crate::jobs::output::Output;
use crate::jobs::transfer::transfer;
use crate::jobs::transfer::{Drive, Reference};
use crate::jobs::transfer_units::transfer_units;
use crate::methods::ganimation::model::Model;
use crate::methods::mover::{MotionMethod, Mover};
use crate::progress::Progress;

#[derive(Debug, Args)]
#[command(mut_arg("output", |arg| arg.help(
    "What to write: .mp4, .gif, .apng, .webp, or .png for a numbered sequence"
)))]
pub(super) struct Arguments {
    /// The portrait (PNG, JPEG, WebP, TIFF, BMP or GIF)
    portrait: PathBuf,

    /// The clip whose movement it takes over: a video, a GIF, or a folder or pattern of frames
    #[arg(
        required_unless_present = "sample_clip",
        conflicts_with = "sample_clip"
    )]
    clip: Option<PathBuf>,

    /// Takes over the movement of the short clip that comes with Mien
    #[arg(long)]
    sample_clip: bool,

    /// How: through Action Units read from the clip's face and redrawn (ganimation), or by the clip's own motion (fomm, tps)
    #[arg(long, value_enum, default_value_t = Method::Ganimation)]
    method: Method,

    /// Take the clip's face as it is (standard), or only how it moves (relative); of TPS also its own way to tell a face's
    /// shape from its pose (avd)
    #[arg(long, value_enum, default_value_t = ModeName::Relative)]
    mode: ModeName,

    /// For relative motion, the clip's frame that counts as looking like the portrait: its number from 1 on, or auto for
    /// the one that is most like it
    #[arg(long, default_value = "auto", value_name = "N|auto", value_parser = reference)]
    reference: Reference,

    /// Uses the clip from this time on, such as 1.5 or 0:01.5
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<f64>,

    /// Uses the clip up to this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<f64>,

    /// Writes only the frames from A to B of all that the clip gives, counted from 1: a sequence's keep their numbers. The
    /// whole clip is still looked at, so that parts fit together
    #[arg(long, value_name = "A-B", value_parser = Frames::parse)]
    frames: Option<Frames>,

    /// How much of the movement: 1 as it is, 0 none, more exaggerates it
    #[arg(
        long,
        default_value = "1",
        value_name = "G",
        allow_hyphen_values = true,
        value_parser = number(0.0, 4.0)
    )]
    gain: f64,

    #[command(flatten)]
    place: Place,

    /// For fomm and tps, the network's own picture in place of the portrait moved at its own size
    #[arg(long)]
    plain: bool,

    /// For ganimation, the Action Units as they were measured, without their tremble taken out
    #[arg(long)]
    no_smooth: bool,

    /// For ganimation, the network's own softness, without the portrait's fine detail over it
    #[arg(long)]
    no_detail: bool,

    /// Leaves the clip's sound out of an MP4
    #[arg(long)]
    no_sound: bool,

    /// The quality of an MP4 or WebP, from 1 to 100; a WebP of 100 is exact. Without, 80
    #[arg(long, value_name = "Q", allow_hyphen_values = true, value_parser = quality)]
    quality: Option<u8>,

    /// The size of what is written, as a share of the portrait's own
    #[arg(
        long,
        default_value = "1",
        value_name = "S",
        allow_hyphen_values = true,
        value_parser = number(0.01, 1.0)
    )]
    scale: f64,

    /// The weights of the method, in place of those that come with Mien: a file, or the name of installed ones
    #[arg(long, value_name = "FILE|NAME")]
    weights: Option<PathBuf>,

    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    Fomm,
    Tps,
    Ganimation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ModeName {
    Standard,
    Relative,
    Avd,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), CliError> {
    let output = Output {
        format: Format::of(&arguments.output.path, usize::MAX)?,
        quality: arguments.quality,
        loops: arguments.output.loops(),
        scale: arguments.scale,
        part: arguments.part()?,
        marked: !arguments.output.unmarked,
        path: arguments.output.path.clone(),
    };
    let (clip, _sample) = arguments.clip()?;
    let drive = arguments.drive(clip);
    let (progress, quiet) = (Progress::new(0), arguments.output.quiet);

    let moving = match arguments.method {
        Method::Ganimation => None,
        Method::Fomm => Some(MotionMethod::Fomm),
        Method::Tps => Some(MotionMethod::Tps),
    };
    let told = match moving {
        None => {
            let model = Arc::new(Model::open(arguments.weights.as_deref())?);
            let portrait = Portrait::open(&arguments.portrait, model.crop())?;
            let mut document = arguments.place.document(&portrait, model.crop())?;
            document.detail = !arguments.no_detail;
            arguments.remark(&portrait, &document);
            with_progress(&progress, quiet, |progress| {
                transfer_units(&model, &portrait, &document, &drive, &output, progress)
            })
        }
        Some(method) => {
            let mover = Mover::open(method, arguments.weights.as_deref())?;
            let portrait = Portrait::open(&arguments.portrait, mover.crop())?;
            let document = arguments.place.document(&portrait, mover.crop())?;
            arguments.remark(&portrait, &document);
            with_progress(&progress, quiet, |progress| {
                transfer(&mover, &portrait, &document, &drive, &output, progress)
            })
        }
    }?;
    if !quiet {
        tell(&told.remarks, told.reference);
    }
    Ok(())
}

impl Arguments {
    /// The clip's path, and what keeps the sample clip there.
    fn clip(&self) -> Result<(PathBuf, Option<SampleClip>), CliError> {
        if let Some(clip) = &self.clip {
            return Ok((clip.clone(), None));
        }
        let sample = SampleClip::write()?;
        Ok((sample.path().to_owned(), Some(sample)))
    }

    fn part(&self) -> Result<Option<Part>, CliError> {
        let Frames { count, part } = self.frames.unwrap_or_default();
        match count {
            None => Ok(part),
            Some(count) => Err(CliError::CountOfClip { count }),
        }
    }

    fn drive(&self, clip: PathBuf) -> Drive {
        Drive {
            clip,
            cut: (self.from, self.to),
            mode: match self.mode {
                ModeName::Standard => Mode::Standard,
                ModeName::Relative => Mode::Relative,
                ModeName::Avd => Mode::Avd,
            },
            reference: self.reference,
            gain: self.gain as f32,
            smoothing: if self.no_smooth {
                OneEuro::OFF
            } else {
                OneEuro::default()
            },
            plain: self.plain,
            sound: !self.no_sound,
        }
    }

    fn remark(&self, portrait: &Portrait, document: &crate::document::Document) {
        if !self.output.quiet {
            self.place.remark(portrait, document, "moved");
        }
    }
}
