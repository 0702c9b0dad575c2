//! Texts of the project menu, the questions about projects, and the list of shortcuts.

use std::path::Path;
use std::time::Duration;

use super::common;
use crate::app::widgets::format::{duration, size};

pub const TITLE: &str = "Project";
pub const NOT_SAVED: &str = "Not saved yet";

pub fn unsaved(path: &Path) -> String {
    format!("{} (unsaved changes)", path.display())
}

pub const NEW: &str = "New";
pub const OPEN: &str = "Open…";
pub const SAVE: &str = "Save";
pub const SAVE_AS: &str = "Save as…";
pub const NEW_KEYS: &str = "Ctrl+N";
pub const OPEN_KEYS: &str = "Ctrl+Shift+O";
pub const SAVE_KEYS: &str = "Ctrl+S";
pub const SAVE_AS_KEYS: &str = "Ctrl+Shift+S";

pub const EMBED: &str = "Store pictures and clips in the project";
pub const EMBED_HINT: &str = "Save everything that the project needs in its file, so that it can be moved to another computer. Media that only the project has stay in it either way.";

/// The size in bytes of a project's media, which are stored in its file or would be.
pub fn media(bytes: u64, embedded: bool) -> String {
    match (bytes, embedded) {
        (0, true) => "samples are part of Mien".to_owned(),
        (0, false) => String::new(),
        (_, true) => format!("{} in its file", size(bytes)),
        (_, false) => format!("would add {}", size(bytes)),
    }
}

pub const RECENT_PROJECTS: &str = "Recent projects";
pub const NO_RECENT_PROJECTS: &str = "No recent projects yet.";
pub const RECENT_PORTRAITS: &str = "Recent portraits";
pub const NO_RECENT_PORTRAITS: &str = "No recent portraits yet.";
pub const MISSING: &str = "Not found";
pub const LIGHT_THEME: &str = "Light theme";
pub const PANE_LABELS: &str = "Pane labels";
pub const SHORTCUTS: &str = "Shortcuts (?)";

// Questions.

/// A button of several questions.
pub const ANOTHER_NAME: &str = "Another name…";

pub mod portrait_missing {
    pub const TITLE: &str = "Portrait not found";

    /// `stored` is the path in the project, if it has one.
    pub fn words(stored: Option<&super::Path>) -> String {
        match stored {
            Some(stored) => format!(
                "This project uses {}. Locate the file to open the project.",
                stored.display()
            ),
            None => "Locate the portrait's file to open the project.".to_owned(),
        }
    }
}

pub mod unsaved_changes {
    pub const TITLE: &str = "Save the changes?";
    pub const QUIT: &str = "They are lost if you close without saving.";
    pub const NEW: &str = "They are lost if you start a new project without saving.";
    pub const OPEN: &str = "They are lost if you open another project without saving.";
    pub const DISCARD: &str = "Don't save";
}

pub mod exporting {
    pub const TITLE: &str = "Close while exporting?";
    pub const DONE: &str = "All exports are done.";
    pub const KEEP_WORKING: &str = "Keep working";
    pub const STOP: &str = "Stop and close";
    pub const FINISH: &str = "Finish, then close";
}

pub mod replace {
    pub const TITLE: &str = "Replace the file?";
}

pub mod changed_outside {
    pub const TITLE: &str = "The project file has changed";

    pub fn words(path: &super::Path) -> String {
        format!(
            "Another program has changed {} since it was opened here. Replacing the file discards those changes.",
            path.display()
        )
    }
}

pub mod recovered {
    pub const TITLE: &str = "Mien didn't close properly last time";
    pub const DISCARD: &str = "Discard";
    pub const RESTORE: &str = "Restore";

    /// `name` is that of the project's file, if it was ever saved.
    pub fn words(name: Option<&str>, ago: super::Duration) -> String {
        let name = name.unwrap_or("an unsaved project");
        let ago = super::duration(ago);
        format!("There is an autosaved copy of {name} from {ago} ago.")
    }
}

// Messages in the status line.

/// `bytes` is the file's size if it contains media; `left_out` is the number of clips that can't be embedded.
pub fn saved(path: &Path, bytes: Option<u64>, left_out: usize) -> String {
    let mut words = format!("Saved as {}", path.display());
    if let Some(bytes) = bytes {
        words += &format!(", {} with its pictures and clips", size(bytes));
    }
    words += match left_out {
        0 => ".",
        1 => "; a clip that is a folder of pictures was not included.",
        _ => "; clips that are folders of pictures were not included.",
    };
    words
}

pub fn save_bug() -> String {
    common::bug("The project could not be saved")
}

pub fn open_bug() -> String {
    common::bug("The project could not be opened")
}

pub const RESTORED: &str = "This is the autosaved copy. Save it to keep it.";
pub const OPEN_ELSEWHERE: &str = "This project is also open in another window of Mien; close one of them, because each replaces what the other saves.";
pub const CLOSING: &str = "Mien will close when the exports are done.";

/// At least one clip is missing.
pub fn missing_clips(count: usize) -> String {
    match count {
        1 => "A clip of this project is missing; locate it in the list of motions.".to_owned(),
        _ => format!(
            "{count} clips of this project are missing; locate them in the list of motions."
        ),
    }
}

/// `problem` is a sentence.
pub fn autosave_failed(problem: &str) -> String {
    format!("Autosave failed. {problem}")
}

pub fn autosave_bug() -> String {
    common::bug("The copy could not be written")
}

pub const AUTOSAVE_WORKS: &str = "Autosave works again.";

/// The list of shortcuts.
pub mod shortcuts {
    pub const TITLE: &str = "Shortcuts";

    /// Keys and what they do.
    pub type Shortcut = (&'static str, &'static str);

    /// By part of the window.
    pub const GROUPS: [(&str, &[Shortcut]); 4] = [
        (
            "Project",
            &[
                ("Ctrl+O", "open a portrait"),
                ("Ctrl+S, Ctrl+Shift+S", "save, save as"),
                ("Ctrl+Shift+O", "open a project"),
                ("Ctrl+N", "new project"),
                ("Ctrl+E", "export"),
                ("Ctrl+Z, Ctrl+Shift+Z", "undo, redo"),
                ("T", "light or dark theme"),
                ("?", "this list"),
            ],
        ),
        (
            "Panes",
            &[
                ("1 to 6", "show only this pane, or all again"),
                ("P", "add a pane"),
                ("S (hold)", "show the source"),
                ("W", "wipe"),
                ("C", "crop"),
                ("A", "landmarks"),
                ("L", "labels"),
                ("F, G", "zoom to the portrait, to the face"),
                ("wheel, drag", "zoom, pan in all panes"),
                ("M", "motions"),
            ],
        ),
        (
            "Timeline",
            &[
                ("Space", "play or pause"),
                ("← →, Home", "step one frame, go to the start"),
                ("K", "set keyframes"),
                ("I, O", "in and out"),
                ("Delete", "delete the selected keys"),
                ("Ctrl+A, C, X, V", "select all, copy, cut, paste keys"),
                ("Ctrl+drag a key", "stretch the selected keys in time"),
                ("wheel, middle drag", "zoom, pan in time"),
            ],
        ),
        (
            "Sliders",
            &[
                ("Shift", "move finely"),
                ("double-click", "reset to the portrait's own value"),
                ("R", "reset all"),
                ("Escape", "leave a field or a dialog"),
            ],
        ),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_names_the_size_and_what_is_missing() {
        let path = Path::new("a.mien");
        assert_eq!(saved(path, None, 0), "Saved as a.mien.");
        let with_media = "Saved as a.mien, 3.4 MB with its pictures and clips";
        assert_eq!(saved(path, Some(3_400_000), 0), format!("{with_media}."));
        assert!(saved(path, Some(3_400_000), 1).starts_with(&format!("{with_media}; a clip")));
        assert!(saved(path, Some(3_400_000), 2).starts_with(&format!("{with_media}; clips")));
    }
}
