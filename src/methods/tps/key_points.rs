//! Key points as plain data, and the relative motion between them.

use serde::{Deserialize, Serialize};

use super::config::POINTS;
use crate::methods::error::Error;
use crate::methods::motion::movement_scale;

/// The key points of a picture: five for each spline, in the model's order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyPoints {
    /// `(x, y)`, from -1 to 1.
    pub points: Vec<[f32; 2]>,
}

impl KeyPoints {
    /// Interpolates linearly to `other`: a `gain` of 0 gives these key points, 1 gives `other`, more extrapolates.
    ///
    /// # Errors
    /// [`Error::KeyPoints`] if the counts differ.
    pub fn towards(&self, other: &Self, gain: f32) -> Result<Self, Error> {
        other.expect(self.points.len())?;
        let points = self
            .points
            .iter()
            .zip(&other.points)
            .map(|(from, to)| {
                std::array::from_fn(|axis| from[axis] + gain * (to[axis] - from[axis]))
            })
            .collect();
        Ok(Self { points })
    }

    /// Checks that there are `count` points and that all are finite.
    pub(super) fn expect(&self, count: usize) -> Result<(), Error> {
        if self.points.len() != count {
            return Err(Error::KeyPoints {
                expected: format!("{count} key points"),
                found: self.points.len().to_string(),
            });
        }
        match self
            .points
            .iter()
            .position(|p| !p.iter().all(|v| v.is_finite()))
        {
            Some(index) => Err(Error::KeyPointNotFinite { index }),
            None => Ok(()),
        }
    }

    /// The five points of each spline.
    pub(super) fn splines(&self) -> impl Iterator<Item = &[[f32; 2]; POINTS]> {
        self.points.as_chunks().0.iter()
    }

    /// From interleaved `x, y` values.
    pub(super) fn from_flat(values: &[f32]) -> Self {
        Self {
            points: values.as_chunks().0.to_vec(),
        }
    }

    /// The points as interleaved `x, y` values.
    pub(super) fn flat(&self) -> &[f32] {
        self.points.as_flattened()
    }
}

/// Applies to the source's key points the motion of `driving` since `initial`, scaled by the relative size of the faces
/// (`relative_kp` of the authors' code): `source + s (driving - initial)`, with `s` the square root of the ratio of the
/// areas of the source's and the initial frame's convex hulls.
///
/// # Errors
/// [`Error::KeyPoints`] or [`Error::KeyPointNotFinite`] if the counts differ or a point isn't finite,
/// [`Error::Degenerate`] if the points of a face are collinear.
pub fn relative(
    source: &KeyPoints,
    driving: &KeyPoints,
    initial: &KeyPoints,
) -> Result<KeyPoints, Error> {
    let count = source.points.len();
    for key_points in [source, driving, initial] {
        key_points.expect(count)?;
    }
    let scale = movement_scale(&source.points, &initial.points)? as f32;
    let points = source
        .points
        .iter()
        .zip(driving.points.iter().zip(&initial.points))
        .map(|(s, (d, i))| std::array::from_fn(|axis| s[axis] + scale * (d[axis] - i[axis])))
        .collect();
    Ok(KeyPoints { points })
}
