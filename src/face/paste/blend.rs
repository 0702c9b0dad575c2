//! Blends rows of pixels with an edit, a block of neighbours at a time.

use super::planes::PLANES;
use crate::nn::isa::{Isa, multiversion};

/// How an [`Edit`](crate::face::Edit) is displayed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PasteMode {
    /// The edited portrait.
    Result {
        /// Fades in the whole edit, in 0..=1; at 0 no byte changes.
        onset: f32,
        /// Whether the portrait's fine detail, which a network of this resolution cannot draw, is added to C where C is
        /// close to the source.
        detail: bool,
    },
    /// 1 - A in false colours over the dimmed portrait.
    Attention {
        /// A factor on 1 - A, in 0..=1.
        onset: f32,
    },
    /// C in place of the crop.
    Color,
}

/// Number of neighbouring pixels blended at once.
pub(super) const BLOCK: usize = 64;

/// Values to blend over a block of pixels: the planes, and the weight of each pixel, in 0..=1.
pub(super) struct Block {
    pub values: [[f32; BLOCK]; PLANES],
    pub open: [f32; BLOCK],
}

impl Block {
    pub fn new() -> Self {
        Self {
            values: [[0.0; BLOCK]; PLANES],
            open: [0.0; BLOCK],
        }
    }

    /// Blends the block's values into `pixels`, `[pixel, 4]`.
    pub fn blend(&self, pixels: &mut [u8], show: PasteMode) {
        match show {
            PasteMode::Result { .. } => result(Isa::best(), self, pixels),
            PasteMode::Attention { .. } => {
                for (i, pixel) in pixels.chunks_exact_mut(4).enumerate() {
                    let amount = self.values[0][i].clamp(0.0, 1.0) * self.open[i];
                    for (base, heat) in pixel.iter_mut().zip(heat(amount)) {
                        *base = (f32::from(*base) * (1.0 - 0.6 * amount) + heat).round() as u8;
                    }
                }
            }
            PasteMode::Color => {
                for (i, pixel) in pixels.chunks_exact_mut(4).enumerate() {
                    for (base, color) in pixel.iter_mut().zip(&self.values[2..]) {
                        *base = color[i].round() as u8;
                    }
                    pixel[3] = 255;
                }
            }
        }
    }
}

multiversion! {
    /// `A * I + (1 - A) * C`, with the window and the pixel's alpha multiplied into `1 - A`.
    fn result(block: &Block, pixels: &mut [u8]) {
        let mut base = [[0f32; BLOCK]; 4];
        for (i, pixel) in pixels.chunks_exact(4).take(BLOCK).enumerate() {
            base[0][i] = f32::from(pixel[0]);
            base[1][i] = f32::from(pixel[1]);
            base[2][i] = f32::from(pixel[2]);
            base[3][i] = f32::from(pixel[3]);
        }
        let [edited, keep, color @ ..] = &block.values;
        let [channels @ .., alpha] = &mut base;
        let mut weight = [0f32; BLOCK];
        for i in 0..BLOCK {
            weight[i] = edited[i].clamp(0.0, 1.0) * block.open[i] * (alpha[i] / 255.0);
        }
        for (base, color) in channels.iter_mut().zip(color) {
            for i in 0..BLOCK {
                let keep = keep[i].clamp(0.0, 1.0);
                let mixed = base[i] + weight[i] * (color[i] + keep * base[i] - base[i]);
                // Rounds to nearest.
                base[i] = mixed.clamp(0.0, 255.0) + 0.5;
            }
        }
        for (i, pixel) in pixels.chunks_exact_mut(4).take(BLOCK).enumerate() {
            pixel[0] = base[0][i] as i32 as u8;
            pixel[1] = base[1][i] as i32 as u8;
            pixel[2] = base[2][i] as i32 as u8;
        }
    }
}

/// Returns a false colour from black over violet, red and orange to pale yellow, as light to add in 0..=255.
pub fn heat(value: f32) -> [f32; 3] {
    const STOPS: [[f32; 3]; 5] = [
        [0.0, 0.0, 0.0],
        [70.0, 15.0, 105.0],
        [190.0, 45.0, 70.0],
        [245.0, 130.0, 20.0],
        [252.0, 240.0, 170.0],
    ];
    let place = value.clamp(0.0, 1.0) * (STOPS.len() - 1) as f32;
    let index = (place as usize).min(STOPS.len() - 2);
    let t = place - index as f32;
    std::array::from_fn(|c| STOPS[index][c] * (1.0 - t) + STOPS[index + 1][c] * t)
}
