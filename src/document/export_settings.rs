//! Export settings, as the artist last chose them.

use serde::{Deserialize, Serialize};

use crate::document::file_format::FileFormat;

/// Which panes an export shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportWhat {
    /// All panes, arranged as in the window.
    Grid,
    /// One pane, counted from 0.
    Pane(usize),
    /// The first pane that shows a result.
    #[default]
    Result,
}

/// The export dialog's choices. They are saved with the project but aren't undo steps, because undo is for edits and
/// not for a file's format.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExportSettings {
    /// The kind of file.
    pub format: FileFormat,
    /// Which panes are written.
    pub what: ExportWhat,
    /// Whether the panes' names are drawn in the picture.
    pub labels: bool,
    /// The frames to export, as the first (from 0) and the end (exclusive) among all frames in playback order; `None`
    /// exports the whole motion.
    pub range: Option<(u32, u32)>,
    /// Frames a second; `None` takes the motion's rate.
    pub fps: Option<f64>,
    /// The size of a pane relative to the portrait, in [`ExportSettings::SCALE`].
    pub scale: f64,
    /// From 1 (small) to 100 (best) for MP4, WebP and JPEG; `None` takes the format's default.
    pub quality: Option<u8>,
    /// How many times a GIF, APNG or WebP animation plays; 0 is forever.
    pub loops: u32,
    /// Whether the file records that a model edited it.
    pub marked: bool,
}

impl ExportSettings {
    /// The accepted scales.
    pub const SCALE: std::ops::RangeInclusive<f64> = 0.01..=1.0;

    /// The accepted frame rates.
    pub const FPS: std::ops::RangeInclusive<f64> = 0.01..=120.0;

    /// Returns the nearest valid settings; NaN becomes the default.
    pub fn nearest_valid(mut self) -> Self {
        let nearest = |value: f64, range: std::ops::RangeInclusive<f64>| {
            value.clamp(*range.start(), *range.end())
        };
        self.scale = if self.scale.is_nan() {
            Self::default().scale
        } else {
            nearest(self.scale, Self::SCALE)
        };
        self.fps = self
            .fps
            .filter(|fps| !fps.is_nan())
            .map(|fps| nearest(fps, Self::FPS));
        self.range = self.range.filter(|(from, to)| from < to);
        self.quality = self.quality.map(|quality| quality.clamp(1, 100));
        self
    }
}

impl Default for ExportSettings {
    fn default() -> Self {
        Self {
            format: FileFormat::default(),
            what: ExportWhat::default(),
            labels: true,
            range: None,
            fps: None,
            scale: 1.0,
            quality: None,
            loops: 0,
            marked: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_fields_are_defaults_and_unknown_ones_are_ignored() {
        let read: ExportSettings =
            serde_json::from_str(r#"{"format": "gif", "what": {"pane": 2}, "colour": 7}"#).unwrap();
        let want = ExportSettings {
            format: FileFormat::Gif,
            what: ExportWhat::Pane(2),
            ..ExportSettings::default()
        };
        assert_eq!(read, want);
        assert_eq!(want.nearest_valid(), want);
    }

    #[test]
    fn invalid_settings_become_the_nearest_valid_ones() {
        let odd = ExportSettings {
            range: Some((7, 7)),
            fps: Some(f64::INFINITY),
            scale: -3.0,
            quality: Some(255),
            ..ExportSettings::default()
        };
        let valid = odd.nearest_valid();
        assert_eq!((valid.range, valid.fps), (None, Some(120.0)));
        assert_eq!((valid.scale, valid.quality), (0.01, Some(100)));
        let none = ExportSettings {
            scale: f64::NAN,
            fps: Some(f64::NAN),
            ..odd
        };
        assert_eq!(
            (none.nearest_valid().scale, none.nearest_valid().fps),
            (1.0, None)
        );
    }
}
