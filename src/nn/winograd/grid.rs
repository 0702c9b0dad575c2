//! The grid of tiles over pictures, and the positions of eight tiles.

use super::super::simd::LANES;
use super::form::ConvForm;

/// The grid of tiles over pictures; tiles are numbered row by row and picture by picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub form: ConvForm,
    pub pictures: usize,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub out_height: usize,
    pub out_width: usize,
    /// Rows and columns of tiles of one picture.
    pub rows: usize,
    pub columns: usize,
}

impl Grid {
    pub fn new(
        form: ConvForm,
        pictures: usize,
        channels: usize,
        (height, width): (usize, usize),
        (out_height, out_width): (usize, usize),
    ) -> Self {
        let side = form.side();
        Self {
            form,
            pictures,
            channels,
            height,
            width,
            out_height,
            out_width,
            rows: out_height.div_ceil(side),
            columns: out_width.div_ceil(side),
        }
    }

    /// One channel of a picture.
    #[inline(always)]
    pub fn plane<'a>(&self, x: &'a [f32], picture: usize, channel: usize) -> &'a [f32] {
        let len = self.height * self.width;
        &x[(picture * self.channels + channel) * len..][..len]
    }
}

#[derive(Clone, Copy)]
pub(super) struct TilePosition {
    pub picture: usize,
    pub row: usize,
    pub column: usize,
}

impl TilePosition {
    /// The first tile of the first picture.
    pub const FIRST: Self = Self {
        picture: 0,
        row: 0,
        column: 0,
    };
}

/// The positions of eight tiles.
pub(super) enum Lanes {
    /// Adjacent in one row, starting here.
    Row(TilePosition),
    /// Any positions; `None` after the last tile.
    Any(Box<[Option<TilePosition>; LANES]>),
}

impl Lanes {
    /// The position of one tile.
    #[inline(always)]
    pub fn place(&self, lane: usize) -> Option<TilePosition> {
        match self {
            Self::Row(place) => Some(TilePosition {
                column: place.column + lane,
                ..*place
            }),
            Self::Any(places) => places[lane],
        }
    }
}
