//! The one-dimensional transforms: filtering by 4, 3 or 2 taps as products at a few interpolation points.

use super::super::simd::Simd;

/// Kernels transformed at once, one per lane.
pub(super) const KERNEL_LANES: usize = 8;

/// The taps `[y][x]` of several kernels, one per lane; smaller kernels use the first rows and columns.
pub(super) type Taps = [[[f64; KERNEL_LANES]; 4]; 4];

/// The transform of a kernel at `N` points.
pub(super) trait Points<const N: usize> {
    /// Points in two dimensions.
    const COUNT: usize = N * N;
    /// `G`, one row per point.
    const KERNEL: [&'static [f64]; N];

    /// `G g G^T` of several kernels, in f64.
    #[inline(always)]
    fn kernels(taps: &Taps, to: &mut [[f32; KERNEL_LANES]]) {
        // Vertically, then horizontally.
        let mut columns = [[[0f64; KERNEL_LANES]; 4]; N];
        for (row, factors) in columns.iter_mut().zip(Self::KERNEL) {
            for (factor, taps) in factors.iter().zip(taps) {
                for (sums, taps) in row.iter_mut().zip(taps) {
                    add_scaled(sums, taps, *factor);
                }
            }
        }
        for (row, to) in columns.iter().zip(to.chunks_exact_mut(N)) {
            for (factors, to) in Self::KERNEL.iter().zip(to) {
                let mut sums = [0f64; KERNEL_LANES];
                for (factor, values) in factors.iter().zip(row) {
                    add_scaled(&mut sums, values, *factor);
                }
                for (to, sum) in to.iter_mut().zip(sums) {
                    *to = sum as f32;
                }
            }
        }
    }
}

#[inline(always)]
fn add_scaled(sums: &mut [f64; KERNEL_LANES], values: &[f64; KERNEL_LANES], factor: f64) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

/// `y = A^T ((G g) * (B^T d))`: `d` are `N` samples, `g` the taps, `y` the `M` results.
pub(super) trait Filter<const N: usize, const M: usize>: Points<N> {
    /// `B^T d`.
    fn forward<S: Simd>(d: [S::V; N]) -> [S::V; N];

    /// `A^T m`.
    fn inverse<S: Simd>(m: [S::V; N]) -> [S::V; M];
}

/// Four taps, at 0, 1, -1, 1/2, -1/2, 2 and infinity.
pub(super) struct Points7;

impl Points<7> for Points7 {
    const KERNEL: [&'static [f64]; 7] = [
        &[-2.0, 0.0, 0.0, 0.0],
        &[-2.0 / 3.0, -2.0 / 3.0, -2.0 / 3.0, -2.0 / 3.0],
        &[-2.0 / 9.0, 2.0 / 9.0, -2.0 / 9.0, 2.0 / 9.0],
        &[16.0 / 9.0, 8.0 / 9.0, 4.0 / 9.0, 2.0 / 9.0],
        &[16.0 / 15.0, -8.0 / 15.0, 4.0 / 15.0, -2.0 / 15.0],
        &[2.0 / 45.0, 4.0 / 45.0, 8.0 / 45.0, 16.0 / 45.0],
        &[0.0, 0.0, 0.0, 1.0],
    ];
}

impl Filter<7, 4> for Points7 {
    #[inline(always)]
    fn forward<S: Simd>(d: [S::V; 7]) -> [S::V; 7] {
        // Multiplied by x^2 - 1 and x^2 - 1/4; every row has one or both as factors.
        let (one_1, one_2, one_3) = (S::sub(d[3], d[1]), S::sub(d[4], d[2]), S::sub(d[5], d[3]));
        let (half_0, half_1) = (
            S::add_scaled(d[2], d[0], -0.25),
            S::add_scaled(d[3], d[1], -0.25),
        );
        let (half_2, half_3) = (
            S::add_scaled(d[4], d[2], -0.25),
            S::add_scaled(d[5], d[3], -0.25),
        );
        let half_4 = S::add_scaled(d[6], d[4], -0.25);
        // For the points 1, -1 and 1/2, -1/2: the factor of the other pair, times x - 2.
        let (even, odd) = (
            S::add_scaled(half_3, half_2, -2.0),
            S::add_scaled(half_2, half_1, -2.0),
        );
        let (far, near) = (
            S::add_scaled(one_3, one_2, -2.0),
            S::add_scaled(one_2, one_1, -2.0),
        );
        let both = S::sub(half_3, half_1);
        [
            S::add_scaled(both, S::sub(half_2, half_0), -2.0),
            S::add(even, odd),
            S::sub(even, odd),
            S::add_scaled(far, near, 0.5),
            S::add_scaled(far, near, -0.5),
            both,
            S::add_scaled(S::sub(half_4, half_2), both, -2.0),
        ]
    }

    #[inline(always)]
    fn inverse<S: Simd>(m: [S::V; 7]) -> [S::V; 4] {
        let (one, half) = (S::add(m[1], m[2]), S::add(m[3], m[4]));
        let (one_off, half_off) = (S::sub(m[1], m[2]), S::sub(m[3], m[4]));
        [
            S::add(S::add(m[0], one), S::add(half, m[5])),
            S::add_scaled(S::add_scaled(one_off, half_off, 0.5), m[5], 2.0),
            S::add_scaled(S::add_scaled(one, half, 0.25), m[5], 4.0),
            S::add_scaled(
                S::add_scaled(S::add(one_off, m[6]), half_off, 0.125),
                m[5],
                8.0,
            ),
        ]
    }
}

/// Three taps, at 0, 1, -1, 2, -2 and infinity.
pub(super) struct Points6;

impl Points<6> for Points6 {
    const KERNEL: [&'static [f64]; 6] = [
        &[1.0 / 4.0, 0.0, 0.0],
        &[-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        &[-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        &[1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        &[1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        &[0.0, 0.0, 1.0],
    ];
}

impl Filter<6, 4> for Points6 {
    #[inline(always)]
    fn forward<S: Simd>(d: [S::V; 6]) -> [S::V; 6] {
        let [a, b, c, e, f, g] = d;
        let even = S::add_scaled(f, c, -4.0);
        let odd = S::add_scaled(e, b, -4.0);
        let (far, near) = (S::sub(f, c), S::sub(e, b));
        [
            S::add_scaled(S::add_scaled(f, c, -5.0), a, 4.0),
            S::add(even, odd),
            S::sub(even, odd),
            S::add_scaled(far, near, 2.0),
            S::add_scaled(far, near, -2.0),
            S::add_scaled(S::add_scaled(g, e, -5.0), b, 4.0),
        ]
    }

    #[inline(always)]
    fn inverse<S: Simd>(m: [S::V; 6]) -> [S::V; 4] {
        let (one, two) = (S::add(m[1], m[2]), S::add(m[3], m[4]));
        let (one_off, two_off) = (S::sub(m[1], m[2]), S::sub(m[3], m[4]));
        [
            S::add(S::add(m[0], one), two),
            S::add_scaled(one_off, two_off, 2.0),
            S::add_scaled(one, two, 4.0),
            S::add(S::add_scaled(one_off, two_off, 8.0), m[5]),
        ]
    }
}

/// Two taps, at 0, 1, -1, 2 and infinity.
pub(super) struct Points5;

impl Points<5> for Points5 {
    const KERNEL: [&'static [f64]; 5] = [
        &[1.0 / 2.0, 0.0],
        &[1.0 / 2.0, 1.0 / 2.0],
        &[-1.0 / 6.0, 1.0 / 6.0],
        &[1.0 / 6.0, 1.0 / 3.0],
        &[0.0, 1.0],
    ];
}

impl Filter<5, 4> for Points5 {
    #[inline(always)]
    fn forward<S: Simd>(d: [S::V; 5]) -> [S::V; 5] {
        let [a, b, c, e, f] = d;
        [
            // 2 (a - c) - b + e
            S::add_scaled(S::sub(e, b), S::sub(a, c), 2.0),
            S::add_scaled(S::sub(c, e), b, 2.0),
            S::add_scaled(S::add_scaled(e, c, -3.0), b, 2.0),
            S::sub(e, b),
            S::add_scaled(S::sub(f, c), S::sub(b, e), 2.0),
        ]
    }

    #[inline(always)]
    fn inverse<S: Simd>(m: [S::V; 5]) -> [S::V; 4] {
        let (one, off) = (S::add(m[1], m[2]), S::sub(m[1], m[2]));
        [
            S::add(S::add(m[0], one), m[3]),
            S::add_scaled(off, m[3], 2.0),
            S::add_scaled(one, m[3], 4.0),
            S::add(S::add_scaled(off, m[3], 8.0), m[4]),
        ]
    }
}

/// The transposed algorithm, `s = B ((G g) * (A x))`: `x` are four samples, `s` the five values of their full
/// convolution with the taps, `s[k] = g[0] x[k] + g[1] x[k - 1]`.
impl Points5 {
    /// `A x`.
    #[inline(always)]
    pub fn evaluate<S: Simd>([a, b, c, e]: [S::V; 4]) -> [S::V; 5] {
        let (even, odd) = (S::add(a, c), S::add(b, e));
        [
            a,
            S::add(even, odd),
            S::sub(even, odd),
            S::add_scaled(S::add_scaled(a, c, 4.0), S::add_scaled(b, e, 4.0), 2.0),
            e,
        ]
    }

    /// `B m`.
    #[inline(always)]
    pub fn interpolate<S: Simd>(m: [S::V; 5]) -> [S::V; 5] {
        let first = S::add(m[0], m[0]);
        // The sums of the even results and of the odd ones.
        let even = S::add_scaled(m[1], m[2], -3.0);
        let odd = S::add_scaled(m[1], m[2], 3.0);
        let third = S::add(S::sub(m[0], m[1]), S::add(m[2], m[3]));
        let third = S::add_scaled(third, m[4], -2.0);
        [
            first,
            S::sub(odd, third),
            S::sub(even, S::add(first, m[4])),
            third,
            m[4],
        ]
    }
}
