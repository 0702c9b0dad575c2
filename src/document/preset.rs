//! Expressions with a name, kept as readable JSON.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::document::au::AuVector;
use crate::media::atomic_file::AtomicFile;
use crate::media::error::MediaError;
use crate::ordinary_file;
use crate::text;

/// A named expression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    pub name: String,
    pub aus: AuVector,
}

/// Why a preset can't be read or kept.
#[derive(Debug, Error)]
pub enum PresetError {
    #[error("{name:?} is not a preset that Mien knows; use one of {known}.")]
    Unknown { name: String, known: String },
    #[error(
        "the preset file {} cannot be used: {reason}; mend or delete it.",
        text::path(path)
    )]
    Damaged { path: PathBuf, reason: String },
    #[error("a preset's name must hold a letter or a digit; give it another name than {0:?}.")]
    BadName(String),
    #[error("{0:?} is the name of a preset that comes with Mien; choose another name.")]
    Taken(String),
    #[error(transparent)]
    Unwritten(MediaError),
}

/// The largest file that is read, in bytes; a preset takes some hundred.
const MAX_BYTES: u64 = 1 << 20;

/// The presets that come with the program, as they stand in `resources/presets`.
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
    /// The presets that come with the program, in the order of the panel.
    ///
    /// # Errors
    /// [`PresetError::Damaged`] only for a program built from damaged resources.
    pub fn built_in() -> Result<Vec<Preset>, PresetError> {
        BUILT_IN
            .iter()
            .map(|(path, text)| Preset::from_json(Path::new(path), text))
            .collect()
    }

    /// The presets in a folder, by name, and what is wrong with the files that can't be read. A folder that isn't
    /// there holds none.
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

    /// The preset in a file.
    ///
    /// # Errors
    /// [`PresetError::Damaged`] for what can't be read or is none.
    pub fn load(path: &Path) -> Result<Preset, PresetError> {
        ordinary_file::read_text(path, MAX_BYTES)
            .map_err(|error| PresetError::Damaged {
                path: path.to_owned(),
                reason: error.to_string(),
            })
            .and_then(|text| Preset::from_json(path, &text))
    }

    fn from_json(path: &Path, text: &str) -> Result<Preset, PresetError> {
        serde_json::from_str(text).map_err(|error| PresetError::Damaged {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }

    /// The preset of this name among these, whatever its capitals; a word's beginning is enough when it is the only
    /// such preset ("surprise" finds "Surprised").
    ///
    /// # Errors
    /// [`PresetError::Unknown`], with the names that there are.
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

    /// Keeps the preset in a folder, which is made when it isn't there; one of the same file name is replaced. The
    /// file appears whole or not at all.
    ///
    /// # Errors
    /// [`PresetError::BadName`], [`PresetError::Taken`] for a built-in preset's name, [`PresetError::Unwritable`].
    pub fn save(&self, folder: &Path) -> Result<PathBuf, PresetError> {
        let stem: String = self
            .name
            .trim()
            .to_lowercase()
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '-' })
            .take(80)
            .collect();
        if !stem.contains(char::is_alphanumeric) {
            return Err(PresetError::BadName(self.name.clone()));
        }
        if BUILT_IN
            .iter()
            .any(|(file, _)| *file == format!("{stem}.json"))
        {
            return Err(PresetError::Taken(self.name.clone()));
        }
        let path = folder.join(format!("{stem}.json"));
        let write = || -> Result<(), MediaError> {
            std::fs::create_dir_all(folder).map_err(|e| MediaError::writing(folder, e))?;
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

    #[test]
    fn the_nine_presets_are_there_and_distinct() {
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
        assert_eq!(presets[0].aus, AuVector::NEUTRAL);
        for (i, a) in presets.iter().enumerate() {
            assert!(
                presets[i + 1..]
                    .iter()
                    .all(|b| a.aus.distance(&b.aus) > 0.2),
                "{}",
                a.name
            );
        }
        let smile = ActionUnit::from_code(12).unwrap();
        assert!(presets[1].aus.get(smile) > 0.5);
    }

    #[test]
    fn found_by_name_or_by_a_clear_beginning() {
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
    fn saved_and_read_again_and_a_damaged_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let preset = Preset {
            name: "Half smile".to_owned(),
            aus: AuVector::NEUTRAL.with(ActionUnit::from_code(12).unwrap(), 0.5),
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
    fn names_that_cannot_be_kept_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", "  ", "../..", "Happy"] {
            let preset = Preset {
                name: name.to_owned(),
                aus: AuVector::NEUTRAL,
            };
            assert!(preset.save(folder.path()).is_err(), "{name}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
