//! The picture type.

use crate::media::error::MediaError;

/// A picture: 8-bit RGBA, sRGB, straight (unassociated) alpha, row-major from the top left.
///
/// It is never empty: both sides are at least 1 pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    rgba: Vec<u8>,
    has_alpha: bool,
}

impl Picture {
    /// Creates a picture of `width` x `height` pixels from `width * height * 4` bytes.
    ///
    /// It has an alpha channel if any pixel isn't opaque; [`Picture::with_alpha`] overrides that.
    ///
    /// # Errors
    ///
    /// [`MediaError::BadBuffer`] when a side is zero or the number of bytes is wrong.
    pub fn new(width: u32, height: u32, rgba: Vec<u8>) -> Result<Self, MediaError> {
        let expected = u64::from(width) * u64::from(height) * 4;
        if expected == 0 || expected != rgba.len() as u64 {
            return Err(MediaError::BadBuffer {
                width,
                height,
                bytes: rgba.len(),
            });
        }
        let has_alpha = rgba.chunks_exact(4).any(|pixel| pixel[3] != 255);

        Ok(Self {
            width,
            height,
            rgba,
            has_alpha,
        })
    }

    /// Sets whether the picture has an alpha channel, which decides if a PNG of it is RGBA or RGB.
    ///
    /// `false` doesn't change the pixels, but their alpha isn't written to files.
    #[must_use]
    pub fn with_alpha(mut self, has_alpha: bool) -> Self {
        self.has_alpha = has_alpha;
        self
    }

    /// Width in pixels, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// `(width, height)` in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The pixels, `[height, width, 4]`.
    pub fn rgba(&self) -> &[u8] {
        &self.rgba
    }

    /// The pixels, `[height, width, 4]`, mutably.
    pub fn rgba_mut(&mut self) -> &mut [u8] {
        &mut self.rgba
    }

    /// Returns the pixels, `[height, width, 4]`.
    pub fn into_rgba(self) -> Vec<u8> {
        self.rgba
    }

    /// Whether the picture has an alpha channel; see [`Picture::new`] and [`Picture::with_alpha`].
    pub fn has_alpha(&self) -> bool {
        self.has_alpha
    }
}
