//! An eyeball split into layers: the white, with the iris filled in; the iris, with the parts behind lids filled in; and
//! the catch light, which moves less than the iris.

use super::image::{Image, Rgba, coverage, lerp};
use super::openings::Opening;
use super::polyline::Polyline;
use super::scene::Scene;
use super::tone::{mean, percentile};
use crate::math::smoothstep_between;

pub(super) type Rgb = [f32; 3];

/// Minimum width of an eye in pixels.
const NARROWEST: f32 = 6.0;
/// Movement of reflections relative to the iris: the cornea's centre is closer to the eyeball's.
const GLINT_SHARE: f32 = 0.55;
/// Half the crop's size around an eye, across and down, in widths of the eye.
const CROP: [f32; 2] = [1.0, 0.8];
/// The brightness factor of the upper lid's shadow on the eyeball at `below` its edge, in widths of the eye.
pub(super) fn lid_shadow(below: f32) -> f32 {
    // Never below 1 / 1.25: removing a stronger shadow would turn a small dark iris bluish.
    (1.0 - 0.38 * (-(below / 0.10).max(0.0).powf(1.5)).exp()).max(0.8)
}

/// The pixels around an eye from which the layers of the eyeball and the lids are made.
pub(super) struct Crop {
    pub colours: Image<Rgb>,
    /// The lids in the crop.
    pub lids: Opening,
    /// The fraction of each pixel that is between the lids.
    pub inside: Image<f32>,
    /// The eye's width in pixels.
    pub width: f32,
    /// Position of the crop's first pixel in the portrait.
    pub origin: [f32; 2],
}

impl Crop {
    /// `None` if the eye is too small or outside the picture.
    pub fn new(scene: &Scene, lids: &Opening) -> Option<Self> {
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
            inside: coverage(&lids.polygon(), columns, rows),
            lids,
            width,
            origin,
        })
    }
}

/// The straight colour of a premultiplied pixel.
pub(super) fn unmultiplied([r, g, b, alpha]: Rgba) -> Rgb {
    let scale = if alpha > 1e-3 { 1.0 / alpha } else { 0.0 };
    [r * scale, g * scale, b * scale]
}

/// The layers of the eyeball, in the crop and without the upper lid's shadow.
#[derive(Debug, Clone)]
pub(super) struct Ball {
    white: Image<Rgb>,
    pub iris: Option<IrisLayer>,
    /// What the layers miss of the portrait: at the iris' rim, which moves with it, and elsewhere.
    rim_detail: Image<Rgb>,
    detail: Image<Rgb>,
}

#[derive(Debug, Clone)]
pub(super) struct IrisLayer {
    colours: Image<Rgb>,
    /// Light that the cornea reflects, added to the colour.
    glint: Image<Rgb>,
    centre: [f32; 2],
    radius: f32,
}

impl IrisLayer {
    /// The opacity of the iris at a point of the crop, moved by `turned`.
    #[inline]
    fn alpha(&self, [x, y]: [f32; 2], turned: [f32; 2]) -> f32 {
        let away = (x - self.centre[0] - turned[0]).hypot(y - self.centre[1] - turned[1]);
        let soft = (0.07 * self.radius).max(0.7);
        smoothstep_between(self.radius + soft, self.radius - soft, away)
    }
}

impl Ball {
    /// 0 with an unmoved iris, rising to 1 within a small movement.
    pub fn turn(&self, turned: [f32; 2]) -> f32 {
        let radius = self.iris.as_ref().map_or(1.0, |iris| iris.radius);
        smoothstep_between(0.0, 0.08, turned[0].hypot(turned[1]) / radius)
    }

    /// The eyeball of the person's right eye (0) or the left (1).
    pub fn new(scene: &Scene, eye: usize, crop: &Crop) -> Self {
        let (w, columns, rows) = (crop.width, crop.colours.width, crop.colours.height);
        let down = scene.fit.projection.down;
        let (upper, lower) = (
            Polyline::new(&crop.lids.upper, down),
            Polyline::new(&crop.lids.lower, down),
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
        // Excludes lashes and the wet edge of the lower lid.
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
        let inner_weight = inner.blurred((0.015 * w).max(0.6));
        let near = clear.blurred((0.02 * w).max(0.6));
        let missing_detail = Image::from_fn(columns, rows, |x, y| {
            let inner_weight = inner_weight.at(x, y);
            if inner_weight == 0.0 {
                return [0.0; 3];
            }
            let (is, drawn) = (albedo.at(x, y), ball.layered(middle(x, y), [0.0; 2]));
            [0, 1, 2].map(|k| inner_weight * (is[k] - drawn[k]))
        });
        let share = Image::from_fn(columns, rows, |x, y| {
            if ball.iris.is_none() {
                return 0.0;
            }
            near.at(x, y) * near.at(x, y) * smoothstep_between(1.4, 1.25, away(x, y))
        });
        ball.rim_detail = Image::from_fn(columns, rows, |x, y| {
            missing_detail.at(x, y).map(|v| v * share.at(x, y))
        });
        ball.detail = Image::from_fn(columns, rows, |x, y| {
            missing_detail.at(x, y).map(|v| v * (1.0 - share.at(x, y)))
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

    /// The eyeball at a point of the crop, with the iris moved.
    pub fn colour(&self, [x, y]: [f32; 2], [tx, ty]: [f32; 2]) -> Rgb {
        let mut colour = self.layered([x, y], [tx, ty]);
        let turn = tx.hypot(ty) / self.iris.as_ref().map_or(1.0, |iris| iris.radius);
        let rim = self.rim_detail.linear(x - tx, y - ty);
        let unturned = 1.0 - smoothstep_between(0.02, 0.4, turn);
        let rest = self.detail.linear(x, y);
        for k in 0..3 {
            colour[k] += rim[k] + unturned * rest[k];
        }
        colour
    }
}

/// The white of the eye, with the iris and the parts behind lids filled in.
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
    let known_weight = known.blurred((0.015 * w).max(0.8));
    Image::from_fn(columns, rows, |x, y| {
        let sure = (1.6 * near.at(x, y) / most).min(1.0);
        let bright_default = bright.map(|v| v * 0.92);
        let mixed = lerp(bright_default, filled.at(x, y), sure);
        let lifted = [0, 1, 2].map(|k| mixed[k].max(0.8 * bright[k]));
        lerp(lifted, albedo.at(x, y), known_weight.at(x, y))
    })
}

/// A default white for eyes that show none: nearly grey, and as bright as the skin's light allows.
fn usual_white(scene: &Scene) -> Rgb {
    let skin = scene.tone.skin;
    let light = mean(skin).max(0.6 * scene.tone.brightest).min(225.0);
    skin.map(|v| 0.75 * light + 0.25 * v * light / mean(skin).max(1.0))
}

/// The iris with its hidden parts filled in and its catch light removed; `None` if hardly any of it is visible.
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
    let visible = Image::from_fn(columns, rows, |x, y| {
        if clear.at(x, y) > 0.0 && away(x, y) < 0.97 {
            1.0
        } else {
            0.0
        }
    });
    let tones = RadialTones::new(albedo, &visible, away)?;
    let plain = Image::from_fn(columns, rows, |x, y| tones.at(away(x, y)));
    let white = tones.white_level(albedo, clear, away);
    // A catch light is far brighter than the iris elsewhere at the same distance from the pupil.
    let glint_at = |x: usize, y: usize| {
        let excess = mean(albedo.at(x, y)) - mean(plain.at(x, y));
        smoothstep_between(0.18, 0.45, excess / white)
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
        [0, 1, 2].map(|k| (is[k] - without[k]).max(0.0) * smoothstep_between(1.05, 0.9, away(x, y)))
    });
    let soft = visible.blurred((0.015 * w).max(0.6));
    let mirrored = Image::from_fn(columns, rows, |x, y| {
        visible.linear(x as f32 + 0.5, 2.0 * centre[1] - y as f32 - 0.5)
    });
    let mirrored_soft = mirrored.blurred((0.02 * w).max(0.6));
    let colours = Image::from_fn(columns, rows, |x, y| {
        let opposite = matte.linear(x as f32 + 0.5, 2.0 * centre[1] - y as f32 - 0.5);
        let filled = lerp(
            plain.at(x, y),
            opposite,
            mirrored.at(x, y) * mirrored_soft.at(x, y),
        );
        lerp(filled, matte.at(x, y), visible.at(x, y) * soft.at(x, y))
    });
    Some(IrisLayer {
        colours,
        glint,
        centre,
        radius,
    })
}

/// A 3x3 maximum filter, slightly blurred.
fn dilated_softly(image: &Image<f32>) -> Image<f32> {
    let most = Image::from_fn(image.width, image.height, |x, y| {
        let (x, y) = (x as isize, y as isize);
        let around = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (x + dx, y + dy)));
        around.map(|(x, y)| image.clamped(x, y)).fold(0.0, f32::max)
    });
    most.blurred(0.6)
}

/// The colour of an iris by the distance from its centre, in radii.
struct RadialTones([Rgb; RadialTones::RINGS]);

impl RadialTones {
    const RINGS: usize = 12;

    /// The median colour of each ring's darker half: lids and reflections brighten an iris more than they darken it.
    /// `None` if too few pixels are visible.
    fn new(
        albedo: &Image<Rgb>,
        visible: &Image<f32>,
        away: impl Fn(usize, usize) -> f32,
    ) -> Option<Self> {
        let mut rings: [Vec<Rgb>; Self::RINGS] = Default::default();
        for y in 0..visible.height {
            for x in 0..visible.width {
                if visible.at(x, y) > 0.0 {
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

    /// The brightness of the white around the iris.
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
