//! `mien face`: the faces of a portrait, their pose and expression; or those of a clip, frame by frame.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::errors::CliError;
use super::output::{print, say, with_progress};
use crate::document::{ActionUnit, AuVector, Gaze, HeadTurn};
use crate::drive::au_track::{AuTrack, Reading, is_clip};
use crate::error::EngineError;
use crate::face::found::FoundFace;
use crate::face::portrait::Portrait;
use crate::face::{GazeReading, HeadPose, Neutral, OneEuro, smooth_in_range};
use crate::methods::ganimation::model::Model;
use crate::progress::Progress;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The portrait (PNG, JPEG, WebP, TIFF, BMP or GIF), or several; with --clip a video, a GIF or a folder of frames
    #[arg(required = true)]
    portraits: Vec<PathBuf>,

    /// Read a clip: the Action Units of its largest face, frame by frame
    #[arg(long, conflicts_with = "landmarks")]
    clip: bool,

    /// A picture of the same person with a relaxed face; expressions are measured relative to it, more precisely
    #[arg(long, value_name = "PICTURE")]
    neutral: Option<PathBuf>,

    /// With --clip: measure relative to the clip's most relaxed face
    #[arg(long, requires = "clip", conflicts_with = "neutral")]
    own_rest: bool,

    /// With --clip: smooth the measured values
    #[arg(long, requires = "clip")]
    smooth: bool,

    /// Print JSON instead of a table; a list for several pictures
    #[arg(long)]
    json: bool,

    /// With --json: include the 478 landmarks and 52 blendshape scores of each face
    #[arg(long, requires = "json")]
    landmarks: bool,

    /// A GANimation weight file (safetensors) whose crop is printed instead of the built-in one's
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), CliError> {
    let model = Model::open(arguments.weights.as_deref())?;
    let neutral = arguments
        .neutral
        .as_ref()
        .map(|path| Portrait::open(path, model.crop())?.neutral())
        .transpose()?;
    if arguments.clip {
        let [path] = &arguments.portraits[..] else {
            return Err(CliError::SeveralClips);
        };
        return clip(path, arguments, neutral.as_ref());
    }
    let mut documents = Vec::new();
    for path in &arguments.portraits {
        let portrait = read(path, &model, neutral.as_ref())?;
        if arguments.json {
            documents.push(document(&portrait, arguments.landmarks));
        } else if portrait.faces.is_empty() {
            print(&format!(
                "{}: no face was found; if there is one, tell \"mien edit\" its square with --crop.\n",
                portrait.name
            ))?;
        } else {
            print(&table(&portrait))?;
        }
    }
    match &documents[..] {
        [] => Ok(()),
        [only] => print(&format!("{only:#}\n")),
        several => print(&format!("{:#}\n", json!(several))),
    }
}

fn read(path: &Path, model: &Model, neutral: Option<&Neutral>) -> Result<Portrait, CliError> {
    let mut portrait = match Portrait::open(path, model.crop()) {
        Err(EngineError::Media(_)) if is_clip(path) => {
            return Err(CliError::IsClip(path.to_owned()));
        }
        opened => opened?,
    };
    if let Some(neutral) = neutral {
        portrait.read_against(neutral);
    }
    Ok(portrait)
}

fn clip(path: &Path, arguments: &Arguments, neutral: Option<&Neutral>) -> Result<(), CliError> {
    let track = with_progress(&Progress::new(0), true, |progress| {
        AuTrack::read(path, neutral, progress)
    })?;
    let smoothing = if arguments.smooth {
        OneEuro::default()
    } else {
        OneEuro::OFF
    };
    let values = track.smoothed(Reading {
        smoothing,
        use_baseline: arguments.own_rest || neutral.is_some(),
    });
    if let Some(broken) = &track.read_error {
        say(broken);
    }
    let frames = track.frames.iter().zip(&values);
    if arguments.json {
        let turned = turned(&track, smoothing);
        let frames: Vec<Value> = frames
            .zip(turned)
            .map(|((frame, aus), (head, gaze))| {
                json!({
                    "time": (frame.time * 1e4).round() / 1e4,
                    "units": aus.as_ref().map(units),
                    "head": head,
                    "gaze": gaze,
                })
            })
            .collect();
        let document = json!({
            "clip": track.name,
            "fps": track.fps,
            "rest": track.rest,
            "frames": frames,
        });
        return print(&format!("{document:#}\n"));
    }
    let mut text = format!(
        "{}: {} frames, {:.3} per second, {} without a face\n",
        track.name,
        track.frames.len(),
        track.fps,
        track.faceless()
    );
    let names = ActionUnit::ALL.map(|unit| format!("{:>5}", unit.to_string()));
    text += &format!("{:>6}{:>9} {}\n", "frame", "seconds", names.join(" "));
    for (i, (frame, aus)) in frames.enumerate() {
        let values = match aus {
            Some(aus) => ActionUnit::ALL
                .map(|unit| format!("{:>5.2}", aus.get(unit)))
                .join(" "),
            None => "    no face".to_owned(),
        };
        text += &format!("{:>6}{:>9.3} {values}\n", i + 1, frame.time);
    }
    print(&text)
}

/// Head pose and gaze of every frame, in degrees; null where there is no face, or the eyes never open.
fn turned(track: &AuTrack, smoothing: OneEuro) -> Vec<(Value, Value)> {
    let times: Vec<f64> = track.frames.iter().map(|frame| frame.time).collect();
    let heads = track.heads().into_iter();
    let heads: Vec<_> = heads
        .map(|head| head.map(|HeadPose { yaw, pitch, roll }| [yaw, pitch, roll]))
        .collect();
    let heads = smooth_in_range(&times, &heads, *HeadTurn::RANGE.end(), smoothing);
    let gazes = smooth_in_range(&times, &track.gazes(), *Gaze::RANGE.end(), smoothing);
    heads
        .into_iter()
        .zip(gazes)
        .map(|(head, gaze)| {
            let head = head.map(|[yaw, pitch, roll]| {
                json!({"yaw": rounded(yaw, 1), "pitch": rounded(pitch, 1), "roll": rounded(roll, 1)})
            });
            (json!(head), json!(gaze.map(looking)))
        })
        .collect()
}

/// A face's gaze; `None` if the eyes are shut, or too small to measure.
fn gaze_of(face: &FoundFace) -> Option<[f32; 2]> {
    GazeReading::of(&face.mesh)?.angles()
}

/// A gaze as JSON, in degrees relative to the head, to the picture's right and up.
fn looking([x, y]: [f32; 2]) -> Value {
    json!({"x": rounded(x, 1), "y": rounded(y, 1)})
}

fn rounded(value: f32, digits: i32) -> f64 {
    let unit = 10f64.powi(digits);
    // Turns -0 into 0.
    (f64::from(value) * unit).round() / unit + 0.0
}

/// Every Action Unit by its name, rounded.
fn units(aus: &AuVector) -> Value {
    let named = ActionUnit::ALL.map(|unit| {
        let value = (f64::from(aus.get(unit)) * 1e3).round() / 1e3;
        (unit.to_string(), json!(value))
    });
    Value::Object(named.into_iter().collect())
}

/// Left, top, width and height of the landmarks' bounding box, in pixels.
fn box_of(face: &FoundFace) -> [f32; 4] {
    let (left, top, right, bottom) = face.mesh.bounds();
    [left, top, right - left, bottom - top]
}

fn document(portrait: &Portrait, landmarks: bool) -> Value {
    let faces = portrait.faces.iter().map(|face| {
        let all = |values: &[f32]| json!(values.iter().map(|v| rounded(*v, 1)).collect::<Vec<_>>());
        let crop = face.crop;
        let mut value = json!({
            "box": all(&box_of(face)),
            "presence": rounded(face.presence, 3),
            "yaw": rounded(face.pose.yaw, 1),
            "pitch": rounded(face.pose.pitch, 1),
            "roll": rounded(face.pose.roll, 1),
            "gaze": gaze_of(face).map(looking),
            "crop": all(&[crop.x, crop.y, crop.side]),
            "crop_angle": rounded(crop.angle.to_degrees(), 1),
            "units": units(&face.aus),
        });
        if landmarks {
            let points = face.mesh.points().iter();
            value["landmarks"] = points.map(|p| json!(p.map(|v| rounded(v, 2)))).collect();
            let names = crate::face::BLENDSHAPES.iter().zip(face.scores);
            let scores = names.map(|(name, v)| ((*name).to_owned(), json!(rounded(v, 4))));
            value["blendshapes"] = Value::Object(scores.collect());
        }
        value
    });
    json!({
        "portrait": portrait.name,
        "width": portrait.picture.width(),
        "height": portrait.picture.height(),
        "faces": faces.collect::<Vec<_>>(),
    })
}

/// Maximum number of columns; each is a face.
const COLUMNS: usize = 6;

fn table(portrait: &Portrait) -> String {
    let mut text = String::new();
    let (width, height) = portrait.picture.size();
    let count = match portrait.faces.len() {
        1 => "1 face".to_owned(),
        n => format!("{n} faces"),
    };
    text += &format!("{}, {width} x {height}: {count}\n", portrait.name);
    for (part, faces) in portrait.faces.chunks(COLUMNS).enumerate() {
        let mut line = |label: &str, cell: &dyn Fn(usize, &FoundFace) -> String| {
            text += &format!("{label:<26}");
            for (i, face) in faces.iter().enumerate() {
                text += &format!("{:>9}", cell(part * COLUMNS + i + 1, face));
            }
            text += "\n";
        };
        line("face", &|number, _| number.to_string());
        for (i, name) in ["left", "top", "width", "height"].into_iter().enumerate() {
            line(name, &|_, face| format!("{:.1}", box_of(face)[i]));
        }
        line("presence", &|_, face| format!("{:.3}", face.presence));
        line("yaw, degrees", &|_, face| format!("{:.1}", face.pose.yaw));
        line("pitch", &|_, face| format!("{:.1}", face.pose.pitch));
        line("roll", &|_, face| format!("{:.1}", face.pose.roll));
        for (i, name) in ["gaze, right", "gaze, up"].into_iter().enumerate() {
            line(name, &|_, face| match gaze_of(face) {
                Some(angles) => format!("{:.1}", angles[i]),
                None => "-".to_owned(),
            });
        }
        for unit in ActionUnit::ALL {
            let label = format!("{:<5}{}", unit.to_string(), unit.name());
            line(&label, &|_, face| format!("{:.2}", face.aus.get(unit)));
        }
    }
    text
}
