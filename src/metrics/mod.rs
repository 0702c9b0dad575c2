//! Differences between pictures, faces and motions, as the papers on motion transfer measure them.
//!
//! Pure functions over pictures, points and lists of numbers; nothing here detects a face or runs a network. What can't
//! be measured (pictures of different sizes, no points) is `None`, never a number.
//!
//! | | compares | range |
//! |---|---|---|
//! | [`l1`], [`psnr`], [`ssim`] | two pictures of the same size | 0..=1, 0.. dB, -1..=1 |
//! | [`akd`], [`mkr`] | two faces' landmarks; which frames of two clips show any | pixels, 0..=1 |
//! | [`acd`], [`acd_of_landmarks`] | the frames of a clip | the features' unit |
//! | [`CurveCorrelation`] | a curve over time and the one that it should follow: correlation, amplitude | -1..=1, 0.. |
//! | [`acceleration`] | landmarks' features in three frames | the features' unit |
//! | [`aed`] | two identity embeddings, which Mien itself doesn't compute | 0..=4 |
//!
//! [`FrameMetrics`] computes the metrics of one frame against a reference together.

mod curves;
mod features;
mod frame;
mod pixels;
mod points;
mod ssim;

pub use curves::{CurveCorrelation, MIN_DEVIATION, acceleration};
pub use features::{acd, acd_of_landmarks, aed, features};
pub use frame::{FrameMetrics, SIDE};
pub use pixels::{l1, psnr};
pub use points::{Similarity, akd, mkr};
pub use ssim::ssim;
