//! How an Action Unit is measured: the row types of [`units_table`](super::units_table).

/// A measurement: between two landmarks, or a blendshape score.
///
/// Landmarks are given on the left of the picture (the person's right) or on the midline; every measure is the mean
/// of both sides. Lengths are in units of the distance between the outer eye corners.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Measure {
    /// The distance between the points.
    Dist(u16, u16),
    /// How far the first point is above the second.
    Up(u16, u16),
    /// How far the first point is from the second, outwards from the midline.
    Out(u16, u16),
    /// How far the first point is in front of the second.
    Front(u16, u16),
    /// A row of [`SCORES`](super::units_table::SCORES), the mean of its two blendshapes, in 0..=1.
    Score(u8),
}

/// One term of a unit's sum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    pub measure: Measure,
    /// The value in the average relaxed face.
    pub rest: f32,
    /// The unit's change per unit of difference from `rest`.
    pub weight: f32,
    /// The unit's change per unit of difference from the person's own relaxed face.
    pub relative_weight: f32,
}

/// The coefficients of one Action Unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    /// Subtracted from the sum, so that faces at rest read zero.
    pub threshold: f32,
    /// The factor applied after that.
    pub gain: f32,
    /// The same two when reading against the person's own relaxed face.
    pub relative_threshold: f32,
    pub relative_gain: f32,
    pub terms: &'static [Term],
}
