//! Milliseconds for a clip of sixteen frames and for one frame, at the published size.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mien::methods::mocogan::{Config, MoCoGan};
use mien::studio::{Sample, SampleSizes as Sizes};

#[path = "../tests/common/procedural.rs"]
mod procedural;

fn frames(c: &mut Criterion) {
    let network = MoCoGan::new(&Config::default(), procedural::weights("", 1)).expect("a network");
    let sample = Sample::draw(1, &Sizes::default(), 16, None).expect("a sample");
    let motion = network
        .motion(&sample.h0, &sample.epsilon)
        .expect("motion codes");
    let prepare = || network.prepare(&sample.content, &sample.category_code());
    let prepared = prepare().expect("a prepared clip");

    c.bench_function("mocogan motion of 16 frames", |b| {
        b.iter(|| network.motion(black_box(&sample.h0), &sample.epsilon));
    });
    c.bench_function("mocogan prepare", |b| {
        b.iter(|| black_box(prepare()));
    });
    c.bench_function("mocogan frame", |b| {
        b.iter(|| network.frame(black_box(&prepared), &motion[0], &|| false));
    });
    c.bench_function("mocogan 16 frames", |b| {
        b.iter(|| network.frames(black_box(&prepared), &motion, &|| false));
    });
}

criterion_group!(benches, frames);
criterion_main!(benches);
