//! The face: found, followed and read; the square of the portrait that a network sees, and the way back into the portrait.

mod blendshapes;
mod crop;
mod detector;
mod finder;
mod horn;
mod landmarks;
mod levels;
mod mesh;
mod outline;
mod paste;
mod pose;
mod regions;
mod resample;
mod shape68;
mod side;
mod smooth;
mod soft;
mod units;
mod units_align;
mod units_table;

pub use blendshapes::Blendshapes;
pub use blendshapes::NAMES as BLENDSHAPES;
pub use crop::{Square, network_input};
pub use detector::{Detection, Detector};
pub use finder::{Face, FaceFinder, Tracker};
pub use landmarks::Landmarks;
pub use levels::{Levels, TurnedSquare};
pub use mesh::Mesh;
pub use paste::{Edit, Mask, Show, paste};
pub use pose::{HeadPose, Lens};
pub use regions::{Region, mask as region_mask};
pub use shape68::{Shape, akd, best_frame, difference, normalised, shape68};
pub use side::side_mask;
pub use smooth::{OneEuro, smooth};
pub use units::{Neutral, read as read_units};
