//! Lines of points, asked for the point that is nearest to a pixel.

/// How a pixel lies to a line of points.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Nearest {
    /// In pixels.
    pub distance: f32,
    /// How far along the line the nearest point is, in 0..=1 of its segments.
    pub along: f32,
    /// Whether the pixel lies on the side against `down`.
    pub above: bool,
}

/// A line of points that is asked for the nearest point often.
#[derive(Debug, Clone)]
pub(super) struct Polyline {
    segments: Vec<Segment>,
    /// Left, top, right and bottom of each run of [`Polyline::RUN`] segments.
    boxes: Vec<[f32; 4]>,
    down: [f32; 2],
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    start: [f32; 2],
    way: [f32; 2],
    /// 1 / the square of its length.
    scale: f32,
}

/// The nearest point so far.
#[derive(Clone, Copy)]
struct Best {
    square: f32,
    place: f32,
    side: f32,
}

impl Polyline {
    const RUN: usize = 8;

    /// The line through points; `down` tells its sides apart.
    pub fn new(points: &[[f32; 2]], down: [f32; 2]) -> Self {
        let segments = points.windows(2).map(|pair| {
            let way = [pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]];
            Segment {
                start: pair[0],
                way,
                scale: 1.0 / (way[0] * way[0] + way[1] * way[1] + 1e-9),
            }
        });
        let last = points.len().saturating_sub(1);
        let runs = (0..last).step_by(Self::RUN);
        Self {
            segments: segments.collect(),
            boxes: runs
                .map(|start| bounds(&points[start..=(start + Self::RUN).min(last)]))
                .collect(),
            down,
        }
    }

    /// The nearest point of the line if it is within `reach`, else one infinitely far.
    pub fn nearest(&self, at: [f32; 2], reach: f32) -> Nearest {
        let away = |run: usize| {
            let [left, top, right, bottom] = self.boxes[run];
            let dx = (left - at[0]).max(at[0] - right).max(0.0);
            let dy = (top - at[1]).max(at[1] - bottom).max(0.0);
            dx * dx + dy * dy
        };
        let mut best = Best {
            square: reach * reach,
            place: -1.0,
            side: 0.0,
        };
        // The run whose box is nearest first: it rules most others out.
        let mut first = (best.square, usize::MAX);
        for run in 0..self.boxes.len() {
            let square = away(run);
            if square < first.0 {
                first = (square, run);
            }
        }
        if first.1 != usize::MAX {
            self.search(first.1, at, &mut best);
            for run in (0..self.boxes.len()).filter(|run| *run != first.1) {
                if away(run) < best.square {
                    self.search(run, at, &mut best);
                }
            }
        }
        let is_found = best.place >= 0.0;
        Nearest {
            distance: if is_found {
                best.square.sqrt()
            } else {
                f32::INFINITY
            },
            along: best.place.max(0.0) / self.segments.len().max(1) as f32,
            above: is_found && best.side < 0.0,
        }
    }

    /// Looks for a nearer point in one run.
    #[inline]
    fn search(&self, run: usize, [x, y]: [f32; 2], best: &mut Best) {
        let first = run * Self::RUN;
        let end = (first + Self::RUN).min(self.segments.len());
        for (i, segment) in self.segments[first..end].iter().enumerate() {
            let ([ax, ay], [dx, dy]) = (segment.start, segment.way);
            let t = (((x - ax) * dx + (y - ay) * dy) * segment.scale).clamp(0.0, 1.0);
            let (ex, ey) = (x - ax - t * dx, y - ay - t * dy);
            let square = ex * ex + ey * ey;
            if square < best.square {
                *best = Best {
                    square,
                    place: (first + i) as f32 + t,
                    side: ex * self.down[0] + ey * self.down[1],
                };
            }
        }
    }
}

/// Left, top, right and bottom of points.
pub(super) fn bounds(points: &[[f32; 2]]) -> [f32; 4] {
    let start = [
        f32::INFINITY,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NEG_INFINITY,
    ];
    points
        .iter()
        .fold(start, |[left, top, right, bottom], [x, y]| {
            [left.min(*x), top.min(*y), right.max(*x), bottom.max(*y)]
        })
}
