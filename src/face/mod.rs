//! The face: the square of the portrait that a network sees, and the way back into the portrait.

mod crop;
mod paste;
mod resample;

pub use crop::{Square, network_input};
pub use paste::{Edit, Show, paste};
