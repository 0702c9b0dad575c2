//! Coordinates along and across the lips, and fast distances to them.

use super::openings::Opening;

/// Coordinates along and across the lips.
pub(super) struct LipFrame {
    down: [f32; 2],
    /// Position of the left corner along the lips' axis, and the distance to the right one, in pixels.
    start: f32,
    width: f32,
    /// Tabulated at equal steps along the axis: the lines' vertical positions, and the cosines of their slopes.
    upper: Vec<(f32, f32)>,
    lower: Vec<(f32, f32)>,
}

/// The position of a pixel relative to the lips.
pub(super) struct LipPlace {
    /// From the left corner, 0, to the right one, 1.
    pub along: f32,
    /// Distance below the upper and above the lower line, in pixels.
    pub from_upper: f32,
    pub from_lower: f32,
    /// Distance past a corner, in pixels.
    pub beyond: f32,
}

impl LipFrame {
    /// Steps of the tables.
    const STEPS: usize = 96;

    pub fn new(opening: &Opening, down: [f32; 2]) -> Self {
        Self::of_lines(&opening.upper, &opening.lower, down)
    }

    /// The frame of a single line.
    pub fn along(line: &[[f32; 2]], down: [f32; 2]) -> Self {
        Self::of_lines(line, line, down)
    }

    fn of_lines(upper: &[[f32; 2]], lower: &[[f32; 2]], down: [f32; 2]) -> Self {
        let turned = |line: &[[f32; 2]]| -> Vec<[f32; 2]> {
            let turn = |[x, y]: &[f32; 2]| [x * down[1] - y * down[0], x * down[0] + y * down[1]];
            line.iter().map(turn).collect()
        };
        let (upper, lower) = (turned(upper), turned(lower));
        let across = || upper.iter().chain(&lower).map(|point| point[0]);
        let start = across().fold(f32::INFINITY, f32::min);
        let end = across().fold(f32::NEG_INFINITY, f32::max);
        let width = (end - start).max(1e-3);
        let table = |line: &[[f32; 2]], highest: bool| {
            tabulated(line, start, width / Self::STEPS as f32, highest)
        };
        Self {
            down,
            start,
            width,
            upper: table(&upper, true),
            lower: table(&lower, false),
        }
    }

    pub fn width(&self) -> f32 {
        self.width
    }

    pub fn down(&self) -> [f32; 2] {
        self.down
    }

    /// The position along the lips, in 0..=1, and down, in pixels.
    #[inline]
    pub fn coordinates(&self, [x, y]: [f32; 2]) -> (f32, f32) {
        let [dx, dy] = self.down;
        let along = (x * dy - y * dx - self.start) / self.width;
        (along.clamp(0.0, 1.0), x * dx + y * dy)
    }

    /// The vertical positions of the upper and lower line.
    pub fn heights(&self, along: f32) -> (f32, f32) {
        (lookup(&self.upper, along).0, lookup(&self.lower, along).0)
    }

    pub fn point(&self, along: f32, height: f32) -> [f32; 2] {
        let (right, [dx, dy]) = (self.start + along * self.width, self.down);
        [right * dy + height * dx, height * dy - right * dx]
    }

    #[inline]
    pub fn place(&self, [x, y]: [f32; 2]) -> LipPlace {
        let [dx, dy] = self.down;
        let (right, height) = (x * dy - y * dx - self.start, x * dx + y * dy);
        let along = (right / self.width).clamp(0.0, 1.0);
        let (upper, upper_slope) = lookup(&self.upper, along);
        let (lower, lower_slope) = lookup(&self.lower, along);
        LipPlace {
            along,
            from_upper: (height - upper) * upper_slope,
            from_lower: (lower - height) * lower_slope,
            beyond: (right - along * self.width).abs(),
        }
    }
}

/// Tabulates a left-to-right line at equal steps: its vertical position and the cosine of its slope. Where it doubles
/// back, its highest or lowest part is taken.
fn tabulated(line: &[[f32; 2]], start: f32, pace: f32, highest: bool) -> Vec<(f32, f32)> {
    let sign = if highest { 1.0 } else { -1.0 };
    let ends = [line.first(), line.last()].map(|end| end.copied().unwrap_or([0.0; 2]));
    (0..=LipFrame::STEPS)
        .map(|i| {
            let at = start + i as f32 * pace;
            let mut best: Option<(f32, f32)> = None;
            for pair in line.windows(2) {
                let ([ax, ay], [bx, by]) = (pair[0], pair[1]);
                if (at - ax) * (at - bx) > 0.0 {
                    continue;
                }
                let (dx, dy) = (bx - ax, by - ay);
                let t = if dx.abs() > 1e-6 { (at - ax) / dx } else { 0.5 };
                let height = ay + t * dy;
                if best.is_none_or(|(other, _)| sign * height < sign * other) {
                    // Vertical distances overestimate the distance to a steep line.
                    let slope = dx.abs() / dx.hypot(dy).max(1e-6);
                    best = Some((height, slope.max(0.2)));
                }
            }
            best.unwrap_or_else(|| {
                let nearer = if (at - ends[0][0]).abs() < (at - ends[1][0]).abs() {
                    0
                } else {
                    1
                };
                (ends[nearer][1], 1.0)
            })
        })
        .collect()
}

#[inline(always)]
fn lookup(table: &[(f32, f32)], along: f32) -> (f32, f32) {
    let at = along * LipFrame::STEPS as f32;
    let i = (at as usize).min(LipFrame::STEPS - 1);
    let t = at - i as f32;
    let (a, b) = (table[i], table[i + 1]);
    (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::polyline::Polyline;
    use super::*;

    /// A smile in pixels, rotated by an angle.
    fn mouth(angle: f32) -> (Opening, [f32; 2]) {
        let (s, c) = angle.sin_cos();
        let line = |depth: f32| {
            (0..64)
                .map(|i| {
                    let t = i as f32 / 31.5 - 1.0;
                    let (x, y) = (40.0 * t, depth * (1.0 - t * t));
                    [100.0 + x * c - y * s, 100.0 + x * s + y * c]
                })
                .collect()
        };
        let opening = Opening {
            upper: line(3.0),
            lower: line(14.0),
        };
        (opening, [-s, c])
    }

    proptest! {
        #[test]
        fn points_and_lip_coordinates_round_trip(angle in -0.6f32..0.6, along in 0f32..1.0, height in 0f32..200.0) {
            let (opening, down) = mouth(angle);
            let frame = LipFrame::new(&opening, down);
            let (back, high) = frame.coordinates(frame.point(along, height));
            prop_assert!((back - along).abs() < 1e-3 && (high - height).abs() < 1e-2);
        }

        #[test]
        fn approximate_distances_agree_with_those_to_the_lip_lines(angle in -0.6f32..0.6, along in 0.1f32..0.9, share in 0.1f32..0.9) {
            let (opening, down) = mouth(angle);
            let frame = LipFrame::new(&opening, down);
            let (upper, lower) = frame.heights(along);
            let point = frame.point(along, upper + share * (lower - upper));
            let place = frame.place(point);
            let to_upper = Polyline::new(&opening.upper, down).nearest(point, f32::INFINITY).distance;
            let to_lower = Polyline::new(&opening.lower, down).nearest(point, f32::INFINITY).distance;
            prop_assert!((place.from_upper - to_upper).abs() < 0.05 * to_upper + 0.3);
            prop_assert!((place.from_lower - to_lower).abs() < 0.1 * to_lower + 0.5);
        }
    }

    #[test]
    fn a_lip_line_of_zero_length_gives_finite_coordinates() {
        let frame = LipFrame::along(&[[5.0, 5.0]; 64], [0.0, 1.0]);
        let place = frame.place([7.0, 9.0]);
        assert!(place.from_upper.is_finite() && place.beyond.is_finite());
    }
}
