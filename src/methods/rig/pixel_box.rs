//! A pixel-aligned bounding box.

use super::image::{Image, coverage};
use super::openings::Opening;

/// Margin around the lips, in pixels.
pub(super) const MARGIN: f32 = 4.0;

/// A box of whole pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct PixelBox {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
}

impl PixelBox {
    /// The bounding box of some points with a margin, clipped to the picture; `None` if it is less than 3 pixels wide or
    /// high.
    pub fn around<'a>(
        points: impl Iterator<Item = &'a [f32; 2]>,
        margin: f32,
        width: usize,
        height: usize,
    ) -> Option<Self> {
        let (mut low, mut high) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        for point in points {
            for k in 0..2 {
                low[k] = low[k].min(point[k]);
                high[k] = high[k].max(point[k]);
            }
        }
        let first =
            |k: usize, end: usize| (low[k] - margin).floor().clamp(0.0, end as f32) as usize;
        let last = |k: usize, end: usize| (high[k] + margin).ceil().clamp(0.0, end as f32) as usize;
        let (left, top) = (first(0, width), first(1, height));
        let (width, height) = (
            last(0, width).saturating_sub(left),
            last(1, height).saturating_sub(top),
        );
        (width >= 3 && height >= 3).then_some(Self {
            left,
            top,
            width,
            height,
        })
    }

    /// Translates a line to the box's coordinates.
    pub fn shifted(&self, line: &[[f32; 2]]) -> Vec<[f32; 2]> {
        line.iter()
            .map(|[x, y]| [x - self.left as f32, y - self.top as f32])
            .collect()
    }

    /// The fraction of each of its pixels that an opening covers.
    pub fn covered(&self, opening: &Opening) -> Image<f32> {
        coverage(&self.shifted(&opening.polygon()), self.width, self.height)
    }
}
