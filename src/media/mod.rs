//! Reading and writing pictures and clips.
//!
//! Inside Mien a picture is always [`image::Picture`]: 8-bit RGBA, sRGB, straight alpha. [`image::open`] reads picture
//! files of any colour space, depth and orientation into it. [`encode`] writes stills and animations; every writer
//! works on a hidden file next to the target and renames it at the end ([`atomic_file`]), so an export that fails or is
//! cancelled leaves an existing file unchanged. [`clip`] reads videos, animations and numbered pictures frame by frame,
//! and their sound. [`provenance`] marks a file as made or edited by a model.

pub mod atomic_file;
pub mod clip;
pub mod colour;
pub mod encode;
pub mod error;
mod file_set;
pub mod image;
pub mod inputs;
mod journal;
pub(crate) mod leftovers;
mod name;
pub mod provenance;
pub mod time;
