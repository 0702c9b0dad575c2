//! Small widgets that several panels share.

pub mod clicks;
pub mod controls;
pub mod format;
pub mod icon;
pub mod images;
pub mod keyed_cache;
pub mod signs;
pub mod slider;
pub mod square;
pub mod theme;
pub mod value_slider;
