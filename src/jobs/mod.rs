//! Long-running jobs: export, compare, measure, sample, import of weights, and charts of results.

pub mod charts;
pub mod compare;
pub mod export;
pub mod frame_range;
pub mod import;
pub mod measure;
pub mod meter;
pub mod output;
pub mod remark;
pub mod sample;
