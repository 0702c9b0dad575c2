//! Pictures and clips: read, written, and rejected with one clear sentence.

mod animations;
mod clip_read;
mod clip_sound;
#[path = "../common/mod.rs"]
mod common;
mod open;
mod provenance;
mod write;
