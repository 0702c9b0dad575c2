//! The data that all parts of the rig share for one face at one size.

use super::fit::Fit;
use super::image::{Image, Rgba};
use super::model::{Model, Point};
use super::tone::Tone;

/// A portrait's face at the size at which it is drawn. All coordinates are in pixels of [`Scene::source`].
pub(super) struct Scene {
    pub model: &'static Model,
    /// The portrait's pixels around the face.
    pub source: Image<Rgba>,
    pub fit: Fit,
    pub tone: Tone,
}

/// The deformed head, in pixels of the source.
#[derive(Debug, Clone)]
pub(super) struct Deformed {
    /// Coefficients of the model's expressions.
    pub expression: Vec<f32>,
    /// All vertices.
    pub points: Vec<Point>,
    /// Unit normals of the skin; y up.
    pub normals: Vec<Point>,
    /// How far each eye is open, the person's right one first: 0 shut, 1 as in the portrait, at most 2.
    pub openness: [f32; 2],
    /// The distance between the lips at each vertex of the upper lip's edge, in the portrait and now, along the head's
    /// downward axis; never negative.
    pub lips_before: Vec<f32>,
    pub lips_after: Vec<f32>,
    pub placement: Placement,
}

/// The head's rotation and translation relative to the portrait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placement {
    /// Rows of the rotation matrix, with y up.
    rotation: [Point; 3],
    /// The centre of rotation, in pixels with y up.
    pivot: Point,
    /// Pixels to the right and down.
    shift: [f32; 2],
    /// Whether the head is rotated or translated.
    pub is_moved: bool,
}

impl Placement {
    /// A rotation by degrees of yaw (to the picture's right), pitch (down) and roll (anticlockwise as seen), about a
    /// pivot in pixels with y up, followed by a translation.
    pub fn new([yaw, pitch, roll]: [f32; 3], pivot: Point, shift: [f32; 2]) -> Self {
        let [(sy, cy), (sp, cp), (sr, cr)] =
            [yaw, pitch, roll].map(|degrees| degrees.to_radians().sin_cos());
        // Roll after pitch after yaw.
        let rotation = [
            [cr * cy - sr * sp * sy, -sr * cp, cr * sy + sr * sp * cy],
            [sr * cy + cr * sp * sy, cr * cp, sr * sy - cr * sp * cy],
            [-cp * sy, sp, cp * cy],
        ];
        Self {
            rotation,
            pivot,
            shift,
            is_moved: [yaw, pitch, roll].iter().any(|angle| angle.abs() > 0.01)
                || shift != [0.0; 2],
        }
    }

    /// Applies the transform to a point of the head, in pixels.
    pub fn place(&self, [x, y, z]: Point) -> Point {
        if !self.is_moved {
            return [x, y, z];
        }
        let away = [x - self.pivot[0], -y - self.pivot[1], z - self.pivot[2]];
        let [tx, ty, tz] = self.turn(away);
        [
            tx + self.pivot[0] + self.shift[0],
            -(ty + self.pivot[1]) + self.shift[1],
            tz + self.pivot[2],
        ]
    }

    /// Inverts [`Placement::place`].
    pub fn unplace(&self, [x, y, z]: Point) -> Point {
        if !self.is_moved {
            return [x, y, z];
        }
        let (x, y) = (x - self.shift[0], y - self.shift[1]);
        let away = [x - self.pivot[0], -y - self.pivot[1], z - self.pivot[2]];
        let r = &self.rotation;
        let back = [0, 1, 2].map(|k| r[0][k] * away[0] + r[1][k] * away[1] + r[2][k] * away[2]);
        [
            back[0] + self.pivot[0],
            -(back[1] + self.pivot[1]),
            back[2] + self.pivot[2],
        ]
    }

    /// Rotates a direction, y up.
    pub fn turn(&self, v: Point) -> Point {
        self.rotation
            .map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
    }
}
