//! What FOMM and TPS share: the geometry of key points as plain data, and reading configurations from a checkpoint's
//! shapes.
//!
//! Coordinates are `(x, y)`; -1 and 1 are the centres of the outermost pixels.

use std::collections::BTreeMap;

use super::error::{Error, Network};
use crate::math::hull_area;

/// The tensor shapes of a checkpoint, by key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shapes<'a>(pub &'a BTreeMap<String, Vec<usize>>);

impl Shapes<'_> {
    /// The shape of the tensor `key`, which must have rank `N`.
    ///
    /// # Errors
    /// [`Error::MissingTensor`]; [`Error::Config`] if the rank differs.
    pub fn get<const N: usize>(&self, key: &str) -> Result<[usize; N], Error> {
        let shape = self.0.get(key).ok_or_else(|| Error::MissingTensor {
            network: Network::Motion,
            name: key.to_owned(),
        })?;
        shape.as_slice().try_into().map_err(|_| {
            Error::Config(
                Network::Motion,
                format!(
                    "the tensor “{key}” has {} dimensions instead of {N}",
                    shape.len()
                ),
            )
        })
    }

    /// Whether the tensor `key` exists.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The number of consecutive modules: the first `i` for which `key(i)` doesn't exist.
    pub fn count(&self, key: impl Fn(usize) -> String) -> usize {
        (0..self.0.len()).take_while(|&i| self.has(&key(i))).count()
    }
}

/// The size of the source's face relative to the driving one: the square root of the ratio of the hulls' areas
/// (`normalize_kp` of the authors' code).
///
/// # Errors
/// [`Error::Degenerate`] if a hull has no area.
pub fn movement_scale(source: &[[f32; 2]], initial: &[[f32; 2]]) -> Result<f64, Error> {
    let scale = (hull_area(source) / hull_area(initial)).sqrt();
    if scale.is_normal() {
        Ok(scale)
    } else {
        Err(Error::Degenerate("its key points lie on a line"))
    }
}

/// The coordinates of `size` pixels in a row, from -1 to 1; a single pixel is at -1.
fn axis(size: usize) -> impl Iterator<Item = f32> + Clone {
    let last = size.saturating_sub(1).max(1) as f32;
    (0..size).map(move |i| 2.0 * (i as f32 / last) - 1.0)
}

/// The coordinates of every pixel, `[height, width, 2]`: rows first, then columns, then `(x, y)`.
pub fn coordinate_grid(height: usize, width: usize) -> Vec<f32> {
    axis(height)
        .flat_map(|y| axis(width).flat_map(move |x| [x, y]))
        .collect()
}

/// Adds to `maps`, `[points, height, width]`, `factor` times a Gaussian of `variance` around each point, with peak value
/// 1.
pub fn add_heatmaps(
    points: &[[f32; 2]],
    (height, width): (usize, usize),
    (variance, factor): (f32, f32),
    maps: &mut [f32],
) {
    // A 2D Gaussian is separable.
    let bell = |size: usize, at: f32| -> Vec<f32> {
        axis(size)
            .map(|v| (-0.5 * (v - at) * (v - at) / variance).exp())
            .collect()
    };
    let planes = maps.chunks_exact_mut((height * width).max(1));
    for (plane, &[x, y]) in planes.zip(points) {
        let (columns, rows) = (bell(width, x), bell(height, y));
        for (line, row) in plane.chunks_exact_mut(width.max(1)).zip(rows) {
            for (to, column) in line.iter_mut().zip(&columns) {
                *to += factor * (row * column);
            }
        }
    }
}
