//! Handles the messages of the project menu, its questions and the window's own events.

use iced::Task;

use crate::app::projects::{Message, Origin, PendingAction, Question};
use crate::app::strings::projects as strings;
use crate::app::{App, Message as Up, Notice};
use crate::document::Project;
use crate::project::file::ProjectFile;

impl App {
    pub(in crate::app) fn handle_project(&mut self, message: Message) -> Task<Up> {
        match message {
            Message::Menu => self.toggle_question(Question::Menu),
            Message::Keys => self.toggle_question(Question::Keys),
            Message::Close => {
                self.projects.question = None;
                self.projects.then = None;
                self.projects.closing = false;
            }
            Message::New => return self.unless_changed(PendingAction::New),
            Message::OpenDialog => return self.choose_project(),
            Message::Open(path) => return self.unless_changed(PendingAction::Open(path)),
            Message::OpenPortrait(path) => {
                self.projects.question = None;
                return self.handle(Up::OpenFile(Some(path)));
            }
            Message::Opened(origin, result) => {
                self.opened(origin, result);
                return self.announce_project();
            }
            Message::OpenElsewhere(false) => {}
            Message::OpenElsewhere(true) => {
                self.status.notice = Some(Notice::Problem(strings::OPEN_ELSEWHERE.to_owned()));
            }
            Message::Save => return self.save(),
            Message::SaveAs => return self.save_as(),
            Message::SaveTo(None) => self.projects.then = None,
            Message::SaveTo(Some(target)) => return self.save_at(target),
            Message::Replace => {
                if let Some(Question::Replace(path) | Question::ChangedOutside(path)) =
                    self.projects.question.take()
                {
                    return self.save_over(path);
                }
            }
            Message::Saved(path, project, result) => return self.saved(path, *project, result),
            Message::LoseChanges | Message::KeepChanges => {
                if let Some(Question::Unsaved(after)) = self.projects.question.take() {
                    if matches!(message, Message::LoseChanges) {
                        return self.proceed(after);
                    }
                    self.projects.then = Some(after);
                    return self.save();
                }
            }
            Message::Recover => return self.recover(),
            Message::Discard => {
                if let Some(copy) = self.projects.recovered.pop() {
                    copy.discard();
                }
            }
            Message::Locate(of) => return self.choose_media(of),
            Message::Located(of, Some(path)) => return self.located(of, path),
            Message::FoundNearby(Some((opened, found))) => self.relocated_clips(opened, found),
            Message::FoundNearby(None) => {}
            Message::Located(_, None) => {}
            Message::GiveUp => self.projects.waiting = None,
            Message::Keep => return self.autosave_now(),
            Message::Autosaved(project, result) => self.autosaved(*project, result),
            Message::Light(light) => {
                self.projects.settings.light = light;
                self.remember();
            }
            Message::Labels(labels) => {
                self.panes.labels = labels;
                self.projects.settings.labels = labels;
                self.remember();
            }
            Message::HoldsMedia(holds) => self.history.set_holds_media(holds),
            Message::CloseRequested if self.queue.is_busy() => {
                self.projects.question = Some(Question::Exporting);
            }
            Message::CloseRequested => return self.unless_changed(PendingAction::Quit),
            Message::FinishThenClose | Message::StopAndClose => {
                if matches!(message, Message::StopAndClose) {
                    self.queue.cancel_all();
                }
                self.projects.question = None;
                self.projects.closing = true;
                return self.close_when_done();
            }
            Message::Sized(width, height) => {
                let place = self.projects.settings.window.get_or_insert(AT_FIRST);
                (place.width, place.height) = (width, height);
            }
            Message::Placed(x, y) => {
                let place = self.projects.settings.window.get_or_insert(AT_FIRST);
                (place.x, place.y) = (x, y);
            }
        }
        Task::none()
    }

    /// Opens this question, or closes it if it is open.
    pub(in crate::app) fn toggle_question(&mut self, question: Question) {
        let asked = self.projects.question.as_ref() == Some(&question);
        self.projects.question = (!asked).then_some(question);
    }

    /// Closes the window if that was requested and no export is left.
    pub(in crate::app) fn close_when_done(&mut self) -> Task<Up> {
        if !self.projects.closing {
            return Task::none();
        }
        if self.queue.is_busy() {
            self.status.notice = Some(Notice::Hint(strings::CLOSING.to_owned()));
            return Task::none();
        }
        self.projects.closing = false;
        self.unless_changed(PendingAction::Quit)
    }

    /// Continues with `after`, or first asks what to do with unsaved changes.
    pub(in crate::app) fn unless_changed(&mut self, after: PendingAction) -> Task<Up> {
        if self.projects.is_changed(self.project()) {
            self.projects.question = Some(Question::Unsaved(after));
            return Task::none();
        }
        self.proceed(after)
    }

    pub(in crate::app) fn proceed(&mut self, after: PendingAction) -> Task<Up> {
        self.projects.question = None;
        match after {
            PendingAction::Quit => {
                self.projects.end();
                iced::exit()
            }
            PendingAction::New => {
                let portrait = self.portraits.get(&self.document().portrait.id).cloned();
                if let Some(portrait) = portrait {
                    let id = self.document().portrait.id;
                    self.begin(None, Project::new(portrait.document(id)));
                }
                self.announce_project()
            }
            PendingAction::Open(path) => {
                self.opening = true;
                let origin = Origin::File(path.clone());
                self.open_project(origin, move || ProjectFile::open(&path))
            }
        }
    }

    /// Writes settings and recent files to the disk for the next start.
    pub(in crate::app) fn remember(&mut self) {
        self.projects.keep_settings();
    }
}

/// The window's place until the system reports it.
const AT_FIRST: crate::project::settings::WindowPlace = crate::project::settings::WindowPlace {
    width: 1400.0,
    height: 880.0,
    x: 0.0,
    y: 0.0,
};
