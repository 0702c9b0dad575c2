//! Settings and recent files, stored between sessions.
//!
//! Errors in them never stop the program: an unreadable file is renamed, and defaults are used.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::folders::{data_folder, file_name};
use crate::media::atomic_file::AtomicFile;
use crate::media::error::MediaError;
use crate::regular_file;
use crate::text;

/// The largest file that is read, in bytes; each takes a few thousand.
const MAX_BYTES: u64 = 1 << 20;

/// A window's size and position on the screen, in logical pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WindowPlace {
    /// The width.
    pub width: f32,
    /// The height.
    pub height: f32,
    /// The left edge.
    pub x: f32,
    /// The top edge.
    pub y: f32,
}

/// The last folder chosen for each kind of file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Folders {
    /// For portraits.
    pub portraits: Option<PathBuf>,
    /// For clips.
    pub clips: Option<PathBuf>,
    /// For projects.
    pub projects: Option<PathBuf>,
    /// For exports.
    pub exports: Option<PathBuf>,
}

/// Settings that apply to all projects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Whether the window is light rather than dark.
    pub light: bool,
    /// The window's last position; `None` until it was first closed.
    pub window: Option<WindowPlace>,
    /// Whether the panes' names are shown in a new project.
    pub labels: bool,
    /// The timeline's height in logical pixels, if it was changed.
    pub timeline_height: Option<f32>,
    /// The weights chosen for each method, by the names of method and weights.
    pub weights: BTreeMap<String, String>,
    /// The folders that dialogs start in.
    pub folders: Folders,
    /// Whether the first-start dialog is done.
    pub first_start_done: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            light: false,
            window: None,
            labels: true,
            timeline_height: None,
            weights: BTreeMap::new(),
            folders: Folders::default(),
            first_start_done: false,
        }
    }
}

impl Settings {
    /// Loads the settings. Also returns a message if they couldn't be read and defaults are used.
    pub fn load() -> (Self, Option<String>) {
        file("settings.json").map_or_else(Default::default, |path| Self::load_from(&path))
    }

    /// Like [`Settings::load`], from another file.
    pub fn load_from(path: &Path) -> (Self, Option<String>) {
        let (mut settings, remark): (Self, _) = load(path);
        // A window far from any screen couldn't be found again.
        settings.window = settings.window.filter(|place| {
            let sizes = [place.width, place.height];
            // A window takes at least four bytes per pixel, so its size is limited too.
            sizes.iter().all(|size| (100.0..=8192.0).contains(size))
                && [place.x, place.y].iter().all(|at| at.abs() <= 65_536.0)
        });
        (settings, remark)
    }

    /// Saves the settings. Does nothing on a system without a home folder.
    ///
    /// # Errors
    /// [`EngineError::Media`] if the file can't be written.
    pub fn save(&self) -> Result<(), EngineError> {
        file("settings.json").map_or(Ok(()), |path| self.save_to(&path))
    }

    /// Like [`Settings::save`], to another file.
    ///
    /// # Errors
    /// [`EngineError::Media`].
    pub fn save_to(&self, path: &Path) -> Result<(), EngineError> {
        save(path, self)
    }
}

/// The recently opened projects and portraits, latest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Recent {
    projects: Vec<PathBuf>,
    portraits: Vec<PathBuf>,
}

/// A recent file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentFile {
    /// The file.
    pub path: PathBuf,
    /// Whether it is missing now; it is kept, because it may be on a removable disk.
    pub missing: bool,
}

impl Recent {
    /// The maximum length of each list.
    pub const MAX: usize = 12;

    /// Loads the lists. Also returns a message if they couldn't be read.
    pub fn load() -> (Self, Option<String>) {
        file("recent.json").map_or_else(Default::default, |path| Self::load_from(&path))
    }

    /// Like [`Recent::load`], from another file.
    pub fn load_from(path: &Path) -> (Self, Option<String>) {
        let (mut recent, remark): (Self, _) = load(path);
        recent.projects.truncate(Self::MAX);
        recent.portraits.truncate(Self::MAX);
        (recent, remark)
    }

    /// Saves the lists, as [`Settings::save`] does.
    ///
    /// # Errors
    /// [`EngineError::Media`].
    pub fn save(&self) -> Result<(), EngineError> {
        file("recent.json").map_or(Ok(()), |path| self.save_to(&path))
    }

    /// Like [`Recent::save`], to another file.
    ///
    /// # Errors
    /// [`EngineError::Media`].
    pub fn save_to(&self, path: &Path) -> Result<(), EngineError> {
        save(path, self)
    }

    /// Adds a project that was opened or saved.
    pub fn add_project(&mut self, path: &Path) {
        add(&mut self.projects, path);
    }

    /// Adds a portrait that was opened.
    pub fn add_portrait(&mut self, path: &Path) {
        add(&mut self.portraits, path);
    }

    /// Removes a file from both lists.
    pub fn forget(&mut self, path: &Path) {
        self.projects.retain(|known| known != path);
        self.portraits.retain(|known| known != path);
    }

    /// The projects, and whether each exists now.
    pub fn projects(&self) -> Vec<RecentFile> {
        files(&self.projects)
    }

    /// The portraits, and whether each exists now.
    pub fn portraits(&self) -> Vec<RecentFile> {
        files(&self.portraits)
    }
}

fn files(paths: &[PathBuf]) -> Vec<RecentFile> {
    let all = paths.iter().map(|path| RecentFile {
        path: path.clone(),
        missing: !path.exists(),
    });
    all.collect()
}

fn add(list: &mut Vec<PathBuf>, path: &Path) {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // A path that isn't Unicode can't be stored in JSON.
    if path.to_str().is_none() {
        return;
    }
    list.retain(|known| *known != path);
    list.insert(0, path);
    list.truncate(Recent::MAX);
}

fn file(name: &str) -> Option<PathBuf> {
    data_folder().map(|folder| folder.join(name))
}

fn load<T: DeserializeOwned + Default>(path: &Path) -> (T, Option<String>) {
    let read = match regular_file::read(path, MAX_BYTES) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| text::fault(&error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Default::default(),
        Err(error) => Err(error.to_string()),
    };
    match read {
        Ok(value) => (value, None),
        Err(reason) => {
            let what = match set_aside(path) {
                Some(aside) => format!("it was renamed to {}", file_name(&aside)),
                None => "it was left where it is".to_owned(),
            };
            let name = file_name(path);
            let remark = format!(
                "{name} could not be read ({reason}); {what}, and Mien starts with a new one."
            );
            (T::default(), Some(remark))
        }
    }
}

/// Renames the file to a free name.
fn set_aside(path: &Path) -> Option<PathBuf> {
    let stem = path.file_stem()?.to_string_lossy();
    let aside = (1..=99)
        .map(|number| path.with_file_name(format!("{stem}.damaged-{number}.json")))
        .find(|aside| !aside.exists())?;
    fs::rename(path, &aside).ok()?;
    Some(aside)
}

fn save<T: Serialize>(path: &Path, value: &T) -> Result<(), EngineError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|e| MediaError::writing(folder, e))?;
    }
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| MediaError::writing(path, std::io::Error::other(e)))?;
    AtomicFile::write(path, |to| {
        to.write_all(text.as_bytes())?;
        to.write_all(b"\n")
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> WindowPlace {
        WindowPlace {
            width: 1400.0,
            height: 900.0,
            x: -20.0,
            y: 40.5,
        }
    }

    #[test]
    fn settings_round_trip_and_unknown_ones_are_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/settings.json");
        assert_eq!(Settings::load_from(&path), (Settings::default(), None));
        let settings = Settings {
            light: true,
            window: Some(place()),
            weights: BTreeMap::from([("fomm".to_owned(), "vox.safetensors".to_owned())]),
            first_start_done: true,
            ..Settings::default()
        };
        settings.save_to(&path).unwrap();
        assert_eq!(Settings::load_from(&path), (settings, None));
        fs::write(&path, r#"{"light": true, "of_tomorrow": [1]}"#).unwrap();
        let (read, remark) = Settings::load_from(&path);
        assert!(read.light && read.labels && remark.is_none());
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_never_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.json");
        for (number, text) in [(1, "{\"light\": tr"), (2, "{\"light\": 7}"), (3, "\u{0}")] {
            fs::write(&path, text).unwrap();
            let (settings, remark) = Settings::load_from(&path);
            assert_eq!(settings, Settings::default());
            let aside = format!("settings.damaged-{number}.json");
            assert!(remark.unwrap().contains(&aside));
            let kept = fs::read_to_string(folder.path().join(aside)).unwrap();
            assert_eq!(kept, text);
            assert!(!path.exists());
        }
        // A folder of that name isn't a settings file either.
        fs::create_dir(&path).unwrap();
        assert!(Settings::load_from(&path).1.is_some());
    }

    #[test]
    fn a_window_position_outside_the_screens_is_discarded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.json");
        for (width, x, kept) in [
            (1400.0, 0.0, true),
            (7680.0, 0.0, true),
            (3.0, 0.0, false),
            (32_768.0, 0.0, false),
            (900.0, 1e9, false),
        ] {
            let window = Some(WindowPlace {
                width,
                x,
                ..place()
            });
            let settings = Settings {
                window,
                ..Settings::default()
            };
            settings.save_to(&path).unwrap();
            assert_eq!(Settings::load_from(&path).0.window.is_some(), kept);
        }
    }

    #[test]
    fn the_last_twelve_recent_files_are_listed_and_missing_ones_marked() {
        let folder = tempfile::tempdir().unwrap();
        let at = |number: usize| folder.path().join(format!("{number}.mien"));
        let mut recent = Recent::default();
        for number in 0..20 {
            recent.add_project(&at(number));
        }
        recent.add_project(&at(15));
        recent.add_portrait(&at(3));
        fs::write(at(19), "").unwrap();
        let path = folder.path().join("recent.json");
        recent.save_to(&path).unwrap();
        let (read, remark) = Recent::load_from(&path);
        assert_eq!((&read, remark), (&recent, None));
        let projects = read.projects();
        assert_eq!(projects.len(), Recent::MAX);
        assert_eq!(
            (projects[0].path.clone(), projects[0].missing),
            (at(15), true)
        );
        assert_eq!(
            (projects[1].path.clone(), projects[1].missing),
            (at(19), false)
        );
        recent.forget(&at(15));
        assert_eq!(recent.projects()[0].path, at(19));
        assert_eq!(recent.portraits().len(), 1);
    }
}
