//! The export dialog: what to write and where, then how far it has come.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use iced::widget::{
    button, column, container, pick_list, progress_bar, row, space, text, text_input,
};
use iced::{Alignment, Element, Length};

use super::theme;
use super::timeline::short;
use super::widgets::{action, toggle};
use crate::engine::{ExportJob, Format, LoopCount, Pane, Picture, Progress, Scene};
use crate::studio::{Document, Playback};

/// The shares of the portrait's size that are offered.
const SCALES: [Scale; 4] = [Scale(1.0), Scale(0.75), Scale(0.5), Scale(0.25)];

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale(f64);

impl std::fmt::Display for Scale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 == 1.0 {
            write!(f, "The portrait's own size")
        } else {
            write!(f, "{:.0} %", self.0 * 100.0)
        }
    }
}

#[derive(Debug)]
pub struct Export {
    format: Format,
    panes: Vec<Pane>,
    scale: Scale,
    fps: String,
    loops: String,
    path: String,
    /// Why the export can't begin, or why it ended.
    problem: Option<String>,
    running: Option<Progress>,
    /// The file that may be replaced: the artist has been asked.
    replacing: Option<PathBuf>,
}

#[derive(Debug, Clone)]
pub enum Message {
    Format(Format),
    Pane(Pane),
    Scale(Scale),
    Fps(String),
    Loops(String),
    Path(String),
    Choose,
    Chosen(Option<PathBuf>),
    Start,
    Cancel,
    /// The running export is looked at again.
    Watched,
    Ended(Result<(), Ending>),
}

/// Why an export ended before its time.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    Cancelled,
    Failed(String),
}

/// What the parent has to do.
#[derive(Debug)]
pub enum Action {
    None,
    Close,
    /// Ask for a place, beginning with this one.
    Choose(PathBuf),
    Run(Box<ExportJob>, Progress),
    /// The file is whole.
    Done(PathBuf),
}

impl Export {
    /// A dialog for this document: a movement as GIF when there is one, else a picture.
    pub fn new(document: &Document, folder: &Path) -> Self {
        let moves = document.track.keyframes().len() > 1;
        let format = if moves { Format::Gif } else { Format::Png };
        let stem = Path::new(&document.portrait.name)
            .file_stem()
            .map_or("portrait".into(), |stem| stem.to_string_lossy());
        let name = format!("{stem}-mien.{}", format.extension());
        Self {
            format,
            panes: vec![Pane::Result],
            scale: SCALES[0],
            fps: short(document.track.fps()),
            loops: match document.track.playback {
                Playback::Once => "1".to_owned(),
                Playback::Loop | Playback::PingPong => "0".to_owned(),
            },
            path: folder.join(name).display().to_string(),
            problem: None,
            running: None,
            replacing: None,
        }
    }

    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub fn update(
        &mut self,
        message: Message,
        document: &Document,
        frame: u32,
        portrait: &Arc<Picture>,
    ) -> Action {
        match message {
            Message::Format(format) => {
                self.format = format;
                let path = Path::new(&self.path).with_extension(format.extension());
                self.path = path.display().to_string();
                self.problem = None;
            }
            Message::Pane(pane) => self.toggle(pane),
            Message::Scale(scale) => self.scale = scale,
            Message::Fps(fps) => self.fps = fps,
            Message::Loops(loops) => self.loops = loops,
            Message::Path(path) => self.path = path,
            Message::Choose => return Action::Choose(PathBuf::from(&self.path)),
            Message::Chosen(path) => {
                if let Some(path) = path {
                    self.path = path.display().to_string();
                    // The system's dialog has asked already.
                    self.replacing = Some(path);
                }
            }
            Message::Start => match self.job(document, frame, portrait) {
                Ok(job) if job.path.exists() && self.replacing.as_ref() != Some(&job.path) => {
                    self.problem = Some(format!(
                        "{} is there already; export again to replace it, or change the name.",
                        job.path.display()
                    ));
                    self.replacing = Some(job.path);
                }
                Ok(job) => {
                    let progress = job.progress();
                    self.problem = None;
                    self.running = Some(progress.clone());
                    return Action::Run(Box::new(job), progress);
                }
                Err(problem) => self.problem = Some(problem),
            },
            Message::Cancel => match &self.running {
                Some(progress) => progress.cancel.cancel(),
                None => return Action::Close,
            },
            Message::Watched => {}
            Message::Ended(result) => {
                self.running = None;
                match result {
                    Ok(()) => return Action::Done(PathBuf::from(&self.path)),
                    Err(Ending::Cancelled) => {
                        self.problem = Some("Cancelled; nothing was written.".to_owned());
                    }
                    Err(Ending::Failed(problem)) => self.problem = Some(problem),
                }
            }
        }
        Action::None
    }

    fn toggle(&mut self, pane: Pane) {
        if let Some(at) = self.panes.iter().position(|other| *other == pane) {
            if self.panes.len() > 1 {
                self.panes.remove(at);
            }
        } else {
            self.panes.push(pane);
            self.panes
                .sort_by_key(|pane| Pane::ALL.iter().position(|other| other == pane));
        }
    }

    fn job(
        &self,
        document: &Document,
        frame: u32,
        portrait: &Arc<Picture>,
    ) -> Result<ExportJob, String> {
        let max = self.format.max_fps().min(120.0);
        let fps = self
            .fps
            .trim()
            .replace(',', ".")
            .parse()
            .ok()
            .filter(|fps| (1.0..=max).contains(fps))
            .ok_or_else(|| {
                format!(
                    "{:?} frames a second can't be played; give a number from 1 to {max}.",
                    self.fps
                )
            })?;
        let loops = match self.loops.trim().parse() {
            Ok(0) => LoopCount::Forever,
            Ok(times) => LoopCount::Times(times),
            Err(_) => {
                return Err(format!(
                    "{:?} is no number of times to play; give 0 for ever, or up to {}.",
                    self.loops,
                    u16::MAX
                ));
            }
        };
        let path = PathBuf::from(self.path.trim());
        if path.file_name().is_none() {
            return Err("The file has no name; type one or choose a place.".to_owned());
        }
        let order = match self.format {
            Format::Png => vec![frame],
            _ => frames_at(document, fps),
        };
        // The movement keeps its seconds whatever the rate of the file.
        let mut document = document.clone();
        if self.format != Format::Png {
            document.track.set_fps(fps);
        }
        Ok(ExportJob {
            portrait: Arc::clone(portrait),
            scenes: order
                .into_iter()
                .map(|frame| Scene::of(&document, frame))
                .collect(),
            panes: self.panes.clone(),
            format: self.format,
            fps,
            loops,
            scale: self.scale.0,
            path,
        })
    }

    pub fn view<'a>(&'a self, document: &'a Document) -> Element<'a, Message> {
        let content = match &self.running {
            Some(progress) => self.progress(progress),
            None => self.form(document),
        };
        container(content)
            .padding(22)
            .width(520)
            .style(theme::card)
            .into()
    }

    fn form<'a>(&'a self, document: &'a Document) -> Element<'a, Message> {
        let label = |name| text(name).size(theme::NORMAL).color(theme::DIM).width(110);
        let line = |name, content: Element<'a, Message>| {
            row![label(name), content]
                .spacing(theme::GAP)
                .align_y(Alignment::Center)
        };
        let formats = row(Format::ALL.map(|format| {
            let name = match format {
                Format::Png => "PNG",
                Format::Gif => "GIF",
                Format::Mp4 => "MP4",
                Format::PngSequence => "PNG sequence",
            };
            toggle(name, self.format == format, Message::Format(format))
        }))
        .spacing(theme::GAP);
        let panes = row(Pane::ALL.map(|pane| {
            toggle(
                pane.title(),
                self.panes.contains(&pane),
                Message::Pane(pane),
            )
        }))
        .spacing(theme::GAP);
        let size = pick_list(SCALES, Some(self.scale), Message::Scale)
            .text_size(theme::NORMAL)
            .padding([4, 8])
            .style(theme::choice((self.scale.0 * 100.0) as usize));
        let moves = self.format != Format::Png;
        let fps = moves.then(|| {
            let field = entry(&self.fps, Message::Fps).width(70);
            line("Frames a second", field.into())
        });
        let loops = (self.format == Format::Gif).then(|| {
            let field = entry(&self.loops, Message::Loops).width(70);
            let hint = text("0 plays for ever")
                .size(theme::SMALL)
                .color(theme::DIM);
            line(
                "Times to play",
                row![field, hint]
                    .spacing(theme::GAP)
                    .align_y(Alignment::Center)
                    .into(),
            )
        });
        let file = row![
            entry(&self.path, Message::Path)
                .id(PATH)
                .width(Length::Fill)
                .on_submit(Message::Start),
            action("Choose…", Some(Message::Choose)),
        ]
        .spacing(theme::GAP)
        .align_y(Alignment::Center);

        column![
            text("Export").size(theme::LARGE),
            line("Format", formats.into()),
            line("Side by side", panes.into()),
            line("Size", size.into()),
        ]
        .push(fps)
        .push(loops)
        .push(line("File", file.into()))
        .push(
            text(self.summary(document))
                .size(theme::SMALL)
                .color(theme::DIM),
        )
        .push(
            self.problem
                .as_ref()
                .map(|problem| text(problem).size(theme::NORMAL).color(theme::DANGER)),
        )
        .push(
            row![
                space::horizontal(),
                action("Cancel", Some(Message::Cancel)),
                button(text("Export").size(theme::NORMAL))
                    .on_press(Message::Start)
                    .padding([5, 16])
                    .style(theme::primary),
            ]
            .spacing(theme::GAP)
            .align_y(Alignment::Center),
        )
        .spacing(12)
        .into()
    }

    fn summary(&self, document: &Document) -> String {
        let scaled = |side: u32| ((f64::from(side) * self.scale.0).round() as u32).max(1);
        let (width, height) = (
            scaled(document.portrait.width) * self.panes.len() as u32,
            scaled(document.portrait.height),
        );
        if self.format == Format::Png {
            return format!(
                "One picture of {width} x {height} pixels, of the frame under the playhead."
            );
        }
        let fps: Option<f64> = self.fps.trim().replace(',', ".").parse().ok();
        let frames = fps
            .filter(|fps| *fps >= 1.0)
            .map(|fps| frames_at(document, fps).len());
        let still = if document.track.keyframes().len() < 2 {
            " The track has fewer than two keyframes, so nothing will move."
        } else {
            ""
        };
        match frames {
            Some(frames) => format!(
                "{frames} frames of {width} x {height} pixels, {}.{still}",
                document.track.playback.to_string().to_lowercase()
            ),
            None => format!("{width} x {height} pixels."),
        }
    }

    fn progress(&self, progress: &Progress) -> Element<'_, Message> {
        let left = progress
            .remaining()
            .map_or("working out the time left".to_owned(), |left| {
                format!("{} left", duration(left))
            });
        column![
            text("Exporting").size(theme::LARGE),
            progress_bar(0.0..=1.0, progress.fraction()).girth(8),
            row![
                text(format!(
                    "{} of {} frames",
                    progress.done(),
                    progress.total()
                ))
                .size(theme::NORMAL),
                space::horizontal(),
                text(left).size(theme::NORMAL).color(theme::DIM),
            ],
            row![space::horizontal(), action("Cancel", Some(Message::Cancel))],
        ]
        .spacing(12)
        .into()
    }
}

const PATH: &str = "export-path";

/// The frames of a document's track, played once through at another rate.
fn frames_at(document: &Document, fps: f64) -> Vec<u32> {
    let mut track = document.track.clone();
    track.set_fps(fps);
    track.order()
}

fn entry<'a>(
    value: &str,
    on_input: impl Fn(String) -> Message + 'a,
) -> text_input::TextInput<'a, Message> {
    text_input("", value)
        .on_input(on_input)
        .size(theme::NORMAL)
        .padding([4, 8])
        .style(theme::field)
}

/// A length of time as a person says it.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::{AuVector, Crop, PortraitRef};

    fn document() -> Document {
        let portrait = PortraitRef {
            id: 0,
            name: "me.jpg".to_owned(),
            width: 40,
            height: 30,
        };
        let crop = Crop {
            x: 0.0,
            y: 0.0,
            side: 20.0,
        };
        Document::new(portrait, crop, AuVector::NEUTRAL)
    }

    fn job(export: &Export, document: &Document) -> Result<ExportJob, String> {
        let picture = Arc::new(Picture::new(40, 30, vec![0; 4800]).unwrap());
        export.job(document, 0, &picture)
    }

    #[test]
    fn a_movement_keeps_its_seconds_at_another_rate() {
        let mut document = document();
        document.add_key(0);
        document.add_key(24);
        let mut export = Export::new(&document, Path::new("out"));
        assert_eq!(export.format, Format::Gif);
        assert!(export.path.ends_with("me-mien.gif"));
        export.fps = "12".to_owned();
        assert_eq!(job(&export, &document).unwrap().scenes.len(), 24);
        assert_eq!(document.track.frames(), 48);
    }

    #[test]
    fn what_cannot_be_written_is_told_before_anything_starts() {
        let document = document();
        let mut export = Export::new(&document, Path::new("out"));
        assert_eq!(job(&export, &document).unwrap().scenes.len(), 1);
        export.format = Format::Gif;
        export.fps = "90".to_owned();
        assert!(
            job(&export, &document)
                .unwrap_err()
                .contains("from 1 to 50")
        );
        export.fps = "12".to_owned();
        export.loops = "x".to_owned();
        assert!(job(&export, &document).unwrap_err().contains("0 for ever"));
        export.loops = "3".to_owned();
        export.path = "/".to_owned();
        assert!(job(&export, &document).unwrap_err().contains("no name"));
    }

    #[test]
    fn a_file_that_is_there_is_replaced_only_when_asked_twice() {
        let folder = tempfile::tempdir().unwrap();
        let document = document();
        let picture = Arc::new(Picture::new(40, 30, vec![0; 4800]).unwrap());
        let mut export = Export::new(&document, folder.path());
        std::fs::write(&export.path, b"precious").unwrap();
        let mut start = || export.update(Message::Start, &document, 0, &picture);
        assert!(matches!(start(), Action::None));
        assert!(matches!(start(), Action::Run(..)));
    }

    #[test]
    fn times_read_as_a_person_says_them() {
        assert_eq!(duration(Duration::from_millis(1200)), "2 s");
        assert_eq!(duration(Duration::from_secs(61)), "1 min 01 s");
        assert_eq!(duration(Duration::from_secs(7260)), "2 h 01 min");
    }
}
