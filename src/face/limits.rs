//! Computes masks over a crop from the document's limits.

use std::sync::Arc;

use crate::document::{FacePart, Limit, Sides};
use crate::face::edit::Mask;
use crate::face::mesh::Mesh;
use crate::face::outline::Region;
use crate::face::regions::mask as region_mask;
use crate::face::side::side_mask;
use crate::face::square::TurnedSquare;
use crate::math::smoothstep;

/// Side of a mask in samples. Its edges are feathered over about 4 % of a face, so this resolution represents them
/// without loss; the mask is interpolated at the portrait's pixels.
const SIZE: usize = 512;

/// Returns where a limit allows an edit, over the crop; `None` where it restricts nothing. Parts need landmarks: without
/// a face only left and right are distinguished.
pub(crate) fn mask(mesh: Option<&Mesh>, crop: TurnedSquare, limit: Limit) -> Option<Mask> {
    let mesh = mesh.and_then(|mesh| upright(mesh, &crop));
    let regions: Vec<Region> = match mesh {
        Some(_) => limit.parts().map(region).collect(),
        None => Vec::new(),
    };
    let mut values = match mesh {
        Some(ref mesh) if !regions.is_empty() => region_mask(mesh, &regions, crop.unturned(), SIZE),
        _ if limit.sides == Sides::Both => return None,
        _ => vec![1.0; SIZE * SIZE],
    };
    if limit.sides != Sides::Both {
        let left = halved(mesh.as_ref(), crop, SIZE);
        for (value, left) in values.iter_mut().zip(left) {
            *value *= if limit.sides == Sides::Left {
                left
            } else {
                1.0 - left
            };
        }
    }
    Some(Mask { size: SIZE, values })
}

/// Caches the [`mask`] of the last limit and landmarks, for one crop of one face.
#[derive(Debug, Default)]
pub(crate) struct CachedMask(Option<(Limit, Option<Mesh>, Option<Arc<Mask>>)>);

impl CachedMask {
    pub fn get(
        &mut self,
        mesh: Option<&Mesh>,
        crop: TurnedSquare,
        limit: Limit,
    ) -> Option<Arc<Mask>> {
        let known = self.0.as_ref();
        if !known.is_some_and(|(of, at, _)| *of == limit && at.as_ref() == mesh) {
            let made = mask(mesh, crop, limit).map(Arc::new);
            self.0 = Some((limit, mesh.cloned(), made));
        }
        self.0.as_ref().and_then(|(.., mask)| mask.clone())
    }
}

/// Returns 1 on the face's left half as seen in the picture and 0 on the right, `[size, size]` over the crop. Without
/// landmarks the crop's middle divides them.
pub(crate) fn left_half(mesh: Option<&Mesh>, crop: TurnedSquare, size: usize) -> Vec<f32> {
    let mesh = mesh.and_then(|mesh| upright(mesh, &crop));
    halved(mesh.as_ref(), crop, size)
}

/// Rotates the landmarks with a turned crop, so that the crop is upright.
fn upright(mesh: &Mesh, crop: &TurnedSquare) -> Option<Mesh> {
    if crop.angle == 0.0 {
        return Some(mesh.clone());
    }
    let corner = crop.unturned();
    mesh.map(|[x, y, z]| {
        let (u, v) = crop.within((f64::from(x), f64::from(y)));
        let (x, y) = (corner.x + u * crop.side, corner.y + v * crop.side);
        [x as f32, y as f32, z]
    })
}

/// [`left_half`] for landmarks already upright in the crop.
fn halved(mesh: Option<&Mesh>, crop: TurnedSquare, size: usize) -> Vec<f32> {
    if let Some(mesh) = mesh {
        return side_mask(mesh, crop.unturned(), size);
    }
    /// The width of the transition between the halves, as a share of the crop.
    const SOFT: f32 = 0.08;
    let line = (0..size).map(|x| {
        let from_middle = 0.5 - (x as f32 + 0.5) / size as f32;
        smoothstep(from_middle / SOFT + 0.5)
    });
    line.collect::<Vec<_>>().repeat(size)
}

fn region(part: FacePart) -> Region {
    match part {
        FacePart::Brows => Region::Brows,
        FacePart::Eyes => Region::Eyes,
        FacePart::Nose => Region::Nose,
        FacePart::Mouth => Region::Mouth,
        FacePart::Skin => Region::Skin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CROP: TurnedSquare = TurnedSquare {
        x: 50.0,
        y: 50.0,
        side: 100.0,
        angle: 0.0,
    };

    #[test]
    fn without_a_face_a_limit_to_parts_has_no_mask_and_one_to_a_half_does() {
        assert!(mask(None, CROP, Limit::NONE).is_none());
        let mouth = Limit::NONE.toggled(FacePart::Mouth);
        assert!(mask(None, CROP, mouth).is_none(), "no landmarks");
        let right = Limit::NONE.on(Sides::Right);
        let mask = mask(None, CROP, right).unwrap();
        assert_eq!((mask.values[0], mask.values[SIZE - 1]), (0.0, 1.0));
    }

    #[test]
    fn the_masks_of_both_halves_sum_to_one() {
        let left = left_half(None, CROP, 64);
        assert_eq!((left[0], left[63]), (1.0, 0.0));
        for (a, b) in left[..64].iter().zip(left[..64].iter().rev()) {
            assert!((a + b - 1.0).abs() < 1e-6);
        }
    }
}
