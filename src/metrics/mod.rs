//! How far pictures, faces and movements are from one another, as the papers that published motion transfer measure it.
//!
//! Pure functions over pictures, points and lists of numbers; nothing here finds a face or runs a network. What can't be
//! measured (pictures of different sizes, no points) is `None`, never a number that looks like one.
//!
//! | | of | range |
//! |---|---|---|
//! | [`l1`], [`psnr`], [`ssim`] | two pictures of one size | 0..=1, 0.. dB, -1..=1 |
//! | [`akd`], [`mkr`] | two faces' landmarks; a clip's frames that show any | pixels, 0..=1 |
//! | [`acd`], [`acd_of_landmarks`] | the frames of a clip | the features' unit |
//! | [`Following`] | a curve over time and the one that it should follow: correlation, amplitude | -1..=1, 0.. |
//! | [`acceleration`] | landmarks' features in three frames | the features' unit |
//! | [`aed`] | two embeddings of identity, which Mien itself has none of | 0..=4 |
//!
//! [`FrameNumbers`] takes those of one frame against a reference at once.

mod curves;
mod features;
mod frame;
mod pixels;
mod points;
mod ssim;

pub use curves::{Following, STILL, acceleration};
pub use features::{acd, acd_of_landmarks, aed, features};
pub use frame::{FrameNumbers, SIDE};
pub use pixels::{l1, psnr};
pub use points::{Similarity, akd, mkr};
pub use ssim::ssim;
