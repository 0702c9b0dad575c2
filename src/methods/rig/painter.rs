//! Draws one face at one size: the order in which the parts of the rig are applied.

use std::sync::OnceLock;

use super::creases::CreaseLayer;
use super::deform::Gaps;
use super::eyes::EyeLayers;
use super::field::{Field, MIN_SHIFT};
use super::fit::Fit;
use super::glasses::GlassesFrame;
use super::image::{Image, Rgba, Sample, lerp};
use super::model::Model;
use super::mouth::MouthLayers;
use super::openings::Openings;
use super::place::{Place, PlaceWarp};
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
    /// The head's place and size.
    pub place: Place,
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
    /// The displacement by the head's place and size, if they differ from the portrait's.
    placed: Option<&'a Image<[f32; 2]>>,
}

/// Pixels that differ by fewer levels keep the portrait's bytes.
const MIN_CHANGE: f32 = 0.6;

impl PaintedFace<'_> {
    /// Whether each pixel of a row was moved or visibly changed.
    pub fn changed(&self, y: usize) -> impl Iterator<Item = bool> {
        let pixels = self.source.row(y).iter().zip(self.image.row(y));
        let placed = self.placed.map(|placed| placed.row(y));
        pixels
            .zip(self.shift.row(y))
            .enumerate()
            .map(move |(x, ((before, after), shift))| {
                let far = |shift: &[f32; 2]| shift.iter().any(|v| v.abs() > MIN_SHIFT);
                let moved = far(shift) || placed.is_some_and(|placed| far(&placed[x]));
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
    field: Field,
    image: Image<Rgba>,
    /// The image before eyes and mouth are drawn, if there is a limit.
    skin: Image<Rgba>,
    /// Left, top, right and bottom of the whole portrait, in pixels of the source.
    bounds: [f32; 4],
    /// The image with the head at its place, and the displacement that brings it there. Empty until they are needed.
    placed: Image<Rgba>,
    offsets: Image<[f32; 2]>,
}

impl Painter {
    /// Prepares everything that depends on the portrait alone. `fit` and the portrait's `bounds` (left, top, right,
    /// bottom) are in pixels of `source`.
    pub fn new(
        model: &'static Model,
        source: Image<Rgba>,
        bounds: [f32; 4],
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
            bounds,
            placed: Image::default(),
            offsets: Image::default(),
            scene,
            gaps,
            glasses,
            creases: OnceLock::new(),
        }
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

    /// The movement of a deformed head to its place; `None` if that is the portrait's.
    pub fn place_warp(&self, wanted: &FrameParams, deformed: &Deformed) -> Option<PlaceWarp> {
        let Scene { model, fit, .. } = &self.scene;
        PlaceWarp::new(model, fit, deformed, self.bounds, wanted.place)
    }

    /// The deformed head of a frame, before it is placed.
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
        let warp = self.place_warp(wanted, &deformed);
        if let Some(limit) = limit {
            apply_limit(&mut self.field, limit);
        }
        let (scene, field, image) = (&self.scene, &self.field, &mut self.image);
        resample_into(image, &scene.source, &field.shift, wanted.draft);
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
        let mut face = PaintedFace {
            image: &*image,
            source: &scene.source,
            shift: &field.shift,
            placed: None,
        };
        if let Some(warp) = warp {
            let (width, height) = (image.width, image.height);
            if self.offsets.width != width || self.offsets.height != height {
                self.offsets = Image::filled(width, height, [0.0; 2]);
                self.placed = face.image.clone();
            }
            warp.offsets(&mut self.offsets);
            if let Some(limit) = limit {
                scale(&mut self.offsets, limit);
            }
            resample_into(&mut self.placed, face.image, &self.offsets, wanted.draft);
            face.image = &self.placed;
            face.placed = Some(&self.offsets);
        }
        face
    }
}

/// Scales a displacement by the limit.
fn apply_limit(field: &mut Field, limit: &Image<f32>) {
    scale(&mut field.weight, limit);
    scale(&mut field.shift, limit);
}

/// Scales each pixel of an image by that of another.
fn scale<T: Sample>(image: &mut Image<T>, by: &Image<f32>) {
    image.for_rows(|y, row| {
        for (value, by) in row.iter_mut().zip(by.row(y)) {
            *value = T::default().plus(*value, *by);
        }
    });
}
