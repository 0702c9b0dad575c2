//! `mien edit`: one portrait, with one expression or an animation to it.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::errors::CliError;
use super::frames::Frames;
use super::head::HeadArgs;
use super::output::{OutputArgs, fps_of, say, with_progress};
use super::place::Place;
use super::values::{Setting, fps, method_of_expressions, number, pane, preset, quality, setting};
use crate::document::{
    Document, Easing, FileFormat, MethodChoice, MethodId, PaneSpec, Playback, Pose, Project,
};
use crate::face::portrait::Portrait;
use crate::jobs::export::{ExportJob, Layout, Steps};
use crate::jobs::output::Output;
use crate::methods::ganimation::model::Model;
use crate::methods::models::Models;
use crate::methods::registry::Registry;
use crate::progress::Progress;
use crate::weights::CropRule;

#[derive(Debug, Args)]
#[command(mut_arg("output", |arg| arg.help(
    "The file to write: .png (a numbered sequence with --frames), .jpg, .webp (animated with --frames), .apng, .gif or .mp4"
)))]
pub(super) struct Arguments {
    /// The portrait (PNG, JPEG, WebP, TIFF, BMP or GIF)
    portrait: PathBuf,

    /// Set one Action Unit, from 0 (relaxed) to 1 (full), such as 12=0.8; repeat it for several. The rig also takes values
    /// from -0.5 to 1.5. The others keep the value of the preset, or of the portrait. L or R before the equals sign sets only that
    /// half of the face as seen in the picture, such as 12L=0.8
    #[arg(long = "au", value_name = "N=V", allow_hyphen_values = true, value_parser = setting)]
    aus: Vec<Setting>,

    /// Start from a preset: neutral, happy, sad, surprised, angry, disgusted, afraid, contempt, blink, or your own
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,

    /// The method: rig (a head model moves the portrait's own pixels) or ganimation (a network) [default: rig, or ganimation
    /// if no face is found or its attention or colour is shown]
    #[arg(long, value_parser = method_of_expressions())]
    method: Option<MethodId>,

    /// How strong the edit is, from 0 (the portrait's own expression) to 1
    #[arg(
        long,
        default_value = "1",
        value_name = "S",
        allow_hyphen_values = true,
        value_parser = number(0.0, 1.0)
    )]
    strength: f64,

    #[command(flatten)]
    head: HeadArgs,

    #[command(flatten)]
    place: Place,

    /// A picture of the same person with a relaxed face; the portrait's expression is measured relative to it, more precisely
    #[arg(long, value_name = "PICTURE")]
    neutral: Option<PathBuf>,

    /// The preset that the animation starts from [default: the portrait's own expression]
    #[arg(long, value_name = "NAME")]
    begin: Option<String>,

    /// How the animation eases
    #[arg(long, value_enum, default_value_t = Pace::Soft)]
    pace: Pace,

    /// The number of frames of the animation [default: 24 for GIF, APNG and MP4]. A-B/N writes only frames A to B of the N,
    /// numbered from 1; the files of a sequence keep their numbers
    #[arg(long, value_name = "N|A-B/N", value_parser = Frames::parse)]
    frames: Option<Frames>,

    /// Frames per second of an animation
    #[arg(
        long,
        default_value = "24",
        value_name = "F",
        allow_hyphen_values = true,
        value_parser = fps
    )]
    fps: f64,

    /// Play the animation forwards, then backwards: N frames become 2N-2
    #[arg(long)]
    pingpong: bool,

    /// The quality of an MP4, WebP or JPEG, from 1 to 100; a WebP of 100 is lossless [default: 80, or 92 for JPEG]
    #[arg(long, value_name = "Q", allow_hyphen_values = true, value_parser = quality)]
    quality: Option<u8>,

    /// The panes, from left to right: source, result, difference, flow, keypoints, mesh, depth, layers (of the rig), attention,
    /// colour (of GANimation)
    #[arg(
        long,
        default_value = "result",
        value_name = "PANE,...",
        value_delimiter = ',',
        value_parser = pane
    )]
    panes: Vec<PaneSpec>,

    /// The size of the result as a fraction of the portrait's
    #[arg(
        long,
        default_value = "1",
        value_name = "S",
        allow_hyphen_values = true,
        value_parser = number(0.01, 1.0)
    )]
    scale: f64,

    /// For ganimation: don't restore the portrait's fine detail, which the network blurs
    #[arg(long)]
    no_detail: bool,

    /// A GANimation weight file (safetensors) to use instead of the built-in one
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,

    #[command(flatten)]
    output: OutputArgs,
}

/// The maximum number of panes side by side.
const MAX_PANES: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Pace {
    /// Slow at both ends
    Soft,
    /// The same throughout
    Even,
}

pub(super) fn run(arguments: Arguments) -> Result<(), CliError> {
    let count = arguments.panes.len();
    if count > MAX_PANES {
        let most = MAX_PANES;
        return Err(CliError::TooManyPanes { count, most });
    }
    let frames = arguments.frame_count()?;
    let format = FileFormat::of(&arguments.output.path, frames as usize)?;
    let fps = fps_of(format, arguments.fps, 120.0)?;
    let begin = arguments.begin.as_deref().map(preset).transpose()?;
    let preset = arguments.preset.as_deref().map(preset).transpose()?;

    let model = Arc::new(Model::open(arguments.weights.as_deref())?);
    let mut portrait = Portrait::open(&arguments.portrait, model.crop())?;
    if let Some(path) = &arguments.neutral {
        portrait.read_against(&Portrait::open(path, model.crop())?.neutral()?);
    }
    let mut document = arguments.document(&portrait, model.crop())?;
    let ends = (begin, preset);
    arguments.express(&mut document, ends, (frames, fps));
    if !arguments.output.quiet {
        arguments.place.remark(&portrait, &document, "edited");
    }

    let panes = arguments.drawn(&document)?;
    if !arguments.output.quiet {
        remark_on_reach(&panes, &document);
    }
    let steps = if document.track.is_empty() {
        Steps::One(0)
    } else {
        Steps::All
    };
    let quiet = arguments.output.quiet;
    let inputs = super::inputs(arguments.neutral.iter().chain(&arguments.weights));
    let job = ExportJob {
        subject: arguments.place.subject(&document, &portrait, model.crop()),
        project: Project::new(document),
        panes,
        steps,
        count: None,
        layout: Layout::Strip,
        scale: arguments.scale,
        fps: Some(fps),
        output: Output {
            format,
            quality: arguments.quality,
            loops: arguments.output.loops(),
            scale: 1.0,
            part: arguments.frames.unwrap_or_default().part,
            marked: !arguments.output.unmarked,
            path: arguments.output.path,
            inputs,
        },
        sound: false,
        strict: true,
    };
    let models = Arc::new(Models::new(model));
    with_progress(&Progress::new(0), quiet, |progress| {
        job.write(&models, progress)
    })?;
    Ok(())
}

/// Warns about methods that can't draw expressions beyond relaxed or full.
fn remark_on_reach(panes: &[PaneSpec], document: &Document) {
    if document.base_pose.is_usual() {
        return;
    }
    let registry = Registry::default();
    let drawing = panes
        .iter()
        .filter_map(|pane| registry.get(pane.method.id()?));
    let mut within: Vec<&str> = drawing
        .filter(|info| !info.overshoots)
        .map(|info| info.title)
        .collect();
    within.dedup();
    for title in within {
        say(format_args!(
            "{title} draws Action Units from 0 to 1; values beyond are limited to that range."
        ));
    }
}

impl Arguments {
    /// The number of frames of the movement; it can be unknown if only a part is given.
    fn frame_count(&self) -> Result<u32, CliError> {
        let moves = FileFormat::of(&self.output.path, 1)?.moves();
        match self.frames.unwrap_or_default() {
            Frames {
                count: Some(count), ..
            } => Ok(count as u32),
            Frames {
                part: Some(part), ..
            } if !moves => {
                let part = part.to_string();
                Err(CliError::PartOfUnknown { part })
            }
            _ => Ok(if moves { 24 } else { 1 }),
        }
    }

    /// The panes, each with the method that draws it.
    fn drawn(&self, document: &Document) -> Result<Vec<PaneSpec>, CliError> {
        let of_network = |pane: &PaneSpec| pane.method == MethodChoice::GANIMATION;
        let by_network =
            self.weights.is_some() || document.face.is_none() || self.panes.iter().any(of_network);
        let method = match self.method {
            Some(id) => MethodChoice::Method(id, None),
            None => MethodChoice::of_expressions(!by_network),
        };
        let registry = Registry::default();
        let panes = self.panes.iter().map(|pane| {
            let method = if pane.method == MethodChoice::Source || of_network(pane) {
                pane.method
            } else {
                method
            };
            if !registry.views(method).contains(&pane.view) {
                return Err(CliError::NoView {
                    method: registry.title(method),
                    view: pane.view.key().into_owned(),
                });
            }
            if let Some(info) = method.id().and_then(|id| registry.get(id)) {
                info.check_head(&document.base_pose)?;
            }
            Ok(PaneSpec { method, ..*pane })
        });
        panes.collect()
    }

    /// The portrait's document, with the requested face and crop.
    fn document(&self, portrait: &Portrait, rule: &CropRule) -> Result<Document, CliError> {
        let mut document = self.place.document(portrait, rule)?;
        document.strength = self.strength as f32;
        document.detail = !self.no_detail;
        Ok(document)
    }

    /// Sets the requested expression and the animation to it; without presets, both start from the portrait's expression.
    fn express(
        &self,
        document: &mut Document,
        (begin, preset): (Option<Pose>, Option<Pose>),
        (frames, fps): (u32, f64),
    ) {
        let own = Pose::from(document.source);
        let asked = self.head.turned(preset.map_or(own, Pose::from));
        let begin = begin.map_or(own, Pose::from);
        let pose = self.aus.iter().fold(asked, |pose, (sides, unit, value)| {
            pose.with(*sides, *unit, *value)
        });
        document.base_pose = pose;
        if frames > 1 {
            document.track.set_fps(fps);
            document.track.set_frames(frames);
            // The end first, so that channels which turn there also get a key at the beginning.
            document.track.set_key(frames - 1, pose);
            document.track.set_key(0, begin);
            let easing = match self.pace {
                Pace::Soft => Easing::EaseInOut,
                Pace::Even => Easing::Linear,
            };
            let begin = document.track.keys_on(0);
            document.track.set_easing(&begin, easing);
            document.track.playback = if self.pingpong {
                Playback::PingPong
            } else {
                Playback::Once
            };
        }
    }
}
