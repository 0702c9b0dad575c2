//! Texts of the column of motions: the list, and the settings of a clip.

use crate::app::widgets::format::short;

use super::common;

pub const TITLE: &str = "Motions";
pub const ADD: &str = "+ Add motion";
pub const TRACK: &str = "Expression track";
pub const CLIP: &str = "Reference clip…";
pub const SAMPLE_CLIP: &str = "Sample clip";
pub const SAMPLE: &str = "Sampled motion";

/// The names of new motions; a project numbers them.
pub const FIRST_TRACK: &str = "Expression 1";
pub const FIRST_SAMPLE: &str = "Sample 1";

/// The name of a track made of a motion.
pub fn baked(motion: &str) -> String {
    format!("{motion} (baked)")
}

pub const NAME: &str = "Name";
pub const RENAME_HINT: &str = "Rename (or double-click)";
pub const DUPLICATE_HINT: &str = "Duplicate";
pub const REMOVE_HINT: &str = "Remove";
pub const LAST_TRACK_HINT: &str = "At least one expression track is needed";

pub const NOT_READ: &str = "Not read yet";
pub const READING: &str = "Reading…";

/// The progress of reading a clip, from 0 to 1.
pub fn reading(share: f32) -> String {
    format!("{READING} {:.0}%", (100.0 * share).floor())
}

pub fn missing(file: &str) -> String {
    format!("{file} is missing")
}

pub fn length(frames: usize, fps: f64) -> String {
    format!("{}, {} fps", common::frames(frames), short(fps))
}

pub const STILL_READING: &str = "The motion is still being read; wait until it is complete.";

pub fn read_bug() -> String {
    common::bug("The motion could not be read")
}

pub fn sample_bug() -> String {
    common::bug("The sample was not generated")
}

pub const ABOUT_TRACK: &str = "The sliders on the left edit this track. Set a keyframe (K), move along the timeline, and move the sliders again.";
pub const ABOUT_MOTIONS: &str = "Add a reference clip or a sampled motion to drive the portrait with it. Each pane can have its own motion.";

// The settings of a clip.

pub const WHILE_READING: &str = "The clip's settings appear here once it has been read.";
pub const CROP_AUTOMATIC: &str = "Crop: automatic";
pub const CROP_MANUAL: &str = "Crop: manual";
pub const CROP_HINT: &str = "What FOMM and TPS see of every frame. Drag an edge of the square to move it, a corner to resize it.";
pub const FIND_AGAIN: &str = "Find again";
pub const WHOLE_CLIP: &str = "Whole clip";

/// The trimmed range: frames used and in all, its duration and frame rate.
pub fn range(used: usize, total: usize, seconds: f64, fps: f64) -> String {
    format!("{used} of {total}, {seconds:.2} s, {} fps", short(fps))
}

/// The reference frame, from 1.
pub fn reference(number: usize, is_set: bool) -> String {
    let how = if is_set { "manual" } else { "auto" };
    format!("Reference frame {number} ({how})")
}

pub const REFERENCE_HINT: &str = "FOMM and TPS measure movement from the reference frame, which should have the portrait's expression and pose. The curve below the film shows how different each frame is; auto takes the lowest point. Drag the mark above the film to choose another frame.";
pub const USE_CURRENT: &str = "Use current";
pub const USE_CURRENT_HINT: &str = "Use the frame under the playhead as the reference frame";
pub const AUTO: &str = "Auto";
pub const DIFFERENCE: &str = "Difference from the portrait";
pub const SAVE_DIFFERENCE_HINT: &str =
    "Save this curve, with the reference frame marked, as SVG or PNG";
pub const UNITS_HINT: &str = "The Action Units that move most in the range that is used";
pub const REPLACE: &str = "Replace clip…";
pub const REPLACE_HINT: &str = "Use another file with the same settings";

pub mod follow {
    pub const REGIONS: &str = "Strength per region";
    pub const REGIONS_HINT: &str = "How strongly each part of the face moves. FOMM and TPS move the whole face at once, so they only use the overall strength.";
    /// The methods that draw Action Units.
    pub const BY_UNITS: &str = "Rig, GANimation";
    pub const HEAD: &str = "Head";
    /// The methods that move the head with the clip's.
    pub const BY_PICTURES: &str = "FOMM, TPS";
    pub const HEAD_HINT: &str = "Keep the portrait's head where it is, as far as possible, whatever the head in the motion does. GANimation never moves the head.";
    pub const LOCK_POSITION: &str = "Lock position";
    pub const LOCK_SCALE: &str = "Lock scale";
    pub const UNITS: &str = "Action Units";
    pub const UNITS_HINT: &str = "How the movement is read as Action Units. Smoothing reduces jitter; Fast motion preserves quick movements.";
    pub const SMOOTHING: &str = "Smoothing";
    pub const FAST_MOTION: &str = "Fast motion";
    pub const NEUTRAL: &str = "Neutral";
    pub const NEUTRAL_HINT: &str = "What the face is measured relative to: the motion's own resting frame, which detects slighter movement, or a general relaxed face. Auto uses the motion's own if it shows a face at rest.";
    pub const NEUTRAL_AUTO: &str = "Auto";
    pub const NEUTRAL_OWN: &str = "Own";
    pub const NEUTRAL_GENERAL: &str = "General";
    pub const RELATIVE: &str = "Relative to portrait";
    pub const RELATIVE_HINT: &str = "Start at the portrait's own expression and add the movement to it. Without this, the portrait takes over the motion's expression as it is.";
}
