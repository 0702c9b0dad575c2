//! Reads Action Units from the landmarks and blendshape scores of MediaPipe's Face Landmarker.
//!
//! The mesh is first aligned with the average face at the points that expressions hardly move (eye corners, bridge of the nose,
//! temples, hairline). Each unit is then a weighted sum of at most fourteen measures (twenty for AU1 and AU4, half of them only
//! for the reading against the own face). A measure is a distance or offset between landmarks, in units of the distance between
//! the outer eye corners, or a score; each is relative to the average relaxed face. A threshold is subtracted, and the sum is
//! clamped to 0..=1 and passed through a smoothstep. Against a person's own [`Neutral`] the same measures have separate weights,
//! and there is no smoothstep. Anatomy determined which measures may count, and mostly their sign; the weights were fitted on
//! faces with known units: rendered MakeHuman heads, and portraits of the US Congress re-expressed with ICT-FaceKit. The zero
//! point comes from about 780 real portraits: nineteen of twenty read at most 0.1 in the units that a portrait leaves at rest.
//! Against the own face AU9, AU10, AU12 and AU25 are then solved for together (`units_solve`): over the 160 faces of
//! `tests/face/known_aus.safetensors` the mean error falls from 0.061 to 0.059 at the same correlation, and real smiles are
//! explained better (`weights/rig.md`). Two units of posed smiles were assumed rather than measured, so that real smiles read as such: AU6 in proportion to smile and
//! squint scores, and AU25 at 0.6 where the smile shows teeth.
//!
//! AU1 and AU4 without the own face were fitted separately (`weights/recipe/units/drawn.py`), on 139 portraits whose brows the
//! rig moved, against 1,117 calm ones (London Set, faker, US Congress), which separate people's features from movement. AU5 has
//! the threshold that leaves the calm ones at rest. Of the 89 neutral faces of the London Set among these, 88 read at most 0.15
//! in AU1, 87 in AU4 and 87 in AU5.
//!
//! The scores detect smile, open jaw and blink well; they don't respond to AU1, AU5, AU9 and AU15, which rely on geometry alone
//! or nearly so.
//!
//! # Accuracy
//!
//! Spearman's correlation with the truth on people who were held out of the fit, over the faces in which the unit acts and
//! equally many in which it rests: 304 rendered faces (any pose to 30 degrees, any gaze, other movements mixed in) and 262
//! re-expressed ones (of portraits that show no teeth). "Own" is with the person's own relaxed face given. Settings were chosen
//! with these figures in view, so they are slightly optimistic.
//!
//! | AU | rendered | own | re-expressed | own | read from |
//! |---|---|---|---|---|---|
//! | 1 | (0.34) | 0.69 | (0.47) | 0.91 | the brow's height at its middle, its inner end above its outer end and before it; browInnerUp |
//! | 2 | 0.43 | 0.72 | 0.59 | 0.89 | outer brows above lids and corners, the brow's slant |
//! | 4 | (0.48) | 0.72 | (0.16) | 0.65 | brows lowered and drawn together, the inner brow against the nose; browDown |
//! | 5 | 0.56 | 0.88 | 0.41 | 0.79 | how far the upper lid clears corners and pupil, its fold; eyeWide, less blink and squint |
//! | 6 | 0.31 | 0.34 | 0.57 | 0.72 | lower lid and cheek raised, the gap between them; smile and squint scores |
//! | 7 | 0.54 | 0.82 | 0.15 | 0.47 | lower lid raised and opening narrowed while the cheek stays; eyeSquint |
//! | 9 | 0.00 | 0.58 | 0.40 | 0.89 | wings of the nose drawn up towards the inner eye corners, the bridge shortened |
//! | 10 | 0.50 | 0.76 | 0.46 | 0.67 | upper lip raised towards the nose; mouthUpperUp |
//! | 12 | 0.79 | 0.93 | 0.84 | 0.94 | mouth corners out, up and back; mouthSmile |
//! | 14 | 0.46 | 0.48 | 0.39 | 0.64 | corners drawn in and back; mouthDimple, mouthPress |
//! | 15 | 0.64 | 0.83 | 0.28 | 0.63 | corners below the lips' middle; mouthFrown |
//! | 17 | 0.32 | 0.66 | 0.08 | 0.60 | lower lip pushed up and the chin below it shortened; mouthShrugLower |
//! | 20 | 0.70 | 0.84 | 0.45 | 0.86 | corners drawn sideways without rising; mouthStretch |
//! | 23 | 0.43 | 0.87 | -0.14 | 0.43 | red of the lips narrowed; mouthPress and mouthRoll |
//! | 25 | 0.69 | 0.74 | 0.24 | 0.65 | gap between the lips; mouthLowerDown, mouthUpperUp |
//! | 26 | 0.81 | 0.90 | 0.68 | 0.88 | chin lowered and teeth apart; jawOpen |
//! | 45 | 0.97 | 0.95 | 0.42 | 0.65 | opening of the lids; eyeBlink |
//! | mean | 0.52 | 0.75 | 0.37 | 0.72 | |
//!
//! The mean error is 0.05 and 0.06, with the own face 0.06 and 0.05; most units rest in most faces. Figures in brackets are from
//! the later fit, measured on the 160 faces of `tests/face/known_aus.safetensors`, where the first fit had 0.29 and 0.35 for AU1,
//! 0.00 and 0.28 for AU4.
//!
//! The expression of the rig's own fit reads all of these worse (a mean of 0.14 over the 160 faces, against 0.36 here): it
//! separates a person's features from the expression only by a prior, which suits rendering but not reading.
//!
//! # Limitations
//!
//! - Without the own face, people's features hide movement: low brows look like AU4, thin lips like AU23. The threshold that
//!   keeps relaxed faces at 0 suppresses weak movement, so AU1, AU2, AU4, AU7, AU9, AU14 and AU23 read too little, or nothing
//!   unless strong; brows both raised and drawn together, as in terror, read as AU1 alone. A relaxed picture of the same person
//!   mostly fixes this.
//! - A real grin is more than the shapes that were fitted: against the own face it reads some AU7 and AU10 as well as AU6 and
//!   AU12.
//! - AU6 depends on the smile: raised cheeks without one read low. AU10 and AU25 both raise the upper lip and leak into each
//!   other.
//! - Pose is not fully compensated: in clips of turning heads AU2, AU5, AU14 and AU17 of relaxed faces rise to 0.2-0.4 at the
//!   extremes. Beyond some 25 degrees of turn or nod the mesh itself is unreliable.

use super::unit::Measure;
use super::units_align::{Aligned, align};
use super::units_solve::refined;
use super::units_table::{MIRROR, SCORES, UNITS};
use crate::math::smoothstep;

/// A person's relaxed face, which [`read`] uses as the reference instead of the average face.
#[derive(Debug, Clone, PartialEq)]
pub struct Neutral {
    /// `None` when the face could not be aligned.
    points: Option<Aligned>,
    scores: [f32; 52],
}

impl Neutral {
    /// Creates the reference from a relaxed face: `points` and `scores` as for [`read`].
    ///
    /// If the face can't be aligned, the reference has no effect: [`read`] then compares with the average face.
    pub fn of(points: &[[f32; 3]], scores: &[f32; 52]) -> Neutral {
        Neutral {
            points: align(points),
            scores: scores.map(clamp_unit),
        }
    }
}

/// Reads the seventeen Action Units, each in 0..=1 (1 is full), in OpenFace order:
/// 1 2 4 5 6 7 9 10 12 14 15 17 20 23 25 26 45.
///
/// `points` are the 478 landmarks of MediaPipe's Face Landmarker, x right, y down, z back, all in pixels of the same scale; 468,
/// without the irises, are slightly less accurate. `scores` are its 52 blendshapes in the model's own order, each in 0..=1. With
/// fewer points, or degenerate ones (all in one place, not finite), everything reads zero.
pub fn read(points: &[[f32; 3]], scores: &[f32; 52], neutral: Option<&Neutral>) -> [f32; 17] {
    let Some(face) = align(points) else {
        return [0.0; 17];
    };
    let scores = scores.map(clamp_unit);
    let neutral = neutral.and_then(|n| n.points.as_ref().map(|points| (points, &n.scores)));
    let units = UNITS.map(|unit| {
        let sum: f32 = unit
            .terms
            .iter()
            .map(|term| {
                let here = measure(term.measure, &face, &scores);
                match neutral {
                    Some((points, scores)) => {
                        term.relative_weight * (here - measure(term.measure, points, scores))
                    }
                    None => term.weight * (here - term.rest),
                }
            })
            .sum();
        match neutral {
            Some(_) => clamp_unit((sum - unit.relative_threshold) * unit.relative_gain),
            // Attenuates weak readings and amplifies strong ones: people's relaxed faces differ about as much as a weak unit
            // moves one, and this keeps their sliders at rest.
            None => smoothstep(clamp_unit((sum - unit.threshold) * unit.gain)),
        }
    });
    match neutral {
        Some((points, _)) => refined(units, &face, points),
        None => units,
    }
}

/// Clamps to 0..=1; NaN becomes 0.
fn clamp_unit(value: f32) -> f32 {
    if value.is_nan() {
        0.0
    } else {
        value.clamp(0.0, 1.0)
    }
}

/// Returns the mirrored landmark; a landmark on the midline is its own.
fn mirrored(point: u16) -> usize {
    let other = MIRROR.iter().find_map(|&(a, b)| {
        if a == point {
            Some(b)
        } else if b == point {
            Some(a)
        } else {
            None
        }
    });
    usize::from(other.unwrap_or(point))
}

/// Returns one measure of an aligned face, the mean of both sides.
fn measure(measure: Measure, face: &Aligned, scores: &[f32; 52]) -> f32 {
    let both = |a: u16, b: u16, length: fn([f32; 3], f32) -> f32| {
        let right = length(minus(face[usize::from(a)], face[usize::from(b)]), -1.0);
        let left = length(minus(face[mirrored(a)], face[mirrored(b)]), 1.0);
        (right + left) / 2.0
    };
    match measure {
        Measure::Dist(a, b) => both(a, b, |d, _| dot(d, d).sqrt()),
        Measure::Up(a, b) => both(a, b, |d, _| -d[1]),
        Measure::Out(a, b) => both(a, b, |d, outwards| d[0] * outwards),
        Measure::Front(a, b) => both(a, b, |d, _| -d[2]),
        Measure::Score(row) => {
            let (left, right) = SCORES[usize::from(row)];
            (scores[usize::from(left)] + scores[usize::from(right)]) / 2.0
        }
    }
}

fn minus(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    std::array::from_fn(|i| a[i] - b[i])
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[cfg(test)]
mod tests {
    use super::super::units_align::FULL;
    use super::super::units_shapes::POINTS;
    use super::super::units_table::RIGID;
    use super::*;

    /// The average face with every other point scattered over it.
    fn face() -> Vec<[f32; 3]> {
        let mut points: Vec<[f32; 3]> = (0..FULL)
            .map(|i| {
                let (a, b) = (i as f32 * 2.399, (i as f32 / FULL as f32).sqrt() * 0.6);
                [b * a.cos(), 0.2 + b * a.sin(), b * b - 0.3]
            })
            .collect();
        for &(point, _, at) in &RIGID {
            points[usize::from(point)] = at;
        }
        points.iter().map(|p| p.map(|v| v * 90.0 + 200.0)).collect()
    }

    fn scores(seed: f32) -> [f32; 52] {
        std::array::from_fn(|i| ((i as f32 * 1.7 + seed).sin() * 0.5 + 0.5) * 0.8)
    }

    /// The face opened, raised and shifted, so that units read other than zero.
    fn moved(mut points: Vec<[f32; 3]>) -> Vec<[f32; 3]> {
        for (i, p) in points.iter_mut().enumerate() {
            if RIGID.iter().all(|r| usize::from(r.0) != i) {
                p[0] += (i as f32 * 0.7).sin() * 4.0;
                p[1] += (i as f32 * 1.3).cos() * 4.0;
            }
        }
        points
    }

    fn close(a: &[f32; 17], b: &[f32; 17]) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 2e-3)
    }

    /// Whether some readings are strictly inside the range; otherwise the invariances would be those of the clamp.
    fn has_unclamped_values(aus: &[f32; 17]) -> bool {
        aus.iter().filter(|v| (0.01..0.99).contains(*v)).count() >= 3
    }

    #[test]
    fn action_units_ignore_translation_scale_and_rotation() {
        let neutral = Neutral::of(&face(), &scores(0.0));
        let points = moved(face());
        let now = scores(0.3);
        let expected = read(&points, &now, Some(&neutral));
        assert!(has_unclamped_values(&expected), "{expected:?}");
        let plain = read(&points, &now, None);
        let (s, c) = 0.6_f32.sin_cos();
        let (t, d) = 0.3_f32.sin_cos();
        let other: Vec<[f32; 3]> = points
            .iter()
            .map(|&[x, y, z]| [c * x - s * y, s * x + c * y, z])
            .map(|[x, y, z]| [d * x + t * z, y, d * z - t * x])
            .map(|p| p.map(|v| v * 2.5 - 170.0))
            .collect();
        assert!(close(&expected, &read(&other, &now, Some(&neutral))));
        assert!(close(&plain, &read(&other, &now, None)));
    }

    /// The face mirrored, with its left and right landmarks swapped.
    fn mirror(points: &[[f32; 3]]) -> Vec<[f32; 3]> {
        let mut out: Vec<[f32; 3]> = points.iter().map(|&[x, y, z]| [600.0 - x, y, z]).collect();
        let listed = |point: u16| MIRROR.iter().any(|&(a, b)| a == point || b == point);
        let others = POINTS.iter().filter(|(a, b)| a != b && !listed(*a));
        for &(a, b) in MIRROR.iter().chain(others) {
            out.swap(usize::from(a), usize::from(b));
        }
        for (point, _, [x, y, z]) in RIGID.into_iter().filter(|r| r.2[0] < 0.0 && !listed(r.0)) {
            let twin = RIGID
                .iter()
                .find(|r| r.2 == [-x, y, z])
                .expect("a symmetric table");
            out.swap(usize::from(point), usize::from(twin.0));
        }
        out
    }

    fn exchanged(mut scores: [f32; 52]) -> [f32; 52] {
        for &(a, b) in &SCORES {
            scores.swap(usize::from(a), usize::from(b));
        }
        scores
    }

    #[test]
    fn a_mirrored_face_has_the_same_action_units() {
        let (rest, points, now) = (face(), moved(face()), scores(0.3));
        assert!(close(
            &read(&points, &now, None),
            &read(&mirror(&points), &exchanged(now), None)
        ));
        let relative = read(&points, &now, Some(&Neutral::of(&rest, &scores(0.0))));
        let neutral = Neutral::of(&mirror(&rest), &exchanged(scores(0.0)));
        assert!(has_unclamped_values(&relative));
        assert!(close(
            &relative,
            &read(&mirror(&points), &exchanged(now), Some(&neutral))
        ));
    }

    #[test]
    fn a_neutral_face_relative_to_itself_has_action_units_of_exactly_zero() {
        for points in [face(), moved(face())] {
            let neutral = Neutral::of(&points, &scores(2.0));
            assert_eq!(read(&points, &scores(2.0), Some(&neutral)), [0.0; 17]);
        }
    }

    #[test]
    fn invalid_landmarks_give_action_units_in_range() {
        let good = face();
        let huge = vec![[f32::MAX; 3]; FULL];
        let spread: Vec<[f32; 3]> = (0..FULL)
            .map(|i| [f32::MAX / (i + 1) as f32, -f32::MAX / (i + 2) as f32, 0.0])
            .collect();
        let line: Vec<[f32; 3]> = (0..FULL).map(|i| [i as f32, 0.0, 0.0]).collect();
        let mut holed = good.clone();
        holed[33] = [f32::NAN; 3];
        let faces = [
            vec![],
            good[..467].to_vec(),
            good[..468].to_vec(),
            good.clone(),
            huge,
            spread,
            line,
            holed,
            vec![[0.0; 3]; FULL],
            vec![[7.0; 3]; 1000],
            vec![[f32::INFINITY; 3]; FULL],
        ];
        let scores = [
            [0.0; 52],
            [f32::NAN; 52],
            [f32::INFINITY; 52],
            [-1e30; 52],
            scores(1.0),
        ];
        for points in &faces {
            for given in &scores {
                for neutral in [
                    None,
                    Some(Neutral::of(points, given)),
                    Some(Neutral::of(&good, given)),
                ] {
                    let aus = read(points, given, neutral.as_ref());
                    assert!(aus.iter().all(|v| (0.0..=1.0).contains(v)), "{aus:?}");
                }
            }
        }
        assert_eq!(read(&faces[1], &scores[4], None), [0.0; 17]);
        assert_eq!(read(&faces[8], &scores[4], None), [0.0; 17]);
    }

    #[test]
    fn the_table_names_landmarks_and_scores_that_exist() {
        for unit in &UNITS {
            assert!(!unit.terms.is_empty() && unit.gain > 0.0 && unit.relative_threshold >= 0.0);
            for term in unit.terms {
                match term.measure {
                    Measure::Dist(a, b)
                    | Measure::Up(a, b)
                    | Measure::Out(a, b)
                    | Measure::Front(a, b) => {
                        assert!(usize::from(a.max(b)) < FULL && a != b);
                    }
                    Measure::Score(row) => assert!(usize::from(row) < SCORES.len()),
                }
            }
        }
    }
}
