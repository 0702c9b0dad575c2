//! Lightens the portrait's nasolabial folds when its smile is reduced.

use std::sync::OnceLock;

use super::fit::LIPS;
use super::folds::nasolabial_path;
use super::image::{Image, coverage};
use super::model::{Half, Model};
use super::polyline::Polyline;
use super::scene::Scene;
use super::tone::{DownscaledRegion, mean};
use crate::math::smoothstep_between;

/// A portrait's nasolabial folds, and the gain that evens them out.
pub(super) struct CreaseLayer {
    /// The portrait around them.
    reduced: DownscaledRegion,
    /// Proximity to the folds of both halves, in the order of [`Half::BOTH`]: 1 on a fold, 0 away from it.
    near: Image<[f32; 2]>,
    /// The gain of each channel that removes the fold entirely, minus 1.
    gain: Image<[f32; 3]>,
}

/// Light on the portrait's nasolabial folds when its smile is reduced: otherwise they would stay as deep as in the smile.
pub(super) struct Creases<'a> {
    layer: &'a CreaseLayer,
    /// The gain of each channel, minus 1.
    gain: Image<[f32; 3]>,
    /// Whether each pixel of `gain` is near a fold.
    near_folds: Vec<bool>,
}

/// Reduction of the smile's coefficient that removes its fold entirely.
const WHOLE_SMILE: f32 = 0.9;
/// Blurs of a fold and of the skin around it, and the width of a fold, in centimetres.
const FOLD_BLUR: f32 = 0.12;
const SKIN_BLUR: f32 = 1.0;
const FOLD_REACH: f32 = 0.65;
/// Upper bound of the gain, minus 1.
const MAX_GAIN: f32 = 0.5;
/// Brightness relative to the skin: below the first value it is hair, a nostril or the mouth; above the second it is
/// skin.
const SKIN_FROM: (f32, f32) = (0.3, 0.55);

impl CreaseLayer {
    pub fn new(scene: &Scene) -> Self {
        let paths = nasolabial_vertices(scene.model).each_ref().map(|path| {
            let points = path.iter().map(|vertex| scene.fit.portrait_points[*vertex]);
            points.map(|[x, y, _]| [x, y]).collect::<Vec<[f32; 2]>>()
        });
        let pixels_per_cm = scene.fit.projection.pixels_per_cm;
        let reduced = DownscaledRegion::around(
            &paths.concat(),
            &scene.source,
            pixels_per_cm,
            16.0,
            1.5 * SKIN_BLUR,
        );
        let (width, height) = (reduced.image.width, reduced.image.height);
        let paths = paths.map(|path| {
            let points: Vec<[f32; 2]> = path.into_iter().map(|at| reduced.place(at)).collect();
            Polyline::new(&points, [0.0, 1.0])
        });
        let lips: Vec<[f32; 2]> = LIPS[..20]
            .iter()
            .map(|landmark| reduced.place(scene.fit.landmarks[*landmark]))
            .collect();
        let lips = coverage(&lips, width, height).blurred(0.1 * reduced.pixels_per_cm);
        let skin_brightness = mean(scene.tone.skin).max(1.0);
        let skin = Image::from_fn(width, height, |x, y| {
            let [r, g, b, alpha] = reduced.image.at(x, y);
            let brightness = mean([r, g, b]) / alpha.max(1e-3) / skin_brightness;
            let weight = (1.0 - 2.0 * lips.at(x, y)).max(0.0)
                * smoothstep_between(SKIN_FROM.0, SKIN_FROM.1, brightness);
            [r, g, b, alpha].map(|v| v * weight)
        });
        let fold = skin.blurred(FOLD_BLUR * reduced.pixels_per_cm);
        let around = skin.blurred(SKIN_BLUR * reduced.pixels_per_cm);
        let near = Image::from_fn(width, height, |x, y| {
            let at = [x as f32 + 0.5, y as f32 + 0.5];
            [0, 1].map(|half| near_fold(&paths[half], at, FOLD_REACH * reduced.pixels_per_cm))
        });
        let gain = Image::from_fn(width, height, |x, y| {
            let (fold, around) = (fold.at(x, y), around.at(x, y));
            // Unknown where there is hardly any skin.
            let known = smoothstep_between(0.2, 0.7, fold[3]);
            if known == 0.0 || near.at(x, y) == [0.0; 2] {
                return [0.0; 3];
            }
            [0, 1, 2].map(|k| {
                let wanted = around[k] / around[3].max(1e-3);
                let fold_colour = fold[k] / fold[3];
                known * (wanted / fold_colour.max(1.0) - 1.0).clamp(0.0, MAX_GAIN)
            })
        });
        Self {
            reduced,
            near,
            gain,
        }
    }
}

impl<'a> Creases<'a> {
    /// `None` unless the coefficients `after` reduce a smile.
    pub fn new(
        scene: &Scene,
        layer: impl FnOnce() -> &'a CreaseLayer,
        after: &[f32],
    ) -> Option<Self> {
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
        let layer = layer();
        let gain = Image::from_fn(layer.gain.width, layer.gain.height, |x, y| {
            let near = layer.near.at(x, y);
            let strength = taken_back[0] * near[0] + taken_back[1] * near[1];
            layer.gain.at(x, y).map(|gain| gain * strength.min(1.0))
        });
        // Pixels where a bilinear sample may be nonzero.
        let near_folds = gain
            .map(|gain| if gain == [0.0; 3] { 0.0 } else { 1.0 })
            .dilated(1.5);
        Some(Self {
            near_folds: near_folds.pixels.iter().map(|near| *near > 0.0).collect(),
            layer,
            gain,
        })
    }

    /// The gain of each channel at a point of the portrait, minus 1; `None` away from the folds.
    #[inline(always)]
    pub fn gain(&self, from: [f32; 2]) -> Option<[f32; 3]> {
        let [x, y] = self.layer.reduced.place(from);
        let (width, height) = (self.gain.width, self.gain.height);
        let inside = x >= 0.0 && y >= 0.0 && x < width as f32 && y < height as f32;
        let near = inside && self.near_folds[y as usize * width + x as usize];
        near.then(|| self.gain.linear(x, y))
    }
}

/// 1 on a fold, falling to 0 away from it and at its ends.
fn near_fold(path: &Polyline, at: [f32; 2], radius: f32) -> f32 {
    let near = path.nearest(at, f32::INFINITY);
    let ends = smoothstep_between(0.0, 0.15, near.along) * smoothstep_between(1.0, 0.8, near.along);
    ends * smoothstep_between(1.6 * radius, 0.4 * radius, near.distance)
}

/// The vertices along the nasolabial folds of both halves, in the order of [`Half::BOTH`].
fn nasolabial_vertices(model: &Model) -> &'static [Vec<usize>; 2] {
    static VERTICES: OnceLock<[Vec<usize>; 2]> = OnceLock::new();
    VERTICES.get_or_init(|| {
        let path = nasolabial_path();
        Half::BOTH.map(|half| {
            let side = if half == Half::Left { 1.0 } else { -1.0 };
            let nearest = |&[x, y]: &[f32; 2]| {
                // Prefers the front one of vertices at the same place.
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

    fn model() -> &'static Model {
        Model::bundled().unwrap()
    }

    #[test]
    fn the_nasolabial_path_lies_on_the_surface_of_the_head() {
        let path = nasolabial_path();
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
            let points = path.iter().map(|v| {
                [
                    scene.fit.portrait_points[*v][0],
                    scene.fit.portrait_points[*v][1],
                ]
            });
            points.collect::<Vec<[f32; 2]>>()
        });
        let source = scene.source.clone();
        scene.source = Image::from_fn(source.width, source.height, |x, y| {
            let at = [x as f32 + 0.5, y as f32 + 0.5];
            let distance = paths.iter().map(|path| {
                Polyline::new(path, [0.0, 1.0])
                    .nearest(at, f32::INFINITY)
                    .distance
                    / 12.0
            });
            let away = distance.fold(f32::INFINITY, f32::min) / 0.2;
            let [r, g, b, alpha] = source.at(x, y);
            let light = 1.0 - 0.3 * (-away * away).exp();
            [r * light, g * light, b * light, alpha]
        });
        scene
    }

    #[test]
    fn relaxing_a_smile_lightens_its_folds_in_proportion() {
        let scene = smiling();
        let layer = CreaseLayer::new(&scene);
        assert!(Creases::new(&scene, || &layer, &scene.fit.expression).is_none());
        let vertex = nasolabial_vertices(model())[0][7];
        let [x, y, _] = scene.fit.portrait_points[vertex];
        let mut lights = Vec::new();
        for left in [0.6, 0.3, 0.0] {
            let mut after = scene.fit.expression.clone();
            for half in Half::BOTH {
                after[model().expression("mouthSmile", half).unwrap()] = left;
            }
            let creases = Creases::new(&scene, || &layer, &after).unwrap();
            lights.push(1.0 + creases.gain([x, y]).unwrap()[1]);
            // Nothing changes on the forehead or outside of the picture.
            let [fx, fy, _] = scene.fit.portrait_points[model().landmarks[10]];
            assert_eq!(creases.gain([fx, fy]), None);
            assert_eq!(creases.gain([-1e9, f32::NAN]), None);
        }
        assert!(
            lights[0] > 1.01 && lights[1] > lights[0] && lights[2] > lights[1],
            "{lights:?}"
        );
        assert!(lights[2] > 1.08 && lights[2] < 1.0 + MAX_GAIN, "{lights:?}");
    }
}
