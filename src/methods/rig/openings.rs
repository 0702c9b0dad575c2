//! The outlines of eyes and mouth in a frame.

use super::image::Sample;
use super::model::{Model, OpeningEdges, Point};
use crate::math::catmull_rom;

/// A line of points in pixels.
pub(super) type Line = Vec<[f32; 2]>;

/// An opening between two lids or lips.
#[derive(Debug, Clone)]
pub(super) struct Opening {
    /// [`POINTS`] points each, in the order of the model's [`OpeningEdges`]; the upper line is never below the lower.
    pub upper: Line,
    pub lower: Line,
}

/// The openings of a head.
#[derive(Debug, Clone)]
pub(super) struct Openings {
    /// The person's right eye, on the picture's left, and the left.
    pub eyes: [Opening; 2],
    pub mouth: Opening,
}

/// Number of points of a smoothed line.
pub(super) const POINTS: usize = 64;

/// Number of points that the vertices are resampled to before the curve is fitted.
const KNOTS: usize = 20;

impl Openings {
    /// The openings of a head in pixels whose downward axis is `down`.
    pub fn new(model: &Model, points: &[Point], down: [f32; 2]) -> Self {
        // An upper lid that overlaps the lower one is moved onto it; lips meet halfway.
        let eyes = [0, 1].map(|eye| Opening::new(&model.eyes[eye], points, down, 1.0));
        let mouth = Opening::new(&model.lips, points, down, 0.5);
        Self { eyes, mouth }
    }

    pub fn all(&self) -> [&Opening; 3] {
        [&self.eyes[0], &self.eyes[1], &self.mouth]
    }
}

impl Opening {
    /// `upper_share` is the share of an overlap that is resolved by moving the upper line.
    fn new(ring: &OpeningEdges, points: &[Point], down: [f32; 2], upper_share: f32) -> Self {
        let line = |row: &[usize]| {
            smoothed(
                &row.iter()
                    .map(|v| [points[*v][0], points[*v][1]])
                    .collect::<Line>(),
            )
        };
        let (mut upper, mut lower) = (line(&ring.upper), line(&ring.lower));
        for (above, below) in upper.iter_mut().zip(&mut lower) {
            let gap = (below[0] - above[0]) * down[0] + (below[1] - above[1]) * down[1];
            let overlap = (-gap).max(0.0);
            for k in 0..2 {
                above[k] -= overlap * upper_share * down[k];
                below[k] += overlap * (1.0 - upper_share) * down[k];
            }
        }
        Self { upper, lower }
    }

    /// The outline: along the upper line and back along the lower.
    pub fn polygon(&self) -> Line {
        self.upper
            .iter()
            .chain(self.lower.iter().rev())
            .copied()
            .collect()
    }

    /// The opening's height at each point, along the head's downward axis.
    pub fn gaps(&self, down: [f32; 2]) -> impl Iterator<Item = f32> {
        let pairs = self.upper.iter().zip(&self.lower);
        pairs.map(move |(above, below)| {
            (below[0] - above[0]) * down[0] + (below[1] - above[1]) * down[1]
        })
    }
}

/// A smooth curve through a line's points, sampled at [`POINTS`] points.
pub(super) fn smoothed(line: &[[f32; 2]]) -> Line {
    let mut knots = evenly_spaced(line, KNOTS);
    for _ in 0..2 {
        let before = knots.clone();
        for (i, knot) in knots.iter_mut().enumerate().take(KNOTS - 1).skip(1) {
            *knot = [0, 1]
                .map(|k| 0.25 * before[i - 1][k] + 0.5 * before[i][k] + 0.25 * before[i + 1][k]);
        }
    }
    // A Catmull-Rom curve, extrapolated quadratically at the ends.
    let beyond = |a: [f32; 2], b: [f32; 2], c: [f32; 2]| [0, 1].map(|k| 3.0 * (a[k] - b[k]) + c[k]);
    knots.insert(0, beyond(knots[0], knots[1], knots[2]));
    let [.., c, b, a] = knots[..] else {
        return knots;
    };
    knots.push(beyond(a, b, c));
    (0..POINTS)
        .map(|i| {
            let at = i as f32 * (KNOTS - 1) as f32 / (POINTS - 1) as f32;
            let segment = (at as usize).min(KNOTS - 2);
            let weighted = knots[segment..]
                .iter()
                .zip(catmull_rom(at - segment as f32));
            weighted.fold([0.0; 2], |sum, (knot, weight)| sum.plus(*knot, weight))
        })
        .collect()
}

/// `count` points equally spaced along a line, including its ends.
fn evenly_spaced(line: &[[f32; 2]], count: usize) -> Line {
    let Some((&first, &last)) = line.first().zip(line.last()) else {
        return vec![[0.0; 2]; count];
    };
    let mut lengths = Vec::with_capacity(line.len());
    let mut total = 0.0;
    for pair in line.windows(2) {
        lengths.push(total);
        total += (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]);
    }
    let mut segment = 0;
    (0..count)
        .map(|i| {
            if i + 1 == count || lengths.is_empty() {
                return if i + 1 == count { last } else { first };
            }
            let at = total * i as f32 / (count - 1) as f32;
            while segment + 1 < lengths.len() && lengths[segment + 1] <= at {
                segment += 1;
            }
            let end = lengths.get(segment + 1).copied().unwrap_or(total);
            let t = (at - lengths[segment]) / (end - lengths[segment]).max(1e-9);
            let (a, b) = (line[segment], line[segment + 1]);
            [0, 1].map(|k| a[k] + t.min(1.0) * (b[k] - a[k]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn smoothing_keeps_a_straight_line_and_its_ends(
            places in prop::collection::vec(0f32..50.0, 2..50), slope in -2f32..2.0,
        ) {
            let mut places = places;
            places.sort_by(f32::total_cmp);
            let line: Line = places.iter().map(|x| [*x, slope * x + 3.0]).collect();
            let curve = smoothed(&line);
            prop_assert_eq!(curve.len(), POINTS);
            for [x, y] in &curve {
                prop_assert!((y - slope * x - 3.0).abs() < 1e-3);
            }
            prop_assert!((curve[0][0] - places[0]).abs() < 1e-3);
            prop_assert!((curve[POINTS - 1][0] - places[places.len() - 1]).abs() < 1e-3);
            prop_assert!(curve.is_sorted_by(|a, b| a[0] <= b[0] + 1e-3));
        }

        #[test]
        fn the_upper_line_of_an_opening_never_lies_below_the_lower_one(heights in prop::collection::vec(-6f32..6.0, 20), turn in -1f32..1.0) {
            let (s, c) = turn.sin_cos();
            let down = [-s, c];
            let turned = |x: f32, y: f32| [c * x - s * y, s * x + c * y, 0.0];
            let mut points: Vec<Point> = (0..10).map(|i| turned(4.0 * i as f32, heights[i])).collect();
            points.extend((0..10).map(|i| turned(4.0 * i as f32, heights[10 + i])));
            let (upper, lower) = ((0..10).collect(), (10..20).collect());
            let ring = OpeningEdges { upper, lower, to_upper: Vec::new(), to_lower: Vec::new() };
            for share in [0.5, 1.0] {
                let opening = Opening::new(&ring, &points, down, share);
                prop_assert!(opening.gaps(down).all(|gap| gap > -1e-3));
            }
        }
    }

    #[test]
    fn lines_of_zero_length_are_smoothed() {
        for line in [vec![], vec![[2.0, 3.0]], vec![[2.0, 3.0]; 7]] {
            let curve = smoothed(&line);
            assert_eq!(curve.len(), POINTS);
            let at = line.first().copied().unwrap_or_default();
            for point in curve {
                assert!((point[0] - at[0]).abs() < 1e-5 && (point[1] - at[1]).abs() < 1e-5);
            }
        }
    }
}
