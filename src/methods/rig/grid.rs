//! Sections of the portrait at the resolution of a view: read from the portrait, and copied into the view.

use std::sync::Arc;

use fast_image_resize::FilterType;
use rayon::prelude::*;

use super::background::MattePlace;
use super::fit::Fit;
use super::image::{Image, Rgba};
use super::painter::PaintedFace;
use crate::error::{EngineError, InternalError};
use crate::face::view::View;
use crate::face::{Mask, TurnedSquare};
use crate::media::image::resample::resampled;
use crate::media::image::{ImagePyramid, Picture};

/// A section of the portrait, sampled on the pixels of a view or of the portrait.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Grid {
    /// The upper left corner of the first pixel, in pixels of the portrait.
    pub x: f64,
    pub y: f64,
    /// Pixels for each pixel of the portrait, at most 1.
    pub zoom: f64,
    pub width: usize,
    pub height: usize,
    /// The first pixel's position in the view, if the grid has the view's zoom.
    pub left: i64,
    pub top: i64,
}

impl Grid {
    /// The surroundings of a face up to the distance `reach`, clipped to the view with a margin (both in pixels of the
    /// portrait); `None` if fewer than 4 pixels a side are left.
    pub fn new(
        face: [f32; 4],
        reach: f32,
        view: &View,
        margin: f32,
        portrait: (u32, u32),
    ) -> Option<Self> {
        let [l, t, r, b] = face.map(f64::from);
        let pad = f64::from(reach);
        // More pixels than the portrait's add no detail.
        let zoom = view.zoom.min(1.0);
        let (x0, y0) = if view.zoom > 1.0 {
            (0.0, 0.0)
        } else {
            (view.x, view.y)
        };
        let margin = f64::from(margin);
        let (vw, vh) = (
            f64::from(view.width) / view.zoom,
            f64::from(view.height) / view.zoom,
        );
        let from = |edge: f64, view: f64| edge.max(view - margin).max(0.0);
        let to = |edge: f64, view: f64, size: u32| edge.min(view + margin).min(f64::from(size));
        let (l, t) = (from(l - pad, view.x), from(t - pad, view.y));
        let (r, b) = (
            to(r + pad, view.x + vw, portrait.0),
            to(b + pad, view.y + vh, portrait.1),
        );
        let pixel = |at: f64, origin: f64| ((at - origin) * zoom).clamp(-1e9, 1e9);
        let (left, top) = (pixel(l, x0).ceil() as i64, pixel(t, y0).ceil() as i64);
        let (right, bottom) = (pixel(r, x0).floor() as i64, pixel(b, y0).floor() as i64);
        if right - left < 4 || bottom - top < 4 {
            return None;
        }
        Some(Self {
            x: x0 + left as f64 / zoom,
            y: y0 + top as f64 / zoom,
            zoom,
            width: (right - left) as usize,
            height: (bottom - top) as usize,
            left,
            top,
        })
    }

    /// The whole surroundings of a face up to the distance `reach` in pixels of the portrait, at a zoom of at most 1.
    pub fn around(face: [f32; 4], reach: f32, zoom: f64, portrait: (u32, u32)) -> Option<Self> {
        let view = View {
            zoom: zoom.min(1.0),
            ..View::whole(portrait)
        };
        Self::new(face, reach, &view, f32::INFINITY, portrait)
    }

    /// Left, top, right and bottom of a portrait of a size, in this grid's pixels.
    pub fn bounds(&self, (width, height): (u32, u32)) -> [f32; 4] {
        let (left, top) = self.point((0.0, 0.0));
        let (right, bottom) = self.point((f64::from(width), f64::from(height)));
        [left, top, right, bottom]
    }

    pub fn fit(&self, fit: &Fit) -> Fit {
        fit.in_view(self.zoom as f32, (self.x as f32, self.y as f32))
    }

    /// Where this grid's pixels are in a matte's grid.
    pub fn matte_place(&self, matte: &Self) -> MattePlace {
        let (x, y) = matte.point((self.x, self.y));
        MattePlace {
            scale: (matte.zoom / self.zoom) as f32,
            offset: [x, y],
        }
    }

    /// Converts a point of the portrait to this grid's pixels.
    pub fn point(&self, (x, y): (f64, f64)) -> (f32, f32) {
        (
            ((x - self.x) * self.zoom) as f32,
            ((y - self.y) * self.zoom) as f32,
        )
    }
}

/// The portrait as an image pyramid, for reading sections at any resolution.
pub(super) struct Portrait {
    pub pyramid: ImagePyramid<Arc<Picture>>,
}

impl Portrait {
    pub fn read(&mut self, grid: &Grid) -> Result<Image<Rgba>, EngineError> {
        let (width, height) = (grid.width as u32, grid.height as u32);
        let (x, y) = (grid.x, grid.y);
        if grid.zoom == 1.0 && x.fract() == 0.0 && y.fract() == 0.0 {
            let picture = self.pyramid.picture();
            let (left, top) = (x as usize, y as usize);
            return Ok(Image::from_fn(grid.width, grid.height, |x, y| {
                let column = (left + x).min(picture.width() as usize - 1);
                let row = (top + y).min(picture.height() as usize - 1);
                premultiplied(picture.rgba(), row * picture.width() as usize + column)
            }));
        }
        let view = View {
            x,
            y,
            zoom: grid.zoom,
            width,
            height,
        };
        let picture = self.pyramid.view(&view).ok_or(InternalError::EmptyFrame)?;
        Ok(Image::from_fn(grid.width, grid.height, |x, y| {
            premultiplied(picture.rgba(), y * grid.width + x)
        }))
    }
}

fn premultiplied(rgba: &[u8], index: usize) -> Rgba {
    let [r, g, b, a] = [0, 1, 2, 3].map(|k| f32::from(rgba[4 * index + k]));
    let alpha = a / 255.0;
    [r * alpha, g * alpha, b * alpha, alpha]
}

fn straight([r, g, b, alpha]: Rgba) -> [u8; 4] {
    // The cast truncates and saturates to a byte.
    let byte = |v: f32| (v + 0.5) as u8;
    if alpha >= 1.0 {
        return [byte(r), byte(g), byte(b), 255];
    }
    let inverse = 1.0 / alpha.max(1e-4);
    [
        byte(r * inverse),
        byte(g * inverse),
        byte(b * inverse),
        byte(alpha * 255.0),
    ]
}

/// Samples a limit at the pixels of a grid; outside its square its edge values apply.
pub(super) fn mask_on_grid(grid: &Grid, place: TurnedSquare, mask: &Mask) -> Image<f32> {
    let image = Image {
        width: mask.size,
        height: mask.size,
        pixels: mask.values.clone(),
    };
    let size = mask.size as f32;
    Image::from_fn(grid.width, grid.height, |x, y| {
        let at = (
            grid.x + (x as f64 + 0.5) / grid.zoom,
            grid.y + (y as f64 + 0.5) / grid.zoom,
        );
        let (u, v) = place.within(at);
        image.linear(u as f32 * size, v as f32 * size)
    })
}

/// Copies the changed pixels into a view with the grid's resolution.
pub(super) fn copy_changed(picture: &mut Picture, grid: &Grid, drawn: &PaintedFace<'_>) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let rows = picture.rgba_mut().par_chunks_exact_mut(4 * width);
    rows.enumerate().take(height).for_each(|(y, row)| {
        let Ok(from) = usize::try_from(y as i64 - grid.top) else {
            return;
        };
        if from >= grid.height {
            return;
        }
        let pixels = drawn.image.row(from).iter().zip(drawn.changed(from));
        for (i, (pixel, changed)) in pixels.enumerate() {
            let x = grid.left + i as i64;
            if changed && (0..width as i64).contains(&x) {
                row[4 * x as usize..][..4].copy_from_slice(&straight(*pixel));
            }
        }
    });
}

/// Copies the changed pixels, enlarged, into a view with a zoom above 1.
pub(super) fn copy_changed_enlarged(
    picture: &mut Picture,
    view: &View,
    grid: &Grid,
    drawn: &PaintedFace<'_>,
) -> Result<(), EngineError> {
    let mut rgba = vec![[0; 4]; drawn.image.pixels.len()];
    let pixels = rgba.par_iter_mut().with_min_len(4096);
    pixels
        .zip(&drawn.image.pixels)
        .for_each(|(to, pixel)| *to = straight(*pixel));
    let rgba = rgba.into_flattened();
    let touched = changed_neighbourhood(grid, drawn);
    let face = Picture::new(grid.width as u32, grid.height as u32, rgba)?;
    // The view's pixels that are entirely within the grid.
    let span = |origin: f64, from: f64, length: usize, pixels: u32| {
        let end = |at: f64| ((at - from) * view.zoom).clamp(0.0, f64::from(pixels));
        let first = end(origin).ceil() as u32;
        (
            first,
            (end(origin + length as f64).floor() as u32).max(first),
        )
    };
    let (left, right) = span(grid.x, view.x, grid.width, view.width);
    let (top, bottom) = span(grid.y, view.y, grid.height, view.height);
    if left == right || top == bottom {
        return Ok(());
    }
    let at = |pixel: u32, from: f64, origin: f64| from + f64::from(pixel) / view.zoom - origin;
    let (x, y) = (at(left, view.x, grid.x), at(top, view.y, grid.y));
    let size = (right - left, bottom - top);
    let part = (
        x.max(0.0),
        y.max(0.0),
        f64::from(size.0) / view.zoom,
        f64::from(size.1) / view.zoom,
    );
    let Some(seen) = resampled(&face, part, size, FilterType::CatmullRom) else {
        return Ok(());
    };
    let width = picture.width() as usize;
    let rows = picture.rgba_mut().par_chunks_exact_mut(4 * width);
    rows.enumerate()
        .skip(top as usize)
        .take(size.1 as usize)
        .for_each(|(row, pixels)| {
            let line = row - top as usize;
            for column in 0..size.0 as usize {
                let near = |from: f64, i: usize| (from + (i as f64 + 0.5) / view.zoom) as isize;
                if touched.clamped(near(x, column), near(y, line)) > 0.0 {
                    let from = 4 * (line * size.0 as usize + column);
                    let to = 4 * (left as usize + column);
                    pixels[to..to + 4].copy_from_slice(&seen.rgba()[from..from + 4]);
                }
            }
        });
    Ok(())
}

/// 1 at the pixels of a grid within two pixels of a change, the radius of a Catmull-Rom kernel; else 0.
fn changed_neighbourhood(grid: &Grid, drawn: &PaintedFace<'_>) -> Image<f32> {
    const KERNEL_RADIUS: usize = 2;
    let mut dilated_rows = Image::filled(grid.width, grid.height, 0.0);
    dilated_rows.for_rows(|y, row| {
        for (x, changed) in drawn.changed(y).enumerate() {
            if changed {
                let end = (x + KERNEL_RADIUS + 1).min(row.len());
                row[x.saturating_sub(KERNEL_RADIUS)..end].fill(1.0);
            }
        }
    });
    let mut all = Image::filled(grid.width, grid.height, 0.0);
    all.for_rows(|y, row| {
        for near in y.saturating_sub(KERNEL_RADIUS)..(y + KERNEL_RADIUS + 1).min(grid.height) {
            for (to, from) in row.iter_mut().zip(dilated_rows.row(near)) {
                *to = to.max(*from);
            }
        }
    });
    all
}
