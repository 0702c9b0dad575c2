//! The Thin-Plate-Spline Motion Model: moves a portrait as a driving picture moves.
//!
//! Jian Zhao, Hui Zhang, "Thin-Plate Spline Motion Model for Image Animation", CVPR 2022,
//! [arXiv 2203.14367](https://arxiv.org/abs/2203.14367).
//!
//! Groups of five key points in two pictures each define a thin-plate spline between them (Sec. 3.2). A network that sees
//! the source warped by each spline predicts the contribution of each spline at every pixel, and at four resolutions
//! which parts of the source are occluded (Sec. 3.3). Another paints the frame from the source's feature maps, warped and
//! masked at every resolution (Sec. 3.4).
//!
//! Pictures are in `[0, 1]`. Coordinates are `(x, y)`, and `-1` and `1` are the centres of
//! the outermost pixels.

mod avd;
mod background;
mod config;
mod dense_motion;
mod detector;
mod inpainting;
mod key_points;
pub mod method;
mod model;
mod resnet;
mod thin_plate;

pub use config::{AvdConfig, Config, DenseMotionConfig};
pub use dense_motion::Motion;
pub use key_points::{KeyPoints, relative};
pub use model::{Frame, Prepared, Tps};
pub use thin_plate::ThinPlate;
