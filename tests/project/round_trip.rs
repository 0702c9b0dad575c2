//! Saved projects open unchanged, and can be read by people and by other versions.

use std::fs;

use mien::document::MediaSource;
use mien::project::file::{Embed, MediaOwner, ProjectFile};
use proptest::prelude::*;
use serde_json::Value;

use crate::generate::projects;
use crate::support::{
    absolute, entries, everything, file, json, open, put_json, save, save_again, text,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_saved_project_round_trips(project in projects()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mien");
        let saved = save(&project, &path, Embed::All);
        prop_assert_eq!(saved.bytes, fs::metadata(&path).unwrap().len());
        prop_assert_eq!(saved.embedded, 0);
        let opened = open(&path).unwrap();
        prop_assert_eq!(&opened.project, &absolute(&project));
        // Also from a copy in another folder.
        let other = folder.path().join("deeper/b.mien");
        fs::create_dir(other.parent().unwrap()).unwrap();
        ProjectFile::save_with(&opened.project, &other, Embed::Nothing, &opened.index, None).unwrap();
        prop_assert_eq!(&open(&other).unwrap().project, &opened.project);
    }

    #[test]
    fn embedded_media_round_trip(
        project in projects(),
        media in prop::collection::vec(("[a-zé]{1,3}(-2)?\\.(mp4|PNG)", prop::collection::vec(any::<u8>(), 0..9)), 6),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let art = folder.path().join("art");
        let mut project = project;
        for (i, (of, _)) in MediaOwner::all(&project).into_iter().enumerate() {
            let (name, content) = &media[i % media.len()];
            let path = art.join(i.to_string()).join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            of.set(&mut project, file(path));
        }
        let path = folder.path().join("a.mien");
        let saved = save(&project, &path, Embed::All);
        prop_assert_eq!(saved.embedded, entries(&path).len() - 1);
        prop_assert!(saved.missing.is_empty() && saved.not_embedded.is_empty());
        fs::rename(&art, folder.path().join(".gone")).unwrap();

        let opened = open(&path).unwrap();
        let mut back = opened.project.clone();
        let both = MediaOwner::all(&project).into_iter().zip(MediaOwner::all(&opened.project));
        for (i, ((of, was), (_, is))) in both.enumerate() {
            let MediaSource::File(is) = is else { panic!("{is:?}") };
            prop_assert_eq!(&fs::read(is).unwrap(), &media[i % media.len()].1);
            of.set(&mut back, was);
        }
        prop_assert_eq!(&back, &project);
        // Saving again gives the same bytes.
        let before = fs::read(&path).unwrap();
        save_again(&opened, &path, Embed::Unchanged);
        prop_assert!(fs::read(&path).unwrap() == before);
    }
}

#[test]
fn a_project_file_is_readable_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    save(&everything(folder.path()), &path, Embed::Unchanged);
    let text = text(&path);
    let has = |part: &str| assert!(text.contains(part), "{part} in {text}");
    assert!(text.starts_with("{\n  \"format\": \"mien-project\",\n  \"version\": 2,\n"));
    has("\"file\": \"clips/talk.mp4\"");
    has("\n    \"clips/talk.mp4\": {");
    let about = &json(&path)["media"]["clips/talk.mp4"];
    assert_eq!(about["bytes"], 6);
    assert!(
        about["sha256"]
            .as_str()
            .is_some_and(|text| text.len() == 64)
    );
    assert!(about.get("absolute").is_none(), "{about}");
}

#[test]
fn a_project_repacked_by_another_zip_program_opens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    let project = everything(folder.path());
    save(&project, &path, Embed::All);
    let want = open(&path).unwrap().project;
    fs::remove_dir_all(folder.path().join("unpacked")).unwrap();
    // Media compressed, the index in another order, unknown entries added.
    let mut packed = entries(&path);
    packed.reverse();
    packed.push(("__MACOSX/._project.json".to_owned(), vec![0; 9]));
    packed.push(("media/".to_owned(), Vec::new()));
    let packed = packed
        .iter()
        .map(|(name, content)| (&name[..], &content[..]));
    fs::write(&path, crate::support::archive(packed)).unwrap();
    assert_eq!(open(&path).unwrap().project, want);
}

#[test]
fn the_json_of_an_archive_opens_as_a_project() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    let project = everything(folder.path());
    save(&project, &path, Embed::Unchanged);
    fs::write(&path, text(&path)).unwrap();
    assert_eq!(open(&path).unwrap().project, project);
}

#[test]
fn unknown_fields_are_ignored_and_their_order_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    let project = everything(folder.path());
    save(&project, &path, Embed::Unchanged);
    let Value::Object(mut whole) = json(&path) else {
        panic!();
    };
    whole["portrait"]["of tomorrow"] = 7.into();
    whole["export"]["of tomorrow"] = "x".into();
    whole["panes"][0]["of tomorrow"] = true.into();
    whole.insert("of tomorrow".to_owned(), Value::Null);
    whole.remove("export");
    let kind = &mut whole["motions"][1]["kind"]["clip"];
    kind["of tomorrow"] = 1.into();
    kind["follow"].as_object_mut().unwrap().remove("gains");
    // In reverse order of their names.
    let fields: Vec<String> = whole
        .iter()
        .map(|(name, value)| format!("{}: {value}", Value::from(name.as_str())))
        .collect();
    let text = format!(
        "{{{}}}",
        fields.into_iter().rev().collect::<Vec<_>>().join(",")
    );
    put_json(&path, &text);
    assert_eq!(open(&path).unwrap().project, project);
}

#[test]
fn the_announced_size_of_embedded_media_is_the_size_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = everything(folder.path());
    fs::write(folder.path().join("ada.png"), vec![7; 60_000]).unwrap();
    let path = folder.path().join("a.mien");
    assert_eq!(Embed::of(&project), Embed::Unchanged);
    let light = save(&project, &path, Embed::of(&project));
    assert_eq!(light.embedded, 0);
    project.set_holds_media(true);
    let heavy = save(&project, &path, Embed::of(&project));
    assert!(heavy.embedded > 1);
    let (grown, announced) = (heavy.bytes - light.bytes, ProjectFile::weight(&project));
    assert!(
        announced > 60_000 && grown.abs_diff(announced) < 2000,
        "{grown} {announced}"
    );

    // The choice is stored in the project, and can be undone.
    let mut opened = open(&path).unwrap();
    assert!(opened.project.holds_media());
    opened.project.set_holds_media(false);
    // Media without a file elsewhere stay embedded.
    assert_eq!(
        save_again(&opened, &path, Embed::of(&opened.project)).embedded,
        heavy.embedded
    );
    assert!(!open(&path).unwrap().project.holds_media());
}
