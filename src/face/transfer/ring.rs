//! Extrapolates the displacement along the crop's edge outwards, smoother with distance.

use super::plane::Plane;

/// The displacement along the crop's edge, clockwise from the upper left.
pub(super) struct Ring {
    /// Cells per side of the crop.
    size: usize,
    /// Prefix sums of the displacements of the `4 * size` samples, across and down, ending with the total.
    sums: Vec<[f64; 2]>,
    /// The largest displacement along the edge.
    most: f32,
}

impl Ring {
    /// `planes` hold the displacement across and down, `[size, size]` over the crop, as shares of its side.
    pub fn new(planes: [&Plane; 2]) -> Self {
        let size = planes[0].width;
        let last = size - 1;
        let top = (0..size).map(|i| (i, 0));
        let right = (0..size).map(|i| (last, i));
        let bottom = (0..size).map(|i| (last - i, last));
        let left = (0..size).map(|i| (0, last - i));
        let mut sum = [0.0f64; 2];
        let mut sums = vec![sum];
        let mut most = 0.0f32;
        for (x, y) in top.chain(right).chain(bottom).chain(left) {
            let [dx, dy] = planes.map(|plane| plane.values[y * size + x]);
            most = most.max((dx * dx + dy * dy).sqrt());
            sum = [sum[0] + f64::from(dx), sum[1] + f64::from(dy)];
            sums.push(sum);
        }
        Self { size, sums, most }
    }

    /// Returns the largest displacement along the edge, an upper bound of those around the crop.
    pub fn most(&self) -> f32 {
        self.most
    }

    /// Returns the displacement at a cell around the crop, counted from the crop's upper left: the mean over the edge
    /// around the nearest point, to either side as far as the cell is away from it.
    pub fn at(&self, x: isize, y: isize) -> [f32; 2] {
        let end = self.size as isize - 1;
        let (near_x, near_y) = (x.clamp(0, end), y.clamp(0, end));
        let size = self.size as f64;
        let (right, down) = (near_x as f64 + 0.5, near_y as f64 + 0.5);
        // The position along the edge from its corner; the corner itself for cells beyond two sides.
        let along_side = |at: f64, before: isize, after: isize| match (before < 0, after > end) {
            (true, _) => 0.0,
            (_, true) => size,
            _ => at,
        };
        let (right, down) = (along_side(right, x, x), along_side(down, y, y));
        let along = if y < 0 {
            right
        } else if x > end {
            size + down
        } else if y > end {
            3.0 * size - right
        } else {
            4.0 * size - down
        };
        let away = (x - near_x).abs().max((y - near_y).abs()) as f64;
        let radius = away.clamp(0.5, 2.0 * size);
        let (first, last) = (self.sum(along - radius), self.sum(along + radius));
        [0, 1].map(|axis| ((last[axis] - first[axis]) / (2.0 * radius)) as f32)
    }

    /// Returns the prefix sum up to a position along the edge, which is periodic.
    fn sum(&self, along: f64) -> [f64; 2] {
        let count = self.sums.len() - 1;
        let turns = (along / count as f64).floor();
        let at = along - turns * count as f64;
        let before = (at as usize).min(count - 1);
        let (low, high) = (self.sums[before], self.sums[before + 1]);
        let share = at - before as f64;
        let total = self.sums[count];
        [0, 1].map(|axis| turns * total[axis] + low[axis] + share * (high[axis] - low[axis]))
    }
}
