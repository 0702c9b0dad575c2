//! Autosave: a copy of the project in the data folder while it is being edited, and recovery of the copies left by a crash.
//!
//! Every process holds a lock on a file of its own. The operating system releases the lock when the process ends for
//! any reason, so a copy whose lock is free was left behind.

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
use crate::project::file::open::Opened;
use crate::project::file::{Embed, MediaIndex, ProjectError, ProjectFile};
use crate::regular_file;

/// The autosave of this process. One per window; it may be used from any thread.
#[derive(Debug)]
pub struct Autosave {
    files: Files,
    /// Held open for its lock.
    _lock: File,
    /// Held while writing, so that only one thread writes at a time.
    written: Mutex<Written>,
}

/// What this process has written.
#[derive(Debug, Default)]
struct Written {
    /// The last copy, so that an unchanged project isn't written again.
    last: Option<(Project, Option<PathBuf>)>,
    /// Whether the process is ending: nothing is written any more.
    ended: bool,
}

/// The files of one process: the copy of the project, its metadata, the path of the artist's open file, and the lock.
#[derive(Debug, Clone)]
struct Files {
    project: PathBuf,
    about: PathBuf,
    open: PathBuf,
    lock: PathBuf,
}

/// Extension of the file that names the open project.
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

    /// The project first, because the metadata is useless without it.
    fn remove_copy(&self) {
        let _ = fs::remove_file(&self.project);
        let _ = fs::remove_file(&self.about);
    }
}

/// The largest metadata file that is read, in bytes.
const MAX_ABOUT: u64 = 1 << 20;

/// Metadata of an autosave.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct AutosaveInfo {
    /// The artist's own file; `None` for a project that was never saved.
    project: Option<PathBuf>,
    /// Seconds since 1970.
    saved: u64,
    process: u32,
}

impl Autosave {
    /// Starts an autosave in the data folder.
    ///
    /// # Errors
    /// [`ProjectError::NowhereToAutosave`] on a system without a home folder, [`EngineError::Media`] if the folder
    /// can't be written to.
    pub fn begin() -> Result<Self, EngineError> {
        let folder = folder().ok_or(ProjectError::NowhereToAutosave)?;
        Self::in_folder(&folder)
    }

    /// Starts an autosave in a folder, which is created if missing.
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
            // Another process may have removed the file between the two calls.
            let is_taken = matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
            if is_taken || !files.lock.exists() {
                if number >= 1000 {
                    let busy = std::io::Error::from(std::io::ErrorKind::ResourceBusy);
                    return Err(MediaError::writing(&files.lock, busy).into());
                }
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

    /// Writes a copy of the project. `project_path` is the artist's own file, if there is one, and `index` holds the known
    /// digests of its media. Does nothing if the last copy is equal. This may read media to compute digests, so call it
    /// on a background thread.
    ///
    /// # Errors
    /// [`EngineError::Media`] if it can't be written; the previous copy stays.
    pub fn write(
        &self,
        project: &Project,
        project_path: Option<&Path>,
        index: &MediaIndex,
    ) -> Result<(), EngineError> {
        let mut written = self.written();
        if written.ended {
            return Ok(());
        }
        if let Some((known, path)) = &written.last
            && path.as_deref() == project_path
            && known == project
        {
            return Ok(());
        }
        let about = AutosaveInfo {
            project: project_path.map(Path::to_owned),
            saved: since_1970(SystemTime::now()).as_secs(),
            process: std::process::id(),
        };
        ProjectFile::save(project, &self.files.project, Embed::Nothing, index)?;
        AtomicFile::write(&self.files.about, |to| {
            // A path that isn't Unicode can't be stored; the copy is useful without it.
            match serde_json::to_string_pretty(&about) {
                Ok(text) => to.write_all(text.as_bytes()),
                Err(_) => to.write_all(b"{}"),
            }
        })?;
        written.last = Some((project.clone(), project_path.map(Path::to_owned)));
        Ok(())
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deletes the copy, because the artist has saved or started another project.
    pub fn clear(&self) {
        let mut written = self.written();
        written.last = None;
        self.files.remove_copy();
    }

    /// Records for other processes which project this one has open; `None` for one that was never saved. Returns
    /// whether another process has the same project open.
    ///
    /// # Errors
    /// [`EngineError::Media`] if the record can't be written.
    pub fn announce_open(&self, project: Option<&Path>) -> Result<bool, EngineError> {
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
                && id.is_some_and(|id| lock_if_ended(&Files::new(folder, id)).is_none())
        };
        let mut others = others.map(|entry| entry.path());
        Ok(others.any(|path| path != self.files.open && has_open(&path)))
    }

    /// Ends the autosave on a regular exit: deletes its files and ignores further writes. Without this call the copy is
    /// kept for the next start.
    pub fn end(&self) {
        let mut written = self.written();
        written.ended = true;
        self.files.remove();
    }

    /// The copies left by other processes that crashed, newest first.
    pub fn left_behind() -> Vec<Recovered> {
        folder().map_or_else(Vec::new, |folder| Self::left_behind_in(&folder))
    }

    /// Like [`Autosave::left_behind`], in another folder; empty if it doesn't exist. Deletes locks of ended processes
    /// that left no project.
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
                    if let Some(_lock) = lock_if_ended(&files) {
                        files.remove();
                    }
                    continue;
                }
                _ => continue,
            }
            if let Some(lock) = lock_if_ended(&files) {
                found.push(Recovered::new(files, lock));
            }
        }
        found.sort_by_key(|recovered| std::cmp::Reverse(recovered.when));
        found
    }
}

/// A copy left by a crash. While this value exists, no other process lists the copy.
#[derive(Debug, Clone)]
pub struct Recovered {
    /// The artist's own file; `None` for a project that was never saved.
    pub project_path: Option<PathBuf>,
    /// When the copy was written.
    pub when: SystemTime,
    /// The copy.
    pub file: PathBuf,
    files: Files,
    _lock: Arc<Option<File>>,
}

impl Recovered {
    fn new(files: Files, lock: Option<File>) -> Self {
        let text = regular_file::read_text(&files.about, MAX_ABOUT).unwrap_or_default();
        let about: AutosaveInfo = serde_json::from_str(&text).unwrap_or_default();
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

    /// Opens the copy. The file stays until [`Recovered::discard`], to be called when the project is saved elsewhere or
    /// in this process's autosave.
    ///
    /// # Errors
    /// Those of [`ProjectFile::open`].
    pub fn recover(&self) -> Result<Opened, EngineError> {
        ProjectFile::open_copy(&self.file, self.project_path.as_deref())
    }

    /// Deletes the copy.
    pub fn discard(self) {
        self.files.remove();
    }
}

/// The lock of a process that has ended: `Some(Some(_))` holds it, `Some(None)` means that there is no lock file.
/// `None` for a process that is still running.
fn lock_if_ended(files: &Files) -> Option<Option<File>> {
    let Ok(lock) = File::open(&files.lock) else {
        return Some(None);
    };
    match lock.try_lock() {
        Ok(()) => Some(Some(lock)),
        Err(TryLockError::WouldBlock) => None,
        // A file system without locks: look the process up in /proc, where the system has it.
        Err(TryLockError::Error(_)) => {
            let text = regular_file::read_text(&files.about, MAX_ABOUT).unwrap_or_default();
            let about: AutosaveInfo = serde_json::from_str(&text).unwrap_or_default();
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
    fn only_autosaves_of_ended_processes_are_offered_for_recovery() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert!(Autosave::left_behind_in(&folder.join("none")).is_empty());
        let alive = Autosave::in_folder(folder).unwrap();
        alive
            .write(&project("alive"), None, &MediaIndex::default())
            .unwrap();
        let dead = Autosave::in_folder(folder).unwrap();
        let project_path = Path::new("/somewhere/smile.mien");
        dead.write(&project("dead"), Some(project_path), &MediaIndex::default())
            .unwrap();
        assert!(Autosave::left_behind_in(folder).is_empty());
        // Dropped without `end`, as by a crash.
        drop(dead);

        let left = Autosave::left_behind_in(folder);
        let [one] = &left[..] else {
            panic!("{left:?}");
        };
        assert_eq!(one.project_path.as_deref(), Some(project_path));
        assert_eq!(one.recover().unwrap().project, project("dead"));
        // While it is held, no other process lists it.
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
    fn a_second_run_on_the_same_project_is_detected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("smile.mien");
        fs::write(&path, "a project").unwrap();
        let runs = folder.path().join("runs");
        let first = Autosave::in_folder(&runs).unwrap();
        let second = Autosave::in_folder(&runs).unwrap();
        assert!(!first.announce_open(Some(&path)).unwrap());
        assert!(!first.announce_open(Some(&path)).unwrap(), "only open here");
        assert!(second.announce_open(Some(&path)).unwrap());
        assert!(!second.announce_open(None).unwrap());
        assert!(!first.announce_open(Some(&path)).unwrap());
        second.announce_open(Some(&path)).unwrap();
        // Killed: its lock is free, and its files are deleted.
        drop(second);
        assert!(!first.announce_open(Some(&path)).unwrap());
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
    fn an_autosave_without_its_metadata_is_found_too() {
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
