//! The face: found, followed and read; the square of the portrait that a network sees, and the way back into the portrait.

mod blendshapes;
mod crop;
mod detector;
mod finder;
mod landmarks;
mod levels;
mod mesh;
mod paste;
mod resample;

pub use blendshapes::Blendshapes;
pub use blendshapes::NAMES as BLENDSHAPES;
pub use crop::{Square, network_input};
pub use detector::{Detection, Detector};
pub use finder::{Face, FaceFinder, Tracker};
pub use landmarks::Landmarks;
pub use levels::{Levels, Region};
pub use mesh::Mesh;
pub use paste::{Edit, Show, paste};
