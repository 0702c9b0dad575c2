//! Draws how much of each pixel a method's layers draw over the moved portrait.

use rayon::prelude::*;

use crate::face::view::View;
use crate::media::image::Picture;
use crate::methods::diagnostics::{Layer, LayerWeights};
use crate::render::diagnostics::colours::{GROUND, layer_colour, luminance};
use crate::render::diagnostics::marks::{Ink, RIM, disc};
use crate::render::diagnostics::spread::visible;
use crate::render::lettering::Lettering;

/// The relative change of light with the full colour. Larger ones look the same.
pub const FULL_SHADING: f32 = 0.2;

/// The legend's text.
const TEXT: [u8; 3] = [228, 229, 231];

/// Draws the weights over `base`, which is the portrait in `view`: each layer in its colour, in proportion to its weight, over
/// the dimmed grey portrait. Shading has its full colour at [`FULL_SHADING`]. The layers' names stand in the crop's lower
/// right corner. Alpha changes only under the legend.
pub(crate) fn layers(base: &mut Picture, view: &View, weights: &LayerWeights) {
    let width = base.width() as usize;
    let colours = Layer::ALL.map(layer_colour);
    base.rgba_mut()
        .par_chunks_exact_mut(4 * width)
        .enumerate()
        .for_each(|(y, row)| {
            for (x, pixel) in row.chunks_exact_mut(4).enumerate() {
                let at = view.to_portrait((x as f64 + 0.5, y as f64 + 0.5));
                let amounts = amounts(weights.at(at));
                let kept = 1.0 - amounts.iter().sum::<f32>();
                let ground = GROUND * luminance(pixel) * kept.max(0.0);
                for (k, channel) in pixel[..3].iter_mut().enumerate() {
                    let drawn = colours.iter().zip(amounts).map(|(c, amount)| amount * c[k]);
                    *channel = (ground + drawn.sum::<f32>()).round() as u8;
                }
            }
        });
    legend(base, view, weights);
}

/// How much of its colour each layer gets, in the order of [`Layer::ALL`]; at most 1 in all.
fn amounts([mouth, eyes, shading]: [f32; Layer::ALL.len()]) -> [f32; Layer::ALL.len()] {
    let uncovered = (1.0 - mouth - eyes).max(0.0);
    [mouth, eyes, (shading / FULL_SHADING).min(uncovered)]
}

fn name(layer: Layer) -> &'static str {
    match layer {
        Layer::Mouth => "mouth",
        Layer::Eyes => "eyes",
        Layer::Shading => "shading",
    }
}

/// Draws the layers' colours with their names in the crop's lower right corner, or in the picture's if that is farther in;
/// nothing if the crop is too small.
fn legend(base: &mut Picture, view: &View, weights: &LayerWeights) {
    let place = view.square(weights.place);
    if !visible(&place) {
        return;
    }
    let line = (0.05 * place.side).clamp(11.0, 26.0);
    let longest = Layer::ALL.map(|layer| name(layer).len());
    let longest = longest.into_iter().max().unwrap_or(0);
    // The font is monospaced, and less wide than that.
    let (wide, high) = (
        line * (1.5 + 0.6 * longest as f64),
        line * (0.5 + Layer::ALL.len() as f64),
    );
    let (width, height) = (f64::from(base.width()), f64::from(base.height()));
    if place.side < 2.5 * wide || width < wide || height < high {
        return;
    }
    let Ok(lettering) = Lettering::new((0.85 * line) as f32) else {
        return;
    };
    let (right, bottom) = place.to_picture((1.0, 1.0));
    let (left, top) = (
        (right - wide).clamp(0.0, width - wide),
        (bottom - high).clamp(0.0, height - high),
    );
    for (i, layer) in Layer::ALL.into_iter().enumerate() {
        let top = top + i as f64 * line;
        let middle = (left + 0.5 * line, top + 0.45 * line);
        disc(base, middle, 0.3 * line + 1.5, RIM);
        let ink = Ink {
            colour: layer_colour(layer),
            cover: 1.0,
        };
        disc(base, middle, 0.3 * line, ink);
        let corner = ((left + line) as u32, top as u32);
        lettering.draw(base, corner, wide as u32, TEXT, name(layer));
    }
}
