//! From Action Units to the coefficients of the model's expressions.

use super::model::{Half, Model};

/// How many Action Units there are, in the order of [`UNITS`].
pub(super) const COUNT: usize = 17;

/// What one Action Unit does.
struct Unit {
    /// Its FACS number.
    code: u8,
    /// Expressions and their coefficients at 1.
    raises: &'static [(&'static str, f32)],
    /// Expressions that go where the portrait's own unit is taken back.
    takes_back: &'static [&'static str],
}

const UNITS: [Unit; COUNT] = [
    unit(1, &[("browInnerUp", 1.0)], &["browInnerUp"]),
    unit(2, &[("browOuterUp", 1.2)], &["browOuterUp"]),
    unit(4, &[("browDown", 1.15)], &["browDown"]),
    unit(5, &[("eyeWide", 1.0)], &["eyeWide"]),
    unit(
        6,
        &[("cheekSquint", 0.8), ("cheekRaiser", 0.5)],
        &["cheekSquint", "cheekRaiser", "eyeSquint"],
    ),
    unit(7, &[("eyeSquint", 1.0)], &["eyeSquint"]),
    unit(9, &[("noseSneer", 1.0)], &["noseSneer"]),
    unit(10, &[("mouthUpperUp", 0.9)], &["mouthUpperUp", "noseSneer"]),
    unit(
        12,
        &[("mouthSmile", 0.85), ("mouthLowerDown", 0.06)],
        &["mouthSmile", "mouthStretch", "mouthDimple"],
    ),
    unit(14, &[("mouthDimple", 1.3)], &["mouthDimple"]),
    unit(15, &[("mouthFrown", 1.0)], &["mouthFrown"]),
    unit(17, &[("mouthShrugLower", 1.3)], &["mouthShrugLower"]),
    unit(20, &[("mouthStretch", 1.0)], &["mouthStretch"]),
    unit(
        23,
        &[
            ("mouthPress", 0.65),
            ("mouthRollLower", 0.45),
            ("mouthRollUpper", 0.45),
        ],
        &["mouthPress", "mouthRollLower", "mouthRollUpper"],
    ),
    unit(
        25,
        &[("mouthLowerDown", 0.85), ("mouthUpperUp", 0.35)],
        &[
            "mouthLowerDown",
            "mouthUpperUp",
            "jawOpen",
            "mouthClose",
            "mouthRollUpper",
            "mouthRollLower",
        ],
    ),
    unit(26, &[("jawOpen", 0.55)], &["jawOpen", "mouthClose"]),
    unit(45, &[("eyeBlink", 1.0)], &["eyeBlink"]),
];

const fn unit(
    code: u8,
    raises: &'static [(&'static str, f32)],
    takes_back: &'static [&'static str],
) -> Unit {
    Unit {
        code,
        raises,
        takes_back,
    }
}

/// The blink's FACS number.
const BLINK: u8 = 45;

/// What is asked of a face.
#[derive(Debug, Clone, Copy)]
pub(super) struct Controls {
    /// The portrait's own Action Units.
    pub own: [f32; COUNT],
    /// Those wanted of the picture's left and right halves, which are the person's right and left.
    pub target: [[f32; COUNT]; 2],
    /// Degrees to the picture's right and up, added to where the eyes look.
    pub gaze: [f32; 2],
}

/// The coefficients that give what is asked for; exactly `fitted` where nothing differs from the portrait's own.
pub(super) fn coefficients(model: &Model, fitted: &[f32], controls: &Controls) -> Vec<f32> {
    // Of an expression that both halves share, each half has a say; the mean counts.
    let mut wanted: Vec<(f32, f32)> = vec![(0.0, 0.0); fitted.len()];
    for (half, target) in Half::BOTH.into_iter().zip(&controls.target) {
        let mut factors = vec![1.0f32; fitted.len()];
        let mut added = vec![0.0f32; fitted.len()];
        for ((unit, own), target) in UNITS.iter().zip(controls.own).zip(target) {
            let up = (target - own.max(0.0)).max(0.0) + target.min(0.0);
            for (name, weight) in unit.raises {
                if let Some(i) = model.expression(name, half) {
                    added[i] += up * weight * reach(unit, fitted[i], own);
                }
            }
            if *target < own {
                for name in unit.takes_back {
                    if let Some(i) = model.expression(name, half) {
                        factors[i] = factors[i].min((target / own.max(1e-3)).max(0.0));
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
    for (value, own) in coefficients.iter_mut().zip(fitted) {
        *value = value.clamp(own.min(-0.5), 1.5);
    }
    coefficients
}

/// A blink at 1 shuts the eye whatever it was fitted with; other units add their full weight.
fn reach(unit: &Unit, fitted: f32, own: f32) -> f32 {
    if unit.code == BLINK && own < 0.95 {
        (1.0 - fitted) / (1.0 - own.max(0.0))
    } else {
        1.0
    }
}

/// The lids follow where the eyes look.
fn add_gaze(model: &Model, half: Half, up: f32, added: &mut [f32]) {
    let name = if up > 0.0 { "eyeLookUp" } else { "eyeLookDown" };
    if let Some(i) = model.expression(name, half) {
        added[i] += up.abs() / 25.0;
    }
}

/// An upper lip can rise only so far: beyond, the gums would show.
fn limit_upper_lip(model: &Model, fitted: &[f32], coefficients: &mut [f32]) {
    for half in Half::BOTH {
        let found =
            ["mouthUpperUp", "noseSneer", "mouthSmile"].map(|name| model.expression(name, half));
        let [Some(up), Some(sneer), Some(smile)] = found else {
            continue;
        };
        let raised = |values: &[f32]| values[up] + 0.7 * values[sneer];
        let (before, after) = (raised(fitted), raised(coefficients));
        let room = (1.05 - 0.35 * coefficients[smile] - before).max(0.2);
        if after - before > room {
            let share = room / (after - before);
            for i in [up, sneer] {
                coefficients[i] = fitted[i] + (coefficients[i] - fitted[i]) * share;
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
    fn every_expression_of_the_table_is_in_the_model() {
        let model = Model::bundled().unwrap();
        for unit in &UNITS {
            let raised = unit.raises.iter().map(|(name, _)| name);
            for name in raised.chain(unit.takes_back) {
                for half in Half::BOTH {
                    assert!(model.expression(name, half).is_some(), "{name}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_portraits_own_units_change_nothing(
            own in prop::array::uniform17(0f32..1.0),
            values in prop::collection::vec(0f32..1.0, 7),
        ) {
            let model = Model::bundled().unwrap();
            let fitted = fitted(model, &values);
            let controls = Controls { own, target: [own; 2], gaze: [0.0; 2] };
            prop_assert_eq!(coefficients(model, &fitted, &controls), fitted);
        }

        #[test]
        fn a_small_step_of_a_slider_is_a_small_step_of_the_face(
            own in prop::array::uniform17(0.1f32..1.0),
            target in prop::array::uniform17(-0.5f32..1.5),
            values in prop::collection::vec(0f32..1.0, 7),
            unit in 0usize..17,
        ) {
            let model = Model::bundled().unwrap();
            let fitted = fitted(model, &values);
            let mut stepped = target;
            stepped[unit] += 1e-3;
            let [a, b] = [target, stepped].map(|target| {
                coefficients(model, &fitted, &Controls { own, target: [target; 2], gaze: [0.0; 2] })
            });
            for (a, b) in a.iter().zip(b) {
                prop_assert!((a - b).abs() < 0.02);
            }
        }
    }

    #[test]
    fn the_pictures_left_is_the_persons_right() {
        let model = Model::bundled().unwrap();
        let fitted = vec![0.0; model.names.len()];
        let mut smile = [0.0; COUNT];
        smile[place(12)] = 1.0;
        let controls = Controls {
            own: [0.0; COUNT],
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
    fn a_blink_at_one_is_full_whatever_the_portrait_shows() {
        let model = Model::bundled().unwrap();
        let fitted = vec![0.3; model.names.len()];
        let mut own = [0.0; COUNT];
        own[place(BLINK)] = 0.4;
        let mut target = own;
        target[place(BLINK)] = 1.0;
        let controls = Controls {
            own,
            target: [target; 2],
            gaze: [0.0; 2],
        };
        let got = coefficients(model, &fitted, &controls);
        let blink = got[model.expression("eyeBlink", Half::Left).unwrap()];
        assert!((blink - 1.0).abs() < 1e-5);
    }
}
