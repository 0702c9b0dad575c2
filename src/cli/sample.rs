//! `mien sample`: a clip that MoCoGAN makes up, and the codes that it is made of.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::errors::CliError;
use super::frames::Frames;
use super::output::{OutputArgs, fps_of, say, with_progress};
use super::values::{fps, number, quality};
use crate::document::FileFormat;
use crate::document::{Sample, category};
use crate::jobs::output::Output;
use crate::jobs::sample::{SampleJob, sample};
use crate::media::inputs::Inputs;
use crate::methods::mocogan::sampler::Sampler;
use crate::progress::Progress;
use crate::text;

#[derive(Debug, Args)]
#[command(
    mut_arg("unmarked", |arg| arg.help(
        "Leaves out the note in the file that says that a model made it"
    )),
    mut_arg("output", |arg| arg.help(
        "What to write: .gif, .apng, .webp, .mp4, or .png for a numbered sequence, with the codes beside it as .json; or .json for the codes alone"
    ))
)]
pub(super) struct Arguments {
    /// Where the dice fall: the same number gives the same clip; without, a new one each time
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// What the face does: anger, disgust, fear, happiness, sadness, surprise, or the category's number from 0 on
    #[arg(long, value_name = "NAME|N")]
    category: Option<String>,

    /// How many frames; with A-B or A-B/N only those from A to B, counted from 1: a sequence's keep their numbers
    #[arg(long, value_name = "N|A-B|A-B/N", value_parser = Frames::parse)]
    frames: Option<Frames>,

    /// Keeps one part as --seed gives it and draws the other anew each time
    #[arg(long, value_enum, requires = "seed")]
    hold: Option<Part>,

    /// Takes who is seen (and, without --category, what is done) from the codes of another sample
    #[arg(long, value_name = "FILE")]
    content: Option<PathBuf>,

    /// Takes the motion from the codes of another sample
    #[arg(long, value_name = "FILE")]
    motion: Option<PathBuf>,

    /// Frames a second; the published network was trained at 8
    #[arg(
        long,
        default_value = "8",
        value_name = "F",
        allow_hyphen_values = true,
        value_parser = fps
    )]
    fps: f64,

    /// Pixels a side of what is written; the network's own frames have 64
    #[arg(long, default_value = "256", value_name = "PIXELS", value_parser = number(16.0, 2048.0))]
    size: f64,

    /// The quality of an MP4 or WebP, from 1 to 100; a WebP of 100 is exact. Without, 80
    #[arg(long, value_name = "Q", allow_hyphen_values = true, value_parser = quality)]
    quality: Option<u8>,

    /// The weights, in place of those that come with Mien: a file, or the name of installed ones
    #[arg(long, value_name = "FILE|NAME")]
    weights: Option<PathBuf>,

    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Content,
    Motion,
}

/// The published network's length.
const FRAMES: usize = 16;

pub(super) fn run(arguments: &Arguments) -> Result<(), CliError> {
    let only_codes = arguments
        .output
        .path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let format = if only_codes {
        FileFormat::Gif
    } else {
        FileFormat::of(&arguments.output.path, usize::MAX)?
    };
    let fps = fps_of(format, arguments.fps, f64::INFINITY)?;
    let side = arguments.size as u32;
    let sampler = Sampler::open(arguments.weights.as_deref())?;
    let Frames { count, part } = arguments.frames.unwrap_or_default();
    if part.is_some() {
        arguments.check_part()?;
    }
    let (codes, seed) = arguments.codes(&sampler, count)?;
    let beside = arguments.output.path.with_extension("json");
    let inputs = super::inputs(
        (arguments.content.iter())
            .chain(&arguments.motion)
            .chain(&arguments.weights),
    );
    check_codes(&beside, &codes, &inputs)?;
    if only_codes {
        return Ok(codes.save(&beside)?);
    }

    let job = SampleJob {
        sample: codes,
        fps,
        side,
        output: Output {
            format,
            quality: arguments.quality,
            loops: arguments.output.loops(),
            scale: 1.0,
            part,
            marked: !arguments.output.unmarked,
            path: arguments.output.path.clone(),
            inputs,
        },
    };
    let progress = Progress::new(job.sample.frames());
    let quiet = arguments.output.quiet;
    with_progress(&progress, quiet, |progress| {
        sample(&sampler, &job, progress)
    })?;
    job.sample.save(&beside)?;
    if !arguments.output.quiet {
        let seed = seed.map_or_else(String::new, |seed| format!(", drawn from seed {seed}"));
        say(format_args!(
            "the codes{seed} are in {}; --content and --motion take them from there.",
            text::path(&beside)
        ));
    }
    Ok(())
}

/// Refuses to replace what stands where the codes go, unless it is the codes of a sample that isn't used here.
fn check_codes(path: &Path, codes: &Sample, inputs: &Inputs) -> Result<(), CliError> {
    if !path.exists() {
        return Ok(());
    }
    match Sample::load(path) {
        // Nothing is lost.
        Ok(existing) if existing == *codes => Ok(()),
        Ok(_) => Ok(inputs.check(path)?),
        Err(_) => Err(CliError::NoCodes(path.to_owned())),
    }
}

impl Arguments {
    /// The codes that were asked for, and the seed of what was drawn, if any was.
    fn codes(
        &self,
        sampler: &Sampler,
        count: Option<usize>,
    ) -> Result<(Sample, Option<u64>), CliError> {
        self.check()?;
        let sizes = sampler.sizes();
        let wanted = self
            .category
            .as_deref()
            .map(|name| category(name, sizes.categories))
            .transpose()?;
        let content = self.content.as_deref().map(Sample::load).transpose()?;
        let motion = self.motion.as_deref().map(Sample::load).transpose()?;
        let frames = match (count, &motion) {
            (Some(frames), _) => frames,
            (None, Some(motion)) => motion.frames(),
            (None, None) => FRAMES,
        };

        let fresh = || rand::random::<u32>().into();
        let seed = self.seed.unwrap_or_else(fresh);
        let mut codes = Sample::draw(seed, &sizes, frames, wanted)?;
        let mut drawn = Some(seed);
        match self.hold {
            Some(Part::Content) => {
                let anew = fresh();
                codes = codes.resample_motion(anew);
                drawn = Some(anew);
            }
            Some(Part::Motion) => {
                let anew = fresh();
                codes = codes.resample_content(anew);
                drawn = Some(anew);
            }
            None => {}
        }
        if let Some(content) = &content {
            codes.content.clone_from(&content.content);
            if wanted.is_none() {
                codes.category = content.category;
            }
        }
        if let Some(motion) = &motion {
            let motion = motion.with_frames(frames)?;
            codes.h0 = motion.h0;
            codes.epsilon = motion.epsilon;
            codes.motion_seed = motion.motion_seed;
            if content.is_some() {
                drawn = None;
            }
        }
        codes.check(&sizes)?;
        Ok((codes, drawn))
    }

    /// Refuses a part of what the dice would make another each time: the other parts wouldn't fit.
    fn check_part(&self) -> Result<(), CliError> {
        let is_drawn = self.seed.is_none() && (self.content.is_none() || self.motion.is_none());
        if is_drawn || self.hold.is_some() {
            return Err(CliError::PartOfFreshSample);
        }
        Ok(())
    }

    /// Refuses what contradicts itself.
    fn check(&self) -> Result<(), CliError> {
        let twice = match self.hold {
            Some(Part::Content) if self.content.is_some() => Some("content"),
            Some(Part::Motion) if self.motion.is_some() => Some("motion"),
            Some(Part::Content) if self.motion.is_some() => Some("motion"),
            Some(Part::Motion) if self.content.is_some() => Some("content"),
            _ => None,
        };
        twice.map_or(Ok(()), |part| Err(CliError::HeldTwice { part }))
    }
}
