//! First Order Motion Model: moves a portrait as another face moves.
//!
//! Aliaksandr Siarohin, Stéphane Lathuilière, Sergey Tulyakov, Elisa Ricci, Nicu Sebe,
//! "First Order Motion Model for Image Animation", NeurIPS 2019,
//! [arXiv 2003.00196](https://arxiv.org/abs/2003.00196).
//!
//! A detector finds key points with Jacobians in the source and in each driving picture (Sec. 3.1). Each pair of
//! corresponding key points defines an affine motion around a point (Eq. 4); the dense motion network blends these
//! motions by masks into one flow and predicts what the source doesn't show, the occlusion map (Sec. 3.2). The generator
//! warps the source's features by the flow (Eq. 8) and paints what is missing.
//!
//! Pictures are RGB in `[0, 1]`; coordinates are `(x, y)`, from -1 to 1.

mod config;
mod dense_motion;
mod detector;
mod generator;
mod infer;
mod key_points;
pub mod method;
mod model;

pub use config::{Config, DenseMotionConfig, DetectorConfig, GeneratorConfig, Jacobians};
pub use dense_motion::Motion;
pub use key_points::{KeyPoints, relative};
pub use model::{Fomm, Frame, Prepared};
