//! Projects: what the window knows of their files, and what is asked before changes are lost.

mod dialogs;
mod keeper;

use std::path::PathBuf;
use std::sync::Arc;

use crate::app::background::Target;
use crate::document::Project;
use crate::face::portrait::Portrait;
use crate::project::FileStamp;
use crate::project::autosave::{Autosave, Recovered};
use crate::project::file::open::Opened;
use crate::project::file::{MediaIndex, MediaOf, Saved};
use crate::project::settings::{Recent, Settings};

use keeper::Keeper;

/// What the window knows of the project's file.
#[derive(Debug)]
pub struct Projects {
    /// Where it is saved; nothing for one that never was.
    pub path: Option<PathBuf>,
    /// As it was saved or begun; nothing for a copy after a crash, which no file of the artist's holds.
    pub saved: Option<Project>,
    /// As it was last kept against a crash.
    pub kept: Option<Project>,
    pub autosave: Option<Arc<Autosave>>,
    pub keeping: bool,
    /// Why the last copy could not be kept, where it could not.
    pub keeping_failed: Option<String>,
    pub saving: bool,
    /// Whether the project that is being opened was told where its portrait is now.
    pub relinked: bool,
    /// How it was opened, for media that are missing.
    pub opened: Option<Box<Opened>>,
    /// What is known of its media.
    pub index: MediaIndex,
    /// A project whose portrait isn't there.
    pub waiting: Option<(Origin, Box<Opened>)>,
    /// Copies that a crash left behind, the newest last.
    pub recovered: Vec<Recovered>,
    pub recent: Recent,
    pub settings: Settings,
    /// Whether settings and recent files are kept for the next start.
    pub lasting: bool,
    keeper: Keeper,
    pub question: Option<Question>,
    /// What is done when the project is saved.
    pub then: Option<After>,
    /// Whether the window closes when the exports are done.
    pub closing: bool,
    /// The project's file as this window has read or written it.
    pub stamp: Option<FileStamp>,
    /// The copy that the project was opened from; it goes when this run has one of its own.
    pub replaced: Option<Recovered>,
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
    /// The window is to be closed while exports are being written.
    Exporting,
    /// A file would be replaced about which the system's dialog hasn't asked.
    Replace(PathBuf),
    /// Another program has changed the project's file since it was opened or saved.
    ChangedOutside(PathBuf),
    /// The shortcuts of the keyboard.
    Keys,
}

impl Question {
    /// Whether it waits for an answer, and isn't a list that only lies over the window.
    pub fn waits(&self) -> bool {
        !matches!(self, Question::Menu | Question::Keys)
    }
}

/// What was to be done when changes stood in the way.
#[derive(Debug, Clone, PartialEq)]
pub enum After {
    Quit,
    New,
    Open(PathBuf),
}

/// What came of saving.
#[derive(Debug, Clone)]
pub enum SaveEnd {
    Saved(Saved, Option<FileStamp>),
    /// Nothing was written: another program has changed the file meanwhile.
    ChangedOutside,
}

/// A medium and where it is now.
pub type Relocated = (MediaOf, PathBuf);

/// A project as it was opened, and its portrait where that is there.
pub type Found = Box<(Opened, Option<Arc<Portrait>>)>;

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
    SaveTo(Option<Target>),
    Saved(PathBuf, Box<Project>, Result<SaveEnd, String>),
    /// The file that was asked about is replaced.
    Replace,
    /// The window closes when the exports are written.
    FinishThenClose,
    /// The exports are given up, and the window closes.
    StopAndClose,
    /// The changes aren't wanted.
    LoseChanges,
    /// The changes are saved first.
    KeepChanges,
    Recover,
    Discard,
    Locate(MediaOf),
    Located(MediaOf, Option<PathBuf>),
    /// Missing clips have been looked for beside one that was located; nothing where that panicked.
    FoundBeside(Option<(Box<Opened>, Vec<Relocated>)>),
    /// A project without its portrait is let go.
    GiveUp,
    /// Whether another run of Mien has the project open.
    OpenElsewhere(bool),
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
            keeping_failed: None,
            saving: false,
            relinked: false,
            opened: None,
            index: MediaIndex::default(),
            waiting: None,
            recovered: Vec::new(),
            recent: Recent::default(),
            settings: Settings::default(),
            lasting: false,
            keeper: Keeper::default(),
            question: None,
            then: None,
            closing: false,
            stamp: None,
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
    pub fn discard_replaced(&mut self) {
        if let Some(copy) = self.replaced.take() {
            copy.discard();
        }
    }

    /// Keeps settings and recent files for the next start.
    pub fn keep_settings(&mut self) {
        if self.lasting {
            self.keeper.keep(&self.settings, &self.recent);
        }
    }

    /// The program ends as it should.
    pub fn end(&mut self) {
        self.keep_settings();
        self.keeper.end();
        if let Some(autosave) = self.autosave.take() {
            autosave.end();
        }
    }
}
