//! Thin-plate splines through five points (Sec. 3.2, Eq. 2 and 3; `TPS` of the authors' code).

use rayon::prelude::*;

use super::config::POINTS;
use crate::methods::error::Error;

/// Unknowns of a spline along one axis: a weight for each point, then three affine coefficients.
const SIZE: usize = POINTS + 3;
/// Added to the whole diagonal, the affine rows too, as the authors do.
const REGULARISATION: f64 = 0.01;
/// Keeps the logarithm finite at a control point.
const LOG_EPSILON: f64 = 1e-9;

/// A smooth map of the plane that takes its control points approximately to their targets: `A (x, y, 1) + sum over i of
/// w_i U(|(x, y) - c_i|)` with `U(r) = r^2 ln(r^2 + 1e-9)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThinPlate {
    controls: [[f64; 2]; POINTS],
    /// The weights of the controls, then of `x`, `y` and 1, for each output axis.
    weights: [[f64; 2]; SIZE],
}

impl ThinPlate {
    /// The spline that maps `controls` approximately to `targets`.
    ///
    /// # Errors
    /// [`Error::Degenerate`] if the system is singular.
    pub fn new(controls: &[[f32; 2]; POINTS], targets: &[[f32; 2]; POINTS]) -> Result<Self, Error> {
        let controls = controls.map(|p| p.map(f64::from));
        let mut system = [[0f64; SIZE]; SIZE];
        let mut right = [[0f64; 2]; SIZE];
        for (i, &at) in controls.iter().enumerate() {
            for (j, &other) in controls.iter().enumerate() {
                system[i][j] = kernel(at, other);
            }
            for (j, value) in [at[0], at[1], 1.0].into_iter().enumerate() {
                system[i][POINTS + j] = value;
                system[POINTS + j][i] = value;
            }
            right[i] = targets[i].map(f64::from);
        }
        for (i, row) in system.iter_mut().enumerate() {
            row[i] += REGULARISATION;
        }
        let weights = solve(system, right).ok_or(Error::Degenerate(
            "no spline goes through five of its key points",
        ))?;
        Ok(Self { controls, weights })
    }

    /// The control points, and the weights of each of them, `x`, `y` and 1 for both axes.
    pub(super) fn numbers(&self) -> (&[[f64; 2]], &[[f64; 2]]) {
        (&self.controls, &self.weights)
    }

    /// Maps the point `(x, y)`.
    #[inline]
    pub fn at(&self, point: [f64; 2]) -> [f64; 2] {
        let (of_controls, affine) = self.weights.split_at(POINTS);
        let mut to = [0, 1]
            .map(|axis| affine[0][axis] * point[0] + affine[1][axis] * point[1] + affine[2][axis]);
        for (&control, weight) in self.controls.iter().zip(of_controls) {
            let u = kernel(point, control);
            to[0] += u * weight[0];
            to[1] += u * weight[1];
        }
        to
    }
}

/// The map of each spline at each pixel, `[splines, height, width, 2]`.
pub(super) fn grids(splines: &[ThinPlate], (height, width): (usize, usize), out: &mut [f32]) {
    out.par_chunks_mut((2 * width).max(1))
        .enumerate()
        .for_each(|(row, values)| {
            // Rows are numbered through all splines.
            let (spline, y) = (&splines[row / height], coordinate(row % height, height));
            for (x, to) in values.as_chunks_mut().0.iter_mut().enumerate() {
                *to = spline.at([coordinate(x, width), y]).map(|v| v as f32);
            }
        });
}

/// The coordinate of pixel `index` of `size`, from -1 to 1.
fn coordinate(index: usize, size: usize) -> f64 {
    let last = size.saturating_sub(1).max(1) as f64;
    2.0 * index as f64 / last - 1.0
}

#[inline]
fn kernel(a: [f64; 2], b: [f64; 2]) -> f64 {
    let (dx, dy) = (a[0] - b[0], a[1] - b[1]);
    let squared = dx * dx + dy * dy;
    squared * (squared + LOG_EPSILON).ln()
}

/// Gaussian elimination with partial pivoting; `None` if the system is singular.
fn solve(mut system: [[f64; SIZE]; SIZE], mut right: [[f64; 2]; SIZE]) -> Option<[[f64; 2]; SIZE]> {
    for column in 0..SIZE {
        let pivot = (column..SIZE)
            .max_by(|&a, &b| system[a][column].abs().total_cmp(&system[b][column].abs()))?;
        // Entries are of the order of 1, so a smaller pivot is rounding error.
        if system[pivot][column].is_nan() || system[pivot][column].abs() < 1e-12 {
            return None;
        }
        system.swap(column, pivot);
        right.swap(column, pivot);
        let (above, below) = system.split_at_mut(column + 1);
        let (right_above, right_below) = right.split_at_mut(column + 1);
        let (row, value) = (&above[column], &right_above[column]);
        for (other, other_value) in below.iter_mut().zip(right_below) {
            let factor = other[column] / row[column];
            for (to, from) in other.iter_mut().zip(row).skip(column) {
                *to -= factor * from;
            }
            for (to, from) in other_value.iter_mut().zip(value) {
                *to -= factor * from;
            }
        }
    }
    for row in (0..SIZE).rev() {
        let (unknown, known) = right.split_at_mut(row + 1);
        let value = &mut unknown[row];
        for (factor, known) in system[row][row + 1..].iter().zip(known) {
            value[0] -= factor * known[0];
            value[1] -= factor * known[1];
        }
        *value = value.map(|v| v / system[row][row]);
    }
    Some(right)
}
