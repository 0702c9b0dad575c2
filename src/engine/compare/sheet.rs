//! The picture in which panes stand side by side, each with two lines above it that say what it is.

use super::super::EngineError;
use super::super::lettering::Lettering;
use super::super::render::square;
use super::Comparison;
use crate::face::{TurnedSquare, network_input};
use crate::media::Picture;
use crate::studio::Crop;

const GROUND: [u8; 3] = [0x13, 0x14, 0x16];
const TEXT: [u8; 3] = [0xe4, 0xe5, 0xe7];
const DIM: [u8; 3] = [0x90, 0x96, 0xa0];

/// Pixels between panes.
const GAP: u32 = 6;

/// More panes than these in a row make another.
const WIDE: usize = 6;

/// How a comparison is laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sheet {
    /// Pixels a side of a pane.
    pub size: u32,
    /// Panes in a row of a moving sheet; as many as look well where it isn't said.
    pub columns: Option<usize>,
    /// Frames that a still sheet shows, from top to bottom.
    pub rows: usize,
    /// Whether every pane says what it is.
    pub labels: bool,
}

/// What stands above a pane: a name, and what is to be known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Label {
    pub name: String,
    pub note: String,
}

/// Panes of one size in rows and columns.
pub(super) struct Canvas {
    size: u32,
    columns: u32,
    rows: u32,
    lettering: Option<Lettering>,
    /// Pixels of a line of text.
    line: u32,
    /// Whether labels stand above the first row alone.
    headed: bool,
}

impl Canvas {
    /// The canvas of a moving sheet of so many panes.
    ///
    /// # Errors
    /// [`EngineError::Refused`] only for a program built with a damaged font.
    pub fn moving(sheet: Sheet, panes: usize) -> Result<Self, EngineError> {
        let even = panes.div_ceil(panes.div_ceil(WIDE));
        let columns = sheet.columns.unwrap_or(even).clamp(1, panes.max(1));
        Self::new(sheet, (columns, panes.div_ceil(columns)), false)
    }

    /// The canvas of a still sheet: so many frames, each a row of panes.
    ///
    /// # Errors
    /// [`EngineError::Refused`] only for a program built with a damaged font.
    pub fn still(sheet: Sheet, panes: usize, frames: usize) -> Result<Self, EngineError> {
        Self::new(sheet, (panes, frames), true)
    }

    fn new(
        sheet: Sheet,
        (columns, rows): (usize, usize),
        headed: bool,
    ) -> Result<Self, EngineError> {
        let pixels = (sheet.size as f32 * 0.06).clamp(8.0, 28.0);
        let lettering = sheet.labels.then(|| Lettering::new(pixels)).transpose()?;
        Ok(Self {
            size: sheet.size,
            columns: columns as u32,
            rows: rows as u32,
            lettering,
            line: (pixels * 1.15).ceil() as u32,
            headed,
        })
    }

    /// `(width, height)` in pixels.
    pub fn frame_size(&self) -> (u32, u32) {
        let height: u32 = (0..self.rows)
            .map(|row| self.strip(row) + self.size + GAP)
            .sum();
        (self.columns * (self.size + GAP) + GAP, height + GAP)
    }

    /// Pixels of the text above a row.
    fn strip(&self, row: u32) -> u32 {
        match self.lettering {
            None => 0,
            Some(_) if self.headed && row > 0 => self.line + GAP / 2,
            Some(_) => 2 * self.line + GAP / 2,
        }
    }

    /// An empty sheet.
    ///
    /// # Errors
    /// [`EngineError::Media`] never: the sizes make a picture.
    pub fn blank(&self) -> Result<Picture, EngineError> {
        let (width, height) = self.frame_size();
        let [r, g, b] = GROUND;
        let rgba = [r, g, b, 255].repeat(width as usize * height as usize);
        Ok(Picture::new(width, height, rgba)?)
    }

    /// Puts a pane of the canvas' size in its place, counted along the rows, with its label above it.
    pub fn put(&self, sheet: &mut Picture, place: usize, pane: &Picture, label: &Label) {
        let (row, column) = (place as u32 / self.columns, place as u32 % self.columns);
        let left = GAP + column * (self.size + GAP);
        let above: u32 = (0..row).map(|row| self.strip(row) + self.size + GAP).sum();
        let top = GAP + above;
        if let Some(lettering) = &self.lettering {
            let mut at = top;
            if !self.headed || row == 0 {
                lettering.draw(sheet, (left, at), self.size, TEXT, &label.name);
                at += self.line;
            }
            lettering.draw(sheet, (left, at), self.size, DIM, &label.note);
        }
        let pitch = sheet.width() as usize * 4;
        let line = pane.width() as usize * 4;
        let top = (top + self.strip(row)) as usize;
        let rgba = sheet.rgba_mut();
        for (y, pixels) in pane.rgba().chunks_exact(line).enumerate() {
            let start = (top + y) * pitch + left as usize * 4;
            rgba[start..start + line].copy_from_slice(pixels);
        }
    }
}

/// The square that is shown of the portrait: the largest that a contender sees; and the number of that contender.
pub(super) fn shown(comparison: &Comparison) -> (Crop, usize) {
    let crops = comparison.standings.iter().map(|s| s.document.crop);
    let mut largest = (Crop::default(), 0);
    for (i, crop) in crops.enumerate() {
        if i == 0 || crop.side > largest.0.side {
            largest = (crop, i);
        }
    }
    largest
}

/// A square of a picture, so many pixels a side.
///
/// # Errors
/// [`EngineError::Network`] when it doesn't lie within the picture.
pub(super) fn cut(
    picture: &Picture,
    place: impl Into<TurnedSquare>,
    size: u32,
) -> Result<Picture, EngineError> {
    let planes = network_input(picture, place, size as usize)
        .map_err(|error| EngineError::Network(error.to_string()))?;
    let area = size as usize * size as usize;
    let level = |value: f32| (value * 127.5 + 127.5).round() as u8;
    let rgba = (0..area)
        .flat_map(|i| {
            let [r, g, b] = [0, 1, 2].map(|c| level(planes[c * area + i]));
            [r, g, b, 255]
        })
        .collect();
    Ok(Picture::new(size, size, rgba)?)
}

/// [`cut`] of the square that a document's crop is.
///
/// # Errors
/// [`EngineError::Network`] when it doesn't lie within the picture.
pub(super) fn cut_crop(picture: &Picture, crop: Crop, size: u32) -> Result<Picture, EngineError> {
    cut(picture, square(crop), size)
}

/// So many of a number of things, evenly spread, the first and the last among them.
pub(super) fn spread(count: usize, wanted: usize) -> Vec<usize> {
    if wanted >= count {
        return (0..count).collect();
    }
    if wanted <= 1 {
        // The middle says more than an end.
        return vec![count / 2];
    }
    (0..wanted)
        .map(|i| (i * (count - 1) + (wanted - 1) / 2) / (wanted - 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHEET: Sheet = Sheet {
        size: 100,
        columns: None,
        rows: 3,
        labels: true,
    };

    fn flat(colour: [u8; 3]) -> Picture {
        let [r, g, b] = colour;
        Picture::new(100, 100, [r, g, b, 255].repeat(10_000)).unwrap()
    }

    fn label(name: &str, note: &str) -> Label {
        Label {
            name: name.to_owned(),
            note: note.to_owned(),
        }
    }

    #[test]
    fn panes_stand_in_rows_of_even_length() {
        let columns = |panes| Canvas::moving(SHEET, panes).unwrap().columns;
        assert_eq!([3, 5, 6, 7, 8, 13].map(columns), [3, 5, 6, 4, 4, 5]);
        let two = Sheet {
            columns: Some(2),
            ..SHEET
        };
        let canvas = Canvas::moving(two, 5).unwrap();
        assert_eq!((canvas.columns, canvas.rows), (2, 3));
        let many = Sheet {
            columns: Some(40),
            ..SHEET
        };
        assert_eq!(Canvas::moving(many, 5).unwrap().columns, 5);
    }

    #[test]
    fn every_pane_is_whole_and_labelled_above() {
        let canvas = Canvas::moving(SHEET, 7).unwrap();
        let mut sheet = canvas.blank().unwrap();
        let (width, height) = sheet.size();
        assert_eq!(canvas.frame_size(), (width, height));
        for place in 0..7 {
            let colour = [10 * place as u8, 200, 0];
            canvas.put(&mut sheet, place, &flat(colour), &label("TPS", "12 ms"));
        }
        let count = |colour: [u8; 3]| {
            let pixels = sheet.rgba().chunks_exact(4);
            pixels.filter(|pixel| pixel[..3] == colour).count()
        };
        for place in 0..7 {
            assert_eq!(count([10 * place as u8, 200, 0]), 10_000, "{place}");
        }
        // Seven panes are 70 000 pixels; the rest is ground and letters.
        let others = (width * height) as usize - 70_000;
        assert!(count(GROUND) < others && count(GROUND) > others * 8 / 10);
    }

    #[test]
    fn without_labels_there_is_no_text_and_no_room_for_it() {
        let bare = Sheet {
            labels: false,
            ..SHEET
        };
        let canvas = Canvas::moving(bare, 2).unwrap();
        assert_eq!(canvas.frame_size(), (2 * 106 + 6, 112));
        let mut sheet = canvas.blank().unwrap();
        canvas.put(&mut sheet, 1, &flat([9, 9, 9]), &label("TPS", "12 ms"));
        let pixels = sheet.rgba().chunks_exact(4);
        assert!(
            pixels
                .clone()
                .all(|p| p[..3] == GROUND || p[..3] == [9, 9, 9])
        );
    }

    #[test]
    fn a_still_sheet_has_names_above_its_first_row_alone() {
        let canvas = Canvas::still(SHEET, 2, 3).unwrap();
        assert!(canvas.strip(0) > canvas.strip(1) && canvas.strip(1) > 0);
        let mut sheet = canvas.blank().unwrap();
        canvas.put(&mut sheet, 5, &flat([9, 9, 9]), &label("TPS", ""));
        let inked = sheet.rgba().chunks_exact(4).filter(|p| p[..3] != GROUND);
        assert_eq!(inked.count(), 10_000);
    }

    proptest! {
        #[test]
        fn a_spread_is_even_and_reaches_both_ends(count in 1usize..300, wanted in 2usize..40) {
            let chosen = spread(count, wanted);
            prop_assert_eq!(chosen.len(), wanted.min(count));
            prop_assert_eq!((chosen[0], chosen[chosen.len() - 1]), (0, count - 1));
            let steps: Vec<usize> = chosen.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let (least, most) = (steps.iter().min(), steps.iter().max());
            prop_assert!(most.unwrap_or(&1) - least.unwrap_or(&1) <= 1);
            prop_assert_eq!(spread(count, 1), vec![if count == 1 { 0 } else { count / 2 }]);
        }
    }
}
