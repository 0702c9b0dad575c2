//! Soft masks for regions of the face, from the landmarks.
//!
//! A region covers everything its feature moves over, not only the feature: a brow needs the forehead, a jaw the
//! space below the chin. Neighbours overlap, and selected regions are united before their common edge is softened,
//! so that there is no seam or dip between them.

use super::outline::{Region, polygons};
use super::soft::SoftShape;
use super::{Mesh, Square};

/// The width over which a mask rises from 10 % to 90 %, as a share of the face's height.
const FEATHER: f64 = 0.04;

/// The 10 % to 90 % width of a Gaussian's integral, in sigmas.
const SIGMAS: f64 = 2.563;

/// Returns the coverage by any of the regions on a `[size, size]` grid over `square`, in 0..=1: 1 inside, falling to
/// 0 across the edge. The face may extend beyond the square, and the square beyond the picture.
pub fn mask(mesh: &Mesh, regions: &[Region], square: Square, size: usize) -> Vec<f32> {
    let whole = regions.contains(&Region::Skin);
    let wanted = regions
        .iter()
        .filter(|region| !whole || **region == Region::Skin);
    let polygons: Vec<_> = wanted.flat_map(|region| polygons(mesh, *region)).collect();
    let sigma = FEATHER / SIGMAS * f64::from(mesh.height());
    match SoftShape::new(&polygons, sigma) {
        Some(soft) if square.side > 0.0 => soft.sample(square, size),
        _ => vec![0.0; size * size],
    }
}

#[cfg(test)]
mod tests {
    use super::super::mesh::samples;
    use super::*;
    use proptest::prelude::*;

    const INSIDE: [Region; 4] = [Region::Brows, Region::Eyes, Region::Nose, Region::Mouth];

    fn of_bits(bits: u8) -> Vec<Region> {
        let all = Region::ALL.into_iter().enumerate();
        all.filter(|(i, _)| bits & (1 << i) != 0)
            .map(|(_, region)| region)
            .collect()
    }

    /// A square around the whole face with a margin.
    fn around(mesh: &Mesh) -> Square {
        let (left, top, right, bottom) = mesh.bounds();
        let side = f64::from((right - left).max(bottom - top)) * 1.6;
        Square {
            x: f64::from(left + right) / 2.0 - side / 2.0,
            y: f64::from(top + bottom) / 2.0 - side / 2.0,
            side,
        }
    }

    /// The mask's value at a landmark.
    fn at(mesh: &Mesh, values: &[f32], square: Square, size: usize, landmark: usize) -> f32 {
        let [x, y, _] = mesh.points()[landmark].map(f64::from);
        let place = |value: f64, from: f64| ((value - from) / square.side * size as f64) as usize;
        values[place(y, square.y) * size + place(x, square.x)]
    }

    /// A mesh rotated about the vertical axis through the middle of its eyes.
    fn yawed(mesh: &Mesh, degrees: f32) -> Mesh {
        let [middle, _, depth] = mesh.mean_of(&[133, 362]).unwrap();
        let (sin, cos) = degrees.to_radians().sin_cos();
        let turn = |[x, y, z]: [f32; 3]| {
            let (x, z) = (x - middle, z - depth);
            [middle + x * cos - z * sin, y, depth + x * sin + z * cos]
        };
        mesh.map(turn).unwrap()
    }

    #[test]
    fn each_region_covers_its_feature_and_no_other() {
        for mesh in samples::meshes() {
            let square = around(&mesh);
            let features = [
                (Region::Brows, [105, 334, 9]),
                (Region::Eyes, [159, 386, 145]),
                (Region::Nose, [4, 5, 195]),
                (Region::Mouth, [13, 61, 291]),
            ];
            for (region, _) in features {
                let values = mask(&mesh, &[region], square, 256);
                for (other, landmarks) in features {
                    for landmark in landmarks {
                        let value = at(&mesh, &values, square, 256, landmark);
                        if region == other {
                            assert!(value > 0.95, "{region:?} at {landmark}: {value}");
                        } else {
                            assert!(value < 0.05, "{region:?} at {landmark}: {value}");
                        }
                    }
                }
            }
            let mouth = mask(&mesh, &[Region::Mouth], square, 256);
            assert!(
                at(&mesh, &mouth, square, 256, 152) > 0.99,
                "a jaw that drops needs room"
            );
            assert!(mask(&mesh, &[], square, 64).iter().all(|v| *v == 0.0));
        }
    }

    /// Landmarks of the inner face: brows, between and below the eyes, the cheeks' apples, the folds, the chin.
    const INNER: [usize; 43] = [
        9, 8, 168, 6, 197, 195, 5, 4, 1, 2, 164, 0, 17, 18, 200, 199, 193, 244, 128, 47, 126, 142,
        100, 101, 36, 203, 206, 205, 207, 216, 118, 119, 120, 121, 50, 417, 464, 357, 277, 371,
        329, 330, 425,
    ];

    #[test]
    fn all_regions_together_cover_the_face_without_holes() {
        for mesh in samples::meshes() {
            let square = around(&mesh);
            let values = mask(&mesh, &INSIDE, square, 256);
            for landmark in INNER {
                let value = at(&mesh, &values, square, 256, landmark);
                assert!(value > 0.97, "{landmark}: {value}");
            }
            for degrees in (-60..=60).step_by(10) {
                let mesh = yawed(&mesh, degrees as f32);
                for regions in [&INSIDE[..], &[Region::Skin]] {
                    let values = mask(&mesh, regions, around(&mesh), 128);
                    let least = enclosed(&values, 128).into_iter().fold(1.0, f32::min);
                    assert!(least == 1.0, "a hole of {least} at {degrees}");
                }
            }
        }
    }

    /// The values below 0.93 that aren't connected to the edge through other such values.
    fn enclosed(values: &[f32], size: usize) -> Vec<f32> {
        let low = |i: usize| values[i] < 0.93;
        let mut reached = vec![false; values.len()];
        let mut open = vec![0];
        while let Some(i) = open.pop() {
            if reached[i] || !low(i) {
                continue;
            }
            reached[i] = true;
            let (x, y) = (i % size, i / size);
            open.extend((x > 0).then(|| i - 1));
            open.extend((x + 1 < size).then_some(i + 1));
            open.extend((y > 0).then(|| i - size));
            open.extend((y + 1 < size).then_some(i + size));
        }
        let left = (0..values.len()).filter(|i| low(*i) && !reached[*i]);
        left.map(|i| values[i]).collect()
    }

    #[test]
    fn the_mask_of_a_union_is_at_least_that_of_each_region() {
        for mesh in samples::meshes() {
            let square = around(&mesh);
            let all = mask(&mesh, &Region::ALL, square, 128);
            for region in Region::ALL {
                // The grids are offset by a fraction of a cell.
                let part = mask(&mesh, &[region], square, 128);
                assert!(part.iter().zip(&all).all(|(part, all)| *all > part - 0.03));
            }
        }
    }

    #[test]
    fn a_mirrored_face_has_a_mirrored_mask() {
        for mesh in samples::meshes() {
            let square = Square {
                x: 0.0,
                y: 0.0,
                side: 512.0,
            };
            let mirrored = mesh.mirrored(512.0).unwrap();
            for region in Region::ALL {
                let a = mask(&mesh, &[region], square, 128);
                let b = mask(&mirrored, &[region], square, 128);
                for (a, b) in a.chunks_exact(128).zip(b.chunks_exact(128)) {
                    assert!(
                        a.iter()
                            .zip(b.iter().rev())
                            .all(|(a, b)| (a - b).abs() < 0.03)
                    );
                }
            }
        }
    }

    #[test]
    fn degenerate_faces_have_empty_masks_and_no_panics() {
        let square = Square {
            x: 0.0,
            y: 0.0,
            side: 64.0,
        };
        let point = Mesh::new(vec![[20.0, 20.0, 0.0]; Mesh::POINTS]).unwrap();
        assert!(
            mask(&point, &Region::ALL, square, 16)
                .iter()
                .all(|v| *v == 0.0)
        );
        for scale in [1.0, f32::MAX / 1000.0] {
            let wild = (0..Mesh::POINTS).map(|i| {
                let value = |k: usize| ((i * 7919 + k * 104_729) % 997) as f32 * scale;
                [value(1), value(2), value(3)]
            });
            let wild = Mesh::new(wild.collect()).unwrap();
            let values = mask(&wild, &Region::ALL, square, 16);
            assert!(values.iter().all(|v| (0.0..=1.0).contains(v)));
        }
        let [mesh, _] = samples::meshes();
        for side in [0.0, -5.0, f64::NAN, f64::INFINITY] {
            let values = mask(&mesh, &Region::ALL, Square { side, ..square }, 16);
            assert!(values.len() == 256 && values.iter().all(|v| (0.0..=1.0).contains(v)));
        }
        assert!(mask(&mesh, &Region::ALL, square, 0).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_small_mask_is_the_large_one_scaled_down(
            part in 0.2f64..1.5, dx in -0.5f64..0.5, dy in -0.5f64..0.5, bits in 1u8..32, degrees in -80f32..80.0,
        ) {
            let [mesh, _] = samples::meshes();
            let mesh = yawed(&mesh, degrees);
            let whole = around(&mesh);
            let side = whole.side * part;
            let square = Square { x: whole.x + dx * whole.side, y: whole.y + dy * whole.side, side };
            let large = mask(&mesh, &of_bits(bits), square, 256);
            let small = mask(&mesh, &of_bits(bits), square, 64);
            for y in 0..64 {
                for x in 0..64 {
                    let mean = (0..16).map(|k| large[(y * 4 + k / 4) * 256 + x * 4 + k % 4]).sum::<f32>() / 16.0;
                    prop_assert!((mean - small[y * 64 + x]).abs() < 0.03, "{} {}", mean, small[y * 64 + x]);
                }
            }
            prop_assert!(large.iter().chain(&small).all(|v| (0.0..=1.0).contains(v)));
        }

        #[test]
        fn the_mask_follows_translation_and_scale_of_the_face(dx in -300f32..300.0, dy in -300f32..300.0, scale in 0.3f32..6.0, bits in 1u8..32) {
            let [_, mesh] = samples::meshes();
            let moved = mesh.map(|[x, y, z]| [x * scale + dx, y * scale + dy, z * scale]).unwrap();
            let a = mask(&mesh, &of_bits(bits), around(&mesh), 96);
            let b = mask(&moved, &of_bits(bits), around(&moved), 96);
            prop_assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 0.02));
        }
    }
}
