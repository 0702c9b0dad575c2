//! What methods say of a frame apart from its result, as plain numbers that can be kept and drawn.

use std::sync::Arc;

use crate::document::Pose;
use crate::face::{Edit, Mask, Motion, TurnedSquare};

/// What a method says of how a frame came about.
#[derive(Debug, Clone)]
pub enum Diagnostics {
    /// Nothing but the result.
    None,
    Edit(EditDiagnostics),
    Motion(MotionDiagnostics),
    Mesh(MeshDiagnostics),
}

impl Diagnostics {
    /// How strongly folds suit the portrait by its own skin, in 0..=1, of a method that draws them.
    pub fn own_folds(&self) -> Option<f32> {
        match self {
            Diagnostics::Mesh(mesh) => Some(mesh.own_folds),
            _ => None,
        }
    }
}

/// A method that redraws a crop: how much it redraws where, and in which colours.
#[derive(Debug, Clone)]
pub struct EditDiagnostics {
    /// The square of the portrait that the method sees.
    pub place: TurnedSquare,
    pub edit: Arc<Edit>,
    /// Where the edit may count; everywhere when there is none.
    pub mask: Option<Arc<Mask>>,
    /// How far the edit is faded in, in 0..=1.
    pub onset: f32,
}

/// A method that deforms a mesh: with which expression, and how the crop moves where that was asked for.
#[derive(Debug, Clone)]
pub struct MeshDiagnostics {
    pub pose: Pose,
    /// Whether a softer picture is good enough.
    pub draft: bool,
    /// How strongly folds suit the portrait by its own skin, in 0..=1.
    pub own_folds: f32,
    /// Where it was asked for.
    pub motion: Option<MotionDiagnostics>,
    /// The same.
    pub mesh: Option<DeformedMesh>,
}

/// A mesh as a frame shows it.
#[derive(Debug, Clone)]
pub struct DeformedMesh {
    /// Across, down and towards the viewer, in shares of the crop's side; the first two from its upper left corner.
    pub vertices: Vec<[f32; 3]>,
    /// Corners among the vertices, anticlockwise where the triangle faces the viewer.
    pub triangles: Arc<Vec<[u32; 3]>>,
}

/// A method that moves a crop: by which flow, with what painted in.
#[derive(Debug, Clone)]
pub struct MotionDiagnostics {
    /// The square of the portrait that the method sees.
    pub place: TurnedSquare,
    pub frame: Arc<MotionFrame>,
    /// The same when nothing moves.
    pub rest: Arc<MotionFrame>,
}

/// What a method that moves a crop says of one frame. Planes lie over the crop, row by row from its upper left.
#[derive(Debug, Clone, PartialEq)]
pub struct MotionFrame {
    /// What the portrait is moved by.
    pub motion: Motion,
    /// How far the moved source is right, in [0, 1], the coarsest first: one for FOMM, four for TPS. The last is
    /// [`Motion::occlusion`]. Never empty.
    pub occlusions: Vec<Map>,
    /// How much each motion counts, the standing background's first, then one for each of FOMM's key points or TPS'
    /// splines. At every place they sum to 1.
    pub contributions: Option<Maps>,
    /// Those that drive the frame. TPS has five for each spline, one spline after the other.
    pub points: Vec<KeyPoint>,
    /// The portrait's own, in the same order.
    pub source: Vec<KeyPoint>,
}

/// One square plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Samples a side.
    pub size: usize,
    /// `[size, size]`.
    pub values: Vec<f32>,
}

/// Square planes of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct Maps {
    pub count: usize,
    /// Samples a side.
    pub size: usize,
    /// `[count, size, size]`.
    pub values: Vec<f32>,
}

/// A key point of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeyPoint {
    /// Across and down, from -1 to 1: the middles of the crop's outermost samples, as in the flow.
    pub at: [f32; 2],
    /// FOMM's Jacobian, row by row.
    pub axes: Option<[f32; 4]>,
}

impl MotionFrame {
    /// A frame that says nothing.
    pub(crate) fn empty() -> Self {
        Self {
            motion: Motion {
                flow_size: (0, 0),
                flow: Vec::new(),
                align_corners: false,
                occlusion_size: 0,
                occlusion: Vec::new(),
                size: 0,
                picture: Vec::new(),
            },
            occlusions: Vec::new(),
            contributions: None,
            points: Vec::new(),
            source: Vec::new(),
        }
    }

    /// How much memory it takes.
    pub fn bytes(&self) -> usize {
        let occlusions: usize = self.occlusions.iter().map(|map| map.values.len()).sum();
        let contributions = self.contributions.as_ref().map_or(0, |c| c.values.len());
        let motion = &self.motion;
        let numbers = motion.flow.len() + motion.occlusion.len() + motion.picture.len();
        let points = self.points.len() + self.source.len();
        size_of::<Self>()
            + (numbers + occlusions + contributions) * size_of::<f32>()
            + points * size_of::<KeyPoint>()
            + self.occlusions.len() * size_of::<Map>()
    }
}
