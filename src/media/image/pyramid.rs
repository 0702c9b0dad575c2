//! An image pyramid: a picture and its repeatedly halved sizes, for quick small views without aliasing.

use std::borrow::Borrow;
use std::sync::OnceLock;

use fast_image_resize::FilterType;
use rayon::prelude::*;

use super::Picture;
use super::opaque::over_grey;
use super::resample::resampled;

/// A picture and its levels, each half the size of the one before and computed when first read.
pub struct ImagePyramid<P> {
    picture: P,
    halves: Vec<OnceLock<Option<Picture>>>,
    halve: fn(&Picture) -> Option<Picture>,
}

/// The longer side of the smallest level for networks is at least this.
const SMALLEST_FOR_NETWORKS: u32 = 128;

/// Levels for display stop once both sides have at most this many pixels.
const SMALLEST_FOR_DISPLAY: u32 = 1024;

impl<P: Borrow<Picture>> ImagePyramid<P> {
    /// A pyramid for network inputs. Levels are opaque, composited over the grey that networks get for transparent
    /// pixels, and drop an odd last row or column.
    pub fn for_networks(picture: P) -> Self {
        let (mut width, mut height) = picture.borrow().size();
        let mut halves = Vec::new();
        while width.max(height) >= 2 * SMALLEST_FOR_NETWORKS && width.min(height) >= 2 {
            (width, height) = (width / 2, height / 2);
            halves.push(OnceLock::new());
        }
        Self {
            picture,
            halves,
            halve: opaque_half,
        }
    }

    /// A pyramid for display. Levels keep their alpha and include an odd last row or column.
    pub fn for_display(picture: P) -> Self {
        let (mut width, mut height) = picture.borrow().size();
        let mut halves = Vec::new();
        while width.max(height) > SMALLEST_FOR_DISPLAY {
            (width, height) = (width / 2, height / 2);
            halves.push(OnceLock::new());
        }
        Self {
            picture,
            halves,
            halve: filtered_half,
        }
    }

    /// The full-size picture.
    pub fn picture(&self) -> &Picture {
        self.picture.borrow()
    }

    /// The picture halved `wanted` times, or as often as possible, with the number of halvings.
    pub fn level(&self, wanted: usize) -> (usize, &Picture) {
        let deepest = wanted.min(self.halves.len());
        (1..=deepest)
            .rev()
            .find_map(|level| Some((level, self.half(level - 1)?)))
            .unwrap_or((0, self.picture()))
    }

    fn half(&self, index: usize) -> Option<&Picture> {
        let half = self.halves[index].get_or_init(|| {
            let above = match index.checked_sub(1) {
                Some(above) => self.half(above)?,
                None => self.picture(),
            };
            (self.halve)(above)
        });
        half.as_ref()
    }
}

/// Box filter over the whole picture, with premultiplied alpha.
fn filtered_half(picture: &Picture) -> Option<Picture> {
    let (width, height) = picture.size();
    let whole = (0.0, 0.0, f64::from(width), f64::from(height));
    let size = ((width / 2).max(1), (height / 2).max(1));
    resampled(picture, whole, size, FilterType::Box)
}

/// Means of 2x2 pixels, rounded once, composited over grey where transparent.
fn opaque_half(picture: &Picture) -> Option<Picture> {
    let (width, clear) = (picture.width() as usize, picture.has_alpha());
    let (w, h) = (width / 2, picture.height() as usize / 2);
    let mut half = vec![0; w * h * 4];
    half.par_chunks_exact_mut(w * 4)
        .zip(picture.rgba().par_chunks_exact(2 * width * 4))
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
                    let [r, g, b] = [0, 1, 2].map(|i| (sum(i) * 0.25 + 0.5) as u8);
                    *out = [r, g, b, 255];
                } else {
                    let pair = |p: u8, q: u8| u16::from(p) + u16::from(q);
                    for i in 0..4 {
                        out[i] = ((pair(a[i], b[i]) + pair(c[i], d[i]) + 2) >> 2) as u8;
                    }
                }
            }
        });
    let half = Picture::new(w as u32, h as u32, half).ok()?;
    Some(half.with_alpha(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corner(picture: &Picture) -> [u8; 4] {
        picture.rgba()[..4].try_into().unwrap()
    }

    #[test]
    fn sizes_halve_until_they_are_small_enough() {
        let picture = Picture::new(1501, 700, [9, 99, 199, 255].repeat(1501 * 700)).unwrap();
        let pyramid = ImagePyramid::for_networks(&picture);
        let sizes: Vec<_> = (0..9).map(|i| pyramid.level(i).1.size()).collect();
        assert_eq!(sizes[..4], [(1501, 700), (750, 350), (375, 175), (187, 87)]);
        assert_eq!(pyramid.level(9).0, 3);
        let pyramid = ImagePyramid::for_display(&picture);
        assert_eq!(pyramid.level(9).1.size(), (750, 350));
        assert_eq!(corner(pyramid.level(1).1), [9, 99, 199, 255]);
    }

    #[test]
    fn transparency_is_kept_for_display_and_grey_for_networks() {
        let clear = Picture::new(1600, 1600, [255, 0, 0, 0].repeat(1600 * 1600)).unwrap();
        let half = ImagePyramid::for_networks(&clear);
        assert_eq!(corner(half.level(1).1), [128, 128, 128, 255]);
        assert_eq!(corner(half.level(2).1), [128, 128, 128, 255]);
        let half = ImagePyramid::for_display(&clear);
        assert_eq!(corner(half.level(1).1)[3], 0);
        assert!(half.level(1).1.has_alpha());
    }
}
