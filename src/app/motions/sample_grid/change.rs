//! The changes that the sample grid makes to a sampled motion.

use crate::document::{Category, Follow, Playback, Sample, SampledMotion, SeededSample, Track};

use super::neighbours::{Cell, Neighbours};

/// A change of a sampled motion. It contains the random seeds, so applying it again has the same result.
///
/// A locked part stays as it is, whatever is rolled or chosen. After a new sample was rolled or chosen, the blend is reset
/// to 0, so that the sample is shown as it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Draws the content from this seed.
    RollContent(u64),
    /// Draws the motion from this seed.
    RollMotion(u64),
    RollBoth {
        content: u64,
        motion: u64,
    },
    HoldContent(bool),
    HoldMotion(bool),
    /// The category with this index.
    Category(usize),
    /// Changes the length of these codes. They are the ones from before typing began, so that no frames are lost on the way
    /// from 1 to 16.
    Length {
        of: Box<Sample>,
        frames: usize,
    },
    Fps(f64),
    Strength(f32),
    Playback(Playback),
    /// Changes the seed of the neighbours.
    Neighbours(u64),
    Choose(Cell),
    /// Adds what is shown to the favourites.
    Keep,
    Favourite(usize),
    Drop(usize),
    TowardsCell(Cell),
    TowardsFavourite(usize),
    TowardsNothing,
    BlendWeight(f32),
    /// Makes the blend that is shown the sample.
    KeepBlend,
}

impl Change {
    /// Applies the change; one that is impossible changes nothing.
    pub fn apply(&self, motion: &mut SampledMotion) {
        match self {
            Change::RollContent(seed) => roll(motion, Some(*seed), None),
            Change::RollMotion(seed) => roll(motion, None, Some(*seed)),
            Change::RollBoth {
                content,
                motion: seed,
            } => roll(motion, Some(*content), Some(*seed)),
            Change::HoldContent(hold) => motion.hold_content = *hold,
            Change::HoldMotion(hold) => motion.hold_motion = *hold,
            Change::Category(index) => {
                if let Some(Category { of, .. }) = motion.codes.category
                    && *index < of
                {
                    motion.codes.category = Some(Category { index: *index, of });
                }
            }
            Change::Length { of, frames } => {
                if let Ok(codes) = of.with_frames(*frames) {
                    motion.codes = codes;
                }
            }
            Change::Fps(fps) if fps.is_finite() => {
                motion.fps = fps.clamp(*Track::FPS.start(), *Track::FPS.end());
            }
            Change::Strength(strength) if strength.is_finite() => {
                let range = Follow::STRENGTH;
                motion.follow.strength = strength.clamp(*range.start(), *range.end());
            }
            Change::BlendWeight(weight) if weight.is_finite() => {
                motion.blend_weight = weight.clamp(0.0, 1.0)
            }
            Change::Fps(_) | Change::Strength(_) | Change::BlendWeight(_) => {}
            Change::Playback(playback) => motion.playback = *playback,
            Change::Neighbours(seed) => motion.grid_seed = *seed,
            Change::Choose(cell) => {
                let drawn = Neighbours::around(motion).drawn(motion, *cell);
                take(motion, drawn);
            }
            Change::Keep => {
                if let Some(shown) = blended(motion)
                    && !motion.favourites.contains(&shown)
                {
                    motion.favourites.push(shown);
                }
            }
            Change::Favourite(index) => {
                if let Some(favourite) = motion.favourites.get(*index) {
                    take(motion, favourite.clone());
                }
            }
            Change::Drop(index) => {
                if *index < motion.favourites.len() {
                    motion.favourites.remove(*index);
                }
            }
            Change::TowardsCell(cell) => {
                let drawn = Neighbours::around(motion).drawn(motion, *cell);
                towards(motion, Some(drawn));
            }
            Change::TowardsFavourite(index) => {
                if let Some(favourite) = motion.favourites.get(*index) {
                    towards(motion, Some(favourite.clone()));
                }
            }
            Change::TowardsNothing => towards(motion, None),
            Change::KeepBlend => {
                if let Some(shown) = blended(motion) {
                    motion.codes = shown.codes;
                    motion.content_seed = shown.content_seed;
                    towards(motion, None);
                }
            }
        }
    }
}

/// The codes shown, with the nearer end's content seed; `None` if the two ends are of different models.
pub fn blended(motion: &SampledMotion) -> Option<SeededSample> {
    let content_seed = match &motion.towards {
        Some(other) if motion.blend_weight >= 0.5 => other.content_seed,
        _ => motion.content_seed,
    };
    Some(SeededSample {
        codes: motion.blended_sample().ok()?,
        content_seed,
    })
}

fn roll(motion: &mut SampledMotion, content: Option<u64>, movement: Option<u64>) {
    if let Some(seed) = content.filter(|_| !motion.hold_content) {
        motion.codes = motion.codes.resample_content(seed);
        motion.content_seed = seed;
        motion.blend_weight = 0.0;
    }
    if let Some(seed) = movement.filter(|_| !motion.hold_motion) {
        motion.codes = motion.codes.resample_motion(seed);
        motion.blend_weight = 0.0;
    }
}

/// Replaces the sample, except for the locked parts. The category belongs to the movement.
fn take(motion: &mut SampledMotion, drawn: SeededSample) {
    if drawn.codes.sizes() != motion.codes.sizes() {
        return;
    }
    let (codes, other) = (&mut motion.codes, drawn.codes);
    if !motion.hold_content {
        codes.content = other.content;
        motion.content_seed = drawn.content_seed;
    }
    if !motion.hold_motion {
        codes.category = other.category;
        codes.h0 = other.h0;
        codes.epsilon = other.epsilon;
        codes.motion_seed = other.motion_seed;
    }
    motion.blend_weight = 0.0;
}

fn towards(motion: &mut SampledMotion, other: Option<SeededSample>) {
    motion.towards = other.map(Box::new);
    motion.blend_weight = 0.0;
}
