//! Milliseconds of a key point detection, once a portrait, and of a driven frame of FOMM's
//! `vox-256`, and the multiplications each takes by the layers' definitions.

use std::hint::black_box;

use candle_core::{Device, Tensor};
use criterion::{Criterion, criterion_group, criterion_main};
use mien::methods::fomm::{Config, Fomm};

#[path = "../tests/common/procedural.rs"]
mod procedural;

const GO: &dyn Fn() -> bool = &|| false;

/// Multiplications of a convolution that gives `side` by `side` places.
fn conv(side: usize, kernel: usize, inputs: usize, outputs: usize) -> usize {
    side * side * kernel * kernel * inputs * outputs
}

/// Of an hourglass that sees `side` by `side` places.
fn hourglass(side: usize, inputs: usize, width: usize, most: usize, blocks: usize) -> usize {
    let features = |level: usize| most.min(width << level);
    let skip = |level: usize| if level == 0 { inputs } else { features(level) };
    (0..blocks)
        .map(|i| {
            let doubled = if i + 1 == blocks { 1 } else { 2 } * features(i + 1);
            conv(side >> i, 3, skip(i), features(i + 1)) + conv(side >> i, 3, doubled, features(i))
        })
        .sum()
}

fn print_multiplications(config: &Config) {
    let (detector, dense, generator) = (&config.detector, &config.dense_motion, &config.generator);
    let side = config.image_size / detector.downscale;
    let heads = config.num_kp + 4 * config.num_kp;
    let detect = hourglass(
        side,
        3,
        detector.block_expansion,
        detector.max_features,
        detector.num_blocks,
    ) + conv(side - 6, 7, detector.block_expansion + 3, heads);

    let (side, parts) = (config.motion_size(), config.num_kp + 1);
    let motion = hourglass(
        side,
        4 * parts,
        dense.block_expansion,
        dense.max_features,
        dense.num_blocks,
    ) + conv(side, 7, dense.block_expansion + 4 * parts, parts + 1);

    let side = config.image_size;
    let features = |level: usize| {
        generator
            .max_features
            .min(generator.block_expansion << level)
    };
    let halvings = generator.num_down_blocks;
    let encode: usize = conv(side, 7, 3, features(0))
        + (0..halvings)
            .map(|i| conv(side >> i, 3, features(i), features(i + 1)))
            .sum::<usize>();
    let inner = features(halvings);
    let draw: usize = 2 * generator.num_bottleneck_blocks * conv(side >> halvings, 3, inner, inner)
        + (0..halvings)
            .map(|i| conv(side >> i, 3, features(i + 1), features(i)))
            .sum::<usize>()
        + conv(side, 7, features(0), 3);

    let giga = |macs: usize| macs as f64 / 1e9;
    println!(
        "GMAC: detect {:.2}; prepare {:.2} (detect, encode {:.2}); frame {:.2} (dense motion {:.2}, draw {:.2})",
        giga(detect),
        giga(detect + encode),
        giga(encode),
        giga(motion + draw),
        giga(motion),
        giga(draw),
    );
}

fn frames(c: &mut Criterion) {
    let config = Config::default();
    print_multiplications(&config);
    let model = Fomm::new(&config, procedural::weights("", 1)).expect("a model");
    let picture = |name: &str| {
        let shape = [1, 3, config.image_size, config.image_size];
        let values = procedural::image(name, &shape, 1);
        Tensor::from_vec(values, &shape, &Device::Cpu).expect("values fit")
    };
    let (source, driving) = (picture("source"), picture("driving.1"));

    c.bench_function("fomm 256 detect", |b| {
        b.iter(|| model.detect(black_box(&driving), GO).expect("key points"));
    });
    c.bench_function("fomm 256 prepare", |b| {
        b.iter(|| model.prepare(black_box(&source)).expect("a source"));
    });
    let prepared = model.prepare(&source).expect("a source");
    let key_points = model.detect(&driving, GO).expect("key points");
    c.bench_function("fomm 256 frame", |b| {
        b.iter(|| {
            model
                .frame(black_box(&prepared), &key_points, GO)
                .expect("a frame")
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = frames
}
criterion_main!(benches);
