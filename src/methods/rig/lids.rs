//! Eyelids: the skin of a closed lid, and the lashes along its edge.
//!
//! A portrait shows little of a raised lid. The skin that a blink exposes is filled in from the skin below the brow, and
//! the portrait's lashes are redrawn along the new edge.

use rayon::prelude::*;

use super::image::{Image, lerp};
use super::openings::Opening;
use super::polyline::{Nearest, Polyline};
use super::scene::Scene;
use super::tone::{mean, percentile};
use crate::math::smoothstep_between;

/// Lower edges of the brows from the picture's left to its right, as landmarks: the person's right brow, then the left.
const BROWS: [[usize; 5]; 2] = [[46, 53, 52, 65, 55], [285, 295, 282, 283, 276]];

// Lengths are in widths of the eye.

/// The lid skin is opaque up to the first distance above the lid's edge, and fades out up to the second.
const SKIN_FULL: f32 = 0.10;
const SKIN_END: f32 = 0.25;
/// How far the lid skin extends below the lower lid's edge. The lower lashes stay.
const SKIN_BELOW: f32 = 0.03;
/// How far from the lid's edge lashes are sampled, and where sampling starts (negative is inside the eye).
const LASH_REACH: f32 = 0.20;
const LASH_START: f32 = -0.015;
/// Samples of the lashes along the lid and away from it.
const LASH_SIZE: (usize, usize) = (64, 24);
/// Lower bound on the lashes' brightness factor.
const DARKEST_LASH: f32 = 0.38;

/// How far an eye must be closed for the lid skin to appear, and to have fully replaced the portrait's.
const SKIN_FROM: f32 = 0.45;
const SKIN_TO: f32 = 0.92;
/// The same thresholds for the stretching of the portrait's skin.
const STRETCH_FROM: f32 = 1.6;
const STRETCH_TO: f32 = 2.4;

/// Fill weight of skin that isn't between lid and brow, and of skin that is dark with make-up or shadow.
const ELSEWHERE: f32 = 0.25;
const MIN_BARE: f32 = 0.15;

/// The skin between lid and brow is in shadow, and would look grey on a lit lid: this fraction of the face's hue is mixed
/// in, and this fraction of the brightness missing to `LIT` of the skin's is added.
const HUE: f32 = 0.55;
const LIFT: f32 = 0.35;
const LIT: f32 = 0.88;

/// The layers of a lid, in a crop of the portrait around one eye.
#[derive(Debug, Clone)]
pub(super) struct LidLayer {
    /// Skin without eye, lashes and make-up, with grain.
    skin: Image<[f32; 3]>,
    /// Mask of where the skin may replace the portrait's.
    zone: Image<f32>,
    /// Brightness factor of the lashes, along the lid and away from it.
    lashes: Image<f32>,
    /// The eye's width in pixels.
    width: f32,
}

/// The input of [`LidLayer::new`]: the crop of one eye.
pub(super) struct LidSource<'a> {
    pub colours: &'a Image<[f32; 3]>,
    /// The fraction of each pixel that is between the lids.
    pub inside: &'a Image<f32>,
    /// The lids in the crop.
    pub lids: &'a Opening,
    /// The eye's width in pixels.
    pub width: f32,
    /// Position of the crop's first pixel in the portrait.
    pub origin: [f32; 2],
    /// 0 for the person's right eye.
    pub eye: usize,
}

/// The position of one pixel of the crop relative to the lids.
#[derive(Debug, Clone, Copy, Default)]
struct Around {
    upper: Nearest,
    lower: Nearest,
}

impl LidLayer {
    pub fn new(scene: &Scene, source: &LidSource<'_>) -> Self {
        let (w, down) = (source.width, scene.fit.projection.down);
        let (upper, lower) = (
            Polyline::new(&source.lids.upper, down),
            Polyline::new(&source.lids.lower, down),
        );
        let (columns, rows) = (source.colours.width, source.colours.height);
        let middle = |x: usize, y: usize| [x as f32 + 0.5, y as f32 + 0.5];
        let mut around = vec![Around::default(); columns * rows];
        around
            .par_iter_mut()
            .with_min_len(4096)
            .enumerate()
            .for_each(|(i, to)| {
                let at = middle(i % columns, i / columns);
                *to = Around {
                    upper: upper.nearest(at, 0.6 * w),
                    lower: lower.nearest(at, 0.2 * w),
                };
            });
        let around = |x: usize, y: usize| around[y * columns + x];
        let zone = Image::from_fn(columns, rows, |x, y| {
            let near = around(x, y);
            let above = if near.upper.above {
                smoothstep_between(SKIN_END * w, SKIN_FULL * w, near.upper.distance)
            } else {
                0.0
            };
            let below = smoothstep_between(SKIN_BELOW * w + 1.0, 1.0, near.lower.distance);
            above.max(below).max(source.inside.at(x, y))
        });
        let weight = skin_weights(scene, source, &zone, around);
        let skin = source.colours.pull_push(&weight).blurred(0.03 * w + 0.5);
        let skin = skin.map(|colour| lit_skin(colour, scene.tone.skin));
        let zone = without_bare_skin(source, &zone, &skin);
        let lashes = lashes(source, &skin, down);
        let grain = grain_strength(source.colours, &zone, w);
        let skin = with_grain(&skin, grain, 0.02 * w);
        Self {
            skin,
            zone: zone.blurred(0.01 * w + 0.3),
            lashes,
            width: w,
        }
    }

    /// Whether any lid skin is visible for an eye closed by `shut` where the skin is stretched by a factor of `stretch`.
    #[inline]
    pub fn shows(shut: f32, stretch: f32) -> bool {
        shut > SKIN_FROM || stretch > STRETCH_FROM
    }

    /// The opacity of the lid skin at a point of the crop, for an eye closed by `shut` where the skin is stretched by a
    /// factor of `stretch`.
    #[inline]
    pub fn amount(&self, [x, y]: [f32; 2], shut: f32, stretch: f32) -> f32 {
        if !Self::shows(shut, stretch) {
            return 0.0;
        }
        let share = smoothstep_between(SKIN_FROM, SKIN_TO, shut).max(smoothstep_between(
            STRETCH_FROM,
            STRETCH_TO,
            stretch,
        ));
        if !inside(&self.zone, x, y) {
            return 0.0;
        }
        share * self.zone.linear(x, y)
    }

    /// The lid skin's colour at a point of the crop.
    #[inline]
    pub fn skin(&self, [x, y]: [f32; 2]) -> [f32; 3] {
        self.skin.linear(x, y)
    }

    /// Shading factor of a lid's round shape, by the position relative to its new edge: light where it bulges, darker at
    /// the rim and towards the crease and the corners.
    #[inline]
    pub fn relief(&self, edge: &Nearest, shut: f32) -> f32 {
        let away = edge.distance / self.width;
        let bulge = 0.04 * (-((away - 0.15) / 0.09).powi(2)).exp();
        let rim = 0.10 * (-(away / 0.06).powi(2)).exp();
        let crease = 0.10 * (-((away - 0.31) / 0.10).powi(2)).exp();
        let corners = 0.06 * (1.0 - (std::f32::consts::PI * edge.along).sin());
        1.0 + shut * (-0.03 + bulge - rim - crease - corners)
    }

    /// Brightness factor of the lashes along the new edge. `above` is the opacity of the lid skin over the portrait's
    /// lashes here.
    #[inline]
    pub fn lash(&self, edge: &Nearest, shut: f32, above: f32) -> f32 {
        let w = self.width;
        if edge.distance > LASH_REACH * w {
            return 1.0;
        }
        // No lashes at the corners.
        let ends = smoothstep_between(0.0, 0.16, edge.along.min(1.0 - edge.along));
        let pattern = if edge.above {
            // The lashes of a closed lid are shorter in the picture.
            let lash = self.lash_at(edge.along, edge.distance * (1.0 + 2.8 * shut));
            1.0 - (1.0 - lash) * above * (1.0 - 0.3 * shut) * ends
        } else {
            let lash = self.lash_at(edge.along, edge.distance * 1.4 + 0.02 * w);
            1.0 - (1.0 - lash) * 0.65 * smoothstep_between(0.6, 0.98, shut) * ends
        };
        let line = 0.35 * (-(edge.distance / (0.018 * w + 0.3)).powi(2)).exp();
        pattern * (1.0 - line * smoothstep_between(0.5, 0.95, shut) * ends)
    }

    fn lash_at(&self, along: f32, distance: f32) -> f32 {
        let (columns, rows) = LASH_SIZE;
        let away = (distance / self.width - LASH_START) / LASH_REACH;
        let x = along * (columns - 1) as f32 + 0.5;
        let y = away.clamp(0.0, 1.0) * (rows - 1) as f32 + 0.5;
        self.lashes.linear(x, y)
    }
}

/// Relights a colour from the shadow under the brow for the lid.
fn lit_skin(shaded: [f32; 3], skin: [f32; 3]) -> [f32; 3] {
    let (shaded_brightness, skin_brightness) = (mean(shaded), mean(skin).max(1.0));
    let hued = lerp(
        shaded,
        skin.map(|v| v * shaded_brightness / skin_brightness),
        HUE,
    );
    let lift =
        1.0 + LIFT * (LIT * skin_brightness / shaded_brightness.max(1.0) - 1.0).clamp(0.0, 1.0);
    hued.map(|v| v * lift)
}

fn inside<T>(image: &Image<T>, x: f32, y: f32) -> bool {
    x >= 0.0 && y >= 0.0 && x < image.width as f32 && y < image.height as f32
}

/// Fill weight of each pixel: high for skin between lid and brow that is neither dark nor bright, and low for skin
/// elsewhere.
fn skin_weights(
    scene: &Scene,
    source: &LidSource<'_>,
    zone: &Image<f32>,
    around: impl Fn(usize, usize) -> Around + Sync,
) -> Image<f32> {
    let w = source.width;
    let brow: Vec<[f32; 2]> = BROWS[source.eye.min(1)]
        .iter()
        .filter_map(|landmark| scene.fit.landmarks.get(*landmark))
        .map(|[x, y]| [x - source.origin[0], y - source.origin[1]])
        .collect();
    let brow = Polyline::new(&brow, scene.fit.projection.down);
    // 1 between lid and brow, less elsewhere on skin, 0 on eye, lashes and brow.
    let place = Image::from_fn(zone.width, zone.height, |x, y| {
        let near = around(x, y);
        if zone.at(x, y) > 0.02 || near.lower.distance < 0.16 * w {
            return 0.0;
        }
        let above = near.upper.above && near.upper.distance < 0.55 * w;
        let hair = brow.nearest([x as f32 + 0.5, y as f32 + 0.5], 1.2 * w);
        if hair.distance < 0.06 * w || (hair.above && above) {
            0.0
        } else if above {
            1.0
        } else {
            ELSEWHERE
        }
    });
    let brightness = |i: usize| mean(source.colours.pixels[i]);
    let bone: Vec<f32> = (0..place.pixels.len())
        .filter(|i| place.pixels[*i] == 1.0)
        .map(brightness)
        .collect();
    let [darkest, dark, bright, brightest] = if bone.is_empty() {
        [-2.0, -1.0, 256.0, 257.0]
    } else {
        [0.1, 0.4, 0.7, 0.95].map(|share| percentile(bone.iter().copied(), share))
    };
    // Excludes shadow, make-up, hair and highlights.
    Image::from_fn(zone.width, zone.height, |x, y| {
        let i = y * zone.width + x;
        let light = brightness(i);
        let bareness = smoothstep_between(darkest, dark.max(darkest + 1.0), light)
            * smoothstep_between(brightest.max(bright + 1.0), bright, light);
        place.pixels[i] * lerp(MIN_BARE, 1.0, bareness)
    })
}

/// Reduces `zone` where the portrait's skin resembles the layer's, so that it is kept.
fn without_bare_skin(
    source: &LidSource<'_>,
    zone: &Image<f32>,
    skin: &Image<[f32; 3]>,
) -> Image<f32> {
    let smooth = source.colours.blurred(0.02 * source.width);
    let other = Image::from_fn(zone.width, zone.height, |x, y| {
        let (portrait_brightness, skin_brightness) = (mean(smooth.at(x, y)), mean(skin.at(x, y)));
        smoothstep_between(
            0.03,
            0.12,
            (portrait_brightness - skin_brightness).abs() / (skin_brightness + 10.0),
        )
    });
    let other = other.blurred(0.02 * source.width + 0.5);
    Image::from_fn(zone.width, zone.height, |x, y| {
        zone.at(x, y) * lerp(0.3, 1.0, other.at(x, y)).max(source.inside.at(x, y))
    })
}

/// The brightness factor of the lashes along the upper lid of the portrait, fading out away from it.
fn lashes(source: &LidSource<'_>, skin: &Image<[f32; 3]>, down: [f32; 2]) -> Image<f32> {
    let (columns, rows) = LASH_SIZE;
    let line = &source.lids.upper;
    let raw = Image::from_fn(columns, rows, |column, row| {
        let along = column * line.len().saturating_sub(1) / (columns - 1);
        let away = row as f32 / (rows - 1) as f32 * LASH_REACH + LASH_START;
        let Some([x, y]) = line.get(along) else {
            return 1.0;
        };
        let [nx, ny] = upward(line, along, down);
        let (x, y) = (x + nx * away * source.width, y + ny * away * source.width);
        let (portrait_brightness, skin_brightness) =
            (mean(source.colours.linear(x, y)), mean(skin.linear(x, y)));
        ((portrait_brightness + 4.0) / (skin_brightness + 4.0)).clamp(DARKEST_LASH, 1.0)
    });
    let soft = raw.blurred(0.7);
    Image::from_fn(columns, rows, |column, row| {
        let fade = 1.0 - smoothstep_between(0.25, 0.95, row as f32 / (rows - 1) as f32);
        lerp(1.0, soft.at(column, row), fade)
    })
}

/// The unit vector away from the eye at a point of its upper lid.
fn upward(line: &[[f32; 2]], i: usize, down: [f32; 2]) -> [f32; 2] {
    let (a, b) = (line[i.saturating_sub(1)], line[(i + 1).min(line.len() - 1)]);
    let (x, y) = (b[1] - a[1], a[0] - b[0]);
    let length = x.hypot(y);
    if length < 1e-6 {
        return [-down[0], -down[1]];
    }
    let sign = if x * down[0] + y * down[1] > 0.0 {
        -1.0
    } else {
        1.0
    };
    [sign * x / length, sign * y / length]
}

/// Standard deviation of the grain to add to smooth skin: a fraction of that of the surrounding skin.
fn grain_strength(colours: &Image<[f32; 3]>, zone: &Image<f32>, w: f32) -> f32 {
    let smooth = colours.blurred(0.05 * w + 0.6);
    let deviations = (0..zone.pixels.len())
        .filter(|i| zone.pixels[*i] == 0.0)
        .map(|i| (mean(colours.pixels[i]) - mean(smooth.pixels[i])).abs());
    // Converts the median absolute deviation to the standard deviation of a normal distribution.
    (0.3 * 1.4826 * percentile(deviations, 0.5)).min(3.0)
}

/// Adds noise with a standard deviation of `strength` and a grain size of `size` pixels.
fn with_grain(skin: &Image<[f32; 3]>, strength: f32, size: f32) -> Image<[f32; 3]> {
    let noise = Image::from_fn(skin.width, skin.height, hash_noise).blurred(size.max(0.6));
    let count = noise.pixels.len().max(1) as f32;
    let square: f32 = noise.pixels.iter().map(|v| v * v).sum();
    let scale = strength / (square / count).sqrt().max(1e-6);
    Image::from_fn(skin.width, skin.height, |x, y| {
        let grain = noise.at(x, y) * scale;
        skin.at(x, y).map(|v| v + grain)
    })
}

/// Deterministic white noise in -1..=1.
fn hash_noise(x: usize, y: usize) -> f32 {
    let mut bits = (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77);
    bits = (bits ^ (bits >> 15)).wrapping_mul(0x2c1b_3c6d);
    bits = (bits ^ (bits >> 12)).wrapping_mul(0x297a_2d39);
    bits ^= bits >> 15;
    bits as f32 / u32::MAX as f32 * 2.0 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lit_lid_has_the_hue_of_the_face() {
        let skin = [200.0, 150.0, 120.0];
        let lit = lit_skin([90.0; 3], skin);
        assert!(lit[0] > lit[1] && lit[1] > lit[2], "{lit:?}");
        assert!(mean(lit) > 91.0 && mean(lit) < mean(skin), "{lit:?}");
        // Lit skin isn't changed, and grey portraits stay grey.
        for (own, same) in lit_skin(skin, skin).into_iter().zip(skin) {
            assert!((own - same).abs() < 1e-3);
        }
        let [r, g, b] = lit_skin([60.0; 3], [130.0; 3]);
        assert!((r - g).abs() < 1e-3 && (g - b).abs() < 1e-3);
    }
}
