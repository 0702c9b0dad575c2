//! Detecting, tracking and reading a face of 256 pixels. `tests/face/mediapipe_time.py` prints MediaPipe's time on the
//! same machine.

use std::hint::black_box;
use std::path::Path;

use candle_core::Device;
use criterion::{Criterion, criterion_group, criterion_main};
use mien::face::{FaceFinder, Tracker};
use mien::media;
use mien::media::image::ImagePyramid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn face(c: &mut Criterion) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("resources/samples/grace_hopper.jpg");
    // The face is about 256 pixels high with the margin that the landmark network needs.
    let Ok(picture) = media::image::open(&path) else {
        return;
    };
    let Ok(finder) = FaceFinder::bundled(&Device::Cpu) else {
        return;
    };
    let mut group = c.benchmark_group("face");
    let pyramid = ImagePyramid::for_networks(&picture);
    let Ok(found) = finder.detector.detect_whole(&pyramid) else {
        return;
    };
    let region = found[0].region();

    group.bench_function("halving", |b| {
        b.iter(|| ImagePyramid::for_networks(black_box(&picture)))
    });
    group.bench_function("detector", |b| {
        b.iter(|| finder.detector.detect_whole(&pyramid))
    });
    group.bench_function("landmarks", |b| {
        b.iter(|| finder.landmarks.find(&pyramid, &region));
    });
    if let Ok(Some((mesh, _))) = finder.landmarks.find(&pyramid, &region) {
        group.bench_function("blendshapes", |b| {
            b.iter(|| finder.blendshapes.scores(&mesh))
        });
    }
    group.bench_function("detector, landmarks, blendshapes", |b| {
        b.iter(|| {
            rayon::scope(|_| {
                let pyramid = ImagePyramid::for_networks(&picture);
                let found = finder.detector.detect_whole(&pyramid)?;
                finder.follow(&pyramid, &found[0].region())
            })
        });
    });
    group.bench_function("all faces of a portrait", |b| {
        b.iter(|| finder.faces(&picture))
    });
    group.bench_function("a followed frame", |b| {
        let mut tracker = Tracker::default();
        b.iter(|| tracker.next(&finder, &picture));
    });
    group.finish();
}

criterion_group!(benches, face);
criterion_main!(benches);
