//! Faces: detected, tracked, and converted to Action Units.

mod action_units;
#[path = "../common/mod.rs"]
mod common;
mod faces;
mod parity;
