//! Eyes: the ball behind the lids, which gaze turns, and the lids over it.
//!
//! A portrait's eye is taken apart once: the white, with the iris filled in; the iris, with what the lids hide filled in; and
//! the catch light, which moves less than the iris does. A frame puts them together again between the new lids.

use rayon::prelude::*;

use super::image::{Image, Nearest, Rgba, coverage, lerp};
use super::lids::{LidLayer, LidSource, Line, bounds};
use super::model::Point;
use super::openings::{Opening, Openings};
use super::scene::{Deformed, Placement, Scene, step};
use super::tone::{mean, percentile};

type Rgb = [f32; 3];

/// Narrower eyes have no pixels to work with.
const NARROWEST: f32 = 6.0;
/// Radius of the eyeball as gaze moves the iris, in centimetres of the head.
const BALL_RADIUS: f32 = 1.45;
/// The cornea's centre lies nearer to the ball's, so that its reflections move less than the iris.
const GLINT_SHARE: f32 = 0.55;
/// The crop around an eye reaches this many widths of it from its middle, across and down.
const CROP: [f32; 2] = [1.0, 0.8];
/// What a frame changes lies within this many widths of the lids.
const MARGIN: f32 = 0.36;
/// The same above the upper lid, where the lid skin fades from the first to the second.
const MARGIN_ABOVE: [f32; 2] = [0.35, 0.56];
/// Within this many widths of the lids' edges the portrait's skin moves with them exactly, and from the second on not at all.
const GUIDED_ABOVE: [f32; 2] = [0.05, 0.16];
const GUIDED_BELOW: [f32; 2] = [0.20, 0.36];

/// How dark the upper lid's shadow makes the ball `below` its edge, which is given in widths of the eye.
fn lid_shadow(below: f32) -> f32 {
    // Never below 1 / 1.25: a small dark iris would turn bluish where the shadow is taken off it.
    (1.0 - 0.38 * (-(below / 0.10).max(0.0).powf(1.5)).exp()).max(0.8)
}

/// One eye of a portrait, ready to be drawn with other lids and another gaze.
#[derive(Debug, Clone)]
pub(super) struct EyeLayers {
    eye: usize,
    /// First pixel of the crop in the portrait.
    origin: [f32; 2],
    /// The eye's width in pixels.
    width: f32,
    /// The portrait's own lids, in pixels of the portrait.
    lids: Opening,
    ball: Ball,
    lid: LidLayer,
}

/// The layers of the eyeball, in the crop and without the upper lid's shadow.
#[derive(Debug, Clone)]
struct Ball {
    white: Image<Rgb>,
    iris: Option<IrisLayer>,
    /// What the layers lack to give the portrait: of the iris' rim, which moves with it, and of the rest.
    rim_detail: Image<Rgb>,
    detail: Image<Rgb>,
}

#[derive(Debug, Clone)]
struct IrisLayer {
    colours: Image<Rgb>,
    /// Light that the cornea reflects, to be added.
    glint: Image<Rgb>,
    centre: [f32; 2],
    radius: f32,
}

impl IrisLayer {
    /// How much of a point of the crop the iris covers when it is moved by `turned`.
    #[inline]
    fn alpha(&self, [x, y]: [f32; 2], turned: [f32; 2]) -> f32 {
        let away = (x - self.centre[0] - turned[0]).hypot(y - self.centre[1] - turned[1]);
        let soft = (0.07 * self.radius).max(0.7);
        step(self.radius + soft, self.radius - soft, away)
    }
}

/// What both the layers of a ball and those of its lids are made from.
struct Crop {
    colours: Image<Rgb>,
    /// The lids in the crop.
    lids: Opening,
    /// How much of each pixel lies between them.
    inside: Image<f32>,
    width: f32,
    origin: [f32; 2],
}

impl Crop {
    fn new(scene: &Scene, lids: &Opening) -> Option<Self> {
        let (first, last) = (lids.upper.first()?, lids.upper.last()?);
        let width = (last[0] - first[0]).hypot(last[1] - first[1]);
        let source = &scene.source;
        let largest = 2.0 * (source.width + source.height) as f32;
        if !(NARROWEST..largest).contains(&width) || lids.upper.len() != lids.lower.len() {
            return None;
        }
        let points = || lids.upper.iter().chain(&lids.lower);
        let count = points().count() as f32;
        let middle = points().fold([0.0; 2], |sum, p| {
            [sum[0] + p[0] / count, sum[1] + p[1] / count]
        });
        let is_inside = (0.0..source.width as f32).contains(&middle[0])
            && (0.0..source.height as f32).contains(&middle[1]);
        if !is_inside || points().flatten().any(|v| !v.is_finite()) {
            return None;
        }
        let origin = [0, 1].map(|k| (middle[k] - CROP[k] * width).floor());
        let [columns, rows] = CROP.map(|reach| (2.0 * reach * width).ceil() as usize);
        let first = (origin[0] as isize, origin[1] as isize);
        let local = |line: &[[f32; 2]]| {
            line.iter()
                .map(|[x, y]| [x - origin[0], y - origin[1]])
                .collect()
        };
        let lids = Opening {
            upper: local(&lids.upper),
            lower: local(&lids.lower),
        };
        Some(Self {
            colours: source.part(first, columns, rows).map(unmultiplied),
            inside: coverage(&outline(&lids), columns, rows),
            lids,
            width,
            origin,
        })
    }
}

/// The colour of a pixel without its alpha.
fn unmultiplied([r, g, b, alpha]: Rgba) -> Rgb {
    let scale = if alpha > 1e-3 { 1.0 / alpha } else { 0.0 };
    [r * scale, g * scale, b * scale]
}

/// The polygon between two lids.
fn outline(lids: &Opening) -> Vec<[f32; 2]> {
    lids.upper
        .iter()
        .chain(lids.lower.iter().rev())
        .copied()
        .collect()
}

impl EyeLayers {
    /// Prepares the person's right eye (0, on the picture's left) or the left (1). `None` where the eye is too small to be
    /// drawn or outside the picture.
    pub fn new(scene: &Scene, eye: usize) -> Option<Self> {
        let fit = &scene.fit;
        let openings = Openings::new(scene.model, &fit.before, fit.projection.down);
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

    /// Draws the eye onto the resampled and shaded portrait. Pixel `(x, y)` of `out` came from
    /// `(x + 0.5, y + 0.5) + shift`; `gaze` is in degrees to the picture's right and up.
    pub fn draw(
        &self,
        scene: &Scene,
        deformed: &Deformed,
        opening: &Opening,
        shift: &Image<[f32; 2]>,
        gaze: [f32; 2],
        out: &mut Image<Rgba>,
    ) {
        let Some(frame) = Frame::new(self, scene, deformed, opening, shift, gaze, out) else {
            return;
        };
        let ([left, top, right, bottom], columns) = (frame.area, out.width);
        out.pixels[top * columns..bottom * columns]
            .par_chunks_mut(columns)
            .enumerate()
            .for_each(|(row, line)| {
                let y = top + row;
                for (x, pixel) in line.iter_mut().enumerate().take(right).skip(left) {
                    frame.draw_pixel(x, y, pixel);
                }
            });
    }
}

/// One eye as it is drawn once.
struct Frame<'a> {
    layers: &'a EyeLayers,
    shift: &'a Image<[f32; 2]>,
    placement: &'a Placement,
    /// Left, top, right and bottom of what may change.
    area: [usize; 4],
    upper: Line,
    lower: Line,
    /// From each point of the lids' edges to where the portrait shows it.
    upper_shift: Vec<[f32; 2]>,
    lower_shift: Vec<[f32; 2]>,
    /// How much of each pixel of `area` shows the ball.
    visible: Image<f32>,
    /// Depth of the ball as placed.
    depth: f32,
    /// Movement of the iris in pixels.
    turned: [f32; 2],
    /// 0 while the lids are where the portrait has them, 1 soon after.
    lids_moved: f32,
    /// How far the lids have closed: 0 as in the portrait, 1 shut.
    shut: f32,
    /// Light on the closed lid by the direction of its surface.
    scene: &'a Scene,
    /// The lid's middle and the radius of its curve.
    dome: ([f32; 2], f32),
}

impl<'a> Frame<'a> {
    /// `None` where nothing is to be drawn.
    fn new(
        layers: &'a EyeLayers,
        scene: &'a Scene,
        deformed: &'a Deformed,
        opening: &Opening,
        shift: &'a Image<[f32; 2]>,
        gaze: [f32; 2],
        out: &Image<Rgba>,
    ) -> Option<Self> {
        let (w, unit) = (layers.width, scene.fit.projection.unit);
        let is_sound = opening.upper.len() == layers.lids.upper.len()
            && opening.lower.len() == layers.lids.lower.len()
            && (shift.width, shift.height) == (out.width, out.height)
            && gaze.iter().all(|v| v.is_finite());
        if !is_sound {
            return None;
        }
        let mut polygon = outline(opening);
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
            Some(_) => {
                [gaze[0], -gaze[1]].map(|angle| angle.to_radians().sin() * BALL_RADIUS * unit)
            }
            None => [0.0; 2],
        };
        let lids_moved = layers.lids_moved(opening);
        let presence = lids_moved.max(layers.ball.turn(turned));
        // Rounding is not a movement.
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
            upper: Line::new(&opening.upper, down),
            lower: Line::new(&opening.lower, down),
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

    fn draw_pixel(&self, x: usize, y: usize, pixel: &mut Rgba) {
        let w = self.layers.width;
        let at = [x as f32 + 0.5, y as f32 + 0.5];
        let visible = self.visible.at(x - self.area[0], y - self.area[1]);
        let stretch = self.stretch(x, y);
        if self.lids_moved == 0.0
            && self.shut == 0.0
            && visible == 0.0
            && !LidLayer::shows(self.shut, stretch)
        {
            return;
        }
        let upper = self.upper.nearest(at, 0.6 * w);
        let shift = self.own_skin(at, &upper, self.shift.at(x, y), visible, pixel);
        let [ox, oy] = self.layers.origin;
        let source = [at[0] + shift[0] - ox, at[1] + shift[1] - oy];
        let lid = &self.layers.lid;
        let mut skin = lid.amount(source, self.shut, stretch);
        if upper.above || upper.distance.is_infinite() {
            let [full, end] = MARGIN_ABOVE;
            skin *= step(end * w, full * w, upper.distance);
        }
        if skin == 0.0 && visible == 0.0 && self.shut == 0.0 {
            return;
        }
        let [r, g, b, alpha] = *pixel;
        let mut colour = [r, g, b];
        if self.shut > 0.0 {
            skin = skin.max(self.seam(at, &upper));
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
    }

    /// Puts the portrait's own skin and lashes along the lids where their edges are, and gives where they come from. The
    /// displacement field is only exact on skin that faces the viewer, which the rims of lids don't.
    fn own_skin(
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
        let amount = self.lids_moved * step(end * w, full * w, edge.distance);
        let exact = lerp(shift, interpolated(shifts, edge.along), amount);
        if (exact[0] - shift[0]).abs().max((exact[1] - shift[1]).abs()) < 0.02 {
            return shift;
        }
        let source = &self.scene.source;
        let [old, new] = [shift, exact].map(|[dx, dy]| source.cubic(at[0] + dx, at[1] + dy));
        let alpha = pixel[3];
        let [old, new] = [old, new].map(unmultiplied);
        // The shading that the pixel has got already.
        let light = ((mean([pixel[0], pixel[1], pixel[2]]) + 8.0 * alpha)
            / ((mean(old) + 8.0) * alpha.max(1e-3)))
        .clamp(0.85, 1.15);
        for k in 0..3 {
            pixel[k] = (new[k] * light).clamp(0.0, 255.0) * alpha;
        }
        exact
    }

    /// Lid skin where shut lids meet: resampling there reaches into the eye.
    fn seam(&self, at: [f32; 2], edge: &Nearest) -> f32 {
        let amount = step(0.6, 0.95, self.shut);
        if amount == 0.0 {
            return 0.0;
        }
        let w = self.layers.width;
        let distance = edge.distance.min(self.lower.nearest(at, 0.1 * w).distance);
        let ends = step(0.0, 0.12, edge.along.min(1.0 - edge.along));
        amount * ends * step(0.05 * w + 1.5, 0.02 * w + 0.5, distance)
    }

    /// How many times the portrait is stretched downwards at a pixel.
    fn stretch(&self, x: usize, y: usize) -> f32 {
        let image = self.shift;
        let gap = ((0.02 * self.layers.width) as usize).max(1);
        let (above, below) = (y.saturating_sub(gap), (y + gap).min(image.height - 1));
        let length = (below - above).max(1) as f32;
        let slope = (image.at(x, below)[1] - image.at(x, above)[1]) / length;
        // Where the field folds over, nothing of the portrait can be used.
        1.0 / (1.0 + slope).max(0.1)
    }

    /// The portrait's light on a lid that bulges over the eye, over that on its middle.
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

    /// The ball's colour at a pixel.
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
    /// 0 while the lids are where the portrait has them, 1 soon after.
    fn lids_moved(&self, opening: &Opening) -> f32 {
        let far = |a: &[[f32; 2]], b: &[[f32; 2]]| {
            let pairs = a.iter().zip(b);
            pairs
                .map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1]))
                .fold(0.0, f32::max)
        };
        let most = far(&opening.upper, &self.lids.upper).max(far(&opening.lower, &self.lids.lower));
        // Rounding is not a movement.
        step(0.001, 0.03, most / self.width)
    }
}

/// The value at a place in 0..=1 along a row of values.
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

impl Ball {
    /// 0 for an iris that has not moved, 1 soon after.
    fn turn(&self, turned: [f32; 2]) -> f32 {
        let radius = self.iris.as_ref().map_or(1.0, |iris| iris.radius);
        step(0.0, 0.08, turned[0].hypot(turned[1]) / radius)
    }

    fn new(scene: &Scene, eye: usize, crop: &Crop) -> Self {
        let (w, columns, rows) = (crop.width, crop.colours.width, crop.colours.height);
        let down = scene.fit.projection.down;
        let (upper, lower) = (
            Line::new(&crop.lids.upper, down),
            Line::new(&crop.lids.lower, down),
        );
        let middle = |x: usize, y: usize| [x as f32 + 0.5, y as f32 + 0.5];
        let albedo = Image::from_fn(columns, rows, |x, y| {
            if crop.inside.at(x, y) == 0.0 {
                return crop.colours.at(x, y);
            }
            let near = upper.nearest(middle(x, y), 0.6 * w);
            let below = if near.above { 0.0 } else { near.distance / w };
            let shadow = lid_shadow(below);
            crop.colours.at(x, y).map(|v| v / shadow)
        });
        let inner = crop.inside.eroded((0.03 * w).max(1.0));
        // Away from lashes and the wet edge of the lower lid.
        let clear = Image::from_fn(columns, rows, |x, y| {
            let is_inside = inner.at(x, y) > 0.5
                && upper.nearest(middle(x, y), 0.05 * w).distance.is_infinite()
                && lower
                    .nearest(middle(x, y), 0.035 * w)
                    .distance
                    .is_infinite();
            if is_inside { 1.0 } else { 0.0 }
        });
        let found = scene.fit.irises[eye.min(1)];
        let centre = [
            found.centre[0] - crop.origin[0],
            found.centre[1] - crop.origin[1],
        ];
        let radius = if found.radius.is_finite() {
            found.radius.clamp(0.08 * w, 0.4 * w)
        } else {
            0.2 * w
        };
        let away = |x: usize, y: usize| {
            let [px, py] = middle(x, y);
            (px - centre[0]).hypot(py - centre[1]) / radius
        };
        let white = white_layer(scene, &albedo, w, |x, y| {
            clear.at(x, y) > 0.0 && away(x, y) > 1.22
        });
        let iris = iris_layer(&albedo, &clear, centre, radius, w);
        let mut ball = Self {
            white,
            iris,
            rim_detail: Image::filled(columns, rows, [0.0; 3]),
            detail: Image::filled(columns, rows, [0.0; 3]),
        };
        let own = inner.blurred((0.015 * w).max(0.6));
        let near = clear.blurred((0.02 * w).max(0.6));
        let lacking = Image::from_fn(columns, rows, |x, y| {
            let own = own.at(x, y);
            if own == 0.0 {
                return [0.0; 3];
            }
            let (is, drawn) = (albedo.at(x, y), ball.layered(middle(x, y), [0.0; 2]));
            [0, 1, 2].map(|k| own * (is[k] - drawn[k]))
        });
        let share = Image::from_fn(columns, rows, |x, y| {
            if ball.iris.is_none() {
                return 0.0;
            }
            near.at(x, y) * near.at(x, y) * step(1.4, 1.25, away(x, y))
        });
        ball.rim_detail = Image::from_fn(columns, rows, |x, y| {
            lacking.at(x, y).map(|v| v * share.at(x, y))
        });
        ball.detail = Image::from_fn(columns, rows, |x, y| {
            lacking.at(x, y).map(|v| v * (1.0 - share.at(x, y)))
        });
        ball
    }

    /// White, iris and catch light at a point of the crop, with the iris moved.
    fn layered(&self, [x, y]: [f32; 2], [tx, ty]: [f32; 2]) -> Rgb {
        let white = self.white.cubic(x, y);
        let Some(iris) = &self.iris else {
            return white;
        };
        let alpha = iris.alpha([x, y], [tx, ty]);
        if alpha == 0.0 {
            return white;
        }
        let colour = lerp(white, iris.colours.cubic(x - tx, y - ty), alpha);
        let glint = iris
            .glint
            .linear(x - GLINT_SHARE * tx, y - GLINT_SHARE * ty);
        [0, 1, 2].map(|k| colour[k] + alpha * glint[k])
    }

    /// The ball at a point of the crop, with the iris moved.
    fn colour(&self, [x, y]: [f32; 2], [tx, ty]: [f32; 2]) -> Rgb {
        let mut colour = self.layered([x, y], [tx, ty]);
        let turn = tx.hypot(ty) / self.iris.as_ref().map_or(1.0, |iris| iris.radius);
        let rim = self.rim_detail.linear(x - tx, y - ty);
        let still = 1.0 - step(0.02, 0.4, turn);
        let rest = self.detail.linear(x, y);
        for k in 0..3 {
            colour[k] += rim[k] + still * rest[k];
        }
        colour
    }
}

/// The white of the eye, with the iris and what the lids hide filled in.
fn white_layer(
    scene: &Scene,
    albedo: &Image<Rgb>,
    w: f32,
    is_white: impl Fn(usize, usize) -> bool + Sync,
) -> Image<Rgb> {
    let (columns, rows) = (albedo.width, albedo.height);
    let known = Image::from_fn(columns, rows, |x, y| if is_white(x, y) { 1.0 } else { 0.0 });
    let whites: Vec<Rgb> = (0..known.pixels.len())
        .filter(|i| known.pixels[*i] > 0.0)
        .map(|i| albedo.pixels[i])
        .collect();
    if whites.len() <= 12 {
        return Image::filled(columns, rows, usual_white(scene));
    }
    let bright = [0, 1, 2].map(|k| percentile(whites.iter().map(|c| c[k]), 0.75));
    let filled = albedo.pull_push(&known);
    let near = known.blurred(0.25 * w);
    let most = near.pixels.iter().copied().fold(1e-6, f32::max);
    let own = known.blurred((0.015 * w).max(0.8));
    Image::from_fn(columns, rows, |x, y| {
        let sure = (1.6 * near.at(x, y) / most).min(1.0);
        let far = bright.map(|v| v * 0.92);
        let mixed = lerp(far, filled.at(x, y), sure);
        let lifted = [0, 1, 2].map(|k| mixed[k].max(0.8 * bright[k]));
        lerp(lifted, albedo.at(x, y), own.at(x, y))
    })
}

/// A white for eyes that show none: nearly grey, and as bright as the skin's light allows.
fn usual_white(scene: &Scene) -> Rgb {
    let skin = scene.tone.skin;
    let light = mean(skin).max(0.6 * scene.tone.brightest).min(225.0);
    skin.map(|v| 0.75 * light + 0.25 * v * light / mean(skin).max(1.0))
}

/// The iris with its hidden parts filled in and its catch light taken out; `None` if hardly any of it is seen.
fn iris_layer(
    albedo: &Image<Rgb>,
    clear: &Image<f32>,
    centre: [f32; 2],
    radius: f32,
    w: f32,
) -> Option<IrisLayer> {
    let (columns, rows) = (albedo.width, albedo.height);
    let away = |x: usize, y: usize| {
        let (dx, dy) = (x as f32 + 0.5 - centre[0], y as f32 + 0.5 - centre[1]);
        dx.hypot(dy) / radius
    };
    let seen = Image::from_fn(columns, rows, |x, y| {
        if clear.at(x, y) > 0.0 && away(x, y) < 0.97 {
            1.0
        } else {
            0.0
        }
    });
    let tones = RadialTones::new(albedo, &seen, away)?;
    let plain = Image::from_fn(columns, rows, |x, y| tones.at(away(x, y)));
    let white = tones.white_level(albedo, clear, away);
    // A catch light is far brighter than the iris is at the same distance from the pupil.
    let glint_at = |x: usize, y: usize| {
        let excess = mean(albedo.at(x, y)) - mean(plain.at(x, y));
        step(0.18, 0.45, excess / white)
    };
    let inner = clear.blurred((0.02 * w).max(0.6));
    let glinting = Image::from_fn(columns, rows, |x, y| {
        if away(x, y) < 0.97 {
            glint_at(x, y) * inner.at(x, y)
        } else {
            0.0
        }
    });
    let glinting = dilated_softly(&glinting);
    let matte = Image::from_fn(columns, rows, |x, y| {
        lerp(albedo.at(x, y), plain.at(x, y), glinting.at(x, y))
    });
    let glint = Image::from_fn(columns, rows, |x, y| {
        let (is, without) = (albedo.at(x, y), matte.at(x, y));
        [0, 1, 2].map(|k| (is[k] - without[k]).max(0.0) * step(1.05, 0.9, away(x, y)))
    });
    let soft = seen.blurred((0.015 * w).max(0.6));
    let mirrored = Image::from_fn(columns, rows, |x, y| {
        seen.linear(x as f32 + 0.5, 2.0 * centre[1] - y as f32 - 0.5)
    });
    let mirrored_soft = mirrored.blurred((0.02 * w).max(0.6));
    let colours = Image::from_fn(columns, rows, |x, y| {
        let opposite = matte.linear(x as f32 + 0.5, 2.0 * centre[1] - y as f32 - 0.5);
        let filled = lerp(
            plain.at(x, y),
            opposite,
            mirrored.at(x, y) * mirrored_soft.at(x, y),
        );
        lerp(filled, matte.at(x, y), seen.at(x, y) * soft.at(x, y))
    });
    Some(IrisLayer {
        colours,
        glint,
        centre,
        radius,
    })
}

/// The largest of each pixel and its eight neighbours, slightly blurred.
fn dilated_softly(image: &Image<f32>) -> Image<f32> {
    let most = Image::from_fn(image.width, image.height, |x, y| {
        let (x, y) = (x as isize, y as isize);
        let around = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (x + dx, y + dy)));
        around.map(|(x, y)| image.clamped(x, y)).fold(0.0, f32::max)
    });
    most.blurred(0.6)
}

/// The colour of an iris by the distance from its middle, in radii.
struct RadialTones([Rgb; RadialTones::RINGS]);

impl RadialTones {
    const RINGS: usize = 12;

    /// The middle colour of each ring's darker half: lids and lights brighten an iris more than they darken it. `None` if too
    /// little is seen.
    fn new(
        albedo: &Image<Rgb>,
        seen: &Image<f32>,
        away: impl Fn(usize, usize) -> f32,
    ) -> Option<Self> {
        let mut rings: [Vec<Rgb>; Self::RINGS] = Default::default();
        for y in 0..seen.height {
            for x in 0..seen.width {
                if seen.at(x, y) > 0.0 {
                    let ring = (away(x, y) * Self::RINGS as f32) as usize;
                    rings[ring.min(Self::RINGS - 1)].push(albedo.at(x, y));
                }
            }
        }
        if rings.iter().map(Vec::len).sum::<usize>() <= 12 {
            return None;
        }
        let mut tones: [Option<Rgb>; Self::RINGS] = [None; Self::RINGS];
        for (ring, tone) in rings.iter_mut().zip(&mut tones) {
            if ring.is_empty() {
                continue;
            }
            ring.sort_by(|a, b| mean(*a).total_cmp(&mean(*b)));
            let half = &ring[..ring.len().div_ceil(2)];
            *tone = Some([0, 1, 2].map(|k| percentile(half.iter().map(|c| c[k]), 0.5)));
        }
        let nearest_known = |i: usize| {
            let known = (0..Self::RINGS).filter(|j| tones[*j].is_some());
            known.min_by_key(|j| j.abs_diff(i)).and_then(|j| tones[j])
        };
        let mut all = [[0.0; 3]; Self::RINGS];
        for (i, tone) in all.iter_mut().enumerate() {
            *tone = nearest_known(i)?;
        }
        Some(Self(all))
    }

    fn at(&self, away: f32) -> Rgb {
        let place = (away * Self::RINGS as f32 - 0.5).clamp(0.0, (Self::RINGS - 1) as f32);
        let below = (place as usize).min(Self::RINGS - 2);
        lerp(self.0[below], self.0[below + 1], place - below as f32)
    }

    /// How bright the white around the iris is.
    fn white_level(
        &self,
        albedo: &Image<Rgb>,
        clear: &Image<f32>,
        away: impl Fn(usize, usize) -> f32,
    ) -> f32 {
        let pixels = (0..clear.pixels.len())
            .filter(|i| clear.pixels[*i] > 0.0 && away(i % clear.width, i / clear.width) > 1.22);
        percentile(pixels.map(|i| mean(albedo.pixels[i])), 0.5).max(100.0)
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
    use super::super::tone::Tone;
    use super::*;
    use proptest::prelude::*;
    use std::sync::OnceLock;

    /// The first sample portrait, `zoom` times as large, with its first pixel moved.
    fn scene(zoom: f32, moved: (f32, f32), alpha: f32) -> Scene {
        let root = env!("CARGO_MANIFEST_DIR");
        let picture = ::image::open(format!("{root}/resources/samples/astronaut.png"))
            .unwrap()
            .to_rgb8();
        let meshes = std::fs::read_to_string(format!("{root}/tests/face/meshes.json")).unwrap();
        let meshes: serde_json::Value = serde_json::from_str(&meshes).unwrap();
        let numbers: Vec<f32> = serde_json::from_value(meshes["astronaut"].clone()).unwrap();
        let landmarks: Vec<[f32; 2]> = numbers.chunks_exact(3).map(|p| [p[0], p[1]]).collect();
        let whole = Image {
            width: picture.width() as usize,
            height: picture.height() as usize,
            pixels: picture.pixels().map(|p| p.0.map(f32::from)).collect(),
        };
        let size = (160.0 * zoom) as usize;
        let source = Image::from_fn(size, size, |x, y| {
            let [r, g, b] = whole.cubic(
                moved.0 + (x as f32 + 0.5) / zoom,
                moved.1 + (y as f32 + 0.5) / zoom,
            );
            let [r, g, b] = [r, g, b].map(|v| v.clamp(0.0, 255.0) * alpha);
            [r, g, b, alpha]
        });
        let model = Model::bundled().unwrap();
        let fit = Fit::new(model, &landmarks, 0.0)
            .unwrap()
            .viewed(zoom, moved);
        let tone = Tone::new(model, &fit, &source);
        Scene {
            model,
            source,
            fit,
            tone,
        }
    }

    /// Where the face is.
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
        let own = [0.0; COUNT];
        let mut target = own;
        target[COUNT - 1] = blink;
        let controls = Controls {
            own,
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
                layers.draw(scene, &deformed, opening, &field.shift, gaze, &mut after);
            }
        }
        [before, after]
    }

    fn eyes_at(blink: f32, gaze: [f32; 2]) -> Image<Rgba> {
        let (scene, gaps, layers) = usual();
        let [_, after] = drawn(scene, gaps, layers, blink, gaze);
        after
    }

    /// Pixels that lie between the portrait's own lids.
    fn between_lids(scene: &Scene, layers: &EyeLayers) -> Vec<usize> {
        let (width, height) = (scene.source.width, scene.source.height);
        let inside = coverage(&outline(&layers.lids), width, height);
        (0..width * height)
            .filter(|i| inside.pixels[*i] > 0.9)
            .collect()
    }

    #[test]
    fn no_edit_draws_nothing() {
        let (scene, gaps, layers) = usual();
        let [before, after] = drawn(scene, gaps, layers, 0.0, [0.0; 2]);
        assert!(before.pixels == after.pixels);
    }

    #[test]
    fn a_blink_shows_skin() {
        let (scene, _, layers) = usual();
        let shut = eyes_at(1.0, [0.0; 2]);
        for layers in layers {
            let layers = layers.as_ref().unwrap();
            let pixels = between_lids(scene, layers);
            // The brightness of an eye varies much more than that of a lid, but for the line of lashes.
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
    fn gaze_moves_the_dark_of_the_eye() {
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
    fn eyes_too_small_or_elsewhere_are_left_out() {
        for (zoom, moved) in [(0.1, FACE), (2.0, (400.0, 300.0))] {
            let scene = scene(zoom, moved, 1.0);
            assert!((0..2).all(|eye| EyeLayers::new(&scene, eye).is_none()));
        }
        assert!(EyeLayers::new(&usual().0, 2).is_none());
    }

    #[test]
    fn an_eye_at_the_edge_is_drawn_as_far_as_it_goes() {
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
    fn alpha_is_carried() {
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
        fn small_changes_stay_small(blink in 0f32..0.98, x in -25f32..25.0, y in -20f32..20.0) {
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
