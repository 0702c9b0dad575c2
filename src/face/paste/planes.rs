//! The planes, at the network's resolution, that are upsampled over the crop.

use rayon::prelude::*;

use crate::face::Edit;
use crate::nn::isa::{Isa, multiversion};

/// 1 - A, detail weight, and C' for three channels.
pub(super) const PLANES: usize = 5;

/// How sharply C may depart from the network's input before the portrait's fine detail no longer belongs there, in
/// units of C. A soft change, of light or of colour, preserves the detail; a sharp one means that a feature has
/// moved.
const DETAIL_TOLERANCE: f32 = 0.13;

/// The radius of the mean that counts as soft change, as a share of the crop's side.
const SOFT: f32 = 0.04;

/// Returns the planes to upsample: 1 - A, the detail weight s, and C' = C - s * input in 0..=255, so that
/// `C' + s * portrait` is C with the portrait's detail where s is 1, and C alone where s is 0.
pub(super) fn planes(edit: &Edit, detail: bool) -> Vec<f32> {
    let area = edit.size * edit.size;
    let moved = if detail {
        moved(edit)
    } else {
        vec![f32::INFINITY; area]
    };
    let mut planes = vec![0.0; PLANES * area];
    for i in 0..area {
        let keep = (-(moved[i] / DETAIL_TOLERANCE).powi(2)).exp();
        planes[i] = 1.0 - edit.attention[i];
        planes[area + i] = keep;
        for c in 0..3 {
            let color = (edit.color[c * area + i] + 1.0) * 127.5;
            let seen = (edit.input[c * area + i] + 1.0) * 127.5;
            planes[(2 + c) * area + i] = color - keep * seen;
        }
    }
    planes
}

/// For each sample, returns how sharply C departs from the network's input around it.
fn moved(edit: &Edit) -> Vec<f32> {
    let size = edit.size;
    let area = size * size;
    let radius = (size as f32 * SOFT).ceil() as usize;
    let sharp: Vec<Vec<f32>> = (0..3)
        .into_par_iter()
        .map(|c| {
            let plane = c * area..(c + 1) * area;
            let pairs = edit.color[plane.clone()].iter().zip(&edit.input[plane]);
            let change: Vec<f32> = pairs.map(|(color, input)| color - input).collect();
            // Compare slightly blurred: C being softer than the input everywhere is no movement.
            let mut change = mean(&change, size, 1);
            let soft = mean(&change, size, radius);
            for (change, soft) in change.iter_mut().zip(soft) {
                *change = (*change - soft).abs();
            }
            change
        })
        .collect();
    let mut sharpest = vec![0.0f32; area];
    for plane in &sharp {
        take_larger(Isa::best(), &mut sharpest, plane);
    }
    // A moved feature affects its surroundings.
    around(&sharpest, size, radius.div_ceil(2), take_larger)
}

/// The box mean with the given radius, over the samples inside the plane.
fn mean(values: &[f32], size: usize, radius: usize) -> Vec<f32> {
    let mut sums = around(values, size, radius, add);
    let count = |at: usize| ((at + radius + 1).min(size) - at.saturating_sub(radius)) as f32;
    let across: Vec<f32> = (0..size).map(|x| 1.0 / count(x)).collect();
    for (y, row) in sums.chunks_exact_mut(size).enumerate() {
        let down = across[y];
        for (sum, across) in row.iter_mut().zip(&across) {
            *sum *= across * down;
        }
    }
    sums
}

/// Applies a separable window operation: joins to every sample those within `radius` along rows, then along columns.
/// `join(isa, into, from)` does so for a run of neighbours at once.
fn around(
    values: &[f32],
    size: usize,
    radius: usize,
    join: impl Fn(Isa, &mut [f32], &[f32]),
) -> Vec<f32> {
    let isa = Isa::best();
    let mut rows = values.to_vec();
    for (to, from) in rows.chunks_exact_mut(size).zip(values.chunks_exact(size)) {
        for apart in 1..=radius.min(size - 1) {
            let rest = size - apart;
            join(isa, &mut to[..rest], &from[apart..]);
            join(isa, &mut to[apart..], &from[..rest]);
        }
    }
    let mut out = rows.clone();
    for (y, to) in out.chunks_exact_mut(size).enumerate() {
        for other in y.saturating_sub(radius)..(y + radius + 1).min(size) {
            if other != y {
                join(isa, to, &rows[other * size..][..size]);
            }
        }
    }
    out
}

multiversion! {
    fn add(to: &mut [f32], from: &[f32]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to += from;
        }
    }
}

multiversion! {
    fn take_larger(to: &mut [f32], from: &[f32]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = if *from > *to { *from } else { *to };
        }
    }
}
