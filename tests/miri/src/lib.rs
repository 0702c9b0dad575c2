//! The same files as in `src/nn`, for Miri.
#![allow(dead_code, unused_imports)]

#[path = "../../../src/nn/mod.rs"]
pub mod nn;
