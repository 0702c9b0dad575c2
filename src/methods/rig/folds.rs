//! Skin folds that deepen or soften with an expression, drawn as dark lines with a bright ridge.

use std::sync::OnceLock;

use rayon::prelude::*;

use super::image::Image;
use super::model::{Half, Model};
use super::polyline::Polyline;
use crate::math::smoothstep_between;

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

/// The depth of each fold, for each half of the face in the order of [`Half::BOTH`]: 1 is a full fold, negative lightens.
pub(super) type Amounts = [[f32; FOLDS.len()]; 2];

/// The folds caused by a change of the model's coefficients.
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
            // Lightening a fold that doesn't exist is more visible than darkening; [`Creases`] lighten the nasolabial
            // one.
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

/// One line of a fold on the person's left half: a dark Gaussian with a bright ridge on one side, faded at both ends.
///
/// Lengths are centimetres in the frontal plane of the neutral head, y up.
struct Line {
    fold: Fold,
    /// Two to four points of a smooth curve.
    points: &'static [[f32; 2]],
    width: f32,
    /// The fraction of the light that the line removes.
    depth: f32,
    /// Height of the ridge relative to the line's depth.
    ridge: f32,
    /// The direction from the line to its ridge.
    toward_ridge: [f32; 2],
    /// The fraction of the line over which each end fades.
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
    /// The distance at which the ridge has faded, in widths of the line.
    const RIDGE_RADIUS: f32 = 1.9 + 1.5 * 2.6;

    /// A polyline along the curve: the polynomial through the points, parametrised by chord length.
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
    fn light(&self, path: &Polyline, at: [f32; 2]) -> f32 {
        let near = path.nearest(at, f32::INFINITY);
        let distance = near.distance / self.width;
        if distance > Self::RIDGE_RADIUS {
            return 0.0;
        }
        let ends = smoothstep_between(0.0, self.fade, near.along)
            * smoothstep_between(1.0, 1.0 - self.fade, near.along);
        let sided = if near.above { -distance } else { distance };
        let ridge = self.ridge * (-((sided - 1.9) / 1.5).powi(2)).exp();
        self.depth * ends * (ridge - (-distance * distance).exp())
    }
}

/// The section of the neutral head's frontal plane that contains all folds, in centimetres.
const PLANE_LEFT: f32 = -7.0;
const PLANE_TOP: f32 = 10.0;
const PLANE_WIDTH: usize = 14;
const PLANE_HEIGHT: usize = 17;
/// Texels per centimetre of the finest textures; each coarser level has half.
const FINEST: usize = 32;
const LEVELS: usize = 4;

/// The texture of one fold on the person's left half, cropped; `left` and `top` are its position in the plane.
struct Patch {
    left: usize,
    top: usize,
    texture: Image<f32>,
}

impl Patch {
    fn of(fold: Fold) -> Self {
        /// Corners are whole texels at every level.
        const ALIGNED: usize = 1 << (LEVELS - 1);
        let lines: Vec<(&Line, Vec<[f32; 2]>)> = LINES
            .iter()
            .filter(|line| line.fold == fold)
            .map(|line| (line, line.path()))
            .collect();
        let texel = |length: f32| (length.max(0.0) * FINEST as f32) as usize / ALIGNED * ALIGNED;
        let (mut left, mut right, mut top, mut bottom) = (usize::MAX, 0, usize::MAX, 0);
        for (line, path) in &lines {
            let radius = line.width * Line::RIDGE_RADIUS;
            for [x, y] in path {
                left = left.min(texel(x - radius - PLANE_LEFT));
                right = right.max(texel(x + radius - PLANE_LEFT) + ALIGNED);
                top = top.min(texel(PLANE_TOP - y - radius));
                bottom = bottom.max(texel(PLANE_TOP - y + radius) + ALIGNED);
            }
        }
        let (right, bottom) = (
            right.min(PLANE_WIDTH * FINEST),
            bottom.min(PLANE_HEIGHT * FINEST),
        );
        let (left, top) = (left.min(right), top.min(bottom));
        let place = |texel: usize| (texel as f32 + 0.5) / FINEST as f32;
        let lines: Vec<(&Line, Polyline)> = lines
            .into_iter()
            .map(|(line, path)| (line, Polyline::new(&path, line.toward_ridge)))
            .collect();
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

/// The light of all folds over the neutral head.
pub(super) struct FoldMap {
    light: Image<f32>,
    texels: f32,
    /// Which tiles of [`FoldMap::TILE`] texels aren't empty.
    occupied: Vec<bool>,
    tiles_across: usize,
}

impl FoldMap {
    const TILE: usize = 8;

    /// Folds of given amounts, for a face with `unit` pixels per centimetre; `None` if all are 0.
    pub fn new(amounts: &Amounts, pixels_per_cm: f32) -> Option<Self> {
        if amounts.iter().flatten().all(|amount| *amount == 0.0) {
            return None;
        }
        // No more texels than pixels, so that thin lines don't alias on small faces.
        let level = (0..LEVELS - 1).find(|level| (FINEST >> level) as f32 <= 1.25 * pixels_per_cm);
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

    /// The change of light at a point of the neutral head: -0.1 removes a tenth.
    #[inline(always)]
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let width = self.light.width;
        let (x, y) = (
            (x - PLANE_LEFT) * self.texels,
            (PLANE_TOP - y) * self.texels,
        );
        // Also rejects NaN.
        if !(x >= 0.5 && y >= 0.5 && x < width as f32 - 0.5 && y < self.light.height as f32 - 0.5) {
            return 0.0;
        }
        if !self.occupied[(y as usize / Self::TILE) * self.tiles_across + x as usize / Self::TILE] {
            return 0.0;
        }
        // `Image::linear` without clamping at the edges.
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

/// The path of the nasolabial fold on the person's left half, in the plane of the neutral head.
pub(super) fn nasolabial_path() -> Vec<[f32; 2]> {
    let line = LINES.iter().find(|line| line.fold == Fold::Nasolabial);
    line.map(Line::path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn model() -> &'static Model {
        Model::bundled().unwrap()
    }

    proptest! {
        #[test]
        fn fold_amounts_are_continuous_and_bounded(
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
        fn the_folds_of_both_halves_are_mirror_images(x in -6.9f32..6.9, y in -6.4f32..9.9, fold in 0usize..7) {
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
}
