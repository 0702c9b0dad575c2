//! Named expressions, stored as readable JSON.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::document::au::AuVector;
use crate::document::pose::Pose;
use crate::folders::free_name;
use crate::media::atomic_file::AtomicFile;
use crate::media::error::MediaError;
use crate::regular_file;
use crate::text;

/// A named expression. It has only Action Units, from relaxed to full; head and eyes are as in the portrait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Preset {
    /// The name in the panel.
    pub name: String,
    /// The Action Units, in 0..=1.
    pub pose: Pose,
}

/// A preset as stored in its file: `aus` if both halves of the face are equal, else `left` and `right`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    aus: Option<AuVector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<AuVector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    right: Option<AuVector>,
}

impl From<Preset> for Stored {
    fn from(preset: Preset) -> Self {
        let Pose { left, right, .. } = preset.pose;
        let sided = left != right;
        Self {
            name: preset.name,
            aus: (!sided).then_some(left),
            left: sided.then_some(left),
            right: sided.then_some(right),
        }
    }
}

impl TryFrom<Stored> for Preset {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let pose = match (stored.aus, stored.left, stored.right) {
            (Some(aus), None, None) => Pose::from(aus),
            (None, Some(left), Some(right)) => Pose {
                left,
                right,
                ..Pose::NEUTRAL
            },
            _ => return Err("it needs `aus`, or both `left` and `right`".to_owned()),
        };
        for half in [&pose.left, &pose.right] {
            half.check_usual().map_err(|error| error.to_string())?;
        }
        Ok(Self {
            name: stored.name,
            pose,
        })
    }
}

/// Why a preset can't be read or saved.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum PresetError {
    /// No preset of that name.
    #[error("{name:?} is not a preset that Mien knows; use one of {known}.")]
    Unknown { name: String, known: String },
    /// A preset file that can't be parsed.
    #[error(
        "The preset file {} can't be used: {reason}; correct or delete it.",
        text::path(path)
    )]
    Damaged { path: PathBuf, reason: String },
    /// A name without letters and digits.
    #[error("{0:?} can't be a preset's name; use at least one letter or digit.")]
    BadName(String),
    /// The name of a bundled preset.
    #[error("{0:?} is the name of a preset that comes with Mien; choose another name.")]
    Taken(String),
    /// The name of one of the artist's presets.
    #[error("There is already a preset called {0:?}; choose another name.")]
    Exists(String),
    /// A preset that was deleted meanwhile.
    #[error("The preset {0:?} no longer exists; choose another.")]
    Gone(String),
    /// The preset's file can't be written.
    #[error(transparent)]
    Unwritten(MediaError),
}

/// The largest file that is read, in bytes; a preset takes a few hundred.
const MAX_BYTES: u64 = 1 << 20;

/// The presets bundled with the program, from `resources/presets`.
const BUILT_IN: [(&str, &str); 9] = [
    (
        "neutral.json",
        include_str!("../../resources/presets/neutral.json"),
    ),
    (
        "happy.json",
        include_str!("../../resources/presets/happy.json"),
    ),
    ("sad.json", include_str!("../../resources/presets/sad.json")),
    (
        "surprised.json",
        include_str!("../../resources/presets/surprised.json"),
    ),
    (
        "angry.json",
        include_str!("../../resources/presets/angry.json"),
    ),
    (
        "disgusted.json",
        include_str!("../../resources/presets/disgusted.json"),
    ),
    (
        "afraid.json",
        include_str!("../../resources/presets/afraid.json"),
    ),
    (
        "contempt.json",
        include_str!("../../resources/presets/contempt.json"),
    ),
    (
        "blink.json",
        include_str!("../../resources/presets/blink.json"),
    ),
];

impl Preset {
    /// The presets bundled with the program, in the order of the panel.
    ///
    /// # Errors
    /// [`PresetError::Damaged`] only for a program built from damaged resources.
    pub fn built_in() -> Result<Vec<Preset>, PresetError> {
        BUILT_IN
            .iter()
            .map(|(path, text)| Preset::from_json(Path::new(path), text))
            .collect()
    }

    /// The presets in a folder, sorted by name, and the errors of files that can't be read. A missing folder has no presets.
    pub fn in_folder(folder: &Path) -> (Vec<Preset>, Vec<PresetError>) {
        let (mut presets, mut errors) = (Vec::new(), Vec::new());
        let Ok(entries) = std::fs::read_dir(folder) else {
            return (presets, errors);
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match Preset::load(&path) {
                Ok(preset) => presets.push(preset),
                Err(error) => errors.push(error),
            }
        }
        presets.sort_by_key(|preset| preset.name.to_lowercase());
        (presets, errors)
    }

    /// Loads a preset from a file.
    ///
    /// # Errors
    /// [`PresetError::Damaged`] if the file can't be read or isn't a preset.
    pub fn load(path: &Path) -> Result<Preset, PresetError> {
        regular_file::read_text(path, MAX_BYTES)
            .map_err(|error| PresetError::Damaged {
                path: path.to_owned(),
                reason: text::fault(&error),
            })
            .and_then(|text| Preset::from_json(path, &text))
    }

    fn from_json(path: &Path, text: &str) -> Result<Preset, PresetError> {
        serde_json::from_str(text).map_err(|error| PresetError::Damaged {
            path: path.to_owned(),
            reason: text::fault(&error),
        })
    }

    /// Finds a preset by name, ignoring case; an unambiguous prefix is enough ("surprise" finds "Surprised").
    ///
    /// # Errors
    /// [`PresetError::Unknown`], with the known names.
    pub fn find<'a>(presets: &'a [Preset], name: &str) -> Result<&'a Preset, PresetError> {
        let wanted = name.trim().to_lowercase();
        let exact = presets.iter().find(|p| p.name.to_lowercase() == wanted);
        let mut beginning = presets
            .iter()
            .filter(|p| !wanted.is_empty() && p.name.to_lowercase().starts_with(&wanted));
        exact
            .or_else(|| beginning.next().filter(|_| beginning.next().is_none()))
            .ok_or_else(|| PresetError::Unknown {
                name: name.to_owned(),
                known: presets
                    .iter()
                    .map(|p| text::name(&p.name.to_lowercase()))
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }

    /// Saves the preset in a folder, which is created if missing. The file is written atomically.
    ///
    /// # Errors
    /// [`PresetError::BadName`], [`PresetError::Taken`] for a built-in preset's name, [`PresetError::Exists`] for a
    /// name that is already in the folder, [`PresetError::Unwritten`].
    pub fn save(&self, folder: &Path) -> Result<PathBuf, PresetError> {
        let stem = self.file_stem()?;
        if Self::file_of(folder, &self.name).is_some() {
            return Err(PresetError::Exists(self.name.clone()));
        }
        let named = folder.join(format!("{stem}.json"));
        // Names that differ only in punctuation map to the same file name.
        let path = match named.exists() {
            true => free_name(&named, Path::exists),
            false => named,
        };
        self.write(path)
    }

    /// Like [`Preset::save`], but replaces the folder's preset of that name, if there is one.
    ///
    /// # Errors
    /// Those of [`Preset::save`] except [`PresetError::Exists`].
    pub fn replace(&self, folder: &Path) -> Result<PathBuf, PresetError> {
        self.file_stem()?;
        match Self::file_of(folder, &self.name) {
            Some(path) => self.write(path),
            None => self.save(folder),
        }
    }

    /// Renames the folder's preset of this name.
    ///
    /// # Errors
    /// Those of [`Preset::save`] and [`Preset::delete`].
    pub fn rename(&self, folder: &Path, name: &str) -> Result<Preset, PresetError> {
        let renamed = Preset {
            name: name.trim().to_owned(),
            ..self.clone()
        };
        // The new file is written before the old one is deleted.
        if renamed.name.to_lowercase() == self.name.to_lowercase() {
            let path = Self::file_of(folder, &self.name);
            renamed.write(path.ok_or_else(|| PresetError::Gone(self.name.clone()))?)?;
        } else {
            renamed.save(folder)?;
            self.delete(folder)?;
        }
        Ok(renamed)
    }

    /// Deletes the folder's preset of this name.
    ///
    /// # Errors
    /// [`PresetError::Gone`], [`PresetError::Unwritten`].
    pub fn delete(&self, folder: &Path) -> Result<(), PresetError> {
        let path = Self::file_of(folder, &self.name);
        let path = path.ok_or_else(|| PresetError::Gone(self.name.clone()))?;
        std::fs::remove_file(&path)
            .map_err(|error| PresetError::Unwritten(MediaError::writing(&path, error)))
    }

    /// The file in a folder that holds the preset of a name, ignoring case.
    fn file_of(folder: &Path, name: &str) -> Option<PathBuf> {
        let wanted = name.trim().to_lowercase();
        let files = std::fs::read_dir(folder).ok()?.flatten();
        files
            .map(|entry| entry.path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "json")
            })
            .find(|path| {
                Self::load(path).is_ok_and(|preset| preset.name.trim().to_lowercase() == wanted)
            })
    }

    /// The file name of a new preset, without its extension.
    fn file_stem(&self) -> Result<String, PresetError> {
        let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
        let name = self.name.trim().to_lowercase();
        let stem: String = name.chars().map(plain).take(80).collect();
        if !stem.contains(char::is_alphanumeric) {
            return Err(PresetError::BadName(self.name.clone()));
        }
        let file = format!("{stem}.json");
        if BUILT_IN.iter().any(|(built_in, _)| *built_in == file) {
            return Err(PresetError::Taken(self.name.clone()));
        }
        Ok(stem)
    }

    fn write(&self, path: PathBuf) -> Result<PathBuf, PresetError> {
        let write = || -> Result<(), MediaError> {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(|e| MediaError::writing(folder, e))?;
            }
            AtomicFile::write(&path, |to| {
                serde_json::to_writer_pretty(&mut *to, self)?;
                to.write_all(b"\n")
            })
        };
        write().map(|()| path).map_err(PresetError::Unwritten)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::au::ActionUnit;
    use crate::document::pose::Sides;

    #[test]
    fn the_nine_built_in_presets_are_distinct() {
        let presets = Preset::built_in().unwrap();
        let names: Vec<&str> = presets.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "Neutral",
                "Happy",
                "Sad",
                "Surprised",
                "Angry",
                "Disgusted",
                "Afraid",
                "Contempt",
                "Blink"
            ]
        );
        assert_eq!(presets[0].pose, AuVector::NEUTRAL);
        for (i, a) in presets.iter().enumerate() {
            assert!(
                presets[i + 1..]
                    .iter()
                    .all(|b| a.pose.distance(&b.pose) > 0.2),
                "{}",
                a.name
            );
        }
        let smile = ActionUnit::from_code(12).unwrap();
        assert!(presets[1].pose.get(smile) > 0.5);
    }

    #[test]
    fn a_preset_is_found_by_its_name_or_an_unambiguous_prefix() {
        let presets = Preset::built_in().unwrap();
        for name in ["surprised", "Surprise", " SURPRISED "] {
            assert_eq!(Preset::find(&presets, name).unwrap().name, "Surprised");
        }
        for name in ["", "grumpy", "a"] {
            let error = Preset::find(&presets, name).unwrap_err().to_string();
            assert!(error.contains("neutral, happy"), "{error}");
        }
    }

    #[test]
    fn presets_round_trip_and_damaged_ones_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let preset = Preset {
            name: "Half smile".to_owned(),
            pose: AuVector::NEUTRAL
                .with(ActionUnit::from_code(12).unwrap(), 0.5)
                .into(),
        };
        let path = preset.save(&folder.path().join("new")).unwrap();
        assert!(path.ends_with("half-smile.json"));
        std::fs::write(path.with_file_name("broken.json"), "{").unwrap();
        let (presets, errors) = Preset::in_folder(path.parent().unwrap());
        assert_eq!(presets, [preset]);
        assert_eq!(errors.len(), 1);
        assert!(errors[0].to_string().contains("broken.json"));
    }

    #[test]
    fn empty_reserved_and_path_like_preset_names_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", "  ", "../..", "Happy"] {
            let preset = Preset {
                name: name.to_owned(),
                pose: Pose::NEUTRAL,
            };
            assert!(preset.save(folder.path()).is_err(), "{name}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_one_sided_preset_round_trips_through_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let lid = ActionUnit::from_code(45).unwrap();
        let wink = Preset {
            name: "Wink".to_owned(),
            pose: Pose::NEUTRAL.with(Sides::Left, lid, 1.0),
        };
        let path = wink.save(folder.path()).unwrap();
        assert_eq!(Preset::load(&path).unwrap(), wink);
        for odd in [
            r#"{"name": "a"}"#,
            r#"{"name": "a", "left": {}}"#,
            r#"{"name": "a", "aus": {}, "left": {}, "right": {}}"#,
        ] {
            std::fs::write(&path, odd).unwrap();
            let problem = Preset::load(&path).unwrap_err().to_string();
            assert!(problem.contains("`left` and `right`"), "{problem}");
        }
    }

    #[test]
    fn saving_a_preset_replaces_an_existing_one_only_on_request() {
        let folder = tempfile::tempdir().unwrap();
        let preset = |name: &str, value: f32| Preset {
            name: name.to_owned(),
            pose: AuVector::from([value; ActionUnit::COUNT]).into(),
        };
        let first = preset("My smile", 0.5).save(folder.path()).unwrap();
        let again = preset("my SMILE", 0.7);
        assert!(matches!(
            again.save(folder.path()),
            Err(PresetError::Exists(_))
        ));
        assert_eq!(Preset::load(&first).unwrap(), preset("My smile", 0.5));
        assert_eq!(again.replace(folder.path()).unwrap(), first);
        assert_eq!(Preset::load(&first).unwrap(), again);
        // Another name that maps to the same file.
        let other = preset("My-smile", 0.2).save(folder.path()).unwrap();
        assert_ne!(other, first);
        assert_eq!(Preset::in_folder(folder.path()).0.len(), 2);
    }

    #[test]
    fn presets_are_renamed_and_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let preset = |name: &str| Preset {
            name: name.to_owned(),
            pose: Pose::NEUTRAL,
        };
        let names = || {
            let (presets, _) = Preset::in_folder(folder.path());
            presets.into_iter().map(|p| p.name).collect::<Vec<_>>()
        };
        preset("a").save(folder.path()).unwrap();
        preset("b").save(folder.path()).unwrap();
        let refused = preset("a").rename(folder.path(), "B");
        assert!(matches!(refused, Err(PresetError::Exists(_))));
        assert_eq!(names(), ["a", "b"]);
        let renamed = preset("a").rename(folder.path(), " A ").unwrap();
        assert_eq!(renamed.name, "A");
        renamed.rename(folder.path(), "c").unwrap();
        assert_eq!(names(), ["b", "c"]);
        preset("c").delete(folder.path()).unwrap();
        assert_eq!(names(), ["b"]);
        let gone = preset("c").delete(folder.path());
        assert!(matches!(gone, Err(PresetError::Gone(_))));
    }
}
