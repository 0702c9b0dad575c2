//! Splits pictures into groups of tile rows that stay in the cache.

use super::super::simd::LANES;
use super::grid::{Grid, Lanes, TilePosition};

/// A group of tile rows of one picture, or of whole pictures.
pub(super) struct TileRows<'a> {
    /// The first picture and the first row of tiles.
    pub picture: usize,
    pub row: usize,
    pub tiles: usize,
    /// The part of each output channel that this group writes.
    pub channels: Vec<Channel<'a>>,
}

impl TileRows<'_> {
    /// The position of a tile.
    fn place(&self, grid: &Grid, tile: usize) -> TilePosition {
        let each = grid.rows * grid.columns;
        let tile = self.picture * each + self.row * grid.columns + tile;
        TilePosition {
            picture: tile / each,
            row: tile % each / grid.columns,
            column: tile % grid.columns,
        }
    }

    /// Eight tiles from tile `first` on.
    pub fn lanes(&self, grid: &Grid, first: usize) -> Lanes {
        let place = |tile: usize| self.place(grid, tile);
        let count = self.tiles.saturating_sub(first).min(LANES);
        let start = place(first);
        if count == LANES && start.column + LANES <= grid.columns {
            return Lanes::Row(start);
        }
        Lanes::Any(Box::new(std::array::from_fn(|l| {
            (l < count).then(|| place(first + l))
        })))
    }
}

/// One output channel's part of a group of tile rows.
pub(super) struct Channel<'a> {
    /// The picture of the first plane, and the picture's row at which the planes begin.
    pub from: (usize, usize),
    /// One per picture.
    pub planes: Vec<&'a mut [f32]>,
    pub edges: Edges<'a>,
}

impl Channel<'_> {
    /// Row `y` of a picture, of this width, if it is in these tile rows or their edges. It may be one above the picture.
    #[inline(always)]
    pub fn row(&mut self, width: usize, picture: usize, y: isize) -> Option<&mut [f32]> {
        let plane = &mut *self.planes[picture - self.from.0];
        let y = y - self.from.1 as isize;
        if y < 0 {
            return (!self.edges.above.is_empty()).then_some(&mut *self.edges.above);
        }
        let at = y as usize * width;
        if at < plane.len() {
            return Some(&mut plane[at..at + width]);
        }
        let after = at == plane.len() && !self.edges.below.is_empty();
        after.then_some(&mut *self.edges.below)
    }
}

/// What a channel adds to the adjacent groups: one row each, empty if there is no such group or it gets nothing.
#[derive(Default)]
pub(super) struct Edges<'a> {
    pub above: &'a mut [f32],
    pub below: &'a mut [f32],
}

/// The sizes of the groups of tile rows, all equal except the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct TileRowGroups {
    /// More than one only if each group holds whole pictures.
    pictures: usize,
    /// Rows of tiles.
    rows: usize,
    /// Groups per picture.
    parts: usize,
}

impl TileRowGroups {
    /// Groups of about `capacity` tiles.
    pub fn new(grid: &Grid, capacity: usize) -> Self {
        let tile_rows = grid.rows * grid.pictures;
        let most = (capacity / grid.columns).clamp(1, tile_rows);
        let (pictures, rows) = if most >= grid.rows {
            let most = most / grid.rows;
            let groups = grid.pictures.div_ceil(most.min(grid.pictures));
            (grid.pictures.div_ceil(groups), grid.rows)
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

    /// The number of values in all edges of this many outputs.
    pub fn edges(&self, grid: &Grid, outputs: usize) -> usize {
        grid.pictures * outputs * (self.parts - 1) * 2 * grid.out_width
    }

    /// The groups of tile rows of a result of this many outputs; `edges` is empty or has [`TileRowGroups::edges`] values.
    pub fn tile_rows<'a>(
        &self,
        grid: &Grid,
        outputs: usize,
        out: &'a mut [f32],
        edges: &'a mut [f32],
    ) -> Vec<TileRows<'a>> {
        let plane = grid.out_height * grid.out_width;
        let slab = self.rows * grid.form.side() * grid.out_width;
        let mut edges = edges.chunks_exact_mut(grid.out_width);
        let mut all_rows: Vec<TileRows<'a>> = Vec::new();
        for (i, planes) in out.chunks_mut(self.pictures * outputs * plane).enumerate() {
            let (start, picture) = (all_rows.len(), i * self.pictures);
            let pictures = planes.len() / (outputs * plane);
            all_rows.extend((0..self.parts).map(|k| {
                let row = k * self.rows;
                let channel = |_| Channel {
                    from: (picture, row * grid.form.side()),
                    planes: Vec::with_capacity(pictures),
                    edges: Edges::default(),
                };
                TileRows {
                    picture,
                    row,
                    tiles: pictures * self.rows.min(grid.rows - row) * grid.columns,
                    channels: (0..outputs).map(channel).collect(),
                }
            }));
            for (j, plane) in planes.chunks_mut(plane).enumerate() {
                let parts = plane.chunks_mut(slab).zip(&mut all_rows[start..]);
                for (slab, tile_rows) in parts {
                    tile_rows.channels[j % outputs].planes.push(slab);
                }
                // In the order in which `add_edges` reads them.
                for k in 1..self.parts {
                    let above = edges.next().unwrap_or_default();
                    let below = edges.next().unwrap_or_default();
                    all_rows[start + k].channels[j % outputs].edges.above = above;
                    all_rows[start + k - 1].channels[j % outputs].edges.below = below;
                }
            }
        }
        all_rows
    }

    /// Adds the edges to the picture, then clamps these rows to `floor` from below.
    pub fn add_edges(&self, grid: &Grid, out: &mut [f32], edges: &[f32], floor: f32) {
        let width = grid.out_width;
        let plane = grid.out_height * width;
        let slab = self.rows * grid.form.side() * width;
        let each = ((self.parts - 1) * 2 * width).max(1);
        for (plane, edges) in out.chunks_exact_mut(plane).zip(edges.chunks_exact(each)) {
            for (k, edges) in edges.chunks_exact(2 * width).enumerate() {
                let rows = &mut plane[(k + 1) * slab - width..][..2 * width];
                for (value, edge) in rows.iter_mut().zip(edges) {
                    let sum = *value + edge;
                    *value = if floor > sum { floor } else { sum };
                }
            }
        }
    }
}
