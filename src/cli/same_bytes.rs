//! Equal requests give equal bytes, from the window's export, `mien export`, and `mien edit` or `mien transfer`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;

use crate::app::export::{Export, ExportSource, Message};
use crate::cli::{Arguments, Command, edit, export, transfer};
use crate::document::{
    ActionUnit, ClipMotion, FileFormat, Limit, MediaSource, MethodChoice, MotionKind, PaneSpec,
    Playback, Pose, Project, Sample, SampledMotion, Sides,
};
use crate::drive::clip_analysis::ClipAnalysis;
use crate::drive::driver::Driver;
use crate::drive::sample_clip::SampleClip;
use crate::face::found::FoundFace;
use crate::face::portrait::Portrait;
use crate::methods::ganimation::model::Model;
use crate::methods::models::Models;
use crate::methods::subject::Subject;
use crate::progress::Progress;
use crate::project::file::{Embed, ProjectFile};
use crate::render::composition::Composition;

/// A portrait, a clip of a few frames, and an output folder.
struct Bench {
    folder: tempfile::TempDir,
    models: Arc<Models>,
    portrait: PathBuf,
    _clip: SampleClip,
    clip: PathBuf,
}

/// A part of the sample clip in seconds: five frames during a movement.
const FROM: f64 = 0.5;
const TO: f64 = 0.7;

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Small, because only bytes are compared.
        let sample = &crate::face::portrait::Sample::all()[0];
        let model = Arc::new(Model::bundled().unwrap());
        let picture = sample.open(model.crop()).unwrap().picture;
        let portrait = folder.path().join("portrait.png");
        crate::media::encode::save_png(&portrait, &picture).unwrap();
        let clip = SampleClip::write().unwrap();
        Self {
            models: Arc::new(Models::new(model)),
            clip: clip.path().to_owned(),
            _clip: clip,
            folder,
            portrait,
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// A project on the portrait with this motion, and one pane drawn by this method.
    fn project(&self, motion: Option<MotionKind>, method: MethodChoice) -> (Project, Portrait) {
        let portrait = Portrait::open(&self.portrait, self.models.crop_rule()).unwrap();
        let mut document = portrait.document(1);
        document.limit = Limit::NONE;
        let open =
            Pose::from(document.source).with(Sides::Both, ActionUnit::from_code(26).unwrap(), 1.0);
        document.base_pose = open;
        document.track.set_fps(24.0);
        document.track.set_frames(3);
        document.track.set_key(0, Pose::from(document.source));
        document.track.set_key(2, open);
        let begin = document.track.keys_on(0);
        document
            .track
            .set_easing(&begin, crate::document::Easing::EaseInOut);
        document.track.playback = Playback::Once;
        let mut project = Project::new(document);
        if let Some(motion) = motion {
            project.add("Motion", motion);
        }
        project.set_panes(vec![PaneSpec::of(method)]);
        (project, portrait)
    }

    /// Exports as the window does, with its proxies of a clip.
    fn window(&self, project: &Project, portrait: &Portrait, name: &str) {
        let subject = Subject::of(project.document(), portrait, self.models.crop_rule());
        let motion = project.motion(project.chosen()).unwrap();
        let progress = Progress::new(0);
        let analysis =
            ClipAnalysis::of_motion(&motion.kind, &self.models, &progress, &mut drop).unwrap();
        let face: Option<&FoundFace> = subject.face.as_deref();
        let driver = Driver::of(project, motion, analysis.map(Arc::new).as_ref(), face).unwrap();
        let composition = Composition::of(project, project.panes(), |_| driver.clone());
        let source = ExportSource {
            project: project.clone(),
            subject,
            step: 0,
            labels: vec![(String::new(), String::new())],
            sound: false,
            composition,
        };
        let fps = source.composition.driver.fps();
        let mut dialog = Export::new(project, true, fps, self.folder.path());
        dialog.update(Message::Format(FileFormat::PngSequence), &source);
        dialog.update(Message::Path(self.path(name)), &source);
        let (job, _) = dialog.job(&source).unwrap();
        job.write(&self.models, &Progress::new(0)).unwrap();
    }

    /// Runs a command.
    fn command(&self, words: &[&str]) {
        let words = [&["mien"], words, &["--quiet"]].concat();
        let arguments = Arguments::try_parse_from(&words).unwrap();
        match arguments.command.unwrap() {
            Command::Edit(arguments) => edit::run(*arguments).unwrap(),
            Command::Transfer(arguments) => transfer::run(&arguments).unwrap(),
            Command::Export(arguments) => export::run(&arguments).unwrap(),
            _ => panic!("{words:?}"),
        }
    }

    /// Runs `mien export` on the project.
    fn export(&self, project: &Project, name: &str) {
        let file = self.path("project.mien");
        save(project, Path::new(&file));
        self.command(&["export", &file, "--pane", "1", "-o", &self.path(name)]);
    }

    /// Asserts that the files of two sequences are equal, and that there is at least one.
    fn same(&self, a: &str, b: &str, cell: &str) {
        let files = |stem: &str| -> Vec<Vec<u8>> {
            let folder = fs::read_dir(self.folder.path()).unwrap();
            let mut paths: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
            paths.retain(|path| {
                let name = path.file_name().unwrap().to_str().unwrap();
                name.starts_with(&format!("{stem}_")) && name.ends_with(".png")
            });
            paths.sort();
            paths.iter().map(|path| fs::read(path).unwrap()).collect()
        };
        let (a, b) = (files(a), files(b));
        assert!(a.len() >= 3, "{cell}: {} frames", a.len());
        assert_eq!(a.len(), b.len(), "{cell}");
        for (frame, (a, b)) in a.iter().zip(&b).enumerate() {
            assert!(a == b, "{cell}: frame {frame} differs");
        }
        let moves = a.iter().any(|frame| *frame != a[0]);
        assert!(moves, "{cell}: nothing moves");
    }

    fn clear(&self) {
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path != self.portrait {
                fs::remove_file(path).unwrap();
            }
        }
    }
}

fn save(project: &Project, path: &Path) {
    ProjectFile::save(project, path, Embed::Nothing, &Default::default()).unwrap();
}

/// Every method in every mode.
fn methods(models: &Models) -> Vec<MethodChoice> {
    let choices = models.registry().choices().into_iter();
    choices.filter(|choice| choice.is_method()).collect()
}

#[test]
fn a_track_gives_the_same_bytes_in_the_window_and_by_commands() {
    let bench = Bench::new();
    for method in methods(&bench.models) {
        let cell = bench.models.registry().title(method);
        let (project, portrait) = bench.project(None, method);
        bench.window(&project, &portrait, "window.png");
        bench.export(&project, "export.png");
        bench.same("window", "export", &cell);
        if matches!(method, MethodChoice::RIG | MethodChoice::GANIMATION) {
            let portrait = bench.portrait.to_str().unwrap();
            let output = bench.path("edit.png");
            let id = method.id().unwrap();
            let words = ["edit", portrait, "--method", id.as_str(), "--au", "26=1"];
            bench.command(&[&words[..], &["--frames", "3", "-o", &output]].concat());
            bench.same("window", "edit", &cell);
        }
        bench.clear();
    }
}

#[test]
fn a_clip_gives_the_same_bytes_in_the_window_and_by_commands() {
    let bench = Bench::new();
    for method in methods(&bench.models) {
        let cell = bench.models.registry().title(method);
        let clip = ClipMotion {
            from: Some(FROM),
            to: Some(TO),
            playback: Playback::Once,
            ..ClipMotion::new(MediaSource::File(bench.clip.clone()))
        };
        let (project, portrait) = bench.project(Some(MotionKind::Clip(clip)), method);
        bench.window(&project, &portrait, "window.png");
        bench.export(&project, "export.png");
        bench.same("window", "export", &cell);
        let MethodChoice::Method(id, mode) = method else {
            panic!("{cell} is no method");
        };
        let (portrait, clip) = (
            bench.portrait.to_str().unwrap(),
            bench.clip.to_str().unwrap(),
        );
        let output = bench.path("transfer.png");
        let (from, to) = (FROM.to_string(), TO.to_string());
        let mode = mode.unwrap_or_default().key();
        let words = [
            "transfer",
            portrait,
            clip,
            "--from",
            &from,
            "--to",
            &to,
            "--method",
            id.as_str(),
        ];
        bench.command(&[&words[..], &["--mode", mode, "-o", &output]].concat());
        bench.same("window", "transfer", &cell);
        bench.clear();
    }
}

#[test]
fn a_sample_gives_the_same_bytes_in_the_window_and_by_the_command() {
    let bench = Bench::new();
    let sizes = bench.models.sampler().unwrap().sizes();
    let codes = Sample::draw(19, &sizes, 4, None).unwrap();
    for method in methods(&bench.models) {
        let cell = bench.models.registry().title(method);
        let sampled = SampledMotion::new(codes.clone());
        let (mut project, portrait) = bench.project(Some(MotionKind::Sample(sampled)), method);
        project.change(|document| {
            document.set_folds(Some(0.3));
            document.landmarks.set(159, [0.0, 0.02]);
        });
        bench.window(&project, &portrait, "window.png");
        bench.export(&project, "export.png");
        bench.same("window", "export", &cell);
        bench.clear();
    }
}
