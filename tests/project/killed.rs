//! A process that is killed while it writes leaves a complete file: the old one or the new one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mien::document::{ActionUnit, Pose, Project, Sides};
use mien::project::file::{Embed, MediaIndex, MediaOwner, MediaState, ProjectFile};

use crate::support::{document, file, names};

/// Two large projects, each with its own name and a large picture to embed.
fn large(which: usize, picture: &Path) -> Project {
    let name = ["one", "the other"][which];
    let mut document = document(file(picture));
    document.portrait.name = name.to_owned();
    let smile = ActionUnit::from_code(12).unwrap();
    let poses: Vec<_> = (0..500)
        .map(|i| Some(Pose::NEUTRAL.with(Sides::Both, smile, i as f32 / 500.0)))
        .collect();
    document.track.set_movement(24.0, &poses);
    Project::new(document)
}

const SAVE_TO: &str = "MIEN_TEST_SAVE_TO";
const PICTURE: &str = "MIEN_TEST_PICTURE";

/// Saves one project over the other until it is killed. Not a test: `a_killed_save_leaves_a_complete_project` runs it by its name.
#[test]
#[ignore = "runs until it is killed; started by a_killed_save_leaves_a_complete_project"]
fn saves_until_killed() {
    let variable = |name| PathBuf::from(std::env::var_os(name).unwrap());
    let (path, picture) = (variable(SAVE_TO), variable(PICTURE));
    for which in [0, 1].into_iter().cycle() {
        embed(&large(which, &picture), &path);
    }
}

fn embed(project: &Project, path: &Path) {
    ProjectFile::save_with(project, path, Embed::All, &MediaIndex::default(), None).unwrap();
}

/// Pseudorandom numbers, the same in every run.
fn scattered(i: u64) -> u64 {
    i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_save_leaves_a_complete_project() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = folder.join("large.mien");
    let elsewhere = tempfile::tempdir().unwrap();
    let picture = elsewhere.path().join("large.png");
    let content: Vec<u8> = (0..6_000_000u64).map(|i| scattered(i) as u8).collect();
    fs::write(&picture, &content).unwrap();
    let both = [large(0, &picture), large(1, &picture)];
    embed(&both[1], &path);
    let mut left_over = 0;
    for i in 0..30 {
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "killed::saves_until_killed",
                "--ignored",
                "--nocapture",
            ])
            .env(SAVE_TO, &path)
            .env(PICTURE, &picture)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // After the first save it saves continuously.
        let begun = Instant::now();
        while fs::metadata(&path).unwrap().modified().unwrap() == before {
            assert!(begun.elapsed() < Duration::from_secs(120), "it never saved");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(scattered(i) % 300_000));
        kill(child);

        let mut opened = ProjectFile::open_with(&path, Some(elsewhere.path())).unwrap();
        let MediaState::Embedded(unpacked) = &opened.portrait else {
            panic!("{:?}", opened.portrait);
        };
        assert!(fs::read(unpacked).unwrap() == content);
        MediaOwner::Portrait.set(&mut opened.project, file(&picture));
        assert!(
            both.contains(&opened.project),
            "neither of the two projects"
        );
        let names = names(folder);
        let hidden = names.iter().filter(|name| name.starts_with(".mien-"));
        let hidden = hidden.count();
        assert!(hidden <= 1 && names.len() == 1 + hidden, "{names:?}");
        left_over += hidden;
    }
    assert!(left_over > 0, "no process was killed while writing");
    embed(&both[0], &path);
    assert_eq!(names(folder), ["large.mien"]);
}

#[test]
fn a_killed_export_keeps_the_existing_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let portrait = Path::new(env!("CARGO_MANIFEST_DIR")).join("resources/samples/astronaut.png");
    let target = folder.join("x.gif");
    fs::write(&target, "what was there").unwrap();
    let mut left = Vec::new();
    for i in 0..5 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mien"))
            .arg("edit")
            .arg(&portrait)
            .args(["--au", "12=0.8", "--frames", "40", "-o", "x.gif"])
            .current_dir(folder)
            .env("MIEN_DATA_DIR", folder.join("data"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let is_hidden = |name: &String| name.starts_with(".mien-");
        let begun = Instant::now();
        let before = left.clone();
        while left == before || left.is_empty() {
            left = names(folder).into_iter().filter(is_hidden).collect();
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            assert!(begun.elapsed() < Duration::from_secs(120), "it never began");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(scattered(i) % 200));
        assert!(child.try_wait().unwrap().is_none(), "too late to kill it");
        kill(child);
        // The temporary file of the previous process has been removed.
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(fs::read_to_string(&target).unwrap(), "what was there");
        let visible = names(folder);
        let visible = visible
            .iter()
            .filter(|name| !is_hidden(name) && *name != "data");
        assert_eq!(visible.collect::<Vec<_>>(), ["x.gif"]);
    }
}
