//! Composites a crop that is rotated relative to the portrait: each pixel is mapped into the crop.

use rayon::prelude::*;

use super::blend::{BLOCK, Block};
use super::{PLANES, PasteMode, window};
use crate::face::resample::Taps;
use crate::face::{Mask, TurnedSquare};
use crate::media::image::Picture;
use crate::nn::isa::{Isa, multiversion};

/// Values fetched at once: the planes, padded to a SIMD vector.
const SPREAD: usize = 8;

/// Composites the planes `[PLANES, size, size]` into the turned square.
pub(super) fn paste(
    base: &mut Picture,
    place: &TurnedSquare,
    (planes, size): (&[f32], usize),
    mask: Option<&Mask>,
    (onset, show): (f32, PasteMode),
) {
    let (planes, size) = shrunk(planes, size, place.side);
    let samples = interleaved(&planes, size);
    let width = base.width() as usize;
    // The bounding box of the square.
    let half_extent = place.side * 0.5 * (place.angle.sin().abs() + place.angle.cos().abs());
    let span = |middle: f64, length: usize| {
        let end = |v: f64| v.clamp(0.0, length as f64) as usize;
        (
            end((middle - half_extent).floor()),
            end((middle + half_extent).ceil()),
        )
    };
    let (left, right) = span(place.x, width);
    let (top, bottom) = span(place.y, base.height() as usize);
    let isa = Isa::best();
    // The step in the square for one pixel to the right.
    let (start, next) = (place.within((0.5, 0.5)), place.within((1.5, 0.5)));
    let step = (next.0 - start.0, next.1 - start.1);
    base.rgba_mut()
        .par_chunks_mut(width * 4)
        .enumerate()
        .take(bottom)
        .skip(top)
        .for_each_init(Block::new, |block, (y, row)| {
            let first = place.within((left as f64 + 0.5, y as f64 + 0.5));
            let at = |x: usize| {
                let along = (x - left) as f64;
                (first.0 + along * step.0, first.1 + along * step.1)
            };
            let inside = |x: &usize| {
                let (u, v) = at(*x);
                (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v)
            };
            // A row crosses the square in one span.
            let Some(enter) = (left..right).find(inside) else {
                return;
            };
            let leave = (enter..right).rev().find(inside).unwrap_or(enter) + 1;
            let pixels = &mut row[enter * 4..leave * 4];
            for (k, pixels) in pixels.chunks_mut(BLOCK * 4).enumerate() {
                let mut places = [(0f32, 0f32); BLOCK];
                let places = &mut places[..pixels.len() / 4];
                for (i, place) in places.iter_mut().enumerate() {
                    let (u, v) = at(enter + k * BLOCK + i);
                    *place = (u as f32, v as f32);
                }
                for (open, (u, v)) in block.open.iter_mut().zip(&*places) {
                    *open = window(*u) * window(*v) * onset;
                }
                if let Some(mask) = mask {
                    for (open, place) in block.open.iter_mut().zip(&*places) {
                        *open *= mask_at(mask, *place);
                    }
                }
                sample(isa, &samples, size, places, &mut block.values);
                block.blend(pixels, show);
            }
        });
}

/// Interleaves `[PLANES, size, size]` to `[size, size, 8]`, padded with zeros, so that one load fetches all
/// values of a sample.
fn interleaved(planes: &[f32], size: usize) -> Vec<[f32; SPREAD]> {
    let mut samples = vec![[0.0; SPREAD]; size * size];
    for (plane, values) in planes.chunks_exact(size * size).enumerate() {
        for (sample, value) in samples.iter_mut().zip(values) {
            sample[plane] = *value;
        }
    }
    samples
}

/// Downsamples the planes where the square is smaller than they are, so that nothing aliases.
fn shrunk(planes: &[f32], size: usize, side: f64) -> (Vec<f32>, usize) {
    let small = (side.ceil().max(4.0) as usize).min(size);
    if small == size {
        return (planes.to_vec(), size);
    }
    let taps = Taps::new(0.0, small as f64, small, size);
    let turned = |values: &[f32], rows: usize| -> Vec<f32> {
        let columns = values.len() / rows;
        (0..values.len())
            .map(|i| values[i % rows * columns + i / rows])
            .collect()
    };
    let stretched = |values: &[f32]| -> Vec<f32> {
        let mut out = vec![0.0; values.len() / size * small];
        for (out, line) in out.chunks_exact_mut(small).zip(values.chunks_exact(size)) {
            taps.stretch(line, out);
        }
        out
    };
    let shrunk = planes.chunks_exact(size * size).flat_map(|plane| {
        let narrow = turned(&stretched(plane), size);
        turned(&stretched(&narrow), small)
    });
    (shrunk.collect(), small)
}

multiversion! {
    /// Samples with a Catmull-Rom filter at positions in 0..1; clamps to the edge.
    fn sample(
        samples: &[[f32; SPREAD]],
        size: usize,
        places: &[(f32, f32)],
        values: &mut [[f32; BLOCK]; PLANES],
    ) {
        for (i, (u, v)) in places.iter().enumerate().take(BLOCK) {
            let (columns, across) = taps(*u, size);
            let (rows, down) = taps(*v, size);
            let mut sum = [0.0; SPREAD];
            for (row, down) in rows.iter().zip(down) {
                let line = &samples[row * size..][..size];
                let mut along = [0.0; SPREAD];
                for (column, weight) in columns.iter().zip(across) {
                    let sample = &line[*column];
                    for k in 0..SPREAD {
                        along[k] += weight * sample[k];
                    }
                }
                for k in 0..SPREAD {
                    sum[k] += down * along[k];
                }
            }
            for (plane, value) in values.iter_mut().zip(sum) {
                plane[i] = value;
            }
        }
    }
}

/// The same for a mask, in 0..=1.
fn mask_at(mask: &Mask, (u, v): (f32, f32)) -> f32 {
    let (columns, across) = taps(u, mask.size);
    let (rows, down) = taps(v, mask.size);
    let mut sum = 0.0;
    for (row, down) in rows.iter().zip(down) {
        let line = &mask.values[row * mask.size..][..mask.size];
        let along: f32 = columns.iter().zip(across).map(|(x, w)| line[*x] * w).sum();
        sum += down * along;
    }
    sum.clamp(0.0, 1.0)
}

#[inline(always)]
fn taps(place: f32, size: usize) -> ([usize; 4], [f32; 4]) {
    // `at` is at least -0.5 for a position in 0..1, so truncating towards zero is the floor from 0 on.
    let at = place * size as f32 + 0.5;
    let whole = at as i32;
    let t = at - whole as f32;
    let first = whole - 1;
    let clamped = |k: i32| (first + k).clamp(0, size as i32 - 1) as usize;
    let weights = [
        t * (-0.5 + t * (1.0 - 0.5 * t)),
        1.0 + t * t * (-2.5 + 1.5 * t),
        t * (0.5 + t * (2.0 - 1.5 * t)),
        t * t * (-0.5 + 0.5 * t),
    ];
    ([clamped(-1), clamped(0), clamped(1), clamped(2)], weights)
}
