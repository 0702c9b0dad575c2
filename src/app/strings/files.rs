//! Titles and filters of the system's file dialogs.

pub const OPEN_PORTRAIT: &str = "Open a portrait";
pub const PICTURES: &str = "Pictures";
pub const OPEN_CLIP: &str = "Open a clip";
pub const CLIPS: &str = "Clips";
pub const OPEN_PROJECT: &str = "Open a project";
pub const PROJECTS: &str = "Mien projects";
pub const ALL_FILES: &str = "All files";
pub const SAVE_PROJECT: &str = "Save the project";
pub const EXPORT: &str = "Export";
pub const SAVE_CHART: &str = "Save the chart as SVG or PNG";
