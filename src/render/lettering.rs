//! Draws text into pictures, in the studio's monospaced font.

use ab_glyph::{Font, FontRef, Glyph, PxScale, PxScaleFont, ScaleFont, point};

use crate::error::{EngineError, OutputError};
use crate::media::image::Picture;

/// The font file of Fira Code, a monospaced font.
pub static FIGURES_FILE: &[u8] = include_bytes!("../../resources/fonts/FiraCode-Regular.ttf");

/// Replaces the end of a text that is too long.
const CUT: char = '…';

/// A font at one size.
pub(crate) struct Lettering {
    font: PxScaleFont<FontRef<'static>>,
}

impl Lettering {
    /// Creates the font by its height in pixels, from the ascent to the descent.
    ///
    /// # Errors
    /// [`EngineError::Output`] only if the program was built with a damaged font.
    pub fn new(pixels: f32) -> Result<Self, EngineError> {
        let font = FontRef::try_from_slice(FIGURES_FILE).map_err(|_| OutputError::LabelFont)?;
        Ok(Self {
            font: font.into_scaled(PxScale::from(pixels)),
        })
    }

    /// Draws a line of text from its top left corner, truncated to a width; pixels outside the picture are clipped.
    pub fn draw(
        &self,
        picture: &mut Picture,
        (left, top): (u32, u32),
        width: u32,
        colour: [u8; 3],
        text: &str,
    ) {
        let (across, down) = picture.size();
        let line = top as f32 + self.font.ascent();
        let pitch = across as usize * 4;
        let rgba = picture.rgba_mut();
        let mut at = left as f32;
        for letter in self.fitted(text, width).chars() {
            let id = self.font.glyph_id(letter);
            let glyph: Glyph = id.with_scale_and_position(self.font.scale(), point(at, line));
            at += self.font.h_advance(id);
            let Some(outline) = self.font.outline_glyph(glyph) else {
                continue;
            };
            let corner = outline.px_bounds().min;
            outline.draw(|x, y, cover| {
                let (x, y) = (corner.x + x as f32, corner.y + y as f32);
                let inside = x >= 0.0 && y >= 0.0 && x < across as f32 && y < down as f32;
                if inside {
                    let start = y as usize * pitch + x as usize * 4;
                    blend(&mut rgba[start..start + 3], colour, cover.min(1.0));
                }
            });
        }
    }

    /// Truncates a text to a width, ending in an ellipsis if it doesn't fit.
    fn fitted(&self, text: &str, width: u32) -> String {
        let advance = |letter| self.font.h_advance(self.font.glyph_id(letter));
        let length: f32 = text.chars().map(advance).sum();
        if length <= width as f32 {
            return text.to_owned();
        }
        let mut left = width as f32 - advance(CUT);
        let mut fitted: String = text
            .chars()
            .take_while(|letter| {
                left -= advance(*letter);
                left >= 0.0
            })
            .collect();
        fitted.truncate(fitted.trim_end().len());
        fitted.push(CUT);
        fitted
    }
}

fn blend(pixel: &mut [u8], colour: [u8; 3], cover: f32) {
    for (value, colour) in pixel.iter_mut().zip(colour) {
        let mixed = f32::from(*value) * (1.0 - cover) + f32::from(colour) * cover;
        *value = mixed.round() as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str, at: (u32, u32), width: u32) -> Picture {
        let black = [0, 0, 0, 255].repeat(200 * 40);
        let mut picture = Picture::new(200, 40, black).unwrap();
        let letters = Lettering::new(16.0).unwrap();
        letters.draw(&mut picture, at, width, [200, 100, 0], text);
        picture
    }

    /// The columns with any text.
    fn inked(picture: &Picture) -> Vec<u32> {
        let is_inked = |x: &u32| (0..40).any(|y| picture.rgba()[((y * 200 + x) * 4) as usize] > 0);
        (0..200).filter(is_inked).collect()
    }

    #[test]
    fn text_is_drawn_at_its_position_in_its_colour() {
        let picture = drawn("FOMM 12 ms", (20, 8), 180);
        let columns = inked(&picture);
        assert!(*columns.first().unwrap() >= 20 && *columns.last().unwrap() < 130);
        for pixel in picture.rgba().chunks_exact(4) {
            assert!(pixel[0] <= 200 && pixel[1].abs_diff(pixel[0] / 2) <= 1 && pixel[2] == 0);
            assert_eq!(pixel[3], 255);
        }
        assert!(picture.rgba().chunks_exact(4).any(|pixel| pixel[0] > 190));
        assert!(inked(&drawn("", (20, 8), 180)).is_empty());
    }

    #[test]
    fn the_font_is_monospaced_and_long_text_is_truncated() {
        let letters = Lettering::new(16.0).unwrap();
        let advance = |c| letters.font.h_advance(letters.font.glyph_id(c));
        assert!(
            "0123456789 aM…·"
                .chars()
                .all(|c| advance(c) == advance('0'))
        );
        assert_eq!(letters.fitted("abc", 100), "abc");
        let cut = letters.fitted("a very long name", 60);
        assert!(
            cut.ends_with('…') && cut.chars().count() as f32 * advance('0') <= 60.0,
            "{cut}"
        );
        let columns = inked(&drawn("a very long name indeed", (0, 0), 60));
        assert!(*columns.last().unwrap() < 62);
    }

    #[test]
    fn text_beyond_the_image_border_is_clipped() {
        let columns = inked(&drawn("edge edge edge", (170, 30), 400));
        assert_eq!(columns.last(), Some(&199));
    }
}
