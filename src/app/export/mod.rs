//! The export dialog: what to write and where, then how far it has come.

mod form;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::timeline::short;
use super::widgets::decimal;
use crate::engine::{ExportJob, Format, FoundFace, LoopCount, Pane, Picture, Progress, Scene};
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
    /// Whether the file is to say that a model edited it.
    marked: bool,
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
    Marked(bool),
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

/// What the document speaks of.
#[derive(Debug, Clone)]
pub struct Seen {
    pub picture: Arc<Picture>,
    /// The face that is edited, where it is known.
    pub face: Option<Arc<FoundFace>>,
    /// The frame under the playhead.
    pub frame: u32,
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
            marked: true,
            path: folder.join(name).display().to_string(),
            problem: None,
            running: None,
            replacing: None,
        }
    }

    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub fn update(&mut self, message: Message, document: &Document, seen: Seen) -> Action {
        match message {
            Message::Format(format) => {
                self.format = format;
                let path = Path::new(&self.path).with_extension(format.extension());
                self.path = path.display().to_string();
                self.problem = None;
            }
            Message::Pane(pane) => toggle_pane(&mut self.panes, pane),
            Message::Scale(scale) => self.scale = scale,
            Message::Fps(fps) => self.fps = fps,
            Message::Loops(loops) => self.loops = loops,
            Message::Marked(marked) => self.marked = marked,
            Message::Path(path) => self.path = path,
            Message::Choose => return Action::Choose(PathBuf::from(&self.path)),
            Message::Chosen(path) => {
                if let Some(path) = path {
                    self.path = path.display().to_string();
                    // The system's dialog has asked already.
                    self.replacing = Some(path);
                }
            }
            Message::Start => match self.job(document, seen) {
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

    fn job(&self, document: &Document, seen: Seen) -> Result<ExportJob, String> {
        let max = self.format.max_fps().min(120.0);
        let fps = decimal(&self.fps)
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
        let mut document = document.clone();
        let order = match self.format {
            format if !format.moves() => vec![seen.frame],
            _ => {
                // The movement keeps its seconds whatever the rate of the file.
                document.track.set_fps(fps);
                document.track.order()
            }
        };
        Ok(ExportJob {
            portrait: seen.picture,
            face: seen.face,
            scenes: order
                .into_iter()
                .map(|frame| Scene::of(&document, frame))
                .collect(),
            part: None,
            panes: self.panes.clone(),
            format: self.format,
            fps,
            quality: None,
            loops,
            scale: self.scale.0,
            sound: None,
            marked: self.marked,
            path,
        })
    }
}

/// Adds a pane in its place or takes it away; the last one stays.
fn toggle_pane(panes: &mut Vec<Pane>, pane: Pane) {
    if !panes.contains(&pane) {
        panes.push(pane);
        panes.sort_by_key(|pane| Pane::ALL.iter().position(|other| other == pane));
    } else if panes.len() > 1 {
        panes.retain(|other| *other != pane);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::{AuVector, Crop, MediaSource, PortraitRef};

    fn document() -> Document {
        let portrait = PortraitRef {
            id: 0,
            name: "me.jpg".to_owned(),
            source: MediaSource::File("me.jpg".into()),
            width: 40,
            height: 30,
        };
        let crop = Crop {
            x: 0.0,
            y: 0.0,
            side: 20.0,
            ..Crop::default()
        };
        Document::new(portrait, crop, AuVector::NEUTRAL)
    }

    fn job(export: &Export, document: &Document) -> Result<ExportJob, String> {
        export.job(document, seen())
    }

    fn seen() -> Seen {
        Seen {
            picture: Arc::new(Picture::new(40, 30, vec![0; 4800]).unwrap()),
            face: None,
            frame: 0,
        }
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
        let mut export = Export::new(&document, folder.path());
        std::fs::write(&export.path, b"precious").unwrap();
        let mut start = || export.update(Message::Start, &document, seen());
        assert!(matches!(start(), Action::None));
        assert!(matches!(start(), Action::Run(..)));
    }
}
