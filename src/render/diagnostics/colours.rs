//! Colours of the diagnostics, in 0..=255.

use std::f32::consts::TAU;

use crate::methods::diagnostics::Layer;

/// Brightness of the greyed portrait outside a map.
pub(crate) const GROUND: f32 = 0.42;

/// The background's colour in the contribution map.
pub(crate) const BACKGROUND: [f32; 3] = [190.0, 190.0, 190.0];

/// Brightness of a tint over a black part of the portrait; over a white one it is 1.
const SHADE: f32 = 0.3;

/// The luma (Rec. 709) of a pixel, in 0..=255.
pub(crate) fn luminance(pixel: &[u8]) -> f32 {
    0.2126 * f32::from(pixel[0]) + 0.7152 * f32::from(pixel[1]) + 0.0722 * f32::from(pixel[2])
}

/// Tints a pixel of the portrait, preserving enough luminance to recognise the features.
pub(crate) fn veiled(light: f32, colour: [f32; 3]) -> [f32; 3] {
    let light = SHADE + (1.0 - SHADE) * light / 255.0;
    colour.map(|channel| channel.clamp(0.0, 255.0) * light)
}

/// Returns the colour of a displacement, fully saturated at a length of 1 and more, white at 0: the wheel of Baker et al. (2011,
/// "A Database and Evaluation Methodology for Optical Flow"), which allots each range of hues a share of the circle in
/// proportion to its distinguishable shades. Clockwise from the right.
pub(crate) fn wheel([across, down]: [f32; 2]) -> [f32; 3] {
    const STOPS: [(f32, [f32; 3]); 7] = [
        (0.0, [255.0, 0.0, 0.0]),
        (15.0, [255.0, 255.0, 0.0]),
        (21.0, [0.0, 255.0, 0.0]),
        (25.0, [0.0, 255.0, 255.0]),
        (36.0, [0.0, 0.0, 255.0]),
        (49.0, [255.0, 0.0, 255.0]),
        (55.0, [255.0, 0.0, 0.0]),
    ];
    let length = across.hypot(down).min(1.0);
    // Less than half a grey level, such as rounding of the flow, counts as zero.
    if length < 0.5 / 255.0 {
        return [255.0; 3];
    }
    let turn = (down.atan2(across) / TAU).rem_euclid(1.0) * 55.0;
    let after = STOPS[1..6]
        .iter()
        .position(|stop| turn < stop.0)
        .map_or(6, |i| i + 1);
    let ((from, before), (to, next)) = (STOPS[after - 1], STOPS[after]);
    let t = (turn - from) / (to - from);
    std::array::from_fn(|c| {
        let hue = before[c] + t * (next[c] - before[c]);
        255.0 + length * (hue - 255.0)
    })
}

/// Returns the colour of a spline, or of an independent key point.
pub(crate) fn group_colour(group: usize, groups: usize) -> [f32; 3] {
    hue(group as f32 / groups.max(1) as f32)
}

/// Returns the colour of a drawn layer.
pub(crate) fn layer_colour(layer: Layer) -> [f32; 3] {
    match layer {
        Layer::Mouth => [235.0, 80.0, 70.0],
        Layer::Eyes => [75.0, 145.0, 255.0],
        Layer::Shading => [70.0, 205.0, 110.0],
    }
}

/// Returns the colour of a key point: its group's hue, shifted slightly for each of the `of` points in the group.
pub(crate) fn point_colour(
    (group, groups): (usize, usize),
    (index, of): (usize, usize),
) -> [f32; 3] {
    let beside = (index as f32 + 0.5) / of.max(1) as f32 - 0.5;
    hue((group as f32 + 0.7 * beside) / groups.max(1) as f32)
}

/// Returns colours of equal lightness and chroma (OKLCH 0.76, 0.14), so that none stands out; `turn` is in turns.
fn hue(turn: f32) -> [f32; 3] {
    const LIGHTNESS: f32 = 0.76;
    const CHROMA: f32 = 0.14;
    // Starts at red.
    let angle = (turn + 0.07) * TAU;
    let (a, b) = (CHROMA * angle.cos(), CHROMA * angle.sin());
    // OKLab (Ottosson).
    let cubed = |x: f32| x * x * x;
    let l = cubed(LIGHTNESS + 0.396_337_78 * a + 0.215_803_76 * b);
    let m = cubed(LIGHTNESS - 0.105_561_346 * a - 0.063_854_17 * b);
    let s = cubed(LIGHTNESS - 0.089_484_18 * a - 1.291_485_5 * b);
    [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_93 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_4 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ]
    .map(|linear| {
        let linear = linear.clamp(0.0, 1.0);
        let encoded = if linear <= 0.003_130_8 {
            12.92 * linear
        } else {
            1.055 * linear.powf(1.0 / 2.4) - 0.055
        };
        255.0 * encoded
    })
}
