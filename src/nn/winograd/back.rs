//! Tiles of results, eight at a time, from their spectra into the picture.

use super::super::simd::{LANES, Simd, dispatch};
use super::points::{Five, Points, Seven, Six, Three};
use super::tiles::{Grid, Lanes, Place};
use super::{Form, Size};

dispatch! {
    /// Writes one block of tiles of one channel into its planes, one a picture, from row `top` of picture `first` on; the
    /// products of each phase and frequency lie `apart` values from one another. The first of `finish` is added to the
    /// results, which are then at least the second.
    pub(super) fn back => back_body(
        grid: &Grid, groups: &[Lanes], products: &[f32], apart: usize, finish: (f32, f32), from: (usize, usize),
        planes: &mut [&mut [f32]],
    )
}

#[inline(always)]
fn back_body<S: Simd>(
    grid: &Grid,
    groups: &[Lanes],
    products: &[f32],
    apart: usize,
    finish: (f32, f32),
    from: (usize, usize),
    planes: &mut [&mut [f32]],
) {
    for (group, lanes) in groups.iter().enumerate() {
        let products = &products[group * LANES..];
        let to = Target { lanes, from };
        let rows = match grid.form {
            Form::Same { .. } => untransform::<S, Six, 6, 4>(take::<S, 6>(products, apart), finish),
            Form::Wide { .. } => {
                untransform::<S, Seven, 7, 4>(take::<S, 7>(products, apart), finish)
            }
            Form::Halved => untransform::<S, Five, 5, 4>(take::<S, 5>(products, apart), finish),
            Form::Doubled(Size::Four) => {
                for y in 0..2 {
                    let [evens, odds] = pair::<S, Five, 5, 4>(products, y, apart, finish);
                    for (i, (even, odd)) in evens.into_iter().zip(odds).enumerate() {
                        write_zipped::<S>(grid, &to, 2 * i + y, [even, odd], planes);
                    }
                }
                continue;
            }
            Form::Doubled(Size::Two) => {
                for y in 0..2 {
                    let [evens, odds] = pair::<S, Three, 3, 2>(products, y, apart, finish);
                    for (i, ([a, c], [b, d])) in evens.into_iter().zip(odds).enumerate() {
                        let mut values = [0f32; 4 * LANES];
                        S::merge([a, b, c, d], &mut values);
                        write::<4>(grid, &to, 2 * i + y, &values, planes);
                    }
                }
                continue;
            }
        };
        for (i, row) in rows.into_iter().enumerate() {
            if let Some(place) = to.whole(grid, (4, i), planes) {
                S::merge(row, place);
                continue;
            }
            let mut values = [0f32; 4 * LANES];
            S::merge(row, &mut values);
            write::<4>(grid, &to, i, &values, planes);
        }
    }
}

/// The results of the two phases that share row `y` of every two.
#[inline(always)]
fn pair<S: Simd, P: Points<N, M>, const N: usize, const M: usize>(
    products: &[f32],
    y: usize,
    apart: usize,
    finish: (f32, f32),
) -> [[[S::V; M]; M]; 2] {
    let mut both = [[[S::splat(0.0); M]; M]; 2];
    for (x, both) in both.iter_mut().enumerate() {
        let frequency = (2 * y + x) * P::COUNT;
        let m = take::<S, N>(&products[frequency * apart..], apart);
        *both = untransform::<S, P, N, M>(m, finish);
    }
    both
}

#[inline(always)]
fn take<S: Simd, const N: usize>(products: &[f32], apart: usize) -> [[S::V; N]; N] {
    assert!(products.len() >= (N * N - 1) * apart + LANES);
    let mut m = [[S::splat(0.0); N]; N];
    for (i, row) in m.iter_mut().enumerate() {
        for (j, v) in row.iter_mut().enumerate() {
            // SAFETY: `(i * N + j) * apart + LANES` is at most what was asserted.
            *v = unsafe { S::load_at(products, (i * N + j) * apart) };
        }
    }
    m
}

/// Where eight tiles are written: planes begin at a row of a picture.
struct Target<'a> {
    lanes: &'a Lanes,
    from: (usize, usize),
}

impl Target<'_> {
    /// Row `row` of eight tiles of `side` results each way, if they stand beside one another and all lie inside.
    #[inline(always)]
    fn whole<'p>(
        &self,
        grid: &Grid,
        (side, row): (usize, usize),
        planes: &'p mut [&mut [f32]],
    ) -> Option<&'p mut [f32]> {
        let Lanes::Row(place) = self.lanes else {
            return None;
        };
        let (y, x) = (place.row * side + row, place.column * side);
        if y >= grid.out_height || x + side * LANES > grid.out_width {
            return None;
        }
        let plane = &mut planes[place.picture - self.from.0];
        Some(&mut plane[(y - self.from.1) * grid.out_width + x..][..side * LANES])
    }
}

/// Row `row` of eight tiles twice as wide, whose even and odd columns come apart.
#[inline(always)]
fn write_zipped<S: Simd>(
    grid: &Grid,
    target: &Target,
    row: usize,
    [even, odd]: [[S::V; 4]; 2],
    planes: &mut [&mut [f32]],
) {
    let (mut a, mut b) = ([0f32; 4 * LANES], [0f32; 4 * LANES]);
    S::merge(even, &mut a);
    S::merge(odd, &mut b);
    if let Some(place) = target.whole(grid, (8, row), planes) {
        zip::<S>(&a, &b, place);
        return;
    }
    let mut values = [0f32; 8 * LANES];
    zip::<S>(&a, &b, &mut values);
    write::<8>(grid, target, row, &values, planes);
}

#[inline(always)]
fn zip<S: Simd>(a: &[f32], b: &[f32], to: &mut [f32]) {
    let pairs = a.chunks_exact(LANES).zip(b.chunks_exact(LANES));
    for (to, (a, b)) in to.chunks_exact_mut(2 * LANES).zip(pairs) {
        let [low, high] = S::zip(S::load(a), S::load(b));
        S::store(low, to);
        S::store(high, &mut to[LANES..]);
    }
}

/// Writes row `row` of eight tiles of `SIDE` results each way, as far as they lie inside the picture.
#[inline(always)]
fn write<const SIDE: usize>(
    grid: &Grid,
    target: &Target,
    row: usize,
    values: &[f32],
    planes: &mut [&mut [f32]],
) {
    let (height, width) = (grid.out_height, grid.out_width);
    let mut put = |place: &Place, values: &[f32]| {
        let (y, x) = (place.row * SIDE + row, place.column * SIDE);
        if y >= height {
            return;
        }
        let plane = &mut planes[place.picture - target.from.0];
        let to = &mut plane[(y - target.from.1) * width + x..];
        let n = values.len().min(width - x);
        // A tile that is all inside takes no call of a general copy.
        match (to.first_chunk_mut::<SIDE>(), values.first_chunk::<SIDE>()) {
            (Some(to), Some(values)) if n == SIDE => *to = *values,
            _ => to[..n].copy_from_slice(&values[..n]),
        }
    };
    match target.lanes {
        Lanes::Row(place) => put(place, values),
        Lanes::Any(places) => {
            for (place, values) in places.iter().flatten().zip(values.chunks_exact(SIDE)) {
                put(place, values);
            }
        }
    }
}

#[inline(always)]
fn untransform<S: Simd, P: Points<N, M>, const N: usize, const M: usize>(
    m: [[S::V; N]; N],
    (bias, floor): (f32, f32),
) -> [[S::V; M]; M] {
    let zero = S::splat(0.0);
    let mut rows = [[zero; N]; M];
    for j in 0..N {
        let mut column = [zero; N];
        for i in 0..N {
            column[i] = m[i][j];
        }
        let column = P::inverse::<S>(column);
        for i in 0..M {
            rows[i][j] = column[i];
        }
    }
    let mut out = [[zero; M]; M];
    for i in 0..M {
        out[i] = P::inverse::<S>(rows[i]);
        for v in &mut out[i] {
            *v = S::max(S::splat(floor), S::add(*v, S::splat(bias)));
        }
    }
    out
}
