//! Portraits and the faces found in them.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use crate::document::{AuVector, Crop, Document, MediaSource, PortraitRef, Project};
use crate::error::{EngineError, FaceError, SystemError};
use crate::face::found::{FoundFace, find_faces};
use crate::face::units::Neutral;
use crate::folders::file_name;
use crate::media::image::{self, Picture};
use crate::text;
use crate::weights::CropRule;

/// An opened portrait with the faces found in it.
#[derive(Debug, Clone)]
pub struct Portrait {
    /// The file name.
    pub name: String,
    /// Where it was opened from.
    pub source: MediaSource,
    /// The pixels, upright and in sRGB.
    pub picture: Arc<Picture>,
    /// The largest first; empty if no face was found.
    pub faces: Vec<Arc<FoundFace>>,
    /// The initial crop: the first face's, or a guess for the artist to correct.
    pub crop: Crop,
    /// Whether the file is damaged, so that a part of the picture is a guess of the decoder's.
    pub is_damaged: bool,
}

/// A portrait bundled with the program.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Sample {
    /// The name of the bundled file.
    pub file: String,
    /// The name in the window.
    pub title: String,
    /// Who it shows, by whom, when, and under which terms.
    pub credit: String,
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

const SAMPLES_JSON: &str = include_str!("../../resources/samples/samples.json");

impl Sample {
    /// All samples; the studio opens with the first.
    pub fn all() -> &'static [Sample] {
        static ALL: OnceLock<Vec<Sample>> = OnceLock::new();
        // The file is part of the program and checked by a test.
        ALL.get_or_init(|| serde_json::from_str(SAMPLES_JSON).unwrap_or_default())
    }

    fn bytes(&self) -> &'static [u8] {
        FILES
            .iter()
            .find(|(name, _)| *name == self.file)
            .map_or(&[], |(_, bytes)| bytes)
    }

    /// Opens the sample and finds the face in it.
    ///
    /// # Errors
    /// [`EngineError::Media`] only if the program was built from damaged resources.
    pub fn open(&self, rule: &CropRule) -> Result<Portrait, EngineError> {
        let picture = image::read(Path::new(&self.file), self.bytes())?;
        let source = MediaSource::Bundled(self.file.clone());
        Portrait::of(self.file.clone(), source, picture, rule)
    }
}

impl Portrait {
    /// Opens a picture file and finds the faces in it, with the crop that `rule` defines.
    ///
    /// # Errors
    /// [`EngineError::Media`] when Mien can't read the file as a picture, [`EngineError::Crop`] when it is too small to
    /// contain a face.
    pub fn open(path: &Path, rule: &CropRule) -> Result<Portrait, EngineError> {
        let (picture, is_damaged) = image::open_telling(path)?;
        // Absolute, so that a project finds it from any working directory.
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let portrait = Self::of(file_name(path), MediaSource::File(whole), picture, rule)?;
        Ok(Portrait {
            is_damaged,
            ..portrait
        })
    }

    /// Opens a project's portrait.
    ///
    /// # Errors
    /// As [`Portrait::open`]; [`SystemError`] for a sample that isn't bundled with this program.
    pub fn of_project(project: &Project, rule: &CropRule) -> Result<Portrait, EngineError> {
        match &project.document().portrait.source {
            MediaSource::File(path) => Portrait::open(path, rule),
            MediaSource::Bundled(name) => {
                let mut samples = Sample::all().iter();
                let sample = samples
                    .find(|sample| sample.file == *name)
                    .ok_or_else(|| SystemError::UnknownSamplePortrait { name: name.clone() })?;
                sample.open(rule)
            }
        }
    }

    fn of(
        name: String,
        source: MediaSource,
        picture: Picture,
        rule: &CropRule,
    ) -> Result<Portrait, EngineError> {
        let guess = Crop::guess(picture.width(), picture.height())?;
        let faces = find_faces(&picture, rule)?;
        Ok(Portrait {
            name,
            source,
            crop: faces.first().map_or(guess, |face| face.crop),
            faces,
            picture: Arc::new(picture),
            is_damaged: false,
        })
    }

    /// Returns what is to be said of a damaged file, in a sentence.
    pub fn damage(&self) -> Option<String> {
        let name = text::name(&self.name);
        self.is_damaged.then(|| {
            format!("{name} is damaged and was opened as far as it could be read; check it, or copy it again from its source.")
        })
    }

    /// Returns the first face's expression; neutral if there is no face.
    pub fn source(&self) -> AuVector {
        self.faces
            .first()
            .map_or(AuVector::NEUTRAL, |face| face.aus)
    }

    /// Returns the first face as the person's relaxed face, the reference for other pictures of the same person.
    ///
    /// # Errors
    /// [`FaceError`] when no face was found.
    pub fn neutral(&self) -> Result<Neutral, EngineError> {
        let face = self.faces.first().ok_or_else(|| FaceError::NoneInNeutral {
            name: self.name.clone(),
        })?;
        Ok(face.as_neutral())
    }

    /// Reads the Action Units of every face again, relative to a person's relaxed face.
    pub fn read_against(&mut self, neutral: &Neutral) {
        for face in &mut self.faces {
            let aus = face.against(neutral);
            Arc::make_mut(face).aus = aus;
        }
    }

    /// Creates a document for this portrait and its first face, without edits. `id` identifies the pixels.
    pub fn document(&self, id: u64) -> Document {
        let reference = PortraitRef {
            id,
            name: self.name.clone(),
            source: self.source.clone(),
            width: self.picture.width(),
            height: self.picture.height(),
        };
        let mut document = Document::new(reference, self.crop, self.source());
        document.face = (!self.faces.is_empty()).then_some(0);
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::ganimation::model::Model;

    #[test]
    fn each_sample_portrait_opens_with_its_face() {
        assert_eq!(Sample::all().len(), FILES.len());
        let model = Model::bundled().unwrap();
        for sample in Sample::all() {
            let portrait = sample.open(model.crop()).unwrap();
            let (width, height) = portrait.picture.size();
            portrait.crop.checked(width, height).unwrap();
            let [face] = &portrait.faces[..] else {
                panic!("{} faces in {}", portrait.faces.len(), sample.file);
            };
            let (left, top, right, bottom) = face.mesh.bounds();
            let side = (right - left).max(bottom - top) * 1.4;
            assert!((portrait.crop.side - side).abs() < 0.01);
            let middle = portrait.crop.x + 0.5 * portrait.crop.side;
            assert!((middle - 0.5 * (left + right)).abs() < 0.01);
            assert_eq!(portrait.document(3).source, face.aus);
        }
    }

    #[test]
    fn without_a_face_the_crop_is_a_guess_and_the_expression_neutral() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grey.png");
        let picture = Picture::new(64, 48, vec![90; 64 * 48 * 4]).unwrap();
        crate::media::encode::save_png(&path, &picture).unwrap();
        let model = Model::bundled().unwrap();
        let portrait = Portrait::open(&path, model.crop()).unwrap();
        assert!(portrait.faces.is_empty());
        assert!(portrait.crop.checked(64, 48).is_ok());
        let document = portrait.document(0);
        assert_eq!((document.face, document.source), (None, AuVector::NEUTRAL));
    }
}
