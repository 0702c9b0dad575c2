//! Texts of the top bar and the status line.

use super::common;

pub const MIEN: &str = "Mien";
pub const PROJECT: &str = "Project";
pub const PROJECT_HINT: &str = "New, open, save, recent files and appearance";
pub const OPEN: &str = "Open…";
pub const OPEN_HINT: &str = "Open a portrait (Ctrl+O). You can also drop one on the window.";
pub const SAMPLES: &str = "Samples";
pub const UNDO_HINT: &str = "Undo (Ctrl+Z)";
pub const REDO_HINT: &str = "Redo (Ctrl+Shift+Z)";
pub const MOTIONS: &str = "Motions";
pub const MOTIONS_HINT: &str = "Show the motions and their settings (M)";
pub const EXPORT: &str = "Export…";

/// The window's title.
pub fn title(project: &str) -> String {
    format!("{project} – {MIEN}")
}

pub const OPENING: &str = "Opening…";
/// The status line without a message.
pub const IDLE: &str =
    "Hold S to see the source. Hold Shift to move a slider finely; double-click to reset it.";
pub const EDITED_HINT: &str = "How much of the crop GANimation redraws: the mean of its attention";
pub const FRAME_TIME_HINT: &str = "Time per frame: the network's last run, and drawing all panes";
pub const WEIGHTS_HINT: &str =
    "GANimation's weights. Click to read about them, or to choose other weights for any method.";

/// The part of the face that the edit redraws, from 0 to 1.
pub fn edited(share: f32) -> String {
    format!("edits {:>3.0}% of the face", 100.0 * share)
}

/// The time per frame in milliseconds, if one was measured.
pub fn frame_time(millis: Option<f32>) -> String {
    match millis {
        Some(millis) => format!("{millis:>4.0} ms per frame"),
        None => "   – ms per frame".to_owned(),
    }
}

pub const NO_CLIP_CHOSEN: &str = "No clip was chosen. You can also drop one on the window.";
pub const NO_PORTRAIT_CHOSEN: &str = "No portrait was chosen. You can also drop one on the window.";

pub fn portrait_bug() -> String {
    common::bug("The portrait could not be opened")
}

/// `error` is the system's message.
pub fn no_preview(error: &std::io::Error) -> String {
    format!("There is no preview because no thread could be started ({error}); restart Mien.")
}

pub const NO_FACE: &str = "No face was found. Drag the square's edge and corners so that it encloses the face, with a little room around chin and brows. The sliders start at neutral.";

pub fn several_faces(found: usize) -> String {
    format!("{found} faces were found; click the one to edit.")
}

pub fn chart_saved(path: &std::path::Path) -> String {
    format!("Saved {}.", path.display())
}

pub fn chart_bug() -> String {
    common::bug("The chart was not saved")
}
