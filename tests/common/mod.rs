//! What several tests share.

pub mod layers;
pub mod procedural;
pub mod sampling;
