//! The landmarks of a face.

/// The 478 landmarks of MediaPipe's face mesh: `x` right and `y` down in pixels of the picture, `z` in the same unit,
/// negative towards the viewer.
#[derive(Debug, Clone, PartialEq)]
pub struct Mesh {
    points: Vec<[f32; 3]>,
}

impl Mesh {
    /// How many landmarks there are; the last ten are the irises'.
    pub const POINTS: usize = 478;

    /// `None` unless there are [`Mesh::POINTS`] finite points.
    pub fn new(points: Vec<[f32; 3]>) -> Option<Self> {
        let fits = points.len() == Self::POINTS && points.iter().flatten().all(|v| v.is_finite());
        fits.then_some(Self { points })
    }

    /// The landmarks.
    pub fn points(&self) -> &[[f32; 3]] {
        &self.points
    }

    /// Left, top, right and bottom of the landmarks without the irises.
    pub fn bounds(&self) -> (f32, f32, f32, f32) {
        let face = &self.points[..468];
        let least = |axis: usize| face.iter().map(|p| p[axis]).fold(f32::INFINITY, f32::min);
        let most = |axis: usize| {
            face.iter()
                .map(|p| p[axis])
                .fold(f32::NEG_INFINITY, f32::max)
        };
        (least(0), least(1), most(0), most(1))
    }
}
