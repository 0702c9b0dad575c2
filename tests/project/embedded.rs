//! Media embedded in the project.

use std::fs;

use mien::document::{ClipMotion, MotionKind};
use mien::project::file::{Embed, MediaOwner, MediaState, ProjectFile};

use crate::support::{entries, everything, file, open, save, save_again, sentence};

#[test]
fn a_project_with_embedded_media_opens_without_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let art = folder.path().join("art");
    fs::create_dir(&art).unwrap();
    let mut project = everything(&art);
    // Identical content is stored only once.
    fs::copy(art.join("clips/talk.mp4"), art.join("same.mp4")).unwrap();
    project.add(
        "same",
        MotionKind::Clip(ClipMotion::new(file(art.join("same.mp4")))),
    );
    let path = folder.path().join("a.mien");
    let saved = save(&project, &path, Embed::All);
    assert_eq!((saved.embedded, saved.not_embedded.len()), (3, 0));
    assert_eq!(saved.bytes, fs::metadata(&path).unwrap().len());
    let names: Vec<String> = entries(&path).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names[0], "project.json");
    assert!(names.contains(&"media/ada.png".to_owned()), "{names:?}");
    fs::remove_dir_all(&art).unwrap();

    let opened = open(&path).unwrap();
    let MediaState::Embedded(portrait) = &opened.portrait else {
        panic!("{opened:?}");
    };
    assert!(portrait.starts_with(folder.path().join("unpacked")));
    assert!(portrait.ends_with("ada.png"));
    assert_eq!(fs::read_to_string(portrait).unwrap(), "a portrait");
    assert_eq!(opened.missing(), []);
    // They stay embedded when it is saved again, and on another machine.
    let saved = save_again(&opened, &path, Embed::Unchanged);
    assert_eq!(saved.embedded, 3);
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("copy.mien");
    fs::copy(&path, &copy).unwrap();
    assert_eq!(open(&copy).unwrap().missing(), []);

    // Deleted from the data folder, they must not be lost from the project too.
    fs::remove_dir_all(folder.path().join("unpacked")).unwrap();
    let before = fs::read(&path).unwrap();
    let unpacked = folder.path().join("unpacked");
    let refused = ProjectFile::save_with(
        &opened.project,
        &path,
        Embed::Unchanged,
        &opened.index,
        Some(&unpacked),
    );
    let words = sentence(refused.unwrap_err());
    assert!(words.contains("open the project again"), "{words}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(open(&path).unwrap().missing(), []);
}

#[test]
fn embedded_clips_of_the_same_name_stay_separate() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = everything(folder.path());
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("Talk.mp4"), "another talk").unwrap();
    let second = project.add(
        "other",
        MotionKind::Clip(ClipMotion::new(file(other.join("Talk.mp4")))),
    );
    let path = folder.path().join("a.mien");
    assert_eq!(save(&project, &path, Embed::All).embedded, 4);
    let opened = open(&path).unwrap();
    let Some(MediaState::Embedded(talk)) = opened.state(MediaOwner::Motion(second)) else {
        panic!("{opened:?}");
    };
    assert!(talk.ends_with("Talk-2.mp4"), "{}", talk.display());
    assert_eq!(fs::read_to_string(talk).unwrap(), "another talk");
}

#[test]
fn a_file_in_a_folder_named_media_is_not_confused_with_an_embedded_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    save(&everything(folder.path()), &path, Embed::All);
    let mut opened = open(&path).unwrap();
    let near = folder.path().join("media/ada.png");
    fs::create_dir(near.parent().unwrap()).unwrap();
    fs::write(&near, "a clip of that name").unwrap();
    let clip = MotionKind::Clip(ClipMotion::new(file(&near)));
    let near_clip = opened.project.add("near", clip);
    assert_eq!(save_again(&opened, &path, Embed::Unchanged).embedded, 3);

    let opened = open(&path).unwrap();
    let MediaState::Embedded(portrait) = &opened.portrait else {
        panic!("{opened:?}");
    };
    assert_eq!(fs::read_to_string(portrait).unwrap(), "a portrait");
    let found = MediaState::Found(near);
    assert_eq!(opened.state(MediaOwner::Motion(near_clip)), Some(&found));
}
