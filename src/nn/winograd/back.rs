//! Transforms results, eight tiles at a time, from their spectra into the picture.

use super::super::simd::{LANES, Simd, dispatch};
use super::form::ConvForm;
use super::grid::{Grid, Lanes, TilePosition};
use super::points::{Filter, Points5, Points6, Points7};
use super::spectrum::{Products, load_spectra};
use super::tile_rows::Channel;
use super::upsampled;

/// Results along one side of a tile.
const SIDE: usize = 4;

dispatch! {
    /// Writes one channel of some tile rows. `finish` is the bias and the lower bound of the results.
    pub(super) fn back => back_body(
        grid: &Grid, lanes: &[Lanes], products: Products, finish: (f32, f32), channel: &mut Channel,
    )
}

#[inline(always)]
fn back_body<S: Simd>(
    s: S,
    grid: &Grid,
    lanes: &[Lanes],
    products: Products,
    finish: (f32, f32),
    channel: &mut Channel,
) {
    if grid.form.upsamples() {
        return upsampled::back(s, grid, lanes, products, finish, channel);
    }
    let stride = products.stride;
    let from = channel.from;
    let planes = &mut channel.planes[..];
    for (i, lanes) in lanes.iter().enumerate() {
        let products = products.of(i);
        let to = Target { lanes, from };
        let rows = match grid.form {
            ConvForm::Same { .. } => untransform::<S, Points6, 6, 4>(
                s,
                load_spectra::<S, 6>(s, products, stride),
                finish,
            ),
            ConvForm::Wide { .. } => untransform::<S, Points7, 7, 4>(
                s,
                load_spectra::<S, 7>(s, products, stride),
                finish,
            ),
            _ => untransform::<S, Points5, 5, 4>(
                s,
                load_spectra::<S, 5>(s, products, stride),
                finish,
            ),
        };
        for (i, row) in rows.into_iter().enumerate() {
            if let Some(place) = to.full_row(grid, i, planes) {
                S::interleave(row, place);
                continue;
            }
            let mut values = [0f32; 4 * LANES];
            S::interleave(row, &mut values);
            write(grid, &to, i, &values, planes);
        }
    }
}

/// Eight tiles to write, and where the planes begin: a picture and its row.
struct Target<'a> {
    lanes: &'a Lanes,
    from: (usize, usize),
}

impl Target<'_> {
    /// Row `row` of eight tiles, if they are adjacent and entirely inside the picture.
    #[inline(always)]
    fn full_row<'p>(
        &self,
        grid: &Grid,
        row: usize,
        planes: &'p mut [&mut [f32]],
    ) -> Option<&'p mut [f32]> {
        let Lanes::Row(place) = self.lanes else {
            return None;
        };
        let (y, x) = (place.row * SIDE + row, place.column * SIDE);
        if y >= grid.out_height || x + SIDE * LANES > grid.out_width {
            return None;
        }
        let plane = &mut planes[place.picture - self.from.0];
        Some(&mut plane[(y - self.from.1) * grid.out_width + x..][..SIDE * LANES])
    }
}

/// Writes row `row` of eight tiles, clipped to the picture.
#[inline(always)]
fn write(grid: &Grid, target: &Target, row: usize, values: &[f32], planes: &mut [&mut [f32]]) {
    let (height, width) = (grid.out_height, grid.out_width);
    let mut store_spectra = |place: &TilePosition, values: &[f32]| {
        let (y, x) = (place.row * SIDE + row, place.column * SIDE);
        if y >= height {
            return;
        }
        let plane = &mut planes[place.picture - target.from.0];
        let to = &mut plane[(y - target.from.1) * width + x..];
        let n = values.len().min(width - x);
        // A tile that is entirely inside needs no call of a general copy.
        match (to.first_chunk_mut::<SIDE>(), values.first_chunk::<SIDE>()) {
            (Some(to), Some(values)) if n == SIDE => *to = *values,
            _ => to[..n].copy_from_slice(&values[..n]),
        }
    };
    match target.lanes {
        Lanes::Row(place) => store_spectra(place, values),
        Lanes::Any(places) => {
            for (place, values) in places.iter().flatten().zip(values.chunks_exact(SIDE)) {
                store_spectra(place, values);
            }
        }
    }
}

#[inline(always)]
fn untransform<S: Simd, P: Filter<N, M>, const N: usize, const M: usize>(
    s: S,
    m: [[S::V; N]; N],
    (bias, floor): (f32, f32),
) -> [[S::V; M]; M] {
    let zero = s.splat(0.0);
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
            *v = S::max(s.splat(floor), S::add(*v, s.splat(bias)));
        }
    }
    out
}
