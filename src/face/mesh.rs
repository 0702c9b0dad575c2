//! The 478 landmarks of MediaPipe's Face Landmarker v2: 468 on the skin and 5 on each iris.
//!
//! "Left" and "right" in landmark lists are the subject's, unless a comment refers to the picture's.

use std::sync::Arc;

/// 478 points of one face, all finite.
///
/// x points right and y down, in pixels of the picture, pixel `i` spanning `i..i + 1`; z is in the same unit and
/// negative towards the viewer, with its zero near the middle of the head. Points may be outside the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Mesh {
    /// Shared by clones.
    points: Arc<[[f32; 3]]>,
}

impl Mesh {
    /// The number of points.
    pub const POINTS: usize = 478;

    /// The number of points on the skin; the ten of the irises follow.
    pub const SKIN: usize = 468;

    /// Creates a mesh; `None` unless there are [`Mesh::POINTS`] points, all finite.
    pub fn new(points: Vec<[f32; 3]>) -> Option<Self> {
        let finite = points.iter().flatten().all(|value| value.is_finite());
        (points.len() == Self::POINTS && finite).then(|| Self {
            points: points.into(),
        })
    }

    /// All [`Mesh::POINTS`] points.
    pub fn points(&self) -> &[[f32; 3]] {
        &self.points
    }

    /// The points on the skin, without the irises: [`Mesh::SKIN`] of them.
    pub fn skin(&self) -> &[[f32; 3]] {
        &self.points[..Self::SKIN]
    }

    /// Returns the bounding box of the skin's points in the picture: left, top, right, bottom, in pixels.
    pub fn bounds(&self) -> (f32, f32, f32, f32) {
        let far = f32::INFINITY;
        self.skin().iter().fold(
            (far, far, -far, -far),
            |(left, top, right, bottom), [x, y, _]| {
                (left.min(*x), top.min(*y), right.max(*x), bottom.max(*y))
            },
        )
    }

    /// Returns the height of the face in pixels: the distance in 3D from the middle of the hairline to the tip of the
    /// chin. Being 3D, it doesn't shrink when the head nods or leans, so it is a stable unit of length within a clip.
    pub fn height(&self) -> f32 {
        let ([ax, ay, az], [bx, by, bz]) = (self.points[FOREHEAD], self.points[CHIN]);
        (ax - bx).hypot(ay - by).hypot(az - bz)
    }

    /// Returns the roll of the head in radians, clockwise: the direction from the outer eye corner on the picture's
    /// left to the one on its right.
    pub fn lean(&self) -> f32 {
        let ([ax, ay, _], [bx, by, _]) = (self.points[EYES[0]], self.points[EYES[1]]);
        (by - ay).atan2(bx - ax)
    }

    /// Applies `f` to each point. `None` where the result is not finite.
    pub fn map(&self, f: impl FnMut([f32; 3]) -> [f32; 3]) -> Option<Self> {
        Self::new(self.points.iter().copied().map(f).collect())
    }

    /// Returns the mesh for the picture, `width` pixels wide, mirrored left to right. Left and right landmarks are
    /// swapped, so the left eye's landmarks are on the left eye of the mirrored person.
    pub fn mirrored(&self, width: f32) -> Option<Self> {
        let points = TWINS.iter().map(|twin| {
            let [x, y, z] = self.points[usize::from(*twin)];
            [width - x, y, z]
        });
        Self::new(points.collect())
    }

    /// Returns the mean of the points with these indices; `None` if there are none, or one is out of range.
    pub fn mean_of(&self, indices: &[usize]) -> Option<[f32; 3]> {
        let mut sum = [0.0f64; 3];
        for index in indices {
            let point = self.points.get(*index)?;
            for (sum, value) in sum.iter_mut().zip(point) {
                *sum += f64::from(*value);
            }
        }
        let count = indices.len() as f64;
        (!indices.is_empty()).then(|| sum.map(|sum| (sum / count) as f32))
    }
}

/// The outer eye corners, the picture's left one first.
const EYES: [usize; 2] = [33, 263];
/// The middle of the hairline.
const FOREHEAD: usize = 10;
/// The tip of the chin.
const CHIN: usize = 152;

/// For each landmark, its counterpart on the other half of the face; midline landmarks map to themselves.
pub const TWINS: [u16; Mesh::POINTS] = [
    0, 1, 2, 248, 4, 5, 6, 249, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 250, 251, 252, 253,
    254, 255, 256, 257, 258, 259, 260, 261, 262, 263, 264, 265, 266, 267, 268, 269, 270, 271, 272,
    273, 274, 275, 276, 277, 278, 279, 280, 281, 282, 283, 284, 285, 286, 287, 288, 289, 290, 291,
    292, 293, 294, 295, 296, 297, 298, 299, 300, 301, 302, 303, 304, 305, 306, 307, 308, 309, 310,
    311, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 322, 323, 94, 324, 325, 326, 327, 328,
    329, 330, 331, 332, 333, 334, 335, 336, 337, 338, 339, 340, 341, 342, 343, 344, 345, 346, 347,
    348, 349, 350, 351, 352, 353, 354, 355, 356, 357, 358, 359, 360, 361, 362, 363, 364, 365, 366,
    367, 368, 369, 370, 371, 372, 373, 374, 375, 376, 377, 378, 379, 151, 152, 380, 381, 382, 383,
    384, 385, 386, 387, 388, 389, 390, 164, 391, 392, 393, 168, 394, 395, 396, 397, 398, 399, 175,
    400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418,
    195, 419, 197, 420, 199, 200, 421, 422, 423, 424, 425, 426, 427, 428, 429, 430, 431, 432, 433,
    434, 435, 436, 437, 438, 439, 440, 441, 442, 443, 444, 445, 446, 447, 448, 449, 450, 451, 452,
    453, 454, 455, 456, 457, 458, 459, 460, 461, 462, 463, 464, 465, 466, 467, 3, 7, 20, 21, 22,
    23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46,
    47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70,
    71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 95,
    96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115,
    116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130, 131, 132, 133, 134,
    135, 136, 137, 138, 139, 140, 141, 142, 143, 144, 145, 146, 147, 148, 149, 150, 153, 154, 155,
    156, 157, 158, 159, 160, 161, 162, 163, 165, 166, 167, 169, 170, 171, 172, 173, 174, 176, 177,
    178, 179, 180, 181, 182, 183, 184, 185, 186, 187, 188, 189, 190, 191, 192, 193, 194, 196, 198,
    201, 202, 203, 204, 205, 206, 207, 208, 209, 210, 211, 212, 213, 214, 215, 216, 217, 218, 219,
    220, 221, 222, 223, 224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 235, 236, 237, 238,
    239, 240, 241, 242, 243, 244, 245, 246, 247, 473, 476, 475, 474, 477, 468, 471, 470, 469, 472,
];

/// The meshes of the two sample portraits, as found by MediaPipe 0.10.21.
#[cfg(test)]
pub(super) mod samples {
    use super::Mesh;

    #[derive(serde::Deserialize)]
    struct Samples {
        astronaut: Vec<f32>,
        grace_hopper: Vec<f32>,
    }

    fn samples() -> Samples {
        serde_json::from_str(include_str!("../../tests/face/meshes.json")).unwrap()
    }

    pub(crate) fn meshes() -> [Mesh; 2] {
        let samples = samples();
        [samples.astronaut, samples.grace_hopper].map(|flat| {
            let (points, rest) = flat.as_chunks::<3>();
            assert!(rest.is_empty());
            Mesh::new(points.to_vec()).unwrap()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_wrong_number_of_points_or_a_point_that_is_not_finite_is_refused() {
        assert!(Mesh::new(vec![[0.0; 3]; Mesh::POINTS]).is_some());
        assert!(Mesh::new(vec![[0.0; 3]; Mesh::SKIN]).is_none());
        assert!(Mesh::new(Vec::new()).is_none());
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut points = vec![[1.0; 3]; Mesh::POINTS];
            points[477][2] = bad;
            assert!(Mesh::new(points).is_none());
        }
        let flat = Mesh::new(vec![[1.0; 3]; Mesh::POINTS]).unwrap();
        assert!(flat.map(|[x, y, z]| [x / 0.0, y, z]).is_none());
    }

    #[test]
    fn the_sample_meshes_have_the_proportions_of_a_face() {
        for mesh in samples::meshes() {
            let (left, top, right, bottom) = mesh.bounds();
            let height = mesh.height();
            assert!(left < right && top < bottom);
            assert!(height > 0.8 * (bottom - top) && height < 1.3 * (bottom - top));
            // The tip of the nose is nearer than the ears.
            assert!(mesh.points()[4][2] < mesh.points()[234][2]);
        }
    }

    #[test]
    fn the_mean_covers_exactly_the_given_points() {
        let [mesh, _] = samples::meshes();
        let (a, b) = (mesh.points()[33], mesh.points()[133]);
        let mean = mesh.mean_of(&[33, 133]).unwrap();
        for i in 0..3 {
            assert!((mean[i] - (a[i] + b[i]) / 2.0).abs() < 1e-4);
        }
        assert_eq!(mesh.mean_of(&[]), None);
        assert_eq!(mesh.mean_of(&[3, 478]), None);
    }

    #[test]
    fn mirroring_twice_restores_the_mesh_and_once_gives_a_similar_one() {
        for mesh in samples::meshes() {
            let mirrored = mesh.mirrored(512.0).unwrap();
            assert_eq!(
                mirrored.mirrored(512.0).unwrap().points()[4][1],
                mesh.points()[4][1]
            );
            for (i, (a, b)) in mesh.points().iter().zip(mirrored.points()).enumerate() {
                let twin = mesh.points()[usize::from(TWINS[i])];
                assert!((512.0 - b[0] - twin[0]).abs() < 1e-3);
                // Faces are nearly symmetric, so a landmark and its twin have about the same height.
                assert!((a[1] - b[1]).abs() < 0.15 * mesh.height(), "{i}");
            }
        }
    }

    proptest! {
        #[test]
        fn bounds_and_height_follow_translation_and_scale(dx in -500f32..500.0, dy in -500f32..500.0, scale in 0.1f32..8.0) {
            let [mesh, _] = samples::meshes();
            let moved = mesh.map(|[x, y, z]| [x * scale + dx, y * scale + dy, z * scale]).unwrap();
            let (left, top, right, bottom) = mesh.bounds();
            let wanted = [left * scale + dx, top * scale + dy, right * scale + dx, bottom * scale + dy];
            let (left, top, right, bottom) = moved.bounds();
            for (wanted, got) in wanted.into_iter().zip([left, top, right, bottom]) {
                prop_assert!((wanted - got).abs() < 1e-3 * wanted.abs().max(10.0));
            }
            prop_assert!((moved.height() / mesh.height() / scale - 1.0).abs() < 1e-3);
        }
    }
}
