//! Projects: what the window knows of their files, and what is asked before changes are lost.

mod dialogs;
mod open;
mod save;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use iced::Task;

use crate::app::widgets::theme;
use crate::app::{App, Message as Up, has_extension};
use crate::document::Project;
use crate::face::portrait::Portrait;
use crate::project::autosave::{Autosave, Recovered};
use crate::project::file::open::Opened;
use crate::project::file::{MediaOf, ProjectFile, Saved};
use crate::project::settings::{Recent, Settings};

/// What the window knows of the project's file.
#[derive(Debug)]
pub struct Projects {
    /// Where it is saved; nothing for one that never was.
    pub path: Option<PathBuf>,
    /// As it was saved or begun; nothing for a copy after a crash, which no file of the artist's holds.
    saved: Option<Project>,
    /// As it was last kept against a crash.
    kept: Option<Project>,
    autosave: Option<Arc<Autosave>>,
    keeping: bool,
    pub saving: bool,
    /// How it was opened, for media that are missing.
    opened: Option<Box<Opened>>,
    /// A project whose portrait isn't there.
    pub waiting: Option<(Origin, Box<Opened>)>,
    /// Copies that a crash left behind, the newest last.
    pub recovered: Vec<Recovered>,
    pub recent: Recent,
    pub settings: Settings,
    /// Whether settings and recent files are kept for the next start.
    lasting: bool,
    pub question: Option<Question>,
    /// What is done when the project is saved.
    then: Option<After>,
    /// The copy that the project was opened from; it goes when this run has one of its own.
    replaced: Option<Recovered>,
}

/// Where an opened project comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    File(PathBuf),
    /// A copy that a crash left behind.
    Copy(Box<Recovered>),
}

/// What is asked of the artist before anything goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// The list of what can be done with projects.
    Menu,
    /// Changes would be lost.
    Unsaved(After),
    /// The shortcuts of the keyboard.
    Keys,
}

/// What was to be done when changes stood in the way.
#[derive(Debug, Clone, PartialEq)]
pub enum After {
    Quit,
    New,
    Open(PathBuf),
}

/// A project as it was opened, and its portrait where that is there.
type Found = Box<(Opened, Option<Arc<Portrait>>)>;

#[derive(Debug, Clone)]
pub enum Message {
    Menu,
    Keys,
    Close,
    New,
    OpenDialog,
    Open(PathBuf),
    /// A portrait of late.
    OpenPortrait(PathBuf),
    Opened(Origin, Result<Found, String>),
    Save,
    SaveAs,
    SaveTo(Option<PathBuf>),
    Saved(PathBuf, Box<Project>, Result<Saved, String>),
    /// The changes aren't wanted.
    LoseChanges,
    /// The changes are saved first.
    KeepChanges,
    Recover,
    Discard,
    Locate(MediaOf),
    Located(MediaOf, Option<PathBuf>),
    /// A project without its portrait is let go.
    GiveUp,
    /// Time to keep a copy against a crash.
    Keep,
    Kept(Box<Project>, Result<(), String>),
    Light(bool),
    Labels(bool),
    /// Whether the file is to hold pictures and clips.
    HoldsMedia(bool),
    /// The window is to be closed.
    CloseRequested,
    Sized(f32, f32),
    Placed(f32, f32),
}

impl Projects {
    /// Nothing saved and nothing remembered; for a window that begins with this project.
    pub fn new(project: &Project) -> Self {
        Self {
            path: None,
            saved: Some(project.clone()),
            kept: None,
            autosave: None,
            keeping: false,
            saving: false,
            opened: None,
            waiting: None,
            recovered: Vec::new(),
            recent: Recent::default(),
            settings: Settings::default(),
            lasting: false,
            question: None,
            then: None,
            replaced: None,
        }
    }

    /// Takes up what the last runs left: these settings, recent files and copies after a crash. Returns a sentence where
    /// something could not be read.
    pub fn remember(&mut self, settings: Settings) -> Option<String> {
        let (recent, remark) = Recent::load();
        self.settings = settings;
        self.lasting = true;
        self.recent = recent;
        self.recovered = Autosave::left_behind();
        self.recovered.reverse();
        let (autosave, other) = match Autosave::begin() {
            Ok(autosave) => (Some(Arc::new(autosave)), None),
            Err(error) => (
                None,
                Some(format!("No copy is kept against a crash: {error}")),
            ),
        };
        self.autosave = autosave;
        remark.or(other)
    }

    /// Whether the project has changed since it was saved or begun.
    pub fn is_changed(&self, project: &Project) -> bool {
        self.saved.as_ref() != Some(project)
    }

    /// Whether a copy should be kept now.
    pub fn wants_keeping(&self) -> bool {
        self.autosave.is_some()
    }

    /// What a crash left is kept elsewhere by now.
    fn discard_replaced(&mut self) {
        if let Some(copy) = self.replaced.take() {
            copy.discard();
        }
    }

    /// The program ends as it should.
    fn end(&mut self) {
        if let Err(error) = self.settings.save() {
            tracing::warn!("{error}");
        }
        if let Some(autosave) = self.autosave.take().and_then(Arc::into_inner) {
            autosave.end();
        }
    }
}

impl App {
    pub(in crate::app) fn handle_project(&mut self, message: Message) -> Task<Up> {
        match message {
            Message::Menu => self.toggle_question(Question::Menu),
            Message::Keys => self.toggle_question(Question::Keys),
            Message::Close => self.projects.question = None,
            Message::New => return self.unless_changed(After::New),
            Message::OpenDialog => return self.choose_project(),
            Message::Open(path) => return self.unless_changed(After::Open(path)),
            Message::OpenPortrait(path) => {
                self.projects.question = None;
                return self.handle(Up::OpenFile(Some(path)));
            }
            Message::Opened(origin, result) => self.opened(origin, result),
            Message::Save => return self.save(),
            Message::SaveAs => return self.save_as(),
            Message::SaveTo(None) => self.projects.then = None,
            Message::SaveTo(Some(path)) => return self.save_to(path),
            Message::Saved(path, project, result) => return self.saved(path, *project, result),
            Message::LoseChanges | Message::KeepChanges => {
                if let Some(Question::Unsaved(after)) = self.projects.question.take() {
                    if matches!(message, Message::LoseChanges) {
                        return self.go_on(after);
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
            Message::Located(of, Some(path)) => return self.located(of, &path),
            Message::Located(_, None) => {}
            Message::GiveUp => self.projects.waiting = None,
            Message::Keep => return self.keep_copy(),
            Message::Kept(project, result) => self.kept(*project, result),
            Message::Light(light) => {
                self.projects.settings.light = light;
                theme::set_light(light);
                self.remember();
            }
            Message::Labels(labels) => {
                self.panes.labels = labels;
                self.projects.settings.labels = labels;
                self.remember();
            }
            Message::HoldsMedia(holds) => self.history.set_holds_media(holds),
            Message::CloseRequested => return self.unless_changed(After::Quit),
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

    /// Asks this, or nothing where it is asked already.
    fn toggle_question(&mut self, question: Question) {
        let asked = self.projects.question.as_ref() == Some(&question);
        self.projects.question = (!asked).then_some(question);
    }

    /// Goes on, or asks first what is to become of the changes.
    fn unless_changed(&mut self, after: After) -> Task<Up> {
        if self.projects.is_changed(self.project()) {
            self.projects.question = Some(Question::Unsaved(after));
            return Task::none();
        }
        self.go_on(after)
    }

    fn go_on(&mut self, after: After) -> Task<Up> {
        self.projects.question = None;
        match after {
            After::Quit => {
                self.projects.end();
                iced::exit()
            }
            After::New => {
                let portrait = self.portraits.get(&self.document().portrait.id).cloned();
                if let Some(portrait) = portrait {
                    let id = self.document().portrait.id;
                    self.begin(None, Project::new(portrait.document(id)));
                }
                Task::none()
            }
            After::Open(path) => {
                self.opening = true;
                let origin = Origin::File(path.clone());
                self.open_project(origin, move || ProjectFile::open(&path))
            }
        }
    }

    /// Keeps settings and recent files for the next start.
    pub(in crate::app) fn remember(&mut self) {
        if !self.projects.lasting {
            return;
        }
        let kept = self.projects.settings.save();
        let kept = kept.and_then(|()| self.projects.recent.save());
        if let Err(error) = kept {
            tracing::warn!("{error}");
        }
    }
}

/// Where a window is before it is known.
const AT_FIRST: crate::project::settings::WindowPlace = crate::project::settings::WindowPlace {
    width: 1400.0,
    height: 880.0,
    x: 0.0,
    y: 0.0,
};

/// Whether a file is a project by its name.
pub fn is_project(path: &Path) -> bool {
    has_extension(path, &[ProjectFile::EXTENSION])
}
