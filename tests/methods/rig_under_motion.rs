//! The rig's expression combined with the motion of FOMM and TPS, as rendered.

use std::sync::Arc;

use mien::document::{ActionUnit, Channel, MethodChoice, Mode, PaneView, Pose, Sides};
use mien::drive::driver::DriveSample;
use mien::face::found::find_faces;
use mien::face::portrait;
use mien::face::view::View;
use mien::media::image::Picture;
use mien::methods::Quality;
use mien::methods::ganimation::model::Model;
use mien::methods::models::Models;
use mien::methods::registry::Registry;
use mien::methods::subject::Subject;
use mien::render::composition::FrameRequest;
use mien::render::renderer::Renderer;

const SMILE: u8 = 12;
const BLINK: u8 = 45;

struct Scene {
    models: Arc<Models>,
    subject: Subject,
    renderer: Renderer,
}

fn scene() -> Scene {
    let models = Arc::new(Models::new(Arc::new(Model::bundled().unwrap())));
    let rule = models.crop_rule();
    let portrait = portrait::Sample::all()[0].open(rule).unwrap();
    Scene {
        subject: Subject::of(&portrait.document(1), &portrait, rule),
        renderer: Renderer::new(Arc::clone(&models)),
        models,
    }
}

fn request(method: &str, pose: Pose, expression_by_rig: bool) -> FrameRequest {
    FrameRequest {
        method: MethodChoice::in_mode(method, Mode::Relative),
        weights: None,
        view: PaneView::Result,
        sample: DriveSample::Pose(pose),
        expression_by_rig,
    }
}

impl Scene {
    fn source_pose(&self) -> Pose {
        self.subject.expression.into()
    }

    fn drawn(&mut self, request: &FrameRequest) -> Picture {
        let view = View::whole(self.subject.picture.size());
        let base = Picture::clone(&self.subject.picture);
        self.renderer
            .render(&self.subject, &view, &base, request, Quality::Full, &|| {
                false
            })
            .unwrap()
            .picture
    }

    /// The value of an Action Unit that the face reader finds.
    fn read(&self, picture: &Picture, code: u8) -> f32 {
        let faces = find_faces(picture, self.models.crop_rule()).unwrap();
        faces[0].aus.get(ActionUnit::from_code(code).unwrap())
    }
}

fn with_unit(pose: Pose, code: u8, value: f32) -> Pose {
    pose.with(Sides::Both, ActionUnit::from_code(code).unwrap(), value)
}

#[test]
fn the_rig_expression_appears_under_the_motion_of_another_method() {
    let mut scene = scene();
    for method in ["fomm", "tps"] {
        // The astronaut smiles with open eyes: the rig relaxes her mouth, and shuts her eyes.
        for (code, wanted) in [(SMILE, 0.1), (BLINK, 0.9)] {
            let before = scene.read(&scene.subject.picture, code);
            let pose = with_unit(scene.source_pose(), code, wanted);
            let without = scene.drawn(&request(method, pose, false));
            let with = scene.drawn(&request(method, pose, true));
            let (without, with) = (scene.read(&without, code), scene.read(&with, code));
            let moved = |to: f32| (to - before) * (wanted - before).signum();
            assert!(moved(with) > 0.25, "{method} AU{code}: {before} to {with}");
            assert!(
                moved(with) > moved(without) + 0.1,
                "{method} AU{code}: {without}, {with}"
            );
        }
    }
}

#[test]
fn switching_the_rig_expression_off_restores_every_byte() {
    let mut scene = scene();
    let pose = with_unit(scene.source_pose(), SMILE, 0.9).with(Sides::Both, Channel::Yaw, 8.0);
    let off = request("fomm", pose, false);
    let first = scene.drawn(&off);
    assert!(first != scene.drawn(&request("fomm", pose, true)));
    assert!(first == scene.drawn(&off), "other bytes after a change");
    // The rig leaves the head pose to the network, and without an expression the portrait is unchanged.
    let turned = scene.source_pose().with(Sides::Both, Channel::Yaw, 8.0);
    let without = scene.drawn(&request("fomm", turned, false));
    assert!(without == scene.drawn(&request("fomm", turned, true)));
    assert!(without != *scene.subject.picture);
    let grown = scene.source_pose().with(Sides::Both, Channel::Size, 115.0);
    let without = scene.drawn(&request("fomm", grown, false));
    assert!(without == scene.drawn(&request("fomm", grown, true)));
}

#[test]
fn the_cache_key_includes_the_expression_only_when_it_is_rendered() {
    let scene = scene();
    let registry = Registry::default();
    let view = View::whole(scene.subject.picture.size());
    let source_pose = scene.source_pose();
    let key = |request: &FrameRequest, subject: &Subject| request.key(&registry, subject, &view);
    let (off, on) = (
        request("tps", source_pose, false),
        request("tps", source_pose, true),
    );
    assert_ne!(key(&off, &scene.subject), key(&on, &scene.subject));
    let smiling = request("tps", with_unit(source_pose, SMILE, 0.9), true);
    assert_ne!(key(&smiling, &scene.subject), key(&on, &scene.subject));
    // It has no effect on the flow, nor on a portrait without a face.
    let faceless = Subject {
        face: None,
        ..scene.subject.clone()
    };
    assert_eq!(key(&off, &faceless), key(&on, &faceless));
    let flow = |request: &FrameRequest| request.showing(PaneView::Flow);
    assert_eq!(
        key(&flow(&off), &scene.subject),
        key(&flow(&on), &scene.subject)
    );
}
