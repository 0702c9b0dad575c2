//! What is stored on disk between sessions: project files, autosave, settings and recent files.

pub mod autosave;
pub mod file;
pub mod settings;
mod stamp;

pub use stamp::FileStamp;
