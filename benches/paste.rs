//! Milliseconds for the steps around the network: cropping the input, and pasting the edit into a 2-megapixel portrait.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mien::face::{Edit, PasteMode, Square, network_input, paste};
use mien::media::image::Picture;

const SIZE: usize = 128;

fn paste_modes(c: &mut Criterion) {
    let (width, height) = (1600u32, 1250u32);
    let rgba = (0..width * height)
        .flat_map(|i| [(i % 251) as u8, (i % 241) as u8, (i % 239) as u8, 255])
        .collect();
    let portrait = Picture::new(width, height, rgba).expect("a picture");
    let square = Square {
        x: 400.3,
        y: 210.7,
        side: 800.0,
    };
    let input = network_input(&portrait, square, SIZE).expect("a crop");
    let edit = Edit {
        size: SIZE,
        color: input.iter().map(|value| value * 0.9).collect(),
        attention: vec![0.5; SIZE * SIZE],
        input,
    };

    c.bench_function("crop of 800 pixels to 128", |b| {
        b.iter(|| network_input(black_box(&portrait), square, SIZE).expect("a crop"));
    });
    let show = PasteMode::Result {
        onset: 1.0,
        detail: true,
    };
    let mut target = portrait.clone();
    c.bench_function("paste into 2 megapixels", |b| {
        b.iter(|| paste(black_box(&mut target), square, &edit, None, show));
    });
}

criterion_group!(benches, paste_modes);
criterion_main!(benches);
