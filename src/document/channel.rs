//! The channels of an expression: one for each Action Unit, and eight for the head and the eyes.

use std::fmt;
use std::ops::RangeInclusive;

use crate::document::au::{ActionUnit, AuVector};
use crate::document::head::{Gaze, HeadPlace, HeadTurn};

/// One scalar of an expression: an Action Unit's intensity, an angle, or the head's place and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// An Action Unit's intensity.
    Unit(ActionUnit),
    /// Head turn, towards the picture's right.
    Yaw,
    /// Head nod, downwards.
    Pitch,
    /// Head tilt, clockwise in the picture.
    Roll,
    /// Gaze towards the picture's right.
    GazeX,
    /// Gaze upwards.
    GazeY,
    /// Head to the picture's right.
    PlaceX,
    /// Head up.
    PlaceY,
    /// Size of the head.
    Size,
}

/// The range of values that the controls offer for Action Units; head and eyes have a single range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SliderRange {
    /// From relaxed to full.
    #[default]
    Usual,
    /// Also below relaxed and above full.
    Beyond,
}

impl From<ActionUnit> for Channel {
    fn from(unit: ActionUnit) -> Self {
        Channel::Unit(unit)
    }
}

impl Channel {
    /// How many channels there are.
    pub const COUNT: usize = ActionUnit::COUNT + Channel::HEAD_AND_EYES.len();

    /// The turns of head and eyes, in degrees.
    pub const ANGLES: [Channel; 5] = [
        Channel::Yaw,
        Channel::Pitch,
        Channel::Roll,
        Channel::GazeX,
        Channel::GazeY,
    ];

    /// The head's place and size, in percent.
    pub const PLACE: [Channel; 3] = [Channel::PlaceX, Channel::PlaceY, Channel::Size];

    /// The channels of the head and the eyes: [`Channel::ANGLES`], then [`Channel::PLACE`].
    pub const HEAD_AND_EYES: [Channel; 8] = {
        let [yaw, pitch, roll, gaze_x, gaze_y] = Channel::ANGLES;
        let [place_x, place_y, size] = Channel::PLACE;
        [yaw, pitch, roll, gaze_x, gaze_y, place_x, place_y, size]
    };

    /// All channels: the Action Units in their order, then head and eyes.
    pub const ALL: [Channel; Channel::COUNT] = {
        let mut all = [Channel::Yaw; Channel::COUNT];
        let mut i = 0;
        while i < Channel::COUNT {
            all[i] = if i < ActionUnit::COUNT {
                Channel::Unit(ActionUnit::ALL[i])
            } else {
                Channel::HEAD_AND_EYES[i - ActionUnit::COUNT]
            };
            i += 1;
        }
        all
    };

    /// The value at rest: of an Action Unit that of the relaxed face, of head and eyes that of the portrait.
    pub fn neutral(self) -> f32 {
        match self {
            Channel::Size => HeadPlace::NEUTRAL.size(),
            _ => 0.0,
        }
    }

    /// The channel's index in [`Channel::ALL`].
    pub fn index(self) -> usize {
        let after_units = match self {
            Channel::Unit(unit) => return unit.index(),
            Channel::Yaw => 0,
            Channel::Pitch => 1,
            Channel::Roll => 2,
            Channel::GazeX => 3,
            Channel::GazeY => 4,
            Channel::PlaceX => 5,
            Channel::PlaceY => 6,
            Channel::Size => 7,
        };
        ActionUnit::COUNT + after_units
    }

    /// Returns the Action Unit, if the channel is one.
    pub fn unit(self) -> Option<ActionUnit> {
        match self {
            Channel::Unit(unit) => Some(unit),
            _ => None,
        }
    }

    /// The slider's label.
    pub fn title(self) -> &'static str {
        match self {
            Channel::Unit(unit) => unit.name(),
            Channel::Yaw => "Turn",
            Channel::Pitch => "Nod",
            Channel::Roll => "Tilt",
            Channel::GazeX => "Look left/right",
            Channel::GazeY => "Look up/down",
            Channel::PlaceX => "Move left/right",
            Channel::PlaceY => "Move up/down",
            Channel::Size => "Size",
        }
    }

    /// Returns the channel with this name in files, such as `AU12` or `yaw`.
    pub fn from_key(key: &str) -> Option<Self> {
        if let Some(code) = key.strip_prefix("AU") {
            return Some(ActionUnit::from_code(code.parse().ok()?)?.into());
        }
        Channel::HEAD_AND_EYES
            .into_iter()
            .find(|channel| channel.to_string() == key)
    }

    /// The accepted values: an Action Unit's intensity, an angle in degrees, or the head's place or size in percent.
    pub fn range(self) -> RangeInclusive<f32> {
        self.limits(SliderRange::Beyond)
    }

    /// The values that the controls offer: of an Action Unit by `range`, of an angle in degrees, of the head's place in
    /// percent of the face's width, of its size in percent of the portrait's.
    pub fn limits(self, range: SliderRange) -> RangeInclusive<f32> {
        match self {
            Channel::Unit(_) => match range {
                SliderRange::Usual => AuVector::USUAL,
                SliderRange::Beyond => AuVector::RANGE,
            },
            Channel::Yaw | Channel::Pitch | Channel::Roll => HeadTurn::RANGE,
            Channel::GazeX | Channel::GazeY => Gaze::RANGE,
            Channel::PlaceX | Channel::PlaceY => HeadPlace::RANGE,
            Channel::Size => HeadPlace::SIZES,
        }
    }

    /// The unit of measure to write after a value.
    pub fn unit_text(self) -> &'static str {
        match self {
            Channel::Unit(_) => "",
            Channel::PlaceX | Channel::PlaceY | Channel::Size => " %",
            _ => "°",
        }
    }

    /// The width of the usual range.
    pub fn width(self) -> f32 {
        let range = self.limits(SliderRange::Usual);
        range.end() - range.start()
    }

    /// Clamps a value to [`Channel::range`]; NaN becomes [`Channel::neutral`].
    pub fn clamped(self, value: f32) -> f32 {
        if value.is_nan() {
            return self.neutral();
        }
        let range = self.range();
        value.clamp(*range.start(), *range.end())
    }

    /// Clamps the values of both halves of the face. Head and eyes have a single value, the mean of the two.
    pub(super) fn clamped_halves(self, (left, right): (f32, f32)) -> (f32, f32) {
        let halves = (self.clamped(left), self.clamped(right));
        if self.unit().is_some() || halves.0 == halves.1 {
            return halves;
        }
        let mean = 0.5 * (halves.0 + halves.1);
        (mean, mean)
    }

    /// Clamps a value to the usual range, widened to include `others`.
    pub(super) fn clamped_with(self, value: f32, others: [f32; 2]) -> f32 {
        let usual = self.limits(SliderRange::Usual);
        let low = others.iter().fold(*usual.start(), |low, v| low.min(*v));
        let high = others.iter().fold(*usual.end(), |high, v| high.max(*v));
        self.clamped(value).clamp(low, high)
    }

    /// A value's position in the usual range: 0 at its start and 1 at its end, below 0 or above 1 outside it.
    pub fn normalise(self, value: f32) -> f32 {
        (value - self.limits(SliderRange::Usual).start()) / self.width()
    }

    /// The value at a position in the usual range; the inverse of [`Channel::normalise`].
    pub fn denormalise(self, share: f32) -> f32 {
        self.limits(SliderRange::Usual).start() + share * self.width()
    }
}

/// The name in files, such as `AU12` or `yaw`.
impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Channel::Unit(unit) => unit.fmt(f),
            Channel::Yaw => f.write_str("yaw"),
            Channel::Pitch => f.write_str("pitch"),
            Channel::Roll => f.write_str("roll"),
            Channel::GazeX => f.write_str("gaze_x"),
            Channel::GazeY => f.write_str("gaze_y"),
            Channel::PlaceX => f.write_str("place_x"),
            Channel::PlaceY => f.write_str("place_y"),
            Channel::Size => f.write_str("size"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_has_a_unique_index_and_key() {
        for (i, channel) in Channel::ALL.into_iter().enumerate() {
            assert_eq!(channel.index(), i);
            assert_eq!(Channel::from_key(&channel.to_string()), Some(channel));
            assert!(channel.range().contains(&channel.neutral()));
        }
        for key in ["AU3", "AU", "Yaw", "gaze", ""] {
            assert_eq!(Channel::from_key(key), None, "{key}");
        }
    }

    #[test]
    fn normalised_values_round_trip_and_values_are_clamped() {
        for channel in Channel::ALL {
            let (usual, range) = (channel.limits(SliderRange::Usual), channel.range());
            assert_eq!(channel.normalise(*usual.start()), 0.0);
            assert_eq!(channel.normalise(*usual.end()), 1.0);
            let back = channel.denormalise(channel.normalise(0.5));
            assert!((back - 0.5).abs() < 1e-4, "{channel}: {back}");
            assert_eq!(channel.clamped(f32::INFINITY), *range.end());
            assert_eq!(channel.clamped(f32::NEG_INFINITY), *range.start());
            assert_eq!(channel.clamped(f32::NAN), channel.neutral());
        }
        assert_eq!(Channel::Yaw.clamped_halves((4.0, 8.0)), (6.0, 6.0));
        let unit = Channel::Unit(ActionUnit::ALL[0]);
        assert_eq!(unit.clamped_halves((0.2, 8.0)), (0.2, 1.5));
        assert_eq!((unit.normalise(1.3), unit.denormalise(-0.25)), (1.3, -0.25));
        // The result goes no further beyond the range than its inputs.
        assert_eq!(unit.clamped_with(1.4, [0.2, 1.0]), 1.0);
        assert_eq!(unit.clamped_with(1.4, [0.2, 1.3]), 1.3);
        assert_eq!(unit.clamped_with(-0.4, [-0.1, 1.3]), -0.1);
    }
}
