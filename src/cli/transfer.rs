//! `mien transfer`: a clip's movement on a portrait.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::bar::show;
use super::frames::Frames;
use super::number;
use super::place::Place;
use crate::document::Mode;
use crate::drive::sample_clip::SampleClip;
use crate::error::EngineError;
use crate::face::OneEuro;
use crate::face::portrait::Portrait;
use crate::jobs::export::Format;
use crate::jobs::frame_range::Part;
use crate::jobs::output::Output;
use crate::jobs::transfer::transfer;
use crate::jobs::transfer::{Drive, Reference, Transferred};
use crate::jobs::transfer_units::transfer_units;
use crate::media::time::parse_time;
use crate::methods::ganimation::model::Model;
use crate::methods::mover::{MotionMethod, Mover};
use crate::progress::Progress;

#[derive(Debug, Args)]
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
    #[arg(long, default_value = "auto", value_name = "N|auto")]
    reference: String,

    /// Uses the clip from this time on, such as 1.5 or 0:01.5
    #[arg(long, value_name = "TIME")]
    from: Option<String>,

    /// Uses the clip up to this time
    #[arg(long, value_name = "TIME")]
    to: Option<String>,

    /// Writes only the frames from A to B of all that the clip gives, counted from 1: a sequence's keep their numbers. The
    /// whole clip is still looked at, so that parts fit together
    #[arg(long, value_name = "A-B")]
    frames: Option<String>,

    /// How much of the movement: 1 as it is, 0 none, more exaggerates it
    #[arg(
        long,
        default_value = "1",
        value_name = "G",
        allow_hyphen_values = true
    )]
    gain: String,

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

    /// Leaves out the note in the file that says that a model edited it
    #[arg(long)]
    unmarked: bool,

    /// The quality of an MP4 or WebP, from 1 to 100; a WebP of 100 is exact. Without, 80
    #[arg(long, value_name = "Q", allow_hyphen_values = true)]
    quality: Option<String>,

    /// How often a GIF, APNG or WebP plays; 0 is for ever
    #[arg(long = "loop", default_value_t = 0, value_name = "TIMES")]
    loops: u16,

    /// The size of what is written, as a share of the portrait's own
    #[arg(
        long,
        default_value = "1",
        value_name = "S",
        allow_hyphen_values = true
    )]
    scale: String,

    /// The weights of the method, in place of those that come with Mien: a file, or the name of installed ones
    #[arg(long, value_name = "FILE|NAME")]
    weights: Option<PathBuf>,

    /// No progress bar and no remarks
    #[arg(short, long)]
    quiet: bool,

    /// What to write: .mp4, .gif, .apng, .webp, or .png for a numbered sequence
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
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

pub(super) fn run(arguments: &Arguments) -> Result<(), EngineError> {
    let output = Output {
        format: Format::of(&arguments.output, usize::MAX)?,
        quality: super::quality(arguments.quality.as_ref())?,
        loops: super::loop_count(arguments.loops),
        scale: number("--scale", &arguments.scale, 0.01, 1.0)?,
        part: arguments.part()?,
        marked: !arguments.unmarked,
        path: arguments.output.clone(),
    };
    let (clip, _sample) = arguments.clip()?;
    let drive = arguments.drive(clip)?;
    let limit = arguments.place.limit()?;
    let progress = Progress::new(0);
    let cancel = progress.cancel.clone();
    // Where the handler can't be set, Ctrl+C ends the program at once; nothing is half-written even so.
    drop(ctrlc::set_handler(move || cancel.cancel()));

    let moving = match arguments.method {
        Method::Ganimation => None,
        Method::Fomm => Some(MotionMethod::Fomm),
        Method::Tps => Some(MotionMethod::Tps),
    };
    let told = match moving {
        None => {
            let model = Arc::new(Model::open(arguments.weights.as_deref())?);
            let portrait = Portrait::open(&arguments.portrait, model.crop())?;
            let mut document = arguments.place.document(&portrait, model.crop(), limit)?;
            document.detail = !arguments.no_detail;
            arguments.remark(&portrait, &document);
            let bar = show(&progress, arguments.quiet);
            let told = transfer_units(&model, &portrait, &document, &drive, &output, &progress);
            bar.finish(&progress);
            told
        }
        Some(method) => {
            let mover = Mover::open(method, arguments.weights.as_deref())?;
            let portrait = Portrait::open(&arguments.portrait, mover.crop())?;
            let document = arguments.place.document(&portrait, mover.crop(), limit)?;
            arguments.remark(&portrait, &document);
            let bar = show(&progress, arguments.quiet);
            let told = transfer(&mover, &portrait, &document, &drive, &output, &progress);
            bar.finish(&progress);
            told
        }
    }?;
    if !arguments.quiet {
        tell(&told);
    }
    Ok(())
}

impl Arguments {
    /// The clip's path, and what keeps the sample clip there.
    fn clip(&self) -> Result<(PathBuf, Option<SampleClip>), EngineError> {
        if let Some(clip) = &self.clip {
            return Ok((clip.clone(), None));
        }
        let sample = SampleClip::write()?;
        Ok((sample.path().to_owned(), Some(sample)))
    }

    fn part(&self) -> Result<Option<Part>, EngineError> {
        let Frames { count, part } = Frames::of(self.frames.as_ref())?;
        match count {
            None => Ok(part),
            Some(count) => Err(EngineError::Refused(format!(
                "--frames {count} can't be had, since the clip gives their number; write 1-{count} for the first {count}."
            ))),
        }
    }

    fn drive(&self, clip: PathBuf) -> Result<Drive, EngineError> {
        Ok(Drive {
            clip,
            cut: (time(self.from.as_deref())?, time(self.to.as_deref())?),
            mode: match self.mode {
                ModeName::Standard => Mode::Standard,
                ModeName::Relative => Mode::Relative,
                ModeName::Avd => Mode::Avd,
            },
            reference: reference(&self.reference)?,
            gain: number("--gain", &self.gain, 0.0, 4.0)? as f32,
            smoothing: if self.no_smooth {
                OneEuro::OFF
            } else {
                OneEuro::default()
            },
            plain: self.plain,
            sound: !self.no_sound,
        })
    }

    fn remark(&self, portrait: &Portrait, document: &crate::document::Document) {
        if !self.quiet {
            self.place.remark(portrait, document, "moved");
        }
    }
}

/// The reference frame that an option's text names: its number from 1 on, or `auto`.
///
/// # Errors
/// [`EngineError::Refused`] for anything else.
pub(super) fn reference(text: &str) -> Result<Reference, EngineError> {
    if text.eq_ignore_ascii_case("auto") {
        return Ok(Reference::Auto);
    }
    let number = text.parse::<usize>().ok();
    let frame = number.and_then(|number| number.checked_sub(1));
    frame.map(Reference::Frame).ok_or_else(|| {
        EngineError::Refused(format!(
            "--reference {text} is no frame; give its number, from 1 on, or auto."
        ))
    })
}

/// The time that an option gives, in seconds.
///
/// # Errors
/// [`EngineError::Refused`] for what is no time.
pub(super) fn time(text: Option<&str>) -> Result<Option<f64>, EngineError> {
    text.map(parse_time)
        .transpose()
        .map_err(|error| EngineError::Refused(error.to_string()))
}

/// What came of it, for a person.
fn tell(told: &Transferred) {
    for remark in &told.remarks {
        eprintln!("mien: {remark}");
    }
    if let Some((frame, unlike)) = told.reference {
        let score = unlike.map_or_else(String::new, |unlike| {
            format!(", the most like the portrait (difference {unlike:.3})")
        });
        eprintln!(
            "mien: motion is relative to frame {} of the clip{score}.",
            frame + 1
        );
    }
}
