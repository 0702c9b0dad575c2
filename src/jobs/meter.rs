//! Measures the frames of one pane, one after the other: the metrics of the window and of `mien compare`.

use crate::error::EngineError;
use crate::face::found::finder;
use crate::face::{Shape, Tracker, shape68};
use crate::media::image::Picture;
use crate::metrics::{FrameNumbers, Similarity, acd, akd, features, mkr};

/// The face that key points are compared with.
#[derive(Debug, Clone, Copy)]
pub enum Truth {
    /// In pixels of the reference picture: the same person, compared as it is.
    Same(Option<Shape>),
    /// In any pixels: another person, brought over the pane's face as a whole first.
    Other(Option<Shape>),
}

/// The numbers of one frame; `None` where something can't be measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Numbers {
    pub l1: Option<f64>,
    pub psnr: Option<f64>,
    pub ssim: Option<f64>,
    pub akd: Option<f64>,
    /// How far the landmarks moved since the frame before, apart from the head's own movement: root mean square.
    pub step: Option<f64>,
    /// The ACD of the frames so far.
    pub acd: Option<f64>,
}

/// One pane's frames so far.
#[derive(Default)]
pub struct Meter {
    tracker: Tracker,
    /// By which faces are brought to one place, size and turn; the first face's where none was given.
    pose: Option<Shape>,
    /// Whether the driving frame and the pane showed a face.
    present: Vec<(bool, bool)>,
    /// Of every face so far.
    features: Vec<Vec<f32>>,
    /// The sum of the distances of every pair of them.
    distances: f64,
    /// Those of the frame before, if it showed a face.
    before: Option<Vec<f32>>,
}

impl Meter {
    /// A meter for frames whose faces are compared in the pose of this one.
    pub fn new(pose: Option<Shape>) -> Self {
        Self {
            pose,
            ..Self::default()
        }
    }

    /// Measures the next frame against a reference of the same size.
    ///
    /// # Errors
    /// [`EngineError::Network`] when the networks that find faces fail.
    pub fn measure(
        &mut self,
        frame: &Picture,
        reference: &Picture,
        truth: Truth,
    ) -> Result<Numbers, EngineError> {
        let shape = shape_in(&mut self.tracker, frame)?;
        let pictures = FrameNumbers::of(frame, reference, None);
        let (known, apart) = match truth {
            Truth::Same(known) => (known, known.zip(shape).and_then(|(a, b)| akd(&a, &b))),
            Truth::Other(known) => {
                let apart = known.zip(shape).and_then(|(a, b)| akd_brought_over(&a, &b));
                (known, apart)
            }
        };
        self.present.push((known.is_some(), shape.is_some()));
        let step = self.step(shape);
        Ok(Numbers {
            l1: pictures.l1,
            psnr: pictures.psnr,
            ssim: pictures.ssim,
            akd: apart,
            step,
            acd: self.acd(),
        })
    }

    fn step(&mut self, shape: Option<Shape>) -> Option<f64> {
        let now = shape.and_then(|shape| {
            let pose = *self.pose.get_or_insert(shape);
            features(&shape, &pose)
        });
        let before = std::mem::replace(&mut self.before, now.clone());
        let now = now?;
        // The ACD of two is their distance.
        let apart = |other: &Vec<f32>| acd(&[other, &now]);
        self.distances += self.features.iter().filter_map(apart).sum::<f64>();
        let step = before.as_ref().and_then(apart);
        self.features.push(now);
        step
    }

    /// The mean distance between the faces of every pair of frames so far.
    pub fn acd(&self) -> Option<f64> {
        let count = self.features.len();
        let pairs = count * count.saturating_sub(1) / 2;
        (pairs > 0).then(|| self.distances / pairs as f64)
    }

    /// The share of the frames with a driving face in which the pane shows none.
    pub fn mkr(&self) -> Option<f64> {
        mkr(self.present.iter().copied())
    }
}

/// The 68 landmarks of a picture's face, which a tracker follows from frame to frame.
///
/// # Errors
/// [`EngineError::Network`] when the networks that find faces fail.
pub fn shape_in(tracker: &mut Tracker, picture: &Picture) -> Result<Option<Shape>, EngineError> {
    let face = tracker.next(finder()?, picture)?;
    Ok(face.map(|face| shape68(&face.mesh)))
}

/// The AKD from a driving face that was brought over another as a whole.
fn akd_brought_over(driving: &Shape, shape: &Shape) -> Option<f64> {
    let nearest = Similarity::between(driving, shape)?;
    akd(&driving.map(|point| nearest.apply(point)), shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_follows_another_wherever_that_is() {
        let face: Shape = std::array::from_fn(|i| [(i % 9) as f32 * 20.0, (i / 9) as f32 * 20.0]);
        let far = face.map(|[x, y]| [300.0 - 2.0 * y, 2.0 * x - 90.0]);
        assert!(akd_brought_over(&far, &face).unwrap() < 1e-3);
        let wider = face.map(|[x, y]| [1.3 * x, y]);
        assert!(akd_brought_over(&wider, &face).unwrap() > 2.0);
    }

    #[test]
    fn a_step_is_the_landmarks_own_and_needs_two_faces() {
        let pose: Shape = std::array::from_fn(|i| [(i % 9) as f32 * 20.0, (i / 9) as f32 * 20.0]);
        let mut meter = Meter::new(Some(pose));
        assert_eq!(meter.step(Some(pose)), None);
        // Moved as a whole and enlarged, it stands still.
        let elsewhere = pose.map(|[x, y]| [1.5 * x + 30.0, 1.5 * y - 4.0]);
        assert!(meter.step(Some(elsewhere)).unwrap() < 1e-3);
        let mut opened = pose;
        opened[57][1] += 12.0;
        let moved = meter.step(Some(opened)).unwrap();
        // One of 68 points went 12 pixels; what the alignment takes up of it is little.
        let wanted = 12.0 / 68.0_f64.sqrt();
        assert!((moved - wanted).abs() < 0.15 * wanted, "{moved}");
        assert_eq!(meter.step(None), None);
        assert_eq!(meter.step(Some(pose)), None);
        assert_eq!(meter.features.len(), 4);
        let all: Vec<&Vec<f32>> = meter.features.iter().collect();
        let together = acd(&all).unwrap();
        assert!((meter.acd().unwrap() - together).abs() < 1e-6);
    }
}
