//! The areas of the face's regions, as polygons through landmarks.
//!
//! An outline is given for the half of the face with the subject's right eye; the landmarks' twins give the other
//! half. Each half is a separate polygon: when the head turns, the far half folds behind the near one. A single
//! polygon around both would wind once forwards and once backwards there, and count as empty.

use super::Mesh;
use super::mesh::TWINS;
use super::soft::Polygon;

/// A part of the face that an edit can be limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Region {
    /// The brows and the lower half of the forehead.
    Brows,
    /// The lids, the sockets, the crow's feet and the tops of the cheekbones.
    Eyes,
    /// The nose from bridge to base.
    Nose,
    /// The lips, the chin, the lower cheeks and the space that a dropping jaw needs.
    Mouth,
    /// The whole face: all of the others, and everything between them and the face's oval.
    Skin,
}

impl Region {
    /// All regions, from the forehead down, with the whole face last.
    pub const ALL: [Region; 5] = [
        Region::Brows,
        Region::Eyes,
        Region::Nose,
        Region::Mouth,
        Region::Skin,
    ];
}

/// A point on the face: a landmark plus a share of the vector between two others.
struct Corner {
    landmark: usize,
    from: usize,
    to: usize,
    share: f64,
}

/// The landmark itself.
const fn on(landmark: usize) -> Corner {
    moved(landmark, landmark, landmark, 0.0)
}

/// A point on the line from one landmark to another, or past it where `share` exceeds 1.
const fn toward(landmark: usize, other: usize, share: f64) -> Corner {
    moved(landmark, landmark, other, share)
}

/// A point below a landmark of the jaw by a share of the chin's height. That is the distance from the lower lip to
/// the tip of the chin, which is the same whether the mouth is open or not.
const fn below(landmark: usize, share: f64) -> Corner {
    moved(landmark, 17, 152, share)
}

const fn moved(landmark: usize, from: usize, to: usize, share: f64) -> Corner {
    Corner {
        landmark,
        from,
        to,
        share,
    }
}

/// One half of a region.
struct Outline {
    /// From the top of the midline around the outside to its bottom; or a closed contour, where the region doesn't
    /// reach the midline.
    outside: &'static [Corner],
    /// Landmarks of the midline, from bottom to top.
    midline: &'static [usize],
}

/// The brows and the lower half of the forehead, down to the crease of the lids, where a frown pushes the skin.
static BROWS: Outline = Outline {
    outside: &[
        toward(151, 10, 0.25),
        toward(108, 109, 0.25),
        toward(69, 67, 0.25),
        toward(104, 103, 0.25),
        toward(68, 54, 0.25),
        toward(71, 21, 0.2),
        toward(156, 139, 0.5),
        on(124),
        on(225),
        on(224),
        on(223),
        on(222),
        on(221),
        on(193),
        on(168),
    ],
    midline: &[8, 9],
};

/// The lids and the socket, out to the crow's feet and down to the top of the cheekbone, which rises with a smile.
static EYES: Outline = Outline {
    outside: &[
        toward(193, 168, 0.3),
        toward(221, 55, 0.4),
        toward(222, 65, 0.4),
        toward(223, 52, 0.4),
        toward(224, 53, 0.4),
        toward(225, 46, 0.4),
        toward(124, 70, 0.3),
        on(156),
        toward(143, 34, 0.4),
        toward(116, 117, 0.15),
        toward(117, 123, 0.6),
        toward(117, 50, 0.8),
        toward(118, 50, 0.8),
        toward(101, 36, 0.3),
        toward(142, 100, 0.3),
        toward(47, 217, 0.5),
        toward(188, 196, 0.3),
        toward(122, 6, 0.3),
    ],
    midline: &[],
};

/// From the bridge to the base, with the wings and the start of the nasolabial fold.
static NOSE: Outline = Outline {
    outside: &[
        on(8),
        toward(8, 55, 0.4),
        toward(193, 189, 0.4),
        on(244),
        toward(128, 121, 0.3),
        on(47),
        toward(100, 142, 0.6),
        toward(142, 36, 0.5),
        toward(36, 203, 0.5),
        toward(203, 206, 0.4),
        on(165),
        on(167),
        toward(164, 0, 0.2),
    ],
    midline: &[2, 1, 4, 5, 195, 197, 6, 168],
};

/// The lips, the chin and the lower cheeks, with space below for a jaw that drops.
static MOUTH: Outline = Outline {
    outside: &[
        on(2),
        on(97),
        on(98),
        toward(129, 203, 0.5),
        toward(142, 36, 0.3),
        toward(100, 142, 0.5),
        on(101),
        toward(118, 50, 0.6),
        toward(117, 50, 0.65),
        toward(123, 50, 0.35),
        toward(147, 187, 0.25),
        toward(213, 192, 0.2),
        toward(215, 138, 0.6),
        below(172, 0.25),
        below(136, 0.35),
        below(150, 0.42),
        below(149, 0.47),
        below(176, 0.5),
        below(148, 0.5),
        below(152, 0.5),
    ],
    midline: &[152, 175, 199, 200, 18, 17, 14, 13, 0, 164],
};

/// The face's oval with a little of the hairline and of the skin below the jaw.
static SKIN: Outline = Outline {
    outside: &[
        toward(10, 151, -0.45),
        toward(109, 108, -0.45),
        toward(67, 69, -0.4),
        toward(103, 104, -0.3),
        toward(54, 68, -0.25),
        toward(21, 71, -0.2),
        toward(162, 139, -0.2),
        toward(127, 34, -0.3),
        toward(234, 227, -0.4),
        toward(93, 137, -0.3),
        toward(132, 177, -0.4),
        toward(58, 215, -0.1),
        below(172, 0.1),
        below(136, 0.15),
        below(150, 0.2),
        below(149, 0.22),
        below(176, 0.25),
        below(148, 0.25),
        below(152, 0.25),
    ],
    midline: &[
        152, 175, 199, 200, 18, 17, 14, 13, 0, 164, 2, 1, 4, 5, 195, 197, 6, 168, 8, 9, 151, 10,
    ],
};

/// Returns polygons whose union is the region, in pixels of the picture.
pub(super) fn polygons(mesh: &Mesh, region: Region) -> Vec<Polygon> {
    let outlines: &[&Outline] = match region {
        Region::Brows => &[&BROWS],
        Region::Eyes => &[&EYES],
        Region::Nose => &[&NOSE],
        Region::Mouth => &[&MOUTH],
        // On a turned head the far brow and cheek extend beyond both the midline and the oval.
        Region::Skin => &[&SKIN, &BROWS, &EYES, &NOSE, &MOUTH],
    };
    let halves = outlines
        .iter()
        .flat_map(|outline| [false, true].map(|twin| (outline, twin)));
    halves
        .map(|(outline, twin)| half(mesh, outline, twin))
        .collect()
}

/// Returns the outline on the mesh, or with `twin` its mirrored half.
fn half(mesh: &Mesh, outline: &Outline, twin: bool) -> Polygon {
    let at = |landmark: usize| {
        let landmark = if twin {
            usize::from(TWINS[landmark])
        } else {
            landmark
        };
        [0, 1].map(|i| f64::from(mesh.points()[landmark][i]))
    };
    let place = |corner: &Corner| {
        let (point, from, to) = (at(corner.landmark), at(corner.from), at(corner.to));
        [0, 1].map(|i| point[i] + corner.share * (to[i] - from[i]))
    };
    let outside = outline.outside.iter().map(place);
    let midline = outline.midline.iter().map(|landmark| at(*landmark));
    outside.chain(midline).collect()
}

#[cfg(test)]
mod tests {
    use super::super::mesh::samples;
    use super::*;

    #[test]
    fn each_outline_ends_on_the_midline_or_stays_in_one_half() {
        for outline in [&BROWS, &NOSE, &MOUTH, &SKIN] {
            let own_twin = |landmark: usize| usize::from(TWINS[landmark]) == landmark;
            let ends = [outline.outside.first(), outline.outside.last()];
            for end in ends.into_iter().flatten() {
                assert!(own_twin(end.landmark) && own_twin(end.from) && own_twin(end.to));
            }
            assert!(outline.midline.iter().all(|landmark| own_twin(*landmark)));
        }
        assert!(EYES.midline.is_empty());
    }

    #[test]
    fn every_region_surrounds_its_feature() {
        // Landmarks well inside: on both brows, eyes, wings of the nose and corners of the mouth.
        let inside: [(Region, &[usize]); 4] = [
            (Region::Brows, &[46, 52, 105, 107, 276, 282, 334, 336, 9]),
            (Region::Eyes, &[33, 133, 159, 145, 263, 362, 386, 374]),
            (Region::Nose, &[4, 5, 6, 48, 278, 1]),
            (Region::Mouth, &[61, 291, 0, 17, 14, 152, 199]),
        ];
        for mesh in samples::meshes() {
            for (region, landmarks) in inside {
                let polygons = polygons(&mesh, region);
                for landmark in landmarks {
                    let [x, y, _] = mesh.points()[*landmark].map(f64::from);
                    // A midline landmark is on the halves' common edge: shifted slightly, it is in one of them.
                    let within = polygons
                        .iter()
                        .any(|p| holds(p, [x + 1e-3, y]) || holds(p, [x - 1e-3, y]));
                    assert!(within, "{landmark} is not in {region:?}");
                }
            }
        }
    }

    fn holds(polygon: &Polygon, point: [f64; 2]) -> bool {
        let next = polygon.iter().cycle().skip(1);
        let crossed = polygon.iter().zip(next).filter(|(a, b)| {
            (a[1] <= point[1]) != (b[1] <= point[1])
                && point[0] < a[0] + (point[1] - a[1]) * (b[0] - a[0]) / (b[1] - a[1])
        });
        crossed.count() % 2 == 1
    }
}
