//! How pictures are cut into bands of tiles that stay in the cache.

use super::tiles::Grid;

/// Some rows of tiles of one picture, or some pictures.
pub(super) struct Band<'a> {
    /// The first picture and the first row of tiles.
    pub picture: usize,
    pub row: usize,
    pub tiles: usize,
    /// What is to be written of each output.
    pub channels: Vec<Channel<'a>>,
}

/// One output's share of a band.
pub(super) struct Channel<'a> {
    /// The picture of the first plane, and the row of the picture that the planes begin with.
    pub from: (usize, usize),
    /// One a picture.
    pub planes: Vec<&'a mut [f32]>,
    pub seams: Seams<'a>,
}

impl Channel<'_> {
    /// A picture's row `y` of this width, if it is in the band or its seams. It may be one above the picture.
    #[inline(always)]
    pub fn row(&mut self, width: usize, picture: usize, y: isize) -> Option<&mut [f32]> {
        let plane = &mut *self.planes[picture - self.from.0];
        let y = y - self.from.1 as isize;
        if y < 0 {
            return (!self.seams.above.is_empty()).then_some(&mut *self.seams.above);
        }
        let at = y as usize * width;
        if at < plane.len() {
            return Some(&mut plane[at..at + width]);
        }
        let after = at == plane.len() && !self.seams.below.is_empty();
        after.then_some(&mut *self.seams.below)
    }
}

/// What a channel adds to the neighbouring bands: one row each, empty where there is no neighbour or it gets nothing.
#[derive(Default)]
pub(super) struct Seams<'a> {
    pub above: &'a mut [f32],
    pub below: &'a mut [f32],
}

/// The sizes of bands, all alike but the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// More than one only if they are whole.
    pictures: usize,
    /// Rows of tiles.
    rows: usize,
    /// Bands that one picture is cut into.
    parts: usize,
}

impl Cut {
    /// Bands of about `room` tiles.
    pub fn new(grid: &Grid, room: usize) -> Self {
        let tile_rows = grid.rows * grid.pictures;
        let most = (room / grid.columns).clamp(1, tile_rows);
        let (pictures, rows) = if most >= grid.rows {
            let most = most / grid.rows;
            let bands = grid.pictures.div_ceil(most.min(grid.pictures));
            (grid.pictures.div_ceil(bands), grid.rows)
        } else {
            (1, grid.rows.div_ceil(grid.rows.div_ceil(most)))
        };
        let parts = grid.rows.div_ceil(rows);
        Self {
            pictures,
            rows,
            parts,
        }
    }

    /// Values of all seams of so many outputs.
    pub fn seams(&self, grid: &Grid, outputs: usize) -> usize {
        grid.pictures * outputs * (self.parts - 1) * 2 * grid.out_width
    }

    /// The bands of a result of so many outputs; `seams` is empty or of [`Cut::seams`].
    pub fn bands<'a>(
        &self,
        grid: &Grid,
        outputs: usize,
        out: &'a mut [f32],
        seams: &'a mut [f32],
    ) -> Vec<Band<'a>> {
        let plane = grid.out_height * grid.out_width;
        let slab = self.rows * grid.form.side() * grid.out_width;
        let mut seams = seams.chunks_exact_mut(grid.out_width);
        let mut bands: Vec<Band<'a>> = Vec::new();
        for (i, planes) in out.chunks_mut(self.pictures * outputs * plane).enumerate() {
            let (start, picture) = (bands.len(), i * self.pictures);
            let pictures = planes.len() / (outputs * plane);
            bands.extend((0..self.parts).map(|k| {
                let row = k * self.rows;
                let channel = |_| Channel {
                    from: (picture, row * grid.form.side()),
                    planes: Vec::with_capacity(pictures),
                    seams: Seams::default(),
                };
                Band {
                    picture,
                    row,
                    tiles: pictures * self.rows.min(grid.rows - row) * grid.columns,
                    channels: (0..outputs).map(channel).collect(),
                }
            }));
            for (j, plane) in planes.chunks_mut(plane).enumerate() {
                let parts = plane.chunks_mut(slab).zip(&mut bands[start..]);
                for (slab, band) in parts {
                    band.channels[j % outputs].planes.push(slab);
                }
                // In the order in which `join` takes them.
                for k in 1..self.parts {
                    let above = seams.next().unwrap_or_default();
                    let below = seams.next().unwrap_or_default();
                    bands[start + k].channels[j % outputs].seams.above = above;
                    bands[start + k - 1].channels[j % outputs].seams.below = below;
                }
            }
        }
        bands
    }

    /// Adds what bands left in their seams, and lets no value there be less than `floor`.
    pub fn join(&self, grid: &Grid, out: &mut [f32], seams: &[f32], floor: f32) {
        let width = grid.out_width;
        let plane = grid.out_height * width;
        let slab = self.rows * grid.form.side() * width;
        let each = ((self.parts - 1) * 2 * width).max(1);
        for (plane, seams) in out.chunks_exact_mut(plane).zip(seams.chunks_exact(each)) {
            for (k, seams) in seams.chunks_exact(2 * width).enumerate() {
                let rows = &mut plane[(k + 1) * slab - width..][..2 * width];
                for (value, seam) in rows.iter_mut().zip(seams) {
                    let sum = *value + seam;
                    *value = if floor > sum { floor } else { sum };
                }
            }
        }
    }
}
