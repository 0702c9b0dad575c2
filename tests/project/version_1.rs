//! Files of version 1, plain JSON, still open. The two fixtures were saved by the last version of Mien that wrote it.

use std::fs;
use std::path::{Path, PathBuf};

use mien::document::{
    ActionUnit, ClipMotion, MethodChoice, Mode, MotionKind, PaneSpec, PaneView, Pose, Project,
    Sample, SampleSizes, SampledMotion, SeededSample, Sides,
};
use mien::project::file::{Embed, MediaOwner, MediaState};
use serde_json::Value;

use crate::support::{document, file, json, open, save_again, sentence};

const MEDIA: [(&str, &str); 3] = [
    ("ada.png", "a portrait"),
    ("clips/talk.mp4", "a clip"),
    ("clips/walk.mp4", "another clip"),
];

fn fixture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/projects");
    folder.join(name)
}

/// The project in both fixtures, with its media in `folder`.
fn project(folder: &Path) -> Project {
    let mut document = document(file(folder.join("ada.png")));
    let smile = ActionUnit::from_code(12).unwrap();
    for frame in [0, 7, 40] {
        let pose = Pose::NEUTRAL.with(Sides::Left, smile, frame as f32 / 50.0);
        document.track.set_key(frame, pose);
    }
    let mut project = Project::new(document);
    for name in ["talk.mp4", "walk.mp4"] {
        let clip = ClipMotion::new(file(folder.join("clips").join(name)));
        project.add(name, MotionKind::Clip(clip));
    }
    let sizes = SampleSizes {
        categories: 6,
        ..SampleSizes::default()
    };
    let draw = |seed, frames| Sample::draw(seed, &sizes, frames, None).unwrap();
    let mut sample = SampledMotion::new(draw(5, 2));
    sample.favourites = vec![SeededSample {
        codes: draw(7, 1),
        content_seed: 7,
    }];
    project.add("Sample", MotionKind::Sample(sample));
    project.add_pane(PaneSpec::showing(
        MethodChoice::in_mode("tps", Mode::Avd),
        PaneView::Occlusion(3),
    ));
    project
}

#[test]
fn a_version_1_project_finds_its_referenced_media() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    fs::copy(fixture("version-1.mien"), &path).unwrap();
    let project = project(folder.path());
    let opened = open(&path).unwrap();
    assert_eq!((&opened.project, opened.missing().len()), (&project, 3));
    // The information about missing media is in the new file, too.
    save_again(&opened, &path, Embed::Unchanged);
    let old: Value =
        serde_json::from_str(&fs::read_to_string(fixture("version-1.mien")).unwrap()).unwrap();
    assert_eq!(json(&path)["media"], old["media"]);
    assert_eq!(json(&path)["version"], 2);

    fs::create_dir(folder.path().join("clips")).unwrap();
    for (name, content) in MEDIA {
        fs::write(folder.path().join(name), content).unwrap();
    }
    for _ in 0..2 {
        let opened = open(&path).unwrap();
        assert_eq!((&opened.project, opened.missing()), (&project, vec![]));
        let talk = MediaOwner::Motion(project.motions()[1].id);
        let found = MediaState::Found(folder.path().join("clips/talk.mp4"));
        assert_eq!(opened.state(talk), Some(&found));
        fs::copy(fixture("version-1.mien"), &path).unwrap();
    }
}

#[test]
fn a_version_1_project_with_embedded_media_opens_and_is_saved_as_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    fs::copy(fixture("version-1-embedded.mien"), &path).unwrap();
    for version in [1, 2] {
        let opened = open(&path).unwrap();
        let all = MediaOwner::all(&opened.project);
        assert_eq!(all.len(), MEDIA.len());
        let mut back = opened.project.clone();
        let was = MediaOwner::all(&project(folder.path()));
        for (((of, _), (_, was)), (name, content)) in all.into_iter().zip(was).zip(MEDIA) {
            let Some(MediaState::Embedded(place)) = opened.state(of) else {
                panic!("version {version}: {opened:?}");
            };
            assert_eq!(place.file_name(), Path::new(name).file_name());
            assert_eq!(fs::read_to_string(place).unwrap(), content);
            of.set(&mut back, was);
        }
        assert_eq!(back, project(folder.path()), "version {version}");
        assert_eq!(save_again(&opened, &path, Embed::Unchanged).embedded, 3);
    }
    assert_eq!(json(&path)["version"], 2);
}

#[test]
fn invalid_embedded_media_of_version_1_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.mien");
    let good = fs::read_to_string(fixture("version-1-embedded.mien")).unwrap();
    let good: Value = serde_json::from_str(&good).unwrap();
    let (digest, text) = good["embedded"].as_object().unwrap().iter().next().unwrap();
    let cases = [
        (Value::Null, "can't be read"),
        (7.into(), "can't be read"),
        ("?".into(), "can't be read"),
        ("YWJj".into(), "doesn't match its digest"),
        (
            format!("{}=", text.as_str().unwrap()).into(),
            "can't be read",
        ),
    ];
    for (odd, part) in cases {
        let mut value = good.clone();
        value["embedded"][digest] = odd;
        fs::write(&path, value.to_string()).unwrap();
        let words = sentence(open(&path).unwrap_err());
        assert!(words.contains(part), "{words}");
        assert!(!folder.path().join("unpacked").join(digest).exists());
    }
    // The order and the layout don't matter.
    let Value::Object(whole) = good else {
        panic!();
    };
    let fields = whole
        .iter()
        .map(|(name, value)| format!("{}:{value}", Value::from(&name[..])));
    let fields: Vec<String> = fields.collect();
    let text = fields.into_iter().rev().collect::<Vec<_>>().join(",");
    // Some Windows editors begin a file with a byte order mark.
    fs::write(&path, format!("\u{feff}{{{text}}}")).unwrap();
    assert_eq!(open(&path).unwrap().missing(), []);
}

#[test]
fn a_truncated_version_1_project_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    let whole = fs::read(fixture("version-1-embedded.mien")).unwrap();
    // After the last bracket there is only the line end.
    let ends = (0..whole.len() - 1).step_by(7);
    for end in ends.chain(whole.len() - 40..whole.len() - 1) {
        fs::write(&path, &whole[..end]).unwrap();
        sentence(open(&path).unwrap_err());
    }
}
