//! The `mien` command end to end: real files in, real files out, and one clear sentence for every error.

#[path = "../common/mod.rs"]
mod common;
mod compare;
mod docs;
mod edit;
mod export_project;
mod inputs;
mod matrix;
mod parts;
mod signals;
mod support;
mod transfer;
mod untrusted;
