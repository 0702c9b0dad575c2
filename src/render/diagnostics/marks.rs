//! Antialiased discs, rings and strokes, and the flow's colour wheel as a legend.

use crate::face::TurnedSquare;
use crate::media::image::Picture;
use crate::render::diagnostics::colours::wheel;

/// A point in a picture's pixels.
pub(crate) type Place = (f64, f64);

/// A colour in 0..=255 and its opacity in 0..=1.
#[derive(Clone, Copy)]
pub(crate) struct Ink {
    pub colour: [f32; 3],
    pub cover: f32,
}

/// A dark outline that makes marks visible on any portrait.
pub(crate) const RIM: Ink = Ink {
    colour: [16.0, 16.0, 20.0],
    cover: 0.75,
};

/// Draws a straight stroke with round caps; a disc if its length is zero.
pub(crate) fn stroke(base: &mut Picture, (from, to): (Place, Place), width: f64, ink: Ink) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx * dx + dy * dy;
    let margin = 0.5 * width + 1.0;
    let box_of = (
        (from.0.min(to.0) - margin, from.1.min(to.1) - margin),
        (from.0.max(to.0) + margin, from.1.max(to.1) + margin),
    );
    each(base, box_of, |(x, y)| {
        let (px, py) = (x - from.0, y - from.1);
        let along = if length > 0.0 {
            ((px * dx + py * dy) / length).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let away = (px - along * dx).hypot(py - along * dy);
        (0.5 * width - away, ink)
    });
}

/// Draws a filled disc.
pub(crate) fn disc(base: &mut Picture, middle: Place, radius: f64, ink: Ink) {
    stroke(base, (middle, middle), 2.0 * radius, ink);
}

/// Draws a circle with this line width.
pub(crate) fn ring(base: &mut Picture, middle: Place, radius: f64, width: f64, ink: Ink) {
    each(base, around(middle, radius + width), |(x, y)| {
        let away = (x - middle.0).hypot(y - middle.1) - radius;
        (0.5 * width - away.abs(), ink)
    });
}

/// Draws the flow's colour wheel in the crop's lower right corner, unless the crop is too small for it.
pub(crate) fn legend(base: &mut Picture, place: &TurnedSquare) {
    let radius = (0.07 * place.side).clamp(12.0, 36.0);
    if place.side < 8.0 * radius {
        return;
    }
    let corner = 1.0 - 1.5 * radius / place.side;
    let middle = place.to_picture((corner, corner));
    disc(base, middle, radius + 1.5, RIM);
    each(base, around(middle, radius), |(x, y)| {
        let (dx, dy) = (x - middle.0, y - middle.1);
        let ink = Ink {
            colour: wheel([(dx / radius) as f32, (dy / radius) as f32]),
            cover: 1.0,
        };
        (radius - dx.hypot(dy), ink)
    });
}

fn around(middle: Place, radius: f64) -> (Place, Place) {
    let margin = radius + 1.0;
    (
        (middle.0 - margin, middle.1 - margin),
        (middle.0 + margin, middle.1 + margin),
    )
}

/// Draws over the pixels of a box. `mark` returns the signed distance of a pixel's centre to the mark's edge, positive
/// inside.
fn each(base: &mut Picture, (low, high): (Place, Place), mark: impl Fn(Place) -> (f64, Ink)) {
    let (width, height) = (base.width() as usize, base.height() as usize);
    if ![low.0, low.1, high.0, high.1].iter().all(|v| v.is_finite()) {
        return;
    }
    // `as` saturates negative values to 0.
    let end = |at: f64, length: usize| (at.ceil().max(0.0) as usize).min(length);
    let (left, right) = (low.0.floor() as usize, end(high.0, width));
    let (top, bottom) = (low.1.floor() as usize, end(high.1, height));
    for y in top..bottom {
        for x in left..right {
            let (within, ink) = mark((x as f64 + 0.5, y as f64 + 0.5));
            let cover = ink.cover * (within + 0.5).clamp(0.0, 1.0) as f32;
            if cover > 0.0 {
                let at = (y * width + x) * 4;
                over(&mut base.rgba_mut()[at..at + 4], ink.colour, cover);
            }
        }
    }
}

/// Composites a colour over a pixel, which may be transparent outside the portrait.
fn over(pixel: &mut [u8], colour: [f32; 3], cover: f32) {
    let beneath = f32::from(pixel[3]) / 255.0 * (1.0 - cover);
    let alpha = cover + beneath;
    for (channel, colour) in pixel.iter_mut().zip(colour) {
        *channel = ((cover * colour + beneath * f32::from(*channel)) / alpha).round() as u8;
    }
    pixel[3] = (255.0 * alpha).round() as u8;
}
