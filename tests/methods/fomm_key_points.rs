//! How one face's keypoints move another's, with values by hand and properties.

use mien::methods::error::Error;
use mien::methods::fomm::{KeyPoints, relative};

fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance, "at {i}: {f}, not {e}");
    }
}

fn some_key_points(shift: f32) -> KeyPoints {
    KeyPoints {
        points: vec![[0.1 + shift, 0.2], [-0.4, 0.3 - shift], [0.25, -0.6]],
        jacobians: vec![
            [1.0, 0.1 + shift, -0.2, 0.9],
            [0.8, 0.0, 0.3 * shift, 1.2],
            [1.1, -0.3, 0.2, 0.7 + shift],
        ],
    }
}

#[test]
fn without_motion_the_key_points_are_those_of_the_source() {
    let (source, driving) = (some_key_points(0.0), some_key_points(0.3));
    for scale in [false, true] {
        let found = relative(&source, &driving, &driving, scale).unwrap();
        assert_close(
            found.points.as_flattened(),
            source.points.as_flattened(),
            0.0,
        );
        assert_close(
            found.jacobians.as_flattened(),
            source.jacobians.as_flattened(),
            1e-6,
        );
    }
}

#[test]
fn motion_is_scaled_by_the_ratio_of_the_face_sizes() {
    let small = KeyPoints {
        points: vec![[0.0, 0.0], [0.2, 0.0], [0.0, 0.2]],
        jacobians: vec![[2.0, 0.0, 0.0, 4.0]; 3],
    };
    let mut source = small.clone();
    source.points = source.points.iter().map(|p| p.map(|v| 2.0 * v)).collect();
    source.jacobians = vec![[1.0, 2.0, 3.0, 4.0]; 3];
    let mut driving = small.clone();
    driving.points[1] = [0.3, -0.1];
    driving.jacobians[1] = [0.0, 4.0, 2.0, 0.0];

    let found = relative(&source, &driving, &small, true).unwrap();
    // Twice the motion of (0.1, -0.1), from (0.4, 0).
    assert_close(&found.points[1], &[0.6, -0.2], 1e-6);
    assert_close(&found.points[2], &source.points[2], 0.0);
    // [[0, 1], [1, 0]] swaps the source's rows; the scale isn't applied to it.
    assert_close(&found.jacobians[1], &[3.0, 4.0, 1.0, 2.0], 1e-6);
    assert_close(&found.jacobians[0], &source.jacobians[0], 1e-6);
    let unscaled = relative(&source, &driving, &small, false).unwrap();
    assert_close(&unscaled.points[1], &[0.5, -0.1], 1e-6);
}

#[test]
fn motion_relative_to_degenerate_key_points_is_refused() {
    let good = some_key_points(0.0);
    let mut flat = good.clone();
    flat.points = vec![[0.0, 0.0], [0.1, 0.1], [0.2, 0.2]];
    assert!(matches!(
        relative(&good, &good, &flat, true),
        Err(Error::Degenerate(_))
    ));
    assert!(relative(&good, &good, &flat, false).is_ok());
    let mut singular = good.clone();
    singular.jacobians[0] = [1.0, 1.0, 1.0, 1.0];
    assert!(matches!(
        relative(&good, &good, &singular, false),
        Err(Error::Degenerate(_))
    ));
    let mut fewer = good.clone();
    fewer.points.pop();
    assert!(matches!(
        relative(&good, &fewer, &good, false),
        Err(Error::KeyPoints { .. })
    ));
}

#[test]
fn a_gain_interpolates_linearly() {
    let (source, driving) = (some_key_points(0.0), some_key_points(0.3));
    assert_eq!(source.towards(&driving, 0.0), source);
    assert_eq!(source.towards(&driving, 1.0), driving);
    let half = source.towards(&driving, 0.5);
    assert_close(
        half.points.as_flattened(),
        some_key_points(0.15).points.as_flattened(),
        1e-6,
    );
    let twice = source.towards(&driving, 2.0);
    assert_close(
        twice.jacobians.as_flattened(),
        some_key_points(0.6).jacobians.as_flattened(),
        1e-6,
    );
}
