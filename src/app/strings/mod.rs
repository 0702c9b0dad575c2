//! Every text of the window, by panel and in the order of the window. Labels and menu entries are short; a tooltip says
//! what the control does; a message says what is wrong, then what to do.
//!
//! Names of methods, Action Units, presets and views, and the sentences of errors, belong to the rooms below.

pub mod common;
pub mod export;
pub mod expression;
pub mod files;
pub mod motions;
pub mod panes;
pub mod projects;
pub mod sample_grid;
pub mod timeline;
pub mod top_bar;
pub mod weights;
