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
    /// Which face of several, counted from the largest as "mien face" lists them
    #[arg(long, default_value_t = 1, value_name = "N")]
    face: usize,

    /// Turns the square with the head: for a face that leans
    #[arg(long, conflicts_with = "crop")]
    level: bool,

    /// Limits the change to parts of the face: brows, eyes, nose, mouth, skin, and left or right
    #[arg(long, value_name = "PART,...", value_parser = region)]
    region: Option<Limit>,

    /// The face's square: left, top and side in pixels of the portrait, and if it leans with the head the degrees
    /// clockwise by which it is turned about its middle; without it the face is found
    #[arg(long, value_name = "X,Y,SIDE[,DEGREES]", allow_hyphen_values = true, value_parser = crop)]
    crop: Option<Crop>,

    /// How strongly the rig draws folds: from 0 (a child's smooth skin) to 1 (most adults'), or auto for what the portrait's
    /// own skin shows
    #[arg(long, default_value = "auto", value_name = "F|auto", allow_hyphen_values = true, value_parser = folds)]
    folds: Folds,

    /// Whether the rig keeps the frame of glasses rigid: auto for where the portrait seems to show glasses, rigid, or bend
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
                "no face was found, so it is guessed to lie in {x:.0},{y:.0},{side:.0}; \
                 if the result looks wrong, give the square around the face with --crop."
            )),
            0 | 1 => {}
            found => say(format_args!(
                "{found} faces were found; number {} is {done} (--face N takes another).",
                self.face
            )),
        }
        let face = document.face.and_then(|index| portrait.faces.get(index));
        let by_hand = self.crop.is_some() || self.level;
        if let Some(remark) = face.filter(|_| !by_hand).and_then(|face| face.remark()) {
            match remark {
                FaceRemark::Leaning { degrees } => say(format_args!(
                    "The head leans by {degrees:.0} degrees; the edit comes out better with the square turned with it (--level)."
                )),
                remark => say(remark),
            }
        }
    }
}
