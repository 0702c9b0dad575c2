//! `mien edit` and `mien face` end to end: real files in, real files out, and one clear sentence for every error.

mod faces;
mod refused;
mod written;

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::{failure, mien, succeed};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("resources/samples")
        .join(name)
}

fn edit(folder: &Path, portrait: &Path, arguments: &[&str]) -> Output {
    let mut all = vec!["edit", portrait.to_str().unwrap()];
    all.extend(arguments);
    mien(folder, &all)
}

/// The output of `mien face --json` for a portrait.
fn faces_of(portrait: &Path) -> serde_json::Value {
    let output = mien(
        Path::new("."),
        &["face", "--json", portrait.to_str().unwrap()],
    );
    succeed(&output);
    serde_json::from_slice(&output.stdout).unwrap()
}
