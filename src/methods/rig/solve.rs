//! Solves symmetric positive definite systems: small dense ones, and a sparse one that is factored once.

use std::ops::Range;

use rayon::prelude::*;

use crate::nn::isa::{Isa, multiversion};

/// The lower triangle of a symmetric matrix.
pub(super) struct Dense {
    n: usize,
    values: Vec<f64>,
}

/// The Cholesky factor of a [`Dense`] matrix.
pub(super) struct DenseFactor(Dense);

impl Dense {
    pub fn zeros(n: usize) -> Self {
        Self {
            n,
            values: vec![0.0; n * n],
        }
    }

    /// Adds to the value in row `i` and column `j`, `j <= i`.
    pub fn add(&mut self, i: usize, j: usize, value: f64) {
        self.values[i * self.n + j] += value;
    }

    /// Cholesky factorisation; `None` if the matrix isn't positive definite.
    pub fn factored(mut self) -> Option<DenseFactor> {
        let n = self.n;
        for i in 0..n {
            for j in 0..=i {
                let sum: f64 = (0..j)
                    .map(|k| self.values[i * n + k] * self.values[j * n + k])
                    .sum();
                let rest = self.values[i * n + j] - sum;
                self.values[i * n + j] = if i == j {
                    if rest <= 0.0 || rest.is_nan() {
                        return None;
                    }
                    rest.sqrt()
                } else {
                    rest / self.values[j * n + j]
                };
            }
        }
        Some(DenseFactor(self))
    }
}

impl DenseFactor {
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let (n, l) = (self.0.n, &self.0.values);
        let mut x = right.to_vec();
        for i in 0..n {
            let sum: f64 = (0..i).map(|k| l[i * n + k] * x[k]).sum();
            x[i] = (x[i] - sum) / l[i * n + i];
        }
        for i in (0..n).rev() {
            let sum: f64 = (i + 1..n).map(|k| l[k * n + i] * x[k]).sum();
            x[i] = (x[i] - sum) / l[i * n + i];
        }
        x
    }
}

/// The Cholesky factor of a sparse matrix in envelope storage (George & Liu 1981, "Computer Solution of Large Sparse
/// Positive Definite Systems", ch. 4), with rows and columns in reverse Cuthill-McKee order.
#[derive(Debug)]
pub(super) struct Sparse {
    /// The position of each row in the order.
    place: Vec<usize>,
    /// For each row of the factor the column of its first value, and the index of that value in `values`.
    rows: Vec<(usize, usize)>,
    values: Vec<f64>,
}

impl Sparse {
    /// Factors the matrix that is the sum of these entries (row, column, value) and of their mirror images. It must be
    /// positive definite.
    pub fn factored(n: usize, entries: &[(usize, usize, f64)]) -> Self {
        let place = order(n, entries);
        let mut first: Vec<usize> = (0..n).collect();
        let placed = |&(i, j, _): &(usize, usize, f64)| {
            let (i, j) = (place[i], place[j]);
            (i.max(j), i.min(j))
        };
        for entry in entries {
            let (i, j) = placed(entry);
            first[i] = first[i].min(j);
        }
        let mut rows = Vec::with_capacity(n);
        let mut length = 0;
        for (i, first) in first.iter().enumerate() {
            rows.push((*first, length));
            length += i - first + 1;
        }
        let mut values = vec![0.0; length];
        for entry in entries {
            let (i, j) = placed(entry);
            let (first, start) = rows[i];
            values[start + j - first] += entry.2;
        }
        let mut factor = Self {
            place,
            rows,
            values,
        };
        for first in (0..n).step_by(PANEL) {
            factor.factor_panel(first..(first + PANEL).min(n));
        }
        factor
    }

    /// Factors a panel of rows whose predecessors are factored: first the updates by earlier rows, in parallel, then the
    /// updates within the panel.
    fn factor_panel(&mut self, panel: Range<usize>) {
        let isa = Isa::best();
        let (_, start) = self.rows[panel.start];
        let end = self
            .rows
            .get(panel.end)
            .map_or(self.values.len(), |row| row.1);
        let (before, own) = self.values[..end].split_at_mut(start);
        let mut rest = own;
        let mut lines = Vec::with_capacity(panel.len());
        for i in panel.clone() {
            let (line, others) = rest.split_at_mut(i - self.rows[i].0 + 1);
            lines.push(line);
            rest = others;
        }
        let rows = &self.rows;
        lines.par_iter_mut().enumerate().for_each(|(k, line)| {
            let first = rows[panel.start + k].0;
            for j in first..panel.start {
                let (first_j, start_j) = rows[j];
                reduce(
                    isa,
                    line,
                    first,
                    j,
                    &before[start_j..=start_j + j - first_j],
                    first_j,
                );
            }
        });
        for i in panel.clone() {
            let first = self.rows[i].0;
            let (done, line) = lines.split_at_mut(i - panel.start);
            let line = &mut *line[0];
            for j in first.max(panel.start)..i {
                reduce(isa, line, first, j, done[j - panel.start], self.rows[j].0);
            }
            let own = &line[..i - first];
            let rest = line[i - first] - product(own, own);
            line[i - first] = rest.max(f64::MIN_POSITIVE).sqrt();
        }
    }

    /// Solves for several right-hand sides in one pass over the factor.
    pub fn solve<const N: usize>(&self, right: &[[f64; N]]) -> Vec<[f64; N]> {
        let n = self.rows.len();
        let mut x = vec![[0.0; N]; n];
        for (place, value) in self.place.iter().zip(right) {
            x[*place] = *value;
        }
        let row = |i: usize| {
            let (first, start) = self.rows[i];
            (first, &self.values[start..=start + i - first])
        };
        for i in 0..n {
            let (first, row) = row(i);
            let sums = products(&row[..i - first], &x[first..i]);
            for (x, sum) in x[i].iter_mut().zip(sums) {
                *x = (*x - sum) / row[i - first];
            }
        }
        for i in (0..n).rev() {
            let (first, row) = row(i);
            let value = x[i].map(|x| x / row[i - first]);
            x[i] = value;
            for (x, l) in x[first..i].iter_mut().zip(row) {
                for (x, value) in x.iter_mut().zip(value) {
                    *x -= value * l;
                }
            }
        }
        self.place.iter().map(|place| x[*place]).collect()
    }
}

/// Rows that are factored together.
const PANEL: usize = 32;

multiversion! {
    /// Computes the factor's value in column `j` of a row that starts in column `first`. Row `j` of the factor, `above`,
    /// starts in column `first_above`.
    fn reduce(row: &mut [f64], first: usize, j: usize, above: &[f64], first_above: usize) {
        let from = first.max(first_above);
        let sum = product(&row[from - first..j - first], &above[from - first_above..j - first_above]);
        row[j - first] = (row[j - first] - sum) / above[j - first_above];
    }
}

/// Dot product with eight independent sums.
#[inline(always)]
pub(super) fn product(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for k in 0..8 {
            sums[k] += a[k] * b[k];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

/// Dot products with several columns, with four independent sums.
fn products<const N: usize>(a: &[f64], b: &[[f64; N]]) -> [f64; N] {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let mut sums = [[0.0; N]; 4];
    for (a, b) in a.iter().zip(b) {
        for (sums, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum += a * b;
            }
        }
    }
    for (a, b) in a_rest.iter().zip(b_rest) {
        for (sum, b) in sums[0].iter_mut().zip(b) {
            *sum += a * b;
        }
    }
    std::array::from_fn(|k| sums.iter().map(|sum| sum[k]).sum())
}

/// The position of each row in reverse Cuthill-McKee order.
fn order(n: usize, entries: &[(usize, usize, f64)]) -> Vec<usize> {
    let mut neighbours = vec![Vec::new(); n];
    for &(i, j, _) in entries {
        if i != j {
            neighbours[i].push(j);
            neighbours[j].push(i);
        }
    }
    for list in &mut neighbours {
        list.sort_unstable();
        list.dedup();
    }
    let walk = |start: usize, seen: &mut [bool]| {
        let mut order = vec![start];
        seen[start] = true;
        let mut next = 0;
        while let Some(&row) = order.get(next) {
            next += 1;
            let from = order.len();
            for &other in &neighbours[row] {
                if !seen[other] {
                    seen[other] = true;
                    order.push(other);
                }
            }
            order[from..].sort_by_key(|row| neighbours[*row].len());
        }
        order
    };
    let mut all = Vec::with_capacity(n);
    let mut seen = vec![false; n];
    for row in 0..n {
        if !seen[row] {
            // Start from a peripheral node: the last row of a first walk is far from where it began.
            let far = walk(row, &mut seen.clone()).last().copied().unwrap_or(row);
            all.extend(walk(far, &mut seen));
        }
    }
    let mut place = vec![0; n];
    for (i, row) in all.iter().rev().enumerate() {
        place[*row] = i;
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_solvers_invert_their_matrix(
            off in prop::collection::vec((0usize..12, 0usize..12, -1f64..1.0), 1..40),
            x in prop::collection::vec(-3f64..3.0, 12),
        ) {
            let mut full = [[0.0; 12]; 12];
            for (i, row) in full.iter_mut().enumerate() {
                row[i] = 50.0;
            }
            let mut entries: Vec<(usize, usize, f64)> = (0..12).map(|i| (i, i, 50.0)).collect();
            for &(i, j, value) in off.iter().filter(|(i, j, _)| i > j) {
                full[i][j] += value;
                full[j][i] += value;
                entries.push((i, j, value));
            }
            let right: Vec<f64> = full.iter().map(|row| product(row, &x)).collect();
            let mut dense = Dense::zeros(12);
            for &(i, j, value) in &entries {
                dense.add(i, j, value);
            }
            let dense = dense.factored().unwrap().solve(&right);
            let right: Vec<[f64; 2]> = right.iter().map(|v| [*v, -2.0 * v]).collect();
            let sparse = Sparse::factored(12, &entries).solve(&right);
            for ((x, a), [b, c]) in x.iter().zip(dense).zip(sparse) {
                prop_assert!((x - a).abs() < 1e-9 && (x - b).abs() < 1e-9 && (2.0 * x + c).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_system_larger_than_one_panel_is_solved() {
        // A grid of springs with each node weakly fixed.
        let (side, n) = (12, 144);
        let mut entries: Vec<(usize, usize, f64)> = (0..n).map(|i| (i, i, 4.1)).collect();
        for i in 0..n {
            if i % side > 0 {
                entries.push((i, i - 1, -1.0));
            }
            if i >= side {
                entries.push((i, i - side, -1.0));
            }
        }
        let wanted: Vec<f64> = (0..n).map(|i| (i * 37 % 11) as f64 - 5.0).collect();
        let mut right = vec![[0.0]; n];
        for &(i, j, value) in &entries {
            right[i][0] += value * wanted[j];
            if i != j {
                right[j][0] += value * wanted[i];
            }
        }
        let solved = Sparse::factored(n, &entries).solve(&right);
        for (wanted, [got]) in wanted.iter().zip(solved) {
            assert!((wanted - got).abs() < 1e-9, "{wanted} {got}");
        }
    }

    #[test]
    fn matrices_that_are_not_positive_definite_are_refused() {
        assert!(Dense::zeros(3).factored().is_none());
        let mut nan = Dense::zeros(1);
        nan.add(0, 0, f64::NAN);
        assert!(nan.factored().is_none());
    }
}
