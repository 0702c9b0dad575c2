//! Texts of the export dialog and the queue of exports.

use std::path::Path;
use std::time::Duration;

use super::common;

pub const TITLE: &str = "Export";
pub const FORMAT: &str = "Format";
pub const PANES: &str = "Panes";
pub const ALL_PANES: &str = "All side by side";
pub const LABELS: &str = "Labels";
pub const SHOW_LABELS: &str = "Show labels";
pub const SIZE: &str = "Size";
pub const FULL_SIZE: &str = "The portrait's size";
pub const FPS: &str = "Frames per second";
pub const FRAMES: &str = "Frames";
pub const FRAMES_NOTE: &str = "a range such as 13-24; empty for all";
pub const REPEAT: &str = "Repeat";
pub const REPEAT_NOTE: &str = "times; 0 loops forever";
pub const QUALITY: &str = "Quality";
pub const SOUND: &str = "Sound";
pub const CLIP_SOUND: &str = "The clip's sound";
pub const METADATA: &str = "Metadata";
pub const MARK: &str = "Mark as edited";
pub const MARK_NOTE: &str = "IPTC: edited with Mien, and with AI if a network painted a part";
pub const FILE: &str = "File";
pub const CHOOSE: &str = "Choose…";
pub const START: &str = "Export";
pub const KEEP_BOTH: &str = "Keep both";

/// The short names of the formats.
pub mod formats {
    pub const PNG: &str = "PNG";
    pub const JPEG: &str = "JPEG";
    pub const WEBP: &str = "WebP";
    pub const APNG: &str = "Animated PNG";
    pub const ANIMATED_WEBP: &str = "Animated WebP";
    pub const GIF: &str = "GIF";
    pub const MP4: &str = "MP4";
    pub const PNG_SEQUENCE: &str = "PNG sequence";
}

/// A pane in the dialog, by its index from 0.
pub fn pane(index: usize, method: &str, view: &str) -> String {
    format!("{} {method} · {view}", index + 1)
}

/// The label over an exported pane.
pub fn label(method: &str, view: &str) -> String {
    format!("{method} · {view}")
}

pub fn quality_note(default: u8) -> String {
    format!("1 to 100; empty for {default}")
}

/// What is written, of pictures of this size in pixels; `per_pane` if several panes are written.
pub fn one_picture(width: u32, height: u32, per_pane: bool) -> String {
    format!("The current frame, {}.", pixels(width, height, per_pane))
}

/// The same of an animation; the number of frames is unknown while a field is invalid.
pub fn animation(frames: Option<usize>, width: u32, height: u32, per_pane: bool) -> String {
    let pixels = pixels(width, height, per_pane);
    match frames {
        Some(frames) => format!("{}, {pixels}.", common::frames(frames)),
        None => format!("{pixels}."),
    }
}

fn pixels(width: u32, height: u32, per_pane: bool) -> String {
    let each = if per_pane { " per pane" } else { "" };
    format!("{width} x {height} pixels{each}")
}

pub fn exists(path: &Path) -> String {
    format!("{} already exists.", path.display())
}

// Problems in the dialog.

pub const NO_NAME: &str = "The file has no name; type one, or choose a file.";

pub fn other_extension(typed: &str, own: &str) -> String {
    format!(
        "The name ends in .{typed}, which is another format; end it in .{own}, or choose that format."
    )
}

/// `number` is the pane's, from 1.
pub fn no_pane(number: usize) -> String {
    format!("Pane {number} no longer exists; choose another.")
}

pub fn bad_fps(typed: &str, max: f64) -> String {
    format!("{typed:?} can't be the frame rate; use a number from 1 to {max}.")
}

pub fn bad_repeat(typed: &str) -> String {
    format!(
        "{typed:?} can't be the number of repeats; use 0 to loop forever, or a number up to {}.",
        u16::MAX
    )
}

pub fn bad_quality(typed: &str) -> String {
    format!("{typed:?} can't be the quality; use a number from 1 to 100, or leave it empty.")
}

pub fn bad_range(typed: &str) -> String {
    format!("{typed:?} is not a range of frames; write the first and the last, such as 13-24.")
}

pub fn outside_range(total: usize) -> String {
    format!(
        "There are {total} frames; choose a range within 1-{total}, with the smaller number first."
    )
}

// The queue.

pub mod queue {
    use super::*;

    pub const TITLE: &str = "Exports";
    pub const WAITING: &str = "Waiting";
    pub const ESTIMATING: &str = "Estimating the time left…";
    pub const CANCELLED: &str = "Cancelled; nothing was written.";
    pub const RETRY: &str = "Retry";
    pub const REMOVE: &str = "Remove";

    /// The button while one export runs, with its progress from 0 to 1.
    pub fn running(share: f32) -> String {
        format!("Exporting {:>3.0}%", 100.0 * share)
    }

    /// The same while others wait.
    pub fn several(count: usize, share: f32) -> String {
        format!("{count} exports {:>3.0}%", 100.0 * share)
    }

    /// The same when all have ended.
    pub fn ended(count: usize) -> String {
        format!("{TITLE} ({count})")
    }

    /// The exports that are running or waiting, at least one; the progress is that of the running one.
    pub fn left(count: usize, running: Option<(f32, Option<Duration>)>) -> String {
        let words = match count {
            1 => "An export is running".to_owned(),
            _ => format!("{count} exports are running or waiting"),
        };
        match running {
            None => words,
            Some((share, None)) => format!("{words}: {}", common::percent(share)),
            Some((share, Some(left))) => {
                let left = common::time_left(left);
                format!("{words}: {}, {left}", common::percent(share))
            }
        }
    }

    pub fn done(path: &Path) -> String {
        format!("Exported to {}.", path.display())
    }

    pub fn bug() -> String {
        common::bug("The export stopped")
    }
}
