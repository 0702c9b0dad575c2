//! Applies a network's motion to the portrait itself, at the portrait's resolution.
//!
//! FOMM (Siarohin et al. 2019) and TPS (Zhao and Zhang 2022) take a crop at about 256 pixels a side and output three things for
//! a frame: a backward flow F (where in the source each point of the result comes from), an occlusion map o (how far the warped
//! source is right there), and a generated picture G. G is blurred and slightly off everywhere, so it isn't displayed directly.
//! The result is the warped portrait; G is used only where the portrait doesn't contain what belongs there.
//!
//! **Everything is relative to the rest state.** A network driven by the source's own key points should change nothing, yet its
//! flow F0 isn't quite the identity, its occlusion o0 isn't 1 and its picture G0 isn't the portrait. So the displacement is
//! D = F - F0, which is zero at rest however imperfect F0 is; a constant offset in the sampling convention cancels out. With the
//! portrait I, its warp is W(r) = I(r + D(r)), and the result is
//!
//! ```text
//! R = W + p (G + k (W - W0) - W),    W0(r) = G0(r + D(r))
//! ```
//!
//! - W0 is what the network would draw if the motion only moved its picture at rest. So G - W0 is what the generator adds to
//!   the warp, and W - W0 is what it cannot draw of the portrait: pores, lashes, and its own errors.
//! - p in 0..=1 is how much the generator is used: as far as o falls below its value at rest, and, where G differs from W0 in
//!   content, as far as 1 - o itself. Where G and W0 are equal, p is 0: there is nothing to add.
//! - k in 0..=1 is how far G and W0 have the same content. Low frequencies follow p; the detail W - W0 has the weight
//!   1 - p (1 - k), which stays higher. When a cheek only changes its shading, its pores stay, and a patch without them would
//!   look like a thumb print on the lens. When a mouth opens, the lip's texture does not belong on the teeth: there k is 0 and G
//!   is used alone.
//!
//! At rest D = 0 and G = W0, so R = I, to the byte. Small differences are ignored: displacements below a fraction of a pixel
//! and changes of a grey level or two. **D and p are faded, pictures are never cross-faded**: towards the crop's edge, a mask's
//! edge and areas at rest the displacement shrinks to zero. The picture is slightly stretched there, where a blend of moved and
//! unmoved pixels would show every edge twice. The fade at the crop's edge is wider for larger displacements, so that the
//! picture cannot fold. A narrow fade is inside the crop, so a small motion changes nothing outside. A wide fade is around the
//! crop, where the displacement along the crop's edge is extrapolated outwards (`ring`): a head that moves far or grows moves
//! as a whole, together with its surroundings. At the portrait's own edges nothing is read from beyond them. Where D and p are
//! zero, the portrait's pixels are unchanged.

mod drift;
mod field;
mod paint;
mod plane;
mod ring;
mod sample;
mod shape;
mod warp;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::sampling::BorderMode;
use super::{Mask, TurnedSquare};
use crate::media::image::{ImagePyramid, Picture};
use drift::Drift;
use field::Field;
use paint::{Paint, Rest};
use shape::ValidMotion;

pub use shape::{Motion, MotionFault};

/// Options for applying a motion.
#[derive(Debug, Clone, Copy, Default)]
pub struct Transfer<'a> {
    /// Where in the crop the portrait may change; everywhere if `None`.
    pub mask: Option<&'a Mask>,
    /// Pastes the generator's picture into the crop as it is.
    pub plain: bool,
    /// A version of the portrait with another expression, of the same size, to be moved instead.
    pub expressed: Option<&'a Picture>,
}

/// A portrait prepared for motion transfer.
pub struct TransferSource {
    portrait: Arc<Picture>,
    place: TurnedSquare,
    /// The portrait's left, top, right and bottom edges, in pixels of the picture.
    bounds: [f32; 4],
    rest: Rest,
}

impl TransferSource {
    /// Precomputes everything that depends only on the portrait. `place` is the network's input crop; it may be turned and
    /// extend beyond the portrait. `rest` is the network's output when driven by the portrait's own key points.
    ///
    /// # Errors
    /// [`MotionFault`] when the lengths of `rest`'s buffers don't match its sizes.
    pub fn new(
        portrait: impl Into<Arc<Picture>>,
        place: impl Into<TurnedSquare>,
        rest: &Motion,
    ) -> Result<Self, MotionFault> {
        let (portrait, place) = (portrait.into(), place.into());
        let rest = ValidMotion::new(rest)?;
        let size = rest.size;
        let seen = if visible(&place) {
            ImagePyramid::for_networks(&*portrait).read(
                &place,
                size,
                (0.0, 255.0),
                BorderMode::Edge,
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

    /// Sets the portrait's left, top, right and bottom edges, in pixels of the picture, for a picture that shows only a part of
    /// the portrait or more than the portrait. By default they are the picture's own.
    pub fn within(mut self, bounds: [f32; 4]) -> Self {
        self.bounds = bounds;
        self
    }

    /// Returns the portrait with the crop's content moved, at the portrait's size. Not a byte differs from the portrait where
    /// the mask is 0 (outside the crop, where it is 0 at the nearest point of the crop), where nothing moves, around non-finite
    /// numbers in the motion, and farther than 0.75 of the crop's side outside the crop. With a small motion, and with
    /// [`Transfer::plain`], nothing outside the crop changes.
    ///
    /// # Errors
    /// [`MotionFault`] when the motion's sizes differ from those of the motion at rest, or its buffers don't match them.
    pub fn apply(&self, motion: &Motion, how: Transfer) -> Result<Picture, MotionFault> {
        let motion = ValidMotion::new(motion)?;
        motion.matches(&self.rest.motion)?;
        if how.plain && visible(&self.place) {
            let mut picture = self.moved_picture(&how).clone();
            let field = Field::plain(&motion, self.place.side, how.mask);
            warp::plain(&mut picture, &self.place, &field);
            return Ok(picture);
        }
        let drift = Drift::between(&self.rest.motion, &motion);
        let paint = Paint::new(&self.rest, &motion, &drift);
        Ok(self.warped(&drift, &paint, &how))
    }

    /// Returns the portrait warped only, for a draft: the result of [`TransferSource::apply`] where the generator adds nothing.
    /// [`Motion::picture`] is ignored and may be empty, as is [`Transfer::plain`].
    ///
    /// # Errors
    /// As [`TransferSource::apply`], except for the picture.
    pub fn warp(&self, motion: &Motion, how: Transfer) -> Result<Picture, MotionFault> {
        let motion = ValidMotion::without_picture(motion, &self.rest.motion)?;
        motion.matches(&self.rest.motion)?;
        let drift = Drift::between(&self.rest.motion, &motion);
        Ok(self.warped(&drift, &Paint::none(), &how))
    }

    /// Returns the picture to move.
    fn moved_picture<'a>(&'a self, how: &Transfer<'a>) -> &'a Picture {
        let fits = |picture: &&Picture| picture.size() == self.portrait.size();
        how.expressed.filter(fits).unwrap_or(&self.portrait)
    }

    fn warped(&self, drift: &Drift, paint: &Paint, how: &Transfer) -> Picture {
        let portrait = self.moved_picture(how);
        let mut picture = portrait.clone();
        if visible(&self.place) {
            let field = Field::moved(drift, paint, &self.place, self.bounds, how.mask);
            warp::moved(&mut picture, portrait, &self.place, self.bounds, &field);
        }
        picture
    }
}

/// Returns whether the square is finite and not empty.
fn visible(place: &TurnedSquare) -> bool {
    let finite = [place.x, place.y, place.side, place.angle]
        .iter()
        .all(|v| v.is_finite());
    finite && place.side > 0.0
}
