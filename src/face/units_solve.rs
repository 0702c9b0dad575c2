//! Refines the Action Units read against a person's own neutral face, so that together they explain how the landmarks moved.
//!
//! Each unit's own weights look at a few measures and know nothing of the others: of a real smile they read several units too
//! weak, and some that only look alike. Here the units' mean movements ([`SHAPES`], drawn by the rig) are summed, and the units
//! change until the sum comes nearest to the movement seen: least squares, regularised towards the first reading, within 0..=1.

use std::sync::LazyLock;

use super::units_align::Aligned;
use super::units_shapes::{POINTS, SHAPES};

/// Weight of the first reading, relative to the units' mean squared movement.
const PRIOR: f32 = 0.5;
/// The units that are solved for, by index, with the factor on the prior's weight. The others are read as well without: on
/// faces with known units (`tests/face`), this choice has the smallest error.
const SOLVED: [(usize, f32); 5] = [
    (6, 4.0),  // AU9
    (7, 4.0),  // AU10
    (8, 1.0),  // AU12
    (14, 1.0), // AU25
    (15, 4.0), // AU26
];
/// How many of the first [`SOLVED`] units take the solution. AU26 explains movement that would be given to others, but the
/// first reading of it is better.
const REFINED: usize = 4;
/// Weights of the axes: the landmarks' depth is the least certain.
const AXES: [f32; 3] = [1.0, 1.0, 0.3];
/// Passes over the solved units; the last one changes less than 0.001.
const PASSES: usize = 40;

type Movement = [[f32; 3]; POINTS.len()];

/// The weighted movement of each unit at 1, and their products.
struct Basis {
    shapes: [Movement; SHAPES.len()],
    /// For each solved unit, its products with the solved units.
    products: [[f32; SOLVED.len()]; SOLVED.len()],
    /// Weight of the prior.
    prior: f32,
}

static BASIS: LazyLock<Basis> = LazyLock::new(|| {
    let shapes = SHAPES.map(|shape| shape.map(|at| weighted(at.map(|v| f32::from(v) / 1000.0))));
    let squares: f32 = shapes.iter().map(|shape| product(shape, shape)).sum();
    Basis {
        products: SOLVED.map(|(a, _)| SOLVED.map(|(b, _)| product(&shapes[a], &shapes[b]))),
        prior: PRIOR * squares / SHAPES.len() as f32,
        shapes,
    }
});

fn weighted(movement: [f32; 3]) -> [f32; 3] {
    std::array::from_fn(|axis| movement[axis] * AXES[axis])
}

fn product(a: &Movement, b: &Movement) -> f32 {
    let pairs = a.as_flattened().iter().zip(b.as_flattened());
    pairs.map(|(a, b)| a * b).sum()
}

/// Refines `units` (0..=1 each, in OpenFace order), read from `face` against `neutral`; both have 478 points.
pub(super) fn refined(mut units: [f32; 17], face: &Aligned, neutral: &Aligned) -> [f32; 17] {
    let basis = &*BASIS;
    let mut rest = movement(face, neutral);
    for (unit, shape) in basis.shapes.iter().enumerate() {
        if SOLVED.iter().all(|(solved, _)| *solved != unit) {
            for (rest, at) in rest.as_flattened_mut().iter_mut().zip(shape.as_flattened()) {
                *rest -= units[unit] * at;
            }
        }
    }
    let first = SOLVED.map(|(unit, _)| units[unit]);
    let seen = SOLVED.map(|(unit, _)| product(&rest, &basis.shapes[unit]));
    let mut values = first;
    for _ in 0..PASSES {
        for (k, (_, trust)) in SOLVED.into_iter().enumerate() {
            let prior = basis.prior * trust;
            let others: f32 = (0..SOLVED.len())
                .filter(|other| *other != k)
                .map(|other| values[other] * basis.products[k][other])
                .sum();
            let best = (seen[k] - others + prior * first[k]) / (basis.products[k][k] + prior);
            values[k] = best.clamp(0.0, 1.0);
        }
    }
    for ((unit, _), value) in SOLVED.into_iter().zip(values).take(REFINED) {
        units[unit] = value;
    }
    units
}

/// The weighted movement from `neutral` to `face`, the mean of both sides as on the person's right.
fn movement(face: &Aligned, neutral: &Aligned) -> Movement {
    POINTS.map(|(right, left)| {
        let moved = |point: u16, axis: usize| {
            let point = usize::from(point);
            face[point][axis] - neutral[point][axis]
        };
        weighted([
            (moved(right, 0) - moved(left, 0)) / 2.0,
            (moved(right, 1) + moved(left, 1)) / 2.0,
            (moved(right, 2) + moved(left, 2)) / 2.0,
        ])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A face that moved by these units from a neutral one at 0.
    fn moved(units: &[f32; 17]) -> Aligned {
        let mut face = vec![[0.0; 3]; 478];
        for (shape, amount) in SHAPES.iter().zip(units) {
            for ((right, left), at) in POINTS.iter().zip(shape) {
                let [x, y, z] = at.map(|v| amount * f32::from(v) / 1000.0);
                let mut add = |point: u16, x: f32| {
                    let to = &mut face[usize::from(point)];
                    *to = [to[0] + x, to[1] + y, to[2] + z];
                };
                add(*right, x);
                if left != right {
                    add(*left, -x);
                }
            }
        }
        face
    }

    #[test]
    fn a_face_that_did_not_move_keeps_a_reading_of_zero() {
        let face = moved(&[0.0; 17]);
        assert_eq!(refined([0.0; 17], &face, &face), [0.0; 17]);
    }

    proptest! {
        #[test]
        fn a_reading_comes_nearer_to_the_units_that_moved_the_face(
            true_units in prop::array::uniform17(0f32..1.0),
            errors in prop::array::uniform4(-0.3f32..0.3),
        ) {
            let mut read = true_units;
            for ((unit, _), error) in SOLVED.into_iter().zip(errors) {
                read[unit] = (read[unit] + error).clamp(0.0, 1.0);
            }
            let found = refined(read, &moved(&true_units), &moved(&[0.0; 17]));
            prop_assert!(found.iter().all(|v| (0.0..=1.0).contains(v)));
            let distance = |units: &[f32; 17]| -> f32 {
                // In the metric that is minimised: the movement left over, and the distance from the reading.
                let shapes = &BASIS.shapes;
                let mut left: Movement = [[0.0; 3]; POINTS.len()];
                for (unit, shape) in shapes.iter().enumerate() {
                    for (left, at) in left.as_flattened_mut().iter_mut().zip(shape.as_flattened()) {
                        *left += (units[unit] - true_units[unit]) * at;
                    }
                }
                product(&left, &left)
            };
            prop_assert!(distance(&found) <= distance(&read) + 1e-6);
            for unit in 0..17 {
                if SOLVED[..REFINED].iter().all(|(refined, _)| *refined != unit) {
                    prop_assert_eq!(found[unit], read[unit]);
                }
            }
        }
    }
}
