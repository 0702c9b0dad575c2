//! Opening: projects, recovered copies, relocated media, and dropped presets.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use iced::Task;

use crate::app::background::{self, in_background};
use crate::app::expression::presets;
use crate::app::projects::{Found, Message, Origin, Relocated};
use crate::app::strings::expression::presets::applied;
use crate::app::strings::projects as strings;
use crate::app::{App, Message as Up, Notice, timeline};
use crate::document::{
    Document, History, MediaSource, MotionId, MotionKind, Pose, Preset, Project,
};
use crate::error::EngineError;
use crate::face::portrait::Portrait;
use crate::project::file::open::Opened;
use crate::project::file::{MediaIndex, MediaOwner};

impl App {
    pub(in crate::app) fn choose_project(&mut self) -> Task<Up> {
        self.projects.question = None;
        let folder = self.projects.settings.folders.projects.clone();
        Task::perform(background::choose_project(folder), |path| {
            Up::Project(path.map_or(Message::Close, Message::Open))
        })
    }

    /// Opens the newest copy left by a crashed run.
    pub(in crate::app) fn recover(&mut self) -> Task<Up> {
        let Some(copy) = self.projects.recovered.pop() else {
            return Task::none();
        };
        self.opening = true;
        let origin = Origin::Copy(Box::new(copy.clone()));
        self.open_project(origin, move || copy.recover())
    }

    pub(in crate::app) fn open_project(
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
                    None => Err(strings::open_bug()),
                };
                Up::Project(Message::Opened(origin, result))
            },
        )
    }

    /// Handles a project that was read, or that could not be.
    pub(in crate::app) fn opened(&mut self, origin: Origin, result: Result<Found, String>) {
        self.opening = false;
        match result.map(|found| *found) {
            Ok((opened, Some(portrait))) => {
                self.projects.waiting = None;
                self.take_project(origin, opened, portrait);
            }
            Ok((opened, None)) => self.projects.waiting = Some((origin, Box::new(opened))),
            Err(problem) => {
                self.projects.relinked = false;
                // A project that waits for its portrait is itself readable, so it stays in the list.
                if let Origin::File(path) = origin
                    && self.projects.waiting.is_none()
                {
                    self.projects.recent.forget(&path);
                }
                self.status.notice = Some(Notice::Problem(problem));
            }
        }
    }

    /// Replaces the current project with an opened one.
    pub(in crate::app) fn take_project(
        &mut self,
        origin: Origin,
        opened: Opened,
        portrait: Arc<Portrait>,
    ) {
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
                self.projects.saved = None;
                self.projects.replaced = Some(*copy);
                self.status.notice = Some(Notice::Hint(strings::RESTORED.to_owned()));
            }
        }
        if std::mem::take(&mut self.projects.relinked) {
            // The new paths of its media aren't saved yet.
            self.projects.saved = None;
        }
        if missing > 0 {
            self.status.notice = Some(Notice::Hint(strings::missing_clips(missing)));
        }
        self.projects.index = opened.index.clone();
        // A recovered copy was read from another file than the one it will be saved to.
        self.projects.stamp = opened.stamp.filter(|_| self.projects.replaced.is_none());
        self.projects.opened = Some(Box::new(opened));
        self.remember();
    }

    /// Switches to another project, with an empty undo history.
    pub(in crate::app) fn begin(&mut self, path: Option<PathBuf>, project: Project) {
        self.history = History::of(project);
        self.forget_portraits();
        self.projects.saved = Some(self.project().clone());
        self.projects.kept = None;
        self.projects.path = path;
        self.projects.opened = None;
        self.projects.stamp = None;
        self.projects.index = MediaIndex::default();
        self.panes.labels = self.project().labels();
        self.expression.reach_as(self.history.project());
        self.measuring.numbers = None;
        if let Some(autosave) = &self.projects.autosave {
            autosave.clear();
        }
        let known = self.document().face.is_some();
        self.panes.show_face(known);
    }

    /// Replaces the track with the sample animation and plays it, as at the first start.
    pub(in crate::app) fn play_sample(&mut self) {
        let built_in = Preset::built_in().unwrap_or_default();
        let mut document = self.document().clone();
        let source = Pose::from(document.source);
        document.track.set_frames(72);
        document.track.set_key(0, source);
        for (frame, name) in [(18, "Surprised"), (36, "Neutral"), (54, "Angry")] {
            if let Ok(preset) = Preset::find(&built_in, name) {
                document.track.set_key(frame, preset.pose);
            }
        }
        document.track.set_key(71, source);
        self.begin(None, Project::new(document));
        drop(self.handle(Up::Timeline(timeline::Message::PlayToggled)));
    }

    /// Handles a located media file. Identifying it may read whole files, so that runs in the background.
    pub(in crate::app) fn located(&mut self, of: MediaOwner, path: PathBuf) -> Task<Up> {
        if let Some((origin, opened)) = &self.projects.waiting {
            let (origin, mut opened) = (origin.clone(), opened.clone());
            self.opening = true;
            self.projects.relinked = true;
            return self.open_project(origin, move || {
                opened.relocate(of, &path)?;
                Ok(*opened)
            });
        }
        match of {
            MediaOwner::Motion(id) => self.replace_clip(id, path),
            MediaOwner::Portrait => Task::none(),
        }
    }

    /// Handles a located clip; other missing ones may be in the same folder.
    pub(in crate::app) fn search_sibling_clips(&mut self, id: MotionId, path: PathBuf) -> Task<Up> {
        let Some(mut opened) = self.projects.opened.clone() else {
            return Task::none();
        };
        in_background(
            move || {
                let found = opened.relocate(MediaOwner::Motion(id), &path);
                (opened, found.unwrap_or_default())
            },
            |result| Up::Project(Message::FoundNearby(result)),
        )
    }

    /// Handles missing clips that were found.
    pub(in crate::app) fn relocated_clips(&mut self, opened: Box<Opened>, found: Vec<Relocated>) {
        self.projects.opened = Some(opened);
        for (of, path) in found {
            let MediaOwner::Motion(other) = of else {
                continue;
            };
            let source = MediaSource::File(path);
            let Some(motion) = self.history.project().motion(other).cloned() else {
                continue;
            };
            let is_there = matches!(&motion.kind, MotionKind::Clip(clip) if clip.source == source);
            if !is_there {
                self.drivers.retry(&motion);
                self.history.edit_project(|project| of.set(project, source));
            }
        }
    }

    /// Applies a preset that was dropped on the window.
    pub(in crate::app) fn take_preset(&mut self, result: Result<Preset, String>) {
        match result {
            Ok(preset) => {
                let (frame, pose) = (self.slider_frame(), preset.pose);
                let change = |document: &mut Document| document.set_pose(frame, pose);
                self.history.edit_project(|project| {
                    project.change(change);
                    project.choose(project.edited());
                });
                self.status.notice = Some(Notice::Hint(applied(&preset.name)));
                self.preset_stored(Ok(presets::Change::Keep(preset)));
            }
            Err(problem) => self.status.notice = Some(Notice::Problem(problem)),
        }
    }

    /// Lets the artist choose the new path of a missing media file.
    pub(in crate::app) fn choose_media(&self, of: MediaOwner) -> Task<Up> {
        let located = move |path| Up::Project(Message::Located(of, path));
        match of {
            MediaOwner::Portrait => Task::perform(background::choose_portrait(), located),
            MediaOwner::Motion(_) => Task::perform(background::choose_clip(), located),
        }
    }
}
