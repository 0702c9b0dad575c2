//! Long work outside the window: export, compare, measure, sample, and import of weights.

pub mod compare;
pub mod export;
pub mod film;
pub mod frame_range;
pub mod import;
pub mod measure;
pub mod output;
pub mod remark;
pub mod sample;
pub mod transfer;
pub mod transfer_units;
