//! A mask that separates the two halves of a face.

use super::{Mesh, Square};
use crate::math::smoothstep;

/// The midline from top to bottom. The lips' middle is taken at their outer line, which stays when they part.
const MIDLINE: [usize; 20] = [
    10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 2, 164, 0, 17, 18, 200, 199, 175, 152,
];

/// The width of the transition between the halves, as a share of the face's height.
const CROSSING: f64 = 0.14;

/// Smoothing of the midline, as a share of the face's height, so that the nose doesn't produce a kink.
const SMOOTHING: f64 = 0.03;

/// Subdivisions of each segment between midline landmarks, and number of heights at which the curve is sampled.
const PIECES: usize = 8;
const HEIGHTS: usize = 128;

/// Returns 1 on the picture's left half of the face and everything beyond it, 0 on the right, `[size, size]` over
/// `square`.
///
/// The halves meet along the midline of the face as seen in the picture, which leans with the head and bends around
/// the nose when the head turns; above and below the face the line continues straight. On a face that lies on its
/// side, the left half is the one that a rotation by less than 90 degrees brings to the left.
pub fn side_mask(mesh: &Mesh, square: Square, size: usize) -> Vec<f32> {
    let curve = Curve::of(mesh);
    let step = square.side / size as f64;
    let mut out = Vec::with_capacity(size * size);
    for row in 0..size {
        let y = square.y + (row as f64 + 0.5) * step;
        for column in 0..size {
            let x = square.x + (column as f64 + 0.5) * step;
            out.push(curve.left(x, y));
        }
    }
    out
}

/// The midline as a function of height: its position across the face.
struct Curve {
    /// Unit vectors down the face, and across it to the picture's right.
    down: [f64; 2],
    across: [f64; 2],
    /// The height of the first sample along `down`, in pixels, and the number of samples per pixel.
    first: f64,
    a_pixel: f64,
    places: Vec<f64>,
    /// The positions across the face before which everything is left and after which everything is right, at any
    /// height.
    ends: [f64; 2],
    /// One over the width of the transition, in pixels.
    steepness: f64,
}

impl Curve {
    fn of(mesh: &Mesh) -> Self {
        let at = |index: usize| [0, 1].map(|i| f64::from(mesh.points()[index][i]));
        let (top, chin) = (at(MIDLINE[0]), at(MIDLINE[MIDLINE.len() - 1]));
        let length = (chin[0] - top[0]).hypot(chin[1] - top[1]);
        // A face seen exactly from above has no direction down; use the picture's.
        let down = if length > 0.0 {
            [(chin[0] - top[0]) / length, (chin[1] - top[1]) / length]
        } else {
            [0.0, 1.0]
        };
        let right = if down[1] < 0.0 { -1.0 } else { 1.0 };
        let across = [right * down[1], -right * down[0]];
        let face = f64::from(mesh.height()).max(1e-6);

        // Pieces are weighted by length, so that dense landmarks don't attract the curve.
        let mut pieces = Vec::with_capacity(PIECES * MIDLINE.len());
        for pair in MIDLINE.windows(2) {
            let (a, b) = (at(pair[0]), at(pair[1]));
            let weight = (b[0] - a[0]).hypot(b[1] - a[1]);
            for piece in 0..PIECES {
                let t = (piece as f64 + 0.5) / PIECES as f64;
                let point = [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];
                pieces.push((dot(point, down), dot(point, across), weight));
            }
        }
        let first = dot(top, down);
        let spacing = length / (HEIGHTS - 1) as f64;
        let places: Vec<f64> = (0..HEIGHTS)
            .map(|i| {
                let height = first + i as f64 * spacing;
                let (mut sum, mut total) = (0.0, 0.0);
                for (piece, place, weight) in &pieces {
                    let off = (piece - height) / (SMOOTHING * face);
                    let weight = weight * (-0.5 * off * off).exp();
                    sum += weight * place;
                    total += weight;
                }
                if total > 0.0 {
                    sum / total
                } else {
                    dot(top, across)
                }
            })
            .collect();
        let half = CROSSING * face / 2.0;
        let ends = [
            places.iter().copied().fold(f64::INFINITY, f64::min) - half,
            places.iter().copied().fold(f64::NEG_INFINITY, f64::max) + half,
        ];
        Self {
            down,
            across,
            first,
            a_pixel: if spacing > 0.0 { 1.0 / spacing } else { 0.0 },
            places,
            ends,
            steepness: 1.0 / (CROSSING * face),
        }
    }

    /// Returns the share of a point that belongs to the picture's left half.
    fn left(&self, x: f64, y: f64) -> f32 {
        let across = dot([x, y], self.across);
        if across >= self.ends[1] {
            return 0.0;
        }
        let crossing = across > self.ends[0];
        if !crossing {
            return 1.0;
        }
        let place = (dot([x, y], self.down) - self.first) * self.a_pixel;
        let last = (self.places.len() - 1) as f64;
        // `max` first: it returns the other operand for NaN.
        let place = place.max(0.0).min(last);
        let index = (place as usize).min(self.places.len() - 2);
        let t = place - index as f64;
        let midline = self.places[index] * (1.0 - t) + self.places[index + 1] * t;
        let beyond = (across - midline) * self.steepness;
        smoothstep(0.5 - beyond) as f32
    }
}

fn dot(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

#[cfg(test)]
mod tests {
    use super::super::mesh::samples;
    use super::*;
    use proptest::prelude::*;

    const SIZE: usize = 64;
    const SQUARE: Square = Square {
        x: 0.0,
        y: 0.0,
        side: 512.0,
    };

    fn flipped(values: &[f32]) -> Vec<f32> {
        let rows = values
            .chunks_exact(SIZE)
            .map(|row| row.iter().rev().copied());
        rows.flatten().collect()
    }

    #[test]
    fn left_is_the_left_of_the_picture_and_midline_landmarks_belong_to_both_halves() {
        for mesh in samples::meshes() {
            let curve = Curve::of(&mesh);
            let left = |landmark: usize| {
                let [x, y, _] = mesh.points()[landmark].map(f64::from);
                curve.left(x, y)
            };
            // The subject's right eye and mouth corner are on the picture's left.
            assert!(left(33) > 0.99 && left(61) > 0.99);
            assert!(left(263) < 0.01 && left(291) < 0.01);
            for landmark in MIDLINE {
                assert!(
                    (0.3..=0.7).contains(&left(landmark)),
                    "{landmark} {}",
                    left(landmark)
                );
            }
        }
    }

    #[test]
    fn a_mask_and_its_mirror_sum_to_one() {
        for mesh in samples::meshes() {
            let mask = side_mask(&mesh, SQUARE, SIZE);
            let mirror = side_mask(&mesh.mirrored(512.0).unwrap(), SQUARE, SIZE);
            for (a, b) in mask.iter().zip(flipped(&mirror)) {
                assert!((a + b - 1.0).abs() < 1e-3, "{a} {b}");
            }
        }
    }

    proptest! {
        #[test]
        fn the_boundary_between_the_halves_follows_the_roll_of_the_head(degrees in -80f32..80.0) {
            let [mesh, _] = samples::meshes();
            let (sin, cos) = degrees.to_radians().sin_cos();
            let turned = mesh.map(|[x, y, z]| {
                let (x, y) = (x - 225.0, y - 125.0);
                [256.0 + x * cos - y * sin, 256.0 + x * sin + y * cos, z]
            }).unwrap();
            let curve = Curve::of(&turned);
            for (landmark, wanted) in [(33, 1.0), (61, 1.0), (263, 0.0), (291, 0.0)] {
                let [x, y, _] = turned.points()[landmark].map(f64::from);
                prop_assert!((curve.left(x, y) - wanted).abs() < 0.01);
            }
        }

        #[test]
        fn a_side_mask_over_any_square_stays_between_0_and_1(x in any::<f64>(), y in any::<f64>(), side in any::<f64>(), size in 0usize..9) {
            let flat = Mesh::new(vec![[7.0; 3]; Mesh::POINTS]).unwrap();
            for mesh in samples::meshes().into_iter().chain([flat]) {
                let values = side_mask(&mesh, Square { x, y, side }, size);
                prop_assert_eq!(values.len(), size * size);
                prop_assert!(values.iter().all(|v| (0.0..=1.0).contains(v)));
            }
        }
    }
}
