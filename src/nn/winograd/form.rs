//! The forms of convolution that minimal filtering serves.

use super::points::{Five, Points, Seven, Six};

/// What a layer does to the picture's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::nn) enum Form {
    /// A 3x3 kernel with stride 1 and this many zeros around.
    Same { padding: usize },
    /// A 7x7 kernel with stride 1 and this many zeros around, as four of 4x4, whose last row and column are zeros.
    Wide { padding: usize },
    /// A 4x4 kernel with stride 2 and one zero around.
    Strided,
    /// A transposed 4x4 kernel with stride 2 and one row and column cut off all around.
    Transposed,
    /// A 3x3 kernel with one zero around, of the picture with each sample twice along each axis.
    Upsampled,
}

impl Form {
    /// Whether each phase of the result has a 2x2 kernel of its own.
    pub fn upsamples(self) -> bool {
        matches!(self, Self::Transposed | Self::Upsampled)
    }

    /// Values of the spectrum for each tile and channel of the picture.
    pub fn points(self) -> usize {
        match self {
            Self::Same { .. } => Six::COUNT,
            Self::Wide { .. } => Seven::COUNT,
            Self::Strided | Self::Transposed | Self::Upsampled => Five::COUNT,
        }
    }

    /// Phases of the picture, or parts of the kernel: each counts as channels of its own.
    pub fn phases_in(self) -> usize {
        match self {
            Self::Wide { .. } | Self::Strided => 4,
            Self::Same { .. } | Self::Transposed | Self::Upsampled => 1,
        }
    }

    /// Phases of the result, each with products of its own.
    pub fn phases_out(self) -> usize {
        if self.upsamples() { 4 } else { 1 }
    }

    /// Results along one side of a tile, of all phases.
    pub fn side(self) -> usize {
        if self.upsamples() { 8 } else { 4 }
    }

    /// The result's size.
    pub fn size(self, (height, width): (usize, usize)) -> (usize, usize) {
        let along = |n: usize| match self {
            Self::Same { padding } => n + 2 * padding - 2,
            Self::Wide { padding } => n + 2 * padding - 6,
            Self::Strided => n / 2,
            Self::Transposed | Self::Upsampled => 2 * n,
        };
        (along(height), along(width))
    }

    /// Of a kernel, given by its taps `(y, x)`, what a phase of the picture or of the result sees.
    #[inline(always)]
    pub fn seen(self, phase: usize, tap: impl Fn(usize, usize) -> f32) -> [[f32; 4]; 4] {
        let (down, across) = (phase / 2, phase % 2);
        let mut seen = [[0.0; 4]; 4];
        let mut set = |size: usize, tap: &dyn Fn(usize, usize) -> f32| {
            for (y, row) in seen.iter_mut().enumerate().take(size) {
                for (x, seen) in row.iter_mut().enumerate().take(size) {
                    *seen = tap(y, x);
                }
            }
        };
        match self {
            Self::Same { .. } => set(3, &tap),
            Self::Wide { .. } => set(4, &|y, x| {
                let (y, x) = (4 * down + y, 4 * across + x);
                if y.max(x) < 7 { tap(y, x) } else { 0.0 }
            }),
            // The picture's even samples are seen by the second and the last tap, the odd ones by the others. Transposed, an
            // even result sees its own sample and the one before by those, an odd one the next sample and its own.
            Self::Strided | Self::Transposed => {
                set(2, &|y, x| tap(1 - down + 2 * y, 1 - across + 2 * x));
            }
            // Two of the three taps meet the same sample: the later two at even places, the earlier two at odd ones.
            Self::Upsampled => {
                let taps = |phase: usize, k: usize| match (phase, k) {
                    (0, 0) => 1..3,
                    (0, _) => 0..1,
                    (_, 0) => 2..3,
                    _ => 0..2,
                };
                set(2, &|y, x| {
                    let columns = taps(across, x);
                    let each = |y| columns.clone().map(move |x| (y, x));
                    taps(down, y).flat_map(each).map(|(y, x)| tap(y, x)).sum()
                });
            }
        }
        seen
    }
}
