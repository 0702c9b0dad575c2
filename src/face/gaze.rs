//! Gaze direction, from the position of the irises between the eye corners.
//!
//! Each eye is modelled as a ball whose centre follows from the eye corners and the head pose. The offset of the iris from the
//! centre in the picture, rotated into the head's frame, gives the direction. The iris' rest position and the depth of the
//! centre were fitted to 1,100 portraits of people who look into the camera (US Congress, London Set, faker): their irises are
//! in front of the ball's centre whatever the head pose, so the reading is the eyes' rotation relative to the head. How much of
//! an iris' movement the landmarks follow was fitted to portraits whose eyes the rig rotated.
//!
//! # Accuracy
//!
//! With eyes rotated by the rig by up to 20 degrees on six portraits: horizontally a correlation of 0.91 to 1.00 and a slope of
//! 0.7 to 1.1, vertically 0.92 to 1.00 and 0.6 to 0.8; with half-closed eyes, whose irises MediaPipe guesses, a slope of 0.3 to
//! 0.5. People who look into the camera read as such within 2 degrees horizontally and 5 vertically, and a smile changes
//! nothing on average.

use super::Mesh;
use super::pose::Fit;
use crate::math::smoothstep_between;

/// The iris' rest position relative to the midpoint of the eye corners, in centimetres of the canonical face: outwards, and up.
const REST: [f64; 2] = [0.18, 0.183];

/// Depth of the ball's centre behind it, in the same unit.
const DEPTH: f64 = 0.73;

/// Distance of the iris from the ball's centre, in centimetres. The rig rotates the eyes about the same radius, so a reading
/// moves the rig's irises as far as the clip's moved.
const RADIUS: f64 = 1.45;

/// The iris' movement divided by that of its landmarks, across and up: a lid that covers part of the iris makes the visible
/// rest look closer to the middle.
const LANDMARK_GAIN: [f64; 2] = [1.16, 2.4];

/// Eye openness, as a share of the person's usual: below the first the iris isn't visible, beyond the second it is clearly
/// visible.
const OPENNESS_RAMP: [f32; 2] = [0.5, 0.75];

/// The same during a blink, when the lids pull the iris landmarks along.
const BLINKING_RAMP: [f32; 2] = [0.75, 0.95];

/// An eye counts as blinking this many seconds before and after it is shut.
const BLINKING: f64 = 0.15;

/// Openness of a relaxed eye, in widths of the eye, when nothing is known about the person.
const DEFAULT_OPENNESS: f32 = 0.3;

/// Minimum width of an eye in pixels; below it the gaze is unreliable.
const MIN_EYE_WIDTH: f32 = 8.0;

/// Outer and inner corner, iris, upper and lower lid of each eye, the picture's left one first.
const EYES: [[usize; 5]; 2] = [[33, 133, 468, 159, 145], [263, 362, 473, 386, 374]];

/// The gaze of one eye.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct EyeGaze {
    /// Degrees to the picture's right and up, relative to the head's straight ahead.
    angles: [f32; 2],
    /// Distance between the lids, in widths of the eye.
    openness: f32,
    /// Width of the eye in pixels. On a turned head the nearer eye is wider and has more weight.
    width: f32,
}

/// The gaze of both eyes of a face, relative to its head, the picture's left one first.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct GazeReading([EyeGaze; 2]);

impl GazeReading {
    /// Reads the gaze from a face's irises. `None` where the landmarks have no extent, or are collinear.
    pub fn of(mesh: &Mesh) -> Option<Self> {
        let fit = Fit::of_mesh(mesh)?;
        let at = |landmark: usize| {
            let [x, y, z] = mesh.points()[landmark].map(f64::from);
            [x, -y, -z]
        };
        let mut eyes = [EyeGaze::default(); 2];
        for ((eye, landmarks), outwards) in eyes.iter_mut().zip(EYES).zip([-1.0, 1.0]) {
            let [outer, inner, iris, upper, lower] = landmarks.map(at);
            let length =
                |a: [f64; 3], b: [f64; 3]| (a[0] - b[0]).hypot(a[1] - b[1]).hypot(a[2] - b[2]);
            let rest = fit.turned([outwards * REST[0], REST[1], 0.0]);
            let moved =
                [0, 1].map(|k| (iris[k] - 0.5 * (outer[k] + inner[k])) / fit.scale - rest[k]);
            *eye = EyeGaze {
                angles: direction(&fit, moved),
                openness: (length(upper, lower) / length(outer, inner).max(1e-9)) as f32,
                width: (outer[0] - inner[0]).hypot(outer[1] - inner[1]) as f32,
            };
        }
        let sound = |eye: &EyeGaze| {
            let [x, y] = eye.angles;
            let all = [x, y, eye.openness, eye.width];
            all.iter().all(|v| v.is_finite())
        };
        eyes.iter().all(sound).then_some(Self(eyes))
    }

    /// Returns the mean of both eyes, weighted by their widths, in degrees to the picture's right and up relative to the head's
    /// straight ahead. `None` where both eyes are shut or too small.
    pub fn angles(&self) -> Option<[f32; 2]> {
        self.angles_of([DEFAULT_OPENNESS; 2], [OPENNESS_RAMP; 2])
    }

    /// The same for eyes of the given usual openness, with the visibility range of each.
    fn angles_of(&self, usual: [f32; 2], visibility_ramps: [[f32; 2]; 2]) -> Option<[f32; 2]> {
        let (mut sum, mut total) = ([0.0; 2], 0.0);
        for ((eye, usual), [from, to]) in self.0.iter().zip(usual).zip(visibility_ramps) {
            if eye.width < MIN_EYE_WIDTH {
                continue;
            }
            let weight = eye.width * smoothstep_between(from * usual, to * usual, eye.openness);
            total += weight;
            for (sum, angle) in sum.iter_mut().zip(eye.angles) {
                *sum += weight * angle;
            }
        }
        // A sliver of one eye is not enough.
        let least = 0.1 * (self.0[0].width + self.0[1].width);
        (total > least).then(|| sum.map(|sum| sum / total))
    }
}

/// Returns the iris' direction in the head's frame, in degrees to the right and up. `moved` is its offset in the picture from
/// its rest position between the corners, in centimetres; y up.
fn direction(fit: &Fit, moved: [f64; 2]) -> [f32; 2] {
    let [x, y, _] = fit.turned([1.0, 0.0, 0.0]);
    let long = x.hypot(y).max(1e-9);
    let (x, y) = (x / long, y / long);
    // Along the line of the eyes and perpendicular to it.
    let across = LANDMARK_GAIN[0] * (moved[0] * x + moved[1] * y);
    let up = LANDMARK_GAIN[1] * (moved[1] * x - moved[0] * y);
    let [right, high, _] = fit.turned([0.0, 0.0, DEPTH]);
    let iris_direction =
        [across * x - up * y + right, across * y + up * x + high].map(|v| v / RADIUS);
    // Clamp to the ball's silhouette.
    let long = iris_direction[0].hypot(iris_direction[1]).max(1e-9);
    let [x, y] = iris_direction.map(|v| v * (0.99 / long).min(1.0));
    // The iris is on the near side.
    let near = (1.0 - x * x - y * y).sqrt();
    let [x, y, _] = fit.turned_back([x, y, near]);
    [x, y].map(|v| v.clamp(-1.0, 1.0).asin().to_degrees() as f32)
}

/// Returns the gaze of a clip's face, frame by frame, in degrees to the picture's right and up, relative to the head. While the
/// eyes are shut, the gaze is interpolated between before and after. `None` where there is no face, and everywhere if the eyes
/// never open. `times` are in seconds, ascending, one for each reading.
pub fn gazes(times: &[f64], readings: &[Option<GazeReading>]) -> Vec<Option<[f32; 2]>> {
    let usual = [0, 1].map(|eye| usual_openness(readings, eye));
    let blinking = [0, 1].map(|eye| blinking(times, readings, eye, OPENNESS_RAMP[0] * usual[eye]));
    let gazes_of_open_eyes: Vec<Option<[f32; 2]>> = readings
        .iter()
        .enumerate()
        .map(|(i, reading)| {
            let ramps = [0, 1].map(|eye| {
                if blinking[eye][i] {
                    BLINKING_RAMP
                } else {
                    OPENNESS_RAMP
                }
            });
            reading.as_ref()?.angles_of(usual, ramps)
        })
        .collect();
    let known: Vec<usize> = (0..gazes_of_open_eyes.len())
        .filter(|i| gazes_of_open_eyes[*i].is_some())
        .collect();
    let readings = readings.iter().enumerate();
    readings
        .map(|(i, reading)| {
            reading.as_ref()?;
            let next = known.partition_point(|k| *k < i);
            let after = known.get(next).copied();
            let before = next.checked_sub(1).map(|k| known[k]);
            let (Some(a), Some(b)) = (before, after) else {
                return gazes_of_open_eyes[before.or(after)?];
            };
            let (from, to) = (gazes_of_open_eyes[a]?, gazes_of_open_eyes[b]?);
            let t = match (times.get(a), times.get(b), times.get(i)) {
                (Some(a), Some(b), Some(at)) if b > a => ((at - a) / (b - a)) as f32,
                _ => (i - a) as f32 / (b - a) as f32,
            };
            Some([0, 1].map(|k| from[k] + t * (to[k] - from[k])))
        })
        .collect()
}

/// Returns an eye's openness while it isn't closing: the 90th percentile over the frames.
fn usual_openness(readings: &[Option<GazeReading>], eye: usize) -> f32 {
    let mut all: Vec<f32> = readings
        .iter()
        .flatten()
        .map(|reading| reading.0[eye].openness)
        .collect();
    all.sort_by(f32::total_cmp);
    let place = (all.len() * 9 / 10).min(all.len().saturating_sub(1));
    // Lids that never open wide are shut, not narrow.
    all.get(place)
        .copied()
        .unwrap_or(DEFAULT_OPENNESS)
        .max(0.4 * DEFAULT_OPENNESS)
}

/// For every frame, whether an eye is less open than `shut` in it or within [`BLINKING`] seconds of it.
fn blinking(times: &[f64], readings: &[Option<GazeReading>], eye: usize, shut: f32) -> Vec<bool> {
    let is_shut = |reading: &Option<GazeReading>| {
        reading.is_some_and(|reading| reading.0[eye].openness < shut)
    };
    let mut blinking = vec![false; readings.len()];
    for (i, _) in readings.iter().enumerate().filter(|(_, r)| is_shut(r)) {
        let Some(at) = times.get(i) else { break };
        let from = times.partition_point(|time| *time < at - BLINKING);
        let to = times.partition_point(|time| *time <= at + BLINKING);
        let last = blinking.len();
        blinking[from.min(last)..to.min(last)].fill(true);
    }
    blinking
}

#[cfg(test)]
mod tests {
    use super::super::mesh::samples;
    use super::*;
    use proptest::prelude::*;

    /// A reading of two identical eyes.
    fn reading(x: f32, y: f32, openness: f32) -> GazeReading {
        let eye = EyeGaze {
            angles: [x, y],
            openness,
            width: 20.0,
        };
        GazeReading([eye; 2])
    }

    /// A sample's face with its irises moved in pixels, then rotated as a whole.
    fn moved(by: [f32; 2], yaw: f32) -> Mesh {
        let mut points = samples::meshes()[0].points().to_vec();
        for iris in &mut points[Mesh::SKIN..] {
            iris[0] += by[0];
            iris[1] += by[1];
        }
        let (sin, cos) = yaw.to_radians().sin_cos();
        let turned = points
            .iter()
            .map(|[x, y, z]| [cos * x - sin * z, *y, cos * z + sin * x]);
        Mesh::new(turned.collect()).unwrap()
    }

    fn angles(mesh: &Mesh) -> [f32; 2] {
        GazeReading::of(mesh).unwrap().angles().unwrap()
    }

    #[test]
    fn irises_shifted_right_or_up_read_as_gaze_right_or_up() {
        let straight = angles(&moved([0.0; 2], 0.0));
        let unit = Fit::of_mesh(&moved([0.0; 2], 0.0)).unwrap().scale as f32;
        let [across, up] =
            LANDMARK_GAIN.map(|shown| (10f64.to_radians().sin() * RADIUS / shown) as f32);
        let right = angles(&moved([across * unit, 0.0], 0.0));
        let up = angles(&moved([0.0, -up * unit], 0.0));
        assert!(
            (right[0] - straight[0] - 10.0).abs() < 1.0,
            "{straight:?} {right:?}"
        );
        assert!(
            (right[1] - straight[1]).abs() < 2.0,
            "{straight:?} {right:?}"
        );
        assert!(
            (up[1] - straight[1] - 10.0).abs() < 1.0,
            "{straight:?} {up:?}"
        );
        assert!(straight.iter().all(|v| v.abs() < 12.0), "{straight:?}");
    }

    #[test]
    fn eyes_that_stay_on_the_camera_read_as_gaze_opposite_to_the_yaw() {
        let mesh = moved([0.0; 2], 0.0);
        for yaw in [-20f32, -10.0, 0.0, 15.0] {
            let (sin, cos) = yaw.to_radians().sin_cos();
            let turn = |[x, y, z]: [f32; 3]| [cos * x - sin * z, y, cos * z + sin * x];
            let mut points: Vec<[f32; 3]> = mesh.points().iter().copied().map(turn).collect();
            let fit = Fit::of_mesh(&Mesh::new(points.clone()).unwrap()).unwrap();
            for ([outer, inner, iris, ..], out) in EYES.into_iter().zip([-1.0, 1.0]) {
                // In front of the ball's centre, as far as landmarks follow.
                let rest = fit.turned([out * REST[0], REST[1], 0.0]);
                let back = fit.turned([0.0, 0.0, -DEPTH]);
                for (k, sign) in [1.0, -1.0].into_iter().enumerate() {
                    let middle = 0.5 * (f64::from(points[outer][k]) + f64::from(points[inner][k]));
                    let moved = rest[k] + back[k] / LANDMARK_GAIN[k];
                    points[iris][k] = (middle + sign * fit.scale * moved) as f32;
                }
            }
            let mesh = Mesh::new(points).unwrap();
            let head = crate::face::HeadPose::of(&mesh).unwrap();
            let [x, y] = angles(&mesh);
            assert!(
                (x + head.yaw).abs() < 1.5 && (y + head.pitch).abs() < 1.5,
                "{x} {y} {head:?}"
            );
        }
    }

    #[test]
    fn gaze_is_interpolated_across_a_blink_and_none_without_a_face() {
        let times = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5];
        let open = |x: f32| Some(reading(x, 2.0, 0.3));
        let shut = Some(reading(0.0, -20.0, 0.03));
        let found = gazes(&times, &[open(4.0), shut, shut, open(10.0), None, shut]);
        let expected = [4.0, 6.0, 8.0, 10.0];
        for (found, x) in found.iter().zip(expected) {
            let [fx, fy] = found.unwrap();
            assert!(
                (fx - x).abs() < 1e-4 && (fy - 2.0).abs() < 1e-4,
                "{found:?}"
            );
        }
        assert_eq!(found[4], None);
        assert_eq!(found[5], Some([10.0, 2.0]), "held to the end");
        assert_eq!(gazes(&times[..2], &[shut, shut]), [None; 2]);
        assert_eq!(gazes(&[], &[]), []);
    }

    #[test]
    fn half_closed_lids_next_to_a_blink_are_ignored_and_downward_gaze_is_not() {
        let times: Vec<f64> = (0..20).map(|i| f64::from(i) / 25.0).collect();
        let open = Some(reading(0.0, 0.0, 0.3));
        let half = Some(reading(0.0, -12.0, 0.2));
        let mut all = vec![open; 20];
        all[9] = half;
        all[10] = Some(reading(0.0, -30.0, 0.02));
        let blink = gazes(&times, &all);
        assert!(
            blink.iter().all(|gaze| *gaze == Some([0.0, 0.0])),
            "{blink:?}"
        );
        all[10] = half;
        let down = gazes(&times, &all);
        let y = |i: usize| down[i].unwrap()[1];
        assert!((y(9) + 12.0).abs() < 1e-3 && y(8).abs() < 1e-3, "{down:?}");
    }

    #[test]
    fn a_face_of_a_few_pixels_has_no_gaze() {
        let mut small = reading(5.0, 5.0, 0.3);
        small.0.iter_mut().for_each(|eye| eye.width = 5.0);
        assert_eq!(small.angles(), None);
        assert_eq!(gazes(&[0.0], &[Some(small)]), [None]);
    }

    #[test]
    fn narrow_eyes_and_the_open_eye_of_a_wink_have_a_gaze() {
        let narrow = Some(reading(5.0, 0.0, 0.17));
        let found = gazes(&[0.0, 0.1], &[narrow; 2]);
        assert!(found.iter().all(Option::is_some));
        // In a wink, the other eye is read.
        let mut wink = reading(5.0, 0.0, 0.3);
        wink.0[0].openness = 0.02;
        wink.0[0].angles = [-40.0, -40.0];
        assert_eq!(wink.angles(), Some([5.0, 0.0]));
    }

    proptest! {
        #[test]
        fn any_landmarks_give_finite_gaze_angles_or_none(
            points in prop::collection::vec(prop::array::uniform3(-1e4f32..1e4), Mesh::POINTS),
        ) {
            if let Some(found) = GazeReading::of(&Mesh::new(points).unwrap()) {
                let angles = found.angles();
                prop_assert!(angles.is_none_or(|a| a.iter().all(|v| v.abs() <= 90.0)), "{found:?}");
            }
        }
    }
}
