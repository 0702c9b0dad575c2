//! An expression whose two halves may differ.
//!
//! Action Units are bilateral: one value moves both halves of the face. A [`Pose`] has a vector for each half, and the
//! pictures made from the two are joined along the face's midline.

use serde::{Deserialize, Serialize};

use crate::document::au::{ActionUnit, AuVector};

/// Which halves of the face, as they are seen in the picture: the left half is that on the left of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sides {
    #[default]
    Both,
    Left,
    Right,
}

impl Sides {
    /// All choices, as they stand side by side.
    pub const ALL: [Sides; 3] = [Sides::Left, Sides::Both, Sides::Right];

    /// The choice's name.
    pub fn title(self) -> &'static str {
        match self {
            Sides::Both => "Both",
            Sides::Left => "Left",
            Sides::Right => "Right",
        }
    }
}

/// How strongly each Action Unit acts on each half of the face, every value in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Pose {
    /// The half on the left of the picture.
    pub left: AuVector,
    pub right: AuVector,
}

impl Pose {
    /// The relaxed face.
    pub const NEUTRAL: Pose = Pose {
        left: AuVector::NEUTRAL,
        right: AuVector::NEUTRAL,
    };

    /// Whether both halves are the same.
    pub fn is_even(&self) -> bool {
        self.left == self.right
    }

    /// A unit's value, in 0..=1; where the halves differ, the mean of the two.
    pub fn get(&self, unit: ActionUnit) -> f32 {
        self.of(Sides::Both, unit)
    }

    /// A unit's value on some halves, in 0..=1; of both, the mean of the two.
    pub fn of(&self, sides: Sides, unit: ActionUnit) -> f32 {
        let (left, right) = (self.left.get(unit), self.right.get(unit));
        match sides {
            Sides::Left => left,
            Sides::Right => right,
            Sides::Both if left == right => left,
            Sides::Both => 0.5 * (left + right),
        }
    }

    /// A unit's values on the left and the right half.
    pub fn halves(&self, unit: ActionUnit) -> (f32, f32) {
        (self.left.get(unit), self.right.get(unit))
    }

    /// The same pose with one unit set on some halves, as [`AuVector::set`] does.
    pub fn with(mut self, sides: Sides, unit: ActionUnit, value: f32) -> Self {
        if sides != Sides::Right {
            self.left.set(unit, value);
        }
        if sides != Sides::Left {
            self.right.set(unit, value);
        }
        self
    }

    /// The same pose with some halves replaced.
    pub fn with_all(self, sides: Sides, aus: AuVector) -> Self {
        match sides {
            Sides::Both => aus.into(),
            Sides::Left => Pose { left: aus, ..self },
            Sides::Right => Pose { right: aus, ..self },
        }
    }

    /// `(1 - t) * self + t * other`, for `t` in 0..=1; the ends are exact.
    pub fn lerp(&self, other: &Pose, t: f32) -> Pose {
        Pose {
            left: self.left.lerp(&other.left, t),
            right: self.right.lerp(&other.right, t),
        }
    }

    /// The largest difference of any one unit on either half, in 0..=1.
    pub fn distance(&self, other: &Pose) -> f32 {
        let left = self.left.distance(&other.left);
        left.max(self.right.distance(&other.right))
    }
}

impl From<AuVector> for Pose {
    fn from(aus: AuVector) -> Self {
        Self {
            left: aus,
            right: aus,
        }
    }
}

impl PartialEq<AuVector> for Pose {
    fn eq(&self, other: &AuVector) -> bool {
        self.left == *other && self.right == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_is_set_alone_and_both_together() {
        let smile = ActionUnit::from_code(12).unwrap();
        let pose = Pose::NEUTRAL.with(Sides::Left, smile, 0.8);
        assert!(!pose.is_even());
        assert_eq!(pose.of(Sides::Left, smile), 0.8);
        assert_eq!(pose.of(Sides::Right, smile), 0.0);
        assert_eq!(pose.get(smile), 0.4);
        let even = pose.with(Sides::Both, smile, 0.3);
        assert!(even.is_even());
        assert_eq!(even, AuVector::NEUTRAL.with(smile, 0.3));
        assert_eq!(
            pose.with_all(Sides::Right, AuVector::NEUTRAL.with(smile, 0.8)),
            AuVector::NEUTRAL.with(smile, 0.8)
        );
    }

    #[test]
    fn halves_go_their_own_ways() {
        let brow = ActionUnit::from_code(2).unwrap();
        let a = Pose::NEUTRAL.with(Sides::Left, brow, 1.0);
        let b = Pose::NEUTRAL.with(Sides::Right, brow, 1.0);
        let middle = a.lerp(&b, 0.25);
        assert_eq!(middle.of(Sides::Left, brow), 0.75);
        assert_eq!(middle.of(Sides::Right, brow), 0.25);
        assert_eq!(a.distance(&b), 1.0);
        assert_eq!(a.lerp(&b, 1.0), b);
    }
}
