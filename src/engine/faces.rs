//! The faces of a portrait: where they are, what they show, and the crop that a model wants of each.

use std::sync::{Arc, OnceLock};

use candle_core::Device;

use super::EngineError;
use crate::face::{Face, FaceFinder, HeadPose, Mesh, Neutral, read_units};
use crate::media::Picture;
use crate::studio::{AuVector, Crop};
use crate::weights::CropRule;

/// A face of a portrait.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundFace {
    /// Its landmarks, in pixels of the portrait.
    pub mesh: Mesh,
    /// How likely there is a face, in 0..=1.
    pub presence: f32,
    /// How strongly each movement of [`crate::face::BLENDSHAPES`] shows, in 0..=1.
    pub scores: [f32; 52],
    /// The Action Units that it shows.
    pub aus: AuVector,
    pub pose: HeadPose,
    /// The square that the model wants to see.
    pub crop: Crop,
}

/// The networks that find and read faces, loaded when first asked for.
///
/// # Errors
/// [`EngineError::Weights`] only for a program built from a damaged file.
pub(super) fn finder() -> Result<&'static FaceFinder, EngineError> {
    static FINDER: OnceLock<FaceFinder> = OnceLock::new();
    if let Some(finder) = FINDER.get() {
        return Ok(finder);
    }
    let finder = FaceFinder::bundled(&Device::Cpu)?;
    Ok(FINDER.get_or_init(|| finder))
}

/// Every face of a portrait, the largest first, with the crop that `rule` asks for.
///
/// # Errors
/// [`EngineError::Network`] when the networks fail.
pub fn find_faces(portrait: &Picture, rule: &CropRule) -> Result<Vec<Arc<FoundFace>>, EngineError> {
    let faces = finder()?
        .faces(portrait)
        .map_err(|error| EngineError::Network(error.to_string()))?;
    let found = faces.into_iter().map(|face| {
        Arc::new(FoundFace {
            aus: units_of(&face, None),
            pose: HeadPose::of(&face.mesh).unwrap_or_default(),
            crop: canonical(&face.mesh, rule, portrait.size()),
            mesh: face.mesh,
            presence: face.presence,
            scores: face.scores,
        })
    });
    Ok(found.collect())
}

/// The Action Units of a face, against a person's relaxed face where that is known.
pub(super) fn units_of(face: &Face, neutral: Option<&Neutral>) -> AuVector {
    read_units(face.mesh.points(), &face.scores, neutral).into()
}

/// The square that a model wants of a face: about the middle of the landmarks' box, its side so many times the box's
/// longer side, brought within the portrait.
fn canonical(mesh: &Mesh, rule: &CropRule, (width, height): (u32, u32)) -> Crop {
    let (left, top, right, bottom) = mesh.bounds();
    let side = (right - left).max(bottom - top) * rule.scale;
    Crop {
        x: 0.5 * (left + right - side),
        y: 0.5 * (top + bottom - side),
        side,
    }
    .fitted(width, height)
}
