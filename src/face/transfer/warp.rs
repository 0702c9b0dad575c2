//! Applies a displacement field to the portrait's pixels.

use rayon::prelude::*;

use super::field::{CELL, Field};
use super::plane::ROUND_MAGIC;
use super::sample::{BATCH, Reader, TapBatch};
use crate::face::TurnedSquare;
use crate::media::image::Picture;
use crate::media::image::opaque::GREY;
use crate::nn::isa::{Isa, multiversion};

/// Minification up to which one sample per pixel is read; from the second value on, the samples cover the whole footprint
/// of the pixel.
const MINIFICATION_RAMP: (f32, f32) = (1.2, 1.5);

/// Maximum number of samples per pixel along each axis.
const MAX_SUBSAMPLES: f32 = 4.0;

/// The width of the blend between the generator's picture and the portrait, in pixels.
const SEAM: f32 = 2.0;

/// Warps the portrait into `picture`, which holds a copy of it. `bounds` are the portrait's left, top, right and bottom
/// edges in it: no pixel outside changes.
pub(super) fn moved(
    picture: &mut Picture,
    portrait: &Picture,
    place: &TurnedSquare,
    bounds: [f32; 4],
    field: &Field,
) {
    let reader = Reader::new(portrait);
    let isa = Isa::best();
    each_line(picture, place, (bounds, field.margin_share()), |line| {
        moved_line(isa, line, &reader, field, place);
    });
}

multiversion! {
    fn moved_line(line: Line, reader: &Reader, field: &Field, place: &TurnedSquare) {
        let Line { pixels, first, places } = line;
        for (block, pixels) in pixels.chunks_mut(BATCH).enumerate() {
            let x = first.0 + block * BATCH;
            let (u, v, inside) = places.batch(block * BATCH);
            let near = field.near(&u, &v);
            let mut fields = [[0.0f32; CELL]; BATCH];
            // The pixels that change, and of those the ones that need a single sample.
            let (mut changes, mut plain) = ([false; BATCH], [false; BATCH]);
            for i in 0..pixels.len() {
                let minification = field.minification(&near, i);
                if inside[i] && minification != [0.0; 2] {
                    fields[i] = field.between(&near, i);
                    changes[i] = fields[i] != [0.0; CELL];
                    plain[i] = changes[i] && minification[0].max(minification[1]) <= MINIFICATION_RAMP.0;
                }
            }
            if changes == [false; BATCH] {
                continue;
            }
            let mut warped = read_plain(reader, (x, first.1), &fields, &plain);
            for i in 0..BATCH {
                if changes[i] && !plain[i] {
                    let (at, minification) = ((x + i, first.1), field.minification(&near, i));
                    warped[i] = supersampled(reader, field, place, at, (u[i], v[i]), minification);
                }
            }
            if reader.clear {
                for (i, pixel) in pixels.iter_mut().enumerate().filter(|(i, _)| changes[*i]) {
                    write_clear(pixel, &warped[i], &fields[i]);
                }
            } else {
                write_opaque(pixels, &warped, &fields, &changes);
            }
        }
    }
}

/// Reads the portrait for a run of neighbouring pixels displaced by their fields, one sample per pixel.
#[inline(always)]
fn read_plain(
    reader: &Reader,
    (x, y): (usize, usize),
    fields: &[[f32; CELL]; BATCH],
    plain: &[bool; BATCH],
) -> [[f32; 4]; BATCH] {
    let (mut columns, mut dx, mut dy) = ([0i32; BATCH], [0.0f32; BATCH], [0.0f32; BATCH]);
    for i in 0..BATCH {
        columns[i] = (x + i) as i32;
        dx[i] = fields[i][0];
        dy[i] = fields[i][1];
    }
    let across = TapBatch::new(&columns, &dx);
    let down = TapBatch::new(&[y as i32; BATCH], &dy);
    reader.read_batch(&across, &down, plain)
}

/// Blends the paint over the warped pixels and writes bytes.
#[inline(always)]
fn write_opaque(
    pixels: &mut [[u8; 4]],
    warped: &[[f32; 4]; BATCH],
    fields: &[[f32; CELL]; BATCH],
    changes: &[bool; BATCH],
) {
    let mut bytes = [[0u8; 4]; BATCH];
    for i in 0..BATCH {
        let keep = 1.0 - fields[i][2].clamp(0.0, 1.0);
        for c in 0..4 {
            let color = keep * warped[i][c] + fields[i][3 + c];
            // Rounds to the nearest byte through the bits of the sum, which vectorises better than a saturating
            // conversion.
            bytes[i][c] = (color.clamp(0.0, 255.0) + ROUND_MAGIC).to_bits() as u8;
        }
    }
    for (i, pixel) in pixels.iter_mut().enumerate() {
        if changes[i] {
            *pixel = [bytes[i][0], bytes[i][1], bytes[i][2], pixel[3]];
        }
    }
}

/// The same where the portrait has transparency.
fn write_clear(pixel: &mut [u8; 4], warped: &[f32; 4], field: &[f32; CELL]) {
    let loss = field[2].clamp(0.0, 1.0);
    let cover = warped[3];
    // The network saw transparent areas over grey, and drew the grey; remove it, since the portrait shows nothing there.
    let grey = loss * (1.0 - cover) * GREY;
    let color = [0, 1, 2].map(|c| (1.0 - loss) * warped[c] + field[3 + c] - grey);
    write(pixel, color, cover, true);
}

/// Pastes the generator's picture into the crop.
pub(super) fn plain(picture: &mut Picture, place: &TurnedSquare, field: &Field) {
    let (side, clear) = (place.side as f32, picture.has_alpha());
    let bounds = [0.0, 0.0, f32::INFINITY, f32::INFINITY];
    each_line(
        picture,
        place,
        (bounds, 0.0),
        |Line { pixels, places, .. }| {
            for (i, pixel) in pixels.iter_mut().enumerate() {
                let Some((u, v)) = places.at(i) else {
                    continue;
                };
                let edge = u.min(1.0 - u).min(v).min(1.0 - v) * side;
                let open = (edge / SEAM).clamp(0.0, 1.0);
                let [_, _, weight, color @ ..] = field.at((u, v));
                let weight = weight * open;
                if weight == 0.0 {
                    continue;
                }
                let cover = if clear {
                    f32::from(pixel[3]) / 255.0
                } else {
                    1.0
                };
                let portrait_weight = (1.0 - weight) * cover;
                let color =
                    [0, 1, 2].map(|c| portrait_weight * f32::from(pixel[c]) + open * color[c]);
                write(pixel, color, portrait_weight + weight, clear);
            }
        },
    );
}

/// The pixels of a row that may be within reach of the crop.
struct Line<'a> {
    pixels: &'a mut [[u8; 4]],
    /// Column and row of the first pixel.
    first: (usize, usize),
    places: CropCoords,
}

/// Maps the pixels of a line to positions in the crop.
#[derive(Clone, Copy)]
struct CropCoords {
    start: (f64, f64),
    step: (f64, f64),
    /// How far around the crop positions count, as a share of its side.
    margin_share: f64,
}

impl CropCoords {
    /// Returns the position of pixel `i`'s centre, both coordinates in 0..1 inside the crop; `None` if out of reach.
    #[inline(always)]
    fn at(&self, i: usize) -> Option<(f32, f32)> {
        let (place, inside) = self.anywhere(i);
        inside.then_some(place)
    }

    /// The same for a run of pixels from `first` on, and which of them are within reach.
    #[inline(always)]
    fn batch(&self, first: usize) -> ([f32; BATCH], [f32; BATCH], [bool; BATCH]) {
        let (mut u, mut v, mut inside) = ([0.0; BATCH], [0.0; BATCH], [false; BATCH]);
        for i in 0..BATCH {
            ((u[i], v[i]), inside[i]) = self.anywhere(first + i);
        }
        (u, v, inside)
    }

    /// Returns the position of pixel `i`'s centre, and whether it is within reach.
    #[inline(always)]
    fn anywhere(&self, i: usize) -> ((f32, f32), bool) {
        let u = self.start.0 + i as f64 * self.step.0;
        let v = self.start.1 + i as f64 * self.step.1;
        let span = -self.margin_share..1.0 + self.margin_share;
        let inside = span.contains(&u) & span.contains(&v);
        ((u as f32, v as f32), inside)
    }
}

/// Calls `change` with every row of pixels within `bounds` (left, top, right and bottom) that may be in the crop or around
/// it, up to `margin_share` as a share of its side.
fn each_line(
    picture: &mut Picture,
    place: &TurnedSquare,
    (bounds, margin_share): ([f32; 4], f64),
    change: impl Fn(Line) + Sync,
) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    // The bounding box of the square.
    let half =
        place.side * (0.5 + margin_share) * (place.angle.sin().abs() + place.angle.cos().abs());
    let span = |middle: f64, axis: usize, length: usize| {
        let end = |v: f64| v.clamp(0.0, length as f64) as usize;
        // Pixels whose centres are inside.
        let [low, high] = [axis, axis + 2].map(|edge| (f64::from(bounds[edge]) - 0.5).ceil());
        let first = (middle - half).floor().max(low);
        (end(first), end((middle + half).ceil().min(high)))
    };
    let (left, right) = span(place.x, 0, width);
    let (top, bottom) = span(place.y, 1, height);
    let step = (
        place.angle.cos() / place.side,
        -place.angle.sin() / place.side,
    );
    picture
        .rgba_mut()
        .par_chunks_mut(width * 4)
        .enumerate()
        .take(bottom)
        .skip(top)
        .with_min_len(4)
        .for_each(|(y, row)| {
            let start = place.within((left as f64 + 0.5, y as f64 + 0.5));
            change(Line {
                pixels: &mut row.as_chunks_mut::<4>().0[left..right.max(left)],
                first: (left, y),
                places: CropCoords {
                    start,
                    step,
                    margin_share,
                },
            });
        });
}

/// Returns the mean of the portrait over a pixel's footprint, for minification.
#[inline(always)]
fn supersampled(
    reader: &Reader,
    field: &Field,
    place: &TurnedSquare,
    at: (usize, usize),
    (u, v): (f32, f32),
    minification: [f32; 2],
) -> [f32; 4] {
    // Per axis: minification is mostly along one axis.
    let places = minification.map(|minification| {
        if minification <= MINIFICATION_RAMP.0 {
            1.0
        } else {
            minification.ceil().clamp(2.0, MAX_SUBSAMPLES)
        }
    });
    let wide = minification.map(|minification| {
        ((minification - MINIFICATION_RAMP.0) / (MINIFICATION_RAMP.1 - MINIFICATION_RAMP.0))
            .clamp(0.0, 1.0)
    });
    let offset = |axis: usize, k: usize| ((k as f32 + 0.5) / places[axis] - 0.5) * wide[axis];
    let (cos, sin) = (place.angle.cos() as f32, place.angle.sin() as f32);
    let side = place.side as f32;
    let mut sum = [0.0f32; 4];
    for j in 0..places[1] as usize {
        for i in 0..places[0] as usize {
            let (x, y) = (offset(0, i), offset(1, j));
            let near = (
                u + (x * cos + y * sin) / side,
                v + (y * cos - x * sin) / side,
            );
            let [dx, dy, ..] = field.at(near);
            let read = reader.read(at, (x + dx, y + dy));
            for (sum, value) in sum.iter_mut().zip(read) {
                *sum += value;
            }
        }
    }
    sum.map(|value| value / (places[0] * places[1]))
}

/// Writes a colour in 0..=255, premultiplied by `cover` in 0..=1.
#[inline(always)]
fn write(pixel: &mut [u8; 4], color: [f32; 3], cover: f32, clear: bool) {
    // `as` saturates to 0..=255.
    let byte = |value: f32| (value + 0.5) as u8;
    if !clear {
        for (pixel, color) in pixel.iter_mut().zip(color) {
            *pixel = byte(color);
        }
        return;
    }
    pixel[3] = byte(255.0 * cover);
    // A fully transparent pixel keeps its colour.
    if pixel[3] > 0 {
        for (pixel, color) in pixel.iter_mut().zip(color) {
            *pixel = byte(color / cover);
        }
    }
}
