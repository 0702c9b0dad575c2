//! The `mien` command end to end: real files in, real files out, and one clear sentence for everything that is wrong.

mod faces;
mod refused;
mod written;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("resources/samples")
        .join(name)
}

fn mien(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mien"))
        .args(arguments)
        .current_dir(folder)
        .env("MIEN_DATA_DIR", folder.join("data"))
        .output()
        .unwrap()
}

fn edit(folder: &Path, portrait: &Path, arguments: &[&str]) -> Output {
    let mut all = vec!["edit", portrait.to_str().unwrap()];
    all.extend(arguments);
    mien(folder, &all)
}

fn succeed(output: &Output) {
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
}

/// The one sentence of a failure.
fn sentence(output: &Output, code: i32) -> String {
    let words = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{words}");
    assert!(!words.contains("panicked"), "{words}");
    words.trim().to_owned()
}

/// What `mien face --json` says of a portrait.
fn faces_of(portrait: &Path) -> serde_json::Value {
    let output = mien(
        Path::new("."),
        &["face", "--json", portrait.to_str().unwrap()],
    );
    succeed(&output);
    serde_json::from_slice(&output.stdout).unwrap()
}
