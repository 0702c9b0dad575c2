//! Correcting landmarks by hand where detection is wrong: which ones can be dragged, and how their neighbours follow.
//!
//! A moved landmark moves its neighbours, less with the distance along the skin: a lid follows its middle, but the other
//! lid, which is close in space and far along the skin, stays.

use std::sync::{Arc, OnceLock};

use super::fit::{BROWS, EYELIDS, LIPS, OVAL};
use super::model::{Graph, Model};
use crate::document::LandmarkOffsets;
use crate::face::Mesh;
use crate::face::found::FoundFace;

/// The landmarks that can be dragged.
pub const HANDLES: [u16; 51] = [
    // The eyelids: corners, upper and lower edge, of the person's right eye first.
    33, 161, 159, 157, 133, 154, 145, 163, 263, 388, 386, 384, 362, 381, 374, 390, //
    // The irises.
    468, 473, //
    // The brows.
    70, 105, 107, 52, 300, 334, 336, 282, //
    // The lips' outer edges, and the inner ones.
    61, 40, 37, 0, 267, 270, 291, 321, 17, 91, 81, 13, 311, 402, 14, 178, //
    // The nose: tip and wings.
    4, 129, 358, //
    // The face's oval.
    10, 152, 172, 397, 234, 454,
];

/// The centres of the irises. Each is followed by the four landmarks of its rim.
const IRISES: [u16; 2] = [468, 473];
const RIM: u16 = 4;

/// The weight below which a landmark isn't moved.
const NEGLIGIBLE: f32 = 0.01;

/// The range of a landmark's influence along the skin: the standard deviation of a Gaussian, in centimetres of the mean
/// head.
fn influence_sigma(landmark: usize) -> f32 {
    if EYELIDS.contains(&landmark) {
        0.8
    } else if LIPS.contains(&landmark) {
        0.9
    } else if BROWS.contains(&landmark) {
        1.3
    } else if OVAL.contains(&landmark) {
        2.2
    } else {
        1.0
    }
}

/// The weight with which each landmark of the skin follows `landmark`, in 0..=1; 1 for itself.
fn followers(landmark: u16) -> Option<&'static [f32]> {
    static SKIN: OnceLock<Option<Graph>> = OnceLock::new();
    static KNOWN: [OnceLock<Vec<f32>>; Mesh::SKIN] = [const { OnceLock::new() }; Mesh::SKIN];
    let landmark = usize::from(landmark);
    let known = KNOWN.get(landmark)?;
    let model = Model::bundled().ok()?;
    let graph = SKIN.get_or_init(|| {
        Some(Graph::of(
            &model.skin_triangles,
            model.neutral.get(..model.skin)?,
        ))
    });
    let graph = graph.as_ref()?;
    let weights = known.get_or_init(|| {
        let influence_sigma = influence_sigma(landmark);
        let farthest = influence_sigma * (-2.0 * NEGLIGIBLE.ln()).sqrt();
        let start = (landmark, model.landmarks[landmark]);
        let distances = graph.nearest(std::iter::once(start), farthest);
        let distances = model.landmarks.iter().map(|vertex| distances[*vertex].0);
        distances
            .map(|distance| (-0.5 * (distance / influence_sigma).powi(2)).exp())
            .collect()
    });
    Some(weights)
}

/// The weight with which `landmark` follows `moved`.
fn share(moved: u16, landmark: u16) -> f32 {
    if let Some(iris) = IRISES.iter().find(|iris| **iris == moved) {
        return f32::from(u8::from((*iris..=iris + RIM).contains(&landmark)));
    }
    let followers = followers(moved);
    let share = followers.and_then(|shares| shares.get(usize::from(landmark)));
    share
        .copied()
        .unwrap_or_else(|| f32::from(u8::from(moved == landmark)))
}

/// The movement of a landmark by all offsets except one, as a fraction of the face's height.
fn displacement(landmark: u16, offsets: &LandmarkOffsets, without: Option<u16>) -> [f32; 2] {
    let others = offsets.iter().filter(|(moved, _)| Some(*moved) != without);
    others.fold([0.0; 2], |[x, y], (moved, [dx, dy])| {
        let share = share(moved, landmark);
        [x + share * dx, y + share * dy]
    })
}

/// Applies the offsets to the landmarks and their neighbours.
fn moved(mesh: &Mesh, offsets: &LandmarkOffsets) -> Mesh {
    let height = mesh.height();
    let mut numbers = 0..;
    let displaced = mesh.map(|[x, y, z]| {
        let landmark = numbers.next().unwrap_or(0);
        let [dx, dy] = displacement(landmark, offsets, None);
        [x + dx * height, y + dy * height, z]
    });
    // Offsets are finite, and so are landmarks.
    displaced.unwrap_or_else(|| mesh.clone())
}

/// A face with the artist's offsets applied to its landmarks. Its pixels, and the crops that networks see, don't change.
pub fn with_offsets(face: &Arc<FoundFace>, offsets: &LandmarkOffsets) -> Arc<FoundFace> {
    if face.moved == *offsets {
        return Arc::clone(face);
    }
    Arc::new(FoundFace {
        mesh: moved(&face.found, offsets),
        moved: offsets.clone(),
        ..FoundFace::clone(face)
    })
}

/// The offset that puts a landmark at `place`, in pixels of the portrait, while the other offsets are unchanged.
pub fn offset_to(
    face: &FoundFace,
    offsets: &LandmarkOffsets,
    landmark: u16,
    place: [f32; 2],
) -> [f32; 2] {
    let height = face.found.height();
    let Some([x, y, _]) = face.found.points().get(usize::from(landmark)) else {
        return [0.0; 2];
    };
    if height <= 0.0 {
        return [0.0; 2];
    }
    let [dx, dy] = displacement(landmark, offsets, Some(landmark));
    [(place[0] - x) / height - dx, (place[1] - y) / height - dy]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::mesh_samples;
    use proptest::prelude::*;

    fn offsets(of: &[(u16, [f32; 2])]) -> LandmarkOffsets {
        let mut offsets = LandmarkOffsets::default();
        for (landmark, offset) in of {
            offsets.set(*landmark, *offset);
        }
        offsets
    }

    /// How far `other` moves to the right with `landmark`, which moves by a tenth of the face's height.
    fn share_of(mesh: &Mesh, landmark: u16, other: usize) -> f32 {
        let there = moved(mesh, &offsets(&[(landmark, [0.1, 0.0])]));
        let by = there.points()[other][0] - mesh.points()[other][0];
        by / (0.1 * mesh.height())
    }

    #[test]
    fn handles_are_distinct_landmarks() {
        let mut sorted = HANDLES;
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(
            sorted
                .iter()
                .all(|handle| *handle < LandmarkOffsets::LANDMARKS)
        );
        // A landmark of one half has its twin on the other.
        for handle in HANDLES {
            let twin = crate::face::TWINS[usize::from(handle)];
            assert!(HANDLES.contains(&twin), "{handle} {twin}");
        }
    }

    #[test]
    fn dragging_the_middle_of_a_lid_or_lip_moves_only_that_one() {
        let [mesh, _] = mesh_samples();
        for (middle, lid, other) in [
            (159, [160, 158], [145, 144, 153]),
            (386, [385, 387], [374, 380, 373]),
            (13, [82, 312], [14, 87, 317]),
            (14, [87, 317], [13, 82, 312]),
        ] {
            assert!((share_of(&mesh, middle, middle.into()) - 1.0).abs() < 1e-3);
            for landmark in lid {
                let share = share_of(&mesh, middle, landmark);
                assert!(share > 0.5, "{middle} {landmark} {share}");
            }
            for landmark in other {
                let share = share_of(&mesh, middle, landmark);
                assert!(share < 0.1, "{middle} {landmark} {share}");
            }
        }
        // The corner of the mouth and the chin don't follow the brow.
        assert_eq!(share_of(&mesh, 105, 61), 0.0);
        // An iris moves as a whole, and alone.
        for rim in 468..473 {
            assert!((share_of(&mesh, 468, rim) - 1.0).abs() < 1e-3);
        }
        assert_eq!(share_of(&mesh, 468, 473), 0.0);
        assert_eq!(share_of(&mesh, 468, 159), 0.0);
    }

    proptest! {
        #[test]
        fn the_landmark_dragged_last_lies_exactly_where_it_was_put(
            others in prop::collection::vec((0..HANDLES.len(), prop::array::uniform2(-0.05f32..0.05)), 0..6),
            (handle, by) in (0..HANDLES.len(), prop::array::uniform2(-0.1f32..0.1)),
        ) {
            let [mesh, _] = mesh_samples();
            let face = face(mesh);
            let before: Vec<_> = others.into_iter().map(|(i, by)| (HANDLES[i], by)).collect();
            let mut offsets = offsets(&before);
            let landmark = HANDLES[handle];
            let [x, y, _] = moved(&face.found, &offsets).points()[usize::from(landmark)];
            let height = face.found.height();
            let place = [x + by[0] * height, y + by[1] * height];
            offsets.set(landmark, offset_to(&face, &offsets, landmark, place));
            let [x, y, _] = moved(&face.found, &offsets).points()[usize::from(landmark)];
            prop_assert!((x - place[0]).hypot(y - place[1]) < 1e-2);
        }

        #[test]
        fn no_landmark_moves_farther_than_the_dragged_one(
            (handle, by) in (0..HANDLES.len(), prop::array::uniform2(-0.03f32..0.03)),
        ) {
            let [mesh, _] = mesh_samples();
            let there = moved(&mesh, &offsets(&[(HANDLES[handle], by)]));
            let most = by[0].hypot(by[1]) * mesh.height();
            for (a, b) in mesh.points().iter().zip(there.points()) {
                prop_assert!((a[0] - b[0]).hypot(a[1] - b[1]) <= most + 1e-3);
                prop_assert_eq!(a[2], b[2]);
            }
        }
    }

    fn face(mesh: Mesh) -> FoundFace {
        FoundFace {
            found: mesh.clone(),
            mesh,
            moved: LandmarkOffsets::default(),
            presence: 1.0,
            scores: [0.0; 52],
            aus: crate::document::AuVector::NEUTRAL,
            pose: crate::face::HeadPose::default(),
            crop: crate::document::Crop::default(),
        }
    }

    #[test]
    fn without_offsets_the_landmarks_are_unchanged() {
        let [mesh, _] = mesh_samples();
        let face = Arc::new(face(mesh));
        let same = with_offsets(&face, &LandmarkOffsets::default());
        assert!(Arc::ptr_eq(&face, &same));
        let other = with_offsets(&face, &offsets(&[(159, [0.0, 0.02])]));
        assert_ne!(other.mesh, face.mesh);
        assert_eq!((&other.found, other.crop), (&face.found, face.crop));
        // And back again.
        let back = with_offsets(&other, &LandmarkOffsets::default());
        assert_eq!(back.mesh, face.mesh);
    }
}
