//! Float images, and the filters that the rig draws with.
//!
//! Pixel `(x, y)` spans `x..x + 1` and `y..y + 1`; its centre is at `(x + 0.5, y + 0.5)`. Reads beyond the edge are
//! clamped to the edge.

use rayon::prelude::*;

use crate::math::{catmull_rom, gaussian};

/// A pixel type: one or several numbers that can be blended.
pub(super) trait Sample: Copy + Default + Send + Sync {
    /// `self + other * factor`.
    fn plus(self, other: Self, factor: f32) -> Self;
}

impl Sample for f32 {
    #[inline(always)]
    fn plus(self, other: Self, factor: f32) -> Self {
        self + other * factor
    }
}

impl<const N: usize> Sample for [f32; N]
where
    [f32; N]: Default,
{
    #[inline(always)]
    fn plus(mut self, other: Self, factor: f32) -> Self {
        for (value, other) in self.iter_mut().zip(other) {
            *value += other * factor;
        }
        self
    }
}

/// Linear interpolation: `a` at `t` = 0, `b` at 1.
#[inline(always)]
pub(super) fn lerp<T: Sample>(a: T, b: T, t: f32) -> T {
    T::default().plus(a, 1.0 - t).plus(b, t)
}

/// Like [`f32::floor`], which is a library call on the x86-64 baseline.
#[inline(always)]
pub(super) fn floor(x: f32) -> f32 {
    let whole = x as i32 as f32;
    if whole > x { whole - 1.0 } else { whole }
}

/// Premultiplied colour: red, green and blue in 0..=255 times alpha, and alpha in 0..=1.
pub(super) type Rgba = [f32; 4];

/// Pixels in row-major order.
#[derive(Debug, Clone, Default)]
pub(super) struct Image<T> {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<T>,
}

impl<T: Sample> Image<T> {
    pub fn filled(width: usize, height: usize, value: T) -> Self {
        let pixels = vec![value; width * height];
        Self {
            width,
            height,
            pixels,
        }
    }

    /// Computes each pixel from its column and row.
    pub fn from_fn(width: usize, height: usize, f: impl Fn(usize, usize) -> T + Sync) -> Self {
        let mut image = Self::filled(width, height, T::default());
        image.for_rows(|y, row| {
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = f(x, y);
            }
        });
        image
    }

    /// Modifies every row, in parallel.
    pub fn for_rows(&mut self, f: impl Fn(usize, &mut [T]) + Sync) {
        let width = self.width.max(1);
        // A task needs some thousand pixels to be worthwhile.
        let rows = (4096 / width).max(1);
        self.pixels
            .par_chunks_mut(width * rows)
            .enumerate()
            .for_each(|(band, lines)| {
                for (i, row) in lines.chunks_mut(width).enumerate() {
                    f(band * rows + i, row);
                }
            });
    }

    pub fn map<U: Sample>(&self, f: impl Fn(T) -> U + Sync) -> Image<U> {
        Image::from_fn(self.width, self.height, |x, y| f(self.at(x, y)))
    }

    #[inline(always)]
    pub fn at(&self, x: usize, y: usize) -> T {
        self.pixels[y * self.width + x]
    }

    #[inline(always)]
    pub fn row(&self, y: usize) -> &[T] {
        &self.pixels[y * self.width..][..self.width]
    }

    /// The pixel, clamped to the edge.
    #[inline(always)]
    pub fn clamped(&self, x: isize, y: isize) -> T {
        let x = x.clamp(0, self.width as isize - 1) as usize;
        let y = y.clamp(0, self.height as isize - 1) as usize;
        self.at(x, y)
    }

    /// The section that starts at a pixel, which may be beyond the edge.
    pub fn part(&self, (left, top): (isize, isize), width: usize, height: usize) -> Self {
        Self::from_fn(width, height, |x, y| {
            self.clamped(left + x as isize, top + y as isize)
        })
    }

    /// The bilinear value at a point.
    #[inline]
    pub fn linear(&self, x: f32, y: f32) -> T {
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (floor(x), floor(y));
        let (tx, ty) = (x - left, y - top);
        let (left, top) = (left as isize, top as isize);
        let row = |y| lerp(self.clamped(left, y), self.clamped(left + 1, y), tx);
        lerp(row(top), row(top + 1), ty)
    }

    /// The Catmull-Rom value at a point.
    pub fn cubic(&self, x: f32, y: f32) -> T {
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (floor(x), floor(y));
        let (wx, wy) = (catmull_rom(x - left), catmull_rom(y - top));
        let (left, top) = (left as isize - 1, top as isize - 1);
        let inside = left >= 0
            && top >= 0
            && left + 4 <= self.width as isize
            && top + 4 <= self.height as isize;
        let mut sum = T::default();
        for (j, wy) in wy.into_iter().enumerate() {
            let mut line = T::default();
            let y = top + j as isize;
            if inside {
                let at = y as usize * self.width + left as usize;
                let pixels = &self.pixels[at..at + 4];
                for (pixel, w) in pixels.iter().zip(wx) {
                    line = line.plus(*pixel, w);
                }
            } else {
                for (i, w) in wx.into_iter().enumerate() {
                    line = line.plus(self.clamped(left + i as isize, y), w);
                }
            }
            sum = sum.plus(line, wy);
        }
        sum
    }

    /// A Gaussian blur; a `sigma` below 0.2 pixels has no effect.
    pub fn blurred(&self, sigma: f32) -> Self {
        if sigma < 0.2 || self.pixels.is_empty() {
            return self.clone();
        }
        // A wide blur is done at half the size.
        if sigma > 4.0 && self.width.min(self.height) > 8 {
            let half = self.halved();
            // Halving and upsampling add some blur themselves.
            let rest = (sigma * sigma / 4.0 - 0.25).max(0.04).sqrt();
            return half.blurred(rest).stretched(self.width, self.height);
        }
        let weights = gaussian(f64::from(sigma));
        let radius = weights.len() as isize - 1;
        let mut across = Self::filled(self.width, self.height, T::default());
        across.for_rows(|y, line| {
            let row = self.row(y);
            let last = row.len() as isize - 1;
            for (x, to) in line.iter_mut().enumerate() {
                let x = x as isize;
                let mut sum = T::default().plus(row[x as usize], weights[0]);
                if x >= radius && x + radius <= last {
                    let x = x as usize;
                    for (i, w) in weights.iter().enumerate().skip(1) {
                        sum = sum.plus(row[x - i], *w).plus(row[x + i], *w);
                    }
                } else {
                    for (i, w) in weights.iter().enumerate().skip(1) {
                        let i = i as isize;
                        let (a, b) = ((x - i).max(0), (x + i).min(last));
                        sum = sum.plus(row[a as usize], *w).plus(row[b as usize], *w);
                    }
                }
                *to = sum;
            }
        });
        let mut down = Self::filled(self.width, self.height, T::default());
        let last = self.height as isize - 1;
        down.for_rows(|y, line| {
            for (i, w) in weights.iter().enumerate() {
                let i = i as isize;
                let above = across.row((y as isize - i).max(0) as usize);
                for (to, from) in line.iter_mut().zip(above) {
                    *to = to.plus(*from, *w);
                }
                if i > 0 {
                    let below = across.row((y as isize + i).min(last) as usize);
                    for (to, from) in line.iter_mut().zip(below) {
                        *to = to.plus(*from, *w);
                    }
                }
            }
        });
        down
    }

    /// Half the size, each pixel the mean of four; at an odd edge the last pixels are repeated.
    pub fn halved(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        Self::from_fn(width, height, |x, y| {
            let (right, below) = (
                (2 * x + 1).min(self.width - 1),
                (2 * y + 1).min(self.height - 1),
            );
            T::default()
                .plus(self.at(2 * x, 2 * y), 0.25)
                .plus(self.at(right, 2 * y), 0.25)
                .plus(self.at(2 * x, below), 0.25)
                .plus(self.at(right, below), 0.25)
        })
    }

    /// Upsamples the result of [`Image::halved`] bilinearly to a given size.
    pub fn stretched(&self, width: usize, height: usize) -> Self {
        Self::from_fn(width, height, |x, y| {
            self.linear((x as f32 + 0.5) * 0.5, (y as f32 + 0.5) * 0.5)
        })
    }

    /// Fills pixels where `weight` is 0 smoothly from their surroundings (Gortler et al. 1996, "The Lumigraph",
    /// pull-push).
    pub fn pull_push(&self, weight: &Image<f32>) -> Self {
        let pre = |image: &Self, weight: &Image<f32>| {
            Image::from_fn(image.width, image.height, |x, y| {
                T::default().plus(image.at(x, y), weight.at(x, y))
            })
        };
        fn push<T: Sample>(sum: &Image<T>, weight: &Image<f32>) -> Image<T> {
            if sum.width.min(sum.height) <= 2 {
                let total: f32 = weight.pixels.iter().sum();
                let all = sum.pixels.iter().fold(T::default(), |a, b| a.plus(*b, 1.0));
                let mean = T::default().plus(all, 1.0 / total.max(1e-4));
                return Image::filled(sum.width, sum.height, mean);
            }
            let coarse = push(&sum.halved(), &weight.halved());
            Image::from_fn(sum.width, sum.height, |x, y| {
                let w = weight.at(x, y);
                let known = (4.0 * w).clamp(0.0, 1.0);
                let known_value = T::default().plus(sum.at(x, y), 1.0 / (w + 1e-6));
                if known == 1.0 {
                    return known_value;
                }
                let filled = coarse.linear((x as f32 + 0.5) * 0.5, (y as f32 + 0.5) * 0.5);
                lerp(filled, known_value, known)
            })
        }
        push(&pre(self, weight), weight)
    }
}

impl Image<f32> {
    /// The distance of each pixel to the nearest one below 0.5, in pixels; larger than any image if no pixel is (exact;
    /// Felzenszwalb & Huttenlocher 2012, "Distance Transforms of Sampled Functions").
    pub fn distance_to_outside(&self) -> Self {
        const FAR: f32 = 1e12;
        let (width, height) = (self.width, self.height);
        // Along columns: the distance to the next zero above or below.
        let mut down = Image::filled(width, height, FAR);
        let mut open = vec![FAR; width];
        let mut step = |y: usize, down: &mut Image<f32>| {
            let row = &self.pixels[y * width..][..width];
            let to = &mut down.pixels[y * width..][..width];
            for ((open, inside), to) in open.iter_mut().zip(row).zip(to) {
                *open = if *inside >= 0.5 { *open + 1.0 } else { 0.0 };
                *to = to.min(*open);
            }
        };
        for y in 0..height {
            step(y, &mut down);
        }
        let mut open = vec![FAR; width];
        for y in (0..height).rev() {
            let row = &self.pixels[y * width..][..width];
            let to = &mut down.pixels[y * width..][..width];
            for ((open, inside), to) in open.iter_mut().zip(row).zip(to) {
                *open = if *inside >= 0.5 { *open + 1.0 } else { 0.0 };
                *to = to.min(*open);
            }
        }
        let mut out = Image::filled(width, height, 0.0);
        out.for_rows(|y, to| lower_envelope(down.row(y), to));
        out
    }

    /// 1 where every pixel within `radius` is at least 0.5, else 0.
    pub fn eroded(&self, radius: f32) -> Self {
        let distance = self.distance_to_outside();
        distance.map(|d| if d > radius { 1.0 } else { 0.0 })
    }

    /// 1 where some pixel within `radius` is at least 0.5, else 0.
    pub fn dilated(&self, radius: f32) -> Self {
        let outside = self.map(|v| if v >= 0.5 { 0.0 } else { 1.0 });
        let distance = outside.distance_to_outside();
        distance.map(|d| if d <= radius { 1.0 } else { 0.0 })
    }
}

/// One row of the distance transform, from the distances along columns.
fn lower_envelope(columns: &[f32], to: &mut [f32]) {
    let n = columns.len();
    let height = |i: usize| columns[i].min(1e6) * columns[i].min(1e6);
    let (mut parabolas, mut from) = (Vec::<usize>::with_capacity(n), Vec::with_capacity(n));
    for q in 0..n {
        let mut start = f32::NEG_INFINITY;
        while let Some(&p) = parabolas.last() {
            let (a, b) = (p as f32, q as f32);
            start = ((height(q) + b * b) - (height(p) + a * a)) / (2.0 * (b - a));
            if start > *from.last().unwrap_or(&f32::NEG_INFINITY) {
                break;
            }
            parabolas.pop();
            from.pop();
            start = f32::NEG_INFINITY;
        }
        parabolas.push(q);
        from.push(start);
    }
    let mut k = 0;
    for (x, to) in to.iter_mut().enumerate() {
        while k + 1 < parabolas.len() && from[k + 1] <= x as f32 {
            k += 1;
        }
        let away = x as f32 - parabolas[k] as f32;
        *to = (away * away + height(parabolas[k])).sqrt();
    }
}

/// The fraction of each pixel that a polygon covers, in 0..=1, with the even-odd rule.
pub(super) fn coverage(polygon: &[[f32; 2]], width: usize, height: usize) -> Image<f32> {
    /// Scanlines per pixel.
    const LINES: usize = 4;
    let mut image = Image::filled(width, height, 0.0);
    image.for_rows(|y, row| {
        let mut crossings = Vec::new();
        for line in 0..LINES {
            let at = y as f32 + (line as f32 + 0.5) / LINES as f32;
            crossings.clear();
            for (i, &[ax, ay]) in polygon.iter().enumerate() {
                let [bx, by] = polygon[(i + 1) % polygon.len()];
                if (ay <= at) != (by <= at) {
                    crossings.push(ax + (at - ay) / (by - ay) * (bx - ax));
                }
            }
            crossings.sort_by(f32::total_cmp);
            for pair in crossings.chunks_exact(2) {
                let left = pair[0].clamp(0.0, width as f32);
                let right = pair[1].clamp(0.0, width as f32);
                let (first, last) = (left as usize, (right.ceil() as usize).min(width));
                for (x, pixel) in row.iter_mut().enumerate().take(last).skip(first) {
                    let x = x as f32;
                    let covered = right.min(x + 1.0) - left.max(x);
                    *pixel += covered.max(0.0) / LINES as f32;
                }
            }
        }
    });
    image
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ramp(width: usize, height: usize) -> Image<f32> {
        Image::from_fn(width, height, |x, y| {
            x as f32 + 0.5 + 2.0 * (y as f32 + 0.5)
        })
    }

    proptest! {
        #[test]
        fn every_kernel_samples_a_ramp_exactly(x in 5f32..15.0, y in 5f32..15.0) {
            let ramp = ramp(20, 20);
            let wanted = x + 2.0 * y;
            prop_assert!((ramp.linear(x, y) - wanted).abs() < 1e-3);
            prop_assert!((ramp.cubic(x, y) - wanted).abs() < 1e-3);
        }

        #[test]
        fn the_distance_transform_agrees_with_a_search(bits in prop::collection::vec(any::<bool>(), 12 * 9)) {
            let image = Image::from_fn(12, 9, |x, y| if bits[y * 12 + x] { 1.0 } else { 0.0 });
            prop_assume!(bits.iter().any(|inside| !inside));
            let got = image.distance_to_outside();
            for y in 0..9i32 {
                for x in 0..12i32 {
                    let wanted = (0..108)
                        .filter(|i| !bits[*i as usize])
                        .map(|i| f32::hypot((i % 12 - x) as f32, (i / 12 - y) as f32))
                        .fold(f32::INFINITY, f32::min);
                    prop_assert!((got.at(x as usize, y as usize) - wanted).abs() < 1e-3);
                }
            }
        }

        #[test]
        fn coverage_sums_to_the_area_of_the_polygon(a in 2f32..6.0, b in 2f32..6.0, w in 1f32..8.0, h in 1f32..8.0) {
            let box_ = [[a, b], [a + w, b], [a + w, b + h], [a, b + h]];
            let total: f32 = coverage(&box_, 16, 16).pixels.iter().sum();
            // Horizontal edges are rounded to scanlines, a quarter of a pixel apart.
            prop_assert!((total - w * h).abs() < 0.26 * w + 0.01);
        }
    }

    #[test]
    fn sampling_at_a_pixel_centre_gives_the_pixel() {
        let image = Image::from_fn(9, 9, |x, y| ((x * 7 + y * 13) % 11) as f32);
        for (x, y) in [(4, 4), (0, 0), (8, 3)] {
            let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
            assert_eq!(image.linear(px, py), image.at(x, y));
            assert_eq!(image.cubic(px, py), image.at(x, y));
        }
    }

    #[test]
    fn a_blur_keeps_the_sum_and_has_the_requested_sigma() {
        for sigma in [0.7, 2.0, 3.9, 6.0, 11.0] {
            let mut dot = Image::filled(129, 129, 0.0);
            dot.pixels[64 * 129 + 64] = 1.0;
            let blurred = dot.blurred(sigma);
            let total: f32 = blurred.pixels.iter().sum();
            assert!((total - 1.0).abs() < 0.02, "{sigma}: {total}");
            let spread: f32 = (0..129 * 129)
                .map(|i| ((i % 129) as f32 - 64.0).powi(2) * blurred.pixels[i])
                .sum();
            assert!(
                (spread.sqrt() / sigma - 1.0).abs() < 0.1,
                "{sigma}: {}",
                spread.sqrt()
            );
        }
    }

    #[test]
    fn a_hole_is_filled_from_its_surroundings() {
        let ramp = ramp(32, 32);
        let weight = Image::from_fn(32, 32, |x, y| {
            let hole = (10..20).contains(&x) && (10..20).contains(&y);
            if hole { 0.0 } else { 1.0 }
        });
        let spoilt = Image::from_fn(32, 32, |x, y| {
            if weight.at(x, y) == 0.0 {
                -999.0
            } else {
                ramp.at(x, y)
            }
        });
        let filled = spoilt.pull_push(&weight);
        assert!((filled.at(5, 5) - ramp.at(5, 5)).abs() < 1e-3);
        assert!((filled.at(15, 15) - ramp.at(15, 15)).abs() < 8.0);
    }
}
