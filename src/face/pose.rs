//! Head pose from landmarks: the rotation that aligns the canonical face with the mesh, by weighted orthogonal
//! Procrustes analysis.

use super::Mesh;
use super::absolute_orientation::rotation;

/// A landmark of the canonical face used in the fit.
struct Anchor {
    landmark: usize,
    weight: f32,
    /// x to the picture's right, y up, z towards the viewer, in centimetres.
    at: [f32; 3],
}

const fn anchor(landmark: usize, weight: f32, at: [f32; 3]) -> Anchor {
    Anchor {
        landmark,
        weight,
        at,
    }
}

/// The landmarks that move least with the expression, with their weights and their positions on the canonical face:
/// from MediaPipe's geometry metadata (`geometry_pipeline_metadata_landmarks.binarypb`), Apache-2.0.
const ANCHORS: [Anchor; 33] = [
    anchor(4, 0.07090994, [0.0, -0.46317, 7.58658]),
    anchor(6, 0.032100145, [0.0, 2.473255, 5.788627]),
    anchor(10, 0.008446551, [0.0, 8.261778, 4.481535]),
    anchor(33, 0.05872417, [-4.445859, 2.663991, 3.173422]),
    anchor(54, 0.00766708, [-6.279331, 6.615427, 1.42585]),
    anchor(67, 0.009078059, [-3.523964, 8.005976, 3.729163]),
    anchor(117, 0.009791938, [-5.258659, 0.945811, 2.974312]),
    anchor(119, 0.014565368, [-3.300681, 0.861641, 3.872784]),
    anchor(121, 0.018591361, [-1.820731, 1.467954, 4.224124]),
    anchor(127, 0.0051979944, [-7.743095, 2.364999, -2.005167]),
    anchor(129, 0.120625205, [-1.785794, -0.978284, 4.85047]),
    anchor(132, 0.0055600186, [-7.270895, -2.890917, -2.252455]),
    anchor(133, 0.053286184, [-1.856432, 2.585245, 3.757904]),
    anchor(136, 0.066890456, [-5.085276, -7.17859, 0.714711]),
    anchor(143, 0.014816548, [-6.407571, 2.236021, 1.560843]),
    anchor(147, 0.014262834, [-6.234883, -1.94443, 1.663542]),
    anchor(198, 0.025462192, [-1.246815, 0.230297, 5.681036]),
    anchor(205, 0.04725228, [-3.832928, -1.537326, 4.137731]),
    anchor(263, 0.05872417, [4.445859, 2.663991, 3.173422]),
    anchor(284, 0.00766708, [6.279331, 6.615427, 1.42585]),
    anchor(297, 0.009078059, [3.523964, 8.005976, 3.729163]),
    anchor(346, 0.009791938, [5.258659, 0.945811, 2.974312]),
    anchor(348, 0.014565368, [3.300681, 0.861641, 3.872784]),
    anchor(350, 0.018591361, [1.820731, 1.467954, 4.224124]),
    anchor(356, 0.0051979944, [7.743095, 2.364999, -2.005167]),
    anchor(358, 0.120625205, [1.785794, -0.978284, 4.85047]),
    anchor(361, 0.0055600186, [7.270895, -2.890917, -2.252455]),
    anchor(362, 0.053286184, [1.856432, 2.585245, 3.757904]),
    anchor(365, 0.066890456, [5.085276, -7.17859, 0.714711]),
    anchor(372, 0.014816548, [6.407571, 2.236021, 1.560843]),
    anchor(376, 0.014262834, [6.234883, -1.94443, 1.663542]),
    anchor(420, 0.025462192, [1.246815, 0.230297, 5.681036]),
    anchor(425, 0.04725228, [3.832928, -1.537326, 4.137731]),
];

/// The rotation of a head in degrees; all zero for the canonical face, which looks straight ahead.
///
/// Rotations are applied in the order roll, pitch, yaw.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HeadPose {
    /// Positive where the face turns to the picture's right, in -180..=180.
    pub yaw: f32,
    /// Positive where the face looks up, in -90..=90.
    pub pitch: f32,
    /// Positive where the head leans clockwise in the picture, in -180..=180.
    pub roll: f32,
}

/// The camera that MediaPipe assumes, centred on the whole picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lens {
    /// The picture's width in pixels.
    pub width: f32,
    /// The picture's height in pixels.
    pub height: f32,
    /// The vertical field of view in degrees; MediaPipe's is [`Lens::MEDIAPIPE`].
    pub field_of_view: f32,
}

impl Lens {
    /// MediaPipe's field of view for an unknown camera, in degrees.
    pub const MEDIAPIPE: f32 = 63.0;
}

type Point = [f64; 3];

impl HeadPose {
    /// Returns the pose as if the face were in the centre of the picture. It doesn't depend on how the picture was
    /// cropped, or where in it the face is. `None` where the landmarks have no extent, or are collinear.
    pub fn of(mesh: &Mesh) -> Option<Self> {
        Some(Fit::of_mesh(mesh)?.pose())
    }

    /// Returns the pose relative to the camera's axis, as MediaPipe computes it. It differs from [`HeadPose::of`] for
    /// faces away from the picture's centre, which the camera sees from the side. `None` as in [`HeadPose::of`], or
    /// for an invalid lens.
    pub fn through(mesh: &Mesh, lens: Lens) -> Option<Self> {
        let [width, height] = [lens.width, lens.height].map(f64::from);
        let half = (f64::from(lens.field_of_view).to_radians() / 2.0).tan();
        let sensible = |value: f64| value.is_finite() && value > 0.0;
        if ![width, height, half].into_iter().all(sensible) {
            return None;
        }
        // Project onto the plane at distance 1 from the camera, which looks along -z.
        let scale = 2.0 * half / height;
        let flat: Vec<Point> = upright(mesh)
            .into_iter()
            .map(|[x, y, z]| {
                [
                    (x - width / 2.0) * scale,
                    (y + height / 2.0) * scale,
                    z * scale,
                ]
            })
            .collect();
        let depth = flat.iter().map(|p| p[2]).sum::<f64>() / flat.len() as f64;
        // Scale away from the camera to the face's size in centimetres, with perspective unprojection.
        let metric = |size: f64| -> Vec<Point> {
            let at = |[x, y, z]: Point| {
                let distance = (1.0 + depth - z) / size;
                [x * distance, y * distance, -distance]
            };
            flat.iter().copied().map(at).collect()
        };
        let first = Fit::of(&anchors(&flat))?.scale;
        let second = Fit::of(&anchors(&metric(first)))?.scale;
        Some(Fit::of(&anchors(&metric(first * second)))?.pose())
    }
}

/// Returns the skin's points with y up and z towards the viewer, as in the canonical face.
fn upright(mesh: &Mesh) -> Vec<Point> {
    let turned = |[x, y, z]: &[f32; 3]| [f64::from(*x), -f64::from(*y), -f64::from(*z)];
    mesh.skin().iter().map(turned).collect()
}

fn anchors(points: &[Point]) -> [Point; ANCHORS.len()] {
    std::array::from_fn(|i| points[ANCHORS[i].landmark])
}

/// The similarity transform that maps the canonical anchors to observed ones with the least weighted squared error.
pub(super) struct Fit {
    rotation: [Point; 3],
    /// Observed units per centimetre.
    pub scale: f64,
}

impl Fit {
    /// Fits a mesh as seen in the picture; `None` where the landmarks have no extent, or are collinear.
    pub fn of_mesh(mesh: &Mesh) -> Option<Self> {
        Self::of(&anchors(&upright(mesh)))
    }

    /// Rotates a direction from the canonical face to the picture; y up, z towards the viewer.
    pub fn turned(&self, at: Point) -> Point {
        self.rotation
            .map(|row| row.iter().zip(at).map(|(a, b)| a * b).sum())
    }

    /// Rotates a direction from the picture to the canonical face.
    pub fn turned_back(&self, at: Point) -> Point {
        std::array::from_fn(|j| (0..3).map(|i| self.rotation[i][j] * at[i]).sum())
    }

    fn of(seen: &[Point; ANCHORS.len()]) -> Option<Self> {
        let total: f64 = ANCHORS.iter().map(|a| f64::from(a.weight)).sum();
        let weights = ANCHORS.each_ref().map(|a| f64::from(a.weight) / total);
        let canonical = ANCHORS.each_ref().map(|a| a.at.map(f64::from));
        let (canonical, seen) = (centred(&canonical, &weights), centred(seen, &weights));

        let mut covariance = [[0.0; 3]; 3];
        let mut spread = 0.0;
        for ((from, to), weight) in canonical.iter().zip(&seen).zip(&weights) {
            for (row, a) in covariance.iter_mut().zip(from) {
                for (sum, b) in row.iter_mut().zip(to) {
                    *sum += weight * a * b;
                }
                spread += weight * a * a;
            }
        }

        let rotation = rotation(&covariance)?;
        let along: f64 = (0..3)
            .map(|i| {
                (0..3)
                    .map(|j| rotation[i][j] * covariance[j][i])
                    .sum::<f64>()
            })
            .sum();
        let scale = along / spread;
        (scale.is_finite() && scale > 0.0).then_some(Self { rotation, scale })
    }

    /// The angles of Ry(yaw) Rx(-pitch) Rz(-roll).
    fn pose(&self) -> HeadPose {
        let [[_, _, sideways], [lean, upright, up], [_, _, ahead]] = self.rotation;
        let degrees = |radians: f64| radians.to_degrees() as f32;
        HeadPose {
            yaw: degrees(sideways.atan2(ahead)),
            pitch: degrees(up.clamp(-1.0, 1.0).asin()),
            roll: degrees((-lean).atan2(upright)),
        }
    }
}

fn centred<const N: usize>(points: &[Point; N], weights: &[f64; N]) -> [Point; N] {
    let mut mean = [0.0; 3];
    for (point, weight) in points.iter().zip(weights) {
        for (mean, value) in mean.iter_mut().zip(point) {
            *mean += weight * value;
        }
    }
    points.map(|p| [p[0] - mean[0], p[1] - mean[1], p[2] - mean[2]])
}

#[cfg(test)]
mod tests {
    use super::super::mesh::samples;
    use super::*;
    use proptest::prelude::*;

    /// The canonical face with a known pose, `scale` pixels per centimetre, at (x, y) in the picture.
    fn turned(pose: HeadPose, scale: f64, x: f64, y: f64) -> Mesh {
        let [yaw, pitch, roll] =
            [pose.yaw, pose.pitch, pose.roll].map(|a| f64::from(a).to_radians());
        let mut points = vec![[0.0; 3]; Mesh::POINTS];
        for anchor in &ANCHORS {
            let [px, py, pz] = anchor.at.map(f64::from);
            // Clockwise roll takes "up" to the picture's right.
            let (px, py) = (
                px * roll.cos() + py * roll.sin(),
                py * roll.cos() - px * roll.sin(),
            );
            // A look up takes "ahead" up.
            let (py, pz) = (
                py * pitch.cos() + pz * pitch.sin(),
                pz * pitch.cos() - py * pitch.sin(),
            );
            // A turn to the right takes "ahead" to the right.
            let (px, pz) = (
                px * yaw.cos() + pz * yaw.sin(),
                pz * yaw.cos() - px * yaw.sin(),
            );
            points[anchor.landmark] =
                [x + px * scale, y - py * scale, -pz * scale].map(|value| value as f32);
        }
        Mesh::new(points).unwrap()
    }

    fn difference(a: f32, b: f32) -> f32 {
        let apart = (a - b).abs() % 360.0;
        apart.min(360.0 - apart)
    }

    proptest! {
        #[test]
        fn the_pose_of_a_rotated_face_is_recovered(
            yaw in -89f32..89.0, pitch in -80f32..80.0, roll in -179f32..179.0,
            scale in 2f64..60.0, x in -500f64..3000.0, y in -500f64..3000.0,
        ) {
            let wanted = HeadPose { yaw, pitch, roll };
            let got = HeadPose::of(&turned(wanted, scale, x, y)).unwrap();
            prop_assert!(difference(got.yaw, yaw) < 0.1 && difference(got.pitch, pitch) < 0.1 && difference(got.roll, roll) < 0.1,
                "{got:?} {wanted:?}");
        }
    }

    #[test]
    fn yaw_pitch_and_roll_have_the_documented_signs() {
        let neutral = turned(HeadPose::default(), 20.0, 300.0, 300.0);
        let nose = |mesh: &Mesh| mesh.points()[4];
        let to_the_right = HeadPose {
            yaw: 30.0,
            ..HeadPose::default()
        };
        assert!(nose(&turned(to_the_right, 20.0, 300.0, 300.0))[0] > nose(&neutral)[0] + 20.0);
        let up = HeadPose {
            pitch: 30.0,
            ..HeadPose::default()
        };
        assert!(nose(&turned(up, 20.0, 300.0, 300.0))[1] < nose(&neutral)[1] - 20.0);
        let clockwise = HeadPose {
            roll: 30.0,
            ..HeadPose::default()
        };
        assert!(turned(clockwise, 20.0, 300.0, 300.0).points()[10][0] > 350.0);
    }

    /// The pose that MediaPipe 0.10.21 computes for the two samples (`facial_transformation_matrixes`).
    #[test]
    fn the_perspective_pose_of_the_samples_agrees_with_mediapipe() {
        let sizes = [(512.0, 512.0), (512.0, 600.0)];
        for ((mesh, (width, height)), wanted) in
            samples::meshes().iter().zip(sizes).zip(MEDIAPIPE_POSES)
        {
            let lens = Lens {
                width,
                height,
                field_of_view: Lens::MEDIAPIPE,
            };
            let got = HeadPose::through(mesh, lens).unwrap();
            assert!(difference(got.yaw, wanted[0]) < 0.02, "{got:?} {wanted:?}");
            assert!(
                difference(got.pitch, wanted[1]) < 0.02,
                "{got:?} {wanted:?}"
            );
            assert!(difference(got.roll, wanted[2]) < 0.02, "{got:?} {wanted:?}");
        }
    }

    const MEDIAPIPE_POSES: [[f32; 3]; 2] = [[-0.285, -14.918, 3.616], [0.502, -6.037, -3.12]];

    #[test]
    fn mirroring_negates_yaw_and_roll() {
        for mesh in samples::meshes() {
            let a = HeadPose::of(&mesh).unwrap();
            let b = HeadPose::of(&mesh.mirrored(512.0).unwrap()).unwrap();
            assert!((a.yaw + b.yaw).abs() < 0.01, "{a:?} {b:?}");
            assert!((a.pitch - b.pitch).abs() < 0.01);
            assert!((a.roll + b.roll).abs() < 0.01);
        }
    }

    #[test]
    fn degenerate_meshes_have_no_pose() {
        let lens = |width| Lens {
            width,
            height: 400.0,
            field_of_view: Lens::MEDIAPIPE,
        };
        let point = Mesh::new(vec![[50.0, 60.0, 0.0]; Mesh::POINTS]).unwrap();
        let line = (0..Mesh::POINTS)
            .map(|i| [i as f32, 2.0 * i as f32, 0.5 * i as f32])
            .collect();
        let line = Mesh::new(line).unwrap();
        let vast = Mesh::new(
            (0..Mesh::POINTS)
                .map(|i| [f32::MAX * ((i % 3) as f32 / 2.0), i as f32, 0.0])
                .collect(),
        );
        for mesh in [point, line] {
            assert_eq!(HeadPose::of(&mesh), None);
            assert_eq!(HeadPose::through(&mesh, lens(300.0)), None);
        }
        // Any result will do, but no panic and no NaN.
        if let Some(pose) = HeadPose::of(&vast.unwrap()) {
            assert!(pose.yaw.is_finite() && pose.pitch.is_finite() && pose.roll.is_finite());
        }
        let [mesh, _] = samples::meshes();
        for width in [0.0, -3.0, f32::NAN, f32::INFINITY] {
            assert_eq!(HeadPose::through(&mesh, lens(width)), None);
        }
    }
}
