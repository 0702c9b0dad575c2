//! The one-dimensional transforms: filtering by 4, 3 or 2 taps, four or two results at a time, as products at a few points.

use super::super::simd::Simd;

/// `y = A^T ((G g) * (B^T d))` for `N` points: `d` are `N` samples, `g` the taps, `y` `M` results.
pub(super) trait Points<const N: usize, const M: usize> {
    /// Points of the plane.
    const COUNT: usize = N * N;
    /// `G`, a row for each point.
    const KERNEL: [&'static [f64]; N];

    /// `B^T d`.
    fn forward<S: Simd>(d: [S::V; N]) -> [S::V; N];

    /// `A^T m`.
    fn inverse<S: Simd>(m: [S::V; N]) -> [S::V; M];

    /// `G g G^T` of a kernel whose taps `tap(y, x)` gives, in f64.
    fn kernel(tap: impl Fn(usize, usize) -> f32) -> [[f32; N]; N] {
        let taps = Self::KERNEL[0].len();
        // Down, then across.
        let mut columns = [[0f64; 4]; N];
        for (row, factors) in columns.iter_mut().zip(Self::KERNEL) {
            for (x, sum) in row.iter_mut().enumerate().take(taps) {
                *sum = (0..taps).map(|y| factors[y] * f64::from(tap(y, x))).sum();
            }
        }
        columns.map(|row| {
            Self::KERNEL.map(|factors| {
                let pairs = row.iter().zip(factors);
                pairs.map(|(a, b)| a * b).sum::<f64>() as f32
            })
        })
    }
}

/// Four taps, at 0, 1, -1, 1/2, -1/2, 2 and infinity.
pub(super) struct Seven;

impl Points<7, 4> for Seven {
    const KERNEL: [&'static [f64]; 7] = [
        &[-2.0, 0.0, 0.0, 0.0],
        &[-2.0 / 3.0, -2.0 / 3.0, -2.0 / 3.0, -2.0 / 3.0],
        &[-2.0 / 9.0, 2.0 / 9.0, -2.0 / 9.0, 2.0 / 9.0],
        &[16.0 / 9.0, 8.0 / 9.0, 4.0 / 9.0, 2.0 / 9.0],
        &[16.0 / 15.0, -8.0 / 15.0, 4.0 / 15.0, -2.0 / 15.0],
        &[2.0 / 45.0, 4.0 / 45.0, 8.0 / 45.0, 16.0 / 45.0],
        &[0.0, 0.0, 0.0, 1.0],
    ];

    #[inline(always)]
    fn forward<S: Simd>(d: [S::V; 7]) -> [S::V; 7] {
        // The factors x^2 - 1 and x^2 - 1/4, of which every row has one or both.
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
        // Those that lack a factor of their own pair, times x - 2.
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
pub(super) struct Six;

impl Points<6, 4> for Six {
    const KERNEL: [&'static [f64]; 6] = [
        &[1.0 / 4.0, 0.0, 0.0],
        &[-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        &[-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        &[1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        &[1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        &[0.0, 0.0, 1.0],
    ];

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
pub(super) struct Five;

impl Points<5, 4> for Five {
    const KERNEL: [&'static [f64]; 5] = [
        &[1.0 / 2.0, 0.0],
        &[-1.0 / 2.0, -1.0 / 2.0],
        &[-1.0 / 6.0, 1.0 / 6.0],
        &[1.0 / 6.0, 1.0 / 3.0],
        &[0.0, 1.0],
    ];

    #[inline(always)]
    fn forward<S: Simd>(d: [S::V; 5]) -> [S::V; 5] {
        let [a, b, c, e, f] = d;
        let far = S::sub(e, c);
        [
            // 2 (a - c) - b + e
            S::add_scaled(S::sub(e, b), S::sub(a, c), 2.0),
            S::add_scaled(far, b, -2.0),
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

/// Two taps, two results: at 0, 1 and infinity.
pub(super) struct Three;

impl Points<3, 2> for Three {
    const KERNEL: [&'static [f64]; 3] = [&[1.0, 0.0], &[1.0, 1.0], &[0.0, 1.0]];

    #[inline(always)]
    fn forward<S: Simd>([a, b, c]: [S::V; 3]) -> [S::V; 3] {
        [S::sub(a, b), b, S::sub(c, b)]
    }

    #[inline(always)]
    fn inverse<S: Simd>(m: [S::V; 3]) -> [S::V; 2] {
        [S::add(m[0], m[1]), S::add(m[1], m[2])]
    }
}
