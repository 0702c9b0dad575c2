//! Matches the colours of the network's output to the portrait.
//!
//! A network trained on few skins and lights draws others slightly off: greyer, or tinted. Where it keeps the portrait, the
//! difference between its colours and the portrait's can be measured; the same correction applies to what it redraws nearby.

use rayon::prelude::*;

use super::edit::Edit;
use crate::math::gaussian;
use crate::nn::isa::{Isa, multiversion};

/// Standard deviation of the Gaussian G, as a share of the crop's side.
const SIGMA: f64 = 0.08;

/// Added to G(w): where little is kept nearby, the correction fades out.
const WEIGHT_FLOOR: f32 = 0.03;

/// The face ellipse's half-axes, as shares of the side, and the normalised radii over which it fades: the background's colours
/// are no guide to the skin's.
const AXES: (f32, f32) = (0.36, 0.405);
const SOFT: (f32, f32) = (0.85, 1.15);

impl Edit {
    /// Adds to the colour C, at each pixel, the mean difference between the portrait and C, weighted by the attention around it:
    /// `C + G(w (x - C)) / (G(w) + 0.03)`, with `w = A²` within the face and G a Gaussian of 8 % of the side. A pixel that is
    /// kept entirely looks the same; where everything in a wide area is redrawn, almost nothing is added.
    pub fn match_colour(&mut self) {
        let size = self.size;
        let pixels = size * size;
        let is_complete = self.attention.len() == pixels
            && self.input.len() == 3 * pixels
            && self.color.len() == 3 * pixels;
        if size == 0 || !is_complete {
            return;
        }
        let kernel = gaussian(SIGMA * size as f64);
        let weight: Vec<f32> = (self.attention.iter().enumerate())
            .map(|(i, attention)| attention * attention * within(i % size, i / size, size))
            .collect();
        let pairs = self
            .color
            .chunks_exact(pixels)
            .zip(self.input.chunks_exact(pixels));
        let mut planes: Vec<Vec<f32>> = pairs
            .map(|(color, input)| {
                let off = weight.iter().zip(color.iter().zip(input));
                off.map(|(weight, (color, input))| weight * (input - color))
                    .collect()
            })
            .collect();
        planes.push(weight);
        let mut blurred: Vec<Vec<f32>> = planes
            .par_iter()
            .map(|plane| blurred(plane, size, &kernel))
            .collect();
        let Some(near) = blurred.pop() else { return };
        for (color, off) in self.color.chunks_exact_mut(pixels).zip(&blurred) {
            for (color, (off, near)) in color.iter_mut().zip(off.iter().zip(&near)) {
                *color = (*color + off / (near + WEIGHT_FLOOR)).clamp(-1.0, 1.0);
            }
        }
    }
}

/// Returns 1 within the face ellipse and 0 outside, with a linear falloff.
fn within(column: usize, row: usize, size: usize) -> f32 {
    let place = |n: usize| (n as f32 + 0.5) / size as f32 - 0.5;
    let (x, y) = (place(column) / AXES.0, place(row) / AXES.1);
    let radius = (x * x + y * y).sqrt();
    ((SOFT.1 - radius) / (SOFT.1 - SOFT.0)).clamp(0.0, 1.0)
}

/// Blurs `plane` `[size, size]` along rows and columns, with zeros beyond the edge.
fn blurred(plane: &[f32], size: usize, kernel: &[f32]) -> Vec<f32> {
    let radius = kernel.len() - 1;
    let isa = Isa::best();
    let along = |from: &[f32]| -> Vec<f32> {
        // The output is transposed, so that two passes along rows blur both axes.
        let mut out = vec![0.0; size * size];
        let mut padded = vec![0.0; size + 2 * radius];
        let mut sums = vec![0.0; size];
        for (row, values) in from.chunks_exact(size).enumerate() {
            padded[radius..radius + size].copy_from_slice(values);
            along_row(isa, &padded, kernel, &mut sums);
            for (column, sum) in sums.iter().enumerate() {
                out[column * size + row] = *sum;
            }
        }
        out
    };
    along(&along(plane))
}

multiversion! {
    /// Blurs a row, padded on both sides with as many zeros as the half `kernel` reaches, into `sums`.
    fn along_row(padded: &[f32], kernel: &[f32], sums: &mut [f32]) {
        let (radius, size) = (kernel.len() - 1, sums.len());
        sums.fill(0.0);
        for (k, weight) in kernel.iter().enumerate() {
            let left = &padded[radius - k..][..size];
            let right = &padded[radius + k..][..size];
            // `left` and `right` both read the middle tap.
            let weight = if k == 0 { 0.5 * weight } else { *weight };
            for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
                *sum += weight * (left + right);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZE: usize = 32;

    fn edit(attention: impl Fn(usize, usize) -> f32, tint: [f32; 3]) -> Edit {
        let pixels = SIZE * SIZE;
        let input: Vec<f32> = (0..3 * pixels)
            .map(|i| 0.5 * ((i % 97) as f32 / 96.0 - 0.5))
            .collect();
        let color = (0..3 * pixels)
            .map(|i| input[i] + tint[i / pixels])
            .collect();
        Edit {
            size: SIZE,
            input,
            color,
            attention: (0..pixels).map(|i| attention(i % SIZE, i / SIZE)).collect(),
        }
    }

    /// Attention that keeps everything except the mouth.
    fn mouth(column: usize, row: usize) -> f32 {
        if (12..20).contains(&column) && (20..24).contains(&row) {
            0.0
        } else {
            1.0
        }
    }

    proptest! {
        #[test]
        fn a_colour_cast_is_removed_outside_the_edited_area(red in -0.2f32..0.2, green in -0.2f32..0.2, blue in -0.2f32..0.2) {
            let mut edit = edit(mouth, [red, green, blue]);
            edit.match_colour();
            for (i, (color, input)) in edit.color.iter().zip(&edit.input).enumerate() {
                let (column, row) = (i % SIZE, i / SIZE % SIZE);
                if mouth(column, row) == 0.0 {
                    prop_assert!((color - input).abs() < 0.03, "{i}: {color} {input}");
                }
            }
        }

        #[test]
        fn an_edit_without_a_colour_cast_is_unchanged(open in 0.0f32..1.0, change in -0.3f32..0.3) {
            let mut edit = edit(|column, row| if mouth(column, row) == 0.0 { 0.0 } else { open }, [0.0; 3]);
            // A difference in the redrawn area must not be corrected away.
            let at = 22 * SIZE + 16;
            edit.color[at] += change;
            let before = edit.color.clone();
            edit.match_colour();
            prop_assert_eq!(edit.color, before);
        }
    }

    #[test]
    fn without_unedited_pixels_the_colours_are_unchanged() {
        let mut edit = edit(|_, _| 0.0, [0.2; 3]);
        let before = edit.color.clone();
        edit.match_colour();
        assert_eq!(edit.color, before);
    }

    #[test]
    fn a_blur_keeps_the_sum_and_is_symmetric() {
        let mut plane = vec![0.0; SIZE * SIZE];
        plane[15 * SIZE + 17] = 1.0;
        let out = blurred(&plane, SIZE, &gaussian(2.0));
        assert!((out.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert_eq!(out[13 * SIZE + 17], out[15 * SIZE + 19]);
        assert!(out[15 * SIZE + 17] > out[14 * SIZE + 17]);
    }
}
