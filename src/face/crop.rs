//! Resamples a crop of the portrait into a network's input.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeError, ResizeOptions, Resizer};

use super::sampling::BorderMode;
use super::square::TurnedSquare;
use crate::media::image::opaque::over_grey;
use crate::media::image::{ImagePyramid, Picture};

/// Returns the square of the picture as planar RGB `[3, size, size]` in [-1, 1]. An upright square is resampled with a
/// Catmull-Rom filter. A turned one is read bilinearly from the next larger pyramid level, with the picture's edge pixels
/// repeated beyond the edge. Transparent pixels are composited over mid grey.
///
/// # Errors
/// [`ResizeError`] when an upright square isn't inside the picture.
pub fn network_input(
    picture: &Picture,
    square: impl Into<TurnedSquare>,
    size: usize,
) -> Result<Vec<f32>, ResizeError> {
    let turned = square.into();
    if turned.angle != 0.0 {
        let pyramid = ImagePyramid::for_networks(picture);
        return Ok(pyramid.read(&turned, size, (-1.0, 1.0), BorderMode::Edge, (0, 0)));
    }
    let square = turned.unturned();
    let (left, across) = clamped_span(square.x, square.side, picture.width());
    let (top, down) = clamped_span(square.y, square.side, picture.height());
    let source = ImageRef::new(
        picture.width(),
        picture.height(),
        picture.rgba(),
        PixelType::U8x4,
    )
    .map_err(|_| ResizeError::PixelTypesAreDifferent)?;
    let mut small = Image::new(size as u32, size as u32, PixelType::U8x4);
    let options = ResizeOptions::new()
        .crop(left, top, across, down)
        .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom))
        .use_alpha(picture.has_alpha());
    Resizer::new().resize(&source, &mut small, &options)?;

    let area = size * size;
    let mut planes = vec![0.0; 3 * area];
    for (i, pixel) in small.buffer().as_chunks::<4>().0.iter().enumerate() {
        for (channel, value) in over_grey(*pixel).into_iter().enumerate() {
            planes[channel * area + i] = value / 127.5 - 1.0;
        }
    }
    Ok(planes)
}

/// Tolerance for rounding in a square's edges, as a share of the picture's side: crops are stored in single precision.
const ROUNDING: f64 = 1e-6;

/// Clamps a span to `0..=end` if it exceeds it only by rounding; returns any other span unchanged.
fn clamped_span(start: f64, length: f64, end: u32) -> (f64, f64) {
    let end = f64::from(end);
    let rounding = ROUNDING * end;
    if start < -rounding || start + length > end + rounding {
        return (start, length);
    }
    let start = start.max(0.0);
    let mut length = length.min(end - start);
    while start + length > end {
        length = length.next_down();
    }
    (start, length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::Square;
    use proptest::prelude::*;

    fn flat(width: u32, height: u32, pixel: [u8; 4]) -> Picture {
        Picture::new(width, height, pixel.repeat((width * height) as usize)).unwrap()
    }

    proptest! {
        #[test]
        fn a_crop_that_touches_the_image_border_is_read_despite_rounding(width in 8u32..400, height in 8u32..400, part in 0.1f64..1.0, left: bool, top: bool) {
            let picture = flat(width, height, [9, 9, 9, 255]);
            let side = f64::from(width.min(height)) * part;
            // Computed as a crop becomes a square, via its middle in single precision: the rounding errors need not
            // cancel.
            let side = f64::from(side as f32);
            let far = |end: u32| f64::from((end as f32 - side as f32) + 0.5 * side as f32) - 0.5 * side;
            let x = if left { -1e-13 } else { far(width) };
            let y = if top { 0.0 } else { far(height) };
            let square = Square { x, y, side };
            prop_assert!(network_input(&picture, square, 16).is_ok());
        }

        #[test]
        fn a_flat_picture_gives_flat_planes(
            pixel in any::<[u8; 3]>(), width in 8u32..80, height in 8u32..80, at in 0f64..1.0, part in 0.2f64..1.0,
        ) {
            let picture = flat(width, height, [pixel[0], pixel[1], pixel[2], 255]);
            let side = f64::from(width.min(height)) * part;
            let square = Square {
                x: (f64::from(width) - side) * at,
                y: (f64::from(height) - side) * at,
                side,
            };
            let planes = network_input(&picture, square, 16).unwrap();
            for channel in 0..3 {
                let wanted = f32::from(pixel[channel]) / 127.5 - 1.0;
                for value in &planes[channel * 256..(channel + 1) * 256] {
                    prop_assert!((value - wanted).abs() < 0.01);
                }
            }
        }
    }

    #[test]
    fn a_crop_read_at_its_own_size_is_the_exact_pixels() {
        let rgba: Vec<u8> = (0..32 * 32 * 4)
            .map(|i| {
                if i % 4 == 3 {
                    255
                } else {
                    (i * 37 % 251) as u8
                }
            })
            .collect();
        let picture = Picture::new(32, 32, rgba.clone()).unwrap();
        let square = Square {
            x: 8.0,
            y: 4.0,
            side: 16.0,
        };
        let planes = network_input(&picture, square, 16).unwrap();
        for y in 0..16 {
            for x in 0..16 {
                let pixel = rgba[((y + 4) * 32 + x + 8) * 4];
                let back = (planes[y * 16 + x] + 1.0) * 127.5;
                assert!((back - f32::from(pixel)).abs() < 1e-3);
            }
        }
    }

    #[test]
    fn transparent_pixels_become_grey_in_the_network_input() {
        let picture = flat(16, 16, [255, 0, 0, 0]).with_alpha(true);
        let square = Square {
            x: 0.0,
            y: 0.0,
            side: 16.0,
        };
        let planes = network_input(&picture, square, 8).unwrap();
        assert!(planes.iter().all(|value| value.abs() < 1e-6));
    }

    #[test]
    fn a_crop_beyond_the_image_is_an_error() {
        let square = Square {
            x: 10.0,
            y: 0.0,
            side: 16.0,
        };
        assert!(network_input(&flat(16, 16, [9; 4]), square, 8).is_err());
    }
}
