//! The part of a GIF frame that is written: the changed rectangle, and in it only the changed pixels.
//!
//! Differences are computed on the source pixels, so that a static area keeps its dither pattern and doesn't flicker. A
//! GIF frame can't make a drawn pixel transparent; for that, the frame before is set to clear its rectangle on
//! disposal.

/// A rectangle, in pixels, right and bottom exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rect {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) right: usize,
    pub(crate) bottom: usize,
}

impl Rect {
    pub(crate) fn width(&self) -> usize {
        self.right - self.left
    }

    pub(crate) fn height(&self) -> usize {
        self.bottom - self.top
    }

    fn union(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

/// A frame as written to the file.
#[derive(Clone, Debug)]
pub(crate) struct Patch {
    pub(crate) rect: Rect,
    /// `[rect.height, rect.width, 4]`; alpha is 255 where the patch draws and 0 where it keeps the old pixel.
    pub(crate) rgba: Vec<u8>,
    /// Hundredths of a second.
    pub(crate) delay: u16,
    /// Whether the rectangle becomes transparent on disposal.
    pub(crate) clears: bool,
}

impl Patch {
    /// Extends the frame to a rectangle that also covers `other`.
    fn grow(&mut self, other: Rect) {
        let rect = self.rect.union(other);
        if rect == self.rect {
            return;
        }
        let mut rgba = vec![0; rect.width() * rect.height() * 4];
        let (from_row, to_row) = (self.rect.width() * 4, rect.width() * 4);
        let offset = (self.rect.left - rect.left) * 4;
        for (y, row) in self.rgba.chunks_exact(from_row).enumerate() {
            let start = (y + self.rect.top - rect.top) * to_row + offset;
            rgba[start..start + from_row].copy_from_slice(row);
        }
        self.rect = rect;
        self.rgba = rgba;
    }
}

/// What a player displays, in source pixels. The last frame is held back because the next one decides its disposal.
pub(crate) struct Canvas {
    width: usize,
    tolerance: u8,
    /// `[height, width, 4]`, alpha 0 or 255.
    displayed: Vec<u8>,
    pending: Option<Patch>,
}

impl Canvas {
    pub(crate) fn new(width: usize, height: usize, tolerance: u8) -> Self {
        Self {
            width,
            tolerance,
            displayed: vec![0; width * height * 4],
            pending: None,
        }
    }

    /// Takes the next frame, `[height, width, 4]` with an alpha of 0 or 255 only, and returns the one before it.
    pub(crate) fn push(&mut self, frame: &[u8], delay: u16) -> Option<Patch> {
        let full = Rect {
            left: 0,
            top: 0,
            right: self.width,
            bottom: frame.len() / 4 / self.width,
        };
        let mut before = self.pending.take();

        let rect = match before.as_mut() {
            None => full,
            Some(before) => {
                if let Some(vanished) = self.bounds(frame, |old, new| old[3] != 0 && new[3] == 0) {
                    before.grow(vanished);
                    before.clears = true;
                    self.clear(before.rect);
                }
                let tolerance = self.tolerance;
                // An unchanged frame has a duration too, so it is written as a single pixel.
                self.bounds(frame, |old, new| differ(old, new, tolerance))
                    .unwrap_or(Rect {
                        left: 0,
                        top: 0,
                        right: 1,
                        bottom: 1,
                    })
            }
        };
        let rgba = self.draw(frame, rect);
        self.pending = Some(Patch {
            rect,
            rgba,
            delay,
            clears: false,
        });
        before
    }

    /// Returns the last frame.
    pub(crate) fn finish(&mut self) -> Option<Patch> {
        self.pending.take()
    }

    /// The smallest rectangle of all pixels for which `is_in(shown, new)`.
    fn bounds(&self, frame: &[u8], is_in: impl Fn(&[u8], &[u8]) -> bool) -> Option<Rect> {
        bounds(&self.displayed, frame, self.width, is_in)
    }

    fn clear(&mut self, rect: Rect) {
        for y in rect.top..rect.bottom {
            let start = (y * self.width + rect.left) * 4;
            self.displayed[start..start + rect.width() * 4].fill(0);
        }
    }

    /// Draws the pixels that differ, and returns them with all others transparent.
    fn draw(&mut self, frame: &[u8], rect: Rect) -> Vec<u8> {
        let mut patch = vec![0; rect.width() * rect.height() * 4];
        for y in 0..rect.height() {
            let start = ((y + rect.top) * self.width + rect.left) * 4;
            let span = start..start + rect.width() * 4;
            let row = &mut patch[y * rect.width() * 4..(y + 1) * rect.width() * 4];
            for ((old, new), out) in self.displayed[span.clone()]
                .chunks_exact_mut(4)
                .zip(frame[span].chunks_exact(4))
                .zip(row.chunks_exact_mut(4))
            {
                if differ(old, new, self.tolerance) {
                    old.copy_from_slice(new);
                    out.copy_from_slice(new);
                }
            }
        }
        patch
    }
}

/// The smallest rectangle of all pixels for which `is_in(old, new)`, in two pictures `[height, width, 4]`.
pub(crate) fn bounds(
    old: &[u8],
    new: &[u8],
    width: usize,
    is_in: impl Fn(&[u8], &[u8]) -> bool,
) -> Option<Rect> {
    let mut bounds: Option<Rect> = None;
    let row = width * 4;
    for (y, (old, new)) in old.chunks_exact(row).zip(new.chunks_exact(row)).enumerate() {
        let hit = |x: &usize| is_in(&old[x * 4..x * 4 + 4], &new[x * 4..x * 4 + 4]);
        let Some(left) = (0..width).find(hit) else {
            continue;
        };
        let right = (left..width).rev().find(hit).unwrap_or(left) + 1;
        let line = Rect {
            left,
            top: y,
            right,
            bottom: y + 1,
        };
        bounds = Some(bounds.map_or(line, |b| b.union(line)));
    }
    bounds
}

fn differ(old: &[u8], new: &[u8], tolerance: u8) -> bool {
    match (old[3], new[3]) {
        (0, 0) => false,
        (255, 255) => (0..3).any(|c| old[c].abs_diff(new[c]) > tolerance),
        _ => true,
    }
}
