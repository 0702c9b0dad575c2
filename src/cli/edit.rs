//! `mien edit`: one portrait, one expression or the way to it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::engine::{
    CropRule, EngineError, ExportJob, Format, LoopCount, Model, Pane, Portrait, Progress, Scene,
    export, presets_folder,
};
use crate::studio::{
    ActionUnit, AuVector, Crop, Document, Easing, Limit, Part, Playback, Pose, Preset, Sides,
};

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

    /// Which face of several, counted from the largest as "mien face" lists them
    #[arg(long, default_value_t = 1, value_name = "N")]
    face: usize,

    /// A picture of the same person relaxed: what the portrait shows is read against it, and slighter movement is seen
    #[arg(long, value_name = "PICTURE")]
    neutral: Option<PathBuf>,

    /// Turns the square with the head: for a face that leans
    #[arg(long, conflicts_with = "crop")]
    level: bool,

    /// Limits the edit to parts of the face: brows, eyes, nose, mouth, skin, and left or right
    #[arg(long, value_name = "PART,...")]
    region: Option<String>,

    /// The face's square: left, top and side in pixels of the portrait, and if it leans with the head the degrees
    /// clockwise by which it is turned about its middle; without it the face is found
    #[arg(long, value_name = "X,Y,SIDE[,DEGREES]", allow_hyphen_values = true)]
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
    let limit = arguments.limit()?;
    let settings = arguments.settings()?;
    let preset = arguments.preset()?;

    let model = Arc::new(Model::open(arguments.weights.as_deref())?);
    let mut portrait = Portrait::open(&arguments.portrait, model.crop())?;
    if let Some(path) = &arguments.neutral {
        portrait.read_against(&Portrait::open(path, model.crop())?.neutral()?);
    }
    let mut document = arguments.document(&portrait, model.crop(), limit)?;
    arguments.express(&mut document, preset, &settings, (frames, fps));
    if !arguments.quiet {
        arguments.remark(&portrait, &document);
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

    /// The preset to begin with.
    fn preset(&self) -> Result<Option<AuVector>, EngineError> {
        let Some(name) = &self.preset else {
            return Ok(None);
        };
        let mut presets = Preset::built_in()?;
        if let Some(folder) = presets_folder() {
            presets.extend(Preset::in_folder(&folder).0);
        }
        Ok(Some(Preset::find(&presets, name)?.aus))
    }

    /// Every `--au`, with the halves of the face that it is for.
    fn settings(&self) -> Result<Vec<(Sides, ActionUnit, f32)>, EngineError> {
        let read = |text: &String| {
            let (sides, plain) = sided(text);
            AuVector::parse_setting(&plain)
                .map(|(unit, value)| (sides, unit, value))
                .map_err(|error| EngineError::Refused(error.to_string()))
        };
        self.aus.iter().map(read).collect()
    }

    fn limit(&self) -> Result<Limit, EngineError> {
        let mut limit = Limit::NONE;
        for name in self.region.iter().flat_map(|names| names.split(',')) {
            let name = name.trim().to_lowercase();
            let part = Part::ALL
                .into_iter()
                .find(|part| part.title().to_lowercase() == name);
            match (part, name.as_str()) {
                (Some(part), _) if limit.has(part) => {}
                (Some(part), _) => limit = limit.toggled(part),
                (None, "left") => limit.sides = Sides::Left,
                (None, "right") => limit.sides = Sides::Right,
                (None, _) => {
                    return Err(EngineError::Refused(format!(
                        "--region {name} is not a part of the face; use brows, eyes, nose, mouth, skin, left or right, with commas between."
                    )));
                }
            }
        }
        Ok(limit)
    }

    /// The portrait's document, on the face and crop that were asked for.
    fn document(
        &self,
        portrait: &Portrait,
        rule: &CropRule,
        limit: Limit,
    ) -> Result<Document, EngineError> {
        let mut document = portrait.document(0);
        document.limit = limit;
        match (self.face.checked_sub(1), portrait.faces.len()) {
            (Some(0), 0) => {}
            (Some(index), _) if index < portrait.faces.len() => {
                let face = &portrait.faces[index];
                let size = portrait.picture.size();
                let crop = if self.level {
                    face.crop_by(&rule.levelled(), size)
                } else {
                    face.crop
                };
                document.take_face(index, crop, face.aus);
            }
            (_, found) => {
                return Err(EngineError::Refused(format!(
                    "--face {} can't be had: {found} faces were found in {}; \"mien face\" lists them.",
                    self.face, portrait.name
                )));
            }
        }
        if let Some(text) = &self.crop {
            let (width, height) = portrait.picture.size();
            document.crop = Crop::parse(text)?.checked(width, height)?;
        }
        let parts = limit.parts().next().is_some();
        if parts && document.face.is_none() {
            return Err(EngineError::Refused(format!(
                "--region needs a face, and none was found in {}; leave it out.",
                portrait.name
            )));
        }
        document.strength = number("--strength", &self.strength, 0.0, 1.0)? as f32;
        document.detail = !self.no_detail;
        Ok(document)
    }

    /// Sets what is asked for, and the way to it.
    fn express(
        &self,
        document: &mut Document,
        preset: Option<AuVector>,
        settings: &[(Sides, ActionUnit, f32)],
        (frames, fps): (u32, f64),
    ) {
        let own = Pose::from(document.source);
        let begin = preset.map_or(own, Pose::from);
        let pose = settings.iter().fold(begin, |pose, (sides, unit, value)| {
            pose.with(*sides, *unit, *value)
        });
        document.still = pose;
        if frames > 1 {
            document.track.set_fps(fps);
            document.track.set_frames(frames);
            document.track.set_key(0, own);
            document.track.set_key(frames - 1, pose);
            document.track.set_easing(0, Easing::EaseInOut);
            document.track.playback = if self.pingpong {
                Playback::PingPong
            } else {
                Playback::Once
            };
        }
    }

    /// What the artist should know of the face.
    fn remark(&self, portrait: &Portrait, document: &Document) {
        let Crop { x, y, side, .. } = document.crop;
        match portrait.faces.len() {
            0 if self.crop.is_none() => eprintln!(
                "mien: no face was found, so it is guessed to lie in {x:.0},{y:.0},{side:.0}; \
                 if the result looks wrong, give the square around the face with --crop."
            ),
            0 | 1 => {}
            found => eprintln!(
                "mien: {found} faces were found; number {} is edited (--face N takes another).",
                self.face
            ),
        }
        let face = document.face.and_then(|index| portrait.faces.get(index));
        let by_hand = self.crop.is_some() || self.level;
        if let Some(remark) = face.filter(|_| !by_hand).and_then(|face| face.remark()) {
            eprintln!("mien: {remark}");
        }
    }
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
