//! All that a motion method says of one frame, as plain numbers that can be kept and drawn.

use crate::face::Motion;

/// What FOMM or TPS says of one frame. Planes lie over the crop, row by row from its upper left.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
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

impl Seen {
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
