//! Draws one face at one size: the order in which the parts of the rig are applied.

use std::sync::OnceLock;

use super::background::{Layers, MattePlace};
use super::canvas::{Canvas, Shares, shading_shares};
use super::creases::CreaseLayer;
use super::deform::Gaps;
use super::eyes::EyeLayers;
use super::field::{Field, MIN_SHIFT};
use super::fit::Fit;
use super::glasses::GlassesFrame;
use super::image::{Image, Rgba, Sample, lerp};
use super::matte::Matte;
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
    /// Person and background, for a head that turns.
    layers: Option<Layers>,
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
        let (_, is_placed) = self.paint(wanted, limit, false);
        let image = if is_placed { &self.placed } else { &self.image };
        PaintedFace {
            image,
            source: &self.scene.source,
            shift: &self.field.shift,
            placed: is_placed.then_some(&self.offsets),
        }
    }

    /// Draws a frame as [`Painter::draw`] does; returns how much of each pixel each layer draws.
    pub fn layers(&mut self, wanted: &FrameParams, limit: Option<&Image<f32>>) -> Image<Shares> {
        self.paint(wanted, limit, true).0.unwrap_or_default()
    }

    /// Draws a frame into `image`, or into `placed` if the head is moved to another place. Returns how much of each pixel
    /// each layer draws, if that is requested, and whether the head is moved.
    fn paint(
        &mut self,
        wanted: &FrameParams,
        limit: Option<&Image<f32>>,
        with_shares: bool,
    ) -> (Option<Image<Shares>>, bool) {
        let deformed = self.deformed(wanted);
        let openings = self.openings(&deformed);
        self.update_field(&deformed, &openings);
        let warp = self.place_warp(wanted, &deformed);
        if let Some(limit) = limit {
            apply_limit(&mut self.field, limit);
        }
        let (scene, field, image) = (&self.scene, &self.field, &mut self.image);
        match &self.layers {
            Some(layers) if deformed.placement.is_moved => layers.draw(field, wanted.draft, image),
            _ => resample_into(image, &scene.source, &field.shift, wanted.draft),
        }
        let moved = with_shares.then(|| image.clone());
        let creases = || self.creases.get_or_init(|| CreaseLayer::new(scene));
        shading::apply(scene, &deformed, field, wanted.folds, creases, image);
        let mut shares = moved.map(|moved| shading_shares(&moved, image));
        let shaded = limit.and_then(|_| shares.clone());
        if limit.is_some() {
            self.skin.clone_from(image);
        }
        let mut canvas = Canvas {
            image,
            shares: shares.as_mut(),
        };
        let eyes = self.eyes.iter().zip(&openings.eyes);
        for (layers, opening) in eyes {
            if let Some(layers) = layers {
                let (shift, gaze) = (&field.shift, wanted.gaze);
                layers.draw(scene, &deformed, opening, shift, gaze, &mut canvas);
            }
        }
        self.mouth
            .draw(scene, &deformed, &openings.mouth, &field.core, &mut canvas);
        if let Some(limit) = limit {
            fade_in(&mut self.image, &self.skin, limit);
            if let Some((shares, shaded)) = shares.as_mut().zip(shaded) {
                fade_in(shares, &shaded, limit);
            }
        }
        let is_placed = warp.is_some();
        if let Some(warp) = warp {
            self.place(&warp, limit, wanted.draft);
            shares = shares.map(|shares| warped(&shares, &self.offsets));
        }
        (shares, is_placed)
    }

    /// Warps `image` into `placed`, with the head at its place.
    fn place(&mut self, warp: &PlaceWarp, limit: Option<&Image<f32>>, draft: bool) {
        let (width, height) = (self.image.width, self.image.height);
        if (self.offsets.width, self.offsets.height) != (width, height) {
            self.offsets = Image::filled(width, height, [0.0; 2]);
            self.placed = self.image.clone();
        }
        warp.offsets(&mut self.offsets);
        if let Some(limit) = limit {
            scale(&mut self.offsets, limit);
        }
        resample_into(&mut self.placed, &self.image, &self.offsets, draft);
    }
}

/// An image read at each pixel's centre plus its offset.
fn warped<T: Sample>(image: &Image<T>, offsets: &Image<[f32; 2]>) -> Image<T> {
    Image::from_fn(image.width, image.height, |x, y| {
        let [dx, dy] = offsets.at(x, y);
        image.linear(x as f32 + 0.5 + dx, y as f32 + 0.5 + dy)
    })
}

/// Interpolates from `below` to the image by the limit.
fn fade_in<T: Sample>(image: &mut Image<T>, below: &Image<T>, limit: &Image<f32>) {
    image.for_rows(|y, row| {
        for ((pixel, below), limit) in row.iter_mut().zip(below.row(y)).zip(limit.row(y)) {
            *pixel = lerp(*below, *pixel, *limit);
        }
    });
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

#[cfg(test)]
mod tests {
    use super::super::controls::{Controls, coefficients};
    use super::super::openings::Opening;
    use super::super::resample::resample;
    use super::super::testing::{astronaut, landmarks};
    use super::*;
    use crate::document::ActionUnit;
    use crate::methods::diagnostics::Layer;

    /// The part of the astronaut's picture with her face.
    const FACE: (usize, usize) = (125, 5);
    const SIZE: (usize, usize) = (210, 240);

    fn painter() -> Painter {
        let source = astronaut().part((FACE.0 as isize, FACE.1 as isize), SIZE.0, SIZE.1);
        let model = Model::bundled().unwrap();
        let fit = Fit::new(model, &landmarks(0), 0.02)
            .unwrap()
            .in_view(1.0, (FACE.0 as f32, FACE.1 as f32));
        let tone = Tone::new(model, &fit, &source);
        let scene = Scene {
            model,
            source: source.clone(),
            fit: fit.clone(),
            tone: tone.clone(),
        };
        let glasses = GlassesFrame::new(&scene);
        let bounds = [0.0, 0.0, SIZE.0 as f32, SIZE.1 as f32];
        Painter::new(model, source, bounds, fit, tone, glasses)
    }

    /// The portrait's expression with one Action Unit raised.
    fn wanted(painter: &Painter, unit: Option<(u8, f32)>, folds: f32) -> FrameParams {
        let own = [0.0; ActionUnit::COUNT];
        let mut target = own;
        if let Some((code, value)) = unit {
            target[ActionUnit::from_code(code).unwrap().index()] = value;
        }
        let controls = Controls {
            source: own,
            target: [target; 2],
            gaze: [0.0; 2],
        };
        let fitted = &painter.scene.fit.expression;
        FrameParams {
            expression: coefficients(painter.scene.model, fitted, &controls),
            turned: [0.0; 3],
            place: Place::AS_IN_PORTRAIT,
            gaze: [0.0; 2],
            folds,
            glasses: Glasses::Auto,
            draft: false,
        }
    }

    /// Openings of the eyes and the mouth in the portrait.
    fn own_openings(painter: &Painter) -> Openings {
        let scene = &painter.scene;
        let down = scene.fit.projection.down;
        Openings::new(scene.model, &scene.fit.portrait_points, down)
    }

    /// The largest share of a layer, within a distance in pixels of an opening or everywhere.
    fn most(shares: &Image<Shares>, layer: Layer, near: Option<(&Opening, f32)>) -> f32 {
        let mut most = 0.0f32;
        for y in 0..shares.height {
            for x in 0..shares.width {
                if near.is_none_or(|(opening, reach)| is_near(opening, reach, (x, y))) {
                    most = most.max(shares.at(x, y)[layer as usize]);
                }
            }
        }
        most
    }

    fn is_near(opening: &Opening, reach: f32, (x, y): (usize, usize)) -> bool {
        let points = opening.upper.iter().chain(&opening.lower);
        let mut distances = points.map(|[px, py]| (px - x as f32 - 0.5).hypot(py - y as f32 - 0.5));
        distances.any(|distance| distance < reach)
    }

    #[test]
    fn without_an_edit_no_layer_draws() {
        let mut painter = painter();
        let still = wanted(&painter, None, 1.0);
        let shares = painter.layers(&still, None);
        assert!(shares.pixels.iter().all(|shares| *shares == [0.0; 3]));
    }

    #[test]
    fn a_blink_is_drawn_at_the_lids_and_not_at_the_mouth() {
        let mut painter = painter();
        let blink = wanted(&painter, Some((45, 1.0)), 1.0);
        let shares = painter.layers(&blink, None);
        let own = own_openings(&painter);
        let unit = painter.scene.fit.projection.pixels_per_cm;
        for eye in &own.eyes {
            let seen = most(&shares, Layer::Eyes, Some((eye, 0.5 * unit)));
            assert!(seen > 0.8, "{seen}");
        }
        assert_eq!(most(&shares, Layer::Mouth, None), 0.0);
        let elsewhere = most(&shares, Layer::Eyes, Some((&own.mouth, 2.0 * unit)));
        assert_eq!(elsewhere, 0.0);
    }

    #[test]
    fn an_opening_jaw_is_drawn_at_the_mouth() {
        let mut painter = painter();
        let jaw = wanted(&painter, Some((26, 1.0)), 1.0);
        let shares = painter.layers(&jaw, None);
        let own = own_openings(&painter);
        let unit = painter.scene.fit.projection.pixels_per_cm;
        let seen = most(&shares, Layer::Mouth, Some((&own.mouth, 2.0 * unit)));
        assert!(seen > 0.95, "{seen}");
        for eye in &own.eyes {
            let elsewhere = most(&shares, Layer::Mouth, Some((eye, 2.0 * unit)));
            assert_eq!(elsewhere, 0.0);
        }
    }

    #[test]
    fn a_smiles_folds_are_shading_as_strong_as_they_are_drawn() {
        let mut painter = painter();
        let [smooth, folded] = [0.0, 1.0].map(|folds| {
            let smile = wanted(&painter, Some((12, 1.0)), folds);
            painter.layers(&smile, None)
        });
        let pairs = smooth.pixels.iter().zip(&folded.pixels);
        let shading = Layer::Shading as usize;
        let deepest = pairs
            .map(|(smooth, folded)| folded[shading] - smooth[shading])
            .fold(0.0, f32::max);
        assert!(deepest > 0.03, "{deepest}");
    }

    #[test]
    fn a_pixel_without_shares_is_the_moved_portraits() {
        let mut painter = painter();
        let eyes = own_openings(&painter).eyes;
        let unit = painter.scene.fit.projection.pixels_per_cm;
        for unit_and_value in [(12, 1.0), (26, 1.0), (45, 1.0)] {
            let wanted = wanted(&painter, Some(unit_and_value), 1.0);
            let shares = painter.layers(&wanted, None);
            let moved = resample(&painter.scene, &painter.field, false);
            let mut count = 0;
            for y in 0..moved.height {
                for x in 0..moved.width {
                    // The skin next to the lids is moved along with their edges.
                    let at_lids = || eyes.iter().any(|eye| is_near(eye, 2.0 * unit, (x, y)));
                    if shares.at(x, y) == [0.0; 3] && !at_lids() {
                        let pairs = painter.image.at(x, y).into_iter().zip(moved.at(x, y));
                        for (drawn, moved) in pairs {
                            assert!((drawn - moved).abs() < 1e-3, "{x} {y}: {drawn} {moved}");
                        }
                        count += 1;
                    }
                }
            }
            assert!(count > 5000, "{count}");
        }
    }

    #[test]
    fn shares_change_nothing_and_follow_the_limit() {
        let mut painter = painter();
        let jaw = wanted(&painter, Some((26, 1.0)), 1.0);
        let pixels = painter.draw(&jaw, None).image.pixels.clone();
        let whole = painter.layers(&jaw, None);
        assert!(painter.image.pixels == pixels);
        let [none, all] = [0.0, 1.0].map(|limit| Image::filled(whole.width, whole.height, limit));
        assert_eq!(painter.layers(&jaw, Some(&all)).pixels, whole.pixels);
        let shares = painter.layers(&jaw, Some(&none));
        assert!(shares.pixels.iter().all(|shares| *shares == [0.0; 3]));
    }
}
