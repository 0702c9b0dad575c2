//! The column on the right: the list of motions, and the controls of the one that is chosen.

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
    /// Whether the column is put away.
    pub hidden: bool,
    /// The motion whose controls are seen.
    pub of: Option<MotionId>,
    /// The clip's frame under the playhead, by the digest of its pixels.
    pub current: Option<(u64, Option<Handle>)>,
    /// The frame that is being made ready to be shown.
    pub looking: Option<u64>,
}

impl MotionsPanel {
    /// Another frame is ready to be shown.
    pub fn looked(&mut self, digest: u64, handle: Option<Handle>) {
        self.looking = None;
        self.current = Some((digest, handle));
    }
}
