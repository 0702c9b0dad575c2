//! What the parts of the rig share while they draw one face at one size.

use super::fit::Fit;
use super::image::{Image, Rgba};
use super::model::{Model, Point};
use super::tone::Tone;

/// A face of a portrait at the size at which it is drawn. All pixels are those of [`Scene::source`].
pub(super) struct Scene {
    pub model: &'static Model,
    /// The portrait around the face.
    pub source: Image<Rgba>,
    pub fit: Fit,
    pub tone: Tone,
}

/// The head as it is to be drawn, in pixels of the source.
#[derive(Debug, Clone)]
pub(super) struct Deformed {
    /// Coefficients of the model's expressions.
    pub expression: Vec<f32>,
    /// All vertices.
    pub points: Vec<Point>,
    /// Of the skin, of length 1; y up.
    pub normals: Vec<Point>,
    /// How far each eye is open, the person's right one first: 0 shut, 1 as in the portrait, at most 2.
    pub openness: [f32; 2],
    /// How far the lips are apart at each vertex of their upper edge, in the portrait and now, along the head's downward
    /// axis and never negative.
    pub lips_before: Vec<f32>,
    pub lips_after: Vec<f32>,
    pub placement: Placement,
}

/// How the head is turned and moved against the portrait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placement {
    /// Rows of a rotation, in space with y up.
    rotation: [Point; 3],
    /// The point that stays, in pixels with y up.
    pivot: Point,
    /// Pixels to the right and down.
    shift: [f32; 2],
    /// Whether anything turns or moves.
    pub is_moved: bool,
}

impl Placement {
    /// Turned by degrees of yaw (to the picture's right), pitch (down) and roll (clockwise as seen is negative), about a
    /// pivot in pixels with y up, then moved.
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

    /// Where a point of the head goes, in pixels.
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

    /// Where a point came from: undoes [`Placement::place`].
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

    /// A direction turned, y up.
    pub fn turn(&self, v: Point) -> Point {
        self.rotation
            .map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
    }
}
