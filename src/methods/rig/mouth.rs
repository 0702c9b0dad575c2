//! The inside of the mouth: the portrait's pixels where it shows any, over what [`super::teeth`] draws.

use super::canvas::Canvas;
use super::image::{Image, lerp};
use super::lip_frame::LipFrame;
use super::mouth_palette::Palette;
use super::openings::{Opening, Openings};
use super::pixel_box::{MARGIN, PixelBox};
use super::portrait_mouth::{PortraitMouth, tooth_colour};
use super::scene::{Deformed, Scene};
use super::teeth::{Jaws, MouthBox};
use crate::math::smoothstep_between;
use crate::methods::diagnostics::Layer;

/// The mouth isn't redrawn if no point of the lips moves farther than this, in centimetres; at twice the distance it is
/// fully redrawn.
const MIN_LIP_MOVEMENT: f32 = 0.03;

/// A portrait shows the inside of the mouth if its opening is higher than this fraction of its width.
const SHOWS_INSIDE: f32 = 0.035;

/// The part of the mouth's drawing that depends on the portrait alone.
pub(super) struct MouthLayers {
    palette: Palette,
    jaws: Jaws,
    portrait: Option<PortraitMouth>,
}

impl MouthLayers {
    /// Analyses the portrait's mouth.
    pub fn new(scene: &Scene) -> Self {
        let (fit, source) = (&scene.fit, &scene.source);
        let down = fit.projection.down;
        let opening = Openings::new(scene.model, &fit.portrait_points, down).mouth;
        let mut jaws = Jaws::new(scene.model);
        let mut portrait = None;
        let mut teeth = None;
        if is_open(&opening, down) {
            teeth = tooth_colour(&opening, source, &scene.tone);
            portrait = PortraitMouth::new(&opening, scene, teeth);
            if let (Some(portrait), Some(_)) = (&mut portrait, teeth) {
                let edge = jaws.upper_edge(&fit.portrait_points);
                if let Some(shift) = portrait.find_upper_row(edge, fit.projection.pixels_per_cm) {
                    jaws.lower_upper_row(shift);
                }
            }
        }
        Self {
            palette: Palette::new(&scene.tone, teeth),
            jaws,
            portrait,
        }
    }

    /// Draws the inside of the mouth onto the warped and shaded picture. `core` is 1 where the face's mesh was drawn.
    pub fn draw(
        &self,
        scene: &Scene,
        deformed: &Deformed,
        mouth: &Opening,
        core: &Image<f32>,
        out: &mut Canvas<'_>,
    ) {
        let pixels_per_cm = scene.fit.projection.pixels_per_cm;
        let moved = lip_movement(scene, deformed);
        let strength = smoothstep_between(
            MIN_LIP_MOVEMENT * pixels_per_cm,
            2.0 * MIN_LIP_MOVEMENT * pixels_per_cm,
            moved,
        );
        if strength <= 0.0 || strength.is_nan() {
            return;
        }
        let down = turned_down(scene, deformed);
        draw_contact(scene, deformed, mouth, down, strength, out);
        let widest = mouth.gaps(down).fold(0.0, f32::max);
        // A narrower opening is just the line between the lips.
        let slit = (0.02 * pixels_per_cm).max(0.35);
        let strength = strength * smoothstep_between(0.5 * slit, 1.5 * slit, widest);
        let lines = mouth.upper.iter().chain(&mouth.lower);
        let margin = MARGIN + 0.05 * pixels_per_cm;
        let Some(area) = PixelBox::around(lines, margin, out.image.width, out.image.height) else {
            return;
        };
        if strength <= 0.0 || strength.is_nan() {
            return;
        }
        let alpha = inside(&area, mouth, core, pixels_per_cm, self.portrait.is_some());
        let mouth_box = MouthBox {
            left: area.left as f32,
            top: area.top as f32,
            frame: LipFrame::new(mouth, down),
            alpha: &alpha,
        };
        let drawn = self.jaws.draw(scene, deformed, &self.palette, &mouth_box);
        let portrait = self
            .portrait
            .as_ref()
            .map(|portrait| portrait.sampler(scene, deformed, mouth));
        out.draw(area, Layer::Mouth, |x, y, pixel| {
            let at = [x as f32 + 0.5, y as f32 + 0.5];
            let (x, y) = (x - area.left, y - area.top);
            let alpha = (alpha.at(x, y) * strength).min(1.0);
            if alpha <= 0.0 {
                return 0.0;
            }
            let [r, g, b] = drawn.at(x, y);
            let mut colour = [r, g, b, 1.0];
            if let Some(portrait) = &portrait {
                colour = portrait.over(colour, at);
            }
            *pixel = lerp(*pixel, colour, alpha);
            alpha
        });
    }
}

/// Whether a portrait shows the inside of the mouth.
fn is_open(opening: &Opening, down: [f32; 2]) -> bool {
    let Some((first, last)) = opening.upper.first().zip(opening.upper.last()) else {
        return false;
    };
    let width = (last[0] - first[0]).hypot(last[1] - first[1]);
    let middle = opening.upper.len() / 2;
    let gap = opening.gaps(down).nth(middle).unwrap_or(0.0);
    gap > SHOWS_INSIDE * width
}

/// The largest movement of a vertex of the lips' edges along an axis, in pixels.
fn lip_movement(scene: &Scene, deformed: &Deformed) -> f32 {
    let lips = &scene.model.lips;
    let vertices = lips.upper.iter().chain(&lips.lower);
    vertices.fold(0.0, |farthest, vertex| {
        let (from, to) = (scene.fit.portrait_points[*vertex], deformed.points[*vertex]);
        (to[0] - from[0])
            .abs()
            .max((to[1] - from[1]).abs())
            .max(farthest)
    })
}

/// The rotated head's downward axis in the picture.
fn turned_down(scene: &Scene, deformed: &Deformed) -> [f32; 2] {
    let [x, y] = scene.fit.projection.down;
    if !deformed.placement.is_moved {
        return [x, y];
    }
    let [x, y, _] = deformed.placement.turn([x, -y, 0.0]);
    let length = x.hypot(y).max(1e-3);
    [x / length, -y / length]
}

/// Coverage of the area between the lips, including gaps of the face's mesh next to it.
fn inside(
    area: &PixelBox,
    mouth: &Opening,
    core: &Image<f32>,
    pixels_per_cm: f32,
    shows_inside: bool,
) -> Image<f32> {
    let mut alpha = area.covered(mouth);
    let near = alpha
        .map(|a| if a > 0.2 { 1.0 } else { 0.0 })
        .dilated((0.05 * pixels_per_cm).max(1.0));
    let uncovered = Image::from_fn(area.width, area.height, |x, y| {
        let core = core.clamped((area.left + x) as isize, (area.top + y) as isize);
        if near.at(x, y) > 0.5 && core < 0.5 {
            1.0
        } else {
            0.0
        }
    });
    alpha.for_rows(|y, row| {
        for (x, alpha) in row.iter_mut().enumerate() {
            if *alpha < 1.0 && is_in_a_square(&uncovered, x, y) {
                *alpha = 1.0;
            }
        }
    });
    if !shows_inside {
        return alpha.blurred((0.015 * pixels_per_cm).max(0.45));
    }
    // The lips' edges show a rim of the teeth behind them.
    alpha
        .blurred((0.025 * pixels_per_cm).max(0.5))
        .map(|a| (1.6 * a).min(1.0))
}

/// Whether a pixel belongs to a 2x2 square of set pixels, unlike single specks and thin lines.
fn is_in_a_square(bits: &Image<f32>, x: usize, y: usize) -> bool {
    if bits.at(x, y) < 0.5 {
        return false;
    }
    let (x, y) = (x as isize, y as isize);
    let set = |x, y| bits.clamped(x, y) > 0.5;
    [(-1, -1), (1, -1), (-1, 1), (1, 1)]
        .into_iter()
        .any(|(dx, dy)| set(x + dx, y) && set(x, y + dy) && set(x + dx, y + dy))
}

/// Draws a dark line where lips meet that are parted in the portrait.
fn draw_contact(
    scene: &Scene,
    deformed: &Deformed,
    mouth: &Opening,
    down: [f32; 2],
    strength: f32,
    out: &mut Canvas<'_>,
) {
    let pixels_per_cm = scene.fit.projection.pixels_per_cm;
    let before = deformed.lips_before.iter().copied().fold(0.0, f32::max);
    let gaps: Vec<f32> = mouth.gaps(down).collect();
    let widest = gaps.iter().copied().fold(0.0, f32::max);
    let closed = smoothstep_between(0.05 * pixels_per_cm, 0.1 * pixels_per_cm, before)
        * smoothstep_between(0.75 * before, 0.45 * before, widest);
    if closed <= 0.0 || closed.is_nan() {
        return;
    }
    let middle: Vec<[f32; 2]> = mouth
        .upper
        .iter()
        .zip(&mouth.lower)
        .map(|(a, b)| [0, 1].map(|k| 0.5 * (a[k] + b[k])))
        .collect();
    let width = 0.045 * pixels_per_cm + 0.35;
    // The line is invisible at this distance.
    let max_distance = 2.6 * width;
    let Some(area) = PixelBox::around(
        middle.iter(),
        max_distance,
        out.image.width,
        out.image.height,
    ) else {
        return;
    };
    let line = LipFrame::along(&middle, down);
    let ends = (gaps.len().max(2) - 1) as f32;
    out.draw(area, Layer::Mouth, |x, y, pixel| {
        let at = [x as f32 + 0.5, y as f32 + 0.5];
        let place = line.place(at);
        let away = place.from_upper.abs().hypot(place.beyond);
        if away > max_distance {
            return 0.0;
        }
        let gap = gaps[((place.along * ends) as usize).min(gaps.len() - 1)];
        let met = smoothstep_between(0.25 * pixels_per_cm, 0.02 * pixels_per_cm, gap);
        let end = (20.0 * place.along.min(1.0 - place.along)).clamp(0.3, 1.0);
        let dark = 0.55 * (-(away / width).powi(2)).exp() * met * end * closed * strength;
        for value in &mut pixel[..3] {
            *value *= 1.0 - dark;
        }
        dark
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::deform::Gaps;
    use super::super::fit::Fit;
    use super::super::image::Rgba;
    use super::super::model::{Half, Model};
    use super::super::testing::{astronaut, landmarks};
    use super::super::tone::Tone;
    use super::*;

    struct Sample {
        scene: Scene,
        gaps: Gaps,
        layers: MouthLayers,
    }

    /// The astronaut's face, scaled by `zoom`, with its first pixel at `(x, y)` of the file.
    fn sample(
        zoom: f32,
        (x, y): (usize, usize),
        change: impl Fn([f32; 3]) -> [f32; 3] + Sync,
    ) -> Sample {
        let whole = astronaut().map(|[r, g, b, _]| {
            let [r, g, b] = change([r, g, b]);
            [r, g, b, 1.0]
        });
        let size = |all: usize, from: usize| ((all - from) as f32 * zoom) as usize;
        let source = Image::from_fn(size(whole.width, x), size(whole.height, y), |px, py| {
            whole.linear(
                x as f32 + (px as f32 + 0.5) / zoom,
                y as f32 + (py as f32 + 0.5) / zoom,
            )
        });
        let model = Model::bundled().unwrap();
        let fit = Fit::new(model, &landmarks(0), 0.02)
            .unwrap()
            .in_view(zoom, (x as f32, y as f32));
        let scene = Scene {
            tone: Tone::new(model, &fit, &source),
            model,
            source,
            fit,
        };
        Sample {
            gaps: Gaps::new(model, &scene.fit),
            layers: MouthLayers::new(&scene),
            scene,
        }
    }

    impl Sample {
        /// The portrait's expression with some coefficients changed.
        fn expression(&self, changes: &[(&str, f32)]) -> Vec<f32> {
            let mut expression = self.scene.fit.expression.clone();
            for (name, value) in changes {
                for half in Half::BOTH {
                    expression[self.scene.model.expression(name, half).unwrap()] = *value;
                }
            }
            expression
        }

        /// The mouth drawn on the unchanged portrait.
        fn drawn(&self, expression: Vec<f32>, turned: [f32; 3]) -> (Image<Rgba>, Opening) {
            let (model, fit) = (self.scene.model, &self.scene.fit);
            let deformed = Deformed::new(model, fit, &self.gaps, expression, turned, [0.0; 2]);
            let mouth = Openings::new(model, &deformed.points, fit.projection.down).mouth;
            let mut out = self.scene.source.clone();
            let core = Image::filled(out.width, out.height, 1.0);
            let mut canvas = Canvas {
                image: &mut out,
                shares: None,
            };
            self.layers
                .draw(&self.scene, &deformed, &mouth, &core, &mut canvas);
            (out, mouth)
        }
    }

    #[test]
    fn unmoved_lips_keep_every_pixel() {
        let sample = sample(1.0, (0, 0), |c| c);
        let (out, _) = sample.drawn(sample.scene.fit.expression.clone(), [0.0; 3]);
        assert_eq!(out.pixels, sample.scene.source.pixels);
    }

    #[test]
    fn the_mouth_opens_continuously() {
        let sample = sample(2.0, (0, 0), |c| c);
        let frame = |jaw: f32| sample.drawn(sample.expression(&[("jawOpen", jaw)]), [0.0; 3]);
        let (_, widest) = frame(1.0);
        let lines = widest.upper.iter().chain(&widest.lower);
        let area = PixelBox::around(lines, 0.0, 4096, 4096).unwrap();
        let steps = 40;
        let mut before = frame(0.0).0;
        for step in 1..=steps {
            let after = frame(step as f32 / steps as f32).0;
            let mut change = 0.0;
            for y in area.top..area.top + area.height {
                for x in area.left..area.left + area.width {
                    let (a, b) = (before.at(x, y), after.at(x, y));
                    change += (0..3).map(|k| (a[k] - b[k]).abs()).sum::<f32>() / 3.0;
                }
            }
            change /= (area.width * area.height) as f32;
            assert!(change < 4.0, "step {step}: {change}");
            before = after;
        }
    }

    #[test]
    fn the_interior_of_a_grey_mouth_is_grey() {
        let sample = sample(1.0, (0, 0), |c| [c.iter().sum::<f32>() / 3.0; 3]);
        let (out, _) = sample.drawn(sample.expression(&[("jawOpen", 0.8)]), [0.0; 3]);
        for [r, g, b, _] in out.pixels {
            assert!((r - g).abs() < 1.0 && (g - b).abs() < 1.0, "{r} {g} {b}");
        }
    }

    #[test]
    fn the_interior_of_an_open_mouth_is_darker_than_the_teeth_and_not_black() {
        let sample = sample(2.0, (0, 0), |c| c);
        let (out, mouth) = sample.drawn(sample.expression(&[("jawOpen", 0.8)]), [0.0; 3]);
        let middle = mouth.upper.len() / 2;
        let (upper, lower) = (mouth.upper[middle], mouth.lower[middle]);
        let at = |t: f32| {
            let [x, y] = [0, 1].map(|k| upper[k] + t * (lower[k] - upper[k]));
            let [r, g, b, _] = out.linear(x, y);
            (r + g + b) / 3.0
        };
        let (teeth, throat, tongue) = (at(0.15), at(0.45), at(0.85));
        assert!(throat < 0.5 * teeth, "{throat} {teeth}");
        assert!(tongue > throat && tongue > 20.0, "{tongue} {throat}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn any_face_gives_a_finite_mouth(
            zoom in 0.1f32..1.5,
            x in 0usize..300, y in 0usize..200,
            coefficients in prop::collection::vec(-0.5f32..2.0, 57),
            yaw in -40f32..40.0,
        ) {
            let sample = sample(zoom, (x, y), |c| c);
            let names = sample.scene.fit.expression.len();
            let expression = coefficients.into_iter().cycle().take(names).collect();
            let (out, _) = sample.drawn(expression, [yaw, 0.0, 0.0]);
            for pixel in out.pixels {
                prop_assert!(pixel.iter().all(|v| (-60.0..320.0).contains(v)), "{pixel:?}");
            }
        }
    }
}
