//! A network's motion carried out on the portrait itself, at the portrait's own size.
//!
//! FOMM (Siarohin et al. 2019) and TPS (Zhao and Zhang 2022) see a crop at some 256 pixels a side and say three things of
//! a frame: where in the source each place of the result comes from (a backward flow F), how far what lies there is right
//! (occlusion o), and a picture G of the whole. The picture is soft and everywhere a little off, so it isn't shown. What
//! is shown is the portrait, moved; G is laid on only where the portrait cannot know what belongs there.
//!
//! **Everything is a difference from rest.** A network that is driven by the source's own key points should change nothing,
//! yet its flow F0 isn't quite the identity, its occlusion o0 isn't 1 and its picture G0 isn't the portrait. So with D the
//! displacement F - F0 (zero at rest, however imperfect F0 is; and whatever a constant offset of the sampling
//! convention adds to both, it cancels), the portrait I warped is W(r) = I(r + D(r)), and the result
//!
//! ```text
//! R = W + p (G + k (W - W0) - W),    W0(r) = G0(r + D(r))
//! ```
//!
//! - W0 is what the network would draw if the motion did nothing but move its picture at rest. G - W0 is thus all that it
//!   adds to the warp, and W - W0 all that it cannot draw of the portrait: pores, lashes, its own mistakes.
//! - p in 0..=1 is how far the generator is asked: by o falling below what it is at rest, and, where G shows something
//!   else than W0, by 1 - o itself. Where G and W0 are the same p is brought to 0: there is nothing to add.
//! - k in 0..=1 is how far G and W0 show the same thing. Low frequencies follow p; W - W0, the detail, has the weight
//!   1 - p (1 - k), which stays longer. When a cheek is merely shaded anew its pores are still its pores, and a patch
//!   without them would look like a thumb print on the lens. When a mouth opens, the lip's grain does not belong on
//!   the teeth: there k is 0 and G stands alone.
//!
//! At rest D = 0 and G = W0, so R = I, to the byte. Small differences are taken as none: displacements below a
//! fraction of a pixel and changes of a grey level or two. **Only D and p are faded, never pictures over one another**:
//! towards the crop's edge, towards a mask's edge and towards places at rest the displacement shrinks to nothing, so the
//! picture there is a little stretched, where a blend of moved and unmoved would show every edge twice. The fade at
//! the crop's edge is the wider the larger the displacement, so that it cannot fold the picture. A narrow one lies in the
//! crop, so that a small motion changes nothing outside it. A wide one lies around the crop, where the displacement along
//! its edge goes on outwards (`ring`): a head that travels far or grows moves whole, and takes its surroundings along. At the
//! portrait's own edges nothing is read from beyond them. Where D and p are nothing the portrait's pixel isn't touched.

mod carry;
mod drift;
mod field;
mod paint;
mod plane;
mod ring;
mod sample;
mod shape;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::sampling::Beyond;
use super::{Mask, TurnedSquare};
use crate::media::image::{ImagePyramid, Picture};
use drift::Drift;
use field::Field;
use paint::{Paint, Rest};
use shape::Sound;

pub use shape::{Motion, MotionFault};

/// How a motion is carried over.
#[derive(Debug, Clone, Copy, Default)]
pub struct Transfer<'a> {
    /// Where in the crop the portrait may change; everywhere when there is none.
    pub mask: Option<&'a Mask>,
    /// The generator's picture in the crop's place, as it is.
    pub plain: bool,
    /// The portrait with another expression, of the same size, which is moved in its place.
    pub expressed: Option<&'a Picture>,
}

/// A portrait that is ready to be moved.
pub struct TransferSource {
    portrait: Arc<Picture>,
    place: TurnedSquare,
    /// The portrait's left, top, right and bottom edges, in pixels of the picture.
    bounds: [f32; 4],
    rest: Rest,
}

impl TransferSource {
    /// Prepares all that depends on the portrait alone. `place` is the crop that the network saw; it may be turned and
    /// stick out of the portrait. `rest` is what the network says when it is driven by the portrait's own key points.
    ///
    /// # Errors
    /// [`MotionFault`] when `rest` does not have the numbers that its sizes promise.
    pub fn new(
        portrait: impl Into<Arc<Picture>>,
        place: impl Into<TurnedSquare>,
        rest: &Motion,
    ) -> Result<Self, MotionFault> {
        let (portrait, place) = (portrait.into(), place.into());
        let rest = Sound::new(rest)?;
        let size = rest.size;
        let seen = if visible(&place) {
            ImagePyramid::for_networks(&*portrait).read(
                &place,
                size,
                (0.0, 255.0),
                Beyond::Edge,
                (0, 0),
            )
        } else {
            vec![0.0; 3 * size * size]
        };
        let (width, height) = portrait.size();
        Ok(Self {
            rest: Rest::new(rest, &seen),
            bounds: [0.0, 0.0, width as f32, height as f32],
            portrait,
            place,
        })
    }

    /// The same where the picture shows a part of a portrait, or more than the portrait: `bounds` are the portrait's left, top,
    /// right and bottom edges, in pixels of the picture. Without, they are the picture's own.
    pub fn within(mut self, bounds: [f32; 4]) -> Self {
        self.bounds = bounds;
        self
    }

    /// The portrait with the crop's content moved, of the portrait's own size. Not a byte differs from the portrait where the
    /// mask is 0 (around the crop, where it is 0 at the nearest place in the crop), where nothing moves, about numbers of the
    /// motion that aren't finite, and farther than 0.75 of the crop's side outside the crop; with a small motion, and
    /// with [`Transfer::plain`], nowhere outside the crop.
    ///
    /// # Errors
    /// [`MotionFault`] when the motion's sizes are not those of the motion at rest, or its numbers not as many as they promise.
    pub fn apply(&self, motion: &Motion, how: Transfer) -> Result<Picture, MotionFault> {
        let motion = Sound::new(motion)?;
        motion.matches(&self.rest.motion)?;
        if how.plain && visible(&self.place) {
            let mut picture = self.moved_picture(&how).clone();
            let field = Field::plain(&motion, self.place.side, how.mask);
            carry::plain(&mut picture, &self.place, &field);
            return Ok(picture);
        }
        let drift = Drift::between(&self.rest.motion, &motion);
        let paint = Paint::new(&self.rest, &motion, &drift);
        Ok(self.carried(&drift, &paint, &how))
    }

    /// The portrait moved and nothing painted anew: what [`TransferSource::apply`] makes of a motion that the generator adds
    /// nothing to, for a draft. [`Motion::picture`] isn't looked at and may be empty, nor is [`Transfer::plain`].
    ///
    /// # Errors
    /// Those of [`TransferSource::apply`] for what else the motion says.
    pub fn warp(&self, motion: &Motion, how: Transfer) -> Result<Picture, MotionFault> {
        let motion = Sound::unpainted(motion, &self.rest.motion)?;
        motion.matches(&self.rest.motion)?;
        let drift = Drift::between(&self.rest.motion, &motion);
        Ok(self.carried(&drift, &Paint::none(), &how))
    }

    /// The picture that is moved.
    fn moved_picture<'a>(&'a self, how: &Transfer<'a>) -> &'a Picture {
        let fits = |picture: &&Picture| picture.size() == self.portrait.size();
        how.expressed.filter(fits).unwrap_or(&self.portrait)
    }

    fn carried(&self, drift: &Drift, paint: &Paint, how: &Transfer) -> Picture {
        let portrait = self.moved_picture(how);
        let mut picture = portrait.clone();
        if visible(&self.place) {
            let field = Field::moved(drift, paint, &self.place, self.bounds, how.mask);
            carry::moved(&mut picture, portrait, &self.place, self.bounds, &field);
        }
        picture
    }
}

/// Whether the square is one that has any pixels.
fn visible(place: &TurnedSquare) -> bool {
    let finite = [place.x, place.y, place.side, place.angle]
        .iter()
        .all(|v| v.is_finite());
    finite && place.side > 0.0
}
