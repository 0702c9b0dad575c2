//! The document: what an artist has made, as plain data.
//!
//! Nothing here depends on a window, a tensor or a picture's pixels. A [`Project`] is small enough that [`History`]
//! stores a whole copy for every step, so undo swaps values instead of reverting edits.

mod au;
mod channel;
mod clock;
mod crop;
mod export_settings;
mod file_format;
mod glasses;
mod head;
mod history;
mod landmarks;
mod limit;
mod media_source;
mod motion;
mod pane;
mod pane_view;
mod portrait;
mod pose;
mod preset;
mod project;
mod sample;
mod track;

pub use au::{ActionUnit, AuError, AuVector, Group};
pub use channel::{Channel, SliderRange};
pub use clock::Clock;
pub use crop::{Crop, CropError};
pub use export_settings::{ExportSettings, ExportWhat};
pub use file_format::{FileFormat, FileFormatError};
pub use glasses::Glasses;
pub use head::{Gaze, HeadPlace, HeadTurn};
pub use history::{Gesture, History};
pub use landmarks::LandmarkOffsets;
pub use limit::{FacePart, Limit};
pub use media_source::MediaSource;
pub use motion::{
    ClipMotion, Expression, Follow, Motion, MotionId, MotionKind, SampledMotion, SeededSample,
};
pub use pane::{MethodChoice, MethodId, Mode, PaneSpec};
pub use pane_view::PaneView;
pub use portrait::{Document, PortraitRef};
pub use pose::{Pose, Sides};
pub use preset::{Preset, PresetError};
pub use project::Project;
pub use sample::{Category, EXPRESSIONS, Sample, SampleError, Sizes as SampleSizes, category};
pub use track::curve::{Curve, Key};
pub use track::easing::Easing;
pub use track::keys::{Copied, KeyId, Selection};
pub use track::{Playback, Track};
