//! Still pictures: the one type that all of Mien uses, and how files become it.

pub(crate) mod open;
mod picture;
pub mod resample;
pub(crate) mod sniff;

pub use open::{MAX_PIXELS, MAX_SIDE, open, read};
pub use picture::Picture;
