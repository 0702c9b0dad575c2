//! Media that moved are found again; missing ones are remembered.

use std::collections::BTreeMap;
use std::fs;

use mien::document::{ClipMotion, MotionKind, Project};
use mien::project::file::{Embed, MediaOwner, MediaState};

use crate::support::{
    absolute, clip, document, everything, file, json, open, save, save_again, sentence,
};

#[test]
fn a_project_moved_with_its_folder_finds_its_media() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old");
    fs::create_dir(&old).unwrap();
    let project = everything(&old);
    save(&project, &old.join("a.mien"), Embed::Unchanged);
    let new = folder.path().join("new");
    fs::rename(&old, &new).unwrap();
    let opened = open(&new.join("a.mien")).unwrap();
    assert_eq!(opened.portrait, MediaState::Found(new.join("ada.png")));
    assert_eq!(opened.missing(), []);
    let talk = clip(&opened.project, "talk.mp4");
    let there = MediaState::Found(new.join("clips/talk.mp4"));
    assert_eq!(opened.state(talk), Some(&there));
}

#[test]
fn moved_media_are_found_by_their_content() {
    let folder = tempfile::tempdir().unwrap();
    let art = folder.path().join("art");
    let home = folder.path().join("home");
    fs::create_dir_all(&art).unwrap();
    fs::create_dir_all(home.join("deep/deeper")).unwrap();
    let project = everything(&art);
    let path = home.join("a.mien");
    save(&project, &path, Embed::Unchanged);
    // Next to the project, below it, and a different file of the same name.
    fs::rename(art.join("ada.png"), home.join("ada.png")).unwrap();
    fs::rename(
        art.join("clips/talk.mp4"),
        home.join("deep/deeper/talk.mp4"),
    )
    .unwrap();
    fs::write(home.join("walk.mp4"), "not it, sorry").unwrap();
    fs::rename(art.join("clips/walk.mp4"), folder.path().join("walk.mp4")).unwrap();

    let opened = open(&path).unwrap();
    assert_eq!(opened.portrait, MediaState::Found(home.join("ada.png")));
    let talk = clip(&project, "talk.mp4");
    let found = MediaState::Found(home.join("deep/deeper/talk.mp4"));
    assert_eq!(opened.state(talk), Some(&found));
    let walk = clip(&project, "walk.mp4");
    assert_eq!(opened.missing(), [walk]);
    let Some(MediaState::Moved { stored, looked_in }) = opened.state(walk) else {
        panic!("{opened:?}");
    };
    assert_eq!(stored, &art.join("clips/walk.mp4"));
    assert!(looked_in.contains(&home) && looked_in.contains(&art.join("clips")));
}

#[test]
fn a_project_moved_alone_finds_its_media_where_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let art = folder.path().join("art");
    let (here, there) = (
        folder.path().join("here"),
        folder.path().join("a/b/c/d/there"),
    );
    for folder in [&art, &here, &there] {
        fs::create_dir_all(folder).unwrap();
    }
    let project = everything(&art);
    save(&project, &here.join("a.mien"), Embed::Unchanged);
    fs::rename(here.join("a.mien"), there.join("a.mien")).unwrap();
    let opened = open(&there.join("a.mien")).unwrap();
    assert_eq!(opened.project, project);
    assert_eq!(opened.missing(), []);
}

#[test]
fn a_changed_medium_is_reported_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    let project = everything(folder.path());
    save(&project, &path, Embed::Unchanged);
    let portrait = folder.path().join("ada.png");
    fs::write(&portrait, "a portrait, retouched").unwrap();
    let opened = open(&path).unwrap();
    assert_eq!(
        opened.portrait,
        MediaState::Changed {
            path: portrait.clone()
        }
    );
    assert!(opened.portrait.is_there());
    // Saved and opened again, it is found at once.
    save_again(&opened, &path, Embed::Unchanged);
    assert_eq!(open(&path).unwrap().portrait, MediaState::Found(portrait));
}

#[test]
fn saving_keeps_everything_about_missing_media() {
    let folder = tempfile::tempdir().unwrap();
    let art = folder.path().join("art");
    fs::create_dir(&art).unwrap();
    let project = everything(&art);
    let path = folder.path().join("a.mien");
    save(&project, &path, Embed::Unchanged);
    let before = json(&path);
    let away = folder.path().join(".away");
    fs::rename(&art, &away).unwrap();
    let opened = open(&path).unwrap();
    assert_eq!(opened.missing().len(), 3);
    assert_eq!(opened.project, project);
    let saved = save_again(&opened, &path, Embed::Unchanged);
    assert_eq!(saved.missing.len(), 3);
    assert_eq!(json(&path), before);
    // Saved elsewhere, with or without embedding, it has the same information.
    let other = folder.path().join("copies");
    fs::create_dir(&other).unwrap();
    for embed in [Embed::Unchanged, Embed::Nothing, Embed::All] {
        save_again(&opened, &other.join("b.mien"), embed);
        fs::rename(&away, &art).unwrap();
        let again = open(&other.join("b.mien")).unwrap();
        assert_eq!(again.missing(), []);
        let talk = clip(&project, "talk.mp4");
        let there = MediaState::Found(art.join("clips/talk.mp4"));
        assert_eq!(again.state(talk), Some(&there));
        fs::rename(&art, &away).unwrap();
    }
}

#[test]
fn locating_one_missing_medium_finds_its_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let art = folder.path().join("art");
    let home = folder.path().join("home");
    fs::create_dir_all(&art).unwrap();
    fs::create_dir_all(&home).unwrap();
    let project = everything(&art);
    let path = home.join("a.mien");
    save(&project, &path, Embed::Unchanged);
    let new = folder.path().join("disk/two/art");
    fs::create_dir_all(new.parent().unwrap()).unwrap();
    fs::rename(&art, &new).unwrap();
    let mut opened = open(&path).unwrap();
    assert_eq!(opened.missing().len(), 3);

    let talk = clip(&project, "talk.mp4");
    let words = sentence(
        opened
            .relocate(talk, &folder.path().join("no.mp4"))
            .unwrap_err(),
    );
    assert!(words.contains("no.mp4 doesn't exist"), "{words}");
    let track = MediaOwner::Motion(project.edited());
    sentence(opened.relocate(track, &path).unwrap_err());
    assert_eq!(opened.missing().len(), 3);

    let placed = opened.relocate(talk, &new.join("clips/talk.mp4")).unwrap();
    let by_whom: BTreeMap<_, _> = placed
        .into_iter()
        .map(|(of, path)| (format!("{of:?}"), path))
        .collect();
    assert_eq!(by_whom.len(), 3, "the portrait was found in the same way");
    assert_eq!(by_whom["Portrait"], new.join("ada.png"));
    assert_eq!(opened.missing(), []);
    let want = absolute(&opened.project);
    assert_eq!(
        MediaOwner::all(&want)[1].1,
        file(new.join("clips/talk.mp4"))
    );
    save_again(&opened, &path, Embed::Unchanged);
    assert_eq!(open(&path).unwrap().project, want);
}

#[test]
fn a_medium_relocated_to_another_file_is_used_and_reported_as_changed() {
    let folder = tempfile::tempdir().unwrap();
    let art = folder.path().join("art");
    fs::create_dir(&art).unwrap();
    let project = everything(&art);
    let path = folder.path().join("a.mien");
    save(&project, &path, Embed::Unchanged);
    fs::remove_dir_all(&art).unwrap();
    let mut opened = open(&path).unwrap();
    let other = folder.path().join("other.png");
    fs::write(&other, "someone else").unwrap();
    let placed = opened.relocate(MediaOwner::Portrait, &other).unwrap();
    assert_eq!(placed, [(MediaOwner::Portrait, other.clone())]);
    assert_eq!(opened.portrait, MediaState::Changed { path: other });
    assert_eq!(opened.missing().len(), 2);
}

#[test]
fn image_sequences_have_no_digest_and_are_found_by_path() {
    let folder = tempfile::tempdir().unwrap();
    let shots = folder.path().join("shots");
    fs::create_dir(&shots).unwrap();
    fs::write(shots.join("0001.png"), "one").unwrap();
    let mut project = everything(folder.path());
    for source in [shots.clone(), shots.join("%04d.png")] {
        project.add("Shots", MotionKind::Clip(ClipMotion::new(file(source))));
    }
    let path = folder.path().join("a.mien");
    let saved = save(&project, &path, Embed::All);
    assert_eq!((saved.embedded, saved.not_embedded.len()), (3, 2));
    assert_eq!(json(&path)["media"]["shots"], serde_json::json!({}));
    assert_eq!(open(&path).unwrap().missing(), []);
    fs::rename(&shots, folder.path().join(".gone")).unwrap();
    assert_eq!(open(&path).unwrap().missing().len(), 2);
}

#[cfg(unix)]
#[test]
fn a_file_name_that_is_not_unicode_round_trips() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join(OsStr::from_bytes(b"caf\xe9.png"));
    fs::write(&odd, "a portrait").unwrap();
    let path = folder.path().join("a.mien");
    save(&Project::new(document(file(&odd))), &path, Embed::Unchanged);
    assert_eq!(
        open(&path).unwrap().portrait,
        MediaState::Found(odd.clone())
    );
    fs::remove_file(&odd).unwrap();
    let opened = open(&path).unwrap();
    assert_eq!(opened.project.document().portrait.source, file(odd));
}
