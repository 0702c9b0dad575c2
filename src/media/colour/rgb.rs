//! Converts the planes of video to sRGB pixels, by the stream's matrix and range. Chroma is sited left, as in MPEG-4,
//! and interpolated.
//!
//! The `yuv` crate (0.8) repeats chroma or interpolates it from the block's centre, so its output would differ.

use rayon::prelude::*;

/// Luma weights of red and blue, which determine the matrix: BT.601, BT.709, BT.2020, and two found in old videos.
const BT601: (f64, f64) = (0.299, 0.114);
const BT709: (f64, f64) = (0.2126, 0.0722);
const BT2020: (f64, f64) = (0.2627, 0.0593);
const FCC: (f64, f64) = (0.30, 0.11);
const SMPTE240: (f64, f64) = (0.212, 0.087);

/// Height from which video without a stored matrix is assumed to be BT.709.
const HD_LINES: u32 = 720;

/// Fractional bits of the fixed-point factors; chroma sums have three more.
const BITS: u32 = 16;

/// The matrix and range of Y, Cb and Cr; `None` where the file doesn't store them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Colour {
    /// Matrix coefficients as numbered in ITU-T H.273.
    pub(crate) matrix: Option<u8>,
    /// Whether the range is full, 0 to 255, rather than limited, from 16.
    pub(crate) is_full: Option<bool>,
}

impl Colour {
    /// `self`, with missing values taken from `other`.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            matrix: self.matrix.or(other.matrix),
            is_full: self.is_full.or(other.is_full),
        }
    }

    fn weights(self, lines: u32) -> (f64, f64) {
        match self.matrix {
            Some(1) => BT709,
            Some(4) => FCC,
            Some(5 | 6) => BT601,
            Some(7) => SMPTE240,
            Some(9 | 10) => BT2020,
            _ if lines >= HD_LINES => BT709,
            _ => BT601,
        }
    }
}

/// Planes in 4:2:0: luma `[height, width]`, chroma half of each, rounded up; each with its row stride.
#[derive(Clone, Copy)]
pub(crate) struct Yuv<'a> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) y: (&'a [u8], usize),
    pub(crate) u: (&'a [u8], usize),
    pub(crate) v: (&'a [u8], usize),
}

impl Yuv<'_> {
    /// Opaque pixels, `[height, width, 4]`; `None` if a plane is too short.
    pub(crate) fn to_rgba(self, colour: Colour) -> Option<Vec<u8>> {
        let (width, height) = (self.width, self.height);
        let (columns, rows) = (width.div_ceil(2), height.div_ceil(2));
        let has = |(plane, stride): (&[u8], usize), columns: usize, rows: usize| {
            stride >= columns && rows > 0 && plane.len() >= (rows - 1) * stride + columns
        };
        if !(has(self.y, width, height) && has(self.u, columns, rows) && has(self.v, columns, rows))
        {
            return None;
        }

        let factors = Factors::new(colour, height as u32);
        let mut rgba = vec![255; width * height * 4];
        // Two rows of blended chroma per thread, reused.
        let scratch = || (vec![0i32; columns + 1], vec![0i32; columns + 1]);
        rgba.par_chunks_exact_mut(width * 4)
            .enumerate()
            .for_each_init(scratch, |(u, v), (row, pixels)| {
                blend_rows(self.u, row, rows, columns, u);
                blend_rows(self.v, row, rows, columns, v);
                let (plane, stride) = self.y;
                let luma = &plane[row * stride..][..width];
                for ((pair, luma), (u, v)) in pixels
                    .chunks_mut(8)
                    .zip(luma.chunks(2))
                    .zip(u.windows(2).zip(v.windows(2)))
                {
                    // The even pixel is at its chroma sample, the odd one between two.
                    factors.pixel(&mut pair[..4], luma[0], 2 * u[0], 2 * v[0]);
                    if let (Some(pixel), Some(&luma)) = (pair.get_mut(4..8), luma.get(1)) {
                        factors.pixel(pixel, luma, u[0] + u[1], v[0] + v[1]);
                    }
                }
            });
        Some(rgba)
    }
}

/// Interpolates chroma for a row of pixels, times 4: the nearer row of samples has weight 3. The last column is
/// repeated.
fn blend_rows(
    (plane, stride): (&[u8], usize),
    row: usize,
    rows: usize,
    columns: usize,
    blended: &mut [i32],
) {
    let near = row / 2;
    let far = if row.is_multiple_of(2) {
        near.saturating_sub(1)
    } else {
        (near + 1).min(rows - 1)
    };
    let near = &plane[near * stride..][..columns];
    let far = &plane[far * stride..][..columns];
    for (value, (near, far)) in blended.iter_mut().zip(near.iter().zip(far)) {
        *value = 3 * i32::from(*near) + i32::from(*far);
    }
    blended[columns] = blended[columns - 1];
}

/// The fixed-point matrix from Y, Cb and Cr; chroma is scaled by 8.
struct Factors {
    black: i32,
    luma: i32,
    red: i32,
    green: (i32, i32),
    blue: i32,
}

impl Factors {
    fn new(colour: Colour, lines: u32) -> Self {
        let (kr, kb) = colour.weights(lines);
        let kg = 1.0 - kr - kb;
        let (black, luma, chroma) = if colour.is_full.unwrap_or(false) {
            (0, 1.0, 1.0)
        } else {
            (16, 255.0 / 219.0, 255.0 / 224.0)
        };
        let fixed = |factor: f64| (factor * f64::from(1 << BITS)).round() as i32;
        Self {
            black,
            luma: fixed(luma * 8.0),
            red: fixed(2.0 * (1.0 - kr) * chroma),
            green: (
                fixed(-2.0 * (1.0 - kb) * kb / kg * chroma),
                fixed(-2.0 * (1.0 - kr) * kr / kg * chroma),
            ),
            blue: fixed(2.0 * (1.0 - kb) * chroma),
        }
    }

    #[inline(always)]
    fn pixel(&self, pixel: &mut [u8], luma: u8, u: i32, v: i32) {
        // At most 239 x 8 x 1.17 and 1024 x 2.2 units of 2^16, far from overflow.
        let y = (i32::from(luma) - self.black) * self.luma + (1 << (BITS + 2));
        let (u, v) = (u - 1024, v - 1024);
        let level = |value: i32| (value >> (BITS + 3)).clamp(0, 255) as u8;
        pixel[0] = level(y + self.red * v);
        pixel[1] = level(y + self.green.0 * u + self.green.1 * v);
        pixel[2] = level(y + self.blue * u);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(y: u8, u: u8, v: u8, matrix: u8, is_full: bool) -> [u8; 3] {
        let (y, u, v) = ([y; 15], [u; 6], [v; 6]);
        let yuv = Yuv {
            width: 5,
            height: 3,
            y: (&y, 5),
            u: (&u, 3),
            v: (&v, 3),
        };
        let colour = Colour {
            matrix: Some(matrix),
            is_full: Some(is_full),
        };
        let rgba = yuv.to_rgba(colour).unwrap();
        assert!(rgba.chunks_exact(4).all(|pixel| pixel == &rgba[..4]));
        [rgba[0], rgba[1], rgba[2]]
    }

    #[test]
    fn yuv_to_rgb_agrees_with_the_bt_standards() {
        for (yuv, matrix, is_full, rgb) in [
            ((235, 128, 128), 1, false, [255, 255, 255]),
            ((16, 128, 128), 6, false, [0, 0, 0]),
            ((63, 102, 240), 1, false, [255, 1, 0]),
            ((81, 90, 240), 6, false, [254, 0, 0]),
            ((76, 85, 255), 6, true, [254, 0, 0]),
            ((182, 30, 12), 1, true, [0, 255, 0]),
            ((74, 97, 240), 9, false, [255, 0, 1]),
        ] {
            let found = flat(yuv.0, yuv.1, yuv.2, matrix, is_full);
            for (a, b) in found.iter().zip(rgb) {
                assert!(a.abs_diff(b) <= 2, "{yuv:?} by {matrix}: {found:?}");
            }
        }
    }

    #[test]
    fn chroma_is_sited_on_even_columns() {
        let (u, v) = ([128, 128], [128, 228]);
        let yuv = Yuv {
            width: 4,
            height: 1,
            y: (&[128; 4], 4),
            u: (&u, 2),
            v: (&v, 2),
        };
        let red: Vec<u8> = yuv
            .to_rgba(Colour {
                matrix: Some(1),
                is_full: Some(true),
            })
            .unwrap()
            .chunks_exact(4)
            .map(|pixel| pixel[0])
            .collect();
        assert_eq!(red, [128, 207, 255, 255]);
    }

    #[test]
    fn short_planes_are_refused() {
        let yuv = Yuv {
            width: 4,
            height: 4,
            y: (&[0; 15], 4),
            u: (&[0; 4], 2),
            v: (&[0; 4], 2),
        };
        assert!(yuv.to_rgba(Colour::default()).is_none());
    }
}
