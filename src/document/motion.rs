//! Motions: what can drive a portrait, with any method.
//!
//! An expression track, a reference clip and a sampled motion are all plain data. `crate::drive` decides how each of
//! them drives each method.

use serde::{Deserialize, Serialize};

use crate::document::au::Group;
use crate::document::crop::Crop;
use crate::document::media_source::MediaSource;
use crate::document::portrait::Document;
use crate::document::pose::Pose;
use crate::document::sample::{Sample, SampleError};
use crate::document::track::{Playback, Track};

/// Identifies a motion for the lifetime of the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MotionId(pub u32);

/// A motion of the project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Motion {
    /// Identifies the motion in its project.
    pub id: MotionId,
    /// The artist's name for it.
    pub name: String,
    /// What kind of motion it is, with its parameters.
    pub kind: MotionKind,
}

/// The kinds of motion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "motions are few, and each stands behind an Arc"
)]
pub enum MotionKind {
    /// An expression track, with keyframes.
    Track(Expression),
    /// A reference clip.
    Clip(ClipMotion),
    /// A motion sampled by MoCoGAN.
    Sample(SampledMotion),
}

impl MotionKind {
    /// The display name of this kind of motion.
    pub fn title(&self) -> &'static str {
        match self {
            MotionKind::Track(_) => "Expression track",
            MotionKind::Clip(_) => "Reference clip",
            MotionKind::Sample(_) => "Sampled motion",
        }
    }
}

/// The slider values over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expression {
    /// The pose of channels that have no keyframe.
    #[serde(rename = "still")]
    pub base_pose: Pose,
    /// Interpolation weight from the portrait's own expression to the pose, in 0..=1.
    pub strength: f32,
    /// The keyframes. A channel without any keeps its value of the base pose.
    pub track: Track,
}

impl Expression {
    /// Copies the expression of a document.
    pub fn of(document: &Document) -> Self {
        Self {
            base_pose: document.base_pose,
            strength: document.strength,
            track: document.track.clone(),
        }
    }

    /// Replaces a document's expression with this one.
    pub fn put_into(&self, document: &mut Document) {
        document.base_pose = self.base_pose;
        document.strength = self.strength;
        document.track = self.track.clone();
    }
}

/// How a clip's or a sample's face drives the portrait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Follow {
    /// Scales the movement, in [`Follow::STRENGTH`]: 0 is none, 1 is unchanged, more exaggerates it.
    pub strength: f32,
    /// The same for each group of Action Units, in the order of [`Group::ALL`]; for GANimation only.
    pub gains: [f32; Group::ALL.len()],
    /// Whether the head's position and roll are locked; for FOMM and TPS.
    pub lock_place: bool,
    /// Whether the head's size in the picture is locked; for FOMM and TPS.
    pub lock_scale: bool,
    /// How strongly the Action Units are smoothed, in 0..=1, by the One Euro filter's minimum cutoff; 0 turns the
    /// filter off.
    #[serde(rename = "still")]
    pub smoothing_strength: f32,
    /// How quickly they follow a fast movement, in 0..=1, by the One Euro filter's beta.
    #[serde(rename = "quick")]
    pub responsiveness: f32,
    /// Whether the Action Units are measured relative to the motion's own resting face; `None` does so if it shows one.
    #[serde(rename = "own")]
    pub use_baseline: Option<bool>,
    /// Whether the movement is added to the portrait's own expression; for GANimation.
    pub relative: bool,
    /// The frame that counts as looking like the portrait, from 0; `None` finds it automatically.
    pub reference: Option<u32>,
}

impl Follow {
    /// The accepted strengths and gains.
    pub const STRENGTH: std::ops::RangeInclusive<f32> = 0.0..=2.0;

    /// The gain of a group.
    pub fn gain(&self, group: Group) -> f32 {
        let at = Group::ALL.iter().position(|other| *other == group);
        at.map_or(1.0, |at| self.gains[at])
    }
}

impl Default for Follow {
    fn default() -> Self {
        Self {
            strength: 1.0,
            gains: [1.0; Group::ALL.len()],
            lock_place: false,
            lock_scale: false,
            smoothing_strength: 0.5,
            responsiveness: 0.5,
            use_baseline: None,
            relative: true,
            reference: None,
        }
    }
}

/// A reference clip and how it is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClipMotion {
    /// The clip's file or folder.
    pub source: MediaSource,
    /// Start of the part that is used, in seconds of the whole clip; `None` is the clip's start.
    pub from: Option<f64>,
    /// End of that part, exclusive; `None` is the clip's end.
    pub to: Option<f64>,
    /// The square of the clip given to FOMM and TPS; `None` takes it from the face in the reference frame.
    pub square: Option<Crop>,
    /// How the clip's face drives the portrait.
    pub follow: Follow,
    /// What comes after the last frame.
    pub playback: Playback,
}

impl ClipMotion {
    /// A whole clip with default settings.
    pub fn new(source: MediaSource) -> Self {
        Self {
            source,
            from: None,
            to: None,
            square: None,
            follow: Follow::default(),
            playback: Playback::Loop,
        }
    }
}

/// A sample and the seed of its content; the seed of its motion is [`Sample::motion_seed`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeededSample {
    /// The content and motion codes.
    pub codes: Sample,
    /// The seed of the content.
    pub content_seed: u64,
}

/// A motion sampled by MoCoGAN, with the state of its sample grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampledMotion {
    /// The content and motion codes.
    pub codes: Sample,
    /// The seed of the content; that of the motion is [`Sample::motion_seed`].
    pub content_seed: u64,
    /// Whether resampling keeps the content.
    pub hold_content: bool,
    /// Whether resampling keeps the motion.
    pub hold_motion: bool,
    /// Frames a second, in [`Track::FPS`]; the published network was trained at 8.
    pub fps: f64,
    /// Another sample to interpolate towards, by `blend_weight`.
    pub towards: Option<Box<SeededSample>>,
    /// Interpolation weight, in 0..=1.
    #[serde(rename = "way")]
    pub blend_weight: f32,
    /// The seed of the neighbouring samples in the grid.
    #[serde(rename = "board", default)]
    pub grid_seed: u64,
    /// Samples the artist kept.
    pub favourites: Vec<SeededSample>,
    /// How the sampled face drives the portrait.
    pub follow: Follow,
    /// What comes after the last frame.
    pub playback: Playback,
}

impl SampledMotion {
    /// A motion from a sample that was drawn with a single seed.
    pub fn new(codes: Sample) -> Self {
        Self {
            content_seed: codes.motion_seed,
            grid_seed: codes.motion_seed,
            codes,
            hold_content: false,
            hold_motion: false,
            fps: 8.0,
            towards: None,
            blend_weight: 0.0,
            favourites: Vec::new(),
            follow: Follow::default(),
            playback: Playback::PingPong,
        }
    }

    /// Returns the displayed sample: the codes interpolated by `blend_weight` towards the other sample.
    ///
    /// # Errors
    /// [`SampleError`] where the two can't be blended.
    pub fn blended_sample(&self) -> Result<Sample, SampleError> {
        match &self.towards {
            Some(other) if self.blend_weight > 0.0 => self
                .codes
                .interpolate_content(&other.codes, self.blend_weight)?
                .interpolate_motion(&other.codes, self.blend_weight),
            _ => Ok(self.codes.clone()),
        }
    }

    /// Returns the seed that the content was drawn from; `None` for content that was blended or loaded from a file.
    pub fn single_content_seed(&self) -> Option<u64> {
        let drawn = self.start()?.resample_content(self.content_seed);
        (drawn.content == self.codes.content).then_some(self.content_seed)
    }

    /// Returns the seed that the motion was drawn from, compared by its start and its first step.
    pub fn single_motion_seed(&self) -> Option<u64> {
        let seed = self.codes.motion_seed;
        let start = self.start()?;
        (start.resample_motion(seed) == start).then_some(seed)
    }

    /// The codes cut to one frame, which is enough to compare them with a seed's.
    fn start(&self) -> Option<Sample> {
        self.codes.with_frames(1).ok()
    }
}
