//! What several tests share. Each target compiles all of it and uses a part.
#![allow(dead_code)]

pub mod checkpoint;
pub mod face;
pub mod layers;
pub mod media;
pub mod parity;
pub mod procedural;
pub mod recorder;
pub mod sampling;
pub mod tps;
