//! Transforms tiles of pictures, eight at a time, to their spectra.

use super::super::simd::{LANES, Simd, dispatch};
use super::form::ConvForm;
use super::grid::{Grid, Lanes, TilePosition};
use super::points::{Filter, Points5, Points6, Points7};
use super::spectrum::store_spectra;
use super::upsampled;

/// Samples of a row under eight adjacent tiles, rounded up.
const ROW: usize = 40;

/// The corner of the first tile relative to the picture's, and the step from sample to sample.
#[derive(Clone, Copy)]
struct Window {
    top: isize,
    left: isize,
    step: usize,
}

/// Reads the samples `[y][x]` of eight tiles of one channel, for `M` results along each axis.
#[inline(always)]
fn read<S: Simd, const N: usize, const M: usize>(
    s: S,
    grid: &Grid,
    x: &[f32],
    channel: usize,
    lanes: &Lanes,
    window: Window,
) -> [[S::V; N]; N] {
    let (height, width) = (grid.height, grid.width);
    let plane = |picture: usize| grid.plane(x, picture, channel);
    let corner = |place: &TilePosition| {
        let side = (M * window.step) as isize;
        (
            place.row as isize * side + window.top,
            place.column as isize * side + window.left,
        )
    };
    let mut d = [[s.splat(0.0); N]; N];
    match lanes {
        Lanes::Row(place) => {
            let plane = plane(place.picture);
            let (top, left) = corner(place);
            // Samples of a row that the eight tiles use.
            let used = M * (LANES - 1) + N;
            for (i, d) in d.iter_mut().enumerate() {
                let y = top + (i * window.step) as isize;
                if y < 0 || y >= height as isize {
                    continue;
                }
                let row = &plane[y as usize * width..];
                if window.step == 1 && left >= 0 && left as usize + used <= width {
                    let row = &row[left as usize..];
                    if row.len() >= ROW {
                        *d = split::<S, N>(s, row);
                        continue;
                    }
                }
                let mut buffer = [0f32; ROW];
                load_strided(&row[..width], left, window.step, &mut buffer[..used]);
                *d = split::<S, N>(s, &buffer);
            }
        }
        Lanes::Any(places) if window.step == 1 => {
            let mut rows = [[s.splat(0.0); LANES]; N];
            for (lane, place) in places.iter().enumerate() {
                let Some(place) = place else { break };
                let plane = plane(place.picture);
                let (top, left) = corner(place);
                let mask = s.inside_mask(width, left);
                for (i, rows) in rows.iter_mut().enumerate() {
                    let y = top + i as isize;
                    if y >= 0 && y < height as isize {
                        let row = &plane[y as usize * width..][..width];
                        // SAFETY: the mask was computed for the row's length and `left`.
                        rows[lane] = unsafe { s.load_within(row, left, mask) };
                    }
                }
            }
            for (d, rows) in d.iter_mut().zip(rows) {
                d.copy_from_slice(&S::transpose(rows)[..N]);
            }
        }
        Lanes::Any(places) => {
            let mut samples = [[[0f32; LANES]; N]; N];
            for (lane, place) in places.iter().enumerate() {
                let Some(place) = place else { break };
                let plane = plane(place.picture);
                let (top, left) = corner(place);
                for (i, samples) in samples.iter_mut().enumerate() {
                    let y = top + (i * window.step) as isize;
                    if y < 0 || y >= height as isize {
                        continue;
                    }
                    let row = &plane[y as usize * width..][..width];
                    for (j, samples) in samples.iter_mut().enumerate() {
                        let x = left + (j * window.step) as isize;
                        if x >= 0 && x < width as isize {
                            samples[lane] = row[x as usize];
                        }
                    }
                }
            }
            for (d, samples) in d.iter_mut().zip(&samples) {
                for (d, samples) in d.iter_mut().zip(samples) {
                    *d = s.load(samples);
                }
            }
        }
    }
    d
}

/// Copies every `step`-th sample of a row from `left` on, with zeros outside the row.
#[inline(always)]
fn load_strided(row: &[f32], left: isize, step: usize, to: &mut [f32]) {
    let along = step as isize;
    let inside = |x: isize| ((x + along - 1) / along) as usize;
    let from = inside((-left).max(0)).min(to.len());
    let until = inside((row.len() as isize - left).max(0)).clamp(from, to.len());
    if from == until {
        return;
    }
    let source = &row[(left + from as isize * along) as usize..];
    let to = &mut to[from..until];
    if step == 1 {
        to.copy_from_slice(&source[..to.len()]);
    } else {
        let last = to.len() - 1;
        for (to, pair) in to[..last].iter_mut().zip(source.chunks_exact(2)) {
            *to = pair[0];
        }
        to[last] = source[2 * last];
    }
}

/// Reads one row of samples for eight adjacent tiles of four results.
#[inline(always)]
fn split<S: Simd, const N: usize>(s: S, row: &[f32]) -> [S::V; N] {
    let mut samples = [s.splat(0.0); N];
    let (first, second) = (
        s.deinterleave(&row[..4 * LANES]),
        s.deinterleave(&row[4..4 + 4 * LANES]),
    );
    for (j, sample) in samples.iter_mut().enumerate() {
        *sample = if j < 4 { first[j] } else { second[j - 4] };
    }
    samples
}

#[inline(always)]
fn transform<S: Simd, P: Filter<N, M>, const N: usize, const M: usize>(
    s: S,
    d: [[S::V; N]; N],
) -> [[S::V; N]; N] {
    let zero = s.splat(0.0);
    let mut columns = [[zero; N]; N];
    for j in 0..N {
        let mut column = [zero; N];
        for i in 0..N {
            column[i] = d[i][j];
        }
        let column = P::forward::<S>(column);
        for i in 0..N {
            columns[i][j] = column[i];
        }
    }
    for row in &mut columns {
        *row = P::forward::<S>(*row);
    }
    columns
}

dispatch! {
    /// The spectrum of one block of tiles: per frequency, with a stride of `stride` values, `[phase][channel][tile]`.
    pub(super) fn forward => forward_body(grid: &Grid, x: &[f32], groups: &[Lanes], stride: usize, to: &mut [f32])
}

#[inline(always)]
fn forward_body<S: Simd>(
    s: S,
    grid: &Grid,
    x: &[f32],
    groups: &[Lanes],
    stride: usize,
    to: &mut [f32],
) {
    let width = groups.len() * LANES;
    for channel in 0..grid.channels {
        for (g, lanes) in groups.iter().enumerate() {
            let at = channel * width + g * LANES;
            match grid.form {
                ConvForm::Same { padding } => {
                    let corner = -(padding as isize);
                    let window = Window {
                        top: corner,
                        left: corner,
                        step: 1,
                    };
                    let d = read::<S, 6, 4>(s, grid, x, channel, lanes, window);
                    store_spectra::<S, 6>(
                        transform::<S, Points6, 6, 4>(s, d),
                        &mut to[at..],
                        stride,
                    );
                }
                ConvForm::Wide { padding } => {
                    for phase in 0..4 {
                        let corner = |along: usize| (4 * along) as isize - padding as isize;
                        let window = Window {
                            top: corner(phase / 2),
                            left: corner(phase % 2),
                            step: 1,
                        };
                        let d = read::<S, 7, 4>(s, grid, x, channel, lanes, window);
                        let at = phase * grid.channels * width + at;
                        store_spectra::<S, 7>(
                            transform::<S, Points7, 7, 4>(s, d),
                            &mut to[at..],
                            stride,
                        );
                    }
                }
                ConvForm::Strided => {
                    for phase in 0..4 {
                        // The first of the odd samples is outside the picture.
                        let window = Window {
                            top: -((phase / 2) as isize),
                            left: -((phase % 2) as isize),
                            step: 2,
                        };
                        let d = read::<S, 5, 4>(s, grid, x, channel, lanes, window);
                        let at = phase * grid.channels * width + at;
                        store_spectra::<S, 5>(
                            transform::<S, Points5, 5, 4>(s, d),
                            &mut to[at..],
                            stride,
                        );
                    }
                }
                ConvForm::Transposed | ConvForm::Upsampled => {
                    upsampled::spectrum(s, grid, x, channel, lanes, &mut to[at..], stride);
                }
            }
        }
    }
}
