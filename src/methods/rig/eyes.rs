//! Eyes: the eyeball, which gaze rotates, and the lids over it. A portrait's eye is split into layers once; a frame
//! composites them between the new lids.

use super::canvas::Canvas;
use super::eyeball::{Ball, Crop, Rgb, lid_shadow, unmultiplied};
use super::image::{Image, Rgba, coverage, lerp};
use super::lids::{LidLayer, LidSource};
use super::model::Point;
use super::openings::{Opening, Openings};
use super::pixel_box::PixelBox;
use super::polyline::{Nearest, Polyline, bounds};
use super::scene::{Deformed, Placement, Scene};
use super::tone::mean;
use crate::math::smoothstep_between;
use crate::methods::diagnostics::Layer;

/// Radius of the eyeball for moving the iris by gaze, in centimetres.
const BALL_RADIUS: f32 = 1.45;
/// Extent of the changes around the lids, in widths of the eye.
const MARGIN: f32 = 0.36;
/// The same above the upper lid, where the lid skin fades between the two distances.
const MARGIN_ABOVE: [f32; 2] = [0.35, 0.56];
/// The portrait's skin follows the lids' edges exactly within the first distance, and not at all beyond the second, in
/// widths of the eye.
const GUIDED_ABOVE: [f32; 2] = [0.05, 0.16];
const GUIDED_BELOW: [f32; 2] = [0.20, 0.36];

/// The layers of one eye of a portrait, which can be drawn with other lids and another gaze.
#[derive(Debug, Clone)]
pub(super) struct EyeLayers {
    eye: usize,
    /// Position of the crop's first pixel in the portrait.
    origin: [f32; 2],
    /// The eye's width in pixels.
    width: f32,
    /// The portrait's lids, in pixels of the portrait.
    lids: Opening,
    ball: Ball,
    lid: LidLayer,
}

impl EyeLayers {
    /// Prepares the person's right eye (0, on the picture's left) or the left (1). `None` if the eye is too small to be
    /// drawn or outside the picture.
    pub fn new(scene: &Scene, eye: usize) -> Option<Self> {
        let fit = &scene.fit;
        let openings = Openings::new(scene.model, &fit.portrait_points, fit.projection.down);
        let lids = openings.eyes.into_iter().nth(eye)?;
        let crop = Crop::new(scene, &lids)?;
        let ball = Ball::new(scene, eye, &crop);
        let lid = LidLayer::new(
            scene,
            &LidSource {
                colours: &crop.colours,
                inside: &crop.inside,
                lids: &crop.lids,
                width: crop.width,
                origin: crop.origin,
                eye,
            },
        );
        Some(Self {
            eye,
            origin: crop.origin,
            width: crop.width,
            lids,
            ball,
            lid,
        })
    }

    /// Draws the eye onto the warped and shaded portrait. Pixel `(x, y)` of `out` was sampled at `(x + 0.5, y + 0.5) +
    /// shift`; `gaze` is in degrees to the picture's right and up.
    pub fn draw(
        &self,
        scene: &Scene,
        deformed: &Deformed,
        opening: &Opening,
        shift: &Image<[f32; 2]>,
        gaze: [f32; 2],
        out: &mut Canvas<'_>,
    ) {
        let Some(frame) = Frame::new(self, scene, deformed, opening, shift, gaze, out.image) else {
            return;
        };
        let [left, top, right, bottom] = frame.area;
        let area = PixelBox {
            left,
            top,
            width: right - left,
            height: bottom - top,
        };
        out.draw(area, Layer::Eyes, |x, y, pixel| {
            frame.draw_pixel(x, y, pixel)
        });
    }
}

/// One eye in one frame.
struct Frame<'a> {
    layers: &'a EyeLayers,
    shift: &'a Image<[f32; 2]>,
    placement: &'a Placement,
    /// Left, top, right and bottom of the area that may change.
    area: [usize; 4],
    upper: Polyline,
    lower: Polyline,
    /// Offset from each point of the lids' edges to its position in the portrait.
    upper_shift: Vec<[f32; 2]>,
    lower_shift: Vec<[f32; 2]>,
    /// Coverage of the eyeball at each pixel of `area`.
    visible: Image<f32>,
    /// Depth of the eyeball in the rotated head.
    depth: f32,
    /// Displacement of the iris in pixels.
    turned: [f32; 2],
    /// 0 with the portrait's lids, rising to 1 within a small movement.
    lids_moved: f32,
    /// How far the lids have closed: 0 as in the portrait, 1 shut.
    shut: f32,
    /// For the light on the closed lid.
    scene: &'a Scene,
    /// Centre and radius of curvature of the closed lid.
    dome: ([f32; 2], f32),
}

impl<'a> Frame<'a> {
    /// `None` if nothing changes.
    fn new(
        layers: &'a EyeLayers,
        scene: &'a Scene,
        deformed: &'a Deformed,
        opening: &Opening,
        shift: &'a Image<[f32; 2]>,
        gaze: [f32; 2],
        out: &Image<Rgba>,
    ) -> Option<Self> {
        let (w, pixels_per_cm) = (layers.width, scene.fit.projection.pixels_per_cm);
        let is_sound = opening.upper.len() == layers.lids.upper.len()
            && opening.lower.len() == layers.lids.lower.len()
            && (shift.width, shift.height) == (out.width, out.height)
            && gaze.iter().all(|v| v.is_finite());
        if !is_sound {
            return None;
        }
        let mut polygon = opening.polygon();
        let [left, top, right, bottom] = bounds(&polygon);
        let edge = |v: f32, end: usize| v.clamp(0.0, end as f32) as usize;
        let area = [
            edge((left - MARGIN * w).floor(), out.width),
            edge((top - MARGIN_ABOVE[1] * w).floor(), out.height),
            edge((right + MARGIN * w).ceil(), out.width),
            edge((bottom + MARGIN * w).ceil(), out.height),
        ];
        if area[0] >= area[2] || area[1] >= area[3] {
            return None;
        }
        let turned = match &layers.ball.iris {
            Some(_) => [gaze[0], -gaze[1]]
                .map(|angle| angle.to_radians().sin() * BALL_RADIUS * pixels_per_cm),
            None => [0.0; 2],
        };
        let lids_moved = layers.lids_moved(opening);
        let presence = lids_moved.max(layers.ball.turn(turned));
        // Ignores rounding errors.
        let shut = (1.0 - deformed.openness[layers.eye.min(1)] - 1e-3).clamp(0.0, 1.0);
        let is_still = (area[1]..area[3]).all(|y| {
            shift.row(y)[area[0]..area[2]]
                .iter()
                .all(|d| *d == [0.0; 2])
        });
        if presence == 0.0 && shut == 0.0 && is_still {
            return None;
        }
        for point in &mut polygon {
            *point = [point[0] - area[0] as f32, point[1] - area[1] as f32];
        }
        let mut visible =
            coverage(&polygon, area[2] - area[0], area[3] - area[1]).blurred((0.008 * w).max(0.35));
        for value in &mut visible.pixels {
            *value *= presence;
        }
        let down = scene.fit.projection.down;
        let middle = [(left + right) / 2.0, (top + bottom) / 2.0];
        let [x, y, z] = scene
            .fit
            .projection
            .point(scene.model.eye_centres[layers.eye.min(1)]);
        let shifts = |before: &[[f32; 2]], now: &[[f32; 2]]| {
            let pairs = before.iter().zip(now);
            pairs
                .map(|(before, now)| [before[0] - now[0], before[1] - now[1]])
                .collect()
        };
        let front: Point = deformed.placement.place([x, y, z + 0.5 * w]);
        Some(Self {
            layers,
            shift,
            placement: &deformed.placement,
            area,
            upper: Polyline::new(&opening.upper, down),
            lower: Polyline::new(&opening.lower, down),
            upper_shift: shifts(&layers.lids.upper, &opening.upper),
            lower_shift: shifts(&layers.lids.lower, &opening.lower),
            visible,
            depth: front[2],
            turned,
            lids_moved,
            shut,
            scene,
            dome: (middle, 0.75 * w),
        })
    }

    /// Draws a pixel; returns how much of the result isn't the portrait's moved skin.
    fn draw_pixel(&self, x: usize, y: usize, pixel: &mut Rgba) -> f32 {
        let w = self.layers.width;
        let at = [x as f32 + 0.5, y as f32 + 0.5];
        let visible = self.visible.at(x - self.area[0], y - self.area[1]);
        let stretch = self.stretch(x, y);
        if self.lids_moved == 0.0
            && self.shut == 0.0
            && visible == 0.0
            && !LidLayer::shows(self.shut, stretch)
        {
            return 0.0;
        }
        let upper = self.upper.nearest(at, 0.6 * w);
        let shift = self.guided_skin(at, &upper, self.shift.at(x, y), visible, pixel);
        let [ox, oy] = self.layers.origin;
        let source = [at[0] + shift[0] - ox, at[1] + shift[1] - oy];
        let lid = &self.layers.lid;
        let mut skin = lid.amount(source, self.shut, stretch);
        if upper.above || upper.distance.is_infinite() {
            let [full, end] = MARGIN_ABOVE;
            skin *= smoothstep_between(end * w, full * w, upper.distance);
        }
        if skin == 0.0 && visible == 0.0 && self.shut == 0.0 {
            return 0.0;
        }
        let [r, g, b, alpha] = *pixel;
        let mut colour = [r, g, b];
        if self.shut > 0.0 {
            skin = skin.max(self.closed_lid_line(at, &upper));
        }
        if skin > 0.0 {
            let light = self.dome_light(at) * lid.relief(&upper, self.shut);
            let layer = lid.skin(source).map(|v| v * light * alpha);
            colour = lerp(colour, layer, skin);
        }
        if visible > 0.0 {
            colour = lerp(colour, self.ball(at, &upper).map(|v| v * alpha), visible);
        }
        let lash = lid.lash(&upper, self.shut, skin);
        let [r, g, b] = colour.map(|v| (v * lash).clamp(0.0, 255.0 * alpha));
        *pixel = [r, g, b, alpha];
        (1.0 - (1.0 - skin) * (1.0 - visible) * lash).clamp(0.0, 1.0)
    }

    /// Resamples the portrait's skin and lashes along the lids so that they follow the edges exactly; returns the offset
    /// used. The displacement field is only exact on skin that faces the viewer, unlike the lids' rims.
    fn guided_skin(
        &self,
        at: [f32; 2],
        upper: &Nearest,
        shift: [f32; 2],
        visible: f32,
        pixel: &mut Rgba,
    ) -> [f32; 2] {
        let w = self.layers.width;
        if self.lids_moved == 0.0 || visible >= 1.0 {
            return shift;
        }
        let lower = self.lower.nearest(at, GUIDED_BELOW[1] * w);
        let (edge, shifts, [full, end]) = if upper.above && upper.distance <= lower.distance {
            (upper, &self.upper_shift, GUIDED_ABOVE)
        } else if lower.distance.is_finite() && !lower.above {
            (&lower, &self.lower_shift, GUIDED_BELOW)
        } else {
            return shift;
        };
        let amount = self.lids_moved * smoothstep_between(end * w, full * w, edge.distance);
        let exact = lerp(shift, interpolated(shifts, edge.along), amount);
        if (exact[0] - shift[0]).abs().max((exact[1] - shift[1]).abs()) < 0.02 {
            return shift;
        }
        let source = &self.scene.source;
        let [old, new] = [shift, exact].map(|[dx, dy]| source.cubic(at[0] + dx, at[1] + dy));
        let alpha = pixel[3];
        let [old, new] = [old, new].map(unmultiplied);
        // The shading that was already applied to the pixel.
        let light = ((mean([pixel[0], pixel[1], pixel[2]]) + 8.0 * alpha)
            / ((mean(old) + 8.0) * alpha.max(1e-3)))
        .clamp(0.85, 1.15);
        for k in 0..3 {
            pixel[k] = (new[k] * light).clamp(0.0, 255.0) * alpha;
        }
        exact
    }

    /// Opacity of lid skin along the line where closed lids meet, since resampling there would reach into the eye.
    fn closed_lid_line(&self, at: [f32; 2], edge: &Nearest) -> f32 {
        let amount = smoothstep_between(0.6, 0.95, self.shut);
        if amount == 0.0 {
            return 0.0;
        }
        let w = self.layers.width;
        let distance = edge.distance.min(self.lower.nearest(at, 0.1 * w).distance);
        let ends = smoothstep_between(0.0, 0.12, edge.along.min(1.0 - edge.along));
        amount * ends * smoothstep_between(0.05 * w + 1.5, 0.02 * w + 0.5, distance)
    }

    /// The vertical stretching of the portrait at a pixel.
    fn stretch(&self, x: usize, y: usize) -> f32 {
        let image = self.shift;
        let gap = ((0.02 * self.layers.width) as usize).max(1);
        let (above, below) = (y.saturating_sub(gap), (y + gap).min(image.height - 1));
        let length = (below - above).max(1) as f32;
        let slope = (image.at(x, below)[1] - image.at(x, above)[1]) / length;
        // Bounded where the field folds over, since no pixels of the portrait are usable there.
        1.0 / (1.0 + slope).max(0.1)
    }

    /// The light on a lid that bulges over the eye, relative to its centre.
    fn dome_light(&self, [x, y]: [f32; 2]) -> f32 {
        let ([cx, cy], radius) = self.dome;
        let (nx, ny) = (
            ((x - cx) / radius).clamp(-0.7, 0.7),
            ((cy - y) / radius).clamp(-0.6, 0.6),
        );
        let nz = (1.0 - nx * nx - ny * ny).max(0.05).sqrt();
        let tone = &self.scene.tone;
        let ratio = tone.shade([nx, ny, nz]) / tone.shade([0.0, 0.0, 1.0]);
        1.0 + 0.4 * (ratio.clamp(0.6, 1.4) - 1.0)
    }

    /// The eyeball's colour at a pixel.
    fn ball(&self, at: [f32; 2], edge: &Nearest) -> Rgb {
        let [x, y, _] = self.placement.unplace([at[0], at[1], self.depth]);
        let [ox, oy] = self.layers.origin;
        let below = if edge.above {
            0.0
        } else {
            edge.distance / self.layers.width
        };
        let shadow = lid_shadow(below);
        let colour = self.layers.ball.colour([x - ox, y - oy], self.turned);
        colour.map(|v| (v * shadow).clamp(0.0, 255.0))
    }
}

impl EyeLayers {
    /// 0 with the portrait's lids, rising to 1 within a small movement.
    fn lids_moved(&self, opening: &Opening) -> f32 {
        let far = |a: &[[f32; 2]], b: &[[f32; 2]]| {
            let pairs = a.iter().zip(b);
            pairs
                .map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1]))
                .fold(0.0, f32::max)
        };
        let most = far(&opening.upper, &self.lids.upper).max(far(&opening.lower, &self.lids.lower));
        // Ignores rounding errors.
        smoothstep_between(0.001, 0.03, most / self.width)
    }
}

/// The value at a position in 0..=1 along a row of values.
fn interpolated(values: &[[f32; 2]], along: f32) -> [f32; 2] {
    let last = values.len().saturating_sub(1);
    let place = along.clamp(0.0, 1.0) * last as f32;
    let i = (place as usize).min(last);
    match (values.get(i), values.get(i + 1)) {
        (Some(a), Some(b)) => lerp(*a, *b, place - i as f32),
        (Some(a), None) => *a,
        _ => [0.0; 2],
    }
}

#[cfg(test)]
mod tests {
    use super::super::controls::{COUNT, Controls, coefficients};
    use super::super::deform::Gaps;
    use super::super::field::Field;
    use super::super::fit::Fit;
    use super::super::model::Model;
    use super::super::resample::resample;
    use super::super::testing::{astronaut, landmarks};
    use super::super::tone::{Tone, percentile};
    use super::*;
    use proptest::prelude::*;
    use std::sync::OnceLock;

    /// The first sample portrait, scaled by `zoom`, starting at `moved`.
    fn scene(zoom: f32, moved: (f32, f32), alpha: f32) -> Scene {
        let whole = astronaut();
        let size = (160.0 * zoom) as usize;
        let source = Image::from_fn(size, size, |x, y| {
            let [r, g, b, _] = whole.cubic(
                moved.0 + (x as f32 + 0.5) / zoom,
                moved.1 + (y as f32 + 0.5) / zoom,
            );
            let [r, g, b] = [r, g, b].map(|v| v.clamp(0.0, 255.0) * alpha);
            [r, g, b, alpha]
        });
        let model = Model::bundled().unwrap();
        let fit = Fit::new(model, &landmarks(0), 0.0)
            .unwrap()
            .in_view(zoom, moved);
        let tone = Tone::new(model, &fit, &source);
        Scene {
            model,
            source,
            fit,
            tone,
        }
    }

    /// The face's position.
    const FACE: (f32, f32) = (145.0, 30.0);

    fn usual() -> &'static (Scene, Gaps, [Option<EyeLayers>; 2]) {
        static SCENE: OnceLock<(Scene, Gaps, [Option<EyeLayers>; 2])> = OnceLock::new();
        SCENE.get_or_init(|| {
            let scene = scene(2.0, FACE, 1.0);
            let layers = [0, 1].map(|eye| EyeLayers::new(&scene, eye));
            let gaps = Gaps::new(scene.model, &scene.fit);
            (scene, gaps, layers)
        })
    }

    /// The portrait before and after the eyes are drawn.
    fn drawn(
        scene: &Scene,
        gaps: &Gaps,
        layers: &[Option<EyeLayers>; 2],
        blink: f32,
        gaze: [f32; 2],
    ) -> [Image<Rgba>; 2] {
        let source = [0.0; COUNT];
        let mut target = source;
        target[COUNT - 1] = blink;
        let controls = Controls {
            source,
            target: [target; 2],
            gaze,
        };
        let expression = coefficients(scene.model, &scene.fit.expression, &controls);
        let deformed = Deformed::new(
            scene.model,
            &scene.fit,
            gaps,
            expression,
            [0.0; 3],
            [0.0; 2],
        );
        let openings = Openings::new(scene.model, &deformed.points, scene.fit.projection.down);
        let light = vec![1.0; scene.model.skin];
        let field = Field::new(scene, &deformed, &light, &openings);
        let before = resample(scene, &field, false);
        let mut after = before.clone();
        for (layers, opening) in layers.iter().zip(&openings.eyes) {
            if let Some(layers) = layers {
                let mut canvas = Canvas {
                    image: &mut after,
                    shares: None,
                };
                layers.draw(scene, &deformed, opening, &field.shift, gaze, &mut canvas);
            }
        }
        [before, after]
    }

    fn eyes_at(blink: f32, gaze: [f32; 2]) -> Image<Rgba> {
        let (scene, gaps, layers) = usual();
        let [_, after] = drawn(scene, gaps, layers, blink, gaze);
        after
    }

    /// Pixels between the portrait's lids.
    fn between_lids(scene: &Scene, layers: &EyeLayers) -> Vec<usize> {
        let (width, height) = (scene.source.width, scene.source.height);
        let inside = coverage(&layers.lids.polygon(), width, height);
        (0..width * height)
            .filter(|i| inside.pixels[*i] > 0.9)
            .collect()
    }

    #[test]
    fn without_an_edit_the_eyes_are_not_redrawn() {
        let (scene, gaps, layers) = usual();
        let [before, after] = drawn(scene, gaps, layers, 0.0, [0.0; 2]);
        assert!(before.pixels == after.pixels);
    }

    #[test]
    fn a_blink_covers_the_eye_with_skin() {
        let (scene, _, layers) = usual();
        let shut = eyes_at(1.0, [0.0; 2]);
        for layers in layers {
            let layers = layers.as_ref().unwrap();
            let pixels = between_lids(scene, layers);
            // Brightness varies much more in an eye than on a lid, except for the line of lashes.
            let middle_deviation = |image: &Image<Rgba>| {
                let light = |i: &usize| mean(unmultiplied(image.pixels[*i]));
                let middle = percentile(pixels.iter().map(light), 0.5);
                percentile(pixels.iter().map(|i| (light(i) - middle).abs()), 0.7)
            };
            let (open, shut) = (middle_deviation(&scene.source), middle_deviation(&shut));
            assert!(shut < 0.6 * open, "{shut} of {open}");
        }
    }

    #[test]
    fn gaze_moves_the_dark_iris() {
        let (scene, _, layers) = usual();
        let dark_at = |image: &Image<Rgba>, layers: &EyeLayers, axis: usize| {
            let mut sum = [0.0, 0.0];
            for i in between_lids(scene, layers) {
                let weight = (255.0 - mean(unmultiplied(image.pixels[i]))).powi(3);
                let at = [i % image.width, i / image.width][axis] as f32;
                sum = [sum[0] + weight * at, sum[1] + weight];
            }
            sum[0] / sum[1]
        };
        let (left, right) = (eyes_at(0.0, [-20.0, 0.0]), eyes_at(0.0, [20.0, 0.0]));
        for layers in layers.iter().flatten() {
            let moved = dark_at(&right, layers, 0) - dark_at(&left, layers, 0);
            assert!(moved > 0.05 * layers.width, "{moved} of {}", layers.width);
        }
    }

    #[test]
    fn eyes_that_are_too_small_or_outside_the_image_are_skipped() {
        for (zoom, moved) in [(0.1, FACE), (2.0, (400.0, 300.0))] {
            let scene = scene(zoom, moved, 1.0);
            assert!((0..2).all(|eye| EyeLayers::new(&scene, eye).is_none()));
        }
        assert!(EyeLayers::new(&usual().0, 2).is_none());
    }

    #[test]
    fn an_eye_cut_by_the_image_border_is_drawn() {
        let whole = &usual().0;
        let [x, y] = whole.fit.irises[0].centre;
        let scene = scene(2.0, (FACE.0 + x / 2.0 - 2.0, FACE.1 + y / 2.0 - 2.0), 1.0);
        let layers = [0, 1].map(|eye| EyeLayers::new(&scene, eye));
        let gaps = Gaps::new(scene.model, &scene.fit);
        for blink in [0.0, 0.6, 1.0] {
            let [_, after] = drawn(&scene, &gaps, &layers, blink, [25.0, 20.0]);
            assert!(after.pixels.iter().flatten().all(|v| v.is_finite()));
        }
    }

    #[test]
    fn redrawn_eyes_keep_the_alpha() {
        let scene = scene(1.5, FACE, 0.5);
        let layers = [0, 1].map(|eye| EyeLayers::new(&scene, eye));
        let gaps = Gaps::new(scene.model, &scene.fit);
        let [before, after] = drawn(&scene, &gaps, &layers, 0.7, [15.0, 0.0]);
        assert!(before.pixels != after.pixels);
        for (before, after) in before.pixels.iter().zip(&after.pixels) {
            assert_eq!(before[3], after[3]);
            assert!(
                after[..3]
                    .iter()
                    .all(|v| (-1e-3..=255.0 * after[3] + 1e-3).contains(v))
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn a_small_change_of_blink_or_gaze_changes_the_image_little(blink in 0f32..0.98, x in -25f32..25.0, y in -20f32..20.0) {
            let here = eyes_at(blink, [x, y]);
            for there in [eyes_at(blink + 0.01, [x, y]), eyes_at(blink, [x + 0.3, y])] {
                let changes = || here.pixels.iter().zip(&there.pixels).map(|(a, b)| (mean([a[0], a[1], a[2]]) - mean([b[0], b[1], b[2]])).abs());
                let (most, all) = (changes().fold(0.0, f32::max), changes().sum::<f32>());
                prop_assert!(most < 60.0, "{}", most);
                prop_assert!(all / usual().2[0].as_ref().unwrap().width.powi(2) < 4.0, "{}", all);
            }
        }
    }
}
