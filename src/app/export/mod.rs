//! The export dialog: what to write and where. The queue does the writing.

mod form;
pub mod queue;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::app::background::Target;
use crate::app::strings::{common, export as strings};
use crate::app::widgets::format::{decimal, short};
use crate::document::FileFormat;
use crate::document::{ExportSettings, ExportWhat, MethodChoice, MotionKind, Playback, Project};
use crate::folders::free_name;
use crate::jobs::export::{ExportJob, Layout, Steps};
use crate::jobs::frame_range::FrameRange;
use crate::jobs::output::{Output, max_fps};
use crate::media::encode::LoopCount;
use crate::media::inputs::Inputs;
use crate::methods::subject::Subject;
use crate::render::composition::Composition;

/// The sizes on offer, relative to the portrait's.
const SCALES: [Scale; 4] = [Scale(1.0), Scale(0.75), Scale(0.5), Scale(0.25)];

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale(f64);

impl std::fmt::Display for Scale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 == 1.0 {
            f.write_str(strings::FULL_SIZE)
        } else {
            f.write_str(&common::percent(self.0 as f32))
        }
    }
}

/// Which panes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Pane(usize),
    /// All panes, side by side.
    Grid,
}

#[derive(Debug, Clone)]
pub struct Export {
    format: FileFormat,
    what: What,
    labels: bool,
    scale: Scale,
    fps: String,
    loops: String,
    /// From 1 to 100; empty for the format's default.
    quality: String,
    /// Which frames, such as `13-24`; empty for all.
    range: String,
    sound: bool,
    /// Whether to mark the file as edited by a model.
    marked: bool,
    path: String,
    /// Why the export can't start.
    problem: Option<String>,
    /// An existing file, while the artist is asked about replacing it.
    existing: Option<PathBuf>,
    /// The file the system's dialog has already asked about.
    replaceable: Option<PathBuf>,
}

#[derive(Debug, Clone)]
pub enum Message {
    Format(FileFormat),
    What(What),
    Labels(bool),
    Scale(Scale),
    Fps(String),
    Loops(String),
    Quality(String),
    Range(String),
    Sound(bool),
    Marked(bool),
    Path(String),
    Choose,
    Chosen(Option<Target>),
    Start,
    /// Replace the existing file.
    Replace,
    /// Export under a free name.
    KeepBoth,
    Cancel,
}

/// What the parent must do.
#[derive(Debug)]
pub enum Action {
    None,
    Close,
    /// Ask for a file, starting from this path.
    Choose(PathBuf),
    /// Queue the export and close the dialog.
    Queue(Box<ExportJob>),
}

/// What the window shows, as the source of an export.
#[derive(Debug, Clone)]
pub struct ExportSource {
    pub project: Project,
    pub subject: Subject,
    /// A source for each pane of the project.
    pub composition: Composition,
    /// The step under the playhead.
    pub step: u32,
    /// The labels of each pane: above and below its picture.
    pub labels: Vec<(String, String)>,
    /// Whether the chosen clip may have sound.
    pub sound: bool,
}

impl Export {
    /// Creates a dialog with the settings of the project's last export; for a project that was never exported, MP4 if the
    /// motion `moves`, else PNG.
    pub fn new(project: &Project, moves: bool, fps: f64, folder: &Path) -> Self {
        let kept = project.export();
        let fresh = *kept == ExportSettings::default();
        let format = match kept.format {
            _ if fresh && !moves => FileFormat::Png,
            format => format,
        };
        let document = project.document();
        let stem = Path::new(&document.portrait.name)
            .file_stem()
            .map_or("portrait".into(), |stem| stem.to_string_lossy());
        let name = format!("{stem}-mien.{}", format.extension());
        let chosen = project.motion(project.chosen());
        let playback = match chosen.map(|motion| &motion.kind) {
            Some(MotionKind::Clip(clip)) => clip.playback,
            Some(MotionKind::Sample(sample)) => sample.playback,
            _ => document.track.playback,
        };
        let loops = match playback {
            Playback::Once if fresh => 1,
            _ => kept.loops,
        };
        let panes = project.panes();
        let what = match kept.what {
            ExportWhat::Grid if panes.len() > 1 => What::Grid,
            // If the layout has changed, the pane may now show the unedited portrait.
            ExportWhat::Pane(pane)
                if panes
                    .get(pane)
                    .is_some_and(|p| p.method != MethodChoice::Source) =>
            {
                What::Pane(pane)
            }
            _ => What::Pane(project.result_pane()),
        };
        let scale = SCALES.into_iter().find(|scale| scale.0 == kept.scale);
        let number = |number: Option<u8>| number.map_or_else(String::new, |n| n.to_string());
        Self {
            format,
            what,
            labels: kept.labels,
            scale: scale.unwrap_or(SCALES[0]),
            fps: short(kept.fps.unwrap_or(fps)),
            loops: loops.to_string(),
            quality: number(kept.quality),
            range: kept.range.map_or_else(String::new, |(from, to)| {
                format!("{}-{to}", from.saturating_add(1))
            }),
            sound: true,
            marked: kept.marked,
            path: folder.join(name).display().to_string(),
            problem: None,
            existing: None,
            replaceable: None,
        }
    }

    /// The dialog's settings, for the project to store. `own` is the motion's frame rate.
    pub fn settings(&self, own: f64) -> ExportSettings {
        let (from, to) = self
            .range
            .split_once(['-', '–'])
            .unwrap_or((&self.range, &self.range));
        let number = |text: &str| text.trim().parse::<u32>().ok().filter(|n| *n > 0);
        ExportSettings {
            format: self.format,
            what: match self.what {
                What::Pane(pane) => ExportWhat::Pane(pane),
                What::Grid => ExportWhat::Grid,
            },
            labels: self.labels,
            range: number(from).map(|from| from - 1).zip(number(to)),
            fps: decimal(&self.fps).filter(|fps| short(*fps) != short(own)),
            scale: self.scale.0,
            quality: self.quality().ok().flatten(),
            loops: self.loops.trim().parse().unwrap_or(0),
            marked: self.marked,
        }
    }

    pub fn update(&mut self, message: Message, source: &ExportSource) -> Action {
        let asked = self.existing.take();
        match message {
            Message::Format(format) => {
                self.format = format;
                let path = Path::new(&self.path).with_extension(format.extension());
                self.path = path.display().to_string();
                self.problem = None;
            }
            Message::What(what) => self.what = what,
            Message::Labels(labels) => self.labels = labels,
            Message::Scale(scale) => self.scale = scale,
            Message::Fps(fps) => self.fps = fps,
            Message::Loops(loops) => self.loops = loops,
            Message::Quality(quality) => self.quality = quality,
            Message::Range(range) => self.range = range,
            Message::Sound(sound) => self.sound = sound,
            Message::Marked(marked) => self.marked = marked,
            Message::Path(path) => self.type_path(path),
            Message::Choose => return Action::Choose(PathBuf::from(&self.path)),
            Message::Chosen(target) => {
                if let Some(Target { path, asked }) = target {
                    self.type_path(path.display().to_string());
                    self.replaceable = asked.then_some(path);
                }
            }
            Message::Start | Message::Replace => match self.job(source) {
                Ok((job, _)) => {
                    let files = job.output.files(self.frames(source, job.fps));
                    let existing = files.into_iter().find(|file| file.exists());
                    let may_replace = matches!(message, Message::Replace) && asked == existing;
                    if may_replace || existing.is_none() || existing == self.replaceable {
                        return Action::Queue(Box::new(job));
                    }
                    self.problem = None;
                    self.existing = existing;
                }
                Err(problem) => self.problem = Some(problem),
            },
            Message::KeepBoth => match self.job(source) {
                Ok((mut job, _)) => {
                    let frames = self.frames(source, job.fps);
                    let path = free_name(&job.output.path, |path| {
                        let output = Output {
                            path: path.to_owned(),
                            ..job.output.clone()
                        };
                        output.files(frames).iter().any(|file| file.exists())
                    });
                    self.path = path.display().to_string();
                    job.output.path = path;
                    return Action::Queue(Box::new(job));
                }
                Err(problem) => self.problem = Some(problem),
            },
            Message::Cancel => return Action::Close,
        }
        Action::None
    }

    /// Handles a typed name; its extension chooses the format.
    fn type_path(&mut self, path: String) {
        self.problem = None;
        let frames = if self.format.moves() { 2 } else { 1 };
        let own = Path::new(self.format.extension());
        let typed = Path::new(path.trim());
        let same = typed
            .extension()
            .is_some_and(|typed| typed.eq_ignore_ascii_case(own));
        let other = FileFormat::of(typed, frames).or_else(|_| FileFormat::of(typed, 1));
        if !same && let Ok(format) = other {
            self.format = format;
        }
        self.path = path;
    }

    /// The typed path, with the format's extension added if it has none.
    fn target(&self) -> Result<PathBuf, String> {
        let mut path = PathBuf::from(self.path.trim());
        if path.file_name().is_none() {
            return Err(strings::NO_NAME.to_owned());
        }
        let own = self.format.extension();
        match path.extension() {
            None => drop(path.set_extension(own)),
            Some(typed) if typed.eq_ignore_ascii_case(own) => {}
            Some(_)
                if [1, 2]
                    .map(|n| FileFormat::of(&path, n).ok())
                    .contains(&Some(self.format)) => {}
            Some(typed) => {
                return Err(strings::other_extension(&typed.to_string_lossy(), own));
            }
        }
        Ok(path)
    }

    /// The job to write, and its number of frames.
    pub(crate) fn job(&self, source: &ExportSource) -> Result<(ExportJob, usize), String> {
        let fps = self.rate()?;
        let path = self.target()?;
        let mut panes = source.project.panes().to_vec();
        if let What::Pane(pane) = self.what {
            let missing = || strings::no_pane(pane + 1);
            panes = vec![*panes.get(pane).ok_or_else(missing)?];
        }
        let count = self.frames(source, Some(fps));
        let steps = if self.format.moves() {
            Steps::All
        } else {
            Steps::One(source.step)
        };
        let part = self.part(count)?;
        let written = part
            .and_then(|part| part.within(count).ok())
            .map_or(count, |range| range.len());
        let labels = (self.labels && self.what == What::Grid).then(|| source.labels.clone());
        let job = ExportJob {
            project: source.project.clone(),
            subject: source.subject.clone(),
            panes,
            steps,
            count: None,
            strict: false,
            layout: Layout::Grid(labels),
            scale: self.scale.0,
            fps: Some(fps),
            sound: self.sound && source.sound,
            output: Output {
                format: self.format,
                quality: self.quality()?,
                loops: self.loops()?,
                scale: 1.0,
                part,
                marked: self.marked,
                path,
                inputs: Inputs::default(),
            },
        };
        Ok((job, written))
    }

    /// The number of frames of the whole at a rate.
    fn frames(&self, source: &ExportSource, fps: Option<f64>) -> usize {
        match fps {
            Some(fps) if self.format.moves() => source.composition.at_rate(fps).1.len(),
            _ => 1,
        }
    }

    fn rate(&self) -> Result<f64, String> {
        let max = max_fps(self.format).min(120.0);
        decimal(&self.fps)
            .filter(|fps| (1.0..=max).contains(fps))
            .ok_or_else(|| strings::bad_fps(&self.fps, max))
    }

    fn loops(&self) -> Result<LoopCount, String> {
        match self.loops.trim().parse() {
            Ok(0) => Ok(LoopCount::Forever),
            Ok(times) => Ok(LoopCount::Times(times)),
            Err(_) => Err(strings::bad_repeat(&self.loops)),
        }
    }

    fn quality(&self) -> Result<Option<u8>, String> {
        let text = self.quality.trim();
        if text.is_empty() || !has_quality(self.format) {
            return Ok(None);
        }
        let quality = text
            .parse()
            .ok()
            .filter(|quality| (1..=100).contains(quality));
        quality.map(Some).ok_or_else(|| strings::bad_quality(text))
    }

    fn part(&self, total: usize) -> Result<Option<FrameRange>, String> {
        let text = self.range.trim();
        if text.is_empty() || !self.format.moves() {
            return Ok(None);
        }
        let ends = text.split_once(['-', '–']).unwrap_or((text, text));
        let number = |text: &str| text.trim().parse::<usize>().ok();
        let (Some(first), Some(last)) = (number(ends.0), number(ends.1)) else {
            return Err(strings::bad_range(text));
        };
        if first == 0 || last < first || last > total {
            return Err(strings::outside_range(total));
        }
        FrameRange::new(first, last)
            .map(Some)
            .map_err(|error| error.to_string())
    }
}

/// Whether a format has a quality setting.
fn has_quality(format: FileFormat) -> bool {
    matches!(
        format,
        FileFormat::Mp4 | FileFormat::Jpeg | FileFormat::Webp | FileFormat::WebpPicture
    )
}
