//! The matte of the head: which part of each pixel is the person and which is what lies behind.
//!
//! It is estimated once for a portrait, at a low resolution: the fitted head gives pixels that are surely the person's,
//! those far from it and above the shoulders are surely the background's, and the rest is divided by colour and position
//! with smooth borders along edges (a random walk with priors: Grady 2005, "Multilabel random walker image segmentation
//! using prior models"). A guided filter (He et al. 2013) carries it to the portrait's resolution. Where person and
//! background can't be told apart, or where the background is plain, [`Cell::stillness`] is 0 and the background moves
//! along with the head as a single layer would.

use super::colour_model::{ColourModel, Feature, lab};
use super::continuation::CHIN;
use super::fit::Fit;
use super::image::{Image, Rgba, lerp};
use super::model::Model;
use super::raster::rasterize;
use crate::math::smoothstep_between;

/// Resolution at which the matte is estimated, in pixels per centimetre; less if the portrait has less.
pub(super) const MATTE_UNIT: f32 = 6.0;

/// Below this resolution there is no matte.
const MIN_UNIT: f32 = 2.0;
/// Least area that is surely background, in square centimetres.
const MIN_BACKGROUND: f32 = 4.0;

/// Rounds of estimating colours and dividing pixels by them.
const ROUNDS: usize = 2;
/// How far from its samples a colour is expected, as a factor of the variance: backgrounds continue farther than hair.
const SPREAD_PERSON: f32 = 2.5;
const SPREAD_BACKGROUND: f32 = 40.0;
/// Likelihood of colours that were seen nowhere: they belong rather to the person, as most of the background is visible.
const UNSEEN_PERSON: f32 = 4e-6;
const UNSEEN_BACKGROUND: f32 = 3e-7;
const UNSEEN: f32 = 1e-6;

/// A portrait's matte.
#[derive(Debug)]
pub(super) struct Matte {
    /// The cells' values as numbers, which interpolate; see [`Cell`].
    cells: Image<[f32; 8]>,
    /// The background's colours, filled in behind the person.
    fill: Image<Rgba>,
    /// The offset to the mirror image of each pixel at the background's edge, and how far it replaces the fill.
    mirror: Image<[f32; 3]>,
}

/// A matte at a pixel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    /// The fraction of the pixel that is the person, in 0..=1.
    pub alpha: f32,
    /// 1 where the portrait shows the background, 0 where [`Cell::fill`] replaces it.
    pub known: f32,
    /// How far the background stays where it is when the head turns: 1 entirely, 0 not at all.
    pub stillness: f32,
    /// The background's colour, smooth.
    pub fill: Rgba,
    /// The offset to a point of the matte's picture whose colour continues the background's texture, and how far (0..=1) it
    /// replaces the smooth colour.
    pub mirror: [f32; 3],
}

impl Matte {
    /// Estimates the matte of a picture around a face; `None` if it is transparent, too small, or has too little
    /// background. `fit` is in pixels of `source`.
    pub fn new(model: &Model, source: &Image<Rgba>, fit: &Fit) -> Option<Self> {
        let unit = fit.projection.pixels_per_cm;
        let is_opaque = source.pixels.iter().all(|pixel| pixel[3] >= 0.999);
        if unit < MIN_UNIT || !is_opaque || source.width.min(source.height) < 8 {
            return None;
        }
        let regions = Regions::new(model, source, fit);
        let surely_behind = regions.sure.pixels.iter().filter(|sure| **sure < 0.0);
        if (surely_behind.count() as f32) < MIN_BACKGROUND * unit * unit {
            return None;
        }
        let colours = source.map(|[r, g, b, _]| lab([r, g, b]));
        let split = Split::new(&regions, &colours, unit);
        let texture = texture(&colours, &split.alpha, &regions, unit);
        let certainty = split.certainty(&regions, unit);
        let stillness = Image::from_fn(source.width, source.height, |x, y| {
            certainty.at(x, y) * smoothstep_between(3.0, 8.0, texture.at(x, y))
        });
        let alpha = split.alpha;
        // Hair that the matte misses would stay behind: around the person the background is replaced as well, more
        // widely where it is plain.
        let behind = alpha.map(|a| f32::from(a < 0.03));
        let away = behind.distance_to_outside();
        let known = Image::from_fn(source.width, source.height, |x, y| {
            let rim = 0.9 - 0.5 * smoothstep_between(4.0, 14.0, texture.at(x, y));
            f32::from(away.at(x, y) > rim * unit)
        });
        let fill = source.pull_push(&known);
        let filter = guided(source, &alpha, 0.24 * unit);
        let bounds = bounds(&alpha);
        let cells = Image::from_fn(source.width, source.height, |x, y| {
            let ([r, g, b, offset], [low, high]) = (filter.at(x, y), bounds.at(x, y));
            [
                r,
                g,
                b,
                offset,
                low,
                high,
                known.at(x, y),
                stillness.at(x, y),
            ]
        });
        let mirror = mirror(&known, unit);
        Some(Self {
            cells,
            fill,
            mirror,
        })
    }

    /// The matte at a point of its picture, for the portrait's colour there.
    #[inline]
    pub fn at(&self, x: f32, y: f32, [r, g, b, _]: Rgba) -> Cell {
        let [fr, fg, fb, offset, low, high, known, stillness] = self.cells.linear(x, y);
        let alpha = (fr * r + fg * g + fb * b + offset).max(low).min(high);
        let (fill, mirror) = if known < 1.0 {
            (self.fill.linear(x, y), self.mirror.linear(x, y))
        } else {
            Default::default()
        };
        Cell {
            alpha: smoothstep_between(0.06, 0.94, alpha),
            known,
            stillness: stillness.clamp(0.0, 1.0),
            fill,
            mirror,
        }
    }
}

/// What the fitted head says about each pixel; lengths in centimetres.
struct Regions {
    /// 1 where surely the person is, -1 where surely the background is, 0 elsewhere.
    sure: Image<f32>,
    /// The probability of the person by position alone.
    prior: Image<f32>,
    /// Depth inside the skull's outline, 0 outside, and the distance outside the outline of head and shoulders, 0
    /// inside.
    inside: Image<f32>,
    outside: Image<f32>,
    /// How far below the chin, along the head.
    below: Image<f32>,
}

impl Regions {
    fn new(model: &Model, source: &Image<Rgba>, fit: &Fit) -> Self {
        let (width, height) = (source.width, source.height);
        let Fit {
            projection,
            portrait_points: points,
            ..
        } = fit;
        let (unit, down) = (projection.pixels_per_cm, projection.down);
        let hits = rasterize(points, &model.skin_triangles, width, height);
        let values: Vec<[f32; 3]> = (model.neutral.iter().zip(&model.face_mask))
            .map(|([x, y, _], mask)| [*x, *y, *mask])
            .collect();
        // Where the head is: 0 nowhere, 1 shoulders and ears, 2 the skull, 3 the face.
        let part = Image::from_fn(width, height, |x, y| {
            let hit = hits.row(y)[x].interpolated(&model.skin_triangles, &values);
            hit.map_or(0.0, |[x, y, mask]| {
                let is_ear = x.abs() > 7.9 && (-3.0..7.0).contains(&y);
                if y <= -9.0 || is_ear {
                    1.0
                } else if mask > 0.6 {
                    3.0
                } else {
                    2.0
                }
            })
        });
        let depth = |mask: Image<f32>| mask.distance_to_outside().map(|d| d.min(1e4) / unit);
        let inside = depth(part.map(|part| f32::from(part >= 2.0)));
        let inside_all = depth(part.map(|part| f32::from(part >= 1.0)));
        let outside = depth(part.map(|part| f32::from(part < 1.0)));
        let chin = points[model.landmarks[CHIN]];
        let away = |x: usize, y: usize| [x as f32 + 0.5 - chin[0], y as f32 + 0.5 - chin[1]];
        let below = Image::from_fn(width, height, |x, y| {
            let [ax, ay] = away(x, y);
            (ax * down[0] + ay * down[1]) / unit
        });
        let aside = Image::from_fn(width, height, |x, y| {
            let [ax, ay] = away(x, y);
            (ax * down[1] - ay * down[0]).abs() / unit
        });
        let sure = Image::from_fn(width, height, |x, y| {
            let below = below.at(x, y);
            let is_person = inside.at(x, y) > 1.0 && below < 1.0
                || part.at(x, y) == 3.0 && inside.at(x, y) > 0.35
                || inside_all.at(x, y) > 1.3
                || below > 8.5 && aside.at(x, y) < 7.0;
            let is_behind = outside.at(x, y) > 4.5 && below < -5.0;
            f32::from(is_person) - f32::from(is_behind)
        });
        let prior = Image::from_fn(width, height, |x, y| {
            let below = below.at(x, y);
            let head = logistic((1.2 - outside.at(x, y)) / 0.8);
            let shoulders = 0.98 * logistic((13.0 + 0.6 * below - aside.at(x, y)) / 3.0);
            lerp(head, shoulders, smoothstep_between(-2.0, 6.0, below))
        });
        Self {
            sure,
            prior,
            inside,
            outside,
            below,
        }
    }
}

fn logistic(v: f32) -> f32 {
    1.0 / (1.0 + (-v).exp())
}

/// The person divided from the background.
struct Split {
    /// The fraction of each pixel that is the person.
    alpha: Image<f32>,
    /// How likely its colour is for the person and for the background, as told from the sure pixels alone.
    likelihoods: Image<[f32; 2]>,
}

impl Split {
    fn new(regions: &Regions, colours: &Image<[f32; 3]>, unit: f32) -> Self {
        let (width, height) = (colours.width, colours.height);
        let feature = |x: usize, y: usize| -> Feature {
            let [l, a, b] = colours.at(x, y);
            [l, a, b, x as f32 / unit, y as f32 / unit]
        };
        let sure = &regions.sure;
        let mut alpha = sure.map(|sure| 0.5 + 0.5 * sure);
        let mut first = None;
        for _ in 0..ROUNDS {
            let samples = |is_in: &dyn Fn(usize, usize) -> bool| -> Vec<Feature> {
                let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
                let inside = pixels.filter(|(x, y)| is_in(*x, *y));
                inside.map(|(x, y)| feature(x, y)).collect()
            };
            // The face's middle says little about what is at the outline.
            let person = samples(&|x, y| {
                let is_near = regions.inside.at(x, y) < 4.0 || regions.below.at(x, y) > -4.0;
                alpha.at(x, y) > 0.93 && is_near
            });
            let behind = samples(&|x, y| alpha.at(x, y) < 0.05);
            let person = ColourModel::new(&person, SPREAD_PERSON);
            let behind = ColourModel::new(&behind, SPREAD_BACKGROUND);
            let likelihoods = Image::from_fn(width, height, |x, y| {
                let feature = feature(x, y);
                [person.likelihood(&feature), behind.likelihood(&feature)]
            });
            let wanted = Image::from_fn(width, height, |x, y| {
                let ([person, behind], prior) = (likelihoods.at(x, y), regions.prior.at(x, y));
                let person = (person + UNSEEN_PERSON) * prior;
                person / (person + (behind + UNSEEN_BACKGROUND) * (1.0 - prior)).max(1e-30)
            });
            alpha = walk(colours, &wanted, sure);
            first.get_or_insert(likelihoods);
        }
        let alpha = alpha.map(|a| smoothstep_between(0.15, 0.85, a));
        let likelihoods = first.unwrap_or_else(|| Image::filled(width, height, [0.0; 2]));
        Self { alpha, likelihoods }
    }

    /// How certain the division is around each pixel, in 0..=1: whether the sure pixels' colours agree with it, and
    /// whether its border is sharp.
    fn certainty(&self, regions: &Regions, unit: f32) -> Image<f32> {
        let (width, height) = (self.alpha.width, self.alpha.height);
        let depth = |is_in: fn(f32) -> bool| {
            let mask = self.alpha.map(|a| f32::from(is_in(a)));
            mask.distance_to_outside().map(|d| d.min(1e4))
        };
        let (inner, outer) = (depth(|a| a > 0.5), depth(|a| a <= 0.5));
        let sharp = self
            .alpha
            .map(|a| 1.0 - 4.0 * a * (1.0 - a))
            .blurred(0.5 * unit);
        let weighted = Image::from_fn(width, height, |x, y| {
            let ([person, behind], sure) = (self.likelihoods.at(x, y), regions.sure.at(x, y));
            let own = if self.alpha.at(x, y) > 0.5 {
                person
            } else {
                behind
            };
            let agreement = (own + UNSEEN) / (person + behind + 2.0 * UNSEEN);
            let agreement = smoothstep_between(0.5, 0.95, agreement);
            let certain = agreement.min(smoothstep_between(0.5, 0.9, sharp.at(x, y)));
            let away = (inner.at(x, y) + outer.at(x, y)) / (2.0 * unit);
            let near =
                (-away * away).exp() * (1.0 - smoothstep_between(2.0, 6.0, regions.below.at(x, y)));
            let least = if sure > 0.0 { 0.0 } else { 1e-3 };
            let weight = if sure == 0.0 { near + least } else { least };
            [certain * weight, weight]
        });
        let mean = weighted.blurred(1.5 * unit);
        let certain =
            mean.map(|[sum, weight]| smoothstep_between(0.6, 0.88, sum / (weight + 1e-9)));
        certain.blurred(unit)
    }
}

/// Sweeps of the solver, and its relaxation factor.
const SWEEPS: usize = 40;
const RELAXATION: f32 = 1.7;
/// Squared difference in Lab at which the connection of two pixels falls to 1/e, and the least connection.
const EDGE: f32 = 60.0;
const MIN_CONNECTION: f32 = 1e-3;

/// The probability that a random walker who starts at a pixel, and crosses edges rarely, ends at the person rather than
/// the background; on its way it may end according to the wanted probability.
fn walk(colours: &Image<[f32; 3]>, wanted: &Image<f32>, sure: &Image<f32>) -> Image<f32> {
    let (width, height) = (wanted.width, wanted.height);
    // Connections to the right and down; 0 beyond the edge.
    let connections = Image::from_fn(width, height, |x, y| {
        let connection = |x2: usize, y2: usize| {
            if x2 >= width || y2 >= height {
                return 0.0;
            }
            let (a, b) = (colours.at(x, y), colours.at(x2, y2));
            let apart: f32 = (0..3).map(|k| (a[k] - b[k]).powi(2)).sum();
            (-apart / EDGE).exp() + MIN_CONNECTION
        };
        [connection(x + 1, y), connection(x, y + 1)]
    });
    let mut solved = Image::from_fn(width, height, |x, y| match sure.at(x, y) {
        0.0 => wanted.at(x, y),
        sure => 0.5 + 0.5 * sure,
    });
    for _ in 0..SWEEPS {
        for y in 0..height {
            for x in 0..width {
                if sure.at(x, y) != 0.0 {
                    continue;
                }
                let own = wanted.at(x, y);
                let pull = 0.015 + 0.1 * (2.0 * own - 1.0).powi(2);
                let (mut sum, mut total) = (pull * own, pull);
                let mut add = |connection: f32, value: f32| {
                    sum += connection * value;
                    total += connection;
                };
                let [right, down] = connections.at(x, y);
                if right > 0.0 {
                    add(right, solved.at(x + 1, y));
                }
                if down > 0.0 {
                    add(down, solved.at(x, y + 1));
                }
                if x > 0 {
                    add(connections.at(x - 1, y)[0], solved.at(x - 1, y));
                }
                if y > 0 {
                    add(connections.at(x, y - 1)[1], solved.at(x, y - 1));
                }
                let at = y * width + x;
                solved.pixels[at] += RELAXATION * (sum / total - solved.pixels[at]);
            }
        }
    }
    solved.map(|v| v.clamp(0.0, 1.0))
}

/// The standard deviation of the background's colours around each pixel, in units of Lab.
fn texture(
    colours: &Image<[f32; 3]>,
    alpha: &Image<f32>,
    regions: &Regions,
    unit: f32,
) -> Image<f32> {
    let away = alpha.map(|a| f32::from(a < 0.05)).distance_to_outside();
    let sums = Image::from_fn(alpha.width, alpha.height, |x, y| {
        if away.at(x, y) <= 0.5 * unit || regions.outside.at(x, y) > 9.0 {
            return [0.0; 5];
        }
        let [l, a, b] = colours.at(x, y);
        [l, a, b, l * l + a * a + b * b, 1.0]
    });
    sums.blurred(2.5 * unit).map(|[l, a, b, squares, weight]| {
        let [l, a, b, squares] = [l, a, b, squares].map(|v| v / (weight + 1e-3));
        (squares - l * l - a * a - b * b).max(0.0).sqrt()
    })
}

/// Mirrors the surroundings of what isn't known at its edge; see [`Matte::mirror`].
fn mirror(known: &Image<f32>, unit: f32) -> Image<[f32; 3]> {
    /// Distance from the edge over which texture fades into the smooth fill, in centimetres.
    const REACH: f32 = 4.0;
    let hole = known.map(|known| 1.0 - known);
    let distance = hole.distance_to_outside().map(|d| d.min(1e4));
    let smooth = distance.blurred(0.3 * unit);
    let (width, height) = (known.width, known.height);
    let mirrored = Image::from_fn(width, height, |x, y| {
        let away = distance.at(x, y);
        let at = |dx: isize, dy: isize| smooth.clamped(x as isize + dx, y as isize + dy);
        let slope = [at(1, 0) - at(-1, 0), at(0, 1) - at(0, -1)];
        let length = slope[0].hypot(slope[1]).max(1e-3);
        let offset = slope.map(|v| -2.0 * away * v / length);
        let [mx, my] = [x as f32 + 0.5 + offset[0], y as f32 + 0.5 + offset[1]];
        let is_inside =
            mx >= 0.5 && my >= 0.5 && mx <= width as f32 - 0.5 && my <= height as f32 - 0.5;
        let share = if is_inside { known.linear(mx, my) } else { 0.0 };
        let fade = (-(away / (REACH * unit)).powi(2)).exp();
        [offset[0], offset[1], share * fade]
    });
    mirrored.blurred(0.3 * unit)
}

/// A linear function of the colour for each pixel (factors of red, green and blue in 0..=255, and an offset) that gives
/// the alpha of its surroundings: the guided filter.
fn guided(source: &Image<Rgba>, alpha: &Image<f32>, sigma: f32) -> Image<[f32; 4]> {
    /// Variance of colours (in 0..=1) that is noise.
    const NOISE: f32 = 3e-4;
    let products = Image::from_fn(source.width, source.height, |x, y| {
        let ([r, g, b, _], a) = (source.at(x, y).map(|v| v / 255.0), alpha.at(x, y));
        let first = [r, g, b, a, r * a, g * a, b * a];
        let second = [r * r, r * g, r * b, g * g, g * b, b * b];
        let mut all = [0.0; 13];
        all[..7].copy_from_slice(&first);
        all[7..].copy_from_slice(&second);
        all
    });
    let factors = products.blurred(sigma).map(|m| {
        let [r, g, b, a, ra, ga, ba, rr, rg, rb, gg, gb, bb] = m;
        let with_alpha = [ra - r * a, ga - g * a, ba - b * a];
        let (rg, rb, gb) = (rg - r * g, rb - r * b, gb - g * b);
        let (rr, gg, bb) = (rr - r * r, gg - g * g, bb - b * b);
        let [rr, gg, bb] = [rr, gg, bb].map(|v| v.max(0.0) + NOISE);
        // The inverse of the symmetric covariance, by its adjugate.
        let adjugate = [
            [gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg],
            [rb * gb - rg * bb, rr * bb - rb * rb, rg * rb - rr * gb],
            [rg * gb - rb * gg, rg * rb - rr * gb, rr * gg - rg * rg],
        ];
        let determinant = rr * adjugate[0][0] + rg * adjugate[0][1] + rb * adjugate[0][2];
        let scale = 1.0 / determinant.max(1e-12);
        let [fr, fg, fb] = adjugate.map(|row| {
            (row[0] * with_alpha[0] + row[1] * with_alpha[1] + row[2] * with_alpha[2]) * scale
        });
        let offset = a - fr * r - fg * g - fb * b;
        [fr / 255.0, fg / 255.0, fb / 255.0, offset]
    });
    factors.blurred(sigma)
}

/// The least and the largest alpha among each pixel and its neighbours.
fn bounds(alpha: &Image<f32>) -> Image<[f32; 2]> {
    Image::from_fn(alpha.width, alpha.height, |x, y| {
        let (mut low, mut high) = (1.0f32, 0.0f32);
        for dy in -1..=1 {
            for dx in -1..=1 {
                let a = alpha.clamped(x as isize + dx, y as isize + dy);
                (low, high) = (low.min(a), high.max(a));
            }
        }
        [low, high]
    })
}
