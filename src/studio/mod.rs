//! The document: what an artist has made, as plain data.
//!
//! Nothing here knows a window, a tensor or a picture's pixels. [`Document`] is small enough to be kept whole for every
//! step of [`History`], so undo is a matter of swapping values, never of replaying edits backwards.

mod au;
mod crop;
mod document;
mod history;
mod limit;
mod pose;
mod preset;
mod sample;
mod track;

pub use au::{ActionUnit, AuError, AuVector, Group};
pub use crop::{Crop, CropError};
pub use document::{Document, PortraitRef};
pub use history::{Gesture, History};
pub use limit::{Limit, Part};
pub use pose::{Pose, Sides};
pub use preset::{Preset, PresetError};
pub use sample::{Category, EXPRESSIONS, Sample, SampleError, Sizes as SampleSizes, category};
pub use track::{Easing, Keyframe, Playback, Track};
