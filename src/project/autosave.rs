//! Autosave: a copy of the project in the data folder while it is being edited, and the copies that a crash left behind.
//!
//! Every run of the program holds a lock on a file of its own. The system lets go of it when the process ends, however
//! that comes about; a copy whose lock is free is one that nobody cares for any more.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::document::Project;
use crate::error::EngineError;
use crate::folders::data_folder;
use crate::media::atomic_file::AtomicFile;
use crate::media::error::MediaError;
use crate::ordinary_file;
use crate::project::file::open::Opened;
use crate::project::file::{Embed, MediaIndex, ProjectError, ProjectFile};

/// The autosave of this run. One for a window; it may be used from any thread.
#[derive(Debug)]
pub struct Autosave {
    files: Files,
    /// Held open for its lock.
    _lock: File,
    /// One writer at a time.
    written: Mutex<Written>,
}

/// What this run has written.
#[derive(Debug, Default)]
struct Written {
    /// The last copy, so that nothing is written twice.
    last: Option<(Project, Option<PathBuf>)>,
    /// Whether the run is over: nothing is written any more.
    ended: bool,
}

/// The files of one run: the copy of the project, what is to be known of it, which file of the artist's is open, and the
/// lock.
#[derive(Debug, Clone)]
struct Files {
    project: PathBuf,
    about: PathBuf,
    open: PathBuf,
    lock: PathBuf,
}

/// What the name of the file ends in that says which project is open.
const OPEN: &str = "open";

impl Files {
    fn new(folder: &Path, id: &str) -> Self {
        let of = |extension: &str| folder.join(format!("{id}.{extension}"));
        Self {
            project: of(ProjectFile::EXTENSION),
            about: of("json"),
            open: of(OPEN),
            lock: of("lock"),
        }
    }

    fn remove(&self) {
        self.remove_copy();
        let _ = fs::remove_file(&self.open);
        let _ = fs::remove_file(&self.lock);
    }

    /// The project first: without it the rest means nothing.
    fn remove_copy(&self) {
        let _ = fs::remove_file(&self.project);
        let _ = fs::remove_file(&self.about);
    }
}

/// The most that is read of what stands beside an autosave, in bytes.
const MAX_ABOUT: u64 = 1 << 20;

/// What stands beside an autosave.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct About {
    /// The artist's own file; nothing for a project that was never saved.
    project: Option<PathBuf>,
    /// Seconds since 1970.
    saved: u64,
    process: u32,
}

impl Autosave {
    /// An autosave in the data folder.
    ///
    /// # Errors
    /// [`ProjectError::NowhereToAutosave`] on a system without a home folder, [`EngineError::Media`] where the folder can't be
    /// written to.
    pub fn begin() -> Result<Self, EngineError> {
        let folder = folder().ok_or(ProjectError::NowhereToAutosave)?;
        Self::in_folder(&folder)
    }

    /// An autosave in a folder, which is made when it isn't there.
    ///
    /// # Errors
    /// [`EngineError::Media`].
    pub fn in_folder(folder: &Path) -> Result<Self, EngineError> {
        fs::create_dir_all(folder).map_err(|e| MediaError::writing(folder, e))?;
        let process = std::process::id();
        let now = since_1970(SystemTime::now());
        let mut number = 0u32;
        loop {
            let id = format!("{}-{process}-{number}", now.as_secs());
            let files = Files::new(folder, &id);
            let mut options = OpenOptions::new();
            let made = options.write(true).create_new(true).open(&files.lock);
            let lock = match made {
                Ok(lock) => lock,
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && number < 1000 => {
                    number += 1;
                    continue;
                }
                Err(e) => return Err(MediaError::writing(&files.lock, e).into()),
            };
            // Another run that clears up may have come between.
            let is_taken = matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
            if number < 1000 && (is_taken || !files.lock.exists()) {
                number += 1;
                continue;
            }
            return Ok(Self {
                files,
                _lock: lock,
                written: Mutex::default(),
            });
        }
    }

    /// Writes a copy of the project; `own` is the artist's own file, where there is one, and `index` what is known of its
    /// media. Does nothing when the last copy says the same. Media may be read to know their content, so this belongs on a thread of its own.
    ///
    /// # Errors
    /// [`EngineError::Media`] where it can't be written; the copy before it stays.
    pub fn write(
        &self,
        project: &Project,
        own: Option<&Path>,
        index: &MediaIndex,
    ) -> Result<(), EngineError> {
        let mut written = self.written();
        if written.ended {
            return Ok(());
        }
        if let Some((known, path)) = &written.last
            && path.as_deref() == own
            && known == project
        {
            return Ok(());
        }
        let about = About {
            project: own.map(Path::to_owned),
            saved: since_1970(SystemTime::now()).as_secs(),
            process: std::process::id(),
        };
        ProjectFile::save(project, &self.files.project, Embed::Nothing, index)?;
        AtomicFile::write(&self.files.about, |to| {
            // A path that isn't Unicode can't be told; the copy is of use without it.
            match serde_json::to_string_pretty(&about) {
                Ok(text) => to.write_all(text.as_bytes()),
                Err(_) => to.write_all(b"{}"),
            }
        })?;
        written.last = Some((project.clone(), own.map(Path::to_owned)));
        Ok(())
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the copy away: the artist has saved, or has begun anew.
    pub fn clear(&self) {
        let mut written = self.written();
        written.last = None;
        self.files.remove_copy();
    }

    /// Tells other runs which project this one has open; nothing for one that was never saved. Returns whether another run
    /// has the same open.
    ///
    /// # Errors
    /// [`EngineError::Media`] where it can't be written.
    pub fn work_on(&self, project: Option<&Path>) -> Result<bool, EngineError> {
        let written = self.written();
        let Some(project) = project.filter(|_| !written.ended) else {
            let _ = fs::remove_file(&self.files.open);
            return Ok(false);
        };
        let project = fs::canonicalize(project).unwrap_or_else(|_| project.to_owned());
        let name = project.as_os_str().as_encoded_bytes();
        AtomicFile::write(&self.files.open, |to| to.write_all(name))?;
        let folder = self.files.open.parent().unwrap_or(Path::new(""));
        let others = fs::read_dir(folder).into_iter().flatten().flatten();
        let has_open = |path: &Path| {
            let id = path.file_stem().and_then(|id| id.to_str());
            path.extension().is_some_and(|extension| extension == OPEN)
                && fs::read(path).is_ok_and(|other| other == name)
                && id.is_some_and(|id| free(&Files::new(folder, id)).is_none())
        };
        let mut others = others.map(|entry| entry.path());
        Ok(others.any(|path| path != self.files.open && has_open(&path)))
    }

    /// The program ends as it should; nothing stays behind, and nothing is written any more. Without this the copy stays for
    /// the next start.
    pub fn end(&self) {
        let mut written = self.written();
        written.ended = true;
        self.files.remove();
    }

    /// The copies that other runs left when they ended badly, the newest first.
    pub fn left_behind() -> Vec<Recovered> {
        folder().map_or_else(Vec::new, |folder| Self::left_behind_in(&folder))
    }

    /// The same in another folder; none in one that isn't there. What dead runs left without a project is cleared away.
    pub fn left_behind_in(folder: &Path) -> Vec<Recovered> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            let (Some(id), Some(extension)) =
                (path.file_stem().and_then(|id| id.to_str()), extension)
            else {
                continue;
            };
            let files = Files::new(folder, id);
            let has_project = files.project.is_file();
            match extension {
                ProjectFile::EXTENSION => {}
                "lock" if !has_project => {
                    if let Some(_lock) = free(&files) {
                        files.remove();
                    }
                    continue;
                }
                _ => continue,
            }
            if let Some(lock) = free(&files) {
                found.push(Recovered::new(files, lock));
            }
        }
        found.sort_by_key(|recovered| std::cmp::Reverse(recovered.when));
        found
    }
}

/// A copy that a crash left behind. While it is held, no other run lists it.
#[derive(Debug, Clone)]
pub struct Recovered {
    /// The artist's own file; nothing for a project that was never saved.
    pub project_path: Option<PathBuf>,
    pub when: SystemTime,
    /// The copy.
    pub file: PathBuf,
    files: Files,
    _lock: Arc<Option<File>>,
}

impl Recovered {
    fn new(files: Files, lock: Option<File>) -> Self {
        let text = ordinary_file::read_text(&files.about, MAX_ABOUT).unwrap_or_default();
        let about: About = serde_json::from_str(&text).unwrap_or_default();
        let told = UNIX_EPOCH.checked_add(Duration::from_secs(about.saved));
        let when = told.filter(|_| about.saved > 0).unwrap_or_else(|| {
            let about = fs::metadata(&files.project);
            about
                .and_then(|about| about.modified())
                .unwrap_or(UNIX_EPOCH)
        });
        Self {
            project_path: about.project,
            when,
            file: files.project.clone(),
            files,
            _lock: Arc::new(lock),
        }
    }

    /// Opens the copy. It stays until [`Recovered::discard`], which is for when its project is safe elsewhere: saved, or
    /// in this run's own autosave.
    ///
    /// # Errors
    /// As [`ProjectFile::open`].
    pub fn recover(&self) -> Result<Opened, EngineError> {
        ProjectFile::open_copy(&self.file, self.project_path.as_deref())
    }

    /// Takes the copy away for good.
    pub fn discard(self) {
        self.files.remove();
    }
}

/// The lock of a run that has ended: held where there is one, `Some(None)` where there is none to hold. `None` for a
/// run that goes on.
fn free(files: &Files) -> Option<Option<File>> {
    let Ok(lock) = File::open(&files.lock) else {
        return Some(None);
    };
    match lock.try_lock() {
        Ok(()) => Some(Some(lock)),
        Err(TryLockError::WouldBlock) => None,
        // A disk without locks: as far as this system tells of its processes, those are asked.
        Err(TryLockError::Error(_)) => {
            let text = ordinary_file::read_text(&files.about, MAX_ABOUT).unwrap_or_default();
            let about: About = serde_json::from_str(&text).unwrap_or_default();
            let processes = Path::new("/proc");
            let runs = processes.join(about.process.to_string()).exists();
            let is_ours = about.process == std::process::id();
            (processes.join("self").exists() && !runs && !is_ours).then_some(Some(lock))
        }
    }
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn folder() -> Option<PathBuf> {
    data_folder().map(|folder| folder.join("autosave"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{AuVector, Crop, Document, MediaSource, PortraitRef};

    fn project(name: &str) -> Project {
        let portrait = PortraitRef {
            id: 0,
            name: name.to_owned(),
            source: MediaSource::Bundled("astronaut.png".to_owned()),
            width: 512,
            height: 512,
        };
        let crop = Crop {
            x: 8.0,
            y: 9.0,
            side: 200.0,
            angle: 0.0,
        };
        Project::new(Document::new(portrait, crop, AuVector::NEUTRAL))
    }

    fn count(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn only_the_dead_leave_something_behind() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert!(Autosave::left_behind_in(&folder.join("none")).is_empty());
        let alive = Autosave::in_folder(folder).unwrap();
        alive
            .write(&project("alive"), None, &MediaIndex::default())
            .unwrap();
        let dead = Autosave::in_folder(folder).unwrap();
        let own = Path::new("/somewhere/smile.mien");
        dead.write(&project("dead"), Some(own), &MediaIndex::default())
            .unwrap();
        assert!(Autosave::left_behind_in(folder).is_empty());
        // Dropped without an end, as by a crash.
        drop(dead);

        let left = Autosave::left_behind_in(folder);
        let [one] = &left[..] else {
            panic!("{left:?}");
        };
        assert_eq!(one.project_path.as_deref(), Some(own));
        assert_eq!(one.recover().unwrap().project, project("dead"));
        // Somebody has it in hand.
        assert!(Autosave::left_behind_in(folder).is_empty());
        drop(left);
        let left = Autosave::left_behind_in(folder);
        assert_eq!(left.len(), 1);
        left.into_iter().for_each(Recovered::discard);
        assert_eq!(count(folder), 3);
        alive.end();
        assert_eq!(count(folder), 0);
    }

    #[test]
    fn a_second_run_on_the_same_project_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("smile.mien");
        fs::write(&path, "a project").unwrap();
        let runs = folder.path().join("runs");
        let first = Autosave::in_folder(&runs).unwrap();
        let second = Autosave::in_folder(&runs).unwrap();
        assert!(!first.work_on(Some(&path)).unwrap());
        assert!(!first.work_on(Some(&path)).unwrap(), "it is its own");
        assert!(second.work_on(Some(&path)).unwrap());
        assert!(!second.work_on(None).unwrap());
        assert!(!first.work_on(Some(&path)).unwrap());
        second.work_on(Some(&path)).unwrap();
        // Killed: its lock is free, and what it left is cleared away.
        drop(second);
        assert!(!first.work_on(Some(&path)).unwrap());
        assert!(Autosave::left_behind_in(&runs).is_empty());
        assert_eq!(count(&runs), 2);
        first.end();
        assert_eq!(count(&runs), 0);
    }

    #[test]
    fn after_saving_there_is_nothing_to_recover() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let autosave = Autosave::in_folder(folder).unwrap();
        autosave
            .write(&project("a"), None, &MediaIndex::default())
            .unwrap();
        autosave.clear();
        autosave
            .write(&project("a"), None, &MediaIndex::default())
            .unwrap();
        autosave.clear();
        drop(autosave);
        assert_eq!(count(folder), 1, "the lock");
        assert!(Autosave::left_behind_in(folder).is_empty());
        assert_eq!(count(folder), 0);
    }

    #[test]
    fn a_copy_without_its_papers_is_found_too() {
        let folder = tempfile::tempdir().unwrap();
        let autosave = Autosave::in_folder(folder.path()).unwrap();
        autosave
            .write(&project("a"), None, &MediaIndex::default())
            .unwrap();
        fs::write(&autosave.files.about, "{\"project\": 7").unwrap();
        drop(autosave);
        let left = Autosave::left_behind_in(folder.path());
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].project_path, None);
        assert!(left[0].when > UNIX_EPOCH);
        assert_eq!(left[0].recover().unwrap().project, project("a"));
    }
}
