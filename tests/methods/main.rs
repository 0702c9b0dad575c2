//! The networks: their layers, their files, and each method compared with its authors' implementation and through its API.

mod checkpoint_containers;
mod checkpoint_hostile;
#[path = "../common/mod.rs"]
mod common;
mod fomm;
mod fomm_key_points;
mod ganimation_dialects;
mod motion;
mod nn_layers;
mod parity_fomm;
mod parity_ganimation;
mod parity_mocogan;
mod parity_tps;
mod rig;
mod rig_under_motion;
mod sample;
mod toy;
mod tps;
mod tps_splines;
