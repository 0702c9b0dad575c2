//! What a picture counts as having beyond its edge.

/// What lies outside the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// Nothing: zeros.
    Zeros,
    /// The picture, mirrored at its edge again and again.
    Reflection,
}
