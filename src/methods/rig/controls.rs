//! Converts Action Units to coefficients of the model's expressions.

use super::model::{Half, Model};
use crate::math::smoothstep_between;

/// Number of Action Units, in the order of [`UNITS`].
pub(super) const COUNT: usize = 17;

/// The effect of one Action Unit on the expressions.
struct Unit {
    /// Its FACS number.
    code: u8,
    /// Expressions and their coefficients at 1.
    raises: &'static [(&'static str, f32)],
    /// Expressions and their coefficients at -1: roughly the opposite movement but weaker, so most are negative.
    lowers: &'static [(&'static str, f32)],
    /// Expressions that are scaled down when the target is below the portrait's value of this unit.
    removes: &'static [&'static str],
    /// Expressions that are scaled down as well, unless the portrait's [`LIPS_PARTED`] accounts for them.
    also_removes: &'static [&'static str],
}

/// The weights of units 6 and 12 are those of real smiles: neutral and smiling portraits of 89 people (Face Research Lab
/// London Set), fitted by the change of their landmarks. For each 1 of `mouthSmile` they have 0.2 of `mouthRollUpper`,
/// and 0.1 each of `eyeSquint`, `mouthUpperUp` and `mouthLowerDown` while the lips stay closed.
const UNITS: [Unit; COUNT] = [
    unit(
        1,
        &[("browInnerUp", 1.0)],
        &[("browInnerUp", -0.6)],
        &["browInnerUp"],
    ),
    unit(
        2,
        &[("browOuterUp", 1.2)],
        &[("browOuterUp", -0.6)],
        &["browOuterUp"],
    ),
    unit(
        4,
        &[("browDown", 1.15)],
        &[("browDown", -0.5)],
        &["browDown"],
    ),
    unit(5, &[("eyeWide", 1.1)], &[("eyeWide", -0.7)], &["eyeWide"]),
    unit(
        6,
        &[
            ("cheekSquint", 0.8),
            ("cheekRaiser", 0.5),
            ("eyeSquint", 0.15),
        ],
        &[("cheekSquint", -0.4), ("cheekRaiser", -0.25)],
        &["cheekSquint", "cheekRaiser", "eyeSquint"],
    ),
    unit(
        7,
        &[("eyeSquint", 1.0)],
        &[("eyeSquint", -0.6)],
        &["eyeSquint"],
    ),
    unit(
        9,
        &[("noseSneer", 1.0)],
        &[("noseSneer", -0.4)],
        &["noseSneer"],
    ),
    unit(
        10,
        &[("mouthUpperUp", 0.9)],
        &[("mouthUpperUp", -0.3)],
        &["mouthUpperUp", "noseSneer"],
    ),
    Unit {
        also_removes: &[
            "mouthUpperUp",
            "mouthLowerDown",
            "mouthRollUpper",
            "jawOpen",
        ],
        ..unit(
            12,
            &[
                ("mouthSmile", 0.78),
                ("mouthRollUpper", 0.22),
                ("mouthUpperUp", 0.08),
                ("mouthLowerDown", 0.08),
                ("eyeSquint", 0.08),
            ],
            &[("mouthSmile", -0.3), ("mouthFrown", 0.25)],
            &["mouthSmile", "mouthStretch", "mouthDimple"],
        )
    },
    unit(
        14,
        &[("mouthDimple", 1.3), ("mouthPress", 0.25)],
        &[("mouthDimple", -0.5)],
        &["mouthDimple"],
    ),
    unit(
        15,
        &[("mouthFrown", 1.0)],
        &[("mouthFrown", -0.5)],
        &["mouthFrown"],
    ),
    unit(
        17,
        &[("mouthShrugLower", 1.3)],
        &[("mouthShrugLower", -0.4)],
        &["mouthShrugLower"],
    ),
    unit(
        20,
        &[("mouthStretch", 1.0)],
        &[("mouthStretch", -0.5)],
        &["mouthStretch"],
    ),
    unit(
        23,
        &[
            ("mouthPress", 0.85),
            ("mouthRollLower", 0.6),
            ("mouthRollUpper", 0.6),
        ],
        &[
            ("mouthPress", -0.3),
            ("mouthRollLower", -0.3),
            ("mouthRollUpper", -0.3),
        ],
        &["mouthPress", "mouthRollLower", "mouthRollUpper"],
    ),
    unit(
        LIPS_PARTED,
        &[("mouthLowerDown", 0.85), ("mouthUpperUp", 0.35)],
        &[("mouthLowerDown", -0.3), ("mouthUpperUp", -0.15)],
        &[
            "mouthLowerDown",
            "mouthUpperUp",
            "jawOpen",
            "mouthClose",
            "mouthRollUpper",
            "mouthRollLower",
        ],
    ),
    unit(
        26,
        &[("jawOpen", 0.55)],
        &[("jawOpen", -0.08)],
        &["jawOpen", "mouthClose"],
    ),
    unit(
        BLINK,
        &[("eyeBlink", 1.0)],
        &[("eyeBlink", -0.25)],
        &["eyeBlink"],
    ),
];

const fn unit(
    code: u8,
    raises: &'static [(&'static str, f32)],
    lowers: &'static [(&'static str, f32)],
    removes: &'static [&'static str],
) -> Unit {
    Unit {
        code,
        raises,
        lowers,
        removes,
        also_removes: &[],
    }
}

/// FACS numbers of units with special rules.
const LIPS_PARTED: u8 = 25;
const BLINK: u8 = 45;

/// Coefficients are clamped to this range unless the portrait's own is outside it: beyond, the skin folds over itself.
const RANGE: (f32, f32) = (-0.6, 1.5);
/// Lower upper bounds of some expressions: a lid can't close further than shut, and lips rolled in or raised too far turn
/// inside out.
const UPPER_BOUNDS: [(&str, f32); 5] = [
    ("eyeBlink", 1.0),
    ("mouthRoll", 0.9),
    ("mouthSmile", 1.25),
    ("mouthUpperUp", 1.2),
    ("noseSneer", 1.25),
];

/// The input of the rig for one frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Controls {
    /// The portrait's Action Units.
    pub source: [f32; COUNT],
    /// The target Action Units of the picture's left and right halves, which are the person's right and left: 0..=1, and
    /// for exaggeration from -0.5 to 1.5.
    pub target: [[f32; COUNT]; 2],
    /// Degrees to the picture's right and up, added to the gaze.
    pub gaze: [f32; 2],
}

/// The coefficients for the controls; exactly `fitted` if the targets equal the portrait's Action Units.
pub(super) fn coefficients(model: &Model, fitted: &[f32], controls: &Controls) -> Vec<f32> {
    // Expressions without halves get a value from each half, which are averaged.
    let mut wanted: Vec<(f32, f32)> = vec![(0.0, 0.0); fitted.len()];
    for (half, target) in Half::BOTH.into_iter().zip(&controls.target) {
        let mut factors = vec![1.0f32; fitted.len()];
        let mut added = vec![0.0f32; fitted.len()];
        for ((unit, source), target) in UNITS.iter().zip(controls.source).zip(target) {
            let changes = [
                (unit.raises, (target - source.max(0.0)).max(0.0)),
                (unit.lowers, (-target).max(0.0)),
            ];
            for (shapes, by) in changes {
                for (name, weight) in shapes {
                    if let Some(i) = model.expression(name, half) {
                        added[i] += by * weight * expression_weight(unit, fitted[i], source);
                    }
                }
            }
            if *target < source {
                let left = 1.0 - removed_fraction(source, *target);
                let along = left + (1.0 - left) * source_lips_parted(&controls.source);
                let removed = unit.removes.iter().map(|name| (name, left));
                for (name, left) in
                    removed.chain(unit.also_removes.iter().map(|name| (name, along)))
                {
                    if let Some(i) = model.expression(name, half) {
                        factors[i] = factors[i].min(left);
                    }
                }
            }
        }
        add_gaze(model, half, controls.gaze[1], &mut added);
        for (i, name) in model.names.iter().enumerate() {
            let counts = match half {
                Half::Right => !name.ends_with("_L"),
                Half::Left => !name.ends_with("_R"),
            };
            if counts {
                wanted[i].0 += fitted[i] * factors[i] + added[i];
                wanted[i].1 += 1.0;
            }
        }
    }
    let mut coefficients: Vec<f32> = wanted
        .iter()
        .map(|(sum, count)| sum / count.max(1.0))
        .collect();
    limit_upper_lip(model, fitted, &mut coefficients);
    for ((value, fitted), name) in coefficients.iter_mut().zip(fitted).zip(&model.names) {
        *value = value.clamp(fitted.min(RANGE.0), fitted.max(upper_bound(name)));
    }
    coefficients
}

/// The fraction of the portrait's unit that a target removes, in 0..=1. It fades out for a barely measurable unit, which
/// says little about the fit.
fn removed_fraction(source: f32, target: f32) -> f32 {
    let certain = smoothstep_between(0.0, 0.1, source);
    certain * ((source - target.max(0.0)) / source.max(1e-3)).clamp(0.0, 1.0)
}

/// The upper bound of an expression's coefficient.
fn upper_bound(name: &str) -> f32 {
    let found = UPPER_BOUNDS
        .iter()
        .find(|(start, _)| name.starts_with(start));
    found.map_or(RANGE.1, |(_, most)| *most)
}

/// How far the portrait's lips are parted, by Action Unit 25.
fn source_lips_parted(source: &[f32; COUNT]) -> f32 {
    let place = UNITS.iter().position(|unit| unit.code == LIPS_PARTED);
    place.map_or(0.0, |place| source[place].clamp(0.0, 1.0))
}

/// The weight of a unit's expression: a blink of 1 shuts the eye from any fitted coefficient; other units add their full
/// weight.
fn expression_weight(unit: &Unit, fitted: f32, source: f32) -> f32 {
    if unit.code == BLINK && source < 0.95 {
        (1.0 - fitted) / (1.0 - source.max(0.0))
    } else {
        1.0
    }
}

/// The lids follow the gaze.
fn add_gaze(model: &Model, half: Half, up: f32, added: &mut [f32]) {
    let name = if up > 0.0 { "eyeLookUp" } else { "eyeLookDown" };
    if let Some(i) = model.expression(name, half) {
        added[i] += up.abs() / 25.0;
    }
}

/// Limits how far the upper lip rises, since beyond that the gums would show.
fn limit_upper_lip(model: &Model, fitted: &[f32], coefficients: &mut [f32]) {
    for half in Half::BOTH {
        let found =
            ["mouthUpperUp", "noseSneer", "mouthSmile"].map(|name| model.expression(name, half));
        let [Some(up), Some(sneer), Some(smile)] = found else {
            continue;
        };
        let lifts = [(up, 1.0), (sneer, 0.7)];
        let before: f32 = lifts.iter().map(|(i, lift)| lift * fitted[*i]).sum();
        let allowed_rise = (1.05 - 0.35 * coefficients[smile] - before).max(0.2);
        let risen = |i: usize, value: f32| (value - fitted[i]).max(0.0);
        let rise: f32 = lifts
            .iter()
            .map(|(i, lift)| lift * risen(*i, coefficients[*i]))
            .sum();
        if rise > allowed_rise {
            for (i, _) in lifts {
                coefficients[i] -= risen(i, coefficients[i]) * (1.0 - allowed_rise / rise);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fitted(model: &Model, values: &[f32]) -> Vec<f32> {
        model
            .names
            .iter()
            .zip(values.iter().cycle())
            .map(|(_, v)| *v)
            .collect()
    }

    fn place(code: u8) -> usize {
        UNITS.iter().position(|unit| unit.code == code).unwrap()
    }

    #[test]
    fn every_expression_of_the_unit_table_exists_in_the_model() {
        let model = Model::bundled().unwrap();
        for unit in &UNITS {
            let moved = unit.raises.iter().chain(unit.lowers);
            let moved = moved.map(|(name, _)| name);
            for name in moved.chain(unit.removes).chain(unit.also_removes) {
                for half in Half::BOTH {
                    assert!(model.expression(name, half).is_some(), "{name}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_action_units_of_the_portrait_itself_change_nothing(
            source in prop::array::uniform17(0f32..1.0),
            values in prop::collection::vec(0f32..1.0, 7),
        ) {
            let model = Model::bundled().unwrap();
            let fitted = fitted(model, &values);
            let controls = Controls { source, target: [source; 2], gaze: [0.0; 2] };
            prop_assert_eq!(coefficients(model, &fitted, &controls), fitted);
        }

        #[test]
        fn a_small_step_of_a_slider_changes_the_coefficients_little(
            source in prop::array::uniform17(0f32..1.0),
            target in prop::array::uniform17(-0.5f32..1.5),
            values in prop::collection::vec(0f32..1.0, 7),
            unit in 0usize..17,
        ) {
            let model = Model::bundled().unwrap();
            let fitted = fitted(model, &values);
            let mut stepped = target;
            stepped[unit] += 1e-3;
            let [a, b] = [target, stepped].map(|target| {
                coefficients(model, &fitted, &Controls { source, target: [target; 2], gaze: [0.0; 2] })
            });
            for (a, b) in a.iter().zip(b) {
                prop_assert!((a - b).abs() < 0.02);
            }
        }
    }

    proptest! {
        #[test]
        fn every_expression_changes_monotonically_with_a_slider(
            source in prop::array::uniform17(0f32..1.0),
            target in prop::array::uniform17(-0.5f32..1.5),
            values in prop::collection::vec(0f32..1.0, 7),
            unit in 0usize..17,
        ) {
            let model = Model::bundled().unwrap();
            let fitted = fitted(model, &values);
            let at = |value: f32| {
                let mut target = target;
                target[unit] = value;
                coefficients(model, &fitted, &Controls { source, target: [target; 2], gaze: [0.0; 2] })
            };
            let steps: Vec<Vec<f32>> = (0..=40).map(|i| at(-0.5 + 0.05 * i as f32)).collect();
            // These two share the room that the upper lip has.
            let shared = |i: &usize| ["mouthUpperUp", "noseSneer"].iter().any(|name| model.names[*i].starts_with(name));
            for i in (0..fitted.len()).filter(|i| !shared(i)) {
                let changes = || steps.windows(2).map(|pair| pair[1][i] - pair[0][i]);
                let (falls, rises) = (changes().any(|d| d < -1e-5), changes().any(|d| d > 1e-5));
                prop_assert!(!(falls && rises), "{} with AU{}", model.names[i], UNITS[unit].code);
            }
            // The unit's main expression rises over the whole range, as far as its bound.
            let main = model.expression(UNITS[unit].raises[0].0, Half::Left).unwrap();
            prop_assert!(steps[0][main] < steps[40][main]);
        }
    }

    #[test]
    fn no_slider_flips_triangles_of_the_skin() {
        // Counts triangles at the front of the mean head that an expression flips.
        let model = Model::bundled().unwrap();
        let rest = vec![0.0; model.names.len()];
        // How far a triangle faces the viewer, from -1 to 1.
        let facing = |expression: &[f32], corners: &[u32; 3]| {
            let [a, b, c] = corners.map(|corner| {
                let v = corner as usize;
                let shapes = expression.iter().zip(&model.expressions);
                shapes.fold(model.neutral[v], |at, (factor, shape)| {
                    [0, 1, 2].map(|k| at[k] + factor * shape[v][k])
                })
            });
            let [u, v] = [b, c].map(|to| [0, 1, 2].map(|k| to[k] - a[k]));
            let normal = [0, 1, 2].map(|k| {
                let (i, j) = ((k + 1) % 3, (k + 2) % 3);
                u[i] * v[j] - u[j] * v[i]
            });
            normal[2] / normal.iter().map(|n| n * n).sum::<f32>().sqrt().max(1e-9)
        };
        let front: Vec<&[u32; 3]> = model
            .face_triangles
            .iter()
            .filter(|corners| {
                facing(&rest, corners) > 0.5
                    && corners.iter().all(|corner| {
                        let v = *corner as usize;
                        let rings = [&model.eyes[0], &model.eyes[1], &model.lips];
                        let near = |(distance, _): (f32, usize)| distance < 0.8;
                        model.face_mask[v] > 0.5
                            && !rings
                                .iter()
                                .any(|r| near(r.to_upper[v]) || near(r.to_lower[v]))
                    })
            })
            .collect();
        assert!(front.len() > 3000, "{}", front.len());
        for (i, unit) in UNITS.iter().enumerate() {
            for value in [-0.5, 1.5] {
                let mut target = [0.0; COUNT];
                target[i] = value;
                let controls = Controls {
                    source: [0.0; COUNT],
                    target: [target; 2],
                    gaze: [0.0; 2],
                };
                let expression = coefficients(model, &rest, &controls);
                let folded = front
                    .iter()
                    .filter(|corners| facing(&expression, corners) < 0.0)
                    .count();
                assert!(
                    100 * folded < front.len(),
                    "AU{} at {value}: {folded}",
                    unit.code
                );
            }
        }
    }

    #[test]
    fn the_left_half_of_the_picture_moves_the_right_half_of_the_model() {
        let model = Model::bundled().unwrap();
        let fitted = vec![0.0; model.names.len()];
        let mut smile = [0.0; COUNT];
        smile[place(12)] = 1.0;
        let controls = Controls {
            source: [0.0; COUNT],
            target: [smile, [0.0; COUNT]],
            gaze: [0.0; 2],
        };
        let got = coefficients(model, &fitted, &controls);
        assert!(got[model.expression("mouthSmile", Half::Right).unwrap()] > 0.5);
        assert_eq!(
            got[model.expression("mouthSmile", Half::Left).unwrap()],
            0.0
        );
    }

    #[test]
    fn a_blink_of_one_closes_the_eyes_whatever_the_portrait_shows() {
        let model = Model::bundled().unwrap();
        let fitted = vec![0.3; model.names.len()];
        let mut source = [0.0; COUNT];
        source[place(BLINK)] = 0.4;
        let mut target = source;
        target[place(BLINK)] = 1.0;
        let controls = Controls {
            source,
            target: [target; 2],
            gaze: [0.0; 2],
        };
        let got = coefficients(model, &fitted, &controls);
        let blink = got[model.expression("eyeBlink", Half::Left).unwrap()];
        assert!((blink - 1.0).abs() < 1e-5);
    }
}
