//! The displacement of a motion relative to the rest state.

use super::plane::Plane;
use super::shape::ValidMotion;

/// The displacement relative to the rest state, in shares of the crop's side, at the flow's resolution.
pub(super) struct Drift {
    across: Plane,
    down: Plane,
    trust_masks: Vec<Plane>,
    /// Side of the network's picture in pixels.
    pub size: usize,
}

impl Drift {
    pub fn between(rest: &ValidMotion, motion: &ValidMotion) -> Self {
        let mut trust_masks: Vec<Plane> = rest
            .trust_masks
            .iter()
            .chain(&motion.trust_masks)
            .cloned()
            .collect();
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
        trust_masks.retain(|plane| plane.values.iter().any(|trust| *trust < 1.0));
        Self {
            across,
            down,
            trust_masks,
            size: motion.size,
        }
    }

    /// Resamples both axes to another size.
    pub fn spline(&self, size: usize) -> [Plane; 2] {
        [self.across.spline(size), self.down.spline(size)]
    }

    /// Returns how far the network's output can be trusted: 1, falling to 0 around non-finite numbers.
    pub fn trust(&self, size: usize) -> Option<Plane> {
        trust(&self.trust_masks, size)
    }
}

/// Returns the product of the planes at another size; `None` if there are none.
pub(super) fn trust(trust_masks: &[Plane], size: usize) -> Option<Plane> {
    trust_masks
        .iter()
        .map(|plane| plane.spline(size))
        .reduce(|mut all, next| {
            for (all, next) in all.values.iter_mut().zip(next.values) {
                *all *= next;
            }
            all
        })
}
