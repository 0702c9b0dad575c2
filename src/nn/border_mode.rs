//! Border modes.

/// How samples outside the picture are defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// Zeros.
    Zeros,
    /// The picture, mirrored repeatedly at its edges.
    Reflection,
}
