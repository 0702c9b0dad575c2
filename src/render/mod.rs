//! From a portrait, a motion and a method to frames.

pub mod align;
pub mod composition;
pub mod diagnostics;
pub mod grid;
pub mod lettering;
pub mod renderer;
pub mod request;
pub mod scheduler;
pub mod worker;
