//! Small pieces that several panels share.

pub mod controls;
pub mod format;
pub mod icon;
pub mod keyed_cache;
pub mod signs;
pub mod slider;
pub mod square;
pub mod theme;
