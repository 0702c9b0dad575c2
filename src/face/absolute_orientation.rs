//! The rotation that best aligns two sets of points, in closed form: B. K. P. Horn, "Closed-form solution of absolute
//! orientation using unit quaternions", J. Opt. Soc. Am. A 4, 1987. The unit quaternion of the best rotation is the
//! eigenvector of the largest eigenvalue of a symmetric 4x4 matrix.

/// Returns the rotation from canonical to observed points. `s[a][b]` is the sum of canonical coordinate a times observed
/// coordinate b. `None` where the rotation isn't unique.
pub(super) fn rotation(s: &[[f64; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]] = *s;
    let (values, vectors) = eigen([
        [xx + yy + zz, yz - zy, zx - xz, xy - yx],
        [yz - zy, xx - yy - zz, xy + yx, zx + xz],
        [zx - xz, xy + yx, yy - xx - zz, yz + zy],
        [xy - yx, zx + xz, yz + zy, zz - xx - yy],
    ]);
    let mut order = [0, 1, 2, 3];
    order.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
    let (most, next) = (values[order[0]], values[order[1]]);
    // False for NaN as well.
    let clear = most > 0.0 && most - next > 1e-6 * most && most.is_finite();
    if !clear {
        return None;
    }
    let [w, x, y, z] = vectors.map(|row| row[order[0]]);
    Some([
        [
            w * w + x * x - y * y - z * z,
            2.0 * (x * y - w * z),
            2.0 * (x * z + w * y),
        ],
        [
            2.0 * (y * x + w * z),
            w * w - x * x + y * y - z * z,
            2.0 * (y * z - w * x),
        ],
        [
            2.0 * (z * x - w * y),
            2.0 * (z * y + w * x),
            w * w - x * x - y * y + z * z,
        ],
    ])
}

/// Eigenvalues of a symmetric matrix, and its unit eigenvectors as columns: cyclic Jacobi rotations.
fn eigen(mut m: [[f64; 4]; 4]) -> ([f64; 4], [[f64; 4]; 4]) {
    let mut vectors = [[0.0; 4]; 4];
    for (i, row) in vectors.iter_mut().enumerate() {
        row[i] = 1.0;
    }
    // Convergence is quadratic: four or five sweeps reach f64 precision.
    for _ in 0..12 {
        for (p, q) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
            if m[p][q] == 0.0 {
                continue;
            }
            let theta = (m[q][q] - m[p][p]) / (2.0 * m[p][q]);
            let tan = theta.signum() / (theta.abs() + theta.hypot(1.0));
            let cos = 1.0 / tan.hypot(1.0);
            let sin = tan * cos;
            for row in m.iter_mut().chain(&mut vectors) {
                (row[p], row[q]) = (cos * row[p] - sin * row[q], sin * row[p] + cos * row[q]);
            }
            let (up, uq) = (m[p], m[q]);
            for k in 0..4 {
                m[p][k] = cos * up[k] - sin * uq[k];
                m[q][k] = sin * up[k] + cos * uq[k];
            }
        }
    }
    (std::array::from_fn(|i| m[i][i]), vectors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn computed_eigenvectors_satisfy_their_definition(values in prop::array::uniform10(-5f64..5.0)) {
            let [a, b, c, d, e, f, g, h, i, j] = values;
            let m = [[a, b, c, d], [b, e, f, g], [c, f, h, i], [d, g, i, j]];
            let (values, vectors) = eigen(m);
            for k in 0..4 {
                for row in 0..4 {
                    let product: f64 = (0..4).map(|col| m[row][col] * vectors[col][k]).sum();
                    prop_assert!((product - values[k] * vectors[row][k]).abs() < 1e-9);
                }
                let length: f64 = (0..4).map(|row| vectors[row][k].powi(2)).sum();
                prop_assert!((length - 1.0).abs() < 1e-9);
            }
        }

        #[test]
        fn any_matrix_gives_an_orthonormal_rotation_or_none(values in prop::array::uniform9(any::<f64>())) {
            let [a, b, c, d, e, f, g, h, i] = values;
            if let Some(r) = rotation(&[[a, b, c], [d, e, f], [g, h, i]]) {
                for row in r {
                    let length: f64 = row.iter().map(|v| v * v).sum();
                    prop_assert!((length - 1.0).abs() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn a_reflection_gives_a_proper_rotation_and_an_ambiguous_matrix_none() {
        let mirrored = rotation(&[[-3.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 1.0]]).unwrap();
        let [[a, b, c], [d, e, f], [g, h, i]] = mirrored;
        let determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
        assert!((determinant - 1.0).abs() < 1e-12);
        assert_eq!(rotation(&[[0.0; 3]; 3]), None);
        assert_eq!(rotation(&[[1.0, 0.0, 0.0], [0.0; 3], [0.0; 3]]), None);
    }
}
