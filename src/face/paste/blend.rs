//! Pixels mixed with what was stretched over them, some neighbours at a time.

use super::planes::PLANES;
use crate::nn::isa::{Isa, multiversion};

/// Which picture is made of an [`Edit`](crate::face::Edit).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Show {
    /// The edited portrait. `onset` in 0..=1 fades the whole edit in: at 0 not a byte changes. With `detail` the
    /// portrait's own fine detail, which no network of this size can draw, is laid over C where C keeps the colour.
    Result { onset: f32, detail: bool },
    /// 1 - A in heat colours over the dimmed portrait, times `onset`.
    Attention { onset: f32 },
    /// C in the crop's place.
    Color,
}

/// Neighbouring pixels that are mixed at once.
pub(super) const BLOCK: usize = 64;

/// What is laid over a block of pixels: the planes' values, and how far each pixel is open to them, in 0..=1.
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

    /// Into the first pixels of the block, `[pixel, 4]`.
    pub fn blend(&self, pixels: &mut [u8], show: Show) {
        match show {
            Show::Result { .. } => result(Isa::best(), self, pixels),
            Show::Attention { .. } => {
                for (i, pixel) in pixels.chunks_exact_mut(4).enumerate() {
                    let amount = self.values[0][i].clamp(0.0, 1.0) * self.open[i];
                    for (own, heat) in pixel.iter_mut().zip(heat(amount)) {
                        *own = (f32::from(*own) * (1.0 - 0.6 * amount) + heat).round() as u8;
                    }
                }
            }
            Show::Color => {
                for (i, pixel) in pixels.chunks_exact_mut(4).enumerate() {
                    for (own, color) in pixel.iter_mut().zip(&self.values[2..]) {
                        *own = color[i].round() as u8;
                    }
                    pixel[3] = 255;
                }
            }
        }
    }
}

multiversion! {
    /// `A * I + (1 - A) * C`, with the window and the pixel's alpha counted into `1 - A`.
    fn result(block: &Block, pixels: &mut [u8]) {
        let mut own = [[0f32; BLOCK]; 4];
        for (i, pixel) in pixels.chunks_exact(4).take(BLOCK).enumerate() {
            own[0][i] = f32::from(pixel[0]);
            own[1][i] = f32::from(pixel[1]);
            own[2][i] = f32::from(pixel[2]);
            own[3][i] = f32::from(pixel[3]);
        }
        let [edited, keep, color @ ..] = &block.values;
        let [channels @ .., alpha] = &mut own;
        let mut weight = [0f32; BLOCK];
        for i in 0..BLOCK {
            weight[i] = edited[i].clamp(0.0, 1.0) * block.open[i] * (alpha[i] / 255.0);
        }
        for (own, color) in channels.iter_mut().zip(color) {
            for i in 0..BLOCK {
                let keep = keep[i].clamp(0.0, 1.0);
                let mixed = own[i] + weight[i] * (color[i] + keep * own[i] - own[i]);
                // To the nearest.
                own[i] = mixed.clamp(0.0, 255.0) + 0.5;
            }
        }
        for (i, pixel) in pixels.chunks_exact_mut(4).take(BLOCK).enumerate() {
            pixel[0] = own[0][i] as i32 as u8;
            pixel[1] = own[1][i] as i32 as u8;
            pixel[2] = own[2][i] as i32 as u8;
        }
    }
}

/// From nothing over violet, red and orange to a pale yellow, as added light in 0..=255.
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
