//! Texts of the panes and their toolbar.

// The text over a picture.

pub const DRAG_LANDMARKS: &str = "Drag points to correct them; double-click to reset one";
pub const SOURCE_HELD: &str = "Source (held)";
pub const ORIGINAL: &str = "Original portrait";
/// The states behind a label.
pub const DRAWING: &str = " · drawing";
pub const DRAFT: &str = " · draft";
pub const NO_EDIT: &str = " · no edit";
/// Marks a method under which the rig draws the expression.
pub const WITH_RIG: &str = " + rig";

/// A label with the time that the method took.
pub fn timed(label: &str, millis: f32) -> String {
    format!("{label} · {millis:.0} ms")
}

// The head of a pane.

/// The tooltip of a pane's number, from 1.
pub fn solo_hint(number: usize) -> String {
    format!("Show only this pane, or all again ({number})")
}

pub const RIG_EXPRESSION: &str = "Expression by the rig";
pub const RIG_EXPRESSION_SHORT: &str = "+ Rig";
pub const RIG_EXPRESSION_HINT: &str = "Let the rig draw the motion's expression and gaze first, and this method move that. By themselves FOMM and TPS transfer the head's motion and little of the expression.";
/// The entry of a pane that follows the motion selected in the list.
pub const SELECTED_MOTION: &str = "Selected motion";

/// The button of a narrow pane's motion: its place in the list from 1, or `None` for the selected motion.
pub fn motion_number(place: Option<usize>) -> String {
    place.map_or("M".to_owned(), |place| format!("M{place}"))
}

/// The tooltip of a narrow pane's motion.
pub fn driven_by_hint(motion: &str) -> String {
    format!("Driven by {motion}. Click for the next motion.")
}

pub const CLOSE_HINT: &str = "Close pane";

// The toolbar.

pub mod layouts {
    pub const RESULT: &str = "Result";
    pub const RESULT_HINT: &str = "One large pane with the result";
    pub const EXPRESSION: &str = "Expression";
    pub const EXPRESSION_HINT: &str = "Source, result, and GANimation with its attention";
    pub const METHODS: &str = "Methods";
    pub const METHODS_HINT: &str = "Source, driving motion, and the result of each method";
    pub const FLOW: &str = "Flow";
    pub const FLOW_HINT: &str = "FOMM and TPS, each with its optical flow and occlusion";
}

pub const ADD: &str = "+ Pane";
pub const ADD_HINT: &str = "Add a pane (P)";
pub const WIPE: &str = "Wipe";
pub const WIPE_HINT: &str =
    "Compare two panes, or one with the source, across a line. Drag the line to move it (W).";
pub const WIPE_SOURCE: &str = "Source";
pub const CROP: &str = "Crop";
pub const CROP_HINT: &str =
    "Show the square that the network sees. Drag an edge to move it, a corner to resize it (C).";
pub const LEVEL: &str = "Level";
pub const LEVEL_HINT: &str = "Turn the crop to match a tilted head";
pub const LANDMARKS: &str = "Landmarks";
pub const LANDMARKS_HINT: &str = "Show the detected lids, brows, lips, nose and outline. Drag points that are wrong: the rig is fitted to them. The crop and the portrait's own expression stay (A).";
pub const RESET_LANDMARKS: &str = "Reset landmarks";
pub const RESET_LANDMARKS_HINT: &str = "Move all landmarks back to where they were detected";
pub const FACE: &str = "Face";
pub const FACE_HINT: &str = "Zoom to the face (G, or double-click)";
pub const FIT: &str = "Fit";
pub const FIT_HINT: &str = "Show the whole portrait (F)";
pub const ACTUAL: &str = "1:1";
pub const ACTUAL_HINT: &str = "Show one pixel of the portrait as one pixel of the screen";

/// The zoom as a percentage, right-aligned.
pub fn zoom(zoom: f64) -> String {
    format!("{:>5.0}%", 100.0 * zoom)
}

/// A pane in a list, by its index from 0.
pub fn pane(index: usize) -> String {
    format!("Pane {}", index + 1)
}
