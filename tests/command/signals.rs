//! A command that is terminated leaves nothing incomplete, however it is terminated.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{command, mien, portrait, succeed};

/// Mien's hidden files and folders.
fn leftovers(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(".mien-")).collect()
}

/// Starts an export that takes minutes, and waits until it writes.
fn started(folder: &Path, output: &str) -> Child {
    let portrait = portrait();
    let words = [
        "edit", &portrait, "--au", "12=1", "--frames", "5000", "-o", output,
    ];
    let child = command(folder, &words)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    // The file that tests whether the folder is writable is deleted immediately, so wait for one that stays.
    let mut standing = (Vec::new(), Instant::now());
    while standing.0.is_empty() || standing.1.elapsed() < Duration::from_millis(500) {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "nothing is written"
        );
        std::thread::sleep(Duration::from_millis(5));
        let now = leftovers(folder);
        if now != standing.0 {
            standing = (now, Instant::now());
        }
    }
    child
}

#[test]
#[cfg(unix)]
fn every_termination_signal_cancels_an_export_and_removes_its_files() {
    for signal in ["INT", "TERM", "HUP"] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::write(folder.join("f_0001.png"), "precious").unwrap();
        let child = started(folder, "f.png");
        let sent = Command::new("kill")
            .args(["-s", signal, &child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{signal}: {stderr}");
        assert!(
            stderr.contains("Cancelled; nothing was written"),
            "{stderr}"
        );
        assert_eq!(leftovers(folder), [""; 0], "{signal}");
        assert_eq!(fs::read(folder.join("f_0001.png")).unwrap(), b"precious");
    }
}

#[test]
fn the_next_export_removes_the_files_of_a_killed_one() {
    for output in ["f.png", "f.gif", "f.mp4"] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mut child = started(folder, output);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!leftovers(folder).is_empty(), "{output}");
        let portrait = portrait();
        let words = [
            "edit", &portrait, "--au", "12=1", "--scale", "0.1", "-o", "g.png",
        ];
        succeed(&mien(folder, &words));
        assert_eq!(leftovers(folder), [""; 0], "{output}");
    }
}
