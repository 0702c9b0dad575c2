//! The kinds of convolution that minimal filtering supports.

use super::points::{Points, Points5, Points6, Points7};

/// A kind of convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::nn) enum ConvForm {
    /// A 3x3 kernel with stride 1 and this padding.
    Same { padding: usize },
    /// A 7x7 kernel with stride 1 and this padding, as four 4x4 kernels, padded by a last row and column of zeros.
    Wide { padding: usize },
    /// A 4x4 kernel with stride 2 and a padding of 1.
    Strided,
    /// A transposed 4x4 kernel with stride 2 and a padding of 1.
    Transposed,
    /// A 3x3 kernel with a padding of 1, of the picture upsampled by 2 (nearest neighbour).
    Upsampled,
}

impl ConvForm {
    /// Whether the result is computed in phases, each with its own 2x2 kernel.
    pub fn upsamples(self) -> bool {
        matches!(self, Self::Transposed | Self::Upsampled)
    }

    /// Values of the spectrum per tile and channel.
    pub fn points(self) -> usize {
        match self {
            Self::Same { .. } => Points6::COUNT,
            Self::Wide { .. } => Points7::COUNT,
            Self::Strided | Self::Transposed | Self::Upsampled => Points5::COUNT,
        }
    }

    /// Phases of the picture, or parts of the kernel; they multiply the number of channels.
    pub fn phases_in(self) -> usize {
        match self {
            Self::Wide { .. } | Self::Strided => 4,
            Self::Same { .. } | Self::Transposed | Self::Upsampled => 1,
        }
    }

    /// Phases of the result; they multiply the number of outputs.
    pub fn phases_out(self) -> usize {
        if self.upsamples() { 4 } else { 1 }
    }

    /// Results along one side of a tile, including all phases.
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

    /// The taps of a kernel `tap(y, x)` that apply to one phase of the picture or of the result.
    #[inline(always)]
    pub fn phase_taps(self, phase: usize, tap: impl Fn(usize, usize) -> f32) -> [[f32; 4]; 4] {
        let (down, across) = (phase / 2, phase % 2);
        let mut taps = [[0.0; 4]; 4];
        let mut set = |size: usize, tap: &dyn Fn(usize, usize) -> f32| {
            for (y, row) in taps.iter_mut().enumerate().take(size) {
                for (x, taps) in row.iter_mut().enumerate().take(size) {
                    *taps = tap(y, x);
                }
            }
        };
        match self {
            Self::Same { .. } => set(3, &tap),
            Self::Wide { .. } => set(4, &|y, x| {
                let (y, x) = (4 * down + y, 4 * across + x);
                if y.max(x) < 7 { tap(y, x) } else { 0.0 }
            }),
            // The second and last taps apply to the picture's even samples, the others to the odd ones. Transposed, an
            // even result uses its own sample and the one before with the former, an odd one the next sample and its
            // own with the latter.
            Self::Strided | Self::Transposed => {
                set(2, &|y, x| tap(1 - down + 2 * y, 1 - across + 2 * x));
            }
            // Two of the three taps read the same sample: the later two for even results, the earlier two for odd ones.
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
        taps
    }
}
