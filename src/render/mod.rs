//! Renders frames from a portrait, a motion and a method.

pub mod align;
pub mod composition;
pub mod diagnostics;
pub mod grid;
pub mod lettering;
pub mod renderer;
pub mod request;
pub mod scheduler;
pub mod worker;
