//! Light and colour of a face, estimated once from the portrait: for shading, and for painting what the portrait doesn't
//! show.

use super::fit::Fit;
use super::image::{Image, Rgba};
use super::model::{Model, Point};
use super::solve::Dense;
use crate::math::smoothstep_between;

/// Colours are 0..=255.
#[derive(Debug, Clone)]
pub(super) struct Tone {
    /// Linear light from the skin, relative to the median, by surface direction: nine spherical harmonics in the order 1,
    /// x, y, z, xy, xz, yz, x² - y², 3z² - 1. Ramamoorthi and Hanrahan, "An Efficient Representation for Irradiance
    /// Environment Maps", 2001: on matte skin they suffice, but only in linear light.
    pub harmonics: [f32; 9],
    /// The skin's median colour.
    pub skin: [f32; 3],
    /// The 3rd and 97th percentile of the skin's brightness.
    pub darkest: f32,
    pub brightest: f32,
    /// 1 for a coloured picture, 0 for a grey one.
    pub coloured: f32,
}

/// Encoded values are linear light to the power 1 / `GAMMA`: close enough to sRGB for ratios of light.
const GAMMA: f32 = 2.2;
/// The prior of the estimated light: from the front and slightly from above.
const USUAL_LIGHT: [f32; 9] = [0.31, 0.0, 0.10, 0.55, 0.0, 0.0, 0.0, 0.0, 0.0];
/// Bounds of the linear light relative to the median skin.
const LIGHT_BOUNDS: (f32, f32) = (0.05, 3.6);
/// Regularisation weight of each harmonic towards the prior, for [`PRIOR_SAMPLES`] vertices.
const PRIOR_WEIGHT: [f64; 9] = [1.0, 20.0, 20.0, 20.0, 200.0, 200.0, 200.0, 200.0, 200.0];
const PRIOR_SAMPLES: f64 = 600.0;
/// Residual at which a sample's weight is a half (shadows, hair, glasses are outliers).
const TOLERANCE: f64 = 0.25;
const ROUNDS: usize = 4;
/// With fewer samples the light isn't estimated.
const FEWEST_SAMPLES: usize = 60;
/// The portrait is downscaled below this many pixels per centimetre of the head.
const FINEST_PIXELS_PER_CM: f32 = 16.0;
/// Blur before sampling, in centimetres of the head.
const BLUR: f32 = 0.12;
/// A default skin colour for portraits that show no skin.
const USUAL_SKIN: [f32; 3] = [196.0, 158.0, 138.0];

/// The skin at one vertex.
struct SkinSample {
    normal: Point,
    colour: [f32; 3],
}

impl Tone {
    /// Estimates light and colour from the face in `source` at `fit`.
    pub fn new(model: &Model, fit: &Fit, source: &Image<Rgba>) -> Self {
        let samples = skin_samples(model, fit, source);
        if samples.is_empty() {
            return Self::of_colours(&mut [USUAL_SKIN], USUAL_LIGHT);
        }
        let harmonics = if samples.len() < FEWEST_SAMPLES {
            USUAL_LIGHT
        } else {
            fitted_light(&samples)
        };
        let mut colours: Vec<[f32; 3]> = samples.iter().map(|sample| sample.colour).collect();
        Self::of_colours(&mut colours, harmonics)
    }

    /// Computes the colour statistics of `colours`, which must not be empty.
    fn of_colours(colours: &mut [[f32; 3]], harmonics: [f32; 9]) -> Self {
        let skin = [0, 1, 2].map(|k| percentile(colours.iter().map(|c| c[k]), 0.5));
        let brightness = |share| percentile(colours.iter().map(|c| mean(*c)), share);
        let most = skin[0].max(skin[1]).max(skin[2]);
        let least = skin[0].min(skin[1]).min(skin[2]);
        Self {
            harmonics,
            skin,
            darkest: brightness(0.03),
            brightest: brightness(0.97),
            coloured: smoothstep_between(0.04, 0.15, (most - least) / most.max(1.0)),
        }
    }

    /// The encoded brightness of skin with a unit normal (y up), relative to the median skin. To multiply encoded values
    /// by a ratio of two of these is to multiply linear light.
    #[inline]
    pub fn shade(&self, normal: Point) -> f32 {
        let products = self.harmonics.iter().zip(harmonics(normal));
        products
            .map(|(factor, value)| factor * value)
            .sum::<f32>()
            .clamp(LIGHT_BOUNDS.0, LIGHT_BOUNDS.1)
            .powf(1.0 / GAMMA)
    }
}

/// The linear light of an encoded colour, 0..=255^[`GAMMA`].
fn linear_light(colour: [f32; 3]) -> f32 {
    mean(colour.map(|v| v.max(0.0).powf(GAMMA)))
}

pub(super) fn mean([r, g, b]: [f32; 3]) -> f32 {
    (r + g + b) / 3.0
}

/// The first nine spherical harmonics, unscaled.
fn harmonics([x, y, z]: Point) -> [f32; 9] {
    [
        1.0,
        x,
        y,
        z,
        x * y,
        x * z,
        y * z,
        x * x - y * y,
        3.0 * z * z - 1.0,
    ]
}

/// The value below which the fraction `share` of all values is; 0 if there are none.
pub(super) fn percentile(values: impl Iterator<Item = f32>, share: f32) -> f32 {
    let mut values: Vec<f32> = values.collect();
    if values.is_empty() {
        return 0.0;
    }
    let place = ((values.len() - 1) as f32 * share).round() as usize;
    *values.select_nth_unstable_by(place, f32::total_cmp).1
}

/// The blurred skin at vertices that face the viewer, away from eyes, mouth and neck, where the picture is opaque.
fn skin_samples(model: &Model, fit: &Fit, source: &Image<Rgba>) -> Vec<SkinSample> {
    let vertices: Vec<usize> = (0..model.face.min(fit.portrait_points.len()))
        .filter(|v| is_bare_skin(model, *v) && fit.normals[*v][2] > 0.25)
        .filter(|v| {
            let [x, y, _] = fit.portrait_points[*v];
            (0.0..source.width as f32).contains(&x) && (0.0..source.height as f32).contains(&y)
        })
        .collect();
    let points: Vec<[f32; 2]> = vertices
        .iter()
        .map(|v| [fit.portrait_points[*v][0], fit.portrait_points[*v][1]])
        .collect();
    let reduced = DownscaledRegion::around(
        &points,
        source,
        fit.projection.pixels_per_cm,
        FINEST_PIXELS_PER_CM,
        0.5,
    );
    let blurred = reduced.image.blurred(reduced.pixels_per_cm * BLUR);
    let sample = |(vertex, at): (&usize, &[f32; 2])| {
        let [x, y] = reduced.place(*at);
        let [r, g, b, alpha] = blurred.linear(x, y);
        (alpha > 0.9).then(|| SkinSample {
            normal: fit.normals[*vertex],
            colour: [r, g, b].map(|v| v / alpha),
        })
    };
    vertices.iter().zip(&points).filter_map(sample).collect()
}

/// Whether a vertex belongs to the face and isn't near eyes or lips.
fn is_bare_skin(model: &Model, vertex: usize) -> bool {
    let farther_than = |distances: &[(f32, usize)], least: f32| distances[vertex].0 >= least;
    model.face_mask[vertex] > 0.9
        && model
            .eyes
            .iter()
            .all(|eye| farther_than(&eye.to_upper, 0.7))
        && farther_than(&model.lips.to_upper, 1.2)
        && farther_than(&model.lips.to_lower, 1.2)
}

/// Fits harmonics to the samples' linear light by iteratively reweighted least squares, regularised towards the prior.
fn fitted_light(samples: &[SkinSample]) -> [f32; 9] {
    let middle =
        percentile(samples.iter().map(|s| linear_light(s.colour)), 0.5).max(20f32.powf(GAMMA));
    let rows: Vec<([f64; 9], f64)> = samples
        .iter()
        .map(|s| {
            let light = linear_light(s.colour) / middle;
            (harmonics(s.normal).map(f64::from), f64::from(light))
        })
        .collect();
    let usual = USUAL_LIGHT.map(f64::from);
    let dot = |a: &[f64; 9], b: &[f64; 9]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut found = usual;
    for round in 0..ROUNDS {
        let mut normal = Dense::zeros(9);
        let mut right = [0.0; 9];
        for (row, light) in &rows {
            // The first round weights all samples equally.
            let miss = if round == 0 {
                0.0
            } else {
                light - dot(row, &found)
            };
            let weight = 1.0 / (1.0 + (miss / TOLERANCE).powi(2));
            let beyond_usual = light - dot(row, &usual);
            for i in 0..9 {
                for j in 0..=i {
                    normal.add(i, j, weight * row[i] * row[j]);
                }
                right[i] += weight * row[i] * beyond_usual;
            }
        }
        for (i, ridge) in PRIOR_WEIGHT.iter().enumerate() {
            normal.add(i, i, ridge * rows.len() as f64 / PRIOR_SAMPLES);
        }
        let Some(factored) = normal.factored() else {
            break;
        };
        let change = factored.solve(&right);
        found = std::array::from_fn(|i| usual[i] + change[i]);
    }
    found.map(|v| v as f32)
}

/// A section of a picture, halved until a centimetre of the head has few pixels: measuring on it is cheap and nearly
/// independent of the picture's size.
pub(super) struct DownscaledRegion {
    pub image: Image<Rgba>,
    /// Pixels per centimetre.
    pub pixels_per_cm: f32,
    /// Position of the first pixel's corner in the picture.
    corner: [f32; 2],
    scale: f32,
}

impl DownscaledRegion {
    /// The bounding box of points with a margin in centimetres, below `finest` pixels per centimetre.
    pub fn around(
        points: &[[f32; 2]],
        source: &Image<Rgba>,
        pixels_per_cm: f32,
        finest: f32,
        margin: f32,
    ) -> Self {
        let margin = margin * pixels_per_cm;
        let range = |k: usize, end: usize| {
            let values = points.iter().map(|point| point[k]);
            let low = values.clone().fold(f32::INFINITY, f32::min) - margin;
            let high = values.fold(f32::NEG_INFINITY, f32::max) + margin;
            // Casts saturate, and turn negative infinity into 0.
            let first = (low.floor() as usize).min(end);
            (first, (high.ceil() as usize).clamp(first, end))
        };
        let ((left, right), (top, bottom)) = (range(0, source.width), range(1, source.height));
        let mut image = if left < right && top < bottom {
            source.part((left as isize, top as isize), right - left, bottom - top)
        } else {
            Image::filled(1, 1, Rgba::default())
        };
        let mut scale = 1.0;
        while pixels_per_cm * scale >= finest {
            image = image.halved();
            scale *= 0.5;
        }
        Self {
            image,
            pixels_per_cm: pixels_per_cm * scale,
            corner: [left as f32, top as f32],
            scale,
        }
    }

    /// Converts a point of the picture to this image.
    #[inline(always)]
    pub fn place(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        [
            (x - self.corner[0]) * self.scale,
            (y - self.corner[1]) * self.scale,
        ]
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::scene::Scene;
    use super::*;
    use proptest::prelude::*;

    /// A face with `pixels_per_cm` pixels per centimetre, lit by `tone`, on a background of another colour.
    pub(in super::super) fn lit_face(pixels_per_cm: f32, tone: &Tone) -> Scene {
        let model = Model::bundled().unwrap();
        let size = 24.0 * pixels_per_cm;
        let landmark = |vertex: &usize| {
            let [x, y, _] = model.neutral[*vertex];
            [
                0.5 * size + pixels_per_cm * x,
                0.5 * size - pixels_per_cm * y,
            ]
        };
        let mut landmarks: Vec<[f32; 2]> = model.landmarks.iter().map(landmark).collect();
        for centre in model.eye_centres {
            let [x, y] = [
                0.5 * size + pixels_per_cm * centre[0],
                0.5 * size - pixels_per_cm * centre[1],
            ];
            let (r, ring) = (
                0.6 * pixels_per_cm,
                [[1.0, 0.0], [0.0, -1.0], [-1.0, 0.0], [0.0, 1.0]],
            );
            landmarks.push([x, y]);
            landmarks.extend(ring.map(|[dx, dy]: [f32; 2]| [x + r * dx, y + r * dy]));
        }
        let fit = Fit::new(model, &landmarks, 0.0).unwrap();
        // The background has the brightness of the nearest vertex: Gaussian splats of the skin.
        let side = size as usize;
        let mut sum = Image::filled(side, side, [0.0f32; 2]);
        for (vertex, [x, y, _]) in fit.portrait_points[..model.face].iter().enumerate() {
            if fit.normals[vertex][2] < 0.2 {
                continue;
            }
            let radius = (0.7 * pixels_per_cm).ceil() as isize;
            for py in *y as isize - radius..=*y as isize + radius {
                for px in *x as isize - radius..=*x as isize + radius {
                    if px < 0 || py < 0 || px >= side as isize || py >= side as isize {
                        continue;
                    }
                    let away =
                        (px as f32 + 0.5 - x).hypot(py as f32 + 0.5 - y) / (0.22 * pixels_per_cm);
                    let weight = (-away * away).exp();
                    let to = &mut sum.pixels[py as usize * side + px as usize];
                    *to = [
                        to[0] + weight * tone.shade(fit.normals[vertex]),
                        to[1] + weight,
                    ];
                }
            }
        }
        let source = sum.map(|[light, weight]| {
            let light = if weight > 1e-4 { light / weight } else { 0.5 };
            let [r, g, b] = tone.skin.map(|v| (v * light).min(255.0));
            [r, g, b, 1.0]
        });
        Scene {
            tone: Tone::new(model, &fit, &source),
            model,
            source,
            fit,
        }
    }

    pub(in super::super) fn side_light() -> Tone {
        let mut tone = Tone::of_colours(&mut [[180.0, 130.0, 110.0]], USUAL_LIGHT);
        tone.harmonics[1] = 0.25;
        tone
    }

    #[test]
    fn the_direction_of_the_light_and_the_skin_colour_are_estimated() {
        let truth = side_light();
        let scene = lit_face(14.0, &truth);
        assert!(scene.tone.harmonics[1] > 0.12, "{:?}", scene.tone);
        let mirrored = |x: f32| scene.tone.shade([x, 0.0, 0.8]);
        assert!(mirrored(0.6) > mirrored(-0.6) + 0.1);
        for k in 1..3 {
            let share = |tone: &Tone| tone.skin[k] / tone.skin[0];
            assert!((share(&scene.tone) - share(&truth)).abs() < 0.02);
        }
        assert_eq!(scene.tone.coloured, 1.0);
    }

    #[test]
    fn the_estimated_tone_hardly_depends_on_the_image_size() {
        let scene = lit_face(20.0, &side_light());
        let half = Tone::new(
            scene.model,
            &scene.fit.in_view(0.5, (0.0, 0.0)),
            &scene.source.halved(),
        );
        for (a, b) in scene.tone.harmonics.iter().zip(half.harmonics) {
            assert!((a - b).abs() < 0.02, "{:?} {:?}", scene.tone, half);
        }
        for (a, b) in scene.tone.skin.iter().zip(half.skin) {
            assert!((a - b).abs() < 2.0);
        }
        assert!((scene.tone.darkest - half.darkest).abs() < 6.0);
        assert!((scene.tone.brightest - half.brightest).abs() < 4.0);
    }

    #[test]
    fn transparent_pixels_are_ignored_and_empty_images_give_a_finite_tone() {
        let scene = lit_face(10.0, &side_light());
        // With the left half transparent, the skin is that of the right half, not darker.
        let middle = scene.source.width / 2;
        let holed = Image::from_fn(scene.source.width, scene.source.height, |x, y| {
            if x < middle {
                [0.0; 4]
            } else {
                scene.source.at(x, y)
            }
        });
        let tone = Tone::new(scene.model, &scene.fit, &holed);
        assert!(tone.skin[0] >= scene.tone.skin[0] - 1.0);
        for source in [
            Image::filled(1, 1, [0.0; 4]),
            holed.map(|_| [0.0; 4]),
            holed.map(|_| [0.0, 0.0, 0.0, 1.0]),
        ] {
            let tone = Tone::new(scene.model, &scene.fit, &source);
            let all = tone
                .harmonics
                .iter()
                .chain(&tone.skin)
                .chain([&tone.darkest, &tone.brightest]);
            assert!(all.copied().all(f32::is_finite));
        }
    }

    #[test]
    fn grey_images_stay_grey() {
        let mut grey = side_light();
        grey.skin = [140.0; 3];
        assert_eq!(lit_face(10.0, &grey).tone.coloured, 0.0);
    }

    proptest! {
        #[test]
        fn downscaled_regions_keep_positions(x in 25f32..65.0, y in 35f32..75.0, pixels_per_cm in 4f32..60.0) {
            let ramp = Image::from_fn(90, 90, |x, y| [x as f32 + 0.5, y as f32 + 0.5, 0.0, 1.0]);
            let reduced = DownscaledRegion::around(&[[20.0, 30.0], [70.0, 80.0]], &ramp, pixels_per_cm, 16.0, 0.5);
            let [px, py] = reduced.place([x, y]);
            let [rx, ry, ..] = reduced.image.linear(px, py);
            prop_assert!((rx - x).abs() < 0.01 && (ry - y).abs() < 0.01);
            prop_assert!(reduced.pixels_per_cm < 16.0);
        }
    }
}
