//! The landmarks of a face that the artist has moved.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Displacements of landmarks from where they were detected: to the right and down in the picture, as fractions of the
/// face's height. The area around a landmark follows it; how far depends on the method.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "BTreeMap<u16, [f32; 2]>")]
pub struct LandmarkOffsets(BTreeMap<u16, [f32; 2]>);

impl From<BTreeMap<u16, [f32; 2]>> for LandmarkOffsets {
    /// Sets each with [`LandmarkOffsets::set`].
    fn from(given: BTreeMap<u16, [f32; 2]>) -> Self {
        let mut offsets = Self::default();
        for (landmark, offset) in given {
            offsets.set(landmark, offset);
        }
        offsets
    }
}

impl LandmarkOffsets {
    /// The number of landmarks of a face; they are numbered from 0.
    pub const LANDMARKS: u16 = 478;

    /// The largest displacement along either axis.
    pub const MAX_OFFSET: f32 = 0.5;

    /// Whether no landmark is displaced.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The displacement of one landmark, without that of its neighbours.
    pub fn get(&self, landmark: u16) -> [f32; 2] {
        self.0.get(&landmark).copied().unwrap_or_default()
    }

    /// Displaces a landmark, clamped to [`LandmarkOffsets::MAX_OFFSET`] along each axis; NaN counts as 0. A zero
    /// displacement removes the entry, and a number that isn't a landmark is ignored.
    pub fn set(&mut self, landmark: u16, offset: [f32; 2]) {
        let clamped = |v: f32| {
            let v = if v.is_nan() { 0.0 } else { v };
            // -0 becomes 0, so that equal values have the same cache key.
            v.clamp(-Self::MAX_OFFSET, Self::MAX_OFFSET) + 0.0
        };
        let offset = offset.map(clamped);
        if offset == [0.0; 2] || landmark >= Self::LANDMARKS {
            self.0.remove(&landmark);
        } else {
            self.0.insert(landmark, offset);
        }
    }

    /// The displaced landmarks in ascending order, with their displacements.
    pub fn iter(&self) -> impl Iterator<Item = (u16, [f32; 2])> + '_ {
        self.0.iter().map(|(landmark, offset)| (*landmark, *offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn landmark_offsets_are_clamped_and_round_trip_through_a_file(
            given in prop::collection::vec((0u16..600, prop::array::uniform2(-2f32..2.0)), 0..20),
        ) {
            let mut offsets = LandmarkOffsets::default();
            for (landmark, offset) in &given {
                offsets.set(*landmark, *offset);
            }
            for (landmark, offset) in offsets.iter() {
                prop_assert!(landmark < LandmarkOffsets::LANDMARKS);
                prop_assert!(offset.iter().all(|v| v.abs() <= LandmarkOffsets::MAX_OFFSET));
                let last = given.iter().rev().find(|(of, _)| *of == landmark).unwrap();
                let clamped = last.1.map(|v| v.clamp(-0.5, 0.5));
                prop_assert_eq!(offset, clamped);
            }
            let text = serde_json::to_string(&offsets).unwrap();
            prop_assert_eq!(&serde_json::from_str::<LandmarkOffsets>(&text).unwrap(), &offsets);
            for (landmark, _) in given {
                offsets.set(landmark, [0.0, -0.0]);
            }
            prop_assert!(offsets.is_empty());
        }
    }

    #[test]
    fn landmark_offsets_are_saved_by_landmark_and_invalid_entries_are_dropped() {
        let mut offsets = LandmarkOffsets::default();
        offsets.set(159, [0.0, -0.02]);
        let text = serde_json::to_string(&offsets).unwrap();
        assert_eq!(text, r#"{"159":[0.0,-0.02]}"#);
        let read = |text| serde_json::from_str::<LandmarkOffsets>(text);
        assert!(
            read(r#"{"478": [0.1, 0.1], "4": [0.0, 0.0]}"#)
                .unwrap()
                .is_empty()
        );
        assert_eq!(read(r#"{"4": [9, 0]}"#).unwrap().get(4), [0.5, 0.0]);
        assert!(read(r#"{"nose": [0.1, 0.1]}"#).is_err());
        offsets.set(4, [f32::NAN, f32::INFINITY]);
        assert_eq!(offsets.get(4), [0.0, 0.5]);
    }
}
