//! Aligns a face mesh with the average face's pose and size, so that it can be measured.

use super::absolute_orientation::rotation;
use super::units_table::RIGID;

/// A face's points after [`align`]: 478 of x right, y down, z back, with the outer eye corners at a distance of
/// about 1.
pub(super) type Aligned = Vec<[f32; 3]>;

/// Minimum number of landmarks; the last ten of the model's 478 are the irises, which may be missing.
const MESH: usize = 468;

/// The number of landmarks including both irises.
pub(super) const FULL: usize = 478;

/// Aligns a mesh with the average face at the points that expressions hardly move: a similarity by weighted least
/// squares (Horn's quaternion method), in f64. `None` when there are too few points, or no face.
pub(super) fn align(points: &[[f32; 3]]) -> Option<Aligned> {
    if points.len() < MESH || points.iter().flatten().any(|v| !v.is_finite()) {
        return None;
    }
    let wide = |p: [f32; 3]| p.map(f64::from);
    let total: f64 = RIGID.iter().map(|r| f64::from(r.1)).sum();
    let (mut from, mut to) = ([0.0; 3], [0.0; 3]);
    for &(point, weight, target) in &RIGID {
        let share = f64::from(weight) / total;
        from = add(from, wide(points[usize::from(point)]), share);
        to = add(to, wide(target), share);
    }
    let mut h = [[0.0; 3]; 3];
    let mut spread = 0.0;
    for &(point, weight, target) in &RIGID {
        let share = f64::from(weight) / total;
        let x = add(wide(points[usize::from(point)]), from, -1.0);
        let y = add(wide(target), to, -1.0);
        for i in 0..3 {
            spread += share * x[i] * x[i];
            for j in 0..3 {
                h[i][j] += share * x[i] * y[j];
            }
        }
    }
    // A face smaller than a thousandth of a pixel is degenerate.
    if !spread.is_finite() || spread < 1e-6 {
        return None;
    }
    let turn = rotation(&h)?;
    let along: f64 = (0..3)
        .flat_map(|i| (0..3).map(move |j| (i, j)))
        .map(|(i, j)| turn[j][i] * h[i][j])
        .sum();
    let scale = along / spread;
    if !scale.is_finite() || scale <= 0.0 {
        return None;
    }
    let place = |p: &[f32; 3]| {
        let x = add(wide(*p), from, -1.0);
        std::array::from_fn(|j| {
            (scale * (turn[j][0] * x[0] + turn[j][1] * x[1] + turn[j][2] * x[2]) + to[j]) as f32
        })
    };
    let mut face: Aligned = points.iter().take(FULL).map(place).collect();
    if face.len() < FULL {
        // Without irises, the mean of the eye's corners and lids is used as the pupil.
        let middle = |of: [usize; 4], face: &Aligned| {
            std::array::from_fn(|j| of.iter().map(|&i| face[i][j]).sum::<f32>() / 4.0)
        };
        let right = middle([33, 133, 159, 145], &face);
        let left = middle([263, 362, 386, 374], &face);
        face.truncate(MESH);
        face.extend([right; 5]);
        face.extend([left; 5]);
    }
    Some(face)
}

/// `a + b * times`.
fn add(a: [f64; 3], b: [f64; 3], times: f64) -> [f64; 3] {
    std::array::from_fn(|i| a[i] + b[i] * times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligning_the_reference_face_changes_nothing() {
        let mut points = vec![[0.0; 3]; FULL];
        for &(point, _, at) in &RIGID {
            points[usize::from(point)] = at;
        }
        let face = align(&points).expect("a face");
        for &(point, _, at) in &RIGID {
            let got = face[usize::from(point)];
            assert!((0..3).all(|i| (got[i] - at[i]).abs() < 1e-5), "{point}");
        }
    }

    #[test]
    fn aligning_removes_any_rotation() {
        for (yaw, roll) in [(0.4_f64, 0.0_f64), (-1.2, 3.1), (0.0, -2.0), (3.1, 1.0)] {
            let (s, c) = yaw.sin_cos();
            let (t, d) = roll.sin_cos();
            let mut points = vec![[50.0_f32; 3]; FULL];
            for &(point, _, at) in &RIGID {
                let [x, y, z] = at.map(f64::from);
                let (x, z) = (c * x + s * z, c * z - s * x);
                let (x, y) = (d * x - t * y, t * x + d * y);
                points[usize::from(point)] = [x, y, z].map(|v| (v * 140.0 + 60.0) as f32);
            }
            let face = align(&points).expect("a face");
            for &(point, _, at) in &RIGID {
                let got = face[usize::from(point)];
                assert!(
                    (0..3).all(|i| (got[i] - at[i]).abs() < 1e-4),
                    "{yaw} {roll} {point}"
                );
            }
        }
    }
}
