//! Distances between descriptions of a face: embeddings of a network, or its landmarks.

use super::Similarity;

/// The average Euclidean distance of two embeddings, which despite its name is the SQUARED L2 distance, as its authors
/// compute it (FOMM, Siarohin et al. 2019, section 4). In 0..=4 for embeddings of length 1. `None` if they are empty or
/// their lengths differ.
///
/// The papers' embeddings are OpenFace's. Mien neither includes nor loads an identity network, so none of its tables
/// has an AED: this is for callers that have embeddings.
pub fn aed(a: &[f32], b: &[f32]) -> Option<f64> {
    (!a.is_empty() && a.len() == b.len()).then(|| squares(a, b))
}

/// A face's landmarks as features that are invariant to position, size and rotation in the picture: aligned to `pose`
/// by the best similarity, and divided by the square root of their number, so that the L2 distance of two such features
/// is the landmarks' root mean square distance in units of `pose`. `None` if there is no such similarity.
pub fn features(points: &[[f32; 2]], pose: &[[f32; 2]]) -> Option<Vec<f32>> {
    let aligned = Similarity::between(points, pose)?;
    let scale = (points.len() as f32).sqrt();
    let moved = points.iter().flat_map(|point| aligned.apply(*point));
    Some(moved.map(|value| value / scale).collect())
}

/// The average content distance: the mean L2 distance of all pairs of a clip's frames, by features of the face (MoCoGAN,
/// Tulyakov et al. 2018, section 4.1; the authors' features are OpenFace embeddings, which give 0.201 for their faces). In
/// the features' unit, 0 for a face that doesn't change. `None` for fewer than two frames, or features of different lengths.
pub fn acd<T: AsRef<[f32]>>(frames: &[T]) -> Option<f64> {
    let length = frames.first()?.as_ref().len();
    if frames.len() < 2 || frames.iter().any(|frame| frame.as_ref().len() != length) {
        return None;
    }
    let sum: f64 = frames
        .iter()
        .enumerate()
        .flat_map(|(i, a)| frames[..i].iter().map(move |b| (a, b)))
        .map(|(a, b)| squares(a.as_ref(), b.as_ref()).sqrt())
        .sum();
    Some(sum / (frames.len() * (frames.len() - 1) / 2) as f64)
}

/// [`acd`] of a clip by the landmarks of its frames' faces, each in any unit: the mean distance of all pairs of faces,
/// independent of the position of the head, as root mean square in units of `pose`. Frames without a face are ignored.
/// `None` if fewer than two are left, or none has as many landmarks as `pose`.
pub fn acd_of_landmarks<'a>(
    frames: impl IntoIterator<Item = Option<&'a [[f32; 2]]>>,
    pose: &[[f32; 2]],
) -> Option<f64> {
    let faces = frames.into_iter().flatten();
    let found: Vec<Vec<f32>> = faces.filter_map(|face| features(face, pose)).collect();
    acd(&found)
}

fn squares(a: &[f32], b: &[f32]) -> f64 {
    let pairs = a.iter().zip(b);
    pairs
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn aed_and_acd_agree_with_known_values() {
        assert_eq!(aed(&[1.0, 0.0], &[0.0, 1.0]), Some(2.0));
        assert_eq!(aed(&[1.0, 0.0], &[-1.0, 0.0]), Some(4.0));
        assert_eq!(aed(&[1.0], &[1.0, 2.0]), None);
        assert_eq!(aed(&[], &[]), None);
        // Sides of 3, 4 and 5: the mean is 4.
        let corners = [[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]];
        assert_eq!(acd(&corners), Some(4.0));
        assert_eq!(acd(&corners[..1]), None);
        assert_eq!(acd::<[f32; 2]>(&[]), None);
        assert_eq!(acd(&[vec![1.0], vec![1.0, 2.0]]), None);
    }

    #[test]
    fn a_face_under_similarity_transforms_has_an_acd_of_zero() {
        let face: &[[f32; 2]] = &[[0.0, 0.0], [40.0, 2.0], [20.0, 50.0], [18.0, 22.0]];
        let shift = |by: f32| -> Vec<[f32; 2]> {
            face.iter()
                .map(|[x, y]| [1.5 * x + by, 1.5 * y - by])
                .collect()
        };
        let (near, far) = (shift(3.0), shift(60.0));
        let still = [Some(face), None, Some(&near[..]), Some(&far[..])];
        assert!(acd_of_landmarks(still, face).unwrap() < 1e-3);
        let mut opened = face.to_vec();
        opened[2][1] += 9.0;
        assert!(acd_of_landmarks([Some(face), Some(&opened[..])], face).unwrap() > 1.0);
        assert_eq!(acd_of_landmarks([Some(face), None], face), None);
        assert_eq!(
            acd_of_landmarks([Some(face), Some(&near[..])], &face[..3]),
            None
        );
    }

    proptest! {
        #[test]
        fn features_ignore_translation_scale_and_rotation(
            points in prop::collection::vec([-100f32..100.0, -100f32..100.0], 5..20),
            angle in -3f32..3.0, scale in 0.3f32..4.0, dx in -50f32..50.0,
        ) {
            let (sin, cos) = angle.sin_cos();
            let other: Vec<_> = points
                .iter()
                .map(|[x, y]| [scale * (cos * x - sin * y) + dx, scale * (sin * x + cos * y)])
                .collect();
            let (a, b) = (features(&points, &points), features(&other, &points));
            prop_assume!(a.is_some() && b.is_some());
            prop_assert!(aed(&a.unwrap(), &b.unwrap()).unwrap() < 1e-4);
        }

        #[test]
        fn acd_does_not_depend_on_the_order_of_frames(
            frames in prop::collection::vec(prop::collection::vec(-9f32..9.0, 4), 2..12),
        ) {
            let found = acd(&frames).unwrap();
            let mut turned = frames.clone();
            turned.rotate_left(1);
            turned.reverse();
            prop_assert!((found - acd(&turned).unwrap()).abs() < 1e-9);
            prop_assert!(found >= 0.0);
            let still = vec![frames[0].clone(); frames.len()];
            prop_assert_eq!(acd(&still), Some(0.0));
        }
    }
}
