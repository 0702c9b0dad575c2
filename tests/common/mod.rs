//! What several tests share.

pub mod layers;
pub mod parity;
pub mod procedural;
pub mod recorder;
pub mod sampling;
