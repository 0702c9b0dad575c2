//! Distances between landmarks.

/// The average keypoint distance: the mean absolute difference per coordinate, in the points' unit; the papers give it
/// in pixels of a picture of 256 (FOMM, Siarohin et al. 2019, section 4; TPS, Zhao and Zhang 2022, section 4.2). `None`
/// if there are no points, or their numbers differ.
pub fn akd(a: &[[f32; 2]], b: &[[f32; 2]]) -> Option<f64> {
    if a.is_empty() || a.len() != b.len() {
        return None;
    }
    let pairs = a.as_flattened().iter().zip(b.as_flattened());
    let sum: f64 = pairs
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs())
        .sum();
    Some(sum / (2 * a.len()) as f64)
}

/// The missing keypoint rate, in 0..=1: the fraction of the frames with landmarks in the ground truth that have none in the
/// result. Each item is whether the ground truth and the result have them in a frame. `None` if the ground truth never does.
pub fn mkr(frames: impl IntoIterator<Item = (bool, bool)>) -> Option<f64> {
    let (mut wanted, mut missing) = (0usize, 0usize);
    for (truth, result) in frames {
        wanted += usize::from(truth);
        missing += usize::from(truth && !result);
    }
    (wanted > 0).then(|| missing as f64 / wanted as f64)
}

/// A translation, rotation and uniform scale: `z -> m z + t` with points as complex numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// Scale times the cosine and the sine of the angle.
    m: [f64; 2],
    t: [f64; 2],
}

impl Similarity {
    /// The least-squares similarity from `from` to `to` (Umeyama, 1991, without reflection). `None` if there are fewer
    /// than two points or their numbers differ, all of `from` are equal, or a coordinate is not finite.
    pub fn between(from: &[[f32; 2]], to: &[[f32; 2]]) -> Option<Self> {
        if from.len() < 2 || from.len() != to.len() {
            return None;
        }
        let (a, b) = (mean(from), mean(to));
        let (mut dot, mut cross, mut spread) = (0.0, 0.0, 0.0);
        for (p, q) in from.iter().zip(to) {
            let (px, py) = (f64::from(p[0]) - a[0], f64::from(p[1]) - a[1]);
            let (qx, qy) = (f64::from(q[0]) - b[0], f64::from(q[1]) - b[1]);
            dot += px * qx + py * qy;
            cross += px * qy - py * qx;
            spread += px * px + py * py;
        }
        let m = [dot / spread, cross / spread];
        let t = [
            b[0] - m[0] * a[0] + m[1] * a[1],
            b[1] - m[1] * a[0] - m[0] * a[1],
        ];
        let finite = m.iter().chain(&t).all(|v| v.is_finite());
        finite.then_some(Self { m, t })
    }

    /// Maps a point.
    pub fn apply(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (x, y) = (f64::from(x), f64::from(y));
        let [c, s] = self.m;
        [
            (c * x - s * y + self.t[0]) as f32,
            (s * x + c * y + self.t[1]) as f32,
        ]
    }
}

fn mean(points: &[[f32; 2]]) -> [f64; 2] {
    let count = points.len() as f64;
    [0, 1].map(|i| points.iter().map(|p| f64::from(p[i])).sum::<f64>() / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points() -> impl Strategy<Value = Vec<[f32; 2]>> {
        prop::collection::vec([-100f32..100.0, -100f32..100.0], 3..30)
    }

    #[test]
    fn akd_and_mkr_agree_with_known_values() {
        let square = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]];
        let moved = square.map(|[x, y]| [x + 3.0, y - 1.0]);
        assert_eq!(akd(&square, &moved), Some(2.0));
        assert_eq!(akd(&square, &square[..3]), None);
        assert_eq!(akd(&[], &[]), None);
        assert_eq!(mkr([]), None);
        assert_eq!(mkr([(false, true), (false, false)]), None);
        let frames = [
            (true, true),
            (true, false),
            (false, false),
            (true, true),
            (true, true),
        ];
        assert_eq!(mkr(frames), Some(0.25));
        // Rotated clockwise on the screen by 90 degrees, at twice the size.
        let turned = square.map(|[x, y]| [5.0 - 2.0 * y, 1.0 + 2.0 * x]);
        let found = Similarity::between(&square, &turned).unwrap();
        assert!((found.m[0]).abs() < 1e-9 && (found.m[1] - 2.0).abs() < 1e-9);
        assert_eq!(Similarity::between(&[[1.0, 1.0]; 4], &square), None);
        assert_eq!(Similarity::between(&square, &[[f32::NAN; 2]; 4]), None);
        assert_eq!(Similarity::between(&square[..1], &square[..1]), None);
    }

    proptest! {
        #[test]
        fn akd_is_symmetric_and_obeys_the_triangle_inequality(a in points(), dx in -9f32..9.0, dy in -9f32..9.0) {
            let b: Vec<_> = a.iter().map(|[x, y]| [x + dx, y + dy]).collect();
            let found = akd(&a, &b).unwrap();
            prop_assert_eq!(Some(found), akd(&b, &a));
            prop_assert!((found - f64::from(dx.abs() + dy.abs()) / 2.0).abs() < 1e-3);
            prop_assert_eq!(akd(&a, &a), Some(0.0));
        }

        #[test]
        fn a_similarity_transform_is_recovered(
            a in points(), angle in -3f64..3.0, scale in 0.2f64..5.0, dx in -50f64..50.0, dy in -50f64..50.0,
        ) {
            let known = Similarity { m: [scale * angle.cos(), scale * angle.sin()], t: [dx, dy] };
            let b: Vec<_> = a.iter().map(|p| known.apply(*p)).collect();
            let found = Similarity::between(&a, &b);
            prop_assume!(found.is_some());
            let back: Vec<_> = a.iter().map(|p| found.unwrap().apply(*p)).collect();
            prop_assert!(akd(&back, &b).unwrap() < 0.01);
        }

        #[test]
        fn no_other_similarity_transform_brings_the_points_nearer(a in points(), seed in points(), by in 0.01f64..0.3, turn in -0.3f64..0.3) {
            let count = a.len().min(seed.len());
            let (a, b) = (&a[..count], &seed[..count]);
            let best = Similarity::between(a, b);
            prop_assume!(best.is_some());
            let best = best.unwrap();
            let squares = |s: &Similarity| -> f64 {
                a.iter().zip(b).map(|(p, q)| {
                    let [x, y] = s.apply(*p);
                    f64::from(x - q[0]).powi(2) + f64::from(y - q[1]).powi(2)
                }).sum()
            };
            let other = Similarity { m: [best.m[0] + turn, best.m[1] - by], t: [best.t[0] + by, best.t[1]] };
            prop_assert!(squares(&best) <= squares(&other) + 1e-2);
        }
    }
}
