//! The rectangle in which the head's surface is drawn, divided into blocks.

use std::ops::Range;

use super::continuation::BlockMeans;
use super::image::{Image, Sample};
use super::model::Model;
use super::raster::BAND;
use super::scene::Deformed;

/// A rectangle of pixels divided into blocks of `size` pixels a side; blocks at the picture's right and lower edge may be
/// partial.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
    pub size: usize,
}

impl Window {
    pub fn whole(width: usize, height: usize) -> Self {
        Self {
            left: 0,
            top: 0,
            width,
            height,
            size: 1,
        }
    }

    /// The bounding box of all triangles with a vertex in the core; `None` if it is outside the picture.
    pub fn around(
        model: &Model,
        is_core: impl Fn(usize) -> bool,
        deformed: &Deformed,
        size: usize,
        width: usize,
        height: usize,
    ) -> Option<Self> {
        let mut low = [f32::INFINITY; 2];
        let mut high = [f32::NEG_INFINITY; 2];
        for corners in &model.skin_triangles {
            if corners.iter().any(|corner| is_core(*corner as usize)) {
                for corner in corners {
                    let point = deformed.points[*corner as usize];
                    for k in 0..2 {
                        low[k] = low[k].min(point[k]);
                        high[k] = high[k].max(point[k]);
                    }
                }
            }
        }
        let range = |k: usize, pixels: usize| {
            let first = low[k].floor().max(0.0);
            let end = high[k].ceil().min(pixels as f32);
            let aligned = |first: usize| first / size * size;
            (first < end).then(|| (aligned(first as usize), end as usize))
        };
        let ((left, right), (top, bottom)) = (range(0, width)?, range(1, height)?);
        Some(Self {
            left,
            top,
            width: right - left,
            height: bottom - top,
            size,
        })
    }

    pub fn columns(self) -> Range<usize> {
        self.left..self.left + self.width
    }

    pub fn rows(self) -> Range<usize> {
        self.top..self.top + self.height
    }

    /// Number of blocks across and down.
    pub fn blocks(self) -> (usize, usize) {
        (
            self.width.div_ceil(self.size),
            self.height.div_ceil(self.size),
        )
    }

    /// Averages blocks over cells of `cell` pixels a side, on a grid that starts at the picture's first pixel. A block
    /// that overlaps two cells is divided between them. Cells aren't smaller than blocks.
    pub fn cells(
        self,
        means: &Image<BlockMeans>,
        cell: usize,
        width: usize,
        height: usize,
    ) -> Image<BlockMeans> {
        // The first cell of a block, and the fractions of that cell and the next that the block covers along an axis.
        let overlap = |pixel: usize| {
            let first = pixel / cell;
            let inside = ((first + 1) * cell - pixel).min(self.size);
            let shares = [inside, self.size - inside].map(|length| length as f32 / cell as f32);
            (first, shares)
        };
        let columns: Vec<(usize, [f32; 2])> = (0..means.width)
            .map(|i| overlap(self.left + i * self.size))
            .collect();
        let mut cells = Image::filled(width, height, BlockMeans::default());
        for j in 0..means.height {
            let (first, down) = overlap(self.top + j * self.size);
            for (line, down) in (first..height).zip(down) {
                let to = &mut cells.pixels[line * width..][..width];
                for (mean, (first, across)) in means.row(j).iter().zip(&columns) {
                    for (cell, across) in to[*first..].iter_mut().zip(across) {
                        *cell = cell.plus(*mean, across * down);
                    }
                }
            }
        }
        cells
    }
}

/// Side of the blocks on which the core's displacement is smoothed, in pixels: a power of two such that a centimetre has
/// 8 to 16 blocks.
pub(super) fn block_size(pixels_per_cm: f32) -> usize {
    let most = (pixels_per_cm / 8.0).clamp(1.0, BAND as f32) as usize;
    1 << most.ilog2()
}
