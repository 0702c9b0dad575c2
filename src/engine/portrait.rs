//! Portraits with what is known of the face in them.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use super::EngineError;
use crate::media::{self, Picture};
use crate::studio::{AuVector, Crop};

/// A portrait, opened, with the crop and the expression to begin with.
#[derive(Debug)]
pub struct Portrait {
    /// The file's name.
    pub name: String,
    pub picture: Arc<Picture>,
    pub crop: Crop,
    /// Whether the crop is only a guess that the artist should look at.
    pub guessed: bool,
    /// The expression that the portrait itself shows.
    pub source: AuVector,
}

/// A portrait that comes with the program.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Sample {
    pub file: String,
    pub title: String,
    pub credit: String,
    pub crop: Crop,
    pub source: AuVector,
}

const FILES: [(&str, &[u8]); 2] = [
    (
        "astronaut.png",
        include_bytes!("../../resources/samples/astronaut.png"),
    ),
    (
        "grace_hopper.jpg",
        include_bytes!("../../resources/samples/grace_hopper.jpg"),
    ),
];

const ABOUT: &str = include_str!("../../resources/samples/samples.json");

impl Sample {
    /// The samples, the one that the studio opens with first.
    pub fn all() -> &'static [Sample] {
        static ALL: OnceLock<Vec<Sample>> = OnceLock::new();
        // The file is part of the program and read by a test.
        ALL.get_or_init(|| serde_json::from_str(ABOUT).unwrap_or_default())
    }

    fn bytes(&self) -> &'static [u8] {
        FILES
            .iter()
            .find(|(name, _)| *name == self.file)
            .map_or(&[], |(_, bytes)| bytes)
    }

    /// Opens the sample.
    ///
    /// # Errors
    /// [`EngineError::Media`] only for a program built from damaged resources.
    pub fn open(&self) -> Result<Portrait, EngineError> {
        let picture = media::read(Path::new(&self.file), self.bytes())?;
        Ok(self.portrait(picture))
    }

    fn portrait(&self, picture: Picture) -> Portrait {
        Portrait {
            name: self.file.clone(),
            picture: Arc::new(picture),
            crop: self.crop,
            guessed: false,
            source: self.source,
        }
    }
}

impl Portrait {
    /// Opens a picture file. One of the samples is known again by its bytes, wherever it lies; of any other the crop
    /// is a guess and the expression counts as neutral.
    ///
    /// # Errors
    /// [`EngineError::Media`] when the file is no picture that Mien reads, [`EngineError::Crop`] when it is too small
    /// to hold a face.
    pub fn open(path: &Path) -> Result<Portrait, EngineError> {
        let picture = media::open(path)?;
        let name = path.file_name().map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        if let Some(sample) = known_sample(path) {
            return Ok(Portrait {
                name,
                ..sample.portrait(picture)
            });
        }
        Ok(Portrait {
            name,
            crop: Crop::guess(picture.width(), picture.height())?,
            picture: Arc::new(picture),
            guessed: true,
            source: AuVector::NEUTRAL,
        })
    }
}

fn known_sample(path: &Path) -> Option<&'static Sample> {
    let length = std::fs::metadata(path).ok()?.len();
    Sample::all()
        .iter()
        .filter(|sample| sample.bytes().len() as u64 == length)
        .find(|sample| std::fs::read(path).is_ok_and(|bytes| bytes == sample.bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_samples_open_with_a_crop_inside() {
        assert_eq!(Sample::all().len(), FILES.len());
        for sample in Sample::all() {
            let portrait = sample.open().unwrap();
            let (width, height) = portrait.picture.size();
            portrait.crop.checked(width, height).unwrap();
            assert!(!portrait.guessed);
        }
    }

    #[test]
    fn a_sample_is_known_wherever_it_lies_and_a_stranger_is_guessed() {
        let folder = tempfile::tempdir().unwrap();
        let sample = &Sample::all()[1];
        let copy = folder.path().join("someone.jpg");
        std::fs::write(&copy, sample.bytes()).unwrap();
        let portrait = Portrait::open(&copy).unwrap();
        assert_eq!((portrait.crop, portrait.guessed), (sample.crop, false));
        assert_eq!(portrait.name, "someone.jpg");

        let other = folder.path().join("other.png");
        let picture = Picture::new(64, 48, vec![90; 64 * 48 * 4]).unwrap();
        media::save_png(&other, &picture).unwrap();
        let portrait = Portrait::open(&other).unwrap();
        assert!(portrait.guessed);
        assert!(portrait.crop.checked(64, 48).is_ok());
    }
}
