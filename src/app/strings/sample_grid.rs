//! Texts of a sampled motion's panel, and of its variations.

use super::common;

pub const VARIATIONS_HINT: &str = "Variations: other people and other movements, side by side";
pub const ADD_FAVOURITE_HINT: &str = "Add to the favourites";
pub const ROLL_BOTH: &str = "Roll both";
pub const ROLL_BOTH_HINT: &str =
    "Sample another person and another movement. What is locked stays.";

pub const PERSON: &str = "Person";
pub const ROLL_PERSON_HINT: &str = "Sample another person with the same movement";
pub const LOCK_PERSON_HINT: &str = "Lock the person, so that nothing rolled or chosen changes it";
pub const MOVEMENT: &str = "Movement";
pub const ROLL_MOVEMENT_HINT: &str = "Sample another movement of the same person";
pub const LOCK_MOVEMENT_HINT: &str =
    "Lock the movement, so that nothing rolled or chosen changes it";
/// The empty field of a part that isn't from a single seed.
pub const NO_SEED: &str = "no seed";

pub const CATEGORY: &str = "Category";
pub const LENGTH: &str = "Length";
pub const FRAMES: &str = "frames";

pub const FAVOURITES: &str = "Favourites";
pub const NO_FAVOURITES: &str = "Click the heart to add what is shown here.";

pub const BLEND: &str = "Blend";
pub const BLEND_WITH: &str = "Blend with…";
pub const PICK: &str = "Choose a favourite or a variation.";
pub const APPLY: &str = "Apply";
pub const APPLY_HINT: &str = "Make the blend the sample";
pub const CLEAR: &str = "Clear";

// The variations.

pub const TITLE: &str = "Variations";
pub const ROWS_AND_COLUMNS: &str = "Each row is a person, each column a movement.";
pub const PICK_VARIATION: &str = "Choose what to blend with.";
pub const RESHUFFLE: &str = "Reshuffle";
pub const RESHUFFLE_HINT: &str = "Show other variations. Undo brings these back.";
pub const THIS_MOVEMENT_HINT: &str = "Use only this movement";
pub const THIS_PERSON_HINT: &str = "Use only this person";

/// The answer to trimming a sample on the timeline.
pub const NO_TRIM: &str = "A sample can't be trimmed; change its length in the column of motions.";

pub fn drawing_bug() -> String {
    common::bug("The variations could not be drawn")
}
