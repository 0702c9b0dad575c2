//! `mien transfer`: transfers a clip's movement to a portrait.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::errors::CliError;
use super::frames::Frames;
use super::output::{OutputArgs, print_remarks, with_progress};
use super::place::Place;
use super::values::{Reference, method, mode, number, quality, reference, time};
use crate::document::{
    ClipMotion, FileFormat, Follow, MediaSource, MethodChoice, MethodId, Mode, MotionKind,
    PaneSpec, Playback, Project,
};
use crate::drive::sample_clip::SampleClip;
use crate::face::portrait::Portrait;
use crate::jobs::export::{ExportJob, Layout, Steps};
use crate::jobs::frame_range::FrameRange;
use crate::jobs::output::Output;
use crate::media::clip::Clip;
use crate::methods::registry::default_expression_method;
use crate::methods::subject::Subject;
use crate::methods::{DrivenBy, ganimation};
use crate::progress::Progress;

#[derive(Debug, Args)]
#[command(mut_arg("output", |arg| arg.help(
    "The file to write: .mp4, .gif, .apng, .webp, or .png for a numbered sequence"
)))]
pub(super) struct Arguments {
    /// The portrait (PNG, JPEG, WebP, TIFF, BMP or GIF)
    portrait: PathBuf,

    /// The driving clip: a video, a GIF, or a folder or pattern of numbered frames
    #[arg(
        required_unless_present = "sample_clip",
        conflicts_with = "sample_clip"
    )]
    clip: Option<PathBuf>,

    /// Use the built-in sample clip
    #[arg(long)]
    sample_clip: bool,

    /// The method: Action Units read from the clip's face, drawn with the portrait's own pixels (rig) or by a network
    /// (ganimation); or the clip's own motion (fomm, tps) [default: rig, or ganimation if no face is found]
    #[arg(long, value_parser = method())]
    method: Option<MethodId>,

    /// Transfer the clip's face as it is (standard), or only how it moves (relative); or, with TPS, its own separation of shape
    /// and pose (avd)
    #[arg(long, value_parser = mode(), default_value = "relative")]
    mode: Mode,

    /// For relative motion: the clip's frame that matches the portrait's expression, numbered from 1, or auto for the closest
    #[arg(long, default_value = "auto", value_name = "N|auto", value_parser = reference)]
    reference: Reference,

    /// Start the clip at this time, such as 1.5 or 0:01.5
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<f64>,

    /// End the clip at this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<f64>,

    /// Write only frames A to B, numbered from 1; the files of a sequence keep their numbers. The whole clip is still analysed,
    /// so that ranges fit together
    #[arg(long, value_name = "A-B", value_parser = Frames::parse)]
    frames: Option<Frames>,

    /// How strong the movement is: 0 is none, 1 as in the clip, and more exaggerates it
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

    /// For fomm and tps: write the network's own picture instead of the full-size portrait warped by its motion
    #[arg(long)]
    plain: bool,

    /// For fomm and tps: draw the clip's expression (Action Units and gaze) with the rig first, and let the method move that;
    /// these networks transfer the head's motion and little of the expression
    #[arg(long, conflicts_with = "plain")]
    expression_by_rig: bool,

    /// For ganimation: don't smooth the measured Action Units
    #[arg(long)]
    no_smooth: bool,

    /// For ganimation: don't restore the portrait's fine detail, which the network blurs
    #[arg(long)]
    no_detail: bool,

    /// Leave the clip's sound out of an MP4
    #[arg(long)]
    no_sound: bool,

    /// The quality of an MP4 or WebP, from 1 to 100; a WebP of 100 is lossless [default: 80]
    #[arg(long, value_name = "Q", allow_hyphen_values = true, value_parser = quality)]
    quality: Option<u8>,

    /// The size of the result as a fraction of the portrait's
    #[arg(
        long,
        default_value = "1",
        value_name = "S",
        allow_hyphen_values = true,
        value_parser = number(0.01, 1.0)
    )]
    scale: f64,

    /// Weights for the method instead of the built-in ones: a file, or the name of installed weights
    #[arg(long, value_name = "FILE|NAME")]
    weights: Option<PathBuf>,

    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), CliError> {
    let output = Output {
        format: FileFormat::of(&arguments.output.path, usize::MAX)?,
        quality: arguments.quality,
        loops: arguments.output.loops(),
        scale: 1.0,
        part: arguments.part()?,
        marked: !arguments.output.unmarked,
        path: arguments.output.path.clone(),
        inputs: super::inputs(&arguments.weights),
    };
    let motion = arguments.motion()?;
    // Weights given without a method are GANimation's.
    let network = arguments.method.unwrap_or(ganimation::session::INFO.id);
    let models = Arc::new(super::models(network, arguments.weights.as_deref())?);
    let rule = models.crop_rule();
    let portrait = Portrait::open(&arguments.portrait, rule)?;
    let mut document = arguments.place.document(&portrait, rule)?;
    document.detail = !arguments.no_detail;
    let by_rig = arguments.weights.is_none() && document.face.is_some();
    let info = match arguments.method {
        Some(id) => models.info(id)?,
        None => default_expression_method(by_rig),
    };
    let mode = match info.driven_by {
        // For these methods the mode is part of the motion.
        DrivenBy::Expression if arguments.mode != Mode::Avd => None,
        _ => Some(arguments.mode),
    };
    let method = MethodChoice::Method(info.id, mode);
    if arguments.expression_by_rig {
        if info.driven_by != DrivenBy::Picture {
            return Err(CliError::RigUnderExpressions);
        }
        if document.face.is_none() {
            let name = portrait.name.clone();
            return Err(CliError::RigWithoutFace { name });
        }
    }
    if !arguments.output.quiet {
        arguments.place.remark(&portrait, &document, "moved");
    }
    let subject = Subject {
        plain: arguments.plain,
        ..arguments.place.subject(&document, &portrait, rule)
    };
    let mut project = Project::new(document);
    project.add("Clip", motion);
    let job = ExportJob {
        project,
        subject,
        panes: vec![PaneSpec {
            expression_by_rig: arguments.expression_by_rig,
            ..PaneSpec::of(method)
        }],
        steps: Steps::All,
        count: None,
        layout: Layout::Strip,
        scale: arguments.scale,
        fps: None,
        output,
        sound: !arguments.no_sound,
        strict: true,
    };
    let quiet = arguments.output.quiet;
    let outcome = with_progress(&Progress::new(0), quiet, |progress| {
        job.write(&models, progress)
    })?;
    if !quiet {
        print_remarks(&outcome.remarks, outcome.reference);
    }
    Ok(())
}

impl Arguments {
    fn part(&self) -> Result<Option<FrameRange>, CliError> {
        let Frames { count, part } = self.frames.unwrap_or_default();
        match count {
            None => Ok(part),
            Some(count) => Err(CliError::CountOfClip { count }),
        }
    }

    /// The clip, with its settings for driving.
    fn motion(&self) -> Result<MotionKind, CliError> {
        let source = match &self.clip {
            Some(clip) => MediaSource::File(clip.clone()),
            None => SampleClip::source(),
        };
        let follow = Follow {
            strength: self.gain as f32,
            smoothing_strength: if self.no_smooth { 0.0 } else { 0.5 },
            relative: self.mode == Mode::Relative,
            reference: reference_in(&source, (self.from, self.to), self.reference)?,
            ..Follow::default()
        };
        Ok(MotionKind::Clip(ClipMotion {
            from: self.from,
            to: self.to,
            follow,
            playback: Playback::Once,
            ..ClipMotion::new(source)
        }))
    }
}

/// Converts a reference frame counted in the used part to its number in the whole clip.
pub(super) fn reference_in(
    source: &MediaSource,
    (from, to): (Option<f64>, Option<f64>),
    reference: Reference,
) -> Result<Option<u32>, CliError> {
    let Reference::Frame(frame) = reference else {
        return Ok(None);
    };
    let first = match source {
        MediaSource::File(path) if from.is_some() => Clip::open(path)?.trim(from, to)?.first(),
        MediaSource::Bundled(_) if from.is_some() => {
            let sample = SampleClip::write()?;
            Clip::open(sample.path())?.trim(from, to)?.first()
        }
        _ => 0,
    };
    Ok(Some(
        u32::try_from(first.saturating_add(frame)).unwrap_or(u32::MAX),
    ))
}
