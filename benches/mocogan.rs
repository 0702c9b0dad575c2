//! A clip of sixteen frames and one frame of MoCoGAN, at the published size: milliseconds, GFLOP/s, memory.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mien::document::{Sample, SampleSizes as Sizes};
use mien::methods::mocogan::{Config, MoCoGan};

mod support;

use support::{print_peak_memory, procedural, work};

/// GMAC of a frame.
const GMAC: f64 = 0.1;

fn frames(c: &mut Criterion) {
    let network = MoCoGan::new(&Config::default(), procedural::weights("", 1)).expect("a network");
    let sample = Sample::draw(1, &Sizes::default(), 16, None).expect("a sample");
    let motion = network
        .motion(&sample.h0, &sample.epsilon)
        .expect("motion codes");
    let prepare = || network.prepare(&sample.content, &sample.category_code());
    let prepared = prepare().expect("a prepared clip");

    let mut c = c.benchmark_group("mocogan");
    c.bench_function("motion of 16 frames", |b| {
        b.iter(|| network.motion(black_box(&sample.h0), &sample.epsilon));
    });
    c.bench_function("prepare", |b| {
        b.iter(|| black_box(prepare()));
    });
    c.throughput(work(GMAC));
    c.bench_function("frame", |b| {
        b.iter(|| network.frame(black_box(&prepared), &motion[0], &|| false));
    });
    c.throughput(work(16.0 * GMAC));
    c.bench_function("16 frames", |b| {
        b.iter(|| network.frames(black_box(&prepared), &motion, &|| false));
    });
    c.finish();
    print_peak_memory("mocogan");
}

criterion_group!(benches, frames);
criterion_main!(benches);
