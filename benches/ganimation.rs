//! A frame, and the preparation of a portrait, of the default network and of the paper's: milliseconds, GFLOP/s, memory.

use std::hint::black_box;

use candle_core::{Device, Tensor};
use criterion::{Criterion, criterion_group, criterion_main};
use mien::methods::ganimation::{Config, Generator};
use mien::nn::{Precision, Weights};

mod support;

use support::{print_peak_memory, procedural, work};

fn default_network() -> Generator {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/weights/ganimation-128.safetensors"
    );
    let tensors = candle_core::safetensors::load(file, &Device::Cpu).expect("the default weights");
    let config = Config {
        conv_dim: 32,
        ..Config::default()
    };
    let weights = Weights::from_tensors(tensors, &Device::Cpu, Precision::Single);
    Generator::new(&config, weights).expect("the default network")
}

fn paper_network() -> Generator {
    let config = Config::default();
    let tensors = procedural::ganimation_keys(config.conv_dim, config.repeat_num, config.c_dim)
        .into_iter()
        .map(|(key, shape)| {
            let values = procedural::param(&key, &shape, 1);
            (
                key,
                Tensor::from_vec(values, shape, &Device::Cpu).expect("values fit"),
            )
        })
        .collect();
    let weights = Weights::from_tensors(tensors, &Device::Cpu, Precision::Single);
    Generator::new(&config, weights).expect("the paper's network")
}

fn frames(c: &mut Criterion) {
    let picture = procedural::image("portrait", &[1, 3, 128, 128], 1);
    let x = Tensor::from_vec(picture, (1, 3, 128, 128), &Device::Cpu).expect("values fit");
    let aus = [0.5; 17];
    for (name, gmac, generator) in [
        ("32@128", 2.4, default_network()),
        ("64@128", 9.6, paper_network()),
    ] {
        let mut c = c.benchmark_group(format!("ganimation {name}"));
        c.bench_function("prepare", |b| {
            b.iter(|| {
                generator
                    .prepare(black_box(&x))
                    .expect("a prepared picture")
            });
        });
        let prepared = generator.prepare(&x).expect("a prepared picture");
        c.throughput(work(gmac));
        c.bench_function("frame", |b| {
            b.iter(|| {
                generator
                    .frame(black_box(&prepared), &aus, &|| false)
                    .expect("a frame")
            });
        });
        c.finish();
        print_peak_memory(name);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(50);
    targets = frames
}
criterion_main!(benches);
