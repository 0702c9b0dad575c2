//! Colours read from the portrait between its pixels.

use super::plane::{catmull_rom, split};
use crate::media::Picture;

/// The portrait, to read colours from.
pub(super) struct Reader<'a> {
    rgba: &'a [u8],
    width: usize,
    height: usize,
    /// Whether it may be transparent.
    pub clear: bool,
}

impl<'a> Reader<'a> {
    pub fn new(picture: &'a Picture) -> Self {
        Self {
            rgba: picture.rgba(),
            width: picture.width() as usize,
            height: picture.height() as usize,
            clear: picture.has_alpha(),
        }
    }

    /// The Catmull-Rom value at an offset from the middle of a pixel: red, green and blue in 0..=255 times alpha, and
    /// alpha in 0..=1. Weighing each pixel by its alpha keeps the colours of what isn't seen out of the picture. Beyond
    /// the edge the edge's own pixels. An offset of nothing gives the very pixel.
    #[inline(always)]
    pub fn read(&self, (x, y): (usize, usize), (dx, dy): (f32, f32)) -> [f32; 4] {
        let (left, across) = start(x, dx);
        let (top, down) = start(y, dy);
        let inside = |first: i64, length: usize| (0..=length as i64 - 4).contains(&first);
        let rows: [&[u8; 16]; 4];
        let gathered;
        if inside(left, self.width) && inside(top, self.height) {
            let at = (top as usize * self.width + left as usize) * 4;
            rows = [0, 1, 2, 3].map(|k| sixteen(&self.rgba[at + k * self.width * 4..]));
        } else {
            gathered = self.gathered(left, top);
            rows = gathered.each_ref();
        }
        if self.clear {
            // The filter's negative lobes may leave more colour than there is cover.
            let [red, green, blue, cover] = weighed::<true>(&rows, &across, &down);
            let cover = (cover / 255.0).clamp(0.0, 1.0);
            let color = |value: f32| value.clamp(0.0, 255.0 * cover);
            [color(red), color(green), color(blue), cover]
        } else {
            let [red, green, blue, _] = weighed::<false>(&rows, &across, &down);
            [red, green, blue, 1.0]
        }
    }

    /// Four rows of four pixels, some of which lie beyond the edge.
    #[cold]
    fn gathered(&self, left: i64, top: i64) -> [[u8; 16]; 4] {
        let near = |first: i64, k: usize, length: usize| {
            first.saturating_add(k as i64).clamp(0, length as i64 - 1) as usize
        };
        [0, 1, 2, 3].map(|row| {
            let start = near(top, row, self.height) * self.width;
            std::array::from_fn(|i| self.rgba[(start + near(left, i / 4, self.width)) * 4 + i % 4])
        })
    }
}

/// The first sixteen of at least as many bytes.
#[inline(always)]
fn sixteen(bytes: &[u8]) -> &[u8; 16] {
    const NONE: &[u8; 16] = &[0; 16];
    bytes.first_chunk().unwrap_or(NONE)
}

/// The weighted sum of sixteen pixels, each times its alpha if it may be clear; alpha in 0..=255.
///
/// Columns first: sixteen numbers side by side are what a CPU adds up fastest. Not inlined, since alpha that nobody asks
/// for would be left out, and three numbers side by side are slower than four.
#[inline(always)]
fn weighed<const CLEAR: bool>(
    rows: &[&[u8; 16]; 4],
    across: &[f32; 4],
    down: &[f32; 4],
) -> [f32; 4] {
    let mut columns = [0.0f32; 16];
    for (row, weight) in rows.iter().zip(down) {
        let mut values = row.map(f32::from);
        if CLEAR {
            for pixel in values.as_chunks_mut::<4>().0 {
                let cover = pixel[3] * (1.0 / 255.0);
                *pixel = [
                    pixel[0] * cover,
                    pixel[1] * cover,
                    pixel[2] * cover,
                    pixel[3],
                ];
            }
        }
        for (column, value) in columns.iter_mut().zip(values) {
            *column += value * weight;
        }
    }
    let mut sum = [0.0f32; 4];
    for (pixel, weight) in columns.as_chunks::<4>().0.iter().zip(across) {
        for (sum, value) in sum.iter_mut().zip(pixel) {
            *sum += value * weight;
        }
    }
    sum
}

/// The first of the four pixels about `at + offset`, and their weights. The whole pixels of the offset are counted as such,
/// so that a large picture's far end is read as finely as its beginning.
#[inline(always)]
fn start(at: usize, offset: f32) -> (i64, [f32; 4]) {
    // Farther than any picture is wide.
    let (whole, t) = split(offset.clamp(-1e8, 1e8));
    let first = (at as i64).saturating_add(whole).saturating_sub(1);
    (first, catmull_rom(t))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_is_read_between_its_pixels_and_beyond_its_edge() {
        let rgba = (0..20 * 10).flat_map(|i| [(i % 20) * 10, (i / 20) * 20, 7, 255]);
        let picture = Picture::new(20, 10, rgba.map(|v: i32| v as u8).collect()).unwrap();
        let reader = Reader::new(&picture);
        let near = |a: [f32; 4], b: [f32; 3]| {
            for c in 0..3 {
                assert!((a[c] - b[c]).abs() < 1e-3, "{a:?} {b:?}");
            }
        };
        near(reader.read((7, 4), (0.0, 0.0)), [70.0, 80.0, 7.0]);
        near(reader.read((7, 4), (1.5, -1.25)), [85.0, 55.0, 7.0]);
        near(reader.read((7, 4), (-900.0, 900.0)), [0.0, 180.0, 7.0]);
        near(reader.read((7, 4), (1e30, -1e30)), [190.0, 0.0, 7.0]);
    }

    #[test]
    fn what_is_not_seen_lends_no_colour() {
        // Red and covered on the left, green and clear on the right.
        let row = (0..8).flat_map(|x| {
            if x < 4 {
                [200, 0, 0, 255]
            } else {
                [0, 255, 0, 0]
            }
        });
        let picture = Picture::new(8, 1, row.collect()).unwrap();
        let [r, g, _, a] = Reader::new(&picture).read((3, 0), (0.5, 0.0));
        assert!((a - 0.5).abs() < 1e-3 && g == 0.0);
        assert!((r / a - 200.0).abs() < 0.1);
    }
}
