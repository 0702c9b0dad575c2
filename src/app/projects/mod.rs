//! The window's state about the project file, and the questions asked before changes are lost.

mod dialogs;
mod keeper;

use std::path::PathBuf;
use std::sync::Arc;

use crate::app::background::Target;
use crate::app::strings::projects as strings;
use crate::document::Project;
use crate::face::portrait::Portrait;
use crate::project::FileStamp;
use crate::project::autosave::{Autosave, Recovered};
use crate::project::file::open::Opened;
use crate::project::file::{MediaIndex, MediaOwner, Saved};
use crate::project::settings::{Recent, Settings};

use keeper::SettingsWriter;

/// The window's state about the project file.
#[derive(Debug)]
pub struct Projects {
    /// Where it is saved; `None` if it never was.
    pub path: Option<PathBuf>,
    /// The project as last saved or created; `None` for a recovered copy, which no file of the artist's holds.
    pub saved: Option<Project>,
    /// The project as last autosaved.
    pub kept: Option<Project>,
    pub autosave: Option<Arc<Autosave>>,
    pub autosaving: bool,
    /// Why the last autosave failed, if it did.
    pub autosave_problem: Option<String>,
    pub saving: bool,
    /// Whether the project being opened has its portrait at a new path.
    pub relinked: bool,
    /// How it was opened; holds the media that are missing.
    pub opened: Option<Box<Opened>>,
    /// What is known about its media files.
    pub index: MediaIndex,
    /// A project whose portrait is missing.
    pub waiting: Option<(Origin, Box<Opened>)>,
    /// Copies left by crashed runs, oldest first.
    pub recovered: Vec<Recovered>,
    pub recent: Recent,
    pub settings: Settings,
    /// Whether settings and recent files are written to the disk for the next start.
    pub saves_settings: bool,
    keeper: SettingsWriter,
    pub question: Option<Question>,
    /// What to do once the project is saved.
    pub then: Option<PendingAction>,
    /// Whether to close the window once the exports are done.
    pub closing: bool,
    /// The stamp of the project file when this window last read or wrote it.
    pub stamp: Option<FileStamp>,
    /// The recovered copy the project was opened from; discarded once this run has saved or autosaved.
    pub replaced: Option<Recovered>,
}

/// Where an opened project came from.
#[derive(Debug, Clone)]
pub enum Origin {
    File(PathBuf),
    /// A copy left by a crashed run.
    Copy(Box<Recovered>),
}

/// A question the artist must answer first, or a list over the window.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// The project menu.
    Menu,
    /// There are unsaved changes.
    Unsaved(PendingAction),
    /// The window is to close while exports are running.
    Exporting,
    /// The file exists, and the system's dialog has not asked about replacing it.
    Replace(PathBuf),
    /// Another program has changed the project's file since it was opened or saved.
    ChangedOutside(PathBuf),
    /// The list of keyboard shortcuts.
    Keys,
}

impl Question {
    /// Whether it needs an answer, unlike a list that merely covers the window.
    pub fn waits(&self) -> bool {
        !matches!(self, Question::Menu | Question::Keys)
    }
}

/// What to continue with once unsaved changes are dealt with.
#[derive(Debug, Clone, PartialEq)]
pub enum PendingAction {
    Quit,
    New,
    Open(PathBuf),
}

/// The result of saving.
#[derive(Debug, Clone)]
pub enum SaveOutcome {
    Saved(Saved, Option<FileStamp>),
    /// Nothing was written: another program has changed the file.
    ChangedOutside,
}

/// A media file's owner and its new path.
pub type Relocated = (MediaOwner, PathBuf);

/// An opened project, and its portrait if that was found.
pub type Found = Box<(Opened, Option<Arc<Portrait>>)>;

#[derive(Debug, Clone)]
pub enum Message {
    Menu,
    Keys,
    Close,
    New,
    OpenDialog,
    Open(PathBuf),
    /// Open a recent portrait.
    OpenPortrait(PathBuf),
    Opened(Origin, Result<Found, String>),
    Save,
    SaveAs,
    SaveTo(Option<Target>),
    Saved(PathBuf, Box<Project>, Result<SaveOutcome, String>),
    /// Replace the file in question.
    Replace,
    /// Close the window once the exports are written.
    FinishThenClose,
    /// Cancel the exports and close the window.
    StopAndClose,
    /// Discard the changes.
    LoseChanges,
    /// Save the changes first.
    KeepChanges,
    Recover,
    Discard,
    Locate(MediaOwner),
    Located(MediaOwner, Option<PathBuf>),
    /// Missing clips were searched for in the folder of one that was located; `None` if the search panicked.
    FoundNearby(Option<(Box<Opened>, Vec<Relocated>)>),
    /// Stop opening a project whose portrait is missing.
    GiveUp,
    /// Whether another run of Mien has the project open.
    OpenElsewhere(bool),
    /// Time to autosave.
    Keep,
    Autosaved(Box<Project>, Result<(), String>),
    Light(bool),
    Labels(bool),
    /// Whether to embed pictures and clips in the file.
    HoldsMedia(bool),
    /// The window manager asks to close the window.
    CloseRequested,
    Sized(f32, f32),
    Placed(f32, f32),
}

impl Projects {
    /// Creates the state of a window that starts with this project: nothing saved, nothing remembered.
    pub fn new(project: &Project) -> Self {
        Self {
            path: None,
            saved: Some(project.clone()),
            kept: None,
            autosave: None,
            autosaving: false,
            autosave_problem: None,
            saving: false,
            relinked: false,
            opened: None,
            index: MediaIndex::default(),
            waiting: None,
            recovered: Vec::new(),
            recent: Recent::default(),
            settings: Settings::default(),
            saves_settings: false,
            keeper: SettingsWriter::default(),
            question: None,
            then: None,
            closing: false,
            stamp: None,
            replaced: None,
        }
    }

    /// Takes over what earlier runs left: these settings, the recent files and the recovered copies. Returns a sentence if
    /// something could not be read.
    pub fn remember(&mut self, settings: Settings) -> Option<String> {
        let (recent, remark) = Recent::load();
        self.settings = settings;
        self.saves_settings = true;
        self.recent = recent;
        self.recovered = Autosave::left_behind();
        self.recovered.reverse();
        let (autosave, other) = match Autosave::begin() {
            Ok(autosave) => (Some(Arc::new(autosave)), None),
            Err(error) => (None, Some(strings::autosave_failed(&error.to_string()))),
        };
        self.autosave = autosave;
        remark.or(other)
    }

    /// Whether the project has changed since it was saved or created.
    pub fn is_changed(&self, project: &Project) -> bool {
        self.saved.as_ref() != Some(project)
    }

    /// Whether autosave is on.
    pub fn is_autosave_enabled(&self) -> bool {
        self.autosave.is_some()
    }

    /// Discards the recovered copy, which is stored elsewhere by now.
    pub fn discard_replaced(&mut self) {
        if let Some(copy) = self.replaced.take() {
            copy.discard();
        }
    }

    /// Writes settings and recent files to the disk for the next start.
    pub fn keep_settings(&mut self) {
        if self.saves_settings {
            self.keeper.queue(&self.settings, &self.recent);
        }
    }

    /// Ends normally: writes settings and removes this run's autosave.
    pub fn end(&mut self) {
        self.keep_settings();
        self.keeper.end();
        if let Some(autosave) = self.autosave.take() {
            autosave.end();
        }
    }
}
