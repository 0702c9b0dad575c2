//! Changes the shading of the skin with an expression: by the turning surface, and by folds.

use std::ops::Range;

use super::creases::{CreaseLayer, Creases};
use super::field::Field;
use super::folds::{self, FoldMap};
use super::image::{Image, Rgba, lerp};
use super::scene::{Deformed, Scene};
use crate::math::smoothstep_between;
use crate::nn::isa::{Isa, multiversion};

/// Gains of the fitted light, which is smoother than the portrait's: shadows are deepened a little, but brightening is
/// reduced, since skin would seem to glow.
const SHADOW_GAIN: f32 = 1.25;
const LIGHT_GAIN: f32 = 0.7;
/// Bounds of the light from the turning surface.
const DARKEST: f32 = 0.55;
const BRIGHTEST: f32 = 1.3;
/// Bounds of the total light.
const BOUNDS: (f32, f32) = (0.3, 2.0);
/// Strength with a turned head: the light was estimated for the portrait's pose only.
const TURNED: f32 = 0.6;
/// Reduction on overexposed skin, where a shadow would be grey.
const OVEREXPOSED: f32 = 0.75;
/// Smaller changes are invisible.
const MIN_CHANGE: f32 = 2e-4;
/// Exponents of shadows for red, green and blue in a coloured portrait: shadows on skin are warmer.
const WARM: [f32; 3] = [0.80, 1.02, 1.18];
/// Reduction on lips, which are wet, and coarse in the model.
const LIPS: f32 = 0.7;
/// Cell size and blur of the turning surface's light, in centimetres.
const CELL: f32 = 0.08;
const BLUR: f32 = 0.08;

/// For each vertex of the skin the ratio of its light in the deformed head to that in the portrait.
pub(super) fn light_ratios(scene: &Scene, deformed: &Deformed) -> Vec<f32> {
    let normals = deformed.normals.iter().zip(&scene.fit.normals);
    normals
        .map(|(after, before)| {
            let ratio = scene.tone.shade(*after) / scene.tone.shade(*before);
            ratio.clamp(0.4, 1.8)
        })
        .collect()
}

/// Changes the shading of the warped portrait. `folds` scales the folds: 1 suits adults, 0 to 0.4 suits children.
/// `creases` is only called if a smile is reduced.
///
/// Nothing changes if the head is as in the portrait.
pub(super) fn apply<'a>(
    scene: &Scene,
    deformed: &Deformed,
    field: &Field,
    folds: f32,
    creases: impl FnOnce() -> &'a CreaseLayer,
    out: &mut Image<Rgba>,
) {
    let (before, after) = (&scene.fit.expression, &deformed.expression);
    let same_size = [&field.core, &field.weight]
        .iter()
        .all(|part| (part.width, part.height) == (out.width, out.height));
    if !same_size || (before == after && !deformed.placement.is_moved) {
        return;
    }
    let pixels_per_cm = scene.fit.projection.pixels_per_cm;
    let Some(cells) = Cells::new(field, pixels_per_cm) else {
        return;
    };
    let amounts =
        folds::amounts(scene.model, before, after).map(|half| half.map(|amount| amount * folds));
    let shading = Shading {
        cells,
        folds: FoldMap::new(&amounts, pixels_per_cm),
        creases: Creases::new(scene, creases, after),
        strength: if deformed.placement.is_moved {
            TURNED
        } else {
            1.0
        },
        powers: WARM.map(|warm| 1.0 + (warm - 1.0) * scene.tone.coloured),
    };
    let isa = Isa::best();
    out.for_rows(|y, row| shade_row(isa, &shading, field, y, row));
}

/// The shading changes of a frame.
struct Shading<'a> {
    cells: Cells,
    folds: Option<FoldMap>,
    creases: Option<Creases<'a>>,
    /// Scale of the changes by surface and folds.
    strength: f32,
    /// The exponent of a shadow for each channel.
    powers: [f32; 3],
}

multiversion! {
    fn shade_row(shading: &Shading<'_>, field: &Field, y: usize, row: &mut [Rgba]) {
        let weight = field.weight.row(y);
        let is_lit = |weight: &f32| *weight > 0.0;
        let ends = weight.iter().position(is_lit).zip(weight.iter().rposition(is_lit));
        let Some((first, last)) = ends else {
            return;
        };
        let turning = shading.cells.row(y, first..last + 1);
        for (x, turning) in (first..).zip(turning) {
            let (weight, pixel) = (weight[x], &mut row[x]);
            if weight <= 0.0 {
                continue;
            }
            let [rest_x, rest_y, ..] = field.surface.at(x, y);
            let fold = shading.folds.as_ref().map_or(0.0, |map| map.at(rest_x, rest_y));
            let gain = shading.creases.as_ref().and_then(|creases| {
                let [dx, dy] = field.shift.at(x, y);
                creases.gain([x as f32 + 0.5 + dx, y as f32 + 0.5 + dy])
            });
            if turning.abs() + fold.abs() < MIN_CHANGE && gain.is_none() {
                continue;
            }
            let [r, g, b, alpha] = *pixel;
            let amount = weight * shading.strength * (1.0 - overexposed([r, g, b], alpha));
            let light = lit((1.0 + amount * turning) * (1.0 + amount * fold), shading.powers);
            for ((channel, light), gain) in pixel.iter_mut().zip(light).zip(gain.unwrap_or_default())
            {
                *channel *= light * (1.0 + weight * gain);
            }
        }
    }
}

/// How much a change of light is reduced on overexposed skin, for a premultiplied colour.
#[inline(always)]
fn overexposed([r, g, b]: [f32; 3], alpha: f32) -> f32 {
    let sum = r + g + b;
    if sum <= 3.0 * 200.0 * alpha {
        return 0.0;
    }
    OVEREXPOSED * smoothstep_between(200.0, 250.0, sum / (3.0 * alpha.max(1e-3)))
}

/// The change of light for each channel: shadows are tinted.
#[inline(always)]
fn lit(light: f32, powers: [f32; 3]) -> [f32; 3] {
    let light = light.clamp(BOUNDS.0, BOUNDS.1);
    // `powers.map` isn't inlined.
    if light < 1.0 {
        [
            power_of_shadow(light, powers[0]),
            power_of_shadow(light, powers[1]),
            power_of_shadow(light, powers[2]),
        ]
    } else {
        [light; 3]
    }
}

/// `light` to a power near 1, for a `light` in 0.3..=1: five terms of the binomial series about 1, with an error below
/// 0.003.
#[inline(always)]
fn power_of_shadow(light: f32, power: f32) -> f32 {
    let taken = 1.0 - light;
    let factor = |k: f32| (k - power) * (taken / (k + 1.0));
    let (second, third, fourth, fifth) = (factor(1.0), factor(2.0), factor(3.0), factor(4.0));
    1.0 - power * taken * (1.0 + second * (1.0 + third * (1.0 + fourth * (1.0 + fifth))))
}

/// The light of the turning surface, on a coarse grid over the core, since it is smooth.
struct Cells {
    /// The factor on the light, minus 1.
    light: Image<f32>,
    size: usize,
    /// Position of the first pixel.
    left: usize,
    top: usize,
}

impl Cells {
    /// `None` for a field without a core.
    fn new(field: &Field, pixels_per_cm: f32) -> Option<Self> {
        let size = ((CELL * pixels_per_cm) as usize).max(1);
        // Aligned, so that cells don't move with the core.
        let aligned = |range: Range<usize>| range.start / size * size..range.end;
        let (columns, rows) = field.extent()?;
        let (columns, rows) = (aligned(columns), aligned(rows));
        let middle = |cell: usize, range: &Range<usize>| {
            (range.start + cell * size + size / 2).min(range.end - 1)
        };
        let (across, down) = (columns.len().div_ceil(size), rows.len().div_ceil(size));
        let surface = Image::from_fn(across, down, |x, y| {
            field.surface.at(middle(x, &columns), middle(y, &rows))
        });
        let ratios = surface.map(|[.., ratio]| if ratio > 0.0 { ratio - 1.0 } else { 0.0 });
        let mut light = ratios.blurred((BLUR * pixels_per_cm + 0.3) / size as f32);
        light.for_rows(|y, row| {
            for (light, [rest_x, rest_y, facing, _]) in row.iter_mut().zip(surface.row(y)) {
                let gain = if *light < 0.0 {
                    SHADOW_GAIN
                } else {
                    LIGHT_GAIN
                };
                let change = (gain * *light).clamp(DARKEST - 1.0, BRIGHTEST - 1.0);
                *light = change
                    * (1.0 - LIPS * on_lips(*rest_x, *rest_y))
                    * smoothstep_between(0.3, 0.65, *facing);
            }
        });
        Some(Self {
            light,
            size,
            left: columns.start,
            top: rows.start,
        })
    }

    /// The bilinear values of some columns of a row.
    #[inline(always)]
    fn row(&self, y: usize, columns: Range<usize>) -> Vec<f32> {
        let (top, share) = self.between(y - self.top, self.light.height);
        let below = (top + 1).min(self.light.height - 1);
        let pairs = self.light.row(top).iter().zip(self.light.row(below));
        let mut line: Vec<f32> = pairs.map(|(a, b)| lerp(*a, *b, share)).collect();
        line.extend(line.last().copied());
        let pixel = |x: usize| {
            let (left, share) = self.between(x - self.left, self.light.width);
            line[left] + (line[left + 1] - line[left]) * share
        };
        columns.map(pixel).collect()
    }

    /// The cell whose centre is at or before a pixel, clamped to `cells`, and the pixel's fractional position before the
    /// next cell's centre.
    #[inline(always)]
    fn between(&self, pixel: usize, cells: usize) -> (usize, f32) {
        // 32-bit division is faster.
        let (size, after) = (self.size as u32, pixel.saturating_sub(self.size / 2) as u32);
        let cell = after / size;
        let share = (after - cell * size) as f32 / size as f32;
        ((cell as usize).min(cells - 1), share)
    }
}

/// 1 on the lips of the neutral head, 0 away from them.
fn on_lips(x: f32, y: f32) -> f32 {
    let square = (x / 2.4).powi(2) + (y + 3.4).powi(2);
    (-square * square).exp()
}

#[cfg(test)]
mod tests {
    use super::super::deform::Gaps;
    use super::super::tone::tests::{lit_face, side_light};
    use super::*;
    use proptest::prelude::*;

    /// The face with one coefficient increased.
    fn deformed(scene: &Scene, name: &str, by: f32) -> Deformed {
        let mut expression = scene.fit.expression.clone();
        let number = scene.model.names.iter().position(|n| n == name).unwrap();
        expression[number] += by;
        let gaps = Gaps::new(scene.model, &scene.fit);
        Deformed::new(
            scene.model,
            &scene.fit,
            &gaps,
            expression,
            [0.0; 3],
            [0.0; 2],
        )
    }

    /// A flat face in the centre of the source, without displacement, with constant light.
    fn field(scene: &Scene, light: f32) -> Field {
        let (width, height) = (scene.source.width, scene.source.height);
        let pixels_per_cm = scene.fit.projection.pixels_per_cm;
        let place = |x: usize, y: usize| {
            let away = |v: usize, end: usize| (v as f32 + 0.5 - 0.5 * end as f32) / pixels_per_cm;
            (away(x, width), -away(y, height))
        };
        let core = Image::from_fn(width, height, |x, y| {
            let (x, y) = place(x, y);
            if x.hypot(y) < 7.0 { 1.0 } else { 0.0 }
        });
        let surface = Image::from_fn(width, height, |x, y| {
            let (rest_x, rest_y) = place(x, y);
            if core.at(x, y) > 0.0 {
                [rest_x, rest_y, 0.9, light]
            } else {
                [0.0; 4]
            }
        });
        Field::identity(core, surface)
    }

    /// For edits that never reduce a smile.
    fn no_smile() -> &'static CreaseLayer {
        unreachable!("a smile is taken back")
    }

    fn most_change(a: &Image<Rgba>, b: &Image<Rgba>) -> f32 {
        let pixels = a.pixels.iter().flatten().zip(b.pixels.iter().flatten());
        pixels.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn without_an_edit_shading_changes_nothing() {
        let scene = lit_face(8.0, &side_light());
        let still = deformed(&scene, "browDown_L", 0.0);
        assert!(
            light_ratios(&scene, &still)
                .iter()
                .all(|ratio| *ratio == 1.0)
        );
        let mut out = scene.source.clone();
        apply(&scene, &still, &field(&scene, 1.1), 1.0, no_smile, &mut out);
        assert!(out.pixels == scene.source.pixels);
    }

    #[test]
    fn a_small_edit_changes_little_and_only_the_face() {
        let scene = lit_face(8.0, &side_light());
        let mut changes = Vec::new();
        for by in [0.01, 0.1, 0.5] {
            let frown = deformed(&scene, "browDown_L", by);
            let mut out = scene.source.clone();
            let field = field(&scene, 1.0 - 0.1 * by);
            apply(&scene, &frown, &field, 1.0, no_smile, &mut out);
            for (i, seen) in field.core.pixels.iter().enumerate() {
                assert!(*seen > 0.0 || out.pixels[i] == scene.source.pixels[i]);
                assert_eq!(out.pixels[i][3], scene.source.pixels[i][3]);
            }
            changes.push(most_change(&out, &scene.source));
        }
        assert!(
            changes[0] < 1.0 && changes[0] < changes[1] && changes[1] < changes[2],
            "{changes:?}"
        );
    }

    #[test]
    fn grey_stays_grey_and_shadows_on_skin_are_warm() {
        let mut grey = side_light();
        grey.skin = [140.0; 3];
        for (tone, is_grey) in [(grey, true), (side_light(), false)] {
            let scene = lit_face(8.0, &tone);
            let frown = deformed(&scene, "browDown_L", 0.8);
            let mut out = scene.source.clone();
            apply(&scene, &frown, &field(&scene, 0.8), 1.0, no_smile, &mut out);
            let middle = out.width / 2 + out.width * out.height / 2;
            let (after, before) = (out.pixels[middle], scene.source.pixels[middle]);
            let kept = [0, 1, 2].map(|k| after[k] / before[k]);
            if is_grey {
                assert!(
                    out.pixels
                        .iter()
                        .all(|[r, g, b, _]| (r - g).abs() + (g - b).abs() < 0.01)
                );
            } else {
                assert!(
                    kept[0] > kept[1] && kept[1] > kept[2] && kept[2] < 0.9,
                    "{kept:?}"
                );
            }
        }
    }

    #[test]
    fn images_of_another_size_or_without_pixels_are_unchanged() {
        let scene = lit_face(6.0, &side_light());
        let frown = deformed(&scene, "browDown_L", 0.8);
        for (width, height) in [(0, 0), (3, 2)] {
            let mut out = Image::filled(width, height, [9.0, 9.0, 9.0, 1.0]);
            apply(&scene, &frown, &field(&scene, 0.8), 1.0, no_smile, &mut out);
            assert!(
                out.pixels
                    .iter()
                    .all(|pixel| *pixel == [9.0, 9.0, 9.0, 1.0])
            );
        }
    }

    proptest! {
        #[test]
        fn the_series_approximates_the_power_function(light in 0.3f32..1.0, power in 0.75f32..1.25) {
            prop_assert!((power_of_shadow(light, power) - light.powf(power)).abs() < 0.003);
        }
    }
}
