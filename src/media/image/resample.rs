//! Resampling pictures.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::Picture;
use crate::media::error::MediaError;

/// A part (left, top, width, height) of a picture, resampled; `None` if a size isn't valid.
pub(crate) fn resampled(
    picture: &Picture,
    part: (f64, f64, f64, f64),
    size: (u32, u32),
    filter: FilterType,
) -> Option<Picture> {
    let source = ImageRef::new(
        picture.width(),
        picture.height(),
        picture.rgba(),
        PixelType::U8x4,
    )
    .ok()?;
    let mut target = Image::new(size.0, size.1, PixelType::U8x4);
    let options = ResizeOptions::new()
        .crop(part.0, part.1, part.2, part.3)
        .resize_alg(ResizeAlg::Convolution(filter))
        .use_alpha(picture.has_alpha());
    Resizer::new().resize(&source, &mut target, &options).ok()?;
    Picture::new(size.0, size.1, target.into_vec())
        .ok()
        .map(|resized| resized.with_alpha(picture.has_alpha()))
}

/// A picture resampled to another size; returned unchanged if it has that size.
///
/// # Errors
/// [`MediaError`] for sizes that aren't valid.
pub fn resized(picture: Picture, size: (u32, u32)) -> Result<Picture, MediaError> {
    if picture.size() == size {
        return Ok(picture);
    }
    let (width, height) = picture.size();
    let whole = (0.0, 0.0, f64::from(width), f64::from(height));
    match resampled(&picture, whole, size, FilterType::CatmullRom) {
        Some(resized) => Ok(resized),
        // Returns the error for this size.
        None => Picture::new(size.0, size.1, Vec::new()),
    }
}
