//! A contact sheet: pictures in rows and columns, each with two lines of text above it.

use crate::error::EngineError;
use crate::media::image::Picture;
use crate::render::lettering::Lettering;

const GROUND: [u8; 3] = [0x13, 0x14, 0x16];
const TEXT: [u8; 3] = [0xe4, 0xe5, 0xe7];
const DIM: [u8; 3] = [0x90, 0x96, 0xa0];

/// Pixels between panes.
const GAP: u32 = 6;

/// Maximum panes per row when the number of columns isn't given.
const WIDE: usize = 6;

/// The text above a pane: a name, and a note.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Label {
    pub name: String,
    pub note: String,
}

/// Panes of one size in rows and columns.
pub(crate) struct Grid {
    /// Width and height of a pane in pixels.
    pane: (u32, u32),
    columns: u32,
    rows: u32,
    lettering: Option<Lettering>,
    /// Line height of the text in pixels.
    line: u32,
    /// Whether names appear only above the first row.
    headed: bool,
}

impl Grid {
    /// Lays out `panes` panes of `(width, height)` pixels with labels, in `columns` columns or a balanced number of them.
    ///
    /// # Errors
    /// [`EngineError::Output`] only if the program was built with a damaged font.
    pub fn new(
        pane: (u32, u32),
        panes: usize,
        columns: Option<usize>,
        labels: bool,
    ) -> Result<Self, EngineError> {
        let panes = panes.max(1);
        let even = panes.div_ceil(panes.div_ceil(WIDE));
        let columns = columns.unwrap_or(even).clamp(1, panes);
        Self::of(pane, (columns, panes.div_ceil(columns)), labels, false)
    }

    /// Lays out `frames` rows, each a frame of all panes; names appear only above the first row.
    ///
    /// # Errors
    /// [`EngineError::Output`] only if the program was built with a damaged font.
    pub fn of_frames(
        pane: (u32, u32),
        panes: usize,
        frames: usize,
        labels: bool,
    ) -> Result<Self, EngineError> {
        Self::of(pane, (panes, frames), labels, true)
    }

    fn of(
        pane: (u32, u32),
        (columns, rows): (usize, usize),
        labels: bool,
        headed: bool,
    ) -> Result<Self, EngineError> {
        let pixels = (pane.0 as f32 * 0.06).clamp(8.0, 28.0);
        Ok(Self {
            pane,
            columns: columns as u32,
            rows: rows as u32,
            lettering: labels.then(|| Lettering::new(pixels)).transpose()?,
            line: (pixels * 1.15).ceil() as u32,
            headed,
        })
    }

    /// Returns `(width, height)` of the sheet in pixels.
    pub fn size(&self) -> (u32, u32) {
        let (width, _) = self.pane;
        (self.columns * (width + GAP) + GAP, self.top(self.rows))
    }

    /// Returns the top of a row, including its text.
    fn top(&self, row: u32) -> u32 {
        let (_, height) = self.pane;
        let above: u32 = (0..row).map(|row| self.strip(row) + height + GAP).sum();
        GAP + above
    }

    /// Returns the height of the text above a row in pixels.
    fn strip(&self, row: u32) -> u32 {
        match self.lettering {
            None => 0,
            Some(_) if self.headed && row > 0 => self.line + GAP / 2,
            Some(_) => 2 * self.line + GAP / 2,
        }
    }

    /// Returns an empty sheet.
    ///
    /// # Errors
    /// Never: the sizes are valid for a picture.
    pub fn blank(&self) -> Result<Picture, EngineError> {
        let (width, height) = self.size();
        let [r, g, b] = GROUND;
        let rgba = [r, g, b, 255].repeat(width as usize * height as usize);
        Ok(Picture::new(width, height, rgba)?)
    }

    /// Returns a sheet with these panes and their labels, in row-major order.
    ///
    /// # Errors
    /// Never: the sizes are valid for a picture.
    pub fn filled(&self, panes: &[Picture], labels: &[Label]) -> Result<Picture, EngineError> {
        let mut sheet = self.blank()?;
        for (place, (pane, label)) in panes.iter().zip(labels).enumerate() {
            self.put(&mut sheet, place, pane, label);
        }
        Ok(sheet)
    }

    /// Draws a pane, by its row-major index, with its label above it. A pane larger than the grid's is cropped; an index
    /// outside the grid is ignored.
    pub fn put(&self, sheet: &mut Picture, place: usize, pane: &Picture, label: &Label) {
        let (row, column) = (place as u32 / self.columns, place as u32 % self.columns);
        if row >= self.rows {
            return;
        }
        let left = GAP + column * (self.pane.0 + GAP);
        let mut top = self.top(row);
        if let Some(lettering) = &self.lettering {
            let mut at = top;
            if !self.headed || row == 0 {
                lettering.draw(sheet, (left, at), self.pane.0, TEXT, &label.name);
                at += self.line;
            }
            lettering.draw(sheet, (left, at), self.pane.0, DIM, &label.note);
        }
        top += self.strip(row);
        let pitch = sheet.width() as usize * 4;
        let line = pane.width() as usize * 4;
        let copied_bytes = pane.width().min(self.pane.0) as usize * 4;
        let rgba = sheet.rgba_mut();
        let rows = pane.rgba().chunks_exact(line).take(self.pane.1 as usize);
        for (y, pixels) in rows.enumerate() {
            let start = (top as usize + y) * pitch + left as usize * 4;
            rgba[start..start + copied_bytes].copy_from_slice(&pixels[..copied_bytes]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PANE: (u32, u32) = (100, 80);
    const AREA: usize = 8000;

    fn flat(colour: [u8; 3]) -> Picture {
        let [r, g, b] = colour;
        Picture::new(PANE.0, PANE.1, [r, g, b, 255].repeat(AREA)).unwrap()
    }

    fn label(name: &str, note: &str) -> Label {
        Label {
            name: name.to_owned(),
            note: note.to_owned(),
        }
    }

    fn count(sheet: &Picture, colour: [u8; 3]) -> usize {
        let pixels = sheet.rgba().chunks_exact(4);
        pixels.filter(|pixel| pixel[..3] == colour).count()
    }

    #[test]
    fn panes_are_arranged_in_rows_of_even_length() {
        let grid = |panes, columns| Grid::new(PANE, panes, columns, true).unwrap();
        let even = [3, 5, 6, 7, 8, 12, 13].map(|panes| grid(panes, None).columns);
        assert_eq!(even, [3, 5, 6, 4, 4, 6, 5]);
        let two = grid(5, Some(2));
        assert_eq!((two.columns, two.rows), (2, 3));
        assert_eq!(grid(5, Some(40)).columns, 5);
        assert_eq!(grid(0, None).columns, 1);
    }

    #[test]
    fn every_pane_is_shown_in_full_under_its_label() {
        let grid = Grid::new(PANE, 12, None, true).unwrap();
        let panes: Vec<Picture> = (0..12).map(|place| flat([10 * place, 200, 0])).collect();
        let labels = vec![label("TPS", "12 ms"); 12];
        let sheet = grid.filled(&panes, &labels).unwrap();
        assert_eq!(grid.size(), sheet.size());
        for place in 0..12 {
            assert_eq!(count(&sheet, [10 * place, 200, 0]), AREA, "{place}");
        }
        // The rest is background and text.
        let others = (sheet.width() * sheet.height()) as usize - 12 * AREA;
        let ground = count(&sheet, GROUND);
        assert!(ground < others && ground > others * 8 / 10);
    }

    #[test]
    fn without_labels_no_space_is_reserved_for_text() {
        let grid = Grid::new(PANE, 2, None, false).unwrap();
        assert_eq!(grid.size(), (2 * 106 + 6, 92));
        let mut sheet = grid.blank().unwrap();
        grid.put(&mut sheet, 1, &flat([9, 9, 9]), &label("TPS", "12 ms"));
        let (ground, pane) = (count(&sheet, GROUND), count(&sheet, [9, 9, 9]));
        assert_eq!((ground + pane, pane), (218 * 92, AREA));
    }

    #[test]
    fn a_grid_of_frames_labels_only_its_first_row() {
        let grid = Grid::of_frames(PANE, 2, 3, true).unwrap();
        assert!(grid.strip(0) > grid.strip(1) && grid.strip(1) > 0);
        let mut sheet = grid.blank().unwrap();
        grid.put(&mut sheet, 5, &flat([9, 9, 9]), &label("TPS", ""));
        let inked = sheet.rgba().chunks_exact(4).filter(|p| p[..3] != GROUND);
        assert_eq!(inked.count(), AREA);
    }

    #[test]
    fn panes_beyond_the_grid_are_skipped() {
        let grid = Grid::new((20, 20), 2, None, false).unwrap();
        let mut sheet = grid.blank().unwrap();
        grid.put(&mut sheet, 1, &flat([9, 9, 9]), &Label::default());
        grid.put(&mut sheet, 2, &flat([8, 8, 8]), &Label::default());
        assert_eq!(count(&sheet, [9, 9, 9]), 400);
        assert_eq!(count(&sheet, [8, 8, 8]), 0);
    }
}
