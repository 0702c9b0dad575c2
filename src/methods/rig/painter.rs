//! Draws one face at one size: the order in which the parts of the rig are applied.

use std::sync::OnceLock;

use super::background::{Layers, MattePlace};
use super::creases::CreaseLayer;
use super::deform::Gaps;
use super::eyes::EyeLayers;
use super::field::{Field, MIN_SHIFT};
use super::fit::Fit;
use super::glasses::GlassesFrame;
use super::image::{Image, Rgba, lerp};
use super::matte::Matte;
use super::model::Model;
use super::mouth::MouthLayers;
use super::openings::Openings;
use super::resample::resample_into;
use super::scene::{Deformed, Scene};
use super::shading;
use super::tone::Tone;
use crate::document::Glasses;

/// The parameters of a frame.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FrameParams {
    /// Coefficients of the model's expressions.
    pub expression: Vec<f32>,
    /// Degrees of yaw, pitch and roll relative to the portrait.
    pub turned: [f32; 3],
    /// Degrees to the picture's right and up.
    pub gaze: [f32; 2],
    /// How strongly folds are drawn.
    pub folds: f32,
    /// Whether the frame of glasses is kept rigid.
    pub glasses: Glasses,
    /// Whether to draw a softer draft.
    pub draft: bool,
}

/// A drawn face, with the source to compare it with.
pub(super) struct PaintedFace<'a> {
    pub image: &'a Image<Rgba>,
    source: &'a Image<Rgba>,
    shift: &'a Image<[f32; 2]>,
}

/// Pixels that differ by fewer levels keep the portrait's bytes.
const MIN_CHANGE: f32 = 0.6;

impl PaintedFace<'_> {
    /// Whether each pixel of a row was moved or visibly changed.
    pub fn changed(&self, y: usize) -> impl Iterator<Item = bool> {
        let pixels = self.source.row(y).iter().zip(self.image.row(y));
        pixels
            .zip(self.shift.row(y))
            .map(|((before, after), shift)| {
                let moved = shift.iter().any(|v| v.abs() > MIN_SHIFT);
                let apart = |k: usize| (before[k] - after[k]).abs();
                let visible =
                    (0..3).any(|k| apart(k) > MIN_CHANGE) || apart(3) > MIN_CHANGE / 255.0;
                moved || visible
            })
    }
}

pub(super) struct Painter {
    scene: Scene,
    gaps: Gaps,
    eyes: [Option<EyeLayers>; 2],
    mouth: MouthLayers,
    glasses: GlassesFrame,
    /// Computed when a smile is first reduced.
    creases: OnceLock<CreaseLayer>,
    /// Person and background, for a head that turns.
    layers: Option<Layers>,
    field: Field,
    image: Image<Rgba>,
    /// The image before eyes and mouth are drawn, if there is a limit.
    skin: Image<Rgba>,
}

impl Painter {
    /// Prepares everything that depends on the portrait alone. `fit` is in pixels of `source`.
    pub fn new(
        model: &'static Model,
        source: Image<Rgba>,
        fit: Fit,
        tone: Tone,
        glasses: GlassesFrame,
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
            field: Field::empty(scene.source.width, scene.source.height),
            image: scene.source.clone(),
            skin: Image::default(),
            layers: None,
            scene,
            gaps,
            glasses,
            creases: OnceLock::new(),
        }
    }

    /// Divides the portrait into person and background, so that a turned head leaves the background in place; once.
    pub fn divide(&mut self, matte: &Matte, place: MattePlace) {
        let source = &self.scene.source;
        self.layers
            .get_or_insert_with(|| Layers::new(source, matte, place));
    }

    /// The displacement of a deformed head.
    pub fn field(&mut self, deformed: &Deformed) -> &Field {
        let openings = self.openings(deformed);
        self.update_field(deformed, &openings);
        &self.field
    }

    fn update_field(&mut self, deformed: &Deformed, openings: &Openings) {
        let light = shading::light_ratios(&self.scene, deformed);
        self.field.update(&self.scene, deformed, &light, openings);
    }

    /// The deformed head of a frame.
    pub fn deformed(&self, wanted: &FrameParams) -> Deformed {
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

    /// Draws a frame. `limit`, which has the source's size, scales the edit where it is below 1.
    pub fn draw(&mut self, wanted: &FrameParams, limit: Option<&Image<f32>>) -> PaintedFace<'_> {
        let deformed = self.deformed(wanted);
        let openings = self.openings(&deformed);
        self.update_field(&deformed, &openings);
        if let Some(limit) = limit {
            apply_limit(&mut self.field, limit);
        }
        let (scene, field, image) = (&self.scene, &self.field, &mut self.image);
        match &self.layers {
            Some(layers) if deformed.placement.is_moved => layers.draw(field, wanted.draft, image),
            _ => resample_into(image, &scene.source, field, wanted.draft),
        }
        let creases = || self.creases.get_or_init(|| CreaseLayer::new(scene));
        shading::apply(scene, &deformed, field, wanted.folds, creases, image);
        if limit.is_some() {
            self.skin.clone_from(image);
        }
        let eyes = self.eyes.iter().zip(&openings.eyes);
        for (layers, opening) in eyes {
            if let Some(layers) = layers {
                layers.draw(scene, &deformed, opening, &field.shift, wanted.gaze, image);
            }
        }
        self.mouth
            .draw(scene, &deformed, &openings.mouth, &field.core, image);
        if let Some(limit) = limit {
            let skin = &self.skin;
            image.for_rows(|y, row| {
                for ((pixel, skin), limit) in row.iter_mut().zip(skin.row(y)).zip(limit.row(y)) {
                    *pixel = lerp(*skin, *pixel, *limit);
                }
            });
        }
        PaintedFace {
            image,
            source: &scene.source,
            shift: &field.shift,
        }
    }
}

/// Scales a displacement by the limit.
fn apply_limit(field: &mut Field, limit: &Image<f32>) {
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
