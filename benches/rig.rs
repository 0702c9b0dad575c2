//! Milliseconds of the rig from a slider to a picture: in a pane and at the portrait's full resolution.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use mien::document::{ActionUnit, HeadTurn, MethodChoice, PaneView, Pose, Sides};
use mien::drive::driver::DriveSample;
use mien::face::portrait::{Portrait, Sample};
use mien::face::view::View;
use mien::media::encode::save_png;
use mien::media::image::resample::resized;
use mien::methods::Quality;
use mien::methods::ganimation::model::Model;
use mien::methods::models::Models;
use mien::methods::subject::Subject;
use mien::render::composition::FrameRequest;
use mien::render::renderer::Renderer;

/// At this size the face of the sample portrait fills one megapixel.
const SIDE: u32 = 4096;

fn frames(c: &mut Criterion) {
    let model = Arc::new(Model::bundled().expect("weights"));
    let models = Arc::new(Models::new(Arc::clone(&model)));
    let rule = model.crop();
    let small = Sample::all()[0].open(rule).expect("a sample");
    let folder = std::env::temp_dir().join(format!("mien-bench-{}.png", std::process::id()));
    let large = resized((*small.picture).clone(), (SIDE, SIDE)).expect("a picture");
    save_png(&folder, &large).expect("a file");
    let portrait = Portrait::open(&folder, rule).expect("a portrait");
    let _ = std::fs::remove_file(&folder);
    let subject = Subject::of(&portrait.document(1), &portrait, rule);

    let base = Pose::from(subject.expression);
    let unit = |code| ActionUnit::from_code(code).expect("an Action Unit");
    let jaw = |value| base.with(Sides::Both, unit(26), value);
    let turned = |value| Pose {
        head: HeadTurn::new(value, 0.0, 0.0),
        ..base
    };
    let whole = View::whole(subject.picture.size());
    let (x, y) = subject.crop.middle();
    let middle = (f64::from(x), f64::from(y));
    let pane = View::about(640, 640, middle, f64::from(subject.crop.side));
    let mut renderer = Renderer::new(models);
    let mut bench = |name: &str, view: &View, quality, pose: &dyn Fn(f32) -> Pose, most: f32| {
        let picture = renderer.base(&subject, view).expect("a view");
        let mut value = 0.0;
        c.bench_function(name, |b| {
            b.iter(|| {
                value = (value + 0.037 * most) % most;
                let request = FrameRequest {
                    method: MethodChoice::RIG,
                    weights: None,
                    view: PaneView::Result,
                    expression_by_rig: false,
                    sample: DriveSample::Pose(pose(value + 0.01)),
                };
                let frame = renderer.render(
                    black_box(&subject),
                    view,
                    &picture,
                    &request,
                    quality,
                    &|| false,
                );
                frame.expect("a frame")
            });
        });
    };
    bench("a draft in a pane", &pane, Quality::Draft, &jaw, 1.0);
    bench("a pane", &pane, Quality::Full, &jaw, 1.0);
    bench(
        "a pane, the head turned",
        &pane,
        Quality::Full,
        &turned,
        15.0,
    );
    bench("the portrait's own size", &whole, Quality::Full, &jaw, 1.0);
    bench(
        "the portrait's own size, the head turned",
        &whole,
        Quality::Full,
        &turned,
        15.0,
    );
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = frames
}
criterion_main!(benches);
