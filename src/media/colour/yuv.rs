//! Converts sRGB pixels to the planes of video: BT.709, limited range, 4:2:0 with chroma sited left.
//!
//! The `yuv` crate (0.8) averages the four pixels of a block, which sites chroma at its centre, so its output would differ.

use openh264::formats::YUVSource;
use rayon::prelude::*;

/// Planes of even width and height, padded by repeating the source's last column and row.
pub(crate) struct Planes {
    width: usize,
    height: usize,
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

/// Fractional bits of the fixed-point factors.
const BITS: u32 = 20;

/// BT.709 luma weights of R, G and B.
const LUMA: [f64; 3] = [0.2126, 0.7152, 0.0722];

impl Planes {
    /// Allocates planes. `width` and `height` are even and at least those of the pictures.
    pub(crate) fn new(width: usize, height: usize) -> Self {
        let chroma = width / 2 * height / 2;
        Self {
            width,
            height,
            y: vec![0; width * height],
            u: vec![0; chroma],
            v: vec![0; chroma],
        }
    }

    /// `(width, height)` of the planes.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Fills the planes from pixels, `[height, width, 4]`. Their straight alpha is composited in sRGB over
    /// `background`; without one, alpha is ignored.
    pub(crate) fn fill(
        &mut self,
        rgba: &[u8],
        width: usize,
        height: usize,
        background: Option<[u8; 3]>,
    ) {
        let factors = Factors::new();
        let (columns, half) = (self.width, self.width / 2);
        let pixel = |x: usize, y: usize| {
            let at = (y.min(height - 1) * width + x.min(width - 1)) * 4;
            let pixel = &rgba[at..at + 4];
            background.map_or([0, 1, 2].map(|c| i64::from(pixel[c])), |background| {
                over(pixel, background)
            })
        };

        let lines = self
            .y
            .par_chunks_exact_mut(columns * 2)
            .zip(self.u.par_chunks_exact_mut(half))
            .zip(self.v.par_chunks_exact_mut(half));
        lines.enumerate().for_each(|(line, ((luma, u), v))| {
            // The two rows of this chroma line, summed.
            let mut sums = vec![[0; 3]; columns];
            for row in 0..2 {
                for x in 0..columns {
                    let rgb = pixel(x, line * 2 + row);
                    luma[row * columns + x] = factors.apply(0, rgb, 1);
                    (0..3).for_each(|c| sums[x][c] += rgb[c]);
                }
            }
            for x in 0..half {
                // Left siting: a chroma sample is at the even column, so its neighbours have weights 1 2 1.
                let (left, middle, right) = (
                    sums[(x * 2).saturating_sub(1)],
                    sums[x * 2],
                    sums[x * 2 + 1],
                );
                let sum = [0, 1, 2].map(|c| left[c] + 2 * middle[c] + right[c]);
                u[x] = factors.apply(1, sum, 8);
                v[x] = factors.apply(2, sum, 8);
            }
        });
    }
}

impl YUVSource for Planes {
    fn dimensions(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    fn strides(&self) -> (usize, usize, usize) {
        (self.width, self.width / 2, self.width / 2)
    }

    fn y(&self) -> &[u8] {
        &self.y
    }

    fn u(&self) -> &[u8] {
        &self.u
    }

    fn v(&self) -> &[u8] {
        &self.v
    }
}

/// A straight-alpha pixel over an opaque colour.
fn over(pixel: &[u8], background: [u8; 3]) -> [i64; 3] {
    let alpha = u32::from(pixel[3]);
    [0, 1, 2].map(|c| {
        let sum = u32::from(pixel[c]) * alpha + u32::from(background[c]) * (255 - alpha);
        i64::from((sum + 127) / 255)
    })
}

/// Rows of the fixed-point matrix to Y, Cb and Cr, for levels of 0 to 255.
struct Factors([[i64; 3]; 3]);

impl Factors {
    fn new() -> Self {
        let [r, g, b] = LUMA;
        let (cb, cr) = (224.0 / (2.0 * (1.0 - b)), 224.0 / (2.0 * (1.0 - r)));
        let rows = [
            [r * 219.0, g * 219.0, b * 219.0],
            [-r * cb, -g * cb, (1.0 - b) * cb],
            [(1.0 - r) * cr, -g * cr, -b * cr],
        ];
        Self(
            rows.map(|row| {
                row.map(|factor| (factor / 255.0 * f64::from(1 << BITS)).round() as i64)
            }),
        )
    }

    /// One component of the mean colour `sum / count`, rounded to the nearest level.
    fn apply(&self, component: usize, sum: [i64; 3], count: i64) -> u8 {
        let offset: i64 = if component == 0 { 16 } else { 128 };
        let row = self.0[component];
        let unit = count << BITS;
        let value = row[0] * sum[0] + row[1] * sum[1] + row[2] * sum[2] + offset * unit;
        ((value + unit / 2) / unit).clamp(0, 255) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(rgba: [u8; 4], background: [u8; 3]) -> (u8, u8, u8) {
        let mut planes = Planes::new(4, 4);
        planes.fill(&rgba.repeat(9), 3, 3, Some(background));
        assert!(
            planes.y.iter().all(|&y| y == planes.y[0])
                && planes.u.iter().all(|&u| u == planes.u[0])
        );
        (planes.y[0], planes.u[0], planes.v[3])
    }

    #[test]
    fn rgb_to_yuv_agrees_with_bt_709() {
        // The 100 % bars of BT.709 in limited range.
        for (rgb, yuv) in [
            ([255, 255, 255], (235, 128, 128)),
            ([0, 0, 0], (16, 128, 128)),
            ([255, 0, 0], (63, 102, 240)),
            ([0, 255, 0], (173, 42, 26)),
            ([0, 0, 255], (32, 240, 118)),
        ] {
            assert_eq!(
                flat([rgb[0], rgb[1], rgb[2], 255], [9, 9, 9]),
                yuv,
                "{rgb:?}"
            );
        }
    }

    #[test]
    fn transparency_shows_the_background() {
        assert_eq!(flat([10, 200, 30, 0], [255, 0, 0]), (63, 102, 240));
        assert_eq!(
            flat([255, 255, 255, 128], [0, 0, 0]),
            flat([128, 128, 128, 255], [0, 0, 0])
        );
    }
}
