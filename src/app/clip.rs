//! The movement of a clip's face, on its way to the timeline: how far the reading has come, then the Action Units before
//! and after smoothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use iced::widget::{column, container, row, slider, space, text, toggler};
use iced::{Alignment, Element, Task};

use super::background::in_background;
use super::read_curves::ReadCurves;
use super::widgets::{action, ending, progress_of};
use super::{App, Notice, theme, timeline};
use crate::engine::{AuTrack, EngineError, OneEuro, Progress, Reading, SampleClip, smoothing};
use crate::studio::{AuVector, Document};

/// The extensions of files that are clips and never portraits.
const CLIPS: [&str; 7] = ["mp4", "mov", "m4v", "webm", "mkv", "avi", "mpg"];

/// Whether what was dropped is a clip by its name, or a folder, which holds frames.
pub fn is_clip(path: &Path) -> bool {
    let video = path
        .extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| CLIPS.contains(&extension.to_lowercase().as_str()));
    video || path.is_dir()
}

#[derive(Debug)]
pub struct Clip {
    name: String,
    stage: Stage,
    /// How still the curves are held, in 0..=1; at 0 nothing is smoothed.
    still: f32,
    /// How quickly they follow a fast movement, in 0..=1.
    quick: f32,
    /// Whether the units are read against the clip's own resting face.
    own: bool,
    /// Whether the movement is added to the portrait's own expression.
    relative: bool,
}

#[derive(Debug)]
enum Stage {
    Reading(Progress),
    Read {
        track: Arc<AuTrack>,
        smoothed: Arc<Vec<Option<AuVector>>>,
    },
}

#[derive(Debug, Clone)]
pub enum Message {
    Chosen(Option<PathBuf>),
    /// The reading is looked at again.
    Watched,
    Ended(Result<Arc<AuTrack>, Option<String>>),
    Still(f32),
    Quick(f32),
    Own(bool),
    Relative(bool),
    Use,
    Cancel,
}

impl Clip {
    fn reading(path: &Path) -> (Self, Progress) {
        let progress = Progress::new(0);
        let name = path.file_name().map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        let clip = Self {
            name,
            stage: Stage::Reading(progress.clone()),
            still: 0.5,
            quick: 0.5,
            own: false,
            relative: false,
        };
        (clip, progress)
    }

    pub fn is_reading(&self) -> bool {
        matches!(self.stage, Stage::Reading(_))
    }

    fn made_from(&self) -> Reading {
        Reading {
            smoothing: self.settings(),
            own: self.own,
        }
    }

    /// The filter that the two sliders stand for; their middle is its default.
    fn settings(&self) -> OneEuro {
        smoothing(self.still, self.quick)
    }

    fn smooth(&mut self) {
        let made_from = self.made_from();
        if let Stage::Read { track, smoothed } = &mut self.stage {
            *smoothed = Arc::new(track.smoothed(made_from));
        }
    }

    pub fn view<'a>(&'a self, document: &'a Document) -> Element<'a, Message> {
        let content = match &self.stage {
            Stage::Reading(progress) => column![
                text(format!("Reading the face of {}", self.name)).size(theme::LARGE),
                progress_of(progress),
                row![space::horizontal(), action("Cancel", Some(Message::Cancel))],
            ]
            .spacing(12)
            .into(),
            Stage::Read { track, smoothed } => self.form(track, smoothed, document),
        };
        container(content)
            .padding(22)
            .width(760)
            .style(theme::card)
            .into()
    }

    fn form<'a>(
        &'a self,
        track: &'a Arc<AuTrack>,
        smoothed: &'a Arc<Vec<Option<AuVector>>>,
        document: &'a Document,
    ) -> Element<'a, Message> {
        let curves = ReadCurves {
            measured: track.measured(self.own),
            driving: smoothed,
            step: None,
        }
        .into_element(220.0);
        let label = |name| {
            text(name)
                .size(theme::NORMAL)
                .color(theme::dim())
                .width(150)
        };
        let value = |value, on_change: fn(f32) -> Message| {
            slider(0.0..=1.0, value, on_change).step(0.01).width(280)
        };
        let smoothing = row![
            label("Smoothing"),
            value(self.still, Message::Still),
            text(if self.still <= 0.0 {
                "off".to_owned()
            } else {
                format!("{:.2} Hz", self.settings().min_cutoff_hz)
            })
            .size(theme::SMALL)
            .font(theme::FIGURES)
            .color(theme::dim()),
        ];
        let quickness = row![
            label("Keep fast movements"),
            value(self.quick, Message::Quick),
        ];
        let switch = |label, on, message: fn(bool) -> Message| {
            toggler(on)
                .label(label)
                .on_toggle(message)
                .size(15)
                .text_size(theme::NORMAL)
                .spacing(8)
        };
        let own = switch(
            format!(
                "Read against the clip's own resting face, frame {}: sees slighter movement",
                track.rest + 1
            ),
            self.own,
            Message::Own,
        );
        let relative = switch(
            "Begin at the portrait's own expression, and add the movement to it".to_owned(),
            self.relative,
            Message::Relative,
        );
        let replaced = (!document.track.is_empty()).then(|| {
            text("The keyframes that are on the timeline now are replaced; undo brings them back.")
                .size(theme::SMALL)
                .color(theme::dim())
        });
        let broken = track
            .broken
            .as_ref()
            .map(|broken| text(broken).size(theme::SMALL).color(theme::danger()));
        column![
            text(format!("The face of {}", self.name)).size(theme::LARGE),
            text(summary(track)).size(theme::SMALL).color(theme::dim()),
            curves,
            smoothing.spacing(theme::GAP).align_y(Alignment::Center),
            quickness.spacing(theme::GAP).align_y(Alignment::Center),
            own,
            relative,
        ]
        .push(replaced)
        .push(broken)
        .push(ending(Message::Cancel, "Put on the timeline", Message::Use))
        .spacing(12)
        .into()
    }
}

fn summary(track: &AuTrack) -> String {
    let frames = track.frames.len();
    let rate = timeline::short(track.fps);
    let faceless = match track.faceless() {
        0 => "a face in each".to_owned(),
        1 => "1 without a face (shaded)".to_owned(),
        n => format!("{n} without a face (shaded)"),
    };
    format!(
        "{frames} frames, {rate} a second, {faceless}. Thin: as measured. Bold: smoothed, as it goes on the timeline."
    )
}

impl App {
    /// Begins to read a clip, unless one is on its way already.
    pub(super) fn open_clip(&mut self, path: PathBuf) -> Task<super::Message> {
        if self.clip.is_some() {
            return Task::none();
        }
        let (clip, progress) = Clip::reading(&path);
        self.read(clip, move || AuTrack::read(&path, None, &progress))
    }

    /// Begins to read the clip that comes with the program.
    pub(super) fn open_sample_clip(&mut self) -> Task<super::Message> {
        if self.clip.is_some() {
            return Task::none();
        }
        let (clip, progress) = Clip::reading(Path::new("the sample clip"));
        self.read(clip, move || {
            let sample = SampleClip::write()?;
            AuTrack::read(sample.path(), None, &progress)
        })
    }

    fn read(
        &mut self,
        clip: Clip,
        read: impl FnOnce() -> Result<AuTrack, EngineError> + Send + 'static,
    ) -> Task<super::Message> {
        self.clip = Some(clip);
        in_background(read, |result| {
            super::Message::Clip(Message::Ended(match result {
                Some(Ok(track)) => Ok(Arc::new(track)),
                Some(Err(error)) if error.is_cancelled() => Err(None),
                Some(Err(error)) => Err(Some(error.to_string())),
                None => Err(Some(
                    "The clip could not be read by a fault of Mien.".to_owned(),
                )),
            }))
        })
    }

    pub(super) fn obey_clip(&mut self, message: Message) -> Task<super::Message> {
        if let Message::Chosen(path) = message {
            return match path {
                Some(path) => self.open_clip(path),
                None => {
                    let hint = "No clip was chosen; a video can also be dropped on the window.";
                    self.status.notice = Some(Notice::Hint(hint.to_owned()));
                    Task::none()
                }
            };
        }
        let Some(clip) = &mut self.clip else {
            return Task::none();
        };
        match message {
            Message::Chosen(_) | Message::Watched => {}
            Message::Ended(Ok(track)) => {
                clip.own = track.rests();
                clip.stage = Stage::Read {
                    track,
                    smoothed: Arc::default(),
                };
                clip.smooth();
            }
            Message::Ended(Err(problem)) => {
                self.clip = None;
                self.status.notice = problem.map(Notice::Problem);
            }
            Message::Still(still) => {
                clip.still = still;
                clip.smooth();
            }
            Message::Quick(quick) => {
                clip.quick = quick;
                clip.smooth();
            }
            Message::Own(own) => {
                clip.own = own;
                clip.smooth();
            }
            Message::Relative(relative) => clip.relative = relative,
            Message::Use => {
                if let Stage::Read { track, .. } = &clip.stage {
                    let source = self.history.document().source;
                    let start = clip.relative.then_some(&source);
                    let poses = track.poses(clip.made_from(), start);
                    let change = timeline::Change::Movement(track.rate(), poses);
                    self.history.edit(|document| change.apply(document));
                    self.clip = None;
                }
            }
            Message::Cancel => match &clip.stage {
                Stage::Reading(progress) => progress.cancel.cancel(),
                Stage::Read { .. } => self.clip = None,
            },
        }
        Task::none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn videos_are_clips_and_pictures_are_not() {
        for name in ["a.mp4", "b.MOV", "c.webm"] {
            assert!(is_clip(Path::new(name)), "{name}");
        }
        for name in ["a.png", "b.gif", "mp4", ""] {
            assert!(!is_clip(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn the_sliders_middle_is_the_filters_default_and_zero_is_off() {
        let (mut clip, _) = Clip::reading(Path::new("a.mp4"));
        let usual = OneEuro::default();
        assert_eq!(clip.settings(), usual);
        clip.still = 1.0;
        assert!((clip.settings().min_cutoff_hz - usual.min_cutoff_hz / 8.0).abs() < 1e-6);
        clip.still = 0.0;
        assert!(clip.settings().is_off());
    }
}
