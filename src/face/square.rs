//! Squares of a picture, upright and turned.

/// An upright square in pixels of some picture; pixel `i` spans `i..i + 1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Square {
    /// The left edge.
    pub x: f64,
    /// The top edge.
    pub y: f64,
    /// The side length.
    pub side: f64,
}

/// A square that may be rotated: its centre and side in pixels of the picture, pixel `i` spanning `i..i + 1`, and
/// the clockwise angle of its upper edge in radians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TurnedSquare {
    /// The centre, from the left.
    pub x: f64,
    /// The centre, from the top.
    pub y: f64,
    /// The side length.
    pub side: f64,
    /// The angle of the upper edge.
    pub angle: f64,
}

impl From<Square> for TurnedSquare {
    fn from(square: Square) -> Self {
        Self {
            x: square.x + 0.5 * square.side,
            y: square.y + 0.5 * square.side,
            side: square.side,
            angle: 0.0,
        }
    }
}

impl TurnedSquare {
    /// Returns the square with the rotation about its centre undone.
    pub fn unturned(&self) -> Square {
        Square {
            x: self.x - 0.5 * self.side,
            y: self.y - 0.5 * self.side,
            side: self.side,
        }
    }

    /// Converts the picture's coordinates to the square's, which are in 0..1 inside it.
    pub fn within(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (sin, cos) = self.angle.sin_cos();
        let (dx, dy) = ((x - self.x) / self.side, (y - self.y) / self.side);
        (dx * cos + dy * sin + 0.5, dy * cos - dx * sin + 0.5)
    }

    /// Converts the square's coordinates, in 0..1 inside it, to the picture's.
    pub fn to_picture(&self, (u, v): (f64, f64)) -> (f64, f64) {
        let (sin, cos) = self.angle.sin_cos();
        let (dx, dy) = ((u - 0.5) * self.side, (v - 0.5) * self.side);
        (self.x + dx * cos - dy * sin, self.y + dx * sin + dy * cos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn coordinates_within_a_rotated_square_round_trip(x in -50f64..50.0, y in -50f64..50.0, side in 1f64..90.0, angle in -4f64..4.0, u in -1f64..2.0, v in -1f64..2.0) {
            let square = TurnedSquare { x, y, side, angle };
            let (a, b) = square.within(square.to_picture((u, v)));
            prop_assert!((a - u).abs() < 1e-9 && (b - v).abs() < 1e-9);
        }
    }
}
