//! A picture at its own size and halved again and again, and turned squares read from it.
//!
//! A network's small square of a large picture is read from the halved size just above its own scale, so that every pixel
//! counts and nothing aliases, whatever the portrait's size.

use rayon::prelude::*;

use super::crop::BEHIND;
use crate::media::Picture;

/// A square that may be turned: its middle and side in pixels of the picture, pixel `i` spanning `i..i + 1`, and the
/// angle by which its upper edge is turned, in radians, clockwise as seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    pub x: f64,
    pub y: f64,
    pub side: f64,
    pub angle: f64,
}

impl Region {
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

/// A picture and its halved sizes, each half of the one before.
pub struct Levels<'a> {
    picture: &'a Picture,
    halves: Vec<Half>,
}

struct Half {
    width: usize,
    height: usize,
    /// `[height, width, 4]`; alpha is already over grey.
    rgba: Vec<u8>,
}

/// Halving stops where nothing is larger than what the networks see.
const SMALLEST: usize = 128;

impl<'a> Levels<'a> {
    /// Halves the picture as often as a network can need.
    pub fn new(picture: &'a Picture) -> Self {
        let mut halves: Vec<Half> = Vec::new();
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let opaque = !picture.has_alpha();
        let mut size = (width, height);
        while size.0.max(size.1) >= 2 * SMALLEST && size.0.min(size.1) >= 2 {
            let next = match halves.last() {
                None if opaque => halved(size, |x, y| pixel(picture.rgba(), width, x, y)),
                None => halved(size, |x, y| over_grey(pixel(picture.rgba(), width, x, y))),
                Some(half) => halved(size, |x, y| pixel(&half.rgba, half.width, x, y)),
            };
            size = (next.width, next.height);
            halves.push(next);
        }
        Self { picture, halves }
    }

    /// The picture itself.
    pub fn picture(&self) -> &Picture {
        self.picture
    }

    /// The square `region` as planar RGB `[3, size, size]`, 0..=255 mapped to `low..=high`, bilinear. `border` zeros
    /// (of `low..=high`'s scale) are left after the last row and column and `before` of them before the first.
    pub(super) fn read(
        &self,
        region: &Region,
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

        let pitch = size + before + after;
        let factor = (high - low) / 255.0;
        let mut out = vec![0.0; 3 * pitch * pitch];
        let (red, rest) = out.split_at_mut(pitch * pitch);
        let (green, blue) = rest.split_at_mut(pitch * pitch);
        let line = |y: usize, red: &mut [f32], green: &mut [f32], blue: &mut [f32]| {
            for x in 0..size {
                let at = (
                    start.0 + x as f64 * step.0 - y as f64 * step.1,
                    start.1 + x as f64 * step.1 + y as f64 * step.0,
                );
                let rgb = self.bilinear(level, at, beyond);
                red[x] = rgb[0] * factor + low;
                green[x] = rgb[1] * factor + low;
                blue[x] = rgb[2] * factor + low;
            }
        };
        red.par_chunks_mut(pitch)
            .zip(green.par_chunks_mut(pitch))
            .zip(blue.par_chunks_mut(pitch))
            .skip(before)
            .take(size)
            .enumerate()
            .with_min_len(16)
            .for_each(|(y, ((red, green), blue))| {
                line(
                    y,
                    &mut red[before..],
                    &mut green[before..],
                    &mut blue[before..],
                );
            });
        out
    }

    /// The colour at an index of a level (the middle of pixel `i` is `i`), in 0..=255.
    fn bilinear(&self, level: usize, (x, y): (f64, f64), beyond: Beyond) -> [f32; 3] {
        let (fx, fy) = (x.floor(), y.floor());
        let (tx, ty) = ((x - fx) as f32, (y - fy) as f32);
        let (x, y) = (fx as i64, fy as i64);
        let mut sum = [0.0; 3];
        for (dx, dy, weight) in [
            (0, 0, (1.0 - tx) * (1.0 - ty)),
            (1, 0, tx * (1.0 - ty)),
            (0, 1, (1.0 - tx) * ty),
            (1, 1, tx * ty),
        ] {
            let color = self.at(level, x + dx, y + dy, beyond);
            for (sum, value) in sum.iter_mut().zip(color) {
                *sum += weight * value;
            }
        }
        sum
    }

    fn at(&self, level: usize, x: i64, y: i64, beyond: Beyond) -> [f32; 3] {
        let (rgba, width, height) = match level.checked_sub(1).and_then(|i| self.halves.get(i)) {
            Some(half) => (&half.rgba[..], half.width, half.height),
            None => (
                self.picture.rgba(),
                self.picture.width() as usize,
                self.picture.height() as usize,
            ),
        };
        let (last_x, last_y) = (width as i64 - 1, height as i64 - 1);
        let inside = (0..=last_x).contains(&x) && (0..=last_y).contains(&y);
        if !inside && beyond == Beyond::Black {
            return [0.0; 3];
        }
        let at = pixel(
            rgba,
            width,
            x.clamp(0, last_x) as usize,
            y.clamp(0, last_y) as usize,
        );
        let [r, g, b, _] = match level {
            0 if self.picture.has_alpha() => over_grey(at),
            _ => at.map(f32::from),
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

/// Means of 2x2 pixels; an odd row or column at the end is left out.
fn halved<T: Into<f32>>(
    (width, height): (usize, usize),
    at: impl Fn(usize, usize) -> [T; 4] + Sync,
) -> Half {
    let (w, h) = (width / 2, height / 2);
    let mut rgba = vec![0; w * h * 4];
    rgba.par_chunks_exact_mut(w * 4)
        .enumerate()
        .for_each(|(y, row)| {
            for (x, out) in row.chunks_exact_mut(4).enumerate() {
                let mut sum = [0.0f32; 4];
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    for (sum, v) in sum.iter_mut().zip(at(2 * x + dx, 2 * y + dy)) {
                        *sum += v.into();
                    }
                }
                for (out, sum) in out.iter_mut().zip(sum) {
                    *out = (sum * 0.25 + 0.5) as u8;
                }
            }
        });
    Half {
        width: w,
        height: h,
        rgba,
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
            let region = Region { x, y, side, angle };
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
        fn a_square_beyond_the_picture_is_black_or_the_edge(x in -900f64..-400.0, angle in -3f64..3.0) {
            let picture = ramp(300, 200);
            let levels = Levels::new(&picture);
            let region = Region { x, y: 90.0, side: 100.0, angle };
            let black = levels.read(&region, 8, (-1.0, 1.0), Beyond::Black, (0, 0));
            prop_assert!(black.iter().all(|v| *v == -1.0));
            let edge = levels.read(&region, 8, (0.0, 1.0), Beyond::Edge, (0, 0));
            prop_assert!(edge[..64].iter().all(|v| *v < 0.01));
        }
    }

    #[test]
    fn the_border_is_zero_and_goes_round() {
        let picture = ramp(300, 200);
        let region = Region {
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
            let region = Region {
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
