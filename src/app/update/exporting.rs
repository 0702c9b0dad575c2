//! From the export dialog to the queue, and from the queue to the disk.

use std::path::PathBuf;
use std::sync::Arc;

use iced::Task;

use crate::app::background::{self, in_background};
use crate::app::export::queue::{self, Ending};
use crate::app::export::{self, Export, ExportSource};
use crate::app::strings::export as strings;
use crate::app::{App, Message, Notice};
use crate::document::{MediaSource, MethodChoice, MotionKind, PaneSpec};

impl App {
    pub(in crate::app) fn open_export(&mut self) {
        if self.export.is_none() {
            let project = self.project();
            let driver = self.drivers.driver(project.chosen());
            let moves = driver.moves();
            let folder = self.export_folder();
            self.export = Some(Export::new(project, moves, driver.fps(), &folder));
        }
    }

    /// The last export folder, or the artist's pictures.
    pub(in crate::app) fn export_folder(&self) -> PathBuf {
        let last = self.projects.settings.folders.exports.clone();
        let folder = last.filter(|folder| folder.is_dir());
        folder.unwrap_or_else(background::pictures_folder)
    }

    pub(in crate::app) fn handle_export(&mut self, message: export::Message) -> Task<Message> {
        let Some(source) = self.export_source() else {
            return Task::none();
        };
        let Some(dialog) = &mut self.export else {
            return Task::none();
        };
        match dialog.update(message, &source) {
            export::Action::None => {}
            export::Action::Close => self.export = None,
            export::Action::Choose(path) => {
                return Task::perform(background::choose_target(path), |path| {
                    Message::Export(export::Message::Chosen(path))
                });
            }
            export::Action::Queue(job) => {
                let fps = source.composition.driver.fps();
                let settings = self.export.take().map(|dialog| dialog.settings(fps));
                if let Some(settings) = settings {
                    self.history.set_export(settings);
                }
                if let Some(folder) = job.output.path.parent() {
                    self.projects.settings.folders.exports = Some(folder.to_owned());
                    self.remember();
                }
                self.queue.push(*job);
                return self.next_export();
            }
        }
        Task::none()
    }

    /// What the window shows, as the source of an export: every pane of the project, visible or not.
    pub(in crate::app) fn export_source(&self) -> Option<ExportSource> {
        let project = self.project();
        let all: Vec<usize> = (0..project.panes().len()).collect();
        let chosen = project.motion(project.chosen());
        let sound = match chosen.map(|motion| &motion.kind) {
            Some(MotionKind::Clip(clip)) => matches!(clip.source, MediaSource::File(_)),
            _ => false,
        };
        Some(ExportSource {
            project: project.clone(),
            subject: self.subject()?,
            composition: self.composition_of(&all),
            step: self.timeline.frame(),
            labels: project
                .panes()
                .iter()
                .map(|pane| self.label(pane))
                .collect(),
            sound,
        })
    }

    /// The labels of an exported pane: above, the method and its view; below, the weights and the motion.
    fn label(&self, pane: &PaneSpec) -> (String, String) {
        let project = self.project();
        let models = &self.models;
        let weights = models.weights_of(pane.method);
        let motion = project.motion(project.driving(pane));
        let motion = motion
            .filter(|_| pane.method != MethodChoice::Source)
            .map(|motion| motion.name.clone());
        let note: Vec<String> = weights.into_iter().chain(motion).collect();
        let title = models.registry().title(pane.method);
        let name = match pane.method {
            MethodChoice::Source => title,
            _ => strings::label(&title, &pane.view.title()),
        };
        (name, note.join(", "))
    }

    pub(in crate::app) fn handle_queue(&mut self, message: queue::Message) -> Task<Message> {
        let ended = match &message {
            queue::Message::Ended(id, _) => Some(*id),
            _ => None,
        };
        if let Some(path) = self.queue.update(message) {
            self.status.notice = Some(Notice::Hint(strings::queue::done(&path)));
        }
        let problem = ended.and_then(|id| self.queue.problem(id));
        if let Some(problem) = problem {
            self.status.notice = Some(Notice::Problem(problem.to_owned()));
            // The window stays open so that the artist can read why it failed.
            self.projects.closing = false;
        }
        let next = self.next_export();
        Task::batch([next, self.close_when_done()])
    }

    /// Starts the next export, if none is running.
    fn next_export(&mut self) -> Task<Message> {
        let Some(queue::Start { id, job, progress }) = self.queue.start() else {
            return Task::none();
        };
        let models = Arc::clone(&self.models);
        in_background(
            move || job.write(&models, &progress),
            move |result| {
                Message::Queue(queue::Message::Ended(
                    id,
                    match result {
                        Some(Ok(told)) => {
                            Ok(told.remarks.iter().map(ToString::to_string).collect())
                        }
                        Some(Err(error)) if error.is_cancelled() => Err(Ending::Cancelled),
                        Some(Err(error)) => Err(Ending::Failed(error.to_string())),
                        None => Err(Ending::Failed(strings::queue::bug())),
                    },
                ))
            },
        )
    }
}
