//! What the generator adds to the warped portrait, at the network's resolution.

use rayon::prelude::*;

use super::drift::Drift;
use super::plane::{Cubic, Plane};
use super::shape::ValidMotion;
use crate::math::smoothstep;

/// How sharply G may depart from the warped picture at rest before the portrait's detail no longer belongs there, in
/// 0..=255. A soft change, of light or of colour, preserves the detail; a sharp one means different content.
const SHARP: f32 = 17.0;

/// How far G may depart at all, however softly: the inside of a wide open mouth is soft too.
const BROAD: f32 = 55.0;

/// The radius of the mean that counts as soft change, as a share of the crop's side.
const SOFT: f32 = 0.04;

/// The radius over which the network's tone error at rest is averaged, as a share of the crop's side, and the maximum
/// correction, in 0..=255.
const TONE: f32 = 0.12;
const TONE_MOST: f32 = 30.0;

/// The difference between G and the warped picture at rest, in 0..=255: below the first it is ignored, above the second it
/// counts in full.
const DIFFERENCE_RAMP: (f32, f32) = (2.0, 12.0);

/// The change in occlusion at which G starts to be used, and at which G alone is used.
const OCCLUSION_RAMP: (f32, f32) = (0.05, 0.55);

/// Lower bound of the occlusion at rest when it is used as a divisor.
const MIN_AT_REST: f32 = 0.25;

/// The network's output at rest, and what is derived from it.
pub(super) struct Rest {
    pub motion: ValidMotion,
    /// Occlusion at the picture's resolution.
    occlusion: Plane,
    /// Correction that matches the network's tones to the portrait's.
    tone: [Plane; 3],
    /// The picture at rest with the correction applied.
    toned: [Plane; 3],
}

impl Rest {
    /// `input` is the network's input, `[3, size, size]` in 0..=255.
    pub fn new(motion: ValidMotion, input: &[f32]) -> Self {
        let size = motion.size;
        let radius = radius_of(size, TONE);
        let tone = [0, 1, 2].map(|c| {
            let input = &input[c * size * size..];
            let error = input.iter().zip(&motion.picture[c].values);
            let error = Plane::square(size, error.map(|(input, drawn)| input - drawn).collect());
            error
                .double_box_blur(radius)
                .map(|error| error.clamp(-TONE_MOST, TONE_MOST))
        });
        let toned = [0, 1, 2].map(|c| added(&motion.picture[c], &tone[c]));
        Self {
            occlusion: unit(motion.occlusion.stretched(size)),
            motion,
            tone,
            toned,
        }
    }

    /// Warps the picture at rest and, as a fourth channel, its occlusion.
    fn moved(&self, [across, down]: &[Plane; 2]) -> Vec<[f32; 4]> {
        let size = self.motion.size;
        (0..size * size)
            .into_par_iter()
            .with_min_len(1024)
            .map(|i| {
                let (dx, dy) = (across.values[i], down.values[i]);
                let [red, green, blue] = &self.toned;
                let planes = [red, green, blue, &self.occlusion];
                if dx == 0.0 && dy == 0.0 {
                    return planes.map(|plane| plane.values[i]);
                }
                let (x, y) = ((i % size) as f32, (i / size) as f32);
                let (dx, dy) = (dx * size as f32, dy * size as f32);
                let place = Cubic::new((x + dx, y + dy), size);
                planes.map(|plane| plane.cubic(&place))
            })
            .collect()
    }
}

/// `R = (1 - loss) W + color`: the two terms, at the network's resolution.
pub(super) struct Paint {
    /// p (1 - k), in 0..=1.
    pub loss: Plane,
    /// p (G - k W0), in 0..=255; may be negative.
    pub color: [Plane; 3],
}

impl Paint {
    /// Adds nothing.
    pub fn none() -> Self {
        let clear = || Plane::square(1, vec![0.0]);
        Self {
            loss: clear(),
            color: [clear(), clear(), clear()],
        }
    }

    pub fn new(rest: &Rest, motion: &ValidMotion, drift: &Drift) -> Self {
        let size = motion.size;
        let moved = rest.moved(&drift.spline(size));
        let channels: Vec<(Plane, Plane)> = (0..3)
            .into_par_iter()
            .map(|c| {
                let drawn = added(&motion.picture[c], &rest.tone[c]);
                let pairs = drawn.values.iter().zip(&moved);
                let added = pairs.map(|(drawn, moved)| drawn - moved[c]).collect();
                // Interpolation softens one of the two pictures and not the other; blurring the difference removes that.
                let added = Plane::square(size, added).box_blur(1);
                (drawn, added)
            })
            .collect();

        let same = likeness(channels.iter().map(|(_, added)| added), size);
        let notable = {
            let most = greatest(channels.iter().map(|(_, added)| added.values.as_slice()));
            Plane::square(size, most).max_filter(1).box_blur(1)
        };
        let occlusion = unit(motion.occlusion.stretched(size));
        let weights: Vec<f32> = (0..size * size)
            .map(|i| {
                let now = occlusion.values[i];
                // What the network paints at rest may stay in place, or move with the feature.
                let before = rest.occlusion.values[i].min(moved[i][3].clamp(0.0, 1.0));
                let fallen = (before - now) / before.max(MIN_AT_REST);
                let needed = fallen.max((1.0 - now) * (1.0 - same.values[i]));
                between(needed, OCCLUSION_RAMP) * between(notable.values[i], DIFFERENCE_RAMP)
            })
            .collect();

        let loss = weights.iter().zip(&same.values).map(|(p, k)| p * (1.0 - k));
        let loss = Plane::square(size, loss.collect());
        let color = [0, 1, 2].map(|c| {
            let (drawn, added) = &channels[c];
            let values = (0..size * size).map(|i| {
                let (p, k) = (weights[i], same.values[i]);
                p * ((1.0 - k) * drawn.values[i] + k * added.values[i])
            });
            Plane::square(size, values.collect())
        });
        Self { loss, color }
    }
}

/// k: how far the generator's addition leaves the content the same, in 0..=1.
fn likeness<'a>(added: impl Iterator<Item = &'a Plane>, size: usize) -> Plane {
    let radius = radius_of(size, SOFT);
    let dissimilarities: Vec<Vec<f32>> = added
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|added| {
            let soft = added.box_blur(radius);
            let pairs = added.values.iter().zip(&soft.values);
            pairs
                .map(|(added, soft)| ((added - soft) / SHARP).powi(2) + (added / BROAD).powi(2))
                .collect()
        })
        .collect();
    let most = greatest(dissimilarities.iter().map(Vec::as_slice));
    // A changed feature affects its surroundings.
    Plane::square(size, most)
        .max_filter(radius.div_ceil(2))
        .map(|dissimilarity| (-dissimilarity).exp())
        .box_blur(radius.div_ceil(4))
}

fn greatest<'a>(planes: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
    let mut most = Vec::new();
    for plane in planes {
        most.resize(plane.len(), 0.0f32);
        for (most, value) in most.iter_mut().zip(plane) {
            *most = most.max(value.abs());
        }
    }
    most
}

fn added(plane: &Plane, other: &Plane) -> Plane {
    let sum = plane.values.iter().zip(&other.values).map(|(a, b)| a + b);
    Plane {
        values: sum.collect(),
        ..*plane
    }
}

fn unit(plane: Plane) -> Plane {
    plane.map(|value| value.clamp(0.0, 1.0))
}

fn between(value: f32, (low, high): (f32, f32)) -> f32 {
    smoothstep((value - low) / (high - low))
}

fn radius_of(size: usize, share: f32) -> usize {
    (size as f32 * share).ceil() as usize
}
