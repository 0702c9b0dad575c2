//! A picture at its own size and halved again and again, and turned squares read from it.
//!
//! A network's small square of a large picture is read from the halved size just above its own scale, so that every pixel
//! counts and nothing aliases, whatever the portrait's size.

use std::sync::OnceLock;

use rayon::prelude::*;

use super::Square;
use super::crop::BEHIND;
use crate::media::image::Picture;

/// A square that may be turned: its middle and side in pixels of the picture, pixel `i` spanning `i..i + 1`, and the
/// angle by which its upper edge is turned, in radians, clockwise as seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TurnedSquare {
    pub x: f64,
    pub y: f64,
    pub side: f64,
    pub angle: f64,
}

impl From<Square> for TurnedSquare {
    fn from(square: Square) -> Self {
        Self {
            x: square.x + 0.5 * square.side,
            y: square.y + 0.5 * square.side,
            side: square.side,
            angle: 0.0,
        }
    }
}

impl TurnedSquare {
    /// The square before it was turned about its middle.
    pub fn unturned(&self) -> Square {
        Square {
            x: self.x - 0.5 * self.side,
            y: self.y - 0.5 * self.side,
            side: self.side,
        }
    }

    /// From the picture's coordinates to those within the square, 0..1 across and down inside it.
    pub fn within(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (sin, cos) = self.angle.sin_cos();
        let (dx, dy) = ((x - self.x) / self.side, (y - self.y) / self.side);
        (dx * cos + dy * sin + 0.5, dy * cos - dx * sin + 0.5)
    }

    /// From coordinates within the square, 0..1 across and down, to the picture's.
    pub fn to_picture(&self, (u, v): (f64, f64)) -> (f64, f64) {
        let (sin, cos) = self.angle.sin_cos();
        let (dx, dy) = ((u - 0.5) * self.side, (v - 0.5) * self.side);
        (self.x + dx * cos - dy * sin, self.y + dx * sin + dy * cos)
    }
}

/// What lies beyond the picture's edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beyond {
    Black,
    /// The edge's own pixels, repeated.
    Edge,
}

/// A picture and its halved sizes, each half of the one before and made when it is first read from.
pub struct Levels<'a> {
    picture: &'a Picture,
    halves: Vec<OnceLock<Half>>,
}

struct Half {
    width: usize,
    height: usize,
    /// `[height, width, 4]`; alpha is already over grey.
    rgba: Vec<u8>,
}

/// Halving stops where nothing is larger than what the networks see.
const SMALLEST: u32 = 128;

impl<'a> Levels<'a> {
    /// A picture that can be halved as often as a network may need.
    pub fn new(picture: &'a Picture) -> Self {
        let (mut width, mut height) = picture.size();
        let mut halves = Vec::new();
        while width.max(height) >= 2 * SMALLEST && width.min(height) >= 2 {
            (width, height) = (width / 2, height / 2);
            halves.push(OnceLock::new());
        }
        Self { picture, halves }
    }

    fn half(&self, index: usize) -> &Half {
        self.halves[index].get_or_init(|| match index.checked_sub(1) {
            None => {
                let size = (
                    self.picture.width() as usize,
                    self.picture.height() as usize,
                );
                halved(self.picture.rgba(), size, self.picture.has_alpha())
            }
            Some(before) => {
                let before = self.half(before);
                halved(&before.rgba, (before.width, before.height), false)
            }
        })
    }

    /// The picture itself.
    pub fn picture(&self) -> &Picture {
        self.picture
    }

    /// The square `region` as planar RGB `[3, size, size]`, 0..=255 mapped to `low..=high`, bilinear. `border` zeros
    /// (of `low..=high`'s scale) are left after the last row and column and `before` of them before the first.
    pub(super) fn read(
        &self,
        region: &TurnedSquare,
        size: usize,
        (low, high): (f32, f32),
        beyond: Beyond,
        (before, after): (usize, usize),
    ) -> Vec<f32> {
        // The level on which neighbouring samples lie one to two pixels apart.
        let scale = region.side / size as f64;
        let wanted = scale.max(1.0).log2().floor() as usize;
        let level = wanted.min(self.halves.len());
        let shrunk = 0.5f64.powi(level as i32);
        let (sin, cos) = region.angle.sin_cos();
        let step = (scale * cos * shrunk, scale * sin * shrunk);
        let (left, top) = region.to_picture((0.5 / size as f64, 0.5 / size as f64));
        let start = (left * shrunk - 0.5, top * shrunk - 0.5);
        let source = self.level(level, beyond);

        let pitch = size + before + after;
        let factor = (high - low) / 255.0;
        let mut out = vec![0.0; 3 * pitch * pitch];
        let (red, rest) = out.split_at_mut(pitch * pitch);
        let (green, blue) = rest.split_at_mut(pitch * pitch);
        red.par_chunks_mut(pitch)
            .zip(green.par_chunks_mut(pitch))
            .zip(blue.par_chunks_mut(pitch))
            .skip(before)
            .take(size)
            .enumerate()
            .with_min_len(16)
            .for_each(|(y, ((red, green), blue))| {
                let line = before..before + size;
                let (red, green) = (&mut red[line.clone()], &mut green[line.clone()]);
                let colors = red.iter_mut().zip(green).zip(&mut blue[line]);
                for (x, ((red, green), blue)) in colors.enumerate() {
                    let (x, y) = (x as f64, y as f64);
                    let rgb = source.bilinear((
                        start.0 + x * step.0 - y * step.1,
                        start.1 + x * step.1 + y * step.0,
                    ));
                    *red = rgb[0] * factor + low;
                    *green = rgb[1] * factor + low;
                    *blue = rgb[2] * factor + low;
                }
            });
        out
    }

    fn level(&self, level: usize, beyond: Beyond) -> Source<'_> {
        match level.checked_sub(1) {
            Some(index) => {
                let half = self.half(index);
                Source {
                    rgba: &half.rgba,
                    width: half.width,
                    height: half.height,
                    clear: false,
                    beyond,
                }
            }
            None => Source {
                rgba: self.picture.rgba(),
                width: self.picture.width() as usize,
                height: self.picture.height() as usize,
                clear: self.picture.has_alpha(),
                beyond,
            },
        }
    }
}

/// One of the sizes, to read colours from.
struct Source<'a> {
    rgba: &'a [u8],
    width: usize,
    height: usize,
    /// Whether it may be transparent.
    clear: bool,
    beyond: Beyond,
}

impl Source<'_> {
    /// The colour at an index (the middle of pixel `i` is `i`), in 0..=255.
    fn bilinear(&self, (x, y): (f64, f64)) -> [f32; 3] {
        // Without `floor`, which is a call on a CPU that isn't asked for more than the least.
        let down = |v: f64| v as i64 - i64::from(v < (v as i64) as f64);
        let (left, top) = (down(x), down(y));
        let (tx, ty) = ((x - left as f64) as f32, (y - top as f64) as f32);
        let pixels = if (0..self.width as i64 - 1).contains(&left)
            && (0..self.height as i64 - 1).contains(&top)
            && !self.clear
        {
            let at = (top as usize * self.width + left as usize) * 4;
            let (upper, lower) = (&self.rgba[at..], &self.rgba[at + self.width * 4..]);
            let opaque = |p: &[u8]| [f32::from(p[0]), f32::from(p[1]), f32::from(p[2])];
            let (upper, lower) = (&upper[..8], &lower[..8]);
            [
                opaque(upper),
                opaque(&upper[4..]),
                opaque(lower),
                opaque(&lower[4..]),
            ]
        } else {
            [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| self.at(left + dx, top + dy))
        };
        let [a, b, c, d] = pixels;
        std::array::from_fn(|i| {
            let upper = a[i] + (b[i] - a[i]) * tx;
            let lower = c[i] + (d[i] - c[i]) * tx;
            upper + (lower - upper) * ty
        })
    }

    fn at(&self, x: i64, y: i64) -> [f32; 3] {
        let (last_x, last_y) = (self.width as i64 - 1, self.height as i64 - 1);
        let inside = (0..=last_x).contains(&x) && (0..=last_y).contains(&y);
        if !inside && self.beyond == Beyond::Black {
            return [0.0; 3];
        }
        let (x, y) = (x.clamp(0, last_x) as usize, y.clamp(0, last_y) as usize);
        let at = pixel(self.rgba, self.width, x, y);
        let [r, g, b, _] = if self.clear {
            over_grey(at)
        } else {
            at.map(f32::from)
        };
        [r, g, b]
    }
}

fn pixel(rgba: &[u8], width: usize, x: usize, y: usize) -> [u8; 4] {
    let i = (y * width + x) * 4;
    [rgba[i], rgba[i + 1], rgba[i + 2], rgba[i + 3]]
}

fn over_grey([r, g, b, a]: [u8; 4]) -> [f32; 4] {
    let alpha = f32::from(a) / 255.0;
    let over = |v: u8| f32::from(v) * alpha + BEHIND * (1.0 - alpha);
    [over(r), over(g), over(b), 255.0]
}

/// Means of 2x2 pixels, each shown over grey where it is transparent; an odd row or column at the end is left out.
fn halved(rgba: &[u8], (width, height): (usize, usize), clear: bool) -> Half {
    let (w, h) = (width / 2, height / 2);
    let mut half = vec![0; w * h * 4];
    half.par_chunks_exact_mut(w * 4)
        .zip(rgba.par_chunks_exact(2 * width * 4))
        .with_min_len(32)
        .for_each(|(row, pair)| {
            let (upper, lower) = pair.split_at(width * 4);
            let blocks = upper.chunks_exact(8).zip(lower.chunks_exact(8));
            for (out, (upper, lower)) in row.as_chunks_mut::<4>().0.iter_mut().zip(blocks) {
                let (a, b) = upper.split_at(4);
                let (c, d) = lower.split_at(4);
                if clear {
                    let over = [a, b, c, d].map(|p| over_grey([p[0], p[1], p[2], p[3]]));
                    let sum = |i: usize| over.iter().map(|p| p[i]).sum::<f32>();
                    *out = std::array::from_fn(|i| (sum(i) * 0.25 + 0.5) as u8);
                } else {
                    let pair = |p: u8, q: u8| u16::from(p) + u16::from(q);
                    for i in 0..4 {
                        out[i] = ((pair(a[i], b[i]) + pair(c[i], d[i]) + 2) >> 2) as u8;
                    }
                }
            }
        });
    Half {
        width: w,
        height: h,
        rgba: half,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ramp(width: u32, height: u32) -> Picture {
        let rgba = (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| [(x / 2) as u8, (y / 2) as u8, 60, 255]))
            .collect();
        Picture::new(width, height, rgba).unwrap()
    }

    proptest! {
        #[test]
        fn any_square_of_a_ramp_is_the_ramp(
            x in 150f64..350.0, y in 150f64..350.0, side in 20f64..200.0, angle in -3.2f64..3.2,
        ) {
            let picture = ramp(500, 500);
            let levels = Levels::new(&picture);
            let region = TurnedSquare { x, y, side, angle };
            let size = 32;
            let out = levels.read(&region, size, (0.0, 255.0), Beyond::Edge, (0, 0));
            for (v, u) in [(0, 0), (5, 30), (31, 0), (16, 16)] {
                let place = |i: usize| (i as f64 + 0.5) / size as f64;
                let (px, py) = region.to_picture((place(u), place(v)));
                let red = f64::from(out[v * size + u]);
                let green = f64::from(out[size * size + v * size + u]);
                // Pixels are in steps of half a level, and each halving rounds.
                prop_assert!((red - (px / 2.0 - 0.5)).abs() < 1.3, "{red} {px}");
                prop_assert!((green - (py / 2.0 - 0.5)).abs() < 1.3, "{green} {py}");
            }
        }

        #[test]
        fn into_the_square_and_back(x in -50f64..50.0, y in -50f64..50.0, side in 1f64..90.0, angle in -4f64..4.0, u in -1f64..2.0, v in -1f64..2.0) {
            let square = TurnedSquare { x, y, side, angle };
            let (a, b) = square.within(square.to_picture((u, v)));
            prop_assert!((a - u).abs() < 1e-9 && (b - v).abs() < 1e-9);
        }

        #[test]
        fn a_square_beyond_the_picture_is_black_or_the_edge(x in -900f64..-400.0, angle in -3f64..3.0) {
            let picture = ramp(300, 200);
            let levels = Levels::new(&picture);
            let region = TurnedSquare { x, y: 90.0, side: 100.0, angle };
            let black = levels.read(&region, 8, (-1.0, 1.0), Beyond::Black, (0, 0));
            prop_assert!(black.iter().all(|v| *v == -1.0));
            let edge = levels.read(&region, 8, (0.0, 1.0), Beyond::Edge, (0, 0));
            prop_assert!(edge[..64].iter().all(|v| *v < 0.01));
        }
    }

    #[test]
    fn the_border_is_zero_and_goes_round() {
        let picture = ramp(300, 200);
        let region = TurnedSquare {
            x: 150.0,
            y: 100.0,
            side: 100.0,
            angle: 0.0,
        };
        let out = Levels::new(&picture).read(&region, 4, (1.0, 2.0), Beyond::Edge, (1, 2));
        assert_eq!(out.len(), 3 * 7 * 7);
        let zeros = out.iter().filter(|v| **v == 0.0).count();
        assert_eq!(zeros, 3 * (49 - 16));
        assert!(out[7 + 1] >= 1.0 && out[7] == 0.0 && out[7 + 5] == 0.0);
    }

    #[test]
    fn what_is_transparent_is_grey_at_every_size() {
        let clear = Picture::new(600, 600, [255, 0, 0, 0].repeat(360_000))
            .unwrap()
            .with_alpha(true);
        let levels = Levels::new(&clear);
        for side in [50.0, 600.0] {
            let region = TurnedSquare {
                x: 300.0,
                y: 300.0,
                side,
                angle: 0.0,
            };
            let out = levels.read(&region, 16, (0.0, 255.0), Beyond::Edge, (0, 0));
            assert!(out.iter().all(|v| (v - BEHIND).abs() <= 0.51), "{side}");
        }
    }
}
