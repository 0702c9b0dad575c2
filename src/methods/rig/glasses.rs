//! Glasses: detects them in a portrait, and keeps the skin under their frame rigid.
//!
//! To the displacement field a frame is part of the skin, and would bend with brows and cheeks. It is visible as thin
//! lines around the eyes and across the nose. That part of the face is resampled to the frontal plane of the neutral
//! head; the strength of lines in each square centimetre there distinguishes glasses from wrinkles, and the strong lines
//! are the frame.

use super::fit::{Fit, dot};
use super::glasses_table::{BIAS, WEIGHTS};
use super::image::{Image, lerp};
use super::model::{Model, Point};
use super::polyline::Polyline;
use super::raster::rasterize;
use super::scene::{Deformed, Scene};
use super::tone::{DownscaledRegion, mean, percentile};
use crate::document::Glasses;
use crate::math::smoothstep_between;

/// The region around the eyes in the neutral head's frontal plane: left and upper edge in centimetres, and size in cells.
const LEFT: f32 = -7.0;
const TOP: f32 = 7.0;
const COLUMNS: usize = 14;
const ROWS: usize = 8;
/// Texels per centimetre; a cell is one centimetre.
const TEXELS: usize = 10;
const WIDTH: usize = COLUMNS * TEXELS;
const HEIGHT: usize = ROWS * TEXELS;

/// Number of features: horizontal and vertical lines in each cell of one half of the plane.
pub(super) const FEATURES: usize = 2 * ROWS * COLUMNS / 2;

/// Skin with a smaller z of its normal counts as invisible.
const MIN_FACING: f32 = 0.15;
/// Added to brightness before the logarithm, which would exaggerate grain in dark areas.
const BRIGHTNESS_FLOOR: f32 = 15.0;
/// Half the width of a line in texels, and the blur applied before.
const LINE: usize = 2;
const BLUR: f32 = 1.0;
/// Upper bound on a line's strength.
const STRONGEST: f32 = 0.5;

/// Strength at which lines begin to count as a frame and at which they count fully, relative to the median; and an
/// absolute minimum.
const FRAME_LINES: (f32, f32) = (2.2, 4.4);
const MIN_LINE: f32 = 0.05;
/// Range of heights of frames, in centimetres.
const FRAME_BOTTOM: f32 = 0.3;
const FRAME_TOP: f32 = 5.8;
/// Skin within the first distance from a frame is fully rigid, beyond the second not at all, in centimetres.
const RIGID_RAMP: (f32, f32) = (0.25, 0.95);
/// Skin within the first distance from the lids' edges is never rigid, beyond the second it may be, in centimetres along
/// the skin.
const FREE: (f32, f32) = (0.25, 0.7);

/// The centre lines of the person's right brow and the left, as pairs of landmarks below and above.
const BROWS: [[(usize, usize); 5]; 2] = [
    [(46, 70), (53, 63), (52, 105), (65, 66), (55, 107)],
    [(276, 300), (283, 293), (282, 334), (295, 296), (285, 336)],
];
/// Lines within the first distance from a brow's centre line are hair, beyond the second they may be a frame, in
/// centimetres.
const BROW: (f32, f32) = (0.35, 0.65);
/// The outer and inner corners of both eyes, as landmarks.
const EYE_CORNERS: [[usize; 2]; 2] = [[33, 133], [263, 362]];
/// Where lenses are, in centimetres: their centres from the eyes' outwards and downwards, and half their width and height. Those
/// of large ones; behind smaller ones a little of the cheek is rigid.
const LENS_CENTRE: [f32; 2] = [0.2, 1.0];
const LENS_RADII: [f32; 2] = [2.9, 2.4];
/// Evidence for glasses from which heavy frames, which cover the brows, are possible, and from which they are certain.
const HEAVY: (f32, f32) = (4.0, 6.5);

/// The frame of a portrait's glasses, or where it would be.
#[derive(Debug, Clone)]
pub(super) struct GlassesFrame {
    are_seen: bool,
    /// Rigidity of each vertex of the face, in 0..=1.
    rigidity: Vec<f32>,
}

impl GlassesFrame {
    /// Detects glasses in the face of a scene.
    pub fn new(scene: &Scene) -> Self {
        let plane = Plane::new(scene);
        let lines = plane.lines();
        let evidence = evidence(&features(&lines));
        let brows = Brows {
            lines: BROWS.map(|brow| brow_line(scene.model, &brow)),
            covered: smoothstep_between(HEAVY.0, HEAVY.1, evidence),
        };
        Self {
            are_seen: evidence > 0.0,
            rigidity: rigidity(scene.model, &frame(scene.model, &lines, &brows), &brows),
        }
    }

    /// Undoes the expression's movement of the skin under the frame: it only moves with the head.
    pub fn hold(&self, fit: &Fit, choice: Glasses, deformed: &mut Deformed) {
        let holds = match choice {
            Glasses::Auto => self.are_seen,
            Glasses::Rigid => true,
            Glasses::Bend => false,
        };
        if !holds {
            return;
        }
        let placement = deformed.placement;
        for (vertex, rigidity) in self.rigidity.iter().enumerate() {
            if *rigidity > 0.0 {
                let (point, normal) = (fit.portrait_points[vertex], fit.normals[vertex]);
                let to = &mut deformed.points[vertex];
                *to = lerp(*to, placement.place(point), *rigidity);
                let to = &mut deformed.normals[vertex];
                let normal = lerp(*to, placement.turn(normal), *rigidity);
                let length = dot(normal, normal).sqrt().max(1e-6);
                *to = normal.map(|v| v / length);
            }
        }
    }
}

/// The face around the eyes, resampled to the frontal plane.
struct Plane {
    /// The logarithm of the brightness.
    light: Image<f32>,
    /// 1 where skin is visible, with a margin, else 0.
    seen: Image<f32>,
}

/// Strength of horizontal and of vertical lines at each texel.
type Lines = Image<[f32; 2]>;

impl Plane {
    fn new(scene: &Scene) -> Self {
        let (model, fit) = (scene.model, &scene.fit);
        let scale = TEXELS as f32;
        let places: Vec<Point> = model.neutral[..model.face]
            .iter()
            .map(|point| {
                let [x, y] = texel(*point);
                [x, y, point[2] * scale]
            })
            .collect();
        let vertices: Vec<Point> = fit.portrait_points[..model.face]
            .iter()
            .zip(&fit.normals)
            .map(|([x, y, _], normal)| [*x, *y, normal[2]])
            .collect();
        let points: Vec<[f32; 2]> = vertices.iter().map(|[x, y, _]| [*x, *y]).collect();
        let pixels_per_cm = fit.projection.pixels_per_cm;
        let reduced =
            DownscaledRegion::around(&points, &scene.source, pixels_per_cm, 2.0 * scale, 0.5);
        let soft = reduced.image.blurred(0.06 * reduced.pixels_per_cm);
        let raster = rasterize(&places, &model.face_triangles, WIDTH, HEIGHT);
        // Brightness and visibility, premultiplied by visibility.
        let pixels = Image::from_fn(WIDTH, HEIGHT, |x, y| {
            let hit = raster.row(y)[x].interpolated(&model.face_triangles, &vertices);
            match hit {
                Some([px, py, facing]) if facing > MIN_FACING => {
                    let [x, y] = reduced.place([px, py]);
                    let [r, g, b, alpha] = soft.linear(x, y);
                    if alpha > 0.9 {
                        [mean([r, g, b]) / alpha, 1.0]
                    } else {
                        [0.0; 2]
                    }
                }
                _ => [0.0; 2],
            }
        });
        let blurred = pixels.blurred(BLUR);
        Self {
            light: blurred.map(|[light, seen]| (light / (seen + 1e-3) + BRIGHTNESS_FLOOR).ln()),
            seen: pixels.map(|[_, seen]| seen).eroded(LINE as f32 + 1.0),
        }
    }

    /// Absolute second differences of the log brightness.
    fn lines(&self) -> Lines {
        Image::from_fn(WIDTH, HEIGHT, |x, y| {
            let inside = (LINE..WIDTH - LINE).contains(&x) && (LINE..HEIGHT - LINE).contains(&y);
            if !inside || self.seen.at(x, y) == 0.0 {
                return [0.0; 2];
            }
            let across = |(ax, ay), (bx, by)| {
                let ends = self.light.at(ax, ay) + self.light.at(bx, by);
                (ends - 2.0 * self.light.at(x, y)).abs().min(STRONGEST)
            };
            [
                across((x, y - LINE), (x, y + LINE)),
                across((x - LINE, y), (x + LINE, y)),
            ]
        })
    }
}

/// The log mean line strength in each cell of one half, averaged over both halves, minus the mean of all features.
fn features(lines: &Lines) -> [f32; FEATURES] {
    let mut features = [0.0; FEATURES];
    for y in 0..HEIGHT {
        for (x, strengths) in lines.row(y).iter().enumerate() {
            let column = x.min(WIDTH - 1 - x) / TEXELS;
            let cell = y / TEXELS * (COLUMNS / 2) + column;
            features[cell] += strengths[0];
            features[FEATURES / 2 + cell] += strengths[1];
        }
    }
    let share = 1.0 / (2 * TEXELS * TEXELS) as f32;
    features = features.map(|sum| (sum * share + 0.02).ln());
    let middle = features.iter().sum::<f32>() / FEATURES as f32;
    features.map(|v| v - middle)
}

/// The log odds that a portrait shows glasses.
fn evidence(features: &[f32; FEATURES]) -> f32 {
    let terms = features.iter().zip(&WEIGHTS);
    BIAS + terms.map(|(feature, weight)| feature * weight).sum::<f32>()
}

/// The brows in the plane.
struct Brows {
    lines: [Polyline; 2],
    /// How likely a frame covers them, in 0..=1.
    covered: f32,
}

impl Brows {
    /// Weight with which a point of the plane, in texels, may belong to a frame.
    fn free(&self, at: [f32; 2]) -> f32 {
        let max_distance = BROW.1 * TEXELS as f32;
        let near = self.lines.iter().map(|line| line.nearest(at, max_distance));
        let distance = near.map(|near| near.distance).fold(max_distance, f32::min);
        let free = smoothstep_between(BROW.0, BROW.1, distance / TEXELS as f32);
        free.max(self.covered)
    }
}

/// The centre line of a brow in the plane.
fn brow_line(model: &Model, brow: &[(usize, usize)]) -> Polyline {
    let place = |landmark: usize| texel(model.neutral[model.landmarks[landmark]]);
    let middle = |(below, above): &(usize, usize)| lerp(place(*below), place(*above), 0.5);
    let points: Vec<[f32; 2]> = brow.iter().map(middle).collect();
    Polyline::new(&points, [0.0, 1.0])
}

/// Projects a point of the neutral head to the plane, in texels.
fn texel([x, y, _]: Point) -> [f32; 2] {
    [(x - LEFT) * TEXELS as f32, (TOP - y) * TEXELS as f32]
}

/// The frame's mask: 1 on the frame, which is where lines are strong, and on both lenses, whose lower rims are often too faint to
/// be told from wrinkles.
fn frame(model: &Model, lines: &Lines, brows: &Brows) -> Image<f32> {
    let strength = lines.map(|[a, b]| a.max(b));
    let seen = strength.pixels.iter().copied().filter(|v| *v > 0.0);
    let least = (FRAME_LINES.0 * percentile(seen, 0.5)).max(MIN_LINE);
    let most = least * FRAME_LINES.1 / FRAME_LINES.0;
    let scale = TEXELS as f32;
    let lenses = EYE_CORNERS.map(|[a, b]| {
        let corner = |landmark: usize| texel(model.neutral[model.landmarks[landmark]]);
        let [x, y] = lerp(corner(a), corner(b), 0.5);
        let outward = (x - WIDTH as f32 / 2.0).signum();
        [
            x + outward * LENS_CENTRE[0] * scale,
            y + LENS_CENTRE[1] * scale,
        ]
    });
    Image::from_fn(WIDTH, HEIGHT, |x, y| {
        let at = [x as f32 + 0.5, y as f32 + 0.5];
        let height = TOP - at[1] / scale;
        // A superellipse.
        let is_on = |lens: &[f32; 2]| {
            let cubes = [0, 1].map(|k| ((at[k] - lens[k]) / (LENS_RADII[k] * scale)).abs().powi(3));
            cubes[0] + cubes[1] <= 1.0
        };
        if lenses.iter().any(is_on) {
            1.0
        } else if (FRAME_BOTTOM..FRAME_TOP).contains(&height) {
            smoothstep_between(least, most, strength.at(x, y)) * brows.free(at)
        } else {
            0.0
        }
    })
}

/// The rigidity of each vertex of the face.
fn rigidity(model: &Model, frame: &Image<f32>, brows: &Brows) -> Vec<f32> {
    let outside_frame = frame.map(|v| if v >= 0.5 { 0.0 } else { 1.0 });
    let near = outside_frame
        .distance_to_outside()
        .map(|away| smoothstep_between(RIGID_RAMP.1, RIGID_RAMP.0, away / TEXELS as f32))
        .blurred(1.0);
    let vertex = |vertex: usize| {
        let at = texel(model.neutral[vertex]);
        let inside = (0.0..WIDTH as f32).contains(&at[0]) && (0.0..HEIGHT as f32).contains(&at[1]);
        // Vertices behind, such as the ears, aren't visible in the plane.
        if !inside || model.neutral[vertex][2] < 0.0 {
            return 0.0;
        }
        let lids = model.eyes.iter();
        let lids = lids.flat_map(|eye| [eye.to_upper[vertex].0, eye.to_lower[vertex].0]);
        let lids = lids.fold(f32::INFINITY, f32::min);
        let free = smoothstep_between(FREE.0, FREE.1, lids) * brows.free(at);
        near.linear(at[0], at[1]) * free
    };
    (0..model.face).map(vertex).collect()
}

#[cfg(test)]
mod tests {
    use super::super::deform::Gaps;
    use super::super::model::Half;
    use super::super::testing::{astronaut, grace_hopper, landmarks};
    use super::super::tone::Tone;
    use super::*;

    /// A sample portrait: the astronaut (0), or Grace Hopper (1), who wears glasses.
    fn scene(sample: usize) -> Scene {
        let source = if sample == 0 {
            astronaut()
        } else {
            grace_hopper()
        };
        let model = Model::bundled().unwrap();
        let fit = Fit::new(model, &landmarks(sample), 0.0).unwrap();
        let tone = Tone::new(model, &fit, &source);
        Scene {
            model,
            source,
            fit,
            tone,
        }
    }

    /// The face with brows and cheeks raised, the head turned.
    fn raised(scene: &Scene, turned: [f32; 3]) -> Deformed {
        let mut expression = scene.fit.expression.clone();
        for name in ["browInnerUp", "browOuterUp", "cheekSquint"] {
            for half in Half::BOTH {
                expression[scene.model.expression(name, half).unwrap()] = 1.0;
            }
        }
        let gaps = Gaps::new(scene.model, &scene.fit);
        Deformed::new(scene.model, &scene.fit, &gaps, expression, turned, [0.0; 2])
    }

    #[test]
    fn glasses_are_detected_only_on_portraits_with_glasses() {
        assert!(!GlassesFrame::new(&scene(0)).are_seen);
        assert!(GlassesFrame::new(&scene(1)).are_seen);
    }

    #[test]
    fn glasses_are_detected_at_small_and_large_sizes() {
        for zoom in [0.5, 2.0] {
            for sample in [0, 1] {
                let whole = scene(sample);
                let size = |length: usize| (length as f32 * zoom) as usize;
                let source = Image::from_fn(
                    size(whole.source.width),
                    size(whole.source.height),
                    |x, y| {
                        let at = |v: usize| (v as f32 + 0.5) / zoom;
                        whole.source.linear(at(x), at(y))
                    },
                );
                let fit = whole.fit.in_view(zoom, (0.0, 0.0));
                let seen = GlassesFrame::new(&Scene {
                    source,
                    fit,
                    ..whole
                })
                .are_seen;
                assert_eq!(seen, sample == 1, "{sample} at {zoom}");
            }
        }
    }

    #[test]
    fn a_rigid_frame_only_rotates_with_the_head() {
        let scene = scene(1);
        let glasses = GlassesFrame::new(&scene);
        let wholly = glasses
            .rigidity
            .iter()
            .filter(|rigidity| **rigidity > 0.99)
            .count();
        assert!(wholly > 200, "{wholly}");
        for turned in [[0.0; 3], [8.0, -5.0, 3.0]] {
            let free = raised(&scene, turned);
            let mut deformed = free.clone();
            glasses.hold(&scene.fit, Glasses::Auto, &mut deformed);
            for (vertex, rigidity) in glasses.rigidity.iter().enumerate() {
                let still = deformed.placement.place(scene.fit.portrait_points[vertex]);
                for (k, still) in still.into_iter().enumerate() {
                    let off = |points: &[Point]| (points[vertex][k] - still).abs();
                    let (held_off, free_off) = (off(&deformed.points), off(&free.points));
                    assert!(held_off <= (1.0 - rigidity) * free_off + 1e-3);
                }
            }
        }
    }

    #[test]
    fn the_lids_move_freely_behind_glasses() {
        let scene = scene(1);
        let glasses = GlassesFrame::new(&scene);
        for eye in &scene.model.eyes {
            for vertex in eye.upper.iter().chain(&eye.lower) {
                assert_eq!(glasses.rigidity[*vertex], 0.0);
            }
        }
    }

    #[test]
    fn cheeks_behind_a_lens_are_rigid_and_the_mouth_is_free() {
        let scene = scene(1);
        let glasses = GlassesFrame::new(&scene);
        let rigidity = |landmark: usize| glasses.rigidity[scene.model.landmarks[landmark]];
        // Below both eyes; the corners of the mouth, the upper lip and the chin.
        for landmark in [119, 348] {
            assert!(
                rigidity(landmark) > 0.9,
                "{landmark}: {}",
                rigidity(landmark)
            );
        }
        for landmark in [61, 291, 0, 152] {
            assert_eq!(rigidity(landmark), 0.0, "{landmark}");
        }
    }

    #[test]
    fn the_chosen_mode_overrides_the_detection_of_glasses() {
        for sample in [0, 1] {
            let scene = scene(sample);
            let glasses = GlassesFrame::new(&scene);
            let free = raised(&scene, [0.0; 3]);
            let changes = |choice: Glasses| {
                let mut deformed = free.clone();
                glasses.hold(&scene.fit, choice, &mut deformed);
                deformed.points != free.points
            };
            assert!(!changes(Glasses::Bend));
            assert!(changes(Glasses::Rigid));
            assert_eq!(changes(Glasses::Auto), sample == 1);
        }
    }
}
