//! The portrait that is edited, its face, and the settings that apply to it.

use std::sync::Arc;

use crate::document::{AuVector, Crop, Document, Glasses, Limit};
use crate::face::TurnedSquare;
use crate::face::found::FoundFace;
use crate::face::portrait::Portrait;
use crate::media::image::Picture;
use crate::methods::rig::landmarks::with_offsets;
use crate::weights::CropRule;

/// A portrait with everything that its rendering depends on, except what drives it.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Equal ids mean equal pixels.
    pub id: u64,
    /// The portrait's pixels.
    pub picture: Arc<Picture>,
    /// The face that is edited, if one was found, with the artist's corrections to its landmarks. The rig is fitted to
    /// them, and the regions of [`Subject::limit`] are derived from them.
    pub face: Option<Arc<FoundFace>>,
    /// The artist's square around the face, in pixels of the portrait.
    pub crop: Crop,
    /// The rule that [`Subject::crop`] follows. A method with another rule gets its own square, moved and scaled as the
    /// artist moved and scaled this one. `None`: every method uses exactly this square.
    pub rule: Option<CropRule>,
    /// The portrait's expression, as Action Units.
    pub expression: AuVector,
    /// Whether the portrait's fine detail is added to the soft output of a network.
    pub detail: bool,
    /// Whether a generator's output is shown unchanged, instead of the portrait warped at its full resolution.
    pub plain: bool,
    /// The regions of the face that may change.
    pub limit: Limit,
    /// How strongly the rig draws folds, in 0..=1; `None` for a strength estimated from the portrait's skin.
    pub folds: Option<f32>,
    /// Whether the rig keeps the frame of glasses rigid.
    pub glasses: Glasses,
}

/// Cache key of a [`Subject`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SubjectKey {
    face: FaceKey,
    expression: [u32; crate::document::ActionUnit::COUNT],
    detail: bool,
    plain: bool,
    limit: Limit,
    folds: Option<u32>,
    glasses: Glasses,
}

/// Cache key of what a method sees of a [`Subject`]: the pixels of its square, and the face's landmarks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FaceKey {
    id: u64,
    crop: [u32; 4],
    /// The bounding box of the detected landmarks, which distinguishes the faces of one portrait.
    bounds: Option<[u32; 4]>,
    exact: bool,
    /// Index and offset of each landmark that the artist has moved.
    moved: Vec<(u16, [u32; 2])>,
}

impl FaceKey {
    /// Whether both have the same pixels in the same square, ignoring moved landmarks.
    pub fn same_pixels(&self, other: &FaceKey) -> bool {
        let FaceKey {
            id,
            crop,
            bounds,
            exact,
            moved: _,
        } = self;
        (id, crop, bounds, exact) == (&other.id, &other.crop, &other.bounds, &other.exact)
    }
}

impl Subject {
    /// The subject of a document, with the document's square. `rule` is the crop rule that the square was found by.
    pub fn of(document: &Document, portrait: &Portrait, rule: &CropRule) -> Self {
        let face = document.face.and_then(|face| portrait.faces.get(face));
        let face = face.map(|face| with_offsets(face, &document.landmarks));
        Self {
            id: document.portrait.id,
            picture: Arc::clone(&portrait.picture),
            face,
            crop: document.crop,
            rule: Some(rule.clone()),
            expression: document.source,
            detail: document.detail,
            plain: false,
            limit: document.limit,
            folds: document.folds,
            glasses: document.glasses,
        }
    }

    /// The cache key of everything that changes what methods render.
    pub fn key(&self) -> SubjectKey {
        SubjectKey {
            face: self.face_key(),
            expression: self.expression.values().map(f32::to_bits),
            detail: self.detail,
            plain: self.plain,
            limit: self.limit,
            folds: self.folds.map(f32::to_bits),
            glasses: self.glasses,
        }
    }

    /// Equal for two subjects that look the same to every method.
    pub fn face_key(&self) -> FaceKey {
        let Crop { x, y, side, angle } = self.crop;
        let bounds = self.face.as_deref().map(|face| {
            let (left, top, right, bottom) = face.found.bounds();
            [left, top, right, bottom].map(f32::to_bits)
        });
        let moved = self.face.iter().flat_map(|face| face.moved.iter());
        let moved = moved.map(|(landmark, offset)| (landmark, offset.map(f32::to_bits)));
        FaceKey {
            moved: moved.collect(),
            id: self.id,
            crop: [x, y, side, angle].map(f32::to_bits),
            bounds,
            exact: self.rule.is_none(),
        }
    }

    /// The square that a method with this crop rule sees.
    pub fn crop_for(&self, rule: &CropRule) -> Crop {
        let (Some(face), Some(usual_rule)) = (&self.face, &self.rule) else {
            return self.crop;
        };
        if rule == usual_rule {
            return self.crop;
        }
        let size = self.picture.size();
        let levelled = self.crop.angle != 0.0;
        let found = |rule: &CropRule| {
            let rule = if levelled {
                rule.levelled()
            } else {
                rule.upright()
            };
            face.crop_by(&rule, size)
        };
        let (default_crop, method_crop) = (found(usual_rule), found(rule));
        if self.crop == default_crop {
            return method_crop;
        }
        let (before, after, middle) = (
            default_crop.middle(),
            self.crop.middle(),
            method_crop.middle(),
        );
        let side = method_crop.side * (self.crop.side / default_crop.side.max(1.0));
        Crop {
            x: middle.0 + (after.0 - before.0) - 0.5 * side,
            y: middle.1 + (after.1 - before.1) - 0.5 * side,
            side,
            angle: self.crop.angle,
        }
        .fitted(size.0, size.1)
    }
}

/// The square of a crop, for sampling pictures and compositing into them.
pub fn square(crop: Crop) -> TurnedSquare {
    let (x, y) = crop.middle();
    TurnedSquare {
        x: f64::from(x),
        y: f64::from(y),
        side: f64::from(crop.side),
        angle: f64::from(crop.angle),
    }
}
