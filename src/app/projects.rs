//! Projects: opened, saved, kept against a crash, and their media found again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use iced::Task;

use super::background::{self, in_background};
use super::{App, Message as Up, Notice, has_extension};
use crate::engine::{
    Autosave, Embed, EngineError, MediaOf, Opened, Portrait, ProjectFile, Recent, Recovered, Saved,
    Settings,
};
use crate::studio::{Document, History, MediaSource, MotionId, Preset, Project};

/// What the window knows of the project's file.
#[derive(Debug)]
pub struct Projects {
    /// Where it is saved; nothing for one that never was.
    pub path: Option<PathBuf>,
    /// As it was saved or begun.
    saved: Project,
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
    pub question: Option<Question>,
    /// What is done when the project is saved.
    then: Option<After>,
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
            saved: project.clone(),
            kept: None,
            autosave: None,
            keeping: false,
            saving: false,
            opened: None,
            waiting: None,
            recovered: Vec::new(),
            recent: Recent::default(),
            settings: Settings::default(),
            question: None,
            then: None,
        }
    }

    /// Takes up what the last runs left: settings, recent files and copies after a crash. Returns a sentence where
    /// something could not be read.
    pub fn remember(&mut self) -> Option<String> {
        let (settings, first) = Settings::load();
        let (recent, second) = Recent::load();
        self.settings = settings;
        self.recent = recent;
        self.recovered = Autosave::left_behind();
        self.recovered.reverse();
        let (autosave, third) = match Autosave::begin() {
            Ok(autosave) => (Some(Arc::new(autosave)), None),
            Err(error) => (
                None,
                Some(format!("No copy is kept against a crash: {error}")),
            ),
        };
        self.autosave = autosave;
        first.or(second).or(third)
    }

    /// Whether the project has changed since it was saved or begun.
    pub fn is_changed(&self, project: &Project) -> bool {
        *project != self.saved
    }

    /// Whether a copy should be kept now.
    pub fn wants_keeping(&self) -> bool {
        self.autosave.is_some()
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
    pub(super) fn obey_project(&mut self, message: Message) -> Task<Up> {
        match message {
            Message::Menu => {
                self.projects.question = toggled(&self.projects.question, Question::Menu)
            }
            Message::Keys => {
                self.projects.question = toggled(&self.projects.question, Question::Keys)
            }
            Message::Close => self.projects.question = None,
            Message::New => return self.unless_changed(After::New),
            Message::OpenDialog => {
                self.projects.question = None;
                let folder = self.projects.settings.folders.projects.clone();
                return Task::perform(background::choose_project(folder), |path| match path {
                    Some(path) => Up::Project(Message::Open(path)),
                    None => Up::Project(Message::Close),
                });
            }
            Message::Open(path) => return self.unless_changed(After::Open(path)),
            Message::Opened(origin, Ok(opened)) => {
                let (opened, portrait) = *opened;
                self.opening = false;
                match portrait {
                    Some(portrait) => self.take_project(origin, opened, portrait),
                    None => self.projects.waiting = Some((origin, Box::new(opened))),
                }
            }
            Message::Opened(origin, Err(problem)) => {
                self.opening = false;
                if let Origin::File(path) = origin {
                    self.projects.recent.forget(&path);
                }
                self.status.notice = Some(Notice::Problem(problem));
            }
            Message::Save => {
                return match self.projects.path.clone() {
                    Some(path) => self.save_to(path),
                    None => self.obey_project(Message::SaveAs),
                };
            }
            Message::SaveAs => {
                self.projects.question = None;
                return Task::perform(background::choose_save(self.place_to_save()), |path| {
                    Up::Project(Message::SaveTo(path))
                });
            }
            Message::SaveTo(None) => self.projects.then = None,
            Message::SaveTo(Some(path)) => return self.save_to(path),
            Message::Saved(path, project, result) => return self.saved(path, *project, result),
            Message::LoseChanges => {
                if let Some(Question::Unsaved(after)) = self.projects.question.take() {
                    return self.go_on(after);
                }
            }
            Message::KeepChanges => {
                if let Some(Question::Unsaved(after)) = self.projects.question.take() {
                    self.projects.then = Some(after);
                    return self.obey_project(Message::Save);
                }
            }
            Message::Recover => {
                if let Some(copy) = self.projects.recovered.pop() {
                    self.opening = true;
                    let origin = Origin::Copy(Box::new(copy.clone()));
                    return self.open_project(origin, move || copy.recover());
                }
            }
            Message::Discard => {
                if let Some(copy) = self.projects.recovered.pop() {
                    copy.discard();
                }
            }
            Message::Locate(of) => {
                return match of {
                    MediaOf::Portrait => {
                        Task::perform(background::choose_portrait(), move |path| {
                            Up::Project(Message::Located(of, path))
                        })
                    }
                    MediaOf::Motion(_) => Task::perform(background::choose_clip(), move |path| {
                        Up::Project(Message::Located(of, path))
                    }),
                };
            }
            Message::Located(of, Some(path)) => return self.located(of, &path),
            Message::Located(_, None) => {}
            Message::GiveUp => self.projects.waiting = None,
            Message::Keep => return self.keep_copy(),
            Message::Kept(project, result) => {
                self.projects.keeping = false;
                match result {
                    Ok(()) => self.projects.kept = Some(*project),
                    Err(problem) => {
                        // Not told again every few seconds.
                        self.projects.autosave = None;
                        self.status.notice = Some(Notice::Problem(format!(
                            "No copy is kept against a crash any more: {problem}"
                        )));
                    }
                }
            }
            Message::Light(light) => {
                self.projects.settings.light = light;
                super::theme::set_light(light);
                self.remember();
            }
            Message::Labels(labels) => {
                self.panes.labels = labels;
                self.projects.settings.labels = labels;
                self.remember();
            }
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

    fn open_project(
        &self,
        origin: Origin,
        open: impl FnOnce() -> Result<Opened, EngineError> + Send + 'static,
    ) -> Task<Up> {
        let models = Arc::clone(&self.models);
        in_background(
            move || {
                let opened = open()?;
                let portrait = match opened.portrait.is_there() {
                    true => Some(Arc::new(Portrait::of_project(
                        &opened.project,
                        models.ganimation().crop(),
                    )?)),
                    false => None,
                };
                Ok(Box::new((opened, portrait)))
            },
            move |result: Option<Result<_, EngineError>>| {
                let result = match result {
                    Some(result) => result.map_err(|error| error.to_string()),
                    None => Err("The project could not be opened by a fault of Mien.".to_owned()),
                };
                Up::Project(Message::Opened(origin, result))
            },
        )
    }

    /// Shows an opened project in place of what was there.
    fn take_project(&mut self, origin: Origin, opened: Opened, portrait: Arc<Portrait>) {
        let id = self.next_portrait;
        self.next_portrait += 1;
        self.portraits.insert(id, portrait);
        let mut project = opened.project.clone();
        project.change(|document| document.portrait.id = id);
        let missing = opened.missing().len();
        match origin {
            Origin::File(path) => {
                self.projects.recent.add_project(&path);
                self.projects.settings.folders.projects = path.parent().map(Path::to_owned);
                self.begin(Some(path), project);
            }
            Origin::Copy(copy) => {
                self.begin(copy.project_path.clone(), project);
                // It isn't what the artist's own file says.
                self.projects.saved = Project::new(self.document().clone());
                self.projects.opened = None;
                // The copy goes when this run has one of its own.
                let project = self.project().clone();
                if let Some(autosave) = &self.projects.autosave {
                    match autosave.write(&project, self.projects.path.as_deref()) {
                        Ok(()) => {
                            self.projects.kept = Some(project);
                            copy.discard();
                        }
                        Err(error) => tracing::warn!("{error}"),
                    }
                }
                let hint = "This is the copy that Mien had kept. Save it to keep it.";
                self.status.notice = Some(Notice::Hint(hint.to_owned()));
            }
        }
        if missing > 0 {
            let hint = match missing {
                1 => "A clip of this project isn't where it was; Locate in the list of motions finds it again."
                    .to_owned(),
                n => format!(
                    "{n} clips of this project aren't where they were; Locate in the list of motions finds them again."
                ),
            };
            self.status.notice = Some(Notice::Hint(hint));
        }
        self.projects.opened = Some(Box::new(opened));
        self.remember();
    }

    /// The window's project is another from now on; there is nothing to undo.
    fn begin(&mut self, path: Option<PathBuf>, project: Project) {
        self.history = History::of(project);
        self.forget_portraits();
        self.projects.saved = self.project().clone();
        self.projects.kept = None;
        self.projects.path = path;
        self.projects.opened = None;
        self.panes.labels = self.project().labels();
        self.measuring.numbers = None;
        if let Some(autosave) = &self.projects.autosave {
            autosave.clear();
        }
        let known = self.document().face.is_some();
        self.panes.show_face(known);
    }

    /// The sample project, playing: what is seen at the first start.
    pub(super) fn play_sample(&mut self) {
        let built_in = Preset::built_in().unwrap_or_default();
        let mut document = self.document().clone();
        let source = crate::studio::Pose::from(document.source);
        document.track.set_frames(72);
        document.track.set_key(0, source);
        for (frame, name) in [(18, "Surprised"), (36, "Neutral"), (54, "Angry")] {
            if let Ok(preset) = Preset::find(&built_in, name) {
                document.track.set_key(frame, preset.aus);
            }
        }
        document.track.set_key(71, source);
        self.begin(None, Project::new(document));
        drop(self.obey(Up::Timeline(super::timeline::Message::PlayToggled)));
    }

    fn place_to_save(&self) -> PathBuf {
        if let Some(path) = &self.projects.path {
            return path.clone();
        }
        let stem = Path::new(&self.document().portrait.name)
            .file_stem()
            .map_or("project".into(), |stem| stem.to_string_lossy());
        let folder = self.projects.settings.folders.projects.clone();
        let folder = folder.unwrap_or_else(background::pictures_folder);
        folder.join(format!("{stem}.{}", ProjectFile::EXTENSION))
    }

    fn save_to(&mut self, path: PathBuf) -> Task<Up> {
        self.projects.question = None;
        if self.projects.saving {
            return Task::none();
        }
        self.projects.saving = true;
        let mut project = self.project().clone();
        project.set_labels(self.panes.labels);
        let (written, target) = (project.clone(), path.clone());
        in_background(
            move || ProjectFile::save(&written, &target, Embed::Kept),
            move |result| {
                let result = match result {
                    Some(result) => result.map_err(|error| error.to_string()),
                    None => Err("The project could not be saved by a fault of Mien.".to_owned()),
                };
                Up::Project(Message::Saved(path, Box::new(project), result))
            },
        )
    }

    fn saved(
        &mut self,
        path: PathBuf,
        project: Project,
        result: Result<Saved, String>,
    ) -> Task<Up> {
        self.projects.saving = false;
        let then = self.projects.then.take();
        match result {
            Ok(_) => {
                self.history.set_labels(self.panes.labels);
                self.projects.saved = project;
                self.projects.recent.add_project(&path);
                self.projects.settings.folders.projects = path.parent().map(Path::to_owned);
                self.status.notice = Some(Notice::Hint(format!("Saved as {}.", path.display())));
                self.projects.path = Some(path);
                self.remember();
                if !self.projects.is_changed(self.project())
                    && let Some(autosave) = &self.projects.autosave
                {
                    autosave.clear();
                    self.projects.kept = None;
                }
                then.map_or_else(Task::none, |after| self.go_on(after))
            }
            Err(problem) => {
                self.status.notice = Some(Notice::Problem(problem));
                Task::none()
            }
        }
    }

    /// Keeps a copy against a crash, if there is something to keep.
    fn keep_copy(&mut self) -> Task<Up> {
        let project = self.project();
        let kept = self.projects.kept.as_ref().unwrap_or(&self.projects.saved);
        let Some(autosave) = &self.projects.autosave else {
            return Task::none();
        };
        if self.projects.keeping || kept == project {
            return Task::none();
        }
        let (autosave, project) = (Arc::clone(autosave), project.clone());
        let path = self.projects.path.clone();
        self.projects.keeping = true;
        let written = project.clone();
        in_background(
            move || autosave.write(&written, path.as_deref()),
            move |result| {
                let result = match result {
                    Some(result) => result.map_err(|error| error.to_string()),
                    None => Err("it could not be written by a fault of Mien.".to_owned()),
                };
                Up::Project(Message::Kept(Box::new(project), result))
            },
        )
    }

    /// A missing medium has been shown.
    fn located(&mut self, of: MediaOf, path: &Path) -> Task<Up> {
        if let Some((origin, mut opened)) = self.projects.waiting.take() {
            if let Err(error) = opened.relocate(of, path) {
                self.status.notice = Some(Notice::Problem(error.to_string()));
                self.projects.waiting = Some((origin, opened));
                return Task::none();
            }
            self.opening = true;
            let opened = *opened;
            return self.open_project(origin, move || Ok(opened));
        }
        if let MediaOf::Motion(id) = of {
            self.replace_clip(id, path.to_owned());
        }
        Task::none()
    }

    /// A clip was shown anew; others that are missing may be beside it.
    pub(super) fn relocated(&mut self, id: MotionId, path: &Path) {
        let Some(opened) = &mut self.projects.opened else {
            return;
        };
        let Ok(found) = opened.relocate(MediaOf::Motion(id), path) else {
            return;
        };
        for (of, path) in found {
            let MediaOf::Motion(other) = of else { continue };
            if let Some(motion) = self.history.project().motion(other).cloned() {
                self.drivers.retry(&motion.kind);
            }
            self.history
                .edit_project(|project| of.set(project, MediaSource::File(path)));
        }
    }

    /// A preset was dropped on the window.
    pub(super) fn take_preset(&mut self, path: &Path) {
        match Preset::load(path) {
            Ok(preset) => {
                let (frame, aus) = (self.slider_frame(), preset.aus);
                let change = |document: &mut Document| {
                    document.set_pose(frame, crate::studio::Pose::from(aus));
                };
                self.history.edit_project(|project| {
                    project.change(change);
                    project.choose(project.edited());
                });
                self.status.notice = Some(Notice::Hint(format!("{} is set.", preset.name)));
                self.expression.kept(preset);
            }
            Err(error) => self.status.notice = Some(Notice::Problem(error.to_string())),
        }
    }

    /// Keeps settings and recent files for the next start.
    pub(super) fn remember(&mut self) {
        let kept = self.projects.settings.save();
        let kept = kept.and_then(|()| self.projects.recent.save());
        if let Err(error) = kept {
            tracing::warn!("{error}");
        }
    }
}

/// Where a window is before it is known.
const AT_FIRST: crate::engine::WindowPlace = crate::engine::WindowPlace {
    width: 1400.0,
    height: 880.0,
    x: 0.0,
    y: 0.0,
};

/// Whether a file is a project by its name.
pub fn is_project(path: &Path) -> bool {
    has_extension(path, &[ProjectFile::EXTENSION])
}

fn toggled(now: &Option<Question>, question: Question) -> Option<Question> {
    (now.as_ref() != Some(&question)).then_some(question)
}
