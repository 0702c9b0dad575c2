//! The 68 points of the iBUG 300-W scheme, used by published motion-transfer metrics: finding the clip's frame most similar
//! to the portrait (`find_best_frame` of Siarohin et al., FOMM, 2019) and the average keypoint distance (`akd` of
//! [`crate::metrics`]).

use super::Mesh;
use crate::math::hull_area;

/// 68 points (x, y): the jaw 0..17 and the brows 17..27 from the picture's left to its right on an upright face, the
/// nose 27..36, the eyes 36..48, the lips 48..68.
pub type Shape = [[f32; 2]; 68];

/// The landmark nearest to each of the 68 points. The ends of the jaw are on the mesh's silhouette, a little in front of the
/// ears.
const LANDMARKS: [usize; 68] = [
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389, // jaw
    46, 53, 105, 66, 107, 336, 296, 334, 283, 276, // brows
    168, 197, 5, 4, 75, 97, 2, 326, 305, // nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380, // eyes
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, // lips, outer line
    78, 81, 13, 311, 308, 402, 14, 178, // lips, inner line
];

/// Returns the 68 points of a face, in the mesh's pixels.
pub fn shape68(mesh: &Mesh) -> Shape {
    LANDMARKS.map(|landmark| {
        let [x, y, _] = mesh.points()[landmark];
        [x, y]
    })
}

/// Returns the shape with its mean at the origin and a convex hull of area 1. `None` where the hull has no area, or a
/// coordinate is not finite.
pub fn normalised(shape: &Shape) -> Option<Shape> {
    let count = shape.len() as f64;
    let mean = [0, 1].map(|i| shape.iter().map(|p| f64::from(p[i])).sum::<f64>() / count);
    let centred = shape.map(|[x, y]| [f64::from(x) - mean[0], f64::from(y) - mean[1]]);
    let area = hull_area(&centred);
    let extent = centred
        .iter()
        .flatten()
        .fold(0.0, |m: f64, v| m.max(v.abs()));
    // Rejects an area that is only rounding error of collinear points; NaN fails as well.
    let flat = extent * extent * 1e-6;
    (area.is_finite() && area > flat && area > 0.0).then(|| {
        let scale = area.sqrt();
        centred.map(|point| point.map(|value| (value / scale) as f32))
    })
}

/// Returns the difference in shape and pose between two faces, independent of position and scale: the sum of squared
/// distances between their normalised points, 0 for the same. `None` where one of them can't be normalised.
pub fn difference(a: &Shape, b: &Shape) -> Option<f32> {
    Some(squares(&normalised(a)?, &normalised(b)?))
}

/// Returns the frame with the least of the [`differences`]. Frames without a face are skipped; of equals, the first is
/// returned.
pub fn best_frame(differences: &[Option<f32>]) -> Option<usize> {
    let scores = differences.iter().enumerate();
    scores
        .filter_map(|(frame, score)| Some((frame, (*score)?)))
        .min_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(frame, _)| frame)
}

/// Returns the [`difference`] of every frame's face from the source's, one per frame; `None` for frames without a face, or
/// where one of the two has no area.
pub fn differences(
    source: &Shape,
    frames: impl IntoIterator<Item = Option<Shape>>,
) -> Vec<Option<f32>> {
    let source = normalised(source);
    let against = |frame: Option<Shape>| Some(squares(source.as_ref()?, &normalised(&frame?)?));
    frames.into_iter().map(against).collect()
}

fn squares(a: &Shape, b: &Shape) -> f32 {
    let pairs = a.as_flattened().iter().zip(b.as_flattened());
    pairs
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
        .sum::<f64>() as f32
}

#[cfg(test)]
mod tests {
    use super::super::mesh::samples;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_68_points_follow_the_ibug_scheme() {
        for mesh in samples::meshes() {
            let shape = shape68(&mesh);
            let x = |i: usize| shape[i][0];
            let y = |i: usize| shape[i][1];
            assert!(
                (1..17).all(|i| x(i) > x(i - 1) || !(2..15).contains(&i)),
                "the jaw runs to the right"
            );
            assert!((18..27).all(|i| x(i) > x(i - 1)), "so do the brows");
            assert!(
                (28..31).all(|i| y(i) > y(i - 1)),
                "the nose's bridge runs down"
            );
            assert!(y(8) > y(57) && y(57) > y(33) && y(33) > y(27) && y(27) > y(19));
            assert!(x(36) < x(39) && x(39) < x(42) && x(42) < x(45));
            assert!(
                y(37) < y(41) && y(44) < y(46),
                "upper lids above lower ones"
            );
            assert!(x(48) < x(60) && x(64) < x(54));
        }
    }

    #[test]
    fn shapes_without_an_area_are_refused() {
        let line: Shape = std::array::from_fn(|i| [i as f32 * 0.7, i as f32 * 0.3]);
        assert_eq!(normalised(&line), None);
        assert_eq!(normalised(&[[5.0; 2]; 68]), None);
        assert_eq!(normalised(&[[f32::NAN; 2]; 68]), None);
        let [mesh, _] = samples::meshes();
        let mut shape = shape68(&mesh);
        shape[3][1] = f32::INFINITY;
        assert_eq!(normalised(&shape), None);
        let curve = differences(&shape, [Some(shape68(&mesh))]);
        assert_eq!(best_frame(&curve), None);
    }

    #[test]
    fn the_best_frame_is_the_most_similar_one_with_a_face() {
        let [a, b] = samples::meshes().map(|mesh| shape68(&mesh));
        let shifted = a.map(|[x, y]| [x * 0.5 + 40.0, y * 0.5 - 9.0]);
        let best = |frames: &[Option<Shape>]| {
            let curve = differences(&a, frames.iter().copied());
            let frame = best_frame(&curve)?;
            Some((frame, curve[frame].unwrap()))
        };
        let (frame, score) = best(&[None, Some(b), Some(shifted), Some(a)]).unwrap();
        assert!(frame == 2 || frame == 3);
        assert!(score < 1e-6);
        assert_eq!(best(&[None, Some(b), Some(b)]).unwrap().0, 1);
        let curve = differences(&a, [None, Some(b), Some(a)]);
        assert_eq!(curve, [None, difference(&a, &b), Some(0.0)]);
        assert_eq!(best(&[None, None]), None);
        assert_eq!(best(&[Some([[0.0; 2]; 68])]), None);
    }

    proptest! {
        #[test]
        fn normalising_removes_translation_and_scale(dx in -900f32..900.0, dy in -900f32..900.0, scale in 0.2f32..9.0) {
            for mesh in samples::meshes() {
                let shape = shape68(&mesh);
                let other = shape.map(|[x, y]| [x * scale + dx, y * scale + dy]);
                let (a, b) = (normalised(&shape).unwrap(), normalised(&other).unwrap());
                for (a, b) in a.as_flattened().iter().zip(b.as_flattened()) {
                    prop_assert!((a - b).abs() < 1e-3);
                }
                prop_assert!(difference(&shape, &other).unwrap() < 1e-5);
                let area = hull_area(&a.map(|p| p.map(f64::from)));
                prop_assert!((area - 1.0).abs() < 1e-4);
            }
        }
    }
}
