//! The weights of [`super::glasses`]: a regularised logistic regression on 264 portraits of the US Congress, 64 of them
//! with glasses, and on 278 synthetic and photographed faces without glasses.

use super::glasses::FEATURES;

/// The log odds for a portrait whose lines are all equally strong.
pub(super) const BIAS: f32 = -4.11;

/// For each cell of one half of the face, row-major from the outside in: first for horizontal lines, then for vertical
/// ones.
#[rustfmt::skip]
pub(super) const WEIGHTS: [f32; FEATURES] = [
    -0.32, -0.16, 0.06, -0.06, -0.40, -0.43, -0.77,
    -0.42, 0.25, 0.26, -0.13, -0.20, -0.18, -0.44,
    1.14, 1.39, -0.46, -0.48, -0.47, 0.81, 0.67,
    1.24, -0.23, -0.81, 0.04, 0.22, 0.30, 1.56,
    0.11, -0.38, -0.74, -0.27, -0.58, 0.80, 1.28,
    0.22, -0.02, 0.07, -0.01, 0.59, -0.01, -1.36,
    -1.58, -0.01, 0.96, 1.03, 0.42, -0.78, -0.20,
    -0.70, -1.50, -0.27, 0.20, -0.06, -0.07, -0.15,
    -0.25, -0.64, -0.39, -0.42, -0.22, -0.42, -0.28,
    -0.39, -0.07, -0.23, -0.28, -0.33, 0.07, -0.21,
    -0.20, -0.12, -0.28, -0.47, -0.58, 0.37, 0.71,
    0.34, -0.05, -0.54, 0.04, -0.03, 0.42, 1.47,
    0.04, 0.16, -0.78, -0.63, -0.92, 0.82, 0.39,
    -0.26, 0.16, -0.22, -0.30, -0.51, -0.03, -0.74,
    -0.27, 0.08, -0.03, 0.93, -0.48, -1.46, -0.47,
    -0.43, -0.29, -0.64, 0.16, -0.33, 0.40, -0.06,
];
