//! Key points as plain data, and the transfer of motion from one face to another.

use serde::{Deserialize, Serialize};

use crate::methods::error::Error;
use crate::methods::motion;

/// The key points of a face, with the first-order motion around each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyPoints {
    /// `(x, y)`, from -1 to 1.
    pub points: Vec<[f32; 2]>,
    /// The 2x2 Jacobian of each point, row-major; empty if the model has no Jacobians.
    pub jacobians: Vec<[f32; 4]>,
}

/// Applies to `source` the motion of the driving face since `initial` (Eq. 11, `normalize_kp`): `p = s (p_d - p_d0) +
/// p_src`, `J = J_d J_d0^-1 J_src`. With `scale`, `s` is the size of the source's face relative to the initial one (from
/// the convex hulls of their points); otherwise 1.
///
/// # Errors
/// [`Error::KeyPoints`] if the counts differ; [`Error::Degenerate`] if a hull has no area or a Jacobian of `initial`
/// isn't invertible.
pub fn relative(
    source: &KeyPoints,
    driving: &KeyPoints,
    initial: &KeyPoints,
    scale: bool,
) -> Result<KeyPoints, Error> {
    for other in [driving, initial] {
        other.check_counts(source.points.len(), source.jacobians.len())?;
    }
    let scale = if scale {
        motion::movement_scale(&source.points, &initial.points)?
    } else {
        1.0
    };
    let points = source
        .points
        .iter()
        .zip(&driving.points)
        .zip(&initial.points)
        .map(|((source, driving), initial)| {
            [0, 1].map(|axis| {
                let moved = f64::from(driving[axis]) - f64::from(initial[axis]);
                (scale * moved + f64::from(source[axis])) as f32
            })
        })
        .collect();
    let jacobians = source
        .jacobians
        .iter()
        .zip(&driving.jacobians)
        .zip(&initial.jacobians)
        .map(|((source, driving), initial)| {
            let change = product(&driving.map(f64::from), &inverse(initial)?);
            Ok(product(&change, &source.map(f64::from)).map(|v| v as f32))
        })
        .collect::<Result<_, Error>>()?;
    Ok(KeyPoints { points, jacobians })
}

impl KeyPoints {
    /// Interpolates linearly to `other`: a `gain` of 0 gives these key points, 1 gives `other`, more extrapolates.
    pub fn towards(&self, other: &Self, gain: f32) -> Self {
        Self {
            points: between(&self.points, &other.points, gain),
            jacobians: between(&self.jacobians, &other.jacobians, gain),
        }
    }

    /// Checks for `points` finite key points, with Jacobians if the model has them.
    pub(super) fn check(&self, points: usize, jacobians: bool) -> Result<(), Error> {
        self.check_counts(points, if jacobians { points } else { 0 })?;
        let finite = |index: usize| {
            let point = self.points[index].iter();
            let jacobian = self.jacobians.get(index).into_iter().flatten();
            point.chain(jacobian).all(|v| v.is_finite())
        };
        match (0..points).find(|&index| !finite(index)) {
            Some(index) => Err(Error::KeyPointNotFinite { index }),
            None => Ok(()),
        }
    }

    fn check_counts(&self, points: usize, jacobians: usize) -> Result<(), Error> {
        let words = |points, jacobians| format!("{points} key points and {jacobians} Jacobians");
        if (self.points.len(), self.jacobians.len()) == (points, jacobians) {
            return Ok(());
        }
        Err(Error::KeyPoints {
            expected: words(points, jacobians),
            found: words(self.points.len(), self.jacobians.len()),
        })
    }

    /// The first-order motion of each key point from the driving picture to the source (Eq. 4): `z` is mapped to `J_src
    /// J_d^-1 (z - p_d) + p_src`. Both must have equal counts.
    ///
    /// # Errors
    /// [`Error::Degenerate`] if a driving Jacobian isn't invertible.
    pub(super) fn motions(source: &Self, driving: &Self) -> Result<Vec<Motion>, Error> {
        let pairs = source.points.iter().zip(&driving.points);
        pairs
            .enumerate()
            .map(|(index, (&to, &from))| {
                let linear = match (source.jacobians.get(index), driving.jacobians.get(index)) {
                    (Some(source), Some(driving)) => {
                        product(&source.map(f64::from), &inverse(driving)?).map(|v| v as f32)
                    }
                    _ => [1.0, 0.0, 0.0, 1.0],
                };
                Ok(Motion { from, to, linear })
            })
            .collect()
    }
}

/// An affine motion of the whole picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Motion {
    from: [f32; 2],
    to: [f32; 2],
    linear: [f32; 4],
}

impl Motion {
    /// The driving point, the source point and the matrix, row-major.
    pub fn numbers(&self) -> [f32; 8] {
        let ([a, b], [c, d], [e, f, g, h]) = (self.from, self.to, self.linear);
        [a, b, c, d, e, f, g, h]
    }

    /// The source position to sample for `(x, y)`.
    pub fn at(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (x, y) = (x - self.from[0], y - self.from[1]);
        let [a, b, c, d] = self.linear;
        [a * x + b * y + self.to[0], c * x + d * y + self.to[1]]
    }
}

fn between<const N: usize>(from: &[[f32; N]], to: &[[f32; N]], gain: f32) -> Vec<[f32; N]> {
    from.iter()
        .zip(to)
        .map(|(from, to)| {
            std::array::from_fn(|i| {
                let (from, to) = (f64::from(from[i]), f64::from(to[i]));
                (from + f64::from(gain) * (to - from)) as f32
            })
        })
        .collect()
}

fn product(left: &[f64; 4], right: &[f64; 4]) -> [f64; 4] {
    let [a, b, c, d] = left;
    let [e, f, g, h] = right;
    [a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h]
}

fn inverse(matrix: &[f32; 4]) -> Result<[f64; 4], Error> {
    let [a, b, c, d] = matrix.map(f64::from);
    let inverse = [d, -b, -c, a].map(|v| v / (a * d - b * c));
    if inverse.iter().all(|v| v.is_finite()) {
        Ok(inverse)
    } else {
        Err(Error::Degenerate("a key point's Jacobian has no inverse"))
    }
}
