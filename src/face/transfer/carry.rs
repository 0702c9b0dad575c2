//! Every pixel of the portrait that lies in the crop, as the field has it.

use rayon::prelude::*;

use super::field::Field;
use super::sample::Reader;
use crate::face::TurnedSquare;
use crate::face::crop::BEHIND;
use crate::media::Picture;
use crate::nn::isa::{Isa, multiversion};

/// The picture may be shown this much smaller before more than one place is read for a pixel; from the second on the
/// places are spread over all that the pixel covers.
const SHRUNK: (f32, f32) = (1.2, 1.5);

/// Places a side that are read for one pixel at most.
const MOST_PLACES: f32 = 4.0;

/// Pixels over which the generator's plain picture goes over into the portrait.
const SEAM: f32 = 2.0;

/// Moves the portrait's pixels into `picture`, which holds the same ones.
pub(super) fn moved(
    picture: &mut Picture,
    portrait: &Picture,
    place: &TurnedSquare,
    field: &Field,
) {
    let reader = Reader::new(portrait);
    let isa = Isa::best();
    each_line(picture, place, |line| {
        moved_line(isa, line, &reader, field, place);
    });
}

multiversion! {
    fn moved_line(line: Line, reader: &Reader, field: &Field, place: &TurnedSquare) {
        let Line { pixels, first, .. } = line;
        for (i, pixel) in pixels.iter_mut().enumerate() {
            let Some((u, v)) = line.places.at(i) else {
                continue;
            };
            let at = (first.0 + i, first.1);
            let Some(shrink) = field.shrink((u, v)) else {
                continue;
            };
            let [dx, dy, loss, color @ ..] = field.at((u, v));
            if dx == 0.0 && dy == 0.0 && loss == 0.0 && color == [0.0; 5] {
                continue;
            }
            let warped = if shrink[0].max(shrink[1]) <= SHRUNK.0 {
                reader.read(at, (dx, dy))
            } else {
                spread(reader, field, place, at, (u, v), shrink)
            };
            let loss = loss.clamp(0.0, 1.0);
            let cover = warped[3];
            // The network saw grey through what is clear, and drew it; the portrait shows nothing there.
            let grey = loss * (1.0 - cover) * BEHIND;
            let color = [0, 1, 2].map(|c| (1.0 - loss) * warped[c] + color[c] - grey);
            write(pixel, color, cover, reader.clear);
        }
    }
}

/// Puts the generator's picture in the crop's place.
pub(super) fn plain(picture: &mut Picture, place: &TurnedSquare, field: &Field) {
    let (side, clear) = (place.side as f32, picture.has_alpha());
    each_line(picture, place, |Line { pixels, places, .. }| {
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
    });
}

/// The pixels of a row of the picture that the crop may reach.
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
}

impl Places {
    /// The place of the middle of pixel `i` in the crop, both coordinates in 0..1; nothing beside it.
    #[inline(always)]
    fn at(&self, i: usize) -> Option<(f32, f32)> {
        let (u, v) = (
            self.start.0 + i as f64 * self.step.0,
            self.start.1 + i as f64 * self.step.1,
        );
        let inside = (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v);
        inside.then_some((u as f32, v as f32))
    }
}

/// Calls `change` with every row of pixels of which some may lie in the crop.
fn each_line(picture: &mut Picture, place: &TurnedSquare, change: impl Fn(Line) + Sync) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    // The square's corners bound what has to be looked at.
    let reach = place.side * 0.5 * (place.angle.sin().abs() + place.angle.cos().abs());
    let span = |middle: f64, length: usize| {
        let end = |v: f64| v.clamp(0.0, length as f64) as usize;
        (end((middle - reach).floor()), end((middle + reach).ceil()))
    };
    let (left, right) = span(place.x, width);
    let (top, bottom) = span(place.y, height);
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
                places: Places { start, step },
            });
        });
}

/// The mean over what the pixel covers of the portrait, where the picture is shown smaller.
fn spread(
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
