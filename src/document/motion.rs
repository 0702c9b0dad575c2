//! Motions: what can drive a portrait, whichever the method.
//!
//! An expression track, a reference clip and a sampled motion are data alike. How each of them drives each method is the
//! engine's business.

use serde::{Deserialize, Serialize};

use crate::document::au::Group;
use crate::document::crop::Crop;
use crate::document::media_source::MediaSource;
use crate::document::portrait::Document;
use crate::document::pose::Pose;
use crate::document::sample::{Sample, SampleError};
use crate::document::track::{Playback, Track};

/// What a motion is known by, as long as the project lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MotionId(pub u32);

/// A motion of the project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Motion {
    pub id: MotionId,
    /// As the artist calls it.
    pub name: String,
    pub kind: MotionKind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "motions are few, and each stands behind an Arc"
)]
pub enum MotionKind {
    Track(Expression),
    Clip(ClipMotion),
    Sample(SampledMotion),
}

impl MotionKind {
    /// What it is, in a word or two.
    pub fn title(&self) -> &'static str {
        match self {
            MotionKind::Track(_) => "Expression track",
            MotionKind::Clip(_) => "Reference clip",
            MotionKind::Sample(_) => "Sampled motion",
        }
    }
}

/// What the sliders say over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expression {
    /// The expression asked for where the track has no keyframe.
    pub still: Pose,
    /// How much of the way from the portrait's own expression is gone, in 0..=1.
    pub strength: f32,
    pub track: Track,
}

impl Expression {
    /// That of a document.
    pub fn of(document: &Document) -> Self {
        Self {
            still: document.still,
            strength: document.strength,
            track: document.track.clone(),
        }
    }

    /// Puts it into a document in place of what was there.
    pub fn put_into(&self, document: &mut Document) {
        document.still = self.still;
        document.strength = self.strength;
        document.track = self.track.clone();
    }
}

/// How a clip's or a sample's face drives the portrait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Follow {
    /// How much of the movement, in [`Follow::STRENGTH`]: 0 none, 1 as it is, more exaggerates it.
    pub strength: f32,
    /// The same for each group of Action Units, in the order of [`Group::ALL`]; for GANimation alone.
    pub gains: [f32; Group::ALL.len()],
    /// Whether the head stays in its place and upright; for FOMM and TPS.
    pub lock_place: bool,
    /// Whether the head comes no nearer and goes no further; for FOMM and TPS.
    pub lock_scale: bool,
    /// How still the Action Units are held, in 0..=1; at 0 nothing is smoothed.
    pub still: f32,
    /// How quickly they follow a fast movement, in 0..=1.
    pub quick: f32,
    /// Whether the Action Units are read against the motion's own resting face; where it isn't said, when it has one.
    pub own: Option<bool>,
    /// Whether the movement is added to the portrait's own expression; for GANimation.
    pub relative: bool,
    /// The frame that counts as looking like the portrait, from 0; found where it isn't said.
    pub reference: Option<u32>,
}

impl Follow {
    /// The strengths and gains that are accepted.
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
            still: 0.5,
            quick: 0.5,
            own: None,
            relative: true,
            reference: None,
        }
    }
}

/// A reference clip and how it is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClipMotion {
    pub source: MediaSource,
    /// The part that is used begins here, in seconds of the whole clip; at its start where nothing is said.
    pub from: Option<f64>,
    /// It ends before this.
    pub to: Option<f64>,
    /// The square of the clip that FOMM and TPS see; found by the reference frame's face where it isn't said.
    pub square: Option<Crop>,
    pub follow: Follow,
    pub playback: Playback,
}

impl ClipMotion {
    /// A clip used as it is.
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

/// A sample, and what the dice showed for its content; that of its motion is [`Sample::motion_seed`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drawn {
    pub codes: Sample,
    pub content_seed: u64,
}

/// A motion that MoCoGAN makes up, with all that its board needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampledMotion {
    pub codes: Sample,
    /// What the dice showed for the content; that of the motion is [`Sample::motion_seed`].
    pub content_seed: u64,
    /// Whether the dice leave the content alone.
    pub hold_content: bool,
    /// Whether the dice leave the motion alone.
    pub hold_motion: bool,
    /// Frames a second, in [`Track::FPS`]; the published network was trained at 8.
    pub fps: f64,
    /// Another sample, to which it goes by `way`.
    pub towards: Option<Box<Drawn>>,
    /// In 0..=1.
    pub way: f32,
    /// Where the neighbours on the board come from.
    #[serde(default)]
    pub board: u64,
    pub favourites: Vec<Drawn>,
    pub follow: Follow,
    pub playback: Playback,
}

impl SampledMotion {
    /// A sample as it was drawn from one seed.
    pub fn new(codes: Sample) -> Self {
        Self {
            content_seed: codes.motion_seed,
            board: codes.motion_seed,
            codes,
            hold_content: false,
            hold_motion: false,
            fps: 8.0,
            towards: None,
            way: 0.0,
            favourites: Vec::new(),
            follow: Follow::default(),
            playback: Playback::PingPong,
        }
    }

    /// The sample that is shown: the codes, gone by `way` towards the other.
    ///
    /// # Errors
    /// [`SampleError`] where the two can't be blended.
    pub fn shown(&self) -> Result<Sample, SampleError> {
        match &self.towards {
            Some(other) if self.way > 0.0 => self
                .codes
                .interpolate_content(&other.codes, self.way)?
                .interpolate_motion(&other.codes, self.way),
            _ => Ok(self.codes.clone()),
        }
    }

    /// The seed that the content was drawn from; none for one that was blended or came with a file.
    pub fn content_drawn(&self) -> Option<u64> {
        let drawn = self.start()?.resample_content(self.content_seed);
        (drawn.content == self.codes.content).then_some(self.content_seed)
    }

    /// The same of the motion, by its start and its first step.
    pub fn motion_drawn(&self) -> Option<u64> {
        let seed = self.codes.motion_seed;
        let start = self.start()?;
        (start.resample_motion(seed) == start).then_some(seed)
    }

    /// The codes' first frame: all that it takes to tell where they are from.
    fn start(&self) -> Option<Sample> {
        self.codes.with_frames(1).ok()
    }
}
