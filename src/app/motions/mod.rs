//! The column on the right: the list of motions, and the controls of the chosen one.

pub mod drivers;
mod follow;
mod glyphs;
pub mod list;
mod read_curves;
pub mod reference;
pub mod sample_grid;

use iced::widget::image::Handle;

use crate::document::MotionId;

use list::MotionList;
use reference::Reference;
use sample_grid::SampleGrid;

/// The column's width, in logical pixels.
pub const WIDTH: f32 = 324.0;

#[derive(Debug, Default)]
pub struct MotionsPanel {
    pub list: MotionList,
    pub reference: Reference,
    pub grid: SampleGrid,
    /// Whether the column is hidden.
    pub hidden: bool,
    /// The motion whose controls are shown.
    pub of: Option<MotionId>,
    /// The thumbnail of the clip's frame under the playhead, with the digest of the frame's pixels.
    pub current: Option<(u64, Option<Handle>)>,
    /// The digest of the frame whose thumbnail is being decoded.
    pub looking: Option<u64>,
}

impl MotionsPanel {
    /// Stores a decoded thumbnail.
    pub fn looked(&mut self, digest: u64, handle: Option<Handle>) {
        self.looking = None;
        self.current = Some((digest, handle));
    }
}
