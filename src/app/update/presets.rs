//! The artist's presets on the disk.

use std::path::PathBuf;

use iced::Task;

use crate::app::background::in_background;
use crate::app::expression::presets::Change;
use crate::app::strings::expression::presets as strings;
use crate::app::{App, Message, Notice};
use crate::document::Preset;
use crate::folders::presets_folder;

/// Changes the presets on the disk.
pub fn store_preset(change: Change) -> Task<Message> {
    in_background(
        move || store(change),
        |result| Message::PresetStored(result.unwrap_or_else(|| Err(strings::save_bug()))),
    )
}

/// Reads a preset that was dropped on the window.
pub fn read_preset(path: PathBuf) -> Task<Message> {
    in_background(
        move || Preset::load(&path).map_err(|error| error.to_string()),
        |result| Message::PresetRead(result.unwrap_or_else(|| Err(strings::read_bug()))),
    )
}

fn store(change: Change) -> Result<Change, String> {
    let folder = presets_folder().ok_or(strings::NO_FOLDER)?;
    match &change {
        Change::Keep(preset) => preset.save(&folder).map(drop),
        Change::Replace(preset) => preset.replace(&folder).map(drop),
        Change::Rename(preset, name) => preset.rename(&folder, name).map(drop),
        Change::Delete(preset) => preset.delete(&folder),
    }
    .map_err(|error| error.to_string())?;
    Ok(change)
}

impl App {
    pub(in crate::app) fn preset_stored(&mut self, result: Result<Change, String>) {
        match result {
            Ok(change) => {
                self.expression.stored(change);
                self.timeline.set_presets(self.expression.presets());
            }
            Err(problem) => self.status.notice = Some(Notice::Problem(problem)),
        }
    }
}
