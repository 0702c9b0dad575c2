//! Soft-edged shapes: polygons rasterised on a grid, blurred there, and resampled over any square of the picture at
//! any size.
//!
//! The grid's resolution depends only on the blur, so a shape looks the same at every output size, and the work is the
//! same for a small face and a large one.

use super::Square;
use crate::math::gaussian;

/// A closed polygon in pixels of the picture.
pub(super) type Polygon = Vec<[f64; 2]>;

/// Grid cells per sigma of the blur; at 3, linear interpolation between cells is within 1 % of the curve.
const CELLS_A_SIGMA: f64 = 3.0;

/// Maximum number of cells per side, for shapes that are far larger than their blur.
const MAX_CELLS: f64 = 1500.0;

/// Gaps narrower than twice this many cells are closed: where a surface folds, its outlines may leave an unintended
/// crack.
const CLOSING_RADIUS: usize = 3;

/// Number of scanlines per row of cells.
const LINES: usize = 4;

/// A shape's coverage, in 0..=1.
pub(super) struct SoftShape {
    /// The corner of the grid's first cell, in pixels.
    origin: [f64; 2],
    /// Pixels per cell.
    cell: f64,
    width: usize,
    /// Row-major.
    values: Vec<f32>,
}

impl SoftShape {
    /// Creates the union of the polygons (by the non-zero winding rule), blurred by a Gaussian of `sigma` pixels.
    /// Polygons that touch, or leave only a crack much narrower than the blur, show no seam. `None` where there is
    /// nothing to fill.
    pub fn new(polygons: &[Polygon], sigma: f64) -> Option<Self> {
        let mut low = [f64::INFINITY; 2];
        let mut high = [f64::NEG_INFINITY; 2];
        for point in polygons.iter().flatten() {
            for i in 0..2 {
                low[i] = low[i].min(point[i]);
                high[i] = high[i].max(point[i]);
            }
        }
        let extent = (high[0] - low[0]).max(high[1] - low[1]);
        let usable = sigma.is_finite() && sigma > 0.0 && extent.is_finite() && extent > 0.0;
        if !usable {
            return None;
        }

        let cell = (sigma / CELLS_A_SIGMA).max(extent / MAX_CELLS);
        let kernel = gaussian(sigma / cell);
        // Wide enough that the blur never reaches the grid's edge.
        let margin = kernel.len() + CLOSING_RADIUS;
        let cells = |i: usize| ((high[i] - low[i]) / cell).ceil() as usize + 2 * margin;
        let (width, height) = (cells(0), cells(1));
        // The shape is centred in the grid, so that its mirror image falls on the same cells.
        let origin = [(0, width), (1, height)]
            .map(|(i, cells)| (low[i] + high[i] - cells as f64 * cell) / 2.0);

        let mut values = vec![0.0f32; width * height];
        let edges: Vec<Vec<Edge>> = polygons.iter().map(|p| edges(p, origin, cell)).collect();
        let mut line = Line::default();
        for (y, row) in values.chunks_exact_mut(width).enumerate() {
            for part in 0..LINES {
                let at = y as f64 + (part as f64 + 0.5) / LINES as f64;
                line.fill(&edges, at, row);
            }
        }
        let values = close(&values, width);
        let values = blur(&blur(&values, 1, &kernel), width, &kernel);
        Some(Self {
            origin,
            cell,
            width,
            values,
        })
    }

    /// Returns the shape over `square` as `[size, size]`, each value the mean over its part of the square.
    pub fn sample(&self, square: Square, size: usize) -> Vec<f32> {
        let mut out = vec![0.0f32; size * size];
        let height = self.values.len() / self.width;
        let axis = |start: f64, origin: f64, cells: usize| {
            Taps::new(
                (start - origin) / self.cell,
                square.side / self.cell,
                size,
                cells,
            )
        };
        let across = axis(square.x, self.origin[0], self.width);
        let down = axis(square.y, self.origin[1], height);

        // Only the rows of cells inside the square are resampled.
        let used = down.cells_in_use();
        let mut wide = vec![0.0f32; used.len() * size];
        let rows = self.values.chunks_exact(self.width).skip(used.start);
        for (out, row) in wide.chunks_exact_mut(size.max(1)).zip(rows) {
            for (i, out) in out.iter_mut().enumerate() {
                let (first, weights) = across.at(i);
                let cells = row[first..].iter().zip(weights);
                *out = cells.map(|(value, weight)| value * weight).sum();
            }
        }
        for (i, out) in out.chunks_exact_mut(size.max(1)).enumerate() {
            let (first, weights) = down.at(i);
            for (k, weight) in weights.iter().enumerate() {
                let row = &wide[(first + k - used.start) * size..][..size];
                for (out, value) in out.iter_mut().zip(row) {
                    *out += value * weight;
                }
            }
            for out in out {
                *out = out.clamp(0.0, 1.0);
            }
        }
        out
    }
}

/// A polygon's edge in cells, from its upper end to its lower one.
struct Edge {
    top: [f64; 2],
    bottom: f64,
    /// Cells to the right for each cell down.
    slope: f64,
    /// 1 where the polygon runs down along it, -1 where up.
    winding: i32,
}

fn edges(polygon: &Polygon, origin: [f64; 2], cell: f64) -> Vec<Edge> {
    let place = |p: &[f64; 2]| [(p[0] - origin[0]) / cell, (p[1] - origin[1]) / cell];
    let next = polygon.iter().cycle().skip(1);
    let pairs = polygon.iter().zip(next).map(|(a, b)| (place(a), place(b)));
    pairs
        .filter(|(a, b)| a[1] != b[1])
        .map(|(a, b)| {
            // An edge shared by two polygons is the same whichever direction each of them follows it.
            let (top, bottom, winding) = if a[1] < b[1] { (a, b, 1) } else { (b, a, -1) };
            Edge {
                top,
                bottom: bottom[1],
                slope: (bottom[0] - top[0]) / (bottom[1] - top[1]),
                winding,
            }
        })
        .collect()
}

/// Scratch buffers for filling a scanline.
#[derive(Default)]
struct Line {
    crossings: Vec<(f64, i32)>,
    spans: Vec<(f64, f64)>,
}

impl Line {
    /// Adds the polygons' coverage along the scanline at `y` to its row of cells.
    fn fill(&mut self, polygons: &[Vec<Edge>], y: f64, row: &mut [f32]) {
        self.spans.clear();
        for edges in polygons {
            self.crossings.clear();
            let hit = edges.iter().filter(|e| e.top[1] <= y && y < e.bottom);
            self.crossings
                .extend(hit.map(|e| (e.top[0] + (y - e.top[1]) * e.slope, e.winding)));
            self.crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut winding = 0;
            for pair in self.crossings.windows(2) {
                winding += pair[0].1;
                if winding != 0 {
                    self.spans.push((pair[0].0, pair[1].0));
                }
            }
        }
        self.spans.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut done = 0.0f64;
        for (start, end) in &self.spans {
            let start = start.max(done);
            if *end > start {
                cover(row, start, *end);
                done = *end;
            }
        }
    }
}

/// Adds one scanline's share of the span `start..end`, in cells, to the row.
fn cover(row: &mut [f32], start: f64, end: f64) {
    const SHARE: f32 = 1.0 / LINES as f32;
    let (first, last) = (start as usize, (end as usize).min(row.len() - 1));
    for (i, value) in row.iter_mut().enumerate().take(last + 1).skip(first) {
        let inside = end.min(i as f64 + 1.0) - start.max(i as f64);
        *value += SHARE * inside as f32;
    }
}

/// Morphological closing: fills gaps narrower than twice [`CLOSING_RADIUS`] and leaves straight edges unchanged. Each cell
/// takes the maximum of its neighbourhood, then the minimum of those.
fn close(values: &[f32], width: usize) -> Vec<f32> {
    let mut values = values.to_vec();
    for stride in [1, width] {
        values = fold_neighbours(&values, stride, f32::max);
    }
    for stride in [1, width] {
        values = fold_neighbours(&values, stride, f32::min);
    }
    values
}

/// Folds `pick` over the cells within [`CLOSING_RADIUS`] of each one: of its row where `stride` is 1, of its column where it is
/// the grid's width. At the end of a row it reads the next row's margin, which is empty too.
fn fold_neighbours(values: &[f32], stride: usize, pick: impl Fn(f32, f32) -> f32) -> Vec<f32> {
    let mut out = values.to_vec();
    for shift in (1..=CLOSING_RADIUS).map(|k| (k * stride).min(values.len())) {
        for (out, value) in out[shift..].iter_mut().zip(values) {
            *out = pick(*out, *value);
        }
        for (out, value) in out.iter_mut().zip(&values[shift..]) {
            *out = pick(*out, *value);
        }
    }
    out
}

/// Blurs along rows or columns, as in [`fold_neighbours`], with a symmetric kernel given from its middle outwards.
fn blur(values: &[f32], stride: usize, kernel: &[f32]) -> Vec<f32> {
    let mut out: Vec<f32> = values.iter().map(|value| value * kernel[0]).collect();
    for (k, weight) in kernel.iter().enumerate().skip(1) {
        let shift = (k * stride).min(values.len());
        for (out, value) in out[shift..].iter_mut().zip(values) {
            *out += weight * value;
        }
        for (out, value) in out.iter_mut().zip(&values[shift..]) {
            *out += weight * value;
        }
    }
    out
}

/// Filter taps along one axis: for each output value, its cells and their weights. A value is the mean over its part
/// of the square, but over at least one cell, which is linear interpolation.
struct Taps {
    /// The first cell, and where its weights begin and end.
    runs: Vec<(usize, usize, usize)>,
    weights: Vec<f32>,
}

impl Taps {
    /// `start` and `side` are the square's, in cells; there are `size` values and `cells` cells.
    fn new(start: f64, side: f64, size: usize, cells: usize) -> Self {
        let step = side / size as f64;
        let wide = step.max(1.0);
        let mut taps = Self {
            runs: Vec::with_capacity(size),
            weights: Vec::new(),
        };
        for i in 0..size {
            let middle = start + (i as f64 + 0.5) * step;
            let (from, to) = (middle - wide / 2.0, middle + wide / 2.0);
            // `as` saturates values outside the grid, and maps NaN to 0; there the run is empty.
            let (first, end) = (from.floor() as usize, (to.ceil() as usize).min(cells));
            let begin = taps.weights.len();
            taps.weights.extend((first..end).map(|cell| {
                let inside = to.min(cell as f64 + 1.0) - from.max(cell as f64);
                (inside / wide) as f32
            }));
            taps.runs.push((first.min(end), begin, taps.weights.len()));
        }
        taps
    }

    fn at(&self, i: usize) -> (usize, &[f32]) {
        let (first, begin, end) = self.runs[i];
        (first, &self.weights[begin..end])
    }

    /// Returns the range of cells used by any value.
    fn cells_in_use(&self) -> std::ops::Range<usize> {
        let taken = self.runs.iter().filter(|run| run.2 > run.1);
        let low = taken.clone().map(|run| run.0).min().unwrap_or(0);
        let high = taken.map(|run| run.0 + run.2 - run.1).max().unwrap_or(low);
        low..high
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WHOLE: Square = Square {
        x: 0.0,
        y: 0.0,
        side: 100.0,
    };

    fn rectangle(left: f64, top: f64, right: f64, bottom: f64) -> Polygon {
        vec![[left, top], [right, top], [right, bottom], [left, bottom]]
    }

    #[test]
    fn an_edge_follows_the_gaussian_integral_and_the_interior_is_one() {
        let soft = SoftShape::new(&[rectangle(20.0, 20.0, 80.0, 80.0)], 4.0).unwrap();
        let values = soft.sample(WHOLE, 400);
        let at = |x: usize| values[200 * 400 + x];
        assert!((at(200) - 1.0).abs() < 1e-3);
        assert_eq!(at(0), 0.0);
        // At the edge a half, and a sigma on either side 0.159 and 0.841.
        let edge = (at(79) + at(80)) / 2.0;
        assert!((edge - 0.5).abs() < 0.01, "{edge}");
        assert!((at(64) - 0.159).abs() < 0.02, "{}", at(64));
        assert!((at(96) - 0.841).abs() < 0.02, "{}", at(96));
        assert!((20..150).all(|x| at(x) <= at(x + 1) + 1e-5));
    }

    #[test]
    fn adjacent_polygons_show_no_seam_whatever_their_winding() {
        let left = rectangle(10.0, 10.0, 50.0, 90.0);
        let mut right = rectangle(50.0, 10.0, 90.0, 90.0);
        for _ in 0..2 {
            right.reverse();
            let soft = SoftShape::new(&[left.clone(), right.clone(), left.clone()], 2.0).unwrap();
            let values = soft.sample(WHOLE, 64);
            let middle = &values[32 * 64 + 16..32 * 64 + 48];
            assert!(middle.iter().all(|v| (v - 1.0).abs() < 1e-4), "{middle:?}");
        }
    }

    #[test]
    fn degenerate_polygons_and_sigmas_are_refused() {
        let square = rectangle(0.0, 0.0, 1.0, 1.0);
        assert!(SoftShape::new(&[], 1.0).is_none());
        assert!(SoftShape::new(&[vec![]], 1.0).is_none());
        assert!(SoftShape::new(&[vec![[3.0, 3.0]; 4]], 1.0).is_none());
        for sigma in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(SoftShape::new(std::slice::from_ref(&square), sigma).is_none());
        }
        assert!(SoftShape::new(&[rectangle(0.0, 0.0, f64::INFINITY, 1.0)], 1.0).is_none());
        // Too fine a blur for so wide a shape uses a coarser grid.
        assert!(SoftShape::new(&[rectangle(0.0, 0.0, 1e12, 1e12)], 1e-6).is_some());
    }

    proptest! {
        #[test]
        fn the_mean_of_a_mask_is_the_polygons_share_of_the_area(
            left in 5f64..40.0, top in 5f64..40.0, width in 5f64..50.0, height in 5f64..50.0, size in 1usize..90,
        ) {
            let soft = SoftShape::new(&[rectangle(left, top, left + width, top + height)], 1.5).unwrap();
            let square = Square { x: -20.0, y: -20.0, side: 140.0 };
            let values = soft.sample(square, size);
            let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64;
            let share = width * height / (140.0 * 140.0);
            prop_assert!((mean / share - 1.0).abs() < 0.1, "{} {}", mean, share);
            prop_assert!(values.iter().all(|v| (0.0..=1.0).contains(v)));
        }

        #[test]
        fn a_soft_mask_over_any_square_stays_between_0_and_1(x in any::<f64>(), y in any::<f64>(), side in any::<f64>(), size in 0usize..20) {
            let soft = SoftShape::new(&[rectangle(0.0, 0.0, 40.0, 40.0)], 2.0).unwrap();
            let values = soft.sample(Square { x, y, side }, size);
            prop_assert_eq!(values.len(), size * size);
            prop_assert!(values.iter().all(|v| (0.0..=1.0).contains(v)));
        }
    }
}
