//! The geometry shared by FOMM and TPS, compared with plain implementations of its definitions.

use mien::math::hull_area;
use mien::methods::motion::{add_heatmaps, coordinate_grid, movement_scale};
use proptest::prelude::*;

/// An edge of the hull is a pair of points with all others to its left.
fn hull_area_by_edges(points: &[[f32; 2]]) -> f64 {
    let points: Vec<[f64; 2]> = points.iter().map(|p| p.map(f64::from)).collect();
    let cross = |a: [f64; 2], b: [f64; 2], c: [f64; 2]| {
        (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    };
    let mut twice = 0.0;
    for (i, &a) in points.iter().enumerate() {
        for (j, &b) in points.iter().enumerate() {
            let others = points.iter().enumerate().filter(|&(k, _)| k != i && k != j);
            if i != j && others.clone().all(|(_, &c)| cross(a, b, c) > 0.0) {
                twice += a[0] * b[1] - b[0] * a[1];
            }
        }
    }
    twice / 2.0
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    // Random points are in general position, as the plain definition requires.
    #[test]
    fn hull_areas_agree_with_a_sum_over_edges(
        points in prop::collection::vec(prop::array::uniform2(-1.5f32..1.5), 3..14)
    ) {
        let (found, expected) = (hull_area(&points), hull_area_by_edges(&points));
        prop_assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
    }

    #[test]
    fn heatmaps_agree_with_the_gaussian(
        points in prop::collection::vec(prop::array::uniform2(-1.2f32..1.2), 1..4),
        height in 2usize..9,
        width in 2usize..9,
    ) {
        let mut maps = vec![1.0; points.len() * height * width];
        add_heatmaps(&points, (height, width), (0.05, -2.0), &mut maps);
        let mut maps = maps.into_iter();
        for [px, py] in points {
            for row in 0..height {
                for column in 0..width {
                    let y = 2.0 * row as f64 / (height - 1) as f64 - 1.0 - f64::from(py);
                    let x = 2.0 * column as f64 / (width - 1) as f64 - 1.0 - f64::from(px);
                    let expected = 1.0 - 2.0 * (-(x * x + y * y) / 0.1).exp();
                    let found = f64::from(maps.next().unwrap());
                    prop_assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");
                }
            }
        }
    }
}

#[test]
fn hull_areas_of_known_shapes_are_exact() {
    let square = [[0.0, 0.0], [2.0, 2.0], [2.0, 0.0], [0.0, 2.0]];
    assert_eq!(hull_area(&square), 4.0);
    let mut crowded = square.to_vec();
    // Inside, on an edge, and a duplicate corner.
    crowded.extend([[1.0, 0.5], [1.0, 0.0], [2.0, 2.0]]);
    assert_eq!(hull_area(&crowded), 4.0);
    for flat in [
        &[][..],
        &square[..1],
        &square[..2],
        &[[0.0, 0.0], [1.0, 1.0], [3.0, 3.0]],
    ] {
        assert_eq!(hull_area(flat), 0.0);
    }
}

#[test]
fn movement_scales_are_ratios_of_lengths() {
    let small = [[0.0, 0.0], [0.1, 0.0], [0.0, 0.1]];
    let large = small.map(|p| p.map(|v| 3.0 * v));
    assert!((movement_scale(&large, &small).unwrap() - 3.0).abs() < 1e-6);
    let line = [[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]];
    assert!(movement_scale(&line, &small).is_err());
    assert!(movement_scale(&small, &line).is_err());
}

#[test]
fn identity_grids_reach_the_centres_of_the_outermost_pixels() {
    let expected = [
        [-1.0, -1.0],
        [0.0, -1.0],
        [1.0, -1.0],
        [-1.0, 1.0],
        [0.0, 1.0],
        [1.0, 1.0],
    ];
    assert_eq!(coordinate_grid(2, 3), expected.as_flattened());
    assert_eq!(coordinate_grid(1, 1), [-1.0, -1.0]);
}
