//! What the generator has to add to the moved portrait, at the network's own size.

use rayon::prelude::*;

use super::drift::Drift;
use super::plane::{Cubic, Plane};
use super::shape::Sound;
use crate::math::smoothstep;

/// How sharply G may depart from the moved picture at rest before the portrait's detail no longer belongs there, in
/// 0..=255. A soft change, of light or of colour, carries the detail along; a sharp one means another thing.
const SHARP: f32 = 17.0;

/// How far G may depart at all, however softly: the inside of a wide open mouth is soft too.
const BROAD: f32 = 55.0;

/// What counts as soft: changes over more than this share of the crop's side.
const SOFT: f32 = 0.04;

/// The share of the crop's side over which the network's error of tone at rest is taken together, and the most, in 0..=255,
/// by which it is made good.
const TONE: f32 = 0.12;
const TONE_MOST: f32 = 30.0;

/// Where G departs by less than the first of these it is as good as the moved picture at rest; by more than the second,
/// it is not. In 0..=255.
const NOTABLE: (f32, f32) = (2.0, 12.0);

/// How far occlusion has to ask until G is listened to, and until nothing else is.
const ASKED: (f32, f32) = (0.05, 0.55);

/// Where occlusion at rest is less than this, it is divided by this instead.
const LEAST_AT_REST: f32 = 0.25;

/// What the network says at rest, and what follows from it.
pub(super) struct Rest {
    pub motion: Sound,
    /// Occlusion at the picture's size.
    occlusion: Plane,
    /// What is added to every picture of the network so that its tones are the portrait's.
    tone: [Plane; 3],
    /// The picture at rest with that added.
    toned: [Plane; 3],
}

impl Rest {
    /// `seen` is what the network saw of the portrait, `[3, size, size]` in 0..=255.
    pub fn new(motion: Sound, seen: &[f32]) -> Self {
        let size = motion.size;
        let radius = reach(size, TONE);
        let tone = [0, 1, 2].map(|c| {
            let seen = &seen[c * size * size..];
            let error = seen.iter().zip(&motion.picture[c].values);
            let error = Plane::square(size, error.map(|(seen, drawn)| seen - drawn).collect());
            error
                .soft(radius)
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

    /// The picture at rest and, for a fourth, its occlusion, moved.
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

/// `R = (1 - loss) W + color`: the two of them, at the network's own size.
pub(super) struct Paint {
    /// p (1 - k), in 0..=1.
    pub loss: Plane,
    /// p (G - k W0), in 0..=255 and below 0 where it takes away.
    pub color: [Plane; 3],
}

impl Paint {
    /// Nothing at all.
    pub fn none() -> Self {
        let clear = || Plane::square(1, vec![0.0]);
        Self {
            loss: clear(),
            color: [clear(), clear(), clear()],
        }
    }

    pub fn new(rest: &Rest, motion: &Sound, drift: &Drift) -> Self {
        let size = motion.size;
        let moved = rest.moved(&drift.spline(size));
        let channels: Vec<(Plane, Plane)> = (0..3)
            .into_par_iter()
            .map(|c| {
                let drawn = added(&motion.picture[c], &rest.tone[c]);
                let pairs = drawn.values.iter().zip(&moved);
                let added = pairs.map(|(drawn, moved)| drawn - moved[c]).collect();
                // Reading between samples softens one of the two and not the other; that is no change.
                let added = Plane::square(size, added).mean_around(1);
                (drawn, added)
            })
            .collect();

        let same = likeness(channels.iter().map(|(_, added)| added), size);
        let notable = {
            let most = greatest(channels.iter().map(|(_, added)| added.values.as_slice()));
            Plane::square(size, most).most_around(1).mean_around(1)
        };
        let occlusion = unit(motion.occlusion.stretched(size));
        let weights: Vec<f32> = (0..size * size)
            .map(|i| {
                let now = occlusion.values[i];
                // What the network always paints stays with the place, or goes with the thing.
                let before = rest.occlusion.values[i].min(moved[i][3].clamp(0.0, 1.0));
                let fallen = (before - now) / before.max(LEAST_AT_REST);
                let asked = fallen.max((1.0 - now) * (1.0 - same.values[i]));
                between(asked, ASKED) * between(notable.values[i], NOTABLE)
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

/// k: how far what the network adds leaves things the same, in 0..=1.
fn likeness<'a>(added: impl Iterator<Item = &'a Plane>, size: usize) -> Plane {
    let radius = reach(size, SOFT);
    let departures: Vec<Vec<f32>> = added
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|added| {
            let soft = added.mean_around(radius);
            let pairs = added.values.iter().zip(&soft.values);
            pairs
                .map(|(added, soft)| ((added - soft) / SHARP).powi(2) + (added / BROAD).powi(2))
                .collect()
        })
        .collect();
    let most = greatest(departures.iter().map(Vec::as_slice));
    // A feature that has changed takes its surroundings with it.
    Plane::square(size, most)
        .most_around(radius.div_ceil(2))
        .map(|departure| (-departure).exp())
        .mean_around(radius.div_ceil(4))
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

fn reach(size: usize, share: f32) -> usize {
    (size as f32 * share).ceil() as usize
}
