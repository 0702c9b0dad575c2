//! Moves and scales the whole head in the picture, after everything else is drawn.
//!
//! The head with its hair keeps its shape: inside an ellipse around it the picture is moved and scaled as a whole. Around
//! the ellipse the movement fades, and towards the picture's edges it becomes so small that nothing is read from outside
//! of the picture. The map from the new picture to the drawn one is one-to-one for every place and size.

use super::continuation::CHIN;
use super::fit::Fit;
use super::image::Image;
use super::model::{Model, Point};
use super::scene::{Deformed, Placement};
use crate::math::smoothstep;
use crate::nn::isa::{Isa, multiversion};

/// The head's place and size relative to the portrait.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    /// To the picture's right, as a fraction of the face's width.
    pub right: f32,
    /// Up, as a fraction of the face's width.
    pub up: f32,
    /// A factor.
    pub size: f32,
}

impl Place {
    pub const AS_IN_PORTRAIT: Place = Place {
        right: 0.0,
        up: 0.0,
        size: 1.0,
    };
}

/// How far around the face's bounding box pixels can move, and how far from a pixel its colour can come from, in
/// centimetres.
pub(super) const REACH_PLACED: f32 = 54.0;
pub(super) const MARGIN_PLACED: f32 = 20.0;

/// The landmarks in front of the ears, between which the face's width is measured.
const WIDTH: [usize; 2] = [234, 454];

/// How far hair reaches beyond the skull to the sides, at the top and at the back, and the ellipse beyond the chin, in
/// centimetres.
const HAIR: f32 = 1.3;
const HAIR_ABOVE: f32 = 2.3;
const HAIR_BEHIND: f32 = 1.0;
const BELOW_CHIN: f32 = 1.2;

/// The distance from the ellipse over which a small movement fades, in centimetres, and the distance for a large one as
/// a multiple of the movement: a shorter one would fold the picture.
const FADE: f32 = 12.0;
const FADE_OF_MOVEMENT: f32 = 1.8;

/// How strongly the surroundings are stretched at most towards an edge of the picture: a strip behind the head becomes
/// `1 / (1 - STRETCH)` times as wide.
const STRETCH: f32 = 0.65;
/// Rounds the transition between the fading around the head and the limit by the edges.
const ROUNDING: f32 = 0.2;

/// Skin that belongs to the face, which must be inside the ellipse.
const MIN_FACE_MASK: f32 = 0.3;
/// The distance that the face keeps from stretched surroundings, in centimetres.
const FACE_MARGIN: f32 = 0.5;

/// The movement of a head to another place and size. All coordinates are in pixels of the source.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlaceWarp {
    /// The head's centre before and after it is placed.
    centre: Point,
    placed: Point,
    size: f32,
    /// The ellipse around the placed head: `a x² + 2 b x y + c y² = 1` about its centre.
    ellipse: [f32; 3],
    /// The distance from the ellipse at which nothing moves.
    fade: f32,
    /// Left, top, right and bottom of the picture.
    picture: [f32; 4],
}

impl PlaceWarp {
    /// The movement of a drawn head to `place`, in a picture with the bounds (left, top, right, bottom) `picture`.
    ///
    /// A larger head grows about its centre, a smaller one shrinks towards its chin, so that the neck isn't drawn out. A
    /// face moves and shrinks no farther than the picture has room behind it for the surroundings to be stretched.
    /// Returns `None` if the head stays where it is.
    pub fn new(
        model: &Model,
        fit: &Fit,
        deformed: &Deformed,
        picture: [f32; 4],
        place: Place,
    ) -> Option<Self> {
        if place == Place::AS_IN_PORTRAIT {
            return None;
        }
        let unit = fit.projection.pixels_per_cm;
        let head = HeadEllipse::new(model, fit, &deformed.placement)?;
        let width = unit * face_width(model, fit)?;
        let wanted = [place.right * width, -place.up * width];
        let pivot = if place.size < 1.0 {
            head.chin
        } else {
            head.centre
        };
        let [px, py, _] = pivot;
        let face = fit.face_box(model, MIN_FACE_MASK);
        let margin = FACE_MARGIN * unit;
        let room = |inside: f32| STRETCH / (1.0 + ROUNDING - STRETCH) * (inside - margin).max(0.0);
        let behind = [
            room(face[0] - picture[0]),
            room(face[1] - picture[1]),
            room(picture[2] - face[2]),
            room(picture[3] - face[3]),
        ];
        // How far each side of the face is from the point that scaling leaves in place.
        let away = [px - face[0], py - face[1], face[2] - px, face[3] - py].map(|v| v.max(0.0));
        let mut size = place.size;
        for (away, behind) in away.into_iter().zip(behind) {
            if away > 0.0 {
                size = size.max(1.0 - (behind / away).min(1.0));
            }
        }
        // A larger head leaves more room behind it.
        let most = |side: usize| behind[side] + (size - 1.0) * away[side];
        let shift = [0, 1].map(|k| wanted[k].max(-most(k + 2)).min(most(k)));
        let movement = shift[0].hypot(shift[1]) / size + (1.0 - size).max(0.0) * head.height;
        let [sx, sy] = shift;
        let [x, y, z] = [0, 1, 2].map(|k| pivot[k] + size * (head.centre[k] - pivot[k]));
        let widest = head.widened(model, deformed);
        let scale = 1.0 / (size * widest).powi(2);
        let warp = Self {
            centre: head.centre,
            placed: [x + sx, y + sy, z],
            size,
            ellipse: head.inverse.map(|v| v * scale),
            fade: (FADE * unit).hypot(FADE_OF_MOVEMENT * movement),
            picture,
        };
        let is_finite = warp
            .ellipse
            .iter()
            .chain(&warp.placed)
            .all(|v| v.is_finite());
        (is_finite && size > 0.0).then_some(warp)
    }

    /// Moves a point of the drawn head to its place.
    pub fn place(&self, point: Point) -> Point {
        [0, 1, 2].map(|k| self.placed[k] + self.size * (point[k] - self.centre[k]))
    }

    /// The offset from a point to where its colour is before the head is placed.
    #[inline(always)]
    pub fn offset(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (u, v) = (x - self.placed[0], y - self.placed[1]);
        let [a, b, c] = self.ellipse;
        // 1 on the ellipse.
        let radius = (a * u * u + 2.0 * b * u * v + c * v * v).max(1.0).sqrt();
        let beyond = (u * u + v * v).sqrt() * (1.0 - 1.0 / radius);
        let near = smoothstep(1.0 - beyond / self.fade);
        let moved = [
            self.centre[0] + u / self.size - x,
            self.centre[1] + v / self.size - y,
        ];
        let [left, top, right, bottom] = self.picture;
        [
            moved[0] * limited(near, moved[0], x - left, right - x),
            moved[1] * limited(near, moved[1], y - top, bottom - y),
        ]
    }

    /// Writes the offset of each pixel.
    pub fn offsets(&self, offsets: &mut Image<[f32; 2]>) {
        let isa = Isa::best();
        offsets.for_rows(|y, row| offset_row(isa, self, y, row));
    }
}

multiversion! {
    fn offset_row(warp: &PlaceWarp, y: usize, row: &mut [[f32; 2]]) {
        for (x, offset) in row.iter_mut().enumerate() {
            *offset = warp.offset([x as f32 + 0.5, y as f32 + 0.5]);
        }
    }
}

/// The fraction of an offset along an axis that is applied: `near`, but no more than brings the point to
/// [`STRETCH`] of its way to the edge of the picture. `before` and `after` are its distances from the edges.
#[inline(always)]
fn limited(near: f32, offset: f32, before: f32, after: f32) -> f32 {
    let way = if offset < 0.0 { before } else { after };
    let most = (STRETCH * way.max(0.0) / offset.abs().max(1e-6)).min(1.0 + ROUNDING);
    // A smooth minimum.
    let close = (ROUNDING - (near - most).abs()).max(0.0);
    (near.min(most) - close * close / (4.0 * ROUNDING)).max(0.0)
}

/// The face's width in centimetres.
fn face_width(model: &Model, fit: &Fit) -> Option<f32> {
    let [a, b] = WIDTH.map(|landmark| {
        let vertex = model.landmarks.get(landmark)?;
        fit.person.get(*vertex).copied()
    });
    let (a, b) = (a?, b?);
    Some((0..3).map(|k| (a[k] - b[k]).powi(2)).sum::<f32>().sqrt())
}

/// The outline of the head with its hair, as drawn before it is placed.
struct HeadEllipse {
    centre: Point,
    chin: Point,
    /// The coefficients `a`, `b`, `c` of `a x² + 2 b x y + c y² = 1`.
    inverse: [f32; 3],
    /// Its height in pixels.
    height: f32,
}

impl HeadEllipse {
    /// The projection of an ellipsoid around the head.
    fn new(model: &Model, fit: &Fit, placement: &Placement) -> Option<Self> {
        let chin = *fit.person.get(*model.landmarks.get(CHIN)?)?;
        let skin = fit.person.get(..model.skin)?;
        let mut low = [f32::INFINITY; 3];
        let mut high = [f32::NEG_INFINITY; 3];
        for point in skin.iter().filter(|point| point[1] >= chin[1]) {
            for k in 0..3 {
                low[k] = low[k].min(point[k]);
                high[k] = high[k].max(point[k]);
            }
        }
        let low = [low[0] - HAIR, low[1] - BELOW_CHIN, low[2] - HAIR_BEHIND];
        let high = [high[0] + HAIR, high[1] + HAIR_ABOVE, high[2]];
        let middle = [0, 1, 2].map(|k| 0.5 * (low[k] + high[k]));
        let rows = &fit.projection.rows;
        // The sum of the outer products of the ellipsoid's axes, as they are seen.
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for k in 0..3 {
            let half = 0.5 * (high[k] - low[k]);
            let [right, up, _] = placement.turn(rows.map(|row| row[k] * half));
            xx += right * right;
            xy -= right * up;
            yy += up * up;
        }
        let determinant = xx * yy - xy * xy;
        let is_sound = determinant.is_finite() && determinant > 0.0;
        is_sound.then(|| Self {
            centre: placement.place(fit.projection.point(middle)),
            inverse: [yy / determinant, -xy / determinant, xx / determinant],
            chin: placement.place(fit.projection.point(chin)),
            height: (high[1] - low[1]) * fit.projection.pixels_per_cm,
        })
    }

    /// The factor, at least 1, by which it must grow to contain the whole face.
    fn widened(&self, model: &Model, deformed: &Deformed) -> f32 {
        let [a, b, c] = self.inverse;
        let face = deformed.points.iter().zip(&model.face_mask);
        face.filter(|(_, mask)| **mask > MIN_FACE_MASK)
            .map(|([x, y, _], _)| {
                let (u, v) = (x - self.centre[0], y - self.centre[1]);
                a * u * u + 2.0 * b * u * v + c * v * v
            })
            .fold(1.0, f32::max)
            .sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::super::deform::Gaps;
    use super::super::testing::landmarks;
    use super::*;
    use proptest::prelude::*;
    use std::sync::OnceLock;

    struct Head {
        fit: Fit,
        deformed: Deformed,
    }

    fn heads() -> &'static [Head; 2] {
        static HEADS: OnceLock<[Head; 2]> = OnceLock::new();
        HEADS.get_or_init(|| {
            [0, 1].map(|sample| {
                let model = Model::bundled().unwrap();
                let fit = Fit::new(model, &landmarks(sample), 0.05).unwrap();
                let gaps = Gaps::new(model, &fit);
                let expression = fit.expression.clone();
                let deformed = Deformed::new(model, &fit, &gaps, expression, [0.0; 3], [0.0; 2]);
                Head { fit, deformed }
            })
        })
    }

    fn warp(head: &Head, picture: [f32; 4], place: Place) -> PlaceWarp {
        let model = Model::bundled().unwrap();
        PlaceWarp::new(model, &head.fit, &head.deformed, picture, place).unwrap()
    }

    /// Room enough for every movement.
    fn wide(head: &Head) -> [f32; 4] {
        let [l, t, r, b] = head.fit.face_box(Model::bundled().unwrap(), 0.3);
        let room = 3.0 * (r - l);
        [l - room, t - room, r + room, b + room]
    }

    fn at(right: f32, up: f32, size: f32) -> Place {
        Place { right, up, size }
    }

    fn places() -> impl Strategy<Value = Place> {
        let end = |v: f32| prop_oneof![Just(-v), Just(0.0), Just(v), -v..v];
        let sizes = prop_oneof![Just(0.7f32), Just(1.0), Just(1.4), 0.7f32..1.4];
        (end(0.5), end(0.5), sizes)
            .prop_map(|(right, up, size)| at(right, up, size))
            .prop_filter("a movement", |place| *place != Place::AS_IN_PORTRAIT)
    }

    #[test]
    fn a_head_that_stays_is_not_warped() {
        let (head, model) = (&heads()[0], Model::bundled().unwrap());
        let same = PlaceWarp::new(
            model,
            &head.fit,
            &head.deformed,
            wide(head),
            Place::AS_IN_PORTRAIT,
        );
        assert!(same.is_none());
    }

    #[test]
    fn the_face_moves_by_its_width_and_grows_by_the_factor() {
        let model = Model::bundled().unwrap();
        for head in heads() {
            let width = head.fit.projection.pixels_per_cm * face_width(model, &head.fit).unwrap();
            let [left, right] = WIDTH.map(|i| head.fit.portrait_points[model.landmarks[i]]);
            let seen = (right[0] - left[0]).hypot(right[1] - left[1]);
            assert!((seen / width - 1.0).abs() < 0.15, "{seen} {width}");
            for (place, shift) in [
                (at(0.25, 0.0, 1.0), [0.25, 0.0]),
                (at(-0.5, 0.0, 1.0), [-0.5, 0.0]),
                (at(0.0, 0.5, 1.0), [0.0, -0.5]),
                (at(0.1, -0.3, 1.0), [0.1, 0.3]),
            ] {
                let warp = warp(head, wide(head), place);
                for landmark in [1, 33, 152, 263] {
                    let before = head.deformed.points[model.landmarks[landmark]];
                    let after = warp.place(before);
                    for k in 0..2 {
                        let moved = after[k] - before[k];
                        assert!((moved - shift[k] * width).abs() < 1e-2 * width, "{place:?}");
                    }
                }
            }
            let chin = head.deformed.points[model.landmarks[CHIN]];
            let smaller = warp(head, wide(head), at(0.0, 0.0, 0.7)).place(chin);
            let apart = (smaller[0] - chin[0]).hypot(smaller[1] - chin[1]);
            assert!(apart < 0.08 * width, "{apart}");
            for size in [0.7, 1.4] {
                let warp = warp(head, wide(head), at(0.0, 0.0, size));
                let [a, b] = [33, 263].map(|i| head.deformed.points[model.landmarks[i]]);
                let apart = |a: Point, b: Point| (a[0] - b[0]).hypot(a[1] - b[1]);
                let grown = apart(warp.place(a), warp.place(b)) / apart(a, b);
                assert!((grown - size).abs() < 1e-3, "{size}: {grown}");
            }
        }
    }

    #[test]
    fn a_face_at_the_pictures_edge_stays_away_from_what_it_cannot_uncover() {
        let model = Model::bundled().unwrap();
        let head = &heads()[0];
        let face = head.fit.face_box(model, 0.3);
        let [l, t, r, b] = wide(head);
        // The picture ends above the brows: the face can go up but not down.
        let cut = [l, face[1] + 1.0, r, b];
        let (down, up) = (
            warp(head, cut, at(0.0, -0.4, 1.0)),
            warp(head, cut, at(0.0, 0.4, 1.0)),
        );
        assert_eq!(down.placed, down.centre);
        let free = warp(head, [l, t, r, b], at(0.0, 0.4, 1.0));
        assert_eq!(up.placed, free.placed);
        assert_eq!(warp(head, cut, at(0.0, 0.0, 0.7)).size, 1.0);
        assert_eq!(warp(head, cut, at(0.0, 0.0, 1.3)).size, 1.3);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn the_picture_never_folds_and_nothing_is_read_from_outside(
            sample in 0usize..2, place in places(), room in prop::array::uniform4(0.0f32..2.5),
        ) {
            let head = &heads()[sample];
            let [l, t, r, b] = head.fit.face_box(Model::bundled().unwrap(), 0.3);
            let side = r - l;
            let picture = [l - room[0] * side, t - room[1] * side, r + room[2] * side, b + room[3] * side];
            let warp = warp(head, picture, place);
            let steps = 48;
            let unit = head.fit.projection.pixels_per_cm;
            let from = |k: usize, i: usize| {
                picture[k] + (picture[k + 2] - picture[k]) * (i as f32 + 0.5) / steps as f32
            };
            let h = 0.02 * unit;
            for j in 0..steps {
                for i in 0..steps {
                    let (x, y) = (from(0, i), from(1, j));
                    let [dx, dy] = warp.offset([x, y]);
                    prop_assert!((picture[0]..=picture[2]).contains(&(x + dx)) && (picture[1]..=picture[3]).contains(&(y + dy)), "{} {}", x, y);
                    let slope = |k: usize| {
                        let by = |s: f32| if k == 0 { [x + s, y] } else { [x, y + s] };
                        let (a, b) = (warp.offset(by(-h)), warp.offset(by(h)));
                        [0, 1].map(|c| (b[c] - a[c]) / (2.0 * h))
                    };
                    let ([xx, yx], [xy, yy]) = (slope(0), slope(1));
                    let area = (1.0 + xx) * (1.0 + yy) - xy * yx;
                    prop_assert!(area > 0.02, "{} at {} {}", area, x, y);
                }
            }
        }

        #[test]
        fn the_face_keeps_its_shape(sample in 0usize..2, place in places(), room in prop::array::uniform4(0.0f32..2.5)) {
            let model = Model::bundled().unwrap();
            let head = &heads()[sample];
            let [l, t, r, b] = head.fit.face_box(model, 0.3);
            let side = r - l;
            let picture = [l - room[0] * side, t - room[1] * side, r + room[2] * side, b + room[3] * side];
            let warp = warp(head, picture, place);
            for (point, mask) in head.deformed.points.iter().zip(&model.face_mask) {
                let [x, y, z] = warp.place(*point);
                let visible = (picture[0]..picture[2]).contains(&x) && (picture[1]..picture[3]).contains(&y);
                if *mask > 0.3 && visible {
                    let [dx, dy] = warp.offset([x, y]);
                    prop_assert!((x + dx - point[0]).abs() < 0.02 * side && (y + dy - point[1]).abs() < 0.02 * side, "{:?}", [x, y, z]);
                }
            }
        }

        #[test]
        fn a_small_step_of_a_slider_is_a_small_movement(
            sample in 0usize..2, place in places(), step in prop::array::uniform3(-0.01f32..0.01),
            room in prop::array::uniform4(0.0f32..1.5), at in [0f32..1.0, 0f32..1.0],
        ) {
            let head = &heads()[sample];
            let [l, t, r, b] = head.fit.face_box(Model::bundled().unwrap(), 0.3);
            let side = r - l;
            let picture = [l - room[0] * side, t - room[1] * side, r + room[2] * side, b + room[3] * side];
            let other = Place { right: place.right + step[0], up: place.up + step[1], size: place.size + step[2] };
            let point = [0, 1].map(|k| picture[k] + at[k] * (picture[k + 2] - picture[k]));
            let (one, two) = (warp(head, picture, place).offset(point), warp(head, picture, other).offset(point));
            for k in 0..2 {
                prop_assert!((one[k] - two[k]).abs() < 0.08 * side, "{:?} {:?}", one, two);
            }
        }
    }
}
