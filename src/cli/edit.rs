//! `mien edit`: one portrait, one expression or the way to it.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::bar::show;
use super::frames::Frames;
use super::number;
use super::place::Place;
use crate::document::{
    ActionUnit, AuVector, Document, Easing, Limit, Playback, Pose, Preset, Sides,
};
use crate::error::EngineError;
use crate::face::portrait::Portrait;
use crate::folders::presets_folder;
use crate::jobs::export::export;
use crate::jobs::export::{ExportJob, Format};
use crate::methods::ganimation::model::Model;
use crate::methods::ganimation::session::{Pane, Scene};
use crate::weights::CropRule;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The portrait (PNG, JPEG, WebP, TIFF, BMP or GIF)
    portrait: PathBuf,

    /// Sets one Action Unit, from 0 (relaxed) to 1 (full), such as 12=0.8; may be given many times. The others stay as the
    /// portrait or the preset has them. With L or R before the equals sign only that half of the face (as the picture
    /// shows it) is set, such as 12L=0.8
    #[arg(long = "au", value_name = "N=V", allow_hyphen_values = true)]
    aus: Vec<String>,

    /// Begins with a preset: neutral, happy, sad, surprised, angry, disgusted, afraid, contempt, blink, or your own
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,

    /// How much of the way from the portrait's own expression is gone, from 0 to 1
    #[arg(
        long,
        default_value = "1",
        value_name = "S",
        allow_hyphen_values = true
    )]
    strength: String,

    #[command(flatten)]
    place: Place,

    /// A picture of the same person relaxed: what the portrait shows is read against it, and slighter movement is seen
    #[arg(long, value_name = "PICTURE")]
    neutral: Option<PathBuf>,

    /// Where the movement begins: a preset's name. Without, at the portrait's own expression
    #[arg(long, value_name = "NAME")]
    begin: Option<String>,

    /// The movement's pace
    #[arg(long, value_enum, default_value_t = Pace::Soft)]
    pace: Pace,

    /// How many frames the movement to the expression takes; without it GIF, APNG and MP4 take 24. With A-B/N only the
    /// frames from A to B of all that are written, counted from 1: a sequence's keep their numbers
    #[arg(long, value_name = "N|A-B/N")]
    frames: Option<String>,

    /// Frames a second of whatever moves
    #[arg(
        long,
        default_value = "24",
        value_name = "F",
        allow_hyphen_values = true
    )]
    fps: String,

    /// Plays the movement back again after its end: N frames become 2N-2
    #[arg(long)]
    pingpong: bool,

    /// Leaves out the note in the file that says that a model edited it
    #[arg(long)]
    unmarked: bool,

    /// The quality of an MP4, WebP or JPEG, from 1 to 100; a WebP of 100 is exact. Without, 80, and 92 of a JPEG
    #[arg(long, value_name = "Q", allow_hyphen_values = true)]
    quality: Option<String>,

    /// How often a GIF, APNG or WebP plays; 0 is for ever
    #[arg(long = "loop", default_value_t = 0, value_name = "TIMES")]
    loops: u16,

    /// What stands side by side: source, result, attention, colour
    #[arg(long, default_value = "result", value_name = "PANE,...")]
    panes: String,

    /// The size of what is written, as a share of the portrait's own
    #[arg(
        long,
        default_value = "1",
        value_name = "S",
        allow_hyphen_values = true
    )]
    scale: String,

    /// Leaves the network's own softness, without the portrait's fine detail over it
    #[arg(long)]
    no_detail: bool,

    /// A GANimation weight file (safetensors) to use in place of the one that comes with Mien
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,

    /// No progress bar and no remarks
    #[arg(short, long)]
    quiet: bool,

    /// What to write: .png (with --frames a numbered sequence), .jpg, .webp (with --frames animated), .apng, .gif or .mp4
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Pace {
    /// Slow at both ends
    Soft,
    /// The same throughout
    Even,
}

pub(super) fn run(arguments: Arguments) -> Result<(), EngineError> {
    let Frames { count, part } = Frames::of(arguments.frames.as_ref())?;
    let frames = arguments.frame_count(count, part.is_some())?;
    let format = Format::of(&arguments.output, frames as usize)?;
    let quality = super::quality(arguments.quality.as_ref())?;
    let panes = arguments.panes()?;
    let fps = arguments.fps(format)?;
    let scale = number("--scale", &arguments.scale, 0.01, 1.0)?;
    let limit = arguments.place.limit()?;
    let settings = settings(&arguments.aus)?;
    let begin = arguments.begin.as_deref().map(preset).transpose()?;
    let preset = arguments.preset.as_deref().map(preset).transpose()?;

    let model = Arc::new(Model::open(arguments.weights.as_deref())?);
    let mut portrait = Portrait::open(&arguments.portrait, model.crop())?;
    if let Some(path) = &arguments.neutral {
        portrait.read_against(&Portrait::open(path, model.crop())?.neutral()?);
    }
    let mut document = arguments.document(&portrait, model.crop(), limit)?;
    let ends = (begin, preset);
    arguments.express(&mut document, ends, &settings, (frames, fps));
    if !arguments.quiet {
        arguments.place.remark(&portrait, &document, "edited");
    }

    let order = if document.track.is_empty() {
        vec![0]
    } else {
        document.track.order()
    };
    let job = ExportJob {
        scenes: order
            .into_iter()
            .map(|frame| Scene::of(&document, frame))
            .collect(),
        face: document
            .face
            .and_then(|face| portrait.faces.get(face).cloned()),
        portrait: portrait.picture,
        part,
        panes,
        format,
        fps,
        quality,
        loops: super::loop_count(arguments.loops),
        scale,
        sound: None,
        marked: !arguments.unmarked,
        path: arguments.output,
    };
    let progress = job.progress();
    let cancel = progress.cancel.clone();
    // Where the handler can't be set, Ctrl+C ends the program at once; nothing is half-written even so.
    drop(ctrlc::set_handler(move || cancel.cancel()));
    let bar = show(&progress, arguments.quiet);
    let result = export(&model, &job, &progress);
    bar.finish(&progress);
    result.map(drop)
}

impl Arguments {
    /// How many frames the movement takes; of a part alone that can't always be told.
    fn frame_count(&self, count: Option<usize>, is_part: bool) -> Result<u32, EngineError> {
        let moves = Format::of(&self.output, 1)?.moves();
        match (count, &self.frames) {
            (Some(count), _) => Ok(count as u32),
            (None, Some(part)) if is_part && !moves => Err(EngineError::Refused(format!(
                "--frames {part} doesn't say of how many frames; write {part}/48 if they are 48."
            ))),
            (None, _) => Ok(if moves { 24 } else { 1 }),
        }
    }

    fn fps(&self, format: Format) -> Result<f64, EngineError> {
        number("--fps", &self.fps, 1.0, format.max_fps().min(120.0))
    }

    fn panes(&self) -> Result<Vec<Pane>, EngineError> {
        self.panes
            .split(',')
            .map(|key| {
                Pane::from_key(key.trim()).ok_or_else(|| {
                    EngineError::Refused(format!(
                        "{key:?} is not a pane; use source, result, attention or colour, with commas between."
                    ))
                })
            })
            .collect()
    }

    /// The portrait's document, on the face and crop that were asked for.
    fn document(
        &self,
        portrait: &Portrait,
        rule: &CropRule,
        limit: Limit,
    ) -> Result<Document, EngineError> {
        let mut document = self.place.document(portrait, rule, limit)?;
        document.strength = number("--strength", &self.strength, 0.0, 1.0)? as f32;
        document.detail = !self.no_detail;
        Ok(document)
    }

    /// Sets what is asked for, and the way to it from where it begins; without presets, both from the portrait's own.
    fn express(
        &self,
        document: &mut Document,
        (begin, preset): (Option<AuVector>, Option<AuVector>),
        settings: &[(Sides, ActionUnit, f32)],
        (frames, fps): (u32, f64),
    ) {
        let own = Pose::from(document.source);
        let asked = preset.map_or(own, Pose::from);
        let begin = begin.map_or(own, Pose::from);
        let pose = settings.iter().fold(asked, |pose, (sides, unit, value)| {
            pose.with(*sides, *unit, *value)
        });
        document.still = pose;
        if frames > 1 {
            document.track.set_fps(fps);
            document.track.set_frames(frames);
            document.track.set_key(0, begin);
            document.track.set_key(frames - 1, pose);
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

/// Every `--au`, with the halves of the face that it is for.
///
/// # Errors
/// [`EngineError::Refused`] for what sets no Action Unit.
pub(super) fn settings(aus: &[String]) -> Result<Vec<(Sides, ActionUnit, f32)>, EngineError> {
    let read = |text: &String| {
        let (sides, plain) = sided(text);
        AuVector::parse_setting(&plain)
            .map(|(unit, value)| (sides, unit, value))
            .map_err(|error| EngineError::Refused(error.to_string()))
    };
    aus.iter().map(read).collect()
}

/// What a preset of this name asks for.
///
/// # Errors
/// [`EngineError::Preset`] for one that nobody knows.
pub(super) fn preset(name: &str) -> Result<AuVector, EngineError> {
    let mut presets = Preset::built_in()?;
    if let Some(folder) = presets_folder() {
        presets.extend(Preset::in_folder(&folder).0);
    }
    Ok(Preset::find(&presets, name)?.aus)
}

/// The halves that `12L=0.8` is for, and the setting without them.
fn sided(text: &str) -> (Sides, String) {
    if let Some((unit, value)) = text.split_once('=') {
        for (letter, sides) in [('L', Sides::Left), ('R', Sides::Right)] {
            let trimmed = unit.trim_end();
            if let Some(code) = trimmed.strip_suffix([letter, letter.to_ascii_lowercase()]) {
                return (sides, format!("{code}={value}"));
            }
        }
    }
    (Sides::Both, text.to_owned())
}
