//! How head and eyes differ from the portrait: the head's turn, place and size, and the gaze.

use std::ops::RangeInclusive;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::document::au::shortest;

/// A number, finite and from `LOW` to `HIGH`; at `REST` the portrait stays as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounded<const LOW: i16, const HIGH: i16, const REST: i16>(f32);

impl<const LOW: i16, const HIGH: i16, const REST: i16> Bounded<LOW, HIGH, REST> {
    const RANGE: RangeInclusive<f32> = LOW as f32..=HIGH as f32;
    const AT_REST: Self = Self(REST as f32);

    /// Clamps to the range; NaN becomes `REST`.
    pub fn new(number: f32) -> Self {
        if number.is_nan() {
            return Self::AT_REST;
        }
        // -0 becomes 0, so that equal values have the same cache key.
        Self(number.clamp(*Self::RANGE.start(), *Self::RANGE.end()) + 0.0)
    }

    pub fn get(self) -> f32 {
        self.0
    }

    fn is_at_rest(&self) -> bool {
        *self == Self::AT_REST
    }
}

impl<const LOW: i16, const HIGH: i16, const REST: i16> Default for Bounded<LOW, HIGH, REST> {
    fn default() -> Self {
        Self::AT_REST
    }
}

impl<const LOW: i16, const HIGH: i16, const REST: i16> Serialize for Bounded<LOW, HIGH, REST> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(shortest(self.0))
    }
}

impl<'de, const LOW: i16, const HIGH: i16, const REST: i16> Deserialize<'de>
    for Bounded<LOW, HIGH, REST>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f32::deserialize(deserializer)?;
        if Self::RANGE.contains(&number) {
            Ok(Self::new(number))
        } else {
            Err(D::Error::custom(format!(
                "{number} is out of range; use a number from {LOW} to {HIGH}."
            )))
        }
    }
}

/// Degrees of the head.
pub(super) type TurnAngle = Bounded<-20, 20, 0>;
/// Degrees of the eyes.
pub(super) type GazeAngle = Bounded<-25, 25, 0>;
/// Percent of the face's width.
pub(super) type PlaceShift = Bounded<-50, 50, 0>;
/// Percent of the head's size in the portrait.
pub(super) type HeadSize = Bounded<70, 140, 100>;

/// Head rotation relative to the portrait, in degrees.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeadTurn {
    #[serde(skip_serializing_if = "Bounded::is_at_rest")]
    pub(super) yaw: TurnAngle,
    #[serde(skip_serializing_if = "Bounded::is_at_rest")]
    pub(super) pitch: TurnAngle,
    #[serde(skip_serializing_if = "Bounded::is_at_rest")]
    pub(super) roll: TurnAngle,
}

impl HeadTurn {
    /// The head as in the portrait.
    pub const NEUTRAL: HeadTurn = HeadTurn {
        yaw: Bounded::AT_REST,
        pitch: Bounded::AT_REST,
        roll: Bounded::AT_REST,
    };

    /// The accepted angles.
    pub const RANGE: RangeInclusive<f32> = TurnAngle::RANGE;

    /// Clamps the angles to [`HeadTurn::RANGE`]; NaN becomes 0.
    pub fn new(yaw: f32, pitch: f32, roll: f32) -> Self {
        Self {
            yaw: Bounded::new(yaw),
            pitch: Bounded::new(pitch),
            roll: Bounded::new(roll),
        }
    }

    /// To the picture's right.
    pub fn yaw(&self) -> f32 {
        self.yaw.0
    }

    /// Down.
    pub fn pitch(&self) -> f32 {
        self.pitch.0
    }

    /// Clockwise in the picture.
    pub fn roll(&self) -> f32 {
        self.roll.0
    }

    pub(super) fn is_neutral(&self) -> bool {
        *self == Self::NEUTRAL
    }
}

/// Eye rotation relative to the portrait, in degrees.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gaze {
    #[serde(skip_serializing_if = "Bounded::is_at_rest")]
    pub(super) x: GazeAngle,
    #[serde(skip_serializing_if = "Bounded::is_at_rest")]
    pub(super) y: GazeAngle,
}

impl Gaze {
    /// The eyes as in the portrait.
    pub const NEUTRAL: Gaze = Gaze {
        x: Bounded::AT_REST,
        y: Bounded::AT_REST,
    };

    /// The accepted angles.
    pub const RANGE: RangeInclusive<f32> = GazeAngle::RANGE;

    /// Clamps the angles to [`Gaze::RANGE`]; NaN becomes 0.
    pub fn new(x: f32, y: f32) -> Self {
        Self {
            x: Bounded::new(x),
            y: Bounded::new(y),
        }
    }

    /// To the picture's right.
    pub fn x(&self) -> f32 {
        self.x.0
    }

    /// Up.
    pub fn y(&self) -> f32 {
        self.y.0
    }

    pub(super) fn is_neutral(&self) -> bool {
        *self == Self::NEUTRAL
    }
}

/// Where the head is in the picture and how large, relative to the portrait.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeadPlace {
    #[serde(skip_serializing_if = "Bounded::is_at_rest")]
    pub(super) x: PlaceShift,
    #[serde(skip_serializing_if = "Bounded::is_at_rest")]
    pub(super) y: PlaceShift,
    #[serde(skip_serializing_if = "Bounded::is_at_rest")]
    pub(super) size: HeadSize,
}

impl HeadPlace {
    /// The head as in the portrait.
    pub const NEUTRAL: HeadPlace = HeadPlace {
        x: Bounded::AT_REST,
        y: Bounded::AT_REST,
        size: Bounded::AT_REST,
    };

    /// The accepted shifts, in percent of the face's width.
    pub const RANGE: RangeInclusive<f32> = PlaceShift::RANGE;

    /// The accepted sizes, in percent of the portrait's.
    pub const SIZES: RangeInclusive<f32> = HeadSize::RANGE;

    /// Clamps the shifts to [`HeadPlace::RANGE`] and the size to [`HeadPlace::SIZES`]; NaN leaves the portrait's.
    pub fn new(x: f32, y: f32, size: f32) -> Self {
        Self {
            x: Bounded::new(x),
            y: Bounded::new(y),
            size: Bounded::new(size),
        }
    }

    /// To the picture's right, in percent of the face's width from ear to ear.
    pub fn x(&self) -> f32 {
        self.x.0
    }

    /// Up, in percent of the face's width.
    pub fn y(&self) -> f32 {
        self.y.0
    }

    /// In percent of the head's size in the portrait.
    pub fn size(&self) -> f32 {
        self.size.0
    }

    pub(super) fn is_neutral(&self) -> bool {
        *self == Self::NEUTRAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_clamped_and_nan_is_the_portraits_own() {
        assert_eq!(
            HeadTurn::new(f32::NAN, 99.0, -99.0),
            HeadTurn::new(0.0, 20.0, -20.0)
        );
        assert_eq!(
            HeadPlace::new(f32::NAN, -99.0, f32::NAN),
            HeadPlace::new(0.0, -50.0, 100.0)
        );
        assert_eq!(HeadPlace::new(-0.0, 0.0, 1e9).size(), 140.0);
        assert_eq!(HeadPlace::new(0.0, 0.0, 100.0), HeadPlace::NEUTRAL);
        assert_eq!(HeadPlace::default(), HeadPlace::NEUTRAL);
    }
}
