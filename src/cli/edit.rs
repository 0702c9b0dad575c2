//! `mien edit`: one portrait, one expression or the way to it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::engine::{
    EngineError, ExportJob, Format, LoopCount, Model, Pane, Portrait, Progress, Scene, export,
    presets_folder,
};
use crate::studio::{AuVector, Crop, Document, Easing, Playback, PortraitRef, Preset};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The portrait (PNG, JPEG, WebP, TIFF, BMP or GIF)
    portrait: PathBuf,

    /// Sets one Action Unit, from 0 (relaxed) to 1 (full), such as 12=0.8; may be given many times
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

    /// The face's square: left, top and side in pixels of the portrait
    #[arg(long, value_name = "X,Y,SIDE", allow_hyphen_values = true)]
    crop: Option<String>,

    /// How many frames the movement to the expression takes; without it GIF and MP4 take 24
    #[arg(long, value_name = "N")]
    frames: Option<u32>,

    /// Frames a second of GIF and MP4
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

    /// How often a GIF plays; 0 is for ever
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

    /// What to write: .png (with --frames a numbered sequence), .gif or .mp4
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn run(arguments: Arguments) -> Result<(), EngineError> {
    let frames = arguments.frame_count()?;
    let format = Format::of(&arguments.output, frames as usize)?;
    let panes = arguments.panes()?;
    let fps = arguments.fps(format)?;
    let scale = number("--scale", &arguments.scale, 0.01, 1.0)?;
    let pose = arguments.pose()?;

    let portrait = Portrait::open(&arguments.portrait)?;
    let document = arguments.document(&portrait, pose, frames, fps)?;
    let model = Arc::new(Model::open(arguments.weights.as_deref())?);
    if portrait.guessed && arguments.crop.is_none() && !arguments.quiet {
        let Crop { x, y, side } = document.crop;
        eprintln!(
            "mien: no --crop given, so the face is guessed to lie in {x:.0},{y:.0},{side:.0}; \
             if the result looks wrong, give the square around the face."
        );
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
        portrait: portrait.picture,
        panes,
        format,
        fps,
        loops: match arguments.loops {
            0 => LoopCount::Forever,
            times => LoopCount::Times(times),
        },
        scale,
        path: arguments.output,
    };
    let progress = job.progress();
    let cancel = progress.cancel.clone();
    // Where the handler can't be set, Ctrl+C ends the program at once; nothing is half-written even so.
    drop(ctrlc::set_handler(move || cancel.cancel()));
    let bar = show(&progress, arguments.quiet);
    let result = export(&model, &job, &progress);
    bar.finish(&progress);
    result
}

impl Arguments {
    fn frame_count(&self) -> Result<u32, EngineError> {
        match self.frames {
            None => Ok(match Format::of(&self.output, 1)? {
                Format::Png | Format::PngSequence => 1,
                Format::Gif | Format::Mp4 => 24,
            }),
            Some(frames @ 1..=100_000) => Ok(frames),
            Some(frames) => Err(EngineError::Refused(format!(
                "--frames {frames} is out of range; give a number from 1 to 100000."
            ))),
        }
    }

    fn fps(&self, format: Format) -> Result<f64, EngineError> {
        let max = match format {
            Format::Gif => format.max_fps(),
            _ => 120.0,
        };
        number("--fps", &self.fps, 1.0, max)
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

    /// What is asked for; `None` where neither a preset nor a unit is given.
    fn pose(&self) -> Result<Option<AuVector>, EngineError> {
        let mut pose = match &self.preset {
            Some(name) => {
                let mut presets = Preset::built_in()?;
                if let Some(folder) = presets_folder() {
                    presets.extend(Preset::in_folder(&folder).0);
                }
                Some(Preset::find(&presets, name)?.aus)
            }
            None => None,
        };
        for setting in &self.aus {
            let (unit, value) = AuVector::parse_setting(setting)
                .map_err(|error| EngineError::Refused(error.to_string()))?;
            pose.get_or_insert(AuVector::NEUTRAL).set(unit, value);
        }
        Ok(pose)
    }

    fn document(
        &self,
        portrait: &Portrait,
        pose: Option<AuVector>,
        frames: u32,
        fps: f64,
    ) -> Result<Document, EngineError> {
        let (width, height) = portrait.picture.size();
        let crop = match &self.crop {
            Some(text) => Crop::parse(text)?.checked(width, height)?,
            None => portrait.crop,
        };
        let reference = PortraitRef {
            id: 0,
            name: portrait.name.clone(),
            width,
            height,
        };
        let mut document = Document::new(reference, crop, portrait.source);
        document.strength = number("--strength", &self.strength, 0.0, 1.0)? as f32;
        document.detail = !self.no_detail;
        document.aus = pose.unwrap_or(portrait.source);
        if frames > 1 {
            let pose = document.aus;
            document.track.set_fps(fps);
            document.track.set_frames(frames);
            document.track.set_key(0, document.source);
            document.track.set_key(frames - 1, pose);
            document.track.set_easing(0, Easing::EaseInOut);
            document.track.playback = if self.pingpong {
                Playback::PingPong
            } else {
                Playback::Once
            };
        }
        Ok(document)
    }
}

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

/// A progress bar that follows the work from a thread of its own.
struct Bar {
    bar: ProgressBar,
    follower: Option<std::thread::JoinHandle<()>>,
}

fn show(progress: &Progress, quiet: bool) -> Bar {
    let bar = ProgressBar::new(progress.total() as u64);
    if quiet || progress.total() < 2 {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = "{bar:32} {pos}/{len} frames, {eta} left";
    bar.set_style(
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let follower = {
        let (bar, progress) = (bar.clone(), progress.clone());
        std::thread::spawn(move || {
            while !bar.is_finished() {
                bar.set_position(progress.done() as u64);
                std::thread::sleep(Duration::from_millis(50));
            }
        })
    };
    Bar {
        bar,
        follower: Some(follower),
    }
}

impl Bar {
    fn finish(mut self, progress: &Progress) {
        self.bar.set_position(progress.done() as u64);
        self.bar.finish_and_clear();
        if let Some(follower) = self.follower.take() {
            drop(follower.join());
        }
    }
}
