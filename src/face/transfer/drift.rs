//! How far a network's motion has moved things from where they are at rest.

use super::plane::Plane;
use super::shape::Sound;

/// How far things have moved from where they are at rest, in shares of the crop's side, at the flow's own size.
pub(super) struct Drift {
    across: Plane,
    down: Plane,
    doubts: Vec<Plane>,
    /// Pixels a side of the network's picture.
    pub size: usize,
}

impl Drift {
    pub fn between(rest: &Sound, motion: &Sound) -> Self {
        let mut doubts: Vec<Plane> = rest.doubts.iter().chain(&motion.doubts).cloned().collect();
        let away = |axis: usize| {
            let pairs = motion.flow[axis].values.iter().zip(&rest.flow[axis].values);
            let values = pairs.map(|(now, at_rest)| {
                let away = now - at_rest;
                if away.is_finite() { away } else { 0.0 }
            });
            Plane {
                values: values.collect(),
                ..motion.flow[axis]
            }
        };
        let (across, down) = (away(0), away(1));
        doubts.retain(|plane| plane.values.iter().any(|trust| *trust < 1.0));
        Self {
            across,
            down,
            doubts,
            size: motion.size,
        }
    }

    /// Both axes at another size.
    pub fn spline(&self, size: usize) -> [Plane; 2] {
        [self.across.spline(size), self.down.spline(size)]
    }

    /// How far the network's numbers can be used: 1, but 0 about any that weren't finite.
    pub fn trust(&self, size: usize) -> Option<Plane> {
        trust(&self.doubts, size)
    }
}

/// The product of the planes at another size; none when there are none.
pub(super) fn trust(doubts: &[Plane], size: usize) -> Option<Plane> {
    doubts
        .iter()
        .map(|plane| plane.spline(size))
        .reduce(|mut all, next| {
            for (all, next) in all.values.iter_mut().zip(next.values) {
                *all *= next;
            }
            all
        })
}
