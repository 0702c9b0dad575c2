//! Measures the frames of one pane in order: the metrics of the window and of `mien compare`.

use crate::drive::au_track::AuTrack;
use crate::error::EngineError;
use crate::face::found::finder;
use crate::face::{Face, HeadPose, KeyScores, Shape, Tracker, shape68};
use crate::media::image::Picture;
use crate::metrics::{
    CurveCorrelation, FrameMetrics, Similarity, acceleration, acd, akd, features, mkr,
};

/// The measurements of a face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeasuredFace {
    /// Its 68 landmarks.
    pub shape: Shape,
    /// Smile, jaw and blink.
    pub scores: KeyScores,
    /// The head's rotation.
    pub head: HeadPose,
}

impl MeasuredFace {
    /// Measures a face in a picture; `None` if its landmarks have no extent.
    pub fn of(face: &Face) -> Option<Self> {
        Some(Self {
            shape: shape68(&face.mesh),
            scores: KeyScores::of(&face.scores),
            head: HeadPose::of(&face.mesh)?,
        })
    }

    /// The measurements of a frame of an analysed clip; `None` if it shows no face.
    pub fn in_clip(track: &AuTrack, frame: usize) -> Option<Self> {
        let read = track.frames.get(frame)?;
        Some(Self {
            shape: (*track.shapes.get(frame)?)?,
            scores: read.scores?,
            head: read.head?,
        })
    }

    /// Measures the largest face of a picture, tracked from frame to frame.
    ///
    /// # Errors
    /// [`EngineError::Network`] when the face networks fail.
    pub fn in_picture(
        tracker: &mut Tracker,
        picture: &Picture,
    ) -> Result<Option<Self>, EngineError> {
        let face = tracker.next(finder()?, picture)?;
        Ok(face.as_ref().and_then(Self::of))
    }
}

/// The face that a pane's face is compared with.
#[derive(Debug, Clone, Copy)]
pub enum Truth {
    /// The same person, in pixels of the reference picture; compared as it is.
    Same(Option<MeasuredFace>),
    /// Another person, in any coordinates; first aligned to the pane's face by a similarity transform.
    Other(Option<MeasuredFace>),
}

impl Truth {
    fn face(&self) -> Option<MeasuredFace> {
        match self {
            Truth::Same(face) | Truth::Other(face) => *face,
        }
    }
}

/// The metrics of one frame; `None` where something can't be measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Numbers {
    /// Mean absolute difference, in 0..=1.
    pub l1: Option<f64>,
    /// In decibels; infinite for equal pictures.
    pub psnr: Option<f64>,
    /// Structural similarity, in -1..=1.
    pub ssim: Option<f64>,
    /// Mean absolute difference of the landmarks, in pixels of a picture of 256 pixels a side.
    pub akd: Option<f64>,
    /// How far the landmarks moved since the previous frame, without the head's movement: root mean square.
    pub step: Option<f64>,
    /// The ACD of the frames so far.
    pub acd: Option<f64>,
    /// The smile, jaw and blink scores of the pane's face, and of the face it is compared with.
    pub scores: Option<KeyScores>,
    /// Of the face it is compared with.
    pub true_scores: Option<KeyScores>,
    /// Difference between the head's pose and the one it is compared with, in degrees.
    pub head: Option<f64>,
    /// The [`acceleration`] of the landmarks, and of those they are compared with.
    pub acceleration: Option<f64>,
    /// Of the landmarks it is compared with.
    pub true_acceleration: Option<f64>,
}

/// How a pane's face followed the face it is compared with, over the frames so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Followed {
    /// Of the smile scores.
    pub smile: CurveCorrelation,
    /// Of the jaw scores.
    pub jaw: CurveCorrelation,
    /// Of the blink scores.
    pub blink: CurveCorrelation,
    /// Sums of both faces' accelerations, over the frames where both are known.
    accelerations: [f64; 2],
}

impl Followed {
    fn push(&mut self, numbers: &Numbers) {
        if let (Some(is), Some(to_be)) = (numbers.scores, numbers.true_scores) {
            let pairs = [
                (&mut self.smile, is.smile, to_be.smile),
                (&mut self.jaw, is.jaw, to_be.jaw),
                (&mut self.blink, is.blink, to_be.blink),
            ];
            for (following, is, to_be) in pairs {
                following.push(is.into(), to_be.into());
            }
        }
        if let (Some(is), Some(to_be)) = (numbers.acceleration, numbers.true_acceleration) {
            self.accelerations[0] += is;
            self.accelerations[1] += to_be;
        }
    }

    /// The mean acceleration of the landmarks as a multiple of the followed face's: above 1, the pane jitters.
    pub fn unsteadiness(&self) -> Option<f64> {
        let [is, to_be] = self.accelerations;
        (to_be > 0.0).then(|| is / to_be)
    }
}

/// The last two faces of a sequence, as features.
#[derive(Debug, Default)]
struct Path([Option<Vec<f32>>; 2]);

impl Path {
    /// Adds the next face, and returns the [`acceleration`] over the last three.
    fn push(&mut self, next: Option<Vec<f32>>) -> Option<f64> {
        let turned = match (&self.0, &next) {
            ([Some(first), Some(second)], Some(third)) => acceleration([first, second, third]),
            _ => None,
        };
        self.0.rotate_left(1);
        self.0[1] = next;
        turned
    }
}

/// The head poses of the pane's person and of the driving one at rest. Each head's rotation is measured from its rest pose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RestHeads {
    /// Of the pane's person.
    pub pane: HeadPose,
    /// Of the driving person.
    pub driving: HeadPose,
}

/// The measurements of one pane's frames so far.
#[derive(Default)]
pub struct Meter {
    tracker: Tracker,
    /// The shape that faces are aligned to; the first face if none was given.
    pose: Option<Shape>,
    /// Without it, head poses are compared as they are.
    rest: Option<RestHeads>,
    /// For each frame, whether the driving frame and the pane showed a face.
    present: Vec<(bool, bool)>,
    /// The features of every face so far.
    features: Vec<Vec<f32>>,
    /// The sum of the distances of all pairs of `features`.
    distances: f64,
    /// The features of the previous frame, if it showed a face.
    before: Option<Vec<f32>>,
    path: Path,
    true_path: Path,
    followed: Followed,
}

impl Meter {
    /// Creates a meter; faces are aligned to `pose`, or to the first face.
    pub fn new(pose: Option<Shape>, rest: Option<RestHeads>) -> Self {
        Self {
            pose,
            rest,
            ..Self::default()
        }
    }

    /// Measures the next frame against a reference of the same size.
    ///
    /// # Errors
    /// [`EngineError::Network`] when the face networks fail.
    pub fn measure(
        &mut self,
        frame: &Picture,
        reference: &Picture,
        truth: Truth,
    ) -> Result<Numbers, EngineError> {
        let face = MeasuredFace::in_picture(&mut self.tracker, frame)?;
        let pictures = FrameMetrics::of(frame, reference, None);
        let known = truth.face();
        let apart = known.zip(face).and_then(|(a, b)| match truth {
            Truth::Same(_) => akd(&a.shape, &b.shape),
            Truth::Other(_) => akd_brought_over(&a.shape, &b.shape),
        });
        self.present.push((known.is_some(), face.is_some()));
        let step = self.step(face.map(|face| face.shape));
        let numbers = Numbers {
            l1: pictures.l1,
            psnr: pictures.psnr,
            ssim: pictures.ssim,
            akd: apart,
            step,
            acd: self.acd(),
            ..self.follow(face, known)
        };
        self.followed.push(&numbers);
        Ok(numbers)
    }

    /// Compares the pane's face with the one it should follow.
    fn follow(&mut self, face: Option<MeasuredFace>, known: Option<MeasuredFace>) -> Numbers {
        let pose = self.pose;
        let placed = |face: Option<MeasuredFace>| features(&face?.shape, &pose?);
        Numbers {
            scores: face.map(|face| face.scores),
            true_scores: known.map(|known| known.scores),
            head: face
                .zip(known)
                .map(|(face, known)| heads_apart(face.head, known.head, self.rest)),
            acceleration: self.path.push(placed(face)),
            true_acceleration: self.true_path.push(placed(known)),
            ..Numbers::default()
        }
    }

    fn step(&mut self, shape: Option<Shape>) -> Option<f64> {
        let now = shape.and_then(|shape| {
            let pose = *self.pose.get_or_insert(shape);
            features(&shape, &pose)
        });
        let before = std::mem::replace(&mut self.before, now.clone());
        let now = now?;
        // The ACD of two faces is their distance.
        let apart = |other: &Vec<f32>| acd(&[other, &now]);
        self.distances += self.features.iter().filter_map(apart).sum::<f64>();
        let step = before.as_ref().and_then(apart);
        self.features.push(now);
        step
    }

    /// The mean distance between the faces of all pairs of frames so far.
    pub fn acd(&self) -> Option<f64> {
        let count = self.features.len();
        let pairs = count * count.saturating_sub(1) / 2;
        (pairs > 0).then(|| self.distances / pairs as f64)
    }

    /// The fraction of the frames with a driving face in which the pane shows none.
    pub fn mkr(&self) -> Option<f64> {
        mkr(self.present.iter().copied())
    }

    /// How the pane followed, over the frames so far.
    pub fn followed(&self) -> &Followed {
        &self.followed
    }
}

/// The AKD after the driving face was aligned to the other by a similarity transform.
fn akd_brought_over(driving: &Shape, shape: &Shape) -> Option<f64> {
    let nearest = Similarity::between(driving, shape)?;
    akd(&driving.map(|point| nearest.apply(point)), shape)
}

/// The distance between two head poses in degrees: the root of the sum of the squared differences of yaw, pitch and roll, each
/// relative to its rest pose if known.
fn heads_apart(pane: HeadPose, driving: HeadPose, rest: Option<RestHeads>) -> f64 {
    let angles = |head: HeadPose| [head.yaw, head.pitch, head.roll].map(f64::from);
    let turned = |head: HeadPose, rest: HeadPose| {
        let (now, rest) = (angles(head), angles(rest));
        [0, 1, 2].map(|i| now[i] - rest[i])
    };
    let (pane, driving) = match rest {
        Some(rest) => (turned(pane, rest.pane), turned(driving, rest.driving)),
        None => (angles(pane), angles(driving)),
    };
    let squares = (0..3).map(|i| (pane[i] - driving[i]).powi(2));
    squares.sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn landmark_distance_ignores_a_similarity_transform_of_the_face() {
        let face: Shape = std::array::from_fn(|i| [(i % 9) as f32 * 20.0, (i / 9) as f32 * 20.0]);
        let far = face.map(|[x, y]| [300.0 - 2.0 * y, 2.0 * x - 90.0]);
        assert!(akd_brought_over(&far, &face).unwrap() < 1e-3);
        let wider = face.map(|[x, y]| [1.3 * x, y]);
        assert!(akd_brought_over(&wider, &face).unwrap() > 2.0);
    }

    #[test]
    fn the_step_of_the_landmarks_ignores_similarity_transforms_and_needs_two_faces() {
        let pose: Shape = std::array::from_fn(|i| [(i % 9) as f32 * 20.0, (i / 9) as f32 * 20.0]);
        let mut meter = Meter::new(Some(pose), None);
        assert_eq!(meter.step(Some(pose)), None);
        // A similarity transform of the face is no movement.
        let elsewhere = pose.map(|[x, y]| [1.5 * x + 30.0, 1.5 * y - 4.0]);
        assert!(meter.step(Some(elsewhere)).unwrap() < 1e-3);
        let mut opened = pose;
        opened[57][1] += 12.0;
        let moved = meter.step(Some(opened)).unwrap();
        // One of 68 points moved 12 pixels; the alignment absorbs little of it.
        let wanted = 12.0 / 68.0_f64.sqrt();
        assert!((moved - wanted).abs() < 0.15 * wanted, "{moved}");
        assert_eq!(meter.step(None), None);
        assert_eq!(meter.step(Some(pose)), None);
        assert_eq!(meter.features.len(), 4);
        let all: Vec<&Vec<f32>> = meter.features.iter().collect();
        let together = acd(&all).unwrap();
        assert!((meter.acd().unwrap() - together).abs() < 1e-6);
    }

    /// A face whose mouth opens by `open` pixels and whose head turns.
    fn face(open: f32, jaw: f32, yaw: f32) -> MeasuredFace {
        let mut shape: Shape =
            std::array::from_fn(|i| [(i % 9) as f32 * 20.0, (i / 9) as f32 * 20.0]);
        shape[57][1] += open;
        MeasuredFace {
            shape,
            scores: KeyScores {
                jaw,
                ..KeyScores::default()
            },
            head: HeadPose {
                yaw,
                ..HeadPose::default()
            },
        }
    }

    #[test]
    fn a_face_that_follows_half_of_a_movement_has_an_amplitude_of_one_half() {
        let rest = RestHeads {
            pane: face(0.0, 0.0, 5.0).head,
            driving: face(0.0, 0.0, -2.0).head,
        };
        let mut meter = Meter::new(Some(face(0.0, 0.0, 0.0).shape), Some(rest));
        let mut last = Numbers::default();
        for jaw in [0.0f32, 0.2, 0.8, 0.4, 0.6] {
            let driving = face(10.0 * jaw, jaw, -2.0 + 10.0 * jaw);
            let is = face(5.0 * jaw, 0.1 + 0.5 * jaw, 5.0 + 8.0 * jaw);
            last = meter.follow(Some(is), Some(driving));
            meter.followed.push(&last);
        }
        let followed = meter.followed();
        assert!((followed.jaw.correlation().unwrap() - 1.0).abs() < 1e-6);
        assert!((followed.jaw.amplitude().unwrap() - 0.5).abs() < 1e-6);
        assert_eq!(followed.smile.correlation(), None, "neither face smiles");
        // 4.8 of the 6 degrees wanted.
        assert!((last.head.unwrap() - 1.2).abs() < 1e-4, "{last:?}");
        let unsteady = followed.unsteadiness().unwrap();
        assert!((unsteady - 0.5).abs() < 0.05, "{unsteady}");
    }

    #[test]
    fn a_missing_face_resets_the_measured_path() {
        let mut meter = Meter::new(Some(face(0.0, 0.0, 0.0).shape), None);
        let still = Some(face(0.0, 0.0, 0.0));
        assert_eq!(meter.follow(still, None).head, None);
        assert_eq!(meter.follow(still, still).head, Some(0.0));
        let numbers = meter.follow(still, still);
        assert_eq!(
            (numbers.acceleration, numbers.true_acceleration),
            (Some(0.0), None)
        );
        assert_eq!(meter.follow(None, still).acceleration, None);
        assert_eq!(meter.follow(still, still).acceleration, None);
        assert_eq!(meter.followed().unsteadiness(), None);
    }
}
