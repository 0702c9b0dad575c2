//! Shared by several test targets. Each of them compiles all of it and uses a part.
#![allow(dead_code)]

pub mod checkpoint;
pub mod clips;
pub mod face;
pub mod layers;
pub mod media;
pub mod parity;
pub mod procedural;
pub mod recorder;
pub mod sampling;
pub mod sound;
pub mod tps;

use std::process::Command;

/// Returns true in a separate process without other programs on its path. Otherwise runs the test in such a process,
/// and panics if it fails there.
pub fn alone_without_programs(module: &str, test: &str) -> bool {
    const ALONE: &str = "MIEN_TEST_NO_PROGRAMS";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    // Test names don't include the target's name.
    let name = module
        .split_once("::")
        .map_or(test.to_owned(), |(_, module)| format!("{module}::{test}"));
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &name])
        .env(ALONE, "1")
        .env("PATH", "")
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "{stdout}"
    );
    false
}
