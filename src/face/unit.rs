//! How one Action Unit is measured: what the rows of [`units_table`](super::units_table) are made of.

/// What a unit is read from: two landmarks, or a blendshape score.
///
/// Landmarks are given on the left of the picture (the person's right) or on the midline; every measure is the mean
/// of both sides. Lengths are in units of the distance between the outer eye corners.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Of {
    /// How far the first point lies from the second.
    Dist(u16, u16),
    /// How far the first point lies above the second.
    Up(u16, u16),
    /// How far the first point lies outwards of the second, away from the midline.
    Out(u16, u16),
    /// How far the first point lies before the second.
    Front(u16, u16),
    /// A row of [`SCORES`](super::units_table::SCORES), the mean of its two blendshapes, in 0..=1.
    Score(u8),
}

/// One summand of a unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    pub of: Of,
    /// The measure of the usual relaxed face.
    pub rest: f32,
    /// What a difference of 1 from `rest` adds to the unit.
    pub weight: f32,
    /// What a difference of 1 from the person's own relaxed face adds to the unit.
    pub own: f32,
}

/// How one Action Unit is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    /// What is taken off the sum, so that faces at rest read zero.
    pub threshold: f32,
    /// What the sum is multiplied with after that.
    pub gain: f32,
    /// The same two for a face read against the person's own relaxed one.
    pub own_threshold: f32,
    pub own_gain: f32,
    pub terms: &'static [Term],
}
