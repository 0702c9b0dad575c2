//! `mien sample`: a clip that MoCoGAN makes up, and the codes that it is made of.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::bar::show;
use super::frames::Frames;
use super::number;
use crate::document::{Sample, category};
use crate::error::EngineError;
use crate::jobs::export::Format;
use crate::jobs::output::Output;
use crate::jobs::sample::{SampleJob, sample};
use crate::methods::mocogan::sampler::Sampler;
use crate::progress::Progress;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where the dice fall: the same number gives the same clip; without, a new one each time
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// What the face does: anger, disgust, fear, happiness, sadness, surprise, or the category's number from 0 on
    #[arg(long, value_name = "NAME|N")]
    category: Option<String>,

    /// How many frames; with A-B or A-B/N only those from A to B, counted from 1: a sequence's keep their numbers
    #[arg(long, value_name = "N|A-B|A-B/N")]
    frames: Option<String>,

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
        allow_hyphen_values = true
    )]
    fps: String,

    /// Pixels a side of what is written; the network's own frames have 64
    #[arg(long, default_value = "256", value_name = "PIXELS")]
    size: String,

    /// Leaves out the note in the file that says that a model made it
    #[arg(long)]
    unmarked: bool,

    /// The quality of an MP4 or WebP, from 1 to 100; a WebP of 100 is exact. Without, 80
    #[arg(long, value_name = "Q", allow_hyphen_values = true)]
    quality: Option<String>,

    /// How often a GIF, APNG or WebP plays; 0 is for ever
    #[arg(long = "loop", default_value_t = 0, value_name = "TIMES")]
    loops: u16,

    /// The weights, in place of those that come with Mien: a file, or the name of installed ones
    #[arg(long, value_name = "FILE|NAME")]
    weights: Option<PathBuf>,

    /// No progress bar and no remarks
    #[arg(short, long)]
    quiet: bool,

    /// What to write: .gif, .apng, .webp, .mp4, or .png for a numbered sequence, with the codes beside it as .json; or .json for the
    /// codes alone
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Content,
    Motion,
}

/// The published network's length.
const FRAMES: usize = 16;

pub(super) fn run(arguments: &Arguments) -> Result<(), EngineError> {
    let only_codes = arguments
        .output
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let format = if only_codes {
        Format::Gif
    } else {
        Format::of(&arguments.output, usize::MAX)?
    };
    let fps = number("--fps", &arguments.fps, 1.0, format.max_fps())?;
    let side = number("--size", &arguments.size, 16.0, 2048.0)? as u32;
    let sampler = Sampler::open(arguments.weights.as_deref())?;
    let Frames { count, part } = Frames::of(arguments.frames.as_ref())?;
    if part.is_some() {
        arguments.check_part()?;
    }
    let (codes, seed) = arguments.codes(&sampler, count)?;
    let beside = arguments.output.with_extension("json");
    if only_codes {
        return codes.save(&beside).map_err(refused);
    }

    let job = SampleJob {
        sample: codes,
        fps,
        side,
        output: Output {
            format,
            quality: super::quality(arguments.quality.as_ref())?,
            loops: super::loop_count(arguments.loops),
            scale: 1.0,
            part,
            marked: !arguments.unmarked,
            path: arguments.output.clone(),
        },
    };
    let progress = Progress::new(job.sample.frames());
    let cancel = progress.cancel.clone();
    // Where the handler can't be set, Ctrl+C ends the program at once; nothing is half-written even so.
    drop(ctrlc::set_handler(move || cancel.cancel()));
    let bar = show(&progress, arguments.quiet);
    let drawn = sample(&sampler, &job, &progress);
    bar.finish(&progress);
    drawn?;
    job.sample.save(&beside).map_err(refused)?;
    if !arguments.quiet {
        let seed = seed.map_or_else(String::new, |seed| format!(", drawn from seed {seed}"));
        eprintln!(
            "mien: the codes{seed} are in {}; --content and --motion take them from there.",
            beside.display()
        );
    }
    Ok(())
}

impl Arguments {
    /// The codes that were asked for, and the seed of what was drawn, if any was.
    fn codes(
        &self,
        sampler: &Sampler,
        count: Option<usize>,
    ) -> Result<(Sample, Option<u64>), EngineError> {
        self.check()?;
        let sizes = sampler.sizes();
        let wanted = self
            .category
            .as_deref()
            .map(|name| category(name, sizes.categories))
            .transpose()
            .map_err(refused)?;
        let content = self.content.as_deref().map(load).transpose()?;
        let motion = self.motion.as_deref().map(load).transpose()?;
        let frames = match (count, &motion) {
            (Some(frames), _) => frames,
            (None, Some(motion)) => motion.frames(),
            (None, None) => FRAMES,
        };

        let fresh = || rand::random::<u32>().into();
        let seed = self.seed.unwrap_or_else(fresh);
        let mut codes = Sample::draw(seed, &sizes, frames, wanted).map_err(refused)?;
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
            let motion = motion.with_frames(frames).map_err(refused)?;
            codes.h0 = motion.h0;
            codes.epsilon = motion.epsilon;
            codes.motion_seed = motion.motion_seed;
            if content.is_some() {
                drawn = None;
            }
        }
        codes.check(&sizes).map_err(refused)?;
        Ok((codes, drawn))
    }

    /// Refuses a part of what the dice would make another each time: the other parts wouldn't fit.
    fn check_part(&self) -> Result<(), EngineError> {
        let is_drawn = self.seed.is_none() && (self.content.is_none() || self.motion.is_none());
        if is_drawn || self.hold.is_some() {
            return Err(EngineError::Refused(
                "a part of a sample that is drawn anew fits no other part; give a --seed and no --hold, or take --content and --motion from files.".to_owned(),
            ));
        }
        Ok(())
    }

    /// Refuses what contradicts itself.
    fn check(&self) -> Result<(), EngineError> {
        let twice = match self.hold {
            Some(Part::Content) if self.content.is_some() => Some("content"),
            Some(Part::Motion) if self.motion.is_some() => Some("motion"),
            Some(Part::Content) if self.motion.is_some() => Some("motion"),
            Some(Part::Motion) if self.content.is_some() => Some("content"),
            _ => None,
        };
        twice.map_or(Ok(()), |part| {
            Err(EngineError::Refused(format!(
                "--hold and --{part} both say where the {part} comes from; leave one out."
            )))
        })
    }
}

fn load(path: &Path) -> Result<Sample, EngineError> {
    Sample::load(path).map_err(refused)
}

fn refused(error: impl std::fmt::Display) -> EngineError {
    EngineError::Refused(error.to_string())
}
