//! One face at one size, ready to be drawn again and again: the order in which the parts of the rig come.

use std::sync::OnceLock;

use super::creases::CreaseLayer;
use super::deform::Gaps;
use super::eyes::EyeLayers;
use super::field::{Field, LEAST_SHIFT};
use super::fit::Fit;
use super::glasses::{Glasses, HoldGlasses};
use super::image::{Image, Rgba, lerp};
use super::model::Model;
use super::mouth::MouthLayers;
use super::openings::Openings;
use super::resample::resample;
use super::scene::{Deformed, Scene};
use super::shading;
use super::tone::Tone;

/// What is asked of a frame.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    /// Coefficients of the model's expressions.
    pub expression: Vec<f32>,
    /// Degrees of yaw, pitch and roll against the portrait.
    pub turned: [f32; 3],
    /// Degrees to the picture's right and up.
    pub gaze: [f32; 2],
    /// How strongly folds are drawn.
    pub folds: f32,
    /// Whether the frame of glasses is kept from bending.
    pub glasses: HoldGlasses,
    /// Whether a softer picture is good enough.
    pub draft: bool,
}

/// A drawn face, over the scene's source.
pub(super) struct Drawn {
    pub image: Image<Rgba>,
    /// 1 where the image departs from the source.
    pub changed: Image<f32>,
}

/// Departures of fewer levels leave the portrait's own byte.
const LEAST_CHANGE: f32 = 0.6;

pub(super) struct Painter {
    scene: Scene,
    gaps: Gaps,
    eyes: [Option<EyeLayers>; 2],
    mouth: MouthLayers,
    glasses: Glasses,
    /// Made when a smile is first taken back.
    creases: OnceLock<CreaseLayer>,
}

impl Painter {
    /// Prepares all that depends on the portrait alone. `fit` is in pixels of `source`.
    pub fn new(
        model: &'static Model,
        source: Image<Rgba>,
        fit: Fit,
        tone: Tone,
        glasses: Glasses,
    ) -> Self {
        let gaps = Gaps::new(model, &fit);
        let scene = Scene {
            model,
            source,
            fit,
            tone,
        };
        Self {
            eyes: [0, 1].map(|eye| EyeLayers::new(&scene, eye)),
            mouth: MouthLayers::new(&scene),
            scene,
            gaps,
            glasses,
            creases: OnceLock::new(),
        }
    }

    /// The displacement that a deformed head makes.
    pub fn field(&self, deformed: &Deformed) -> Field {
        self.field_about(deformed, &self.openings(deformed))
    }

    fn field_about(&self, deformed: &Deformed, openings: &Openings) -> Field {
        let light = shading::light_ratios(&self.scene, deformed);
        Field::new(&self.scene, deformed, &light, openings)
    }

    /// The head as it is to be drawn.
    pub fn deformed(&self, wanted: &Wanted) -> Deformed {
        let expression = wanted.expression.clone();
        let scene = &self.scene;
        let mut deformed = Deformed::new(
            scene.model,
            &scene.fit,
            &self.gaps,
            expression,
            wanted.turned,
            [0.0; 2],
        );
        self.glasses.hold(&scene.fit, wanted.glasses, &mut deformed);
        deformed
    }

    fn openings(&self, deformed: &Deformed) -> Openings {
        Openings::new(
            self.scene.model,
            &deformed.points,
            self.scene.fit.projection.down,
        )
    }

    /// A frame. Where `limit`, which has the source's size, is below 1 the edit counts less.
    pub fn draw(&self, wanted: &Wanted, limit: Option<&Image<f32>>) -> Drawn {
        let scene = &self.scene;
        let deformed = self.deformed(wanted);
        let openings = self.openings(&deformed);
        let mut field = self.field_about(&deformed, &openings);
        if let Some(limit) = limit {
            hold_back(&mut field, limit);
        }
        let mut image = resample(scene, &field, wanted.draft);
        let creases = || self.creases.get_or_init(|| CreaseLayer::new(scene));
        shading::apply(scene, &deformed, &field, wanted.folds, creases, &mut image);
        let skin = limit.is_some().then(|| image.clone());
        for (layers, opening) in self.eyes.iter().zip(&openings.eyes) {
            if let Some(layers) = layers {
                layers.draw(
                    scene,
                    &deformed,
                    opening,
                    &field.shift,
                    wanted.gaze,
                    &mut image,
                );
            }
        }
        self.mouth
            .draw(scene, &deformed, &openings.mouth, &field.core, &mut image);
        if let (Some(limit), Some(skin)) = (limit, skin) {
            image.for_rows(|y, row| {
                for ((pixel, skin), limit) in row.iter_mut().zip(skin.row(y)).zip(limit.row(y)) {
                    *pixel = lerp(*skin, *pixel, *limit);
                }
            });
        }
        Drawn {
            changed: changes(&scene.source, &image, &field),
            image,
        }
    }
}

/// Scales a displacement by where the edit may count.
fn hold_back(field: &mut Field, limit: &Image<f32>) {
    let scale = |image: &mut Image<f32>| {
        image.for_rows(|y, row| {
            for (value, limit) in row.iter_mut().zip(limit.row(y)) {
                *value *= limit;
            }
        });
    };
    scale(&mut field.weight);
    field.shift.for_rows(|y, row| {
        for (shift, limit) in row.iter_mut().zip(limit.row(y)) {
            *shift = shift.map(|v| v * limit);
        }
    });
}

/// Where a frame departs from its source: where pixels moved, or changed visibly.
fn changes(source: &Image<Rgba>, image: &Image<Rgba>, field: &Field) -> Image<f32> {
    let mut changed = Image::filled(source.width, source.height, 0.0);
    changed.for_rows(|y, row| {
        let pixels = source.row(y).iter().zip(image.row(y));
        for ((to, (before, after)), shift) in row.iter_mut().zip(pixels).zip(field.shift.row(y)) {
            let moved = shift.iter().any(|v| v.abs() > LEAST_SHIFT);
            let apart = |k: usize| (before[k] - after[k]).abs();
            let visible =
                (0..3).any(|k| apart(k) > LEAST_CHANGE) || apart(3) > LEAST_CHANGE / 255.0;
            *to = if moved || visible { 1.0 } else { 0.0 };
        }
    });
    changed
}
