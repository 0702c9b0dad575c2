//! Filtered colour lookup in the portrait.

use super::plane::split_small;
use crate::math::catmull_rom;
use crate::media::image::Picture;
use crate::nn::bicubic::{TAPS, weighted_sum};
use crate::nn::isa::Isa;

/// The portrait as a sampler.
pub(super) struct Reader<'a> {
    rgba: &'a [u8],
    width: usize,
    height: usize,
    /// Whether it has transparency.
    pub clear: bool,
    isa: Isa,
}

impl<'a> Reader<'a> {
    pub fn new(picture: &'a Picture) -> Self {
        Self {
            rgba: picture.rgba(),
            width: picture.width() as usize,
            height: picture.height() as usize,
            clear: picture.has_alpha(),
            isa: Isa::best(),
        }
    }

    /// Returns the Catmull-Rom value at an offset from the centre of a pixel: premultiplied red, green and blue in 0..=255,
    /// and alpha in 0..=1. Premultiplied alpha keeps the colours of transparent pixels out of the result. Clamps to the
    /// edge. A zero offset returns the exact pixel.
    #[inline(always)]
    pub fn read(&self, (x, y): (usize, usize), (dx, dy): (f32, f32)) -> [f32; 4] {
        let (left, across) = start(x, dx);
        let (top, down) = start(y, dy);
        self.weighed((left, top), across, down)
    }

    /// [`Reader::read`] for the `wanted` positions of a batch, given as [`TapBatch`] along each axis.
    #[inline(always)]
    pub fn read_batch(
        &self,
        across: &TapBatch,
        down: &TapBatch,
        wanted: &[bool; BATCH],
    ) -> [[f32; 4]; BATCH] {
        let mut read = [[0.0; 4]; BATCH];
        for i in 0..BATCH {
            if wanted[i] {
                let corner = (i64::from(across.first[i]), i64::from(down.first[i]));
                read[i] = self.weighed(corner, across.weights(i), down.weights(i));
            }
        }
        read
    }

    #[inline(always)]
    fn weighed(&self, (left, top): (i64, i64), across: [f32; TAPS], down: [f32; TAPS]) -> [f32; 4] {
        let inside = |first: i64, length: usize| (0..=length as i64 - 4).contains(&first);
        let gathered;
        let (area, pitch) = if inside(left, self.width) && inside(top, self.height) {
            let at = (top as usize * self.width + left as usize) * 4;
            (&self.rgba[at..], self.width * 4)
        } else {
            gathered = self.gathered(left, top);
            (gathered.as_flattened(), 16)
        };
        if self.clear {
            // The filter's negative lobes may leave more colour than alpha.
            let [red, green, blue, cover] =
                weighted_sum::<true>(self.isa, area, pitch, across, down);
            let cover = (cover / 255.0).clamp(0.0, 1.0);
            let color = |value: f32| value.clamp(0.0, 255.0 * cover);
            [color(red), color(green), color(blue), cover]
        } else {
            let [red, green, blue, _] = weighted_sum::<false>(self.isa, area, pitch, across, down);
            [red, green, blue, 1.0]
        }
    }

    /// Gathers four rows of four pixels, some of which are beyond the edge.
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

/// Offsets are clamped to this; no picture is wider.
const MAX_OFFSET: f32 = 1e6;

/// Returns the first of the four pixels around `at + offset`, and their weights. The integer part of the offset is split
/// off first, so that precision doesn't depend on the position in a large picture.
#[inline(always)]
fn start(at: usize, offset: f32) -> (i64, [f32; TAPS]) {
    let (integer, t) = split_small(offset.clamp(-MAX_OFFSET, MAX_OFFSET));
    (at as i64 + i64::from(integer) - 1, catmull_rom(t))
}

/// Number of pixels processed side by side.
pub(super) const BATCH: usize = 16;

/// The first of the four pixels and their weights, for a batch of positions along an axis.
pub(super) struct TapBatch {
    first: [i32; BATCH],
    weights: [[f32; BATCH]; TAPS],
}

impl TapBatch {
    /// `offsets` are relative to the centres of the pixels `at`, as for [`Reader::read`].
    #[inline(always)]
    pub fn new(at: &[i32; BATCH], offsets: &[f32; BATCH]) -> Self {
        let mut starts = Self {
            first: [0; BATCH],
            weights: [[0.0; BATCH]; TAPS],
        };
        for i in 0..BATCH {
            let (integer, t) = split_small(offsets[i].clamp(-MAX_OFFSET, MAX_OFFSET));
            starts.first[i] = at[i] + integer - 1;
            for (weights, weight) in starts.weights.iter_mut().zip(catmull_rom(t)) {
                weights[i] = weight;
            }
        }
        starts
    }

    #[inline(always)]
    fn weights(&self, i: usize) -> [f32; TAPS] {
        let [a, b, c, d] = &self.weights;
        [a[i], b[i], c[i], d[i]]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sampling_interpolates_between_pixels_and_clamps_beyond_the_edge() {
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
    fn transparent_pixels_contribute_no_colour() {
        // Red and opaque on the left, green and transparent on the right.
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

    proptest! {
        #[test]
        fn samples_read_in_a_batch_equal_samples_read_alone(
            clear: bool, offsets in prop::collection::vec((-9.0f32..9.0, -9.0f32..9.0), BATCH), seed in 0usize..1000,
        ) {
            let rgba = (0..20 * 12 * 4).map(|i| match (i % 4, clear) {
                (3, false) => 255,
                _ => (((i + seed) * 7919) >> 3) as u8,
            });
            let picture = Picture::new(20, 12, rgba.collect()).unwrap();
            let reader = Reader::new(&picture);
            let mut own = [[0.0; BATCH]; 2];
            for (i, (dx, dy)) in offsets.iter().enumerate() {
                (own[0][i], own[1][i]) = (*dx, *dy);
            }
            let columns = std::array::from_fn(|i| i as i32);
            let wanted = std::array::from_fn(|i| i != seed % BATCH);
            let (across, down) = (TapBatch::new(&columns, &own[0]), TapBatch::new(&[5; BATCH], &own[1]));
            let read = reader.read_batch(&across, &down, &wanted);
            for (i, offset) in offsets.into_iter().enumerate() {
                let alone = if wanted[i] { reader.read((i, 5), offset) } else { [0.0; 4] };
                for (read, alone) in read[i].iter().zip(alone) {
                    prop_assert!((read - alone).abs() < 2e-3, "{read} {alone}");
                }
            }
        }
    }
}
