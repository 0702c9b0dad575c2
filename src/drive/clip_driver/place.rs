//! The head's movement in the picture, and squares that follow it.

use crate::document::Follow;
use crate::face::{Mesh, TurnedSquare};

/// Landmarks that expressions don't move: the corners of the eyes and the bridge of the nose.
const STABLE: [usize; 8] = [33, 133, 362, 263, 168, 6, 197, 195];

/// A similarity transform from a head in one frame to the same head in another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Similarity {
    /// The mean of the landmarks before and after, in pixels.
    from: (f64, f64),
    to: (f64, f64),
    /// Radians, clockwise.
    angle: f64,
    /// Above 0.
    scale: f64,
}

impl Similarity {
    /// Fits the stable landmarks of `from` to those of `to` by least squares. `None` where they have no extent.
    pub fn between(from: &Mesh, to: &Mesh) -> Option<Self> {
        let (a, b) = (points(from), points(to));
        let (ca, cb) = (mean(&a), mean(&b));
        let (mut along, mut across, mut extent) = (0.0, 0.0, 0.0);
        for (a, b) in a.iter().zip(&b) {
            let (ax, ay) = (a.0 - ca.0, a.1 - ca.1);
            let (bx, by) = (b.0 - cb.0, b.1 - cb.1);
            along += ax * bx + ay * by;
            across += ax * by - ay * bx;
            extent += ax * ax + ay * ay;
        }
        let scale = along.hypot(across) / extent;
        let sound = scale.is_finite() && scale > 0.0;
        sound.then(|| Self {
            from: ca,
            to: cb,
            angle: across.atan2(along),
            scale,
        })
    }

    /// Returns a square that follows the head as far as the locks require. In it, the locked ones of the head's position,
    /// roll and size stay constant.
    pub fn follow(&self, square: TurnedSquare, locks: &Follow) -> TurnedSquare {
        let zoom = if locks.lock_scale { self.scale } else { 1.0 };
        // Without a lock on the position, the square grows around the head's current position and doesn't follow it.
        let (from, angle) = if locks.lock_place {
            (self.from, self.angle)
        } else {
            (self.to, 0.0)
        };
        let (sin, cos) = angle.sin_cos();
        let (dx, dy) = (zoom * (square.x - from.0), zoom * (square.y - from.1));
        TurnedSquare {
            x: self.to.0 + dx * cos - dy * sin,
            y: self.to.1 + dx * sin + dy * cos,
            side: zoom * square.side,
            angle: square.angle + angle,
        }
    }

    /// Returns all values as bits, for a hash.
    pub fn bits(&self) -> [u64; 6] {
        let Self {
            from,
            to,
            angle,
            scale,
        } = *self;
        [from.0, from.1, to.0, to.1, angle, scale].map(f64::to_bits)
    }
}

fn points(mesh: &Mesh) -> [(f64, f64); STABLE.len()] {
    STABLE.map(|landmark| {
        let [x, y, _] = mesh.points()[landmark];
        (f64::from(x), f64::from(y))
    })
}

fn mean(points: &[(f64, f64)]) -> (f64, f64) {
    let count = points.len() as f64;
    let sum = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / count;
    (sum(|p| p.0), sum(|p| p.1))
}
