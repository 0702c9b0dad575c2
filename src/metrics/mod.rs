//! How far pictures, faces and movements are from one another, as the papers that published motion transfer measure it.
//!
//! Pure functions over pictures, points and lists of numbers; nothing here finds a face or runs a network. What can't be
//! measured (pictures of different sizes, no points) is `None`, never a number that looks like one.

mod features;
mod pixels;
mod points;
mod ssim;

pub use features::{aed, features, mean_pairwise};
pub use pixels::{l1, psnr};
pub use points::{Similarity, akd, mkr};
pub use ssim::ssim;
