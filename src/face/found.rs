//! The faces of a portrait: where they are, what they show, and the crop that a model wants of each.

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

/// A face of a portrait.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundFace {
    /// Its landmarks, in pixels of the portrait, where the artist wants them.
    pub mesh: Mesh,
    /// Its landmarks as they were found. Crops and readings go by these, so that they stay when the artist moves some.
    pub found: Mesh,
    /// The landmarks that the artist has moved.
    pub moved: LandmarkOffsets,
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
pub(crate) fn finder() -> Result<&'static FaceFinder, EngineError> {
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
    let faces = finder()?.faces(portrait)?;
    let found = faces.into_iter().map(|face| {
        Arc::new(FoundFace {
            aus: units_of(&face, None),
            pose: HeadPose::of(&face.mesh).unwrap_or_default(),
            crop: canonical(&face.mesh, rule, portrait.size()),
            found: face.mesh.clone(),
            mesh: face.mesh,
            moved: LandmarkOffsets::default(),
            presence: face.presence,
            scores: face.scores,
        })
    });
    Ok(found.collect())
}

/// The Action Units of a face, against a person's relaxed face where that is known.
pub(crate) fn units_of(face: &Face, neutral: Option<&Neutral>) -> AuVector {
    read_units(face.mesh.points(), &face.scores, neutral).into()
}

/// The square that a model wants of a face: about the middle of the landmarks' box, its side so many times the box's
/// longer side, upright or turned with the eyes, brought within the portrait.
pub(crate) fn canonical(mesh: &Mesh, rule: &CropRule, (width, height): (u32, u32)) -> Crop {
    if rule.upright {
        return about(mesh, rule.scale, 0.0).fitted(width, height);
    }
    let angle = mesh.lean();
    // The box of the face that is turned back until its eyes are level.
    let frame = about(mesh, 1.0, 0.0);
    let frame = Crop { angle, ..frame };
    let level = mesh.map(|[x, y, z]| {
        let (x, y) = frame.upright((f64::from(x), f64::from(y)));
        [x as f32, y as f32, z]
    });
    let crop = level.map_or(frame, |level| {
        frame.with_upright(about(&level, rule.scale, angle))
    });
    crop.fitted(width, height)
}

/// The square in the middle of a picture, as large as it can be: what is seen where there is no face.
pub(crate) fn middle((width, height): (u32, u32)) -> Crop {
    let side = width.min(height) as f32;
    Crop {
        x: 0.5 * (width as f32 - side),
        y: 0.5 * (height as f32 - side),
        side,
        angle: 0.0,
    }
}

fn about(mesh: &Mesh, scale: f32, angle: f32) -> Crop {
    let (left, top, right, bottom) = mesh.bounds();
    let side = (right - left).max(bottom - top) * scale;
    Crop {
        x: 0.5 * (left + right - side),
        y: 0.5 * (top + bottom - side),
        side,
        angle,
    }
}

/// Below so many pixels a face has too little for the network to see.
const SMALL: f32 = 40.0;

/// Beyond so many degrees a face is no longer one that the networks know well.
const TURNED: f32 = 30.0;

/// From so many degrees on it is worth turning the crop with the head.
const LEANING: f32 = 12.0;

impl FoundFace {
    /// Its 68 points, to compare it with the faces of a clip.
    pub fn shape(&self) -> Shape {
        shape68(&self.found)
    }

    /// This face as the person's relaxed one, to read others against.
    pub fn as_neutral(&self) -> Neutral {
        Neutral::of(self.found.points(), &self.scores)
    }

    /// The Action Units of this face against the person's relaxed one: a slight movement is seen then too.
    pub fn against(&self, neutral: &Neutral) -> AuVector {
        read_units(self.found.points(), &self.scores, Some(neutral)).into()
    }

    /// What an artist should know before editing this face, in one sentence; nothing where all is well.
    pub fn remark(&self) -> Option<FaceRemark> {
        let (left, top, right, bottom) = self.found.bounds();
        let size = (right - left).max(bottom - top);
        let HeadPose { yaw, pitch, roll } = self.pose;
        if size < SMALL {
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

    /// The square that a rule asks for of this face, in a portrait of a size.
    pub fn crop_by(&self, rule: &CropRule, size: (u32, u32)) -> Crop {
        canonical(&self.found, rule, size)
    }
}

/// What the artist should know of a face before it is edited, a sentence each.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum FaceRemark {
    #[error(
        "The face is only {size:.0} pixels large, so edits will be coarse; a picture of it from nearer comes out better."
    )]
    Small { size: f32 },
    #[error(
        "The face is turned by {degrees:.0} degrees; faces seen from the front come out better."
    )]
    Turned { degrees: f32 },
    #[error(
        "The head leans by {degrees:.0} degrees; the edit comes out better with the square turned with it (Level)."
    )]
    Leaning { degrees: f32 },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An upright oval of landmarks with its eyes level, turned about a place.
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
    fn what_an_artist_should_know_is_said() {
        let face = |yaw: f32, roll: f32, scale: f32| {
            let mesh = oval(0.0).map(|p| p.map(|v| v * scale)).unwrap();
            FoundFace {
                crop: about(&mesh, 1.4, 0.0),
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
        let said = |face: FoundFace, part: &str| face.remark().unwrap().to_string().contains(part);
        assert!(said(face(0.0, 0.0, 0.2), "24 pixels"));
        assert!(said(face(-44.0, 0.0, 1.0), "44 degrees"));
        assert!(said(face(0.0, -20.0, 1.0), "leans by 20 degrees"));
        let mut levelled = face(0.0, -20.0, 1.0);
        levelled.crop.angle = -0.35;
        assert_eq!(levelled.remark(), None);
    }

    #[test]
    fn the_square_stands_upright_or_leans_with_the_head() {
        let size = (300, 300);
        let level = canonical(&oval(0.0), &rule(true), size);
        assert!((level.side - 180.0).abs() < 0.1 && level.angle == 0.0);
        let turned = canonical(&oval(30.0), &rule(false), size);
        assert!((turned.angle.to_degrees() - 30.0).abs() < 0.01);
        // However the head leans the square is as large, about the same place.
        assert!((turned.side - 180.0).abs() < 0.1, "{turned:?}");
        let (x, y) = turned.middle();
        assert!(
            (x - 150.0).abs() < 0.5 && (y - 140.0).abs() < 0.5,
            "{turned:?}"
        );
        assert_eq!(canonical(&oval(30.0), &rule(true), size).angle, 0.0);
    }
}
