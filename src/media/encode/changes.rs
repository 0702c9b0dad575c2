//! The smallest rectangle of a frame that differs from the frame before, for formats that keep the rest.

use crate::media::encode::gif_frame::{Rect, bounds};
use crate::media::image::Picture;

/// The part of a frame that is written to the file, replacing the old pixels.
pub(crate) struct ChangedRegion {
    pub(crate) rect: Rect,
    /// `[rect.height, rect.width, 4]`, straight alpha.
    pub(crate) rgba: Vec<u8>,
}

impl ChangedRegion {
    pub(crate) fn size(&self) -> (u32, u32) {
        (self.rect.width() as u32, self.rect.height() as u32)
    }

    pub(crate) fn is_opaque(&self) -> bool {
        self.rgba.chunks_exact(4).all(|pixel| pixel[3] == 255)
    }
}

/// Compares each frame with the previous one.
pub(crate) struct FrameDiff {
    /// Left and top of every piece are multiples of this.
    step: usize,
    before: Option<Vec<u8>>,
}

impl FrameDiff {
    pub(crate) fn new(step: usize) -> Self {
        Self { step, before: None }
    }

    /// The changed part of the next frame, which has the same size as all others: the whole first frame, and a single
    /// pixel of an unchanged frame, because it has a duration too.
    pub(crate) fn push(&mut self, frame: &Picture) -> ChangedRegion {
        let mut rgba = frame.rgba().to_vec();
        if !frame.has_alpha() {
            rgba.chunks_exact_mut(4).for_each(|pixel| pixel[3] = 255);
        }
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let mut rect = match &self.before {
            None => Rect {
                left: 0,
                top: 0,
                right: width,
                bottom: height,
            },
            Some(before) => bounds(before, &rgba, width, |old, new| old != new).unwrap_or(Rect {
                left: 0,
                top: 0,
                right: 1,
                bottom: 1,
            }),
        };
        rect.left -= rect.left % self.step;
        rect.top -= rect.top % self.step;

        let mut piece = Vec::with_capacity(rect.width() * rect.height() * 4);
        for y in rect.top..rect.bottom {
            let start = (y * width + rect.left) * 4;
            piece.extend_from_slice(&rgba[start..start + rect.width() * 4]);
        }
        self.before = Some(rgba);
        ChangedRegion { rect, rgba: piece }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_covers_every_changed_pixel_and_starts_on_an_allowed_offset() {
        let mut picture = Picture::new(9, 7, vec![255; 9 * 7 * 4]).unwrap();
        let mut changes = FrameDiff::new(2);
        assert_eq!(changes.push(&picture).size(), (9, 7));
        picture.rgba_mut()[(3 * 9 + 5) * 4] = 1;
        picture.rgba_mut()[(4 * 9 + 6) * 4 + 3] = 9;
        let piece = changes.push(&picture.clone().with_alpha(true));
        let Rect { left, top, .. } = piece.rect;
        assert_eq!(((left, top), piece.size()), ((4, 2), (3, 3)));
        assert_eq!(piece.rgba[(3 + 1) * 4], 1);
        assert!(!piece.is_opaque());
        // If the picture has no alpha channel, its alpha values are ignored.
        let piece = changes.push(&picture.with_alpha(false));
        assert_eq!(piece.size(), (1, 1));
        assert!(piece.is_opaque());
    }
}
