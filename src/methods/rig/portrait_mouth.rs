//! The inside of the mouth that the portrait shows: its pixels, its teeth, and how it moves.

use super::fit::{Fit, LIPS};
use super::image::{Image, Rgba, lerp};
use super::lip_frame::LipFrame;
use super::openings::Opening;
use super::pixel_box::{MARGIN, PixelBox};
use super::scene::{Deformed, Scene};
use super::tone::{Tone, mean, percentile};
use crate::math::smoothstep_between;

/// The portrait's pixels between the lips, in a box around them.
pub(super) struct PortraitMouth {
    left: f32,
    top: f32,
    /// The inside of the mouth, extrapolated outward.
    colours: Image<Rgba>,
    /// 1 between the lips.
    opening: Image<f32>,
    /// Likelihood that a pixel is one of the upper teeth, in 0..=1.
    teeth: Image<f32>,
    frame: LipFrame,
    /// Lower end of the upper teeth, at [`COLUMNS`] positions along the lips; without teeth, the lower lip.
    row: Vec<f32>,
}

/// Columns in which the portrait's upper teeth are searched.
const COLUMNS: usize = 41;

/// The centre of a column along the lips.
fn column(number: usize) -> f32 {
    (number as f32 + 0.5) / COLUMNS as f32
}

impl PortraitMouth {
    pub fn new(mouth: &Opening, scene: &Scene, teeth: Option<[f32; 3]>) -> Option<Self> {
        let (source, pixels_per_cm) = (&scene.source, scene.fit.projection.pixels_per_cm);
        let lines = mouth.upper.iter().chain(&mouth.lower);
        let area = PixelBox::around(
            lines,
            MARGIN + 0.5 * pixels_per_cm,
            source.width,
            source.height,
        )?;
        let inside = area.covered(mouth);
        let picture = source.part(
            (area.left as isize, area.top as isize),
            area.width,
            area.height,
        );
        // Lip colour bleeds in at the edge.
        let reliable = inside
            .map(|v| if v > 0.9 { 1.0 } else { 0.0 })
            .eroded((0.09 * pixels_per_cm).max(1.0));
        let known: f32 = reliable.pixels.iter().sum();
        let colours = if known > 10.0 {
            let continued = picture.pull_push(&reliable);
            let reliable = reliable.blurred(0.03 * pixels_per_cm + 0.5);
            let lips = mean(lip_colour(&scene.fit, source)).max(1.0);
            Image::from_fn(area.width, area.height, |x, y| {
                let pixel = picture.at(x, y);
                // Pixels much darker than the lips, as in the corners, belong to the inside.
                let dark =
                    smoothstep_between(0.75, 0.45, mean([pixel[0], pixel[1], pixel[2]]) / lips);
                lerp(continued.at(x, y), pixel, reliable.at(x, y).max(dark))
            })
        } else {
            picture.clone()
        };
        let teeth = match teeth {
            Some(tooth) => tooth_likeness(
                &picture,
                lip_colour(&scene.fit, source),
                tooth,
                pixels_per_cm,
            ),
            None => Image::filled(area.width, area.height, 0.0),
        };
        // A soft mask whose edge is at the lips.
        let opening = inside
            .blurred((0.05 * pixels_per_cm).max(0.6))
            .map(|v| (2.0 * v).min(1.0));
        let frame = LipFrame::new(mouth, scene.fit.projection.down);
        Some(Self {
            left: area.left as f32,
            top: area.top as f32,
            colours,
            opening,
            teeth,
            row: (0..COLUMNS).map(|i| frame.heights(column(i)).1).collect(),
            frame,
        })
    }

    /// Finds the lower end of the upper teeth, and clears the teeth below it, which move with the jaw. Returns how far
    /// the front teeth end below `edge`, in centimetres.
    pub fn find_upper_row(&mut self, edge: [f32; 2], pixels_per_cm: f32) -> Option<f32> {
        let ends: Vec<Option<f32>> = (0..COLUMNS).map(|i| self.end_of_teeth(column(i))).collect();
        let (edge_along, edge_height) = self.frame.coordinates(edge);
        let is_near =
            |along: f32| ((along - edge_along) * self.frame.width()).abs() < 0.6 * pixels_per_cm;
        let front: Vec<f32> = (0..COLUMNS)
            .filter(|i| is_near(column(*i)))
            .filter_map(|i| ends[i])
            .collect();
        if front.len() < 3 {
            return None;
        }
        let found = percentile(front.iter().copied(), 0.5) - edge_height;
        let shift = found.clamp(-0.35 * pixels_per_cm, 0.3 * pixels_per_cm);
        // Where both rows touch, teeth continue below the upper row's edge.
        let surplus = (found - shift).max(0.0);
        self.row = evened(&ends).into_iter().map(|end| end - surplus).collect();
        let (left, top, frame, row) = (self.left, self.top, &self.frame, &self.row);
        self.teeth.for_rows(|y, line| {
            for (x, tooth) in line.iter_mut().enumerate() {
                let at = [left + x as f32 + 0.5, top + y as f32 + 0.5];
                let (along, height) = frame.coordinates(at);
                let end = interpolated(row, along);
                *tooth *= smoothstep_between(end + 0.1 * pixels_per_cm, end, height);
            }
        });
        Some(shift / pixels_per_cm)
    }

    /// The lower end of the first run of teeth below the upper lip.
    fn end_of_teeth(&self, along: f32) -> Option<f32> {
        const PACE: f32 = 0.5;
        let (upper, lower) = self.frame.heights(along);
        let is_tooth = |height: f32| {
            let [x, y] = self.frame.point(along, height);
            self.teeth.linear(x - self.left, y - self.top) > 0.5
        };
        let steps = ((lower - upper) / PACE).clamp(0.0, 4096.0) as usize;
        let mut heights = (0..=steps).map(|i| upper + i as f32 * PACE);
        let first = heights.find(|height| is_tooth(*height))?;
        Some(
            heights
                .find(|height| !is_tooth(*height))
                .unwrap_or(lower.max(first)),
        )
    }

    pub fn sampler<'a>(
        &'a self,
        scene: &Scene,
        deformed: &'a Deformed,
        mouth: &Opening,
    ) -> PortraitMouthSampler<'a> {
        let pixels_per_cm = scene.fit.projection.pixels_per_cm;
        let upper = &scene.model.lips.upper;
        let near =
            upper.iter().map(|v| deformed.points[*v][2]).sum::<f32>() / upper.len().max(1) as f32;
        let depth = near - 0.5 * pixels_per_cm;
        let gaps = deformed.lips_after.iter().zip(&deformed.lips_before);
        let further = gaps
            .map(|(after, before)| after - before)
            .fold(0.0, f32::max);
        let unplaced = |line: &[[f32; 2]]| {
            let back = |[x, y]: &[f32; 2]| deformed.placement.unplace([*x, *y, depth]);
            line.iter().map(back).map(|[x, y, _]| [x, y]).collect()
        };
        let lips = Opening {
            upper: unplaced(&mouth.upper),
            lower: unplaced(&mouth.lower),
        };
        PortraitMouthSampler {
            portrait: self,
            deformed,
            depth,
            lips: LipFrame::new(&lips, scene.fit.projection.down),
            shortest: 0.3 * pixels_per_cm,
            only_teeth: smoothstep_between(0.05 * pixels_per_cm, 0.35 * pixels_per_cm, further),
        }
    }
}

/// The portrait's inside of the mouth in one frame: it moves with the head.
pub(super) struct PortraitMouthSampler<'a> {
    portrait: &'a PortraitMouth,
    deformed: &'a Deformed,
    /// Depth of its pixels.
    depth: f32,
    /// The lips in this frame, with the head's rotation undone.
    lips: LipFrame,
    /// Minimum length of teeth when they are stretched.
    shortest: f32,
    /// 1 if only the teeth are kept, since the mouth opens further than in the portrait; else 0.
    only_teeth: f32,
}

impl PortraitMouthSampler<'_> {
    /// Composites the portrait's inside of the mouth over `drawn`.
    pub fn over(&self, drawn: Rgba, [x, y]: [f32; 2]) -> Rgba {
        let portrait = self.portrait;
        let [x, y, _] = self.deformed.placement.unplace([x, y, self.depth]);
        let [x, y] = self.under_raised_lip([x, y]);
        let (x, y) = (x - portrait.left, y - portrait.top);
        let inside = portrait.opening.linear(x, y);
        if inside <= 0.0 {
            return drawn;
        }
        let opacity = lerp(1.0, portrait.teeth.linear(x, y), self.only_teeth);
        lerp(drawn, portrait.colours.cubic(x, y), inside * opacity)
    }

    /// The portrait's position for a point of the frame: under a rising upper lip the teeth are stretched, so that no gap
    /// opens above them.
    fn under_raised_lip(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        /// Upper bound on the added fraction of a tooth's length.
        const MAX_STRETCH: f32 = 0.45;
        let frame = &self.portrait.frame;
        let (along, height) = frame.coordinates([x, y]);
        let (lip, end) = (
            frame.heights(along).0,
            interpolated(&self.portrait.row, along),
        );
        let lip_now = self.lips.heights(self.lips.coordinates([x, y]).0).0;
        let length = (end - lip_now).max(self.shortest);
        let raised = (lip - lip_now).clamp(0.0, MAX_STRETCH * length);
        let by = raised * ((end - height) / length).clamp(0.0, 1.0);
        let down = frame.down();
        [x + by * down[0], y + by * down[1]]
    }
}

/// Interpolates [`COLUMNS`] values along the lips.
fn interpolated(values: &[f32], along: f32) -> f32 {
    let at = (along * COLUMNS as f32 - 0.5).clamp(0.0, (COLUMNS - 1) as f32);
    let first = (at as usize).min(COLUMNS - 2);
    lerp(values[first], values[first + 1], at - first as f32)
}

/// Fills missing values from the nearest ones on either side, and smooths with a median.
fn evened(values: &[Option<f32>]) -> Vec<f32> {
    let nearest = |i: usize| {
        let (before, after) = (
            values[..=i].iter().rev().flatten().next(),
            values[i..].iter().flatten().next(),
        );
        match (before, after) {
            (Some(a), Some(b)) => 0.5 * (a + b),
            (Some(a), None) | (None, Some(a)) => *a,
            (None, None) => 0.0,
        }
    };
    let filled: Vec<f32> = (0..values.len()).map(nearest).collect();
    let around = |i: usize| {
        let near = &filled[i.saturating_sub(2)..(i + 3).min(filled.len())];
        percentile(near.iter().copied(), 0.5)
    };
    (0..filled.len()).map(around).collect()
}

/// The median colour of the lips.
fn lip_colour(fit: &Fit, source: &Image<Rgba>) -> [f32; 3] {
    let outer = &LIPS[..20];
    let seen: Vec<Rgba> = outer
        .iter()
        .map(|landmark| {
            let [x, y] = fit.landmarks[*landmark];
            source.clamped(x as isize, y as isize)
        })
        .collect();
    [0, 1, 2].map(|k| percentile(seen.iter().map(|c| c[k]), 0.5))
}

/// The position of each pixel's colour between those of the lips and the teeth, as a likelihood in 0..=1.
fn tooth_likeness(
    picture: &Image<Rgba>,
    lip: [f32; 3],
    tooth: [f32; 3],
    pixels_per_cm: f32,
) -> Image<f32> {
    let axis = [0, 1, 2].map(|k| tooth[k] - lip[k]);
    let length = axis.iter().map(|v| v * v).sum::<f32>().max(1.0);
    let likeness = picture.map(|pixel| {
        let along: f32 = (0..3).map(|k| (pixel[k] - lip[k]) * axis[k]).sum();
        smoothstep_between(0.3, 0.6, along / length)
    });
    likeness.blurred(0.03 * pixels_per_cm + 0.5)
}

/// The colour of the portrait's teeth; `None` if it doesn't show enough of them.
pub(super) fn tooth_colour(
    opening: &Opening,
    source: &Image<Rgba>,
    tone: &Tone,
) -> Option<[f32; 3]> {
    let lines = opening.upper.iter().chain(&opening.lower);
    let area = PixelBox::around(lines, 1.0, source.width, source.height)?;
    let covered = area.covered(opening);
    let mut inside = Vec::new();
    for y in 0..area.height {
        for x in 0..area.width {
            let [r, g, b, alpha] = source.at(area.left + x, area.top + y);
            if covered.at(x, y) > 0.8 && alpha > 0.9 {
                inside.push([r, g, b]);
            }
        }
    }
    if inside.len() < 40 {
        return None;
    }
    let middle = percentile(inside.iter().map(|c| mean(*c)), 0.55);
    let whitish = |&[r, g, b]: &[f32; 3]| mean([r, g, b]) > middle && r - b < 0.35 * r + 10.0;
    let total = inside.len() as f32;
    inside.retain(whitish);
    let count = inside.len() as f32;
    let brightness = inside.iter().map(|c| mean(*c)).sum::<f32>() / count.max(1.0);
    if count < (0.22 * total).max(15.0) || brightness < 0.85 * mean(tone.skin) {
        return None;
    }
    let bright = percentile(inside.iter().map(|c| mean(*c)), 0.65);
    inside.retain(|c| mean(*c) >= bright);
    Some([0, 1, 2].map(|k| percentile(inside.iter().map(|c| c[k]), 0.5)))
}
