//! Clips are read frame by frame as displayed, and everything else gives one clear sentence.

mod animations;
mod cuts;
mod damage;
mod folders;
mod foreign;
mod videos;

use std::path::Path;

use crate::common::media::{gradient, picture};
use mien::media::encode::{FrameSink, GifSettings, GifSink, Mp4Settings, Mp4Sink};

/// A gradient with a bar at a different position in every frame.
fn moving(number: usize) -> mien::media::image::Picture {
    picture(64, 48, |x, y| {
        if (x as usize / 4) == number {
            [230, 200, 40]
        } else {
            gradient(x, y)
        }
    })
}

fn fill(mut sink: Box<dyn FrameSink>, count: usize) {
    (0..count).for_each(|number| sink.push(&moving(number)).unwrap());
    sink.finish().unwrap();
}

fn mp4(path: &Path, fps: f64, count: usize) {
    let settings = Mp4Settings {
        fps,
        quality: 95,
        ..Mp4Settings::default()
    };
    fill(
        Box::new(Mp4Sink::new(path, 64, 48, settings).unwrap()),
        count,
    );
}

fn gif(path: &Path, fps: f64, count: usize) {
    let settings = GifSettings {
        fps,
        ..GifSettings::default()
    };
    fill(
        Box::new(GifSink::new(path, 64, 48, settings).unwrap()),
        count,
    );
}

/// Mean absolute difference of two pictures.
fn difference(a: &mien::media::image::Picture, b: &mien::media::image::Picture) -> f64 {
    let sum: u64 = a
        .rgba()
        .iter()
        .zip(b.rgba())
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / a.rgba().len() as f64
}

/// A GIF of 4 x 1 pixels with the palette red, green, blue and white, which is transparent if requested.
fn small_gif(patches: &[(u16, &[u8], gif::DisposalMethod, u16)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let palette = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];
    let mut encoder = gif::Encoder::new(&mut bytes, 4, 1, &palette).unwrap();
    for &(left, pixels, dispose, delay) in patches {
        let frame = gif::Frame {
            left,
            width: pixels.len() as u16,
            height: 1,
            buffer: pixels.into(),
            transparent: Some(3),
            dispose,
            delay,
            ..gif::Frame::default()
        };
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    bytes
}
