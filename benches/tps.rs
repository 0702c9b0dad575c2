//! Detection, preparation of a source, and a driven frame of TPS' `vox-256`: milliseconds, GFLOP/s, memory.

use std::hint::black_box;

use candle_core::{Device, Tensor};
use criterion::{Criterion, criterion_group, criterion_main};
use mien::methods::tps::{Config, Tps};

mod support;

use support::{print_peak_memory, procedural, work};

/// GMAC of a frame. Those of a detection and of the preparation are unknown.
const GMAC: f64 = 122.0;

fn picture(name: &str) -> Tensor {
    let values = procedural::image(name, &[1, 3, 256, 256], 1);
    Tensor::from_vec(values, (1, 3, 256, 256), &Device::Cpu).expect("values fit")
}

fn frames(c: &mut Criterion) {
    let tps = Tps::new(&Config::default(), procedural::weights("", 1)).expect("the network");
    let (source, driving) = (picture("source"), picture("driving.1"));
    let go = || false;
    let mut c = c.benchmark_group("tps 256");
    c.bench_function("detect", |b| {
        b.iter(|| tps.detect(black_box(&driving), &go).expect("key points"));
    });
    c.bench_function("prepare", |b| {
        b.iter(|| tps.prepare(black_box(&source)).expect("a prepared picture"));
    });
    let key_points = tps.detect(&driving, &go).expect("key points");
    let prepared = tps.prepare(&source).expect("a prepared picture");
    c.throughput(work(GMAC));
    c.bench_function("frame", |b| {
        b.iter(|| {
            tps.frame(black_box(&prepared), &key_points, None, &go)
                .expect("a frame")
        });
    });
    c.finish();
    print_peak_memory("tps 256");
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = frames
}
criterion_main!(benches);
