//! What layers are drawn on: the moved portrait and, if requested, how much of each pixel each layer draws.

use rayon::prelude::*;

use super::image::{Image, Rgba};
use super::pixel_box::PixelBox;
use crate::methods::diagnostics::Layer;

/// How much of a pixel each layer draws, in the order of [`Layer::ALL`]: each in 0..=1, and their sum too.
pub(super) type Shares = [f32; Layer::ALL.len()];

/// The picture of a frame while layers are drawn over it.
pub(super) struct Canvas<'a> {
    pub image: &'a mut Image<Rgba>,
    /// Of the picture's size; only for a view that shows them.
    pub shares: Option<&'a mut Image<Shares>>,
}

impl Canvas<'_> {
    /// Draws a layer, in parallel. `draw` changes the pixel at a column and a row of the picture, and returns its own share
    /// of the result.
    pub fn draw(
        &mut self,
        area: PixelBox,
        layer: Layer,
        draw: impl Fn(usize, usize, &mut Rgba) -> f32 + Sync,
    ) {
        let width = self.image.width.max(1);
        let rows = area.top * width..(area.top + area.height) * width;
        let columns = area.left..area.left + area.width;
        let lines = self.image.pixels[rows.clone()].par_chunks_mut(width);
        let lines = (area.top..area.top + area.height)
            .into_par_iter()
            .zip(lines);
        match &mut self.shares {
            None => lines.for_each(|(y, line)| {
                for (x, pixel) in columns.clone().zip(&mut line[columns.clone()]) {
                    draw(x, y, pixel);
                }
            }),
            Some(shares) => {
                let shares = shares.pixels[rows].par_chunks_mut(width);
                lines.zip(shares).for_each(|((y, line), shares)| {
                    let pixels = line[columns.clone()].iter_mut();
                    let shares = shares[columns.clone()].iter_mut();
                    for ((x, pixel), shares) in columns.clone().zip(pixels).zip(shares) {
                        cover(shares, layer, draw(x, y, pixel));
                    }
                });
            }
        }
    }
}

/// Draws a layer with this opacity over those below it.
fn cover(shares: &mut Shares, layer: Layer, opacity: f32) {
    for share in shares.iter_mut() {
        *share *= 1.0 - opacity;
    }
    shares[layer as usize] += opacity;
}

/// The shares of a picture whose pixels `before` were shaded to `after`: the relative change of the channel that changes
/// most, at most 1. Both have the same size.
pub(super) fn shading_shares(before: &Image<Rgba>, after: &Image<Rgba>) -> Image<Shares> {
    Image::from_fn(after.width, after.height, |x, y| {
        let (before, after) = (before.at(x, y), after.at(x, y));
        let change = |k: usize| {
            if before[k] > 0.0 {
                (after[k] / before[k] - 1.0).abs()
            } else {
                0.0
            }
        };
        let mut shares = Shares::default();
        shares[Layer::Shading as usize] = (0..3).map(change).fold(0.0, f32::max).min(1.0);
        shares
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn shares_and_their_sum_stay_within_one(
            shading in 0f32..=1.0,
            layers in prop::collection::vec((0usize..3, 0f32..=1.0), 0..6),
        ) {
            let mut shares = [0.0, 0.0, shading];
            let mut kept = 1.0 - shading;
            for (layer, opacity) in layers {
                cover(&mut shares, Layer::ALL[layer], opacity);
                kept *= 1.0 - opacity;
            }
            prop_assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
            prop_assert!((shares.iter().sum::<f32>() + kept - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn what_is_drawn_does_not_depend_on_whether_shares_are_requested() {
        let area = PixelBox {
            left: 2,
            top: 1,
            width: 4,
            height: 3,
        };
        let draw = |x: usize, y: usize, pixel: &mut Rgba| {
            *pixel = [x as f32, y as f32, 0.0, 1.0];
            if x == 3 { 0.25 } else { 0.0 }
        };
        let mut plain = Image::filled(8, 6, [9.0, 9.0, 9.0, 1.0]);
        let mut image = plain.clone();
        let mut shares = Image::filled(8, 6, Shares::default());
        let mut canvas = Canvas {
            image: &mut plain,
            shares: None,
        };
        canvas.draw(area, Layer::Eyes, draw);
        let mut canvas = Canvas {
            image: &mut image,
            shares: Some(&mut shares),
        };
        canvas.draw(area, Layer::Eyes, draw);
        assert_eq!(plain.pixels, image.pixels);
        for y in 0..6 {
            for x in 0..8 {
                let inside = (2..6).contains(&x) && (1..4).contains(&y);
                let wanted = if inside && x == 3 { 0.25 } else { 0.0 };
                assert_eq!(shares.at(x, y), [0.0, wanted, 0.0], "{x} {y}");
                assert_eq!(image.at(x, y) != [9.0, 9.0, 9.0, 1.0], inside, "{x} {y}");
            }
        }
    }

    #[test]
    fn shading_counts_by_its_relative_change() {
        let before = Image::filled(3, 1, [100.0, 50.0, 0.0, 1.0]);
        let mut after = before.clone();
        after.pixels[1] = [90.0, 40.0, 0.0, 1.0];
        after.pixels[2] = [300.0, 50.0, 0.0, 1.0];
        let shares = shading_shares(&before, &after);
        let wanted = [0.0, 0.2, 1.0];
        for (shares, wanted) in shares.pixels.iter().zip(wanted) {
            assert_eq!(shares[..2], [0.0; 2]);
            assert!((shares[2] - wanted).abs() < 1e-5, "{shares:?} {wanted}");
        }
    }
}
