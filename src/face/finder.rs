//! Faces of a picture, and one face from frame to frame.

use candle_core::{DType, Device, Result};
use candle_nn::VarBuilder;

use super::blendshapes::{self, Blendshapes};
use super::detector::{Detection, Detector};
use super::landmarks::Landmarks;
use super::mesh::Mesh;
use super::square::TurnedSquare;
use crate::media::image::{ImagePyramid, Picture};
use crate::weights::{Bundled, ModelFile, WeightsError};

/// Below this presence the landmarks belong to no face.
const PRESENT: f32 = 0.5;

/// A face, found and read.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    pub mesh: Mesh,
    /// How likely there is a face, in 0..=1.
    pub presence: f32,
    /// How strongly each movement of [`crate::face::BLENDSHAPES`] shows, in 0..=1.
    pub scores: [f32; blendshapes::COUNT],
    /// What the detector saw; nothing for a face that was followed from the frame before.
    pub detection: Option<Detection>,
}

impl Face {
    /// Where to look for the landmarks in the next frame: the longer side of their box half as long again, turned with
    /// the eyes.
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

/// The three networks that find and read faces.
#[derive(Debug)]
pub struct FaceFinder {
    pub detector: Detector,
    pub landmarks: Landmarks,
    pub blendshapes: Blendshapes,
}

impl FaceFinder {
    /// The networks that come with the program.
    ///
    /// # Errors
    /// [`WeightsError`] only for a program built from a damaged file.
    pub fn bundled(device: &Device) -> std::result::Result<Self, WeightsError> {
        let file = ModelFile::bundled(Bundled::FaceLandmarker, device)?;
        let vb = VarBuilder::from_tensors(file.tensors, DType::F32, device);
        Self::new(vb).map_err(|error| WeightsError::Mismatch {
            path: file.name.into(),
            reason: error.to_string(),
        })
    }

    /// Reads `detector`, `landmarks` and `blendshapes`.
    ///
    /// # Errors
    /// If a tensor is missing or of another shape.
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(Self {
            detector: Detector::new(vb.pp("detector"))?,
            landmarks: Landmarks::new(vb.pp("landmarks"))?,
            blendshapes: Blendshapes::new(vb.pp("blendshapes"))?,
        })
    }

    /// Every face of a picture, the largest first. Small faces of a group are looked for too.
    ///
    /// # Errors
    /// The networks'.
    pub fn faces(&self, picture: &Picture) -> Result<Vec<Face>> {
        on_the_pool(|| self.all(&ImagePyramid::for_networks(picture)))
    }

    fn all(&self, pyramid: &ImagePyramid<&Picture>) -> Result<Vec<Face>> {
        let mut faces: Vec<Face> = Vec::new();
        for detection in self.detector.all(pyramid)? {
            let Some(face) = self.read(pyramid, detection)? else {
                continue;
            };
            // Two detections of one face end in the same landmarks.
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

    /// The face that was detected somewhere, if there is one.
    ///
    /// The landmarks are sought twice, the second time where the first put the face, as between the frames of a clip: so
    /// a still reads as a frame does.
    ///
    /// # Errors
    /// The networks'.
    pub fn read(
        &self,
        pyramid: &ImagePyramid<&Picture>,
        detection: Detection,
    ) -> Result<Option<Face>> {
        let Some((mesh, presence)) = self.landmarks.find(pyramid, &detection.region())? else {
            return Ok(None);
        };
        if presence < PRESENT {
            return Ok(None);
        }
        let face = self.follow(pyramid, &region_of(&mesh))?;
        Ok(face.map(|face| Face {
            detection: Some(detection),
            ..face
        }))
    }

    /// The face in a region, if there is one.
    ///
    /// # Errors
    /// The networks'.
    pub fn follow(
        &self,
        pyramid: &ImagePyramid<&Picture>,
        region: &TurnedSquare,
    ) -> Result<Option<Face>> {
        let found = self.landmarks.find(pyramid, region)?;
        let Some((mesh, presence)) = found.filter(|(_, presence)| *presence >= PRESENT) else {
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

/// Runs on a thread of the pool: the networks' many small parallel steps would each wait for it to wake up.
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

/// One face from frame to frame. The detector is asked only while there is no face to follow.
#[derive(Debug, Default)]
pub struct Tracker {
    /// Where to look in the next frame.
    region: Option<TurnedSquare>,
    /// Where the face was last, so that it is found again among others.
    last: Option<TurnedSquare>,
}

impl Tracker {
    /// Follows a face that is known already.
    pub fn on(face: &Face) -> Self {
        let region = Some(face.region());
        Self {
            region,
            last: region,
        }
    }

    /// The face in the next frame; `None` while it is out of sight. After that the face nearest to where it was is
    /// taken up, at the start the largest.
    ///
    /// # Errors
    /// The networks'.
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
        // First about where it was: there even a small face is seen among large ones.
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
        let mut found = finder.detector.whole(pyramid)?;
        if found.is_empty() {
            found = finder.detector.all(pyramid)?;
        }
        self.first(finder, pyramid, found)
    }

    /// The face that is nearest to where it was, or at the start the largest.
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

/// Whether a followed face still lies in the picture: the network may hold on to a shoulder.
fn is_plausible(face: &Face, frame: &Picture) -> bool {
    let (width, height) = frame.size();
    let region = face.region();
    let inside =
        (0.0..f64::from(width)).contains(&region.x) && (0.0..f64::from(height)).contains(&region.y);
    inside && region.side >= 8.0
}
