//! Faces: found, followed, and read into Action Units.

mod action_units;
#[path = "../common/mod.rs"]
mod common;
mod faces;
mod parity;
