//! The document: what an artist has made, as plain data.
//!
//! Nothing here knows a window, a tensor or a picture's pixels. [`Project`] is small enough to be kept whole for every
//! step of [`History`], so undo is a matter of swapping values, never of replaying edits backwards.

mod au;
mod clock;
mod crop;
mod export_settings;
mod history;
mod limit;
mod motion;
mod pane;
mod portrait;
mod pose;
mod preset;
mod project;
mod sample;
mod show;
mod track;

pub use au::{ActionUnit, AuError, AuVector, Group};
pub use clock::Clock;
pub use crop::{Crop, CropError};
pub use export_settings::{ExportKind, ExportSettings, ExportWhat};
pub use history::{Gesture, History};
pub use limit::{Limit, Part};
pub use motion::{
    ClipMotion, Drawn, Expression, Follow, MediaSource, Motion, MotionId, MotionKind, SampledMotion,
};
pub use pane::{Mode, PaneSpec, Way};
pub use portrait::{Document, PortraitRef};
pub use pose::{Pose, Sides};
pub use preset::{Preset, PresetError};
pub use project::Project;
pub use sample::{Category, EXPRESSIONS, Sample, SampleError, Sizes as SampleSizes, category};
pub use show::Show;
pub use track::curve::{Curve, Key};
pub use track::easing::Easing;
pub use track::keys::{Copied, KeyId, Selection};
pub use track::{Playback, Track};
