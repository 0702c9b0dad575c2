//! Texts of the expression panel.

pub const TITLE: &str = "Expression";
pub const NEUTRALISE: &str = "Neutralise";
pub const NEUTRALISE_HINT: &str = "Set every slider to zero, which relaxes the face";
pub const RESET_ALL: &str = "Reset all";
pub const RESET_ALL_HINT: &str =
    "Reset every slider to the portrait's own expression, marked by the ticks (R)";

/// The heading of the buttons about the portrait's own expression.
pub const OWN: &str = "Own expression";
/// The same, where there is little room.
pub const OWN_SHORT: &str = "Own";
pub const USE_NEUTRAL: &str = "Use neutral";
pub const SET_AS_NEUTRAL: &str = "Set as neutral";
pub const SET_AS_NEUTRAL_HINT: &str = "Treat the portrait's expression as this person's relaxed face. Its values become zero, and other pictures and clips of the same person can be measured relative to it.";
pub const SET_AS_OWN: &str = "Set as own";
pub const SET_AS_OWN_HINT: &str = "Treat the sliders' values as the portrait's own expression: the ticks move here. Use this where the detected expression is wrong.";

/// The tooltip of [`USE_NEUTRAL`].
pub fn use_neutral_hint(portrait: &str) -> String {
    format!(
        "Measure this face relative to {portrait}, which was set as neutral. Use this for another picture of the same person."
    )
}

pub const SIDE: &str = "Side";
pub const SIDE_HINT: &str = "Which side of the face the sliders move, left or right as you see it: to raise one brow, or smile on one side. The sides blend along the middle.";
pub const WIDE_RANGE: &str = "Wide range";
pub const WIDE_RANGE_HINT: &str = "Let Action Units go from -0.5, the opposite movement, to 1.5, more than a face can do: for caricature and cartoons. The rig draws these values; GANimation stays between 0 and 1.";

/// The note that the drawing method has no wide range.
pub fn no_wide_range(method: &str) -> String {
    format!("{method} only draws Action Units from 0 to 1.")
}

pub const EDIT_ONLY: &str = "Edit only";
pub const EDIT_ONLY_HINT: &str =
    "Limit the edit to these parts of the face, with soft edges. Nothing else changes.";
pub const EDIT_ONLY_WITHOUT_FACE: &str =
    "Without a detected face, only the halves of the square can be chosen";
pub const ALL_PARTS: &str = "All";
pub const LEFT_HALF: &str = "Left half";
pub const RIGHT_HALF: &str = "Right half";

pub const HEAD_AND_EYES: &str = "Head and eyes (degrees)";
pub const YAW: &str = "yaw";
pub const YAW_HINT: &str =
    "Turn the head to the picture's right (above 0) or left (below 0) of how the portrait shows it";
pub const PITCH: &str = "pitch";
pub const PITCH_HINT: &str =
    "Nod the head down (above 0) or up (below 0) from how the portrait shows it";
pub const ROLL: &str = "roll";
pub const ROLL_HINT: &str = "Tilt the head clockwise as you see it (above 0) or counterclockwise (below 0) from how the portrait shows it";
pub const GAZE_X: &str = "x";
pub const GAZE_X_HINT: &str =
    "Move both eyes to the picture's right (above 0) or left (below 0) of where the portrait looks";
pub const GAZE_Y: &str = "y";
pub const GAZE_Y_HINT: &str =
    "Move both eyes up (above 0) or down (below 0) from where the portrait looks";

pub const PLACE_AND_SIZE: &str = "Place and size of the head (percent)";
pub const PLACE_X: &str = "x";
pub const PLACE_X_HINT: &str = "Move the head to the picture's right (above 0) or left (below 0), in percent of the face's width. The surroundings are stretched, so it moves no farther than the picture has room";
pub const PLACE_Y: &str = "y";
pub const PLACE_Y_HINT: &str =
    "Move the head up (above 0) or down (below 0), in percent of the face's width";
pub const SIZE: &str = "size";
pub const SIZE_HINT: &str = "Make the head larger (above 100) or smaller (below 100), in percent of its size in the portrait";

/// The note that the drawing method can't turn the head.
pub fn no_head(method: &str) -> String {
    format!("{method} can't move the head or the eyes.")
}

pub const RENDERING: &str = "Rendering";
pub const FOLDS: &str = "Folds";
pub const FOLDS_HINT: &str = "How strongly skin folds are drawn as the face moves: 0 for smooth skin, as a child's, 1 for most adults. The tick marks what this portrait's skin shows; double-click to follow it (auto).";
/// The fold strength that follows the portrait's skin.
pub const AUTO: &str = "auto";
pub const GLASSES: &str = "Glasses";
pub const GLASSES_HINT: &str = "Keep the frame of glasses rigid while brows and cheeks move behind it. Auto detects glasses. Choose Rigid if they bend, or Bend if there are none and a part of the face doesn't move.";
pub const DETAIL: &str = "Keep the portrait's fine detail";

pub mod presets {
    pub const TITLE: &str = "Presets";
    pub const EDIT: &str = "Edit";
    pub const EDIT_HINT: &str = "Rename or delete your own presets";
    pub const SAVE: &str = "Save as preset";
    pub const SAVE_HINT: &str =
        "Save the sliders' values, left and right separately, as a preset of your own";

    pub const NAME: &str = "Preset name";
    pub const SAVE_NAMED: &str = "Save";
    pub const TAKEN: &str = "You already have a preset with this name.";
    pub const DELETE: &str = "Delete";
    pub const RESTORE: &str = "Restore";

    pub fn deleted(name: &str) -> String {
        format!("{name} was deleted.")
    }

    /// The message when a dropped preset was applied.
    pub fn applied(name: &str) -> String {
        format!("The preset {name} was applied.")
    }

    pub const NO_FOLDER: &str =
        "There is no home folder to keep presets in; set MIEN_DATA_DIR to a folder.";

    pub fn save_bug() -> String {
        super::super::common::bug("The preset was not saved")
    }

    pub fn read_bug() -> String {
        super::super::common::bug("The preset was not read")
    }
}
