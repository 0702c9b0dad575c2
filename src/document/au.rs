//! The seventeen Action Units of the Facial Action Coding System that OpenFace reads and GANimation was trained on.

use std::fmt;
use std::ops::RangeInclusive;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Where on the face an Action Unit acts; the sliders are grouped by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// AU1, AU2 and AU4.
    Brows,
    /// Lids and cheeks: AU5, AU6, AU7 and AU45.
    Eyes,
    /// AU9.
    Nose,
    /// Lips and their corners: AU10, AU12, AU14, AU15, AU20, AU23 and AU25.
    Mouth,
    /// Chin and jaw: AU17 and AU26.
    Jaw,
}

impl Group {
    /// All groups, from the forehead down.
    pub const ALL: [Group; 5] = [
        Group::Brows,
        Group::Eyes,
        Group::Nose,
        Group::Mouth,
        Group::Jaw,
    ];

    /// The heading shown above the group's sliders.
    pub fn title(self) -> &'static str {
        match self {
            Group::Brows => "Brows",
            Group::Eyes => "Eyes",
            Group::Nose => "Nose",
            Group::Mouth => "Mouth",
            Group::Jaw => "Jaw",
        }
    }

    /// The Action Units of this group, in FACS order.
    pub fn units(self) -> impl Iterator<Item = ActionUnit> {
        ActionUnit::ALL
            .into_iter()
            .filter(move |unit| unit.group() == self)
    }
}

/// One Action Unit, stored as its index in [`ActionUnit::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActionUnit(u8);

/// FACS code, name and group of each unit, in OpenFace order.
const TABLE: [(u8, &str, Group); ActionUnit::COUNT] = [
    (1, "Inner brow raiser", Group::Brows),
    (2, "Outer brow raiser", Group::Brows),
    (4, "Brow lowerer", Group::Brows),
    (5, "Upper lid raiser", Group::Eyes),
    (6, "Cheek raiser", Group::Eyes),
    (7, "Lid tightener", Group::Eyes),
    (9, "Nose wrinkler", Group::Nose),
    (10, "Upper lip raiser", Group::Mouth),
    (12, "Lip corner puller", Group::Mouth),
    (14, "Dimpler", Group::Mouth),
    (15, "Lip corner depressor", Group::Mouth),
    (17, "Chin raiser", Group::Jaw),
    (20, "Lip stretcher", Group::Mouth),
    (23, "Lip tightener", Group::Mouth),
    (25, "Lips part", Group::Mouth),
    (26, "Jaw drop", Group::Jaw),
    (45, "Blink", Group::Eyes),
];

impl ActionUnit {
    /// How many units there are.
    pub const COUNT: usize = 17;

    /// All units in OpenFace order: 1 2 4 5 6 7 9 10 12 14 15 17 20 23 25 26 45.
    pub const ALL: [ActionUnit; ActionUnit::COUNT] = {
        let mut all = [ActionUnit(0); ActionUnit::COUNT];
        let mut i = 0;
        while i < ActionUnit::COUNT {
            all[i] = ActionUnit(i as u8);
            i += 1;
        }
        all
    };

    /// Returns the unit with this FACS code, or `None` if Mien doesn't have it.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.code() == code)
    }

    /// The FACS code, such as 12.
    pub fn code(self) -> u8 {
        TABLE[self.index()].0
    }

    /// The FACS name, such as "Lip corner puller".
    pub fn name(self) -> &'static str {
        TABLE[self.index()].1
    }

    /// Where on the face the unit acts.
    pub fn group(self) -> Group {
        TABLE[self.index()].2
    }

    /// The unit's index in [`ActionUnit::ALL`].
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for ActionUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AU{}", self.code())
    }
}

/// Why an Action Unit value is rejected.
#[derive(Debug, Clone, PartialEq, Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum AuError {
    /// No such unit; holds the code as it was written.
    #[error("{0:?} is not an Action Unit that Mien knows; use one of {list}.", list = codes())]
    Unknown(String),
    /// Outside [`AuVector::RANGE`].
    #[error(
        "AU{code}={value} is out of range; use a value from 0 (relaxed) to 1 (full), at most from {min} to {max}.",
        min = AuVector::RANGE.start(), max = AuVector::RANGE.end()
    )]
    OutOfRange { code: u8, value: String },
    /// Outside 0..=1, where values beyond it aren't accepted.
    #[error("AU{code}={value} is out of range; use a value from 0 (relaxed) to 1 (full).")]
    Unusual { code: u8, value: String },
    /// Not of the form `code=value`.
    #[error(
        "{0:?} is not an Action Unit setting; write the code, an equals sign and a value from 0 to 1, such as 12=0.8."
    )]
    Malformed(String),
}

fn codes() -> String {
    ActionUnit::ALL
        .iter()
        .map(|unit| unit.code().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Intensities of the seventeen Action Units: 0 is relaxed and 1 is full. Values read from a face are in that range; an
/// artist may exceed it, within [`AuVector::RANGE`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AuVector([f32; ActionUnit::COUNT]);

impl From<[f32; ActionUnit::COUNT]> for AuVector {
    /// Clamps values read from a face, in the order of [`ActionUnit::ALL`], to [`AuVector::USUAL`]; NaN becomes 0.
    fn from(values: [f32; ActionUnit::COUNT]) -> Self {
        AuVector(values.map(|value| clamp_or_zero(value, AuVector::USUAL)))
    }
}

impl AuVector {
    /// The relaxed face.
    pub const NEUTRAL: AuVector = AuVector([0.0; ActionUnit::COUNT]);

    /// The accepted values.
    pub const RANGE: RangeInclusive<f32> = -0.5..=1.5;

    /// From relaxed to full.
    pub const USUAL: RangeInclusive<f32> = 0.0..=1.0;

    /// The value of one unit, in [`AuVector::RANGE`].
    pub fn get(&self, unit: ActionUnit) -> f32 {
        self.0[unit.index()]
    }

    /// Sets one unit, clamped to [`AuVector::RANGE`]; NaN becomes 0.
    pub fn set(&mut self, unit: ActionUnit, value: f32) {
        self.0[unit.index()] = clamp_or_zero(value, AuVector::RANGE);
    }

    /// Returns the vector with every value clamped to [`AuVector::USUAL`].
    pub fn clamped_to_usual(&self) -> AuVector {
        AuVector::from(self.0)
    }

    /// Whether every value is in [`AuVector::USUAL`].
    pub fn is_usual(&self) -> bool {
        self.0.iter().all(|value| AuVector::USUAL.contains(value))
    }

    /// # Errors
    /// [`AuError::Unusual`] for the first value outside [`AuVector::USUAL`].
    pub fn check_usual(&self) -> Result<(), AuError> {
        let mut units = ActionUnit::ALL.into_iter();
        match units.find(|unit| !AuVector::USUAL.contains(&self.get(*unit))) {
            None => Ok(()),
            Some(unit) => Err(AuError::Unusual {
                code: unit.code(),
                value: self.get(unit).to_string(),
            }),
        }
    }

    /// Returns the vector with one unit set, as by [`AuVector::set`].
    pub fn with(mut self, unit: ActionUnit, value: f32) -> Self {
        self.set(unit, value);
        self
    }

    /// All values in the order of [`ActionUnit::ALL`].
    pub fn values(&self) -> &[f32; ActionUnit::COUNT] {
        &self.0
    }

    /// `(1 - t) * self + t * other`, for `t` in 0..=1; the ends are exact.
    pub fn lerp(&self, other: &AuVector, t: f32) -> AuVector {
        AuVector(std::array::from_fn(|i| lerp(self.0[i], other.0[i], t)))
    }

    /// The largest difference of any one unit; at most 1 between usual values.
    pub fn distance(&self, other: &AuVector) -> f32 {
        self.0
            .iter()
            .zip(&other.0)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max)
    }

    /// Parses a setting such as `12=0.8` or `AU12=0.8`.
    ///
    /// # Errors
    /// [`AuError`] when the text isn't a setting, the unit is unknown, or the value isn't a number in
    /// [`AuVector::RANGE`].
    pub fn parse_setting(text: &str) -> Result<(ActionUnit, f32), AuError> {
        let malformed = || AuError::Malformed(text.to_owned());
        let (unit, value) = text.split_once('=').ok_or_else(malformed)?;
        let unit = parse_unit(unit)?;
        let number: f32 = value.trim().parse().map_err(|_| malformed())?;
        checked(unit, number)?;
        Ok((unit, number))
    }
}

/// Clamps a value to a range; NaN becomes 0.
fn clamp_or_zero(value: f32, range: RangeInclusive<f32>) -> f32 {
    if value.is_nan() {
        return 0.0;
    }
    // -0 becomes 0, so that equal values have the same cache key.
    value.clamp(*range.start(), *range.end()) + 0.0
}

/// `(1 - t) * from + t * to`, for `t` in 0..=1; the ends are exact.
pub(super) fn lerp(from: f32, to: f32, t: f32) -> f32 {
    let t = if t.is_nan() { 0.0 } else { t.clamp(0.0, 1.0) };
    if t == 1.0 { to } else { from + (to - from) * t }
}

fn parse_unit(text: &str) -> Result<ActionUnit, AuError> {
    let text = text.trim();
    let digits = text
        .strip_prefix("AU")
        .or_else(|| text.strip_prefix("au"))
        .unwrap_or(text);
    digits
        .parse()
        .ok()
        .and_then(ActionUnit::from_code)
        .ok_or_else(|| AuError::Unknown(text.to_owned()))
}

fn checked(unit: ActionUnit, value: f32) -> Result<f32, AuError> {
    if AuVector::RANGE.contains(&value) {
        Ok(value)
    } else {
        Err(AuError::OutOfRange {
            code: unit.code(),
            value: value.to_string(),
        })
    }
}

/// Serialized as `{"AU6": 0.7, "AU12": 0.9}`: only nonzero values, in FACS order.
impl Serialize for AuVector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            ActionUnit::ALL
                .into_iter()
                .filter(|unit| self.get(*unit) != 0.0)
                .map(|unit| (unit.to_string(), shortest(self.get(unit)))),
        )
    }
}

/// Converts an f32 to the f64 that prints with the same few digits (0.7, not 0.699999988).
pub(super) fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

impl<'de> Deserialize<'de> for AuVector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = std::collections::BTreeMap::<String, f32>::deserialize(deserializer)?;
        let mut vector = AuVector::NEUTRAL;
        for (name, value) in map {
            let unit = parse_unit(&name).map_err(D::Error::custom)?;
            vector.set(unit, checked(unit, value).map_err(D::Error::custom)?);
        }
        Ok(vector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_parsed_and_invalid_ones_refused() {
        assert_eq!(
            AuVector::parse_setting("AU12=0.8").map(|(u, v)| (u.code(), v)),
            Ok((12, 0.8))
        );
        assert_eq!(
            AuVector::parse_setting(" 45 = 1 ").map(|(u, v)| (u.code(), v)),
            Ok((45, 1.0))
        );
        for (text, value) in [("12=1.3", 1.3), ("12=-0.5", -0.5), ("12=1.5", 1.5)] {
            assert_eq!(AuVector::parse_setting(text).unwrap().1, value);
        }
        for (text, part) in [
            ("3=0.5", "not an Action Unit that Mien knows"),
            ("smile=1", "not an Action Unit that Mien knows"),
            ("12", "write the code"),
            ("12=much", "write the code"),
            ("12=1.51", "from -0.5 to 1.5"),
            ("12=-0.51", "out of range"),
            ("12=NaN", "out of range"),
            ("12=inf", "out of range"),
        ] {
            let error = AuVector::parse_setting(text).expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn every_action_unit_belongs_to_one_group_and_codes_are_in_openface_order() {
        let codes: Vec<u8> = ActionUnit::ALL.iter().map(|u| u.code()).collect();
        assert_eq!(
            codes,
            [1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45]
        );
        let grouped: usize = Group::ALL.iter().map(|g| g.units().count()).sum();
        assert_eq!(grouped, ActionUnit::COUNT);
    }

    #[test]
    fn action_units_round_trip_through_readable_json() {
        let smile = AuVector::NEUTRAL
            .with(ActionUnit::from_code(6).unwrap(), 0.7)
            .with(ActionUnit::from_code(12).unwrap(), 0.9);
        let text = serde_json::to_string(&smile).unwrap();
        assert_eq!(text, r#"{"AU6":0.7,"AU12":0.9}"#);
        assert_eq!(serde_json::from_str::<AuVector>(&text).unwrap(), smile);
        assert!(serde_json::from_str::<AuVector>(r#"{"AU3": 0.5}"#).is_err());
        assert!(serde_json::from_str::<AuVector>(r#"{"AU12": 2}"#).is_err());
    }

    #[test]
    fn every_set_value_is_clamped_to_its_range() {
        let unit = ActionUnit::ALL[0];
        let mut vector = AuVector::NEUTRAL;
        let usual = AuVector::USUAL;
        for (given, kept) in [
            (-1.0, -0.5),
            (2.0, 1.5),
            (f32::NAN, 0.0),
            (0.25, 0.25),
            (1.3, 1.3),
        ] {
            vector.set(unit, given);
            assert_eq!(vector.get(unit), kept);
            assert_eq!(vector.is_usual(), usual.contains(&kept));
            let held = vector.clamped_to_usual();
            assert_eq!(held.get(unit), kept.clamp(*usual.start(), *usual.end()));
            // Values read from a face never go beyond the usual range.
            assert_eq!(
                AuVector::from([given; ActionUnit::COUNT]).get(unit),
                held.get(unit)
            );
        }
        let beyond = AuVector::NEUTRAL.with(unit, 1.3);
        let text = serde_json::to_string(&beyond).unwrap();
        assert_eq!(serde_json::from_str::<AuVector>(&text).unwrap(), beyond);
    }
}
