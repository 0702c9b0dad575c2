//! The portrait as two layers, the person and the background, for a head that turns: the person moves, and what the head
//! uncovers is filled in.

use super::field::Field;
use super::image::{Image, Rgba, lerp};
use super::matte::Matte;
use super::resample::{resample_behind, resample_into};

/// Where the pixels of a picture are in a matte's picture: `scale` pixels for each pixel, from `offset` on.
#[derive(Debug, Clone, Copy)]
pub(super) struct MattePlace {
    pub scale: f32,
    pub offset: [f32; 2],
}

/// A portrait's layers, at the size at which it is drawn.
#[derive(Debug)]
pub(super) struct Layers {
    /// The person; alpha is the matte. Where nothing moves, the person over the background is the portrait.
    person: Image<Rgba>,
    background: Image<Rgba>,
    /// How far the background stays where it is, in 0..=1.
    stillness: Image<f32>,
}

impl Layers {
    pub fn new(source: &Image<Rgba>, matte: &Matte, place: MattePlace) -> Self {
        let cell = |x: usize, y: usize| {
            let at = |pixel: usize, k: usize| (pixel as f32 + 0.5) * place.scale + place.offset[k];
            matte.at(at(x, 0), at(y, 1), source.at(x, y))
        };
        let (width, height) = (source.width, source.height);
        // The background with the matte as alpha, and how far it is still.
        let layers = Image::from_fn(width, height, |x, y| {
            let (colour, cell) = (source.at(x, y), cell(x, y));
            let [dx, dy, share] = cell.mirror;
            let (mx, my) = (
                x as f32 + 0.5 + dx / place.scale,
                y as f32 + 0.5 + dy / place.scale,
            );
            let is_inside =
                (0.0..=width as f32).contains(&mx) && (0.0..=height as f32).contains(&my);
            let fill = if share > 0.0 && is_inside {
                lerp(cell.fill, source.linear(mx, my), share.min(1.0))
            } else {
                cell.fill
            };
            let (background, alpha) = separated(colour, cell.alpha, fill, cell.known);
            let [r, g, b] = background;
            [r, g, b, alpha, cell.stillness]
        });
        let person = Image::from_fn(width, height, |x, y| {
            let (colour, [r, g, b, alpha, _]) = (source.at(x, y), layers.at(x, y));
            let rest = 1.0 - alpha;
            let [pr, pg, pb] = [
                colour[0] - rest * r,
                colour[1] - rest * g,
                colour[2] - rest * b,
            ]
            .map(|v| v.clamp(0.0, 255.0 * alpha));
            [pr, pg, pb, alpha]
        });
        Self {
            person,
            background: layers.map(|[r, g, b, ..]| [r, g, b, 1.0]),
            stillness: layers.map(|[.., stillness]| stillness),
        }
    }

    /// Draws the person moved by the field over the background, which moves along where it isn't still.
    pub fn draw(&self, field: &Field, draft: bool, image: &mut Image<Rgba>) {
        resample_into(image, &self.person, &field.shift, draft);
        resample_behind(image, &self.background, field, &self.stillness, draft);
    }
}

/// The background and the alpha of a pixel, such that the person's colour is possible: 0..=255.
fn separated(colour: Rgba, alpha: f32, fill: Rgba, known: f32) -> ([f32; 3], f32) {
    /// Smaller alphas than this are noise of the fill.
    const NOISE: f32 = 0.04;
    let [r, g, b, _] = colour;
    if known > 0.999 {
        return ([r, g, b], 0.0);
    }
    let [r, g, b, _] = lerp(fill, colour, known);
    let behind = [r, g, b].map(|v| v.clamp(0.0, 255.0));
    // What the background can't explain belongs to the person.
    let least = (0..3)
        .map(|k| {
            let darker = 1.0 - (colour[k] + 1.0) / (behind[k] + 1.0);
            let lighter = (colour[k] - behind[k]) / (256.0 - behind[k]).max(1.0);
            darker.max(lighter)
        })
        .fold(0.0, f32::max);
    let alpha = alpha
        .max(if least > NOISE { least } else { 0.0 })
        .clamp(0.0, 1.0);
    if alpha >= 1.0 {
        return (behind, 1.0);
    }
    let rest = 1.0 - alpha;
    let behind = [0, 1, 2].map(|k| {
        let (low, high) = ((colour[k] - 255.0 * alpha) / rest, colour[k] / rest);
        behind[k].min(high).max(low).clamp(0.0, 255.0)
    });
    (behind, alpha)
}

#[cfg(test)]
mod tests {
    use super::super::continuation::CHIN;
    use super::super::fit::Fit;
    use super::super::glasses::GlassesFrame;
    use super::super::model::Model;
    use super::super::painter::{FrameParams, Painter};
    use super::super::place::Place;
    use super::super::raster::rasterize;
    use super::super::scene::Scene;
    use super::super::tone::Tone;
    use super::*;
    use crate::document::Glasses;

    const UNIT: f32 = 6.0;
    const STRIPE: usize = 16;

    /// A brown head with shoulders before stripes of grey, in which nothing else is to be seen; and where the head is.
    fn striped() -> (Scene, Image<f32>) {
        let model = Model::bundled().unwrap();
        let (width, height, nose) = (330, 330, [165.0, 165.0]);
        let landmark = |v: &usize| {
            let [x, y, _] = model.neutral[*v];
            [nose[0] + UNIT * x, nose[1] - UNIT * y]
        };
        let mut landmarks: Vec<[f32; 2]> = model.landmarks.iter().map(landmark).collect();
        landmarks.resize(478, nose);
        let fit = Fit::new(model, &landmarks, 0.0).unwrap();
        let hits = rasterize(&fit.portrait_points, &model.skin_triangles, width, height);
        let head = Image::from_fn(width, height, |x, y| {
            f32::from(hits.row(y)[x].triangle().is_some())
        });
        let source = Image::from_fn(width, height, |x, y| {
            if head.at(x, y) > 0.0 {
                [110.0, 70.0, 50.0, 1.0]
            } else if ((x + y) / STRIPE).is_multiple_of(2) {
                [90.0, 120.0, 190.0, 1.0]
            } else {
                [170.0, 200.0, 250.0, 1.0]
            }
        });
        let tone = Tone::new(model, &fit, &source);
        let scene = Scene {
            model,
            source,
            fit,
            tone,
        };
        (scene, head)
    }

    fn painter(scene: &Scene) -> Painter {
        let glasses = GlassesFrame::new(scene);
        let fit = scene.fit.in_view(1.0, (0.0, 0.0));
        let (source, tone) = (scene.source.clone(), scene.tone.clone());
        let bounds = [0.0, 0.0, source.width as f32, source.height as f32];
        Painter::new(scene.model, source, bounds, fit, tone, glasses)
    }

    fn divided(scene: &Scene) -> Painter {
        let matte = Matte::new(scene.model, &scene.source, &scene.fit).unwrap();
        let mut painter = painter(scene);
        let place = MattePlace {
            scale: 1.0,
            offset: [0.0; 2],
        };
        painter.divide(&matte, place);
        painter
    }

    fn turned(scene: &Scene, turned: [f32; 3]) -> FrameParams {
        FrameParams {
            expression: scene.fit.expression.clone(),
            turned,
            place: Place::AS_IN_PORTRAIT,
            gaze: [0.0; 2],
            folds: 0.0,
            glasses: Glasses::Bend,
            draft: false,
        }
    }

    fn difference(a: &Image<Rgba>, b: &Image<Rgba>, x: usize, y: usize) -> f32 {
        let (a, b) = (a.at(x, y), b.at(x, y));
        (0..3).map(|k| (a[k] - b[k]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn the_matte_is_the_head_before_a_background_of_other_colours() {
        let (scene, head) = striped();
        let matte = Matte::new(scene.model, &scene.source, &scene.fit).unwrap();
        let chin = scene.fit.portrait_points[scene.model.landmarks[CHIN]][1];
        let outside = head.map(|v| 1.0 - v).distance_to_outside();
        let inside = head.distance_to_outside();
        for y in (0..chin as usize).step_by(3) {
            for x in (0..330).step_by(3) {
                let cell = matte.at(x as f32 + 0.5, y as f32 + 0.5, scene.source.at(x, y));
                if inside.at(x, y) > UNIT {
                    assert!(cell.alpha > 0.9, "{x} {y}: {}", cell.alpha);
                } else if outside.at(x, y) > UNIT {
                    assert!(cell.alpha < 0.1, "{x} {y}: {}", cell.alpha);
                }
            }
        }
    }

    #[test]
    fn stripes_behind_a_tilted_head_stay_straight() {
        let (scene, head) = striped();
        let params = turned(&scene, [0.0, 0.0, 15.0]);
        let outside = head.map(|v| 1.0 - v).distance_to_outside();
        let chin = scene.fit.portrait_points[scene.model.landmarks[CHIN]][1];
        let error = |mut painter: Painter| {
            let drawn = painter.draw(&params, None);
            let (mut sum, mut count) = (0.0, 0.0);
            for y in 0..(chin - 2.0 * UNIT) as usize {
                for x in 0..330 {
                    // Farther than the head's own movement.
                    if (5.5 * UNIT..9.0 * UNIT).contains(&outside.at(x, y)) {
                        sum += difference(drawn.image, &scene.source, x, y);
                        count += 1.0;
                    }
                }
            }
            sum / count
        };
        let (before, after) = (error(painter(&scene)), error(divided(&scene)));
        assert!(after < 0.25 * before && after < 5.0, "{before} {after}");
    }

    #[test]
    fn a_head_that_does_not_turn_is_drawn_as_without_layers() {
        let (scene, _) = striped();
        let mut params = turned(&scene, [0.0; 3]);
        params.expression[0] += 0.4;
        let (mut plain, mut layered) = (painter(&scene), divided(&scene));
        let (plain, layered) = (plain.draw(&params, None), layered.draw(&params, None));
        assert_eq!(plain.image.pixels, layered.image.pixels);
    }

    #[test]
    fn small_turns_change_little() {
        let (scene, _) = striped();
        let mut painter = divided(&scene);
        let mut previous = f32::INFINITY;
        for degrees in [1.0, 0.25, 0.05] {
            let drawn = painter.draw(&turned(&scene, [degrees, 0.0, degrees]), None);
            let pixels = (0..330).flat_map(|y| (0..330).map(move |x| (x, y)));
            let sum: f32 = pixels
                .map(|(x, y)| difference(drawn.image, &scene.source, x, y))
                .sum();
            let mean = sum / (330.0 * 330.0);
            assert!(mean < previous, "{degrees}: {mean}");
            previous = mean;
        }
        assert!(previous < 0.3, "{previous}");
    }

    #[test]
    fn person_over_background_is_the_portrait() {
        for colour in [[0.0, 40.0, 255.0, 1.0], [90.0, 90.0, 90.0, 1.0]] {
            for alpha in [0.0, 0.05, 0.5, 0.98, 1.0] {
                for fill in [[255.0, 255.0, 255.0, 1.0], [0.0, 0.0, 0.0, 1.0]] {
                    let (behind, alpha) = separated(colour, alpha, fill, 0.3);
                    for k in 0..3 {
                        let person = colour[k] - (1.0 - alpha) * behind[k];
                        assert!((-0.01..=255.0 * alpha + 0.01).contains(&person));
                        assert!((0.0..=255.0).contains(&behind[k]));
                    }
                }
            }
        }
    }
}
