//! Small functions that several modules share.

use std::ops::{Mul, Sub};

/// Cubic Hermite step: 0 below 0, 1 above 1, with zero slope at both; NaN is preserved.
#[inline]
pub fn smoothstep<T>(t: T) -> T
where
    T: Copy + PartialOrd + From<f32> + Mul<Output = T> + Sub<Output = T>,
{
    let (zero, one) = (T::from(0.0), T::from(1.0));
    let t = if t < zero {
        zero
    } else if t > one {
        one
    } else {
        t
    };
    t * t * (T::from(3.0) - T::from(2.0) * t)
}

/// [`smoothstep`] from 0 at `from` to 1 at `to`; `to` may be less than `from`.
#[inline(always)]
pub fn smoothstep_between(from: f32, to: f32, value: f32) -> f32 {
    smoothstep((value - from) / (to - from))
}

/// The Catmull-Rom weights of the samples at -1, 0, 1 and 2, at position `t` in 0..=1.
#[inline(always)]
pub fn catmull_rom(t: f32) -> [f32; 4] {
    [
        t * (-0.5 + t * (1.0 - 0.5 * t)),
        1.0 + t * t * (-2.5 + 1.5 * t),
        t * (0.5 + t * (2.0 - 1.5 * t)),
        t * t * (-0.5 + 0.5 * t),
    ]
}

/// One half of a Gaussian kernel of `sigma` samples, from its centre out to three sigmas; the whole kernel sums to 1.
pub fn gaussian(sigma: f64) -> Vec<f32> {
    let radius = (3.0 * sigma).ceil() as i32;
    let curve: Vec<f64> = (0..=radius)
        .map(|i| (-0.5 * (f64::from(i) / sigma).powi(2)).exp())
        .collect();
    let sum = 2.0 * curve.iter().sum::<f64>() - 1.0;
    curve
        .into_iter()
        .map(|value| (value / sum) as f32)
        .collect()
}

/// The area of the points' convex hull; 0 if they lie on a line or are fewer than three.
///
/// Andrew's monotone chain, then the shoelace formula.
pub fn hull_area<T: Copy + Into<f64>>(points: &[[T; 2]]) -> f64 {
    let mut points: Vec<[f64; 2]> = points.iter().map(|point| point.map(T::into)).collect();
    points.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    // The lower chain from left to right, the upper one back.
    let lower = chain(points.iter());
    let upper = chain(points.iter().rev());
    let hull: Vec<[f64; 2]> = lower.into_iter().chain(upper).collect();
    let next = hull.iter().cycle().skip(1);
    let twice: f64 = hull
        .iter()
        .zip(next)
        .map(|(a, b)| a[0] * b[1] - b[0] * a[1])
        .sum();
    twice.abs() / 2.0
}

/// One side of the hull of sorted points, without its last point, where the other side begins.
fn chain<'a>(points: impl Iterator<Item = &'a [f64; 2]>) -> Vec<[f64; 2]> {
    let mut chain: Vec<[f64; 2]> = Vec::new();
    for point in points {
        while let [.., a, b] = chain[..]
            && (b[0] - a[0]) * (point[1] - a[1]) <= (b[1] - a[1]) * (point[0] - a[0])
        {
            chain.pop();
        }
        chain.push(*point);
    }
    chain.pop();
    chain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn smoothstep_is_constant_outside_its_edges() {
        assert_eq!(
            [-1.0, 0.0, 0.5, 1.0, 9.0].map(smoothstep::<f32>),
            [0.0, 0.0, 0.5, 1.0, 1.0]
        );
        assert_eq!(smoothstep(0.25_f64), 0.15625);
        assert!(smoothstep(f32::NAN).is_nan());
    }

    #[test]
    fn the_areas_of_convex_hulls_are_exact() {
        let square = [
            [0.0, 0.0],
            [2.0, 0.0],
            [2.0, 2.0],
            [0.0, 2.0],
            [1.0, 1.0],
            [1.0, 0.0],
            [2.0, 2.0],
        ];
        assert_eq!(hull_area(&square), 4.0);
        assert_eq!(hull_area(&[[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]), 0.0);
        assert_eq!(hull_area(&[[3.0, 1.0]; 5]), 0.0);
        assert_eq!(hull_area(&[[3.0, 1.0]]), 0.0);
        assert_eq!(hull_area::<f64>(&[]), 0.0);
    }

    proptest! {
        #[test]
        fn a_convex_hull_contains_all_its_points(points in prop::collection::vec([-9f64..9.0, -9f64..9.0], 0..40)) {
            let area = hull_area(&points);
            prop_assert!((0.0..=18.0 * 18.0).contains(&area));
            let mut more = points.clone();
            more.push([20.0, 20.0]);
            prop_assert!(hull_area(&more) >= area - 1e-9);
        }
    }
}
