//! Opens the window and subscribes to its events.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use iced::futures::channel::mpsc;
use iced::{Subscription, Task, Theme, keyboard, window};

use crate::app::background::in_background;
use crate::app::export::queue;
use crate::app::motions::drivers;
use crate::app::strings::top_bar;
use crate::app::timeline::{self, measuring};
use crate::app::widgets::theme;
use crate::app::{App, Message, Notice, projects};
use crate::error::{EngineError, SystemError};
use crate::face::portrait::{Portrait, Sample};
use crate::folders::data_folder;
use crate::media::image::read as read_picture;
use crate::media::leftovers::sweep;
use crate::methods::models::Models;
use crate::project::settings::Settings;
use crate::render::worker::Worker;

/// Interval between autosaves, if something has changed.
const AUTOSAVE_INTERVAL: Duration = Duration::from_secs(3);

/// Opens the window and returns once it is closed.
///
/// # Errors
/// [`EngineError`] when the weights can't be used or there is no display.
pub fn run(portrait: Option<PathBuf>, weights: Option<PathBuf>) -> Result<(), EngineError> {
    if !has_display() {
        return Err(SystemError::NoDisplay.into());
    }
    let (settings, remark) = Settings::load();
    let (models, other) = crate::app::update::weights::begin(weights.as_deref(), &settings)?;
    let (models, settings) = (Arc::new(models), (settings, remark.or(other)));
    let model = models.ganimation();
    let sample = Sample::all()
        .first()
        .map(|sample| sample.open(model.crop()).map(Arc::new))
        .transpose()?
        .ok_or(SystemError::NoSamplePortrait)?;

    let place = settings.0.window;
    iced::application(
        move || App::boot(&models, &sample, settings.clone(), portrait.clone()),
        App::update,
        App::view,
    )
    .title(App::title)
    .theme(App::theme)
    .subscription(App::subscription)
    .font(theme::FIGURES_FILE)
    .default_font(theme::WORDS)
    .antialiasing(true)
    .window(window::Settings {
        size: place.map_or(iced::Size::new(1440.0, 900.0), |place| {
            iced::Size::new(place.width, place.height)
        }),
        position: place.map_or(window::Position::default(), |place| {
            window::Position::Specific(iced::Point::new(place.x, place.y))
        }),
        exit_on_close_request: false,
        min_size: Some(iced::Size::new(1240.0, 640.0)),
        icon: icon(),
        ..window::Settings::default()
    })
    .run()
    .map_err(|error| SystemError::NoWindow(error.to_string()).into())
}

/// Whether a display is available; without one the toolkit would panic.
fn has_display() -> bool {
    let named = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux")
        || ["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"]
            .into_iter()
            .any(named)
}

fn icon() -> Option<window::Icon> {
    let png = include_bytes!("../../resources/icons/mien.png");
    let picture = read_picture(Path::new("mien.png"), png).ok()?;
    let (width, height) = picture.size();
    window::icon::from_rgba(picture.into_rgba(), width, height).ok()
}

impl App {
    fn boot(
        models: &Arc<Models>,
        sample: &Arc<Portrait>,
        (settings, remark): (Settings, Option<String>),
        portrait: Option<PathBuf>,
    ) -> (Self, Task<Message>) {
        let (mut wake, woken) = mpsc::channel(1);
        // A full channel already holds the wake-up.
        let worker = Worker::spawn(Arc::clone(models), move || drop(wake.try_send(())));
        let (worker, problem) = match worker {
            Ok(worker) => (worker, None),
            Err(error) => (Worker::idle(), Some(top_bar::no_preview(&error))),
        };
        let mut app = Self::new(Arc::clone(models), worker, Arc::clone(sample));
        if let Some(problem) = problem {
            app.status.notice = Some(Notice::Problem(problem));
        }
        let other = app.projects.remember(settings);
        if let Some(remark) = remark.or(other) {
            app.status.notice = Some(Notice::Hint(remark));
        }
        app.panes.labels = app.projects.settings.labels;
        if let Some(height) = app.projects.settings.timeline_height {
            app.timeline.set_height(height);
        }
        let scale = window::oldest()
            .and_then(window::scale_factor)
            .map(Message::Scaled);
        if !app.projects.settings.first_start_done {
            app.projects.settings.first_start_done = true;
            app.remember();
            if portrait.is_none() {
                app.play_sample();
            }
        }
        let reading = Task::batch([app.prepare(), app.sweep()]);
        let open = match portrait {
            Some(path) => app.update(Message::OpenFile(Some(path))),
            None => Task::none(),
        };
        let frames = Task::run(woken, |()| Message::Drawn);
        (app, Task::batch([scale, open, frames, reading]))
    }

    /// Removes in the background the temporary files that killed runs left in the output folders.
    fn sweep(&self) -> Task<Message> {
        let folders = &self.projects.settings.folders;
        let written = [&folders.exports, &folders.projects];
        let folders: Vec<PathBuf> = written
            .into_iter()
            .flatten()
            .cloned()
            .chain(data_folder())
            .collect();
        let swept = in_background(
            move || folders.iter().for_each(|folder| sweep(folder)),
            drop,
        );
        swept.discard()
    }

    fn title(&self) -> String {
        top_bar::title(&self.name())
    }

    /// The theme that the settings choose.
    pub(super) fn theme(&self) -> Theme {
        theme::theme(self.projects.settings.light)
    }

    /// The project's name, with a star if it has unsaved changes.
    pub(super) fn name(&self) -> String {
        let file = self
            .projects
            .path
            .as_ref()
            .and_then(|path| path.file_name());
        let star = if self.projects.is_changed(self.project()) {
            "*"
        } else {
            ""
        };
        match file {
            Some(name) => format!("{}{star}", name.to_string_lossy()),
            None => format!("{}{star}", self.document().portrait.name),
        }
    }

    fn subscription(&self) -> Subscription<Message> {
        let mut all = vec![
            keyboard::listen().map(Message::Keyboard),
            iced::event::listen_with(|event, _, _| match event {
                iced::Event::Window(window::Event::FileDropped(path)) => {
                    Some(Message::OpenFile(Some(path)))
                }
                iced::Event::Window(window::Event::Rescaled(scale)) => Some(Message::Scaled(scale)),
                iced::Event::Window(window::Event::CloseRequested) => {
                    Some(Message::Project(projects::Message::CloseRequested))
                }
                iced::Event::Window(window::Event::Resized(size)) => {
                    let sized = projects::Message::Sized(size.width, size.height);
                    Some(Message::Project(sized))
                }
                iced::Event::Window(window::Event::Moved(at)) => {
                    Some(Message::Project(projects::Message::Placed(at.x, at.y)))
                }
                _ => None,
            }),
        ];
        if self.projects.is_autosave_enabled() {
            all.push(
                iced::time::every(AUTOSAVE_INTERVAL)
                    .map(|_| Message::Project(projects::Message::Keep)),
            );
        }
        if self.timeline.is_playing() {
            all.push(
                iced::time::every(timeline::TICK)
                    .map(|now| Message::Timeline(timeline::Message::Tick(now))),
            );
        }
        if self.drivers.is_reading() {
            all.push(
                iced::time::every(Duration::from_millis(100))
                    .map(|_| Message::Drivers(drivers::Message::Watched)),
            );
        }
        all.extend(self.motions_subscription());
        if self.measuring.is_running() {
            all.push(
                iced::time::every(Duration::from_millis(200))
                    .map(|_| Message::Measured(measuring::Watch::Looked)),
            );
        }
        if self.queue.is_running() {
            all.push(
                iced::time::every(Duration::from_millis(100))
                    .map(|_| Message::Queue(queue::Message::Watched)),
            );
        }
        Subscription::batch(all)
    }
}
