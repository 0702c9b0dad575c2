//! Keypoint detection, preparation of a portrait, and a driven frame of FOMM's `vox-256`: milliseconds, GFLOP/s, memory.

use std::hint::black_box;

use candle_core::{Device, Tensor};
use criterion::{Criterion, criterion_group, criterion_main};
use mien::methods::fomm::{Config, Fomm};

mod support;

use support::{print_peak_memory, procedural, work};

const NEVER_STOP: &(dyn Fn() -> bool + Sync) = &|| false;

/// GMAC of a detection, of the preparation of a portrait, and of a driven frame.
const GMAC: [f64; 3] = [1.28, 11.56, 43.36];

fn frames(c: &mut Criterion) {
    let config = Config::default();
    let model = Fomm::new(&config, procedural::weights("", 1)).expect("a model");
    let picture = |name: &str| {
        let shape = [1, 3, config.image_size, config.image_size];
        let values = procedural::image(name, &shape, 1);
        Tensor::from_vec(values, &shape, &Device::Cpu).expect("values fit")
    };
    let (source, driving) = (picture("source"), picture("driving.1"));

    let mut c = c.benchmark_group("fomm 256");
    c.throughput(work(GMAC[0]));
    c.bench_function("detect", |b| {
        b.iter(|| {
            model
                .detect(black_box(&driving), NEVER_STOP)
                .expect("key points")
        });
    });
    c.throughput(work(GMAC[1]));
    c.bench_function("prepare", |b| {
        b.iter(|| model.prepare(black_box(&source)).expect("a source"));
    });
    let prepared = model.prepare(&source).expect("a source");
    let key_points = model.detect(&driving, NEVER_STOP).expect("key points");
    c.throughput(work(GMAC[2]));
    c.bench_function("frame", |b| {
        b.iter(|| {
            model
                .frame(black_box(&prepared), &key_points, NEVER_STOP)
                .expect("a frame")
        });
    });
    c.finish();
    print_peak_memory("fomm 256");
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = frames
}
criterion_main!(benches);
