//! Reads turned squares from a picture.
//!
//! A network's small input is read from the pyramid level just above its scale, so that every pixel contributes and
//! nothing aliases, whatever the portrait's resolution.

use std::borrow::Borrow;

use rayon::prelude::*;

use super::square::TurnedSquare;
use crate::media::image::opaque::over_grey;
use crate::media::image::{ImagePyramid, Picture};

/// How to extend the picture beyond its edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BorderMode {
    Black,
    /// Repeats the edge pixels.
    Edge,
}

impl<P: Borrow<Picture>> ImagePyramid<P> {
    /// Returns the square `region` as planar RGB `[3, side, side]` with `side = before + size + after`, bilinear, mapping
    /// 0..=255 to `low..=high`. `before` and `after` are the rows and columns of zeros that pad the square.
    pub(super) fn read(
        &self,
        region: &TurnedSquare,
        size: usize,
        (low, high): (f32, f32),
        border: BorderMode,
        (before, after): (usize, usize),
    ) -> Vec<f32> {
        // The level on which neighbouring samples are one to two pixels apart.
        let scale = region.side / size as f64;
        let wanted = scale.max(1.0).log2().floor() as usize;
        let (level, picture) = self.level(wanted);
        let shrunk = 0.5f64.powi(level as i32);
        let (sin, cos) = region.angle.sin_cos();
        let step = (scale * cos * shrunk, scale * sin * shrunk);
        let (left, top) = region.to_picture((0.5 / size as f64, 0.5 / size as f64));
        let start = (left * shrunk - 0.5, top * shrunk - 0.5);
        let source = Source {
            rgba: picture.rgba(),
            width: picture.width() as usize,
            height: picture.height() as usize,
            clear: picture.has_alpha(),
            border,
        };

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
}

/// One level of the pyramid, to read colours from.
struct Source<'a> {
    rgba: &'a [u8],
    width: usize,
    height: usize,
    /// Whether it has transparency.
    clear: bool,
    border: BorderMode,
}

impl Source<'_> {
    /// Returns the colour at a position where the centre of pixel `i` is `i`, in 0..=255.
    fn bilinear(&self, (x, y): (f64, f64)) -> [f32; 3] {
        // Not `floor`, which is a function call on baseline x86-64.
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
        if !inside && self.border == BorderMode::Black {
            return [0.0; 3];
        }
        let (x, y) = (x.clamp(0, last_x) as usize, y.clamp(0, last_y) as usize);
        let at = pixel(self.rgba, self.width, x, y);
        if self.clear {
            return over_grey(at);
        }
        let [r, g, b, _] = at.map(f32::from);
        [r, g, b]
    }
}

fn pixel(rgba: &[u8], width: usize, x: usize, y: usize) -> [u8; 4] {
    let i = (y * width + x) * 4;
    [rgba[i], rgba[i + 1], rgba[i + 2], rgba[i + 3]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::image::opaque::GREY;
    use proptest::prelude::*;

    fn ramp(width: u32, height: u32) -> Picture {
        let rgba = (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| [(x / 2) as u8, (y / 2) as u8, 60, 255]))
            .collect();
        Picture::new(width, height, rgba).unwrap()
    }

    proptest! {
        #[test]
        fn sampling_any_square_of_a_ramp_gives_the_ramp(
            x in 150f64..350.0, y in 150f64..350.0, side in 20f64..200.0, angle in -3.2f64..3.2,
        ) {
            let picture = ramp(500, 500);
            let pyramid = ImagePyramid::for_networks(&picture);
            let region = TurnedSquare { x, y, side, angle };
            let size = 32;
            let out = pyramid.read(&region, size, (0.0, 255.0), BorderMode::Edge, (0, 0));
            for (v, u) in [(0, 0), (5, 30), (31, 0), (16, 16)] {
                let place = |i: usize| (i as f64 + 0.5) / size as f64;
                let (px, py) = region.to_picture((place(u), place(v)));
                let red = f64::from(out[v * size + u]);
                let green = f64::from(out[size * size + v * size + u]);
                // Pixels are quantised to half a level, and each halving rounds.
                prop_assert!((red - (px / 2.0 - 0.5)).abs() < 1.3, "{red} {px}");
                prop_assert!((green - (py / 2.0 - 0.5)).abs() < 1.3, "{green} {py}");
            }
        }

        #[test]
        fn outside_the_image_samples_are_black_or_repeat_the_edge(x in -900f64..-400.0, angle in -3f64..3.0) {
            let picture = ramp(300, 200);
            let pyramid = ImagePyramid::for_networks(&picture);
            let region = TurnedSquare { x, y: 90.0, side: 100.0, angle };
            let black = pyramid.read(&region, 8, (-1.0, 1.0), BorderMode::Black, (0, 0));
            prop_assert!(black.iter().all(|v| *v == -1.0));
            let edge = pyramid.read(&region, 8, (0.0, 1.0), BorderMode::Edge, (0, 0));
            prop_assert!(edge[..64].iter().all(|v| *v < 0.01));
        }
    }

    #[test]
    fn the_padding_is_zero_on_every_side() {
        let picture = ramp(300, 200);
        let region = TurnedSquare {
            x: 150.0,
            y: 100.0,
            side: 100.0,
            angle: 0.0,
        };
        let out = ImagePyramid::for_networks(&picture).read(
            &region,
            4,
            (1.0, 2.0),
            BorderMode::Edge,
            (1, 2),
        );
        assert_eq!(out.len(), 3 * 7 * 7);
        let zeros = out.iter().filter(|v| **v == 0.0).count();
        assert_eq!(zeros, 3 * (49 - 16));
        assert!(out[7 + 1] >= 1.0 && out[7] == 0.0 && out[7 + 5] == 0.0);
    }

    #[test]
    fn transparent_pixels_become_grey_at_every_size() {
        let clear = Picture::new(600, 600, [255, 0, 0, 0].repeat(360_000))
            .unwrap()
            .with_alpha(true);
        let pyramid = ImagePyramid::for_networks(&clear);
        for side in [50.0, 600.0] {
            let region = TurnedSquare {
                x: 300.0,
                y: 300.0,
                side,
                angle: 0.0,
            };
            let out = pyramid.read(&region, 16, (0.0, 255.0), BorderMode::Edge, (0, 0));
            assert!(out.iter().all(|v| (v - GREY).abs() <= 0.51), "{side}");
        }
    }
}
