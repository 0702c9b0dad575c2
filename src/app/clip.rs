//! The movement of a clip's face, on its way to the timeline: how far the reading has come, then the Action Units before
//! and after smoothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use iced::widget::canvas::{self, Canvas, Frame, Geometry, Path as Line, Stroke};
use iced::widget::{column, container, row, slider, space, text, toggler};
use iced::{Alignment, Element, Length, Point, Rectangle, Renderer, Size, Task, Theme, mouse};

use super::background::in_background;
use super::widgets::{Kept, action, ending, progress_of};
use super::{App, Notice, theme, timeline};
use crate::engine::{AuTrack, EngineError, OneEuro, Progress, Reading, SampleClip, smoothing};
use crate::studio::{ActionUnit, AuVector, Document};

/// The extensions of files that are clips and never portraits.
const CLIPS: [&str; 7] = ["mp4", "mov", "m4v", "webm", "mkv", "avi", "mpg"];

/// How many units' curves are drawn.
const DRAWN: usize = 5;

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
        let curves = Canvas::new(Curves {
            measured: track.measured(self.own),
            smoothed,
        })
        .width(Length::Fill)
        .height(220);
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

/// The units that move most, before and after smoothing.
struct Curves<'a> {
    measured: Vec<Option<AuVector>>,
    smoothed: &'a Arc<Vec<Option<AuVector>>>,
}

/// The room on the right where the curves' names stand.
const NAMES: f32 = 52.0;

impl Curves<'_> {
    fn moving(&self) -> Vec<ActionUnit> {
        let range = |unit: &ActionUnit| {
            let values = self.smoothed.iter().flatten().map(|aus| aus.get(*unit));
            let high = values.clone().fold(0.0, f32::max);
            high - values.fold(1.0, f32::min)
        };
        let mut units = ActionUnit::ALL.to_vec();
        units.sort_by(|a, b| range(b).total_cmp(&range(a)));
        units.truncate(DRAWN);
        units
    }

    fn paint(&self, frame: &mut Frame, size: Size) {
        let count = self.measured.len();
        let width = size.width - NAMES;
        let x_of = |i: usize| (i as f32 + 0.5) / count as f32 * width;
        let y_of = |value: f32| 6.0 + (1.0 - value) * (size.height - 12.0);
        for (i, aus) in self.measured.iter().enumerate() {
            if aus.is_none() {
                let start = Point::new(i as f32 / count as f32 * width, 0.0);
                let column = Size::new(width / count as f32 + 0.5, size.height);
                frame.fill(&Line::rectangle(start, column), theme::raised_color());
            }
        }
        for value in [0.0, 0.5, 1.0] {
            let line = Line::line(Point::new(0.0, y_of(value)), Point::new(width, y_of(value)));
            let stroke = Stroke::default()
                .with_color(theme::line_color())
                .with_width(1.0);
            frame.stroke(&line, stroke);
        }
        let mut names: Vec<f32> = Vec::new();
        for (rank, unit) in self.moving().into_iter().enumerate() {
            let color = theme::mix(theme::faint(), theme::text(), 1.0 - rank as f32 * 0.17);
            for (values, width, alpha) in [(&self.measured, 0.8, 0.55), (self.smoothed, 2.0, 1.0)] {
                let curve = Line::new(|path| {
                    let mut drawing = false;
                    for (i, aus) in values.iter().enumerate() {
                        let point = aus.map(|aus| Point::new(x_of(i), y_of(aus.get(unit))));
                        match point {
                            Some(point) if drawing => path.line_to(point),
                            Some(point) => path.move_to(point),
                            None => {}
                        }
                        drawing = point.is_some();
                    }
                });
                let color = if rank == 0 && alpha == 1.0 {
                    theme::accent()
                } else {
                    color.scale_alpha(alpha)
                };
                frame.stroke(
                    &curve,
                    Stroke::default().with_color(color).with_width(width),
                );
            }
            let Some(last) = self.smoothed.iter().flatten().next_back() else {
                continue;
            };
            // Names that would lie over each other move down, or up from the bottom.
            let mut y = y_of(last.get(unit));
            while names.iter().any(|other| (other - y).abs() < 12.0) {
                y = if y + 12.0 < size.height {
                    y + 12.0
                } else {
                    6.0
                };
            }
            names.push(y);
            frame.fill_text(canvas::Text {
                content: unit.to_string(),
                position: Point::new(width + 8.0, y),
                color: if rank == 0 { theme::accent() } else { color },
                size: 11.0.into(),
                font: theme::FIGURES,
                align_y: iced::alignment::Vertical::Center,
                ..canvas::Text::default()
            });
        }
    }
}

impl canvas::Program<Message> for Curves<'_> {
    /// Of where the smoothed values lie: they are made anew with every change.
    type State = Kept<usize>;

    fn draw(
        &self,
        kept: &Self::State,
        renderer: &Renderer,
        _theme: &Theme,
        bounds: Rectangle,
        _cursor: mouse::Cursor,
    ) -> Vec<Geometry> {
        let key = Arc::as_ptr(self.smoothed) as usize;
        kept.draw(renderer, bounds.size(), key, |frame| {
            self.paint(frame, bounds.size());
        })
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
