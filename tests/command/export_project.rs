//! `mien export`: writes a project's panes, whole and in parts.

use std::path::Path;

use crate::support::mien;
use mien::document::{
    ActionUnit, ClipMotion, Document, MediaSource, MethodChoice, Mode, MotionKind, PaneSpec,
    PaneView, Playback, Pose, Project, Sides,
};
use mien::face::portrait::Sample;
use mien::media::image::open;
use mien::methods::ganimation::model::Model;
use mien::project::file::{Embed, MediaIndex, ProjectFile};

/// A project about the first sample: a smile that develops over three frames, and the sample clip's first quarter of a second.
fn project() -> Project {
    let model = Model::bundled().unwrap();
    let portrait = Sample::all()[0].open(model.crop()).unwrap();
    let mut document = portrait.document(0);
    document.set_neutral();
    document.track.set_frames(3);
    document.track.playback = Playback::Once;
    let smile = ActionUnit::from_code(12).unwrap();
    document.track.set_key(0, Pose::NEUTRAL);
    let smiling = Pose::NEUTRAL.with(Sides::Both, smile, 1.0);
    document.track.set_key(2, smiling);
    let mut project = Project::new(document);
    let track = project.chosen();
    let source = MediaSource::Bundled("sample.mp4".to_owned());
    let clip = ClipMotion {
        to: Some(0.25),
        ..ClipMotion::new(source)
    };
    let clip = project.add("Clip", MotionKind::Clip(clip));
    project.choose(track);
    project.set_panes(vec![
        PaneSpec::of(MethodChoice::Source),
        PaneSpec::of(MethodChoice::GANIMATION),
        PaneSpec::showing(MethodChoice::GANIMATION, PaneView::Attention),
        PaneSpec {
            motion: Some(clip),
            ..PaneSpec::of(MethodChoice::in_mode("fomm", Mode::Relative))
        },
    ]);
    project
}

fn export(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let start = ["export", "smile.mien", "--quiet"];
    let output = mien(folder, &[&start, arguments].concat());
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Saves the project.
pub fn save(path: &Path) {
    ProjectFile::save(&project(), path, Embed::Nothing, &MediaIndex::default()).unwrap();
}

fn saved() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    save(&folder.path().join("smile.mien"));
    folder
}

#[test]
fn a_grid_of_all_panes_exported_in_parts_equals_the_whole() {
    let folder = saved();
    export(
        folder.path(),
        &["--grid", "--scale", "0.25", "-o", "all.png"],
    )
    .unwrap();
    let grid = ["--grid", "--scale", "0.25", "--frames"];
    export(
        folder.path(),
        &[&grid[..], &["1-2", "-o", "part.png"]].concat(),
    )
    .unwrap();
    export(
        folder.path(),
        &[&grid[..], &["3-3", "-o", "part.png"]].concat(),
    )
    .unwrap();
    for frame in 1..=3 {
        let read = |stem: &str| {
            let name = format!("{stem}_{frame:04}.png");
            std::fs::read(folder.path().join(&name))
                .unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        assert!(read("all") == read("part"), "frame {frame}");
    }
    let sheet = open(&folder.path().join("all_0003.png")).unwrap();
    // Two rows of two panes of 128 pixels, with gaps and labels.
    assert!((256..300).contains(&sheet.width()), "{}", sheet.width());
    assert!((256..380).contains(&sheet.height()), "{}", sheet.height());
}

#[test]
fn a_single_pane_has_the_size_of_the_portrait_and_changes_only_the_face() {
    let folder = saved();
    export(folder.path(), &["--pane", "2", "-o", "smile.png"]).unwrap();
    let own = Sample::all()[0]
        .open(Model::bundled().unwrap().crop())
        .unwrap();
    let first = open(&folder.path().join("smile_0001.png")).unwrap();
    let last = open(&folder.path().join("smile_0003.png")).unwrap();
    // In the neutral frame not a byte differs; in the smile only bytes inside the crop.
    assert!(first.rgba() == own.picture.rgba());
    assert_eq!(last.size(), own.picture.size());
    assert!(last.rgba() != own.picture.rgba());
    let pitch = own.picture.width() as usize * 4;
    assert!(
        last.rgba()[..pitch] == own.picture.rgba()[..pitch],
        "the top row"
    );
}

#[test]
fn a_clip_drives_a_pane_and_missing_panes_and_frames_are_refused() {
    let folder = saved();
    export(
        folder.path(),
        &["--pane", "4", "--scale", "0.25", "-o", "moved.gif"],
    )
    .unwrap();
    assert!(folder.path().join("moved.gif").is_file());
    let refused = |arguments: &[&str], words: &str| {
        let problem = export(folder.path(), arguments).unwrap_err();
        assert!(problem.contains(words), "{problem}");
        assert_eq!(problem.lines().count(), 1, "{problem}");
    };
    refused(&["--pane", "5", "-o", "x.gif"], "has 4 panes");
    refused(&["--pane", "0", "-o", "x.gif"], "has 4 panes");
    refused(&["--frames", "2-9", "-o", "x.gif"], "number 3");
    refused(&["--frames", "24", "-o", "x.gif"], "has 3");
    std::fs::write(folder.path().join("smile.mien"), "{\"mien\":").unwrap();
    refused(&["-o", "x.gif"], "smile.mien");
    assert!(!folder.path().join("x.gif").exists());
}

#[test]
fn folds_and_landmark_offsets_are_exported() {
    let folder = tempfile::tempdir().unwrap();
    let written = |change: &dyn Fn(&mut Document), name: &str| {
        let mut project = project();
        project.set_panes(vec![PaneSpec::of(MethodChoice::RIG)]);
        project.change(change);
        let path = folder.path().join("smile.mien");
        ProjectFile::save(&project, &path, Embed::Nothing, &MediaIndex::default()).unwrap();
        let part = ["--frames", "3-3", "-o", name];
        export(folder.path(), &part).unwrap();
        let frame = name.replace(".png", "_0003.png");
        open(&folder.path().join(frame)).unwrap()
    };
    let plain = written(&|_| {}, "plain.png");
    let same = written(&|document| document.set_folds(None), "same.png");
    assert!(plain == same);
    let smooth = written(&|document| document.set_folds(Some(0.0)), "smooth.png");
    let full = written(&|document| document.set_folds(Some(1.0)), "full.png");
    assert!(smooth != full);
    let moved = written(
        &|document| document.landmarks.set(61, [-0.03, 0.0]),
        "moved.png",
    );
    assert!(moved != plain);
}
