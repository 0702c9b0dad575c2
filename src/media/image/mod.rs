//! Still pictures: the one type used in all of Mien, and reading files into it.

mod limits;
pub(crate) mod opaque;
pub(crate) mod open;
mod picture;
mod png_profile;
mod pyramid;
pub mod resample;
pub(crate) mod sniff;

pub use limits::{MAX_PIXELS, MAX_SIDE};
pub use open::{open, open_telling, read};
pub use picture::Picture;
pub use pyramid::ImagePyramid;
