//! Polylines with fast nearest-point queries.

/// The position of a pixel relative to a polyline.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Nearest {
    /// Distance in pixels.
    pub distance: f32,
    /// The position of the nearest point along the line, in 0..=1, in equal parts per segment.
    pub along: f32,
    /// Whether the pixel is on the side opposite to `down`.
    pub above: bool,
}

/// A polyline prepared for many nearest-point queries.
#[derive(Debug, Clone)]
pub(super) struct Polyline {
    runs: Vec<Run>,
    /// Number of segments.
    segments: usize,
    down: [f32; 2],
}

/// Consecutive segments in SIMD layout. At the end of the line the last segment is repeated.
#[derive(Debug, Clone)]
struct Run {
    /// Left, top, right and bottom.
    bounds: [f32; 4],
    start: [[f32; RUN]; 2],
    direction: [[f32; RUN]; 2],
    /// 1 / squared length of each segment.
    scale: [f32; RUN],
}

/// Segments in a run.
const RUN: usize = 8;

/// The nearest point so far.
#[derive(Clone, Copy)]
struct Best {
    square: f32,
    place: f32,
    side: f32,
}

impl Polyline {
    /// The line through points; `down` defines its upper and lower side.
    pub fn new(points: &[[f32; 2]], down: [f32; 2]) -> Self {
        let segments = points.len().saturating_sub(1);
        let runs = (0..segments).step_by(RUN);
        Self {
            runs: runs.map(|first| Run::new(&points[first..])).collect(),
            segments,
            down,
        }
    }

    /// The nearest point of the line within `max_distance`, else an infinite distance.
    pub fn nearest(&self, at: [f32; 2], max_distance: f32) -> Nearest {
        let mut best = Best {
            square: max_distance * max_distance,
            place: -1.0,
            side: 0.0,
        };
        // The run with the nearest bounding box first: it rules out most others.
        let mut first = (best.square, usize::MAX);
        for (i, run) in self.runs.iter().enumerate() {
            let square = run.away(at);
            if square < first.0 {
                first = (square, i);
            }
        }
        if let Some(run) = self.runs.get(first.1) {
            run.search(first.1 * RUN, at, self.down, &mut best);
            for (i, run) in self.runs.iter().enumerate() {
                if i != first.1 && run.away(at) < best.square {
                    run.search(i * RUN, at, self.down, &mut best);
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
            along: best.place.max(0.0) / self.segments.max(1) as f32,
            above: is_found && best.side < 0.0,
        }
    }
}

impl Run {
    /// The first segments of a line of at least two points.
    fn new(points: &[[f32; 2]]) -> Self {
        let segments = RUN.min(points.len() - 1);
        let start = |i: usize| points[i.min(segments - 1)];
        let direction = |i: usize| {
            let ([ax, ay], [bx, by]) = (start(i), points[i.min(segments - 1) + 1]);
            [bx - ax, by - ay]
        };
        let side_by_side =
            |of: &dyn Fn(usize) -> [f32; 2]| [0, 1].map(|k| std::array::from_fn(|i| of(i)[k]));
        Self {
            bounds: bounds(&points[..=segments]),
            start: side_by_side(&start),
            direction: side_by_side(&direction),
            scale: std::array::from_fn(|i| {
                let [x, y] = direction(i);
                1.0 / (x * x + y * y + 1e-9)
            }),
        }
    }

    /// The squared distance to the bounding box.
    #[inline(always)]
    fn away(&self, [x, y]: [f32; 2]) -> f32 {
        let [left, top, right, bottom] = self.bounds;
        let dx = (left - x).max(x - right).max(0.0);
        let dy = (top - y).max(y - bottom).max(0.0);
        dx * dx + dy * dy
    }

    /// Searches for a nearer point; `first` is the index of the run's first segment.
    #[inline(always)]
    fn search(&self, first: usize, [x, y]: [f32; 2], down: [f32; 2], best: &mut Best) {
        let ([ax, ay], [wx, wy]) = (&self.start, &self.direction);
        let mut along = [0.0; RUN];
        let mut away = [[0.0; RUN]; 2];
        let mut squares = [0.0; RUN];
        for i in 0..RUN {
            let (dx, dy) = (x - ax[i], y - ay[i]);
            along[i] = ((dx * wx[i] + dy * wy[i]) * self.scale[i]).clamp(0.0, 1.0);
            away[0][i] = dx - along[i] * wx[i];
            away[1][i] = dy - along[i] * wy[i];
            squares[i] = away[0][i] * away[0][i] + away[1][i] * away[1][i];
        }
        for i in 0..RUN {
            if squares[i] < best.square {
                *best = Best {
                    square: squares[i],
                    place: (first + i) as f32 + along[i],
                    side: away[0][i] * down[0] + away[1][i] * down[1],
                };
            }
        }
    }
}

/// The bounding box of points: left, top, right and bottom.
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
