//! What methods report of a frame besides its result, as plain numbers that can be cached and drawn.

use std::sync::Arc;

use crate::document::Pose;
use crate::face::{Edit, Mask, Motion, TurnedSquare};

/// The intermediate results of a frame.
#[derive(Debug, Clone)]
pub enum Diagnostics {
    /// Only the result.
    None,
    /// GANimation's masks.
    Edit(EditDiagnostics),
    /// The motion of FOMM or TPS.
    Motion(MotionDiagnostics),
    /// The rig's mesh.
    Mesh(MeshDiagnostics),
}

impl Diagnostics {
    /// The strength of folds estimated from the portrait's skin, in 0..=1, for a method that draws folds.
    pub fn measured_folds(&self) -> Option<f32> {
        match self {
            Diagnostics::Mesh(mesh) => Some(mesh.measured_folds),
            _ => None,
        }
    }
}

/// Output of a method that repaints a crop: the edit's mask and colours.
#[derive(Debug, Clone)]
pub struct EditDiagnostics {
    /// The square of the portrait that the method sees.
    pub place: TurnedSquare,
    /// The attention and colour masks.
    pub edit: Arc<Edit>,
    /// Where the edit may apply; `None` means everywhere.
    pub mask: Option<Arc<Mask>>,
    /// How far the edit is faded in, in 0..=1.
    pub onset: f32,
}

/// Output of a method that deforms a mesh: its expression and, if requested, the crop's motion.
#[derive(Debug, Clone)]
pub struct MeshDiagnostics {
    /// The expression that is drawn.
    pub pose: Pose,
    /// Whether a draft is good enough.
    pub draft: bool,
    /// The strength of folds estimated from the portrait's skin, in 0..=1.
    pub measured_folds: f32,
    /// Only if requested.
    pub motion: Option<MotionDiagnostics>,
    /// Only if requested.
    pub mesh: Option<DeformedMesh>,
}

/// A layer that a method draws over the portrait's own pixels after it has moved them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// The inside of the mouth, and the line between lips that close.
    Mouth,
    /// Eyeballs, lids and lashes.
    Eyes,
    /// Folds, and light on the turning surface.
    Shading,
}

impl Layer {
    /// All layers, in the order of [`LayerWeights::values`].
    pub const ALL: [Layer; 3] = [Layer::Mouth, Layer::Eyes, Layer::Shading];
}

/// How much of each pixel of a frame each layer draws, in the region that a method may change; outside it the weights are 0.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerWeights {
    /// The square over which diagnostics are laid out.
    pub place: TurnedSquare,
    /// The upper left corner of the first pixel, in pixels of the portrait.
    pub x: f64,
    /// See `x`.
    pub y: f64,
    /// Pixels for each pixel of the portrait.
    pub zoom: f64,
    /// Pixels of a row.
    pub width: usize,
    /// The number of rows.
    pub height: usize,
    /// `[height, width]`, the layers of each pixel in the order of [`Layer::ALL`]. Mouth and eyes count by their opacity,
    /// shading by the relative change of the light, and each layer covers those below it. All are in 0..=1, and so is
    /// their sum: the rest is the moved portrait.
    pub values: Vec<[f32; Layer::ALL.len()]>,
}

impl LayerWeights {
    /// No weights anywhere.
    pub(crate) fn none(place: TurnedSquare) -> Self {
        Self {
            place,
            x: 0.0,
            y: 0.0,
            zoom: 1.0,
            width: 0,
            height: 0,
            values: Vec::new(),
        }
    }

    /// The bilinear weights at a point of the portrait.
    pub fn at(&self, (x, y): (f64, f64)) -> [f32; Layer::ALL.len()] {
        let (x, y) = (
            (x - self.x) * self.zoom - 0.5,
            (y - self.y) * self.zoom - 0.5,
        );
        let (left, top) = (x.floor(), y.floor());
        let (s, t) = ((x - left) as f32, (y - top) as f32);
        let value = |column: f64, row: f64| {
            let inside = |at: f64, size: usize| at >= 0.0 && at < size as f64;
            if inside(column, self.width) && inside(row, self.height) {
                let at = row as usize * self.width + column as usize;
                self.values.get(at).copied().unwrap_or_default()
            } else {
                Default::default()
            }
        };
        let corners = [
            value(left, top),
            value(left + 1.0, top),
            value(left, top + 1.0),
            value(left + 1.0, top + 1.0),
        ];
        let shares = [(1.0 - s) * (1.0 - t), s * (1.0 - t), (1.0 - s) * t, s * t];
        std::array::from_fn(|layer| {
            let corners = corners.iter().zip(shares);
            corners.map(|(values, share)| values[layer] * share).sum()
        })
    }
}

/// The mesh of one frame.
#[derive(Debug, Clone)]
pub struct DeformedMesh {
    /// x to the right, y down and z towards the viewer, in units of the crop's side; x and y are measured from its upper
    /// left corner.
    pub vertices: Vec<[f32; 3]>,
    /// Vertex indices, anticlockwise if the triangle faces the viewer.
    pub triangles: Arc<Vec<[u32; 3]>>,
}

/// Output of a method that warps a crop: the flow and the painted picture.
#[derive(Debug, Clone)]
pub struct MotionDiagnostics {
    /// The square of the portrait that the method sees.
    pub place: TurnedSquare,
    /// The frame's flow, occlusions and picture.
    pub frame: Arc<MotionFrame>,
    /// The frame at rest, when nothing moves.
    pub rest: Arc<MotionFrame>,
}

/// What a method that warps a crop computes for one frame. Planes cover the crop, row-major from its upper left corner.
#[derive(Debug, Clone, PartialEq)]
pub struct MotionFrame {
    /// The flow, occlusion and painted picture.
    pub motion: Motion,
    /// How visible the warped source is, in [0, 1], the coarsest map first: one map for FOMM, four for TPS. The last is
    /// [`Motion::occlusion`]. Never empty.
    pub occlusions: Vec<Map>,
    /// The contribution of each motion: the static background first, then one for each of FOMM's key points or TPS'
    /// splines. They sum to 1 at every pixel.
    pub contributions: Option<Maps>,
    /// The key points that drive the frame. TPS has five for each spline, one spline after the other.
    pub points: Vec<KeyPoint>,
    /// The portrait's key points, in the same order.
    pub source: Vec<KeyPoint>,
}

/// One square plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Side in samples.
    pub size: usize,
    /// `[size, size]`.
    pub values: Vec<f32>,
}

/// Square planes of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct Maps {
    /// The number of planes.
    pub count: usize,
    /// Side in samples.
    pub size: usize,
    /// `[count, size, size]`.
    pub values: Vec<f32>,
}

/// A key point of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeyPoint {
    /// x and y from -1 to 1: the centres of the crop's outermost samples, as in the flow.
    pub at: [f32; 2],
    /// FOMM's Jacobian, row-major.
    pub axes: Option<[f32; 4]>,
}

impl MotionFrame {
    /// A frame without data.
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

    /// Memory used, in bytes.
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
