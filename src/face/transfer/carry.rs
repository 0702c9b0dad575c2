//! Every pixel of the portrait that the field reaches, as the field has it.

use rayon::prelude::*;

use super::field::{CELL, Field};
use super::plane::WHOLES;
use super::sample::{Reader, SOME, Starts};
use crate::face::TurnedSquare;
use crate::media::image::Picture;
use crate::media::image::opaque::GREY;
use crate::nn::isa::{Isa, multiversion};

/// The picture may be shown this much smaller before more than one place is read for a pixel; from the second on the
/// places are spread over all that the pixel covers.
const SHRUNK: (f32, f32) = (1.2, 1.5);

/// Places a side that are read for one pixel at most.
const MOST_PLACES: f32 = 4.0;

/// Pixels over which the generator's plain picture goes over into the portrait.
const SEAM: f32 = 2.0;

/// Moves the portrait's pixels into `picture`, which holds the same ones. `bounds` are the portrait's left, top, right and
/// bottom edges in it: no other pixel changes.
pub(super) fn moved(
    picture: &mut Picture,
    portrait: &Picture,
    place: &TurnedSquare,
    bounds: [f32; 4],
    field: &Field,
) {
    let reader = Reader::new(portrait);
    let isa = Isa::best();
    each_line(picture, place, (bounds, field.reach()), |line| {
        moved_line(isa, line, &reader, field, place);
    });
}

multiversion! {
    fn moved_line(line: Line, reader: &Reader, field: &Field, place: &TurnedSquare) {
        let Line { pixels, first, places } = line;
        for (block, pixels) in pixels.chunks_mut(SOME).enumerate() {
            let x = first.0 + block * SOME;
            let (u, v, inside) = places.some(block * SOME);
            let near = field.near(&u, &v);
            let mut fields = [[0.0f32; CELL]; SOME];
            // Those that change, and of them those for which one place is read.
            let (mut changes, mut plain) = ([false; SOME], [false; SOME]);
            for i in 0..pixels.len() {
                let shrink = field.shrink(&near, i);
                if inside[i] && shrink != [0.0; 2] {
                    fields[i] = field.between(&near, i);
                    changes[i] = fields[i] != [0.0; CELL];
                    plain[i] = changes[i] && shrink[0].max(shrink[1]) <= SHRUNK.0;
                }
            }
            if changes == [false; SOME] {
                continue;
            }
            let mut warped = read_plain(reader, (x, first.1), &fields, &plain);
            for i in 0..SOME {
                if changes[i] && !plain[i] {
                    let (at, shrink) = ((x + i, first.1), field.shrink(&near, i));
                    warped[i] = supersampled(reader, field, place, at, (u[i], v[i]), shrink);
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

/// The portrait under some pixels side by side as their fields move it, where one place is read for a pixel.
#[inline(always)]
fn read_plain(
    reader: &Reader,
    (x, y): (usize, usize),
    fields: &[[f32; CELL]; SOME],
    plain: &[bool; SOME],
) -> [[f32; 4]; SOME] {
    let (mut columns, mut dx, mut dy) = ([0i32; SOME], [0.0f32; SOME], [0.0f32; SOME]);
    for i in 0..SOME {
        columns[i] = (x + i) as i32;
        dx[i] = fields[i][0];
        dy[i] = fields[i][1];
    }
    let across = Starts::new(&columns, &dx);
    let down = Starts::new(&[y as i32; SOME], &dy);
    reader.read_some(&across, &down, plain)
}

/// What is painted over what was read, as bytes.
#[inline(always)]
fn write_opaque(
    pixels: &mut [[u8; 4]],
    warped: &[[f32; 4]; SOME],
    fields: &[[f32; CELL]; SOME],
    changes: &[bool; SOME],
) {
    let mut bytes = [[0u8; 4]; SOME];
    for i in 0..SOME {
        let keep = 1.0 - fields[i][2].clamp(0.0, 1.0);
        for c in 0..4 {
            let color = keep * warped[i][c] + fields[i][3 + c];
            // Its nearest byte, without a conversion, which has limits to look after.
            bytes[i][c] = (color.clamp(0.0, 255.0) + WHOLES).to_bits() as u8;
        }
    }
    for (i, pixel) in pixels.iter_mut().enumerate() {
        if changes[i] {
            *pixel = [bytes[i][0], bytes[i][1], bytes[i][2], pixel[3]];
        }
    }
}

/// The same where the portrait may be clear.
fn write_clear(pixel: &mut [u8; 4], warped: &[f32; 4], field: &[f32; CELL]) {
    let loss = field[2].clamp(0.0, 1.0);
    let cover = warped[3];
    // The network saw grey through what is clear, and drew it; the portrait shows nothing there.
    let grey = loss * (1.0 - cover) * GREY;
    let color = [0, 1, 2].map(|c| (1.0 - loss) * warped[c] + field[3 + c] - grey);
    write(pixel, color, cover, true);
}

/// Puts the generator's picture in the crop's place.
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
                let own = (1.0 - weight) * cover;
                let color = [0, 1, 2].map(|c| own * f32::from(pixel[c]) + open * color[c]);
                write(pixel, color, own + weight, clear);
            }
        },
    );
}

/// The pixels of a row of the picture that may lie within reach of the crop.
struct Line<'a> {
    pixels: &'a mut [[u8; 4]],
    /// Column and row of the first.
    first: (usize, usize),
    places: Places,
}

/// Where the pixels of a line lie in the crop.
#[derive(Clone, Copy)]
struct Places {
    start: (f64, f64),
    step: (f64, f64),
    /// How far around the crop places count, in shares of its side.
    reach: f64,
}

impl Places {
    /// The place of the middle of pixel `i`, both coordinates in 0..1 in the crop; nothing out of reach.
    #[inline(always)]
    fn at(&self, i: usize) -> Option<(f32, f32)> {
        let (place, inside) = self.anywhere(i);
        inside.then_some(place)
    }

    /// The same of some pixels from `first` on, and which of them lie within reach.
    #[inline(always)]
    fn some(&self, first: usize) -> ([f32; SOME], [f32; SOME], [bool; SOME]) {
        let (mut u, mut v, mut inside) = ([0.0; SOME], [0.0; SOME], [false; SOME]);
        for i in 0..SOME {
            ((u[i], v[i]), inside[i]) = self.anywhere(first + i);
        }
        (u, v, inside)
    }

    /// The place of the middle of pixel `i`, and whether it lies within reach.
    #[inline(always)]
    fn anywhere(&self, i: usize) -> ((f32, f32), bool) {
        let u = self.start.0 + i as f64 * self.step.0;
        let v = self.start.1 + i as f64 * self.step.1;
        let span = -self.reach..1.0 + self.reach;
        let inside = span.contains(&u) & span.contains(&v);
        ((u as f32, v as f32), inside)
    }
}

/// Calls `change` with every row of pixels within `bounds` (left, top, right and bottom) of which some may lie in the crop
/// or around it, as far as `reach` in shares of its side.
fn each_line(
    picture: &mut Picture,
    place: &TurnedSquare,
    (bounds, reach): ([f32; 4], f64),
    change: impl Fn(Line) + Sync,
) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    // The square's corners bound what has to be looked at.
    let half = place.side * (0.5 + reach) * (place.angle.sin().abs() + place.angle.cos().abs());
    let span = |middle: f64, axis: usize, length: usize| {
        let end = |v: f64| v.clamp(0.0, length as f64) as usize;
        // Those pixels whose middle lies within.
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
                places: Places { start, step, reach },
            });
        });
}

/// The mean over what the pixel covers of the portrait, where the picture is shown smaller.
#[inline(always)]
fn supersampled(
    reader: &Reader,
    field: &Field,
    place: &TurnedSquare,
    at: (usize, usize),
    (u, v): (f32, f32),
    shrink: [f32; 2],
) -> [f32; 4] {
    // Each axis for itself: what is squeezed is most often squeezed one way.
    let places = shrink.map(|shrink| {
        if shrink <= SHRUNK.0 {
            1.0
        } else {
            shrink.ceil().clamp(2.0, MOST_PLACES)
        }
    });
    let wide = shrink.map(|shrink| ((shrink - SHRUNK.0) / (SHRUNK.1 - SHRUNK.0)).clamp(0.0, 1.0));
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

/// Writes a colour in 0..=255 times `cover`, in 0..=1.
#[inline(always)]
fn write(pixel: &mut [u8; 4], color: [f32; 3], cover: f32, clear: bool) {
    // `as` brings what lies outside to 0 or 255.
    let byte = |value: f32| (value + 0.5) as u8;
    if !clear {
        for (pixel, color) in pixel.iter_mut().zip(color) {
            *pixel = byte(color);
        }
        return;
    }
    pixel[3] = byte(255.0 * cover);
    // What isn't seen keeps its colour: there is none to give it.
    if pixel[3] > 0 {
        for (pixel, color) in pixel.iter_mut().zip(color) {
            *pixel = byte(color / cover);
        }
    }
}
