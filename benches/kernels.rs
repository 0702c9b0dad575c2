//! Every kind of layer at a size used in the networks, on every instruction set of this machine. Criterion's "Gelem/s"
//! are 10^9 operations per second by the layer's definition, so minimal filtering can exceed the machine's peak.

use std::hint::black_box;

use candle_core::{Device, Tensor};
use criterion::{Criterion, criterion_group, criterion_main};
use mien::nn::{
    Border, Conv2d, ConvConfig, ConvTranspose2d, Epilogue, InstanceNorm, Isa, Precision,
    grid_sample, mixed_motion, on_rayon_pool, release, sigmoid,
};

mod support;

use support::work;

fn random(shape: &[usize]) -> Tensor {
    Tensor::randn(0f32, 1.0, shape, &Device::Cpu).expect("a tensor")
}

/// A layer's name, input and output channels, kernel, configuration, and the side of its picture.
type Case = (&'static str, usize, usize, usize, ConvConfig, usize);

const CONVOLUTIONS: [Case; 10] = [
    ("3x3", 64, 64, 3, ConvConfig::new(1, 1), 256),
    ("3x3", 128, 128, 3, ConvConfig::new(1, 1), 128),
    ("3x3", 256, 256, 3, ConvConfig::new(1, 1), 64),
    ("3x3", 256, 256, 3, ConvConfig::new(1, 1), 32),
    (
        "3x3 doubled",
        256,
        128,
        3,
        ConvConfig::new(1, 1).upsampled(),
        64,
    ),
    ("4x4 by 2", 64, 128, 4, ConvConfig::new(2, 1), 128),
    ("3x3 by 2", 64, 128, 3, ConvConfig::new(2, 1), 64),
    ("7x7", 64, 4, 7, ConvConfig::new(1, 3), 128),
    ("7x7", 64, 3, 7, ConvConfig::new(1, 3), 256),
    ("1x1", 128, 128, 1, ConvConfig::new(1, 0), 64),
];

fn convolutions(c: &mut Criterion) {
    for (name, inputs, outputs, k, config, side) in CONVOLUTIONS {
        let weight = random(&[outputs, inputs, k, k]);
        let x = random(&[1, inputs, side, side]);
        let mut group = c.benchmark_group(format!("{name} {inputs} to {outputs} at {side}"));
        for isa in Isa::available() {
            let layer = Conv2d::with_isa(&weight, None, config, isa).expect("a layer");
            let shape = layer.forward(&x).expect("a result").dims().to_vec();
            let products = shape[1] * shape[2] * shape[3] * inputs * k * k;
            group.throughput(work(products as f64 / 1e9));
            group.bench_function(format!("{isa:?}"), |b| {
                let run = || layer.forward(black_box(&x)).map(release);
                on_rayon_pool(&Device::Cpu, || b.iter(run));
            });
        }
        group.finish();
    }
}

fn transposed(c: &mut Criterion) {
    let config = ConvConfig::new(2, 1);
    for (pictures, inputs, outputs, side) in [
        (1, 256, 128, 32),
        (1, 128, 64, 64),
        (16, 256, 128, 8),
        (16, 64, 3, 32),
    ] {
        let weight = random(&[inputs, outputs, 4, 4]);
        let x = random(&[pictures, inputs, side, side]);
        let name = format!("{pictures} times 4x4 transposed {inputs} to {outputs} at {side}");
        let mut group = c.benchmark_group(name);
        group.throughput(work(
            (pictures * inputs * outputs * side * side) as f64 * 16e-9,
        ));
        for isa in Isa::available() {
            let layer = ConvTranspose2d::with_isa(&weight, None, config, isa).expect("a layer");
            group.bench_function(format!("{isa:?}"), |b| {
                let run = || layer.forward(black_box(&x)).map(release);
                on_rayon_pool(&Device::Cpu, || b.iter(run));
            });
        }
        group.finish();
    }
}

fn others(c: &mut Criterion) {
    let x = random(&[1, 256, 64, 64]);
    let (ones, zeros) = (random(&[256]), random(&[256]));
    let norm = InstanceNorm::new(&ones, &zeros, InstanceNorm::EPS).expect("a norm");
    let one = Conv2d::new(
        &random(&[256, 1, 1, 1]),
        None,
        ConvConfig::default(),
        Precision::Single,
    )
    .expect("a layer");
    let plane = random(&[1, 1, 64, 64]);
    c.bench_function("a 1x1 of one channel, norm and rectifier, 256 at 64", |b| {
        b.iter(|| {
            let epilogue = Epilogue::norm_relu(&norm);
            one.forward_then(black_box(&plane), &epilogue).map(release)
        });
    });
    let grid = random(&[1, 64, 64, 2]);
    c.bench_function("warp of 256 channels at 64", |b| {
        b.iter(|| grid_sample(black_box(&x), &grid, Border::Zeros, true).map(release));
    });
    let (maps, motions) = (random(&[1, 12, 64, 64]), random(&[11, 64, 64, 2]));
    c.bench_function("motion of 11 parts at 64", |b| {
        b.iter(|| {
            let mixed = mixed_motion(black_box(&maps), &motions);
            mixed.map(|(shares, flow)| (release(shares), release(flow)))
        });
    });
    let picture = random(&[1, 3, 256, 256]);
    c.bench_function("sigmoid of a picture of 256", |b| {
        b.iter(|| sigmoid(black_box(&picture)).map(release));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30);
    targets = convolutions, transposed, others
}
criterion_main!(benches);
