//! Everything that drives a portrait: expression tracks, reference clips and sampled motions.

pub mod au_track;
pub mod clip_analysis;
pub mod clip_driver;
pub mod derive;
pub mod driver;
pub mod face_tracking;
pub mod frames;
pub mod previews;
pub mod resolve;
pub mod retime;
pub mod sample_clip;
