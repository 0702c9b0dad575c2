//! The part of the portrait visible in a pane, at the pane's resolution.
//!
//! Panes are never drawn larger than they are displayed: a frame of a 64-megapixel portrait costs no more than of a
//! small one.

use std::sync::Arc;

use fast_image_resize::FilterType;
use rayon::prelude::*;

use crate::face::TurnedSquare;
use crate::media::image::resample::resampled;
use crate::media::image::{ImagePyramid, Picture};

/// A viewport onto the portrait: pane pixel `(0, 0)` begins at portrait pixel `(x, y)`, and a portrait pixel is
/// `zoom` pane pixels wide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// The left edge, in pixels of the portrait.
    pub x: f64,
    /// The top edge, in pixels of the portrait.
    pub y: f64,
    /// Pane pixels per portrait pixel, above 0.
    pub zoom: f64,
    /// The pane's size in pixels.
    pub width: u32,
    /// The pane's height in pixels.
    pub height: u32,
}

impl View {
    /// The whole portrait at 1:1.
    pub fn whole((width, height): (u32, u32)) -> Self {
        Self {
            x: 0.0,
            y: 0.0,
            zoom: 1.0,
            width,
            height,
        }
    }

    /// Fits the whole portrait into the pane, centred, with a zoom of at most 4.
    pub fn fit(width: u32, height: u32, portrait: (u32, u32)) -> Self {
        let (w, h) = (f64::from(portrait.0), f64::from(portrait.1));
        let zoom = (f64::from(width) / w).min(f64::from(height) / h).min(4.0);
        Self {
            x: (w - f64::from(width) / zoom) / 2.0,
            y: (h - f64::from(height) / zoom) / 2.0,
            zoom,
            width,
            height,
        }
    }

    /// Fits a square of the portrait with this centre and side into the pane, with a zoom of at most 16.
    pub fn about(width: u32, height: u32, middle: (f64, f64), side: f64) -> Self {
        let zoom = (f64::from(width.min(height)) / side.max(1.0)).min(16.0);
        Self {
            x: middle.0 - f64::from(width) / zoom / 2.0,
            y: middle.1 - f64::from(height) / zoom / 2.0,
            zoom,
            width,
            height,
        }
    }

    /// Zooms by a factor around a point of the pane (in pane pixels), which stays fixed. The zoom is clamped to
    /// 1/64..=32.
    pub fn zoomed(self, factor: f64, at: (f64, f64)) -> Self {
        let zoom = (self.zoom * factor).clamp(1.0 / 64.0, 32.0);
        Self {
            x: self.x + at.0 / self.zoom - at.0 / zoom,
            y: self.y + at.1 / self.zoom - at.1 / zoom,
            zoom,
            ..self
        }
    }

    /// Moves the portrait by pane pixels, but keeps at least a part of it visible.
    pub fn panned(self, by: (f64, f64), portrait: (u32, u32)) -> Self {
        let seen = |pane: u32| f64::from(pane) / self.zoom;
        let hold = |at: f64, size: u32, pane: u32| {
            let margin = seen(pane) * 0.2;
            at.clamp(
                margin - seen(pane),
                (f64::from(size) - margin).max(margin - seen(pane)),
            )
        };
        Self {
            x: hold(self.x - by.0 / self.zoom, portrait.0, self.width),
            y: hold(self.y - by.1 / self.zoom, portrait.1, self.height),
            ..self
        }
    }

    /// Keeps centre and zoom in a pane of another size.
    pub fn resized(self, width: u32, height: u32) -> Self {
        let centre = |at: f64, pane: u32| at + f64::from(pane) / self.zoom / 2.0;
        Self {
            x: centre(self.x, self.width) - f64::from(width) / self.zoom / 2.0,
            y: centre(self.y, self.height) - f64::from(height) / self.zoom / 2.0,
            width,
            height,
            ..self
        }
    }

    /// Converts a point of the portrait to pane pixels.
    pub fn to_pane(&self, (x, y): (f64, f64)) -> (f64, f64) {
        ((x - self.x) * self.zoom, (y - self.y) * self.zoom)
    }

    /// Returns the left, top, right and bottom edges of a portrait of this size, in pane pixels.
    pub fn bounds(&self, (width, height): (u32, u32)) -> [f32; 4] {
        let (left, top) = self.to_pane((0.0, 0.0));
        let (right, bottom) = self.to_pane((f64::from(width), f64::from(height)));
        [left, top, right, bottom].map(|edge| edge as f32)
    }

    /// Converts a point of the pane to the portrait's pixels.
    pub fn to_portrait(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x + x / self.zoom, self.y + y / self.zoom)
    }

    /// Converts a square of the portrait to pane pixels.
    pub fn square(&self, square: TurnedSquare) -> TurnedSquare {
        let (x, y) = self.to_pane((square.x, square.y));
        TurnedSquare {
            x,
            y,
            side: square.side * self.zoom,
            angle: square.angle,
        }
    }
}

impl ImagePyramid<Arc<Picture>> {
    /// Renders the portrait in the viewport, transparent outside the portrait. `None` if resampling fails.
    pub(crate) fn view(&self, view: &View) -> Option<Picture> {
        let portrait = self.picture();
        let (w, h) = (f64::from(portrait.width()), f64::from(portrait.height()));
        let span = |from: f64, size: f64, pane: u32| {
            let edge = |at: f64| {
                ((at - from) * view.zoom)
                    .round()
                    .clamp(0.0, f64::from(pane)) as u32
            };
            let (start, end) = (edge(0.0), edge(size));
            let place = |pixel: u32| (from + f64::from(pixel) / view.zoom).clamp(0.0, size);
            (start, end, place(start), place(end))
        };
        let (left, right, x0, x1) = span(view.x, w, view.width);
        let (top, bottom, y0, y1) = span(view.y, h, view.height);
        let area = view.width as usize * view.height as usize;
        let mut rgba = vec![0; area * 4];
        if left < right && top < bottom && x0 < x1 && y0 < y1 {
            let halvings = (1.0 / view.zoom).log2().floor().max(0.0) as usize;
            let (_, level) = self.level(halvings);
            let (kx, ky) = (f64::from(level.width()) / w, f64::from(level.height()) / h);
            let part = (x0 * kx, y0 * ky, (x1 - x0) * kx, (y1 - y0) * ky);
            let seen = resampled(
                level,
                part,
                (right - left, bottom - top),
                FilterType::CatmullRom,
            )?;
            let (pitch, line) = (view.width as usize * 4, (right - left) as usize * 4);
            for (row, pixels) in seen.rgba().chunks_exact(line).enumerate() {
                let at = (top as usize + row) * pitch + left as usize * 4;
                rgba[at..at + line].copy_from_slice(pixels);
            }
        }
        Picture::new(view.width, view.height, rgba)
            .ok()
            .map(|picture| picture.with_alpha(true))
    }
}

/// Composites the view over a checkerboard where the portrait is transparent; the area outside the portrait stays
/// transparent.
pub(crate) fn over_chequers(picture: &mut Picture, view: &View, portrait: (u32, u32)) {
    let (left, top) = view.to_pane((0.0, 0.0));
    let (right, bottom) = view.to_pane((f64::from(portrait.0), f64::from(portrait.1)));
    // Pixels whose centres are inside the portrait.
    let within = |from: f64, to: f64, length: u32| {
        let end = |at: f64| (at - 0.5).clamp(-1.0, f64::from(length));
        (end(from).floor() + 1.0) as usize..end(to).ceil().max(0.0) as usize
    };
    let (columns, rows) = (
        within(left, right, view.width),
        within(top, bottom, view.height),
    );
    let pitch = view.width as usize * 4;
    if columns.is_empty() || rows.is_empty() {
        return;
    }
    picture
        .rgba_mut()
        .par_chunks_exact_mut(pitch)
        .enumerate()
        .take(rows.end)
        .skip(rows.start)
        .for_each(|(y, row)| {
            let row = &mut row.as_chunks_mut::<4>().0[columns.clone()];
            // Most rows are opaque; skip them early.
            if row.iter().fold(255, |all, [.., alpha]| all & alpha) == 255 {
                return;
            }
            for (x, pixel) in (columns.start..).zip(row) {
                over_ground(pixel, (x / 8 + y / 8).is_multiple_of(2));
            }
        });
}

fn over_ground([color @ .., alpha]: &mut [u8; 4], light: bool) {
    if *alpha == 255 {
        return;
    }
    let ground = if light { 112.0 } else { 84.0 };
    let cover = f32::from(*alpha) / 255.0;
    for channel in color {
        *channel = (f32::from(*channel) * cover + ground * (1.0 - cover)).round() as u8;
    }
    *alpha = 255;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picture(width: u32, height: u32) -> Picture {
        let rgba = (0..width * height)
            .flat_map(|i| [(i % width) as u8, (i / width) as u8, 77, 255])
            .collect();
        Picture::new(width, height, rgba).unwrap()
    }

    fn pyramid(portrait: Picture) -> ImagePyramid<Arc<Picture>> {
        ImagePyramid::for_display(Arc::new(portrait))
    }

    proptest! {
        #[test]
        fn portrait_and_pane_coordinates_round_trip(x in -500f64..500.0, y in -500f64..500.0, zoom in 0.05f64..20.0) {
            let view = View { x: 12.0, y: -7.5, zoom, width: 300, height: 200 };
            let (bx, by) = view.to_portrait(view.to_pane((x, y)));
            prop_assert!((bx - x).abs() < 1e-6 && (by - y).abs() < 1e-6);
        }

        #[test]
        fn zooming_holds_the_point_under_the_cursor(px in 0f64..300.0, py in 0f64..200.0, factor in 0.5f64..2.0) {
            let view = View { x: 3.0, y: 4.0, zoom: 1.5, width: 300, height: 200 };
            let before = view.to_portrait((px, py));
            let after = view.zoomed(factor, (px, py)).to_portrait((px, py));
            prop_assert!((before.0 - after.0).abs() < 1e-6 && (before.1 - after.1).abs() < 1e-6);
        }

        #[test]
        fn any_view_renders_at_its_size(x in -300f64..300.0, y in -300f64..300.0, zoom in 0.02f64..30.0, width in 1u32..90, height in 1u32..90) {
            let portrait = picture(60, 40);
            let view = View { x, y, zoom, width, height };
            let seen = pyramid(portrait).view(&view).unwrap();
            prop_assert_eq!(seen.size(), (width, height));
        }

        #[test]
        fn panning_keeps_the_portrait_in_view(dx in -9000f64..9000.0, dy in -9000f64..9000.0) {
            let view = View::fit(300, 200, (640, 480)).panned((dx, dy), (640, 480));
            let (left, top) = view.to_pane((0.0, 0.0));
            let (right, bottom) = view.to_pane((640.0, 480.0));
            prop_assert!(left < 300.0 && right > 0.0 && top < 200.0 && bottom > 0.0);
        }
    }

    #[test]
    fn a_view_at_zoom_1_shows_the_exact_pixels_of_the_portrait() {
        let portrait = picture(60, 40);
        let view = View {
            x: 10.0,
            y: 5.0,
            zoom: 1.0,
            width: 20,
            height: 10,
        };
        let seen = pyramid(portrait).view(&view).unwrap();
        assert_eq!(seen.rgba()[..4], [10, 5, 77, 255]);
        assert_eq!(seen.rgba()[(9 * 20 + 19) * 4..], [29, 14, 77, 255]);
    }

    #[test]
    fn a_large_portrait_is_shown_from_its_image_pyramid() {
        let large = Picture::new(3000, 2000, [90, 60, 30, 255].repeat(6_000_000)).unwrap();
        let view = View::fit(300, 300, large.size());
        let pyramid = pyramid(large);
        assert_eq!(pyramid.level(usize::MAX).1.size(), (750, 500));
        let seen = pyramid.view(&view).unwrap();
        assert_eq!(seen.rgba()[(150 * 300 + 150) * 4..][..4], [90, 60, 30, 255]);
        assert_eq!(seen.rgba()[3], 0, "beside the portrait");
    }

    proptest! {
        #[test]
        fn the_checkerboard_lies_only_under_pixels_of_the_portrait(
            x in -30f64..30.0, y in -30f64..30.0, zoom in 0.1f64..3.0, width in 1u32..40, height in 1u32..40, alpha: u8,
        ) {
            let view = View { x, y, zoom, width, height };
            let rgba = [9, 99, 199, alpha].repeat((width * height) as usize);
            let mut seen = Picture::new(width, height, rgba).unwrap();
            over_chequers(&mut seen, &view, (20, 10));
            for (i, pixel) in seen.rgba().chunks_exact(4).enumerate() {
                let middle = (f64::from(i as u32 % width) + 0.5, f64::from(i as u32 / width) + 0.5);
                let (left, top) = view.to_pane((0.0, 0.0));
                let (right, bottom) = view.to_pane((20.0, 10.0));
                let inside = middle.0 > left && middle.0 < right && middle.1 > top && middle.1 < bottom;
                prop_assert_eq!(pixel[3], if inside { 255 } else { alpha });
                prop_assert!(inside || pixel == [9, 99, 199, alpha]);
            }
        }
    }

    #[test]
    fn transparency_shows_a_checkerboard_inside_the_portrait_and_stays_transparent_outside() {
        let portrait = Picture::new(40, 40, vec![0; 6400])
            .unwrap()
            .with_alpha(true);
        let view = View {
            x: -10.0,
            y: -10.0,
            zoom: 1.0,
            width: 60,
            height: 60,
        };
        let mut seen = pyramid(portrait).view(&view).unwrap();
        over_chequers(&mut seen, &view, (40, 40));
        assert_eq!(seen.rgba()[3], 0);
        assert_eq!(seen.rgba()[(30 * 60 + 30) * 4 + 3], 255);
    }
}
