//! Texts that several panels share.

use std::time::Duration;

use crate::app::widgets::format::duration;

pub const CANCEL: &str = "Cancel";
pub const CLOSE: &str = "Close";
pub const REPLACE: &str = "Replace";
pub const RENAME: &str = "Rename";
pub const LOCATE: &str = "Locate…";
pub const STRENGTH: &str = "Strength";
pub const PLAYBACK: &str = "Playback";
pub const FPS: &str = "fps";
pub const SAVE_CHART: &str = "Save chart…";
pub const BAKE: &str = "Bake to track";
pub const BAKE_HINT: &str =
    "Add an expression track with a keyframe for every frame of this movement, to edit by hand";

/// A number of frames: "1 frame", "48 frames".
pub fn frames(count: usize) -> String {
    match count {
        1 => "1 frame".to_owned(),
        _ => format!("{count} frames"),
    }
}

/// A share from 0 to 1 as a whole percentage.
pub fn percent(share: f32) -> String {
    format!("{:.0}%", 100.0 * share)
}

/// Width and height in pixels.
pub fn size(width: u32, height: u32) -> String {
    format!("{width} x {height}")
}

/// The progress of work on frames.
pub fn progress(done: usize, total: usize, left: Duration) -> String {
    format!("{done} of {}, {}", frames(total), time_left(left))
}

pub fn time_left(left: Duration) -> String {
    format!("{} left", duration(left))
}

/// The message for a problem that only a bug can cause, such as a panic. `problem` is a clause without a full stop.
pub fn bug(problem: &str) -> String {
    format!("{problem}; this is a bug in Mien, please report it.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_frame_has_no_plural() {
        assert_eq!(frames(1), "1 frame");
        assert_eq!(frames(48), "48 frames");
        let left = Duration::from_secs(61);
        assert_eq!(progress(3, 48, left), "3 of 48 frames, 1 min 01 s left");
    }
}
