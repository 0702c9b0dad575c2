//! Pasting a crop that is turned against the portrait: every pixel finds its own place in the crop.

use rayon::prelude::*;

use super::{PLANES, Show, blend, window};
use crate::face::resample::Taps;
use crate::face::{Mask, TurnedSquare};
use crate::media::Picture;

/// Pastes the planes `[PLANES, size, size]` where the turned square lies.
pub(super) fn paste(
    base: &mut Picture,
    place: &TurnedSquare,
    (planes, size): (&[f32], usize),
    mask: Option<&Mask>,
    (onset, show): (f32, Show),
) {
    let (planes, size) = shrunk(planes, size, place.side);
    let width = base.width() as usize;
    // The square's corners bound what has to be looked at.
    let reach = place.side * 0.5 * (place.angle.sin().abs() + place.angle.cos().abs());
    let span = |middle: f64, length: usize| {
        let end = |v: f64| v.clamp(0.0, length as f64) as usize;
        (end((middle - reach).floor()), end((middle + reach).ceil()))
    };
    let (left, right) = span(place.x, width);
    let (top, bottom) = span(place.y, base.height() as usize);
    base.rgba_mut()
        .par_chunks_mut(width * 4)
        .enumerate()
        .take(bottom)
        .skip(top)
        .for_each(|(y, row)| {
            for x in left..right {
                let (u, v) = place.within((x as f64 + 0.5, y as f64 + 0.5));
                if !(0.0..1.0).contains(&u) || !(0.0..1.0).contains(&v) {
                    continue;
                }
                let (u, v) = (u as f32, v as f32);
                let kept = mask.map_or(1.0, |mask| {
                    let [kept] = sample::<1>(&mask.values, mask.size, (u, v));
                    kept.clamp(0.0, 1.0)
                });
                let weight = window(u) * window(v) * onset * kept;
                let values = sample::<PLANES>(&planes, size, (u, v));
                blend(&mut row[x * 4..][..4], values, weight, show);
            }
        });
}

/// The planes averaged down where the square is smaller than they are, so that nothing aliases.
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

/// Catmull-Rom values of `N` planes `[N, size, size]` at a place in 0..1; beyond the edge the edge's own.
fn sample<const N: usize>(planes: &[f32], size: usize, (u, v): (f32, f32)) -> [f32; N] {
    let (columns, across) = taps(u, size);
    let (rows, down) = taps(v, size);
    std::array::from_fn(|plane| {
        let plane = &planes[plane * size * size..][..size * size];
        let mut sum = 0.0;
        for (row, weight) in rows.iter().zip(down) {
            let line = &plane[row * size..][..size];
            let along: f32 = columns.iter().zip(across).map(|(x, w)| line[*x] * w).sum();
            sum += weight * along;
        }
        sum
    })
}

fn taps(place: f32, size: usize) -> ([usize; 4], [f32; 4]) {
    let at = place * size as f32 - 0.5;
    let first = at.floor();
    let t = at - first;
    let clamped = |k: i64| (first as i64 + k).clamp(0, size as i64 - 1) as usize;
    let weights = [
        t * (-0.5 + t * (1.0 - 0.5 * t)),
        1.0 + t * t * (-2.5 + 1.5 * t),
        t * (0.5 + t * (2.0 - 1.5 * t)),
        t * t * (-0.5 + 0.5 * t),
    ];
    ([clamped(-1), clamped(0), clamped(1), clamped(2)], weights)
}
