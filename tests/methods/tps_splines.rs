//! Thin-plate splines compared with a plain implementation of their definition.

#![allow(clippy::needless_range_loop)] // the definition reads as in the paper

use mien::methods::tps::ThinPlate;
use proptest::prelude::*;

/// `r^2 ln(r^2 + 1e-9)` of the distance `r`.
fn kernel(a: [f64; 2], b: [f64; 2]) -> f64 {
    let r = ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)).sqrt();
    r * r * (r * r + 1e-9).ln()
}

/// The eight weights of each axis, by Gauss-Jordan elimination.
fn spline_weights(controls: &[[f64; 2]; 5], targets: &[[f64; 2]; 5]) -> Vec<[f64; 2]> {
    let mut rows = vec![vec![0.0; 10]; 8];
    for i in 0..5 {
        for j in 0..5 {
            rows[i][j] = kernel(controls[i], controls[j]);
        }
        let affine = [controls[i][0], controls[i][1], 1.0];
        for j in 0..3 {
            rows[i][5 + j] = affine[j];
            rows[5 + j][i] = affine[j];
        }
        rows[i][8] = targets[i][0];
        rows[i][9] = targets[i][1];
    }
    for i in 0..8 {
        rows[i][i] += 0.01;
    }
    for i in 0..8 {
        let largest = (i..8)
            .max_by(|&a, &b| rows[a][i].abs().total_cmp(&rows[b][i].abs()))
            .unwrap();
        rows.swap(i, largest);
        let divisor = rows[i][i];
        for value in &mut rows[i] {
            *value /= divisor;
        }
        let pivot = rows[i].clone();
        for (j, row) in rows.iter_mut().enumerate() {
            let factor = row[i];
            if j != i {
                for k in 0..10 {
                    row[k] -= factor * pivot[k];
                }
            }
        }
    }
    rows.iter().map(|row| [row[8], row[9]]).collect()
}

fn five() -> impl Strategy<Value = [[f32; 2]; 5]> {
    prop::array::uniform5(prop::array::uniform2(-1f32..1.0))
}

proptest! {
    #[test]
    fn thin_plate_splines_agree_with_their_definition(
        controls in five(),
        targets in five(),
        places in prop::collection::vec(prop::array::uniform2(-1.5f64..1.5), 8),
    ) {
        let spline = ThinPlate::new(&controls, &targets).unwrap();
        let controls = controls.map(|p| p.map(f64::from));
        let targets = targets.map(|p| p.map(f64::from));
        let weights = spline_weights(&controls, &targets);
        let size = weights.iter().flatten().fold(1.0, |most: f64, w| most.max(w.abs()));
        for place in places {
            let found = spline.at(place);
            for axis in 0..2 {
                let mut wanted = weights[5][axis] * place[0] + weights[6][axis] * place[1] + weights[7][axis];
                for i in 0..5 {
                    wanted += weights[i][axis] * kernel(place, controls[i]);
                }
                prop_assert!((found[axis] - wanted).abs() < 1e-7 * size, "{found:?} {wanted}");
            }
        }
        // The control points reach their targets, up to the regularisation.
        for i in 0..5 {
            let found = spline.at(controls[i]);
            for axis in 0..2 {
                let short = targets[i][axis] - found[axis];
                prop_assert!((short - 0.01 * weights[i][axis]).abs() < 1e-7 * size);
            }
        }
    }
}
