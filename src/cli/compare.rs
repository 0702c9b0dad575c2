//! `mien compare`: one motion by several methods, side by side and measured.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::errors::CliError;
use super::output::{OutputArgs, fps_of, print, print_remarks, with_progress};
use super::place::Place;
use super::transfer::reference_in;
use super::values::{Reference, Setting, count, fps, number, preset, reference, setting, time};
use crate::document::{
    ClipMotion, Document, Expression, FileFormat, Follow, MediaSource, MotionKind, Playback, Pose,
    Sample, SampledMotion, category,
};
use crate::drive::sample_clip::SampleClip;
use crate::face::portrait::Portrait;
use crate::jobs::compare::sheet::Sheet;
use crate::jobs::compare::spec::{Against, MethodSpec};
use crate::jobs::compare::table::Figures;
use crate::jobs::compare::{Comparison, compare};
use crate::jobs::output::Output;
use crate::media::inputs::{Inputs, is_same_file};
use crate::methods::ganimation;
use crate::methods::models::Models;
use crate::methods::registry::Registry;
use crate::methods::subject::Subject;
use crate::progress::Progress;

/// Explains the metrics, below the options.
const MEANING: &str = "\
--metrics writes these numbers as a row per frame and method, and --plot draws them over time. They are measured on the
face's crop at 256 x 256 pixels:
  l1     mean absolute difference from what --against names, from 0 (identical) to 1
  psnr   peak signal-to-noise ratio to it, in decibels; inf if identical
  ssim   structural similarity to it (Wang et al. 2004, on luma); 1 if identical
  akd    how well the expression follows: mean distance per coordinate, in pixels, between the 68 landmarks of
         the result and those of the driving face, after these were aligned to them as a whole. Different
         people's faces differ in shape, so it is never 0 and only compares methods. With --against driving, for
         a clip of the same person, they aren't aligned: that is the papers' average keypoint distance
  step   how far the landmarks moved since the previous frame, without the head's own movement: root mean
         square, in pixels; lower is steadier
  ms     milliseconds of the method itself: its networks, and blending the face into the portrait
  smile, jaw, blink
         how much the result's face smiles, opens its jaw and blinks, as blendshape scores from 0 to 1;
         prefixed with driving_, the driving face
  head_off
         degrees between the head poses of the result and the driving face; with relative motion, each
         relative to the portrait and to the reference frame
  acceleration
         how abruptly the landmarks change direction, without the head's own movement: root mean square of their
         second differences, in pixels; driving_acceleration is the driving face's, at the result's size
A cell is empty if no face was found. The summary adds mkr, the share of the frames that show the driving face but
not the result's, and acd, the mean of the same distance as step over every pair of frames (MoCoGAN's average content
distance, with landmarks instead of embeddings). Its second table shows how the result follows the driving face over
time: for smile, jaw and blink the correlation (r; 1 follows exactly) and the amplitude (x, the ratio of the standard
deviations; 1 moves as far), empty if the driving face doesn't move that part; the mean of head_off; and unsteady, the
mean acceleration divided by the driving face's (more than 1 is shakier).

Write a method as METHOD[+rig][:MODE][@WEIGHTS]; the mode is standard, relative (the default) or, for TPS, avd.
With +rig (for FOMM and TPS) the rig draws the expression first, and the method moves that:
  mien compare portrait.jpg clip.mp4 --methods ganimation,fomm,tps,tps:avd -o compare.mp4
  mien compare portrait.jpg --preset surprise --frames 24 --metrics numbers.csv -o compare.png
  mien compare portrait.jpg --sample-seed 7 --category happiness --methods fomm@vox-cpk,fomm -o compare.gif";

#[derive(Debug, Args)]
#[command(after_long_help = MEANING, after_help = "See --help for what the numbers mean.")]
#[command(
    mut_arg("unmarked", |arg| arg.help(
        "Don't mark the file as edited with AI"
    )),
    mut_arg("loops", |arg| arg.help("How often a GIF repeats; 0 loops forever")),
    mut_arg("quiet", |arg| arg.help("Print no progress bar, no remarks and no summary")),
    mut_arg("output", |arg| arg.help(
        "The file to write: .mp4, .gif or .apng, or .png, .jpg or .webp for a contact sheet"
    ))
)]
pub(super) struct Arguments {
    /// The portrait (PNG, JPEG, WebP, TIFF, BMP or GIF)
    portrait: PathBuf,

    /// The driving clip: a video, a GIF, or a folder or pattern of numbered frames
    #[arg(
        required_unless_present_any = ["sample_clip", "preset", "aus", "sample_seed"],
        conflicts_with_all = ["sample_clip", "preset", "aus", "sample_seed"]
    )]
    clip: Option<PathBuf>,

    /// Drive with the built-in sample clip
    #[arg(long, conflicts_with_all = ["preset", "aus", "sample_seed"])]
    sample_clip: bool,

    /// Drive with an animation from the portrait's own expression to a preset's; FOMM and TPS follow frames of it that
    /// GANimation draws
    #[arg(long, value_name = "NAME", conflicts_with = "sample_seed")]
    preset: Option<String>,

    /// Drive with an animation to an Action Unit's value, such as 12=0.8, as in "mien edit"; repeat it for several
    #[arg(
        long = "au",
        value_name = "N=V",
        allow_hyphen_values = true,
        value_parser = setting,
        conflicts_with = "sample_seed"
    )]
    aus: Vec<Setting>,

    /// Drive with a clip that MoCoGAN generates from this seed, as in "mien sample"
    #[arg(long, value_name = "N")]
    sample_seed: Option<u64>,

    /// The expression of the sampled face: anger, disgust, fear, happiness, sadness, surprise, or the category's number from 0
    #[arg(long, value_name = "NAME|N", requires = "sample_seed")]
    category: Option<String>,

    /// The number of frames of an expression [default: 24] or a sample [default: 16]
    #[arg(long, value_name = "N", value_parser = count(2, 10_000), conflicts_with_all = ["clip", "sample_clip"])]
    frames: Option<usize>,

    /// Play an expression forwards, then backwards: N frames become 2N-2
    #[arg(long, conflicts_with_all = ["clip", "sample_clip", "sample_seed"])]
    pingpong: bool,

    /// The methods, separated by commas: ganimation, fomm, tps, each with an optional mode and weights
    #[arg(
        long,
        default_value = "ganimation,fomm,tps",
        value_name = "METHOD[+rig][:MODE][@WEIGHTS],..."
    )]
    methods: String,

    /// For relative motion: the clip's frame that matches the portrait's expression, numbered from 1, or auto for the closest
    #[arg(long, default_value = "auto", value_name = "N|auto", value_parser = reference)]
    reference: Reference,

    /// Start the clip at this time, such as 1.5 or 0:01.5
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with_all = ["preset", "aus", "sample_seed"])]
    from: Option<f64>,

    /// End the clip at this time
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with_all = ["preset", "aus", "sample_seed"])]
    to: Option<f64>,

    /// Frames per second [default: the clip's, 24 for an expression, 8 for a sample]
    #[arg(long, value_name = "F", allow_hyphen_values = true, value_parser = fps)]
    fps: Option<f64>,

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

    /// For fomm and tps: show the network's own picture instead of the full-size portrait warped by its motion
    #[arg(long)]
    plain: bool,

    /// What l1, psnr and ssim compare with: source, driving, or one of the methods
    #[arg(long, default_value = "source", value_name = "WHAT")]
    against: String,

    /// Write the numbers to a CSV file, and print a summary
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,

    /// Plot the numbers over time as .svg or .png, and print a summary
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,

    /// The side of each pane in pixels
    #[arg(long, default_value = "256", value_name = "PIXELS", value_parser = number(32.0, 1024.0))]
    size: f64,

    /// The number of panes in a row of a GIF or MP4 [default: chosen by their number]
    #[arg(long, value_name = "N", value_parser = count(1, 100))]
    columns: Option<usize>,

    /// The number of frames on a PNG, spread evenly over the motion from top to bottom
    #[arg(long, default_value_t = 6, value_name = "N", value_parser = count(1, 100))]
    rows: usize,

    /// Label each pane with its method, mode, weights and milliseconds per frame (the default)
    #[arg(long, overrides_with = "no_labels")]
    labels: bool,

    /// Leave out the labels
    #[arg(long)]
    no_labels: bool,

    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(arguments: Arguments) -> Result<(), CliError> {
    let registry = Registry::default();
    let methods = MethodSpec::list(&arguments.methods, &registry)?;
    let against = Against::parse(&arguments.against, &methods, &registry)?;
    let mut output = arguments.output()?;
    let fps = arguments
        .fps
        .map(|fps| fps_of(output.format, fps, f64::INFINITY));
    let fps = fps.transpose()?;
    let preset = arguments.preset.as_deref().map(preset).transpose()?;

    // If GANimation is among the methods, its weights also draw the expressions of a track.
    let id = ganimation::session::INFO.id;
    let own = methods.iter().find(|spec| spec.id == id);
    let weights = own.and_then(|spec| spec.weights.as_deref());
    let models = Arc::new(super::models(id, weights)?);
    let rule = models.crop_rule();
    let portrait = Portrait::open(&arguments.portrait, rule)?;
    let document = arguments.place.document(&portrait, rule)?;
    if !arguments.output.quiet {
        arguments.place.remark(&portrait, &document, "compared");
    }
    let subject = Subject {
        plain: arguments.plain,
        ..arguments.place.subject(&document, &portrait, rule)
    };
    let document = arguments.tracked(document, preset, fps.unwrap_or(24.0));
    let weights = methods.iter().filter_map(|spec| spec.weights.as_ref());
    output.inputs = super::inputs(weights.chain([&arguments.portrait]));
    if let Some(clip) = &arguments.clip {
        output.inputs.add_clip(clip);
    }
    let comparison = Comparison {
        motion: arguments.motion(&document, &models, fps)?,
        subject,
        name: portrait.name,
        methods,
        document,
        fps,
        sheet: arguments.sheet(),
        against,
        metrics: arguments.metrics,
        plot: arguments.plot,
        output,
    };
    let quiet = arguments.output.quiet;
    let compared = with_progress(&Progress::new(0), quiet, |progress| {
        compare(&comparison, &models, progress)
    })?;
    if quiet {
        return Ok(());
    }
    print_remarks(&compared.remarks, compared.reference);
    if compared.figures.is_empty() {
        return Ok(());
    }
    print(&summary(&compared.figures))
}

impl Arguments {
    fn output(&self) -> Result<Output, CliError> {
        let files = [
            Some(&self.output.path),
            self.metrics.as_ref(),
            self.plot.as_ref(),
        ];
        let files: Vec<&PathBuf> = files.into_iter().flatten().collect();
        let is_twice = |i: usize| files[..i].iter().any(|file| is_same_file(file, files[i]));
        if (0..files.len()).any(is_twice) {
            return Err(CliError::SameFile);
        }
        Ok(Output {
            format: FileFormat::of(&self.output.path, 1)?,
            loops: self.output.loops(),
            scale: 1.0,
            marked: !self.output.unmarked,
            quality: None,
            part: None,
            path: self.output.path.clone(),
            inputs: Inputs::default(),
        })
    }

    fn sheet(&self) -> Sheet {
        Sheet {
            size: self.size as u32,
            columns: self.columns,
            rows: self.rows,
            labels: !self.no_labels,
        }
    }

    /// The driving motion.
    fn motion(
        &self,
        document: &Document,
        models: &Models,
        fps: Option<f64>,
    ) -> Result<MotionKind, CliError> {
        let follow = |reference| Follow {
            strength: self.gain as f32,
            reference,
            ..Follow::default()
        };
        if let Some(seed) = self.sample_seed {
            let sizes = models.sampler()?.sizes();
            let wanted = self.category.as_deref();
            let wanted = wanted.map(|name| category(name, sizes.categories));
            let frames = self.frames.unwrap_or(16);
            let codes = Sample::draw(seed, &sizes, frames, wanted.transpose()?)?;
            let reference = match self.reference {
                Reference::Auto => None,
                Reference::Frame(frame) => Some(u32::try_from(frame).unwrap_or(u32::MAX)),
            };
            return Ok(MotionKind::Sample(SampledMotion {
                fps: fps.unwrap_or(8.0),
                follow: follow(reference),
                ..SampledMotion::new(codes)
            }));
        }
        let source = match &self.clip {
            Some(path) => MediaSource::File(path.clone()),
            None if self.sample_clip => SampleClip::source(),
            None => return Ok(MotionKind::Track(Expression::of(document))),
        };
        let reference = reference_in(&source, (self.from, self.to), self.reference)?;
        Ok(MotionKind::Clip(ClipMotion {
            from: self.from,
            to: self.to,
            follow: follow(reference),
            ..ClipMotion::new(source)
        }))
    }

    /// The document with a track from the portrait's expression to the requested one.
    fn tracked(&self, mut document: Document, preset: Option<Pose>, fps: f64) -> Document {
        let own = Pose::from(document.source);
        let settings = self.aus.iter();
        let end = settings.fold(preset.unwrap_or(own), |pose, (sides, unit, value)| {
            pose.with(*sides, *unit, *value)
        });
        let frames = self.frames.unwrap_or(24) as u32;
        document.track.set_fps(fps);
        document.track.set_frames(frames);
        document.track.set_key(0, own);
        document.track.set_key(frames - 1, end);
        document.track.playback = if self.pingpong {
            Playback::PingPong
        } else {
            Playback::Once
        };
        document
    }
}

/// Tables of the summaries: the picture metrics, and how faces follow the driving one.
fn summary(figures: &[Figures]) -> String {
    let cell = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
    };
    let pictures = figures.iter().map(|figure| {
        let cells = [
            cell(figure.l1, 4),
            cell(figure.psnr, 2),
            cell(figure.ssim, 4),
            cell(figure.akd, 2),
            cell(figure.mkr, 3),
            cell(figure.acd, 3),
            format!("{:.1}", figure.ms),
        ];
        (figure.name.as_str(), cells)
    });
    let titles = ["l1", "psnr", "ssim", "akd", "mkr", "acd", "ms"];
    let text = table(titles, &pictures.collect::<Vec<_>>());
    let followed = figures.iter().map(|figure| {
        let followed = &figure.followed;
        let [smile, jaw, blink] = [followed.smile, followed.jaw, followed.blink];
        let cells = [
            cell(smile.correlation(), 2),
            cell(smile.amplitude(), 2),
            cell(jaw.correlation(), 2),
            cell(jaw.amplitude(), 2),
            cell(blink.correlation(), 2),
            cell(blink.amplitude(), 2),
            cell(figure.head, 1),
            cell(followed.unsteadiness(), 2),
        ];
        (figure.name.as_str(), cells)
    });
    let titles = [
        "smile r", "x", "jaw r", "x", "blink r", "x", "head", "unsteady",
    ];
    text + "\n" + &table(titles, &followed.collect::<Vec<_>>())
}

/// A table with a row per method.
fn table<const N: usize>(titles: [&str; N], rows: &[(&str, [String; N])]) -> String {
    let longest = rows.iter().map(|(name, _)| name.chars().count()).max();
    let width = longest.unwrap_or(0).max("method".len());
    let heading = ("method", titles.map(str::to_owned));
    let mut text = String::new();
    for (name, cells) in std::iter::once(&heading).chain(rows) {
        // Writing to a string can't fail.
        let _ = write!(text, "{name:width$}");
        for cell in cells {
            let _ = write!(text, "  {cell:>8}");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::meter::Followed;

    #[test]
    fn the_summary_is_aligned_in_columns() {
        let mut followed = Followed::default();
        for value in [0.0, 0.5, 1.0] {
            followed.smile.push(0.5 * value, value);
        }
        let figures = [
            Figures {
                name: "fomm:relative@vox-cpk".to_owned(),
                l1: Some(0.0123),
                psnr: Some(f64::INFINITY),
                ms: 431.25,
                followed,
                ..Figures::default()
            },
            Figures::default(),
        ];
        let text = summary(&figures);
        let (pictures, followed) = text.split_once("\n\n").unwrap();
        for table in [pictures, followed] {
            let lengths: Vec<usize> = table.lines().map(str::len).collect();
            assert_eq!(lengths, vec![lengths[0]; 3], "{text}");
        }
        assert!(
            text.contains("0.0123       inf         -") && text.contains("431.2"),
            "{text}"
        );
        let half = followed.lines().nth(1).unwrap();
        assert!(half.contains("1.00      0.50         -"), "{text}");
    }
}
