//! Runs every `mien` command in the README and the manual, on small files of the names that they use.

use std::fs;
use std::path::Path;

use crate::common::face::{paste_into, plain, sample, scaled};
use crate::export_project;
use crate::support::{mien, resource};
use crate::transfer;
use mien::media::clip::Clip;
use mien::media::encode::{FrameSink, Mp4Settings, Mp4Sink, save_png};
use mien::media::image::Picture;

#[path = "../../src/cli/shell_blocks.rs"]
mod shell_blocks;

/// The commands of a page of the documentation.
fn commands(page: &str) -> Vec<String> {
    shell_blocks::commands(&fs::read_to_string(resource(page)).unwrap())
}

/// Writes a PNG under any name: the format is detected by content.
fn write(path: &Path, picture: &Picture) {
    let png = path.with_extension("png");
    save_png(&png, picture).unwrap();
    if png != path {
        fs::rename(&png, path).unwrap();
    }
}

/// Half as large as a sample, for speed.
fn small(name: &str) -> Picture {
    scaled(&sample(name), 0.5)
}

/// Creates the files that the documentation's commands read.
fn prepare(folder: &Path) {
    let samples = folder.join("resources/samples");
    fs::create_dir_all(&samples).unwrap();
    write(&samples.join("astronaut.png"), &small("astronaut.png"));

    let portrait = small("grace_hopper.jpg");
    for name in ["portrait.jpg", "child.jpg", "drawing.png"] {
        write(&folder.join(name), &portrait);
    }
    let other = small("astronaut.png");
    write(&folder.join("relaxed.jpg"), &other);
    let mut group = plain(
        portrait.width() + other.width(),
        portrait.height().max(other.height()),
        [128; 3],
    );
    paste_into(&mut group, &portrait, (0, 0));
    paste_into(&mut group, &other, (portrait.width(), 0));
    write(&folder.join("group.jpg"), &group);

    // A little more than a second of the sample clip, at half of its rate.
    let frames = Clip::open(resource("resources/clips/sample.mp4").as_ref()).unwrap();
    let settings = Mp4Settings {
        fps: 12.0,
        ..Mp4Settings::default()
    };
    let (width, height) = (frames.info().width, frames.info().height);
    let mut clip = Mp4Sink::new(&folder.join("clip.mp4"), width, height, settings).unwrap();
    for frame in frames.step_by(2).take(14) {
        clip.push(&frame.unwrap().picture).unwrap();
    }
    Box::new(clip).finish().unwrap();

    export_project::save(&folder.join("smile.mien"));
    let checkpoint = transfer::published(&transfer::small_fomm(), true);
    fs::write(folder.join("vox-cpk.pth.tar"), checkpoint).unwrap();
}

/// Runs the commands of a page in a folder of its own, in their order.
fn run(page: &str, count: usize) {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let commands = commands(page);
    assert!(commands.len() >= count, "{page}: {commands:?}");
    for command in commands {
        let arguments: Vec<&str> = command.split_whitespace().collect();
        let output = mien(folder.path(), &arguments);
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{page}: mien {command}: {words}");
        // A video or picture, or the first of a numbered sequence.
        let written = arguments.iter().position(|argument| *argument == "-o");
        if let Some(name) = written.and_then(|at| arguments.get(at + 1)) {
            let (stem, extension) = name.split_once('.').unwrap();
            let first = format!("{stem}_0001.{extension}");
            let is_there = [*name, &first].map(|name| folder.path().join(name).exists());
            assert!(is_there.contains(&true), "{page}: mien {command}");
        }
    }
}

#[test]
fn the_readmes_commands_run() {
    run("README.md", 2);
}

#[test]
fn the_commands_on_the_command_lines_page_run() {
    run("docs/command-line.md", 20);
}

#[test]
fn the_commands_on_the_weights_page_run() {
    run("docs/weights.md", 2);
}

#[test]
fn other_pages_have_no_commands() {
    let run = ["command-line.md", "weights.md"];
    for entry in fs::read_dir(resource("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !run.contains(&&*name) {
            assert_eq!(commands(&format!("docs/{name}")), [""; 0], "{name}");
        }
    }
}
