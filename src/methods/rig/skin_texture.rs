//! Estimates a fold strength that suits a portrait from the texture of its skin.

use std::ops::Range;

use super::model::Point;
use super::scene::Scene;
use super::tone::{DownscaledRegion, mean, percentile};
use crate::math::smoothstep_between;

/// A region where skin texture is measured, on the neutral head: ranges of the distance from its midline and of the
/// height in centimetres, and the contrast of a young adult's skin there.
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
/// Band of wavelengths in centimetres: finer texture is grain, coarser is shape and light.
const TEXTURE: Range<f32> = 0.04..0.2;
/// Added to the brightness that contrast is relative to, since dark skin has stronger highlights.
const BRIGHTNESS_FLOOR: f32 = 90.0;
/// Contrast relative to a young adult's, of skin without folds and of skin with full folds.
const SMOOTH_TO_FOLDED: Range<f32> = 0.35..1.15;
/// Pixels per centimetre below which texture isn't visible, and above which it is.
const TEXTURE_SEEN: Range<f32> = 4.0..8.0;
/// Fold strength of an unknown face.
const USUAL_FOLDS: f32 = 0.8;
/// Regions with fewer samples are ignored.
const FEWEST_SAMPLES: usize = 12;

/// The fold strength that suits a portrait, by the texture of its skin: 0 for smooth skin such as a child's or a
/// cartoon's, 1 for most adults'.
pub(super) fn portrait_folds(scene: &Scene) -> f32 {
    let pixels_per_cm = scene.fit.projection.pixels_per_cm;
    let seen = smoothstep_between(TEXTURE_SEEN.start, TEXTURE_SEEN.end, pixels_per_cm);
    let places: Vec<SkinPlace> = skin_places(scene);
    let points: Vec<[f32; 2]> = places.iter().map(|place| place.at).collect();
    let reduced = DownscaledRegion::around(&points, &scene.source, pixels_per_cm, 32.0, 0.5);
    let brightness = reduced
        .image
        .map(|[r, g, b, alpha]| [mean([r, g, b]), alpha]);
    let fine = brightness.blurred(TEXTURE.start * reduced.pixels_per_cm);
    let coarse = brightness.blurred(TEXTURE.end * reduced.pixels_per_cm);
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
            let quantile = |share| percentile(values.iter().copied(), share);
            let robust_deviation = 0.5 * (quantile(0.84) - quantile(0.16));
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
    let found = smoothstep_between(SMOOTH_TO_FOLDED.start, SMOOTH_TO_FOLDED.end, texture);
    USUAL_FOLDS + seen * (found - USUAL_FOLDS)
}

/// A sample position in a region of the skin, in pixels.
struct SkinPlace {
    region: usize,
    at: [f32; 2],
}

/// The centres of the regions' triangles that face the viewer.
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
            let [px, py, _] = middle(&fit.portrait_points, corners);
            (middle(&fit.normals, corners)[2] > 0.35).then_some(SkinPlace {
                region,
                at: [px, py],
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::image::Image;
    use super::super::tone::tests::{lit_face, side_light};
    use super::*;

    #[test]
    fn folds_are_measured_on_rough_skin_and_not_on_smooth_skin() {
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
        // A picture without a face, or with too small a face.
        scene.source = Image::filled(1, 1, [0.0; 4]);
        assert_eq!(portrait_folds(&scene), USUAL_FOLDS);
        let scene = lit_face(3.0, &side_light());
        assert_eq!(portrait_folds(&scene), USUAL_FOLDS);
    }
}
