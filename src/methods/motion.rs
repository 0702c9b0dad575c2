//! What the methods that move a picture by key points share: their geometry as plain data,
//! their errors, and the reading of their sizes from a checkpoint's shapes.
//!
//! Coordinates are `(x, y)`, and `-1` and `1` are the centres of the outermost pixels.

use std::collections::BTreeMap;

use super::loading::Fault;
use crate::math::hull_area;

pub use super::Stop;

/// What can go wrong between a weights file and a frame. Each text is one sentence for a
/// person; the caller adds the file's name.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration that travels with the weights, or that their shapes tell, is unusable.
    #[error("The model's configuration can't be used: {0}.")]
    Config(String),
    /// The weights lack a tensor.
    #[error("The weights lack the tensor “{name}”, which the model needs.")]
    MissingTensor {
        /// Its full key.
        name: String,
    },
    /// A tensor doesn't fit the configuration.
    #[error(
        "The tensor “{name}” should have the shape {expected:?}, but the weights have {found:?}."
    )]
    TensorShape {
        /// Its full key.
        name: String,
        /// The shape that the configuration asks for.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A picture that the network can't take.
    #[error("Expected a picture of shape {expected:?}, found {found:?}.")]
    Picture {
        /// The shape that the network takes.
        expected: Vec<usize>,
        /// The picture's shape.
        found: Vec<usize>,
    },
    /// Key points of another model.
    #[error("Expected {expected}, found {found}; detect the key points with this model.")]
    KeyPoints {
        /// What the model works with, such as `10 key points with Jacobians`.
        expected: String,
        /// What came.
        found: String,
    },
    /// A key point that is no number.
    #[error("Key point number {index} is not a finite number.")]
    NotFinite {
        /// Its place among the key points, from 0.
        index: usize,
    },
    /// Key points that motion can't be measured by.
    #[error("The motion can't be measured, because {0}; choose another picture or frame.")]
    Degenerate(&'static str),
    /// A network that these weights came without.
    #[error("These weights have no {0}; choose another way of driving.")]
    Absent(&'static str),
    /// The caller no longer wants the frame.
    #[error("The frame was cancelled.")]
    Cancelled,
    /// Everything else: out of memory, a device that failed.
    #[error("The network could not run: {0}")]
    Tensor(candle_core::Error),
}

impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        Self::Tensor(error)
    }
}

impl Error {
    /// Finds in an error of candle's loader what a person needs: which tensor, which shapes.
    pub(super) fn loading(error: candle_core::Error) -> Self {
        match Fault::of(error) {
            Fault::Missing(name) => Self::MissingTensor { name },
            Fault::Shape {
                name,
                expected,
                found,
            } => Self::TensorShape {
                name,
                expected,
                found,
            },
            Fault::Other(error) => Self::Tensor(error),
        }
    }
}

/// # Errors
/// [`Error::Cancelled`] once `stop` says so.
pub(super) fn check(stop: Stop) -> Result<(), Error> {
    if stop() {
        Err(Error::Cancelled)
    } else {
        Ok(())
    }
}

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
            name: key.to_owned(),
        })?;
        shape.as_slice().try_into().map_err(|_| {
            Error::Config(format!(
                "the tensor “{key}” has {} dimensions instead of {N}",
                shape.len()
            ))
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
