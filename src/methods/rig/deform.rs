//! Deforms the head with another expression and pose, and makes lids and lips meet where they should.
//!
//! The model's gaps between lids and lips never match the portrait's exactly. So only the *change* of the model's gap is
//! applied, as a ratio where it closes: a full blink shuts the eye exactly, whatever the fit's error.

use super::fit::{Fit, normals};
use super::model::{Half, Model, OpeningEdges, Point};
use super::scene::{Deformed, Placement};
use crate::math::smoothstep_between;

/// The centre of the head's rotation, in centimetres.
const PIVOT: Point = [0.0, -6.0, 0.0];

/// Falloff of a correction along the skin, in centimetres: `exp(-(d / FALLOFF)²)`.
const FALLOFF: f32 = 0.6;
const MAX_FALLOFF_DISTANCE: f32 = 1.5;

/// Iterations of correcting a gap.
const PASSES: usize = 3;

/// The part that depends on the fit alone: the gaps of eyes and mouth in the portrait and in the model, along the head's
/// downward axis.
#[derive(Debug, Clone)]
pub(super) struct Gaps {
    /// Between the lids of each eye in the portrait, at each vertex of the ring.
    portrait_lids: [Vec<f32>; 2],
    portrait_lips: Vec<f32>,
    lip_places: LipPlaces,
    /// Between the lids of each eye in a full blink, at each vertex of the ring.
    shut: [Vec<f32>; 2],
    /// Between the lids of each eye in the fitted expression, at each vertex of the ring.
    lids: [Vec<f32>; 2],
    /// Between the lips with mouth and jaw at rest but nose and cheeks as fitted, and in the fitted expression.
    lips_at_rest: Vec<f32>,
    lips: Vec<f32>,
}

impl Gaps {
    pub fn new(model: &Model, fit: &Fit) -> Self {
        let down = fit.projection.down;
        let lids = |eye: usize, points: &[Point]| lid_gaps(&model.eyes[eye], points, down);
        let shut = [0, 1].map(|eye| {
            let mut blink = vec![0.0; model.expressions.len()];
            if let Some(i) = model.expression("eyeBlink", Half::BOTH[eye]) {
                blink[i] = 1.0;
            }
            lids(eye, &fit.posed(model, &blink))
        });
        // A raised nose in the fit is often just the nose's shape, but it parts the model's lips.
        let at_rest = model.names.iter().zip(&fit.expression);
        let at_rest: Vec<f32> = at_rest
            .map(|(name, value)| if moves_lips(name) { 0.0 } else { *value })
            .collect();
        let rest = fit.posed(model, &at_rest);
        let places = LipPlaces::of(model);
        Self {
            portrait_lids: [0, 1].map(|eye| lids(eye, &fit.portrait_points)),
            portrait_lips: places.gaps(&model.lips, &fit.portrait_points, down),
            shut,
            lids: [0, 1].map(|eye| lids(eye, &fit.projected)),
            lips_at_rest: places.gaps(&model.lips, &rest, down),
            lips: places.gaps(&model.lips, &fit.projected, down),
            lip_places: places,
        }
    }
}

impl Deformed {
    /// The head with other coefficients, rotated by degrees of yaw, pitch and roll, and translated by pixels.
    pub fn new(
        model: &Model,
        fit: &Fit,
        gaps: &Gaps,
        expression: Vec<f32>,
        turned: [f32; 3],
        moved: [f32; 2],
    ) -> Self {
        let fitted = fit.posed(model, &expression);
        let mut points = fitted.clone();
        for (point, [x, y]) in points.iter_mut().zip(&fit.residual) {
            point[0] += x;
            point[1] += y;
        }
        let openness =
            [0, 1].map(|eye| close_lids(model, fit, gaps, eye, &expression, &fitted, &mut points));
        let (lips_before, lips_after) =
            close_lips(model, fit, gaps, &expression, &fitted, &mut points);
        let mut normals = normals(&model.skin_triangles, &fitted[..model.skin]);
        let [x, y, z] = fit.projection.point(PIVOT);
        let placement = Placement::new(turned, [x, -y, z], moved);
        if placement.is_moved {
            for point in &mut points {
                *point = placement.place(*point);
            }
            for normal in &mut normals {
                *normal = placement.turn(*normal);
            }
        }
        Self {
            expression,
            points,
            normals,
            openness,
            lips_before,
            lips_after,
            placement,
        }
    }
}

/// Whether an expression belongs to the mouth or jaw.
fn moves_lips(name: &str) -> bool {
    name.starts_with("mouth") || name.starts_with("jaw")
}

/// Moves an eye's lids to the gap of the expression; returns the eye's openness relative to the portrait.
fn close_lids(
    model: &Model,
    fit: &Fit,
    gaps: &Gaps,
    eye: usize,
    expression: &[f32],
    fitted: &[Point],
    points: &mut [Point],
) -> f32 {
    let (ring, down, pixels_per_cm) = (
        &model.eyes[eye],
        fit.projection.down,
        fit.projection.pixels_per_cm,
    );
    let blink = model
        .expression("eyeBlink", Half::BOTH[eye])
        .map_or(0.0, |i| {
            let (before, after) = (fit.expression[i], expression[i]);
            ((after - before) / (1.0 - before).max(0.05)).clamp(0.0, 1.0)
        });
    // Without a blink a squint closes an eye by at most half.
    let least = 0.5 * (1.0 - blink).powf(1.5);
    let now = lid_gaps(ring, fitted, down);
    let portrait = &gaps.portrait_lids[eye];
    let mut ratios = Vec::with_capacity(now.len());
    let mut gap = Vec::with_capacity(now.len());
    for (i, now) in now.iter().enumerate() {
        let shut = gaps.shut[eye][i] + 0.02 * pixels_per_cm;
        let before = (gaps.lids[eye][i] - shut).max(0.0);
        let after = (now - shut).max(0.0);
        let in_portrait = portrait[i].max(0.0);
        let (ratio, wanted) = if after < before {
            let ratio = least + (1.0 - least) * after / (before + 1e-6 * pixels_per_cm);
            (ratio, in_portrait * ratio)
        } else {
            let ratio = (after + 0.03 * pixels_per_cm) / (before + 0.03 * pixels_per_cm);
            (ratio, in_portrait + (after - before))
        };
        ratios.push(ratio);
        gap.push(wanted + portrait[i].min(0.0));
    }
    let drawn = |points: &[Point]| lid_gaps(ring, points, down);
    close_gaps(points, &gap, drawn, |points, missing| {
        pull_skin(points, &ring.to_upper, missing, -0.85, down);
        pull_skin(points, &ring.to_lower, missing, 0.15, down);
    });
    let end = ratios.len().saturating_sub(5);
    let middle = ratios.get_mut(5..end);
    middle.map_or(1.0, |middle| median(middle).clamp(0.0, 2.0))
}

/// Moves the lips to the gap of the expression; returns the gaps in the portrait and now.
fn close_lips(
    model: &Model,
    fit: &Fit,
    gaps: &Gaps,
    expression: &[f32],
    fitted: &[Point],
    points: &mut [Point],
) -> (Vec<f32>, Vec<f32>) {
    let (ring, down, pixels_per_cm) = (
        &model.lips,
        fit.projection.down,
        fit.projection.pixels_per_cm,
    );
    let (places, portrait) = (&gaps.lip_places, &gaps.portrait_lips);
    let now = places.gaps(ring, fitted, down);
    let open = |expression: &[f32]| openness_of_mouth(model, expression) + 1e-4;
    // The closing of the mouth estimated from coefficients alone, for lips whose gap in the model is too small to
    // compare.
    let plain = (open(expression) / open(&fit.expression)).clamp(0.0, 1.0);
    let (mut before, mut after, mut gap) = (Vec::new(), Vec::new(), Vec::new());
    for (i, now) in now.iter().enumerate() {
        let rest = gaps.lips_at_rest[i];
        let of_model = (gaps.lips[i] - rest).max(0.0);
        let now = (now - rest).max(0.0);
        let in_portrait = portrait[i].max(0.0);
        let trust = smoothstep_between(0.03 * pixels_per_cm, 0.18 * pixels_per_cm, of_model);
        let wanted = if now < of_model - 0.01 * pixels_per_cm {
            let ratio = (now / of_model.max(0.06 * pixels_per_cm)).clamp(0.0, 1.0);
            in_portrait * (ratio * trust + plain * (1.0 - trust))
        } else {
            (in_portrait * plain.max(trust) + (now - of_model)).max(0.0)
        };
        before.push(in_portrait);
        after.push(wanted);
        gap.push(wanted + portrait[i].min(0.0));
    }
    let drawn = |points: &[Point]| places.gaps(ring, points, down);
    close_gaps(points, &gap, drawn, |points, missing| {
        let below = places.lower.iter();
        let below: Vec<f32> = below
            .map(|t| interpolated(&places.upper, missing, *t))
            .collect();
        pull_skin(points, &ring.to_upper, missing, -0.5, down);
        pull_skin(points, &ring.to_lower, &below, 0.5, down);
    });
    (before, after)
}

/// A rough estimate of the mouth's opening from its coefficients.
fn openness_of_mouth(model: &Model, expression: &[f32]) -> f32 {
    let both = |name: &str| {
        let of = |half| model.expression(name, half).map_or(0.0, |i| expression[i]);
        0.5 * (of(Half::Left) + of(Half::Right))
    };
    both("jawOpen")
        + 0.5 * both("mouthLowerDown")
        + 0.4 * both("mouthUpperUp")
        + 0.25 * both("mouthSmile")
}

/// Moves gaps to their target iteratively; `drawn` measures the gaps, and `pull` moves the skin by the remaining error.
/// Near the corners each edge moves with the other, which leaves an error for the next pass.
fn close_gaps(
    points: &mut [Point],
    wanted: &[f32],
    drawn: impl Fn(&[Point]) -> Vec<f32>,
    pull: impl Fn(&mut [Point], &[f32]),
) {
    for _ in 0..PASSES {
        let pairs = wanted.iter().zip(drawn(points));
        let mut missing: Vec<f32> = pairs.map(|(wanted, drawn)| wanted - drawn).collect();
        pin_ends(&mut missing);
        pull(points, &missing);
    }
}

/// The corners don't move.
fn pin_ends(values: &mut [f32]) {
    if let [first, .., last] = values {
        (*first, *last) = (0.0, 0.0);
    }
}

/// Moves the skin around a row of vertices by `share` of each vertex's missing distance, falling off with the distance
/// along the skin.
fn pull_skin(
    points: &mut [Point],
    to_row: &[(f32, usize)],
    missing: &[f32],
    share: f32,
    down: [f32; 2],
) {
    for (point, (distance, place)) in points.iter_mut().zip(to_row) {
        if *distance < MAX_FALLOFF_DISTANCE {
            let by = (-(distance / FALLOFF).powi(2)).exp() * missing[*place] * share;
            point[0] += by * down[0];
            point[1] += by * down[1];
        }
    }
}

fn along([x, y, _]: Point, down: [f32; 2]) -> f32 {
    x * down[0] + y * down[1]
}

/// The gap between the lids at each vertex of a ring, along the head's downward axis; negative where they overlap.
fn lid_gaps(ring: &OpeningEdges, points: &[Point], down: [f32; 2]) -> Vec<f32> {
    let pairs = ring.upper.iter().zip(&ring.lower);
    pairs
        .map(|(upper, lower)| along(points[*lower], down) - along(points[*upper], down))
        .collect()
}

/// The positions of the lip edges' vertices across the mouth, in 0..=1.
#[derive(Debug, Clone)]
struct LipPlaces {
    upper: Vec<f32>,
    lower: Vec<f32>,
}

impl LipPlaces {
    fn of(model: &Model) -> Self {
        let ends = [model.lips.upper.first(), model.lips.upper.last()];
        let [left, right] = ends.map(|end| end.map_or(0.0, |vertex| model.neutral[*vertex][0]));
        let place =
            |vertex: &usize| ((model.neutral[*vertex][0] - left) / (right - left)).clamp(0.0, 1.0);
        Self {
            upper: model.lips.upper.iter().map(place).collect(),
            lower: model.lips.lower.iter().map(place).collect(),
        }
    }

    /// The gap between the lips at each vertex of the upper one, along the head's downward axis; negative where they
    /// overlap.
    fn gaps(&self, ring: &OpeningEdges, points: &[Point], down: [f32; 2]) -> Vec<f32> {
        let at = |row: &[usize]| -> Vec<f32> {
            row.iter()
                .map(|vertex| along(points[*vertex], down))
                .collect()
        };
        let (upper, lower) = (at(&ring.upper), at(&ring.lower));
        let pairs = self.upper.iter().zip(upper);
        pairs
            .map(|(place, upper)| interpolated(&self.lower, &lower, *place) - upper)
            .collect()
    }
}

/// Linear interpolation at `x` through points with increasing `xs`.
fn interpolated(xs: &[f32], values: &[f32], x: f32) -> f32 {
    let after = xs.partition_point(|other| *other < x);
    match (after.checked_sub(1), values.get(after)) {
        (None, Some(first)) => *first,
        (Some(before), Some(next)) => {
            let t = (x - xs[before]) / (xs[after] - xs[before]).max(1e-9);
            values[before] + (next - values[before]) * t
        }
        (_, None) => values.last().copied().unwrap_or(0.0),
    }
}

/// The median; of an even number, the mean of the middle two.
fn median(values: &mut [f32]) -> f32 {
    values.sort_by(f32::total_cmp);
    let n = values.len();
    match n {
        0 => 0.0,
        _ => 0.5 * (values[(n - 1) / 2] + values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::landmarks;
    use super::*;
    use crate::math::smoothstep;

    /// The landmarks of a sample portrait.
    fn sample(name: &str) -> Fit {
        let sample = ["astronaut", "grace_hopper"]
            .iter()
            .position(|other| *other == name);
        let landmarks = landmarks(sample.unwrap());
        Fit::new(Model::bundled().unwrap(), &landmarks, 0.05).unwrap()
    }

    fn with(fit: &Fit, changes: &[(&str, f32)]) -> Deformed {
        let model = Model::bundled().unwrap();
        let mut expression = fit.expression.clone();
        for (name, value) in changes {
            for half in Half::BOTH {
                expression[model.expression(name, half).unwrap()] = *value;
            }
        }
        Deformed::new(
            model,
            fit,
            &Gaps::new(model, fit),
            expression,
            [0.0; 3],
            [0.0; 2],
        )
    }

    #[test]
    fn without_an_edit_every_vertex_stays() {
        for name in ["astronaut", "grace_hopper"] {
            let fit = sample(name);
            let same = with(&fit, &[]);
            assert_eq!(same.points[..], fit.portrait_points[..]);
            assert_eq!(same.normals, fit.normals);
            assert!(!same.placement.is_moved);
            assert_eq!(same.openness, [1.0, 1.0]);
        }
    }

    #[test]
    fn a_full_blink_closes_the_eyes_and_a_squint_does_not() {
        let model = Model::bundled().unwrap();
        for name in ["astronaut", "grace_hopper"] {
            let fit = sample(name);
            let pixels_per_cm = fit.projection.pixels_per_cm;
            let widest = |deformed: &Deformed, eye: usize| {
                let gaps = lid_gaps(&model.eyes[eye], &deformed.points, fit.projection.down);
                // At the corners the lids move together.
                gaps[3..gaps.len() - 3].iter().copied().fold(0.0, f32::max) / pixels_per_cm
            };
            let (shut, squint) = (
                with(&fit, &[("eyeBlink", 1.0)]),
                with(&fit, &[("eyeSquint", 1.5)]),
            );
            for eye in [0, 1] {
                assert!(widest(&shut, eye) < 0.05, "{name}: {}", widest(&shut, eye));
                assert!(shut.openness[eye] < 0.05, "{name}: {}", shut.openness[eye]);
                assert!(squint.openness[eye] >= 0.5);
            }
        }
    }

    #[test]
    fn the_gap_between_the_lids_shrinks_with_the_blink() {
        let model = Model::bundled().unwrap();
        let fit = sample("grace_hopper");
        let mut last = f32::INFINITY;
        for i in 0..=20 {
            let blink = with(&fit, &[("eyeBlink", smoothstep(i as f32 / 20.0))]);
            let gaps = lid_gaps(&model.eyes[0], &blink.points, fit.projection.down);
            let total: f32 = gaps.iter().sum();
            assert!(total <= last + 1e-3, "{i}");
            last = total;
        }
    }

    #[test]
    fn a_relaxed_mouth_closes_even_when_the_fit_raises_the_nose() {
        let model = Model::bundled().unwrap();
        let fit = sample("astronaut");
        let mut expression = fit.expression.clone();
        for half in Half::BOTH {
            let sneer = model.expression("noseSneer", half).unwrap();
            assert!(expression[sneer] > 0.05);
        }
        for (name, value) in model.names.iter().zip(&mut expression) {
            if moves_lips(name) {
                *value = 0.0;
            }
        }
        let gaps = Gaps::new(model, &fit);
        let shut = Deformed::new(model, &fit, &gaps, expression, [0.0; 3], [0.0; 2]);
        let widest =
            |gaps: &[f32]| gaps.iter().copied().fold(0.0, f32::max) / fit.projection.pixels_per_cm;
        assert!(widest(&shut.lips_before) > 0.3);
        assert!(
            widest(&shut.lips_after) < 0.02,
            "{}",
            widest(&shut.lips_after)
        );
    }

    #[test]
    fn the_lips_close_when_a_grin_is_relaxed() {
        let model = Model::bundled().unwrap();
        let fit = sample("astronaut");
        let none = [
            "jawOpen",
            "mouthSmile",
            "mouthLowerDown",
            "mouthUpperUp",
            "mouthRollUpper",
        ]
        .map(|name| (name, 0.0));
        let (open, shut) = (with(&fit, &[]), with(&fit, &none));
        let most = |gaps: &[f32]| gaps.iter().copied().fold(0.0, f32::max);
        assert!(most(&open.lips_after) > 0.2 * fit.projection.pixels_per_cm);
        assert!(most(&shut.lips_after) < 0.2 * most(&open.lips_after));
        let places = LipPlaces::of(model);
        let drawn = places.gaps(&model.lips, &shut.points, fit.projection.down);
        assert!(most(&drawn) < 0.3 * most(&open.lips_after));
    }

    #[test]
    fn unplacing_inverts_placing() {
        let placement = Placement::new([12.0, -7.0, 5.0], [100.0, -200.0, 30.0], [4.0, -9.0]);
        let back = placement.unplace(placement.place([130.0, 90.0, 55.0]));
        for (got, wanted) in back.into_iter().zip([130.0, 90.0, 55.0]) {
            assert!((got - wanted).abs() < 1e-2);
        }
    }
}
