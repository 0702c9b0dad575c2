//! Shared by the tests of the command: running it, and its output.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// The command in a folder, with a data folder there.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mien"));
    command
        .args(arguments)
        .current_dir(folder)
        .env("MIEN_DATA_DIR", folder.join("data"));
    command
}

pub fn mien(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

/// The standard output of a command that succeeded.
pub fn succeed(output: &Output) -> String {
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The standard error of a command that failed with this exit code.
pub fn failure(output: &Output, code: i32) -> String {
    let words = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{words}");
    assert!(!words.contains("panicked"), "{words}");
    words.trim().to_owned()
}

/// A file of the repository, by its path from the root.
pub fn resource(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    path.to_str().unwrap().to_owned()
}

pub fn portrait() -> String {
    resource("resources/samples/grace_hopper.jpg")
}

/// A clip of a rendered head, one frame per expression.
pub fn clip(folder: &Path, expressions: &[&str]) -> String {
    let frames = folder.join("clip");
    fs::create_dir_all(&frames).unwrap();
    for (i, name) in expressions.iter().enumerate() {
        let from = resource(&format!("tests/face/heads/head_{name}.jpg"));
        fs::copy(from, frames.join(format!("{i:04}.jpg"))).unwrap();
    }
    frames.to_str().unwrap().to_owned()
}
