//! Teeth, gums and tongue: the model's mesh in the light that falls into an open mouth.

use super::image::Image;
use super::lip_frame::{LipFrame, LipPlace};
use super::model::{Half, Model, Point};
use super::mouth_palette::Palette;
use super::raster::{Hit, rasterize};
use super::scene::{Deformed, Scene};
use super::tone::Tone;
use crate::math::smoothstep_between;

/// Samples per pixel along each axis: large faces need only one, as they are blurred more.
fn samples_for(pixels_per_cm: f32) -> usize {
    if pixels_per_cm > 24.0 { 1 } else { 2 }
}

/// z of the model's front teeth, in centimetres.
const FRONT: f32 = 10.8;

/// Visible length of a front tooth below the gum, in centimetres.
const CROWN: f32 = 0.9;

/// Upper teeth are stretched at most by this factor to hide the gums.
const LONGEST: f32 = 1.45;

/// Maximum height of the lower front teeth above the lower lip, in centimetres.
const LOWER_TEETH: f32 = 0.55;

/// Maximum length of gaps between teeth that are filled, in centimetres.
const GAP: f32 = 0.5;

/// The box that the mouth is drawn in.
pub(super) struct MouthBox<'a> {
    pub left: f32,
    pub top: f32,
    pub frame: LipFrame,
    /// Opacity of the drawing.
    pub alpha: &'a Image<f32>,
}

impl MouthBox<'_> {
    fn middle(&self, x: usize, y: usize) -> [f32; 2] {
        [self.left + x as f32 + 0.5, self.top + y as f32 + 0.5]
    }
}

/// What a triangle belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Flesh,
    UpperTooth,
    LowerTooth,
}

/// A vertex of the mouth.
struct Vertex {
    /// 1 if the vertex moves with the jaw, else 0.
    jaw: f32,
    /// Weight with which it belongs to the tongue, in 0..=1.
    tongue: f32,
    /// Strength of the groove along the tongue, in 0..=1.
    groove: f32,
    is_tooth: bool,
    /// Distance behind the front teeth, in centimetres.
    behind: f32,
}

/// The model's mouth.
pub(super) struct Jaws {
    /// Triangles of the mouth alone: index 0 is the first vertex after the skin.
    triangles: Vec<[u32; 3]>,
    parts: Vec<Part>,
    vertices: Vec<Vertex>,
    /// A vertex at the edge of a front tooth on each side, above and below.
    upper_edge: [usize; 2],
    lower_edge: [usize; 2],
    /// Index of the mouth's first vertex among all of the model's.
    first: usize,
    /// How far the upper teeth are below the model's, in centimetres.
    upper_shift: f32,
}

impl Jaws {
    pub fn new(model: &Model) -> Self {
        let first = model.skin;
        let own = |corners: &[u32; 3]| corners.map(|v| v.saturating_sub(first as u32));
        let rest = &model.neutral[first..];
        let open = model.expression("jawOpen", Half::Right);
        let shape = model.jaw.iter().find(|(number, _)| Some(*number) == open);
        let moves =
            |v: usize| shape.is_some_and(|(_, shape)| shape[v].iter().any(|d| d.abs() > 0.5));
        let mut vertices: Vec<Vertex> = rest
            .iter()
            .enumerate()
            .map(|(v, &[x, y, z])| {
                let jaw = if moves(v) { 1.0 } else { 0.0 };
                // The tongue is within the arch of the lower teeth.
                let tongue = jaw
                    * smoothstep_between(2.1, 1.5, x.abs())
                    * smoothstep_between(9.4, 9.0, z)
                    * smoothstep_between(-4.6, -4.0, y);
                Vertex {
                    jaw,
                    tongue,
                    groove: tongue * (-(x / 0.2).powi(2)).exp() * smoothstep_between(9.2, 8.0, z),
                    is_tooth: false,
                    behind: (FRONT - z).max(0.0),
                }
            })
            .collect();
        let mut triangles: Vec<[u32; 3]> = model.gums.iter().map(own).collect();
        let mut parts = vec![Part::Flesh; triangles.len()];
        for corners in model.teeth.iter().map(own) {
            let lower = vertices[corners[0] as usize].jaw > 0.5;
            parts.push(if lower {
                Part::LowerTooth
            } else {
                Part::UpperTooth
            });
            triangles.push(corners);
            for corner in corners {
                let vertex = &mut vertices[corner as usize];
                vertex.is_tooth = true;
                vertex.tongue = 0.0;
                vertex.groove = 0.0;
            }
        }
        let edge = |jaw: f32, sign: f32| {
            [-1.0, 1.0].map(|side: f32| {
                let front = |v: &usize| {
                    let vertex = &vertices[*v];
                    vertex.is_tooth
                        && vertex.jaw == jaw
                        && (0.0..0.6).contains(&(rest[*v][0] * side))
                };
                let height = |v: &usize| sign * rest[*v][1];
                let found = (0..vertices.len())
                    .filter(front)
                    .max_by(|a, b| height(a).total_cmp(&height(b)));
                found.unwrap_or(0)
            })
        };
        let (upper_edge, lower_edge) = (edge(0.0, -1.0), edge(1.0, 1.0));
        Self {
            triangles,
            parts,
            vertices,
            upper_edge,
            lower_edge,
            first,
            upper_shift: 0.0,
        }
    }

    /// The centre of the upper front teeth's edge, for all of the head's points.
    pub fn upper_edge(&self, points: &[Point]) -> [f32; 2] {
        self.edge(points, self.upper_edge)
    }

    fn edge(&self, points: &[Point], vertices: [usize; 2]) -> [f32; 2] {
        let [a, b] = vertices.map(|v| points.get(self.first + v).copied().unwrap_or_default());
        [0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1])]
    }

    /// Moves the upper teeth down from the model's position, by centimetres.
    pub fn lower_upper_row(&mut self, shift: f32) {
        self.upper_shift = shift;
    }

    /// The inside of the mouth at each pixel of the mouth's box.
    pub fn draw(
        &self,
        scene: &Scene,
        deformed: &Deformed,
        palette: &Palette,
        mouth_box: &MouthBox,
    ) -> Image<[f32; 3]> {
        let pixels_per_cm = scene.fit.projection.pixels_per_cm;
        let yaw = head_yaw(scene, deformed);
        // From the side the lower row would be visible end-on.
        let lower_row = smoothstep_between(25.0, 15.0, yaw.abs());
        let samples = samples_for(pixels_per_cm);
        let points = self.placed(
            deformed,
            mouth_box,
            pixels_per_cm,
            lower_row,
            samples as f32,
        );
        let normals = super::fit::normals(&self.triangles, &points);
        let light = MouthLight::new(scene, mouth_box, pixels_per_cm);
        let colours: Vec<[f32; 3]> = self
            .vertices
            .iter()
            .zip(&normals)
            .map(|(vertex, normal)| light.colour(vertex, *normal, palette, lower_row))
            .collect();
        let (width, height) = (mouth_box.alpha.width, mouth_box.alpha.height);
        let raster = rasterize(&points, &self.triangles, width * samples, height * samples);
        let gap = GAP * pixels_per_cm * samples as f32;
        let share = 1.0 / (samples * samples) as f32;
        let mut image = Image::filled(width, height, [0.0f32; 3]);
        image.for_rows(|y, row| {
            let alpha = mouth_box.alpha.row(y);
            let Some(first) = alpha.iter().position(|a| *a > 0.0) else {
                return;
            };
            let last = alpha.iter().rposition(|a| *a > 0.0).unwrap_or(first);
            let mut seen: Vec<Sample> = Vec::with_capacity(width * samples);
            for line in 0..samples {
                let hits = raster.row(y * samples + line);
                seen.clear();
                seen.extend(hits.iter().map(|hit| self.sample(*hit, &colours)));
                fill_gaps(&mut seen, Part::UpperTooth, gap);
                fill_gaps(&mut seen, Part::LowerTooth, gap);
                for (x, pixel) in row.iter_mut().enumerate().take(last + 1).skip(first) {
                    for sample in &seen[x * samples..(x + 1) * samples] {
                        let colour = sample.map_or_else(
                            || {
                                light
                                    .throat(palette, &mouth_box.frame.place(mouth_box.middle(x, y)))
                            },
                            |(_, colour)| colour,
                        );
                        for (value, add) in pixel.iter_mut().zip(colour) {
                            *value += add * share;
                        }
                    }
                }
            }
        });
        let mut image =
            image.blurred((0.02 * pixels_per_cm).max(if samples == 1 { 0.6 } else { 0.3 }));
        image.for_rows(|y, row| {
            for (x, pixel) in row.iter_mut().enumerate() {
                if mouth_box.alpha.at(x, y) <= 0.0 {
                    continue;
                }
                let shadow = lip_shadow(
                    &mouth_box.frame.place(mouth_box.middle(x, y)),
                    pixels_per_cm,
                );
                *pixel = pixel.map(|v| v * shadow);
            }
        });
        image
    }

    #[inline]
    fn sample(&self, hit: Hit, colours: &[[f32; 3]]) -> Sample {
        let part = self.parts[hit.triangle()?];
        Some((part, hit.interpolated(&self.triangles, colours)?))
    }

    /// The vertices in samples of the mouth's box. Teeth are stretched and rows moved so that the lips cover the gums.
    fn placed(
        &self,
        deformed: &Deformed,
        mouth_box: &MouthBox,
        pixels_per_cm: f32,
        lower_row: f32,
        samples: f32,
    ) -> Vec<Point> {
        let frame = &mouth_box.frame;
        let down = frame.down();
        let (along, upper_edge) = frame.coordinates(self.edge(&deformed.points, self.upper_edge));
        let (upper_lip, _) = frame.heights(along);
        let shift = self.upper_shift * pixels_per_cm;
        let shown = (upper_edge + shift - upper_lip) / pixels_per_cm;
        let longer = soft_max(shown / CROWN, 1.0, 0.1).min(LONGEST);
        let (along, lower_edge) = frame.coordinates(self.edge(&deformed.points, self.lower_edge));
        let (_, lower_lip) = frame.heights(along);
        let least = LOWER_TEETH * lower_row - 0.15 * (1.0 - lower_row);
        let sunk =
            pixels_per_cm * soft_max((lower_lip - lower_edge) / pixels_per_cm - least, 0.0, 0.1);
        let points = deformed.points[self.first.min(deformed.points.len())..].iter();
        points
            .zip(&self.vertices)
            .map(|(&[x, y, z], vertex)| {
                let height = x * down[0] + y * down[1];
                let by = if vertex.jaw > 0.5 {
                    sunk
                } else {
                    shift + (longer - 1.0) * (height - upper_edge)
                };
                let (x, y) = (
                    x + by * down[0] - mouth_box.left,
                    y + by * down[1] - mouth_box.top,
                );
                [x * samples, y * samples, z * samples]
            })
            .collect()
    }
}

/// What is visible at a sample, and its colour.
type Sample = Option<(Part, [f32; 3])>;

/// Smooth maximum.
fn soft_max(a: f32, b: f32, width: f32) -> f32 {
    0.5 * (a + b + ((a - b).powi(2) + width * width).sqrt())
}

/// Fills gaps between teeth of one row, along a row of samples, so that they don't look like fangs.
fn fill_gaps(samples: &mut [Sample], row: Part, longest: f32) {
    /// Brightness of a filled gap.
    const GAP_LIGHT: f32 = 0.84;
    let mut last: Option<(usize, [f32; 3])> = None;
    for i in 0..samples.len() {
        let Some((part, colour)) = samples[i] else {
            continue;
        };
        if part != row {
            continue;
        }
        if let Some((from, before)) = last
            && i > from + 1
            && (i - from) as f32 <= longest
        {
            for (j, sample) in (from + 1..).zip(&mut samples[from + 1..i]) {
                if matches!(sample, Some((Part::UpperTooth | Part::LowerTooth, _))) {
                    continue;
                }
                let t = (j - from) as f32 / (i - from) as f32;
                let mixed =
                    [0, 1, 2].map(|k| GAP_LIGHT * (before[k] + t * (colour[k] - before[k])));
                *sample = Some((row, mixed));
            }
        }
        last = Some((i, colour));
    }
}

/// Brightness factor of the shadow of the lips.
fn lip_shadow(place: &LipPlace, pixels_per_cm: f32) -> f32 {
    let (upper, lower) = (place.from_upper.max(0.0), place.from_lower.max(0.0));
    (1.0 - 0.5 * (-upper / (0.16 * pixels_per_cm)).exp())
        * (1.0 - 0.3 * (-lower / (0.12 * pixels_per_cm)).exp())
}

/// Yaw of the head relative to the viewer, in degrees.
fn head_yaw(scene: &Scene, deformed: &Deformed) -> f32 {
    let rows = &scene.fit.projection.rows;
    // The head's forward axis.
    let mut forward = rows.map(|row| row[2]);
    if deformed.placement.is_moved {
        forward = deformed.placement.turn(forward);
    }
    forward[0].atan2(forward[2]).to_degrees()
}

/// The light inside the mouth.
struct MouthLight<'a> {
    tone: &'a Tone,
    facing: f32,
    /// Depth behind the front teeth at which a quarter of the light is left, in centimetres.
    light_depth: f32,
}

impl<'a> MouthLight<'a> {
    fn new(scene: &'a Scene, mouth_box: &MouthBox, pixels_per_cm: f32) -> Self {
        let widest = (0..=16)
            .map(|i| {
                let (upper, lower) = mouth_box.frame.heights(i as f32 / 16.0);
                lower - upper
            })
            .fold(0.0, f32::max);
        // Light reaches deeper into a wider mouth.
        let light_depth = 2.6 + 0.55 * (widest / pixels_per_cm).min(4.0);
        Self {
            tone: &scene.tone,
            facing: scene.tone.shade([0.0, 0.0, 1.0]),
            light_depth,
        }
    }

    fn at_depth(&self, behind: f32) -> f32 {
        let depth = behind / self.light_depth;
        1.0 / (1.0 + depth * depth).powi(2)
    }

    fn colour(
        &self,
        vertex: &Vertex,
        normal: Point,
        palette: &Palette,
        lower_row: f32,
    ) -> [f32; 3] {
        let facing = normal[2].clamp(0.0, 1.0);
        // Half of the light is ambient.
        let shade = 0.5 + 0.5 * (self.tone.shade(normal) / self.facing.max(0.05)).clamp(0.6, 1.3);
        let deep = self.at_depth(vertex.behind);
        if vertex.is_tooth {
            let light = shade * (0.62 + 0.48 * facing.powf(0.8)) * (0.08 + 0.92 * deep.powf(0.8));
            let most = palette.brightest;
            // Light reflected by lips and gums is warm.
            let warm =
                [0, 1, 2].map(|k| light.powf(1.0 + self.tone.coloured * [-0.15, 0.02, 0.13][k]));
            let tooth = [0, 1, 2].map(|k| (palette.teeth[k] * warm[k]).min(most));
            // Fades out the lower molars, which would form a grey wall in the corners.
            let fade = vertex.jaw * (1.0 - lower_row * smoothstep_between(3.4, 2.2, vertex.behind));
            let gum = palette.gums.map(|v| v * 0.5 * deep);
            return [0, 1, 2].map(|k| tooth[k] + fade * (gum[k] - tooth[k]));
        }
        // Light from above and in front: the tongue is lit, the palate isn't.
        let lit = (0.5 * normal[1] + 0.866 * normal[2]).clamp(0.0, 1.0);
        let deep = self.at_depth(0.8 * vertex.behind);
        let light =
            shade * (0.4 + 0.65 * lit) * (0.06 + 1.05 * deep) * (1.0 - 0.22 * vertex.groove);
        // Blinn-Phong highlight of wet surfaces.
        let halfway: f32 = 0.26 * normal[1] + 0.966 * normal[2];
        let wet = 0.22 * vertex.tongue + 0.05;
        let shine = wet * halfway.max(0.0).powi(14) * deep * palette.highlight;
        [0, 1, 2].map(|k| {
            let flesh = palette.gums[k] + vertex.tongue * (palette.tongue[k] - palette.gums[k]);
            palette.dark[k] + (flesh - palette.dark[k]) * light + shine
        })
    }

    /// The colour where there is no mesh: the throat, and the insides of the cheeks near the corners.
    fn throat(&self, palette: &Palette, place: &LipPlace) -> [f32; 3] {
        let corner = smoothstep_between(0.2, 0.0, place.along.min(1.0 - place.along));
        [0, 1, 2].map(|k| palette.dark[k] + 0.35 * corner * (palette.gums[k] - palette.dark[k]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_gaps_between_teeth_are_filled_and_long_ones_are_not() {
        let tooth = Some((Part::UpperTooth, [200.0; 3]));
        let flesh = Some((Part::Flesh, [90.0; 3]));
        let mut row = vec![
            tooth, None, flesh, tooth, None, None, None, None, None, tooth, flesh,
        ];
        fill_gaps(&mut row, Part::UpperTooth, 4.0);
        let is_tooth = |sample: &Sample| matches!(sample, Some((Part::UpperTooth, _)));
        let seen: Vec<bool> = row.iter().map(is_tooth).collect();
        let wanted = [
            true, true, true, true, false, false, false, false, false, true, false,
        ];
        assert_eq!(seen, wanted);
    }

    #[test]
    fn the_upper_and_lower_teeth_of_the_model_are_distinguished() {
        let model = Model::bundled().unwrap();
        let jaws = Jaws::new(model);
        let at = |v: usize| model.neutral[jaws.first + v];
        for (upper, lower) in jaws.upper_edge.iter().zip(jaws.lower_edge) {
            assert!(jaws.vertices[*upper].jaw == 0.0 && jaws.vertices[lower].jaw == 1.0);
            assert!(at(*upper)[2] > 9.0 && at(lower)[2] > 9.0);
        }
        assert_eq!(at(jaws.upper_edge[0])[0], -at(jaws.upper_edge[1])[0]);
        let tongue = jaws
            .vertices
            .iter()
            .filter(|vertex| vertex.tongue > 0.5)
            .count();
        assert!(tongue > 100, "{tongue}");
    }
}
