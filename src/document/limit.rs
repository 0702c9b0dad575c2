//! Which part of the face an edit is limited to.

use serde::{Deserialize, Serialize};

use crate::document::pose::Sides;

/// A part of the face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FacePart {
    /// The brows.
    Brows,
    /// The eyes with their lids.
    Eyes,
    /// The nose.
    Nose,
    /// The mouth with its lips.
    Mouth,
    /// The whole face, without hair, neck and background.
    Skin,
}

impl FacePart {
    /// All parts, from the forehead down.
    pub const ALL: [FacePart; 5] = [
        FacePart::Brows,
        FacePart::Eyes,
        FacePart::Nose,
        FacePart::Mouth,
        FacePart::Skin,
    ];

    /// The part's name.
    pub fn title(self) -> &'static str {
        match self {
            FacePart::Brows => "Brows",
            FacePart::Eyes => "Eyes",
            FacePart::Nose => "Nose",
            FacePart::Mouth => "Mouth",
            FacePart::Skin => "Skin",
        }
    }
}

/// The parts that an edit may change, and on which half of the face. No part means the whole crop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Limit {
    /// One bit per part, in the order of [`FacePart::ALL`].
    parts: u8,
    /// The half of the face.
    pub sides: Sides,
}

impl Limit {
    /// No limit: the whole crop.
    pub const NONE: Limit = Limit {
        parts: 0,
        sides: Sides::Both,
    };

    /// Whether the edit may change the whole crop.
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// Whether a part is included.
    pub fn has(&self, part: FacePart) -> bool {
        self.parts & (1 << part as u8) != 0
    }

    /// Returns the limit with a part added, or removed if it was included.
    pub fn toggled(self, part: FacePart) -> Self {
        Self {
            parts: self.parts ^ (1 << part as u8),
            ..self
        }
    }

    /// Returns the limit with the same parts on other halves of the face.
    pub fn on(self, sides: Sides) -> Self {
        Self { sides, ..self }
    }

    /// The included parts; none means the whole crop.
    pub fn parts(&self) -> impl Iterator<Item = FacePart> {
        FacePart::ALL.into_iter().filter(|part| self.has(*part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn face_parts_are_toggled_on_and_off() {
        let limit = Limit::NONE
            .toggled(FacePart::Mouth)
            .toggled(FacePart::Brows);
        assert_eq!(
            limit.parts().collect::<Vec<_>>(),
            [FacePart::Brows, FacePart::Mouth]
        );
        assert!(!limit.is_none());
        let none = limit.toggled(FacePart::Mouth).toggled(FacePart::Brows);
        assert!(none.is_none());
        let half = none.on(Sides::Left);
        assert!(!half.is_none() && half.parts().next().is_none());
    }
}
