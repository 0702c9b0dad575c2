//! What the methods that move a picture by key points share: their geometry as plain data,
//! and the reading of their sizes from a checkpoint's shapes.
//!
//! Coordinates are `(x, y)`, and `-1` and `1` are the centres of the outermost pixels.

use std::collections::BTreeMap;

use super::error::{Error, Network};
use crate::math::hull_area;

/// The shapes of a checkpoint, by key, asked for what a configuration needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shapes<'a>(pub &'a BTreeMap<String, Vec<usize>>);

impl Shapes<'_> {
    /// The shape of the tensor `key`, of the rank `N`.
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

    /// Whether there is a tensor `key`.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// How many modules in a row there are: the first `i` for which `key(i)` is no tensor.
    pub fn count(&self, key: impl Fn(usize) -> String) -> usize {
        (0..self.0.len()).take_while(|&i| self.has(&key(i))).count()
    }
}

/// How much larger the source's face is than the driving one, along a side: the square root
/// of the ratio of the hulls' areas (`normalize_kp` of the authors' code).
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

/// The coordinates of `size` pixels in a row: from -1 to 1, which a lone pixel can't span.
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

/// Adds to `maps`, `[points, height, width]`, `factor` times the Gaussian of `variance` around each point, 1 at its
/// middle.
pub fn add_heatmaps(
    points: &[[f32; 2]],
    (height, width): (usize, usize),
    (variance, factor): (f32, f32),
    maps: &mut [f32],
) {
    // A Gaussian of two axes is the product of one along each.
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
