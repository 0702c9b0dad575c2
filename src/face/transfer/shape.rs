//! A motion-transfer network's output for one frame, and its validation.

use thiserror::Error;

use super::plane::Plane;

/// A network's output for one frame. All planes are stretched over the crop.
#[derive(Debug, Clone, PartialEq)]
pub struct Motion {
    /// Samples of the flow across and down; 64 and 64 for both methods.
    pub flow_size: (usize, usize),
    /// `[rows, columns, 2]`: the backward flow, x and y in [-1, 1] of the crop.
    pub flow: Vec<f32>,
    /// Whether -1 and 1 are the centres of the outermost samples (torch's `align_corners`) or the outer edges.
    pub align_corners: bool,
    /// Side of the occlusion map in samples; 64 for FOMM, 256 for TPS' finest.
    pub occlusion_size: usize,
    /// `[o, o]` in [0, 1]: 1 where the warped source is right, 0 where it must be repainted.
    pub occlusion: Vec<f32>,
    /// Side of the picture in pixels; 256 for both methods.
    pub size: usize,
    /// The generator's picture: `[3, size, size]` in [0, 1].
    pub picture: Vec<f32>,
}

/// A mismatch in a motion's sizes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum MotionFault {
    /// An output with the wrong number of values.
    #[error("the network's {what} has {holds} numbers where its size needs {wanted}")]
    Numbers {
        what: &'static str,
        holds: usize,
        wanted: usize,
    },
    /// An output of another size than the one at rest.
    #[error("the network's {what} doesn't have the size that it had for the portrait at rest")]
    Sizes { what: &'static str },
}

/// A motion with all values clamped to their ranges.
pub(super) struct ValidMotion {
    pub size: usize,
    /// Source position across and down in shares of the crop's side, plus an offset that is the same for every motion; NaN
    /// where it wasn't finite.
    pub flow: [Plane; 2],
    /// In 0..=1.
    pub occlusion: Plane,
    /// In 0..=255.
    pub picture: [Plane; 3],
    /// Planes of 1 with 0 around non-finite numbers; usually empty.
    pub trust_masks: Vec<Plane>,
    align_corners: bool,
}

/// Flow is clamped to this magnitude, in shares of the crop's side.
const MAX_FLOW: f32 = 4.0;

/// Radius around a non-finite number where nothing is trusted, in samples: the support of splines and filters from any
/// position within a sample of it.
const DISTRUST_RADIUS: usize = 3;

impl ValidMotion {
    pub fn new(motion: &Motion) -> Result<Self, MotionFault> {
        let (columns, rows) = motion.flow_size;
        let check = |what, holds: usize, sides: [usize; 3]| {
            // On overflow, no length matches.
            let wanted = sides
                .into_iter()
                .try_fold(1, usize::checked_mul)
                .unwrap_or(usize::MAX);
            if wanted == 0 || wanted != holds {
                return Err(MotionFault::Numbers {
                    what,
                    holds,
                    wanted,
                });
            }
            Ok(())
        };
        let (side, size) = (motion.occlusion_size, motion.size);
        check("flow", motion.flow.len(), [columns, rows, 2])?;
        check("occlusion", motion.occlusion.len(), [side, side, 1])?;
        check("picture", motion.picture.len(), [size, size, 3])?;

        let mut trust_masks = Vec::new();
        let mut doubt = |width: usize, height: usize, bad: &dyn Fn(usize) -> bool| {
            if (0..width * height).any(bad) {
                let values = (0..width * height).map(|i| f32::from(u8::from(bad(i))));
                let bad = Plane {
                    width,
                    height,
                    values: values.collect(),
                };
                trust_masks.push(bad.max_filter(DISTRUST_RADIUS).map(|bad| 1.0 - bad));
            }
        };
        let area = size * size;
        doubt(columns, rows, &|i| {
            !(motion.flow[2 * i].is_finite() && motion.flow[2 * i + 1].is_finite())
        });
        doubt(side, side, &|i| !motion.occlusion[i].is_finite());
        doubt(size, size, &|i| {
            (0..3).any(|c| !motion.picture[c * area + i].is_finite())
        });

        let flow = |axis: usize, count: usize| {
            // With `align_corners`, the outermost samples' centres are closer together than the crop's edges.
            let scale = if motion.align_corners {
                0.5 * (count - 1) as f32 / count as f32
            } else {
                0.5
            };
            let values = motion.flow.iter().skip(axis).step_by(2);
            Plane {
                width: columns,
                height: rows,
                values: values.map(|v| bounded(v * scale, MAX_FLOW)).collect(),
            }
        };
        let picture = |c: usize| {
            let plane = &motion.picture[c * area..][..area];
            let values = plane.iter().map(|v| 255.0 * unit(*v));
            Plane::square(size, values.collect())
        };
        let occlusion = motion.occlusion.iter().map(|v| unit(*v)).collect();
        Ok(Self {
            size,
            flow: [flow(0, columns), flow(1, rows)],
            occlusion: Plane::square(side, occlusion),
            picture: [picture(0), picture(1), picture(2)],
            trust_masks,
            align_corners: motion.align_corners,
        })
    }

    /// The same with a black picture of the size at rest, for a motion whose picture isn't used.
    pub fn without_picture(motion: &Motion, rest: &ValidMotion) -> Result<Self, MotionFault> {
        Self::new(&Motion {
            flow: motion.flow.clone(),
            occlusion: motion.occlusion.clone(),
            picture: vec![0.0; 3 * rest.size * rest.size],
            ..*motion
        })
    }

    /// Checks that this motion has the same sizes as the motion at rest.
    pub fn matches(&self, rest: &ValidMotion) -> Result<(), MotionFault> {
        let size = |plane: &Plane| (plane.width, plane.height);
        let same = [
            (
                "flow",
                size(&self.flow[0]) == size(&rest.flow[0])
                    && self.align_corners == rest.align_corners,
            ),
            ("occlusion", size(&self.occlusion) == size(&rest.occlusion)),
            ("picture", self.size == rest.size),
        ];
        match same.into_iter().find(|(_, same)| !same) {
            Some((what, _)) => Err(MotionFault::Sizes { what }),
            None => Ok(()),
        }
    }
}

fn bounded(value: f32, most: f32) -> f32 {
    if value.is_finite() {
        value.clamp(-most, most)
    } else {
        f32::NAN
    }
}

/// Clamps to 0..=1; NaN becomes 1, which has no effect.
fn unit(value: f32) -> f32 {
    if value.is_nan() {
        return 1.0;
    }
    value.clamp(0.0, 1.0)
}
