//! How pictures are cut into tiles, and where eight of them lie.

use super::super::simd::LANES;
use super::form::Form;

/// How pictures are cut into tiles, counted row by row and picture by picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub form: Form,
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
        form: Form,
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
pub(super) struct Place {
    pub picture: usize,
    pub row: usize,
    pub column: usize,
}

impl Place {
    /// The first tile of the first picture.
    pub const FIRST: Self = Self {
        picture: 0,
        row: 0,
        column: 0,
    };
}

/// Where eight tiles lie.
pub(super) enum Lanes {
    /// Beside one another, from here on.
    Row(Place),
    /// Anywhere; those behind the last tile nowhere.
    Any(Box<[Option<Place>; LANES]>),
}

impl Lanes {
    /// Where one of them lies.
    #[inline(always)]
    pub fn place(&self, lane: usize) -> Option<Place> {
        match self {
            Self::Row(place) => Some(Place {
                column: place.column + lane,
                ..*place
            }),
            Self::Any(places) => places[lane],
        }
    }
}
