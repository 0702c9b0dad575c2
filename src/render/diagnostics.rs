//! Draws a method's intermediate results over the portrait (flow, occlusion, key points, contributions, mesh, layers), and
//! the difference between a result and the portrait.
//!
//! As with GANimation's attention, maps are drawn in light and colour over the greyed portrait, which is dimmed outside the crop.
//! Every scale is fixed, so that a colour means the same in every frame and nothing flickers. Everything is drawn at the
//! resolution of the given picture, which may be the portrait or a pane's view of it at any zoom.

mod colours;
mod layers;
mod marks;
mod mesh;
mod points;
mod spread;

#[cfg(test)]
mod tests;

use rayon::prelude::*;

use crate::document::PaneView;
use crate::face::view::View;
use crate::face::{self, Motion, TurnedSquare, heat, paste};
use crate::media::image::Picture;
use crate::methods::diagnostics::{Diagnostics, Map, Maps, MotionFrame};
use colours::{BACKGROUND, GROUND, group_colour, luminance, veiled, wheel};
use spread::{UpsampledMap, visible};

pub use layers::FULL_SHADING;
pub(crate) use layers::layers;

/// The displacement with the flow's full colour, as a share of the crop's side. Larger ones look the same.
pub const FULL_FLOW: f32 = 0.08;

/// The difference with full heat, in the channel where it is largest, as a share of the full range.
pub const FULL_DIFFERENCE: f32 = 0.25;

/// Draws one of [`PaneView::Flow`], [`PaneView::Occlusion`], [`PaneView::KeyPoints`] and [`PaneView::Contributions`] over `base`,
/// which shows the portrait with the network's crop at `place`; the square may be turned and extend beyond the picture.
///
/// * The flow is drawn as the forward motion, in the colours of Baker et al. (2011): hue for the direction in `base` (right is
///   red, down yellow, left cyan, up violet), saturation for the magnitude, from white at rest to full at [`FULL_FLOW`]. A wheel
///   in the crop's lower right corner is the legend. The flow is relative to `rest`, the motion of the portrait's own key points,
///   or without it to the identity.
/// * The occlusion is dark where the source is kept and bright where it is repainted.
/// * Key points are discs at their driving positions, each with a line from a ring at its position in the portrait. FOMM's have
///   two strokes, an upright cross transformed by the point's local Jacobian.
/// * Contributions have a hue for each spline or point, the same as its key points', and grey for the background.
///
/// Maps grey the whole picture and dim it outside the crop; alpha changes only under the legend. Key points change only the
/// pixels under them. If the network doesn't have the requested output, or for other views, `base` is unchanged.
fn draw_motion(
    base: &mut Picture,
    place: TurnedSquare,
    show: PaneView,
    seen: &MotionFrame,
    rest: Option<&Motion>,
) {
    if !visible(&place) {
        return;
    }
    match show {
        PaneView::Flow => flow(base, &place, &seen.motion, rest),
        PaneView::Occlusion(level) => {
            let finest = seen.occlusions.len().saturating_sub(1);
            if let Some(map) = seen.occlusions.get(finest.min(usize::from(level))) {
                occlusion(base, &place, map);
            }
        }
        PaneView::KeyPoints => points::draw(base, &place, seen),
        PaneView::Contributions => {
            if let Some(maps) = &seen.contributions {
                contributions(base, &place, maps);
            }
        }
        PaneView::Result
        | PaneView::Attention
        | PaneView::Colour
        | PaneView::Mesh
        | PaneView::Depth
        | PaneView::Layers
        | PaneView::Difference => {}
    }
}

/// Draws a method's diagnostics over `base`, which is the portrait in `view`: [`PaneView::Attention`] and [`PaneView::Colour`] of
/// a method that redraws a crop, the views of one that moves it, and [`PaneView::Mesh`] and [`PaneView::Depth`] of one that
/// deforms a mesh. If the method doesn't have the requested output, `base` is unchanged.
pub fn draw(base: &mut Picture, view: &View, shown: PaneView, said: &Diagnostics) {
    match said {
        Diagnostics::None => {}
        Diagnostics::Edit(said) => {
            // Colour is shown as the network outputs it, without onset and mask.
            let (show, mask) = match shown {
                PaneView::Attention => {
                    let onset = said.onset;
                    (face::PasteMode::Attention { onset }, said.mask.as_deref())
                }
                PaneView::Colour => (face::PasteMode::Color, None),
                _ => return,
            };
            paste(base, view.square(said.place), &said.edit, mask, show);
        }
        Diagnostics::Mesh(said) => {
            if let (Some(motion), Some(mesh)) = (&said.motion, &said.mesh) {
                let place = view.square(motion.place);
                match shown {
                    PaneView::Mesh => mesh::edges(base, &place, mesh),
                    PaneView::Depth => mesh::depth(base, &place, mesh),
                    _ => {}
                }
            }
            if let Some(motion) = &said.motion {
                let place = view.square(motion.place);
                let rest = Some(&motion.rest.motion);
                draw_motion(base, place, shown, &motion.frame, rest);
            }
        }
        Diagnostics::Motion(said) => {
            let rest = Some(&said.rest.motion);
            draw_motion(base, view.square(said.place), shown, &said.frame, rest);
        }
    }
}

/// Replaces `base`, which shows the portrait, by its difference from `result`, in heat colours over the dimmed portrait: full at
/// [`FULL_DIFFERENCE`]. Both must show the same part at the same size, else `base` is unchanged. Alpha never changes.
pub fn difference(base: &mut Picture, result: &Picture) {
    if base.size() != result.size() {
        return;
    }
    base.rgba_mut()
        .par_chunks_exact_mut(4)
        .zip(result.rgba().par_chunks_exact(4))
        .with_min_len(4096)
        .for_each(|(pixel, other)| {
            let apart = (0..3).map(|c| pixel[c].abs_diff(other[c])).max();
            let apart = f32::from(apart.unwrap_or(0)) / 255.0;
            let glow = glowing(luminance(pixel), apart / FULL_DIFFERENCE);
            for (channel, value) in pixel.iter_mut().zip(glow) {
                *channel = value.round() as u8;
            }
        });
}

/// Returns the heat colour of an amount in 0..=1 over a dimmed grey.
fn glowing(light: f32, amount: f32) -> [f32; 3] {
    let amount = amount.clamp(0.0, 1.0);
    let ground = light * GROUND * (1.0 - 0.6 * amount);
    heat(amount).map(|added| ground + added)
}

fn flow(base: &mut Picture, place: &TurnedSquare, motion: &Motion, rest: Option<&Motion>) {
    let Some(moved) = displacement(motion, rest, place.angle) else {
        return;
    };
    let Some(moved) = UpsampledMap::new(motion.flow_size, moved, place.side) else {
        return;
    };
    let colours = moved.map(|[across, down, _]| wheel([across / FULL_FLOW, down / FULL_FLOW]));
    colours.composite(base, place, veiled);
    marks::legend(base, place);
}

/// Returns the forward displacement at each sample, in shares of the crop's side, in the axes of a picture in which the crop is
/// turned by `angle`. The flow is backward, so its sign is inverted.
fn displacement(motion: &Motion, rest: Option<&Motion>, angle: f64) -> Option<Vec<[f32; 3]>> {
    let (columns, rows) = motion.flow_size;
    let holds = |of: &Motion| {
        of.flow_size == (columns, rows) && Some(of.flow.len()) == numbers(columns, rows)
    };
    if !holds(motion) || !rest.is_none_or(holds) {
        return None;
    }
    let scale = |count: usize| {
        if motion.align_corners {
            0.5 * (count - 1) as f32 / count as f32
        } else {
            0.5
        }
    };
    // The methods' identity grid has -1 and 1 on the outermost samples, however it is then sampled.
    let still = |i: usize, count: usize| {
        if count < 2 {
            0.0
        } else {
            2.0 * i as f32 / (count - 1) as f32 - 1.0
        }
    };
    let (across, down) = (scale(columns), scale(rows));
    let (sin, cos) = (angle.sin() as f32, angle.cos() as f32);
    let moved = motion.flow.chunks_exact(2).enumerate().map(|(i, from)| {
        let [x, y] = match rest {
            Some(rest) => [rest.flow[2 * i], rest.flow[2 * i + 1]],
            None => [still(i % columns, columns), still(i / columns, rows)],
        };
        let (dx, dy) = ((x - from[0]) * across, (y - from[1]) * down);
        if !(dx.is_finite() && dy.is_finite()) {
            return [0.0; 3];
        }
        let (dx, dy) = (dx.clamp(-4.0, 4.0), dy.clamp(-4.0, 4.0));
        [dx * cos - dy * sin, dx * sin + dy * cos, 0.0]
    });
    Some(moved.collect())
}

/// Returns the buffer length of a flow of this size; `None` if it is empty or overflows.
fn numbers(columns: usize, rows: usize) -> Option<usize> {
    let count = columns.checked_mul(rows)?.checked_mul(2)?;
    (count > 0).then_some(count)
}

fn occlusion(base: &mut Picture, place: &TurnedSquare, map: &Map) {
    let painted = map.values.iter().map(|kept| {
        // NaN counts as not occluded.
        let kept = if kept.is_nan() { 1.0 } else { *kept };
        [1.0 - kept.clamp(0.0, 1.0), 0.0, 0.0]
    });
    if let Some(painted) = UpsampledMap::new((map.size, map.size), painted.collect(), place.side) {
        painted.composite(base, place, |light, [amount, _, _]| glowing(light, amount));
    }
}

fn contributions(base: &mut Picture, place: &TurnedSquare, maps: &Maps) {
    let area = maps.size * maps.size;
    if area == 0 || maps.count == 0 || maps.values.len() != maps.count * area {
        return;
    }
    // Blending the colours before resampling is equivalent to resampling the weights, and needs only three planes.
    let mut mixed = vec![[0.0f32; 3]; area];
    for (index, plane) in maps.values.chunks_exact(area).enumerate() {
        let colour = match index.checked_sub(1) {
            None => BACKGROUND,
            Some(group) => group_colour(group, maps.count - 1),
        };
        for (mixed, weight) in mixed.iter_mut().zip(plane) {
            let weight = if weight.is_finite() { *weight } else { 0.0 };
            for (mixed, colour) in mixed.iter_mut().zip(colour) {
                *mixed += weight * colour;
            }
        }
    }
    if let Some(mixed) = UpsampledMap::new((maps.size, maps.size), mixed, place.side) {
        mixed.composite(base, place, veiled);
    }
}
