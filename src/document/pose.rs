//! An expression whose two halves may differ, with the head's turn, place and size, and the gaze.
//!
//! Action Units are bilateral: one value moves both halves of the face. A [`Pose`] has a vector for each half, and the
//! pictures made from the two are joined along the face's midline.

use serde::{Deserialize, Serialize};

use crate::document::au::{AuVector, lerp};
use crate::document::channel::Channel;
use crate::document::head::{Bounded, Gaze, HeadPlace, HeadTurn};

/// Halves of the face as seen in the picture: the left half is the one on the left of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sides {
    /// The whole face.
    #[default]
    Both,
    /// The half on the left of the picture.
    Left,
    /// The half on the right of the picture.
    Right,
}

impl Sides {
    /// All choices, in the order in which they are displayed.
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

/// Action Unit intensities of each half of the face, with the head's turn, place and size, and the gaze.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Pose {
    /// The half on the left of the picture.
    pub left: AuVector,
    /// The half on the right of the picture.
    pub right: AuVector,
    /// The head's rotation from the portrait's own.
    #[serde(default, skip_serializing_if = "HeadTurn::is_neutral")]
    pub head: HeadTurn,
    /// The eyes' rotation from where the portrait looks.
    #[serde(default, skip_serializing_if = "Gaze::is_neutral")]
    pub gaze: Gaze,
    /// The head's place and size relative to the portrait.
    #[serde(default, skip_serializing_if = "HeadPlace::is_neutral")]
    pub place: HeadPlace,
}

impl Pose {
    /// The relaxed face, with head and eyes as in the portrait.
    pub const NEUTRAL: Pose = Pose {
        left: AuVector::NEUTRAL,
        right: AuVector::NEUTRAL,
        head: HeadTurn::NEUTRAL,
        gaze: Gaze::NEUTRAL,
        place: HeadPlace::NEUTRAL,
    };

    /// Whether both halves of the face are the same.
    pub fn is_even(&self) -> bool {
        self.left == self.right
    }

    /// A channel's value in its range; for a unit whose halves differ, the mean of the two.
    pub fn get(&self, channel: impl Into<Channel>) -> f32 {
        self.of(Sides::Both, channel)
    }

    /// A channel's value on some halves, in its range; for both, the mean of the two.
    pub fn of(&self, sides: Sides, channel: impl Into<Channel>) -> f32 {
        let (left, right) = self.halves(channel);
        match sides {
            Sides::Left => left,
            Sides::Right => right,
            Sides::Both if left == right => left,
            Sides::Both => 0.5 * (left + right),
        }
    }

    /// A channel's values on the left and the right half; for head and eyes they are equal.
    pub fn halves(&self, channel: impl Into<Channel>) -> (f32, f32) {
        let value = match channel.into() {
            Channel::Unit(unit) => return (self.left.get(unit), self.right.get(unit)),
            Channel::Yaw => self.head.yaw.get(),
            Channel::Pitch => self.head.pitch.get(),
            Channel::Roll => self.head.roll.get(),
            Channel::GazeX => self.gaze.x.get(),
            Channel::GazeY => self.gaze.y.get(),
            Channel::PlaceX => self.place.x.get(),
            Channel::PlaceY => self.place.y.get(),
            Channel::Size => self.place.size.get(),
        };
        (value, value)
    }

    /// Sets a channel on some halves, as [`AuVector::set`], [`HeadTurn::new`], [`Gaze::new`] and [`HeadPlace::new`] do.
    /// Head and eyes have no halves, so `sides` doesn't apply to them.
    pub fn set(&mut self, sides: Sides, channel: impl Into<Channel>, value: f32) {
        match channel.into() {
            Channel::Unit(unit) => {
                if sides != Sides::Right {
                    self.left.set(unit, value);
                }
                if sides != Sides::Left {
                    self.right.set(unit, value);
                }
            }
            Channel::Yaw => self.head.yaw = Bounded::new(value),
            Channel::Pitch => self.head.pitch = Bounded::new(value),
            Channel::Roll => self.head.roll = Bounded::new(value),
            Channel::GazeX => self.gaze.x = Bounded::new(value),
            Channel::GazeY => self.gaze.y = Bounded::new(value),
            Channel::PlaceX => self.place.x = Bounded::new(value),
            Channel::PlaceY => self.place.y = Bounded::new(value),
            Channel::Size => self.place.size = Bounded::new(value),
        }
    }

    /// Sets a channel's values on the left and the right half; head and eyes get their mean.
    pub fn set_halves(&mut self, channel: Channel, halves: (f32, f32)) {
        let (left, right) = channel.clamped_halves(halves);
        self.set(Sides::Left, channel, left);
        self.set(Sides::Right, channel, right);
    }

    /// The same pose with one channel set on some halves, as [`Pose::set`] does.
    pub fn with(mut self, sides: Sides, channel: impl Into<Channel>, value: f32) -> Self {
        self.set(sides, channel, value);
        self
    }

    /// The same pose with the Action Units of some halves replaced. Head and eyes stay.
    pub fn with_all(self, sides: Sides, aus: AuVector) -> Self {
        match sides {
            Sides::Both => Pose {
                left: aus,
                right: aus,
                ..self
            },
            Sides::Left => Pose { left: aus, ..self },
            Sides::Right => Pose { right: aus, ..self },
        }
    }

    /// The same pose with the Action Units of some halves copied from another. Head and eyes stay.
    pub fn with_units(self, sides: Sides, of: &Pose) -> Self {
        let (left, right) = match sides {
            Sides::Both => (of.left, of.right),
            Sides::Left => (of.left, self.right),
            Sides::Right => (self.left, of.right),
        };
        Self {
            left,
            right,
            ..self
        }
    }

    /// The same Action Units with head and eyes as in the portrait.
    pub fn facing_as_portrait(self) -> Self {
        Pose {
            head: HeadTurn::NEUTRAL,
            gaze: Gaze::NEUTRAL,
            place: HeadPlace::NEUTRAL,
            ..self
        }
    }

    /// The same pose with every Action Unit clamped to [`AuVector::USUAL`].
    pub fn clamped_to_usual(self) -> Self {
        Pose {
            left: self.left.clamped_to_usual(),
            right: self.right.clamped_to_usual(),
            ..self
        }
    }

    /// The same Action Units and gaze with the head as in the portrait.
    pub fn with_head_still(self) -> Self {
        Pose {
            head: HeadTurn::NEUTRAL,
            place: HeadPlace::NEUTRAL,
            ..self
        }
    }

    /// Whether every Action Unit is in [`AuVector::USUAL`].
    pub fn is_usual(&self) -> bool {
        self.left.is_usual() && self.right.is_usual()
    }

    /// `(1 - t) * self + t * other`, for `t` in 0..=1; the ends are exact.
    pub fn lerp(&self, other: &Pose, t: f32) -> Pose {
        let mut pose = Pose {
            left: self.left.lerp(&other.left, t),
            right: self.right.lerp(&other.right, t),
            ..Pose::NEUTRAL
        };
        for channel in Channel::HEAD_AND_EYES {
            let value = lerp(self.get(channel), other.get(channel), t);
            pose.set(Sides::Both, channel, value);
        }
        pose
    }

    /// The largest difference of any channel on either half, as a fraction of its usual range.
    pub fn distance(&self, other: &Pose) -> f32 {
        let units = self.left.distance(&other.left);
        let units = units.max(self.right.distance(&other.right));
        let turned =
            |channel: Channel| (self.get(channel) - other.get(channel)).abs() / channel.width();
        Channel::HEAD_AND_EYES
            .into_iter()
            .map(turned)
            .fold(units, f32::max)
    }
}

impl From<AuVector> for Pose {
    fn from(aus: AuVector) -> Self {
        Self {
            left: aus,
            right: aus,
            ..Self::NEUTRAL
        }
    }
}

/// Whether both halves have these Action Units, with head and eyes as in the portrait.
impl PartialEq<AuVector> for Pose {
    fn eq(&self, other: &AuVector) -> bool {
        *self == Pose::from(*other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::au::ActionUnit;
    use proptest::prelude::*;

    #[test]
    fn the_halves_of_a_pose_are_set_separately_or_together() {
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
    fn the_halves_of_a_pose_are_interpolated_independently() {
        let brow = ActionUnit::from_code(2).unwrap();
        let a = Pose::NEUTRAL.with(Sides::Left, brow, 1.0);
        let b = Pose::NEUTRAL.with(Sides::Right, brow, 1.0);
        let middle = a.lerp(&b, 0.25);
        assert_eq!(middle.of(Sides::Left, brow), 0.75);
        assert_eq!(middle.of(Sides::Right, brow), 0.25);
        assert_eq!(a.distance(&b), 1.0);
        assert_eq!(a.lerp(&b, 1.0), b);
    }

    #[test]
    fn head_and_gaze_ignore_the_chosen_half_of_the_face() {
        let pose = Pose::NEUTRAL.with(Sides::Left, Channel::Yaw, 12.0).with(
            Sides::Right,
            Channel::GazeY,
            -90.0,
        );
        assert_eq!(pose.halves(Channel::Yaw), (12.0, 12.0));
        assert_eq!((pose.head.yaw(), pose.gaze.y()), (12.0, -25.0));
        assert!(pose.is_even(), "no half of the face differs");
        assert_ne!(pose, AuVector::NEUTRAL);
        assert_eq!(pose.facing_as_portrait(), Pose::NEUTRAL);
        let preset = pose.with_all(Sides::Both, AuVector::from([1.0; ActionUnit::COUNT]));
        assert_eq!(preset.head, pose.head, "a preset has only units");
    }

    #[test]
    fn a_turn_from_end_to_end_counts_like_a_unit_from_none_to_full() {
        let at = |yaw: f32| Pose::NEUTRAL.with(Sides::Both, Channel::Yaw, yaw);
        assert_eq!(at(-20.0).distance(&at(20.0)), 1.0);
        assert_eq!(at(0.0).distance(&at(10.0)), 0.25);
        assert_eq!(at(0.0).lerp(&at(10.0), 0.5), at(5.0));
    }

    #[test]
    fn the_full_range_of_a_head_angle_is_a_distance_of_1() {
        let smile = ActionUnit::from_code(12).unwrap();
        let pose =
            Pose::NEUTRAL
                .with(Sides::Left, smile, 1.4)
                .with(Sides::Both, Channel::Yaw, -20.0);
        assert!(!pose.is_usual());
        assert_eq!(pose.clamped_to_usual(), pose.with(Sides::Left, smile, 1.0));
        assert!(pose.clamped_to_usual().is_usual());
        let opposite = Pose::NEUTRAL.with(Sides::Right, smile, -0.2);
        assert_eq!(opposite.clamped_to_usual(), Pose::NEUTRAL);
        assert!((pose.lerp(&opposite, 0.5).of(Sides::Left, smile) - 0.7).abs() < 1e-6);
    }

    #[test]
    fn the_heads_place_and_size_belong_to_the_head() {
        let placed = Pose::NEUTRAL
            .with(Sides::Left, Channel::PlaceX, 30.0)
            .with(Sides::Right, Channel::PlaceY, -99.0)
            .with(Sides::Both, Channel::Size, 120.0);
        assert_eq!(placed.place, HeadPlace::new(30.0, -50.0, 120.0));
        assert!(placed.is_even() && placed.is_usual());
        assert_eq!(placed.facing_as_portrait(), Pose::NEUTRAL);
        assert_eq!(placed.with_head_still(), Pose::NEUTRAL);
        let half = Pose::NEUTRAL.lerp(&placed, 0.5);
        assert_eq!(half.place, HeadPlace::new(15.0, -25.0, 110.0));
        let ends = [70.0, 140.0].map(|size| Pose::NEUTRAL.with(Sides::Both, Channel::Size, size));
        assert_eq!(ends[0].distance(&ends[1]), 1.0);
    }

    #[test]
    fn only_nonzero_angles_are_saved() {
        let relaxed = r#"{"left":{},"right":{}}"#;
        assert_eq!(serde_json::to_string(&Pose::NEUTRAL).unwrap(), relaxed);
        assert_eq!(
            serde_json::from_str::<Pose>(relaxed).unwrap(),
            Pose::NEUTRAL
        );
        let turned = Pose {
            head: HeadTurn::new(0.0, -7.1, 0.0),
            gaze: Gaze::new(0.1, 0.0),
            ..Pose::NEUTRAL
        };
        let text = r#"{"left":{},"right":{},"head":{"pitch":-7.1},"gaze":{"x":0.1}}"#;
        assert_eq!(serde_json::to_string(&turned).unwrap(), text);
        assert_eq!(serde_json::from_str::<Pose>(text).unwrap(), turned);
        let placed = Pose {
            place: HeadPlace::new(0.0, 12.5, 90.0),
            ..Pose::NEUTRAL
        };
        let text = r#"{"left":{},"right":{},"place":{"y":12.5,"size":90.0}}"#;
        assert_eq!(serde_json::to_string(&placed).unwrap(), text);
        assert_eq!(serde_json::from_str::<Pose>(text).unwrap(), placed);
        for (odd, part) in [
            (
                r#"{"left":{},"right":{},"head":{"yaw":21}}"#,
                "from -20 to 20",
            ),
            (
                r#"{"left":{},"right":{},"gaze":{"y":-25.5}}"#,
                "from -25 to 25",
            ),
            (r#"{"left":{},"right":{},"head":{"jaw":1}}"#, "jaw"),
            (
                r#"{"left":{},"right":{},"place":{"size":1.2}}"#,
                "from 70 to 140",
            ),
            (r#"{"left":{},"right":{},"place":{"z":1}}"#, "z"),
        ] {
            let problem = serde_json::from_str::<Pose>(odd).unwrap_err().to_string();
            assert!(problem.contains(part), "{problem}");
        }
    }

    fn poses() -> impl Strategy<Value = Pose> {
        let values = proptest::array::uniform32(any::<f32>());
        values.prop_map(|values| {
            Channel::ALL
                .into_iter()
                .zip(values)
                .fold(Pose::NEUTRAL, |pose, (channel, value)| {
                    let sides = Sides::ALL[(value.to_bits() % 3) as usize];
                    // Most floats are huge; these are within the range as often as not.
                    pose.with(sides, channel, value % (2.0 * channel.width()))
                })
        })
    }

    proptest! {
        #[test]
        fn poses_round_trip_through_json_and_interpolation_stays_in_range(a in poses(), b in poses(), t in -0.5f32..1.5) {
            let text = serde_json::to_string(&a).unwrap();
            prop_assert_eq!(serde_json::from_str::<Pose>(&text).unwrap(), a, "{}", text);
            let between = a.lerp(&b, t);
            for channel in Channel::ALL {
                let (left, right) = between.halves(channel);
                prop_assert!(channel.range().contains(&left) && channel.range().contains(&right));
                prop_assert!(channel.unit().is_some() || left == right);
            }
            prop_assert_eq!(a.lerp(&b, 0.0), a);
            prop_assert_eq!(a.lerp(&b, 1.0), b);
            prop_assert!((0.0..=2.0).contains(&a.distance(&b)));
            prop_assert_eq!(a.distance(&b), b.distance(&a));
            prop_assert_eq!(a.distance(&b) == 0.0, a == b);
        }

        #[test]
        fn a_small_interpolation_step_is_a_small_change_of_pose(a in poses(), b in poses(), t in 0f32..=0.99) {
            // The largest distance is from one end of the extended range to the other.
            let distance = a.distance(&b);
            prop_assert!(a.lerp(&b, t).distance(&a.lerp(&b, t + 0.01)) <= 0.01 * distance + 1e-4);
        }
    }
}
