//! The faces of a portrait: landmarks, expression, and the crop that a model needs of each.

use std::sync::{Arc, OnceLock};

use candle_core::Device;

use crate::document::{AuVector, Crop, LandmarkOffsets};
use crate::error::EngineError;
use crate::face::finder::{Face, FaceFinder};
use crate::face::mesh::Mesh;
use crate::face::pose::HeadPose;
use crate::face::shape68;
use crate::face::shape68::Shape;
use crate::face::units::{Neutral, read as read_units};
use crate::media::image::Picture;
use crate::weights::CropRule;

/// A face found in a portrait.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundFace {
    /// Landmarks in pixels of the portrait, including the artist's corrections.
    pub mesh: Mesh,
    /// Landmarks as detected. Crops and readings use these, so that they don't change when the artist moves landmarks.
    pub found: Mesh,
    /// The artist's corrections to the landmarks.
    pub moved: LandmarkOffsets,
    /// The probability that there is a face, in 0..=1.
    pub presence: f32,
    /// The score of each blendshape in [`crate::face::BLENDSHAPES`], in 0..=1.
    pub scores: [f32; 52],
    /// The Action Units of the face's expression.
    pub aus: AuVector,
    /// The head's rotation.
    pub pose: HeadPose,
    /// The model's input crop.
    pub crop: Crop,
}

/// The networks that detect and measure faces, loaded on first use.
///
/// # Errors
/// [`EngineError::Weights`] only if the program was built from a damaged file.
pub(crate) fn finder() -> Result<&'static FaceFinder, EngineError> {
    static FINDER: OnceLock<FaceFinder> = OnceLock::new();
    if let Some(finder) = FINDER.get() {
        return Ok(finder);
    }
    let finder = FaceFinder::bundled(&Device::Cpu)?;
    Ok(FINDER.get_or_init(|| finder))
}

/// Returns every face in a portrait, the largest first, with the crop that `rule` defines.
///
/// # Errors
/// [`EngineError::Network`] when the networks fail.
pub fn find_faces(portrait: &Picture, rule: &CropRule) -> Result<Vec<Arc<FoundFace>>, EngineError> {
    let faces = finder()?.faces(portrait)?;
    let found = faces.into_iter().map(|face| {
        Arc::new(FoundFace {
            aus: units_of(&face, None),
            pose: HeadPose::of(&face.mesh).unwrap_or_default(),
            crop: crop_by_rule(&face.mesh, rule, portrait.size()),
            found: face.mesh.clone(),
            mesh: face.mesh,
            moved: LandmarkOffsets::default(),
            presence: face.presence,
            scores: face.scores,
        })
    });
    Ok(found.collect())
}

/// Reads a face's Action Units, relative to the person's relaxed face if that is known.
pub(crate) fn units_of(face: &Face, neutral: Option<&Neutral>) -> AuVector {
    read_units(face.mesh.points(), &face.scores, neutral).into()
}

/// Returns a model's crop of a face: centred on the landmarks' bounding box, with a side of `rule.scale` times the
/// box's longer side, upright or rotated with the eyes, and fitted into the portrait.
pub(crate) fn crop_by_rule(mesh: &Mesh, rule: &CropRule, (width, height): (u32, u32)) -> Crop {
    if rule.upright {
        return square_around(mesh, rule.scale, 0.0).fitted(width, height);
    }
    let angle = mesh.lean();
    // The bounding box of the face rotated so that its eyes are level.
    let frame = square_around(mesh, 1.0, 0.0);
    let frame = Crop { angle, ..frame };
    let level = mesh.map(|[x, y, z]| {
        let (x, y) = frame.upright((f64::from(x), f64::from(y)));
        [x as f32, y as f32, z]
    });
    let crop = level.map_or(frame, |level| {
        frame.with_upright(square_around(&level, rule.scale, angle))
    });
    crop.fitted(width, height)
}

/// Returns the largest centred square of a picture: the crop used when there is no face.
pub(crate) fn middle((width, height): (u32, u32)) -> Crop {
    let side = width.min(height) as f32;
    Crop {
        x: 0.5 * (width as f32 - side),
        y: 0.5 * (height as f32 - side),
        side,
        angle: 0.0,
    }
}

fn square_around(mesh: &Mesh, scale: f32, angle: f32) -> Crop {
    let (left, top, right, bottom) = mesh.bounds();
    let side = (right - left).max(bottom - top) * scale;
    Crop {
        x: 0.5 * (left + right - side),
        y: 0.5 * (top + bottom - side),
        side,
        angle,
    }
}

/// Below this size in pixels, a face has too little detail for the network.
const MIN_FACE_SIDE: f32 = 40.0;

/// Beyond this yaw or pitch in degrees, the networks are unreliable.
const TURNED: f32 = 30.0;

/// From this roll in degrees on, rotating the crop with the head improves the result.
const LEANING: f32 = 12.0;

impl FoundFace {
    /// Returns the 68 points of the face, for comparison with the faces of a clip.
    pub fn shape(&self) -> Shape {
        shape68(&self.found)
    }

    /// Returns this face as the person's relaxed face, the reference for other readings.
    pub fn as_neutral(&self) -> Neutral {
        Neutral::of(self.found.points(), &self.scores)
    }

    /// Returns the Action Units of this face relative to the person's relaxed face, which also reveals slight
    /// movements.
    pub fn against(&self, neutral: &Neutral) -> AuVector {
        read_units(self.found.points(), &self.scores, Some(neutral)).into()
    }

    /// Returns what an artist should know before editing this face; `None` if there is nothing to report.
    pub fn remark(&self) -> Option<FaceRemark> {
        let (left, top, right, bottom) = self.found.bounds();
        let size = (right - left).max(bottom - top);
        let HeadPose { yaw, pitch, roll } = self.pose;
        if size < MIN_FACE_SIDE {
            Some(FaceRemark::Small { size })
        } else if yaw.abs().max(pitch.abs()) > TURNED {
            let degrees = yaw.abs().max(pitch.abs());
            Some(FaceRemark::Turned { degrees })
        } else if roll.abs() > LEANING && self.crop.angle == 0.0 {
            let degrees = roll.abs();
            Some(FaceRemark::Leaning { degrees })
        } else {
            None
        }
    }

    /// Returns the crop that a rule defines for this face, in a portrait of the given size.
    pub fn crop_by(&self, rule: &CropRule, size: (u32, u32)) -> Crop {
        crop_by_rule(&self.found, rule, size)
    }
}

/// What an artist should know about a face before editing it, one sentence each.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum FaceRemark {
    /// The face has few pixels.
    #[error(
        "The face is only {size:.0} pixels across, so edits will be coarse; use a picture in which it is larger."
    )]
    Small { size: f32 },
    /// The head is turned to a side.
    #[error("The face is turned by {degrees:.0} degrees; faces seen from the front work better.")]
    Turned { degrees: f32 },
    /// The head is rolled, and the square is upright.
    #[error(
        "The head is tilted by {degrees:.0} degrees; edits work better with the crop turned to match (Level)."
    )]
    Leaning { degrees: f32 },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An upright oval of landmarks with level eyes, rotated.
    fn oval(degrees: f32) -> Mesh {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let mut points: Vec<[f32; 3]> = (0..Mesh::POINTS)
            .map(|i| {
                let t = i as f32 / Mesh::POINTS as f32 * std::f32::consts::TAU;
                [40.0 * t.cos(), 60.0 * t.sin(), 0.0]
            })
            .collect();
        // The outer eye corners.
        points[33] = [-20.0, -10.0, 0.0];
        points[263] = [20.0, -10.0, 0.0];
        let turned = points
            .iter()
            .map(|[x, y, _]| [150.0 + x * cos - y * sin, 140.0 + x * sin + y * cos, 0.0]);
        Mesh::new(turned.collect()).unwrap()
    }

    fn rule(upright: bool) -> CropRule {
        CropRule {
            kind: "landmark_bbox_square".to_owned(),
            scale: 1.5,
            upright,
        }
    }

    #[test]
    fn small_or_turned_faces_get_a_warning() {
        let face = |yaw: f32, roll: f32, scale: f32| {
            let mesh = oval(0.0).map(|p| p.map(|v| v * scale)).unwrap();
            FoundFace {
                crop: square_around(&mesh, 1.4, 0.0),
                found: mesh.clone(),
                mesh,
                moved: LandmarkOffsets::default(),
                presence: 1.0,
                scores: [0.0; 52],
                aus: AuVector::NEUTRAL,
                pose: HeadPose {
                    yaw,
                    pitch: 0.0,
                    roll,
                },
            }
        };
        assert_eq!(face(5.0, -3.0, 1.0).remark(), None);
        let mentions =
            |face: FoundFace, part: &str| face.remark().unwrap().to_string().contains(part);
        assert!(mentions(face(0.0, 0.0, 0.2), "24 pixels"));
        assert!(mentions(face(-44.0, 0.0, 1.0), "44 degrees"));
        assert!(mentions(face(0.0, -20.0, 1.0), "tilted by 20 degrees"));
        let mut levelled = face(0.0, -20.0, 1.0);
        levelled.crop.angle = -0.35;
        assert_eq!(levelled.remark(), None);
    }

    #[test]
    fn the_crop_is_upright_or_follows_the_roll_of_the_head() {
        let size = (300, 300);
        let level = crop_by_rule(&oval(0.0), &rule(true), size);
        assert!((level.side - 180.0).abs() < 0.1 && level.angle == 0.0);
        let turned = crop_by_rule(&oval(30.0), &rule(false), size);
        assert!((turned.angle.to_degrees() - 30.0).abs() < 0.01);
        // Whatever the head's roll, the square has the same size and about the same centre.
        assert!((turned.side - 180.0).abs() < 0.1, "{turned:?}");
        let (x, y) = turned.middle();
        assert!(
            (x - 150.0).abs() < 0.5 && (y - 140.0).abs() < 0.5,
            "{turned:?}"
        );
        assert_eq!(crop_by_rule(&oval(30.0), &rule(true), size).angle, 0.0);
    }
}
