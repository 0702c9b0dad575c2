//! Texts of the timeline.

use crate::app::widgets::format::short;

// Playback.

pub const TO_START_HINT: &str = "Go to the start (Home)";
pub const PLAY_HINT: &str = "Play or pause (Space)";
pub const IN: &str = "In";
pub const IN_HINT: &str = "Start playback at the playhead (I)";
pub const OUT: &str = "Out";
pub const OUT_HINT: &str = "End playback at the playhead (O)";
pub const ALL_FRAMES: &str = "All frames";
pub const ALL_FRAMES_HINT: &str = "Play everything, from the first frame to the last";

/// The time, the number of the current frame, from 1, and the number of all frames.
pub fn position(seconds: f64, number: u32, frames: u32) -> String {
    format!("{seconds:>6.2} s  {number:>5} / {frames}")
}

pub const CURVES: &str = "Curves";
pub const DOPE_SHEET: &str = "Dope sheet";
pub const METRICS: &str = "Metrics";
pub const FRAMES: &str = "Frames";

pub fn fps(fps: f64) -> String {
    format!("{} fps", short(fps))
}

// Editing an expression track.

pub const SET_KEYFRAME: &str = "Set keyframe";
pub const SET_KEYFRAME_HINT: &str = "Set keyframes from the sliders at the playhead (K). Once the track has keyframes, moving a slider sets one by itself.";
pub const DELETE: &str = "Delete";
pub const DELETE_HINT: &str = "Delete the selected keys, or those at the playhead (Delete)";
pub const EASING: &str = "Easing";
pub const NO_KEYFRAME: &str = "No keyframe";
/// Several keys with different easings.
pub const SEVERAL: &str = "Several";
pub const STRETCH: &str = "Stretch";
pub const STRETCH_HINT: &str =
    "Stretch the time between the selected keys from the first one on, or drag a key with Ctrl";

/// A factor of stretching.
pub fn stretch(percent: u32) -> String {
    format!("to {percent}%")
}

pub const INSERT_PRESET: &str = "Insert preset";
pub const INSERT_PRESET_HINT: &str = "Add a preset to the track at the playhead";
pub const SAVE_UNITS_HINT: &str = "Save the curves of the moving Action Units as SVG or PNG";
pub const FROM_CLIP: &str = "From a clip…";
pub const FROM_CLIP_HINT: &str =
    "Add a reference clip: a video, a GIF or a folder of frames whose face drives the portrait";
pub const SAMPLE_CLIP: &str = super::motions::SAMPLE_CLIP;
pub const SAMPLE_CLIP_HINT: &str = "Add the short clip that comes with Mien";
pub const EMPTY_TRACK: &str =
    "Set a keyframe (K), move the playhead, move the sliders, then press Space to play";
pub const ALL_KEYS: &str = "All keys";

// A clip or a sample.

pub const BAKE_NOTE: &str = "Convert to editable keyframes";
pub const NO_MOVEMENT: &str = "No movement to show yet";

// Measuring.

pub const MEASURE: &str = "Measure";
pub const STOP: &str = "Stop";
pub const MEASURE_HINT: &str = "Render every frame of every pane, and compare them";
pub const AGAINST: &str = "against";
pub const AGAINST_HINT: &str =
    "What the panes are compared with, frame by frame: the driving motion, or a pane's result";
pub const DRIVING_MOTION: &str = "Driving motion";
pub const NO_NUMBERS: &str = "No numbers";
pub const SAVE_METRIC_HINT: &str = "Save the curves of this metric as SVG or PNG";
pub const NOT_MEASURED: &str = "Click Measure to compare the panes frame by frame";
pub const NO_RESULTS: &str = "There are no numbers";
pub const NO_VALUES: &str = "No frame has a value for this metric";
pub const MEAN: &str = "Mean over all frames";
pub const MEASURING: &str = "Measuring…";
pub const NOTHING_TO_MEASURE: &str =
    "There is no pane to measure; add one with GANimation, FOMM or TPS.";

pub fn measure_bug() -> String {
    super::common::bug("The measurement stopped")
}

/// A pane's name in the measurements, by its index from 0.
pub fn measured(pane: usize, method: &str) -> String {
    format!("{} {method}", pane + 1)
}

// Names of curves, short enough for the list and the playhead.

pub const HEAD: &str = "head";
pub const EYES: &str = "eyes";
pub const TURN: &str = "turn";
pub const NOD: &str = "nod";
pub const TILT: &str = "tilt";
pub const LEFT_RIGHT: &str = "left/right";
pub const UP_DOWN: &str = "up/down";
pub const GAZE_X: &str = "gaze x";
pub const GAZE_Y: &str = "gaze y";
pub const HEAD_X: &str = "head x";
pub const HEAD_Y: &str = "head y";
pub const SIZE: &str = "size";

/// An Action Unit's name in at most ten characters.
pub fn unit(code: u8) -> &'static str {
    match code {
        1 => "inner brow",
        2 => "outer brow",
        4 => "lower brow",
        5 => "upper lid",
        6 => "cheek",
        7 => "tight lid",
        9 => "nose",
        10 => "upper lip",
        12 => "corner",
        14 => "dimple",
        15 => "depress",
        17 => "chin",
        20 => "stretch",
        23 => "tighten",
        25 => "part",
        26 => "jaw",
        _ => "blink",
    }
}
