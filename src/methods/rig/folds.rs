//! Folds of the skin that come and go with an expression: drawn lines for those that appear, and light on the portrait's own
//! where a smile is taken back.

use std::ops::Range;
use std::sync::OnceLock;

use rayon::prelude::*;

use super::fit::LIPS;
use super::image::{Image, coverage, nearest};
use super::model::{Half, Model, Point};
use super::scene::{Scene, step};
use super::tone::{Reduced, mean, percentile};

/// The kinds of folds, in the order of [`Amounts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fold {
    Nasolabial,
    CrowsFeet,
    Forehead,
    Glabella,
    Bunny,
    UnderEye,
    MouthCorner,
}

const FOLDS: [Fold; 7] = [
    Fold::Nasolabial,
    Fold::CrowsFeet,
    Fold::Forehead,
    Fold::Glabella,
    Fold::Bunny,
    Fold::UnderEye,
    Fold::MouthCorner,
];

/// How deep each fold is, of each half of the face in the order of [`Half::BOTH`]: 1 is a full one, negative lightens.
pub(super) type Amounts = [[f32; FOLDS.len()]; 2];

/// The folds that a change of the model's coefficients makes.
pub(super) fn amounts(model: &Model, before: &[f32], after: &[f32]) -> Amounts {
    Half::BOTH.map(|half| {
        let change = |name: &str| {
            let number = model.expression(name, half);
            let values = number.and_then(|i| Some((before.get(i)?, after.get(i)?)));
            values.map_or(0.0, |(before, after)| after - before)
        };
        FOLDS.map(|fold| {
            let depth = match fold {
                Fold::Nasolabial => {
                    0.8 * change("mouthSmile")
                        + 0.5 * change("noseSneer")
                        + 0.5 * change("mouthUpperUp")
                }
                Fold::CrowsFeet => 0.8 * change("cheekSquint") + 0.2 * change("eyeBlink"),
                Fold::Forehead => 0.5 * change("browInnerUp") + 0.5 * change("browOuterUp"),
                Fold::Glabella => {
                    change("browDown") + 0.2 * change("noseSneer") - 0.1 * change("browInnerUp")
                }
                Fold::Bunny => change("noseSneer"),
                Fold::UnderEye => 0.6 * change("cheekSquint") + 0.3 * change("eyeSquint"),
                Fold::MouthCorner => 0.9 * change("mouthFrown") + 0.4 * change("mouthStretch"),
            };
            // Lightening a fold that may not be there shows sooner than darkening; [`Creases`] lighten the nasolabial one.
            let lightening = if fold == Fold::Nasolabial { 0.2 } else { 0.6 };
            let depth = if depth < 0.0 {
                lightening * depth
            } else {
                depth
            };
            depth.clamp(-0.6, 1.2)
        })
    })
}

/// One line of a fold on the person's left half: a dark Gaussian with a bright ridge on one side, both ends faded.
///
/// Lengths are centimetres in the plane of the head at rest, y up.
struct Line {
    fold: Fold,
    /// Two to four points of a smooth curve.
    points: &'static [[f32; 2]],
    width: f32,
    /// How much of the light the line takes.
    depth: f32,
    /// Of the ridge, over the line's depth.
    ridge: f32,
    /// The direction from the line to its ridge.
    toward_ridge: [f32; 2],
    /// The share of the line that each end's fade takes.
    fade: f32,
}

const LATERAL: [f32; 2] = [1.0, 0.0];
const BELOW: [f32; 2] = [0.0, -1.0];
const NASOLABIAL: &[[f32; 2]] = &[[1.55, -0.55], [2.35, -1.7], [2.95, -3.0], [3.05, -3.9]];

const fn line(
    fold: Fold,
    points: &'static [[f32; 2]],
    [width, depth, ridge, fade]: [f32; 4],
    toward_ridge: [f32; 2],
) -> Line {
    Line {
        fold,
        points,
        width,
        depth,
        ridge,
        toward_ridge,
        fade,
    }
}

const LINES: [Line; 15] = [
    line(
        Fold::Nasolabial,
        NASOLABIAL,
        [0.34, 0.13, 0.25, 0.4],
        LATERAL,
    ),
    line(
        Fold::Nasolabial,
        NASOLABIAL,
        [0.13, 0.05, 0.0, 0.45],
        LATERAL,
    ),
    line(
        Fold::CrowsFeet,
        &[[4.75, 3.15], [5.4, 2.88], [6.1, 2.45]],
        [0.09, 0.09, 0.7, 0.4],
        BELOW,
    ),
    line(
        Fold::CrowsFeet,
        &[[4.75, 3.315], [5.4, 3.342], [6.1, 3.275]],
        [0.09, 0.09, 0.7, 0.4],
        BELOW,
    ),
    line(
        Fold::CrowsFeet,
        &[[4.75, 3.465], [5.4, 3.762], [6.1, 4.025]],
        [0.09, 0.09, 0.7, 0.4],
        BELOW,
    ),
    line(
        Fold::Forehead,
        &[[-0.3, 6.7], [1.5, 6.95], [3.2, 6.85], [4.6, 6.35]],
        [0.15, 0.085, 0.8, 0.4],
        BELOW,
    ),
    line(
        Fold::Forehead,
        &[[-0.3, 7.5], [1.5, 7.75], [3.2, 7.65], [4.6, 7.15]],
        [0.15, 0.0765, 0.8, 0.4],
        BELOW,
    ),
    line(
        Fold::Forehead,
        &[[-0.3, 8.3], [1.5, 8.55], [3.2, 8.45], [4.6, 7.95]],
        [0.15, 0.051, 0.8, 0.4],
        BELOW,
    ),
    line(
        Fold::Glabella,
        &[[0.62, 4.3], [0.55, 5.1], [0.68, 6.1]],
        [0.17, 0.11, 0.6, 0.45],
        LATERAL,
    ),
    line(
        Fold::Glabella,
        &[[0.2, 4.9], [0.16, 5.6]],
        [0.12, 0.04, 0.3, 0.45],
        LATERAL,
    ),
    line(
        Fold::Bunny,
        &[[0.25, 2.6], [0.75, 2.75], [1.15, 2.45]],
        [0.12, 0.08, 0.6, 0.4],
        BELOW,
    ),
    line(
        Fold::Bunny,
        &[[0.25, 2.15], [0.75, 2.25], [1.15, 1.85]],
        [0.12, 0.08, 0.6, 0.4],
        BELOW,
    ),
    line(
        Fold::UnderEye,
        &[[2.1, 2.55], [3.0, 2.15], [3.9, 2.25], [4.6, 2.75]],
        [0.17, 0.09, 0.9, 0.4],
        BELOW,
    ),
    line(
        Fold::MouthCorner,
        &[[2.6, -3.3], [3.0, -4.1], [3.0, -4.9]],
        [0.24, 0.08, 0.3, 0.45],
        LATERAL,
    ),
    line(
        Fold::MouthCorner,
        &[[2.6, -3.3], [3.0, -4.1], [3.0, -4.9]],
        [0.1, 0.03, 0.0, 0.45],
        LATERAL,
    ),
];

impl Line {
    /// Where the ridge has faded, in widths from the line.
    const REACH: f32 = 1.9 + 1.5 * 2.6;

    /// A polyline along the curve: the polynomial through the points by the length of their chords.
    fn path(&self) -> Vec<[f32; 2]> {
        const SEGMENTS: usize = 14;
        let mut knots = vec![0.0];
        for pair in self.points.windows(2) {
            let chord = (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]);
            knots.push(knots[knots.len() - 1] + chord);
        }
        let length = knots[knots.len() - 1];
        let point = |i: usize| {
            let at = length * i as f32 / SEGMENTS as f32;
            let mut sum = [0.0; 2];
            for (k, point) in self.points.iter().enumerate() {
                let others = knots.iter().enumerate().filter(|(other, _)| *other != k);
                let share: f32 = others
                    .map(|(_, knot)| (at - knot) / (knots[k] - knot))
                    .product();
                sum = [sum[0] + share * point[0], sum[1] + share * point[1]];
            }
            sum
        };
        (0..=SEGMENTS).map(point).collect()
    }

    /// The change of light at a point of the head.
    fn light(&self, path: &[[f32; 2]], at: [f32; 2]) -> f32 {
        let near = nearest(path, at, self.toward_ridge);
        let distance = near.distance / self.width;
        if distance > Self::REACH {
            return 0.0;
        }
        let ends = step(0.0, self.fade, near.along) * step(1.0, 1.0 - self.fade, near.along);
        let sided = if near.above { -distance } else { distance };
        let ridge = self.ridge * (-((sided - 1.9) / 1.5).powi(2)).exp();
        self.depth * ends * (ridge - (-distance * distance).exp())
    }
}

/// The plane of the head at rest that holds all folds, in centimetres.
const PLANE_LEFT: f32 = -7.0;
const PLANE_TOP: f32 = 10.0;
const PLANE_WIDTH: usize = 14;
const PLANE_HEIGHT: usize = 17;
/// Texels a centimetre of the finest textures; each of the other levels has half of that.
const FINEST: usize = 32;
const LEVELS: usize = 4;

/// The texture of one fold on the person's left half, cropped; its first texel lies in the plane's.
struct Patch {
    left: usize,
    top: usize,
    texture: Image<f32>,
}

impl Patch {
    fn of(fold: Fold) -> Self {
        /// Corners lie on whole texels of every level.
        const ALIGNED: usize = 1 << (LEVELS - 1);
        let lines: Vec<(&Line, Vec<[f32; 2]>)> = LINES
            .iter()
            .filter(|line| line.fold == fold)
            .map(|line| (line, line.path()))
            .collect();
        let texel = |length: f32| (length.max(0.0) * FINEST as f32) as usize / ALIGNED * ALIGNED;
        let (mut left, mut right, mut top, mut bottom) = (usize::MAX, 0, usize::MAX, 0);
        for (line, path) in &lines {
            let reach = line.width * Line::REACH;
            for [x, y] in path {
                left = left.min(texel(x - reach - PLANE_LEFT));
                right = right.max(texel(x + reach - PLANE_LEFT) + ALIGNED);
                top = top.min(texel(PLANE_TOP - y - reach));
                bottom = bottom.max(texel(PLANE_TOP - y + reach) + ALIGNED);
            }
        }
        let (right, bottom) = (
            right.min(PLANE_WIDTH * FINEST),
            bottom.min(PLANE_HEIGHT * FINEST),
        );
        let (left, top) = (left.min(right), top.min(bottom));
        let place = |texel: usize| (texel as f32 + 0.5) / FINEST as f32;
        let texture = Image::from_fn(right - left, bottom - top, |x, y| {
            let at = [PLANE_LEFT + place(left + x), PLANE_TOP - place(top + y)];
            lines.iter().map(|(line, path)| line.light(path, at)).sum()
        });
        Self { left, top, texture }
    }

    fn halved(&self) -> Self {
        Self {
            left: self.left / 2,
            top: self.top / 2,
            texture: self.texture.halved(),
        }
    }
}

/// All patches of every level, the finest first, in the order of [`FOLDS`].
fn patches() -> &'static [Vec<Patch>; LEVELS] {
    static PATCHES: OnceLock<[Vec<Patch>; LEVELS]> = OnceLock::new();
    PATCHES.get_or_init(|| {
        let mut level: Vec<Patch> = FOLDS.into_par_iter().map(Patch::of).collect();
        std::array::from_fn(|_| {
            let coarser = level.iter().map(Patch::halved).collect();
            std::mem::replace(&mut level, coarser)
        })
    })
}

/// The light of all folds over the head at rest.
pub(super) struct FoldMap {
    light: Image<f32>,
    texels: f32,
    /// Which tiles of [`FoldMap::TILE`] texels hold anything.
    occupied: Vec<bool>,
    tiles_across: usize,
}

impl FoldMap {
    const TILE: usize = 8;

    /// Folds of given amounts, for a face with `unit` pixels a centimetre; `None` where there is nothing to draw.
    pub fn new(amounts: &Amounts, unit: f32) -> Option<Self> {
        if amounts.iter().flatten().all(|amount| *amount == 0.0) {
            return None;
        }
        // No more texels than pixels, so that thin lines of small faces don't alias.
        let level = (0..LEVELS - 1).find(|level| (FINEST >> level) as f32 <= 1.25 * unit);
        let level = level.unwrap_or(LEVELS - 1);
        let texels = FINEST >> level;
        let (width, height) = (PLANE_WIDTH * texels, PLANE_HEIGHT * texels);
        let mut light = Image::filled(width, height, 0.0);
        let tiles_across = width.div_ceil(Self::TILE);
        let mut occupied = vec![false; tiles_across * height.div_ceil(Self::TILE)];
        for (half, amounts) in Half::BOTH.into_iter().zip(amounts) {
            for (patch, amount) in patches()[level].iter().zip(amounts) {
                if *amount == 0.0 {
                    continue;
                }
                for y in 0..patch.texture.height {
                    let row = patch.texture.row(y);
                    let at = (patch.top + y) * width;
                    let to = &mut light.pixels[at..at + width];
                    match half {
                        Half::Left => add(to[patch.left..].iter_mut(), row, *amount),
                        Half::Right => add(to[..width - patch.left].iter_mut().rev(), row, *amount),
                    }
                }
            }
        }
        for (y, row) in light.pixels.chunks_exact(width).enumerate() {
            let tiles = &mut occupied[y / Self::TILE * tiles_across..][..tiles_across];
            for (tile, texels) in tiles.iter_mut().zip(row.chunks(Self::TILE)) {
                *tile |= texels.iter().fold(0.0f32, |most, v| most.max(v.abs())) > 2e-4;
            }
        }
        Some(Self {
            light,
            texels: texels as f32,
            occupied,
            tiles_across,
        })
    }

    /// The change of light at a point of the head at rest: -0.1 takes a tenth.
    #[inline(always)]
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let width = self.light.width;
        let (x, y) = (
            (x - PLANE_LEFT) * self.texels,
            (PLANE_TOP - y) * self.texels,
        );
        // What lies outside the plane, and NaN, is no index of a texel.
        if !(x >= 0.5 && y >= 0.5 && x < width as f32 - 0.5 && y < self.light.height as f32 - 0.5) {
            return 0.0;
        }
        if !self.occupied[(y as usize / Self::TILE) * self.tiles_across + x as usize / Self::TILE] {
            return 0.0;
        }
        // `Image::linear` without its care for edges.
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (x as usize, y as usize);
        let (tx, ty) = (x - left as f32, y - top as f32);
        let at = top * width + left;
        let texels = &self.light.pixels;
        let (a, b, c, d) = (
            texels[at],
            texels[at + 1],
            texels[at + width],
            texels[at + width + 1],
        );
        let (above, below) = (a + (b - a) * tx, c + (d - c) * tx);
        above + (below - above) * ty
    }
}

fn add<'a>(to: impl Iterator<Item = &'a mut f32>, row: &[f32], amount: f32) {
    for (to, texel) in to.zip(row) {
        *to += amount * texel;
    }
}

/// Where the texture of skin is measured, on the head at rest: ranges of the distance from its middle and of the height in
/// centimetres, and the contrast of a young adult's skin there.
struct SkinRegion {
    x: Range<f32>,
    y: Range<f32>,
    contrast: f32,
}

const SKIN_REGIONS: [SkinRegion; 4] = [
    // The cheek, under the eye, the forehead, and between the brows.
    SkinRegion {
        x: 2.8..4.6,
        y: -1.8..1.0,
        contrast: 0.0082,
    },
    SkinRegion {
        x: 1.6..4.4,
        y: 1.0..2.3,
        contrast: 0.0127,
    },
    SkinRegion {
        x: 0.0..4.0,
        y: 6.0..8.3,
        contrast: 0.0132,
    },
    SkinRegion {
        x: 0.0..0.9,
        y: 4.0..6.0,
        contrast: 0.0115,
    },
];
/// Finer texture is grain, coarser is shape and light, in centimetres.
const TEXTURE: Range<f32> = 0.04..0.2;
/// Added to the brightness that contrast is relative to: dark skin shines more.
const BRIGHTNESS_FLOOR: f32 = 90.0;
/// Contrast, over a young adult's, of skin without folds and of skin with full ones.
const SMOOTH_TO_FOLDED: Range<f32> = 0.35..1.15;
/// Faces with fewer pixels a centimetre than the first don't show their texture, from the second on they do.
const TEXTURE_SEEN: Range<f32> = 4.0..8.0;
/// How strongly folds suit an unknown face.
const USUAL_FOLDS: f32 = 0.8;
/// Fewer samples of a region say nothing.
const FEWEST_SAMPLES: usize = 12;

/// How strongly folds suit a portrait, by the texture of its skin: 0 for smooth skin such as a child's or a cartoon's, 1 for
/// most adults'.
pub(super) fn portrait_folds(scene: &Scene) -> f32 {
    let unit = scene.fit.projection.unit;
    let seen = step(TEXTURE_SEEN.start, TEXTURE_SEEN.end, unit);
    let places: Vec<SkinPlace> = skin_places(scene);
    let points: Vec<[f32; 2]> = places.iter().map(|place| place.at).collect();
    let reduced = Reduced::around(&points, &scene.source, unit, 32.0, 0.5);
    let brightness = reduced
        .image
        .map(|[r, g, b, alpha]| [mean([r, g, b]), alpha]);
    let fine = brightness.blurred(TEXTURE.start * reduced.unit);
    let coarse = brightness.blurred(TEXTURE.end * reduced.unit);
    let contrast = |place: &SkinPlace| {
        let [x, y] = reduced.place(place.at);
        let inside =
            (0.0..coarse.width as f32).contains(&x) && (0.0..coarse.height as f32).contains(&y);
        let ([fine, _], [coarse, alpha]) = (fine.linear(x, y), coarse.linear(x, y));
        (inside && alpha > 0.99).then(|| (fine - coarse) / (coarse + BRIGHTNESS_FLOOR))
    };
    let logs: Vec<f32> = (0..SKIN_REGIONS.len())
        .filter_map(|region| {
            let of_region = places.iter().filter(|place| place.region == region);
            let values: Vec<f32> = of_region.filter_map(contrast).collect();
            let spread = |share| percentile(values.iter().copied(), share);
            let robust_deviation = 0.5 * (spread(0.84) - spread(0.16));
            let enough = values.len() >= FEWEST_SAMPLES;
            enough.then(|| {
                (robust_deviation / SKIN_REGIONS[region].contrast)
                    .max(1e-3)
                    .ln()
            })
        })
        .collect();
    if logs.is_empty() {
        return USUAL_FOLDS;
    }
    let texture = (logs.iter().sum::<f32>() / logs.len() as f32).exp();
    let found = step(SMOOTH_TO_FOLDED.start, SMOOTH_TO_FOLDED.end, texture);
    USUAL_FOLDS + seen * (found - USUAL_FOLDS)
}

/// A place of a region of the skin, in pixels.
struct SkinPlace {
    region: usize,
    at: [f32; 2],
}

/// The middles of the triangles in the regions that face the viewer.
fn skin_places(scene: &Scene) -> Vec<SkinPlace> {
    let (model, fit) = (scene.model, &scene.fit);
    let middle = |of: &[Point], corners: &[u32; 3]| {
        let [a, b, c] = corners.map(|corner| of[corner as usize]);
        [0, 1, 2].map(|k| (a[k] + b[k] + c[k]) / 3.0)
    };
    model
        .face_triangles
        .iter()
        .filter_map(|corners| {
            let [x, y, z] = middle(&model.neutral, corners);
            let region = SKIN_REGIONS.iter().position(|region| {
                z > 2.0 && region.x.contains(&x.abs()) && region.y.contains(&y)
            })?;
            let [px, py, _] = middle(&fit.before, corners);
            (middle(&fit.normals, corners)[2] > 0.35).then_some(SkinPlace {
                region,
                at: [px, py],
            })
        })
        .collect()
}

/// Light on the portrait's own nasolabial folds where its smile is taken back: they would stay as deep as the smile made
/// them.
pub(super) struct Creases {
    /// Where in the portrait.
    reduced: Reduced,
    /// What each channel gains, minus 1.
    gain: Image<[f32; 3]>,
    /// Which pixels of it aren't far from all gain.
    near_folds: Vec<bool>,
}

/// The smile whose fold is gone entirely when it is taken back, as a coefficient.
const WHOLE_SMILE: f32 = 0.9;
/// Blurs of a fold and of the skin around it, and how far a fold reaches, in centimetres.
const FOLD_BLUR: f32 = 0.12;
const SKIN_BLUR: f32 = 1.0;
const FOLD_REACH: f32 = 0.65;
/// A fold is lightened by this much at most.
const MOST_GAIN: f32 = 0.5;
/// Brightness over that of the skin: below the first it isn't skin but hair, a nostril or the mouth; from the second on it
/// is.
const SKIN_FROM: (f32, f32) = (0.3, 0.55);

impl Creases {
    /// `None` unless the coefficients `after` take a smile back.
    pub fn new(scene: &Scene, after: &[f32]) -> Option<Self> {
        let before = &scene.fit.expression;
        let taken_back = Half::BOTH.map(|half| {
            let smile = scene.model.expression("mouthSmile", half);
            let values = smile.and_then(|i| Some((before.get(i)?, after.get(i)?)));
            values.map_or(0.0, |(before, after)| {
                ((before - after) / WHOLE_SMILE).clamp(0.0, 1.0)
            })
        });
        if taken_back == [0.0; 2] {
            return None;
        }
        let paths = nasolabial_vertices(scene.model).each_ref().map(|path| {
            let points = path.iter().map(|vertex| scene.fit.before[*vertex]);
            points.map(|[x, y, _]| [x, y]).collect::<Vec<[f32; 2]>>()
        });
        let unit = scene.fit.projection.unit;
        let reduced = Reduced::around(&paths.concat(), &scene.source, unit, 16.0, 1.5 * SKIN_BLUR);
        let (width, height) = (reduced.image.width, reduced.image.height);
        let paths = paths.map(|path| {
            path.into_iter()
                .map(|at| reduced.place(at))
                .collect::<Vec<_>>()
        });
        let lips: Vec<[f32; 2]> = LIPS[..20]
            .iter()
            .map(|landmark| reduced.place(scene.fit.landmarks[*landmark]))
            .collect();
        let lips = coverage(&lips, width, height).blurred(0.1 * reduced.unit);
        let skin_brightness = mean(scene.tone.skin).max(1.0);
        let skin = Image::from_fn(width, height, |x, y| {
            let [r, g, b, alpha] = reduced.image.at(x, y);
            let brightness = mean([r, g, b]) / alpha.max(1e-3) / skin_brightness;
            let weight =
                (1.0 - 2.0 * lips.at(x, y)).max(0.0) * step(SKIN_FROM.0, SKIN_FROM.1, brightness);
            [r, g, b, alpha].map(|v| v * weight)
        });
        let fold = skin.blurred(FOLD_BLUR * reduced.unit);
        let around = skin.blurred(SKIN_BLUR * reduced.unit);
        let gain = Image::from_fn(width, height, |x, y| {
            let at = [x as f32 + 0.5, y as f32 + 0.5];
            let strength: f32 = paths
                .iter()
                .zip(taken_back)
                .map(|(path, taken_back)| {
                    taken_back * near_fold(path, at, FOLD_REACH * reduced.unit)
                })
                .sum();
            let (fold, around) = (fold.at(x, y), around.at(x, y));
            // Where there is hardly any skin nothing is known.
            let known = step(0.2, 0.7, fold[3]) * strength.min(1.0);
            if known == 0.0 {
                return [0.0; 3];
            }
            [0, 1, 2].map(|k| {
                let wanted = around[k] / around[3].max(1e-3);
                let own = fold[k] / fold[3];
                known * (wanted / own.max(1.0) - 1.0).clamp(0.0, MOST_GAIN)
            })
        });
        // Where a bilinear sample can meet any gain.
        let near_folds = gain
            .map(|gain| if gain == [0.0; 3] { 0.0 } else { 1.0 })
            .dilated(1.5);
        Some(Self {
            near_folds: near_folds.pixels.iter().map(|near| *near > 0.0).collect(),
            reduced,
            gain,
        })
    }

    /// What the channels of a point of the portrait gain, minus 1; `None` away from the folds.
    #[inline(always)]
    pub fn gain(&self, from: [f32; 2]) -> Option<[f32; 3]> {
        let [x, y] = self.reduced.place(from);
        let (width, height) = (self.gain.width, self.gain.height);
        let inside = x >= 0.0 && y >= 0.0 && x < width as f32 && y < height as f32;
        let near = inside && self.near_folds[y as usize * width + x as usize];
        near.then(|| self.gain.linear(x, y))
    }
}

/// 1 on a fold, 0 away from it and at its ends.
fn near_fold(path: &[[f32; 2]], at: [f32; 2], reach: f32) -> f32 {
    let near = nearest(path, at, [0.0, 1.0]);
    let ends = step(0.0, 0.15, near.along) * step(1.0, 0.8, near.along);
    ends * step(1.6 * reach, 0.4 * reach, near.distance)
}

/// The vertices along the nasolabial folds of both halves, in the order of [`Half::BOTH`].
fn nasolabial_vertices(model: &Model) -> &'static [Vec<usize>; 2] {
    static VERTICES: OnceLock<[Vec<usize>; 2]> = OnceLock::new();
    VERTICES.get_or_init(|| {
        let line = LINES.iter().find(|line| line.fold == Fold::Nasolabial);
        let path = line.map(Line::path).unwrap_or_default();
        Half::BOTH.map(|half| {
            let side = if half == Half::Left { 1.0 } else { -1.0 };
            let nearest = |&[x, y]: &[f32; 2]| {
                // Of vertices behind each other the front one.
                let away = |v: &usize| {
                    let at = model.neutral[*v];
                    (at[0] - side * x).powi(2) + (at[1] - y).powi(2) - 0.05 * at[2]
                };
                (0..model.face).min_by(|a, b| away(a).total_cmp(&away(b)))
            };
            path.iter().filter_map(nearest).collect()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::tone::tests::{lit_face, side_light};
    use super::*;
    use proptest::prelude::*;

    fn model() -> &'static Model {
        Model::bundled().unwrap()
    }

    proptest! {
        #[test]
        fn amounts_are_continuous_and_bounded(
            before in prop::collection::vec(0f32..1.5, 80),
            after in prop::collection::vec(0f32..1.5, 80),
            share in 0f32..1.0,
        ) {
            let n = model().names.len();
            let (before, after) = (&before[..n], &after[..n]);
            let between = |share: f32| -> Vec<f32> {
                before.iter().zip(after).map(|(a, b)| a + share * (b - a)).collect()
            };
            let near = amounts(model(), before, &between(share));
            let nearer = amounts(model(), before, &between(share + 1e-3));
            for (a, b) in near.iter().flatten().zip(nearer.iter().flatten()) {
                prop_assert!((-0.6..=1.2).contains(a) && (a - b).abs() < 5e-3);
            }
            prop_assert_eq!(amounts(model(), before, before), [[0.0; 7]; 2]);
        }

        #[test]
        fn halves_mirror_each_other(x in -6.9f32..6.9, y in -6.4f32..9.9, fold in 0usize..7) {
            let mut one = [[0.0; 7]; 2];
            one[0][fold] = 0.8;
            let other = [one[1], one[0]];
            let (one, other) = (FoldMap::new(&one, 40.0).unwrap(), FoldMap::new(&other, 40.0).unwrap());
            prop_assert!((one.at(x, y) - other.at(-x, y)).abs() < 1e-3);
        }

        #[test]
        fn small_faces_have_the_same_folds(x in -6.9f32..6.9, y in -6.4f32..9.9) {
            let all = [[1.0; 7]; 2];
            let (fine, coarse) = (FoldMap::new(&all, 40.0).unwrap(), FoldMap::new(&all, 14.0).unwrap());
            prop_assert!((fine.at(x, y) - coarse.at(x, y)).abs() < 0.04);
        }
    }

    #[test]
    fn a_fold_is_dark_and_its_ridge_bright_and_nothing_lies_outside() {
        let map = FoldMap::new(&[[1.0; 7]; 2], 40.0).unwrap();
        // Across the person's left nasolabial fold.
        assert!(map.at(2.65, -2.3) < -0.1);
        assert!(map.at(3.4, -2.0) > 0.005);
        for (x, y) in [
            (99.0, 0.0),
            (-99.0, 0.0),
            (0.0, 99.0),
            (0.0, -99.0),
            (f32::NAN, 0.0),
            (7.0, -7.0),
        ] {
            assert_eq!(map.at(x, y), 0.0);
        }
        assert!(FoldMap::new(&[[0.0; 7]; 2], 40.0).is_none());
    }

    #[test]
    fn the_path_of_the_nasolabial_fold_lies_on_the_head() {
        let path = LINES[0].path();
        for (half, vertices) in Half::BOTH.into_iter().zip(nasolabial_vertices(model())) {
            assert_eq!(vertices.len(), path.len());
            let side = if half == Half::Left { 1.0 } else { -1.0 };
            for (vertex, [x, y]) in vertices.iter().zip(&path) {
                let at = model().neutral[*vertex];
                assert!(
                    (at[0] - side * x).hypot(at[1] - y) < 0.4 && at[2] > 5.0,
                    "{at:?} {x} {y}"
                );
            }
        }
    }

    /// A smiling face with dark nasolabial folds.
    fn smiling() -> Scene {
        let mut scene = lit_face(12.0, &side_light());
        for half in Half::BOTH {
            let smile = model().expression("mouthSmile", half).unwrap();
            scene.fit.expression[smile] = 0.9;
        }
        let paths = nasolabial_vertices(model()).each_ref().map(|path| {
            let points = path
                .iter()
                .map(|v| [scene.fit.before[*v][0], scene.fit.before[*v][1]]);
            points.collect::<Vec<[f32; 2]>>()
        });
        let source = scene.source.clone();
        scene.source = Image::from_fn(source.width, source.height, |x, y| {
            let at = [x as f32 + 0.5, y as f32 + 0.5];
            let distance = paths
                .iter()
                .map(|path| nearest(path, at, [0.0, 1.0]).distance / 12.0);
            let away = distance.fold(f32::INFINITY, f32::min) / 0.2;
            let [r, g, b, alpha] = source.at(x, y);
            let light = 1.0 - 0.3 * (-away * away).exp();
            [r * light, g * light, b * light, alpha]
        });
        scene
    }

    #[test]
    fn taking_a_smile_back_lightens_its_folds_in_proportion() {
        let scene = smiling();
        assert!(Creases::new(&scene, &scene.fit.expression).is_none());
        let vertex = nasolabial_vertices(model())[0][7];
        let [x, y, _] = scene.fit.before[vertex];
        let mut lights = Vec::new();
        for left in [0.6, 0.3, 0.0] {
            let mut after = scene.fit.expression.clone();
            for half in Half::BOTH {
                after[model().expression("mouthSmile", half).unwrap()] = left;
            }
            let creases = Creases::new(&scene, &after).unwrap();
            lights.push(1.0 + creases.gain([x, y]).unwrap()[1]);
            // Nothing on the forehead, nor outside of the picture.
            let [fx, fy, _] = scene.fit.before[model().landmarks[10]];
            assert_eq!(creases.gain([fx, fy]), None);
            assert_eq!(creases.gain([-1e9, f32::NAN]), None);
        }
        assert!(
            lights[0] > 1.01 && lights[1] > lights[0] && lights[2] > lights[1],
            "{lights:?}"
        );
        assert!(
            lights[2] > 1.08 && lights[2] < 1.0 + MOST_GAIN,
            "{lights:?}"
        );
    }

    #[test]
    fn smooth_skin_has_no_folds_and_rough_skin_has() {
        let mut scene = lit_face(16.0, &side_light());
        let smooth = scene.source.clone();
        let mut found = Vec::new();
        for contrast in [0.0, 0.03, 0.06, 0.12] {
            scene.source = Image::from_fn(smooth.width, smooth.height, |x, y| {
                // Waves of half a centimetre, well within the band.
                let light = 1.0 + contrast * (x as f32 * 0.8).sin() * (y as f32 * 0.8).cos();
                let [r, g, b, alpha] = smooth.at(x, y);
                [r * light, g * light, b * light, alpha]
            });
            found.push(portrait_folds(&scene));
        }
        assert!(found.is_sorted() && found[1] < found[2], "{found:?}");
        assert!(found[0] < 0.1 && found[3] > 0.95, "{found:?}");
        // A picture without a face in it, or too small a one.
        scene.source = Image::filled(1, 1, [0.0; 4]);
        assert_eq!(portrait_folds(&scene), USUAL_FOLDS);
        let scene = lit_face(3.0, &side_light());
        assert_eq!(portrait_folds(&scene), USUAL_FOLDS);
    }
}
