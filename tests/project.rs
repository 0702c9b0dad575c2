//! Projects end to end: what is saved comes back, whatever lies on the disk gives a sentence, media are found again, and
//! a process that is killed leaves a whole file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mien::document::{
    ActionUnit, AuVector, ClipMotion, Crop, Document, Drawn, ExportKind, ExportSettings,
    ExportWhat, Expression, Follow, Limit, MediaSource, Mode, MotionKind, PaneSpec, Part, Playback,
    PortraitRef, Pose, Project, Sample, SampleSizes, SampledMotion, Show, Sides, Way,
};
use mien::error::EngineError;
use mien::project::file::open::Opened;
use mien::project::file::{Embed, MediaOf, MediaState, ProjectFile, Saved};
use proptest::prelude::*;
use serde_json::Value;

fn file(path: impl Into<PathBuf>) -> MediaSource {
    MediaSource::File(path.into())
}

fn document(source: MediaSource) -> Document {
    let portrait = PortraitRef {
        id: 0,
        name: "Ada \"the first\".png".to_owned(),
        source,
        width: 640,
        height: 480,
    };
    let crop = Crop {
        x: 120.3,
        y: 0.1,
        side: 200.7,
        angle: 0.0,
    };
    let smile = ActionUnit::from_code(12).unwrap();
    Document::new(portrait, crop, AuVector::NEUTRAL.with(smile, 0.3))
}

/// Opens with media unpacked into `unpacked` below the project's folder.
fn open(path: &Path) -> Result<Opened, EngineError> {
    ProjectFile::open_with(path, Some(&path.with_file_name("unpacked")))
}

fn save(project: &Project, path: &Path, embed: Embed) -> Saved {
    ProjectFile::save_with(project, path, embed, Some(&path.with_file_name("unpacked"))).unwrap()
}

fn sentence(error: EngineError) -> String {
    let words = error.to_string();
    assert!(words.ends_with('.') && !words.contains('\n'), "{words}");
    words
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

// What comes back.

prop_compose! {
    fn vectors()(values in prop::array::uniform17(prop_oneof![Just(0.0f32), 0f32..=1.0])) -> AuVector {
        AuVector::from(values)
    }
}

prop_compose! {
    fn poses()(left in vectors(), right in vectors()) -> Pose {
        Pose { left, right }
    }
}

fn playbacks() -> impl Strategy<Value = Playback> {
    prop::sample::select(Playback::ALL.to_vec())
}

prop_compose! {
    fn expressions()(
        still in poses().boxed(), strength in 0f32..=1.0, fps in 1f64..=120.0, frames in 2u32..2000,
        keys in prop::collection::vec((0u32..2000, poses().boxed()), 0..8).boxed(), playback in playbacks(),
    ) -> Expression {
        let mut document = document(file("/nowhere.png"));
        document.still = still;
        document.strength = strength;
        document.track.set_fps(fps);
        document.track.set_frames(frames);
        document.track.playback = playback;
        for (frame, pose) in keys {
            document.track.set_key(frame, pose);
        }
        Expression::of(&document)
    }
}

prop_compose! {
    fn follows()(
        strength in 0f32..=2.0, gains in prop::array::uniform5(0f32..=2.0),
        locks in any::<(bool, bool, bool)>(), smooth in (0f32..=1.0, 0f32..=1.0),
        own in any::<Option<bool>>(), reference in any::<Option<u32>>(),
    ) -> Follow {
        Follow {
            strength,
            gains,
            lock_place: locks.0,
            lock_scale: locks.1,
            relative: locks.2,
            still: smooth.0,
            quick: smooth.1,
            own,
            reference,
        }
    }
}

fn sources() -> impl Strategy<Value = MediaSource> {
    let names = "[a-zé ]{1,6}/[A-Za-z0-9%_\\\\\" ]{1,9}\\.(mp4|gif|png)";
    prop_oneof![
        Just(MediaSource::Bundled("sample.mp4".to_owned())),
        names.prop_map(|name| file(Path::new("/far away").join(name))),
        names.prop_map(file),
    ]
}

prop_compose! {
    fn clips()(
        source in sources(), from in any::<Option<f64>>(), to in prop::option::of(0f64..1e6),
        square in prop::option::of((0f32..99.0, 0f32..99.0, 8f32..99.0, -3f32..3.0)),
        follow in follows(), playback in playbacks(),
    ) -> ClipMotion {
        ClipMotion {
            from: from.filter(|from| from.is_finite()).map(f64::abs),
            to,
            square: square.map(|(x, y, side, angle)| Crop { x, y, side, angle }),
            follow,
            playback,
            ..ClipMotion::new(source)
        }
    }
}

prop_compose! {
    fn samples()(seed in any::<u64>(), frames in 1usize..20, categories in 0usize..7) -> Sample {
        let sizes = SampleSizes { categories, ..SampleSizes::default() };
        Sample::draw(seed, &sizes, frames, None).unwrap()
    }
}

prop_compose! {
    fn drawn()(codes in samples().boxed(), content_seed in any::<u64>()) -> Drawn {
        Drawn { codes, content_seed }
    }
}

prop_compose! {
    fn sampled()(
        codes in samples().boxed(), towards in prop::option::of(drawn()).boxed(), way in 0f32..=1.0,
        favourites in prop::collection::vec(drawn(), 0..3), fps in 1f64..=120.0,
        content_seed in any::<u64>(), holds in any::<(bool, bool)>(), follow in follows(),
        playback in playbacks(),
    ) -> SampledMotion {
        SampledMotion {
            content_seed,
            hold_content: holds.0,
            hold_motion: holds.1,
            fps,
            towards: towards.map(Box::new),
            way,
            favourites,
            follow,
            playback,
            ..SampledMotion::new(codes)
        }
    }
}

fn kinds() -> impl Strategy<Value = MotionKind> {
    prop_oneof![
        expressions().prop_map(MotionKind::Track).boxed(),
        clips().prop_map(MotionKind::Clip).boxed(),
        sampled().prop_map(MotionKind::Sample).boxed(),
    ]
}

fn panes() -> impl Strategy<Value = (usize, usize, Option<usize>)> {
    (any::<usize>(), any::<usize>(), any::<Option<usize>>())
}

prop_compose! {
    fn exports()(
        format in prop::sample::select(vec![ExportKind::Png, ExportKind::Gif, ExportKind::Webp, ExportKind::PngSequence]),
        what in prop_oneof![Just(ExportWhat::Grid), Just(ExportWhat::Result), (0usize..9).prop_map(ExportWhat::Pane)],
        flags in any::<(bool, bool)>(), range in prop::option::of((0u32..50, 51u32..99)),
        fps in prop::option::of(0.01f64..=120.0), scale in 0.01f64..=1.0, quality in prop::option::of(1u8..=100), loops in any::<u32>(),
    ) -> ExportSettings {
        ExportSettings { format, what, labels: flags.0, range, fps, scale, quality, loops, marked: flags.1 }
    }
}

prop_compose! {
    fn projects()(
        source in sources().boxed(), first in expressions().boxed(), own in vectors().boxed(), face in any::<Option<usize>>(),
        crop in (-900f32..900.0, -900f32..900.0, 0f32..900.0, prop_oneof![Just(0f32), -3f32..3.0]),
        flags in any::<(bool, bool)>(), parts in any::<[bool; 5]>(), half in 0usize..3,
        kinds in prop::collection::vec((".{0,12}", kinds()), 0..5).boxed(), remove in any::<Option<usize>>(),
        choose in any::<usize>(), panes in prop::collection::vec(panes(), 0..7).boxed(), export in exports().boxed(),
    ) -> Project {
        let mut document = document(source);
        let crop = Crop { x: crop.0, y: crop.1, side: crop.2, angle: crop.3 };
        document.crop = crop.fitted(640, 480);
        document.source = own;
        document.face = face;
        document.detail = flags.0;
        for (part, on) in Part::ALL.into_iter().zip(parts) {
            if on {
                document.limit = document.limit.toggled(part);
            }
        }
        document.limit = document.limit.on(Sides::ALL[half]);
        if document.limit.is_none() {
            document.limit = Limit::NONE;
        }
        first.put_into(&mut document);
        let mut project = Project::new(document);
        for (name, kind) in kinds {
            project.add(&name, kind);
        }
        let id = |project: &Project, at: usize| {
            project.motions()[at % project.motions().len()].id
        };
        if let Some(at) = remove {
            project.remove(id(&project, at));
        }
        project.choose(id(&project, choose));
        let panes = panes.into_iter().map(|(way, show, motion)| {
            let way = Way::ALL[way % Way::ALL.len()];
            let shows = way.shows();
            PaneSpec {
                motion: motion.map(|at| id(&project, at)),
                ..PaneSpec::showing(way, shows[show % shows.len()])
            }
        });
        project.set_panes(panes.collect());
        project.set_export(export);
        project.set_labels(flags.1);
        project.set_holds_media(flags.0);
        project
    }
}

/// The same project with every path absolute, as a project is that was opened.
fn absolute(project: &Project) -> Project {
    let mut project = project.clone();
    for (of, source) in MediaOf::all(&project) {
        if let MediaSource::File(path) = source {
            of.set(&mut project, file(std::path::absolute(path).unwrap()));
        }
    }
    project
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_saved_comes_back(project in projects()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mien");
        let saved = save(&project, &path, Embed::All);
        prop_assert_eq!(saved.bytes, fs::metadata(&path).unwrap().len());
        prop_assert_eq!(saved.embedded, 0);
        let opened = open(&path).unwrap();
        prop_assert_eq!(&opened.project, &absolute(&project));
        // And from its own copy, wherever that lies.
        let other = folder.path().join("deeper/b.mien");
        fs::create_dir(other.parent().unwrap()).unwrap();
        ProjectFile::save_with(&opened.project, &other, Embed::Nothing, None).unwrap();
        prop_assert_eq!(&open(&other).unwrap().project, &opened.project);
    }
}

/// One of each kind of motion, with its media in `folder`.
fn everything(folder: &Path) -> Project {
    let clips = folder.join("clips");
    fs::create_dir_all(&clips).unwrap();
    fs::write(folder.join("ada.png"), "a portrait").unwrap();
    fs::write(clips.join("talk.mp4"), "a clip").unwrap();
    fs::write(clips.join("walk.mp4"), "another clip").unwrap();
    let mut document = document(file(folder.join("ada.png")));
    let smile = ActionUnit::from_code(12).unwrap();
    for frame in [0, 7, 40] {
        document.track.set_key(
            frame,
            Pose::NEUTRAL.with(Sides::Left, smile, frame as f32 / 50.0),
        );
    }
    let mut project = Project::new(document);
    for name in ["talk.mp4", "walk.mp4"] {
        let clip = ClipMotion::new(file(clips.join(name)));
        project.add(name, MotionKind::Clip(clip));
    }
    let sizes = SampleSizes::default();
    let mut sample = SampledMotion::new(Sample::draw(5, &sizes, 8, None).unwrap());
    let drawn = |seed, frames| Drawn {
        codes: Sample::draw(seed, &sizes, frames, None).unwrap(),
        content_seed: seed,
    };
    sample.towards = Some(Box::new(drawn(6, 8)));
    sample.favourites = vec![drawn(7, 3)];
    project.add("Sample", MotionKind::Sample(sample));
    project.add_pane(PaneSpec::showing(Way::Tps(Mode::Avd), Show::Occlusion(3)));
    project
}

/// The number of a motion by its name.
fn clip(project: &Project, name: &str) -> MediaOf {
    let motion = project.motions().iter().find(|motion| motion.name == name);
    MediaOf::Motion(motion.unwrap().id)
}

#[test]
fn a_person_can_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    save(&everything(folder.path()), &path, Embed::Kept);
    let text = fs::read_to_string(&path).unwrap();
    let has = |part: &str| assert!(text.contains(part), "{part} in {text}");
    has("\n  \"format\": \"mien-project\",\n  \"version\": 1,\n");
    has("\"source\": {\"file\": \"clips/talk.mp4\"}");
    has("\n    \"clips/talk.mp4\": {");
    let about = &json(&path)["media"]["clips/talk.mp4"];
    assert_eq!(about["bytes"], 6);
    assert!(
        about["sha256"]
            .as_str()
            .is_some_and(|text| text.len() == 64)
    );
    assert!(about.get("absolute").is_none(), "{about}");
    // A step of a sample is on a line.
    let lines = text
        .lines()
        .filter(|line| line.trim_start().starts_with("\"-") || line.len() > 100);
    assert!(lines.count() >= 8, "{text}");
}

// What is wrong.

#[test]
fn each_wrong_file_has_its_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.mien");
    save(&everything(folder.path()), &path, Embed::Kept);
    let good = fs::read_to_string(&path).unwrap();
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1).into_bytes()
    };
    let line = 1 + good
        .lines()
        .position(|line| line.contains("\"crop\""))
        .unwrap();
    let damaged = format!("damaged at line {line} ");
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "nor any JSON"),
        (b"\x89PNG\r\n\x1a\n".to_vec(), "nor any JSON"),
        (b"{\"a\": 1".to_vec(), "nor any JSON"),
        (b"[1, 2]".to_vec(), "is JSON, but not a project"),
        (
            b"{\"format\": \"mien-sample\", \"version\": 1}".to_vec(),
            "is JSON, but not a project",
        ),
        (with("\"version\": 1", "\"version\": 2"), "newer Mien"),
        (with("\"version\": 1", "\"version\": 0"), "no version"),
        (with("\"version\": 1", "\"version\": {}"), "no version"),
        (with("\"crop\": {", "\"crop\": {,"), &damaged),
        (with("\"side\": 200.7", "\"side\": 1e40"), "out of range"),
        (with("\"side\": 200.7", "\"side\": 1e999"), "out of range"),
        (
            with("\"id\": 2", "\"id\": 1"),
            "two motions have the number 1",
        ),
        (with("\"id\": 2", "\"id\": 4294967295"), "counts motions"),
    ];
    for (bytes, part) in cases {
        fs::write(&path, &bytes).unwrap();
        let words = sentence(open(&path).unwrap_err());
        assert!(
            words.starts_with("odd.mien is ") || words.contains("odd.mien"),
            "{words}"
        );
        assert!(words.contains(part), "{part}: {words}");
    }
    let words = sentence(open(&folder.path().join("none.mien")).unwrap_err());
    assert!(words.contains("none.mien isn't there"), "{words}");
    let words = sentence(open(folder.path()).unwrap_err());
    assert!(words.contains("is a folder"), "{words}");
    // Windows' editors begin a file with a mark.
    fs::write(&path, format!("\u{feff}{good}")).unwrap();
    open(&path).unwrap();
}

#[test]
fn what_is_unknown_is_passed_over_and_the_order_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    let project = everything(folder.path());
    save(&project, &path, Embed::Kept);
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
    // Backwards by their names.
    let fields: Vec<String> = whole
        .iter()
        .map(|(name, value)| format!("{}: {value}", Value::from(name.as_str())))
        .collect();
    let text = format!(
        "{{{}}}",
        fields.into_iter().rev().collect::<Vec<_>>().join(",")
    );
    fs::write(&path, text).unwrap();
    assert_eq!(open(&path).unwrap().project, project);
}

#[test]
fn a_project_that_is_to_hold_its_media_weighs_what_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = everything(folder.path());
    fs::write(folder.path().join("ada.png"), vec![7; 60_000]).unwrap();
    let path = folder.path().join("a.mien");
    assert_eq!(Embed::of(&project), Embed::Kept);
    let light = save(&project, &path, Embed::of(&project));
    assert_eq!(light.embedded, 0);
    project.set_holds_media(true);
    let heavy = save(&project, &path, Embed::of(&project));
    assert!(heavy.embedded > 1);
    let (grown, said) = (heavy.bytes - light.bytes, ProjectFile::weight(&project));
    assert!(
        said > 80_000 && grown.abs_diff(said) < 2000,
        "{grown} {said}"
    );

    // The choice is the project's own, and leaves it again.
    let mut opened = open(&path).unwrap().project;
    assert!(opened.holds_media());
    opened.set_holds_media(false);
    // What exists nowhere else stays inside.
    assert_eq!(
        save(&opened, &path, Embed::of(&opened)).embedded,
        heavy.embedded
    );
    assert!(!open(&path).unwrap().project.holds_media());
}

#[test]
fn a_cut_anywhere_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    let unpacked = folder.path().join("unpacked");
    ProjectFile::save_with(
        &everything(folder.path()),
        &path,
        Embed::All,
        Some(&unpacked),
    )
    .unwrap();
    let whole = fs::read(&path).unwrap();
    // Behind the last bracket only the line ends.
    for end in (0..whole.len() - 1)
        .step_by(7)
        .chain(whole.len() - 40..whole.len() - 1)
    {
        fs::write(&path, &whole[..end]).unwrap();
        sentence(open(&path).unwrap_err());
    }
}

/// The places in a value, as pointers.
fn places(value: &Value, at: String, all: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let name = name.replace('~', "~0").replace('/', "~1");
                places(value, format!("{at}/{name}"), all);
            }
        }
        Value::Array(list) => {
            for (i, value) in list.iter().enumerate().take(2) {
                places(value, format!("{at}/{i}"), all);
            }
        }
        _ => {}
    }
    all.push(at);
}

#[test]
fn anything_in_the_place_of_anything_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    let again = folder.path().join("again.mien");
    save(&everything(folder.path()), &path, Embed::All);
    let good = json(&path);
    let mut all = Vec::new();
    places(&good, String::new(), &mut all);
    assert!(all.len() > 100, "{}", all.len());
    let odd = [
        "null",
        "-1",
        "1e300",
        "18446744073709551615",
        "\"../x\"",
        "[]",
        "{}",
        "[[0]]",
    ];
    let (mut told, mut taken) = (0, 0);
    for place in &all {
        for odd in odd {
            let mut value = good.clone();
            *value.pointer_mut(place).unwrap() = serde_json::from_str(odd).unwrap();
            fs::write(&path, value.to_string()).unwrap();
            match open(&path) {
                Err(error) => {
                    sentence(error);
                    told += 1;
                }
                Ok(opened) => {
                    // What is taken can be saved and opened again.
                    save(&opened.project, &again, Embed::Nothing);
                    assert_eq!(
                        open(&again).unwrap().project,
                        opened.project,
                        "{place} {odd}"
                    );
                    taken += 1;
                }
            }
        }
    }
    assert!(told > taken && taken > 0, "{told} told, {taken} taken");
}

#[test]
fn a_claim_of_gigabytes_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    save(&everything(folder.path()), &path, Embed::All);
    let mut value = json(&path);
    let (key, _) = value["media"].as_object().unwrap().iter().next().unwrap();
    let key = key.clone();
    value["media"][&key]["bytes"] = 1_000_000_000u64.into();
    fs::write(&path, value.to_string()).unwrap();
    let words = sentence(open(&path).unwrap_err());
    assert!(words.contains("not that of the content"), "{words}");
    let digest = key.split('/').nth(1).unwrap();
    assert!(!folder.path().join("unpacked").join(digest).exists());
    // So deep that a careless reader runs out of stack.
    let deep = format!(
        "{{\"format\": \"mien-project\", \"x\": {}",
        "[".repeat(1 << 20)
    );
    fs::write(&path, deep).unwrap();
    sentence(open(&path).unwrap_err());
}

// Media that move.

#[test]
fn a_folder_moves_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old");
    fs::create_dir(&old).unwrap();
    let project = everything(&old);
    save(&project, &old.join("a.mien"), Embed::Kept);
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
fn moved_media_are_found_by_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let art = folder.path().join("art");
    let home = folder.path().join("home");
    fs::create_dir_all(&art).unwrap();
    fs::create_dir_all(home.join("deep/deeper")).unwrap();
    let project = everything(&art);
    let path = home.join("a.mien");
    save(&project, &path, Embed::Kept);
    // Beside the project, below it, and one of the same name that is another.
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
fn a_project_that_moves_alone_still_finds_what_stayed() {
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
    save(&project, &here.join("a.mien"), Embed::Kept);
    fs::rename(here.join("a.mien"), there.join("a.mien")).unwrap();
    let opened = open(&there.join("a.mien")).unwrap();
    assert_eq!(opened.project, project);
    assert_eq!(opened.missing(), []);
}

#[test]
fn a_medium_that_changed_is_told_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mien");
    let project = everything(folder.path());
    save(&project, &path, Embed::Kept);
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
    // Saved as it is now, it is what it was.
    save(&opened.project, &path, Embed::Kept);
    assert_eq!(open(&path).unwrap().portrait, MediaState::Found(portrait));
}

#[test]
fn nothing_is_forgotten_of_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let art = folder.path().join("art");
    fs::create_dir(&art).unwrap();
    let project = everything(&art);
    let path = folder.path().join("a.mien");
    save(&project, &path, Embed::Kept);
    let before = json(&path);
    let away = folder.path().join(".away");
    fs::rename(&art, &away).unwrap();
    let opened = open(&path).unwrap();
    assert_eq!(opened.missing().len(), 3);
    assert_eq!(opened.project, project);
    let saved = save(&opened.project, &path, Embed::Kept);
    assert_eq!(saved.missing.len(), 3);
    assert_eq!(json(&path), before);
    // Elsewhere, whole or not, it knows as much.
    let other = folder.path().join("copies");
    fs::create_dir(&other).unwrap();
    for embed in [Embed::Kept, Embed::Nothing, Embed::All] {
        save(&opened.project, &other.join("b.mien"), embed);
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
fn one_that_is_shown_brings_its_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let art = folder.path().join("art");
    let home = folder.path().join("home");
    fs::create_dir_all(&art).unwrap();
    fs::create_dir_all(&home).unwrap();
    let project = everything(&art);
    let path = home.join("a.mien");
    save(&project, &path, Embed::Kept);
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
    assert!(words.contains("no.mp4 isn't there"), "{words}");
    let track = MediaOf::Motion(project.edited());
    sentence(opened.relocate(track, &path).unwrap_err());
    assert_eq!(opened.missing().len(), 3);

    let placed = opened.relocate(talk, &new.join("clips/talk.mp4")).unwrap();
    let by_whom: BTreeMap<_, _> = placed
        .into_iter()
        .map(|(of, path)| (format!("{of:?}"), path))
        .collect();
    assert_eq!(by_whom.len(), 3, "the portrait went the same way");
    assert_eq!(by_whom["Portrait"], new.join("ada.png"));
    assert_eq!(opened.missing(), []);
    let want = absolute(&opened.project);
    assert_eq!(MediaOf::all(&want)[1].1, file(new.join("clips/talk.mp4")));
    save(&opened.project, &path, Embed::Kept);
    assert_eq!(open(&path).unwrap().project, want);
}

#[test]
fn another_file_in_its_place_is_taken_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let art = folder.path().join("art");
    fs::create_dir(&art).unwrap();
    let project = everything(&art);
    let path = folder.path().join("a.mien");
    save(&project, &path, Embed::Kept);
    fs::remove_dir_all(&art).unwrap();
    let mut opened = open(&path).unwrap();
    let other = folder.path().join("other.png");
    fs::write(&other, "someone else").unwrap();
    let placed = opened.relocate(MediaOf::Portrait, &other).unwrap();
    assert_eq!(placed, [(MediaOf::Portrait, other.clone())]);
    assert_eq!(opened.portrait, MediaState::Changed { path: other });
    assert_eq!(opened.missing().len(), 2);
}

#[test]
fn numbered_pictures_have_no_digest_and_are_found_by_their_place() {
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
fn a_name_that_is_no_text_comes_back() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join(OsStr::from_bytes(b"caf\xe9.png"));
    fs::write(&odd, "a portrait").unwrap();
    let path = folder.path().join("a.mien");
    save(&Project::new(document(file(&odd))), &path, Embed::Kept);
    assert_eq!(
        open(&path).unwrap().portrait,
        MediaState::Found(odd.clone())
    );
    fs::remove_file(&odd).unwrap();
    let opened = open(&path).unwrap();
    assert_eq!(opened.project.document().portrait.source, file(odd));
}

// Media that the project holds.

#[test]
fn a_project_that_holds_its_media_needs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let art = folder.path().join("art");
    fs::create_dir(&art).unwrap();
    let mut project = everything(&art);
    // The same content twice is held once.
    fs::copy(art.join("clips/talk.mp4"), art.join("same.mp4")).unwrap();
    project.add(
        "same",
        MotionKind::Clip(ClipMotion::new(file(art.join("same.mp4")))),
    );
    let path = folder.path().join("a.mien");
    let saved = save(&project, &path, Embed::All);
    assert_eq!((saved.embedded, saved.not_embedded.len()), (3, 0));
    assert_eq!(saved.bytes, fs::metadata(&path).unwrap().len());
    fs::remove_dir_all(&art).unwrap();

    let opened = open(&path).unwrap();
    let MediaState::Embedded(portrait) = &opened.portrait else {
        panic!("{opened:?}");
    };
    assert!(portrait.starts_with(folder.path().join("unpacked")));
    assert!(portrait.ends_with("ada.png"));
    assert_eq!(fs::read_to_string(portrait).unwrap(), "a portrait");
    assert_eq!(opened.missing(), []);
    // It holds them still when it is saved again, and on another machine.
    let saved = save(&opened.project, &path, Embed::Kept);
    assert_eq!(saved.embedded, 3);
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("copy.mien");
    fs::copy(&path, &copy).unwrap();
    assert_eq!(open(&copy).unwrap().missing(), []);

    // Gone from the data folder, they must not be lost from the project too.
    fs::remove_dir_all(folder.path().join("unpacked")).unwrap();
    let before = fs::read(&path).unwrap();
    let unpacked = folder.path().join("unpacked");
    let refused = ProjectFile::save_with(&opened.project, &path, Embed::Kept, Some(&unpacked));
    let words = sentence(refused.unwrap_err());
    assert!(words.contains("open the project again"), "{words}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(open(&path).unwrap().missing(), []);
}

// Processes that are killed.

/// Two large projects, each known by its name and with a large picture to hold.
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

/// No test of its own: the process that `a_kill_leaves_a_whole_project` kills.
#[test]
fn saves_for_ever_when_asked() {
    let Some(path) = std::env::var_os(SAVE_TO).map(PathBuf::from) else {
        return;
    };
    let picture = PathBuf::from(std::env::var_os(PICTURE).unwrap());
    let both = [large(0, &picture), large(1, &picture)];
    for project in both.iter().cycle() {
        ProjectFile::save_with(project, &path, Embed::All, None).unwrap();
    }
}

/// Numbers of no meaning, the same at every run.
fn scattered(i: u64) -> u64 {
    i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_kill_leaves_a_whole_project() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = folder.join("large.mien");
    let elsewhere = tempfile::tempdir().unwrap();
    let picture = elsewhere.path().join("large.png");
    let content: Vec<u8> = (0..6_000_000u64).map(|i| scattered(i) as u8).collect();
    fs::write(&picture, &content).unwrap();
    let both = [large(0, &picture), large(1, &picture)];
    ProjectFile::save_with(&both[1], &path, Embed::All, None).unwrap();
    let mut left_over = 0;
    for i in 0..30 {
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "saves_for_ever_when_asked", "--nocapture"])
            .env(SAVE_TO, &path)
            .env(PICTURE, &picture)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Once it has saved, it does so without a pause.
        let begun = Instant::now();
        while fs::metadata(&path).unwrap().modified().unwrap() == before {
            assert!(begun.elapsed() < Duration::from_secs(120), "it never saved");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(scattered(i) % 300_000));
        kill(child);

        let mut opened = ProjectFile::open_with(&path, Some(elsewhere.path())).unwrap();
        let MediaState::Embedded(held) = &opened.portrait else {
            panic!("{:?}", opened.portrait);
        };
        assert!(fs::read(held).unwrap() == content);
        MediaOf::Portrait.set(&mut opened.project, file(&picture));
        assert!(
            both.contains(&opened.project),
            "neither the one nor the other"
        );
        let names = names(folder);
        let hidden = names.iter().filter(|name| name.starts_with(".mien-"));
        let hidden = hidden.count();
        assert!(hidden <= 1 && names.len() == 1 + hidden, "{names:?}");
        left_over += hidden;
    }
    assert!(left_over > 0, "no kill fell into the middle of a file");
    ProjectFile::save_with(&both[0], &path, Embed::All, None).unwrap();
    assert_eq!(names(folder), ["large.mien"]);
}

#[test]
fn a_killed_export_leaves_what_was_there() {
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
        // That of the one before is gone.
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(fs::read_to_string(&target).unwrap(), "what was there");
        let visible = names(folder);
        let visible = visible
            .iter()
            .filter(|name| !is_hidden(name) && *name != "data");
        assert_eq!(visible.collect::<Vec<_>>(), ["x.gif"]);
    }
}
