//! Milliseconds a driving picture, a source and a frame, of the published sizes.

use std::hint::black_box;

use candle_core::{Device, Tensor};
use criterion::{Criterion, criterion_group, criterion_main};
use mien::methods::tps::{Config, Tps};

#[path = "../tests/common/procedural.rs"]
mod procedural;

fn picture(name: &str) -> Tensor {
    let values = procedural::image(name, &[1, 3, 256, 256], 1);
    Tensor::from_vec(values, (1, 3, 256, 256), &Device::Cpu).expect("values fit")
}

fn frames(c: &mut Criterion) {
    let tps = Tps::new(&Config::default(), procedural::weights("", 1)).expect("the network");
    let (source, driving) = (picture("source"), picture("driving.1"));
    let go = || false;
    c.bench_function("tps detect", |b| {
        b.iter(|| tps.detect(black_box(&driving), &go).expect("key points"));
    });
    c.bench_function("tps prepare", |b| {
        b.iter(|| tps.prepare(black_box(&source)).expect("a prepared picture"));
    });
    let key_points = tps.detect(&driving, &go).expect("key points");
    let prepared = tps.prepare(&source).expect("a prepared picture");
    c.bench_function("tps frame", |b| {
        b.iter(|| {
            tps.frame(black_box(&prepared), &key_points, None, &go)
                .expect("a frame")
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = frames
}
criterion_main!(benches);
