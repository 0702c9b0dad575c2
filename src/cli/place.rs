//! Options shared by every command that edits a portrait: which face, which parts may change, and how folds and glasses are
//! drawn.

use clap::Args;

use super::errors::CliError;
use super::output::say;
use super::values::{Folds, crop, folds, glasses, region};
use crate::document::{Crop, Document, Glasses, Limit};
use crate::face::found::FaceRemark;
use crate::face::portrait::Portrait;
use crate::methods::subject::Subject;
use crate::weights::CropRule;

#[derive(Debug, Args)]
pub(super) struct Place {
    /// The face to edit if there are several, numbered from the largest as in "mien face"
    #[arg(long, default_value_t = 1, value_name = "N")]
    face: usize,

    /// Turn the crop with the head, for a tilted face
    #[arg(long, conflicts_with = "crop")]
    level: bool,

    /// Edit only these parts of the face: brows, eyes, nose, mouth, skin, and left or right
    #[arg(long, value_name = "PART,...", value_parser = region)]
    region: Option<Limit>,

    /// The square crop of the face: left, top and side in pixels of the portrait, and optionally the degrees clockwise by
    /// which it is turned about its centre [default: around the detected face]
    #[arg(long, value_name = "X,Y,SIDE[,DEGREES]", allow_hyphen_values = true, value_parser = crop)]
    crop: Option<Crop>,

    /// How strongly the rig draws skin folds: from 0 (smooth, as a child's) to 1 (most adults), or auto to match the
    /// portrait's skin
    #[arg(long, default_value = "auto", value_name = "F|auto", allow_hyphen_values = true, value_parser = folds)]
    folds: Folds,

    /// Whether the rig keeps the frame of glasses rigid or lets it bend with the face; auto detects glasses
    #[arg(long, default_value = "auto", value_parser = glasses())]
    glasses: Glasses,
}

impl Place {
    /// The portrait's document, with the requested face and crop.
    pub fn document(&self, portrait: &Portrait, rule: &CropRule) -> Result<Document, CliError> {
        let limit = self.region.unwrap_or(Limit::NONE);
        let mut document = portrait.document(0);
        document.limit = limit;
        match (self.face.checked_sub(1), portrait.faces.len()) {
            (Some(0), 0) => {}
            (Some(index), _) if index < portrait.faces.len() => {
                let face = &portrait.faces[index];
                let size = portrait.picture.size();
                let crop = if self.level {
                    face.crop_by(&rule.levelled(), size)
                } else {
                    face.crop
                };
                document.switch_face(index, crop, face.aus);
            }
            (_, found) => {
                return Err(CliError::NoSuchFace {
                    wanted: self.face,
                    found,
                    name: portrait.name.clone(),
                });
            }
        }
        document.set_folds(self.folds.0);
        document.glasses = self.glasses;
        if let Some(crop) = self.crop {
            let (width, height) = portrait.picture.size();
            document.crop = crop.checked(width, height)?;
        }
        let parts = limit.parts().next().is_some();
        if parts && document.face.is_none() {
            let name = portrait.name.clone();
            return Err(CliError::RegionWithoutFace { name });
        }
        Ok(document)
    }

    /// The portrait as it is edited. A crop from `--crop` applies to every method.
    pub fn subject(&self, document: &Document, portrait: &Portrait, rule: &CropRule) -> Subject {
        let subject = Subject::of(document, portrait, rule);
        Subject {
            rule: subject.rule.filter(|_| self.crop.is_none()),
            ..subject
        }
    }

    /// Prints a remark about the face; `done` is what happens to it, such as "edited".
    pub fn remark(&self, portrait: &Portrait, document: &Document, done: &str) {
        let Crop { x, y, side, .. } = document.crop;
        if let Some(damage) = portrait.damage() {
            say(damage);
        }
        match portrait.faces.len() {
            0 if self.crop.is_none() => say(format_args!(
                "No face was found, so the crop {x:.0},{y:.0},{side:.0} is a guess; \
                 if the result looks wrong, set the square around the face with --crop."
            )),
            0 | 1 => {}
            found => say(format_args!(
                "{found} faces were found and number {} is {done}; choose another with --face.",
                self.face
            )),
        }
        let face = document.face.and_then(|index| portrait.faces.get(index));
        let by_hand = self.crop.is_some() || self.level;
        if let Some(remark) = face.filter(|_| !by_hand).and_then(|face| face.remark()) {
            match remark {
                FaceRemark::Leaning { degrees } => say(format_args!(
                    "The head is tilted by {degrees:.0} degrees; edits work better with the crop turned to match (--level)."
                )),
                remark => say(remark),
            }
        }
    }
}
