//! Clips are written with the right frames, times and colours, and a failure never destroys a file.

mod files;
mod gifs;
mod videos;

use std::path::Path;

use crate::common::media::{gradient, picture};
use mien::media::encode::{FrameSink, GifSettings, GifSink, Mp4Settings, Mp4Sink};
use mien::media::image::Picture;

fn gif(path: &Path, settings: GifSettings, frames: &[Picture]) {
    let mut sink: Box<dyn FrameSink> =
        Box::new(GifSink::new(path, frames[0].width(), frames[0].height(), settings).unwrap());
    frames.iter().for_each(|frame| sink.push(frame).unwrap());
    sink.finish().unwrap();
}

fn mp4(path: &Path, settings: Mp4Settings, frames: &[Picture]) {
    let mut sink: Box<dyn FrameSink> =
        Box::new(Mp4Sink::new(path, frames[0].width(), frames[0].height(), settings).unwrap());
    frames.iter().for_each(|frame| sink.push(frame).unwrap());
    sink.finish().unwrap();
}

/// A square that moves to the right over a still backdrop.
fn moving_frames(count: u32, width: u32, height: u32) -> Vec<Picture> {
    (0..count)
        .map(|i| {
            picture(width, height, |x, y| {
                let is_square = (i * 2..i * 2 + 8).contains(&x) && (4..12).contains(&y);
                if is_square {
                    [250, 220, 30]
                } else {
                    gradient(x, y)
                }
            })
        })
        .collect()
}

fn mean_error(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| f64::from(a.abs_diff(*b)))
        .sum::<f64>()
        / a.len() as f64
}
