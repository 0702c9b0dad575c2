//! Finds the faces in a picture, and tracks one face through a clip.

use candle_core::{Device, Result};

use super::blendshapes::{self, Blendshapes};
use super::detector::{Detection, Detector};
use super::landmarks::Landmarks;
use super::mesh::Mesh;
use super::square::TurnedSquare;
use crate::media::image::{ImagePyramid, Picture};
use crate::nn::{Precision, Weights};
use crate::weights::{Bundled, ModelFile, WeightsError};

/// Presence threshold: below it, the landmarks are discarded.
const PRESENCE_THRESHOLD: f32 = 0.5;

/// A detected face with its landmarks and blendshape scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    /// The 478 landmarks.
    pub mesh: Mesh,
    /// The probability that there is a face, in 0..=1.
    pub presence: f32,
    /// The score of each blendshape in [`crate::face::BLENDSHAPES`], in 0..=1.
    pub scores: [f32; blendshapes::COUNT],
    /// The detector's result; `None` for a face tracked from the previous frame.
    pub detection: Option<Detection>,
}

impl Face {
    /// Returns the region to search for landmarks in the next frame: 1.5 times the longer side of the landmarks' box,
    /// rotated with the eyes.
    pub fn region(&self) -> TurnedSquare {
        region_of(&self.mesh)
    }
}

fn region_of(mesh: &Mesh) -> TurnedSquare {
    let (left, top, right, bottom) = mesh.bounds();
    TurnedSquare {
        x: f64::from(left + right) * 0.5,
        y: f64::from(top + bottom) * 0.5,
        side: f64::from((right - left).max(bottom - top)) * 1.5,
        angle: f64::from(mesh.lean()),
    }
}

/// The three networks that detect and measure faces.
#[derive(Debug)]
pub struct FaceFinder {
    /// Finds the faces.
    pub detector: Detector,
    /// Places the landmarks.
    pub landmarks: Landmarks,
    /// Scores the blendshapes, from the landmarks.
    pub blendshapes: Blendshapes,
}

impl FaceFinder {
    /// Loads the networks bundled with the program.
    ///
    /// # Errors
    /// [`WeightsError`] only if the program was built from a damaged file.
    pub fn bundled(device: &Device) -> std::result::Result<Self, WeightsError> {
        let file = ModelFile::bundled(Bundled::FaceLandmarker, device)?;
        let weights = Weights::from_tensors(file.tensors, device, Precision::Single);
        Self::new(weights).map_err(|error| WeightsError::Mismatch {
            path: file.name.into(),
            reason: error.to_string(),
        })
    }

    /// Loads `detector`, `landmarks` and `blendshapes`.
    ///
    /// # Errors
    /// If a tensor is missing or of another shape.
    pub fn new(weights: Weights) -> Result<Self> {
        Ok(Self {
            detector: Detector::new(weights.pp("detector"))?,
            landmarks: Landmarks::new(weights.pp("landmarks"))?,
            blendshapes: Blendshapes::new(weights.pp("blendshapes"))?,
        })
    }

    /// Returns every face in a picture, the largest first. Small faces in a group are included.
    ///
    /// # Errors
    /// If a network fails.
    pub fn faces(&self, picture: &Picture) -> Result<Vec<Face>> {
        on_the_pool(|| self.all(&ImagePyramid::for_networks(picture)))
    }

    fn all(&self, pyramid: &ImagePyramid<&Picture>) -> Result<Vec<Face>> {
        let mut faces: Vec<Face> = Vec::new();
        for detection in self.detector.all(pyramid)? {
            let Some(face) = self.read(pyramid, detection)? else {
                continue;
            };
            // Two detections of one face lead to the same landmarks.
            if !faces.iter().any(|other| is_same(&face.mesh, &other.mesh)) {
                faces.push(face);
            }
        }
        let height = |face: &Face| {
            let (_, top, _, bottom) = face.mesh.bounds();
            bottom - top
        };
        faces.sort_by(|a, b| height(b).total_cmp(&height(a)));
        Ok(faces)
    }

    /// Returns the face at a detection, if there is one.
    ///
    /// The landmarks are computed twice, the second time in the region given by the first, as between the frames of a
    /// clip. This way a still image and a frame of a clip give the same reading.
    ///
    /// # Errors
    /// If a network fails.
    pub fn read(
        &self,
        pyramid: &ImagePyramid<&Picture>,
        detection: Detection,
    ) -> Result<Option<Face>> {
        let Some((mesh, presence)) = self.landmarks.find(pyramid, &detection.region())? else {
            return Ok(None);
        };
        if presence < PRESENCE_THRESHOLD {
            return Ok(None);
        }
        let face = self.follow(pyramid, &region_of(&mesh))?;
        Ok(face.map(|face| Face {
            detection: Some(detection),
            ..face
        }))
    }

    /// Returns the face in a region, if there is one.
    ///
    /// # Errors
    /// If a network fails.
    pub fn follow(
        &self,
        pyramid: &ImagePyramid<&Picture>,
        region: &TurnedSquare,
    ) -> Result<Option<Face>> {
        let found = self.landmarks.find(pyramid, region)?;
        let Some((mesh, presence)) = found.filter(|(_, presence)| *presence >= PRESENCE_THRESHOLD)
        else {
            return Ok(None);
        };
        Ok(Some(Face {
            scores: self.blendshapes.scores(&mesh)?,
            mesh,
            presence,
            detection: None,
        }))
    }
}

/// Runs on a thread of the rayon pool: each of the networks' many small parallel steps would otherwise wait for the pool
/// to wake up.
pub(crate) fn on_the_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| work())
}

fn is_same(a: &Mesh, b: &Mesh) -> bool {
    let boxed = |mesh: &Mesh| {
        let (left, top, right, bottom) = mesh.bounds();
        Detection {
            left: left.into(),
            top: top.into(),
            width: (right - left).into(),
            height: (bottom - top).into(),
            keypoints: [(0.0, 0.0); 6],
            score: 1.0,
        }
    };
    boxed(a).overlap(&boxed(b)) > 0.4
}

/// Tracks one face from frame to frame. The detector runs only while there is no face to track.
#[derive(Debug, Default)]
pub struct Tracker {
    /// The region to search in the next frame.
    region: Option<TurnedSquare>,
    /// The last known region, used to tell this face from others when it reappears.
    last: Option<TurnedSquare>,
}

impl Tracker {
    /// Starts tracking at a known face.
    pub fn on(face: &Face) -> Self {
        let region = Some(face.region());
        Self {
            region,
            last: region,
        }
    }

    /// Returns the face in the next frame, or `None` while it is out of sight. When it is lost, the face nearest to its
    /// last position is picked up; at the start, the largest.
    ///
    /// # Errors
    /// If a network fails.
    pub fn next(&mut self, finder: &FaceFinder, frame: &Picture) -> Result<Option<Face>> {
        on_the_pool(|| self.step(finder, &ImagePyramid::for_networks(frame)))
    }

    fn step(
        &mut self,
        finder: &FaceFinder,
        pyramid: &ImagePyramid<&Picture>,
    ) -> Result<Option<Face>> {
        let followed = match self.region.take() {
            Some(region) => finder.follow(pyramid, &region)?,
            None => None,
        };
        let face = match followed.filter(|face| is_plausible(face, pyramid.picture())) {
            Some(face) => Some(face),
            None => self.seek(finder, pyramid)?,
        };
        if let Some(face) = &face {
            self.region = Some(face.region());
            self.last = self.region;
        }
        Ok(face)
    }

    fn seek(&self, finder: &FaceFinder, pyramid: &ImagePyramid<&Picture>) -> Result<Option<Face>> {
        // Search around the last position first: there even a small face is found among large ones.
        if let Some(last) = self.last {
            let around = TurnedSquare {
                side: 2.0 * last.side,
                angle: 0.0,
                ..last
            };
            let near = finder.detector.detect(pyramid, &around)?;
            if let Some(face) = self.first(finder, pyramid, near)? {
                return Ok(Some(face));
            }
        }
        let mut found = finder.detector.detect_whole(pyramid)?;
        if found.is_empty() {
            found = finder.detector.all(pyramid)?;
        }
        self.first(finder, pyramid, found)
    }

    /// Returns the face nearest to the last position, or at the start the largest.
    fn first(
        &self,
        finder: &FaceFinder,
        pyramid: &ImagePyramid<&Picture>,
        mut found: Vec<Detection>,
    ) -> Result<Option<Face>> {
        let rank = |face: &Detection| match self.last {
            Some(last) => {
                let middle = (face.left + 0.5 * face.width, face.top + 0.5 * face.height);
                (middle.0 - last.x).hypot(middle.1 - last.y)
            }
            None => -face.height,
        };
        found.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
        for detection in found {
            if let Some(face) = finder.read(pyramid, detection)? {
                return Ok(Some(face));
            }
        }
        Ok(None)
    }
}

/// Returns whether a tracked face is still inside the picture: the network may lock on to a shoulder.
fn is_plausible(face: &Face, frame: &Picture) -> bool {
    let (width, height) = frame.size();
    let region = face.region();
    let inside =
        (0.0..f64::from(width)).contains(&region.x) && (0.0..f64::from(height)).contains(&region.y);
    inside && region.side >= 8.0
}
