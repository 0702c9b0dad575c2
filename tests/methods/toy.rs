//! A method is one folder and one line: toy methods are registered, and driven by every kind of motion in a pane, in a
//! comparison and in an export.

use std::path::Path;
use std::sync::Arc;

use mien::document::{
    ActionUnit, ClipMotion, Document, Expression, FileFormat, MethodChoice, MethodId, Mode,
    MotionKind, PaneSpec, PaneView, Playback, Pose, Project, Sample, SampledMotion, Sides,
};
use mien::drive::sample_clip::SampleClip;
use mien::error::EngineError;
use mien::face::TurnedSquare;
use mien::face::portrait::{self, Portrait};
use mien::face::view::View;
use mien::jobs::compare::sheet::Sheet;
use mien::jobs::compare::spec::{Against, MethodSpec};
use mien::jobs::compare::{Comparison, compare};
use mien::jobs::export::{ExportJob, Layout, Steps};
use mien::jobs::output::Output;
use mien::media::encode::LoopCount;
use mien::media::image::{Picture, open};
use mien::media::inputs::Inputs;
use mien::methods::diagnostics::Diagnostics;
use mien::methods::drive::{Drive, DrivePicture, Viewpoint};
use mien::methods::ganimation::model::Model;
use mien::methods::models::Models;
use mien::methods::registry::Registry;
use mien::methods::subject::{Subject, square};
use mien::methods::{Base, DrivenBy, Method, MethodFrame, MethodInfo, Quality, Session};
use mien::progress::{Progress, Stop};
use mien::render::composition::Composition;
use mien::render::renderer::Renderer;
use mien::weights::CropRule;

/// Fills the face's crop with a flat colour: red by the requested smile, or green by the lightness of the driving picture.
struct Toy {
    info: &'static MethodInfo,
    rule: CropRule,
}

static BY_EXPRESSION: MethodInfo = MethodInfo {
    id: MethodId::new("toy"),
    title: "Toy",
    driven_by: DrivenBy::Expression,
    draws_head: true,
    overshoots: false,
    draws_folds: false,
    is_generative: true,
    fits_landmarks: false,
    modes: &[],
    views: &[PaneView::Result, PaneView::Difference],
    has_draft: false,
    bundled: None,
    open: |_| Ok(toy(&BY_EXPRESSION)),
};

static BY_PICTURE: MethodInfo = MethodInfo {
    id: MethodId::new("toy-picture"),
    title: "Toy by pictures",
    driven_by: DrivenBy::Picture,
    draws_head: false,
    overshoots: false,
    draws_folds: false,
    is_generative: true,
    fits_landmarks: false,
    modes: &[Mode::Relative, Mode::Standard],
    views: &[PaneView::Result, PaneView::Difference],
    has_draft: false,
    bundled: None,
    open: |_| Ok(toy(&BY_PICTURE)),
};

fn toy(info: &'static MethodInfo) -> Arc<dyn Method> {
    let rule = CropRule {
        kind: "landmark_bbox_square".to_owned(),
        scale: 1.2,
        upright: true,
    };
    Arc::new(Toy { info, rule })
}

impl Method for Toy {
    fn info(&self) -> &'static MethodInfo {
        self.info
    }

    fn weights(&self) -> &str {
        "none"
    }

    fn device(&self) -> String {
        "CPU".to_owned()
    }

    fn crop(&self) -> &CropRule {
        &self.rule
    }

    fn check_mode(&self, _: Option<Mode>) -> Result<(), EngineError> {
        Ok(())
    }

    fn prepare(&self, subject: &Subject, _: Stop) -> Result<Box<dyn Session>, EngineError> {
        Ok(Box::new(ToySession {
            by: self.info.driven_by,
            rule: self.rule.clone(),
            place: square(subject.crop_for(&self.rule)),
            colour: [0; 3],
        }))
    }
}

struct ToySession {
    by: DrivenBy,
    rule: CropRule,
    place: TurnedSquare,
    colour: [u8; 3],
}

impl Session for ToySession {
    fn frame(
        &mut self,
        _: &Subject,
        drive: &mut dyn Drive,
        mode: Option<Mode>,
        _: Quality,
        stop: Stop,
    ) -> Result<MethodFrame, EngineError> {
        self.colour = match self.by {
            DrivenBy::Expression => {
                let smile = drive.expression().get(ActionUnit::from_code(12).unwrap());
                [(smile * 255.0).clamp(0.0, 255.0) as u8, 0, 40]
            }
            DrivenBy::Picture => {
                let viewpoint = Viewpoint {
                    rule: &self.rule,
                    place: self.place,
                    size: 32,
                    relative: mode == Some(Mode::Relative),
                };
                let (picture, place) = drive.picture(DrivePicture::Now, &viewpoint, stop)?;
                assert!(place.side > 8.0, "no square in the driving picture");
                [0, mean(&picture), 40]
            }
        };
        Ok(MethodFrame {
            diagnostics: Diagnostics::None,
            is_draft: false,
            millis: Some(1.0),
            draft_millis: 0.0,
            mean_edit: None,
        })
    }

    fn composite(
        &mut self,
        _: &Subject,
        _: &MethodFrame,
        view: &View,
        base: Base<'_>,
    ) -> Result<Picture, EngineError> {
        let mut picture = base.picture().clone();
        let (place, width) = (view.square(self.place), picture.width() as usize);
        for (i, pixel) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
            let (u, v) = place.within(((i % width) as f64 + 0.5, (i / width) as f64 + 0.5));
            if (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v) {
                pixel[..3].copy_from_slice(&self.colour);
            }
        }
        Ok(picture)
    }
}

/// The mean red value of a picture.
fn mean(picture: &Picture) -> u8 {
    let reds = picture
        .rgba()
        .chunks_exact(4)
        .map(|pixel| u64::from(pixel[0]));
    (reds.sum::<u64>() / (picture.rgba().len() as u64 / 4)) as u8
}

fn registry() -> Registry {
    Registry::default().with(&BY_EXPRESSION).with(&BY_PICTURE)
}

struct Scene {
    models: Arc<Models>,
    subject: Subject,
    document: Document,
}

/// The sample portrait, with a track on which a smile grows over three frames.
fn scene() -> Scene {
    let model = Arc::new(Model::bundled().unwrap());
    let portrait: Portrait = portrait::Sample::all()[0].open(model.crop()).unwrap();
    let mut document = portrait.document(1);
    document.set_neutral();
    let smile = Pose::NEUTRAL.with(Sides::Both, ActionUnit::from_code(12).unwrap(), 1.0);
    document.track.set_frames(3);
    document.track.set_key(0, Pose::NEUTRAL);
    document.track.set_key(2, smile);
    document.track.playback = Playback::Once;
    Scene {
        subject: Subject::of(&document, &portrait, model.crop()),
        models: Arc::new(Models::new(model).with_registry(registry())),
        document,
    }
}

/// One motion of each kind.
fn motions(scene: &Scene) -> Vec<(&'static str, MotionKind)> {
    let clip = ClipMotion {
        to: Some(0.2),
        ..ClipMotion::new(SampleClip::source())
    };
    let sizes = scene.models.sampler().unwrap().sizes();
    let codes = Sample::draw(19, &sizes, 4, None).unwrap();
    vec![
        ("track", MotionKind::Track(Expression::of(&scene.document))),
        ("clip", MotionKind::Clip(clip)),
        ("sample", MotionKind::Sample(SampledMotion::new(codes))),
    ]
}

fn project(scene: &Scene, kind: &MotionKind) -> Project {
    let mut project = Project::new(scene.document.clone());
    if !matches!(kind, MotionKind::Track(_)) {
        project.add("Motion", kind.clone());
    }
    project
}

fn output(path: &Path, format: FileFormat) -> Output {
    Output {
        format,
        quality: None,
        loops: LoopCount::Forever,
        scale: 1.0,
        part: None,
        marked: true,
        path: path.to_owned(),
        inputs: Inputs::default(),
    }
}

const METHODS: [(&str, &MethodInfo); 2] = [
    ("toy", &BY_EXPRESSION),
    ("toy-picture:standard", &BY_PICTURE),
];

fn choice(info: &MethodInfo) -> MethodChoice {
    let mode = info.modes.last().copied();
    MethodChoice::Method(info.id, mode)
}

/// The colour in the middle of the face's crop.
fn middle(picture: &Picture, subject: &Subject, scale: f32) -> [u8; 3] {
    let (x, y) = subject.crop.middle();
    let at = |v: f32| (v * scale) as usize;
    let start = 4 * (at(y) * picture.width() as usize + at(x));
    [0, 1, 2].map(|c| picture.rgba()[start + c])
}

#[test]
fn the_choices_list_a_registered_method() {
    let registry = registry();
    let titles: Vec<String> = registry
        .choices()
        .into_iter()
        .map(|choice| registry.title(choice))
        .collect();
    for title in [
        "Toy",
        "Toy by pictures relative",
        "Toy by pictures standard",
    ] {
        assert!(titles.iter().any(|other| other == title), "{titles:?}");
    }
}

#[test]
fn every_motion_drives_a_registered_method_in_a_pane() {
    let scene = scene();
    for (name, kind) in motions(&scene) {
        for (_, info) in METHODS {
            let panes = [PaneSpec::of(choice(info))];
            let progress = Progress::new(0);
            let face = scene.subject.face.as_deref();
            let project = project(&scene, &kind);
            let composition =
                Composition::read(&project, &panes, face, &scene.models, &progress).unwrap();
            let mut renderer = Renderer::new(Arc::clone(&scene.models));
            let view = View::fit(96, 96, scene.subject.picture.size());
            let base = renderer.base(&scene.subject, &view).unwrap();
            let colours: Vec<[u8; 3]> = (0..3)
                .map(|step| {
                    let request = &composition.requests(step)[0];
                    let quality = Quality::Full;
                    let frame = renderer
                        .render(&scene.subject, &view, &base, request, quality, &|| false)
                        .unwrap();
                    middle(&frame.picture, &scene.subject, view.zoom as f32)
                })
                .collect();
            assert!(
                colours.iter().all(|colour| colour[2] == 40),
                "{name}: {colours:?}"
            );
            match info.driven_by {
                DrivenBy::Expression if name == "track" => {
                    assert_eq!(colours, [[0, 0, 40], [127, 0, 40], [255, 0, 40]]);
                }
                DrivenBy::Expression => {}
                // The driving picture, whatever it is, was used.
                DrivenBy::Picture => assert!(colours[0][1] > 0, "{name}: {colours:?}"),
            }
        }
    }
}

#[test]
fn every_motion_drives_a_registered_method_in_an_export() {
    let scene = scene();
    let folder = tempfile::tempdir().unwrap();
    for (name, kind) in motions(&scene) {
        for (method, info) in METHODS {
            let path = folder.path().join(format!("{name}-{}.gif", info.id));
            let job = ExportJob {
                project: project(&scene, &kind),
                subject: scene.subject.clone(),
                panes: vec![PaneSpec::of(choice(info))],
                steps: Steps::All,
                count: None,
                layout: Layout::Strip,
                scale: 0.25,
                fps: None,
                output: output(&path, FileFormat::Gif),
                sound: false,
                strict: true,
            };
            let exported = job.write(&scene.models, &Progress::new(0)).unwrap();
            assert!(exported.frames >= 3, "{method} by {name}");
            let first = open(&path).unwrap();
            assert_eq!(middle(&first, &scene.subject, 0.25)[2].abs_diff(40) / 8, 0);
        }
    }
}

#[test]
fn every_motion_drives_a_registered_method_in_a_comparison() {
    let scene = scene();
    let folder = tempfile::tempdir().unwrap();
    let registry = registry();
    for (name, kind) in motions(&scene) {
        let methods = METHODS.map(|(method, _)| method).join(",");
        let path = folder.path().join(format!("{name}.png"));
        let metrics = folder.path().join(format!("{name}.csv"));
        let comparison = Comparison {
            subject: scene.subject.clone(),
            name: "portrait.png".to_owned(),
            methods: MethodSpec::list(&methods, &registry).unwrap(),
            motion: kind,
            document: scene.document.clone(),
            fps: None,
            sheet: Sheet {
                size: 64,
                columns: None,
                rows: 2,
                labels: false,
            },
            against: Against::Source,
            metrics: Some(metrics.clone()),
            plot: None,
            output: output(&path, FileFormat::Png),
        };
        let compared = compare(&comparison, &scene.models, &Progress::new(0)).unwrap();
        assert_eq!(compared.figures.len(), 2, "{name}");
        let sheet = open(&path).unwrap();
        // Source, driving frame and two results in each of two rows.
        assert_eq!(sheet.size(), (4 * 70 + 6, 2 * 70 + 6));
        let text = std::fs::read_to_string(&metrics).unwrap();
        assert!(
            text.contains(",toy,") && text.contains(",toy-picture,standard,"),
            "{text}"
        );
    }
}
