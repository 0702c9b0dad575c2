//! From a portrait and a motion to pictures.

pub mod cache;
pub mod composition;
pub mod diagnostics;
pub mod grid;
pub mod lettering;
pub mod moving;
pub mod renderer;
pub mod view;
pub mod worker;
