//! Draws key points: their positions in the portrait and in the frame, and their local Jacobians.

use crate::face::TurnedSquare;
use crate::media::image::Picture;
use crate::methods::diagnostics::{KeyPoint, MotionFrame};
use crate::render::diagnostics::colours::point_colour;
use crate::render::diagnostics::marks::{Ink, Place, RIM, disc, ring, stroke};

/// Maximum length of a drawn axis, in shares of the crop's side.
const LONGEST: f32 = 0.1;

/// Length of an axis without stretch.
const AXIS: f32 = 0.04;

/// Draws the key points over `base`; see [`crate::render::diagnostics::draw`].
pub(crate) fn draw(base: &mut Picture, place: &TurnedSquare, frame: &MotionFrame) {
    let radius = (0.011 * place.side).clamp(2.5, 6.5);
    let pen = (0.34 * radius).clamp(1.0, 2.0);
    let marks = marks(place, frame);
    let twice = |base: &mut Picture, mark: &dyn Fn(&mut Picture, f64, Ink), ink: Ink| {
        mark(base, pen + 1.6, RIM);
        mark(base, pen, ink);
    };
    // Discs come last, so that no line crosses one.
    for mark in &marks {
        let pale = Ink {
            colour: mark.ink.colour,
            cover: 0.9,
        };
        if let Some(from) = mark.from {
            let line = |base: &mut Picture, width: f64, ink| {
                stroke(base, (from, mark.at), width, ink);
            };
            let circle = |base: &mut Picture, width: f64, ink| {
                ring(base, from, 0.85 * radius, width, ink);
            };
            twice(base, &line, pale);
            twice(base, &circle, pale);
        }
        for axis in mark.axes.iter().flatten() {
            let line = |base: &mut Picture, width: f64, ink| {
                stroke(base, *axis, width, ink);
            };
            twice(base, &line, pale);
        }
    }
    for mark in &marks {
        disc(base, mark.at, radius + 1.1, RIM);
        disc(base, mark.at, radius, mark.ink);
    }
}

/// A key point in the picture's pixels.
struct Mark {
    ink: Ink,
    at: Place,
    /// The position in the portrait.
    from: Option<Place>,
    /// Both ends of each axis.
    axes: Option<[(Place, Place); 2]>,
}

/// Returns the marks of the points with finite positions.
fn marks(place: &TurnedSquare, frame: &MotionFrame) -> Vec<Mark> {
    // Points that share a motion share its hue.
    let motions = frame.contributions.as_ref().map_or(0, |maps| maps.count);
    let groups = match motions.saturating_sub(1) {
        groups if groups > 0 && frame.points.len().is_multiple_of(groups) => groups,
        _ => frame.points.len(),
    };
    let of = (frame.points.len() / groups.max(1)).max(1);
    let (columns, rows) = frame.motion.flow_size;
    let within = |[x, y]: [f32; 2]| {
        // Converts from the outermost samples' centres to the crop's edges.
        let share = |at: f32, count: usize| {
            let inner = 1.0 - 1.0 / count.max(1) as f64;
            0.5 + 0.5 * f64::from(at) * inner
        };
        (share(x, columns), share(y, rows))
    };
    let finite = |point: &&KeyPoint| point.at.iter().all(|v| v.is_finite());
    let driven = frame.points.iter().enumerate();
    driven
        .filter(|(_, point)| finite(point))
        .map(|(i, point)| {
            let source = frame.source.get(i);
            let (u, v) = within(point.at);
            let axes = axes(point, source).map(|axes| {
                axes.map(|[x, y]| {
                    let end = |along: f64| {
                        place.to_picture((u + along * f64::from(x), v + along * f64::from(y)))
                    };
                    (end(-0.5), end(0.5))
                })
            });
            Mark {
                ink: Ink {
                    colour: point_colour((i / of, groups), (i % of, of)),
                    cover: 1.0,
                },
                at: place.to_picture((u, v)),
                from: source
                    .filter(finite)
                    .map(|source| place.to_picture(within(source.at))),
                axes,
            }
        })
        .collect()
}

/// Returns the axes of an upright cross at the portrait's point after the motion, in shares of the crop's side:
/// `J_d J_s^-1` of its axes. The network's own axes are arbitrary, so on their own they mean little; they are used only
/// where the portrait's can't be inverted.
fn axes(driven: &KeyPoint, source: Option<&KeyPoint>) -> Option<[[f32; 2]; 2]> {
    let [a, b, c, d] = driven.axes?;
    let undone = source.and_then(|source| {
        let [e, f, g, h] = source.axes?;
        let area = e * h - f * g;
        Some([h, -f, -g, e].map(|v| v / area))
            .filter(|inverse| inverse.iter().all(|v| v.is_finite()))
    });
    let [e, f, g, h] = undone.unwrap_or([1.0, 0.0, 0.0, 1.0]);
    let columns = [
        [a * e + b * g, c * e + d * g],
        [a * f + b * h, c * f + d * h],
    ];
    if !columns.as_flattened().iter().all(|v| v.is_finite()) {
        return None;
    }
    Some(columns.map(|column| {
        let length = column[0].hypot(column[1]) * AXIS;
        let scale = AXIS * (LONGEST / length.max(LONGEST));
        column.map(|v| v * scale)
    }))
}
