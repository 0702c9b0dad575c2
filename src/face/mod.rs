//! Face detection, tracking and measurement; the crop that a network sees, and compositing its result back into the
//! portrait.

mod absolute_orientation;
mod blendshapes;
mod colour;
mod crop;
mod detector;
mod edit;
mod finder;
pub mod found;
mod gaze;
mod landmarks;
pub mod limits;
mod mesh;
mod outline;
mod paste;
pub mod portrait;
mod pose;
mod regions;
mod resample;
mod sampling;
mod shape68;
mod side;
mod smooth;
mod soft;
mod square;
mod transfer;
mod unit;
mod units;
mod units_align;
mod units_shapes;
mod units_solve;
mod units_table;
pub mod view;

pub use blendshapes::NAMES as BLENDSHAPES;
pub use blendshapes::{Blendshapes, KeyScores};
pub use crop::network_input;
pub use detector::{Detection, Detector};
pub use edit::{Edit, Mask};
pub use finder::{Face, FaceFinder, Tracker};
pub use gaze::{GazeReading, gazes};
pub use landmarks::Landmarks;
pub use mesh::Mesh;
#[cfg(test)]
pub(crate) use mesh::{TWINS, samples::meshes as mesh_samples};
pub use outline::Region;
pub use paste::{PasteMode, heat, paste};
pub use pose::{HeadPose, Lens};
pub use regions::mask as region_mask;
pub use shape68::{Shape, best_frame, difference, differences, normalised, shape68};
pub use side::side_mask;
pub use smooth::{OneEuro, smooth, smooth_in_range};
pub use square::{Square, TurnedSquare};
pub use transfer::{Motion, MotionFault, Transfer, TransferSource};
pub use units::{Neutral, read as read_units};
